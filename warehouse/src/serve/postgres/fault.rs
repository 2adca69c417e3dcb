//! What ends a statement or a connection, and what its client is told of it.
//!
//! Nothing of a client's text goes to the log: what is told is told to the client only.

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;

use crate::query::QueryError;

/// Bytes of one message to a person; the protocol carries 30,000 at most.
const LONGEST_MESSAGE: usize = 4_000;

pub(super) type Result<T> = std::result::Result<T, Trouble>;

/// Why something did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The client is told.
    Fault(Fault),
    /// There is nobody to be told; in words for the log.
    Gone(&'static str),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<QueryError> for Trouble {
    fn from(error: QueryError) -> Self {
        Self::Fault(Fault::from(error))
    }
}

/// An error as PostgreSQL's clients know it.
#[derive(Debug)]
pub(super) struct Fault {
    fatal: bool,
    sqlstate: String,
    message: String,
}

impl Fault {
    /// The statement fails.
    pub(super) fn new(sqlstate: &str, message: impl Into<String>) -> Self {
        let (sqlstate, message) = (sqlstate.to_owned(), message.into());
        Self { fatal: false, sqlstate, message }
    }

    /// The connection ends.
    pub(super) fn fatal(sqlstate: &str, message: impl Into<String>) -> Self {
        Self { fatal: true, ..Self::new(sqlstate, message) }
    }

    /// The client does not keep to the protocol.
    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::fatal("08P01", message)
    }

    /// The server is being stopped.
    pub(super) fn stopping() -> Self {
        Self::fatal("57P01", "the server is shutting down")
    }

    /// A client asked for it, on a connection of its own.
    pub(super) fn cancelled() -> Self {
        Self::new("57014", "the query was cancelled by its user")
    }

    /// Where rows or their columns have no form in the protocol.
    pub(super) fn of_encoding(error: PgWireError) -> Self {
        match error {
            PgWireError::UserError(info) => Self::new("0A000", info.message.clone()),
            _ => Self::new("22000", "a value of the answer cannot be sent in the format asked for"),
        }
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// For the log, which does not hold the message.
    pub(super) fn sqlstate(&self) -> &str {
        &self.sqlstate
    }

    pub(super) fn into_message(self) -> PgWireBackendMessage {
        let severity = if self.fatal { "FATAL" } else { "ERROR" };
        let text = shortened(&self.message);
        let mut info = ErrorInfo::new(severity.to_owned(), self.sqlstate, text);
        info.severity_nonlocalized = Some(severity.to_owned());
        PgWireBackendMessage::ErrorResponse(info.into())
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        Self::new(error.sqlstate(), error.to_string())
    }
}

/// Within what a message carries: no byte of the kind that ends a text, and not too long.
fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut short = text[..end].replace('\0', " ");
    if end < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fits_into_its_frame() {
        assert_eq!(shortened("a\0b"), "a b");
        let long = shortened(&"ệ".repeat(10_000));
        assert!(long.len() <= LONGEST_MESSAGE + 3 && long.ends_with("ệ…"));
    }
}
