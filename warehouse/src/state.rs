//! The state room: what the product remembers of its own running, apart from the lake. Accounts,
//! web sessions, failed log-ins, and the account of every query.
//!
//! An SQLite file by default, a PostgreSQL database by address: one set of statements for both,
//! so they hold texts and whole numbers only. Several processes may share it (`khoyte sql` beside
//! `khoyte serve`). What is written is on the disk before a call returns, except how a query ended,
//! which follows.
//!
//! It holds no row of the lake, no text or literal of a query, no password and no token: secrets
//! are kept in the form that checks them. Errors carry no address and no value
//! ([`StateError`]).

mod accounts;
mod error;
mod journal;
mod lockout;
mod place;
mod queries;
mod room;
mod run;
mod sessions;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use chrono::{DateTime, Utc};
use sqlx::{Any, AnyPool, Connection, Transaction};

pub use self::accounts::Account;
pub use self::error::{Cause, StateError};
pub use self::place::Place;
pub use self::queries::{Ended, INTERRUPTED, NewQuery, QueryId, QueryRow};

use self::error::failed;
use self::journal::Journal;
use self::run::Run;
use self::writer::Writer;

/// The open state room; cheap to clone.
#[derive(Clone)]
pub struct State {
    pool: AnyPool,
    writer: Arc<Writer>,
    /// How a transaction that writes begins.
    begin: &'static str,
    /// Failed log-ins since the start, to clean up now and then.
    failures: Arc<AtomicU32>,
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    /// Opens the state at `place`, made or brought up to date where it is not, and marks queries
    /// that killed runs left unfinished. The account of queries is written by a task of the
    /// current runtime, which must outlive the use of this.
    ///
    /// # Errors
    /// When the place cannot be reached or used, or a newer version has changed its tables.
    pub async fn open(place: &Place) -> Result<Self, StateError> {
        sqlx::any::install_default_drivers();
        let place = place.clone().furnish()?;
        let options = place.options()?;
        let alone = room::opening(&place).await?;
        let connected = room::connect(&options).await;
        let mut connection = connected.map_err(|error| StateError::Open {
            place: place.to_string(),
            cause: (&error).into(),
        })?;
        room::migrate(&mut connection, &place).await?;
        let begin = room::begin(&connection);
        let run = Run::begin(place.file())?;
        run::sweep(&mut connection, place.file(), run.id).await?;
        let file = place.file().map(std::path::Path::to_owned);
        let journal = Journal::new(options.clone(), connection, run, file).await?;
        drop(alone);
        let state = Self {
            pool: room::pool(options),
            writer: Arc::new(Writer::start(journal)),
            begin,
            failures: Arc::default(),
            clock: Arc::new(Utc::now),
        };
        Ok(state)
    }

    /// Looks whether the place can be reached, and changes nothing. `false` where there is no file
    /// yet.
    ///
    /// # Errors
    /// When it cannot be reached, or is no database.
    pub async fn reach(place: &Place) -> Result<bool, StateError> {
        sqlx::any::install_default_drivers();
        let failed = |cause: Cause| StateError::Open { place: place.to_string(), cause };
        let mut absolute = place.clone();
        if let Place::File(path) = &mut absolute {
            *path = std::path::absolute(&*path).map_err(|error| failed((&error).into()))?;
            if !path.try_exists().map_err(|error| failed((&error).into()))? {
                return Ok(false);
            }
        }
        let asked = match &absolute {
            Place::File(_) => "SELECT name FROM sqlite_master LIMIT 1",
            Place::Postgres(_) => "SELECT 'khoyte'",
        };
        let connected = room::connect(&absolute.options()?).await;
        let mut connection = connected.map_err(|error| failed((&error).into()))?;
        let told = sqlx::query(asked).fetch_all(&mut connection).await;
        told.map_err(|error| failed((&error).into()))?;
        connection.close().await.map_err(|error| failed((&error).into()))?;
        Ok(true)
    }

    /// The same room with another clock, for tests of what lapses.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Random bytes made once for this room: what an unknown name is answered with is made of
    /// them, and stays the same over a restart as it does for a known one.
    ///
    /// # Errors
    /// When they cannot be written or read.
    pub(crate) async fn nobody_key(&self) -> Result<String, StateError> {
        let failed = failed("read the key of unknown names");
        sqlx::query(
            "INSERT INTO thiet_lap (ten, gia_tri) VALUES ('khoa_ten_la', $1) \
             ON CONFLICT (ten) DO NOTHING",
        )
        .bind(hex(&room::random::<32>()?))
        .execute(&self.pool)
        .await
        .map_err(&failed)?;
        sqlx::query_scalar("SELECT gia_tri FROM thiet_lap WHERE ten = 'khoa_ten_la'")
            .fetch_one(&self.pool)
            .await
            .map_err(&failed)
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    async fn begin_writing(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.pool.begin_with(self.begin).await
    }
}

fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// An instant out of range, which only a person could have written, is the first of all.
fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
