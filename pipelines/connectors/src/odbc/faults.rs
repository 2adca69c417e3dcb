//! What a failure of a driver means. Its own words are never told, for they may quote a cell, a
//! user or a condition; its SQLSTATE is.

use std::fmt;

use arrow_odbc::odbc_api::Error as DriverError;

use super::sql::Relation;
use crate::SourceError;

/// What an operator looks at when nothing answers.
pub(super) const LOOK: &str =
    "look whether the server runs, and whether its address, port and firewall are right";

/// The server, for errors.
#[derive(Debug)]
pub(super) struct Peer {
    /// What the configuration calls it.
    pub(super) label: String,
}

/// What the driver says with its SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    NoRelation,
    NoRight,
    NoColumn,
    Syntax,
    Stopped,
    Broken,
    Other,
}

/// The SQLSTATE of a failure and the server's own number; five dashes where there is none.
pub(super) fn state(error: &DriverError) -> (String, i32) {
    match error {
        DriverError::Diagnostics { record, .. }
        | DriverError::UnsupportedOdbcApiVersion(record)
        | DriverError::InvalidRowArraySize { record, .. }
        | DriverError::UnableToRepresentNull(record)
        | DriverError::OracleOdbcDriverDoesNotSupport64Bit(record) => {
            let code = record.state.0;
            let is_code = code.iter().all(u8::is_ascii_alphanumeric);
            let code = if is_code { String::from_utf8_lossy(&code).into_owned() } else { none() };
            (code, record.native_error)
        }
        _ => (none(), 0),
    }
}

fn none() -> String {
    "-----".to_owned()
}

impl Answer {
    pub(super) fn of(error: &DriverError) -> Self {
        let (state, native) = state(error);
        match (state.as_str(), native) {
            // SQL Server and Oracle tell these by their own numbers only.
            (_, 208 | 942) | ("42S02" | "42P01" | "3F000" | "42704", _) => Self::NoRelation,
            (_, 229 | 230 | 1031) | ("42501", _) => Self::NoRight,
            (_, 207 | 904) | ("42S22" | "42703", _) => Self::NoColumn,
            ("57014" | "HYT00", _) => Self::Stopped,
            ("57P01" | "57P02" | "57P03" | "HYT01" | "IM006", _) => Self::Broken,
            _ if state.starts_with("08") => Self::Broken,
            _ if state.starts_with("42") || state.starts_with("37") => Self::Syntax,
            _ => Self::Other,
        }
    }
}

impl Peer {
    /// An error of the server as a whole.
    pub(super) fn server(&self, what: &'static str, remedy: impl fmt::Display) -> SourceError {
        SourceError::Server { server: self.label.clone(), what, remedy: remedy.to_string() }
    }

    /// An error of one relation.
    pub(super) fn refused(
        &self,
        relation: &Relation,
        what: impl fmt::Display,
        remedy: impl fmt::Display,
    ) -> SourceError {
        SourceError::Refused {
            server: self.label.clone(),
            place: relation.shown.clone(),
            what: what.to_string(),
            remedy: remedy.to_string(),
        }
    }

    pub(super) fn lost(&self) -> SourceError {
        self.server(
            "is no longer connected: an earlier read broke off, and with it went the instant at \
             which the tables are seen",
            "connect again and read all its tables again",
        )
    }

    pub(super) fn broken(&self) -> SourceError {
        self.server(
            "broke the connection off while it was read",
            "look whether it runs; the next night reads its tables again",
        )
    }

    /// Why we were not let in.
    pub(super) fn not_entered(&self, error: &DriverError) -> SourceError {
        let (state, _) = state(error);
        let told = |remedy: &str| format!("{remedy} (SQLSTATE {state})");
        // PostgreSQL's driver has one SQLSTATE for all that can go wrong here.
        let is_login = error.to_string().contains("authentication failed");
        match state.as_str() {
            "28000" | "28P01" | "08001" | "08004" if is_login || state.starts_with("28") => {
                self.server("refused the log-in", told("correct the user or the password"))
            }
            "IM002" | "IM003" | "IM004" | "IM012" | "IM014" | "01000" => self.server(
                "is not reached by a driver that is installed",
                told("install the driver, and name it as `odbcinst -q -d` does"),
            ),
            _ => self.server(
                "does not answer, or does not let us in",
                told(&format!("{LOOK}, and database, user and password")),
            ),
        }
    }

    /// Why a relation cannot be read.
    pub(super) fn fault(&self, relation: &Relation, error: &DriverError) -> SourceError {
        let name = &relation.shown;
        let (what, remedy) = match Answer::of(error) {
            Answer::NoRelation => (
                "there is no such relation",
                "correct the place, and the case of its letters".to_owned(),
            ),
            Answer::NoRight => (
                "no right to read it",
                format!("GRANT SELECT (columns) ON {name} TO the user of the warehouse"),
            ),
            Answer::NoColumn => (
                "its condition or order names a column that it lacks",
                "correct the settings `where` and `order`".to_owned(),
            ),
            Answer::Syntax => (
                "its condition or order is no SQL, or it may not be read",
                "correct the settings `where`, `order` and `quote`, or grant the right".to_owned(),
            ),
            Answer::Stopped => (
                "the server stopped the statement",
                "raise its bound for the time of a statement for the user of the warehouse"
                    .to_owned(),
            ),
            Answer::Broken => return self.broken(),
            Answer::Other => {
                ("the server failed", "look the SQLSTATE up, and in the server's log".to_owned())
            }
        };
        let (state, native) = state(error);
        let own = if native == 0 { String::new() } else { format!(", error {native}") };
        self.refused(relation, format_args!("{what} (SQLSTATE {state}{own})"), remedy)
    }
}
