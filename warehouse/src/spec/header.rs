//! A query file: the TOML header in its first comment, then SQL that any client runs.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema as ArrowSchema;
use datafusion::sql::parser::Statement;
use sha2::{Digest, Sha256};

use super::check::{self, CheckDraft, Over, bad_name, check_name};
use super::column::sensitivities;
use super::contract::read_groups;
use super::reader::{At, File, Node, Span};
use super::smallest;
use super::sql::{self, Mentions, SqlText};
use super::{Indicator, Period, Query, QueryColumn, QueryKind, Release};
use crate::names::{Sensitivity, Text, is_name};

/// A query file as read; what it reads and gives is known once it is planned.
#[derive(Debug)]
pub(super) struct QueryDraft<'a> {
    pub(super) file: File<'a>,
    pub(super) query: Query,
    pub(super) header: HeaderDraft,
    pub(super) text: SqlText,
    pub(super) statement: Option<Statement>,
    pub(super) mentions: Mentions,
}

/// What the header says that must still be compared with the SQL.
#[derive(Debug, Default)]
pub(super) struct HeaderDraft {
    /// Where the header begins, if there is one.
    pub(super) span: Option<Span>,
    /// The declared columns; `None` where they cannot be compared.
    pub(super) columns: Option<Vec<At<String>>>,
    /// Columns that the release names.
    pub(super) suppressed: Vec<At<String>>,
    /// The column that the mart is partitioned by.
    pub(super) partition: Option<At<String>>,
    pub(super) checks: Vec<CheckDraft>,
    /// Where the smallest group is declared.
    pub(super) smallest: Option<smallest::Places>,
}

const PERIODS: [(&str, Period); 4] = [
    ("year", Period::Year),
    ("quarter", Period::Quarter),
    ("month", Period::Month),
    ("day", Period::Day),
];

/// The file's parts: the whole comment, the TOML inside it, the SQL after it.
struct Parts {
    header: Span,
    toml: Span,
    sql: Span,
}

/// Reads the query file `path` of a folder of `kind`.
pub(super) fn read<'a>(path: &'a str, text: &'a str, kind: QueryKind) -> QueryDraft<'a> {
    let file = File::new(path, text);
    let parts = split(text);
    let sql_span = parts.as_ref().map_or(0..text.len(), |parts| parts.sql.clone());
    let sql = SqlText::in_file(&file, trimmed(text, sql_span));
    let mut query = blank(&file, kind, &sql);
    let mut header = HeaderDraft::default();
    if let Some(parts) = parts {
        let place = parts.header.start..parts.header.start + "/* toml".len();
        let toml = parts.toml;
        let (columns_known, sound) =
            file.read_toml(toml, Some(place), |root| read_root(root, &mut query, &mut header));
        if !(columns_known && sound) {
            header.columns = None;
        }
    } else {
        let message = "the file does not begin with a header";
        let help = "begin with a comment /* toml … */ that holds title, description, grain and \
                    the other keys"
            .to_owned();
        file.fault(None, "missing-header", message, help);
    }
    if !is_name(&query.id) {
        bad_name(&file, None, &query.id, "query (the name of its file)");
    }
    let parsed = sql::parse(&file, &sql);
    let (statement, mentions) = parsed.map(|(s, m)| (Some(s), m)).unwrap_or_default();
    QueryDraft { file, query, header, text: sql, statement, mentions }
}

fn split(text: &str) -> Option<Parts> {
    let start =
        text.find("/*").filter(|&at| text[..at].trim_matches('\u{feff}').trim().is_empty())?;
    let inside = start + "/*".len();
    let end = inside + text[inside..].find("*/")?;
    let body = text[inside..end].trim_start();
    let toml =
        end - body.strip_prefix("toml").filter(|b| b.starts_with(char::is_whitespace))?.len();
    let after = end + "*/".len();
    Some(Parts { header: start..after, toml: toml..end, sql: after..text.len() })
}

/// Without the white space around it and the semicolon after it.
fn trimmed(text: &str, span: Span) -> Span {
    let part = &text[span.clone()];
    let begin = span.start + (part.len() - part.trim_start().len());
    let kept = part.trim().trim_end_matches(';').trim_end();
    begin..(begin + kept.len()).min(text.len())
}

fn blank(file: &File<'_>, kind: QueryKind, sql: &SqlText) -> Query {
    let nothing = || Text::new("", "");
    Query {
        id: file.stem().to_owned(),
        path: file.path.to_owned(),
        kind,
        title: nothing(),
        description: nothing(),
        grain: nothing(),
        owner: nothing(),
        groups: Vec::new(),
        sensitivity: Sensitivity::Restricted,
        source: nothing(),
        legal_basis: String::new(),
        caveats: Vec::new(),
        columns: Vec::new(),
        checks: Vec::new(),
        indicator: None,
        release: None,
        sql: sql.sql.clone(),
        reads: BTreeSet::new(),
        schema: Arc::new(ArrowSchema::empty()),
        fingerprint: format!("{:x}", Sha256::digest(file.text)),
        partition: None,
        smallest_group: None,
    }
}

/// Fills `query` and `header`; returns whether every declared column has a name.
fn read_root(root: &Node<'_>, query: &mut Query, header: &mut HeaderDraft) -> bool {
    header.span = root.span();
    query.title = root.text("title");
    query.description = root.text("description");
    query.grain = root.text("grain");
    query.owner = root.text("owner");
    query.groups = read_groups(root);
    let class = root.required_one_of("sensitivity", &sensitivities(), Sensitivity::Restricted);
    query.sensitivity = class.value;
    query.source = root.text("source");
    query.legal_basis = root.required_string("legal_basis").value;
    query.caveats = root.texts("caveats");
    let nodes = root.tables("column");
    let columns: Vec<(QueryColumn, At<String>)> = nodes.iter().filter_map(read_column).collect();
    check_columns(root.file(), &columns);
    let known = columns.len() == nodes.len();
    let (columns, places): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    query.columns = columns;
    header.columns = Some(places);
    header.checks = check::read(root, "check", Over::Result);
    query.checks = header.checks.iter().map(|draft| draft.check.clone()).collect();
    header.partition = read_partition(root, query.kind);
    query.partition = header.partition.as_ref().map(|name| name.value.clone());
    query.indicator = section(root, "indicator", query.kind == QueryKind::Indicator)
        .map(|node| read_indicator(&node));
    query.release = section(root, "release", query.kind == QueryKind::OpenData)
        .map(|node| read_release(&node, header));
    read_smallest_group(root, query, header);
    if query.kind == QueryKind::OpenData
        && class.value != Sensitivity::Open
        && root.has("sensitivity")
    {
        let message = format!("open data cannot be {}", class.value.as_str());
        let help = "write `sensitivity = \"open\"`, or take the query out of open-data".to_owned();
        root.file().fault(class.span, "table-too-open", message, help);
    }
    root.finish();
    known
}

fn read_smallest_group(root: &Node<'_>, query: &mut Query, header: &mut HeaderDraft) {
    const KEY: &str = "smallest_group";
    if query.kind == QueryKind::OpenData && root.has(KEY) {
        let message = "an open dataset hides small cells as its release says";
        let help = "write `suppress` and `minimum_cell` in [release]".to_owned();
        root.file().fault(root.key_span(KEY), "misplaced-key", message, help);
    }
    if let Some(node) = root.table(KEY) {
        let (group, places) = smallest::read(&node, query.kind);
        query.smallest_group = Some(group);
        header.smallest = Some(places);
    }
}

fn section<'t>(root: &Node<'t>, key: &'static str, wanted: bool) -> Option<Node<'t>> {
    if wanted && !root.has(key) {
        root.missing(key);
    }
    if !wanted && root.has(key) {
        let folder = if key == "indicator" { "queries/indicators" } else { "queries/open-data" };
        let message = format!("`[{key}]` has no meaning in this folder");
        let help = format!("it belongs to files of {folder}");
        root.file().fault(root.key_span(key), "misplaced-key", message, help);
    }
    root.table(key).filter(|_| wanted)
}

/// Only a mart has a table of its own, which can lie in partitions.
fn read_partition(root: &Node<'_>, kind: QueryKind) -> Option<At<String>> {
    let partition = root.string("partition");
    if kind != QueryKind::Mart && root.has("partition") {
        let message = "`partition` has no meaning in this folder";
        let help = "it belongs to files of queries/marts".to_owned();
        root.file().fault(root.key_span("partition"), "misplaced-key", message, help);
    }
    partition.filter(|_| kind == QueryKind::Mart)
}

fn read_column(node: &Node<'_>) -> Option<(QueryColumn, At<String>)> {
    let name = node.required_string("name");
    check_name(node.file(), &name, "column");
    let label = node.text("label");
    let unit = node.optional_text("unit");
    node.finish();
    let known = !name.value.is_empty();
    known.then(|| (QueryColumn { name: name.value.clone(), label, unit }, name))
}

fn check_columns(file: &File<'_>, columns: &[(QueryColumn, At<String>)]) {
    let mut names = HashSet::new();
    for (column, place) in columns {
        if !names.insert(column.name.as_str()) {
            let message = format!("the column `{}` is already there, further up", column.name);
            file.fault(place.span.clone(), "duplicate-name", message, None);
        }
    }
}

fn read_indicator(node: &Node<'_>) -> Indicator {
    let indicator = Indicator {
        unit: node.text("unit"),
        numerator: node.text("numerator"),
        denominator: node.optional_text("denominator"),
        factor: read_factor(node),
        period: node.required_one_of("period", &PERIODS, Period::Year).value,
        breakdown: node.optional_text("breakdown"),
        higher_is_better: node.boolean("higher_is_better"),
        digits: read_digits(node),
    };
    node.finish();
    indicator
}

fn read_factor(node: &Node<'_>) -> f64 {
    if !node.has("factor") {
        node.missing("factor");
    }
    let Some(factor) = node.number("factor") else { return 1.0 };
    if !(factor.value.is_finite() && factor.value > 0.0) {
        node.file().fault(factor.span, "out-of-range", "`factor` must be above 0", None);
    }
    factor.value
}

fn read_digits(node: &Node<'_>) -> u8 {
    if !node.has("digits") {
        node.missing("digits");
    }
    node.whole_within("digits", 0..=6).and_then(|digits| digits.try_into().ok()).unwrap_or(0)
}

fn read_release(node: &Node<'_>, header: &mut HeaderDraft) -> Release {
    if !node.has("keywords") {
        node.missing("keywords");
    }
    let suppress = node.strings("suppress");
    let with = node.strings("suppress_with");
    if !suppress.is_empty() && !node.has("minimum_cell") {
        node.missing("minimum_cell");
    }
    if suppress.is_empty() && !with.is_empty() {
        let message = "`suppress_with` has no meaning without `suppress`";
        node.file().fault(node.key_span("suppress_with"), "misplaced-key", message, None);
    }
    let least = if suppress.is_empty() { 0 } else { 2 };
    let minimum_cell = node
        .whole_within("minimum_cell", least..=1000)
        .and_then(|cell| cell.try_into().ok())
        .unwrap_or(0);
    let release = Release {
        keywords: node.texts("keywords"),
        licence: node.text("licence"),
        citation: node.text("citation"),
        frequency: node.text("frequency"),
        suppress: suppress.iter().map(|name| name.value.clone()).collect(),
        minimum_cell,
        suppress_with: with.iter().map(|name| name.value.clone()).collect(),
    };
    header.suppressed.extend(suppress.into_iter().chain(with));
    node.finish();
    release
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_first_comment_marked_toml() {
        let text = "\n/* toml\na = 1\n*/\nSELECT 1;\n";
        let parts = split(text).expect("a header");
        assert_eq!(text[parts.toml].trim(), "a = 1");
        assert_eq!(&text[trimmed(text, parts.sql)], "SELECT 1");
        assert!(split("SELECT 1 /* toml\n*/").is_none());
        assert!(split("/* tomlx */ SELECT 1").is_none());
        assert!(split("/* toml\na = 1").is_none());
    }
}
