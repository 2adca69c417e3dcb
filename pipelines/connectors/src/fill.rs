//! Writing made-up rows to a server, so that nights can be tried without real data.
//!
//! This is the only code of the product that writes to a source, and it does so to relations of its
//! own alone: each carries [`MARK`] as its comment, or is named in a table of marks where there are
//! no comments, and a relation without it, a real source, is refused before anything is written.
//! Rows replace those of the same key. See [`crate::postgres::fill()`], [`crate::mariadb::fill()`]
//! and [`crate::odbc::fill()`].
//!
//! Whoever reads what was made up is told so: by the mark of the relation, by the
//! [sign](crate::files::sign) beside a file, or by the header [`HEADER`] of a service's answers. A
//! view over a marked relation has no mark of its own.

/// The comment of a relation that was made here; without it nothing is written to a relation.
pub const MARK: &str = "khoyte: mô phỏng";

/// The header with which a made-up service says what its answers are.
pub const HEADER: &str = "khoyte-mo-phong";

/// A relation to be filled.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// `schema.relation`, or `database.relation`; made where it is not there.
    pub relation: &'a str,
    /// Its columns and what each holds.
    pub columns: &'a [(String, Holds)],
    /// Columns that together name a row. Rows of before whose key comes again go; those of one
    /// call stay side by side, so that a repeated key can be planted.
    pub key: &'a [String],
    /// Whether the rows of before go and none come: then of the new ones only the keys matter.
    pub is_gone: bool,
}

/// What a column holds, and how its cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Whole,
    /// An exact decimal, with a point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// A day: `2026-07-01`.
    Day,
    /// A day and time in Viet Nam: `2026-07-01T08:30:00+07:00`.
    Instant,
    /// `true` or `false`.
    Truth,
}

/// One row: a cell for each column, in their order.
pub type Cells = Vec<Option<String>>;
