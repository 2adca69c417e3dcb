//! Rows of a MariaDB or MySQL server.
//!
//! One transaction lives as long as the source: it reads repeatably and only reads, so that all
//! tables are seen as they were at the instant of [`MariaDbSource::connect`]. This holds for tables
//! of InnoDB; the server itself shows tables of other engines (MyISAM, Aria) as they are when they
//! are read. The tables are read one at a time: who opens a second one waits until the first one's
//! rows have been read or let go.
//!
//! Settings of a table: `where`, a condition in SQL that the contract's author answers for, and
//! `order`, what stands behind `ORDER BY`. A place is `relation` or `database.relation`.
//!
//! Numbers, days and instants stay typed; `DECIMAL` and `BIGINT UNSIGNED` come as exact text, for no
//! type here holds all of them; `FLOAT` is the double of the number that is stored. A day that is
//! zero or has a part that is zero is refused, and so are columns that hold bytes or shapes. If the
//! connection breaks, the instant is gone: the source then refuses rather than show another one.

mod faults;
mod fill;
mod kinds;
mod reading;
mod rows;
mod sql;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::faults::Peer;
pub use self::fill::fill;
use self::reading::Plan;
use self::sql::Relation;
pub(crate) use self::sql::digits;
use crate::{Request, SecretPlace, Snapshot, Source, SourceError};

/// How long a server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// What every session starts with, so that nothing depends on how the server is set. A night's
/// reading is long, and between two tables the connection may rest.
const SESSION: [&str; 3] = [
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     net_write_timeout = 3600, wait_timeout = 86400",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
];

/// A server, and as whom we come.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port, mostly 3306.
    pub port: u16,
    /// The database whose relations are meant where a place names none.
    pub database: String,
    /// A user who may read, and only what the contracts name.
    pub user: String,
    /// Where the user's password is; `None` when the user has none.
    pub password: Option<SecretPlace>,
    /// Whether what is sent is encrypted.
    pub tls: Tls,
}

/// Whether what is sent is encrypted. There is no way in between that tries and then goes on in
/// the open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for a server on the same machine, or behind a tunnel.
    Off,
    /// Always, with the server's certificate and name checked.
    On {
        /// Certificates (PEM) of authorities that are trusted beside those of the machine.
        ca_file: Option<PathBuf>,
    },
}

/// A server as it was when we connected.
pub struct MariaDbSource {
    peer: Arc<Peer>,
    connection: Arc<Mutex<Option<MySqlConnection>>>,
}

impl MariaDbSource {
    /// Connects, and holds on to this instant.
    ///
    /// # Errors
    /// When the server is not known, does not answer, does not let us in, or cannot show that it is
    /// the server that is meant.
    pub async fn connect(server: &Server) -> Result<Self, SourceError> {
        let mut peer = Peer {
            label: format!("{}:{}", server.host, server.port),
            database: server.database.clone(),
            options: options(server).await?,
            id: 0,
        };
        let known = tokio::net::lookup_host((server.host.as_str(), server.port)).await;
        if known.map_or(true, |mut addresses| addresses.next().is_none()) {
            return Err(peer.server("is not known by that name", "correct the host"));
        }
        let entered = tokio::time::timeout(CONNECT_TIMEOUT, enter(&peer.options)).await;
        let entered = entered.map_err(|_| peer.silent())?;
        let (id, connection) = entered.map_err(|error| peer.not_entered(&error))?;
        peer.id = id;
        Ok(Self { peer: Arc::new(peer), connection: Arc::new(Mutex::new(Some(connection))) })
    }

    /// The connection, once no other table is being read. It is taken out: where it is not put
    /// back, because the work was broken off, nobody can go on in the middle of an answer.
    async fn lend(&self) -> Result<(Lent, MySqlConnection), SourceError> {
        let mut place = Arc::clone(&self.connection).lock_owned().await;
        let Some(connection) = place.take() else {
            return Err(self.peer.server(
                "is no longer connected: an earlier read broke off, and with it went the instant \
                 at which the tables are seen",
                "connect again and read all its tables again",
            ));
        };
        Ok((place, connection))
    }

    async fn plan(&self, request: &Request) -> Result<(Lent, MySqlConnection, Plan), SourceError> {
        let relation = Relation::parse(&request.place, &self.peer.database)?;
        let (mut place, mut connection) = self.lend().await?;
        match Plan::make(&self.peer, &mut connection, request, &relation).await {
            Ok(plan) => Ok((place, connection, plan)),
            Err(fault) => {
                *place = fault.usable.then_some(connection);
                Err(fault.error)
            }
        }
    }
}

/// Where the connection is put back.
type Lent = OwnedMutexGuard<Option<MySqlConnection>>;

#[async_trait]
impl Source for MariaDbSource {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let (place, connection, plan) = self.plan(request).await?;
        let simulated = plan.is_simulated;
        let rows = reading::rows(Arc::clone(&self.peer), place, connection, plan);
        Ok(Some(Snapshot { rows, known: None, simulated }))
    }

    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let (mut place, connection, _) = self.plan(request).await?;
        *place = Some(connection);
        Ok(true)
    }
}

impl std::fmt::Debug for MariaDbSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MariaDbSource").field("server", &self.peer.label).finish_non_exhaustive()
    }
}

async fn options(server: &Server) -> Result<MySqlConnectOptions, SourceError> {
    let mut options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .database(&server.database)
        .charset("utf8mb4")
        .timezone(Some("+07:00".to_owned()))
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .statement_cache_capacity(0)
        // A statement may hold the values of a condition.
        .disable_statement_logging();
    if let Some(password) = &server.password {
        options = options.password(password.fetch().await?.reveal());
    }
    options = match &server.tls {
        Tls::Off => options.ssl_mode(MySqlSslMode::Disabled),
        Tls::On { .. } => options.ssl_mode(MySqlSslMode::VerifyIdentity),
    };
    if let Tls::On { ca_file: Some(path) } = &server.tls {
        let read = |source| SourceError::Read { place: path.display().to_string(), source };
        options = options.ssl_ca_from_pem(std::fs::read(path).map_err(read)?);
    }
    Ok(options)
}

/// A session in its transaction, and the number by which the server knows it.
async fn enter(options: &MySqlConnectOptions) -> Result<(u64, MySqlConnection), sqlx::Error> {
    let mut connection = options.connect().await?;
    for statement in SESSION {
        connection.execute(statement).await?;
    }
    let id = sqlx::query_scalar("SELECT CAST(CONNECTION_ID() AS UNSIGNED)");
    let id: u64 = id.fetch_one(&mut connection).await?;
    Ok((id, connection))
}
