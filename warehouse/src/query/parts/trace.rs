//! The proof: of each operator's rows, which columns tell the partitions that the rows follow from.
//!
//! A column tells them where, for any value, the rows that have it follow from no other partitions
//! of the changed tables than those for which a known expression gives the same value. Null is a
//! value among others here. What each operator keeps of that:
//!
//! - a scan of a changed table: its partition column tells its partition;
//! - a condition, an order, an alias: all that its rows had;
//! - a projection: what is worked out of columns that tell, and of nothing else;
//! - an aggregate: what it groups by, for no group holds rows of two values;
//! - a union: what tells in each of its inputs;
//! - a join: what tells on a side that it keeps, where the other side did not change; else, of each
//!   pair that it wants equal, the column of the side that it keeps, where both sides of the pair tell.
//!
//! All others, and a subquery over what changed, keep nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::logical_plan::{Aggregate, Distinct, Join, TableScan, Union};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::name_of;
use crate::names::TableName;

/// Expressions of the partition column of each changed table that a plan scans.
pub(super) type Told = BTreeMap<TableName, Vec<Expr>>;

/// Where partitions can be told in more ways, the proof is given up.
const MOST_WAYS: usize = 16;

/// Aggregates whose result does not depend on the order of the rows, whatever their type.
const ORDERLESS: [&str; 9] =
    ["bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "count", "grouping", "max", "min"];

/// Those that round as they go where they are not exact.
const ROUNDING: [&str; 2] = ["avg", "sum"];

/// The rows of an operator.
enum Rows {
    /// They follow from nothing that changed.
    Unchanged,
    /// What each column tells.
    Columns(Vec<Option<Told>>),
}

/// See the module.
pub(super) struct Tracer<'a> {
    /// The partition columns of the changed tables.
    partitions: &'a BTreeMap<TableName, FieldRef>,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(partitions: &'a BTreeMap<TableName, FieldRef>) -> Self {
        Self { partitions }
    }

    /// What a column of the plan's result tells.
    pub(super) fn result(&self, plan: &LogicalPlan, column: usize) -> Option<Told> {
        match self.rows(plan) {
            Rows::Unchanged => Some(Told::new()),
            Rows::Columns(columns) => columns.into_iter().nth(column).flatten(),
        }
    }

    fn rows(&self, plan: &LogicalPlan) -> Rows {
        if self.asks_changed(plan) {
            return nothing(plan);
        }
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Filter(filter) => self.rows(&filter.input),
            LogicalPlan::SubqueryAlias(alias) => self.rows(&alias.input),
            LogicalPlan::Repartition(repartition) => self.rows(&repartition.input),
            LogicalPlan::Distinct(Distinct::All(input)) => self.rows(input),
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => self.rows(&sort.input),
            LogicalPlan::Projection(projection) => {
                self.each(&projection.expr, &projection.input, plan)
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, plan),
            LogicalPlan::Union(union) => self.union(union, plan),
            LogicalPlan::Join(join) => self.join(join, plan),
            other => self.other(other),
        }
    }

    /// An operator of which nothing is known.
    fn other(&self, plan: &LogicalPlan) -> Rows {
        let is_unchanged = |input: &&LogicalPlan| matches!(self.rows(input), Rows::Unchanged);
        if plan.inputs().iter().all(is_unchanged) { Rows::Unchanged } else { nothing(plan) }
    }

    /// Whether an expression of the operator asks, by a query of its own, what changed.
    fn asks_changed(&self, plan: &LogicalPlan) -> bool {
        let mut found = false;
        let walked = plan.apply_subqueries(|subquery| {
            found |= matches!(self.rows(subquery), Rows::Columns(_));
            Ok(TreeNodeRecursion::Continue)
        });
        found || walked.is_err()
    }

    fn scan(&self, scan: &TableScan) -> Rows {
        let name = name_of(scan);
        let known = name.and_then(|name| self.partitions.get_key_value(&name));
        let Some((name, partition)) = known else { return Rows::Unchanged };
        let told = |column: &str| {
            let is_partition = scan.fetch.is_none() && column == partition.name();
            let own = Expr::Column(Column::new_unqualified(column));
            is_partition.then(|| Told::from([(name.clone(), vec![own])]))
        };
        Rows::Columns(scan.projected_schema.fields().iter().map(|f| told(f.name())).collect())
    }

    /// Expressions over an input, which are the first columns of the operator.
    fn each(&self, exprs: &[Expr], input: &LogicalPlan, plan: &LogicalPlan) -> Rows {
        let rows = self.rows(input);
        if matches!(rows, Rows::Unchanged) {
            return rows;
        }
        let mut columns: Vec<_> = exprs.iter().map(|e| told_by(e, input.schema(), &rows)).collect();
        columns.resize(width(plan), None);
        Rows::Columns(columns)
    }

    fn aggregate(&self, aggregate: &Aggregate, plan: &LogicalPlan) -> Rows {
        let schema = aggregate.input.schema();
        let is_plain = !aggregate.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_)));
        let is_exact = aggregate.aggr_expr.iter().all(|expr| is_exact(expr, schema));
        if is_plain && is_exact {
            return self.each(&aggregate.group_expr, &aggregate.input, plan);
        }
        self.other(plan)
    }

    fn union(&self, union: &Union, plan: &LogicalPlan) -> Rows {
        let inputs: Vec<Rows> = union.inputs.iter().map(|input| self.rows(input)).collect();
        if inputs.iter().all(|rows| matches!(rows, Rows::Unchanged)) {
            return Rows::Unchanged;
        }
        let column = |at: usize| {
            let told = inputs.iter().map(|rows| match rows {
                Rows::Unchanged => Some(Told::new()),
                Rows::Columns(columns) => columns.get(at).cloned().flatten(),
            });
            told.reduce(|one, other| both(one?, other?)).flatten()
        };
        Rows::Columns((0..width(plan)).map(column).collect())
    }

    fn join(&self, join: &Join, plan: &LogicalPlan) -> Rows {
        let (left, right) = (self.rows(&join.left), self.rows(&join.right));
        if matches!((&left, &right), (Rows::Unchanged, Rows::Unchanged)) {
            return Rows::Unchanged;
        }
        let (keeps_left, keeps_right) = kept(join.join_type);
        // One null on the right would take away all that is on the left.
        if join.null_aware {
            return nothing(plan);
        }
        let (l, r) = (join.left.schema(), join.right.schema());
        let mut of_left = side(&left, &right, width(&join.left));
        let mut of_right = side(&right, &left, width(&join.right));
        for (one, other) in &join.on {
            let told = told_by(one, l, &left).zip(told_by(other, r, &right));
            let Some(told) = told.and_then(|(one, other)| both(one, other)) else { continue };
            for (expr, schema, columns) in [(one, l, &mut of_left), (other, r, &mut of_right)] {
                let at = column_of(expr).and_then(|column| schema.maybe_index_of_column(column));
                if let Some(column) = at.and_then(|at| columns.get_mut(at)) {
                    column.get_or_insert_with(|| told.clone());
                }
            }
        }
        let shows = shown(join.join_type);
        let hidden = |is_kept: bool, columns: Vec<Option<Told>>| {
            columns.into_iter().map(move |told| told.filter(|_| is_kept))
        };
        let mut columns = Vec::new();
        if shows.0 {
            columns.extend(hidden(keeps_left, of_left));
        }
        if shows.1 {
            columns.extend(hidden(keeps_right, of_right));
        }
        columns.resize(width(plan), None);
        Rows::Columns(columns)
    }
}

fn width(plan: &LogicalPlan) -> usize {
    plan.schema().fields().len()
}

fn nothing(plan: &LogicalPlan) -> Rows {
    Rows::Columns(vec![None; width(plan)])
}

/// What the columns of one side of a join tell by themselves: something only where the other side
/// did not change.
fn side(own: &Rows, other: &Rows, width: usize) -> Vec<Option<Told>> {
    match (own, other) {
        (Rows::Columns(columns), Rows::Unchanged) => columns.clone(),
        _ => vec![None; width],
    }
}

/// Of which sides a join keeps each row's cells as they are.
fn kept(of: JoinType) -> (bool, bool) {
    match of {
        JoinType::Inner => (true, true),
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            (true, false)
        }
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            (false, true)
        }
        JoinType::Full => (false, false),
    }
}

/// Of which sides a join gives columns.
fn shown(of: JoinType) -> (bool, bool) {
    match of {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => (true, true),
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => (true, false),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => (false, true),
    }
}

fn column_of(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => column_of(&alias.expr),
        _ => None,
    }
}

/// Either of two ways.
fn both(one: Told, other: Told) -> Option<Told> {
    let mut all = one;
    for (table, exprs) in other {
        let known = all.entry(table).or_default();
        for expr in exprs {
            if !known.contains(&expr) {
                known.push(expr);
            }
        }
        if known.len() > MOST_WAYS {
            return None;
        }
    }
    Some(all)
}

/// What an expression over some rows tells.
fn told_by(expr: &Expr, schema: &DFSchema, rows: &Rows) -> Option<Told> {
    let Rows::Columns(columns) = rows else { return Some(Told::new()) };
    if !is_of_columns(expr) {
        return None;
    }
    let named: BTreeSet<&Column> = expr.column_refs().into_iter().collect();
    let place = |name: &Column| columns.get(schema.maybe_index_of_column(name)?)?.as_ref();
    let named: Vec<_> = named.into_iter().map(|n| Some((n, place(n)?))).collect::<Option<_>>()?;
    // A constant tells nothing: its rows are all rows.
    let tables = named.first()?.1.keys();
    let told = tables.map(|table| Some((table.clone(), in_terms_of(table, expr, &named)?)));
    told.collect()
}

/// An expression over columns that tell, as expressions of a table's partition column.
fn in_terms_of(table: &TableName, expr: &Expr, named: &[(&Column, &Told)]) -> Option<Vec<Expr>> {
    let mut ways: Vec<HashMap<&Column, &Expr>> = vec![HashMap::new()];
    for (column, told) in named {
        let known = told.get(table)?;
        let with = |way: &HashMap<_, _>, own| {
            let mut way = way.clone();
            way.insert(*column, own);
            way
        };
        ways = ways.iter().flat_map(|way| known.iter().map(|own| with(way, own))).collect();
        if ways.len() > MOST_WAYS {
            return None;
        }
    }
    ways.iter().map(|way| replaced(expr, way).ok()).collect()
}

fn replaced(expr: &Expr, by: &HashMap<&Column, &Expr>) -> Result<Expr> {
    let replace = |part: Expr| match &part {
        Expr::Column(column) => Ok(match by.get(column) {
            Some(own) => Transformed::yes((*own).clone()),
            None => Transformed::no(part),
        }),
        _ => Ok(Transformed::no(part)),
    };
    // From the leaves up, so that what was put in is not looked at again.
    expr.clone().transform_up(replace).data()
}

/// Whether a value follows from columns of the same row alone.
fn is_of_columns(expr: &Expr) -> bool {
    let found = expr.exists(|part| {
        Ok(matches!(
            part,
            Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::ScalarSubquery(_)
                | Expr::GroupingSet(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Unnest(_)
                | Expr::Lambda(_)
                | Expr::LambdaVariable(_)
        ))
    });
    matches!(found, Ok(false))
}

/// Whether an aggregate gives the same, to the last digit, in whatever order and groups its rows come.
fn is_exact(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Alias(alias) => is_exact(&alias.expr, schema),
        Expr::AggregateFunction(AggregateFunction { func, .. }) => {
            let is_rounded = || expr.get_type(schema).map_or(true, |ty| ty.is_floating());
            ORDERLESS.contains(&func.name()) || ROUNDING.contains(&func.name()) && !is_rounded()
        }
        _ => false,
    }
}
