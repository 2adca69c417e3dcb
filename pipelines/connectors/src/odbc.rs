//! Rows of whatever a driver of ODBC reaches: SQL Server, Oracle, DB2, Sybase, Informix, …
//!
//! One connection lives as long as the source, with autocommit off, on a thread of its own. Of
//! PostgreSQL, MySQL, MariaDB and Oracle all tables are seen at one instant. ODBC has no way of
//! asking for that which holds for every server: of the others each table is seen as it is while it
//! is read, and [`OdbcSource::has_one_instant`] says so. A table is read at a time; who opens a
//! second one waits until the first one's rows have been read or let go.
//!
//! Whole numbers, floating numbers, bits, days and times without a zone stay typed (to the
//! microsecond); exact decimals, times of day and everything else that is text come as text, which
//! is fetched as UTF-16 because that alone does not depend on the locale. Bytes are refused. A text
//! that is longer than the bound is an error, never cut. What an instant with a zone becomes, ODBC
//! leaves to the driver: a view should show it in the time of Viet Nam, without a zone.
//!
//! Some drivers keep the whole answer in memory unless told otherwise in the connection string:
//! `UseDeclareFetch=1` of PostgreSQL, `NO_CACHE=1;FORWARDONLY=1` of MySQL and MariaDB. That of
//! PostgreSQL also ends the transaction at some failures, which loses the instant (then the source
//! refuses to go on), unless `Protocol=7.4-0` leaves it to us; `BoolsAsChar=0` keeps its truth values.
//!
//! Settings of a table: `where`, a condition in SQL that the contract's author answers for;
//! `order`, what stands behind `ORDER BY`; `quote`, the character that quotes names (`"`, `` ` `` or
//! `[`), where the driver does not tell the right one; `span_type`, the form of the span's column
//! (`timestamp`, `date` or `text12`: digits `yyyymmddHHMM`, or 8 or 14 of them); `max_text`, how long
//! an unbounded text may be in UTF-16 units (65536). A place is `relation`, `schema.relation` or
//! `catalog.schema.relation`.

mod faults;
mod fill;
mod instant;
mod kinds;
mod marks;
mod reading;
mod session;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use tokio::sync::{mpsc, oneshot};

use self::faults::Peer;
pub use self::fill::fill;
use self::reading::Told;
use self::session::Job;
use crate::{RawStream, Request, Secret, SecretPlace, Snapshot, Source, SourceError};

/// How long a driver may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// A server, and as whom we come.
#[derive(Debug, Clone)]
pub struct DataSource {
    /// `DRIVER={…};SERVER=…;PORT=…;DATABASE=…` or `DSN=…`, without user and password.
    pub connection: String,
    /// A user who may read, and only what the contracts name; `None` where the driver knows.
    pub user: Option<String>,
    /// Where the user's password is; `None` when the user has none.
    pub password: Option<SecretPlace>,
    /// What errors call the server.
    pub label: String,
}

/// A server as it is seen by one connection.
#[derive(Debug)]
pub struct OdbcSource {
    peer: Arc<Peer>,
    jobs: mpsc::Sender<Job>,
    one_instant: bool,
}

impl OdbcSource {
    /// Connects, and holds on to this instant where the server can.
    ///
    /// # Errors
    /// When the driver is not installed, the server does not answer or does not let us in, or the
    /// connection string holds a user or a password.
    pub async fn connect(source: &DataSource) -> Result<Self, SourceError> {
        let peer = Arc::new(Peer { label: source.label.clone() });
        let connection = connection_string(source).await?;
        let (jobs, asked) = mpsc::channel(1);
        let (ready, told) = oneshot::channel();
        let own = Arc::clone(&peer);
        std::thread::Builder::new()
            .name("odbc".to_owned())
            .spawn(move || session::serve(&own, &connection, asked, ready))
            .map_err(|_| peer.server("is not asked", "this machine gives no thread"))?;
        let told = tokio::time::timeout(CONNECT_TIMEOUT, told).await;
        let told = told.map_err(|_| peer.server("does not answer", faults::LOOK))?;
        let one_instant = told.map_err(|_| peer.lost())??;
        if !one_instant {
            tracing::warn!(server = peer.label, "tables are seen as they are while they are read");
        }
        Ok(Self { peer, jobs, one_instant })
    }

    /// Whether all tables are seen as they were at one instant.
    pub fn has_one_instant(&self) -> bool {
        self.one_instant
    }

    async fn ask<T>(
        &self,
        job: Job,
        told: oneshot::Receiver<Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        self.jobs.send(job).await.map_err(|_| self.peer.lost())?;
        told.await.map_err(|_| self.peer.lost())?
    }
}

#[async_trait]
impl Source for OdbcSource {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let (reply, told) = oneshot::channel();
        let (rows, receiver) = mpsc::channel(2);
        let simulated = self.ask(Job::Open(request.clone(), reply, rows), told).await?;
        let rows = stream(receiver, self.peer.broken());
        Ok(Some(Snapshot { rows, known: None, simulated }))
    }

    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let (reply, told) = oneshot::channel();
        self.ask(Job::Examine(request.clone(), reply), told).await.map(|_| true)
    }
}

/// The batches until the sign of their end; a thread that is lost is no end.
fn stream(receiver: mpsc::Receiver<Told>, lost: SourceError) -> RawStream {
    futures::stream::unfold(Some((receiver, lost)), |state| async {
        let (mut receiver, lost) = state?;
        match receiver.recv().await {
            Some(Ok(Some(batch))) => Some((Ok(batch), Some((receiver, lost)))),
            Some(Ok(None)) => None,
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((Err(lost), None)),
        }
    })
    .boxed()
}

/// The connection string with user and password.
async fn connection_string(source: &DataSource) -> Result<Secret, SourceError> {
    let keys = source.connection.split(';').filter_map(|part| part.split_once('='));
    let is_login = |key: &str| ["uid", "user", "username", "pwd", "password"].contains(&key);
    if keys.into_iter().any(|(key, _)| is_login(key.trim().to_ascii_lowercase().as_str())) {
        return Err(SourceError::Setting {
            place: source.label.clone(),
            setting: "connection".to_owned(),
            what: "holds a user or a password; name them in `user` and `password`".to_owned(),
        });
    }
    let mut text = source.connection.trim_end_matches(';').to_owned();
    if let Some(user) = &source.user {
        text += &format!(";UID={}", braced(user));
    }
    if let Some(password) = &source.password {
        text += &format!(";PWD={}", braced(password.fetch().await?.reveal()));
    }
    Ok(Secret::new(text))
}

/// A value in braces, so that nothing in it can begin another attribute.
fn braced(value: &str) -> String {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return value.to_owned();
    }
    format!("{{{}}}", value.replace('}', "}}"))
}
