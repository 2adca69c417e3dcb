//! One field of a table, and what can be wrong with it.

use std::ops::Range;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::number::{BadNumber, Exact};
use super::table::Table;

/// The figures of one row that belong together.
pub(super) struct Contributions {
    pub(super) value: Option<Exact>,
    pub(super) contributors: Option<i128>,
    pub(super) largest: Option<Exact>,
    pub(super) second: Option<Exact>,
}

/// Reads the fields of one row; the cell's name goes into every fault.
pub(super) struct FieldReader<'t> {
    pub(super) table: &'t Table,
    pub(super) fields: &'t [(String, Range<usize>)],
    pub(super) cell: String,
}

impl FieldReader<'_> {
    /// What stands in a column.
    pub(super) fn text(&self, at: usize) -> &str {
        &self.fields[at].0
    }

    /// A fault at a column of the row.
    pub(super) fn fault(&self, at: usize, code: &'static str, message: String) -> Diagnostic {
        Diagnostic::error(&self.table.name, code, message).at(self.fields[at].1.clone())
    }

    /// A number that is not negative.
    pub(super) fn number(&self, at: usize, faults: &mut Faults) -> Option<Exact> {
        let column = &self.table.header[at];
        let here = format!("in `{column}` of the cell {}", self.cell);
        let bad = match Exact::parse(&self.fields[at].0) {
            Ok((number, is_float)) => {
                if is_float {
                    self.tell_of_floats(column, faults);
                }
                return Some(number);
            }
            Err(bad) => bad,
        };
        let fault = match bad {
            BadNumber::NotFinite => self
                .fault(at, "not-finite", format!("a value that is not finite {here}"))
                .help("leave the row out, or find the figure"),
            BadNumber::Negative => self
                .fault(at, "negative-value", format!("a negative value {here}"))
                .help("the gate protects sums of contributions, which are never negative"),
            BadNumber::TooLong => self
                .fault(at, "too-long", format!("more digits than can be kept exactly {here}"))
                .help("give the measure in larger units"),
            BadNumber::NotANumber => self
                .fault(at, "not-a-number", format!("not a number {here}"))
                .help("a plain decimal with a point and no separators: 1234.5"),
        };
        faults.push(fault);
        None
    }

    /// Says once of a column that it holds floats.
    fn tell_of_floats(&self, column: &str, faults: &mut Faults) {
        let message = format!("`{column}` holds binary floats; they are read to 15 digits");
        let is_told = |told: &Diagnostic| told.path == self.table.name && told.message == message;
        if !faults.found().iter().any(is_told) {
            let fault = Diagnostic::warning(&self.table.name, "read-as-float", message).at(0..0);
            faults.push(fault.help("write decimals, to be sure of what is published"));
        }
    }

    /// The number as a count.
    pub(super) fn whole(
        &self,
        at: usize,
        number: Exact,
        what: &str,
        faults: &mut Faults,
    ) -> Option<i128> {
        if number.scale == 0 {
            return Some(number.mantissa);
        }
        let message = format!("a fraction of {what} at the cell {}", self.cell);
        let help = "counts are whole; for a magnitude name the column `contributors`";
        faults.push(self.fault(at, "fraction", message).help(help));
        None
    }

    /// Whether the contributions fit the measure in column `at`.
    pub(super) fn check_contributions(&self, row: &Contributions, at: usize, faults: &mut Faults) {
        let units = |number: Option<Exact>| number.map(|n| n.units(9));
        let (value, largest, second) = (units(row.value), units(row.largest), units(row.second));
        if let (Some(value), Some(largest)) = (value, largest)
            && largest + second.unwrap_or(0) > value
        {
            let message = format!("the largest contributions exceed the cell {}", self.cell);
            faults.push(self.fault(at, "largest-exceeds", message));
        }
        if largest.zip(second).is_some_and(|(first, second)| second > first) {
            let message = format!("`second` exceeds `largest` at the cell {}", self.cell);
            faults.push(self.fault(at, "largest-exceeds", message).help("swap the two columns"));
        }
        if row.contributors == Some(1)
            && largest.zip(value).is_some_and(|(first, all)| first != all)
        {
            let message = format!("the only contributor is not all of the cell {}", self.cell);
            let fault = self.fault(at, "largest-differs", message);
            faults.push(fault.help("correct the number of contributors or the largest"));
        }
        if row.contributors == Some(0) && value.is_some_and(|value| value > 0) {
            let message = format!("nobody contributes to the cell {}, yet it is not 0", self.cell);
            faults.push(self.fault(at, "nobody-contributes", message));
        }
    }
}
