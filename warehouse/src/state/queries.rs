//! The account of queries: who asked, through which door, what tables and columns were read, and
//! how it ended. Never the text of a query, a literal or a parameter.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::{StateError, failed};
use super::{State, from_micros};

/// The outcome of a query whose run of the program ended first.
pub const INTERRUPTED: &str = "gián đoạn";

/// A query in the account of queries. Numbers grow by one, in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub(super) i64);

impl QueryId {
    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// A query that is about to run.
#[derive(Debug, Clone)]
pub struct NewQuery {
    /// Who asks.
    pub principal: String,
    /// In which capacity.
    pub role: String,
    /// Through which door.
    pub via: &'static str,
    /// What it reads.
    pub tables: Vec<String>,
    /// Of these, which columns, as `schema.table.column`.
    pub columns: Vec<String>,
    /// When it came.
    pub started_at: DateTime<Utc>,
}

/// How a query ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// In one word.
    pub outcome: &'static str,
    /// Rows that were handed over.
    pub rows: u64,
    /// Bytes that were handed over.
    pub bytes: u64,
    /// From its beginning, waiting included.
    pub duration_ms: u64,
}

impl Ended {
    pub(super) const INTERRUPTED: Self =
        Self { outcome: INTERRUPTED, rows: 0, bytes: 0, duration_ms: 0 };
}

/// One row of the account of queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRow {
    /// Its number.
    pub id: i64,
    /// Who asked.
    pub principal: String,
    /// In which capacity.
    pub role: String,
    /// Through which door.
    pub via: String,
    /// What it read.
    pub tables: Vec<String>,
    /// Of these, which columns.
    pub columns: Vec<String>,
    /// When it came.
    pub started_at: DateTime<Utc>,
    /// How it ended; none while it runs.
    pub outcome: Option<String>,
    /// Rows handed over; none while it runs, or where the run was killed.
    pub rows: Option<i64>,
    /// Bytes handed over.
    pub bytes: Option<i64>,
    /// How long it took, waiting included.
    pub duration_ms: Option<i64>,
}

impl State {
    /// Writes that a query is about to run. It is on the disk when this returns; calls that come
    /// together share a commit.
    ///
    /// # Errors
    /// When it could not be written: the query must not run.
    pub async fn begin(&self, entry: NewQuery) -> Result<QueryId, StateError> {
        self.writer.begin(entry).await
    }

    /// Notes how a query ended. It is written soon, in order, and again until it is written;
    /// [`State::flush`] waits for it.
    pub fn end(&self, id: QueryId, outcome: Ended) {
        self.writer.end(id, outcome);
    }

    /// Waits until all that was noted is written.
    ///
    /// # Errors
    /// When it cannot be written now; it is tried again.
    pub async fn flush(&self) -> Result<(), StateError> {
        self.writer.flush().await
    }

    /// The account of queries after the one of number `after`, in order, at most `limit` rows.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn queries(&self, after: i64, limit: u32) -> Result<Vec<QueryRow>, StateError> {
        let failed = failed("read the account of queries");
        let rows = sqlx::query(
            "SELECT so, ten, vai_tro, cua, bang, cot, bat_dau, ket_qua, so_dong, so_byte, \
             thoi_gian_ms FROM truy_van WHERE so > $1 ORDER BY so LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter().map(|row| query_row(row).map_err(&failed)).collect()
    }
}

fn query_row(row: &AnyRow) -> Result<QueryRow, sqlx::Error> {
    let names = |at: usize| -> Result<Vec<String>, sqlx::Error> {
        serde_json::from_str(row.try_get(at)?).map_err(|error| sqlx::Error::Decode(error.into()))
    };
    Ok(QueryRow {
        id: row.try_get(0)?,
        principal: row.try_get(1)?,
        role: row.try_get(2)?,
        via: row.try_get(3)?,
        tables: names(4)?,
        columns: names(5)?,
        started_at: from_micros(row.try_get(6)?),
        outcome: row.try_get(7)?,
        rows: row.try_get(8)?,
        bytes: row.try_get(9)?,
        duration_ms: row.try_get(10)?,
    })
}
