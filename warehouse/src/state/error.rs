//! What goes wrong in the state room, in words that may be logged: neither a driver's error nor an
//! address is ever carried whole, since both can hold values and passwords.

use std::path::PathBuf;

/// Why the state room did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file or server cannot be reached, or is not what it should be.
    #[error("cannot open the state at {place}")]
    Open {
        /// Where, without a password.
        place: String,
        /// What the system or the database said.
        #[source]
        cause: Cause,
    },
    /// The address of the server is not one.
    #[error("the address of the state is not usable: {0}")]
    Address(&'static str),
    /// Another version of this product has changed the tables.
    #[error(
        "the state at {place} was made by a newer khoyte (its migration {version} is not known \
         here): run that version or a later one"
    )]
    Newer {
        /// Where.
        place: String,
        /// The first migration that is not known.
        version: i64,
    },
    /// A migration was edited after it was applied.
    #[error(
        "migration {version} of the state at {place} is not the one of this khoyte: run the \
         version that made it"
    )]
    Altered {
        /// Where.
        place: String,
        /// The migration.
        version: i64,
    },
    /// The file that is open is no longer the one at its path.
    #[error(
        "the state file {} was moved or replaced while in use: put it back, or restart khoyte",
        .0.display()
    )]
    Moved(PathBuf),
    /// An account of that name is there.
    #[error("there is an account `{0}` already")]
    Exists(String),
    /// No account of that name is there.
    #[error("there is no account `{0}`")]
    NoAccount(String),
    /// A row that this version cannot read.
    #[error("the account `{0}` holds what this khoyte does not know: run a later version")]
    Unreadable(String),
    /// A statement failed.
    #[error("cannot {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        cause: Cause,
    },
    /// The task that writes the account of queries has ended with its runtime.
    #[error("the account of queries is no longer written: khoyte is stopping")]
    Stopped,
}

/// What a database, a driver or the system said, without values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<&std::io::Error> for Cause {
    fn from(error: &std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<&sqlx::Error> for Cause {
    fn from(error: &sqlx::Error) -> Self {
        use sqlx::Error as E;
        Self(match error {
            E::Database(said) => database(said.as_ref()),
            E::Io(error) => error.to_string(),
            E::Tls(error) => format!("TLS: {error}"),
            E::PoolTimedOut => "no connection was free in time".to_owned(),
            E::PoolClosed | E::WorkerCrashed => "the connection is closed".to_owned(),
            E::Configuration(_) => "the address or a setting in it is not valid".to_owned(),
            E::RowNotFound => "a row that must be there is missing".to_owned(),
            E::ColumnDecode { .. } | E::Decode(_) | E::AnyDriverError(_) => {
                "a value is of an unexpected type".to_owned()
            }
            _ => "the connection is in disorder".to_owned(),
        })
    }
}

/// The message and code of a database. Messages of PostgreSQL's classes 22 and 23 (data, integrity)
/// quote values: of those the code alone is kept.
fn database(said: &dyn sqlx::error::DatabaseError) -> String {
    let code = said.code().unwrap_or_default();
    let quotes = code.len() == 5 && (code.starts_with("22") || code.starts_with("23"));
    if quotes { format!("code {code}") } else { format!("{} (code {code})", said.message()) }
}

/// Names what was being done when a statement failed.
pub(super) fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> StateError {
    move |error| StateError::Failed { doing, cause: Cause::from(&error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_and_no_value_is_carried() {
        let secret = "postgres://khoyte:mat-khau@host:not-a-port/db";
        let error = secret.parse::<sqlx::any::AnyConnectOptions>().expect_err("no port");
        let decode = sqlx::Error::Decode("mat-khau".into());
        for error in [error, decode] {
            let cause = StateError::Failed { doing: "test", cause: Cause::from(&error) };
            assert!(!format!("{cause:?} {cause}").contains("mat-khau"));
        }
    }
}
