//! How a query is worked out, in words that name no file of the lake.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use regex::Regex;

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explain {
    /// With what each operator did.
    pub(super) analyze: bool,
    /// With all that is known of each operator.
    pub(super) verbose: bool,
}

/// The columns of what is told.
pub(super) fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![text("plan_type"), text("plan")]))
}

/// The plan as it was meant and as it is done.
pub(super) fn tell(
    plan: &LogicalPlan,
    physical: &Arc<dyn ExecutionPlan>,
    explain: Explain,
) -> Result<RecordBatch> {
    let done = if explain.analyze {
        DisplayableExecutionPlan::with_metrics(physical.as_ref()).indent(explain.verbose).to_string()
    } else {
        displayable(physical.as_ref()).indent(explain.verbose).to_string()
    };
    let kind = if explain.analyze { "Plan with Metrics" } else { "physical_plan" };
    let kinds = StringArray::from(vec!["logical_plan", kind]);
    let plans = StringArray::from(vec![plan.display_indent().to_string(), without_files(&done)]);
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(kinds), Arc::new(plans)])?)
}

/// Groups of files become their number; whatever else looks like a path is left out.
fn without_files(plan: &str) -> String {
    static GROUPS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"file_groups=\{(\d+ groups?)[^\n]*?\]\]?\}").expect("a constant that parses")
    });
    static PATHS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:[a-z0-9+]+://|/)?(?:[\w.@%=~-]+/)+[\w.@%=~-]*\.(?:parquet|json|crc)")
            .expect("a constant that parses")
    });
    let plan = GROUPS.replace_all(plan, "file_groups={$1}");
    PATHS.replace_all(&plan, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_named() {
        let plan = "DataSourceExec: file_groups={2 groups: [[srv/lake/kho/a/part-0.parquet:0..5], \
                    [srv/lake/kho/a/part-1.parquet]]}, projection=[a], predicate=a@0 / 2 > 1";
        let told = without_files(plan);
        assert_eq!(
            told,
            "DataSourceExec: file_groups={2 groups}, projection=[a], predicate=a@0 / 2 > 1"
        );
        assert_eq!(without_files("table_uri=file:///srv/lake/x.parquet, b"), "table_uri=…, b");
    }
}
