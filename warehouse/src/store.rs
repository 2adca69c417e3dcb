//! The lake: Delta tables on object storage. The only module that opens an object store.
//!
//! Every change is one Delta commit, so a reader sees all of it or nothing and a job killed at any
//! instant leaves at most unreferenced files. A commit carries a [`Note`]: which night, which
//! batch, how many rows, which checks. The note makes the commit its own ledger: a job that is run
//! again asks the table itself what is already there. One night writes at a time: see [`Lease`].

mod amend;
mod changed;
mod examine;
mod forget;
mod guarded;
mod lease;
mod note;
mod places;
mod risk;
mod version;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::{col, lit};
use deltalake_core::kernel::Transaction;
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::logstore::commit_uri_from_version;
use deltalake_core::operations::write::{SchemaMode, WriteBuilder};
use deltalake_core::protocol::SaveMode;
use deltalake_core::table::builder::DeltaTableBuilder;
use deltalake_core::{DeltaTable, DeltaTableError};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{DynObjectStore, ObjectStoreExt, RetryConfig};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use url::Url;

use crate::names::TableName;
use crate::stage::Rows;

pub use self::amend::Gone;
pub use self::changed::{Changed, Seen};
pub use self::examine::{Examined, Flaw};
pub use self::forget::Outdated;
pub use self::lease::{Lease, LeaseError};
pub use self::note::{CheckResult, ComparedKeys, Note, Step};
pub use self::places::Places;
pub use self::risk::{Alike, Asked, Exposure, Measured};
pub(crate) use self::version::DataFile;
pub use self::version::Version;

use self::guarded::Guarded;
use self::lease::Leased;

/// How long a request to a bucket is tried again: long enough for a server's restart, short enough
/// that a person at a prompt sees the fault.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a lake is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of an S3-compatible store.
    S3 {
        /// Bucket name.
        bucket: String,
        /// Prefix inside the bucket; may be empty.
        prefix: String,
        /// `object_store`'s own option names: `aws_endpoint`, `aws_access_key_id`, …
        options: HashMap<String, String>,
    },
}

/// What went wrong with the lake.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The place cannot be used at all.
    #[error("the lake at {place} cannot be opened")]
    Open {
        /// Folder or bucket.
        place: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table could not be read.
    #[error("the table {table} cannot be read")]
    Read {
        /// Which table.
        table: String,
        /// Why.
        #[source]
        source: Box<DeltaTableError>,
    },
    /// A commit did not happen; the table is as it was.
    #[error("the table {table} was not written; it is as before")]
    Write {
        /// Which table.
        table: String,
        /// Why.
        #[source]
        source: Box<DeltaTableError>,
    },
    /// The lake is no longer this process's own; the table is as it was.
    #[error("the table {table} was not written; it is as before")]
    Lease {
        /// Which table.
        table: String,
        /// Why.
        #[source]
        source: Box<LeaseError>,
    },
}

/// Properties of every table. The log is kept: its notes are the ledger, and what a table held on
/// a day can be asked as long as its files stand. Whoever opens a table reads a checkpoint and at
/// most so many commits after it.
const NEW_TABLE: [(&str, &str); 3] = [
    ("delta.checkpointInterval", "10"),
    ("delta.enableExpiredLogCleanup", "false"),
    ("delta.logRetentionDuration", "interval 3650 days"),
];

/// A handle on the lake; cheap to clone.
#[derive(Clone)]
pub struct Lake {
    root: Url,
    store: Arc<DynObjectStore>,
    place: String,
    /// The version of each table last read.
    read: Arc<Mutex<HashMap<TableName, LastRead>>>,
    /// The lease that it is under; none unless it was taken.
    leased: Leased,
}

type LastRead = Arc<tokio::sync::Mutex<Option<Read>>>;

/// A table as it was read last.
#[derive(Clone)]
struct Read {
    table: DeltaTable,
    version: Arc<Version>,
}

impl Read {
    fn of(table: DeltaTable) -> Result<Self, DeltaTableError> {
        let version = Arc::new(Version::of(&table)?);
        Ok(Self { table, version })
    }

    fn number(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// Whether there is a newer commit. They have successive numbers, so one question is enough,
    /// however long the log is.
    async fn is_old(&self) -> Result<bool, DeltaTableError> {
        let next = commit_uri_from_version(Some(self.number() + 1));
        match self.table.log_store().object_store(None).head(&next).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Which rows of a table a write replaces.
#[derive(Debug, Clone, Copy)]
pub enum Replace<'a> {
    /// All of them, the schema and the partitioning too.
    All {
        /// The column that the table is partitioned by from now on.
        by: Option<&'a str>,
    },
    /// Those of some partitions; all new rows are of these.
    Partitions {
        /// The column that the table is partitioned by.
        by: &'a str,
        /// Its values, as text; at least one.
        values: &'a BTreeSet<String>,
    },
    /// None: the rows are added.
    Nothing,
}

impl Replace<'_> {
    /// Whether the rows go into one file after the other.
    fn is_together(self) -> bool {
        matches!(self, Replace::All { by: None } | Replace::Nothing)
    }
}

impl Lake {
    /// Opens the lake, creating the folder if it is one.
    ///
    /// # Errors
    /// When the folder cannot be created or the bucket's options are unusable.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Folder(path) => Self::open_folder(path),
            Location::S3 { bucket, prefix, options } => Self::open_s3(bucket, prefix, options),
        }
    }

    fn open_folder(path: &Path) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            place: place.clone(),
            source,
        };
        std::fs::create_dir_all(path).map_err(|e| failed(e.into()))?;
        let full = path.canonicalize().map_err(|e| failed(e.into()))?;
        let root = Url::from_directory_path(&full)
            .map_err(|()| failed("the folder's name is not valid in an address".into()))?;
        Ok(Self::over(root, Arc::new(LocalFileSystem::new()), place.clone()))
    }

    fn over(root: Url, store: Arc<DynObjectStore>, place: String) -> Self {
        let leased = Leased::default();
        let store = Arc::new(Guarded::new(store, leased.clone()));
        Self { root, store, place, read: Arc::default(), leased }
    }

    fn open_s3(
        bucket: &str,
        prefix: &str,
        options: &HashMap<String, String>,
    ) -> Result<Self, StoreError> {
        let place = format!("s3://{bucket}/{prefix}");
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            place: place.clone(),
            source,
        };
        let retry = RetryConfig { retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(retry);
        for (key, value) in options {
            let key = key.parse().map_err(|e: object_store::Error| failed(e.into()))?;
            builder = builder.with_config(key, value);
        }
        let store = builder.build().map_err(|e| failed(e.into()))?;
        let folder = prefix.trim_matches('/');
        let address = if folder.is_empty() {
            format!("s3://{bucket}/")
        } else {
            format!("s3://{bucket}/{folder}/")
        };
        let root = Url::parse(&address).map_err(|e| failed(e.into()))?;
        register_s3_log_store();
        Ok(Self::over(root, Arc::new(store), place.clone()))
    }

    /// The folder or bucket, as people name it.
    pub fn place(&self) -> &str {
        &self.place
    }

    fn handle(&self, name: &TableName) -> Result<DeltaTable, DeltaTableError> {
        let path = format!("{}/{}/", name.schema(), name.name());
        let url = self.root.join(&path).map_err(|e| DeltaTableError::generic(e.to_string()))?;
        DeltaTableBuilder::from_url(url.clone())?
            .with_storage_backend(Arc::clone(&self.store), url)
            .build()
    }

    /// Reads a table's log from its beginning; `None` when it was never written.
    async fn load(&self, name: &TableName) -> Result<Option<DeltaTable>, StoreError> {
        let failed = |source| read_error(name, source);
        let mut table = self.handle(name).map_err(failed)?;
        if !table.verify_deltatable_existence().await.map_err(failed)? {
            return Ok(None);
        }
        table.load().await.map_err(failed)?;
        Ok(Some(table))
    }

    /// The newest version of a table, for those who only read: what was read before is kept while
    /// there is nothing newer. `None` when it was never written.
    ///
    /// # Errors
    /// When the log cannot be read, or tells of what `khoyte` does not write.
    pub async fn newest(&self, name: &TableName) -> Result<Option<Arc<Version>>, StoreError> {
        Ok(self.last_read(name).await?.map(|read| read.version))
    }

    /// The newest version of a table, which asks only for what is newer than what was read before:
    /// whoever reads a note or writes does not read the whole log again.
    async fn last_read(&self, name: &TableName) -> Result<Option<Read>, StoreError> {
        let failed = |source| read_error(name, source);
        let last = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(read.entry(name.clone()).or_default())
        };
        let before = last.lock().await.clone();
        if let Some(before) = &before
            && !before.is_old().await.map_err(failed)?
        {
            return Ok(Some(before.clone()));
        }
        let mut last = last.lock().await;
        let before = before.map(|before| before.number());
        let read = match last.take() {
            // Another reader was here since.
            Some(read) if Some(read.number()) > before => read,
            Some(Read { mut table, .. }) => {
                table.update_state().await.map_err(failed)?;
                Read::of(table).map_err(failed)?
            }
            None => match self.load(name).await? {
                Some(table) => Read::of(table).map_err(failed)?,
                None => return Ok(None),
            },
        };
        *last = Some(read.clone());
        Ok(Some(read))
    }

    /// The values of the table's partitions, as text; none where it is not partitioned by `by`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn partitions(
        &self,
        name: &TableName,
        by: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        let Some(version) = self.newest(name).await? else { return Ok(BTreeSet::new()) };
        let at = version.partitioned_by.iter().position(|column| column == by);
        let values =
            at.map(|at| version.files.iter().filter_map(move |file| file.values[at].clone()));
        Ok(values.into_iter().flatten().collect())
    }

    /// Whether the table is there and not partitioned by `by` alone, or has other columns than
    /// `columns`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn lies_otherwise(
        &self,
        name: &TableName,
        by: Option<&str>,
        columns: &Schema,
    ) -> Result<bool, StoreError> {
        let Some(Read { table, version }) = self.last_read(name).await? else { return Ok(false) };
        let state = table.snapshot().map_err(|source| read_error(name, source))?;
        let types = |schema: &Schema| -> BTreeMap<String, DataType> {
            let fields = schema.fields().iter();
            fields.map(|field| (field.name().clone(), field.data_type().clone())).collect()
        };
        let there = types(&state.snapshot().arrow_schema());
        let is_so = version.partitioned_by.iter().map(String::as_str).eq(by);
        Ok(!is_so || there != types(columns))
    }

    /// Where the files of a [`Version`] are.
    pub(crate) fn store(&self) -> Arc<DynObjectStore> {
        Arc::clone(&self.store)
    }

    /// What the newest commit of a `part` of the table says about itself: see [`Note::part`].
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn note(&self, name: &TableName, part: &str) -> Result<Option<Note>, StoreError> {
        let failed = |source| read_error(name, source);
        let Some(Read { table, .. }) = self.last_read(name).await? else { return Ok(None) };
        let newest = note::newest(&table, |_| true).await.map_err(failed)?;
        let others = match newest {
            Some(newest) if newest.part != part => newest.others,
            own => return Ok(own),
        };
        match others.map(|others| others.get(part).copied()) {
            Some(Some(version)) => note::at(&table, version).await.map_err(failed),
            Some(None) => Ok(None),
            None => note::newest(&table, |note| note.part == part).await.map_err(failed),
        }
    }

    /// What the newest commit of the table says about itself, whichever part it is of.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn last_note(&self, name: &TableName) -> Result<Option<Note>, StoreError> {
        let Some(Read { table, .. }) = self.last_read(name).await? else { return Ok(None) };
        note::newest(&table, |_| true).await.map_err(|source| read_error(name, source))
    }

    /// The note as its commit tells it: of a table that several jobs fill in turn, with where the
    /// notes of the others are.
    async fn told(&self, name: &TableName, note: &Note) -> Result<Note, StoreError> {
        let mut told = note.clone();
        if note.step == Step::Tinh && !note.part.is_empty() {
            told.others = match self.last_note(name).await? {
                None => Some(BTreeMap::new()),
                Some(last) => last.others.map(|mut others| {
                    others.insert(last.part, last.version);
                    others.remove(&note.part);
                    others
                }),
            };
        }
        Ok(told)
    }

    /// Writes `rows` into the table as one commit and returns the table's new version. Under a
    /// lease, only while it stands.
    ///
    /// # Errors
    /// When the rows cannot be stored, the commit is refused or the lease is lost; nothing is
    /// changed then.
    pub async fn write(
        &self,
        name: &TableName,
        rows: impl Into<Rows>,
        replace: Replace<'_>,
        note: &Note,
    ) -> Result<u64, StoreError> {
        self.permit(name)?;
        let failed = |source| write_error(name, source);
        let rows = plan(&rows.into()).map_err(|error| failed(error.into()))?;
        let schema = Arc::clone(rows.schema().inner());
        let existing = self.last_read(name).await?.map(|read| read.table);
        let note = &self.told(name, note).await?;
        let (log_store, snapshot) = match &existing {
            Some(table) => {
                let state = table.snapshot().map_err(failed)?;
                (table.log_store(), Some(state.snapshot().clone()))
            }
            None => (self.handle(name).map_err(failed)?.log_store(), None),
        };
        let builder = WriteBuilder::new(log_store, snapshot)
            .with_writer_properties(writer_properties(replace.is_together()))
            .with_table_name(name.to_string())
            .with_commit_properties(commit_properties(note))
            .with_input_plan(rows);
        let builder = match &existing {
            Some(_) => builder,
            None => builder.with_configuration(NEW_TABLE.map(|(key, value)| (key, Some(value)))),
        };
        let builder = match replace {
            Replace::All { by } => builder
                .with_partition_columns(by)
                .with_save_mode(SaveMode::Overwrite)
                .with_schema_mode(SchemaMode::Overwrite),
            Replace::Partitions { by, values } => {
                let builder =
                    builder.with_partition_columns([by]).with_save_mode(SaveMode::Overwrite);
                match &existing {
                    Some(_) => builder
                        .with_schema_mode(SchemaMode::Merge)
                        .with_replace_where(among(&schema, by, values).map_err(failed)?),
                    None => builder,
                }
            }
            Replace::Nothing => builder.with_save_mode(SaveMode::Append),
        };
        let table = match builder.await {
            Ok(table) => table,
            // Where the lease was lost meanwhile, that is what refused the commit.
            Err(source) => return Err(self.permit(name).err().unwrap_or_else(|| failed(source))),
        };
        Ok(table.version().unwrap_or_default())
    }

    /// Whether the lease that the lake is under, if any, still stands.
    fn permit(&self, name: &TableName) -> Result<(), StoreError> {
        let lost = |source| StoreError::Lease { table: name.to_string(), source: Box::new(source) };
        self.leased.check().map_err(lost)
    }

    /// Whether this exact batch is already the newest of its part.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn holds(
        &self,
        name: &TableName,
        part: &str,
        batch: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.held(name, part).await? == Some(transaction_version(batch)))
    }

    /// Whether some batch of the part was ever committed.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn knows(&self, name: &TableName, part: &str) -> Result<bool, StoreError> {
        Ok(self.held(name, part).await?.is_some())
    }

    /// The number of the newest batch of a part.
    async fn held(&self, name: &TableName, part: &str) -> Result<Option<i64>, StoreError> {
        let Some(Read { table, .. }) = self.last_read(name).await? else { return Ok(None) };
        let state = table.snapshot().map_err(|source| read_error(name, source))?;
        let snapshot = state.snapshot();
        let log = table.log_store();
        let held = snapshot.transaction_version(log.as_ref(), transaction_id(part));
        held.await.map_err(|source| read_error(name, source))
    }
}

/// The rows as the engine is asked for them.
fn plan(rows: &Rows) -> datafusion::common::Result<LogicalPlan> {
    LogicalPlanBuilder::scan("bang", provider_as_source(rows.table(false)?), None)?.build()
}

fn read_error(name: &TableName, source: DeltaTableError) -> StoreError {
    StoreError::Read { table: name.to_string(), source: Box::new(source) }
}

fn write_error(name: &TableName, source: DeltaTableError) -> StoreError {
    StoreError::Write { table: name.to_string(), source: Box::new(source) }
}

/// Where many partitions may be written side by side, each holds less of its rows back than where the
/// rows lie together.
fn writer_properties(is_together: bool) -> WriterProperties {
    let rows = if is_together { 1_000_000 } else { 131_072 };
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_max_row_group_row_count(Some(rows))
        .build()
}

/// The condition of rows whose partition is one of `values`.
fn among(schema: &Schema, by: &str, values: &BTreeSet<String>) -> Result<Expr, DeltaTableError> {
    let ty = schema.field_with_name(by)?.data_type();
    let values =
        values.iter().map(|value| Ok(lit(ScalarValue::try_from_string(value.clone(), ty)?)));
    let values = values.collect::<Result<Vec<_>, DataFusionError>>()?;
    Ok(col(by).in_list(values, false))
}

fn commit_properties(note: &Note) -> CommitProperties {
    CommitProperties::default().with_metadata(note::to_commit(note)).with_application_transaction(
        Transaction::new(transaction_id(&note.part), transaction_version(&note.batch)),
    )
}

/// The Delta application that a part's batches are recorded under; survives log clean-up.
fn transaction_id(part: &str) -> String {
    if part.is_empty() { "khoyte".to_owned() } else { format!("khoyte/{part}") }
}

/// Delta wants a number where we have a hash: its first 63 bits.
fn transaction_version(batch: &str) -> i64 {
    let hex = batch.get(..16).unwrap_or(batch);
    let bits = u64::from_str_radix(hex, 16).unwrap_or_default();
    i64::try_from(bits >> 1).unwrap_or_default()
}

/// Teaches deltalake that `s3://` is `object_store`'s own client with conditional puts, which is
/// all that an atomic commit needs; the AWS SDK and its lock table are not wanted.
fn register_s3_log_store() {
    use deltalake_core::logstore::{LogStoreFactory, logstore_factories};
    #[derive(Debug)]
    struct ConditionalPut;
    impl LogStoreFactory for ConditionalPut {
        fn with_options(
            &self,
            prefixed: Arc<DynObjectStore>,
            root: Arc<DynObjectStore>,
            location: &Url,
            options: &deltalake_core::logstore::StorageConfig,
        ) -> deltalake_core::DeltaResult<deltalake_core::logstore::LogStoreRef> {
            Ok(deltalake_core::logstore::default_logstore(prefixed, root, location, options))
        }
    }
    let scheme = Url::parse("s3://").expect("a constant that parses");
    logstore_factories().entry(scheme).or_insert_with(|| Arc::new(ConditionalPut));
}
