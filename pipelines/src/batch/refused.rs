//! Rows on their way to quarantine.

use std::collections::HashSet;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use warehouse::stage::{RowSet, StageError, Staged};

use super::{Reason, cells};

/// Rows of one batch that are kept in quarantine at most: enough to see the pattern. How many there
/// were in all is in `he_thong.lan_chay`.
const KEPT_ROWS: usize = 10_000;

/// One row on its way to quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its number in the source, from 1.
    pub number: u64,
    /// The column at fault; empty when it is the row as a whole.
    pub column: String,
    /// Why.
    pub reason: Reason,
    /// What of the row may be kept: the cells without a fault, de-identified, as JSON.
    pub content: String,
}

/// The refused rows of one batch: how many there are, and the first of them.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    count: u64,
    kept: Vec<RefusedRow>,
}

impl Refused {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those that go to quarantine, in the order of the source.
    pub fn kept(&self) -> &[RefusedRow] {
        &self.kept
    }

    /// Adds a row, made only where it is kept. Rows come in the order of the source.
    pub(super) fn add(&mut self, row: impl FnOnce() -> RefusedRow) {
        self.count += 1;
        if self.kept.len() < KEPT_ROWS {
            self.kept.push(row());
        }
    }

    /// Adds the rows of `staged` that `found` names, each set with its column and reason.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn add_found(
        &mut self,
        staged: &Staged,
        found: &[(String, Reason, RowSet)],
    ) -> Result<(), StageError> {
        self.count += found.iter().map(|(.., rows)| rows.len()).sum::<u64>();
        if found.iter().all(|(.., rows)| rows.is_empty()) {
            return Ok(());
        }
        let mut added = Vec::new();
        'all: for rows in staged.batches()? {
            let rows = rows?;
            let last = rows.num_columns() - 1;
            let numbers = rows.column(last).as_primitive::<UInt64Type>();
            for (at, &number) in numbers.values().iter().enumerate() {
                let why = found.iter().find(|(.., rows)| rows.contains(number));
                let Some((column, reason, _)) = why else { continue };
                let hidden = HashSet::from([warehouse::stage::ROW]);
                let content = cells::json(&rows, at, &hidden);
                let (column, reason) = (column.clone(), reason.clone());
                added.push(RefusedRow { number, column, reason, content });
                if added.len() == KEPT_ROWS {
                    break 'all;
                }
            }
        }
        self.kept.extend(added);
        self.kept.sort_by_key(|row| row.number);
        self.kept.truncate(KEPT_ROWS);
        Ok(())
    }

    /// Forgets what the rows hold.
    pub(super) fn forget(&mut self) {
        self.kept.iter_mut().for_each(|row| row.content.clear());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_made() {
        let (mut refused, mut made) = (Refused::default(), 0);
        for number in 1..=12_000 {
            refused.add(|| {
                made += 1;
                let (column, reason, content) = Default::default();
                RefusedRow { number, column, reason, content }
            });
        }
        assert_eq!((refused.count(), refused.kept().len(), made), (12_000, KEPT_ROWS, KEPT_ROWS));
    }
}
