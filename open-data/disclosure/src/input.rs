//! From files that a person wrote to the model: specification, hierarchies, tables.
//!
//! Nothing here throws: what is wrong is collected as diagnostics, each with file, line and cell,
//! and the caller stops when there is an error. Cells are named by their codes; a measure's value
//! is never quoted, because these files are confidential until the gate has passed them.

pub(crate) mod build;
mod circle;
mod field;
pub(crate) mod hierarchy;
pub(crate) mod number;
pub mod spec;
pub(crate) mod table;
mod ties;

use std::fmt;
use std::path::Path;

use warehouse::diagnostic::{Diagnostic, Report, Severity, Sources};

/// What was found wrong, with the places it points to.
#[derive(Debug, Clone)]
pub struct Faults {
    sources: Sources,
    found: Vec<Diagnostic>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { sources: Sources::without_excerpts(), found: Vec::new() }
    }
}

impl Faults {
    /// Whether something forbids going on.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// Everything found so far, in the order found.
    pub fn found(&self) -> &[Diagnostic] {
        &self.found
    }

    pub(crate) fn push(&mut self, fault: Diagnostic) {
        self.found.push(fault);
    }

    /// The text of a file, remembered for the places of faults; a fault if it cannot be read.
    pub(crate) fn read(&mut self, path: &Path) -> Option<(String, String)> {
        let name = path.to_string_lossy().replace('\\', "/");
        match std::fs::read(path) {
            Err(cause) => {
                let message = format!("cannot read the file: {}", cause.kind());
                self.push(Diagnostic::error(name, "unreadable-file", message));
                None
            }
            Ok(bytes) => match String::from_utf8(bytes) {
                Err(cause) => {
                    let at = cause.utf8_error().valid_up_to();
                    let text = String::from_utf8_lossy(&cause.as_bytes()[..at]).into_owned();
                    self.sources.insert(name.clone(), text);
                    self.push(
                        Diagnostic::error(name, "not-utf8", "the file is not UTF-8 text")
                            .at(at..at)
                            .help("save it as UTF-8 (in Excel: \"CSV UTF-8\")"),
                    );
                    None
                }
                Ok(text) => {
                    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                    self.sources.insert(name.clone(), text.clone());
                    Some((name, text))
                }
            },
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Report::new(&self.sources, &self.found))
    }
}
