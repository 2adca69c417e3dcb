//! What a contract says of an export.

use std::time::Duration;

use chrono::NaiveDateTime;

use crate::{Request, SourceError};

/// The path of the instant by which servers tell what was written since.
const LAST_UPDATED: &str = "meta.lastUpdated";

/// How long an export is waited for where nothing else is said, and at most.
const WAIT_SECS: &str = "7200";
const MOST_WAIT_SECS: u64 = 24 * 60 * 60;

/// What is asked of a server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// What errors call it.
    pub(super) place: String,
    /// Path below the server's address.
    pub(super) path: String,
    pub(super) resource: String,
    pub(super) since: Option<NaiveDateTime>,
    pub(super) wait: Duration,
    pub(super) ignores_deleted: bool,
}

impl Wish {
    /// # Errors
    /// When a setting is not usable.
    pub(super) fn of(request: &Request, resource: &str) -> Result<Self, SourceError> {
        let refused = |setting: &str, what: &str| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        let path = match request.setting("export", "system") {
            "system" => "$export".to_owned(),
            "patients" => "Patient/$export".to_owned(),
            group => match group.strip_prefix("Group/").filter(|id| is_id(id)) {
                Some(id) => format!("Group/{id}/$export"),
                None => return Err(refused("export", "is none of system, patients and Group/…")),
            },
        };
        let wait: Option<u64> = request.setting("wait_secs", WAIT_SECS).parse().ok();
        let Some(wait) = wait.filter(|wait| (1..=MOST_WAIT_SECS).contains(wait)) else {
            return Err(refused("wait_secs", "is not between 1 and 86400"));
        };
        let ignores_deleted = match request.setting("deleted", "refuse") {
            "refuse" => false,
            "ignore" => true,
            _ => return Err(refused("deleted", "is neither refuse nor ignore")),
        };
        let span = request.span.as_ref().filter(|span| span.column == LAST_UPDATED);
        Ok(Self {
            place: format!("the export of {resource}"),
            path,
            resource: resource.to_owned(),
            since: span.and_then(|span| span.from),
            wait: Duration::from_secs(wait),
            ignores_deleted,
        })
    }
}

/// Whether it is an id of FHIR, and so nothing else in a path.
fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (1..=64).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('.')
}
