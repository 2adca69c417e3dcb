//! What a text column may hold: listed values, a list elsewhere, a pattern, or, with a reason, free
//! text.

use super::ColumnType;
use super::check::check_name;
use super::column::{Kind, misplaced};
use super::reader::{At, Node};
use crate::names::TableName;

/// The keys of which a kept text has one.
const KEYS: [&str; 4] = ["values", "references", "pattern", "free_text"];

/// What the keys say; most of it is absent.
pub(super) struct Content {
    pub(super) values: Vec<String>,
    pub(super) references: Option<At<(TableName, String)>>,
    pub(super) pattern: Option<At<String>>,
    pub(super) free_text: Option<String>,
    pub(super) allow_patterns: Vec<String>,
}

/// Reads what a column may hold.
pub(super) fn read(node: &Node<'_>) -> Content {
    Content {
        values: node.strings("values").into_iter().map(|value| value.value).collect(),
        references: read_references(node),
        pattern: read_pattern(node),
        free_text: node.string("free_text").map(|reason| reason.value),
        allow_patterns: read_allowed(node),
    }
}

fn read_references(node: &Node<'_>) -> Option<At<(TableName, String)>> {
    let found = node.string("references")?;
    let target = found
        .value
        .rsplit_once('.')
        .and_then(|(table, column)| Some((table.parse::<TableName>().ok()?, column.to_owned())));
    if target.is_none() {
        let message = format!("`{}` is not of the form schema.table.column", found.value);
        node.file().fault(found.span.clone(), "unknown-reference", message, None);
    }
    Some(At { value: target?, span: found.span })
}

fn read_pattern(node: &Node<'_>) -> Option<At<String>> {
    let pattern = node.string("pattern")?;
    if let Err(error) = regex::Regex::new(&format!("^(?:{})$", pattern.value)) {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        let reason = reason.trim_start_matches("error: ");
        let message = format!("this is not a regular expression: {reason}");
        node.file().fault(pattern.span, "bad-pattern", message, None);
        return None;
    }
    Some(pattern)
}

fn read_allowed(node: &Node<'_>) -> Vec<String> {
    let allowed = node.strings("allow_patterns");
    for name in &allowed {
        check_name(node.file(), name, "pattern");
    }
    allowed.into_iter().map(|name| name.value).collect()
}

/// Reports what is missing and what is too much.
pub(super) fn check(node: &Node<'_>, ty: &ColumnType, kind: Kind) {
    let given: Vec<&str> = KEYS.into_iter().filter(|key| node.has(key)).collect();
    if *ty != ColumnType::Text {
        for key in given.into_iter().chain(["allow_patterns"]).filter(|key| node.has(key)) {
            misplaced(node, key, "for this type", "only text columns have it".to_owned());
        }
        return;
    }
    if kind != Kind::Keep {
        return;
    }
    match given[..] {
        [_] => {}
        [] => {
            let message = "nothing says what this text may hold";
            let help = "give one of `values`, `references`, `pattern`, or `free_text` with the \
                        reason why free text is needed"
                .to_owned();
            node.file().fault(node.span(), "open-text", message, help);
        }
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` both say what this text may hold");
            node.file().fault(node.key_span(second), "open-text", message, "keep one".to_owned());
        }
    }
}
