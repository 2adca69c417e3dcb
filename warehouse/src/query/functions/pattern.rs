//! How much work a regular expression is to make ready.
//!
//! Twenty letters can ask for a machine of a hundred million states: `(\\w{1000}){1000}`. What a
//! pattern says is read first, which is cheap, and its states are counted before any is made.

use datafusion::common::{DataFusionError, Result, exec_err};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// States, ranges of letters counted one by one.
const MOST_STATES: u64 = 100_000;

/// Brackets inside one another.
const DEEPEST: u32 = 50;

/// Refuses a pattern that is too much work.
pub(super) fn check(pattern: &str) -> Result<()> {
    let read = ParserBuilder::new().nest_limit(DEEPEST).build().parse(pattern);
    // What is no pattern is told by the function itself.
    let Ok(read) = read else { return Ok(()) };
    if states(&read) > MOST_STATES {
        return exec_err!("the pattern stands for more than {MOST_STATES} states; repeat less");
    }
    Ok(())
}

fn states(pattern: &Hir) -> u64 {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(letters)) => letters.ranges().len() as u64,
        HirKind::Class(Class::Bytes(bytes)) => bytes.ranges().len() as u64,
        HirKind::Repetition(repeated) => {
            let times = u64::from(repeated.max.unwrap_or(repeated.min).max(1));
            states(&repeated.sub).saturating_mul(times)
        }
        HirKind::Capture(inside) => states(&inside.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(states).fold(0, u64::saturating_add)
        }
    }
}

/// As [`check`], of what may be null.
pub(super) fn check_each<'a>(patterns: impl IntoIterator<Item = Option<&'a str>>) -> Result<()> {
    patterns.into_iter().flatten().try_for_each(check)
}

/// A fault in how the engine calls its functions.
pub(super) fn no_text() -> DataFusionError {
    DataFusionError::Internal("a pattern is a text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_people_write_pass_and_explosions_do_not() {
        for pattern in ["^ND[0-9]{6}$", "(sốt|ho) .*", r"\w+@\w+", "a{1,200}", "("] {
            assert!(check(pattern).is_ok(), "{pattern}");
        }
        for pattern in [
            r"(\w{1000}){1000}",
            "((((a{1,100}){1,100}){1,100}){1,100})",
            r"(\pL{500}\pM{500}){50}",
        ] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
