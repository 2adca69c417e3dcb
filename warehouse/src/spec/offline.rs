//! A session over empty tables: it plans what is declared and can read nothing.
//!
//! It holds the same tables and functions as the session of [`crate::query`], without a lake.

#![expect(
    clippy::disallowed_types,
    reason = "declarations are planned over empty tables, before there is a lake"
)]

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, TableFunctionArgs,
    TableFunctionImpl, TableProvider,
};
use datafusion::common::config::Dialect;
use datafusion::common::{Result, TableReference, plan_err};
use datafusion::datasource::empty::EmptyTable;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::Declarations;
use crate::geography::{self, Geography};
use crate::names::{Schema, TableName};
use crate::query::DATABASE;
use crate::system;

/// The schema of names without a schema: only the `bang` of a check is ever there.
const UNQUALIFIED: &str = "bang_tam";

/// The name by which a check calls its table.
pub(super) const BATCH: &str = "bang";

/// The table function that moves indicators to the boundaries of a date.
pub(super) const ON_BOUNDARIES: &str = "chi_tieu_tai";

/// A session that holds the tables of the product itself, and their names.
pub(super) fn session(geography: Geography) -> Result<(SessionContext, Vec<TableName>)> {
    let mut config = SessionConfig::new()
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(DATABASE, UNQUALIFIED)
        .with_information_schema(false)
        .with_target_partitions(1);
    let parser = &mut config.options_mut().sql_parser;
    parser.dialect = Dialect::PostgreSQL;
    parser.collect_spans = true;
    let ctx = SessionContext::new_with_config(config);
    let catalog = Arc::new(MemoryCatalogProvider::new());
    for schema in Schema::ALL.map(Schema::as_str).into_iter().chain([UNQUALIFIED]) {
        catalog.register_schema(schema, Arc::new(MemorySchemaProvider::new()))?;
    }
    ctx.register_catalog(DATABASE, catalog);
    geography::register(&ctx, Arc::new(geography));
    ctx.register_udtf(ON_BOUNDARIES, Arc::new(OnBoundaries));
    let mut names = Vec::new();
    let virtual_tables = system::virtual_tables(&Declarations::default())?;
    let own = system::stored().into_iter().chain(virtual_tables.into_iter().map(|(t, _)| t));
    let mut tables: Vec<_> = own.map(|table| (table.name, table.schema)).collect();
    let country = TableName::new(Schema::ChiTieu, "ca_nuoc").expect("a plain name");
    tables.push((country, over_country()));
    for (name, schema) in tables {
        add(&ctx, &name, schema)?;
        names.push(name);
    }
    Ok((ctx, names))
}

/// Adds a table without rows.
pub(super) fn add(ctx: &SessionContext, name: &TableName, schema: SchemaRef) -> Result<()> {
    let reference = TableReference::partial(name.schema().as_str(), name.name());
    ctx.register_table(reference, Arc::new(EmptyTable::new(schema)))?;
    Ok(())
}

/// Makes `bang` the table of the checks that are planned next.
pub(super) fn set_batch(ctx: &SessionContext, schema: SchemaRef) -> Result<()> {
    ctx.deregister_table(BATCH)?;
    ctx.register_table(BATCH, Arc::new(EmptyTable::new(schema)))?;
    Ok(())
}

fn fields(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields = columns.iter().map(|(name, ty)| Field::new(*name, ty.clone(), true));
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}

fn on_boundaries() -> SchemaRef {
    fields(&[
        ("ma_chi_tieu", DataType::Utf8),
        ("don_vi", DataType::Utf8),
        ("ma", DataType::Utf8),
        ("ten", DataType::Utf8),
        ("ky", DataType::Date32),
        ("nam", DataType::Int64),
        ("loai_ky", DataType::Utf8),
        ("phan_to", DataType::Utf8),
        ("tu_so", DataType::Decimal128(24, 4)),
        ("mau_so", DataType::Decimal128(24, 4)),
        ("he_so", DataType::Float64),
        ("gia_tri", DataType::Float64),
        ("thanh_phan", DataType::Int64),
        ("thanh_phan_can", DataType::Int64),
        ("phien_ban", DataType::Utf8),
    ])
}

fn over_country() -> SchemaRef {
    fields(&[
        ("ma_chi_tieu", DataType::Utf8),
        ("ky", DataType::Date32),
        ("nam", DataType::Int64),
        ("loai_ky", DataType::Utf8),
        ("phan_to", DataType::Utf8),
        ("tu_so", DataType::Decimal128(24, 4)),
        ("mau_so", DataType::Decimal128(24, 4)),
        ("he_so", DataType::Float64),
        ("gia_tri", DataType::Float64),
        ("so_don_vi", DataType::Int64),
        ("phien_ban", DataType::Utf8),
    ])
}

#[derive(Debug)]
struct OnBoundaries;

impl TableFunctionImpl for OnBoundaries {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if args.exprs().len() != 1 {
            return plan_err!("chi_tieu_tai takes one date: chi_tieu_tai(DATE '2025-07-01')");
        }
        Ok(Arc::new(EmptyTable::new(on_boundaries())))
    }
}
