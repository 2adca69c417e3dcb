//! Who may read a column: its class.
//!
//! A column that says nothing has its table's class, so none is more open than its table by
//! omission. One that is stored as it came and says a lower class says why (`because`). The class
//! says what of the column a query of lower class may pass on ([`super::flow`]); at the door a
//! table counts as a whole, so a lower class of a column opens nothing of a table about persons.
//!
//! A class of persons that a column says itself means more than who may read it: its value points
//! at a person, and is not kept as it came. Free text in a table about persons is the exception,
//! and has to say so.

use super::column::{misplaced, sensitivities};
use super::reader::Node;
use super::{Generalisation, Treatment};
use crate::names::{Sensitivity, Text};

/// A column's class, and why it is lower than its table's.
pub(super) struct Class {
    pub(super) sensitivity: Sensitivity,
    /// What the column itself says.
    pub(super) own: Option<Sensitivity>,
    pub(super) because: Option<Text>,
}

/// Reads the class of a column of that treatment in a table of class `table`.
pub(super) fn read(node: &Node<'_>, (table, treatment): (Sensitivity, &Treatment)) -> Class {
    let said = node.one_of("sensitivity", &sensitivities());
    let because = node.optional_text("because");
    let own = said.as_ref().map(|said| said.value);
    let sensitivity = own.unwrap_or(table);
    let is_lower = sensitivity < table;
    if !is_lower && node.has("because") {
        let help = "it says why a column's class is lower than its table's".to_owned();
        misplaced(node, "because", "here", help);
    }
    let Some(said) = said else { return Class { sensitivity, own, because } };
    let word = said.value.as_str();
    if is_lower && is_stored(treatment) && !node.has("because") {
        let message = format!("the column is {word}, its table {}: why?", table.as_str());
        let help = "leave `sensitivity` out, and it has its table's; or write \
                    `because = { vi = \"…\", en = \"…\" }`"
            .to_owned();
        node.file().fault(said.span.clone(), "lower-without-reason", message, help);
    }
    let may_stay = node.has("free_text") && table >= Sensitivity::Personal;
    if said.value >= Sensitivity::Personal && *treatment == Treatment::Keep && !may_stay {
        let message = format!("a {word} value is kept as it came");
        let help = "give it `treatment = \"drop\"`, `\"pseudonymise\"` or `\"generalise\"`; no \
                    identifier of a person reaches the lake"
            .to_owned();
        node.file().fault(said.span, "personal-kept", message, help);
    }
    Class { sensitivity, own, because }
}

/// Whether what the source has is in the lake, or a token for it; what is coarser is not what it
/// was.
fn is_stored(treatment: &Treatment) -> bool {
    matches!(
        treatment,
        Treatment::Keep
            | Treatment::Pseudonymise { .. }
            | Treatment::Generalise(Generalisation::Day)
    )
}
