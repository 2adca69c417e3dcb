//! Where a table's rows come from: one of `file`, `relation`, `resource` and `declared`.
//!
//! What a system is asked for stands in the contract; where the system is, and how to get in, stands
//! in the configuration of the installation and never here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Component;

use super::column::{ColumnDraft, misplaced};
use super::nearest::suggestion;
use super::reader::{At, File, Node};
use super::{NIGHT, Origin, SourceKind, Treatment};

/// Systems whose tables are not files: a contract names one as its `system`.
const SYSTEMS: [(&str, SourceKind); 4] = [
    ("postgresql", SourceKind::PostgreSql),
    ("mariadb", SourceKind::MariaDb),
    ("odbc", SourceKind::Odbc),
    ("http", SourceKind::HttpJson),
];

const FORMATS: [(&str, SourceKind); 6] = [
    ("csv", SourceKind::Csv),
    ("tsv", SourceKind::Tsv),
    ("parquet", SourceKind::Parquet),
    ("claims_xml", SourceKind::ClaimsXml),
    ("fhir", SourceKind::Fhir),
    ("xlsx", SourceKind::Xlsx),
];

/// The keys that say where rows come from; a table has one of them.
const PLACES: [&str; 4] = ["file", "relation", "resource", "declared"];

/// Reads the contract's `system`.
pub(super) fn read_system(root: &Node<'_>) -> Option<SourceKind> {
    root.one_of("system", &SYSTEMS).map(|found| found.value)
}

/// Reads where the rows of a table come from.
pub(super) fn read(
    node: &Node<'_>,
    system: Option<SourceKind>,
    files: &BTreeMap<String, String>,
    columns: &[ColumnDraft],
) -> Origin {
    let [file, relation, resource, declared] = PLACES.map(|key| node.string(key));
    let format = node.one_of("format", &FORMATS);
    let asked = node.table("read");
    let given: Vec<&str> = PLACES.into_iter().filter(|key| node.has(key)).collect();
    match given.as_slice() {
        [] => {
            let help = "write `file = \"…\"`, below the data folder, `relation` or `resource` of \
                        the contract's `system`, or `declared = \"reference/….csv\"`";
            let message = "nothing says where the rows come from";
            node.file().fault(node.span(), "missing-key", message, help.to_owned());
        }
        [first, other, ..] => {
            let help =
                format!("a table has one of {}", PLACES.map(|p| format!("`{p}`")).join(", "));
            misplaced(node, other, &format!("beside `{first}`"), help);
        }
        [_] => {}
    }
    if let Some(declared) = declared {
        if let Some(format) = format.filter(|format| format.value != SourceKind::Csv) {
            node.file().fault(format.span, "unknown-value", "a declared file is CSV", None);
        }
        return read_declared(node.file(), &declared, files, columns);
    }
    let (kind, place) = if let Some(file) = file {
        if !stays_below(&file.value) {
            let message = "`file` leaves the folder of sources";
            let help = "write a path below it, as `kcb/luot_kham.csv`".to_owned();
            node.file().fault(file.span.clone(), "outside-sources", message, help);
        }
        if !node.has("format") {
            node.missing("format");
        }
        (format.map_or(SourceKind::Csv, |format| format.value), file.value)
    } else {
        let is_http = system == Some(SourceKind::HttpJson);
        let key = if resource.is_some() { "resource" } else { "relation" };
        let place = resource.or(relation).map(|place| place.value).unwrap_or_default();
        if !place.is_empty() && (system.is_none() || is_http != (key == "resource")) {
            let message = format!("`{key}` does not fit the contract's `system`");
            let help =
                "a `relation` is of postgresql, mariadb or odbc, a `resource` of http; write \
                        `system = \"…\"` at the top of the contract"
                    .to_owned();
            node.file().fault(node.key_span(key), "misplaced-key", message, help);
        }
        (system.unwrap_or(SourceKind::Csv), place)
    };
    let settings = asked.map(|asked| read_settings(&asked, kind)).unwrap_or_default();
    for needed in kind.needed_settings().iter().filter(|name| !settings.contains_key(**name)) {
        if !place.is_empty() {
            let message = format!("`read` lacks `{needed}`, which {} needs", kind.as_str());
            let help = format!("write `read = {{ {needed} = \"…\" }}`");
            node.file().fault(node.key_span("read"), "missing-key", message, help);
        }
    }
    Origin::Read { kind, place, settings }
}

/// What `read = { … }` says; which words there are depends on the kind.
fn read_settings(node: &Node<'_>, kind: SourceKind) -> BTreeMap<String, String> {
    let read = kind.settings().iter().filter_map(|name| {
        // A separator may be a blank, which is no empty text here.
        Some(((*name).to_owned(), node.string(name)?.value))
    });
    let mut settings: BTreeMap<_, _> = read.collect();
    if kind == SourceKind::HttpJson {
        let own = node.strings_by_key("param").into_iter();
        settings.extend(own.map(|(name, value)| (format!("param.{name}"), value)));
    }
    node.finish();
    settings
}

/// Whether a path names something below the folder that it is joined to.
fn stays_below(path: &str) -> bool {
    let mut parts = std::path::Path::new(path).components();
    parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn read_declared(
    file: &File<'_>,
    declared: &At<String>,
    files: &BTreeMap<String, String>,
    columns: &[ColumnDraft],
) -> Origin {
    let path = format!("pipelines/{}", declared.value);
    let text = files.get(&path).cloned();
    match &text {
        Some(text) => check_header(file, &path, text, columns),
        None => {
            let message = format!("there is no file {path}");
            let help = "`declared` is relative to pipelines/".to_owned();
            file.fault(declared.span.clone(), "missing-declared-file", message, help);
        }
    }
    Origin::Declared { path, text: text.unwrap_or_default() }
}

/// The header of a declared file is at hand, so its columns are looked up now.
fn check_header(file: &File<'_>, path: &str, text: &str, columns: &[ColumnDraft]) {
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let header: BTreeSet<&str> =
        first.split(',').map(|name| name.trim().trim_matches('"')).collect();
    for draft in columns.iter().filter(|draft| draft.column.treatment != Treatment::Drop) {
        for part in draft.column.from.split('+').filter(|part| !header.contains(part)) {
            let message = format!("{path} has no column `{part}`");
            let help = suggestion(part, header.iter().copied());
            file.fault(draft.span.clone(), "missing-source-column", message, help);
        }
    }
}

impl SourceKind {
    /// What it is called, in contracts and messages.
    pub fn as_str(self) -> &'static str {
        SYSTEMS.iter().chain(&FORMATS).find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Whether its tables are files below the folder of sources.
    pub fn is_file(self) -> bool {
        FORMATS.iter().any(|(_, kind)| *kind == self)
    }

    /// Whether it is asked in SQL, and so for any part of a table.
    pub fn is_database(self) -> bool {
        matches!(self, Self::PostgreSql | Self::MariaDb | Self::Odbc)
    }

    /// What may stand in `read`.
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Csv | Self::Tsv => &["complete", "encoding", "delimiter", "quote"],
            Self::Parquet => &["complete"],
            Self::ClaimsXml => &["complete", "table"],
            Self::Fhir => &["complete", "resource", "export", "wait_secs", "deleted"],
            Self::Xlsx => &["complete", "sheet", "range", "header", "stop", "skip_empty", "fill"],
            Self::PostgreSql => &["where", "order", "split"],
            Self::MariaDb => &["where", "order"],
            Self::Odbc => &["where", "order", "quote", "span_type", "max_text"],
            Self::HttpJson => &[
                "rows",
                "paging",
                "page_param",
                "size_param",
                "size",
                "first",
                "total",
                "cursor_param",
                "next",
                "since_param",
                "until_param",
                "fields_param",
                "method",
            ],
        }
    }

    fn needed_settings(self) -> &'static [&'static str] {
        match self {
            Self::ClaimsXml => &["table"],
            Self::Fhir => &["resource"],
            _ => &[],
        }
    }
}

impl Origin {
    /// Whether there is one place for each night, in which the source puts what it has to say then.
    pub fn is_nightly(&self) -> bool {
        matches!(self, Self::Read { place, .. } if place.contains(NIGHT))
    }
}
