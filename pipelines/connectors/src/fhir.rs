//! FHIR R4 resources, one a line: in NDJSON files of a folder, or from a server's bulk export.
//!
//! In a folder a request's place names the files of one type (`fhir/Encounter.*.ndjson`: see
//! [`crate::files`]); a server has no use for it. Columns are paths into a resource:
//!
//! | path | cell |
//! |---|---|
//! | `id`, `meta.lastUpdated`, `class.code` | the member; of a list with one value, that value |
//! | `name[0].family` | of the value at that place of a list, from 0 |
//! | `code.coding[system=http://loinc.org].code` | of the first value whose member is that text; several selectors must all fit |
//! | `name.given[*]` | all values, with `;` between them |
//! | `effective[x]` | the only member that begins so, goes on with a capital letter and is a plain value |
//! | `valueQuantity.value` | one type of a choice, where it has parts |
//! | `subject.reference.id()` | what follows the last `/` or `:` of a reference, its version left out |
//! | `@deleted` | `true` where the server says that the resource is gone, else `false` |
//!
//! Strings stay as they are, numbers keep all their digits, truths are `true` and `false`. What is
//! missing is null; so is a path whose first member no resource has, for most of FHIR is optional:
//! a contract that needs a cell declares it so. References lead to rows of other tables; they are
//! joined there.
//!
//! | setting | value |
//! |---|---|
//! | `resource` | the type that all lines must have (`Encounter`) |
//! | `complete` | of files: see [`crate::files`] |
//! | `export` | of a server: `system` (the default), `patients` (what belongs to patients), or `Group/…` |
//! | `wait_secs` | of a server: how long an export may take until it is done (7200) |
//! | `deleted` | of a server: `refuse` (the default) or `ignore` deletions that no column `@deleted` takes |
//!
//! It refuses lines of another type, lines that are no JSON or not UTF-8, members that come twice,
//! lines over 8 MiB, nesting over 64 levels, and a path that meets several values without saying
//! which, or ends at none. Blank lines, CRLF and a byte order mark at the beginning are no fault.
//! Files send all their rows, whatever the span.
//!
//! # Bulk export
//!
//! Asked of a server as HL7's Bulk Data Access has it: `$export` with `_type` and `_outputFormat`,
//! the address of its status, which is asked until there is a manifest, then the files that it names.
//! They are read as they arrive and never put down. At the end, or when nobody reads on, the export
//! is deleted at the server.
//!
//! Each table has an export of its own, for each asks for rows since an instant of its own and for one
//! type. So a source's tables are not of one instant. `_since` is sent where the span is one of
//! `meta.lastUpdated`, a second early, for servers give what was written *later*; there is no bound
//! above. Files of other types that a server exports unasked are not fetched.
//!
//! What is deleted after that instant comes in files of its own, and becomes rows in which only
//! `resourceType`, `id`, `@deleted` and, as the instant of the export, `meta.lastUpdated` are not
//! null. A contract with a column of `@deleted` names it in its growth; one without is told that a
//! deletion came, and does not go on as if none had.
//!
//! A server with too much to do (429) is waited for as it says, within `wait_secs`; one that fails is
//! asked a few times more. A file whose connection breaks is taken up where it broke: see `download`.
//! An export that reports errors is refused whole, since resources are missing from it; its warnings
//! are counted in the log. So are a manifest that goes on elsewhere, an answer that is no export, and
//! files that are packed, shorter than their count, or of an end that nothing tells. Of what a server
//! says of a failure only FHIR's own codes are shown.
//!
//! The token goes to the declared address, and to files only where the manifest says that they need
//! it; files elsewhere are fetched without it, from the one declared origin. It is fetched anew for
//! each request, so a command may give one that lasts for minutes. A log-in that signs a request for
//! each token (SMART Backend Services) is the command's own matter.

mod download;
mod export;
mod json;
mod lines;
mod manifest;
mod outcome;
mod path;
mod plan;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use self::export::Exporter;
use self::lines::{Holds, Lines, Rows};
use self::plan::Plan;
use crate::files::{Bucket, FileSet, Root};
use crate::service::{Client, Service};
use crate::{Request, Snapshot, Source, SourceError, in_background};

/// FHIR resources: see the module.
#[derive(Debug, Clone)]
pub struct Fhir {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Files(Option<Root>),
    Server(Arc<Exporter>),
}

impl Fhir {
    /// Reads below the folder of sources; where none is configured every request is refused.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { place: Place::Files(root.map(Root::Folder)) }
    }

    /// Reads in a bucket.
    pub fn in_bucket(bucket: Bucket) -> Self {
        Self { place: Place::Files(Some(Root::Bucket(bucket))) }
    }

    /// Has a server export; nothing is asked of it yet. `files` is where it puts files that are not
    /// with itself and need no token.
    ///
    /// # Errors
    /// When the address, the certificate or a number is not usable.
    pub fn served(service: &Service, files: Option<Url>) -> Result<Self, SourceError> {
        let client = Client::new(service)?;
        Ok(Self { place: Place::Server(Arc::new(Exporter { client, files })) })
    }
}

async fn find(root: Option<&Root>, request: &Request) -> Result<Option<FileSet>, SourceError> {
    let Some(root) = root.cloned() else {
        return Err(SourceError::Setting {
            place: request.place.clone(),
            setting: "sources".to_owned(),
            what: "is not set; it names the folder below which files are read".to_owned(),
        });
    };
    let request = request.clone();
    blocking(request.place.clone(), move || FileSet::find(&root, &request)).await
}

#[async_trait]
impl Source for Fhir {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let plan = Plan::new(request)?;
        match &self.place {
            Place::Files(root) => {
                let Some(set) = find(root.as_ref(), request).await? else { return Ok(None) };
                let (known, simulated) = (Some(set.known()), set.is_simulated());
                let rows = in_background(Rows::of_set(&set, plan));
                Ok(Some(Snapshot { rows, known, simulated }))
            }
            Place::Server(exporter) => {
                let rows = exporter.export(request, plan).await?;
                Ok(Some(Snapshot { rows, known: None, simulated: false }))
            }
        }
    }

    /// Reads the first resource of each file too: a wrong type or path shows there already. A server
    /// is asked what it is; whether it exports shows when it does.
    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let plan = Plan::new(request)?;
        let root = match &self.place {
            Place::Files(root) => root.as_ref(),
            Place::Server(exporter) => {
                return exporter.examine(request, &plan).await.map(|()| true);
            }
        };
        let Some(set) = find(root, request).await? else { return Ok(false) };
        blocking(request.place.clone(), move || {
            for file in set.files() {
                let reader = Box::new(file.reader()?);
                let mut lines = Lines::new(file.place.clone(), reader, Holds::Resources);
                lines.next(&plan, |_| ())?;
            }
            Ok(true)
        })
        .await
    }
}

/// Runs what waits for the disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    place: String,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let stopped =
        |_| SourceError::Read { place, source: std::io::Error::other("reading was stopped") };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

#[cfg(test)]
mod tests;
