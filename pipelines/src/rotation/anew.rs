//! Beginning anew where a key is lost: tokens of a new key do not join those of before, so no table
//! may hold both.
//!
//! Each table with pseudonyms is emptied, as one commit, and so asks its source for all that it has
//! the next night. The rows of before are in earlier versions only, whose files stay.

use arrow::array::RecordBatch;
use warehouse::spec::{SourceTable, arrow_schema};
use warehouse::store::{Lake, Note, Replace, Step};

use super::RotationError;
use crate::deidentify::keys::KeyRing;

/// A table that was emptied.
#[derive(Debug)]
pub struct Emptied<'a> {
    /// Which.
    pub table: &'a SourceTable,
    /// The night of its newest rows.
    pub night: chrono::NaiveDate,
}

/// Empties all tables whose tokens are of other keys; what was emptied before stays as it is.
///
/// # Errors
/// When the lake refuses. The tables before are emptied.
pub async fn begin_anew<'a>(
    lake: &Lake,
    keys: &KeyRing,
    noted: &[(&'a SourceTable, Note)],
) -> Result<Vec<Emptied<'a>>, RotationError> {
    let print = keys.fingerprint();
    let mut emptied = Vec::new();
    for (table, note) in noted {
        if note.key.as_deref() == Some(print.as_str()) {
            continue;
        }
        let none = RecordBatch::new_empty(arrow_schema(table));
        // No batch has an empty name: whatever comes next is new.
        let empty = Note {
            key: Some(print.clone()),
            ..Note::new(note.night, Step::Nap, note.part.clone(), String::new())
        };
        let replace = Replace::All { by: table.partition.as_deref() };
        lake.write(&table.name, none, replace, &empty).await?;
        emptied.push(Emptied { table, night: note.night });
    }
    Ok(emptied)
}
