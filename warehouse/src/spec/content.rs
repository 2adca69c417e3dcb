//! What a text column may hold: listed values, a list elsewhere, a pattern, a vocabulary, or, with
//! a reason, free text.
//!
//! In a table about persons free text is out by default. A leak scan finds what looks like an
//! identifier; it cannot find all that a hand may write into a cell. So there a pattern must be
//! closed ([`super::closed`]), and free text is dropped, taken to words that are declared
//! ([`super::vocabulary`]), or kept for those alone who may see persons.

use super::ColumnType;
use super::check::check_name;
use super::closed;
use super::column::{Kind, misplaced};
use super::reader::{At, Node};
use super::vocabulary::{self, Vocabulary};
use crate::names::{Sensitivity, TableName};

/// The keys of which a kept text has one.
const KEYS: [&str; 5] = ["values", "references", "pattern", "vocabulary", "free_text"];

/// What the keys say; most of it is absent.
pub(super) struct Content {
    pub(super) values: Vec<String>,
    pub(super) references: Option<At<(TableName, String)>>,
    pub(super) pattern: Option<At<String>>,
    pub(super) vocabulary: Option<Vocabulary>,
    pub(super) free_text: Option<String>,
    pub(super) allow_patterns: Vec<String>,
}

/// Reads what a column may hold.
pub(super) fn read(node: &Node<'_>) -> Content {
    Content {
        values: node.strings("values").into_iter().map(|value| value.value).collect(),
        references: read_references(node),
        pattern: read_pattern(node),
        vocabulary: vocabulary::read(node),
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

/// Reports what is missing, what is too much, and what is too open in a table of class `table` for
/// a column that says the class `own`.
pub(super) fn check(
    node: &Node<'_>,
    (ty, kind): (&ColumnType, Kind),
    (table, own): (Sensitivity, Option<Sensitivity>),
    pattern: Option<&At<String>>,
) {
    let given: Vec<&str> = KEYS.into_iter().filter(|key| node.has(key)).collect();
    if *ty != ColumnType::Text {
        for key in given.into_iter().chain(["allow_patterns"]).filter(|key| node.has(key)) {
            misplaced(node, key, "for this type", "only text columns have it".to_owned());
        }
        return;
    }
    if kind != Kind::Keep {
        if node.has("vocabulary") {
            let help = "words that are declared can be kept".to_owned();
            misplaced(node, "vocabulary", "under this treatment", help);
        }
        return;
    }
    match given[..] {
        [_] => {}
        [] => {
            let message = "nothing says what this text may hold";
            let help = "give one of `values`, `references`, `pattern`, `vocabulary`, or \
                        `free_text` with the reason why free text is needed"
                .to_owned();
            node.file().fault(node.span(), "open-text", message, help);
        }
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` both say what this text may hold");
            node.file().fault(node.key_span(second), "open-text", message, "keep one".to_owned());
        }
    }
    if table >= Sensitivity::Personal {
        check_free_text(node, table, own);
        if let Some((pattern, open)) = pattern.and_then(|p| Some((p, closed::open(&p.value)?))) {
            let message = format!("in a table about persons, this admits {}", open.what());
            let help = "bound the words of a code and what parts them, or list the words by \
                        `values` or `vocabulary`"
                .to_owned();
            node.file().fault(pattern.span.clone(), "open-pattern", message, help);
        }
    }
}

/// The class is asked of the column itself, though its table has it: whoever writes it says that
/// they know who may read the text.
fn check_free_text(node: &Node<'_>, table: Sensitivity, own: Option<Sensitivity>) {
    if !node.has("free_text") || own.is_some_and(|own| own >= Sensitivity::Personal) {
        return;
    }
    let message = "free text is kept in a table about persons";
    let help = format!(
        "drop the column, take it to words by `vocabulary` and `otherwise`, or write \
         `sensitivity = \"{}\"`: then only those read it who may see persons, and no query of a \
         lower class passes it on",
        table.as_str()
    );
    node.file().fault(node.key_span("free_text"), "free-text-of-persons", message, help);
}
