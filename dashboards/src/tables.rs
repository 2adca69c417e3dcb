//! Every table as the catalogue describes it, whether a source, a mart or the product's own, for
//! those who may read it: for others it is not there, nor are columns above their class.

use warehouse::names::{Group, Schema, Sensitivity, TableName, Text};
use warehouse::spec::{self, Contract, Declarations, Query, QueryKind, SourceTable};
use warehouse::system;

use crate::app::App;
use crate::error::PageError;
use crate::request::Reader;

/// What is declared about one table.
pub(crate) struct TableInfo<'a> {
    pub(crate) name: TableName,
    pub(crate) title: Text,
    pub(crate) grain: Text,
    pub(crate) class: Sensitivity,
    pub(crate) origin: Origin<'a>,
    pub(crate) columns: Vec<ColumnInfo>,
}

/// Where a table's rows come from.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    Source(&'a Contract, &'a SourceTable),
    Mart(&'a Query),
    System,
}

/// One column.
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) label: Option<Text>,
    pub(crate) ty: String,
    pub(crate) unit: Option<Text>,
    pub(crate) class: Sensitivity,
}

impl<'a> TableInfo<'a> {
    pub(crate) fn groups(&self) -> &'a [Group] {
        match self.origin {
            Origin::Source(contract, _) => &contract.groups,
            Origin::Mart(query) => &query.groups,
            Origin::System => &[],
        }
    }

    /// Whether it is one of the product's own.
    pub(crate) fn is_system(&self) -> bool {
        matches!(self.origin, Origin::System)
    }

    fn source(contract: &'a Contract, table: &'a SourceTable) -> Self {
        let schema = spec::arrow_schema(table);
        let columns = table
            .columns
            .iter()
            .filter_map(|column| {
                let field = schema.field_with_name(&column.name).ok()?;
                Some(ColumnInfo {
                    name: column.name.clone(),
                    label: Some(column.label.clone()),
                    ty: system::type_name(field.data_type()),
                    unit: column.unit.clone(),
                    class: column.sensitivity,
                })
            })
            .collect();
        Self {
            name: table.name.clone(),
            title: table.title.clone(),
            grain: table.grain.clone(),
            class: table.sensitivity,
            origin: Origin::Source(contract, table),
            columns,
        }
    }

    fn mart(query: &'a Query) -> Option<Self> {
        let columns = query
            .columns
            .iter()
            .filter_map(|column| {
                let field = query.schema.field_with_name(&column.name).ok()?;
                Some(ColumnInfo {
                    name: column.name.clone(),
                    label: Some(column.label.clone()),
                    ty: system::type_name(field.data_type()),
                    unit: column.unit.clone(),
                    class: query.sensitivity,
                })
            })
            .collect();
        Some(Self {
            name: query.table()?,
            title: query.title.clone(),
            grain: query.grain.clone(),
            class: query.sensitivity,
            origin: Origin::Mart(query),
            columns,
        })
    }

    fn system(table: &system::SystemTable) -> Self {
        let columns = table.schema.fields().iter().map(|field| ColumnInfo {
            name: field.name().clone(),
            label: None,
            ty: system::type_name(field.data_type()),
            unit: None,
            class: table.sensitivity,
        });
        Self {
            name: table.name.clone(),
            title: table.title.clone(),
            grain: table.grain.clone(),
            class: table.sensitivity,
            origin: Origin::System,
            columns: columns.collect(),
        }
    }
}

/// The declared tables that the reader may see, schema by schema as the catalogue shows them.
pub(crate) fn visible<'a>(app: &'a App, reader: &Reader) -> Result<Vec<TableInfo<'a>>, PageError> {
    let sight = app.sight(reader)?;
    let mut tables = all(app.declarations())?;
    tables.retain_mut(|table| {
        let Some(schema) = sight.get(&table.name) else { return false };
        table.columns.retain(|column| schema.field_with_name(&column.name).is_ok());
        true
    });
    Ok(tables)
}

/// The table of that name, if the reader may see it.
pub(crate) fn find<'a>(
    app: &'a App,
    reader: &Reader,
    name: &TableName,
) -> Result<TableInfo<'a>, PageError> {
    let tables = visible(app, reader)?;
    tables.into_iter().find(|table| table.name == *name).ok_or(PageError::NotFound)
}

/// Those of `names` that the reader may see.
pub(crate) fn known<'n>(
    app: &App,
    reader: &Reader,
    names: impl IntoIterator<Item = &'n TableName>,
) -> Result<Vec<String>, PageError> {
    let sight = app.sight(reader)?;
    let known = names.into_iter().filter(|name| sight.contains_key(*name));
    Ok(known.map(ToString::to_string).collect())
}

fn all(declarations: &Declarations) -> Result<Vec<TableInfo<'_>>, PageError> {
    let sources = declarations.contracts.iter().flat_map(|contract| {
        contract.tables.iter().map(move |table| TableInfo::source(contract, table))
    });
    let marts = declarations.of_kind(QueryKind::Mart).filter_map(TableInfo::mart);
    let mut tables: Vec<_> = sources.chain(marts).collect();
    // The account of queries is there for inspectors only, as their sight says.
    let stored = system::stored().into_iter().chain([system::queries()]);
    tables.extend(stored.map(|table| TableInfo::system(&table)));
    let described = system::virtual_tables(declarations)?;
    tables.extend(described.iter().map(|(table, _)| TableInfo::system(table)));
    let place = |schema: Schema| Schema::ALL.iter().position(|&other| other == schema);
    tables
        .sort_by(|a, b| (place(a.name.schema()), &a.name).cmp(&(place(b.name.schema()), &b.name)));
    Ok(tables)
}
