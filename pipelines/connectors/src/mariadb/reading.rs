//! Reading one table: what is asked of the server, and its rows as they come.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::mysql::{MySqlConnection, MySqlRow, MySqlTypeInfo};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _,
};
use tokio::sync::mpsc;

use super::Lent;
use super::faults::{Answer, Fault, Peer, number};
use super::kinds::Kind;
use super::rows::{BadCell, Rows};
use super::sql::{self, Relation};
use crate::fill::MARK;
use crate::{RawStream, Request, SourceError, Span};

/// How long the server may take to stop what nobody reads any more.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// What is asked of the server, and what it will answer with.
pub(super) struct Plan {
    relation: Relation,
    sql: String,
    columns: Vec<(String, Kind)>,
    types: Vec<MySqlTypeInfo>,
    /// Whether a simulation made the relation.
    pub(super) is_simulated: bool,
}

impl Plan {
    /// Asks the server for the columns' types and whether it would answer; no row is sent.
    pub(super) async fn make(
        peer: &Peer,
        connection: &mut MySqlConnection,
        request: &Request,
        relation: &Relation,
    ) -> Result<Self, Fault> {
        if request.columns.is_empty() {
            return Err(peer.refused(relation, "no column is asked for", "name one").into());
        }
        let span = request.span.as_ref();
        let mut types = types(peer, connection, request, relation).await?;
        let spanned = types.split_off(request.columns.len());
        let mut columns = Vec::with_capacity(types.len());
        for (name, info) in request.columns.iter().zip(&types) {
            let kind = Kind::of(info).ok_or_else(|| bytes(peer, relation, name, info))?;
            if kind == Kind::Bit {
                one_bit(peer, connection, relation, name).await?;
            }
            columns.push((name.clone(), kind));
        }
        let span = match (span, spanned.first()) {
            (Some(span), Some(info)) => {
                Some((span, comparable(peer, connection, relation, span, info).await?))
            }
            _ => None,
        };
        let sql = sql::rows(relation, request, span);
        let prepared = prepare(connection, sql.clone()).await;
        prepared.map_err(|error| peer.fault(relation, &error))?;
        let comment = sql::comment(relation, connection).await;
        let comment = comment.map_err(|error| peer.fault(relation, &error))?.flatten();
        let is_simulated = comment.as_deref() == Some(MARK);
        Ok(Self { relation: relation.clone(), sql, columns, types, is_simulated })
    }
}

/// The types of the columns that are asked for, and of the span's column behind them.
async fn types(
    peer: &Peer,
    connection: &mut MySqlConnection,
    request: &Request,
    relation: &Relation,
) -> Result<Vec<MySqlTypeInfo>, Fault> {
    let span = request.span.iter().map(|span| &span.column);
    let names: Vec<&str> = request.columns.iter().chain(span).map(String::as_str).collect();
    let error = match prepare(connection, sql::columns(relation, names.iter().copied())).await {
        Ok(types) if types.len() == names.len() => return Ok(types),
        Ok(_) => sqlx::Error::Protocol(String::new()),
        Err(error) => error,
    };
    let fault = peer.fault(relation, &error);
    if !matches!(answer(&error), Some(Answer::NoColumn | Answer::NoRightToColumn)) {
        return Err(fault);
    }
    // The server says which column it is in words that are not ours to take apart.
    for name in names {
        let Err(error) = prepare(connection, sql::columns(relation, [name])).await else {
            continue;
        };
        return Err(match answer(&error) {
            Some(Answer::NoColumn) => {
                let (place, column) = (relation.shown.clone(), name.to_owned());
                SourceError::MissingColumn { place, column }.into()
            }
            Some(Answer::NoRightToColumn) => peer.no_right_to(relation, name).into(),
            _ => peer.fault(relation, &error),
        });
    }
    Err(fault)
}

fn answer(error: &sqlx::Error) -> Option<Answer> {
    error.as_database_error().map(|error| Answer::of(number(error)))
}

/// The types of what a statement would give.
async fn prepare(
    connection: &mut MySqlConnection,
    sql: String,
) -> Result<Vec<MySqlTypeInfo>, sqlx::Error> {
    let prepared = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await?;
    Ok(prepared.columns().iter().map(|column| column.type_info().clone()).collect())
}

fn bytes(peer: &Peer, relation: &Relation, column: &str, info: &MySqlTypeInfo) -> SourceError {
    let held = info.name();
    peer.refused(
        relation,
        format_args!("the column `{column}` has the type {held}, which holds no text"),
        "read a view that has HEX(column), CONVERT(column USING utf8mb4) or ST_AsText(column)",
    )
}

/// Refuses a column of several bits: the bits alone do not say what they mean.
async fn one_bit(
    peer: &Peer,
    connection: &mut MySqlConnection,
    relation: &Relation,
    column: &str,
) -> Result<(), Fault> {
    let width = sqlx::query_scalar::<_, Option<u64>>(
        "SELECT CAST(NUMERIC_PRECISION AS UNSIGNED) FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?",
    );
    let width = width.bind(relation.database.as_str()).bind(relation.name.as_str()).bind(column);
    let width = width.fetch_optional(&mut *connection).await;
    let width = width.map_err(|error| peer.fault(relation, &error))?.flatten();
    if width == Some(1) {
        return Ok(());
    }
    let refused = peer.refused(
        relation,
        format_args!("the column `{column}` has the type BIT of more than one bit"),
        "read a view that has CAST(column AS UNSIGNED)",
    );
    Err(refused.into())
}

/// How the span's column compares with instants.
async fn comparable(
    peer: &Peer,
    connection: &mut MySqlConnection,
    relation: &Relation,
    span: &Span,
    info: &MySqlTypeInfo,
) -> Result<Kind, Fault> {
    let column = &span.column;
    let is_decimal = info.name() == "DECIMAL";
    match Kind::of(info).filter(|_| !is_decimal) {
        Some(kind @ (Kind::Day | Kind::Moment | Kind::Instant)) => return Ok(kind),
        Some(Kind::Text) => {}
        _ => {
            let refused = peer.refused(
                relation,
                format_args!("the column `{column}` of the span has the type {}", info.name()),
                "a span needs DATE, DATETIME, TIMESTAMP or text of 8, 12 or 14 digits",
            );
            return Err(refused.into());
        }
    }
    let other = sqlx::query(AssertSqlSafe(sql::other_form(relation, column)));
    let other = other.fetch_all(&mut *connection).await;
    if other.map_err(|error| peer.fault(relation, &error))?.is_empty() {
        return Ok(Kind::Text);
    }
    let refused = peer.refused(
        relation,
        format_args!("the column `{column}` of the span has text that is no instant of digits"),
        "a span needs DATE, DATETIME, TIMESTAMP or text of 8, 12 or 14 digits: read a view that has it",
    );
    Err(refused.into())
}

/// What comes from the task that reads: batches, and at the end a sign that it is the end, so that a
/// task that was lost does not look like a table that is over.
type Told = Result<Option<RecordBatch>, SourceError>;

/// How a reading ended.
enum End {
    /// All rows were sent.
    Whole,
    /// Nobody listens any more.
    Unheard,
    /// The rows cannot be taken; the server still sends.
    Bad(SourceError),
    /// The server failed.
    Failed(Fault),
}

/// Reads ahead, two batches at most. The connection goes back to its place when the rows are over
/// or nobody wants them any more; if it cannot go on after them, it does not.
pub(super) fn rows(
    peer: Arc<Peer>,
    mut place: Lent,
    mut connection: MySqlConnection,
    plan: Plan,
) -> RawStream {
    let (sender, receiver) = mpsc::channel::<Told>(2);
    let lost = peer.server("was no longer read", "look at the log of this program");
    tokio::spawn(async move {
        let end = read(&peer, &mut connection, &plan, &sender).await;
        let last = match end {
            End::Whole => {
                *place = Some(connection);
                Ok(None)
            }
            End::Unheard => {
                *place = stop(&peer, connection).await;
                return;
            }
            End::Bad(error) => {
                *place = stop(&peer, connection).await;
                Err(error)
            }
            End::Failed(fault) => {
                *place = fault.usable.then_some(connection);
                Err(fault.error)
            }
        };
        drop(place);
        // Who does not listen any more does not miss it.
        let _ = sender.send(last).await;
    });
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

async fn read(
    peer: &Peer,
    connection: &mut MySqlConnection,
    plan: &Plan,
    sender: &mpsc::Sender<Told>,
) -> End {
    let query = sqlx::query(AssertSqlSafe(plan.sql.clone())).persistent(false);
    let mut answers = query.fetch(connection);
    let mut rows = Rows::new(&plan.columns);
    let mut taken: u64 = 0;
    loop {
        let row = match answers.try_next().await {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => return End::Failed(peer.fault(&plan.relation, &error)),
        };
        if taken == 0 && !is_planned(&row, plan) {
            return End::Bad(SourceError::Changed { place: plan.relation.shown.clone() });
        }
        taken += 1;
        if let Err(cell) = rows.push(&row) {
            return End::Bad(malformed(plan, taken, &cell));
        }
        if rows.is_full() && sender.send(Ok(Some(rows.take()))).await.is_err() {
            return End::Unheard;
        }
    }
    // A table without rows has columns all the same.
    if (rows.rows() > 0 || taken == 0) && sender.send(Ok(Some(rows.take()))).await.is_err() {
        // Nothing is left to be stopped.
        return End::Whole;
    }
    End::Whole
}

/// Whether the columns are still of the types that the server promised.
fn is_planned(row: &MySqlRow, plan: &Plan) -> bool {
    row.columns().iter().map(|column| column.type_info()).eq(&plan.types)
}

fn malformed(plan: &Plan, row: u64, cell: &BadCell) -> SourceError {
    let column = &plan.columns[cell.column].0;
    SourceError::Malformed {
        place: plan.relation.shown.clone(),
        format: "data",
        at: format!("in row {row}, column `{column}`"),
        what: cell.wrong.to_owned(),
    }
}

/// Has the server stop what it still sends, by a second connection, and reads what is on its way.
/// The transaction goes on. `None` when that does not succeed in time.
async fn stop(peer: &Peer, mut connection: MySqlConnection) -> Option<MySqlConnection> {
    let stopped = async {
        let mut other = peer.options.connect().await?;
        let kill = format!("KILL QUERY {}", peer.id);
        other.execute(AssertSqlSafe(kill)).await?;
        other.close().await?;
        // The first answers may be that the statement was stopped.
        for _ in 0..2 {
            match connection.ping().await {
                Err(sqlx::Error::Database(_)) => {}
                other => return other,
            }
        }
        connection.ping().await
    };
    let stopped = tokio::time::timeout(STOP_TIMEOUT, stopped).await;
    let is_usable = matches!(stopped, Ok(Ok(())));
    is_usable.then_some(connection)
}
