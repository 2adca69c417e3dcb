//! Milestones in the making of a plan: between any two rules of the engine's planners, whether the
//! query is still wanted. A rule works through a whole plan in one go, and there are a hundred of
//! them.
#![expect(clippy::disallowed_types, reason = "rules are put into a session")]

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{AnalyzerRule, OptimizerConfig, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use super::running;

/// The same session with a milestone after each rule.
pub(super) fn between_rules(state: SessionState) -> SessionState {
    let analyzer = state.analyzer().rules.clone();
    let optimizer = state.optimizers().to_vec();
    let physical = state.physical_optimizers().to_vec();
    SessionStateBuilder::new_from_existing(state)
        .with_analyzer_rules(interleaved(analyzer, || Arc::new(Milestone)))
        .with_optimizer_rules(interleaved(optimizer, || Arc::new(Milestone)))
        .with_physical_optimizer_rules(interleaved(physical, || Arc::new(Milestone)))
        .build()
}

fn interleaved<T>(rules: Vec<T>, milestone: impl Fn() -> T) -> Vec<T> {
    rules.into_iter().flat_map(|rule| [rule, milestone()]).collect()
}

#[derive(Debug)]
struct Milestone;

const NAME: &str = "milestone";

impl AnalyzerRule for Milestone {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        running::go_on().map(|()| plan)
    }

    fn name(&self) -> &str {
        NAME
    }
}

impl OptimizerRule for Milestone {
    fn name(&self) -> &str {
        NAME
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        running::go_on().map(|()| Transformed::no(plan))
    }
}

impl PhysicalOptimizerRule for Milestone {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        running::go_on().map(|()| plan)
    }

    fn name(&self) -> &str {
        NAME
    }

    fn schema_check(&self) -> bool {
        false
    }
}
