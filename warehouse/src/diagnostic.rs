//! Faults in what a person wrote: a contract, a query file, a table given to a tool.
//!
//! A fault is data, not an exception: an analysis returns what it understood and every
//! [`Diagnostic`] it found, so that one run shows all of them, sorted, each with its place
//! (`path:line:column`), the line itself and what to do. Nothing here knows any format; the
//! excerpt is cut out of the text that the analysis was given.
//!
//! An excerpt quotes declarations, which hold no personal data. A tool that reads *data* passes
//! [`Sources::without_excerpts`], so that no cell is ever quoted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// How much a fault matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The declaration cannot be used.
    Error,
    /// It can be used, and its author should look at it.
    Warning,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One fault, at one place, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as the user named it.
    pub path: String,
    /// Byte range in the file; `None` when the fault is the file as a whole.
    pub span: Option<Range<usize>>,
    /// How much it matters.
    pub severity: Severity,
    /// A stable word in kebab case that documentation and tests refer to.
    pub code: &'static str,
    /// What is wrong, in one sentence without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error of the kind `code` in `path`, so far without place and help.
    pub fn error(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            span: None,
            severity: Severity::Error,
            code,
            message: message.into(),
            help: None,
        }
    }

    /// The same, as a warning.
    pub fn warning(
        path: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, code, message) }
    }

    /// Puts the fault at a byte range of its file.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn sort_key(&self) -> (&str, usize, Severity, &str, &str) {
        let start = self.span.as_ref().map_or(0, |span| span.start);
        (&self.path, start, self.severity, self.code, &self.message)
    }
}

/// The texts that diagnostics point into, by path.
#[derive(Debug, Default, Clone)]
pub struct Sources {
    texts: BTreeMap<String, String>,
    hide_excerpts: bool,
}

impl Sources {
    /// An empty set whose reports show places but never quote a line: for tools that read data.
    pub fn without_excerpts() -> Self {
        Self { texts: BTreeMap::new(), hide_excerpts: true }
    }

    /// Remembers the text of `path`.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(path.into(), text.into());
    }

    /// The text of `path`, if it was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }
}

/// Diagnostics in the order in which a person works through them, ready to print.
#[derive(Debug)]
pub struct Report<'a> {
    sources: &'a Sources,
    diagnostics: Vec<&'a Diagnostic>,
}

impl<'a> Report<'a> {
    /// Sorts by file, then place, then severity, and drops exact repeats.
    pub fn new(sources: &'a Sources, diagnostics: &'a [Diagnostic]) -> Self {
        let mut diagnostics: Vec<_> = diagnostics.iter().collect();
        diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        diagnostics.dedup();
        Self { sources, diagnostics }
    }

    /// How many of the faults are errors.
    pub fn error_count(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}

/// A fault as programs read it.
#[derive(Debug, Serialize)]
pub struct Fault<'a> {
    /// The file as the user named it.
    pub path: &'a str,
    /// From 1; none where the fault is the file as a whole.
    pub line: Option<usize>,
    /// In characters, from 1.
    pub column: Option<usize>,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// As [`Diagnostic::code`].
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// What to do about it.
    pub help: Option<&'a str>,
}

impl Report<'_> {
    /// The faults in their order, each with its place.
    pub fn faults(&self) -> impl Iterator<Item = Fault<'_>> {
        self.diagnostics.iter().map(|d| {
            let place = place_of(self.sources, d);
            Fault {
                path: &d.path,
                line: place.as_ref().map(|place| place.line),
                column: place.as_ref().map(|place| place.column),
                severity: d.severity.as_str(),
                code: d.code,
                message: &d.message,
                help: d.help.as_deref(),
            }
        })
    }
}

impl Fault<'_> {
    /// `path:line:column`, as far as it is known.
    pub fn place(&self) -> String {
        let parts = self.line.into_iter().chain(self.column);
        parts.fold(self.path.to_owned(), |place, part| format!("{place}:{part}"))
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            write_one(f, self.sources, diagnostic)?;
        }
        Ok(())
    }
}

fn write_one(f: &mut fmt::Formatter<'_>, sources: &Sources, d: &Diagnostic) -> fmt::Result {
    let kind = d.severity.as_str();
    let place = place_of(sources, d);
    match &place {
        Some(place) => write!(f, "{}:{}:{}", d.path, place.line, place.column)?,
        None => write!(f, "{}", d.path)?,
    }
    writeln!(f, ": {kind}[{}]: {}", d.code, d.message)?;
    if let Some(place) = place.filter(|_| !sources.hide_excerpts) {
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", place.text)?;
        writeln!(f, "{gutter} | {}{}", " ".repeat(place.indent), "^".repeat(place.width))?;
    }
    if let Some(help) = &d.help {
        writeln!(f, "help: {help}")?;
    }
    writeln!(f)
}

fn place_of(sources: &Sources, d: &Diagnostic) -> Option<Place> {
    let (span, text) = d.span.as_ref().zip(sources.text(&d.path))?;
    Some(Place::of(text, span))
}

/// Where a span begins, and the line to show.
struct Place {
    line: usize,
    /// In characters, from 1: what editors call a column.
    column: usize,
    text: String,
    /// In terminal cells, so that the carets stand under accented and wide text alike.
    indent: usize,
    width: usize,
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let start = floor_char_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor_char_boundary(text, span.end).clamp(start, line_end);
        let shown = |part: &str| part.trim_end_matches('\r').replace('\t', " ");
        let before = shown(&text[line_start..start]);
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            indent: before.width(),
            width: shown(&text[start..end]).width().max(1),
            text: shown(&text[line_start..line_end]),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_under_accented_text_and_sorts() {
        let mut sources = Sources::default();
        sources.insert("a.toml", "x = 1\ntiêu_đề = \"Sốt\"\n");
        let text = sources.text("a.toml").expect("just inserted");
        let at = text.find("Sốt").expect("in the text");
        let faults = [
            Diagnostic::error("a.toml", "later", "second").at(at..at + "Sốt".len()),
            Diagnostic::error("a.toml", "first", "whole file").help("write one"),
        ];
        let expected = "a.toml: error[first]: whole file\nhelp: write one\n\n\
                        a.toml:2:12: error[later]: second\n  |\n2 | tiêu_đề = \"Sốt\"\n  |            ^^^\n\n";
        assert_eq!(Report::new(&sources, &faults).to_string(), expected);
    }
}
