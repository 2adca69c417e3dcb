//! Parameters that are numbers and are compared with exact decimals.
//!
//! The engine gives a parameter the type of what it is compared with. Whole and floating numbers
//! given for a decimal keep the type that they were sent in: they are compared as PostgreSQL would,
//! rather than refused.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Gives the parameters of `plan` the types in `sent`, by position, where they would be decimals.
pub(super) fn keep(plan: LogicalPlan, sent: &[Option<DataType>]) -> Result<LogicalPlan> {
    if sent.iter().all(Option::is_none) {
        return Ok(plan);
    }
    let retype = |expr: Expr| {
        let Expr::Placeholder(mut placeholder) = expr else { return Ok(Transformed::no(expr)) };
        let position = placeholder.id.trim_start_matches('$').parse::<usize>().unwrap_or(0);
        let sent = sent.get(position.wrapping_sub(1)).and_then(Option::as_ref);
        match (sent, &mut placeholder.field) {
            (Some(sent), Some(field)) if field.data_type().is_decimal() => {
                *field = Arc::new(field.as_ref().clone().with_data_type(sent.clone()));
                Ok(Transformed::yes(Expr::Placeholder(placeholder)))
            }
            _ => Ok(Transformed::no(Expr::Placeholder(placeholder))),
        }
    };
    let kept = plan.transform_up_with_subqueries(|node| {
        let node = node.map_expressions(|expr| expr.transform_up(retype))?;
        if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
    });
    kept.map(|kept| kept.data)
}
