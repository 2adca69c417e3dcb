//! `growth` and `partition`: what becomes of the rows of before when a batch comes.

use super::column::{ColumnDraft, misplaced};
use super::contract::read_share;
use super::nearest::suggestion;
use super::reader::{At, File, Node};
use super::sql::SqlText;
use super::{
    Column, ColumnType, Generalisation, Growth, KeyList, Origin, SourceKind, SourceTable,
    Treatment, UnitDate,
};

/// As read, with the SQL still to be planned.
#[derive(Debug)]
pub(super) struct GrowthDraft {
    pub(super) growth: Growth,
    pub(super) partition: Option<String>,
    /// The condition under which a row says that its key is gone.
    pub(super) deleted: Option<SqlText>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Snapshot,
    Append,
    Upsert,
}

const KINDS: [(&str, Kind); 3] =
    [("snapshot", Kind::Snapshot), ("append", Kind::Append), ("upsert", Kind::Upsert)];

/// The longest time that a night may look back.
const MOST_DAYS: i64 = 3_660;

/// In place of a condition: a key is gone when the source no longer has it.
const BY_KEYS: &str = "by_keys";

/// Days from one list of keys to the next.
const KEYS_EVERY_DAYS: u32 = 7;

/// A list that takes more of a table away, in percent, is thought to be a broken one.
const MAX_DELETED: f64 = 5.0;

/// Reads both keys of a table; `complete` says whether `columns` are all that it declares.
pub(super) fn read(
    node: &Node<'_>,
    origin: &Origin,
    has_key: bool,
    (columns, complete): (&[ColumnDraft], bool),
) -> GrowthDraft {
    let partition = node.string("partition");
    let growth = node.table("growth");
    let (growth, deleted, period) = match &growth {
        Some(growth) => read_growth(growth, has_key, origin),
        None => (Growth::Snapshot, None, None),
    };
    let file = node.file();
    let mut partitioned = partition.as_ref().map(|name| name.value.clone());
    if complete {
        if let Some(name) = &partition {
            check_partition(file, name, columns);
        }
        if let Some(period) = &period {
            check_period(file, period, columns);
        }
        if let (Growth::Upsert { watermark: Some(name), .. }, Some(table)) =
            (&growth, node.table("growth"))
        {
            check_watermark(&table, name, columns);
        }
    }
    if let Some(period) = period {
        if partition.as_ref().is_some_and(|name| name.value != period.value) {
            let help = format!("leave it away: the table is partitioned by `{}`", period.value);
            misplaced(node, "partition", "where rows are appended by another period", help);
        }
        partitioned = Some(period.value);
    }
    if growth == Growth::Snapshot && origin.is_nightly() {
        let message = "`file` names a place for each night, and a snapshot replaces all of before";
        let help = "write `growth = { kind = \"append\", … }` or `{ kind = \"upsert\", … }`";
        file.fault(node.key_span("file"), "nightly-snapshot", message, help.to_owned());
    }
    GrowthDraft { growth, partition: partitioned, deleted }
}

type Read = (Growth, Option<SqlText>, Option<At<String>>);

fn read_growth(node: &Node<'_>, has_key: bool, origin: &Origin) -> Read {
    let kind = node.required_one_of("kind", &KINDS, Kind::Snapshot).value;
    let (period, watermark, deleted) =
        (node.string("period"), node.string("watermark"), node.string("deleted"));
    let again_days = node.whole_within("again_days", 0..=MOST_DAYS);
    let days = again_days.and_then(|days| u32::try_from(days).ok()).unwrap_or_default();
    let by_keys = deleted.as_ref().is_some_and(|deleted| deleted.value == BY_KEYS);
    let list = read_key_list(node, by_keys);
    let moves = node.boolean("moves").unwrap_or(false);
    node.finish();
    let belongs = |key: &'static str, to: Kind, under: &str| {
        if node.has(key) && kind != to {
            misplaced(node, key, under, format!("`{key}` belongs to another kind of growth"));
        }
    };
    let word = KINDS.iter().find(|(_, one)| *one == kind).map_or("", |(word, _)| word);
    let under = format!("under the growth `{word}`");
    belongs("period", Kind::Append, &under);
    belongs("watermark", Kind::Upsert, &under);
    belongs("deleted", Kind::Upsert, &under);
    belongs("moves", Kind::Upsert, &under);
    match kind {
        Kind::Snapshot => {
            if node.has("again_days") {
                misplaced(node, "again_days", &under, "a snapshot is read whole".to_owned());
            }
            (Growth::Snapshot, None, None)
        }
        Kind::Append => {
            if !node.has("period") {
                node.missing("period");
            }
            let name = period.as_ref().map(|name| name.value.clone()).unwrap_or_default();
            (Growth::Append { period: name, again_days: days }, None, period)
        }
        Kind::Upsert => {
            if !has_key {
                let message = "rows can replace others only where a key says which";
                let help = "write `key = [\"…\"]`".to_owned();
                node.file().fault(node.span(), "missing-key", message, help);
            }
            if by_keys {
                check_key_list(node, origin, watermark.is_some());
            }
            let deleted = deleted.filter(|_| !by_keys);
            let sql = deleted.as_ref().map(|text| SqlText::in_string(node.file(), text));
            let growth = Growth::Upsert {
                watermark: watermark.map(|name| name.value),
                again_days: days,
                deleted: deleted.map(|text| text.value),
                keys: by_keys.then_some(list),
                moves,
            };
            (growth, sql, None)
        }
    }
}

/// Reads how keys are compared, which means nothing where they are not.
fn read_key_list(node: &Node<'_>, by_keys: bool) -> KeyList {
    let every_days = node.whole_within("keys_every_days", 1..=MOST_DAYS);
    let every_days = every_days.and_then(|days| u32::try_from(days).ok());
    for key in ["keys_every_days", "max_deleted_percent"] {
        if node.has(key) && !by_keys {
            let under = format!("without `deleted = \"{BY_KEYS}\"`");
            misplaced(node, key, &under, "leave it away, or have keys compared".to_owned());
        }
    }
    KeyList {
        every_days: every_days.unwrap_or(KEYS_EVERY_DAYS),
        max_deleted_percent: read_share(node, "max_deleted_percent", MAX_DELETED),
    }
}

/// Keys can be compared only with a source that tells all that it has.
fn check_key_list(node: &Node<'_>, origin: &Origin, has_watermark: bool) {
    let Origin::Read { kind, settings, .. } = origin else { return };
    let help = match kind {
        SourceKind::Fhir => {
            "a FHIR server says what it deleted: read `@deleted`, and write `deleted = \"…\"` with \
             its column"
        }
        SourceKind::HttpJson if has_watermark && settings.contains_key("since_param") => {
            "leave `since_param` away, so that the service gives all its rows each night"
        }
        _ if origin.is_nightly() => {
            "a place for each night holds what is new; write the condition of a row that says that \
             its key is gone"
        }
        _ => {
            let is_asked_for_parts = kind.is_database() && has_watermark;
            if node.has("keys_every_days") && !is_asked_for_parts {
                let under = "where the source gives all its rows each night";
                let help = "leave it away: the keys are compared each night";
                misplaced(node, "keys_every_days", under, help.to_owned());
            }
            return;
        }
    };
    let message = "the source never tells all the keys that it has";
    node.file().fault(node.key_span("deleted"), "no-key-list", message, help.to_owned());
}

/// The column of that name in the lake.
fn kept<'a>(file: &File<'_>, name: &At<String>, columns: &'a [ColumnDraft]) -> Option<&'a Column> {
    let mut all = columns.iter().map(|draft| &draft.column);
    let found = all.find(|c| c.name == name.value && c.treatment != Treatment::Drop);
    if found.is_none() {
        let message = format!("there is no column `{}` in the lake", name.value);
        let names = columns.iter().map(|draft| draft.column.name.as_str());
        let help = suggestion(&name.value, names);
        file.fault(name.span.clone(), "unknown-reference", message, help);
    }
    found
}

fn check_partition(file: &File<'_>, name: &At<String>, columns: &[ColumnDraft]) {
    let Some(column) = kept(file, name, columns) else { return };
    let few = matches!(column.ty, ColumnType::Date | ColumnType::Text | ColumnType::Unit { .. });
    let hidden = matches!(column.treatment, Treatment::Pseudonymise { .. });
    if !few || hidden || !column.required {
        let message = format!("the table cannot be partitioned by `{}`", column.name);
        let help = "a partition is a required column of type date, unit or text with few values";
        file.fault(name.span.clone(), "bad-partition", message, help.to_owned());
    }
}

fn check_period(file: &File<'_>, name: &At<String>, columns: &[ColumnDraft]) {
    let Some(column) = kept(file, name, columns) else { return };
    let whole =
        matches!(column.treatment, Treatment::Keep | Treatment::Generalise(Generalisation::Month));
    if column.ty != ColumnType::Date || !whole || !column.required || column.from.contains('+') {
        let message = format!("`{}` cannot be the period of the rows", column.name);
        let help = "a period is a required column of type date, kept or coarsened to its month, \
                    made from one column of the source";
        file.fault(name.span.clone(), "bad-partition", message, help.to_owned());
    }
}

fn check_watermark(node: &Node<'_>, name: &str, columns: &[ColumnDraft]) {
    let mut all = columns.iter().map(|draft| &draft.column);
    let found = all.find(|c| c.name == name && c.treatment != Treatment::Drop);
    if found.is_some_and(|column| column.ty == ColumnType::Date && !column.from.contains('+')) {
        return;
    }
    let message = format!("`{name}` cannot be the watermark");
    let help = "a watermark is a column of type date, made from one column of the source that says \
                when its row was written last";
    node.file().fault(node.key_span("watermark"), "unknown-reference", message, help.to_owned());
}

impl Growth {
    /// How many days before its night a batch reads again.
    pub fn again_days(&self) -> u32 {
        match self {
            Self::Snapshot => 0,
            Self::Append { again_days, .. } | Self::Upsert { again_days, .. } => *again_days,
        }
    }
}

impl SourceTable {
    /// Whether its source sends only the rows of a span. A web service is told since when by a
    /// parameter, and what that means is its own matter: it is taken for when a row was written.
    pub fn sends_spans(&self) -> bool {
        let Origin::Read { kind, settings, .. } = &self.origin else { return false };
        match kind {
            kind if kind.is_database() => true,
            SourceKind::HttpJson => {
                self.watermark().is_some() && settings.contains_key("since_param")
            }
            _ => false,
        }
    }

    /// How keys are found that the source no longer has, where they are.
    pub fn key_list(&self) -> Option<KeyList> {
        match self.growth {
            Growth::Upsert { keys, .. } => keys,
            _ => None,
        }
    }

    /// The columns that its key is made of: those that it names, and those whose day decides of which
    /// list a unit among them is.
    pub fn key_columns(&self) -> impl Iterator<Item = &Column> {
        let in_key = |column: &&Column| self.key.contains(&column.name);
        let date = |column: &Column| match &column.ty {
            ColumnType::Unit { on: UnitDate::Column(name) } => Some(name.clone()),
            _ => None,
        };
        let dates: Vec<String> = self.columns.iter().filter(in_key).filter_map(date).collect();
        self.columns.iter().filter(move |column| {
            let is_needed = self.key.contains(&column.name) || dates.contains(&column.name);
            is_needed && column.treatment != Treatment::Drop
        })
    }
}
