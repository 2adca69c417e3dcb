//! A span of time as conditions on a column, in literals of the column's own type, so that an index
//! helps. Whatever the type, a row counts by the instant that its value means.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::kinds::Kind;
use super::relation::{Relation, quote};
use crate::{SourceError, Span};

/// # Errors
/// When the column holds no time, or a limit is not between the years 1 and 9999.
pub(super) fn conditions(
    span: &Span,
    kind: Kind,
    relation: &Relation,
) -> Result<Vec<String>, SourceError> {
    let column = quote(&span.column);
    let mut conditions = Vec::new();
    for (sign, limit) in [(">=", span.from), ("<", span.below)] {
        let Some(limit) = limit else { continue };
        let literal = literal(kind, limit).ok_or_else(|| {
            relation.refused(
                format!("rows cannot be chosen by time in the column `{}`", span.column),
                "choose them by a column of dates, timestamps, or text yyyymmdd[HHMM[SS]], from \
                 year 1 to 9999"
                    .to_owned(),
            )
        })?;
        conditions.push(format!("{column} {sign} {literal}"));
    }
    // A row without an instant is not among them, even where there is no limit.
    if conditions.is_empty() {
        conditions.push(format!("{column} IS NOT NULL"));
    }
    Ok(conditions)
}

/// The least value of the kind that means the instant or a later one.
fn literal(kind: Kind, limit: NaiveDateTime) -> Option<String> {
    let literal = match kind {
        Kind::Timestamp => limit.format("timestamp '%Y-%m-%d %H:%M:%S%.6f'"),
        Kind::Timestamptz => limit.format("timestamptz '%Y-%m-%d %H:%M:%S%.6f+07'"),
        Kind::Date => next_midnight(limit)?.format("date '%Y-%m-%d'"),
        // The fewest digits that mean it: 20260701 comes before 202607010000, which is the same
        // instant, so that both are found, and neither is found below it.
        Kind::Text | Kind::Padded => {
            let limit = next_second(limit)?;
            limit.format(match (limit.time() == NaiveTime::MIN, limit.second()) {
                (true, _) => "'%Y%m%d' COLLATE \"C\"",
                (false, 0) => "'%Y%m%d%H%M' COLLATE \"C\"",
                (false, _) => "'%Y%m%d%H%M%S' COLLATE \"C\"",
            })
        }
        _ => return None,
    };
    (1..=9999).contains(&limit.year()).then(|| literal.to_string())
}

fn next_midnight(limit: NaiveDateTime) -> Option<NaiveDateTime> {
    let day: NaiveDate = limit.date();
    let day = if limit.time() == NaiveTime::MIN { day } else { day.succ_opt()? };
    Some(day.and_time(NaiveTime::MIN))
}

fn next_second(limit: NaiveDateTime) -> Option<NaiveDateTime> {
    if limit.nanosecond() == 0 {
        return Some(limit);
    }
    limit.with_nanosecond(0)?.checked_add_signed(TimeDelta::seconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_least_value_that_means_it() {
        let at = |text| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap();
        let text = |limit| literal(Kind::Text, at(limit)).unwrap();
        assert_eq!(text("2026-07-01 00:00:00"), "'20260701' COLLATE \"C\"");
        assert_eq!(text("2026-07-01 08:30:00"), "'202607010830' COLLATE \"C\"");
        assert_eq!(text("2026-07-01 08:30:15"), "'20260701083015' COLLATE \"C\"");
        assert_eq!(text("2026-06-30 23:59:59.5"), "'20260701' COLLATE \"C\"");
        let date = |limit| literal(Kind::Date, at(limit)).unwrap();
        assert_eq!(date("2026-07-01 00:00:00"), "date '2026-07-01'");
        assert_eq!(date("2026-06-30 00:00:01"), "date '2026-07-01'");
        assert_eq!(
            literal(Kind::Timestamptz, at("2026-07-01 08:30:00.25")).unwrap(),
            "timestamptz '2026-07-01 08:30:00.250000+07'"
        );
        assert_eq!(literal(Kind::Timestamp, NaiveDateTime::MAX), None);
        assert_eq!(literal(Kind::Numeric, at("2026-07-01 00:00:00")), None);
    }
}
