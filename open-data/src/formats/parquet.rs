//! Parquet, compressed with Snappy so that readers in a browser need no other codec. The footer
//! carries the column dictionary and the terms; neither a time nor the library's version is in it.

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::FormatError;
use crate::metadata::Metadata;

/// Written into every file in place of the library's name and version.
const CREATED_BY: &str = "khoyte";

/// `batch` as Parquet, with what `meta` says in its footer.
///
/// # Errors
/// When a column is of a type that Parquet does not know.
pub fn parquet(batch: &RecordBatch, meta: &Metadata) -> Result<Vec<u8>, FormatError> {
    write(batch, meta).map_err(FormatError::of("Parquet"))
}

fn write(
    batch: &RecordBatch,
    meta: &Metadata,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(CREATED_BY.to_owned())
        .set_key_value_metadata(Some(footer(meta)?))
        .build();
    // The Arrow schema in the footer would repeat what Parquet's own says, in the order of a map.
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

fn footer(meta: &Metadata) -> serde_json::Result<Vec<KeyValue>> {
    let entries = [
        ("dataset", meta.dataset.clone()),
        ("version", meta.version.to_string()),
        ("date", meta.date.to_string()),
        ("title", serde_json::to_string(&meta.title)?),
        ("grain", serde_json::to_string(&meta.grain)?),
        ("source", serde_json::to_string(&meta.source)?),
        ("licence", serde_json::to_string(&meta.licence)?),
        ("citation", serde_json::to_string(&meta.citation)?),
        ("rule", serde_json::to_string(&meta.rule)?),
        ("columns", serde_json::to_string(&meta.columns)?),
    ];
    Ok(entries.map(|(key, value)| KeyValue::new(key.to_owned(), value)).into())
}
