//! CSV as RFC 4180 has it: UTF-8 without a byte-order mark, a header, CRLF at the end of every
//! line, quotes only where needed. An empty field is null.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use csv::{Terminator, WriterBuilder};

use super::{FormatError, for_each_row, plain};

/// `batch` as CSV.
///
/// # Errors
/// When a column is of a type that has no text form.
pub fn csv(batch: &RecordBatch) -> Result<Vec<u8>, FormatError> {
    write(batch).map_err(FormatError::of("CSV"))
}

fn write(batch: &RecordBatch) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let schema = batch.schema();
    writer.write_record(schema.fields().iter().map(|field| field.name()))?;
    for_each_row(batch, |row| {
        let written = writer.write_record(row.iter().map(plain));
        written.map_err(|error| ArrowError::ExternalError(error.into()))
    })?;
    Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
}
