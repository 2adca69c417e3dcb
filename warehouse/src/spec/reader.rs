//! Reads a TOML tree key by key and keeps every fault, so that one run shows all of them.
//!
//! serde stops at the first unknown key. Here a table is asked for each key that its format has;
//! what was never asked for is unknown, what is asked for and absent is missing, and reading goes
//! on with a stand-in. A stand-in never leaves this crate: a file with an error is not used.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::suggestion;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names::Text;

/// A byte range of a file.
pub(super) type Span = Range<usize>;

/// A value and where it stands in its file.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// One declared file and the faults found in it so far.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'a> File<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, text, found: RefCell::default() }
    }

    /// The file's name without folder and extension.
    pub(super) fn stem(&self) -> &'a str {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    pub(super) fn add(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    pub(super) fn fault(
        &self,
        span: impl Into<Option<Span>>,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let mut diagnostic = Diagnostic::error(self.path, code, message);
        diagnostic.span = span.into();
        diagnostic.help = help.into();
        self.add(diagnostic);
    }

    /// Whether nothing found so far forbids using the file.
    pub(super) fn is_sound(&self) -> bool {
        self.found.borrow().iter().all(|fault| fault.severity != Severity::Error)
    }

    /// Forgets the faults found so far.
    fn forget(&self) {
        self.found.borrow_mut().clear();
    }

    pub(super) fn into_faults(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }

    /// Parses `text[range]` as TOML and hands the root to `read`. Where the syntax is broken, only
    /// that is reported: what else seems wrong may follow from it.
    ///
    /// Returns what `read` made and whether the syntax was sound.
    pub(super) fn read_toml<T>(
        &self,
        range: Span,
        span: Option<Span>,
        read: impl FnOnce(&Node<'_>) -> T,
    ) -> (T, bool) {
        let (root, errors) = DeTable::parse_recoverable(&self.text[range.clone()]);
        let node = Node::new(self, range.start, root.get_ref(), span);
        let out = read(&node);
        if errors.is_empty() {
            return (out, true);
        }
        self.forget();
        // Recovery derails: after the first error the parser finds one on every line.
        let first = errors.iter().min_by_key(|error| error.span().map(|span| span.start));
        if let Some(error) = first {
            let place = error.span().map(|s| s.start + range.start..s.end + range.start);
            self.fault(place, "toml-syntax", error.message().trim(), None);
        }
        (out, false)
    }
}

/// A table of the tree, and which keys it was asked for.
pub(super) struct Node<'t> {
    file: &'t File<'t>,
    base: usize,
    table: &'t DeTable<'t>,
    span: Option<Span>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Node<'t> {
    fn new(file: &'t File<'_>, base: usize, table: &'t DeTable<'_>, span: Option<Span>) -> Self {
        Self { file, base, table, span, asked: RefCell::default() }
    }

    pub(super) fn file(&self) -> &'t File<'t> {
        self.file
    }

    /// Where the table begins; `None` for the root of a file.
    pub(super) fn span(&self) -> Option<Span> {
        self.span.clone()
    }

    fn place(&self, span: Span) -> Span {
        span.start + self.base..span.end + self.base
    }

    fn value(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Whether the key is written at all, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the key holds a list of nothing.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let value = self.table.get(key).and_then(|value| value.get_ref().as_array());
        value.is_some_and(|list| list.is_empty())
    }

    /// Where the key is written, or else where its table begins.
    pub(super) fn key_span(&self, key: &str) -> Option<Span> {
        let written = self.table.get_key_value(key).map(|(key, _)| self.place(key.span()));
        written.or_else(|| self.span())
    }

    pub(super) fn missing(&self, key: &str) {
        self.file.fault(self.span(), "missing-key", format!("the key `{key}` is missing"), None);
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!("`{key}` must be {wanted}, not {}", kind_of(value.get_ref()));
        self.file.fault(self.place(value.span()), "wrong-type", message, None);
    }

    fn take<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.value(key)?;
        let Some(read) = read(value.get_ref()) else {
            self.wrong(key, value, wanted);
            return None;
        };
        Some(At { value: read, span: self.place(value.span()) })
    }

    /// A text that may be absent, but not empty.
    pub(super) fn string(&self, key: &'static str) -> Option<At<String>> {
        let found = self.take(key, "a string", |v| v.as_str().map(str::to_owned))?;
        if found.value.trim().is_empty() {
            self.file.fault(found.span, "missing-key", format!("`{key}` is empty"), None);
            return None;
        }
        Some(found)
    }

    pub(super) fn required_string(&self, key: &'static str) -> At<String> {
        if !self.has(key) {
            self.missing(key);
        }
        self.string(key).unwrap_or_else(|| At {
            value: String::new(),
            span: self.key_span(key).unwrap_or_default(),
        })
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        self.take(key, "true or false", DeValue::as_bool).map(|found| found.value)
    }

    /// A number, whole or not.
    pub(super) fn number(&self, key: &'static str) -> Option<At<f64>> {
        self.take(key, "a number", |value| match value {
            DeValue::Integer(_) => whole(value).map(|number| number as f64),
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => None,
        })
    }

    /// A whole number of `range`.
    pub(super) fn whole_within(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let found = self.take(key, "a whole number", whole)?;
        if range.contains(&found.value) {
            return Some(found.value);
        }
        let message = format!("`{key}` must be from {} to {}", range.start(), range.end());
        self.file.fault(found.span, "out-of-range", message, None);
        None
    }

    /// A text in both languages, or nothing.
    pub(super) fn optional_text(&self, key: &'static str) -> Option<Text> {
        let value = self.value(key)?;
        self.text_of(key, value)
    }

    pub(super) fn text(&self, key: &'static str) -> Text {
        if !self.has(key) {
            self.missing(key);
        }
        self.optional_text(key).unwrap_or_else(|| Text::new("", ""))
    }

    pub(super) fn texts(&self, key: &'static str) -> Vec<Text> {
        self.elements(key, "a list of { vi, en }")
            .iter()
            .filter_map(|value| self.text_of(key, value))
            .collect()
    }

    fn text_of(&self, key: &str, value: &'t Spanned<DeValue<'t>>) -> Option<Text> {
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong(key, value, "{ vi = \"…\", en = \"…\" }");
            return None;
        };
        let span = self.place(value.span());
        let node = Node::new(self.file, self.base, table, Some(span.clone()));
        let [vi, en] = ["vi", "en"].map(|lang| {
            let found = node.take(lang, "a string", DeValue::as_str);
            let wrong = found.is_none() && node.has(lang);
            let version = found.map(|f| f.value.trim()).filter(|text| !text.is_empty());
            if version.is_none() && !wrong {
                let language = if lang == "vi" { "Vietnamese" } else { "English" };
                let message = format!("`{key}` has no {language} (`{lang}`)");
                self.file.fault(span.clone(), "missing-translation", message, None);
            }
            version.map(str::to_owned)
        });
        node.finish();
        Some(Text { vi: vi?, en: en? })
    }

    fn elements(&self, key: &'static str, wanted: &str) -> &'t [Spanned<DeValue<'t>>] {
        let Some(value) = self.value(key) else { return &[] };
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong(key, value, wanted);
            return &[];
        };
        array
    }

    /// A list of non-empty strings; empty when absent.
    pub(super) fn strings(&self, key: &'static str) -> Vec<At<String>> {
        let mut out = Vec::new();
        for value in self.elements(key, "a list of strings") {
            match value.get_ref().as_str() {
                Some(text) => {
                    out.push(At { value: text.to_owned(), span: self.place(value.span()) });
                }
                None => self.wrong(key, value, "a list of strings"),
            }
        }
        out
    }

    /// A table of strings whose keys are the writer's own; empty when absent.
    pub(super) fn strings_by_key(&self, key: &'static str) -> Vec<(String, String)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong(key, value, "a table of strings");
            return Vec::new();
        };
        let mut out = Vec::new();
        for (name, value) in table.iter() {
            match value.get_ref().as_str() {
                Some(text) => out.push((name.get_ref().to_string(), text.to_owned())),
                None => self.wrong(key, value, "a table of strings"),
            }
        }
        out
    }

    /// A list of whole numbers; empty when absent.
    pub(super) fn wholes(&self, key: &'static str) -> Vec<At<i64>> {
        let mut out = Vec::new();
        for value in self.elements(key, "a list of whole numbers") {
            match whole(value.get_ref()) {
                Some(number) => out.push(At { value: number, span: self.place(value.span()) }),
                None => self.wrong(key, value, "a list of whole numbers"),
            }
        }
        out
    }

    /// One word of a closed list.
    pub(super) fn one_of<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<At<T>> {
        let found = self.string(key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.value) {
            return Some(At { value: *value, span: found.span });
        }
        let message = format!("`{}` is not a value of `{key}`", found.value);
        let help = suggestion(&found.value, words.iter().map(|(word, _)| *word));
        self.file.fault(found.span, "unknown-value", message, help);
        None
    }

    /// As [`Self::one_of`], where the key must be given.
    pub(super) fn required_one_of<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
        otherwise: T,
    ) -> At<T> {
        if !self.has(key) {
            self.missing(key);
        }
        self.one_of(key, words).unwrap_or_else(|| At {
            value: otherwise,
            span: self.key_span(key).unwrap_or_default(),
        })
    }

    /// The tables of `[[key]]`; none when absent.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Node<'t>> {
        let mut out = Vec::new();
        for value in self.elements(key, &format!("written as [[{key}]]")) {
            match value.get_ref() {
                DeValue::Table(table) => out.push(self.child(table, value.span())),
                _ => self.wrong(key, value, "a list of tables"),
            }
        }
        out
    }

    /// The table of `[key]`.
    pub(super) fn table(&self, key: &'static str) -> Option<Node<'t>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.child(table, value.span())),
            _ => {
                self.wrong(key, value, &format!("a table, written as [{key}]"));
                None
            }
        }
    }

    fn child(&self, table: &'t DeTable<'t>, span: Span) -> Node<'t> {
        Node::new(self.file, self.base, table, Some(self.place(span)))
    }

    /// Reports every key that was never asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !asked.contains(&name) {
                let message = format!("there is no key `{name}` here");
                let help = suggestion(name, asked.iter().copied());
                self.file.fault(self.place(key.span()), "unknown-key", message, help);
            }
        }
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
