//! Parquet files: only the columns that are wanted, in few types.
//!
//! A file may be made to harm. The reader of the format is careful and yet large, so a panic in it
//! is caught on the thread that reads, and the file is refused; the process and the other tables go
//! on. Nothing of the reader is used after it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Float32Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as Physical;
use parquet::file::metadata::ParquetMetaData;

use super::delimited::positions;
use crate::files::{Chunks, TableFile};
use crate::text::{as_text, strictly};
use crate::{BATCH_ROWS, SourceError};

/// Unpacked bytes of the wanted columns in one batch, by what the footer says of them.
const BATCH_BYTES: u64 = 64 << 20;

/// Blocks of an object that are kept, 64 MiB: the reader takes small pieces of every wanted column.
const KEPT_BLOCKS: usize = 32;

/// The rows of one file.
pub(super) struct ParquetFile {
    file: TableFile,
    chunks: Chunks,
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// Where each wanted column stands among those that are read.
    order: Vec<usize>,
    /// The number of the last row of each row group.
    group_ends: Vec<u64>,
    rows: u64,
    gave_any: bool,
    is_over: bool,
}

impl ParquetFile {
    /// Opens a file whose columns become `types`: see [`agreed`].
    pub(super) fn open(
        file: &TableFile,
        columns: &[String],
        types: &[DataType],
    ) -> Result<Self, SourceError> {
        let (chunks, head) = head(file)?;
        let at = roots(file, &head, columns)?;
        let metadata = Arc::clone(head.metadata());
        let batch_rows = batch_rows(&metadata, &at);
        let mask = ProjectionMask::roots(head.parquet_schema(), at.iter().copied());
        let reader = caught(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), head)
                .with_projection(mask)
                .with_batch_size(batch_rows)
                .build()
                .ok()
        });
        let reader = reader.ok_or_else(|| unreadable(file, &chunks, "in the footer"))?;
        // The file's columns come in the file's order.
        let order = at.iter().map(|one| at.iter().filter(|other| *other < one).count()).collect();
        let fields: Vec<Field> = columns
            .iter()
            .zip(types)
            .map(|(column, ty)| Field::new(column, ty.clone(), true))
            .collect();
        let group_ends = metadata.row_groups().iter().scan(0, |end, group| {
            *end += u64::try_from(group.num_rows()).unwrap_or(0);
            Some(*end)
        });
        Ok(Self {
            file: file.clone(),
            chunks,
            reader,
            schema: Arc::new(Schema::new(fields)),
            order,
            group_ends: group_ends.collect(),
            rows: 0,
            gave_any: false,
            is_over: false,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        let read = caught(|| self.reader.next().transpose().ok());
        let Some(read) = read else { return Err(self.unreadable()) };
        let Some(batch) = read else {
            self.is_over = true;
            self.file.check_open(&self.chunks)?;
            let is_empty = !std::mem::replace(&mut self.gave_any, true);
            return Ok(is_empty.then(|| RecordBatch::new_empty(Arc::clone(&self.schema))));
        };
        let columns = self.order.iter().zip(self.schema.fields());
        let columns = columns.map(|(at, field)| {
            let column = normal(batch.column(*at)).ok()?;
            Some(if column.data_type() == field.data_type() {
                column
            } else {
                Arc::new(as_text(&column).ok()?)
            })
        });
        let columns: Option<Vec<ArrayRef>> = columns.collect();
        let batch = columns.and_then(|columns| {
            let options =
                arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).ok()
        });
        let batch = batch.ok_or_else(|| self.unreadable())?;
        self.rows += batch.num_rows() as u64;
        self.gave_any = true;
        Ok(Some(batch))
    }

    /// What the reader says is not kept: it may quote a cell.
    fn unreadable(&self) -> SourceError {
        let group = self.group_ends.partition_point(|end| *end <= self.rows) + 1;
        let at = format!("in row group {group}, near row {}", self.rows + 1);
        unreadable(&self.file, &self.chunks, &at)
    }
}

impl Iterator for ParquetFile {
    type Item = Result<RecordBatch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let batch = self.batch();
        self.is_over |= batch.is_err();
        batch.transpose()
    }
}

const UNREADABLE: &str = "it cannot be read; have it sent again";

/// The types that the columns get, so that all batches have the same: each file's own where they
/// agree, text where not. (A program that writes a file a month takes a column without gaps for
/// whole numbers, one with gaps for fractions, and one without values for nothing.)
pub(super) fn agreed(
    files: &[TableFile],
    columns: &[String],
) -> Result<Vec<DataType>, SourceError> {
    let mut agreed: Option<Vec<DataType>> = None;
    for file in files {
        let (_, head) = head(file)?;
        let mut types = Vec::with_capacity(columns.len());
        for at in roots(file, &head, columns)? {
            let field = head.schema().field(at);
            let Some(ty) = normal_type(field.data_type()) else {
                let what = format!(
                    "the column `{}` is of the type {}, which is no cell of a table",
                    field.name(),
                    kind(field.data_type()),
                );
                return Err(malformed(file, "in the footer", &what));
            };
            types.push(ty);
        }
        agreed = Some(match agreed {
            None => types,
            Some(before) => {
                let pairs = before.into_iter().zip(types);
                pairs.map(|(one, two)| if one == two { one } else { DataType::Utf8 }).collect()
            }
        });
    }
    Ok(agreed.unwrap_or_default())
}

/// Reads the footer.
fn head(file: &TableFile) -> Result<(Chunks, ArrowReaderMetadata), SourceError> {
    let chunks = file.chunks(KEPT_BLOCKS)?;
    let head = caught(|| {
        let head = ArrowReaderMetadata::load(&chunks, ArrowReaderOptions::new()).ok()?;
        Some(match wider(&head) {
            None => head,
            Some(schema) => {
                let options = ArrowReaderOptions::new().with_schema(schema);
                ArrowReaderMetadata::try_new(Arc::clone(head.metadata()), options).ok()?
            }
        })
    });
    let head = head.ok_or_else(|| unreadable(file, &chunks, "in the footer"))?;
    Ok((chunks, head))
}

/// Old instants of 96 bits would be counted in nanoseconds, which end in the year 2262; sources
/// write `9999-12-31` for what never ends. With this schema they are microseconds.
fn wider(head: &ArrowReaderMetadata) -> Option<SchemaRef> {
    let schema = head.parquet_schema();
    let is_old = |at: usize| {
        let root = &schema.root_schema().get_fields()[at];
        root.is_primitive() && root.get_physical_type() == Physical::INT96
    };
    let fields = head.schema().fields();
    if fields.len() != schema.root_schema().get_fields().len() || !(0..fields.len()).any(is_old) {
        return None;
    }
    let fields = fields.iter().enumerate().map(|(at, field)| match field.data_type() {
        DataType::Timestamp(_, zone) if is_old(at) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            field.as_ref().clone().with_data_type(micros)
        }
        _ => field.as_ref().clone(),
    });
    Some(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Where each wanted column stands in the file.
fn roots(
    file: &TableFile,
    head: &ArrowReaderMetadata,
    columns: &[String],
) -> Result<Vec<usize>, SourceError> {
    let names: Vec<String> =
        head.schema().fields().iter().map(|field| field.name().clone()).collect();
    positions(&file.place, &names, columns)
}

/// Rows of a batch: fewer where the footer says that they are long.
fn batch_rows(metadata: &ParquetMetaData, roots: &[usize]) -> usize {
    let schema = metadata.file_metadata().schema_descr();
    let widest = metadata.row_groups().iter().map(|group| {
        let wanted = group.columns().iter().enumerate();
        let wanted = wanted.filter(|(at, _)| roots.contains(&schema.get_column_root_idx(*at)));
        let bytes = wanted.map(|(_, column)| column.uncompressed_size().max(0).cast_unsigned());
        let rows = group.num_rows().max(1).cast_unsigned();
        bytes.fold(0, u64::saturating_add) / rows
    });
    let rows = BATCH_BYTES / widest.max().unwrap_or(0).max(1);
    usize::try_from(rows).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
}

/// What the reader of the format does, or `None` where it failed or panicked.
fn caught<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    // Whatever it left behind is not touched again.
    catch_unwind(AssertUnwindSafe(work)).ok().flatten()
}

/// The type that a column of a file gets; `None` where it has no cells.
fn normal_type(ty: &DataType) -> Option<DataType> {
    use DataType as T;
    Some(match ty {
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Null => T::Utf8,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => T::Int64,
        T::Float16 | T::Float32 | T::Float64 => T::Float64,
        T::Boolean => T::Boolean,
        T::Date32 | T::Date64 => T::Date32,
        T::Timestamp(_, zone) => T::Timestamp(TimeUnit::Microsecond, zone.clone()),
        // Exact digits: 64 bits without a sign, decimals, and times of the day have no other type.
        T::UInt64 | T::Time32(_) | T::Time64(_) => T::Utf8,
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => T::Utf8,
        T::Dictionary(_, values) => normal_type(values)?,
        _ => return None,
    })
}

/// A column in the type that [`normal_type`] says.
fn normal(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if let DataType::Dictionary(_, values) = column.data_type() {
        return normal(&strictly(column, values)?);
    }
    if *column.data_type() == DataType::Float32 {
        // 0.1 of 32 bits means 0.1, and not the nearest of 64 bits, which has digits that nobody
        // wrote.
        let read = |number: f32| number.to_string().parse().unwrap_or_else(|_| f64::from(number));
        let numbers = column.as_primitive::<Float32Type>().iter();
        return Ok(Arc::new(numbers.map(|number| number.map(read)).collect::<Float64Array>()));
    }
    match normal_type(column.data_type()) {
        Some(ty) => strictly(column, &ty),
        None => Err(ArrowError::NotYetImplemented("a column without cells".to_owned())),
    }
}

/// A type's name, without what a nested one holds.
fn kind(ty: &DataType) -> String {
    let name = ty.to_string();
    name.split(['(', '<', '{']).next().unwrap_or_default().trim().to_owned()
}

/// The reader of the format failed; that may be the store's doing.
fn unreadable(file: &TableFile, chunks: &Chunks, at: &str) -> SourceError {
    match chunks.failure() {
        Some(error) => file.failed(error),
        None => malformed(file, at, UNREADABLE),
    }
}

fn malformed(file: &TableFile, at: &str, what: &str) -> SourceError {
    SourceError::Malformed {
        place: file.place.clone(),
        format: "Parquet",
        at: at.to_owned(),
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_of_the_reader_is_a_failure_of_the_file() {
        assert_eq!(caught(|| -> Option<()> { panic!("hostile bytes") }), None);
        assert_eq!(caught(|| Some(1)), Some(1));
    }
}
