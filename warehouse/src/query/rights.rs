//! What one principal may see: tables by class, columns by theirs, rows by place.
//!
//! All that is open is whole to everyone. Of a table above open, a principal who is kept to some
//! places sees the rows of these places and of those that became part of them; where a table has
//! no column that says the place, nothing of it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::array::{BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, col, lit};

use super::kept::all_of;
use super::lake_table::viewed;
use crate::access::{Principal, Scope};
use crate::geography::Geography;
use crate::names::{Schema, Sensitivity, TableName};
use crate::spec::{self, ColumnType, Declarations, QueryKind, SourceTable, Treatment};
use crate::state::State;
use crate::system::{self, SystemTable};

/// The column that says of which place a row of a mart is.
const UNIT: &str = "don_vi";

/// Everything that one principal may see.
pub(super) struct Visible {
    pub(super) tables: BTreeMap<TableName, Entry>,
    /// `chi_tieu.gia_tri` of the whole country, for what is computed from it.
    pub(super) country_values: Entry,
}

/// What may be seen of one table.
pub(super) struct Entry {
    pub(super) source: Source,
    /// Its columns as they are stored.
    pub(super) stored: SchemaRef,
    /// Those that may be seen.
    pub(super) schema: SchemaRef,
    /// The condition that its rows meet.
    pub(super) keep: Option<Expr>,
}

/// Where rows come from.
pub(super) enum Source {
    /// A table of the lake.
    Lake,
    /// Rows that are known without the lake.
    Memory(RecordBatch),
    /// `chi_tieu.ca_nuoc`, computed from the indicator values.
    Country,
    /// `he_thong.truy_van`, the account of queries.
    Queries(State),
}

impl Entry {
    fn lake(stored: &ArrowSchema) -> Self {
        let stored = Arc::new(viewed(stored));
        let schema = Arc::clone(&stored);
        Self { source: Source::Lake, stored, schema, keep: None }
    }

    fn kept(mut self, keep: Option<Expr>) -> Self {
        self.keep = keep;
        self
    }

    /// Without the columns that `hidden` names.
    fn without(mut self, hidden: &BTreeSet<&str>) -> Self {
        let fields = self.schema.fields().iter();
        let seen = fields.filter(|field| !hidden.contains(field.name().as_str())).cloned();
        self.schema = Arc::new(ArrowSchema::new(seen.collect::<Vec<_>>()));
        self
    }
}

/// Someone's rights, being worked out.
struct Rights<'a> {
    who: &'a Principal,
    declarations: &'a Declarations,
    /// Keys of all units whose rows they may see; `None` where all.
    units: Option<Vec<Expr>>,
}

impl Visible {
    /// Works out what `who` may see.
    pub(super) fn of(
        who: &Principal,
        declarations: &Declarations,
        geography: &Geography,
        state: Option<&State>,
    ) -> Result<Self> {
        let units = match &who.scope {
            Scope::Country => None,
            Scope::Units(units) => {
                let keys = geography.within(units);
                Some(keys.into_iter().map(|key| lit(key.to_owned())).collect())
            }
        };
        let rights = Rights { who, declarations, units };
        let mut tables = BTreeMap::new();
        rights.sources(&mut tables);
        rights.marts(&mut tables);
        rights.indicators(&mut tables);
        rights.records(&mut tables);
        if let Some(state) = state.filter(|_| who.inspects() && who.scope.is_country()) {
            let SystemTable { name, schema, .. } = system::queries();
            let (stored, source) = (Arc::clone(&schema), Source::Queries(state.clone()));
            tables.insert(name, Entry { source, stored, schema, keep: None });
        }
        rights.descriptions(&mut tables)?;
        Ok(Self { tables, country_values: rights.values(false) })
    }
}

type Tables = BTreeMap<TableName, Entry>;

impl Rights<'_> {
    /// The condition on rows of class `class` with their place in `column`: all rows, some, or, as
    /// an error, none at all.
    fn rows(&self, class: Sensitivity, column: Option<&str>) -> Result<Option<Expr>, Nothing> {
        if !self.who.may_read(class) {
            return Err(Nothing);
        }
        match (&self.units, column) {
            (None, _) => Ok(None),
            _ if class == Sensitivity::Open => Ok(None),
            (Some(_), None) => Err(Nothing),
            (Some(units), Some(column)) => Ok(Some(col(column).in_list(units.clone(), false))),
        }
    }

    fn sources(&self, tables: &mut Tables) {
        for contract in &self.declarations.contracts {
            for table in &contract.tables {
                let Ok(keep) = self.rows(table.sensitivity, unit_column(table)) else {
                    continue;
                };
                let hidden = table
                    .columns
                    .iter()
                    .filter(|column| !self.who.may_read(stored_class(column)))
                    .map(|column| column.name.as_str())
                    .collect();
                let entry = Entry::lake(&spec::arrow_schema(table)).kept(keep).without(&hidden);
                tables.insert(table.name.clone(), entry);
            }
        }
    }

    fn marts(&self, tables: &mut Tables) {
        for query in self.declarations.of_kind(QueryKind::Mart) {
            let column = query.schema.field_with_name(UNIT).is_ok().then_some(UNIT);
            let Ok(keep) = self.rows(query.sensitivity, column) else { continue };
            if let Some(name) = query.table() {
                tables.insert(name, Entry::lake(&query.schema).kept(keep));
            }
        }
    }

    /// Indicator values: of open indicators all, of others those of the principal's places where
    /// `by_place`.
    fn values(&self, by_place: bool) -> Entry {
        let entry = Entry::lake(&system::indicator_values().schema);
        if self.who.clearance == Sensitivity::Restricted && self.units.is_none() {
            // What is declared no more has no class, and only who may see everything sees it.
            return entry;
        }
        let (mut whole, mut partly) = (Vec::new(), Vec::new());
        for query in self.declarations.of_kind(QueryKind::Indicator) {
            match self.rows(query.sensitivity, Some(UNIT)) {
                Ok(None) => whole.push(lit(query.id.clone())),
                Ok(Some(_)) => partly.push(lit(query.id.clone())),
                Err(Nothing) => {}
            }
        }
        let id = || col("ma_chi_tieu");
        let keep = match (&self.units, by_place) {
            (Some(units), true) if !partly.is_empty() => {
                let own = id().in_list(partly, false).and(col(UNIT).in_list(units.clone(), false));
                id().in_list(whole, false).or(own)
            }
            _ => {
                whole.append(&mut partly);
                id().in_list(whole, false)
            }
        };
        entry.kept(Some(keep))
    }

    fn indicators(&self, tables: &mut Tables) {
        let values = self.values(true);
        tables.insert(system::indicator_values().name, values);
        let schema = super::boundaries::country_schema();
        let entry =
            Entry { source: Source::Country, stored: Arc::clone(&schema), schema, keep: None };
        tables.insert(super::boundaries::country_name(), entry);
    }

    /// What the product knows about its nights and releases: of a table or indicator only what the
    /// principal may see whole. That figures are simulated, whoever sees some of them has to know.
    fn records(&self, tables: &mut Tables) {
        let names = |names: BTreeSet<String>| names.into_iter().map(lit).collect::<Vec<Expr>>();
        let whole = names(self.known(|class| self.who.reads_whole(class)));
        let partly = names(self.known(|class| self.who.may_read(class)));
        let marks = system::simulated().name;
        for table in system::stored().into_iter().filter(|t| t.name.schema() == Schema::HeThong) {
            if self.rows(table.sensitivity, None).is_err() {
                continue;
            }
            let sees_all = self.who.clearance == Sensitivity::Restricted && self.units.is_none();
            let has = |name: &str| !sees_all && table.schema.field_with_name(name).is_ok();
            let known = if table.name == marks { &partly } else { &whole };
            let about = ["bang", "tu_bang"]
                .into_iter()
                .filter(|name| has(name))
                .map(|name| col(name).in_list(known.clone(), false));
            // Which indicator, where many fill one table.
            let part = has("phan").then(|| {
                let known = self.indicators_whole().map(lit).chain([lit("")]);
                col("phan").in_list(known.collect(), false)
            });
            let keep = all_of(about.chain(part));
            tables.insert(table.name, Entry::lake(&table.schema).kept(keep));
        }
    }

    fn indicators_whole(&self) -> impl Iterator<Item = String> {
        let indicators = self.declarations.of_kind(QueryKind::Indicator);
        indicators.filter(|q| self.who.reads_whole(q.sensitivity)).map(|q| q.id.clone())
    }

    /// Names, as the ledger writes them, of what is of a class that `is_seen`.
    fn known(&self, is_seen: impl Fn(Sensitivity) -> bool) -> BTreeSet<String> {
        let sources = self
            .declarations
            .contracts
            .iter()
            .flat_map(|contract| &contract.tables)
            .filter(|table| is_seen(table.sensitivity))
            .map(|table| table.name.to_string());
        let queries =
            self.declarations.queries.iter().filter(|query| is_seen(query.sensitivity)).filter_map(
                |query| match query.kind {
                    QueryKind::Indicator => query.table().map(|t| format!("{t}/{}", query.id)),
                    _ => query.table().map(|table| table.to_string()),
                },
            );
        sources.chain(queries).chain([system::indicator_values().name.to_string()]).collect()
    }

    /// Tables that describe tables, columns and indicators: of those that are there.
    fn descriptions(&self, tables: &mut Tables) -> Result<()> {
        for (table, batch) in system::virtual_tables(self.declarations)? {
            let about = match table.name.name() {
                "dinh_nghia" => "ma_chi_tieu",
                "cot" => "bang",
                _ => "ten",
            };
            let seen: Vec<bool> = match table.name.name() {
                "dinh_nghia" => self.rows_where(&batch, about, |id, _| {
                    let query = self.declarations.query(id);
                    query.is_some_and(|query| self.who.may_read(query.sensitivity))
                }),
                "cot" => self.rows_where(&batch, about, |name, row| {
                    let column = text(&batch, "ten", row).unwrap_or_default();
                    let entry = name.parse().ok().and_then(|name: TableName| tables.get(&name));
                    entry.is_some_and(|entry| entry.schema.field_with_name(&column).is_ok())
                }),
                _ => self.rows_where(&batch, about, |name, _| {
                    name.parse().is_ok_and(|name: TableName| tables.contains_key(&name))
                }),
            };
            let batch = filter_record_batch(&batch, &BooleanArray::from(seen))?;
            let batch = origins(batch, tables)?;
            let schema = Arc::clone(&table.schema);
            let (stored, source) = (Arc::clone(&schema), Source::Memory(batch));
            tables.insert(table.name, Entry { source, stored, schema, keep: None });
        }
        Ok(())
    }

    fn rows_where(
        &self,
        batch: &RecordBatch,
        column: &str,
        seen: impl Fn(&str, usize) -> bool,
    ) -> Vec<bool> {
        (0..batch.num_rows())
            .map(|row| text(batch, column, row).is_some_and(|name| seen(&name, row)))
            .collect()
    }
}

/// The column that says what a table was made from.
const ORIGIN: &str = "nguon_goc";

/// `batch` with the tables that each was made from, of those that are there. What names no table
/// is a database, and those are public.
fn origins(batch: RecordBatch, tables: &Tables) -> Result<RecordBatch> {
    let Some((at, _)) = batch.schema().column_with_name(ORIGIN) else { return Ok(batch) };
    let is_there =
        |part: &&str| part.parse().map_or(true, |name: TableName| tables.contains_key(&name));
    let origins = (0..batch.num_rows()).map(|row| {
        let all = text(&batch, ORIGIN, row)?;
        Some(all.split(';').filter(is_there).collect::<Vec<_>>().join(";"))
    });
    let origins: StringArray = origins.collect();
    let mut columns = batch.columns().to_vec();
    columns[at] = Arc::new(origins);
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// Not one row.
struct Nothing;

fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let texts = batch.column_by_name(column)?.as_string_opt::<i32>()?;
    (!texts.is_null(row)).then(|| texts.value(row).to_owned())
}

/// The column that says of which place a row is: `don_vi`, or the only one that holds units.
fn unit_column(table: &SourceTable) -> Option<&str> {
    let is_unit = |ty: &ColumnType| matches!(ty, ColumnType::Unit { .. });
    let mut units = table.columns.iter().filter(|column| is_unit(&column.ty));
    let named = table.columns.iter().find(|c| c.name == UNIT && is_unit(&c.ty));
    let found = named.or_else(|| match (units.next(), units.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    });
    found.map(|column| column.name.as_str())
}

/// The class of what is stored of a column. What was made coarser is not what it was: it has its
/// contract's class, which the table has already.
fn stored_class(column: &spec::Column) -> Sensitivity {
    match column.treatment {
        Treatment::Keep | Treatment::Pseudonymise { .. } => column.sensitivity,
        Treatment::Drop | Treatment::Generalise(_) => Sensitivity::Open,
    }
}
