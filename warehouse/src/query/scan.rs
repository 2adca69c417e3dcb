//! Rows of a version of a table as the engine reads them: by Parquet's own reader, with what the log
//! tells of the files and of the rows in them that no longer count.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use parquet::arrow::RowNumber;
use parquet::arrow::arrow_reader::RowSelection;
use roaring::RoaringTreemap;

use crate::store::{DataFile, Places, Version};

/// The hidden column with the position of a row's file in its version.
pub const FILE: &str = "__tep";

/// The hidden column with a row's number in its file, from 0.
pub const PLACE: &str = "__vi_tri";

/// What the engine calls the store of the lake.
pub(super) const ADDRESS: &str = "lake://khoyte";

/// Bytes of files that are worth a thread of their own.
const WORTH_A_THREAD: u64 = 1 << 20;

/// Which rows of a version of a table are read.
#[derive(Debug, Clone)]
pub enum Pick {
    /// All that count.
    Counting(Arc<Version>),
    /// These, which count.
    At(Places),
    /// Those that count in some files of a version.
    Left {
        /// By their position in it.
        files: BTreeSet<usize>,
        /// Without these.
        gone: Places,
    },
}

impl Pick {
    fn version(&self) -> &Arc<Version> {
        match self {
            Self::Counting(version) => version,
            Self::At(places) | Self::Left { gone: places, .. } => places.version(),
        }
    }

    /// Which rows of a file, or all of it; `None` where it is not read.
    fn of(&self, at: usize, file: &DataFile) -> Option<Option<RowSelection>> {
        let left = |gone: &RoaringTreemap| (!gone.is_empty()).then(|| without(file, gone));
        match self {
            Self::Counting(_) => Some(left(&file.gone)),
            Self::At(places) => places.of(at).map(|rows| Some(only(file, rows))),
            Self::Left { files, gone } if files.contains(&at) => Some(match gone.of(at) {
                Some(rows) => left(&(rows | &file.gone)),
                None => left(&file.gone),
            }),
            Self::Left { .. } => None,
        }
    }
}

/// These rows of a file.
fn only(file: &DataFile, rows: &RoaringTreemap) -> RowSelection {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for row in rows.iter().filter_map(|row| usize::try_from(row).ok()) {
        match ranges.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => ranges.push(row..row + 1),
        }
    }
    RowSelection::from_consecutive_ranges(ranges.into_iter(), file.rows.unwrap_or_default())
}

/// The rows of a file without these.
fn without(file: &DataFile, rows: &RoaringTreemap) -> RowSelection {
    let end = file.rows.unwrap_or_default();
    let mut ranges = Vec::new();
    let mut from = 0;
    for row in rows.iter().filter_map(|row| usize::try_from(row).ok()) {
        if from < row {
            ranges.push(from..row);
        }
        from = row + 1;
    }
    if from < end {
        ranges.push(from..end);
    }
    RowSelection::from_consecutive_ranges(ranges.into_iter(), end)
}

/// The columns that tell where a row lies.
pub(super) fn place_fields() -> (FieldRef, FieldRef) {
    let row = Field::new(PLACE, DataType::Int64, false).with_extension_type(RowNumber);
    (Arc::new(Field::new(FILE, DataType::Int64, false)), Arc::new(row))
}

/// Rows of a version of a table as the engine reads them.
pub(super) struct Scan {
    /// The columns of the files, then those of partitions, then those that tell where a row lies.
    schema: TableSchema,
    /// Where the table's columns stand in it.
    columns: Vec<usize>,
    files: Vec<PartitionedFile>,
}

impl Scan {
    pub(super) fn of(declared: &SchemaRef, pick: &Pick, with_places: bool) -> Result<Self> {
        let version = pick.version();
        let partition = |name: &String| declared.field_with_name(name).cloned().map(Arc::new);
        let partitions = version.partitioned_by.iter().map(partition);
        let mut partitions = partitions.collect::<std::result::Result<Vec<_>, _>>()?;
        let stored = declared.fields().iter().filter(|field| !partitions.contains(field));
        let stored = Arc::new(ArrowSchema::new(stored.cloned().collect::<Vec<_>>()));
        let types: Vec<_> = partitions.iter().map(|field| field.data_type().clone()).collect();
        let mut names: Vec<&str> =
            declared.fields().iter().map(|field| field.name().as_str()).collect();
        let mut rows = Vec::new();
        if with_places {
            let (file, row) = place_fields();
            partitions.push(file);
            rows.push(row);
            names.extend([FILE, PLACE]);
        }
        let schema = TableSchema::builder(stored)
            .with_table_partition_cols(partitions)
            .with_virtual_columns(rows)
            .build();
        let all = Arc::clone(schema.table_schema());
        let columns = names.into_iter().map(|name| all.index_of(name));
        let columns = columns.collect::<std::result::Result<_, _>>()?;
        let known = schema.schema_without_virtual_columns();
        let mut files = Vec::new();
        for (at, file) in version.files.iter().enumerate() {
            let Some(rows) = pick.of(at, file) else { continue };
            let value = |(value, of): (&Option<String>, &DataType)| match value {
                Some(value) => ScalarValue::try_from_string(value.clone(), of),
                None => ScalarValue::try_from(of),
            };
            let values = file.values.iter().zip(&types).map(value);
            let mut values = values.collect::<Result<Vec<_>>>()?;
            if with_places {
                values.push(ScalarValue::Int64(i64::try_from(at).ok()));
            }
            let count = match &rows {
                Some(rows) => Some(rows.row_count()),
                None => file.rows,
            };
            let mut scanned = PartitionedFile::new_from_meta(file.meta.clone());
            scanned.statistics = Some(Arc::new(statistics(count, known, &values)));
            scanned.partition_values = values;
            files.push(match rows {
                Some(rows) => scanned.with_extension(ParquetRowSelection::new(rows)),
                None => scanned,
            });
        }
        Ok(Self { schema, columns, files })
    }

    pub(super) async fn run(
        self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let scan = self.pruned(state, filters)?;
        if !scan.files.is_empty() {
            return scan.plan(state, projection, limit).await;
        }
        let fields = scan.columns.iter().map(|at| scan.schema.table_schema().field(*at).clone());
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        EmptyTable::new(schema).scan(state, projection, filters, limit).await
    }

    /// Without the files whose partitions no row of `filters` can be in.
    fn pruned(mut self, state: &dyn Session, filters: &[Expr]) -> Result<Self> {
        let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(self) };
        if self.schema.table_partition_cols().is_empty() {
            return Ok(self);
        }
        let all = self.schema.schema_without_virtual_columns();
        let schema = DFSchema::try_from(Arc::clone(all))?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let predicate = PruningPredicateBuilder::new().with_file_schema(Arc::clone(all));
        // Not every condition says something of a whole file.
        let Ok(predicate) = predicate.try_build(filter) else {
            return Ok(self);
        };
        let told = self.files.iter().filter_map(|file| file.statistics.clone()).collect();
        let keep = predicate.prune(&PrunableStatistics::new(told, Arc::clone(all)))?;
        let mut keep = keep.into_iter();
        self.files.retain(|_| keep.next().unwrap_or(true));
        Ok(self)
    }

    async fn plan(
        self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = match projection {
            Some(wanted) => wanted.iter().map(|&at| self.columns[at]).collect(),
            None => self.columns,
        };
        let rows = self.files.iter().map(|file| file.statistics.as_ref()?.num_rows.get_value());
        let rows = rows.map(|rows| rows.copied()).sum::<Option<usize>>();
        let known = statistics(rows, self.schema.table_schema(), &[]);
        let bytes: u64 = self.files.iter().map(|file| file.object_meta.size).sum();
        let threads = state.config_options().execution.target_partitions;
        let groups = usize::try_from(bytes / WORTH_A_THREAD).unwrap_or(threads).clamp(1, threads);
        let groups = FileGroup::new(self.files).split_files(groups);
        let (address, source) = (ObjectStoreUrl::parse(ADDRESS)?, ParquetSource::new(self.schema));
        let scan = FileScanConfigBuilder::new(address, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(known)
            .with_limit(limit)
            .with_projection_indices(Some(wanted))?
            .build();
        let options = state.default_table_options().parquet;
        ParquetFormat::new().with_options(options).create_physical_plan(state, scan).await
    }
}

/// What is known of rows: how many there are, and the values that all of them have in the last
/// columns of `schema`.
fn statistics(rows: Option<usize>, schema: &ArrowSchema, values: &[ScalarValue]) -> Statistics {
    let mut known = Statistics::new_unknown(schema);
    known.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
    let first = schema.fields().len() - values.len();
    for (column, value) in known.column_statistics[first..].iter_mut().zip(values) {
        *column = ColumnStatistics {
            null_count: if value.is_null() { known.num_rows } else { Precision::Exact(0) },
            // A null here has the column's type, without which the others would not be compared.
            min_value: Precision::Exact(value.clone()),
            max_value: Precision::Exact(value.clone()),
            distinct_count: Precision::Exact(1),
            ..ColumnStatistics::default()
        };
    }
    known
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_types, reason = "conditions are made in a session")]

    use chrono::DateTime;
    use datafusion::logical_expr::{col, lit};
    use datafusion::prelude::SessionContext;
    use object_store::ObjectMeta;
    use object_store::path::Path;

    use super::*;

    /// Files of the months `2026-01`, of none and `2026-02`.
    fn months() -> Pick {
        let file = |month: Option<&str>| DataFile {
            meta: ObjectMeta {
                location: Path::from(month.unwrap_or("none")),
                last_modified: DateTime::UNIX_EPOCH,
                size: 1,
                e_tag: None,
                version: None,
            },
            path: month.unwrap_or("none").to_owned(),
            rows: Some(10),
            gone: RoaringTreemap::new(),
            values: vec![month.map(str::to_owned)],
        };
        let files = [Some("2026-01"), None, Some("2026-02")].map(file).into();
        let partitioned_by = vec!["thang".to_owned()];
        Pick::Counting(Arc::new(Version { number: 0, partitioned_by, files }))
    }

    #[test]
    fn only_files_are_read_whose_partition_can_hold_a_wanted_row() {
        let declared = Arc::new(ArrowSchema::new(vec![
            Field::new("thang", DataType::Utf8View, true),
            Field::new("so_luot", DataType::Int64, true),
        ]));
        let session = SessionContext::new().state();
        let left = |filter: Expr| {
            let scan = Scan::of(&declared, &months(), false).unwrap();
            scan.pruned(&session, &[filter]).unwrap().files.len()
        };
        assert_eq!(left(col("thang").eq(lit("2026-01"))), 1);
        assert_eq!(left(col("thang").gt(lit("2026-00"))), 2);
        assert_eq!(left(col("thang").is_null()), 1);
        assert_eq!(left(col("thang").is_not_null()), 2);
        assert_eq!(left(col("thang").eq(lit("2027-01"))), 0);
        assert_eq!(left(col("so_luot").gt(lit(1_i64))), 3);
        assert_eq!(left(col("thang").eq(lit("2026-02")).or(col("so_luot").gt(lit(1_i64)))), 3);
    }
}
