//! The writing side of the account of queries: its own connection, made anew when it fails, and
//! the statements.

use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use super::error::{Cause, StateError, failed};
use super::queries::{Ended, NewQuery, QueryId};
use super::run::{self, Run};
use super::{micros, room};

const DOING: &str = "write the account of queries";

/// Where rows are appended and finished.
pub(super) struct Journal {
    options: AnyConnectOptions,
    connection: Option<AnyConnection>,
    run: Run,
    /// On a server: whether this connection holds the lock that says that this run is alive.
    held: bool,
    /// For an SQLite file: where it is, and which it is.
    file: Option<(PathBuf, (u64, u64))>,
}

impl Journal {
    /// Writes through `connection`, of `options`, for this run of the program.
    pub(super) async fn new(
        options: AnyConnectOptions,
        connection: AnyConnection,
        run: Run,
        file: Option<PathBuf>,
    ) -> Result<Self, StateError> {
        let file = file.map(|path| match identity(&path) {
            Some(identity) => Ok((path, identity)),
            None => Err(StateError::Moved(path)),
        });
        let file = file.transpose()?;
        let mut journal = Self { options, connection: Some(connection), run, held: false, file };
        journal.ready().await.map_err(failed(DOING))?;
        Ok(journal)
    }

    /// Gives the connection up; the next write makes another.
    pub(super) fn disconnect(&mut self) {
        self.connection = None;
        self.held = false;
    }

    /// What a write that took too long failed with.
    #[expect(clippy::unused_self, reason = "beside the other failures of writing")]
    pub(super) fn timed_out(&self, after: Duration) -> StateError {
        let cause = Cause::new(format!("the database took longer than {} s", after.as_secs()));
        StateError::Failed { doing: DOING, cause }
    }

    /// Appends and finishes rows in one commit; the number of the first row that was appended.
    pub(super) async fn write(
        &mut self,
        begins: &[NewQuery],
        ends: &[(QueryId, Ended)],
    ) -> Result<i64, StateError> {
        self.same_file()?;
        let run = self.run.id;
        let connection = self.ready().await.map_err(failed(DOING))?;
        append(connection, run, begins, ends).await.map_err(failed(DOING))
    }

    /// SQLite goes on writing to a file that was taken away, where nobody would find the rows.
    fn same_file(&self) -> Result<(), StateError> {
        match &self.file {
            Some((path, opened)) if identity(path).as_ref() != Some(opened) => {
                Err(StateError::Moved(path.clone()))
            }
            _ => Ok(()),
        }
    }

    async fn ready(&mut self) -> Result<&mut AnyConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => room::connect(&self.options).await?,
        };
        let connection = self.connection.insert(connection);
        if self.file.is_none() && !self.held {
            // A server may take a while to see that the connection before this one is gone.
            self.held = run::hold(connection, self.run.id).await?;
        }
        Ok(connection)
    }
}

/// Which file lies at a path.
fn identity(path: &std::path::Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

async fn append(
    connection: &mut AnyConnection,
    run: i64,
    begins: &[NewQuery],
    ends: &[(QueryId, Ended)],
) -> Result<i64, sqlx::Error> {
    let begin = room::begin(connection);
    let mut transaction = connection.begin_with(begin).await?;
    let mut first = 0;
    if !begins.is_empty() {
        let count = i64::try_from(begins.len()).unwrap_or(i64::MAX);
        let last: i64 = sqlx::query_scalar(
            "UPDATE bo_dem SET gia_tri = gia_tri + $1 WHERE ten = 'truy_van' RETURNING gia_tri",
        )
        .bind(count)
        .fetch_one(&mut *transaction)
        .await?;
        first = last - count + 1;
        let text = format!(
            "INSERT INTO truy_van (so, tien_trinh, ten, vai_tro, cua, bang, cot, bat_dau) {}",
            values(begins.len(), 8)
        );
        let mut insert = sqlx::query(AssertSqlSafe(text));
        for (id, entry) in (first..).zip(begins) {
            insert = insert
                .bind(id)
                .bind(run)
                .bind(plain(&entry.principal))
                .bind(plain(&entry.role))
                .bind(entry.via)
                .bind(list(&entry.tables)?)
                .bind(list(&entry.columns)?)
                .bind(micros(entry.started_at));
        }
        insert.execute(&mut *transaction).await?;
    }
    if !ends.is_empty() {
        let text = format!(
            "UPDATE truy_van SET ket_qua = v.column2, so_dong = v.column3, so_byte = v.column4, \
             thoi_gian_ms = v.column5 FROM ({}) AS v WHERE truy_van.so = v.column1",
            values(ends.len(), 5)
        );
        let mut update = sqlx::query(AssertSqlSafe(text));
        for (id, ended) in ends {
            update = update
                .bind(id.0)
                .bind(ended.outcome)
                .bind(whole(ended.rows))
                .bind(whole(ended.bytes))
                .bind(whole(ended.duration_ms));
        }
        update.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(first)
}

/// `VALUES ($1, $2), ($3, $4)`, for `rows` rows of `columns` parameters.
fn values(rows: usize, columns: usize) -> String {
    let mut text = String::from("VALUES ");
    for row in 0..rows {
        for column in 0..columns {
            let before = match (row, column) {
                (0, 0) => "(",
                (_, 0) => "), (",
                _ => ", ",
            };
            // Writing to a string cannot fail.
            let _ = write!(text, "{before}${}", row * columns + column + 1);
        }
    }
    text.push(')');
    text
}

/// PostgreSQL keeps no NUL in a text, and one row it refuses would refuse all beside it.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn list(names: &[String]) -> Result<String, sqlx::Error> {
    serde_json::to_string(names).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn rows_of_parameters_are_numbered_through() {
        assert_eq!(super::values(2, 3), "VALUES ($1, $2, $3), ($4, $5, $6)");
        assert_eq!(super::values(1, 1), "VALUES ($1)");
    }
}
