//! What a failure of the server means. Its own words are never told, for they may quote a cell, a
//! user or a condition; its number is.

use std::fmt;

use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};

use super::sql::Relation;
use crate::SourceError;

/// The server, for errors and for a second connection.
pub(super) struct Peer {
    /// Host and port.
    pub(super) label: String,
    /// The database of a place that names none.
    pub(super) database: String,
    /// How to connect; holds the password, so it is never shown.
    pub(super) options: MySqlConnectOptions,
    /// The number of our session.
    pub(super) id: u64,
}

/// An error, and whether the connection can still be used.
pub(super) struct Fault {
    pub(super) error: SourceError,
    pub(super) usable: bool,
}

impl From<SourceError> for Fault {
    /// What we refuse ourselves leaves the connection as it was.
    fn from(error: SourceError) -> Self {
        Self { error, usable: true }
    }
}

/// What the server says with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    NoRelation,
    NoDatabase,
    NoRight,
    NoRightToColumn,
    NoColumn,
    Syntax,
    BrokenView,
    Changed,
    /// Somebody or a bound of the server ended the statement.
    Stopped,
    /// Somebody or the server's end ended the session.
    Ended,
    Other,
}

/// The number of a server's error.
pub(super) fn number(error: &(dyn DatabaseError + 'static)) -> u16 {
    error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number)
}

impl Answer {
    pub(super) fn of(number: u16) -> Self {
        match number {
            1146 | 1051 => Self::NoRelation,
            1049 => Self::NoDatabase,
            1044 | 1142 | 1370 => Self::NoRight,
            1143 => Self::NoRightToColumn,
            1054 => Self::NoColumn,
            1064 | 1149 => Self::Syntax,
            1356 | 1449 => Self::BrokenView,
            1412 | 1615 => Self::Changed,
            1317 | 1969 | 3024 => Self::Stopped,
            1053 | 1927 | 2006 | 2013 | 3169 | 4031 => Self::Ended,
            _ => Self::Other,
        }
    }
}

impl Peer {
    /// An error of the server as a whole.
    pub(super) fn server(&self, what: &'static str, remedy: &str) -> SourceError {
        SourceError::Server { server: self.label.clone(), what, remedy: remedy.to_owned() }
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

    pub(super) fn silent(&self) -> SourceError {
        self.server(
            "does not answer",
            "look whether it runs, and whether host, port and firewall are right",
        )
    }

    fn broken(&self) -> SourceError {
        self.server(
            "broke the connection off while it was read",
            "look whether it runs; the next night reads its tables again",
        )
    }

    /// Why we were not let in.
    pub(super) fn not_entered(&self, error: &sqlx::Error) -> SourceError {
        let (what, remedy) = match error {
            sqlx::Error::Database(error) => return self.turned_away(number(error.as_ref())),
            // Whatever rustls refuses comes as invalid data.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => UNTRUSTED,
            sqlx::Error::Io(_) => return self.silent(),
            sqlx::Error::Tls(_) => UNTRUSTED,
            _ => (
                "logs in by a way that is not understood",
                "switch TLS on, or give the user the plugin mysql_native_password",
            ),
        };
        self.server(what, remedy)
    }

    fn turned_away(&self, number: u16) -> SourceError {
        match number {
            1045 | 1698 => self.server(
                "refused the log-in (error 1045)",
                "correct the user or the password, or the host from which the user may come",
            ),
            1044 => self.server(
                "does not let the user into the database (error 1044)",
                "GRANT SELECT ON a relation of the database TO the user of the warehouse",
            ),
            1049 => {
                self.server("has no such database (error 1049)", "correct the name of the database")
            }
            1129 | 1130 => self.server(
                "lets nobody in from this machine (error 1129 or 1130)",
                "create the user for the address of this machine, or FLUSH HOSTS",
            ),
            1040 | 1203 | 1226 => self.server(
                "has too many connections (error 1040, 1203 or 1226)",
                "close others or raise the limit",
            ),
            1820 | 1862 => self.server(
                "says that the password has expired (error 1820 or 1862)",
                "give the user of the warehouse a new password",
            ),
            other => self.server(
                "does not let us begin",
                &format!("look up the error {other} of MariaDB or MySQL, and in the server's log"),
            ),
        }
    }

    /// Why a relation cannot be read.
    pub(super) fn fault(&self, relation: &Relation, error: &sqlx::Error) -> Fault {
        match error {
            sqlx::Error::Database(error) => {
                let number = number(error.as_ref());
                let usable = Answer::of(number) != Answer::Ended;
                Fault { error: self.answered(relation, number), usable }
            }
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
                Fault { error: self.broken(), usable: false }
            }
            _ => Fault {
                error: self.refused(
                    relation,
                    "it answers in a way that is not understood",
                    "write no parameter (`?`) in a condition; look whether the server is MariaDB \
                     10 or MySQL 5.7 or newer",
                ),
                usable: false,
            },
        }
    }

    fn answered(&self, relation: &Relation, number: u16) -> SourceError {
        let name = relation.quoted();
        let (what, remedy) = match Answer::of(number) {
            Answer::NoRelation => ("there is no such relation", "correct the place".to_owned()),
            Answer::NoDatabase => ("there is no such database", "correct the place".to_owned()),
            Answer::NoRight | Answer::NoRightToColumn => (
                "no right to read it",
                format!("GRANT SELECT (columns) ON {name} TO the user of the warehouse"),
            ),
            Answer::NoColumn => (
                "its condition or order names a column that it lacks",
                "correct the settings `where` and `order`".to_owned(),
            ),
            Answer::Syntax => (
                "its condition or order is no SQL",
                "correct the settings `where` and `order`".to_owned(),
            ),
            Answer::BrokenView => (
                "it is a view over what is missing or may not be read",
                "let its owner look at the view".to_owned(),
            ),
            Answer::Changed => {
                return SourceError::Changed { place: relation.shown.clone() };
            }
            Answer::Stopped => (
                "the server stopped the statement",
                "raise its bound for the time of a statement for the user of the warehouse"
                    .to_owned(),
            ),
            Answer::Ended => return self.broken(),
            Answer::Other => (
                "the server failed",
                format!("look up the error {number} of MariaDB or MySQL, and in the server's log"),
            ),
        };
        self.refused(relation, format_args!("{what} (error {number})"), remedy)
    }

    /// The one column that may not be read.
    pub(super) fn no_right_to(&self, relation: &Relation, column: &str) -> SourceError {
        let granted = super::sql::quoted(column);
        let name = relation.quoted();
        self.refused(
            relation,
            format_args!("no right to read the column `{column}` (error 1143)"),
            format_args!("GRANT SELECT ({granted}) ON {name} TO the user of the warehouse"),
        )
    }
}

const UNTRUSTED: (&str, &str) = (
    "gives no encrypted connection that can be trusted",
    "let it offer TLS with a certificate for this host name, and name its authority in `ca_file`",
);
