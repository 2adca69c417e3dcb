//! What a person at a terminal reads: the only module that prints.
//!
//! Results go to standard output, everything else to standard error, so that a result can be
//! piped. A closed pipe ends the output silently, as it does for other tools.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use unicode_width::UnicodeWidthStr;
use warehouse::grid::{Cell, ColumnKind, Grid, is_year};
use warehouse::names::Lang;

/// Prints for one run of the program.
#[derive(Debug)]
pub(crate) struct Reporter {
    quiet: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Reporter {
    /// A reporter that leaves out progress when `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, bar: Mutex::new(None) }
    }

    /// A result, to standard output.
    #[expect(clippy::unused_self, reason = "printing goes through the reporter, always")]
    pub(crate) fn result(&self, text: &str) {
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
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// A failure.
    pub(crate) fn fail(&self, text: &str) {
        self.line(text);
    }

    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, text: &str) {
        let bar = self.bar();
        let print = || {
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "{text}");
        };
        match bar.as_ref() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Begins work of `steps` steps: a bar on a terminal, nothing elsewhere.
    pub(crate) fn begin(&self, steps: usize) {
        if self.quiet || !std::io::stderr().is_terminal() {
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

    /// One step is over; `line` is shown where there is something to say.
    pub(crate) fn step(&self, line: Option<&str>) {
        if let Some(line) = line {
            self.say(line);
        }
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
