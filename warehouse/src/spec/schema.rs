//! The Arrow form of what is declared: one mapping, for planning, loading and reading.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};

use super::{Column, ColumnType, Generalisation, SourceTable, Treatment};

/// The schema of a source table in the lake: dropped columns are absent, every field may be null
/// (a required cell that is empty never gets there), no metadata.
pub fn arrow_schema(table: &SourceTable) -> SchemaRef {
    let fields = table
        .columns
        .iter()
        .filter_map(|column| Some(Field::new(&column.name, lake_type(column)?, true)));
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}

/// The type in the lake; `None` for a dropped column.
fn lake_type(column: &Column) -> Option<DataType> {
    let ty = match &column.treatment {
        Treatment::Drop => return None,
        Treatment::Pseudonymise { .. } => DataType::Utf8,
        Treatment::Generalise(Generalisation::Day | Generalisation::Month) => DataType::Date32,
        Treatment::Generalise(Generalisation::Year) => DataType::Int64,
        Treatment::Generalise(Generalisation::AgeBand) => DataType::Utf8,
        Treatment::Keep => match column.ty {
            ColumnType::Text | ColumnType::Unit { .. } => DataType::Utf8,
            ColumnType::Integer => DataType::Int64,
            ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            ColumnType::Date => DataType::Date32,
            ColumnType::Boolean => DataType::Boolean,
        },
    };
    Some(ty)
}

/// A planned result as the lake stores it: the engine's several text types are one, unsigned
/// counts are `Int64`, every field may be null.
pub(super) fn stored(planned: &ArrowSchema) -> SchemaRef {
    let fields = planned.fields().iter().map(|field| {
        let ty = match field.data_type() {
            DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
                DataType::Int64
            }
            other => other.clone(),
        };
        Field::new(field.name(), ty, true)
    });
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}
