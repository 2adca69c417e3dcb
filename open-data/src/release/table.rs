//! Rows made the same for the same input: a few plain types, floats without the noise of the
//! order in which they were summed, rows sorted.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::{
    CastOptions, SortColumn, SortOptions, cast_with_options, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, TimeUnit};
use arrow::error::ArrowError;

/// Why rows cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A type that open data do not hold: lists, structures, bytes.
    #[error("column `{column}` is of type {ty}, which data files do not hold")]
    Type {
        /// The column.
        column: String,
        /// Its type.
        ty: DataType,
    },
    /// The small-cell rule names a column that is not there or not a number, or the note column
    /// is there already.
    #[error("the small-cell rule cannot use the column `{0}`")]
    Column(String),
    /// A value does not fit.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// The same rows in the plain types of the files.
pub(super) fn normalised(batch: &RecordBatch) -> Result<RecordBatch, TableError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let Some(ty) = plain_type(field.data_type()) else {
            let (column, ty) = (field.name().clone(), field.data_type().clone());
            return Err(TableError::Type { column, ty });
        };
        let mut column = cast_with_options(column, &ty, &strict)?;
        if ty == DataType::Float64 {
            column = rounded(&column);
        }
        fields.push(Field::new(field.name(), ty, true));
        columns.push(column);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn plain_type(ty: &DataType) -> Option<DataType> {
    Some(match ty {
        DataType::Dictionary(_, value) => plain_type(value)?,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Boolean => DataType::Boolean,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Decimal128(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other if other.is_integer() => DataType::Int64,
        _ => return None,
    })
}

/// Twelve significant digits; what is not a finite number is null, minus zero is zero.
fn rounded(column: &ArrayRef) -> ArrayRef {
    let round = |value: f64| format!("{value:.11e}").parse().map_or(value, |v: f64| v + 0.0);
    let values = column.as_primitive::<Float64Type>();
    let values: Float64Array =
        values.iter().map(|value| value.filter(|v| v.is_finite()).map(round)).collect();
    Arc::new(values)
}

/// The same rows by the values of all columns, from left to right, nulls last. Sorting comes after
/// hiding, so that the order says nothing about what was hidden.
pub(super) fn sorted(batch: &RecordBatch) -> Result<RecordBatch, TableError> {
    let options = Some(SortOptions { descending: false, nulls_first: false });
    let by: Vec<_> = batch
        .columns()
        .iter()
        .map(|values| SortColumn { values: Arc::clone(values), options })
        .collect();
    let order = lexsort_to_indices(&by, None)?;
    Ok(take_record_batch(batch, &order)?)
}
