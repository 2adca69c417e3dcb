//! Phrases that look like names and are none.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::super::letters::base_letter;
use super::super::text::clean;
use super::super::words::{Case, Word};
use super::Names;

/// Places and phrases in title case that begin like a name.
const PLACES: &str = include_str!("../../data/places.txt");
/// Phrases of medicine that look like names in capitals, in lower case, or without accents.
const PHRASES: &str = include_str!("../../data/phrases.txt");

/// The longest phrase, in words.
const LONGEST: usize = 6;

struct Lists {
    places: AllowList,
    phrases: AllowList,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let list = |text: &'static str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        AllowList::new(lines.flat_map(|line| line.split(',')))
    };
    Lists { places: list(PLACES), phrases: list(PHRASES) }
});

/// Names of places, facilities and the like that look like names of persons: provinces, communes,
/// hospitals and streets. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    phrases: Arc<HashSet<String>>,
}

impl AllowList {
    /// A list of phrases, in any case, accented; a cell may have them accented or not.
    pub fn new<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = HashSet::new();
        for phrase in phrases {
            let lower = clean(phrase).to_lowercase();
            let words: Vec<&str> = lower
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .collect();
            if !words.is_empty() {
                let plain: Vec<String> = words.iter().map(|word| unaccented(word)).collect();
                all.insert(plain.join(" "));
                all.insert(words.join(" "));
            }
        }
        Self { phrases: Arc::new(all) }
    }

    /// How many of the words a phrase of the list covers, from the first.
    fn covers(&self, text: &str, words: &[Word]) -> Option<usize> {
        if self.phrases.is_empty() {
            return None;
        }
        let mut start = String::with_capacity(32);
        for (at, word) in words.iter().take(LONGEST).enumerate() {
            if at > 0 {
                if !word.joined() {
                    break;
                }
                start.push(' ');
            }
            start.extend(word.text(text).chars().flat_map(char::to_lowercase));
            if self.phrases.contains(&start) {
                return Some(at + 1);
            }
        }
        None
    }
}

fn unaccented(word: &str) -> String {
    word.chars().map(|c| base_letter(c).map_or(c, char::from)).collect()
}

/// How many words, from this one, are a known phrase that is no name.
pub(super) fn known(names: Names<'_>, at: usize) -> Option<usize> {
    let Names { text, words, allowed, .. } = names;
    let rest = &words[at..];
    let lists = &*LISTS;
    let place = lists.places.covers(text, rest).or_else(|| allowed.covers(text, rest));
    let is_title = rest[0].case == Case::Title;
    place.or_else(|| if is_title { None } else { lists.phrases.covers(text, rest) })
}
