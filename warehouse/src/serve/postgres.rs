//! PostgreSQL's wire protocol: psql, DBeaver, psycopg, JDBC, Power BI.
//!
//! A connection logs in with SCRAM-SHA-256 and asks at the door of its principal. Nothing is
//! planned or run here: messages are taken apart and put together, and what a connection may say of
//! itself (`SET`, transactions, cursors) is answered without reaching the engine or another
//! connection.
//!
//! What a stranger can use is bounded before a byte of theirs is kept: connections, half-open ones,
//! the length of a frame, the time until the log-in. TLS is refused: whoever wants it puts a proxy
//! in front.

mod cancel;
mod command;
mod connection;
mod crowd;
mod extended;
mod fault;
mod frames;
mod incoming;
mod login;
mod messages;
mod obey;
mod outgoing;
mod parameters;
mod portal;
mod quirks;
mod rows;
mod settings;
mod speaker;
mod startup;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::cancel::Cancels;
use self::crowd::Crowd;
use super::served::Served;

/// What connections may use.
#[derive(Debug, Clone)]
pub struct WireLimits {
    /// Connections in all, those that are not logged in among them.
    pub connections: usize,
    /// Connections that have not logged in. Beyond these, the one that has stood longest at the
    /// address with most of them makes room for the next.
    pub half_open: usize,
    /// Connections of one address that have not logged in. Beyond these, the one that has stood
    /// longest makes room for the next.
    pub per_address: usize,
    /// Connections of one principal.
    pub per_principal: usize,
    /// How long a log-in may take, from the first byte.
    pub log_in: Duration,
    /// How long a connection may be idle.
    pub idle: Duration,
    /// How long it may be idle while a transaction is open.
    pub idle_in_transaction: Duration,
    /// How long a client may let rows wait without taking a byte.
    pub patience: Duration,
    /// Bytes of one message with SQL in it.
    pub statement_bytes: usize,
    /// Bytes of one message with parameters in it.
    pub bind_bytes: usize,
    /// Prepared statements of one connection.
    pub statements: usize,
    /// Portals and cursors of one connection.
    pub portals: usize,
    /// Bytes that the named statements, portals and cursors of one connection may keep, plans and
    /// parameters by estimate.
    pub kept_bytes: usize,
}

impl Default for WireLimits {
    fn default() -> Self {
        Self {
            connections: 300,
            half_open: 256,
            per_address: 200,
            per_principal: 64,
            log_in: Duration::from_secs(10),
            idle: Duration::from_mins(30),
            idle_in_transaction: Duration::from_mins(5),
            patience: Duration::from_mins(1),
            statement_bytes: 1 << 20,
            bind_bytes: 4 << 20,
            statements: 1_000,
            portals: 1_000,
            kept_bytes: 16 << 20,
        }
    }
}

/// What all connections share.
struct Shared {
    served: Served,
    limits: WireLimits,
    crowd: Arc<Crowd>,
    cancels: Arc<Cancels>,
    /// The server is shutting down.
    stop: CancellationToken,
}

/// How long accepting pauses when the system has no connection to give.
const BREATH: Duration = Duration::from_millis(50);

/// Serves connections until `stop` is cancelled; then each is told, and running queries are
/// dropped. Returns when all connections are gone.
pub async fn serve(
    served: Served,
    limits: WireLimits,
    listener: TcpListener,
    stop: CancellationToken,
) {
    let shared = Arc::new(Shared {
        served,
        crowd: Arc::new(Crowd::new(&limits)),
        cancels: Arc::default(),
        limits,
        stop,
    });
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection::serve(Arc::clone(&shared), stream, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

#[cfg(test)]
mod tests;
