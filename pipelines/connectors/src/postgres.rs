//! Tables and views of a PostgreSQL server, all seen at one instant.
//!
//! A [`PostgresSource`] holds a leading connection whose read-only transaction names a snapshot.
//! Each table is read by connections of its own that take up that snapshot, with
//! `COPY (SELECT …) TO STDOUT (FORMAT binary)`: rows come in the server's own binary form and go
//! straight into Arrow columns, with their types kept.
//!
//! | of PostgreSQL | of Arrow |
//! |---|---|
//! | `int2`, `int4`, `int8`, `oid` | `Int64` |
//! | `float4`, `float8` | `Float64` |
//! | `numeric` | `Utf8`: the exact digits without idle zeros, so that equal numbers are equal text |
//! | `bool` | `Boolean` |
//! | `date` | `Date32` |
//! | `timestamp` | `Timestamp(Microsecond, None)` |
//! | `timestamptz` | `Timestamp(Microsecond, "UTC")` |
//! | `text`, `varchar`, `char(n)` without its padding, `name`, `"char"`, `citext`, `xml`, `json`, `jsonb`, enums, `uuid`, `time` | `Utf8` |
//!
//! A domain is what it is based on. Any other type is refused, and so is a row with an infinite
//! date or timestamp: neither has a place in the lake, and a view can say what stands for it.
//!
//! A request's place is `schema.relation`, its columns those of the relation; names are exact, as
//! the catalogue has them. Settings:
//!
//! | setting | what it does |
//! |---|---|
//! | `where` | a condition in SQL that rows must meet; it is trusted, as the contract is |
//! | `order` | columns, separated by commas, by which the server orders the rows |
//! | `split` | a column of whole numbers, dates or timestamps, by whose ranges several connections read side by side; it should have an index |
//!
//! The order of rows follows from the data and the server's plan: no connection joins another's
//! scan, and none uses parallel workers. With `split`, batches of the ranges take turns. Without it
//! there is one connection.
//!
//! A span is compared by the column's own type: an instant with its zone at +07, a date as the
//! beginning of its day, text as the digits `yyyymmdd`, `yyyymmddHHMM` or `yyyymmddHHMMSS` in the
//! order of their bytes (an index helps there only with `COLLATE "C"`).
//!
//! What a table's name stands for may be replaced while the snapshot is held: `TRUNCATE`, a refresh
//! of a materialised view or a rewriting `ALTER TABLE` leave nothing, or later rows, behind for it.
//! Such a table is refused as changed. Rows that a policy of the server hides are not there, and
//! those of a foreign table are what its own server gives at the time.

mod columns;
mod connection;
mod copy;
mod faults;
mod fill;
mod kinds;
mod numeric;
mod plan;
mod reading;
mod relation;
mod span;
mod split;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use futures::future::try_join_all;

use self::connection::{Access, Link};
pub use self::fill::fill;
use self::plan::Plan;
use crate::{Request, SecretPlace, Snapshot, Source, SourceError};

/// Where a server is, and how it lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name or address; with TLS, the name that its certificate is for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user, who needs nothing but the right to read what is asked for.
    pub user: String,
    /// Where the user's password is, where the server wants one.
    pub password: Option<SecretPlace>,
    /// Whether the connection is encrypted.
    pub tls: Tls,
    /// How many connections may read one table side by side, from 1 to 32.
    pub connections: usize,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// They are not.
    Off,
    /// They are, and the server's certificate is verified; there is no fall-back to plain text.
    On {
        /// PEM certificates of those who may vouch for the server; without it, those whom this
        /// machine trusts.
        ca_file: Option<PathBuf>,
    },
}

/// The tables of one database at the instant at which it was connected to. It lasts as long as
/// tables are opened: the server keeps old rows for it.
pub struct PostgresSource {
    access: Access,
    leader: Link,
    snapshot: String,
}

impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSource")
            .field("server", &self.access.server)
            .finish_non_exhaustive()
    }
}

impl PostgresSource {
    /// Connects, and fixes the instant at which all tables are seen.
    ///
    /// # Errors
    /// When the secret is not to be had, the server cannot be reached or trusted, or lets us not in.
    pub async fn connect(server: &Server) -> Result<Self, SourceError> {
        Self::through(Access::new(server).await?).await
    }

    async fn through(access: Access) -> Result<Self, SourceError> {
        let (leader, snapshot) = access.lead().await?;
        Ok(Self { access, leader, snapshot })
    }

    /// A connection that sees what the leading one sees.
    async fn follow(&self) -> Result<Link, SourceError> {
        if self.leader.is_closed() {
            return Err(faults::instant_lost(&self.access.server));
        }
        self.access.follow(&self.snapshot).await
    }

    /// Asks the server for everything but the rows, and whether a simulation made these.
    async fn plan(&self, request: &Request) -> Result<(Link, Plan, bool), SourceError> {
        let wish = plan::Wish::new(request)?;
        let mut link = self.follow().await?;
        let relation = relation::look(&mut link, &request.place).await?;
        let plan = Plan::new(wish, &relation)?;
        reading::probe(&mut link, &plan).await?;
        Ok((link, plan, relation.is_simulated))
    }
}

#[async_trait]
impl Source for PostgresSource {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let (mut first, plan, simulated) = self.plan(request).await?;
        let ranges = split::ranges(&mut first, &plan, self.access.connections).await?;
        let mut links = vec![first];
        let others = (1..ranges.len()).map(|_| async {
            let mut link = self.follow().await?;
            reading::probe(&mut link, &plan).await?;
            Ok::<_, SourceError>(link)
        });
        links.extend(try_join_all(others).await?);
        let mut parts = Vec::with_capacity(ranges.len());
        for (at, (link, range)) in links.into_iter().zip(&ranges).enumerate() {
            let number = (ranges.len() > 1).then_some(at + 1);
            parts.push(reading::start(link, &plan, range.as_deref(), number));
        }
        Ok(Some(Snapshot { rows: reading::in_turn(parts, &plan), known: None, simulated }))
    }

    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        self.plan(request).await.map(|_| true)
    }
}
