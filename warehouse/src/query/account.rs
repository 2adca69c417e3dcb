//! The account of every query: who asked, through which door, what was read, how it ended. Never
//! what was asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::running::{Running, Stop};
use super::{Door, ErrorKind, QueryError};

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
    ended: bool,
}

impl Door {
    /// Begins the account of a query. Where it cannot be written, the query must not answer.
    pub(super) async fn account(
        &self,
        _read: Accounted,
        running: &Arc<Running>,
    ) -> Result<Account, QueryError> {
        Ok(Account {
            principal: self.who().name.clone(),
            via: self.via().as_str(),
            running: Arc::clone(running),
            began: Instant::now(),
            ended: false,
        })
    }
}

impl Account {
    /// The query is over.
    pub(super) fn end(&mut self, error: Option<&QueryError>) {
        self.ended = true;
        let outcome = outcome(error.map(QueryError::kind), self.running.why());
        tracing::info!(
            principal = %self.principal,
            via = self.via,
            outcome,
            rows = self.running.rows.load(Ordering::Relaxed),
            bytes = self.running.bytes.load(Ordering::Relaxed),
            duration_ms = self.began.elapsed().as_millis() as u64,
            "query"
        );
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
