//! Cells that a spreadsheet would run.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is a formula to Excel and
//! its kin, and a formula may fetch addresses with what stands beside it. Such texts, and such
//! names of columns, get an apostrophe in front, as OWASP advises; numbers are what they are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

/// `batch` with texts that no spreadsheet runs. Lists and other values that CSV has no form for
/// become texts too.
pub(super) fn harmless(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut fields = Vec::with_capacity(schema.fields().len());
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let column = if is_text(column.data_type()) { quoted(column)? } else { Arc::clone(column) };
        let name = quoted_text(field.name()).unwrap_or_else(|| field.name().clone());
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        ty => ty.is_nested(),
    }
}

fn quoted(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let texts = cast(column, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    if !texts.iter().flatten().any(is_formula) {
        return Ok(Arc::new(texts.clone()));
    }
    let quoted = texts.iter().map(|text| {
        text.map(|text| quoted_text(text).map_or_else(|| text.into(), std::borrow::Cow::Owned))
    });
    Ok(Arc::new(quoted.collect::<StringArray>()))
}

fn quoted_text(text: &str) -> Option<String> {
    is_formula(text).then(|| format!("'{text}"))
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int64Array};

    #[test]
    fn formulas_are_quoted_and_numbers_are_not() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![
            Some("=1+1"),
            Some("+84"),
            Some("-"),
            Some("@SUM(A1)"),
            Some("\tx"),
            Some("\rx"),
            Some("a=b"),
            None,
        ]));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let same = cast(&texts, &dictionary).expect("a dictionary");
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![-1; 8]));
        let rates: ArrayRef = Arc::new(Float64Array::from(vec![-0.5; 8]));
        let columns = [("=ten", texts), ("ten", same), ("so", numbers), ("ty_le", rates)];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let harmless = harmless(&batch).expect("a batch");
        assert_eq!(harmless.schema().field(0).name(), "'=ten");
        let expected = vec![
            Some("'=1+1"),
            Some("'+84"),
            Some("'-"),
            Some("'@SUM(A1)"),
            Some("'\tx"),
            Some("'\rx"),
            Some("a=b"),
            None,
        ];
        for at in [0, 1] {
            let column = harmless.column(at).as_string::<i32>();
            assert_eq!(column.iter().collect::<Vec<_>>(), expected);
        }
        assert_eq!(harmless.columns()[2..], batch.columns()[2..]);
    }

    #[test]
    fn rows_without_columns_stay_rows() {
        let options = RecordBatchOptions::new().with_row_count(Some(3));
        let none = Arc::new(Schema::empty());
        let batch = RecordBatch::try_new_with_options(none, vec![], &options).expect("a batch");
        assert_eq!(harmless(&batch).map(|batch| batch.num_rows()).ok(), Some(3));
    }
}
