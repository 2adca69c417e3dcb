//! Which parts of a result follow from which partitions of the tables that it is made of.
//!
//! What is made once more where some partitions of its tables changed need not be made whole: where
//! the rows that have one value in a column follow, of the changed tables, from certain partitions
//! alone, only the values of the changed partitions are made anew. That is proven on the plan, from
//! its scans to its result, for any value, and never guessed from names. What is not understood
//! proves nothing: a window, a limit, a join that does not compare partitions, a clock, a sum whose
//! last digit depends on the order of the rows.

#![expect(clippy::disallowed_types, reason = "plans are made ready in a session")]

mod trace;

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::logical_plan::TableScan;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use self::trace::{Told, Tracer};
use super::lake_table::LakeTable;
use crate::names::{Schema as LakeSchema, TableName};

/// A table some of whose partitions changed.
pub(super) struct Changing {
    /// The column that it is partitioned by.
    pub(super) by: String,
    /// The values of its partitions, as text.
    pub(super) there: BTreeSet<String>,
    /// Those that changed; such as are no longer there among them.
    pub(super) changed: BTreeSet<String>,
}

/// What is to be made anew.
pub(super) struct Affected {
    /// The values of the result's column, as text.
    pub(super) values: BTreeSet<String>,
    /// The partitions that they follow from, of each changed table.
    pub(super) needed: BTreeMap<TableName, BTreeSet<String>>,
}

/// What changes in a result, by its column `by`, where `tables` changed; `None` where that cannot be
/// proven.
pub(super) fn affected(
    plan: &LogicalPlan,
    session: &SessionState,
    by: &str,
    tables: &BTreeMap<TableName, Changing>,
) -> Result<Option<Affected>> {
    let Some(at) = plan.schema().index_of_column_by_name(None, by) else { return Ok(None) };
    if !is_repeatable(plan)? {
        return Ok(None);
    }
    let plan = session.optimize(plan)?;
    if !is_repeatable(&plan)? {
        return Ok(None);
    }
    let Some(columns) = partition_columns(&plan, tables)? else { return Ok(None) };
    let told = Tracer::new(&columns).result(&plan, at);
    let told = told.filter(|told| columns.keys().eq(told.keys()));
    Ok(told.and_then(|told| follow(&told, session, &columns, tables)))
}

/// The values that follow from changed partitions, and all partitions that these follow from.
fn follow(
    told: &Told,
    session: &SessionState,
    columns: &BTreeMap<TableName, FieldRef>,
    tables: &BTreeMap<TableName, Changing>,
) -> Option<Affected> {
    let mut values = BTreeSet::new();
    let mut ways = Vec::new();
    for (name, exprs) in told {
        let (column, table) = (columns.get(name)?, tables.get(name)?);
        let all: Vec<&String> = table.there.union(&table.changed).collect();
        let made = exprs.iter().map(|expr| results(session, expr, column, &all).ok().flatten());
        for made in made.collect::<Option<Vec<_>>>()? {
            for (part, value) in all.iter().copied().zip(made) {
                if table.changed.contains(part) {
                    values.insert(value.clone());
                }
                ways.push((name, part, value));
            }
        }
    }
    let mut needed: BTreeMap<TableName, BTreeSet<String>> =
        told.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
    for (name, part, _) in ways.into_iter().filter(|(.., value)| values.contains(value)) {
        needed.entry(name.clone()).or_default().insert(part.clone());
    }
    Some(Affected { values, needed })
}

/// What an expression of a table's partition column gives for each of some partitions, as text;
/// `None` where it gives nothing for one.
fn results(
    session: &SessionState,
    expr: &Expr,
    column: &FieldRef,
    parts: &[&String],
) -> Result<Option<Vec<String>>> {
    if parts.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let value = |part: &&String| ScalarValue::try_from_string((*part).clone(), column.data_type());
    let values = parts.iter().map(value).collect::<Result<Vec<_>>>()?;
    let schema = DFSchema::try_from(Schema::new(vec![FieldRef::clone(column)]))?;
    let values = ScalarValue::iter_to_array(values)?;
    let rows = RecordBatch::try_new(schema.inner().clone(), vec![values])?;
    let expr = session.create_physical_expr(expr.clone(), &schema)?;
    let made = expr.evaluate(&rows)?.into_array(parts.len())?;
    let texts = cast(&made, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>().iter();
    Ok(texts.map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned)).collect())
}

/// Whether the same rows of tables of the lake always give the same result.
fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut sound = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            // What the product says of itself is no input that anyone takes note of.
            sound &= name_of(scan).is_some_and(|name| name.schema() != LakeSchema::HeThong);
        }
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                sound &= is_fixed(part);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(sound)
}

/// Whether the expression itself, parts aside, gives the same for the same parts.
fn is_fixed(expr: &Expr) -> bool {
    match expr {
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
        Expr::ScalarVariable(..) | Expr::Placeholder(_) | Expr::HigherOrderFunction(_) => false,
        _ => true,
    }
}

/// The partition columns of the changed tables that a plan scans; `None` where one has it not.
fn partition_columns(
    plan: &LogicalPlan,
    tables: &BTreeMap<TableName, Changing>,
) -> Result<Option<BTreeMap<TableName, FieldRef>>> {
    let mut columns = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Some(name) = name_of(scan)
            && let Some(table) = tables.get(&name)
        {
            let schema = scan.source.schema();
            let field = schema.fields().find(&table.by).map(|(_, field)| FieldRef::clone(field));
            columns.insert(name, field);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(columns.into_iter().map(|(name, field)| Some((name, field?))).collect())
}

/// The table of the lake that is scanned, if it is one.
fn name_of(scan: &TableScan) -> Option<TableName> {
    let provider = source_as_provider(&scan.source).ok()?;
    let any = provider.as_ref() as &dyn std::any::Any;
    any.downcast_ref::<LakeTable>()?.name().cloned()
}
