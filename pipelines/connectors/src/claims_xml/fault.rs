//! Why a file is refused, before its place is known: the scanner knows what, its callers know where.

use std::borrow::Cow;
use std::io;

use super::plan::Plan;
use crate::SourceError;
use crate::files::TableFile;

/// Nothing, or why not.
pub(super) type Outcome<T = ()> = Result<T, Fault>;

/// See the module.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not what the standard says.
    Wrong(Cow<'static, str>),
    /// It passes a bound.
    Bound { what: &'static str, bound: String },
    /// That field is there twice in a record.
    Doubled(usize),
    /// The file cannot be read, or changed.
    Read(io::Error),
    /// Somebody has what he wanted, or nobody reads on: no fault of the file.
    Enough,
    /// One of the above, in that line of a document within the file.
    InLine(usize, Box<Fault>),
}

/// Where in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Number of the `HOSO`, 0 before the first.
    pub(super) hoso: u64,
    /// Bytes before it.
    pub(super) byte: u64,
}

impl Fault {
    pub(super) fn wrong(what: &'static str) -> Self {
        Self::Wrong(Cow::Borrowed(what))
    }

    pub(super) fn bytes(what: &'static str, bound: usize) -> Self {
        Self::Bound { what, bound: format!("{bound} bytes") }
    }

    /// With the line of a document, where `at` bytes of it were read.
    pub(super) fn in_line(self, document: &[u8], at: usize) -> Self {
        let before = &document[..at.min(document.len())];
        Self::InLine(1 + before.iter().filter(|byte| **byte == b'\n').count(), Box::new(self))
    }

    /// What is told to those who wait for the rows.
    pub(super) fn told(self, file: &TableFile, plan: &Plan, place: Place) -> Told {
        // What was read of a file that changes is neither the old nor the new.
        if !matches!(self, Self::Enough)
            && let Err(changed) = file.check()
        {
            return Told::Failed(changed);
        }
        let (fault, at) = match self {
            Self::InLine(line, fault) => {
                let hoso = match place.hoso {
                    0 => "in ".to_owned(),
                    number => format!("in HOSO {number}, table {}, ", plan.table.number),
                };
                (*fault, format!("{hoso}line {line}"))
            }
            fault if place.hoso == 0 => (fault, format!("at byte {}", place.byte)),
            fault => (fault, format!("in HOSO {}, at byte {}", place.hoso, place.byte)),
        };
        let inside = || format!("{} {at}", file.place);
        Told::Failed(match fault {
            Self::Wrong(what) => SourceError::Malformed {
                place: file.place.clone(),
                format: "XML",
                at,
                what: what.into_owned(),
            },
            Self::Bound { what, bound } => SourceError::Bound { place: inside(), what, bound },
            Self::Doubled(field) => SourceError::DoubledColumn {
                place: inside(),
                column: plan.columns[plan.fields[field]].clone(),
            },
            Self::Read(error) => file.failed(error),
            Self::Enough | Self::InLine(..) => return Told::Enough,
        })
    }
}

/// How the reading of a file ended early.
#[derive(Debug)]
pub(super) enum Told {
    /// Nobody wants more.
    Enough,
    /// It is refused.
    Failed(SourceError),
}
