//! Judging a column from what was seen in its cells.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::numbers::form::citizen_id_without_zeros;
use super::{ColumnKind, PatternId, Seen};

/// How many values are kept, as keyed hashes, to see how distinct a column is.
const SAMPLE: usize = 4096;
/// How many clean values of a column are known again. Most columns repeat a few.
const KNOWN: usize = 4096;
/// Fewer cells than this say nothing about a column.
const ENOUGH: u64 = 20;

/// What was seen in the cells of one column.
#[derive(Debug, Default)]
pub struct Counts {
    /// Cells that were not empty and not a value of the closed list.
    pub(super) cells: u64,
    hits: [u64; PatternId::ALL.len()],
    /// Cells that are nothing but digits, by their number: 9, 10, 11, 12.
    widths: [u64; 4],
    /// Of those, the ones that end in 0: a tenth among identifiers, most among amounts.
    round: u64,
    /// Of 10 and 11 digits, the ones that are not round, as amounts are.
    uneven: u64,
    /// Of those, the ones that are a citizen identity number but for lost zeros: all among those, a
    /// fifth among amounts.
    citizens: u64,
    pub(super) spoilt: u64,
    passports: u64,
    /// Single words of letters and digits, six and more.
    codes: u64,
    sampled: u64,
    distinct: HashSet<u64>,
    hasher: RandomState,
    /// Values in which nothing was found, by their keyed hashes, each at its place or gone for
    /// another; empty at first. That a value passes for another is a chance of 2⁻⁶⁴ that nobody who
    /// writes the cells can raise.
    known: Vec<u64>,
    /// Full dates by decade, from the 1850s.
    decades: [u64; 31],
}

impl Counts {
    /// Cells that were not empty and not a value of the closed list.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// Cells in which the pattern was found.
    pub fn hits(&self, pattern: PatternId) -> u64 {
        self.hits[pattern as usize]
    }

    pub(super) fn hit(&mut self, pattern: PatternId) {
        self.hits[pattern as usize] += 1;
    }

    /// Counts a cell before it is looked at; `year` is that of a full date.
    pub(super) fn see(&mut self, cell: &str, seen: &Seen, year: Option<i32>) {
        self.cells += 1;
        let code = seen.length >= 6 && seen.digits > 0 && seen.letters > 0 && seen.spaces == 0;
        self.codes += u64::from(code);
        if seen.length == 8 && seen.digits == 7 && cell.as_bytes()[0].is_ascii_uppercase() {
            self.passports += 1;
        }
        if let Some(year) = year {
            let decade = usize::try_from((year - 1850) / 10).unwrap_or_default();
            self.decades[decade.min(30)] += 1;
        }
        if self.sampled < SAMPLE as u64 {
            self.sampled += 1;
            self.distinct.insert(self.hasher.hash_one(cell));
        }
    }

    /// Counts a number that is nothing but digits.
    pub(super) fn suspect_number(&mut self, digits: &[u8], this_year: i32) {
        if let 9..=12 = digits.len() {
            self.widths[digits.len() - 9] += 1;
            self.round += u64::from(digits.ends_with(b"0"));
            let uneven = matches!(digits.len(), 10 | 11) && !digits.ends_with(b"00");
            self.uneven += u64::from(uneven);
            self.citizens += u64::from(uneven && citizen_id_without_zeros(digits, this_year));
        }
    }

    /// What a value is known again by.
    pub(super) fn name(&self, cell: &str) -> u64 {
        self.hasher.hash_one(cell) | 1
    }

    /// Whether nothing was found in this value before.
    pub(super) fn is_clean(&self, name: u64) -> bool {
        self.known.get(place(name)) == Some(&name)
    }

    pub(super) fn know_clean(&mut self, name: u64) {
        self.known.resize(KNOWN, 0);
        self.known[place(name)] = name;
    }

    fn share(&self, part: u64) -> f64 {
        // Cells of one night fit in 53 bits.
        if self.cells == 0 { 0.0 } else { part as f64 / self.cells as f64 }
    }

    /// Whether hardly a value comes twice.
    fn nearly_unique(&self) -> bool {
        self.sampled > 0 && self.distinct.len() as f64 > 0.9 * self.sampled as f64
    }
}

/// Where a value is known; its lowest bit is always one.
fn place(name: u64) -> usize {
    // Fewer than KNOWN.
    (name >> 1) as usize % KNOWN
}

/// What a column looks like as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No sign of identifiers.
    Clean,
    /// Signs that are not certain; the data stay and a steward is told.
    Warn(Vec<Finding>),
    /// Single cells hold identifiers; their rows are refused.
    Rows(Vec<Finding>),
    /// The column is one of identifiers, or is full of them: the batch is refused whole.
    Refuse {
        /// The identifier that most cells show.
        pattern: PatternId,
        /// All signs, that one first.
        findings: Vec<Finding>,
    },
}

/// One sign of identifiers in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Which identifier.
    pub pattern: PatternId,
    /// Cells that show it.
    pub cells: u64,
    /// Of how many that were not empty.
    pub of: u64,
}

/// Share of blocking hits from which the column, not the cell, is wrong.
const FULL: f64 = 0.02;

pub(super) fn judge(
    counts: &Counts,
    kind: ColumnKind,
    wants: impl Fn(PatternId) -> bool,
) -> Verdict {
    use super::Severity::{Block, Warn};
    let finding = |pattern, cells| Finding { pattern, cells, of: counts.cells };
    let (mut refuse, mut rows, mut warn) = (Vec::new(), Vec::new(), Vec::new());
    for pattern in PatternId::ALL.into_iter().filter(|pattern| wants(*pattern)) {
        let cells = counts.hits(pattern);
        match pattern.severity() {
            _ if cells == 0 => {}
            Warn => warn.push(finding(pattern, cells)),
            Block if cells >= 3 && counts.share(cells) >= FULL => {
                refuse.push(finding(pattern, cells))
            }
            Block => rows.push(finding(pattern, cells)),
        }
    }
    for (pattern, cells, severity) in by_column(counts, kind) {
        if wants(pattern) {
            if severity == Block { &mut refuse } else { &mut warn }.push(finding(pattern, cells));
        }
    }
    refuse.sort_by_key(|finding: &Finding| std::cmp::Reverse(finding.cells));
    if let Some(&Finding { pattern, .. }) = refuse.first() {
        refuse.append(&mut rows);
        return Verdict::Refuse { pattern, findings: refuse };
    }
    if !rows.is_empty() {
        return Verdict::Rows(rows);
    }
    if warn.is_empty() { Verdict::Clean } else { Verdict::Warn(warn) }
}

/// Signs that no single cell gives.
fn by_column(counts: &Counts, kind: ColumnKind) -> Vec<(PatternId, u64, super::Severity)> {
    use super::Severity::{Block, Warn};
    let mut signs = Vec::new();
    if counts.cells < ENOUGH {
        return signs;
    }
    let [nine, ten, eleven, twelve] = counts.widths;
    let long = nine + ten + eleven + twelve;
    let few_round = counts.round * 5 < long;
    // Amounts spread over many widths and end in zeros; identifiers have one width.
    let needed = if kind == ColumnKind::Number { 0.95 } else { 0.5 };
    let wide = |cells: u64| counts.share(cells) >= needed && few_round && counts.nearly_unique();
    if wide(nine) {
        signs.push((PatternId::Cmnd, nine, Block));
    }
    if wide(ten) {
        signs.push((PatternId::Bhxh10, ten, Block));
    }
    // Among amounts however few: of eight random numbers so long all but one are hardly ever of
    // the form.
    let lost_zeros = counts.citizens >= 8 && counts.citizens * 10 >= counts.uneven * 9;
    if wide(eleven) || lost_zeros {
        signs.push((PatternId::Cccd, eleven.max(counts.citizens), Block));
    }
    if counts.share(counts.passports) >= 0.5 && counts.nearly_unique() {
        signs.push((PatternId::Passport, counts.passports, Block));
    }
    if counts.share(counts.spoilt) >= 0.5 {
        signs.push((PatternId::DamagedNumber, counts.spoilt, Block));
    }
    if kind == ColumnKind::Text
        && counts.share(counts.codes) >= 0.9
        && counts.nearly_unique()
        && counts.cells >= 200
    {
        signs.push((PatternId::EpisodeOrRecord, counts.codes, Warn));
    }
    let dates: u64 = counts.decades.iter().sum();
    let decades = counts.decades.iter().filter(|&&cells| cells * 100 >= dates.max(1)).count();
    // Eight decades: a life, and longer than any series of reports.
    if counts.share(dates) >= 0.5 && decades >= 8 {
        signs.push((PatternId::BirthDate, dates, Block));
    }
    signs
}
