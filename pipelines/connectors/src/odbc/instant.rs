//! How a server is told to show all tables at one instant, and how it shows that it still does.

use arrow_odbc::odbc_api::{Connection, Cursor as _, Error as DriverError};

/// The instant that the connection holds.
pub(super) struct Held {
    pub(super) instant: Instant,
    /// What its mark was when it began.
    marked: Option<String>,
}

impl Held {
    /// Whether it is still the same.
    pub(super) fn is_held(&self, connection: &Connection<'static>) -> bool {
        let Some(mark) = self.instant.mark else { return true };
        text(connection, mark).ok() == self.marked
    }
}

/// How a server is told to show all tables at one instant.
pub(super) struct Instant {
    /// While each statement is still its own transaction.
    before: &'static [&'static str],
    /// As the first of the transaction.
    begin: &'static [&'static str],
    /// Takes the transaction out of a failure, where a failure holds it up.
    pub(super) back: Option<&'static str>,
    /// Tells the transaction from another one, where a failure may end it unseen.
    mark: Option<&'static str>,
}

/// The server's product, as its driver names it.
fn instant(product: &str) -> Option<Instant> {
    match product {
        "PostgreSQL" => Some(Instant {
            before: &["SET SESSION CHARACTERISTICS AS TRANSACTION \
                       ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
            begin: &["SAVEPOINT khoyte"],
            back: Some("ROLLBACK TO SAVEPOINT khoyte"),
            mark: Some("SELECT CAST(transaction_timestamp() AS varchar(60))"),
        }),
        "MySQL" | "MariaDB" => Some(Instant {
            before: &["SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"],
            begin: &["START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"],
            back: None,
            mark: None,
        }),
        "Oracle" => Some(Instant {
            before: &[],
            begin: &["SET TRANSACTION READ ONLY"],
            back: None,
            mark: None,
        }),
        _ => None,
    }
}

/// Begins the transaction, at one instant where the server can.
pub(super) fn hold(connection: &Connection<'static>) -> Result<Option<Held>, DriverError> {
    let instant = instant(&connection.database_management_system_name().unwrap_or_default());
    for statement in instant.iter().flat_map(|instant| instant.before) {
        connection.execute(statement, (), None)?;
    }
    // A driver without transactions shows each table as it is: so it is for us.
    let is_held = connection.set_autocommit(false).is_ok();
    let Some(instant) = instant.filter(|_| is_held) else { return Ok(None) };
    for statement in instant.begin {
        connection.execute(statement, (), None)?;
    }
    let marked = instant.mark.map(|mark| text(connection, mark)).transpose()?;
    Ok(Some(Held { instant, marked }))
}

/// The one cell of an answer.
fn text(connection: &Connection<'static>, statement: &str) -> Result<String, DriverError> {
    let mut cell = Vec::new();
    if let Some(mut answer) = connection.execute(statement, (), None)?
        && let Some(mut row) = answer.next_row()?
    {
        row.get_text(1, &mut cell)?;
    }
    Ok(String::from_utf8_lossy(&cell).into_owned())
}
