//! Text that a pattern of a contract matches.
//!
//! The pattern's own tree is walked: an alternative is chosen, a repetition gets a length, a class
//! gives one of its letters and digits, and of its other signs only where it has neither. What a
//! pattern asks of its surroundings (`^`, `\b`) is not looked at: who uses the text matches it.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::super::random::Random;

/// Letters that a class gives first, beside the signs of ASCII.
const VIETNAMESE: &str = "ăâđêôơưáàảãạắằấầéèếềểíìịóòốồớờúùứừựĂÂĐÊÔƠƯ";

/// What an endless repetition may add to its least length.
const ENDLESS: u64 = 2;

/// A pattern, ready to give texts.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Text(String),
    One(Vec<char>),
    Many { of: Box<Pattern>, least: u64, most: u64 },
    All(Vec<Pattern>),
    Any(Vec<Pattern>),
}

impl Pattern {
    /// Reads a pattern; `None` where it is none.
    pub(super) fn of(text: &str) -> Option<Self> {
        regex_syntax::parse(text).ok().map(|tree| Self::from_tree(&tree))
    }

    fn from_tree(tree: &Hir) -> Self {
        let each = |trees: &[Hir]| -> Vec<Self> { trees.iter().map(Self::from_tree).collect() };
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::Text(String::new()),
            HirKind::Literal(literal) => {
                Self::Text(String::from_utf8_lossy(&literal.0).into_owned())
            }
            HirKind::Class(class) => Self::One(choices(class)),
            HirKind::Repetition(repetition) => {
                let least = u64::from(repetition.min);
                let most = repetition.max.map_or(least + ENDLESS, u64::from);
                Self::Many { of: Box::new(Self::from_tree(&repetition.sub)), least, most }
            }
            HirKind::Capture(capture) => Self::from_tree(&capture.sub),
            HirKind::Concat(trees) => Self::All(each(trees)),
            HirKind::Alternation(trees) => Self::Any(each(trees)),
        }
    }

    /// A text; a repetition adds at most `more` to its least length.
    pub(super) fn text(&self, random: &mut Random, more: u64) -> String {
        let mut text = String::new();
        self.put(random, more, &mut text);
        text
    }

    fn put(&self, random: &mut Random, more: u64, text: &mut String) {
        match self {
            Self::Text(own) => text.push_str(own),
            Self::One(choices) if choices.is_empty() => {}
            Self::One(choices) => text.push(*random.pick(choices)),
            Self::Many { of, least, most } => {
                let added = random.below((most - least).min(more) + 1);
                (0..least + added).for_each(|_| of.put(random, more, text));
            }
            Self::All(parts) => parts.iter().for_each(|part| part.put(random, more, text)),
            Self::Any(parts) if parts.is_empty() => {}
            Self::Any(parts) => random.pick(parts).put(random, more, text),
        }
    }
}

/// What a class gives: letters and digits that Vietnamese texts have, else its other signs.
fn choices(class: &Class) -> Vec<char> {
    let holds = |one: char| match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&one))
        }
        Class::Bytes(class) => u8::try_from(one).is_ok_and(|byte| {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))
        }),
    };
    let known: Vec<char> =
        (' '..='~').chain(VIETNAMESE.chars()).filter(|one| holds(*one)).collect();
    let plain: Vec<char> = known.iter().copied().filter(|one| one.is_alphanumeric()).collect();
    if !plain.is_empty() {
        return plain;
    }
    if !known.is_empty() {
        return known;
    }
    match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| range.start()).collect(),
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| char::from(range.start())).collect()
        }
    }
}
