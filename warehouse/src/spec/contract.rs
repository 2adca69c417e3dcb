//! A source contract: `pipelines/contracts/<id>.toml`.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::check::{self, CheckDraft, Over, bad_name, check_name};
use super::column::{self, ColumnDraft, sensitivities};
use super::growth;
use super::linkage::{self, Linkage};
use super::origin;
use super::reader::{At, File, Node, Span};
use super::risk;
use super::sql::SqlText;
use super::{
    Column, ColumnType, Contract, Generalisation, Origin, SourceKind, SourceTable, Treatment,
    UnitDate,
};
use crate::names::{Group, Schema, Sensitivity, TableName};

/// A contract as read; its tables are still apart, with the places of what other files must
/// confirm.
#[derive(Debug)]
pub(super) struct ContractDraft<'a> {
    pub(super) file: File<'a>,
    pub(super) contract: Contract,
    pub(super) id_span: Option<Span>,
    pub(super) linkages: Vec<At<Linkage>>,
    pub(super) tables: Vec<TableDraft>,
    /// Tables that the file seems to declare, where its syntax is broken.
    pub(super) guessed: Vec<TableName>,
}

/// A table as read.
#[derive(Debug)]
pub(super) struct TableDraft {
    pub(super) table: SourceTable,
    pub(super) span: Span,
    /// Whether name and type of every column are known, so that SQL can be planned over it.
    pub(super) complete: bool,
    pub(super) columns: Vec<ColumnDraft>,
    pub(super) checks: Vec<CheckDraft>,
    /// The condition under which a row says that its key is gone.
    pub(super) deleted: Option<SqlText>,
}

/// Reads the contract `path`; `files` holds the declared CSV files that it may name.
pub(super) fn read<'a>(
    path: &'a str,
    text: &'a str,
    files: &BTreeMap<String, String>,
) -> ContractDraft<'a> {
    let file = File::new(path, text);
    let (read, sound) = file.read_toml(0..text.len(), None, |root| read_root(root, files));
    let Root { contract, id_span, linkages, mut tables } = read;
    for table in &mut tables {
        table.complete &= sound;
    }
    let guessed = if sound { Vec::new() } else { guess_names(text) };
    ContractDraft { file, contract, id_span, linkages, tables, guessed }
}

/// So that one missing bracket here is not reported as a missing table in every query.
fn guess_names(text: &str) -> Vec<TableName> {
    let quoted = text.lines().filter(|line| line.trim_start().starts_with("name"));
    quoted.filter_map(|line| line.split('"').nth(1)?.parse().ok()).collect()
}

/// What a file holds.
struct Root {
    contract: Contract,
    id_span: Option<Span>,
    linkages: Vec<At<Linkage>>,
    tables: Vec<TableDraft>,
}

fn read_root(root: &Node<'_>, files: &BTreeMap<String, String>) -> Root {
    let file = root.file();
    let id = root.required_string("id");
    check_name(file, &id, "source");
    if !id.value.is_empty() && id.value != file.stem() {
        let message = format!("the id `{}` is not the name of the file", id.value);
        let help = format!("rename the file to `{}.toml`, or the id", id.value);
        file.fault(id.span.clone(), "bad-name", message, help);
    }
    let id_span = root.has("id").then_some(id.span);
    let sensitivity =
        root.required_one_of("sensitivity", &sensitivities(), Sensitivity::Restricted);
    let linkages = linkage::read(root);
    let contract = Contract {
        id: id.value,
        path: file.path.to_owned(),
        title: root.text("title"),
        description: root.text("description"),
        owner: root.text("owner"),
        groups: read_groups(root),
        sensitivity: sensitivity.value,
        legal_basis: root.required_string("legal_basis").value,
        system: origin::read_system(root),
        linkages: linkages.iter().map(|linkage| linkage.value.clone()).collect(),
        tables: Vec::new(),
    };
    let nodes = root.tables("table");
    let starts: Vec<usize> = nodes.iter().filter_map(Node::span).map(|span| span.start).collect();
    let mut tables = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(file.text.len());
        let slice = starts.get(at).and_then(|&start| file.text.get(start..end));
        tables.extend(read_table(
            node,
            slice.unwrap_or_default(),
            (contract.system, &sensitivity),
            files,
        ));
    }
    root.finish();
    Root { contract, id_span, linkages, tables }
}

/// The groups of Điều 5; at least one.
pub(super) fn read_groups(node: &Node<'_>) -> Vec<Group> {
    if !node.has("groups") || node.is_empty_list("groups") {
        node.missing("groups");
    }
    let mut groups = Vec::new();
    for number in node.wholes("groups") {
        match u8::try_from(number.value).ok().and_then(Group::new) {
            Some(group) => groups.push(group),
            None => {
                let message = format!("Điều 5 has no group {}", number.value);
                let help = "the groups are numbered 1 to 24".to_owned();
                node.file().fault(number.span, "unknown-group", message, help);
            }
        }
    }
    groups
}

fn read_table(
    node: &Node<'_>,
    slice: &str,
    (system, class): (Option<SourceKind>, &At<Sensitivity>),
    files: &BTreeMap<String, String>,
) -> Option<TableDraft> {
    let name = node.required_string("name");
    let parsed = read_name(node, &name);
    let title = node.text("title");
    let grain = node.text("grain");
    let licence = node.string("licence").map(|text| text.value);
    let citation = node.required_string("citation").value;
    let master = node.boolean("master").unwrap_or(false);
    let class = read_class(node, class);
    if let Some(parsed) = &parsed {
        linkage::check_schema(node, (&name, parsed), &class);
    }
    let max_bad_rows_percent = read_share(node, "max_bad_rows_percent", 0.0);
    let max_fall_percent = read_share(node, "max_fall_percent", MAX_FALL);
    let due_days = node.whole_within("due_days", 1..=3_660);
    let key = node.strings("key");
    let nodes = node.tables("column");
    if nodes.is_empty() {
        node.missing("column");
    }
    let of = (parsed.as_ref(), class.value);
    let columns: Vec<ColumnDraft> =
        nodes.iter().filter_map(|node| column::read(node, of)).collect();
    let complete = columns.len() == nodes.len();
    let origin = origin::read(node, system, files, &columns);
    let growth = growth::read(node, &origin, !key.is_empty(), (&columns, complete));
    let checks = check::read(node, "check", Over::Batch);
    let risk = risk::read(node, class.value, (&columns, complete), &name);
    node.finish();
    check_class(node, &class, &name.value, &columns);
    let complete = check_columns(node.file(), &columns, complete) && complete;
    if complete {
        check_key(node.file(), &key, &columns);
    }
    let mut sum = Sha256::new_with_prefix(slice);
    if let Origin::Declared { text, .. } = &origin {
        sum.update(text);
    }
    let table = SourceTable {
        name: parsed?,
        title,
        grain,
        origin,
        growth: growth.growth,
        partition: growth.partition,
        sensitivity: class.value,
        licence,
        citation,
        master,
        key: key.into_iter().map(|name| name.value).collect(),
        max_bad_rows_percent,
        max_fall_percent,
        due_days: due_days.and_then(|days| u32::try_from(days).ok()),
        columns: columns.iter().map(|draft| draft.column.clone()).collect(),
        checks: checks.iter().map(|draft| draft.check.clone()).collect(),
        fingerprint: format!("{:x}", sum.finalize()),
        risk,
    };
    Some(TableDraft { table, span: name.span, complete, columns, checks, deleted: growth.deleted })
}

/// A table may be less sensitive than its source, never more.
fn read_class(node: &Node<'_>, source: &At<Sensitivity>) -> At<Sensitivity> {
    let Some(own) = node.one_of("sensitivity", &sensitivities()) else {
        return At { value: source.value, span: source.span.clone() };
    };
    if own.value > source.value {
        let message = format!(
            "the table is declared {}, and its source {}",
            own.value.as_str(),
            source.value.as_str()
        );
        let help = "raise the class of the source: it is that of the most sensitive of its tables";
        node.file().fault(own.span.clone(), "table-too-open", message, help.to_owned());
    }
    own
}

fn read_name(node: &Node<'_>, name: &At<String>) -> Option<TableName> {
    if name.value.is_empty() {
        return None;
    }
    match name.value.parse::<TableName>() {
        Ok(parsed)
            if matches!(parsed.schema(), Schema::Nguon | Schema::HanChe | Schema::DanhMuc) =>
        {
            Some(parsed)
        }
        Ok(_) => {
            let message = format!("a source cannot fill `{}`", name.value);
            let help = "tables of sources are nguon.…, han_che.… or danh_muc.…".to_owned();
            node.file().fault(name.span.clone(), "bad-name", message, help);
            None
        }
        Err(_) => {
            bad_name(node.file(), name.span.clone(), &name.value, "table");
            None
        }
    }
}

/// A table that loses more of its rows in one night is thought to be a broken extract.
const MAX_FALL: f64 = 50.0;

pub(super) fn read_share(node: &Node<'_>, key: &'static str, otherwise: f64) -> f64 {
    let Some(share) = node.number(key) else { return otherwise };
    if !(0.0..=100.0).contains(&share.value) {
        let message = format!("`{key}` must be from 0 to 100");
        node.file().fault(share.span, "out-of-range", message, None);
    }
    share.value
}

/// Returns whether every column has a name of its own.
fn check_columns(file: &File<'_>, columns: &[ColumnDraft], complete: bool) -> bool {
    let mut names = BTreeSet::new();
    for draft in columns {
        let column = &draft.column;
        if !names.insert(column.name.as_str()) {
            let message = format!("the column `{}` is already there, further up", column.name);
            file.fault(draft.span.clone(), "duplicate-name", message, None);
        }
        let ColumnType::Unit { on: UnitDate::Column(date) } = &column.ty else { continue };
        let Some(span) = draft.on_span.clone().filter(|_| complete) else { continue };
        let found = columns.iter().find(|other| other.column.name == *date);
        if found.is_none_or(|other| other.column.ty != ColumnType::Date) {
            let message = format!("this table has no column `{date}` of type date");
            file.fault(span, "unknown-reference", message, None);
        }
    }
    names.len() == columns.len()
}

fn check_key(file: &File<'_>, key: &[At<String>], columns: &[ColumnDraft]) {
    let kept = columns.iter().filter(|draft| draft.column.treatment != Treatment::Drop);
    let names: Vec<&str> = kept.map(|draft| draft.column.name.as_str()).collect();
    for name in key.iter().filter(|name| !names.contains(&name.value.as_str())) {
        let message = format!("the key names `{}`, which is no column of the lake", name.value);
        let help = super::nearest::suggestion(&name.value, names.iter().copied());
        file.fault(name.span.clone(), "unknown-reference", message, help);
    }
}

/// A pseudonymised value stays personal data, so it counts; a dropped or coarsened one does not.
fn check_class(node: &Node<'_>, declared: &At<Sensitivity>, name: &str, columns: &[ColumnDraft]) {
    let counts = |column: &&Column| {
        matches!(
            column.treatment,
            Treatment::Keep
                | Treatment::Pseudonymise { .. }
                | Treatment::Generalise(Generalisation::Day)
        )
    };
    let most = columns.iter().map(|draft| &draft.column).filter(counts);
    let most = most.max_by_key(|column| column.sensitivity);
    let Some(column) = most.filter(|column| column.sensitivity > declared.value) else { return };
    let class = column.sensitivity.as_str();
    let what = if node.has("sensitivity") { "table" } else { "source" };
    let message = format!(
        "the {what} is declared {}, and `{name}.{}` is {class}",
        declared.value.as_str(),
        column.name
    );
    let help = format!("write `sensitivity = \"{class}\"`, or drop or coarsen the column");
    node.file().fault(declared.span.clone(), "table-too-open", message, help);
}
