//! What is read of the files: the table, and where each column comes from.

use super::tables::Table;
use crate::{Request, SourceError};

/// The field that every table but the twelfth has in each record.
const LINK: &str = "MA_LK";

/// What a request means.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) table: &'static Table,
    /// As they were asked for.
    pub(super) columns: Vec<String>,
    /// Of each column.
    pub(super) origins: Vec<Origin>,
    /// The column of each field.
    pub(super) fields: Vec<usize>,
    tags: Tags,
}

/// Where a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// That field of the record, counted among those that are wanted.
    Field(usize),
    /// Number of the `HOSO`.
    Number,
    /// `NGAYLAP`.
    Made,
    /// `MACSKCB`.
    Facility,
}

/// What a tag in a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// That field is wanted.
    Wanted(usize),
    /// A field that shows where a record is, and is not wanted.
    Sign,
    /// Any other.
    Other,
}

impl Plan {
    /// # Errors
    /// When the setting `table` or a column is not usable.
    pub(super) fn of(request: &Request) -> Result<Self, SourceError> {
        let number = request.setting("table", "").parse().ok();
        let table = number.and_then(Table::numbered).ok_or_else(|| {
            setting(request, "table", "is the number of a table of the standard, 0 to 15")
        })?;
        if request.columns.is_empty() {
            return Err(setting(request, "columns", "names at least one field"));
        }
        let mut fields = Vec::new();
        let mut origins = Vec::new();
        for (at, column) in request.columns.iter().enumerate() {
            if request.columns[..at].contains(column) {
                return Err(setting(request, "columns", "names a field more than once"));
            }
            origins.push(match column.as_str() {
                "@HOSO" => Origin::Number,
                "@NGAYLAP" => Origin::Made,
                "@MACSKCB" => Origin::Facility,
                other if other.starts_with('@') => {
                    let (place, column) = (request.place.clone(), other.to_owned());
                    return Err(SourceError::MissingColumn { place, column });
                }
                _ => {
                    fields.push(at);
                    Origin::Field(fields.len() - 1)
                }
            });
        }
        let columns = request.columns.clone();
        let tags = Tags::new(fields.iter().map(|&at| columns[at].as_str()).collect());
        Ok(Self { table, columns, origins, fields, tags })
    }

    /// What that tag means.
    #[inline]
    pub(super) fn tag(&self, name: &[u8]) -> Tag {
        self.tags.get(name)
    }

    /// Whether a column comes from there.
    pub(super) fn wants(&self, origin: Origin) -> bool {
        self.origins.contains(&origin)
    }
}

fn setting(request: &Request, setting: &str, what: &str) -> SourceError {
    SourceError::Setting {
        place: request.place.clone(),
        setting: setting.to_owned(),
        what: what.to_owned(),
    }
}

/// Tags to fields. Each element of a record is looked up, so this is a table of its own: a hash of
/// the length and of eight bytes at both ends tells the standard's tags apart, and a probe compares
/// the whole. The names come from a contract, so nobody can choose them to collide.
#[derive(Debug)]
struct Tags {
    /// Name and meaning; a power of two of them, at most half in use.
    slots: Vec<Option<(Box<[u8]>, Tag)>>,
}

impl Tags {
    fn new(names: Vec<&str>) -> Self {
        let mut all: Vec<(&str, Tag)> =
            names.iter().enumerate().map(|(field, name)| (*name, Tag::Wanted(field))).collect();
        if !names.contains(&LINK) {
            all.push((LINK, Tag::Sign));
        }
        let mut slots = Vec::new();
        slots.resize_with((all.len() * 4).next_power_of_two(), || None);
        for (name, tag) in all {
            let mut at = place(name.as_bytes()) & (slots.len() - 1);
            while slots[at].is_some() {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = Some((name.as_bytes().into(), tag));
        }
        Self { slots }
    }

    #[inline]
    fn get(&self, name: &[u8]) -> Tag {
        let mask = self.slots.len() - 1;
        let mut at = place(name) & mask;
        while let Some((known, tag)) = &self.slots[at] {
            if **known == *name {
                return *tag;
            }
            at = (at + 1) & mask;
        }
        Tag::Other
    }
}

#[inline]
fn place(name: &[u8]) -> usize {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (word(head), word(tail)),
        _ => (name.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 0),
    };
    let mixed =
        (head ^ tail.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as usize
}
