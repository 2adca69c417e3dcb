//! Which relations of a server a simulation made: ODBC has no comments of tables, so a table of our
//! own names them (see [`super::fill()`]).

use std::collections::BTreeSet;

use arrow_odbc::odbc_api::{Connection, Cursor as _, Error as DriverError};

use super::faults::Answer;

/// The table that names what was made here.
pub(super) const MADE: &str = "khoyte_mo_phong";

/// The marked relations; none where there is no such table, as on every real server. Asked in a
/// transaction of its own, before the one that holds the instant begins: the server may refuse.
pub(super) fn marked(connection: &Connection<'static>) -> Result<BTreeSet<String>, DriverError> {
    let is_held = connection.set_autocommit(false).is_ok();
    let told = names(connection);
    if is_held {
        connection.rollback()?;
        connection.set_autocommit(true)?;
    }
    match told {
        Err(error) if Answer::of(&error) == Answer::Broken => Err(error),
        told => Ok(told.unwrap_or_default()),
    }
}

fn names(connection: &Connection<'static>) -> Result<BTreeSet<String>, DriverError> {
    let mut names = BTreeSet::new();
    let sql = format!("SELECT relation FROM {MADE}");
    let Some(mut answer) = connection.execute(&sql, (), None)? else { return Ok(names) };
    while let Some(mut row) = answer.next_row()? {
        let mut name = Vec::new();
        row.get_text(1, &mut name)?;
        names.insert(String::from_utf8_lossy(&name).into_owned());
    }
    Ok(names)
}
