//! What is followed, and what functions make of it.
//!
//! A code names a unit only together with the date of its list. Reference data declare which of
//! their columns hold codes (`unit_code`), `ma_don_vi` gives the code of a key, and so does what
//! cuts a key apart. `don_vi` makes a key of a code.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;

use super::Origins;
use crate::names::Sensitivity;

/// The pattern by which a column of text says that it holds keys of units.
pub(super) const KEY_PATTERN: &str = "[0-9]{2}@[0-9]{4}-[0-9]{2}-[0-9]{2}";

/// Functions of text that give a part of it, or of its beginning.
const CUTS: [&str; 10] = [
    "btrim",
    "left",
    "regexp_match",
    "regexp_replace",
    "replace",
    "rtrim",
    "split_part",
    "substr",
    "substr_index",
    "translate",
];

/// Something that is followed, with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::spec) enum Origin {
    FreeText(FreeText),
    /// The code of a unit.
    Code(String),
    /// The key of a unit, from which its code can be cut.
    Key(String),
}

/// Free text about persons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::spec) struct FreeText {
    pub(in crate::spec) class: Sensitivity,
    /// With its table.
    pub(in crate::spec) column: String,
}

impl Origin {
    pub(in crate::spec) fn free_text(&self) -> Option<&FreeText> {
        match self {
            Self::FreeText(text) => Some(text),
            Self::Code(_) | Self::Key(_) => None,
        }
    }
}

/// What the value of a function could hold where `found` goes in.
pub(super) fn through(call: &ScalarFunction, found: Origins) -> Origins {
    let name = call.func.name();
    let made = match name {
        "don_vi" | "don_vi_tai" => Some(Origin::Key(format!("{name}(…)"))),
        "ma_don_vi" => Some(Origin::Code(format!("{name}(…)"))),
        "ten_don_vi" => None,
        _ if CUTS.contains(&name) && begins_at_the_first(name, &call.args) => {
            return found.into_iter().map(cut).collect();
        }
        _ => return found,
    };
    // The unit that goes in is not what comes out.
    let texts = found.into_iter().filter(|origin| origin.free_text().is_some());
    texts.chain(made).collect()
}

fn cut(origin: Origin) -> Origin {
    match origin {
        Origin::Key(from) => Origin::Code(format!("a part of {from}")),
        other => other,
    }
}

/// Whether the part that is cut holds the beginning, as far as can be seen: behind the code of a
/// key stands a date, which may be wanted.
fn begins_at_the_first(function: &str, args: &[Expr]) -> bool {
    let position = match function {
        "split_part" => args.get(2),
        "substr" => args.get(1),
        _ => None,
    };
    match position {
        Some(Expr::Literal(ScalarValue::Int64(Some(at)), _)) => *at <= 1,
        _ => true,
    }
}
