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
        DisplayableExecutionPlan::with_metrics(physical.as_ref())
            .indent(explain.verbose)
            .to_string()
    } else {
        displayable(physical.as_ref()).indent(explain.verbose).to_string()
    };
    let kind = if explain.analyze { "Plan with Metrics" } else { "physical_plan" };
    let kinds = StringArray::from(vec!["logical_plan", kind]);
    let plans = StringArray::from(vec![plan.display_indent().to_string(), without_files(&done)]);
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(kinds), Arc::new(plans)])?)
}

/// Groups of files become their number; whatever else looks like a path is left out, and all that
/// is under kept rows: what was read to keep them is not its reader's to know.
fn without_files(plan: &str) -> String {
    let plan = without_hidden(plan);
    static GROUPS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"file_groups=\{(\d+ groups?)[^\n]*?\]\]?\}").expect("a constant that parses")
    });
    static PATHS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:[a-z0-9+]+://)?/?(?:[\w.@%=~-]+/)+[\w.@%=~-]*\.(?:parquet|json|crc)")
            .expect("a constant that parses")
    });
    let plan = GROUPS.replace_all(&plan, "file_groups={$1}");
    PATHS.replace_all(&plan, "…").into_owned()
}

/// The lines of a plan without those under a line of kept rows.
fn without_hidden(plan: &str) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut under = None;
    let mut shown = String::with_capacity(plan.len());
    for line in plan.lines() {
        if under.is_some_and(|kept| depth(line) > kept) {
            continue;
        }
        let is_kept = line.trim_start().starts_with(super::kept::KEPT);
        under = is_kept.then(|| depth(line));
        // What was measured of kept rows tells how many were read.
        shown.push_str(if is_kept { &line[..depth(line) + super::kept::KEPT.len()] } else { line });
        shown.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_kept_rows_is_not_told() {
        let plan = "A\n  Kept, metrics=[x=5]\n    FilterExec: don_vi\n      DataSourceExec\n  B\n";
        assert_eq!(without_hidden(plan), "A\n  Kept\n  B\n");
    }

    #[test]
    fn no_file_is_named() {
        let plan = "DataSourceExec: file_groups={2 groups: [[srv/lake/kho/a/part-0.parquet:0..5], \
                    [srv/lake/kho/a/part-1.parquet]]}, projection=[a], predicate=a@0 / 2 > 1";
        let told = without_files(plan);
        assert_eq!(
            told,
            "DataSourceExec: file_groups={2 groups}, projection=[a], predicate=a@0 / 2 > 1\n"
        );
        assert_eq!(without_files("table_uri=file:///srv/lake/x.parquet, b"), "table_uri=…, b\n");
    }
}
