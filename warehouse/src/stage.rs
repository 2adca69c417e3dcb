//! Rows on their way into the lake, on the disk and not in memory: a night may move more than fits.
//!
//! They wait in a file without a name, typed and de-identified, between their source and their
//! commit: checks ask them in SQL, and then they are written as they are. Whatever ends the process
//! takes the file with it.

mod row_set;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::datasource::MemTable;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::PartitionStream;

pub use self::row_set::RowSet;

/// The hidden column that leads a row back to its place in the source.
pub const ROW: &str = "__dong";

/// Bytes that are read or written at once.
const BUFFER: usize = 1 << 20;

/// Batches that are read before anyone asks for them.
const AHEAD: usize = 2;

/// Why rows could not wait on the disk.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The disk failed, or is full.
    #[error("rows cannot be kept in {folder}; TMPDIR names a folder with room for them")]
    Disk {
        /// Where they wait.
        folder: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The rows are not of one shape.
    #[error("rows do not fit the others of their table")]
    Shape,
}

impl StageError {
    fn disk(source: std::io::Error) -> Self {
        Self::Disk { folder: std::env::temp_dir().display().to_string(), source }
    }

    /// What the format says may quote a cell; only what the disk says is kept.
    fn of(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, source) => Self::disk(source),
            _ => Self::Shape,
        }
    }
}

/// Rows that are being put down.
pub struct Stage {
    schema: SchemaRef,
    writer: StreamWriter<BufWriter<File>>,
    rows: u64,
}

impl Stage {
    /// An empty one for rows of `schema`.
    ///
    /// # Errors
    /// When the folder for temporary files cannot be used.
    pub fn new(schema: SchemaRef) -> Result<Self, StageError> {
        let file = tempfile::tempfile().map_err(StageError::disk)?;
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::LZ4_FRAME))
            .map_err(StageError::of)?;
        let writer = BufWriter::with_capacity(BUFFER, file);
        let writer = StreamWriter::try_new_with_options(writer, &numbered(&schema), options);
        Ok(Self { schema, writer: writer.map_err(StageError::of)?, rows: 0 })
    }

    /// Puts rows down, each with its number in the source.
    ///
    /// # Errors
    /// When the disk fails, or the rows do not fit.
    pub fn push(&mut self, rows: &RecordBatch, numbers: UInt64Array) -> Result<(), StageError> {
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        columns.push(Arc::new(numbers));
        let rows = RecordBatch::try_new(numbered(&self.schema), columns).map_err(StageError::of)?;
        self.writer.write(&rows).map_err(StageError::of)?;
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// As [`Self::push`], numbered from 1 in the order in which they come.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn append(&mut self, rows: &RecordBatch) -> Result<(), StageError> {
        let numbers = self.rows + 1..self.rows + 1 + rows.num_rows() as u64;
        self.push(rows, UInt64Array::from_iter_values(numbers))
    }

    /// No more rows come.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn finish(mut self) -> Result<Staged, StageError> {
        self.writer.finish().map_err(StageError::of)?;
        let mut file = self.writer.into_inner().map_err(StageError::of)?;
        file.flush().map_err(StageError::disk)?;
        let file = file.into_inner().map_err(|error| StageError::disk(error.into_error()))?;
        Ok(Staged { schema: self.schema, file: Arc::new(file), rows: self.rows, without: None })
    }
}

/// The columns, and behind them [`ROW`].
fn numbered(schema: &Schema) -> SchemaRef {
    let row = Arc::new(Field::new(ROW, DataType::UInt64, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([row]).collect::<Vec<_>>()))
}

/// Rows that were put down. Cheap to clone; the last one takes the file with it.
#[derive(Debug, Clone)]
pub struct Staged {
    schema: SchemaRef,
    file: Arc<File>,
    rows: u64,
    without: Option<Arc<RowSet>>,
}

impl Staged {
    /// The columns, without [`ROW`].
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows - self.without.as_ref().map_or(0, |rows| rows.len())
    }

    /// The same rows without some more, each of which was put down.
    #[must_use]
    pub fn without(self, mut rows: RowSet) -> Self {
        if let Some(before) = &self.without {
            rows.extend(before.iter());
        }
        let without = if rows.is_empty() { None } else { Some(Arc::new(rows)) };
        Self { without, ..self }
    }

    /// All rows, in the order in which they were put down, with [`ROW`] as the last column.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn batches(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, StageError>> + use<>, StageError> {
        self.read((0..self.schema.fields().len()).collect())
    }

    /// As [`Self::batches`], with some of the columns only.
    fn read(
        &self,
        mut columns: Vec<usize>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, StageError>> + use<>, StageError> {
        columns.push(self.schema.fields().len());
        let from =
            BufReader::with_capacity(BUFFER, Reading { file: Arc::clone(&self.file), at: 0 });
        let reader = StreamReader::try_new(from, Some(columns)).map_err(StageError::of)?;
        let without = self.without.clone();
        Ok(reader.map(move |rows| {
            let rows = rows.map_err(StageError::of)?;
            without.as_ref().map_or(Ok(rows.clone()), |without| left(&rows, without))
        }))
    }
}

/// The rows that are not in `without`.
fn left(rows: &RecordBatch, without: &RowSet) -> Result<RecordBatch, StageError> {
    let numbers = rows.column(rows.num_columns() - 1).as_primitive::<UInt64Type>();
    let keep: BooleanArray =
        numbers.values().iter().map(|number| Some(!without.contains(*number))).collect();
    filter_record_batch(rows, &keep).map_err(StageError::of)
}

/// Rows for the lake or a workshop: few, in memory, or many, on the disk.
#[derive(Debug, Clone)]
pub enum Rows {
    /// In memory.
    Batch(RecordBatch),
    /// On the disk.
    Staged(Staged),
}

impl From<RecordBatch> for Rows {
    fn from(rows: RecordBatch) -> Self {
        Self::Batch(rows)
    }
}

impl From<Staged> for Rows {
    fn from(rows: Staged) -> Self {
        Self::Staged(rows)
    }
}

impl Rows {
    /// A table of the engine; of what is staged, with [`ROW`] where `with_row`.
    pub(crate) fn table(&self, with_row: bool) -> EngineResult<Arc<dyn TableProvider>> {
        Ok(match self {
            Self::Batch(rows) => {
                Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows.clone()]])?)
            }
            Self::Staged(rows) => {
                let schema = rows.schema();
                let schema = if with_row { numbered(schema) } else { Arc::clone(schema) };
                Arc::new(Table { staged: rows.clone(), schema })
            }
        })
    }
}

/// A reader of a file that others read too.
struct Reading {
    file: Arc<File>,
    at: u64,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// The rows as a table of the engine: of what is asked for, and no other column is unpacked.
#[derive(Debug)]
struct Table {
    staged: Staged,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.schema.fields().len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        let schema = Arc::new(self.schema.project(&columns)?);
        let part = Part { staged: self.staged.clone(), schema: Arc::clone(&schema), columns };
        let table = StreamingTable::try_new(schema, vec![Arc::new(part)])?;
        table.scan(state, None, &[], limit).await
    }
}

/// How the engine reads them.
#[derive(Debug)]
struct Part {
    staged: Staged,
    schema: SchemaRef,
    /// Where its columns stand among those that were put down, of which [`ROW`] is the last.
    columns: Vec<usize>,
}

impl Part {
    /// The columns as they are unpacked, in the order in which they lie there and each once, and
    /// where those that are wanted stand among them.
    fn unpacked(&self) -> (Vec<usize>, Vec<usize>) {
        let row = self.staged.schema.fields().len();
        let mut read: Vec<usize> = self.columns.iter().copied().filter(|at| *at < row).collect();
        read.sort_unstable();
        read.dedup();
        let place = |at: &usize| read.binary_search(at).unwrap_or(read.len());
        let wanted = self.columns.iter().map(place).collect();
        (read, wanted)
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), AHEAD);
        let (sender, staged, (read, wanted)) = (stream.tx(), self.staged.clone(), self.unpacked());
        stream.spawn_blocking(move || {
            let external = |error: StageError| DataFusionError::External(Box::new(error));
            for rows in staged.read(read).map_err(external)? {
                let rows = rows.map_err(external)?.project(&wanted)?;
                if sender.blocking_send(Ok(rows)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        stream.build()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_types, reason = "a plan is made in a session")]

    use datafusion::arrow::array::Int64Array;

    use super::*;

    fn staged(parts: &[(&[i64], &[u64])]) -> Staged {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
        let mut stage = Stage::new(Arc::clone(&schema)).unwrap();
        for (values, numbers) in parts {
            let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
            let rows = RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
            stage.push(&rows, UInt64Array::from(numbers.to_vec())).unwrap();
        }
        stage.finish().unwrap()
    }

    fn read(staged: &Staged) -> Vec<(i64, u64)> {
        let mut all = Vec::new();
        for rows in staged.batches().unwrap() {
            let rows = rows.unwrap();
            let values = rows.column(0).as_primitive::<datafusion::arrow::datatypes::Int64Type>();
            let numbers = rows.column(1).as_primitive::<UInt64Type>();
            all.extend(values.values().iter().copied().zip(numbers.values().iter().copied()));
        }
        all
    }

    #[test]
    fn rows_come_back_in_order_however_often_they_are_read() {
        let staged = staged(&[(&[7, 8], &[1, 3]), (&[], &[]), (&[9], &[4])]);
        assert_eq!(staged.rows(), 3);
        let (mut one, other) = (staged.batches().unwrap(), read(&staged));
        assert_eq!(one.next().unwrap().unwrap().num_rows(), 2);
        assert_eq!(other, [(7, 1), (8, 3), (9, 4)]);
    }

    #[test]
    fn rows_that_are_left_out_are_not_there() {
        let without = [1, 4].into_iter().collect();
        let staged = staged(&[(&[7, 8], &[1, 3]), (&[9], &[4])]).without(without);
        assert_eq!((staged.rows(), read(&staged)), (1, vec![(8, 3)]));
        let staged = staged.without([1, 3].into_iter().collect());
        assert_eq!((staged.rows(), read(&staged)), (0, vec![]));
    }

    #[tokio::test]
    async fn the_engine_reads_the_columns_that_it_asks_for_in_its_order() {
        use datafusion::physical_plan::collect;
        let schema = Arc::new(Schema::new(vec![
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Int64, true),
        ]));
        let column = |values: [i64; 2]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        let rows = vec![column([1, 2]), column([3, 4])];
        let mut stage = Stage::new(Arc::clone(&schema)).unwrap();
        stage.append(&RecordBatch::try_new(schema, rows).unwrap()).unwrap();
        let staged = stage.finish().unwrap().without([1].into_iter().collect());
        let state = datafusion::prelude::SessionContext::new().state();
        for (wanted, names) in
            [(vec![2, 0], vec![ROW, "a"]), (vec![1], vec!["b"]), (vec![], vec![])]
        {
            let table = Rows::from(staged.clone()).table(true).unwrap();
            let plan = table.scan(&state, Some(&wanted), &[], None).await.unwrap();
            let read = collect(plan, Arc::new(TaskContext::default())).await.unwrap();
            assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
            let schema = read[0].schema();
            let told: Vec<&str> =
                schema.fields().iter().map(|field| field.name().as_str()).collect();
            assert_eq!(told, names);
        }
    }

    #[test]
    fn nothing_is_left_on_the_disk() {
        use std::os::unix::fs::MetadataExt;
        let staged = staged(&[(&[7], &[1])]);
        assert_eq!(staged.file.metadata().unwrap().nlink(), 0);
    }
}
