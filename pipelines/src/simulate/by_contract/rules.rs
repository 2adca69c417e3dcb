//! What is understood of a contract's SQL: which rows are gone, which cells are below which others,
//! and which days begin and end a period. What is not understood is passed over.

use warehouse::spec::{Growth, Rule, SourceTable};

use super::shape::{Field, Length, Make, Simple, When};

/// What a form calls a quarter.
const QUARTER: &str = "[0-9]{4}-Q[1-4]";

/// How the days of a report are made, where its checks or its columns say that it has a period:
/// `date_part('day', ky) = 1`, or a quarter beside its first and its last day.
pub(super) fn periods(
    table: &SourceTable,
    fields: &[Field<'_>],
    at: &impl Fn(&str) -> Option<usize>,
) -> Vec<(usize, Make)> {
    let mut all = Vec::new();
    for check in &table.checks {
        let Rule::Row(sql) = &check.rule else { continue };
        let name = sql.trim().strip_prefix("date_part('day', ");
        let name = name.and_then(|rest| rest.strip_suffix(") = 1"));
        let place = name.and_then(at);
        all.extend(place.map(|place| (place, Make::Day(When::First(Length::Month)))));
    }
    let is_quarter = |field: &Field<'_>| field.column.pattern.as_deref() == Some(QUARTER);
    if let Some(quarter) = fields.iter().position(is_quarter) {
        let day = |name: &str, when| Some((at(name)?, Make::Day(when)));
        all.push((quarter, Make::Quarter));
        all.extend(day("tu_ngay", When::First(Length::Quarter)));
        all.extend(day("den_ngay", When::Last(Length::Quarter)));
    }
    all
}

/// `column = 'x'` or `column IN ('x', 'y')`; any other condition is not understood, and nothing is
/// deleted then.
pub(super) fn deleted(table: &SourceTable) -> Option<(String, Vec<String>)> {
    let Growth::Upsert { deleted: Some(sql), .. } = &table.growth else { return None };
    let (name, values) = match sql.split_once('=') {
        Some((name, value)) => (name, vec![value]),
        None => {
            let at = sql.to_ascii_uppercase().find(" IN ")?;
            let list = sql[at + 4..].trim().strip_prefix('(')?.strip_suffix(')')?;
            (&sql[..at], list.split(',').collect())
        }
    };
    let quoted = |value: &str| {
        let inner = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        (!inner.contains('\'')).then(|| inner.to_owned())
    };
    let values: Option<Vec<String>> = values.into_iter().map(quoted).collect();
    let name = name.trim().trim_matches('"').to_owned();
    table.column(&name)?;
    values.filter(|values| !values.is_empty()).map(|values| (name, values))
}

/// The checks of the form `a <= b` or `a <= b + 1`, alone or joined by AND.
pub(super) fn simple_checks(
    table: &SourceTable,
    at: &impl Fn(&str) -> Option<usize>,
) -> Vec<Simple> {
    let mut all = Vec::new();
    for check in &table.checks {
        let Rule::Row(sql) = &check.rule else { continue };
        for part in sql.split(" AND ") {
            let words: Vec<&str> = part.split_whitespace().collect();
            // What may be a little more holds where it is no more.
            let (one, sign, other) = match words[..] {
                [one, sign, other] => (one, sign, other),
                [one, "<=", other, "+", _] => (one, "<=", other),
                _ => continue,
            };
            let (Some(one), Some(other)) = (at(one), at(other)) else { continue };
            match sign {
                "<=" => all.push(Simple { low: one, high: other }),
                ">=" => all.push(Simple { low: other, high: one }),
                _ => {}
            }
        }
    }
    all
}
