//! `[[check]]`: rules over the rows of a source table or of a query's result.

use std::collections::BTreeSet;

use super::reader::{At, File, Node, Span};
use super::sql::SqlText;
use super::{Action, Check, Rule};
use crate::names::is_name;

/// What the rows of a check are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// A batch of a source, whose rows can be put aside one by one.
    Batch,
    /// The result of a query, which has no rows to put aside.
    Result,
}

/// A check as read, with the SQL still to be planned.
#[derive(Debug)]
pub(super) struct CheckDraft {
    pub(super) check: Check,
    pub(super) sql: SqlText,
}

const ACTIONS: [(&str, Action); 3] =
    [("quarantine", Action::Quarantine), ("warn", Action::Warn), ("refuse", Action::Refuse)];

/// Reads the checks of `[[key]]`.
pub(super) fn read(parent: &Node<'_>, key: &'static str, over: Over) -> Vec<CheckDraft> {
    let mut names = BTreeSet::new();
    parent.tables(key).iter().filter_map(|node| read_one(node, over, &mut names)).collect()
}

fn read_one(node: &Node<'_>, over: Over, names: &mut BTreeSet<String>) -> Option<CheckDraft> {
    let name = node.required_string("name");
    check_name(node.file(), &name, "check");
    if !name.value.is_empty() && !names.insert(name.value.clone()) {
        let message = format!("the check `{}` is already there, further up", name.value);
        node.file().fault(name.span.clone(), "duplicate-name", message, None);
    }
    let title = node.text("title");
    let rule = read_rule(node);
    let action = node.required_one_of("action", &ACTIONS, Action::Warn);
    let by_row = matches!(rule, Some((Rule::Row(_), _)) | None);
    if action.value == Action::Quarantine && (over == Over::Result || !by_row) {
        let (message, help) = match over {
            Over::Batch => (
                "a check by `query` cannot say which rows to quarantine",
                "write it as `row = \"…\"`, or use the action `warn` or `refuse`",
            ),
            Over::Result => (
                "rows of a query's result cannot be quarantined",
                "use the action `warn` or `refuse`",
            ),
        };
        let help = Some(help.to_owned());
        node.file().fault(action.span, "quarantine-on-query", message, help);
    }
    node.finish();
    let (rule, sql) = rule?;
    Some(CheckDraft { check: Check { name: name.value, title, rule, action: action.value }, sql })
}

fn read_rule(node: &Node<'_>) -> Option<(Rule, SqlText)> {
    let row = node.string("row");
    let query = node.string("query");
    let given = (node.has("row"), node.has("query"));
    match given {
        (true, true) => {
            let message = "a check has one rule, and this has both `row` and `query`";
            let help = "make two checks of it".to_owned();
            node.file().fault(node.key_span("query"), "check-two-rules", message, help);
        }
        (false, false) => {
            let message = "the check has no rule";
            let help = "write `row = \"…\"`, a condition that every row meets, or \
                        `query = \"SELECT … FROM bang …\"`, which returns what is wrong"
                .to_owned();
            node.file().fault(node.span(), "check-rule-missing", message, help);
        }
        _ => {}
    }
    let file = node.file();
    match (row, query) {
        (Some(row), _) => Some((Rule::Row(row.value.clone()), SqlText::in_string(file, &row))),
        (None, Some(query)) => {
            Some((Rule::Query(query.value.clone()), SqlText::in_string(file, &query)))
        }
        (None, None) => None,
    }
}

/// Reports a name that SQL, logs and pages could not all use.
pub(super) fn check_name(file: &File<'_>, name: &At<String>, what: &str) {
    if !name.value.is_empty() && !is_name(&name.value) {
        bad_name(file, name.span.clone(), &name.value, what);
    }
}

pub(super) fn bad_name(file: &File<'_>, span: impl Into<Option<Span>>, name: &str, what: &str) {
    let message = format!("`{name}` cannot name a {what}");
    let help = "use a-z, 0-9 and _, beginning with a letter, at most 63 characters".to_owned();
    file.fault(span, "bad-name", message, help);
}
