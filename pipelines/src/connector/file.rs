//! Files in a folder: CSV and Parquet, and CSV declared beside the contracts.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use async_trait::async_trait;
use futures::StreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};
use warehouse::spec::{FileFormat, Origin, SourceTable};

use super::{Connector, RawStream, SourceError, wanted_columns};

/// Where days begin.
const VIET_NAM: &str = "+07:00";

/// Rows in one batch: small enough for the cache, large enough for the vector code.
const BATCH_ROWS: usize = 32_768;

/// Reads files below one folder.
#[derive(Debug, Clone)]
pub struct FileConnector {
    root: Option<PathBuf>,
}

impl FileConnector {
    /// A connector for the folder `root`; without one, only declared files are there.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    fn path(&self, relative: &str) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.join(relative)).filter(|path| path.exists())
    }
}

#[async_trait]
impl Connector for FileConnector {
    async fn fingerprint(&self, table: &SourceTable) -> Result<Option<String>, SourceError> {
        match &table.origin {
            Origin::Declared { text, .. } => Ok(Some(hex(&Sha256::digest(text.as_bytes())))),
            Origin::File { path, .. } => {
                let Some(full) = self.path(path) else { return Ok(None) };
                let relative = path.clone();
                blocking(move || digest_file(&full, &relative)).await.map(Some)
            }
        }
    }

    async fn read(&self, table: &SourceTable) -> Result<RawStream, SourceError> {
        let wanted: Vec<String> = wanted_columns(table).into_iter().map(str::to_owned).collect();
        let (shown, batches) = match &table.origin {
            Origin::Declared { path, text } => {
                let (path, text) = (path.clone(), text.clone());
                let reader = move || Ok(Box::new(Cursor::new(text.clone().into_bytes())) as _);
                (path.clone(), csv_batches(path, wanted, Box::new(reader)).await?)
            }
            Origin::File { path, format } => {
                let full = self.path(path).ok_or_else(|| SourceError::Read {
                    path: path.clone(),
                    source: std::io::ErrorKind::NotFound.into(),
                })?;
                let batches = match format {
                    FileFormat::Csv => {
                        let (opened, shown) = (full, path.clone());
                        let reader = move || {
                            let file = File::open(&opened).map_err(|e| read_error(&shown, e))?;
                            Ok(Box::new(BufReader::with_capacity(1 << 20, file)) as _)
                        };
                        csv_batches(path.clone(), wanted, Box::new(reader)).await?
                    }
                    FileFormat::Parquet => parquet_batches(path.clone(), full, wanted).await?,
                };
                (path.clone(), batches)
            }
        };
        tracing::debug!(file = %shown, "source opened");
        Ok(batches)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(join) => std::panic::resume_unwind(join.into_panic()),
    }
}

fn read_error(path: &str, source: std::io::Error) -> SourceError {
    SourceError::Read { path: path.to_owned(), source }
}

fn digest_file(full: &Path, shown: &str) -> Result<String, SourceError> {
    let mut file = File::open(full).map_err(|e| read_error(shown, e))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(|e| read_error(shown, e))?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Raw batches as a reader gives them.
type RawRows = Box<dyn Iterator<Item = Result<RecordBatch, SourceError>> + Send>;

type OpenReader = Box<dyn Fn() -> Result<Box<dyn Read + Send>, SourceError> + Send>;

async fn csv_batches(
    path: String,
    wanted: Vec<String>,
    open: OpenReader,
) -> Result<RawStream, SourceError> {
    let reader = blocking(move || csv_reader(path, &wanted, &open)).await?;
    Ok(in_background(reader))
}

fn csv_reader(path: String, wanted: &[String], open: &OpenReader) -> Result<RawRows, SourceError> {
    let malformed =
        |path: &str, row| SourceError::Malformed { path: path.to_owned(), format: "CSV", row };
    let (header, _) = Format::default()
        .with_header(true)
        .infer_schema(open()?, Some(0))
        .map_err(|_| malformed(&path, 0))?;
    let fields: Vec<Field> = header
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| {
            // A byte-order mark belongs to the file, not to the first column's name.
            let name =
                if at == 0 { field.name().trim_start_matches('\u{feff}') } else { field.name() };
            Field::new(name, DataType::Utf8, true)
        })
        .collect();
    let mut projection = Vec::with_capacity(wanted.len());
    for column in wanted {
        let at = fields.iter().position(|field| field.name() == column).ok_or_else(|| {
            SourceError::MissingColumn { path: path.clone(), column: column.clone() }
        })?;
        projection.push(at);
    }
    projection.sort_unstable();
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .with_batch_size(BATCH_ROWS)
        .with_projection(projection)
        .build(open()?)
        .map_err(|_| malformed(&path, 0))?;
    let mut rows = 0;
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.map_err(|_| malformed(&path, rows + 1))?;
        rows += batch.num_rows();
        Ok(batch)
    })))
}

async fn parquet_batches(
    path: String,
    full: PathBuf,
    wanted: Vec<String>,
) -> Result<RawStream, SourceError> {
    let reader = blocking(move || parquet_reader(path, &full, &wanted)).await?;
    Ok(in_background(reader))
}

fn parquet_reader(path: String, full: &Path, wanted: &[String]) -> Result<RawRows, SourceError> {
    let malformed =
        |path: &str, row| SourceError::Malformed { path: path.to_owned(), format: "Parquet", row };
    let file = File::open(full).map_err(|e| read_error(&path, e))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| malformed(&path, 0))?;
    for column in wanted {
        if builder.schema().field_with_name(column).is_err() {
            return Err(SourceError::MissingColumn { path, column: column.clone() });
        }
    }
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(String::as_str));
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|_| malformed(&path, 0))?;
    let mut rows = 0;
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.map_err(|_| malformed(&path, rows + 1))?;
        rows += batch.num_rows();
        as_text(&batch).map_err(|_| malformed(&path, rows))
    })))
}

/// The same rows with every column as text: what a typed source and a CSV file have in common.
fn as_text(batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns = batch.columns().iter().map(cells).collect::<Result<Vec<_>, _>>()?;
    let fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), DataType::Utf8, true))
        .collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns)
}

/// The cells of a column as text, each by itself: the same value is the same text whatever stands
/// beside it. An instant at midnight is written as its day and a whole fraction as a whole number:
/// what programs make of a date and of a count with gaps. Instants are those of Viet Nam.
fn cells(column: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let (column, midnight) = match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let here = DataType::Timestamp(*unit, Some(VIET_NAM.into()));
            (cast(column, &here)?, "T00:00:00+07:00")
        }
        DataType::Timestamp(..) => (Arc::clone(column), "T00:00:00"),
        DataType::Float32 | DataType::Float64 => return whole_or_not(column),
        _ => return cast(column, &DataType::Utf8),
    };
    let texts = cast(&column, &DataType::Utf8)?;
    let shorter = |text: &str| text.strip_suffix(midnight).unwrap_or(text).to_owned();
    let texts: StringArray =
        texts.as_string::<i32>().iter().map(|text| text.map(shorter)).collect();
    Ok(Arc::new(texts))
}

fn whole_or_not(column: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let numbers = cast(column, &DataType::Float64)?;
    let texts = cast(column, &DataType::Utf8)?;
    let (numbers, texts) = (numbers.as_primitive::<Float64Type>(), texts.as_string::<i32>());
    let one = |(number, text): (Option<f64>, Option<&str>)| {
        let number = number?;
        // Whole numbers are exact below 2^53.
        let is_whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
        if is_whole { Some(format!("{:.0}", number + 0.0)) } else { text.map(str::to_owned) }
    };
    let texts: StringArray = numbers.iter().zip(texts).map(one).collect();
    Ok(Arc::new(texts))
}

/// Reads ahead on a blocking thread, two batches at most, so that parsing and checking overlap.
fn in_background(reader: RawRows) -> RawStream {
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        for batch in reader {
            if sender.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|batch| (batch, receiver))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, TimestampMicrosecondArray};

    use super::*;

    fn texts(column: ArrayRef) -> Vec<Option<String>> {
        let texts = cells(&column).unwrap();
        texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn a_value_is_the_same_text_whatever_stands_beside_it() {
        let numbers = vec![Some(1.0), Some(2.5), None, Some(-0.0), Some(1e20)];
        let told = texts(Arc::new(Float64Array::from(numbers)));
        let told: Vec<Option<&str>> = told.iter().map(Option::as_deref).collect();
        assert_eq!(told, [Some("1"), Some("2.5"), None, Some("0"), Some("1e20")]);
    }

    #[test]
    fn midnight_is_a_day_and_any_other_instant_is_written_out() {
        // 2026-07-01 in Viet Nam begins at 17:00 of the day before in Greenwich.
        let midnight = 1_782_838_800_000_000;
        let times = TimestampMicrosecondArray::from(vec![midnight, midnight + 5_400_000_000]);
        let here = texts(Arc::new(times.clone().with_timezone("UTC")));
        assert_eq!(here[0].as_deref(), Some("2026-07-01"));
        assert_eq!(here[1].as_deref(), Some("2026-07-01T01:30:00+07:00"));
        let naive = texts(Arc::new(times));
        assert_eq!(naive[0].as_deref(), Some("2026-06-30T17:00:00"));
    }
}
