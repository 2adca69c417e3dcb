//! A table of the lake at the version that a statement reads. Its columns are known before its
//! data: a table that no night has filled yet is there, and empty.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{
    ColumnStatistics, DFSchema, DataFusionError, Result, ScalarValue, Statistics,
};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;

use super::pins::Pins;
use crate::names::TableName;
use crate::store::{DataFile, Version};

/// What the engine calls the store of the lake.
pub(super) const ADDRESS: &str = "lake://khoyte";

/// Bytes of files that are worth a thread of their own.
const WORTH_A_THREAD: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct LakeTable {
    pins: Arc<Pins>,
    name: TableName,
    schema: SchemaRef,
}

impl LakeTable {
    pub(super) fn new(pins: Arc<Pins>, name: TableName, schema: &SchemaRef) -> Self {
        Self { pins, name, schema: Arc::clone(schema) }
    }

    pub(super) fn name(&self) -> &TableName {
        &self.name
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A declared schema as the Parquet reader gives it: text as views.
pub(super) fn viewed(schema: &ArrowSchema) -> ArrowSchema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Arc::new(Field::new(field.name(), DataType::Utf8View, true)),
        other => Arc::new(Field::new(field.name(), other.clone(), true)),
    });
    ArrowSchema::new(fields.collect::<Vec<_>>())
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let version = self.pins.version(&self.name).await.map_err(external)?;
        let scan = version.map(|version| Scan::of(&version, &self.schema)?.pruned(state, filters));
        match scan.transpose()?.filter(|scan| !scan.files.is_empty()) {
            Some(scan) => scan.plan(state, projection, limit).await,
            None => {
                let empty = EmptyTable::new(self.schema());
                empty.scan(state, projection, filters, limit).await
            }
        }
    }
}

/// A version of a table as the engine reads it.
struct Scan {
    /// The columns of the files, then those of partitions.
    schema: TableSchema,
    /// Where the table's columns stand in it.
    columns: Vec<usize>,
    files: Vec<PartitionedFile>,
}

impl Scan {
    fn of(version: &Version, declared: &SchemaRef) -> Result<Self> {
        let partition = |name: &String| declared.field_with_name(name).cloned().map(Arc::new);
        let partitions = version.partitioned_by.iter().map(partition);
        let partitions = partitions.collect::<std::result::Result<Vec<_>, _>>()?;
        let stored = declared.fields().iter().filter(|field| !partitions.contains(field));
        let stored = Arc::new(ArrowSchema::new(stored.cloned().collect::<Vec<_>>()));
        let types: Vec<_> = partitions.iter().map(|field| field.data_type().clone()).collect();
        let schema = TableSchema::builder(stored).with_table_partition_cols(partitions).build();
        let all = Arc::clone(schema.table_schema());
        let columns = declared.fields().iter().map(|field| all.index_of(field.name()));
        let columns = columns.collect::<std::result::Result<_, _>>()?;
        let file = |file: &DataFile| {
            let value = |(value, of): (&Option<String>, &DataType)| match value {
                Some(value) => ScalarValue::try_from_string(value.clone(), of),
                None => ScalarValue::try_from(of),
            };
            let values = file.values.iter().zip(&types).map(value).collect::<Result<Vec<_>>>()?;
            let statistics = Arc::new(statistics(file.rows, &all, &values));
            let mut scanned = PartitionedFile::new_from_meta(file.meta.clone());
            scanned.partition_values = values;
            scanned.statistics = Some(statistics);
            Ok(scanned)
        };
        let files = version.files.iter().map(file).collect::<Result<_>>()?;
        Ok(Self { schema, columns, files })
    }

    /// Without the files whose partitions no row of `filters` can be in.
    fn pruned(mut self, state: &dyn Session, filters: &[Expr]) -> Result<Self> {
        let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(self) };
        if self.schema.table_partition_cols().is_empty() {
            return Ok(self);
        }
        let all = self.schema.table_schema();
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

/// What the log tells of rows: how many there are, and the values that all of them have in the
/// last columns of `schema`.
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
    fn months() -> Version {
        let file = |month: Option<&str>| DataFile {
            meta: ObjectMeta {
                location: Path::from(month.unwrap_or("none")),
                last_modified: DateTime::UNIX_EPOCH,
                size: 1,
                e_tag: None,
                version: None,
            },
            rows: Some(10),
            values: vec![month.map(str::to_owned)],
        };
        let files = [Some("2026-01"), None, Some("2026-02")].map(file).into();
        Version { partitioned_by: vec!["thang".to_owned()], files }
    }

    #[test]
    fn only_files_are_read_whose_partition_can_hold_a_wanted_row() {
        let declared = Arc::new(ArrowSchema::new(vec![
            Field::new("thang", DataType::Utf8View, true),
            Field::new("so_luot", DataType::Int64, true),
        ]));
        let session = SessionContext::new().state();
        let left = |filter: Expr| {
            let scan = Scan::of(&months(), &declared).unwrap();
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
