//! From declared queries to released versions.
//!
//! A version is immutable. A new one appears only when the hash over its rows and its declaration
//! differs from the newest one's; otherwise nothing is written. Whatever instant a run is killed
//! at, running again ends where an undisturbed run would have.

mod assemble;
mod error;
mod gate;
mod rule;
mod shelf;
mod simulated;
mod table;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use warehouse::access::Principal;
use warehouse::grid::Cell;
use warehouse::names::Sensitivity;
use warehouse::query::{Via, Warehouse};
use warehouse::spec::{Action, Check, Query, QueryKind, Rule};

use crate::metadata::{CheckResult, PublisherInfo};
use crate::portal;

pub use self::error::{DatasetFailure, Refusal, ReleaseError};
pub(crate) use self::rule::{HIDDEN, NOTE_COLUMN};
pub(crate) use self::shelf::Version;
pub use self::verify::{VerifyError, VerifyFault, VerifyProblem, VerifyReport, verify};

use self::shelf::Shelf;

/// Publishes the declared open datasets of a warehouse into a public folder.
pub struct Publisher {
    warehouse: Warehouse,
    site: Arc<Site>,
}

/// The rows of a query.
struct Rows {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    is_simulated: bool,
}

/// Everything about the public folder that does not need the warehouse.
struct Site {
    shelf: Shelf,
    publisher: PublisherInfo,
    base_url: Option<String>,
}

/// A dataset after a run: its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Identifier of the dataset.
    pub dataset: String,
    /// Number of the newest version.
    pub version: u32,
    /// The night that version was released.
    pub date: NaiveDate,
    /// Whether this run made that version, or listed one that a killed run had made.
    pub changed: bool,
    /// Its rows.
    pub rows: u64,
    /// Its small cells that are not shown.
    pub suppressed_cells: u64,
    /// SHA-256 over its data and declaration, in hex.
    pub sha256: String,
    /// Its folder below the public folder: `dataset/v1`.
    pub path: String,
    /// Whether it is made from simulated rows, and says so.
    pub simulated: bool,
}

impl Released {
    fn new(dataset: &str, version: Version, changed: bool) -> Self {
        Self {
            dataset: dataset.to_owned(),
            version: version.version,
            date: version.date,
            changed,
            rows: version.rows,
            suppressed_cells: version.suppressed_cells,
            sha256: version.sha256,
            path: format!("{dataset}/v{}", version.version),
            simulated: version.simulated,
        }
    }
}

impl Publisher {
    /// A publisher that writes into the folder `out`. `base_url` is the address at which that
    /// folder is served, for metadata; without it every address is relative, and the listings in
    /// the form of CKAN, which need absolute ones, are not written.
    pub fn new(
        warehouse: Warehouse,
        out: PathBuf,
        publisher: PublisherInfo,
        base_url: Option<String>,
    ) -> Self {
        let base_url = base_url.map(|url| format!("{}/", url.trim_end_matches('/')));
        let site = Site { shelf: Shelf::new(out), publisher, base_url };
        Self { warehouse, site: Arc::new(site) }
    }

    /// Releases every declared open dataset that has rows and has changed, then draws the pages
    /// and listings anew where they differ. A dataset that fails does not stop the others.
    /// `progress` receives one line a dataset.
    ///
    /// # Errors
    /// When the public folder cannot be written or another run is writing to it
    /// ([`ReleaseError::Busy`]), or, after all others were released, with the datasets that were
    /// refused or failed ([`ReleaseError::Datasets`]).
    pub async fn release_all(
        &self,
        night: NaiveDate,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<Released>, ReleaseError> {
        // Held to the end of the run.
        let _lock = self.blocking(|site| site.shelf.lock()).await?;
        self.blocking(|site| site.shelf.prepare()).await?;
        let mut queries: Vec<_> =
            self.warehouse.declarations().of_kind(QueryKind::OpenData).collect();
        queries.sort_by(|a, b| a.id.cmp(&b.id));
        let (mut released, mut failures, mut pending) = (Vec::new(), Vec::new(), Vec::new());
        for query in queries {
            let outcome = self.release_one(query, night).await;
            progress(&describe(&query.id, &outcome));
            match outcome {
                Ok(Some(done)) => released.push(done),
                Ok(None) => pending.push(portal::Pending::of(query)),
                Err(error) => {
                    failures.push(DatasetFailure { dataset: query.id.clone(), error });
                }
            }
        }
        self.blocking(move |site| site.draw(&pending)).await?;
        if failures.is_empty() {
            Ok(released)
        } else {
            Err(ReleaseError::Datasets { released, failures })
        }
    }

    /// `None` when the dataset has no rows and never had any.
    async fn release_one(
        &self,
        query: &Query,
        night: NaiveDate,
    ) -> Result<Option<Released>, ReleaseError> {
        let declarations = self.warehouse.declarations();
        let who = gate::principal(declarations, query)?;
        let lake = self.warehouse.lake();
        let was_simulated = simulated::is_under(lake, declarations, query).await?;
        let checks = self.run_checks(query, &who).await?;
        let answer = self.warehouse.door(&who, Via::Release).ask(&query.sql).await?;
        let schema = answer.schema();
        let batches = answer.collect().await?;
        // A night may have committed meanwhile: whichever of both the rows are of, they say it.
        let is_simulated = was_simulated || simulated::is_under(lake, declarations, query).await?;
        let query = query.clone();
        let rows = Rows { schema, batches, is_simulated };
        self.blocking(move |site| site.publish(&query, night, &rows, checks)).await
    }

    /// The declared checks over the result before anything is hidden in it.
    async fn run_checks(
        &self,
        query: &Query,
        who: &Principal,
    ) -> Result<Vec<CheckResult>, ReleaseError> {
        let mut results = Vec::new();
        for check in &query.checks {
            let answer =
                self.warehouse.door(who, Via::Release).ask(&check_sql(query, check)).await?;
            let grid = answer.grid(1).await?;
            let faults = faults_of(check, grid.cell(0, "so_loi"))?;
            if faults > 0 && check.action == Action::Refuse {
                let refusal = Refusal::Check { check: check.name.clone(), faults };
                return Err(ReleaseError::Refused(refusal));
            }
            if faults > 0 {
                tracing::warn!(dataset = query.id, check = check.name, faults, "check failed");
            }
            let (name, title) = (check.name.clone(), check.title.clone());
            results.push(CheckResult { name, title, faults });
        }
        Ok(results)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Site) -> Result<T, ReleaseError> + Send + 'static,
    ) -> Result<T, ReleaseError> {
        let site = Arc::clone(&self.site);
        tokio::task::spawn_blocking(move || work(&site)).await.map_err(ReleaseError::Stopped)?
    }
}

/// The number that a check came to; a check that gives none has not been made.
fn faults_of(check: &Check, cell: &Cell) -> Result<u64, ReleaseError> {
    let count = cell.as_i64().and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| ReleaseError::Uncounted { check: check.name.clone() })
}

fn check_sql(query: &Query, check: &Check) -> String {
    let result = query.sql.trim().trim_end_matches(';');
    let faults = match &check.rule {
        Rule::Row(expression) => format!("SELECT * FROM bang WHERE NOT (\n{expression}\n)"),
        Rule::Query(sql) => sql.trim().trim_end_matches(';').to_owned(),
    };
    format!("WITH bang AS (\n{result}\n) SELECT count(*) AS so_loi FROM (\n{faults}\n) AS loi")
}

fn describe(dataset: &str, outcome: &Result<Option<Released>, ReleaseError>) -> String {
    match outcome {
        Ok(Some(Released { version, changed: true, rows, suppressed_cells, .. })) => {
            format!("{dataset}: version {version}, {rows} rows, {suppressed_cells} cells hidden")
        }
        Ok(Some(Released { version, .. })) => {
            format!("{dataset}: unchanged since version {version}")
        }
        Ok(None) => format!("{dataset}: no data yet"),
        Err(error) => format!("{dataset}: {error}"),
    }
}

impl Site {
    /// Makes the next version of `query` when it differs from the newest one.
    fn publish(
        &self,
        query: &Query,
        night: NaiveDate,
        rows: &Rows,
        checks: Vec<CheckResult>,
    ) -> Result<Option<Released>, ReleaseError> {
        let id = query.id.as_str();
        let (mut versions, recovered) = self.shelf.recover(id)?;
        let newest = versions.last().cloned();
        let batch = concat_batches(&rows.schema, &rows.batches).map_err(table::TableError::from)?;
        if batch.num_rows() == 0 {
            return Ok(newest.map(|version| Released::new(id, version, recovered)));
        }
        let content = assemble::content(query, &batch, checks, rows.is_simulated)?;
        if let Some(newest) = newest.as_ref().filter(|newest| newest.sha256 == content.sha256) {
            return Ok(Some(Released::new(id, newest.clone(), recovered)));
        }
        let number = newest.map_or(1, |newest| newest.version + 1);
        let version = content.version(number, night);
        let base = self.base_url.as_deref();
        let files = content.files(query, &version, &self.publisher, base)?;
        self.shelf.put_version(id, number, &files)?;
        versions.push(version.clone());
        self.shelf.put_versions(id, &versions)?;
        Ok(Some(Released::new(id, version, true)))
    }

    /// Draws what can change: landing pages, catalogue, listings. Only files whose bytes differ
    /// are written. They name the publisher of today; a version keeps the one that released it.
    fn draw(&self, pending: &[portal::Pending]) -> Result<(), ReleaseError> {
        let mut datasets = Vec::new();
        for id in self.shelf.datasets()? {
            let versions = self.shelf.versions(&id)?;
            let Some(newest) = versions.last() else { continue };
            let mut meta = self.shelf.metadata(&id, newest.version)?;
            meta.publisher = self.publisher.clone();
            if meta.simulated {
                meta.publisher.name = simulated::nature();
            }
            let csv = self.shelf.read_data(&meta)?;
            datasets.push(portal::Dataset { meta, versions, csv });
        }
        let pending: Vec<_> = pending
            .iter()
            .filter(|pending| {
                datasets.iter().all(|dataset| dataset.meta.dataset != pending.dataset)
            })
            .collect();
        let pages = portal::site(&datasets, &pending, &self.publisher, self.base_url.as_deref())?;
        for (path, bytes) in pages {
            self.shelf.put_if_changed(&path, &bytes)?;
        }
        if self.base_url.is_none() {
            // CKAN's listings hold absolute addresses; those of an earlier address are wrong now.
            for path in portal::CKAN_FILES {
                self.shelf.remove(path)?;
            }
        }
        self.shelf.finish()
    }
}

/// Whether a query's class lets its result out.
fn is_open(query: &Query) -> bool {
    query.sensitivity == Sensitivity::Open
}

#[cfg(test)]
mod tests;
