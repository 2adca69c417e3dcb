//! Some rows and some columns of a table, as if there were no others.
//!
//! What a reader asks is never worked out over a row that they may not see: an error or a time
//! taken would tell of it. Their own conditions are handed on to the files only where they cannot
//! fail; all others are asked of the rows that are left, behind a fence that no rewriting of the
//! plan passes.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Between, BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions,
};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
};

/// What a plan calls rows that are kept.
pub(super) const KEPT: &str = "Kept";

/// `table` with the columns of `schema` and the rows that meet `keep`.
pub(super) fn kept(
    table: Arc<dyn TableProvider>,
    schema: &SchemaRef,
    keep: Option<&Expr>,
) -> Result<Arc<dyn TableProvider>> {
    let stored = table.schema();
    if keep.is_none() && stored.fields().len() == schema.fields().len() {
        return Ok(table);
    }
    let columns = schema.fields().iter().map(|field| stored.index_of(field.name()));
    let columns = columns.collect::<std::result::Result<_, _>>()?;
    Ok(Arc::new(Kept { table, columns, schema: Arc::clone(schema), keep: keep.cloned() }))
}

/// See the module.
#[derive(Debug)]
pub(super) struct Kept {
    table: Arc<dyn TableProvider>,
    /// Where the visible columns stand in the table.
    columns: Vec<usize>,
    schema: SchemaRef,
    keep: Option<Expr>,
}

impl Kept {
    pub(super) fn table(&self) -> &dyn TableProvider {
        self.table.as_ref()
    }
}

#[async_trait]
impl TableProvider for Kept {
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
        let support = |filter: &&Expr| match never_fails(filter) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = match projection {
            Some(wanted) => wanted.iter().map(|&at| self.columns[at]).collect(),
            None => self.columns.clone(),
        };
        let Some(keep) = &self.keep else {
            return self.table.scan(state, Some(&wanted), filters, None).await;
        };
        let stored = self.table.schema();
        let handed_on: Vec<Expr> = std::iter::once(keep.clone())
            .chain(filters.iter().filter(|filter| never_fails(filter)).cloned())
            .collect();
        // The columns that the conditions ask for come along, behind those that are wanted.
        let mut read = wanted.clone();
        for column in handed_on.iter().flat_map(Expr::column_refs) {
            let at = stored.index_of(column.name())?;
            if !read.contains(&at) {
                read.push(at);
            }
        }
        let rows = self.table.scan(state, Some(&read), &handed_on, None).await?;
        let schema = DFSchema::try_from(rows.schema())?;
        let condition = conjunction(handed_on).unwrap_or_else(|| keep.clone());
        let condition = state.create_physical_expr(condition, &schema)?;
        let kept: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(condition, rows)?);
        let shown = (0..wanted.len()).map(|at| {
            let name = kept.schema().field(at).name().clone();
            (Arc::new(Column::new(&name, at)) as Arc<dyn PhysicalExpr>, name)
        });
        let shown = ProjectionExec::try_new(shown.collect::<Vec<_>>(), Arc::clone(&kept))?;
        Ok(Arc::new(Fence { input: Arc::new(shown) }))
    }
}

/// Whether a condition has an answer for every row: comparisons of a column with a constant of its
/// own type, and what joins them.
fn never_fails(filter: &Expr) -> bool {
    let plain = |expr: &Expr| matches!(expr, Expr::Column(_) | Expr::Literal(..));
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            never_fails(left) && never_fails(right)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            is_comparison(*op) && plain(left) && plain(right)
        }
        Expr::Not(inner) => never_fails(inner),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => plain(inner),
        Expr::InList(list) => plain(&list.expr) && list.list.iter().all(plain),
        Expr::Between(Between { expr, low, high, .. }) => plain(expr) && plain(low) && plain(high),
        Expr::Column(_) => true,
        _ => false,
    }
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

/// Rows that are kept, and a place that no condition from above is moved past.
#[derive(Debug)]
struct Fence {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for Fence {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KEPT)
    }
}

impl ExecutionPlan for Fence {
    fn name(&self) -> &'static str {
        KEPT
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self { input })),
            _ => Err(DataFusionError::Internal("kept rows have one input".to_owned())),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

/// All of several conditions.
pub(super) fn all_of(conditions: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    conjunction(conditions)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    #[test]
    fn only_conditions_that_cannot_fail_are_handed_on() {
        for filter in [
            col("a").eq(lit(1)),
            col("a").gt(lit(1)).and(col("b").is_null()),
            col("a").in_list(vec![lit(1), lit(2)], false),
            col("a").between(lit(1), lit(2)),
        ] {
            assert!(never_fails(&filter), "{filter}");
        }
        for filter in [
            cast(col("a"), datafusion::arrow::datatypes::DataType::Int64).eq(lit(1)),
            (lit(1) / col("a")).eq(lit(1)),
            col("a").eq(lit(1)).or((lit(1) / col("a")).gt(lit(0))),
            col("a").like(lit("%")),
        ] {
            assert!(!never_fails(&filter), "{filter}");
        }
    }
}
