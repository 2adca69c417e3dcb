//! What is read of the files: the table, and where each column comes from.

use std::collections::HashMap;

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
    tags: HashMap<Box<[u8]>, Tag>,
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
        let mut tags = HashMap::from([(Box::from(LINK.as_bytes()), Tag::Sign)]);
        for (field, &at) in fields.iter().enumerate() {
            tags.insert(columns[at].as_bytes().into(), Tag::Wanted(field));
        }
        Ok(Self { table, columns, origins, fields, tags })
    }

    /// What that tag means.
    pub(super) fn tag(&self, name: &[u8]) -> Tag {
        self.tags.get(name).copied().unwrap_or(Tag::Other)
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
