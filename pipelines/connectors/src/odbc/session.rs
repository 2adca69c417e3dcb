//! The thread that holds the connection. Drivers block, and a connection must not be used by two at
//! once: all that is asked of it goes through here, one after the other.

use std::collections::BTreeSet;

use arrow_odbc::odbc_api::handles::{SqlResult, StatementImpl};
use arrow_odbc::odbc_api::{
    Connection, ConnectionOptions, CursorImpl, Error as DriverError, environment,
};
use tokio::sync::{mpsc, oneshot};

use super::faults::{Answer, Peer};
use super::instant::{Held, hold};
use super::kinds::{Columns, Unfit};
use super::marks::marked;
use super::reading::Told;
use super::sql::{self, Quote, Relation};
use crate::{Request, Secret, SourceError};

/// Where the answer to a job goes: whether a simulation made the relation.
pub(super) type Reply = oneshot::Sender<Result<bool, SourceError>>;

/// What is asked of the connection.
pub(super) enum Job {
    /// The rows of a table. The reply comes once the server has taken the statement.
    Open(Request, Reply, mpsc::Sender<Told>),
    /// Whether that would work.
    Examine(Request, Reply),
}

/// What the server answers with.
pub(super) type Answered<'c> = CursorImpl<StatementImpl<'c>>;

/// Connects, says whether tables are seen at one instant, and does what is asked until nobody asks
/// any more or the connection is lost.
pub(super) fn serve(
    peer: &Peer,
    connection: &Secret,
    mut jobs: mpsc::Receiver<Job>,
    ready: oneshot::Sender<Result<bool, SourceError>>,
) {
    let session = match Session::begin(peer, connection) {
        Ok(session) => session,
        Err(error) => {
            // Who waits no longer does not miss it.
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(session.held.is_some())).is_ok() {
        while let Some(job) = jobs.blocking_recv() {
            let is_over = match job {
                Job::Examine(request, reply) => {
                    let done = session.examine(&request);
                    let failed = done.is_err();
                    let _ = reply.send(done);
                    failed && session.is_lost()
                }
                Job::Open(request, reply, rows) => session.open(&request, reply, &rows),
            };
            if is_over {
                break;
            }
        }
    }
    session.end();
}

pub(super) struct Session<'p> {
    pub(super) peer: &'p Peer,
    pub(super) connection: Connection<'static>,
    quote: Option<char>,
    held: Option<Held>,
    /// What a simulation made.
    marked: BTreeSet<String>,
}
impl<'p> Session<'p> {
    fn begin(peer: &'p Peer, text: &Secret) -> Result<Self, SourceError> {
        let environment = environment()
            .map_err(|_| peer.server("is not reached", "install the driver manager unixODBC"))?;
        let options = ConnectionOptions::default();
        let connection = environment.connect_with_connection_string(text.reveal(), options);
        let connection = connection.map_err(|error| peer.not_entered(&error))?;
        let begun = marked(&connection).and_then(|marked| Ok((marked, hold(&connection)?)));
        let (marked, held) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                leave(connection);
                return Err(peer.not_entered(&error));
            }
        };
        let quote = connection.identifier_quote_char().ok().flatten();
        Ok(Self { peer, connection, quote, held, marked })
    }

    /// Whether the connection, or the instant that it held, is gone.
    pub(super) fn is_lost(&self) -> bool {
        if self.connection.is_dead().unwrap_or(true) {
            return true;
        }
        self.held.as_ref().is_some_and(|held| !held.is_held(&self.connection))
    }

    /// Asks the server. A failure leaves the transaction usable, where the driver lets it.
    fn ask(&self, sql: &str) -> Result<Option<Answered<'_>>, DriverError> {
        let answer = self.connection.execute(sql, (), None);
        if answer.is_err() {
            self.go_back();
        }
        answer
    }

    pub(super) fn go_back(&self) {
        if let Some(back) = self.held.as_ref().and_then(|held| held.instant.back) {
            // If that fails, the mark tells.
            let _ = self.connection.execute(back, (), None);
        }
    }

    /// Whether a simulation made the relation.
    pub(super) fn is_marked(&self, relation: &Relation) -> bool {
        self.marked.contains(&relation.shown)
    }

    /// Rolls back, for nothing was written, and lets go.
    fn end(self) {
        leave(self.connection);
    }

    fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let (relation, quote, _) = self.plan(request)?;
        let sql = sql::rows(request, &relation, quote, true)?;
        self.execute(&relation, &sql).map(|_| self.is_marked(&relation))
    }

    /// What the statement will be made of, once the server has shown that it has the columns.
    pub(super) fn plan(
        &self,
        request: &Request,
    ) -> Result<(Relation, Quote, Columns), SourceError> {
        let relation = Relation::parse(request)?;
        if request.columns.is_empty() {
            return Err(self.peer.refused(&relation, "no column is asked for", "name one"));
        }
        let quote = Quote::of(request, self.quote)?;
        let names: Vec<&str> = request.columns.iter().map(String::as_str).collect();
        let sql = sql::columns(request, &relation, quote, &names)?;
        let mut answer = match self.ask(&sql) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Err(self.no_columns(&relation)),
            Err(error) => return Err(self.which(request, &relation, quote, &error)),
        };
        let columns = Columns::of(&mut answer, &request.columns);
        let columns = columns.map_err(|unfit| self.unfit(&relation, unfit))?;
        if let Some(span) = &request.span {
            let sql = sql::columns(request, &relation, quote, &[span.column.as_str()])?;
            if let Err(error) = self.ask(&sql) {
                return Err(self.of_column(&relation, &span.column, &error));
            }
        }
        Ok((relation, quote, columns))
    }

    pub(super) fn execute(
        &self,
        relation: &Relation,
        sql: &str,
    ) -> Result<Answered<'_>, SourceError> {
        match self.ask(sql) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(self.no_columns(relation)),
            Err(error) => Err(self.peer.fault(relation, &error)),
        }
    }

    /// The column for which the statement failed: drivers tell it only in words of their own.
    fn which(
        &self,
        request: &Request,
        relation: &Relation,
        quote: Quote,
        error: &DriverError,
    ) -> SourceError {
        let whole = self.peer.fault(relation, error);
        if matches!(Answer::of(error), Answer::NoRelation | Answer::Broken | Answer::Stopped) {
            return whole;
        }
        let mut failed = Vec::new();
        for name in &request.columns {
            let Ok(sql) = sql::columns(request, relation, quote, &[name.as_str()]) else {
                return whole;
            };
            if let Err(error) = self.ask(&sql) {
                failed.push((name, error));
            }
        }
        match failed.first() {
            // When all fail alike, it is the relation.
            Some((name, error))
                if failed.len() < request.columns.len()
                    || Answer::of(error) == Answer::NoColumn =>
            {
                self.of_column(relation, name, error)
            }
            _ => whole,
        }
    }

    fn of_column(&self, relation: &Relation, column: &str, error: &DriverError) -> SourceError {
        let (state, _) = super::faults::state(error);
        match Answer::of(error) {
            Answer::NoColumn => {
                let (place, column) = (relation.shown.clone(), column.to_owned());
                SourceError::MissingColumn { place, column }
            }
            Answer::NoRight => self.peer.refused(
                relation,
                format_args!("no right to read the column `{column}` (SQLSTATE {state})"),
                format_args!(
                    "GRANT SELECT ({column}) ON {} TO the user of the warehouse",
                    relation.shown
                ),
            ),
            _ => self.peer.fault(relation, error),
        }
    }

    fn no_columns(&self, relation: &Relation) -> SourceError {
        self.peer.refused(relation, "the driver answers without columns", "try a newer driver")
    }

    fn unfit(&self, relation: &Relation, unfit: Unfit) -> SourceError {
        match unfit {
            Unfit::Driver(error) => self.peer.fault(relation, &error),
            Unfit::Count => self.no_columns(relation),
            Unfit::Column(column, held) => self.peer.refused(
                relation,
                format_args!("the column `{column}` has the type {held}, which holds no text"),
                "read a view that shows it as text or number",
            ),
        }
    }
}

/// Rolls back and disconnects. A handle that the driver does not let go stays: to free it would be
/// an error of which nobody learns.
pub(super) fn leave(connection: Connection<'static>) {
    let _ = connection.rollback();
    let mut handle = connection.into_handle();
    match handle.disconnect() {
        SqlResult::Success(()) | SqlResult::SuccessWithInfo(()) => drop(handle),
        _ => std::mem::forget(handle),
    }
}
