//! What failures of the server mean, in our own words. What the server says may quote a cell, so
//! that only its five signs, the SQLSTATE, are kept.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;

use crate::SourceError;

/// Why a question had no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server did not answer in time.
    Silent,
    /// The server or the connection failed.
    Told(Error),
}

/// The connection that held the instant is gone.
pub(super) fn instant_lost(server: &str) -> SourceError {
    SourceError::Server {
        server: server.to_owned(),
        what: "ended the connection that holds the instant at which all tables are seen",
        remedy: "tables that are not read yet would be of another instant; the next run reads all \
                 of them anew"
            .to_owned(),
    }
}

/// Why there is no connection.
pub(super) fn entering(server: &str, database: &str, encrypted: bool, why: Trouble) -> SourceError {
    let (what, remedy) = match &why {
        Trouble::Silent => ("does not answer", NETWORK.to_owned()),
        Trouble::Told(error) => match code(error) {
            Some(code) => refused_entry(&code, database),
            None => broken_entry(error, encrypted),
        },
    };
    SourceError::Server { server: server.to_owned(), what, remedy }
}

const NETWORK: &str = "see that it runs, that host and port are right, and that no firewall is \
                       between";

fn refused_entry(code: &str, database: &str) -> (&'static str, String) {
    match code {
        "28P01" | "28000" => (
            "refused the log-in",
            format!(
                "see that the user and the password are right and that pg_hba.conf lets them in \
                 from here (SQLSTATE {code})"
            ),
        ),
        "3D000" => {
            ("has not the database", format!("see that `{database}` is its name (SQLSTATE {code})"))
        }
        "42501" => (
            "lets the user not into the database",
            format!(
                "GRANT CONNECT ON DATABASE {database} to the user of the warehouse (SQLSTATE {code})"
            ),
        ),
        "53300" => (
            "has no connection left",
            format!("raise max_connections, or read with fewer of them (SQLSTATE {code})"),
        ),
        "57P03" => {
            ("is starting or stopping", format!("the next run tries again (SQLSTATE {code})"))
        }
        _ => ("refused the connection", format!("its log says why (SQLSTATE {code})")),
    }
}

fn broken_entry(error: &Error, encrypted: bool) -> (&'static str, String) {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    let tls = cause.and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<rustls::Error>());
    if tls {
        return (
            "shows a certificate that is not trusted",
            "see that the certificate is for this host and has not ended, and that `ca_file` holds \
             who vouches for it"
                .to_owned(),
        );
    }
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => ("refuses connections", NETWORK.to_owned()),
        Some(_) => ("cannot be reached", NETWORK.to_owned()),
        None if error.is_closed() => ("ended the connection", NETWORK.to_owned()),
        None if encrypted => (
            "gives no encrypted log-in",
            "set ssl = on at the server, and see that a password is given if it wants one"
                .to_owned(),
        ),
        None => (
            "asks for another log-in than there is",
            "give a password, and let pg_hba.conf ask for scram-sha-256".to_owned(),
        ),
    }
}

/// Why the rows of `place` do not come.
pub(super) fn reading(server: &str, place: &str, why: Trouble) -> SourceError {
    let lost =
        |what, remedy: String| SourceError::Server { server: server.to_owned(), what, remedy };
    let error = match why {
        Trouble::Silent => {
            return lost(
                "fell silent",
                format!("nothing came of {place} for too long; see what its query waits for"),
            );
        }
        Trouble::Told(error) => error,
    };
    let Some(code) = code(&error) else {
        return lost(
            "broke off the connection",
            format!("{place} is not read to its end; see that it runs, the next run tries again"),
        );
    };
    let server_does = match code.as_str() {
        "57014" => Some((
            "cancelled the query",
            "somebody did, or statement_timeout is too short for the user of the warehouse",
        )),
        "40001" => Some((
            "needed the old rows",
            "a standby may keep them longer: hot_standby_feedback, max_standby_streaming_delay",
        )),
        "25P03" | "25P04" => {
            Some(("ended a transaction that took long", "lengthen its transaction_timeout"))
        }
        code if code.starts_with("57P") || code.starts_with("08") => {
            Some(("ended the connection", "see that it runs; the next run tries again"))
        }
        code if code.starts_with("53") => {
            Some(("has no room left", "see its memory, its disk and its max_connections"))
        }
        _ => None,
    };
    match server_does {
        Some((what, remedy)) => lost(what, format!("{remedy} ({place}, SQLSTATE {code})")),
        None => refused(server, place, &code),
    }
}

fn refused(server: &str, place: &str, code: &str) -> SourceError {
    let (what, remedy) = match code {
        "42501" => (
            "no right to read it, or of a view's owner to read what is behind it",
            format!("GRANT SELECT ON {place} to the user of the warehouse, or to the view's owner"),
        ),
        "55P03" => (
            "another holds its lock",
            "read it when nobody alters it; the next run tries again".to_owned(),
        ),
        "22021" | "22P05" => (
            "it holds text that is not of its database's encoding",
            "correct it, or read a view that casts it with convert_from".to_owned(),
        ),
        code if code.starts_with("22") => (
            "a row cannot be computed",
            "correct the view or the `where` that fails, or the row at the source".to_owned(),
        ),
        _ => ("the server fails to read it", "the server's log says why".to_owned()),
    };
    SourceError::Refused {
        server: server.to_owned(),
        place: place.to_owned(),
        what: format!("{what} (SQLSTATE {code})"),
        remedy,
    }
}

/// The SQLSTATE, where the server sent one that is of its form.
pub(super) fn code(error: &Error) -> Option<String> {
    let code = error.code()?.code();
    let formed = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Some(if formed { code.to_owned() } else { "unknown".to_owned() })
}
