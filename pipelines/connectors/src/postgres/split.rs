//! Cutting a table into ranges of a column that several connections read side by side.

use std::error::Error;

use chrono::{DateTime, TimeDelta};
use tokio_postgres::types::{FromSql, Type};

use super::columns::EPOCH_MICROS;
use super::connection::Link;
use super::faults;
use super::kinds::Kind;
use super::plan::Plan;
use super::relation::quote;
use crate::SourceError;

/// The conditions of the ranges; a single one without a condition where there is nothing to cut.
/// Every row meets one of them: what is null is in the first.
pub(super) async fn ranges(
    link: &mut Link,
    plan: &Plan,
    connections: usize,
) -> Result<Vec<Option<String>>, SourceError> {
    let Some((column, kind)) = plan.split.as_ref().filter(|_| connections > 1) else {
        return Ok(vec![None]);
    };
    let ends = plan.ends(column, usual(column, *kind).as_deref());
    let rows = link.query(&ends, &[]).await;
    let rows = rows.map_err(|why| faults::reading(&link.server, &plan.place, why))?;
    let end = |at| rows.first().and_then(|row| row.try_get::<_, Whole>(at).ok());
    let (Some(low), Some(high)) = (end(0), end(1)) else { return Ok(vec![None]) };
    Ok(conditions(&quote(column), *kind, &cuts(low.0, high.0, connections)))
}

/// Days that are not of our time stand for something else, such as a stay without an end. Ranges
/// that reached so far would leave one connection all the work.
fn usual(column: &str, kind: Kind) -> Option<String> {
    let dated = matches!(kind, Kind::Date | Kind::Timestamp | Kind::Timestamptz);
    dated.then(|| format!("{} BETWEEN '1900-01-01' AND '2199-12-31'", quote(column)))
}

/// A value of a column that has ranges, as the server counts it.
struct Whole(i64);

impl<'a> FromSql<'a> for Whole {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match raw.len() {
            2 => i64::from(i16::from_be_bytes(raw.try_into()?)),
            4 => i64::from(i32::from_be_bytes(raw.try_into()?)),
            _ => i64::from_be_bytes(raw.try_into()?),
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Where ranges begin, but for the first: fewer where there are fewer values.
fn cuts(low: i64, high: i64, ranges: usize) -> Vec<i64> {
    let width = i128::from(high) - i128::from(low) + 1;
    let mut cuts: Vec<i64> = (1..ranges as i128)
        .map(|at| i128::from(low) + width * at / ranges as i128)
        .filter_map(|cut| i64::try_from(cut).ok())
        .filter(|cut| *cut > low && *cut <= high)
        .collect();
    cuts.dedup();
    cuts
}

fn conditions(column: &str, kind: Kind, cuts: &[i64]) -> Vec<Option<String>> {
    let cuts: Vec<String> = cuts.iter().filter_map(|cut| literal(kind, *cut)).collect();
    let (Some(first), Some(last)) = (cuts.first(), cuts.last()) else { return vec![None] };
    let mut conditions = vec![Some(format!("({column} < {first} OR {column} IS NULL)"))];
    conditions.extend(cuts.windows(2).map(|pair| {
        let [from, below] = pair else { return None };
        Some(format!("{column} >= {from} AND {column} < {below}"))
    }));
    conditions.push(Some(format!("{column} >= {last}")));
    conditions
}

fn literal(kind: Kind, value: i64) -> Option<String> {
    let instant = |micros: i64| DateTime::from_timestamp_micros(micros.checked_add(EPOCH_MICROS)?);
    Some(match kind {
        Kind::Date => {
            let epoch = instant(0)?.date_naive();
            let day = epoch.checked_add_signed(TimeDelta::try_days(value)?)?;
            day.format("date '%Y-%m-%d'").to_string()
        }
        Kind::Timestamp => instant(value)?.format("timestamp '%Y-%m-%d %H:%M:%S%.6f'").to_string(),
        Kind::Timestamptz => {
            instant(value)?.format("timestamptz '%Y-%m-%d %H:%M:%S%.6f+00'").to_string()
        }
        _ => format!("bigint '{value}'"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lie_within_and_apart() {
        assert_eq!(cuts(1, 100, 4), [26, 51, 76]);
        assert_eq!(cuts(1, 2, 8), [2]);
        assert!(cuts(7, 7, 8).is_empty());
        let all = cuts(i64::MIN, i64::MAX, 3);
        assert_eq!(all.len(), 2);
        assert!(all.is_sorted());
    }

    #[test]
    fn each_value_is_in_one_range() {
        let ranges = conditions("\"a\"", Kind::Int4, &[10, 20]);
        let ranges: Vec<&str> = ranges.iter().map(|range| range.as_deref().unwrap()).collect();
        assert_eq!(
            ranges,
            [
                "(\"a\" < bigint '10' OR \"a\" IS NULL)",
                "\"a\" >= bigint '10' AND \"a\" < bigint '20'",
                "\"a\" >= bigint '20'"
            ]
        );
        let day = conditions("\"a\"", Kind::Date, &[-1]);
        assert_eq!(day[1].as_deref(), Some("\"a\" >= date '1999-12-31'"));
    }
}
