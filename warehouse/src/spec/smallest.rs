//! The smallest group of persons that a mart or an indicator may show.
//!
//! What is made of rows about persons and is of a lower class than they are must say how many
//! different persons stand behind each of its rows, and how many have to. All columns but those
//! that say what a row is about are hidden where there are fewer. Two queries of the same persons
//! are sisters: what one leaves out of its rows the other adds up, so each has to say that readers
//! may know those totals. Which columns are the same follows from the plans, not from names.
//!
//! That a column counts different persons is the author's word. So is it where a query keeps only
//! some of the persons: its rows are taken for totals over all of them.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};

use super::flow::{Origin, Origins};
use super::header::QueryDraft;
use super::nearest::suggestion;
use super::reader::{At, Node, Span};
use super::{QueryColumn, QueryKind};
use crate::names::{Sensitivity, TableName, Text};

/// The column that says which figures of a row are hidden.
pub const NOTE_COLUMN: &str = "ghi_chu_an";

/// What `[smallest_group]` declares.
#[derive(Debug, Clone)]
pub struct SmallestGroup {
    /// The column that counts the different persons of a row.
    pub persons: String,
    /// Rows of fewer persons show no figure.
    pub at_least: u32,
    /// The columns that say what a row is about; every other is a figure.
    pub by: Vec<String>,
    /// Those of `by` over which readers may know the totals.
    pub total_over: Vec<String>,
    /// Figures of only some of a row's persons.
    pub parts: Vec<GroupPart>,
}

/// Figures of some of a row's persons: a group of its own, and so are the others.
#[derive(Debug, Clone)]
pub struct GroupPart {
    /// The column that counts them.
    pub persons: String,
    /// The column that counts the others; what is left of the row's persons where there is none.
    pub others: Option<String>,
    /// Figures of them, beside their count.
    pub measures: Vec<String>,
    /// Whether their total is a row of another table, which may hide it.
    pub total_is_elsewhere: bool,
}

/// Where the header names columns.
#[derive(Debug)]
pub(super) struct Places {
    span: Option<Span>,
    by: Vec<At<String>>,
    total_over: Vec<At<String>>,
    figures: Vec<At<String>>,
}

/// Reads `[smallest_group]`.
pub(super) fn read(node: &Node<'_>, kind: QueryKind) -> (SmallestGroup, Places) {
    let persons = node.required_string("persons");
    if !node.has("at_least") {
        node.missing("at_least");
    }
    let at_least = node.whole_within("at_least", 3..=1000).and_then(|least| least.try_into().ok());
    let by = node.strings("by");
    match kind {
        QueryKind::Indicator if node.has("by") => {
            let message = "an indicator's rows are about don_vi, ky and phan_to";
            let help = "leave `by` out".to_owned();
            node.file().fault(node.key_span("by"), "misplaced-key", message, help);
        }
        QueryKind::Mart if by.is_empty() => node.missing("by"),
        _ => {}
    }
    let total_over = node.strings("total_over");
    let (parts, named): (Vec<_>, Vec<_>) = node.tables("part").iter().map(read_part).unzip();
    let figures = [persons.clone()].into_iter().chain(named.into_iter().flatten()).collect();
    node.finish();
    let group = SmallestGroup {
        persons: persons.value,
        at_least: at_least.unwrap_or(u32::MAX),
        by: values(&by),
        total_over: values(&total_over),
        parts,
    };
    (group, Places { span: node.span(), by, total_over, figures })
}

fn read_part(node: &Node<'_>) -> (GroupPart, Vec<At<String>>) {
    let persons = node.required_string("persons");
    let others = node.string("others");
    let measures = node.strings("measures");
    let total_is_elsewhere = node.boolean("total_is_elsewhere").unwrap_or(false);
    node.finish();
    let part = GroupPart {
        persons: persons.value.clone(),
        others: others.as_ref().map(|others| others.value.clone()),
        measures: values(&measures),
        total_is_elsewhere,
    };
    (part, [persons].into_iter().chain(others).chain(measures).collect())
}

fn values(names: &[At<String>]) -> Vec<String> {
    names.iter().map(|name| name.value.clone()).collect()
}

/// Compares the declaration with the columns of the result, and completes it for an indicator.
pub(super) fn check(draft: &mut QueryDraft<'_>, schema: &ArrowSchema) {
    let (Some(group), Some(places)) = (&mut draft.query.smallest_group, &draft.header.smallest)
    else {
        return;
    };
    if draft.query.kind == QueryKind::Indicator {
        let about = ["don_vi", "ky", "phan_to"].into_iter().filter(|name| has(schema, name));
        group.by = about.map(str::to_owned).collect();
    }
    let all = || places.by.iter().chain(&places.total_over).chain(&places.figures);
    for column in all().filter(|column| !column.value.is_empty() && !has(schema, &column.value)) {
        let message = format!("the SELECT gives no column `{}`", column.value);
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let help = suggestion(&column.value, names);
        draft.file.fault(column.span.clone(), "smallest-group-column", message, help);
    }
    for column in &places.total_over {
        if !group.by.contains(&column.value) {
            let message = format!("`{}` does not say what a row is about", column.value);
            let help = format!("totals are taken over columns of `by`: {}", group.by.join(", "));
            draft.file.fault(column.span.clone(), "smallest-group-column", message, help);
        }
    }
    for column in &places.figures {
        if group.by.contains(&column.value) {
            let message = format!("`{}` is a figure, and `by` names it too", column.value);
            draft.file.fault(column.span.clone(), "smallest-group-column", message, None);
        }
    }
}

fn has(schema: &ArrowSchema, name: &str) -> bool {
    schema.field_with_name(name).is_ok()
}

/// The columns of a mart as the lake has them: what is hidden of a row stands beside it.
pub(super) fn with_note(draft: &mut QueryDraft<'_>, schema: &SchemaRef) -> SchemaRef {
    if draft.query.kind != QueryKind::Mart || draft.query.smallest_group.is_none() {
        return SchemaRef::clone(schema);
    }
    if has(schema, NOTE_COLUMN) {
        let message = format!("the column `{NOTE_COLUMN}` says what is hidden, and is added");
        let help = "name yours otherwise".to_owned();
        draft.file.fault(draft.text.beginning(), "smallest-group-column", message, help);
        return SchemaRef::clone(schema);
    }
    draft.query.columns.push(QueryColumn {
        name: NOTE_COLUMN.to_owned(),
        label: Text::new("Số bị ẩn vì nhóm nhỏ", "Figures hidden: small group"),
        unit: None,
    });
    let note = std::sync::Arc::new(Field::new(NOTE_COLUMN, DataType::Utf8, true));
    let fields: Vec<_> = schema.fields().iter().cloned().chain([note]).collect();
    SchemaRef::new(ArrowSchema::new(fields))
}

/// What is known so far of the tables that queries read, and of the persons behind them.
#[derive(Debug, Default)]
pub(super) struct Persons {
    classes: BTreeMap<TableName, Sensitivity>,
    /// The sources about persons behind each table about persons.
    sources: BTreeMap<TableName, BTreeSet<TableName>>,
    shown: Vec<Shown>,
}

/// A query that shows groups of persons, and by what.
#[derive(Debug)]
struct Shown {
    at: usize,
    sources: BTreeSet<TableName>,
    by: BTreeMap<Column, BTreeSet<String>>,
    total_over: BTreeSet<String>,
}

/// One way to divide persons: the source columns that it comes from, or else its own name.
type Column = BTreeSet<String>;

impl Persons {
    /// Takes note of a table's class; of one about persons, that it is a source of them.
    pub(super) fn declare(&mut self, table: &TableName, class: Sensitivity) {
        if class >= Sensitivity::Personal {
            self.sources.entry(table.clone()).or_default().insert(table.clone());
        }
        let known = self.classes.entry(table.clone()).or_insert(class);
        *known = class.max(*known);
    }

    /// Reports a query of persons of a higher class that does not say which group may be shown.
    pub(super) fn check(&self, draft: &QueryDraft<'_>) {
        let query = &draft.query;
        let lower = query.reads.iter().filter_map(|table| {
            let class = *self.classes.get(table)?;
            (class >= Sensitivity::Personal && class > query.sensitivity).then_some((class, table))
        });
        let Some((class, table)) = lower.max() else { return };
        if query.kind == QueryKind::OpenData || query.smallest_group.is_some() {
            return;
        }
        let message = format!(
            "this is {} and made of `{table}`, which is {}: how many persons must a row stand for?",
            query.sensitivity.as_str(),
            class.as_str()
        );
        let help = "count the different persons of a row and write [smallest_group] with \
                    `persons`, `at_least = 5` and, in a mart, `by`; or give the query the class of \
                    what it reads"
            .to_owned();
        draft.file.fault(draft.header.span.clone(), "smallest-group-missing", message, help);
    }

    /// Reports checks that count persons of a higher class: how many faults there are is shown
    /// beside the query's table.
    pub(super) fn check_reads_of_checks(&self, draft: &QueryDraft<'_>, read: &BTreeSet<TableName>) {
        let class = draft.query.sensitivity;
        let of = |table: &&TableName| self.classes.get(*table).copied();
        let is_higher = |of: Sensitivity| of >= Sensitivity::Personal && of > class;
        if let Some(table) = read.iter().find(|table| of(table).is_some_and(is_higher)) {
            let message = format!(
                "a check reads `{table}`: its count of faults is shown to all who read this table"
            );
            let help = "check the rows themselves (`bang`), or put the check into the contract of \
                        what it reads"
                .to_owned();
            draft.file.fault(draft.header.span.clone(), "check-of-persons", message, help);
        }
    }

    /// Takes note of what a query shows, and by what: `flows` are the columns of persons that each
    /// of its columns could hold.
    pub(super) fn note(
        &mut self,
        at: usize,
        draft: &QueryDraft<'_>,
        schema: &ArrowSchema,
        flows: &[Origins],
    ) {
        let query = &draft.query;
        let sources = query.reads.iter().filter_map(|table| self.sources.get(table));
        let sources: BTreeSet<TableName> = sources.flatten().cloned().collect();
        if let Some(group) = &query.smallest_group {
            let by = schema.fields().iter().zip(flows).filter(|(f, _)| group.by.contains(f.name()));
            let mut columns: BTreeMap<Column, BTreeSet<String>> = BTreeMap::new();
            for (field, origins) in by {
                let from: Column = origins
                    .iter()
                    .filter_map(Origin::free_text)
                    .map(|text| text.column.clone())
                    .collect();
                let own = || Column::from([field.name().clone()]);
                let from = if from.is_empty() { own() } else { from };
                columns.entry(from).or_default().insert(field.name().clone());
            }
            let total_over = group.total_over.iter().cloned().collect();
            self.shown.push(Shown { at, sources, by: columns, total_over });
        } else if query.sensitivity >= Sensitivity::Personal
            && let Some(table) = query.table()
        {
            self.sources.entry(table).or_default().extend(sources);
        }
        if let Some(table) = query.table() {
            let known = self.classes.entry(table).or_insert(query.sensitivity);
            *known = query.sensitivity.max(*known);
        }
    }

    /// Reports queries whose totals a sister shows and that do not say so; returns them.
    pub(super) fn check_sisters(&self, drafts: &[QueryDraft<'_>]) -> BTreeSet<usize> {
        let mut faulty = BTreeSet::new();
        let sound = self.shown.iter().filter(|shown| drafts[shown.at].file.is_sound());
        let sound: Vec<&Shown> = sound.collect();
        for one in &sound {
            for other in sound.iter().filter(|other| other.at != one.at) {
                if one.sources.is_disjoint(&other.sources) {
                    continue;
                }
                let left_out = one.by.iter().filter(|(column, _)| !other.by.contains_key(*column));
                let left_out: BTreeSet<String> =
                    left_out.flat_map(|(_, names)| names.iter().cloned()).collect();
                if !left_out.is_empty() && left_out != one.total_over {
                    report_sister(&drafts[one.at], &drafts[other.at], &left_out);
                    faulty.insert(one.at);
                    break;
                }
            }
        }
        faulty
    }
}

fn report_sister(draft: &QueryDraft<'_>, other: &QueryDraft<'_>, left_out: &BTreeSet<String>) {
    let names: Vec<&str> = left_out.iter().map(String::as_str).collect();
    let message = format!(
        "{} shows the same persons without {}: its rows are the totals of these",
        other.file.path,
        names.join(", ")
    );
    let help = format!(
        "write `total_over = [\"{}\"]`; where several queries leave different columns out, divide \
         them alike",
        names.join("\", \"")
    );
    let span = draft.header.smallest.as_ref().and_then(|places| places.span.clone());
    draft.file.fault(span, "smallest-group-totals", message, help);
}
