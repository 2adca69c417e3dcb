//! Writing made-up rows to a relation of our own, in SQL that most servers know: out with the rows
//! of the same key and in with the new ones, in one transaction, with parameters by the batch.
//!
//! ODBC has no comments of tables. So a table of its own, `khoyte_mo_phong(relation)`, names the
//! relations that were made here; it lies where the user's new tables do. Who drops one of them for a
//! real relation of the same name takes its name out of that table too.

use arrow_odbc::odbc_api::handles::StatementImpl;
use arrow_odbc::odbc_api::{
    BindParamDesc, Connection, ConnectionOptions, Cursor as _, Error as DriverError, Prepared,
    environment,
};

use super::faults::{Answer, Peer, state};
use super::marks::MADE;
use super::session::leave;
use super::sql::{Quote, Relation};
use super::{DataSource, connection_string};
use crate::fill::{Cells, Holds, Target};
use crate::{Request, Secret, SourceError};

/// Rows of one statement.
const ROWS: usize = 500;

/// Makes the relation where it is not there, and puts the rows in the place of those of the same
/// key, all or none. Returns how many there were.
///
/// # Errors
/// When the server cannot be reached, lacks a right, or has a relation of that name that was not
/// made here.
pub async fn fill(
    source: &DataSource,
    target: Target<'_>,
    rows: impl Iterator<Item = Cells>,
) -> Result<u64, SourceError> {
    let peer = Peer { label: source.label.clone() };
    let connection = connection_string(source).await?;
    let request = Request {
        place: target.relation.to_owned(),
        columns: target.columns.iter().map(|(name, _)| name.clone()).collect(),
        span: None,
        settings: std::collections::BTreeMap::new(),
    };
    let filling = Filling {
        relation: Relation::parse(&request)?,
        request,
        holds: target.columns.iter().map(|(_, holds)| *holds).collect(),
        key: target.key.to_vec(),
        is_gone: target.is_gone,
        rows: rows.collect(),
    };
    // A driver blocks.
    let done = tokio::task::spawn_blocking(move || filling.run(&peer, &connection)).await;
    match done {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// What is to be written.
struct Filling {
    relation: Relation,
    request: Request,
    /// What each column of the request holds.
    holds: Vec<Holds>,
    key: Vec<String>,
    is_gone: bool,
    rows: Vec<Cells>,
}

impl Filling {
    fn run(&self, peer: &Peer, text: &Secret) -> Result<u64, SourceError> {
        let environment = environment()
            .map_err(|_| peer.server("is not reached", "install the driver manager unixODBC"))?;
        let options = ConnectionOptions::default();
        let connection = environment.connect_with_connection_string(text.reveal(), options);
        let connection = connection.map_err(|error| peer.not_entered(&error))?;
        let done = self.write(peer, &connection);
        leave(connection);
        done
    }

    fn write(&self, peer: &Peer, connection: &Connection<'static>) -> Result<u64, SourceError> {
        let quote = connection.identifier_quote_char().ok().flatten();
        let quote = Quote::of(&self.request, quote)?;
        let place = self.relation.quoted(quote, &self.request)?;
        let names = self.request.columns.iter().map(|name| quote.name(name, &self.request));
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        let dialect = Dialect::of(connection);
        let told = |error: DriverError| self.failed(peer, &error);
        connection.set_autocommit(false).map_err(told)?;
        let is_new = self.make(peer, connection, (&place, &names), dialect)?;
        let all: Vec<usize> = (0..names.len()).collect();
        let key: Vec<usize> = all
            .iter()
            .copied()
            .filter(|at| self.key.contains(&self.request.columns[*at]))
            .collect();
        // A new relation has no rows of before.
        if !key.is_empty() && !is_new {
            let same = key.iter().map(|at| format!("{} = {}", names[*at], self.mark(*at, dialect)));
            let same: Vec<String> = same.collect();
            let sql = format!("DELETE FROM {place} WHERE {}", same.join(" AND "));
            self.send(connection.prepare(&sql).map_err(told)?, &key).map_err(told)?;
        }
        if self.is_gone {
            connection.commit().map_err(told)?;
            return Ok(self.rows.len() as u64);
        }
        let marks: Vec<String> = all.iter().map(|at| self.mark(*at, dialect)).collect();
        let (columns, marks) = (names.join(", "), marks.join(", "));
        let sql = format!("INSERT INTO {place} ({columns}) VALUES ({marks})");
        self.send(connection.prepare(&sql).map_err(told)?, &all).map_err(told)?;
        connection.commit().map_err(told)?;
        Ok(self.rows.len() as u64)
    }

    /// Refuses a relation that is not ours; makes one where there is none, and says whether it did.
    fn make(
        &self,
        peer: &Peer,
        connection: &Connection<'static>,
        (place, names): (&str, &[String]),
        dialect: Dialect,
    ) -> Result<bool, SourceError> {
        let told = |error: DriverError| self.failed(peer, &error);
        let own = self.relation.shown.replace('\'', "''");
        let marked = format!("SELECT relation FROM {MADE} WHERE relation = '{own}'");
        let is_ours = match has_row(connection, &marked) {
            Ok(is_ours) => is_ours,
            Err(error) if Answer::of(&error) == Answer::NoRelation => {
                let sql = format!("CREATE TABLE {MADE} (relation VARCHAR(400) NOT NULL)");
                alone(connection, &sql).map_err(told)?;
                false
            }
            Err(error) => return Err(told(error)),
        };
        match has_row(connection, &format!("SELECT 1 FROM {place} WHERE 1=0")) {
            Ok(_) if is_ours => return Ok(false),
            Ok(_) => {
                return Err(peer.refused(
                    &self.relation,
                    "a relation of that name is there, and was not made by a simulation",
                    "nothing was written to it; name a server without real data",
                ));
            }
            Err(error) if Answer::of(&error) == Answer::NoRelation => {}
            Err(error) => return Err(told(error)),
        }
        if let Some((schema, _)) = place.rsplit_once('.') {
            // Where it is there, or is no schema of its own, the next statement tells.
            let _ = alone(connection, &format!("CREATE SCHEMA {schema}"));
        }
        let columns = names.iter().zip(&self.holds);
        let columns: Vec<String> =
            columns.map(|(name, holds)| format!("{name} {}", dialect.column(*holds))).collect();
        let sql = format!("CREATE TABLE {place} ({})", columns.join(", "));
        alone(connection, &sql).map_err(told)?;
        if !is_ours {
            let sql = format!("INSERT INTO {MADE} (relation) VALUES ('{own}')");
            alone(connection, &sql).map_err(told)?;
        }
        Ok(true)
    }

    /// What stands for a cell of a column. All cells go as text, and the server makes what it holds
    /// of them.
    fn mark(&self, at: usize, dialect: Dialect) -> String {
        match self.holds[at] {
            Holds::Text => "?".to_owned(),
            _ if !dialect.casts => "?".to_owned(),
            holds => format!("CAST(? AS {})", dialect.column(holds)),
        }
    }

    /// Sends these columns of all rows.
    fn send(
        &self,
        statement: Prepared<StatementImpl<'_>>,
        columns: &[usize],
    ) -> Result<(), DriverError> {
        let units = |row: &Cells, at: usize| -> Option<Vec<u16>> {
            let text = row[at].as_deref()?;
            Some(written(text, self.holds[at]).encode_utf16().collect())
        };
        let longest = columns.iter().map(|at| {
            let lengths = self.rows.iter().filter_map(|row| units(row, *at));
            BindParamDesc::wide_text(lengths.map(|text| text.len()).max().unwrap_or(0).max(1))
        });
        let mut inserter = statement.into_column_inserter(ROWS, longest)?;
        for batch in self.rows.chunks(ROWS) {
            inserter.set_num_rows(batch.len());
            for (place, at) in columns.iter().enumerate() {
                let Some(mut cells) = inserter.column_mut(place).as_wide_text() else { continue };
                for (row, all) in batch.iter().enumerate() {
                    cells.set_cell(row, units(all, *at).as_deref());
                }
            }
            inserter.execute()?;
        }
        Ok(())
    }

    /// A failure of the server, by its SQLSTATE alone: its words may quote a cell.
    fn failed(&self, peer: &Peer, error: &DriverError) -> SourceError {
        match Answer::of(error) {
            Answer::Broken => peer.broken(),
            _ => peer.refused(
                &self.relation,
                format_args!("the made-up rows are not taken (SQLSTATE {})", state(error).0),
                "give the user the rights to make, read and change tables, at a server for trials; \
                 where the contract changed since the relation was made, drop the relation",
            ),
        }
    }
}

/// Whether a query has an answer with a row. After a failure another one can be asked: some servers
/// answer nothing more in a transaction in which something failed.
fn has_row(connection: &Connection<'static>, sql: &str) -> Result<bool, DriverError> {
    let ask = || -> Result<bool, DriverError> {
        let Some(mut answer) = connection.execute(sql, (), None)? else { return Ok(false) };
        Ok(answer.next_row()?.is_some())
    };
    let asked = ask();
    let ended = connection.rollback();
    asked.and_then(|has_row| ended.map(|()| has_row))
}

/// A statement that is a transaction of its own.
fn alone(connection: &Connection<'static>, sql: &str) -> Result<(), DriverError> {
    let done = connection.execute(sql, (), None).map(drop);
    if done.is_err() {
        // The statement's own failure is what is told.
        let _ = connection.rollback();
        return done;
    }
    connection.commit()
}

/// A cell as servers read it from text.
fn written(text: &str, holds: Holds) -> String {
    match holds {
        // Its own time is that of Viet Nam.
        Holds::Instant => text.get(..19).unwrap_or(text).replace('T', " "),
        Holds::Truth => if text == "true" { "1" } else { "0" }.to_owned(),
        _ => text.to_owned(),
    }
}

/// Where servers differ.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    text: &'static str,
    instant: &'static str,
    /// Whether a text has to be cast; MySQL makes numbers and days of it by itself, and has other
    /// words for casts.
    casts: bool,
}

impl Dialect {
    fn of(connection: &Connection<'static>) -> Self {
        let standard = Self { text: "VARCHAR(4000)", instant: "TIMESTAMP", casts: true };
        match connection.database_management_system_name().unwrap_or_default().as_str() {
            // There a timestamp is no time, and its own text has no letters of Viet Nam.
            "Microsoft SQL Server" => {
                Self { text: "NVARCHAR(4000)", instant: "DATETIME2(0)", casts: true }
            }
            // A row has room for 65,535 bytes.
            "MySQL" | "MariaDB" => Self { text: "VARCHAR(400)", instant: "DATETIME", casts: false },
            _ => standard,
        }
    }

    fn column(self, holds: Holds) -> String {
        match holds {
            Holds::Text => self.text.to_owned(),
            Holds::Whole => "BIGINT".to_owned(),
            Holds::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
            Holds::Day => "DATE".to_owned(),
            Holds::Instant => self.instant.to_owned(),
            Holds::Truth => "SMALLINT".to_owned(),
        }
    }
}
