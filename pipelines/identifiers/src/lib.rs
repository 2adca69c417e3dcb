//! What identifies a person, found in cells: the leak scan of columns that are kept.
//!
//! The crate knows neither the lake nor its declarations: text goes in, the name of a pattern comes
//! out.
//!
//! It looks at raw cell text, in two ways. [`ColumnScan::cell`] judges one cell by shape, by the
//! words before a number, and by the column's header. [`ColumnScan::verdict`] judges the column
//! from what [`Counts`] gathered, because shape alone is weak: of random 12-digit numbers 1.6 %
//! pass for a citizen identity number, and nine digits may be an old identity card or an amount.
//!
//! | pattern | in one cell | by the column |
//! |---|---|---|
//! | `cccd` | 12 digits, province of the 63-list (with 028), century and year of birth not in the future; 11 digits with the zero lost, under an identity header | – |
//! | `cmnd`, `bhxh10` | 9 or 10 digits under an identity header, or after such a word in the cell | half the cells are 9 or 10 digits |
//! | `bhyt_card15`, `temp_card` | two letters, benefit digit, province, ten digits; `TE1` and 12 more | – |
//! | `mobile`, `landline`, `email` | by shape, with any grouping | – |
//! | `passport` | letter and seven digits under a header or after a word | half the cells |
//! | `person_name` | surname, then how the following words look: see `people.rs` | – |
//! | `address` | `số nhà`, `ngõ`, `thôn` … and what follows | – |
//! | `practitioner`, `gps` | by shape | – |
//! | `episode_or_record` | by header | nearly unique codes of letters and digits |
//! | `birth_date` | full date under a birth header | dates spread over a life |
//! | `damaged_number` | `1.08E+11` under an identity header; nine or more digits with a leading zero where a number should be | `E+` notation in half the cells |
//!
//! Cells are brought to one form first (NFC, ASCII digits, plain spaces and hyphens, nothing
//! invisible). A cell equal to one of a column's allowed values is clean without a look.
//!
//! A hit carries the pattern, never the content, and nothing here logs. What is missed: a lone
//! given name, a surname that is a common word with an unusual given name in capitals without
//! accents, digits spelt in words, an identifier split over two columns, a telephone number grouped
//! like a code of the list of services (`03.0467.0230`). The allow-list of columns
//! comes first; the scan is the net below it.
//!
//! # Speed
//!
//! Most cells of a claims table are codes, dates and amounts, and leave after one pass over their
//! bytes without an allocation. Measured in an optimised build on one core of a shared two-core
//! machine: 50 million codes, 9 million amounts, 8 million times
//! and other numbers of 12 digits, 3 million drug names without accents (25 characters), 0.7
//! million disease names with accents (60 characters) a second. A night's 6 million claim lines of
//! 30 columns, three of them text, take one core less than a minute.
//!
//! # False alarms
//!
//! As free text, without an allow-list: none in the 12,137 Vietnamese titles of ICD-10 and the
//! 73,632 cells of the list of equivalent services, as they are and in capitals. Two in a hundred
//! communes (without the word Xã or Phường before them) and one in a hundred facilities are named
//! after persons, or look so: such columns are checked against a list, allow `person_name`, or
//! give their names in an [`AllowList`].

mod dates;
mod digits;
mod header;
mod people;
mod shapes;
pub mod text;
mod verdict;

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Utc};

pub use self::digits::is_citizen_id;
use self::header::Header;
pub use self::people::AllowList;
pub use self::verdict::{Counts, Finding, Verdict};

/// A kind of identifier that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PatternId {
    /// Citizen identity (personal identification) number, 12 digits (Decree 137/2015, Điều 13).
    Cccd,
    /// Old identity card, 9 digits.
    Cmnd,
    /// Passport.
    Passport,
    /// Health-insurance card of 15 characters (Decision 1351/QĐ-BHXH).
    BhytCard15,
    /// Social-insurance number of 10 digits (Decision 1666/QĐ-BHXH).
    Bhxh10,
    /// Temporary card of a newborn.
    TempCard,
    /// Mobile telephone.
    Mobile,
    /// Telephone with an area code.
    Landline,
    /// Electronic mail address.
    Email,
    /// Full date of birth.
    BirthDate,
    /// A person's full name.
    PersonName,
    /// An address below the commune.
    Address,
    /// Number of an episode, a record or a patient.
    EpisodeOrRecord,
    /// Practice certificate of a health worker.
    Practitioner,
    /// A point finer than about 100 metres.
    Gps,
    /// A long number that a spreadsheet has spoilt, or that cannot be a number.
    DamagedNumber,
}

/// What a hit asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Is counted and shown: facilities have telephones and coordinates too.
    Warn,
    /// The row is refused; many of them refuse the batch.
    Block,
}

impl PatternId {
    /// All patterns, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Cccd,
        Self::Cmnd,
        Self::Passport,
        Self::BhytCard15,
        Self::Bhxh10,
        Self::TempCard,
        Self::Mobile,
        Self::Landline,
        Self::Email,
        Self::BirthDate,
        Self::PersonName,
        Self::Address,
        Self::EpisodeOrRecord,
        Self::Practitioner,
        Self::Gps,
        Self::DamagedNumber,
    ];

    /// The word that `allow_patterns` uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cccd => "cccd",
            Self::Cmnd => "cmnd",
            Self::Passport => "passport",
            Self::BhytCard15 => "bhyt_card15",
            Self::Bhxh10 => "bhxh10",
            Self::TempCard => "temp_card",
            Self::Mobile => "mobile",
            Self::Landline => "landline",
            Self::Email => "email",
            Self::BirthDate => "birth_date",
            Self::PersonName => "person_name",
            Self::Address => "address",
            Self::EpisodeOrRecord => "episode_or_record",
            Self::Practitioner => "practitioner",
            Self::Gps => "gps",
            Self::DamagedNumber => "damaged_number",
        }
    }

    /// What it is, with its article, for a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Cccd => "a citizen identity number",
            Self::Cmnd => "an old identity card number",
            Self::Passport => "a passport number",
            Self::BhytCard15 => "a health-insurance card number",
            Self::Bhxh10 => "a social-insurance number",
            Self::TempCard => "a newborn's temporary card number",
            Self::Mobile => "a mobile telephone number",
            Self::Landline => "a telephone number",
            Self::Email => "an e-mail address",
            Self::BirthDate => "a full date of birth",
            Self::PersonName => "a person's name",
            Self::Address => "a house-level address",
            Self::EpisodeOrRecord => "an episode or record number",
            Self::Practitioner => "a practice certificate number",
            Self::Gps => "a point on the map",
            Self::DamagedNumber => "a long number that a spreadsheet has spoilt",
        }
    }

    /// The same in Vietnamese, for pages.
    pub fn noun_vi(self) -> &'static str {
        match self {
            Self::Cccd => "số định danh cá nhân (CCCD)",
            Self::Cmnd => "số chứng minh nhân dân",
            Self::Passport => "số hộ chiếu",
            Self::BhytCard15 => "mã thẻ bảo hiểm y tế",
            Self::Bhxh10 => "mã số bảo hiểm xã hội",
            Self::TempCard => "mã thẻ tạm của trẻ sơ sinh",
            Self::Mobile => "số điện thoại di động",
            Self::Landline => "số điện thoại",
            Self::Email => "địa chỉ thư điện tử",
            Self::BirthDate => "ngày sinh đầy đủ",
            Self::PersonName => "họ tên người",
            Self::Address => "địa chỉ nơi ở",
            Self::EpisodeOrRecord => "mã đợt điều trị hoặc hồ sơ",
            Self::Practitioner => "số chứng chỉ hành nghề",
            Self::Gps => "tọa độ",
            Self::DamagedNumber => "số dài bị bảng tính làm hỏng",
        }
    }

    /// What a hit in one cell asks for.
    pub fn severity(self) -> Severity {
        match self {
            Self::Gps => Severity::Warn,
            _ => Severity::Block,
        }
    }

    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word in `allow_patterns` that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no identifier pattern `{0}`")]
pub struct ScanError(pub String);

impl FromStr for PatternId {
    type Err = ScanError;

    fn from_str(word: &str) -> Result<Self, ScanError> {
        Self::ALL
            .into_iter()
            .find(|pattern| pattern.as_str() == word)
            .ok_or_else(|| ScanError(word.to_owned()))
    }
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
        if let Some(counts) = counts.as_deref_mut() {
            counts.see(trimmed, &seen);
        }
        if seen.is_harmless() && !self.header.speaks() {
            return None;
        }
        let clean = text::clean(trimmed);
        let seen =
            if clean.is_ascii() && trimmed.len() == clean.len() { seen } else { Seen::of(&clean) };
        let wants = |pattern: &PatternId| self.wants(*pattern);
        self.by_header(&clean, &seen)
            .filter(wants)
            .or_else(|| self.by_kind(&clean, counts.as_deref_mut()))
            .or_else(|| self.by_shape(&clean, &seen, counts))
    }

    /// What only the header tells.
    fn by_header(&self, cell: &str, seen: &Seen) -> Option<PatternId> {
        let Header { episode, name, address, practitioner, .. } = self.header;
        let text = self.kind == ColumnKind::Text;
        if episode && text && seen.digits > 0 {
            return Some(PatternId::EpisodeOrRecord);
        }
        if practitioner && text && seen.digits >= 3 {
            return Some(PatternId::Practitioner);
        }
        if name && people::could_be_name(cell) {
            return Some(PatternId::PersonName);
        }
        if address && text && (seen.digits > 0 || seen.commas > 0) && seen.spaces > 0 {
            return Some(PatternId::Address);
        }
        None
    }

    /// A cell that is what its column says: a number, a date.
    fn by_kind(&self, cell: &str, counts: Option<&mut Counts>) -> Option<PatternId> {
        let wants = |pattern: &PatternId| self.wants(*pattern);
        match self.kind {
            ColumnKind::Number => {
                digits::number(cell, &self.header, self.this_year, counts).filter(wants)
            }
            ColumnKind::Date if self.header.birth => {
                dates::full_date(cell).map(|_| PatternId::BirthDate).filter(wants)
            }
            _ => None,
        }
    }

    fn by_shape(&self, cell: &str, seen: &Seen, counts: Option<&mut Counts>) -> Option<PatternId> {
        let is_number = self.kind == ColumnKind::Number && digits::reads_as_number(cell);
        let is_date = self.kind == ColumnKind::Date && dates::full_date(cell).is_some();
        if is_number || is_date {
            return None;
        }
        let wants = |pattern: &PatternId| self.wants(*pattern);
        let number = || {
            let allowed = |pattern| self.wants(pattern);
            digits::find(cell, &self.header, self.this_year, counts, &allowed)
        };
        (seen.digits >= 8 || seen.plus || self.header.speaks())
            .then(number)
            .flatten()
            .or_else(|| shapes::find(cell, seen, &self.header, &wants))
            .or_else(|| self.by_words(cell, seen))
    }

    /// Names and addresses.
    fn by_words(&self, cell: &str, seen: &Seen) -> Option<PatternId> {
        let joined = seen.spaces > 0 || seen.joints > 0;
        if !joined || seen.letters + usize::from(seen.marked) < 2 {
            return None;
        }
        let words = people::split(cell);
        if self.wants(PatternId::PersonName) && people::holds_name(&words, &self.phrases) {
            return Some(PatternId::PersonName);
        }
        let address = self.wants(PatternId::Address) && people::holds_address(&words);
        address.then_some(PatternId::Address)
    }
}

/// What one pass over a cell's bytes shows.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    length: usize,
    digits: usize,
    letters: usize,
    spaces: usize,
    commas: usize,
    /// `_`, `-`, `.`: what may join the words of a name.
    joints: usize,
    slashes: usize,
    at: bool,
    plus: bool,
    marked: bool,
}

impl Seen {
    fn of(cell: &str) -> Self {
        let mut seen = Self { length: cell.len(), ..Self::default() };
        for byte in cell.bytes() {
            match byte {
                b'0'..=b'9' => seen.digits += 1,
                b'a'..=b'z' | b'A'..=b'Z' => seen.letters += 1,
                b' ' | b'\t' | b'\n' | b'\r' => seen.spaces += 1,
                b',' | b';' => seen.commas += 1,
                b'_' | b'-' | b'.' => seen.joints += 1,
                b'/' => seen.slashes += 1,
                b'@' => seen.at = true,
                b'+' => seen.plus = true,
                128.. => seen.marked = true,
                _ => {}
            }
        }
        seen
    }

    /// Too short and too plain for any pattern that needs no header: no address sign, fewer than
    /// eight digits, and not two words.
    fn is_harmless(&self) -> bool {
        let one_word = self.spaces == 0 && (self.joints == 0 || self.letters < 4);
        !self.at
            && !self.marked
            && self.digits < 8
            && (self.length < 4 || one_word)
            && self.slashes == 0
    }
}

#[cfg(test)]
mod tests;
