//! What a person at a terminal reads, or a program in its place: the only module that prints.
//!
//! Results go to standard output, everything else to standard error, so that a result can be
//! piped. A closed pipe ends the output silently, as it does for other tools.
//!
//! With `--log-json` every line of both is one JSON object. A result is the object itself; what is
//! told beside it has the form of the log's events, under the target [`TARGET`]. What is asked for
//! in a form of its own (`khoyte sql --format csv`) keeps that form.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;
use warehouse::diagnostic::Report;
use warehouse::grid::{Cell, ColumnKind, Grid, is_year};
use warehouse::names::Lang;

/// By which a program tells what is said here from the log.
const TARGET: &str = "khoyte::report";

/// Something to tell: people read it as text, programs as objects.
pub(crate) trait Told {
    /// As people read it. A result has the ends of its lines.
    fn text(&self) -> String;

    /// As programs read it, each a line.
    fn objects(&self) -> Vec<Value>;
}

impl Told for str {
    fn text(&self) -> String {
        self.to_owned()
    }

    fn objects(&self) -> Vec<Value> {
        vec![json!({ "message": self.trim() })]
    }
}

impl Told for String {
    fn text(&self) -> String {
        self.clone()
    }

    fn objects(&self) -> Vec<Value> {
        self.as_str().objects()
    }
}

/// Faults of declarations.
impl Told for Report<'_> {
    fn text(&self) -> String {
        self.to_string()
    }

    fn objects(&self) -> Vec<Value> {
        self.faults().map(|fault| object(&fault)).collect()
    }
}

/// A text, and an object that says the same.
pub(crate) struct Both<T> {
    pub(crate) text: String,
    pub(crate) object: T,
}

impl<T: Serialize> Told for Both<T> {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn objects(&self) -> Vec<Value> {
        vec![object(&self.object)]
    }
}

/// What is told, as an object.
pub(crate) fn object(told: &impl Serialize) -> Value {
    serde_json::to_value(told).expect("what is told has names as keys, and no numbers without end")
}

/// Prints for one run of the program.
#[derive(Debug)]
pub(crate) struct Reporter {
    quiet: bool,
    json: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Reporter {
    /// A reporter that leaves out progress when `quiet`, and speaks to programs when `json`.
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        Self { quiet, json, bar: Mutex::new(None) }
    }

    /// Whether it speaks to programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A result, to standard output.
    pub(crate) fn result(&self, told: &(impl Told + ?Sized)) {
        self.result_in(self.json, told);
    }

    /// A result, as objects also where only the result is wanted so.
    pub(crate) fn result_in(&self, json: bool, told: &(impl Told + ?Sized)) {
        if json || self.json {
            let lines = told.objects().into_iter().map(|object| format!("{object}\n"));
            self.print(&lines.collect::<String>());
        } else {
            self.print(&told.text());
        }
    }

    /// A result in a form of its own, to standard output.
    #[expect(clippy::unused_self, reason = "printing goes through the reporter, always")]
    pub(crate) fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that went away wants no more.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// A writer for large results.
    #[expect(clippy::unused_self, reason = "printing goes through the reporter, always")]
    pub(crate) fn writer(&self) -> impl Write + Send + use<> {
        Piped(std::io::stdout())
    }

    /// A line about what is going on.
    pub(crate) fn say(&self, told: &(impl Told + ?Sized)) {
        if !self.quiet {
            self.line("INFO", told);
        }
    }

    /// A failure.
    pub(crate) fn fail(&self, told: &(impl Told + ?Sized)) {
        self.line("ERROR", told);
    }

    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, level: &str, told: &(impl Told + ?Sized)) {
        let lines = if self.json {
            let at = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            let event = |fields: Value| json!({ "timestamp": at, "level": level, "fields": fields, "target": TARGET });
            told.objects().into_iter().map(|fields| format!("{}\n", event(fields))).collect()
        } else {
            format!("{}\n", told.text())
        };
        let bar = self.bar();
        let print = || {
            let _ = std::io::stderr().lock().write_all(lines.as_bytes());
        };
        match bar.as_ref() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Begins work of `steps` steps: a bar on a terminal, nothing elsewhere.
    pub(crate) fn begin(&self, steps: usize) {
        if self.quiet || self.json || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::new(steps as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
            .expect("a constant template that is valid");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        *self.bar() = Some(bar);
    }

    /// What is being worked on now.
    pub(crate) fn working_on(&self, name: &str) {
        if let Some(bar) = self.bar().as_ref() {
            bar.set_message(name.to_owned());
        }
    }

    /// One step is over.
    pub(crate) fn step(&self) {
        if let Some(bar) = self.bar().as_ref() {
            bar.inc(1);
        }
    }

    /// The work is over.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
    }
}

/// Standard output; a reader that went away (`| head`) wants no more, and that is no fault.
struct Piped(std::io::Stdout);

impl Write for Piped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// A grid as aligned text.
pub(crate) fn table(grid: &Grid, lang: Lang) -> String {
    let header: Vec<String> = grid.columns.iter().map(|column| column.name.clone()).collect();
    let shown = |(at, cell): (usize, &Cell)| {
        if is_year(&grid.columns[at].name) { cell.to_string() } else { cell.display(lang) }
    };
    let rows: Vec<Vec<String>> =
        grid.rows.iter().map(|row| row.iter().enumerate().map(shown).collect()).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|at| {
            let cells = rows.iter().map(|row| row[at].width());
            cells.chain([header[at].width()]).max().unwrap_or_default()
        })
        .collect();
    let mut out = String::new();
    let mut line = |cells: &[String]| {
        for (at, cell) in cells.iter().enumerate() {
            let pad = " ".repeat(widths[at].saturating_sub(cell.width()));
            let gap = if at == 0 { "" } else { "  " };
            let right = grid.columns[at].kind == ColumnKind::Number;
            let parts = if right { [gap, &pad, cell] } else { [gap, cell, &pad] };
            out.extend(parts);
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    };
    line(&header);
    line(&widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>());
    rows.iter().for_each(|row| line(row));
    let more = if grid.truncated { "+" } else { "" };
    out.push_str(&format!("({}{more} rows)\n", grid.rows.len()));
    out
}
