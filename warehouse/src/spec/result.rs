//! What a query gives, compared with what its header says.

use datafusion::arrow::datatypes::{DataType, Schema as ArrowSchema, SchemaRef};

use super::flow::{Origin, Origins};
use super::header::QueryDraft;
use super::nearest::suggestion;
use super::reader::Span;
use super::smallest;
use super::{Indicator, QueryColumn, QueryKind};
use crate::names::Text;

/// Reports where header and result differ.
pub(super) fn compare(draft: &mut QueryDraft<'_>, schema: &SchemaRef) {
    if draft.query.kind == QueryKind::Indicator {
        check_shape(draft, schema);
        describe_standard_columns(draft, schema);
    }
    check_columns(draft, schema);
    check_units(draft, schema);
    check_suppressed(draft, schema);
    check_partition(draft, schema);
    smallest::check(draft, schema);
}

/// Reports columns that could hold free text about persons, where the query's class is lower.
pub(super) fn check_free_text(draft: &QueryDraft<'_>, schema: &ArrowSchema, flows: &[Origins]) {
    let class = draft.query.sensitivity;
    for (at, (field, origins)) in schema.fields().iter().zip(flows).enumerate() {
        let texts = origins.iter().filter_map(Origin::free_text);
        let most = texts.max_by_key(|text| text.class);
        let Some(text) = most.filter(|text| text.class > class) else { continue };
        let message = format!(
            "`{}` could hold the free text of `{}`, which is {}; the query is {}",
            field.name(),
            text.column,
            text.class.as_str(),
            class.as_str()
        );
        let help = format!(
            "count the text or compare it, take it to words by `vocabulary` in its contract, or \
             raise the query to `sensitivity = \"{}\"`",
            text.class.as_str()
        );
        draft.file.fault(place(draft, at, field.name()), "free-text-flows", message, help);
    }
}

/// Reports columns that could hold codes of units: without the date of their list they name no
/// unit. An open dataset may show them beside the key.
pub(super) fn check_unit_codes(draft: &QueryDraft<'_>, schema: &ArrowSchema, flows: &[Origins]) {
    let is_open = draft.query.kind == QueryKind::OpenData;
    if is_open && flows.iter().flatten().any(|origin| matches!(origin, Origin::Key(_))) {
        return;
    }
    for (at, (field, origins)) in schema.fields().iter().zip(flows).enumerate() {
        let code = origins.iter().find_map(|origin| match origin {
            Origin::Code(from) => Some(from),
            _ => None,
        });
        let Some(from) = code else { continue };
        let message = format!(
            "`{}` could hold codes of units, from {from}, without the date of their list",
            field.name()
        );
        let help = if is_open {
            "give the unit's key in a column beside it"
        } else {
            "give the unit's key, as the sources have it; don_vi(code, date) makes one of a code"
        };
        let span = place(draft, at, field.name());
        draft.file.fault(span, "unit-code-flows", message, help.to_owned());
    }
}

/// Where a column of the result is declared; the beginning of the SQL where it is not.
fn place(draft: &QueryDraft<'_>, at: usize, name: &str) -> Span {
    let declared = draft.header.columns.as_ref().and_then(|columns| columns.get(at));
    let declared = declared.filter(|column| column.value == *name);
    declared.map_or_else(|| draft.text.beginning(), |column| column.span.clone())
}

fn check_columns(draft: &QueryDraft<'_>, schema: &ArrowSchema) {
    let Some(declared) = &draft.header.columns else { return };
    let planned: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if declared.iter().map(|column| column.value.as_str()).eq(planned.iter().copied()) {
        return;
    }
    let at =
        (0..).find(|&at| declared.get(at).map(|c| c.value.as_str()) != planned.get(at).copied());
    let at = at.unwrap_or_default();
    let (span, message) = match (declared.get(at), planned.get(at)) {
        (Some(column), Some(name)) => (
            Some(column.span.clone()),
            format!(
                "column {} is declared as `{}`, the SELECT gives `{name}`",
                at + 1,
                column.value
            ),
        ),
        (Some(column), None) => {
            (Some(column.span.clone()), format!("the SELECT gives no column `{}`", column.value))
        }
        (None, name) => (
            draft.header.span.clone(),
            format!("`{}` of the SELECT is not declared", name.copied().unwrap_or_default()),
        ),
    };
    let help = format!("write one [[column]] for each, in this order: {}", planned.join(", "));
    draft.file.fault(span, "column-mismatch", message, help);
}

fn check_units(draft: &QueryDraft<'_>, schema: &ArrowSchema) {
    let Some(declared) = &draft.header.columns else { return };
    for (column, place) in draft.query.columns.iter().zip(declared) {
        let numeric =
            schema.field_with_name(&column.name).is_ok_and(|field| field.data_type().is_numeric());
        if numeric && column.unit.is_none() {
            let message = format!("`{}` is a number and has no unit", column.name);
            let help = "write `unit = { vi = \"ca\", en = \"cases\" }`".to_owned();
            draft.file.fault(place.span.clone(), "missing-unit", message, help);
        }
    }
}

fn check_suppressed(draft: &QueryDraft<'_>, schema: &ArrowSchema) {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    for column in &draft.header.suppressed {
        if !names().any(|name| name == column.value) {
            let message = format!("the dataset has no column `{}`", column.value);
            let help = suggestion(&column.value, names());
            draft.file.fault(column.span.clone(), "suppress-unknown-column", message, help);
        }
    }
}

fn check_partition(draft: &QueryDraft<'_>, schema: &ArrowSchema) {
    let Some(column) = &draft.header.partition else { return };
    let Ok(field) = schema.field_with_name(&column.value) else {
        let message = format!("the mart has no column `{}`", column.value);
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let help = suggestion(&column.value, names);
        draft.file.fault(column.span.clone(), "unknown-reference", message, help);
        return;
    };
    let ty = field.data_type();
    if !matches!(ty, DataType::Date32 | DataType::Int64 | DataType::Utf8) {
        let message =
            format!("the mart cannot be partitioned by `{}`, which is {ty}", field.name());
        let help = "a partition is a date, a whole number or a text with few values, and one in \
                    every row: CAST(… AS DATE)";
        draft.file.fault(column.span.clone(), "bad-partition", message, help.to_owned());
    }
}

/// `don_vi`, `ky`, perhaps `phan_to`, `tu_so`, perhaps `mau_so`, in this order.
fn check_shape(draft: &QueryDraft<'_>, schema: &ArrowSchema) {
    let has = |name: &str| schema.field_with_name(name).is_ok();
    let given: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let all = ["don_vi", "ky", "phan_to", "tu_so", "mau_so"];
    let optional = ["phan_to", "mau_so"];
    // What counts its persons comes behind, and goes no further.
    let group = draft.query.smallest_group.as_ref();
    let persons = group.map(|group| group.persons.as_str()).filter(|name| !all.contains(name));
    let wanted: Vec<&str> = all
        .into_iter()
        .filter(|name| !optional.contains(name) || has(name))
        .chain(persons)
        .collect();
    let bad = |message: String, help: &str| {
        let span = draft.text.beginning();
        draft.file.fault(span, "bad-indicator-shape", message, help.to_owned());
    };
    if given != wanted {
        let message = format!("an indicator does not give {}", given.join(", "));
        bad(message, "select don_vi, ky, [phan_to,] tu_so [, mau_so], and nothing else");
    }
    for field in schema.fields() {
        let (name, ty) = (field.name().as_str(), field.data_type());
        let (right, help) = match name {
            "don_vi" => (*ty == DataType::Utf8, "it is the key of a unit, as the sources have it"),
            "phan_to" => (*ty == DataType::Utf8, "it is a text: CAST(… AS VARCHAR)"),
            "ky" => (*ty == DataType::Date32, "it is the first day: CAST(date_trunc(…) AS DATE)"),
            "tu_so" | "mau_so" => (ty.is_numeric(), "it is a number"),
            _ => continue,
        };
        if !right {
            bad(format!("`{name}` of an indicator cannot be {ty}"), help);
        }
    }
    let Some(indicator) = &draft.query.indicator else { return };
    for (column, key, declared) in [
        ("mau_so", "denominator", indicator.denominator.is_some()),
        ("phan_to", "breakdown", indicator.breakdown.is_some()),
    ] {
        if has(column) != declared {
            let message = if declared {
                format!("`{key}` is declared, and the SELECT gives no `{column}`")
            } else {
                format!("the SELECT gives `{column}`, and `{key}` is not declared")
            };
            bad(message, "give both or neither");
        }
    }
}

/// An indicator's columns are always the same, so its header need not describe them.
fn describe_standard_columns(draft: &mut QueryDraft<'_>, schema: &ArrowSchema) {
    if draft.header.columns.as_ref().is_none_or(|declared| !declared.is_empty()) {
        return;
    }
    draft.header.columns = None;
    let Some(indicator) = &draft.query.indicator else { return };
    draft.query.columns =
        schema.fields().iter().map(|field| standard_column(field.name(), indicator)).collect();
}

fn standard_column(name: &str, indicator: &Indicator) -> QueryColumn {
    let label = match name {
        "don_vi" => Text::new("Đơn vị", "Unit"),
        "ky" => Text::new("Kỳ", "Period"),
        "tu_so" => indicator.numerator.clone(),
        "mau_so" => {
            indicator.denominator.clone().unwrap_or_else(|| Text::new("Mẫu số", "Denominator"))
        }
        "phan_to" => {
            indicator.breakdown.clone().unwrap_or_else(|| Text::new("Phân tổ", "Breakdown"))
        }
        _ => Text::new("Số người khác nhau", "Different persons"),
    };
    QueryColumn { name: name.to_owned(), label, unit: None }
}
