//! The account of every query: who asked, through which door, what was read, how it ended. Never
//! what was asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use chrono::Utc;

use super::running::{Running, Stop};
use super::{Door, ErrorKind, QueryError};
use crate::state::{Ended, NewQuery, QueryId, State};

/// What a query reads.
pub(super) struct Accounted {
    pub(super) tables: BTreeSet<String>,
    /// `schema.table.column`.
    pub(super) columns: BTreeSet<String>,
}

/// The account of one query, begun before its first row leaves. However the query ends, its account
/// ends with it.
pub(super) struct Account {
    principal: String,
    via: &'static str,
    running: Arc<Running>,
    began: Instant,
    /// Where it is kept, under which number.
    kept: Option<(State, QueryId)>,
    ended: bool,
}

impl Door {
    /// Begins the account of a query. Where it cannot be written, the query must not answer.
    pub(super) async fn account(
        &self,
        read: Accounted,
        running: &Arc<Running>,
    ) -> Result<Account, QueryError> {
        let began = Instant::now();
        let kept = match self.state() {
            Some(state) => Some((state.clone(), self.write(state, read).await?)),
            None => None,
        };
        let (principal, via) = (self.who().name.clone(), self.via().as_str());
        let running = Arc::clone(running);
        Ok(Account { principal, via, running, began, kept, ended: false })
    }

    async fn write(&self, state: &State, read: Accounted) -> Result<QueryId, QueryError> {
        let entry = NewQuery {
            principal: self.who().name.clone(),
            role: self.who().role.as_str().to_owned(),
            via: self.via().as_str(),
            tables: read.tables.into_iter().collect(),
            columns: read.columns.into_iter().collect(),
            started_at: Utc::now(),
        };
        let begun = state.begin(entry).await;
        begun
            .inspect_err(|error| tracing::error!(%error, "a query could not be accounted for"))
            .map_err(|_| QueryError::unaccounted())
    }
}

impl Account {
    /// The query is over.
    pub(super) fn end(&mut self, error: Option<&QueryError>) {
        self.ended = true;
        let outcome = outcome(error.map(QueryError::kind), self.running.why());
        let rows = self.running.rows.load(Ordering::Relaxed);
        let bytes = self.running.bytes.load(Ordering::Relaxed);
        let duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (principal, via) = (&self.principal, self.via);
        tracing::info!(%principal, via, outcome, rows, bytes, duration_ms, "query");
        if let Some((state, id)) = &self.kept {
            state.end(*id, Ended { outcome, rows, bytes, duration_ms });
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if !self.ended {
            self.running.stop(Stop::Cancelled);
            self.end(Some(&QueryError::cancelled()));
        }
    }
}

/// The word of how a query ended.
fn outcome(error: Option<ErrorKind>, why: Option<Stop>) -> &'static str {
    match (error, why) {
        (None, _) => "xong",
        (_, Some(Stop::Enough)) => "du",
        (Some(ErrorKind::Cancelled | ErrorKind::ShuttingDown), _) => "bi_huy",
        (Some(ErrorKind::Timeout), _) => "qua_gio",
        (Some(ErrorKind::TooLarge | ErrorKind::TooComplex | ErrorKind::Busy), _) => "qua_lon",
        (Some(_), _) => "loi",
    }
}
