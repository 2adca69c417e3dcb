//! De-identification: what stands between a source's raw text and everything that is written.
//!
//! It runs in memory on raw text columns, before a type is given to them and before one byte goes
//! to the lake, to quarantine, to a log or to a temporary file. The order of steps:
//!
//! 1. **Allow-list.** Only columns that a contract declares are read; a column whose treatment is
//!    `drop` is not read at all, so [`ColumnPlan`] has no step for it.
//! 2. **Pseudonymise** ([`pseudonym`]): a keyed token in the domain of the column. Keys live
//!    outside the lake ([`keys`]).
//! 3. **Generalise** ([`mod@generalise`]): months, years, age bands.
//! 4. **Leak scan** ([`identifiers`]) of all that is kept: cell by cell, then the column as a whole
//!    ([`identifiers::ColumnScan::verdict`]), because a shape that is chance in one cell is a fact in
//!    ninety of a hundred.
//!
//! What it refuses to do:
//!
//! - It never repairs a leak. A cell that holds an identifier comes back as null *and* as a
//!   [`Fault`]: the caller refuses the row, or the batch.
//! - It never returns, formats or logs a cell's content: faults carry a row number and a reason.
//! - It has no way back from a token to a value, and no function that takes two domains.
//! - It does not claim anonymity: a token is a pseudonym, and tables that hold one stay personal
//!   data.

pub mod generalise;
pub mod keys;
pub mod pseudonym;

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int32Array, StringArray};
use identifiers::{ColumnScan, Counts, PatternId, Severity};
use warehouse::spec::{Generalisation, Treatment};

use self::generalise::DateFault;
use self::keys::{KeyError, KeyRing};
use self::pseudonym::Pseudonymiser;

/// What is done to one column, ready to run over any number of batches.
#[derive(Debug)]
pub struct ColumnPlan {
    step: Step,
}

#[derive(Debug)]
enum Step {
    Keep(ColumnScan),
    Pseudonymise(Pseudonymiser),
    Generalise(Generalisation),
}

impl ColumnPlan {
    /// The plan of a column with this treatment; `None` for `drop`, which is never read. `scan` is
    /// used for a column that is kept.
    ///
    /// # Errors
    /// When the domain of a pseudonym is not a name.
    pub fn new(
        treatment: &Treatment,
        keys: &KeyRing,
        scan: ColumnScan,
    ) -> Result<Option<Self>, KeyError> {
        let step = match treatment {
            Treatment::Drop => return Ok(None),
            Treatment::Keep => Step::Keep(scan),
            Treatment::Pseudonymise { domain } => {
                Step::Pseudonymise(Pseudonymiser::new(&keys.domain(domain)?))
            }
            Treatment::Generalise(how) => Step::Generalise(*how),
        };
        Ok(Some(Self { step }))
    }

    /// Treats one batch of raw cells. The result has the same length; a cell with a fault is null.
    /// What the scan saw is added to `counts`, for [`ColumnPlan::scan`]'s verdict at the end.
    ///
    /// The values are text for kept and pseudonymised columns and for age bands, `Date32` for
    /// days and months, `Int32` for years.
    pub fn treat(&self, raw: &StringArray, counts: &mut Counts) -> Treated {
        let mut faults = Vec::new();
        let values: ArrayRef = match &self.step {
            Step::Keep(scan) => keep(scan, raw, counts, &mut faults),
            Step::Pseudonymise(tokens) => Arc::new(tokens.column(raw)),
            Step::Generalise(Generalisation::Day) => dates(raw, &mut faults, generalise::day),
            Step::Generalise(Generalisation::Month) => dates(raw, &mut faults, generalise::month),
            Step::Generalise(Generalisation::Year) => {
                Arc::new(each(raw, &mut faults, generalise::year).collect::<Int32Array>())
            }
            Step::Generalise(Generalisation::AgeBand) => {
                Arc::new(each(raw, &mut faults, generalise::age_band).collect::<StringArray>())
            }
        };
        Treated { values, faults }
    }

    /// The scan of a kept column, for the verdict over all its batches.
    pub fn scan(&self) -> Option<&ColumnScan> {
        match &self.step {
            Step::Keep(scan) => Some(scan),
            _ => None,
        }
    }
}

fn dates(
    raw: &StringArray,
    faults: &mut Vec<Fault>,
    read: fn(&str) -> Result<Option<chrono::NaiveDate>, generalise::DateFault>,
) -> ArrayRef {
    let days = each(raw, faults, read).map(|day| day.map(warehouse::grid::days_since_epoch));
    Arc::new(days.collect::<Date32Array>())
}

/// A column after its treatment.
#[derive(Debug)]
pub struct Treated {
    /// The values; null where the source was empty or the cell has a fault.
    pub values: ArrayRef,
    /// Cells whose row must not be loaded, in row order.
    pub faults: Vec<Fault>,
}

/// A cell that could not pass. Carries no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Row in the batch, from 0.
    pub row: usize,
    /// Why.
    pub reason: FaultReason,
}

/// Why a cell could not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// The leak scan found an identifier.
    #[error("holds what looks like {}", .0.noun())]
    Leak(PatternId),
    /// A value to be made coarser could not be read.
    #[error(transparent)]
    Unreadable(#[from] DateFault),
}

impl FaultReason {
    /// A stable code for quarantine: `ro_ri:cccd`, `sai_ngay`; never content.
    pub fn code(self) -> String {
        match self {
            Self::Leak(pattern) => format!("ro_ri:{pattern}"),
            Self::Unreadable(fault) => fault.code().to_owned(),
        }
    }
}

fn keep(
    scan: &ColumnScan,
    raw: &StringArray,
    counts: &mut Counts,
    faults: &mut Vec<Fault>,
) -> ArrayRef {
    let before = faults.len();
    for (row, cell) in raw.iter().enumerate() {
        let Some(pattern) = cell.and_then(|cell| scan.look(cell, counts)) else { continue };
        if pattern.severity() == Severity::Block {
            faults.push(Fault { row, reason: FaultReason::Leak(pattern) });
        }
    }
    if faults.len() == before {
        return Arc::new(raw.clone());
    }
    let mut leaks = faults[before..].iter().map(|fault| fault.row).peekable();
    Arc::new(
        raw.iter()
            .enumerate()
            .map(|(row, cell)| if leaks.next_if_eq(&row).is_some() { None } else { cell })
            .collect::<StringArray>(),
    )
}

fn each<'a, T: 'a>(
    raw: &'a StringArray,
    faults: &'a mut Vec<Fault>,
    read: fn(&str) -> Result<Option<T>, DateFault>,
) -> impl Iterator<Item = Option<T>> + 'a {
    raw.iter().enumerate().map(move |(row, cell)| match read(cell?) {
        Ok(value) => value,
        Err(reason) => {
            faults.push(Fault { row, reason: reason.into() });
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use identifiers::{AllowList, ColumnKind};

    use super::*;

    fn plan(treatment: &Treatment, kind: ColumnKind) -> ColumnPlan {
        let keys = KeyRing::from_bytes(&[[7; 32]]);
        let scan = ColumnScan::new("cot", kind, &[], &AllowList::default()).unwrap();
        ColumnPlan::new(treatment, &keys, scan).unwrap().unwrap()
    }

    #[test]
    fn a_leaking_cell_comes_back_null_with_a_fault_and_the_others_stay() {
        let plan = plan(&Treatment::Keep, ColumnKind::Text);
        let raw = StringArray::from(vec![Some("J18.9"), Some("goi 0900123456"), None, Some("sốt")]);
        let mut counts = Counts::default();
        let treated = plan.treat(&raw, &mut counts);
        assert_eq!(
            treated.faults,
            vec![Fault { row: 1, reason: FaultReason::Leak(PatternId::Mobile) }]
        );
        let values = treated.values.as_any().downcast_ref::<StringArray>().unwrap();
        assert_eq!(values.iter().collect::<Vec<_>>(), vec![Some("J18.9"), None, None, Some("sốt")]);
    }

    #[test]
    fn an_unreadable_date_is_a_fault_and_an_empty_one_is_null() {
        let month = plan(&Treatment::Generalise(Generalisation::Month), ColumnKind::Date);
        let raw = StringArray::from(vec![Some("202607150830"), Some(""), Some("20260015"), None]);
        let treated = month.treat(&raw, &mut Counts::default());
        assert_eq!(treated.faults.len(), 1);
        assert_eq!(treated.faults[0].row, 2);
        assert_eq!(treated.values.null_count(), 3);
    }

    #[test]
    fn a_dropped_column_has_no_plan() {
        let keys = KeyRing::from_bytes(&[[7; 32]]);
        let scan = ColumnScan::new("cot", ColumnKind::Text, &[], &AllowList::default()).unwrap();
        assert!(ColumnPlan::new(&Treatment::Drop, &keys, scan).unwrap().is_none());
    }
}
