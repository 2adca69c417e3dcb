//! Plans the SQL of declarations over empty tables and reports what does not hold.

#![expect(
    clippy::disallowed_types,
    reason = "declarations are planned over empty tables, before there is a lake"
)]

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{DFSchema, Result, TableReference};
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use futures::executor::block_on;

use super::check::CheckDraft;
use super::flow::{self, Followed, Origins};
use super::nearest::{did_you_mean, list};
use super::offline::{self, BATCH, ON_BOUNDARIES};
use super::reader::{File, Span};
use super::sql::{self, Mentions, SqlText};
use super::{Query, QueryKind, Rule, SourceTable, schema};
use crate::geography::Geography;
use crate::names::{Schema, TableName};
use crate::query::verify_read;

/// What is known of the tables so far.
pub(super) struct Planner {
    ctx: SessionContext,
    tables: BTreeMap<TableName, Known>,
    followed: Followed,
    /// Where every column of a table about persons goes.
    of_persons: Followed,
}

/// A query that could run.
pub(super) struct Planned {
    /// The schema of its result, as the lake stores it.
    pub(super) schema: SchemaRef,
    logical: LogicalPlan,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Its schema is known, so SQL over it can be planned.
    plannable: bool,
    /// It and all that it is made of are without fault.
    sound: bool,
}

/// The tables that a piece of SQL reads.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) tables: BTreeSet<TableName>,
    /// All of them exist.
    pub(super) exist: bool,
    /// All of them have a known schema.
    pub(super) plannable: bool,
    /// The first that is at fault itself.
    pub(super) unsound: Option<(TableName, Span)>,
}

/// Which tables a check may read beside `bang`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach<'a> {
    /// While a batch is loaded: reference tables.
    Reference,
    /// After a query: sources, reference tables, and what the query itself reads.
    LoadedAnd(&'a BTreeSet<TableName>),
}

impl Planner {
    pub(super) fn new(geography: Geography) -> Result<Self> {
        let (ctx, own) = offline::session(geography)?;
        let known = Known { plannable: true, sound: true };
        let tables = own.into_iter().map(|name| (name, known)).collect();
        let (followed, of_persons) = (Followed::default(), Followed::default());
        Ok(Self { ctx, tables, followed, of_persons })
    }

    /// Adds a table; without a schema it is known to exist, and nothing over it is planned.
    pub(super) fn add(&mut self, name: &TableName, schema: Option<SchemaRef>, sound: bool) {
        let added = schema.map(|schema| offline::add(&self.ctx, name, schema));
        let plannable = matches!(added, Some(Ok(())));
        self.tables.insert(name.clone(), Known { plannable, sound });
    }

    /// Takes note of what a source's table keeps that is followed, and of all that it keeps about
    /// persons.
    pub(super) fn declare(&mut self, table: &SourceTable) {
        self.followed.declare(table);
        self.of_persons.declare_all(table);
    }

    /// As [`Self::declare`], for what follows from the tables that this one refers to.
    pub(super) fn refer(&mut self, table: &SourceTable) {
        self.followed.refer(table);
    }

    /// What each column of a query's result could hold of that which is followed; what reads the
    /// query is followed from there.
    pub(super) fn follow(&mut self, query: &Query, planned: &Planned) -> Vec<Origins> {
        let optimised = self.ctx.state().optimize(&planned.logical);
        let flows = self.followed.of_result(optimised.as_ref().unwrap_or(&planned.logical));
        let filled: Vec<TableName> = match query.kind {
            QueryKind::Mart => query.table().into_iter().collect(),
            QueryKind::Indicator => flow::indicators().into(),
            QueryKind::OpenData => Vec::new(),
        };
        for (field, origins) in planned.schema.fields().iter().zip(&flows) {
            for table in &filled {
                self.followed.note(table, field.name(), origins.clone());
            }
        }
        flows
    }

    /// The columns about persons that each column of a query's result could hold.
    pub(super) fn follow_persons(&mut self, query: &Query, planned: &Planned) -> Vec<Origins> {
        let optimised = self.ctx.state().optimize(&planned.logical);
        let flows = self.of_persons.of_result(optimised.as_ref().unwrap_or(&planned.logical));
        if let Some(table) = query.table().filter(|_| query.kind == QueryKind::Mart) {
            for (field, origins) in planned.schema.fields().iter().zip(&flows) {
                self.of_persons.note(&table, field.name(), origins.clone());
            }
        }
        flows
    }

    /// Says that a table must not be used after all.
    pub(super) fn condemn(&mut self, name: &TableName) {
        if let Some(known) = self.tables.get_mut(name) {
            known.sound = false;
        }
    }

    pub(super) fn knows(&self, name: &TableName) -> bool {
        self.tables.contains_key(name)
    }

    /// Whether a table can be used; one that is not known cannot.
    pub(super) fn is_sound(&self, name: &TableName) -> bool {
        self.tables.get(name).is_some_and(|known| known.sound)
    }

    /// Looks up every table that is mentioned and reports those that are not there.
    pub(super) fn resolve(&self, file: &File<'_>, mentions: &Mentions, in_check: bool) -> Reads {
        let mut reads = Reads { exist: true, plannable: true, ..Reads::default() };
        for (reference, span) in &mentions.tables {
            if in_check && *reference == TableReference::bare(BATCH) {
                continue;
            }
            match self.look_up(file, reference, span) {
                Some(name) => self.note(&mut reads, name, span),
                None => reads.exist = false,
            }
        }
        for (function, span) in &mentions.functions {
            if function == ON_BOUNDARIES {
                let values = TableName::new(Schema::ChiTieu, "gia_tri").expect("a plain name");
                self.note(&mut reads, values, span);
            } else if !self.ctx.state().table_functions().contains_key(function) {
                let message = format!("there is no table function `{function}`");
                file.fault(span.clone(), "unknown-table", message, None);
                reads.exist = false;
            }
        }
        reads
    }

    fn look_up(
        &self,
        file: &File<'_>,
        reference: &TableReference,
        span: &Span,
    ) -> Option<TableName> {
        let TableReference::Partial { schema, table } = reference else {
            let message = format!("the table `{reference}` is not written schema.table");
            let same = self.tables.keys().filter(|name| name.name() == reference.table());
            let names: Vec<String> = same.map(ToString::to_string).collect();
            let help = match &names[..] {
                [] => "write schema.table".to_owned(),
                names => format!("write {}", names.join(" or ")),
            };
            file.fault(span.clone(), "unqualified-table", message, help);
            return None;
        };
        let name = format!("{schema}.{table}").parse::<TableName>().ok();
        let known = name.filter(|name| self.tables.contains_key(name));
        if known.is_none() {
            let names: Vec<String> = self.tables.keys().map(ToString::to_string).collect();
            let help = did_you_mean(&reference.to_string(), names.iter().map(String::as_str));
            let help = help.or_else(|| self.tables_of(schema));
            let message = format!("there is no table `{reference}`");
            file.fault(span.clone(), "unknown-table", message, help);
        }
        known
    }

    fn tables_of(&self, schema: &str) -> Option<String> {
        let Ok(schema) = schema.parse::<Schema>() else {
            return list(Schema::ALL.map(Schema::as_str))
                .map(|all| format!("the schemas are {all}"));
        };
        let inside = self.tables.keys().filter(|name| name.schema() == schema);
        list(inside.map(TableName::name)).map(|all| format!("the tables of {schema} are {all}"))
    }

    fn note(&self, reads: &mut Reads, name: TableName, span: &Span) {
        if let Some(known) = self.tables.get(&name) {
            reads.plannable &= known.plannable;
            if !known.sound && reads.unsound.is_none() {
                reads.unsound = Some((name.clone(), span.clone()));
            }
        }
        reads.tables.insert(name);
    }

    /// Plans a query down to what would run.
    pub(super) fn plan(
        &self,
        file: &File<'_>,
        text: &SqlText,
        statement: &Statement,
    ) -> Option<Planned> {
        let state = self.ctx.state();
        let logical = match block_on(state.statement_to_plan(statement.clone())) {
            Ok(logical) => logical,
            Err(error) => {
                sql::report(file, text, &error);
                return None;
            }
        };
        if verify_read(&logical).is_err() {
            let message = "this query would change something";
            file.fault(text.beginning(), "not-a-query", message, None);
            return None;
        }
        match block_on(state.create_physical_plan(&logical)) {
            Ok(physical) => {
                let schema = schema::stored(&physical.schema());
                names_differ(file, text, &schema).then_some(Planned { schema, logical })
            }
            Err(error) => {
                sql::report(file, text, &error);
                None
            }
        }
    }

    /// Plans checks over a table of that schema; returns the reference tables that they read.
    pub(super) fn plan_checks(
        &self,
        file: &File<'_>,
        checks: &[CheckDraft],
        schema: &SchemaRef,
        reach: Reach<'_>,
    ) -> BTreeSet<TableName> {
        let mut read = BTreeSet::new();
        for draft in checks {
            match draft.check.rule {
                Rule::Row(_) => self.plan_condition(file, &draft.sql, schema),
                Rule::Query(_) => read.extend(self.plan_check(file, &draft.sql, schema, reach)),
            }
        }
        read
    }

    /// Plans a condition of one row of a table of that schema.
    pub(super) fn plan_condition(&self, file: &File<'_>, text: &SqlText, schema: &SchemaRef) {
        if let Err(error) = self.plan_row(file, text, schema) {
            sql::report(file, text, &error);
        }
    }

    fn plan_row(&self, file: &File<'_>, text: &SqlText, schema: &SchemaRef) -> Result<()> {
        let state = self.ctx.state();
        let schema = DFSchema::try_from_qualified_schema(BATCH, schema)?;
        let expr = state.create_logical_expr(&text.sql, &schema)?;
        let ty = expr.get_type(&schema)?;
        if ty != DataType::Boolean {
            let message = format!("a row rule must be true or false, and this gives {ty}");
            file.fault(text.beginning(), "sql-plan", message, None);
            return Ok(());
        }
        state.create_physical_expr(expr, &schema)?;
        Ok(())
    }

    fn plan_check(
        &self,
        file: &File<'_>,
        text: &SqlText,
        schema: &SchemaRef,
        reach: Reach<'_>,
    ) -> BTreeSet<TableName> {
        let Some((statement, mentions)) = sql::parse(file, text) else { return BTreeSet::new() };
        let reads = self.resolve(file, &mentions, true);
        let mut reachable = true;
        for (reference, span) in &mentions.tables {
            let Ok(name) = reference.to_string().parse::<TableName>() else { continue };
            if reads.tables.contains(&name) && !reach.holds(&name) {
                reachable = false;
                let message = format!("the check reads `{name}`, which need not be there yet");
                file.fault(span.clone(), "check-out-of-reach", message, reach.help().to_owned());
            }
        }
        let planned = reads.exist && reads.plannable && reachable;
        if planned && offline::set_batch(&self.ctx, schema.clone()).is_ok() {
            self.plan(file, text, &statement);
        }
        reads.tables
    }
}

/// Whether every column of a result has a name of its own.
fn names_differ(file: &File<'_>, text: &SqlText, schema: &SchemaRef) -> bool {
    let mut names = BTreeSet::new();
    let twice = schema.fields().iter().find(|field| !names.insert(field.name().as_str()));
    if let Some(field) = twice {
        let message = format!("the SELECT gives two columns `{}`", field.name());
        let help = "name each: … AS other_name".to_owned();
        file.fault(text.beginning(), "duplicate-name", message, help);
    }
    twice.is_none()
}

impl Reach<'_> {
    fn holds(self, name: &TableName) -> bool {
        match self {
            Self::Reference => name.schema() == Schema::DanhMuc,
            Self::LoadedAnd(read) => {
                matches!(name.schema(), Schema::DanhMuc | Schema::Nguon | Schema::HanChe)
                    || read.contains(name)
            }
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Reference => "a check of a source may read `bang` and danh_muc.…",
            Self::LoadedAnd(_) => {
                "a check of a query may read `bang`, nguon.…, danh_muc.… and what the query reads"
            }
        }
    }
}
