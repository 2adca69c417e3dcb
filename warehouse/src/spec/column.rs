//! `[[table.column]]`: one column that may be read, and what becomes of it.
//!
//! The rules here are about one column alone. They make sure that a number cannot carry an
//! identity number (both bounds), and that nothing that points at a single person is kept as it
//! came. [`super::class`] says who may read a column, [`super::content`] what its text may hold.

use std::str::FromStr;

use chrono::NaiveDate;

use super::check::check_name;
use super::class::{self, Class};
use super::content::{self, Content};
use super::nearest::suggestion;
use super::reader::{At, Node, Span};
use super::{Column, ColumnType, Generalisation, Treatment, UnitDate};
use crate::names::{Schema, Sensitivity, TableName, Text, is_name};

/// A column as read, with the places of what other tables must confirm.
#[derive(Debug)]
pub(super) struct ColumnDraft {
    pub(super) column: Column,
    pub(super) span: Span,
    pub(super) on_span: Option<Span>,
    pub(super) references_span: Option<Span>,
}

/// Which treatment, whatever the details of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Keep,
    Drop,
    Pseudonymise,
    Generalise,
}

const TREATMENTS: [(&str, Kind); 4] = [
    ("keep", Kind::Keep),
    ("drop", Kind::Drop),
    ("pseudonymise", Kind::Pseudonymise),
    ("generalise", Kind::Generalise),
];

const GENERALISATIONS: [(&str, Generalisation); 4] = [
    ("day", Generalisation::Day),
    ("month", Generalisation::Month),
    ("year", Generalisation::Year),
    ("age_band", Generalisation::AgeBand),
];

/// The words for classes of sensitivity.
pub(super) fn sensitivities() -> [(&'static str, Sensitivity); 6] {
    Sensitivity::ALL.map(|class| (class.as_str(), class))
}

/// Reads one column of a table of that class; `None` when its name or type is unknown, so that
/// nothing can be planned over it.
pub(super) fn read(
    node: &Node<'_>,
    (table, table_class): (Option<&TableName>, Sensitivity),
) -> Option<ColumnDraft> {
    let name = node.required_string("name");
    check_name(node.file(), &name, "column");
    let from = node.string("from").map_or_else(|| name.value.clone(), |from| from.value);
    let label = node.text("label");
    let (treatment, kind) = read_treatment(node);
    let on = node.string("on");
    let ty = read_type(node, on.as_ref());
    let Class { sensitivity, own, because } = class::read(node, (table_class, &treatment));
    let required = node.boolean("required").unwrap_or(false);
    let (min, max) = read_bounds(node);
    let unit = node.optional_text("unit");
    let Content { values, references, pattern, vocabulary, free_text, allow_patterns } =
        content::read(node);
    let purpose = read_purpose(node, &treatment, sensitivity);
    let lost_zeros = read_lost_zeros(node);
    let unit_code = node.boolean("unit_code").unwrap_or(false);
    node.finish();

    let ty = ty?;
    check_number(node, &ty, kind, (min, max), unit.as_ref());
    content::check(node, (&ty, kind), (table_class, own), pattern.as_ref());
    check_unit_code(node, table, (&ty, kind, unit_code), (&name.value, &from));
    if name.value.is_empty() {
        return None;
    }
    let (references, references_span) = references.map(|r| (r.value, r.span)).unzip();
    let column = Column {
        name: name.value,
        from,
        label,
        ty,
        unit,
        sensitivity,
        because,
        treatment,
        required,
        min,
        max,
        values,
        references,
        pattern: pattern.map(|pattern| pattern.value),
        vocabulary,
        free_text,
        allow_patterns,
        purpose,
        lost_zeros,
        unit_code,
    };
    Some(ColumnDraft { column, span: name.span, on_span: on.map(|on| on.span), references_span })
}

fn read_treatment(node: &Node<'_>) -> (Treatment, Kind) {
    let kind = node.one_of("treatment", &TREATMENTS).map_or(Kind::Keep, |found| found.value);
    let domain = node.string("domain");
    let generalise = node.one_of("generalise", &GENERALISATIONS);
    for (key, wanted, word) in [
        ("domain", Kind::Pseudonymise, "pseudonymise"),
        ("generalise", Kind::Generalise, "generalise"),
    ] {
        if kind == wanted && !node.has(key) {
            node.missing(key);
        }
        if kind != wanted && node.has(key) {
            let help = format!("it belongs to `treatment = \"{word}\"`");
            misplaced(node, key, "under this treatment", help);
        }
    }
    let treatment = match kind {
        Kind::Keep => Treatment::Keep,
        Kind::Drop => Treatment::Drop,
        Kind::Pseudonymise => {
            if let Some(domain) = &domain {
                check_name(node.file(), domain, "domain");
            }
            Treatment::Pseudonymise { domain: domain.map(|d| d.value).unwrap_or_default() }
        }
        Kind::Generalise => {
            Treatment::Generalise(generalise.map_or(Generalisation::Year, |way| way.value))
        }
    };
    (treatment, kind)
}

fn read_type(node: &Node<'_>, on: Option<&At<String>>) -> Option<ColumnType> {
    let word = node.required_string("type");
    let is_unit = word.value == "unit";
    if is_unit && !node.has("on") {
        let message = "a unit needs the date whose list its code is read with";
        let help = "write `on = \"2017-12-31\"`, or `on` with the name of a date column";
        node.file().fault(node.span(), "missing-key", message, help.to_owned());
    }
    if !is_unit && node.has("on") && !word.value.is_empty() {
        misplaced(node, "on", "for this type", "only a column of type unit has a date".to_owned());
    }
    let ty = match word.value.as_str() {
        "" => return None,
        "text" => Some(ColumnType::Text),
        "integer" => Some(ColumnType::Integer),
        "date" => Some(ColumnType::Date),
        "boolean" => Some(ColumnType::Boolean),
        "unit" => Some(ColumnType::Unit { on: read_date(node, on) }),
        other => decimal(other),
    };
    if ty.is_none() {
        let known = ["text", "integer", "decimal(18,2)", "date", "boolean", "unit"];
        let help = suggestion(&word.value, known);
        let message = format!("`{}` is not a type", word.value);
        node.file().fault(word.span, "unknown-type", message, help);
    }
    ty
}

fn decimal(word: &str) -> Option<ColumnType> {
    let (precision, scale) = word.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let precision: u8 = precision.trim().parse().ok()?;
    let scale: i8 = scale.trim().parse().ok()?;
    let sound = (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale);
    sound.then_some(ColumnType::Decimal { precision, scale })
}

fn read_date(node: &Node<'_>, on: Option<&At<String>>) -> UnitDate {
    let Some(on) = on else { return UnitDate::Column(String::new()) };
    if let Ok(date) = NaiveDate::from_str(&on.value) {
        return UnitDate::Fixed(date);
    }
    if !is_name(&on.value) {
        let message = format!("`{}` is neither a date nor the name of a column", on.value);
        let help = "a date is written 2017-12-31".to_owned();
        node.file().fault(on.span.clone(), "unknown-value", message, help);
    }
    UnitDate::Column(on.value.clone())
}

fn read_bounds(node: &Node<'_>) -> (Option<f64>, Option<f64>) {
    let (min, max) = (node.number("min"), node.number("max"));
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value > max.value
    {
        let message = format!("`min` {} is greater than `max` {}", min.value, max.value);
        node.file().fault(min.span.clone(), "out-of-range", message, None);
    }
    (min.map(|bound| bound.value), max.map(|bound| bound.value))
}

/// A day of care is kept where a purpose needs it, and only for those who may see persons.
fn read_purpose(node: &Node<'_>, treatment: &Treatment, sensitivity: Sensitivity) -> Option<Text> {
    let is_day = *treatment == Treatment::Generalise(Generalisation::Day);
    if !is_day && node.has("purpose") {
        let help = "it belongs to `generalise = \"day\"`".to_owned();
        misplaced(node, "purpose", "under this treatment", help);
    }
    if is_day && !node.has("purpose") {
        let message = "a day of a person's care is kept, and nothing says for what";
        let help = "write `purpose = { vi = \"…\", en = \"…\" }`, or `generalise = \"month\"`";
        node.file().fault(
            node.key_span("generalise"),
            "day-without-purpose",
            message,
            help.to_owned(),
        );
    }
    if is_day && sensitivity < Sensitivity::Personal {
        let message = format!("a day of a person's care is not {}", sensitivity.as_str());
        let help = "write `sensitivity = \"personal\"`".to_owned();
        node.file().fault(node.key_span("generalise"), "table-too-open", message, help);
    }
    node.optional_text("purpose")
}

/// `lost_zeros = [10, 12]`: cells of 10 or 11 digits are numbers of 12 whose zeros in front are gone.
fn read_lost_zeros(node: &Node<'_>) -> Option<(usize, usize)> {
    let lengths = node.wholes("lost_zeros");
    let at = |index: usize| lengths.get(index).and_then(|at| usize::try_from(at.value).ok());
    match (at(0), at(1), lengths.len()) {
        (_, _, 0) => None,
        (Some(from), Some(to), 2) if 0 < from && from < to && to <= 30 => Some((from, to)),
        _ => {
            let message =
                "`lost_zeros` is the fewest digits that are left, and how many there were";
            let help = "write `lost_zeros = [10, 12]`".to_owned();
            node.file().fault(node.key_span("lost_zeros"), "out-of-range", message, help);
            None
        }
    }
}

fn check_number(
    node: &Node<'_>,
    ty: &ColumnType,
    kind: Kind,
    bounds: (Option<f64>, Option<f64>),
    unit: Option<&Text>,
) {
    if !matches!(ty, ColumnType::Integer | ColumnType::Decimal { .. }) {
        for key in ["min", "max", "unit"].into_iter().filter(|key| node.has(key)) {
            let help = "only integer and decimal columns have it".to_owned();
            misplaced(node, key, "for this type", help);
        }
        return;
    }
    if kind != Kind::Keep {
        return;
    }
    for (key, bound) in [("min", bounds.0), ("max", bounds.1)] {
        if bound.is_none() && !node.has(key) {
            let message = format!("a number needs both bounds, and `{key}` is missing");
            let help = "the bounds keep identity numbers out: take the widest plausible range";
            node.file().fault(node.span(), "missing-bounds", message, help.to_owned());
        }
    }
    if unit.is_none() && !node.has("unit") {
        missing_unit(node);
    }
}

fn missing_unit(node: &Node<'_>) {
    let help = "write `unit = { vi = \"ca\", en = \"cases\" }`".to_owned();
    node.file().fault(node.span(), "missing-unit", "a number needs its unit", help);
}

/// Seven codes changed their meaning on 1 July 2025: a code alone names no place. Reference data may
/// list codes, and say so: then no mart and no indicator takes them for places.
fn check_unit_code(
    node: &Node<'_>,
    table: Option<&TableName>,
    (ty, kind, said): (&ColumnType, Kind, bool),
    (name, from): (&str, &str),
) {
    if said && (*ty != ColumnType::Text || kind != Kind::Keep) {
        let help = "it belongs to a text that is kept as it came".to_owned();
        misplaced(node, "unit_code", "for this type or treatment", help);
        return;
    }
    let in_source = table.is_some_and(|t| matches!(t.schema(), Schema::Nguon | Schema::HanChe));
    let is_code = said
        || name.starts_with("ma_tinh")
        || name.starts_with("ma_don_vi")
        || from.contains("province_code");
    if *ty != ColumnType::Text || kind != Kind::Keep || !is_code {
        return;
    }
    let message = format!("`{name}` is the code of a province without the date of its list");
    if in_source {
        let help = "write `type = \"unit\"` with `on`: the same code named other provinces before \
                    2025-07-01";
        node.file().fault(node.key_span("type"), "bare-unit-code", message, help.to_owned());
    } else if !said {
        let help = "write `type = \"unit\"` with `on`, or `unit_code = true` where it is the list of \
                    codes itself";
        node.file().fault(node.key_span("type"), "bare-unit-code", message, help.to_owned());
    }
}

pub(super) fn misplaced(node: &Node<'_>, key: &str, under: &str, help: String) {
    let message = format!("`{key}` has no meaning {under}");
    node.file().fault(node.key_span(key), "misplaced-key", message, help);
}
