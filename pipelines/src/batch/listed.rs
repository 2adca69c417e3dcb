//! The keys that a source has, as the lake holds them: what of the lake is not among them, the source
//! has deleted.
//!
//! A key goes the way of any cell: it is treated, scanned and typed as its column says before it is
//! put down. One with a fault is null there. A row that is refused for something else counts: its
//! source has it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use connectors::Snapshot;
use futures::StreamExt;
use warehouse::spec::{SourceTable, arrow_schema};
use warehouse::stage::{Stage, StageError, Staged};

use super::content::Content;
use super::{BatchError, Columns, Reason, Tools};

/// All keys of a source.
#[derive(Debug)]
pub struct Listed {
    /// The columns of the key, in its order; a key may come again. None where a column leaks.
    pub rows: Staged,
    /// What the keys are called: equal names mean equal keys, in whatever order they came.
    pub content: String,
    /// Columns that as a whole look like identifiers.
    pub leaking_columns: Vec<(String, Reason)>,
}

/// Keys that are being put down.
pub(super) struct Listing {
    schema: SchemaRef,
    stage: Stage,
    content: Content,
}

impl Listing {
    pub(super) fn new(table: &SourceTable) -> Result<Self, BatchError> {
        let all = arrow_schema(table);
        let fields = table.key.iter().map(|name| all.field_with_name(name).cloned());
        let fields = fields.collect::<Result<Vec<_>, _>>().map_err(BatchError::Shape)?;
        let schema = Arc::new(Schema::new(fields));
        let stage = Stage::new(Arc::clone(&schema))?;
        Ok(Self { schema, stage, content: Content::default() })
    }

    /// Puts down the keys of some rows, which are treated.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<(), BatchError> {
        let names = self.schema.fields().iter().map(|field| field.name().as_str());
        let columns: Vec<ArrayRef> =
            names.filter_map(|name| rows.column_by_name(name).cloned()).collect();
        let keys = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let keys = keys.map_err(BatchError::Shape)?;
        self.content.add(&keys).map_err(BatchError::Shape)?;
        Ok(self.stage.append(&keys)?)
    }

    pub(super) fn finish(self) -> Result<Listed, StageError> {
        let content = self.content.name();
        Ok(Listed { rows: self.stage.finish()?, content, leaking_columns: Vec::new() })
    }
}

/// Reads a stream of keys to its end, or until a column shows itself as one of identifiers.
///
/// # Errors
/// When the source fails or a column cannot be treated as declared.
pub async fn list(
    table: &SourceTable,
    tools: Tools<'_>,
    mut snapshot: Snapshot,
) -> Result<Listed, BatchError> {
    let mut columns = Columns::new(table.key_columns(), tools)?;
    let mut listing = Listing::new(table)?;
    while let Some(raw) = snapshot.rows.next().await {
        let (keys, _) = columns.convert(&raw?, &listing.schema)?;
        let leaking_columns = columns.verdicts();
        if !leaking_columns.is_empty() {
            return Ok(Listed { leaking_columns, ..Listing::new(table)?.finish()? });
        }
        listing.add(&keys)?;
    }
    Ok(listing.finish()?)
}
