//! `vocabulary`: free text of a source taken to words that are declared beside the column.
//!
//! What a source writes freely is only compared with the words, and never kept: a cell becomes the
//! declared word that it is, or else the word for all others. So a name that someone typed into the
//! cell can reach neither the lake nor quarantine, whatever a scan makes of it.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::column::misplaced;
use super::reader::{At, Node};

/// The words that a column may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// The words, as the lake spells them.
    pub words: Vec<String>,
    /// What every other text becomes.
    pub otherwise: String,
    /// Whether marks over and under letters are left out when a cell is compared: `Bac si` is
    /// `Bác sĩ` then.
    pub unaccented: bool,
}

impl Vocabulary {
    /// The words by the form in which cells are compared with them.
    pub fn lookup(&self) -> Lookup<'_> {
        let words = self.all().map(|word| (self.form(word), word)).collect();
        Lookup { vocabulary: self, spelled: self.all().collect(), words }
    }

    /// All that the column can hold.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).chain([self.otherwise.as_str()])
    }

    /// What of a text counts: NFC, small letters, single spaces, perhaps no marks.
    fn form(&self, text: &str) -> String {
        let small = text.nfc().collect::<String>().to_lowercase();
        let words: Vec<&str> = small.split_whitespace().collect();
        let joined = words.join(" ");
        if !self.unaccented {
            return joined;
        }
        let bare = joined.nfd().filter(|c| !is_combining_mark(*c));
        bare.map(|c| if c == 'đ' { 'd' } else { c }).collect()
    }
}

/// A vocabulary, ready to look cells up in it.
#[derive(Debug, Clone)]
pub struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    /// The words as the lake spells them, as most cells do.
    spelled: HashSet<&'a str>,
    words: HashMap<String, &'a str>,
}

impl<'a> Lookup<'a> {
    /// The word that `text` is; `None` where it is none of them.
    pub fn find(&self, text: &str) -> Option<&'a str> {
        let spelled = self.spelled.get(text).copied();
        spelled.or_else(|| self.words.get(&self.vocabulary.form(text)).copied())
    }

    /// What every other text becomes.
    pub fn otherwise(&self) -> &'a str {
        &self.vocabulary.otherwise
    }
}

/// Reads `vocabulary` with `otherwise` and `unaccented`.
pub(super) fn read(node: &Node<'_>) -> Option<Vocabulary> {
    let words = node.strings("vocabulary");
    let otherwise = node.string("otherwise");
    let unaccented = node.boolean("unaccented").unwrap_or(false);
    if !node.has("vocabulary") {
        for key in ["otherwise", "unaccented"].into_iter().filter(|key| node.has(key)) {
            misplaced(node, key, "without `vocabulary`", "it says how words are found".to_owned());
        }
        return None;
    }
    if words.is_empty() {
        let message = "`vocabulary` is empty";
        node.file().fault(node.key_span("vocabulary"), "missing-key", message, None);
    }
    if !node.has("otherwise") {
        let message = "the key `otherwise` is missing";
        let help = "write what every other text becomes: `otherwise = \"khác\"`".to_owned();
        node.file().fault(node.key_span("vocabulary"), "missing-key", message, help);
    }
    let vocabulary = Vocabulary {
        words: words.iter().map(|word| word.value.clone()).collect(),
        otherwise: otherwise?.value,
        unaccented,
    };
    check_words(node, &vocabulary, &words);
    Some(vocabulary)
}

/// Two spellings of one word would make it a matter of chance which of them is kept.
fn check_words(node: &Node<'_>, vocabulary: &Vocabulary, words: &[At<String>]) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for word in words {
        let form = vocabulary.form(&word.value);
        let (place, file) = (word.span.clone(), node.file());
        if form.is_empty() {
            file.fault(place, "missing-key", "a word of `vocabulary` is empty", None);
        } else if let Some(first) = seen.insert(form, &word.value) {
            let message = format!("`{}` and `{first}` are one word when compared", word.value);
            file.fault(place, "duplicate-name", message, "keep one spelling".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(unaccented: bool) -> Vocabulary {
        let words = ["Bác sĩ", "Điều dưỡng"].map(str::to_owned).to_vec();
        Vocabulary { words, otherwise: "khác".to_owned(), unaccented }
    }

    #[test]
    fn a_word_is_found_however_it_is_written() {
        let words = vocabulary(false);
        let lookup = words.lookup();
        for text in ["Bác sĩ", "  BÁC  SĨ ", "Ba\u{301}c si\u{303}", "bác\u{a0}sĩ"] {
            assert_eq!(lookup.find(text), Some("Bác sĩ"), "{text}");
        }
        assert_eq!(lookup.find("KHÁC"), Some("khác"));
        assert_eq!(lookup.find("Bac si"), None);
        assert_eq!(lookup.find("Bác sĩ Nguyễn Văn An"), None);
        assert_eq!(lookup.find(""), None);
    }

    #[test]
    fn marks_are_left_out_where_that_is_declared() {
        let words = vocabulary(true);
        let lookup = words.lookup();
        assert_eq!(lookup.find("bac si"), Some("Bác sĩ"));
        assert_eq!(lookup.find("DIEU DUONG"), Some("Điều dưỡng"));
        assert_eq!(lookup.find("Điều dưỡng"), Some("Điều dưỡng"));
    }
}
