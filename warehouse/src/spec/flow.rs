//! What could come out of a query: free text about persons, and codes of units without the date of
//! their list ([`origin`]). Both are followed from their column through every query made of it.
//!
//! A table about persons may keep free text for those who may see persons ([`super::content`]). A
//! query of a lower class must not pass it on. So each plan is followed from its scans to its
//! result, with the columns whose text each of its columns could hold; what a query could hold is
//! known to those that read it in turn. A mart or an indicator must not hold a unit's code, and an
//! open dataset only beside a key.
//!
//! What cannot be followed passes everything. Text is stopped only by what gives none of it on:
//! a truth value, a count, a length, and a `CASE` for its conditions. Whether a row is there may
//! still tell something of a text; that is no text of a person's.

mod origin;

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result, TableReference};
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction, WindowFunction};
use datafusion::logical_expr::logical_plan::{
    Aggregate, Distinct, Join, RecursiveQuery, TableScan, Unnest,
};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::offline::ON_BOUNDARIES;
use super::{ColumnType, SourceTable, Treatment};
use crate::names::{Schema, Sensitivity, TableName};

pub(super) use self::origin::{FreeText, Origin};

/// Functions of text that say how much there is of it, or where something stands in it.
const MEASURES: [&str; 12] = [
    "ascii",
    "bit_length",
    "char_length",
    "character_length",
    "find_in_set",
    "instr",
    "length",
    "levenshtein",
    "octet_length",
    "position",
    "regexp_count",
    "strpos",
];

/// Aggregates that count.
const COUNTS: [&str; 4] = ["approx_distinct", "count", "grouping", "regr_count"];

/// What a column could hold of that which is followed.
pub(super) type Origins = BTreeSet<Origin>;

/// Those of each column of a plan's result, in its order.
type Columns = Vec<Origins>;

/// What is known of tables so far, by table and column.
#[derive(Debug)]
pub(super) struct Followed {
    tables: BTreeMap<TableName, BTreeMap<String, Origins>>,
}

impl Default for Followed {
    /// What the product's own tables hold.
    fn default() -> Self {
        let mut followed = Self { tables: BTreeMap::new() };
        let [values, _] = indicators();
        // Figures on other boundaries show the code of a unit beside its key.
        let code = Origin::Code(format!("{ON_BOUNDARIES}(…).ma"));
        followed.note(&values, "ma", Origins::from([code]));
        followed
    }
}

impl Followed {
    /// Takes note of the free text, the codes and the keys of units that a source's table keeps.
    pub(super) fn declare(&mut self, table: &SourceTable) {
        for column in table.columns.iter().filter(|column| column.treatment == Treatment::Keep) {
            let name = || format!("{}.{}", table.name, column.name);
            let origin = match &column.ty {
                ColumnType::Unit { .. } => Origin::Key(name()),
                ColumnType::Text if column.unit_code => Origin::Code(name()),
                ColumnType::Text if column.pattern.as_deref() == Some(origin::KEY_PATTERN) => {
                    Origin::Key(name())
                }
                ColumnType::Text
                    if column.free_text.is_some()
                        && column.sensitivity >= Sensitivity::Personal =>
                {
                    let class = column.sensitivity;
                    Origin::FreeText(FreeText { class, column: name() })
                }
                _ => continue,
            };
            self.note(&table.name, &column.name, Origins::from([origin]));
        }
    }

    /// Takes note of codes and keys in columns that hold only values of another table's column; when
    /// all tables are declared.
    pub(super) fn refer(&mut self, table: &SourceTable) {
        for column in table.columns.iter().filter(|column| column.treatment == Treatment::Keep) {
            let Some((list, target)) = &column.references else { continue };
            let listed = self.tables.get(list).and_then(|columns| columns.get(target));
            let units = listed.into_iter().flatten().filter(|o| o.free_text().is_none());
            let units: Origins = units.cloned().collect();
            self.note(&table.name, &column.name, units);
        }
    }

    /// Takes note of every column that a source's table about persons keeps, as if it were free text:
    /// the walk is the same.
    pub(super) fn declare_all(&mut self, table: &SourceTable) {
        let class = table.sensitivity;
        if class < Sensitivity::Personal {
            return;
        }
        for column in table.columns.iter().filter(|c| c.treatment != Treatment::Drop) {
            let from = format!("{}.{}", table.name, column.name);
            let origin = Origin::FreeText(FreeText { class, column: from });
            self.note(&table.name, &column.name, Origins::from([origin]));
        }
    }

    /// Takes note of what a column of a table could hold.
    pub(super) fn note(&mut self, table: &TableName, column: &str, origins: Origins) {
        if !origins.is_empty() {
            let columns = self.tables.entry(table.clone()).or_default();
            columns.entry(column.to_owned()).or_default().extend(origins);
        }
    }

    /// What each column of a plan's result could hold, in its order.
    pub(super) fn of_result(&self, plan: &LogicalPlan) -> Columns {
        Tracer { known: self, outside: Vec::new(), working: BTreeMap::new() }.plan(plan)
    }

    /// What a table's columns could hold; none where nothing is known of it.
    fn of_table(&self, name: &TableReference) -> Option<&BTreeMap<String, Origins>> {
        let name = match name.schema() {
            Some(schema) => TableName::new(schema.parse::<Schema>().ok()?, name.table()).ok()?,
            // A table function is scanned under its own name.
            None if name.table().trim_end_matches("()") == ON_BOUNDARIES => {
                let [values, _] = indicators();
                values
            }
            None => return None,
        };
        self.tables.get(&name)
    }
}

/// The table that all indicators fill, and the one that is computed from it.
pub(super) fn indicators() -> [TableName; 2] {
    ["gia_tri", "ca_nuoc"].map(|name| TableName::new(Schema::ChiTieu, name).expect("a plain name"))
}

fn width(plan: &LogicalPlan) -> usize {
    plan.schema().fields().len()
}

fn all(columns: &[Origins]) -> Origins {
    columns.iter().flatten().cloned().collect()
}

/// Both, column by column; everything everywhere where they differ in number.
fn merged(one: Columns, other: Columns) -> Columns {
    if one.len() != other.len() {
        let whole = all(&[all(&one), all(&other)]);
        return vec![whole; one.len().max(other.len())];
    }
    one.into_iter().zip(other).map(|(one, other)| one.into_iter().chain(other).collect()).collect()
}

/// One walk through a plan.
struct Tracer<'a> {
    known: &'a Followed,
    /// The columns that subqueries may refer to, innermost last.
    outside: Vec<(DFSchema, Columns)>,
    /// What recursive queries hold so far, by name.
    working: BTreeMap<String, Columns>,
}

impl Tracer<'_> {
    /// What each column of the plan's result could hold.
    fn plan(&mut self, plan: &LogicalPlan) -> Columns {
        let found = match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::EmptyRelation(_) | LogicalPlan::DescribeTable(_) => {
                vec![Origins::new(); width(plan)]
            }
            LogicalPlan::Values(_) => self.values(plan),
            LogicalPlan::Projection(projection) => self.each(&projection.expr, &projection.input),
            LogicalPlan::Distinct(Distinct::On(distinct)) => {
                self.each(&distinct.select_expr, &distinct.input)
            }
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input),
            LogicalPlan::Filter(filter) => self.plan(&filter.input),
            LogicalPlan::Sort(sort) => self.plan(&sort.input),
            LogicalPlan::Limit(limit) => self.plan(&limit.input),
            LogicalPlan::Repartition(repartition) => self.plan(&repartition.input),
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input),
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => {
                let input = self.plan(&window.input);
                let own = self.exprs(&window.window_expr, window.input.schema(), &input);
                input.into_iter().chain(own).collect()
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => {
                let inputs: Vec<Columns> = union.inputs.iter().map(|one| self.plan(one)).collect();
                inputs.into_iter().reduce(merged).unwrap_or_default()
            }
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            LogicalPlan::RecursiveQuery(query) => self.recursive(query),
            LogicalPlan::Statement(_)
            | LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_) => Columns::new(),
        };
        if found.len() == width(plan) {
            return found;
        }
        // Not understood: every column could hold all that goes in.
        let inputs: Vec<Origins> =
            plan.inputs().into_iter().map(|input| all(&self.plan(input))).collect();
        vec![all(&inputs); width(plan)]
    }

    fn scan(&self, scan: &TableScan) -> Columns {
        let name = &scan.table_name;
        let working = self.working.get(name.table()).filter(|_| name.schema().is_none());
        if let Some(working) = working {
            let places: Vec<usize> = match &scan.projection {
                Some(places) => places.clone(),
                None => (0..working.len()).collect(),
            };
            return places.into_iter().filter_map(|at| working.get(at).cloned()).collect();
        }
        let known = self.known.of_table(name);
        let of = |name: &String| known.and_then(|known| known.get(name)).cloned();
        let fields = scan.projected_schema.fields().iter();
        fields.map(|field| of(field.name()).unwrap_or_default()).collect()
    }

    /// Rows of a `VALUES`, which may hold subqueries.
    fn values(&mut self, plan: &LogicalPlan) -> Columns {
        let none = DFSchema::empty();
        let whole: Vec<Origins> =
            plan.expressions().iter().map(|expr| self.expr(expr, &none, &[])).collect();
        vec![all(&whole); width(plan)]
    }

    fn each(&mut self, exprs: &[Expr], input: &LogicalPlan) -> Columns {
        let columns = self.plan(input);
        self.exprs(exprs, input.schema(), &columns)
    }

    fn exprs(&mut self, exprs: &[Expr], schema: &DFSchema, input: &[Origins]) -> Columns {
        exprs.iter().map(|expr| self.expr(expr, schema, input)).collect()
    }

    /// Keys pass; after them, and what the engine adds to grouping sets, come the aggregates.
    fn aggregate(&mut self, aggregate: &Aggregate) -> Columns {
        let (schema, input) = (aggregate.input.schema(), self.plan(&aggregate.input));
        let keys = self.exprs(&aggregate.group_expr, schema, &input);
        let own = self.exprs(&aggregate.aggr_expr, schema, &input);
        let fields = aggregate.schema.fields().len();
        let wanted = fields.saturating_sub(own.len());
        let keys = if keys.len() == wanted { keys } else { vec![all(&keys); wanted] };
        keys.into_iter().chain(own).collect()
    }

    fn join(&mut self, join: &Join) -> Columns {
        let left = self.plan(&join.left);
        // The right side may be a query of each row of the left one.
        self.outside.push((join.left.schema().as_ref().clone(), left.clone()));
        let right = self.plan(&join.right);
        self.outside.pop();
        let mark = [Origins::new()];
        match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left,
            JoinType::RightSemi | JoinType::RightAnti => right,
            JoinType::LeftMark => left.into_iter().chain(mark).collect(),
            JoinType::RightMark => right.into_iter().chain(mark).collect(),
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                left.into_iter().chain(right).collect()
            }
        }
    }

    fn unnest(&mut self, unnest: &Unnest) -> Columns {
        let input = self.plan(&unnest.input);
        let from = unnest.dependency_indices.iter();
        from.map(|at| input.get(*at).cloned().unwrap_or_else(|| all(&input))).collect()
    }

    /// What comes round is added until nothing new comes.
    fn recursive(&mut self, query: &RecursiveQuery) -> Columns {
        let mut found = self.plan(&query.static_term);
        loop {
            let before = self.working.insert(query.name.clone(), found.clone());
            let once = self.plan(&query.recursive_term);
            match before {
                Some(before) => drop(self.working.insert(query.name.clone(), before)),
                None => drop(self.working.remove(&query.name)),
            }
            let more = merged(found.clone(), once);
            if more == found {
                return found;
            }
            found = more;
        }
    }

    /// What the value of an expression over `input` could hold.
    fn expr(&mut self, expr: &Expr, schema: &DFSchema, input: &[Origins]) -> Origins {
        if matches!(expr.get_type(schema), Ok(DataType::Boolean)) {
            return Origins::new();
        }
        match expr {
            Expr::Column(column) => self.column(column, schema, input),
            Expr::OuterReferenceColumn(_, column) => self.outer(column),
            Expr::Literal(..) => Origins::new(),
            // What is compared decides, and is not given on.
            Expr::Case(case) => {
                let values = case.when_then_expr.iter().map(|(_, then)| then);
                let values = values.chain(&case.else_expr);
                let found: Vec<Origins> =
                    values.map(|value| self.expr(value, schema, input)).collect();
                all(&found)
            }
            Expr::ScalarFunction(ScalarFunction { func, .. })
                if MEASURES.contains(&func.name()) =>
            {
                Origins::new()
            }
            Expr::ScalarFunction(call) => {
                let found = self.parts(expr, schema, input);
                origin::through(call, found)
            }
            Expr::AggregateFunction(AggregateFunction { func, params }) => {
                if COUNTS.contains(&func.name()) {
                    return Origins::new();
                }
                all(&self.exprs(&params.args, schema, input))
            }
            Expr::WindowFunction(window) => {
                let WindowFunction { fun, params } = window.as_ref();
                if COUNTS.contains(&fun.name()) {
                    return Origins::new();
                }
                all(&self.exprs(&params.args, schema, input))
            }
            Expr::ScalarSubquery(subquery) => {
                self.outside.push((schema.clone(), input.to_vec()));
                let found = self.plan(&subquery.subquery);
                self.outside.pop();
                all(&found)
            }
            other => self.parts(other, schema, input),
        }
    }

    /// All that the parts of an expression could hold.
    fn parts(&mut self, expr: &Expr, schema: &DFSchema, input: &[Origins]) -> Origins {
        let mut found = Origins::new();
        let walked: Result<TreeNodeRecursion> = expr.apply_children(|part| {
            found.extend(self.expr(part, schema, input));
            Ok(TreeNodeRecursion::Continue)
        });
        if walked.is_err() { all(input) } else { found }
    }

    fn column(&self, column: &Column, schema: &DFSchema, input: &[Origins]) -> Origins {
        match schema.maybe_index_of_column(column).and_then(|at| input.get(at)) {
            Some(found) => found.clone(),
            // A name that is not there, as of a lambda's or of a query around this one.
            None => all(&[all(input), self.outer(column)]),
        }
    }

    fn outer(&self, column: &Column) -> Origins {
        let mut around = self.outside.iter().rev();
        let found = around.find_map(|(schema, columns)| {
            schema.maybe_index_of_column(column).and_then(|at| columns.get(at))
        });
        match found {
            Some(found) => found.clone(),
            None => {
                self.outside.iter().flat_map(|(_, columns)| columns).flatten().cloned().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests;
