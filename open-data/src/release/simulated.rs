//! What is made from simulated rows says so wherever it goes: in a column of its own, so that the
//! rows alone say it, and in everything that is said about them. No body is named as their source,
//! and the version is not that of the same rows from a real source.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema as Columns};
use warehouse::names::{Schema, Text};
use warehouse::spec::{Declarations, Query, QueryKind};
use warehouse::store::{Lake, StoreError};
use warehouse::system;

use super::table::TableError;
use crate::metadata::Metadata;

/// The column that says it in each row.
pub(crate) const COLUMN: &str = "du_lieu_mo_phong";

/// What the column says.
const WORDS: &str = "dữ liệu mô phỏng / simulated data";

/// Whether some rows of the tables that `query` reads come from simulated sources, by their newest
/// commits. Of `chi_tieu` all indicators count: which of them a query takes is not known.
pub(super) async fn is_under(
    lake: &Lake,
    declarations: &Declarations,
    query: &Query,
) -> Result<bool, StoreError> {
    for table in &query.reads {
        let is_simulated = match table.schema() {
            Schema::HeThong => false,
            Schema::ChiTieu => some_indicator_is(lake, declarations).await?,
            _ => lake.last_note(table).await?.is_some_and(|note| note.simulated),
        };
        if is_simulated {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn some_indicator_is(lake: &Lake, declarations: &Declarations) -> Result<bool, StoreError> {
    let values = system::indicator_values().name;
    for indicator in declarations.of_kind(QueryKind::Indicator) {
        if lake.note(&values, &indicator.id).await?.is_some_and(|note| note.simulated) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rows with the column that says what they are.
pub(super) fn marked(batch: &RecordBatch) -> Result<RecordBatch, TableError> {
    let schema = batch.schema();
    if schema.column_with_name(COLUMN).is_some() {
        return Err(TableError::Column(COLUMN.to_owned()));
    }
    let words = StringArray::from_iter_values(std::iter::repeat_n(WORDS, batch.num_rows()));
    let field = Arc::new(Field::new(COLUMN, DataType::Utf8, true));
    let fields: Vec<_> = schema.fields().iter().cloned().chain([field]).collect();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns.push(Arc::new(words));
    Ok(RecordBatch::try_new(Arc::new(Columns::new(fields)), columns)?)
}

/// What the column is called.
pub(super) fn label() -> Text {
    Text::new("Dữ liệu mô phỏng", "Simulated data")
}

/// Says it in everything that is said about a version.
pub(super) fn tell(meta: &mut Metadata) {
    meta.simulated = true;
    meta.title.vi += " (dữ liệu mô phỏng)";
    meta.title.en += " (simulated data)";
    let caveat = Text::new(
        "Dữ liệu mô phỏng: các dòng do phần mềm tạo ra để thử nghiệm, không phải số liệu thật; \
         không dùng để kết luận.",
        "Simulated data: rows that were made up for trials, not real figures; draw no conclusions.",
    );
    meta.description = joined(&caveat, " ", &meta.description);
    meta.caveats.insert(0, caveat);
    let form = Text::new("Dữ liệu mô phỏng theo cấu trúc của", "Simulated data in the form of");
    meta.source = joined(&form, ": ", &meta.source);
    meta.owner = nature();
    meta.citation = nature();
    meta.publisher.name = nature();
}

/// What stands where a body would be named.
pub(super) fn nature() -> Text {
    Text::new("Dữ liệu mô phỏng, không phải số liệu thật", "Simulated data, not real figures")
}

fn joined(first: &Text, between: &str, second: &Text) -> Text {
    let both = |first: &str, second: &str| format!("{first}{between}{second}");
    Text::new(both(&first.vi, &second.vi), both(&first.en, &second.en))
}
