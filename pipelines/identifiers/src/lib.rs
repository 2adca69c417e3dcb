//! What identifies a person, found in cells: the leak scan of columns that are kept.
//!
//! The crate knows neither the lake nor its declarations: text goes in, the name of a pattern comes
//! out. [`ColumnScan::cell`] judges one cell by shape, by the words around a number, and by the
//! column's header. [`ColumnScan::verdict`] judges the column from what [`Counts`] gathered, because
//! shape alone is weak: of random 12-digit numbers 1.6 % pass for a citizen identity number, and
//! nine digits may be an old identity card or an amount.
//!
//! | pattern | in one cell | by the column |
//! |---|---|---|
//! | `cccd` | 12 digits, province of the 63-list (with 028), century and year of birth not in the future; any 12 after a word; 11 and 10 digits with the zeros lost, after a word | numbers of 10 and 11 digits that are nearly all of this form but for the zeros, however few among amounts |
//! | `cmnd`, `bhxh10` | 9 or 10 digits after such a word, under such a header, or where the cell speaks of a person; 9 digits with a zero in front | half the cells are 9 or 10 digits |
//! | `bhyt_card15`, `temp_card` | two letters, benefit digit, place (army and police too), ten digits; `TE1` and 12 more | – |
//! | `mobile`, `landline` | by shape, the eleven digits of before 2018 and `84` too; local numbers after a word | – |
//! | `payment_card`, `tax_code` | issuer and check digit; after a word | – |
//! | `driving_licence`, `bank_account`, `officer`, `civil_paper`, `plate` | after a word; plates also in their full form | – |
//! | `passport` | letter and seven or eight digits under a header or after a word; the lines for machines | half the cells |
//! | `email`, `social_account` | by shape, and as people hide them: `(at)`, `a còng`, `chấm com`; after the network's name | – |
//! | `person_name` | see `names.rs` | – |
//! | `address` | `số nhà`, `ngõ`, `thôn` … and what follows; a number, a street and a ward | – |
//! | `practitioner`, `gps` | by shape; certificates after a word too | – |
//! | `episode_or_record` | by header, or after a word | nearly unique codes of letters and digits |
//! | `birth_date` | full date under a birth header, or after a word in any writing | dates spread over a life |
//! | `damaged_number` | `1.08E+11` under an identity header; nine or more digits with a leading zero where a number should be | `E+` notation in half the cells |
//!
//! # How a cell is read
//!
//! A reader sees through a disguise, so the scan reads a cell as one would, in several ways; a hit in
//! any of them is a hit:
//!
//! 1. As it stands, in one form (`normal.rs`): digits of all scripts, letters that look like Latin
//!    ones, every kind of space, sign and invisible character.
//! 2. With its digits joined over whatever parts them (`numbers/row.rs`), save for dates, times,
//!    amounts, lists and codes.
//! 3. With numbers in words as digits (`spoken.rs`), letters as the digits that they look like, and
//!    the other way round, backwards and on its head (`hidden.rs`).
//! 4. Decoded: old encodings of Vietnamese (`legacy.rs`), before anything else is done to them, and
//!    layers of escapes, entities, base64 (`escapes.rs`).
//!
//! A hit carries the pattern, never the content, and nothing here logs. A cell equal to one of a
//! column's allowed values is clean without a look. The allow-list of columns comes first; the scan
//! is the net below it.
//!
//! # What is measured, and what is missed
//!
//! `tests/corpus.rs` asserts recall and precision over some 3,900 invented identifiers in a hundred
//! disguises and 1,700 honest cells; `tests/disguises.rs` that ten disguises on top of each other
//! hide nothing; `tests/public_data.rs` that no column of the public data is refused. The corpus
//! was at hand when this was written, so it shows that a change breaks nothing, not how a stranger's
//! data fare. For that: of 3,000 names drawn by how frequent their syllables are, in a sentence, 1 %
//! are missed in title case, 8 % in capitals and 17 % in lower case; without accents 2 % in title
//! case, but 41 % in capitals and 59 % in lower case, where nearly every surname is another word
//! too; after a title (`BN`, `bà`) 1 % and 12 %.
//!
//! What is known to pass is in `corpus/limits.tsv`: ciphers and codes of other trades, a lone given
//! name, names in scripts other than Latin, nine digits or a passport's number alone in one cell (a
//! column of them is refused). Besides: an identifier split over two columns, a birth known only by
//! its year, a telephone number grouped like a code of the list of services (`03.0467.0230`), and
//! whoever means to deceive, and has the source of this.
//!
//! # Speed
//!
//! Most cells of a claims table are codes, dates and amounts, and leave after one pass over their
//! bytes without an allocation; readings that cost are behind signs that are cheap to see. Measured
//! by `examples/speed.rs` in an optimised build on one core of a busy two-core machine: 46 million
//! codes, 20 to 32 million dates and times, 13 million amounts, 1.8 million drug names without
//! accents (25 characters), 1.2 million disease names with accents (50 characters), 0.2 million
//! sentences of notes (90 characters, with numbers) a second. A night's 6 million claim lines of 30
//! columns, three of them text, take one core less than half a minute.
//!
//! # False alarms
//!
//! As free text, without an allow-list: none in the 12,137 Vietnamese titles of ICD-10 and the
//! names of the list of equivalent services, as they are, in capitals and in lower case. Two in a
//! hundred communes (without the word Xã or Phường before them) and two in a hundred facilities are
//! named after persons, or look so: such columns are checked against a list, allow `person_name`
//! and `address`, or give their names in an [`AllowList`].

mod address;
mod birth;
mod contact;
mod dates;
mod escapes;
mod foreign;
mod header;
mod hidden;
mod labels;
mod legacy;
mod letters;
mod lexicon;
mod names;
mod normal;
mod numbers;
mod pattern;
mod seen;
mod shapes;
mod spoken;
pub mod text;
mod verdict;
mod words;

use std::borrow::Cow;

use chrono::{Datelike, Utc};

use self::header::Header;
use self::labels::{Found, Label};
pub use self::names::AllowList;
use self::names::Names;
use self::numbers::Context;
pub use self::pattern::{PatternId, ScanError, Severity};
use self::seen::Seen;
pub use self::verdict::{Counts, Finding, Verdict};
use self::words::Word;

/// Whether the twelve digits can be a citizen identity number by now: province of registration,
/// then sex and century, then year of birth (Circular 07/2016/TT-BCA, Điều 7). It has no check
/// digit.
pub fn is_citizen_id(digits: &str) -> bool {
    numbers::form::citizen_id(digits.as_bytes(), Utc::now().year())
}

/// What a kept column holds, which decides what is strange in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, free or by a pattern.
    Text,
    /// Whole or decimal numbers. What does not read as one is looked at as text.
    Number,
    /// Dates. What does not read as one is looked at as text.
    Date,
}

/// The scan of one column, made once and used for all its cells, from any thread.
#[derive(Debug)]
pub struct ColumnScan {
    kind: ColumnKind,
    header: Header,
    allowed: u32,
    phrases: AllowList,
    this_year: i32,
}

impl ColumnScan {
    /// A scan for a column. `header` is all that the column is called: its name in the source, in
    /// the lake, its label. `allow_patterns` are patterns that are expected and mean no person;
    /// `phrases` are names of places and facilities that look like names of persons.
    ///
    /// # Errors
    /// When `allow_patterns` has a word that is no pattern.
    pub fn new(
        header: &str,
        kind: ColumnKind,
        allow_patterns: &[String],
        phrases: &AllowList,
    ) -> Result<Self, ScanError> {
        let mut allowed = 0;
        for word in allow_patterns {
            allowed |= word.parse::<PatternId>()?.bit();
        }
        Ok(Self {
            kind,
            header: Header::read(header),
            allowed,
            phrases: phrases.clone(),
            this_year: Utc::now().year(),
        })
    }

    /// The identifier that the cell holds, if any.
    pub fn cell(&self, raw: &str) -> Option<PatternId> {
        self.find(raw, None)
    }

    /// As [`ColumnScan::cell`], and adds what it saw to `counts`.
    pub fn look(&self, raw: &str, counts: &mut Counts) -> Option<PatternId> {
        let hit = self.find(raw, Some(counts));
        if let Some(pattern) = hit {
            counts.hit(pattern);
        }
        hit
    }

    /// What the whole column looks like. See [`Verdict`].
    pub fn verdict(&self, counts: &Counts) -> Verdict {
        verdict::judge(counts, self.kind, |pattern| self.wants(pattern))
    }

    fn wants(&self, pattern: PatternId) -> bool {
        self.allowed & pattern.bit() == 0
    }

    fn find(&self, raw: &str, mut counts: Option<&mut Counts>) -> Option<PatternId> {
        let trimmed = raw.trim_ascii();
        if trimmed.is_empty() {
            return None;
        }
        let seen = Seen::of(trimmed);
        let year = seen.may_be_date().then(|| dates::full_date(trimmed)).flatten();
        if let Some(counts) = counts.as_deref_mut() {
            counts.see(trimmed, &seen, year);
        }
        if self.kind == ColumnKind::Date && year.is_some() {
            let born = self.header.says(Label::Birth) && self.wants(PatternId::BirthDate);
            return born.then_some(PatternId::BirthDate);
        }
        if seen.is_harmless() && !self.header.speaks() {
            return None;
        }
        if let Some(done) = self.by_kind(trimmed, &seen, counts.as_deref_mut()) {
            return done;
        }
        let Some(counts) = counts else { return self.read_all(trimmed, seen, None) };
        let name = counts.name(trimmed);
        if counts.is_clean(name) {
            return None;
        }
        let spoilt = counts.spoilt;
        let found = self.read_all(trimmed, seen, Some(counts));
        if found.is_none() && counts.spoilt == spoilt {
            counts.know_clean(name);
        }
        found
    }

    /// Looks at a cell in all its readings.
    fn read_all(&self, cell: &str, seen: Seen, counts: Option<&mut Counts>) -> Option<PatternId> {
        let clean = if seen.strange { normal::normal(cell) } else { Cow::Borrowed(cell) };
        let seen_clean = if seen.strange { Seen::of(&clean) } else { seen };
        self.read(&clean, &seen_clean, counts).or_else(|| {
            let others = hidden::of_raw(cell, &clean, &seen);
            others.iter().find_map(|other| self.read(other, &Seen::of(other), None))
        })
    }

    /// A cell that is what its column says, or nothing but digits: no other reading is needed.
    fn by_kind(
        &self,
        cell: &str,
        seen: &Seen,
        counts: Option<&mut Counts>,
    ) -> Option<Option<PatternId>> {
        let wants = |pattern: &PatternId| self.wants(*pattern);
        match self.kind {
            ColumnKind::Number if numbers::reads_as_number(cell) => {
                Some(numbers::number(cell, self.header, self.this_year, counts).filter(wants))
            }
            _ if seen.is_number() && seen.length < 18 && !self.header.says(Label::Birth) => {
                if let Some(counts) = counts {
                    counts.suspect_number(cell.as_bytes(), self.this_year);
                }
                let found = numbers::alone(cell.as_bytes(), self.header, self.this_year);
                let zero = seen.length == 9 && cell.starts_with('0');
                let old = zero && numbers::form::may_be_old_card(cell.as_bytes());
                let found = found.or(old.then_some(PatternId::Cmnd)).filter(wants);
                (found.is_some() || !self.header.speaks()).then_some(found)
            }
            _ => None,
        }
    }

    /// Looks at one reading of a cell, in normal form, and at what may be hidden in it.
    fn read(&self, cell: &str, seen: &Seen, counts: Option<&mut Counts>) -> Option<PatternId> {
        let (words, flags) = words::split(cell);
        let labels = labels::in_cell(&words, flags);
        let reading = Reading { cell, seen, words: &words, flags, labels: &labels, certain: false };
        self.look_at(reading, counts).or_else(|| {
            let spoken = spoken::as_digits(cell, &words, flags);
            spoken
                .and_then(|spoken| self.read_spoken(&spoken))
                .or_else(|| {
                    let digits = hidden::as_digits(cell, seen, !labels.is_empty());
                    digits.iter().find_map(|one| self.read_once(one, true))
                })
                .or_else(|| {
                    let others = hidden::of_normal(cell, seen, &words, flags);
                    others.iter().find_map(|one| self.read_once(one, false))
                })
        })
    }

    /// Looks at a reading and no deeper; `certain` where a number must be one by its form or by a
    /// word.
    fn read_once(&self, cell: &str, certain: bool) -> Option<PatternId> {
        let (words, flags) = words::split(cell);
        let labels = labels::in_cell(&words, flags);
        let seen = Seen::of(cell);
        let reading = Reading { cell, seen: &seen, words: &words, flags, labels: &labels, certain };
        self.look_at(reading, None)
    }

    fn look_at(&self, reading: Reading<'_>, counts: Option<&mut Counts>) -> Option<PatternId> {
        self.by_header(reading)
            .filter(|pattern| self.wants(*pattern))
            .or_else(|| self.by_digits(reading, counts))
            .or_else(|| self.by_words(reading))
    }

    /// A text whose numbers in words have become digits.
    fn read_spoken(&self, cell: &str) -> Option<PatternId> {
        self.read_once(cell, false).or_else(|| {
            let digits = numbers::longest(cell);
            let pattern = match digits {
                9 => PatternId::Cmnd,
                10 => PatternId::Bhxh10,
                12 => PatternId::Cccd,
                13..=19 => PatternId::BankAccount,
                _ => return None,
            };
            Some(pattern).filter(|pattern| self.wants(*pattern))
        })
    }

    /// What only the header tells.
    fn by_header(&self, reading: Reading<'_>) -> Option<PatternId> {
        if !self.header.speaks() {
            return None;
        }
        let Reading { cell, seen, .. } = reading;
        let says = |label| self.header.says(label);
        let text = self.kind == ColumnKind::Text;
        if says(Label::Record) && text && seen.digits > 0 {
            return Some(PatternId::EpisodeOrRecord);
        }
        if says(Label::Practitioner) && text && seen.digits >= 3 {
            return Some(PatternId::Practitioner);
        }
        if says(Label::Name) && names::could_be_name(self.names(reading)) {
            return Some(PatternId::PersonName);
        }
        if says(Label::Address) && text && (seen.digits > 0 || seen.commas > 0) && seen.spaces > 0 {
            return Some(PatternId::Address);
        }
        if says(Label::Birth) && dates::full_date(cell).is_some() {
            return Some(PatternId::BirthDate);
        }
        None
    }

    /// Numbers, and identifiers of letters and digits.
    fn by_digits(&self, reading: Reading<'_>, counts: Option<&mut Counts>) -> Option<PatternId> {
        let Reading { cell, seen, words, labels, .. } = reading;
        let wants = |pattern| self.wants(pattern);
        if let Some(power) = numbers::exponent(cell) {
            return numbers::spoilt(power, self.header, counts).filter(|pattern| wants(*pattern));
        }
        let person = seen.digits >= 4 && !reading.certain && speaks_of_a_person(reading);
        let context = Context {
            header: self.header,
            labels,
            person,
            certain: reading.certain,
            this_year: self.this_year,
        };
        let numbers = seen.digits >= 8
            || seen.plus
            || seen.digits >= 4 && (!labels.is_empty() || self.header.speaks());
        let number = numbers.then(|| numbers::find(cell, context, &wants)).flatten();
        number
            .or_else(|| {
                let born = seen.digits >= 4
                    && labels.iter().any(|found| found.label == Label::Birth)
                    && birth::holds_birth(cell, words, labels, person, self.this_year);
                born.then_some(PatternId::BirthDate).filter(|pattern| wants(*pattern))
            })
            .or_else(|| {
                let shaped =
                    seen.digits >= 3 && (seen.letters >= 1 || seen.joints >= 2) || seen.angles;
                shaped.then(|| shapes::find(cell, seen, self.header, labels, &wants)).flatten()
            })
            .or_else(|| contact::find(cell, seen, labels, reading.flags, &wants))
    }

    /// Names and addresses.
    fn by_words(&self, reading: Reading<'_>) -> Option<PatternId> {
        let Reading { cell, words, flags, labels, .. } = reading;
        if self.wants(PatternId::PersonName) && names::holds_name(self.names(reading)) {
            return Some(PatternId::PersonName);
        }
        let address = self.wants(PatternId::Address)
            && words.len() > 1
            && address::holds_address(cell, words, flags, labels);
        address.then_some(PatternId::Address)
    }

    fn names<'a>(&'a self, reading: Reading<'a>) -> Names<'a> {
        let Reading { cell, words, flags, .. } = reading;
        Names { text: cell, words, flags, allowed: &self.phrases }
    }
}

/// Whether a title of a person stands before any of the words.
fn speaks_of_a_person(reading: Reading<'_>) -> bool {
    let Reading { cell, words, flags, .. } = reading;
    flags & (lexicon::TITLE | lexicon::TITLE_END) != 0
        && (1..words.len())
            .any(|at| names::is_titled(words, at) && numbers::is_person(words[at - 1].text(cell)))
}

/// One reading of a cell, taken apart.
#[derive(Clone, Copy)]
struct Reading<'a> {
    cell: &'a str,
    seen: &'a Seen,
    words: &'a [Word],
    flags: lexicon::Flags,
    labels: &'a [Found],
    /// Whether only certain forms of numbers count.
    certain: bool,
}

#[cfg(test)]
mod tests;
