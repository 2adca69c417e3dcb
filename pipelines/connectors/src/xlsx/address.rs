//! Addresses of cells as people write them: `B6`, `B6:M70`.

use std::fmt;

/// Rows of a sheet at most.
pub(super) const ROWS: u32 = 1_048_576;

/// Columns of a sheet at most.
pub(super) const COLUMNS: u32 = 16_384;

/// A cell's place; both numbers begin at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) row: u32,
    pub(super) column: u32,
}

impl Address {
    /// Reads `B6`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_uppercase())?;
        let (letters, digits) = text.split_at(end);
        Some(Self { row: row(digits)?, column: column(letters)? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", letters(self.column), self.row + 1)
    }
}

/// Part of a sheet; its ends are within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) top: u32,
    pub(super) left: u32,
    /// The last row; `None` for the last with anything.
    pub(super) bottom: Option<u32>,
    pub(super) right: u32,
}

impl Area {
    /// The whole of a sheet.
    pub(super) const SHEET: Self = Self { top: 0, left: 0, bottom: None, right: COLUMNS - 1 };

    /// Reads `B6:M70` or `B6:M`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once(':')?;
        let first = Address::parse(first)?;
        let (right, bottom) = match column(last) {
            Some(right) => (right, None),
            None => Address::parse(last).map(|last| (last.column, Some(last.row)))?,
        };
        let ordered = first.column <= right && bottom.is_none_or(|bottom| first.row <= bottom);
        ordered.then_some(Self { top: first.row, left: first.column, bottom, right })
    }

    /// Whether a cell is within it.
    pub(super) fn has(&self, at: Address) -> bool {
        at.row >= self.top
            && self.bottom.is_none_or(|bottom| at.row <= bottom)
            && self.has_column(at.column)
    }

    /// Whether a column is within it.
    pub(super) fn has_column(&self, column: u32) -> bool {
        (self.left..=self.right).contains(&column)
    }
}

/// Reads a column's letters.
pub(super) fn column(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let mut number = 0;
    for letter in letters.bytes() {
        if !letter.is_ascii_uppercase() {
            return None;
        }
        number = number * 26 + u32::from(letter - b'A') + 1;
    }
    (number <= COLUMNS).then(|| number - 1)
}

/// Reads a row's number.
pub(super) fn row(digits: &str) -> Option<u32> {
    if digits.is_empty() || digits.len() > 7 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u32 = digits.parse().ok()?;
    (1..=ROWS).contains(&number).then(|| number - 1)
}

/// A column's letters.
fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = (rest - 1) % 26;
        letters.push(char::from_digit(digit + 10, 36).map_or('?', |c| c.to_ascii_uppercase()));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["A1", "Z9", "AA10", "AZ1", "BA1", "ZZ1", "AAA1", "XFD1048576"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Address::parse("C7"), Some(Address { row: 6, column: 2 }));
        for wrong in ["", "A", "7", "A0", "XFE1", "A1048577", "a1", "A1B", "A-1", "A+1", "ABCD1"] {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_area_has_its_ends() {
        let area = Area::parse("B6:M70").unwrap();
        assert_eq!(area, Area { top: 5, left: 1, bottom: Some(69), right: 12 });
        let has = |text| area.has(Address::parse(text).unwrap());
        assert!(has("B6") && has("M70") && !has("A6") && !has("N6") && !has("B5") && !has("B71"));
        assert_eq!(Area::parse("B6:M").unwrap().bottom, None);
        for wrong in ["B6", "B6:", ":M", "M6:B70", "B70:M6", "B:M", "B6:M70:N80"] {
            assert_eq!(Area::parse(wrong), None, "{wrong}");
        }
    }
}
