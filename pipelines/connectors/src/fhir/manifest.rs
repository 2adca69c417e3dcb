//! The manifest of an export: which files there are.

use chrono::DateTime;
use serde_json::Value;

/// A manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The instant that the export is of.
    pub(super) at: Option<String>,
    /// Whether its files are given to those alone who are let in to the server.
    pub(super) needs_token: bool,
    /// Files of resources.
    pub(super) output: Vec<Entry>,
    /// Files of bundles that name what was deleted.
    pub(super) deleted: Vec<Entry>,
    /// Files of outcomes.
    pub(super) error: Vec<Entry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The type of what it holds.
    pub(super) resource: String,
    /// Where it is.
    pub(super) url: String,
    /// How many resources it holds, where that is told.
    pub(super) count: Option<u64>,
}

impl Manifest {
    /// Reads a manifest; what is wrong with it otherwise.
    pub(super) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let manifest: Value = serde_json::from_slice(body).map_err(|_| "it is no JSON")?;
        if !manifest["output"].is_array() {
            return Err("it has no list `output`");
        }
        let links = manifest["link"].as_array().into_iter().flatten();
        if links.into_iter().any(|link| link["relation"] == "next") {
            return Err("it goes on in another manifest, and such parts are not read");
        }
        // Where nothing is said the token goes with the request, to its own server alone.
        let needs_token = manifest["requiresAccessToken"].as_bool().unwrap_or(true);
        let at = manifest["transactionTime"].as_str();
        let at = at.filter(|at| DateTime::parse_from_rfc3339(at).is_ok()).map(str::to_owned);
        let [output, deleted, error] = ["output", "deleted", "error"].map(|name| &manifest[name]);
        Ok(Self {
            at,
            needs_token,
            output: entries(output)?,
            deleted: entries(deleted)?,
            error: entries(error)?,
        })
    }
}

fn entries(list: &Value) -> Result<Vec<Entry>, &'static str> {
    let entries = match list {
        Value::Null => return Ok(Vec::new()),
        Value::Array(entries) => entries,
        _ => return Err("`output`, `deleted` or `error` is no list"),
    };
    let entry = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().map(str::to_owned);
        let (resource, url) = (text("type")?, text("url")?);
        Some(Entry { resource, url, count: entry["count"].as_u64() })
    };
    let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
    entries.ok_or("an entry lacks its `type` or its `url`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_is_none_or_goes_on_is_refused() {
        let whole = Manifest::parse(
            br#"{"transactionTime":"2026-07-01T00:00:00Z","requiresAccessToken":false,
                "output":[{"type":"Patient","url":"https://h.vn/1","count":3}],"error":[]}"#,
        );
        let file =
            Entry { resource: "Patient".into(), url: "https://h.vn/1".into(), count: Some(3) };
        let expected = Manifest {
            at: Some("2026-07-01T00:00:00Z".into()),
            needs_token: false,
            output: vec![file],
            deleted: vec![],
            error: vec![],
        };
        assert_eq!(whole, Ok(expected));
        assert!(Manifest::parse(b"<html>").is_err());
        assert!(Manifest::parse(br#"{"resourceType":"Bundle"}"#).is_err());
        assert!(Manifest::parse(br#"{"output":[{"url":"x"}]}"#).is_err());
        assert!(Manifest::parse(br#"{"output":[],"deleted":{}}"#).is_err());
        let goes_on = br#"{"output":[],"link":[{"relation":"next","url":"x"}]}"#;
        assert!(Manifest::parse(goes_on).is_err());
        let silent = Manifest::parse(br#"{"output":[],"transactionTime":"secret"}"#).unwrap();
        assert!(silent.needs_token && silent.at.is_none());
    }
}
