//! Rows on their way: each connection is read and decoded by a task of its own, a few batches
//! ahead, and their batches take turns.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::Error;

use super::connection::{Link, in_time};
use super::copy::{Decoder, Origin, schema};
use super::faults::{self, Trouble};
use super::plan::Plan;
use crate::{RawStream, SourceError};

/// Batches that a connection reads before anyone asks for them.
const AHEAD: usize = 2;

/// Relations that the transaction has touched, and whose rows at its instant are gone: their file
/// is another than the one that the snapshot knows, or the snapshot does not know them.
const REPLACED: &str = "\
SELECT 1
FROM pg_catalog.pg_locks AS held
LEFT JOIN pg_catalog.pg_class AS seen ON seen.oid = held.relation
WHERE held.pid = pg_catalog.pg_backend_pid()
  AND held.locktype = 'relation'
  AND held.database =
      (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND held.relation >= 16384
  AND (seen.oid IS NULL
       OR seen.relkind IN ('r', 'm')
          AND seen.relfilenode <> pg_catalog.pg_relation_filenode(held.relation))
LIMIT 1";

/// Asks for the plan's columns without rows: whatever stands against reading shows here. The
/// transaction then holds the locks of all that is behind the relation, so that nobody replaces it
/// any more; whether somebody did before is looked up.
///
/// # Errors
/// When rows cannot be read, or would not be of the source's instant.
pub(super) async fn probe(link: &mut Link, plan: &Plan) -> Result<(), SourceError> {
    let probed = link.query(&plan.probe(), &[]).await;
    probed.map_err(|why| unprobed(&link.server, plan, why))?;
    let replaced = link.query(REPLACED, &[]).await;
    let replaced = replaced.map_err(|why| faults::reading(&link.server, &plan.place, why))?;
    if replaced.is_empty() {
        Ok(())
    } else {
        Err(SourceError::Changed { place: plan.place.clone() })
    }
}

/// The relation and its columns are there. What the server does not understand is the condition.
fn unprobed(server: &str, plan: &Plan, why: Trouble) -> SourceError {
    let code = if let Trouble::Told(error) = &why { faults::code(error) } else { None };
    match code {
        Some(code)
            if plan.has_where
                && code != "42501"
                && (code.starts_with("42") || code.starts_with("22")) =>
        {
            SourceError::Setting {
                place: plan.place.clone(),
                setting: "where".to_owned(),
                what: format!("is not a condition on its columns (SQLSTATE {code})"),
            }
        }
        _ => faults::reading(server, &plan.place, why),
    }
}

/// What one connection reads.
pub(super) struct Part {
    batches: mpsc::Receiver<RecordBatch>,
    task: Task,
}

/// A task that ends with whoever waits for it.
struct Task(JoinHandle<Result<(), SourceError>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to read a range of the plan's rows, as one of several where it has a number. Nobody waits
/// here for the server, which may compute long before it sends the first row.
pub(super) fn start(link: Link, plan: &Plan, range: Option<&str>, number: Option<usize>) -> Part {
    let origin = Origin { server: link.server.clone(), place: plan.place.clone(), part: number };
    let decoder = Decoder::new(origin, &plan.columns);
    let (sender, batches) = mpsc::channel(AHEAD);
    let task = tokio::spawn(read(link, plan.copy(range), decoder, plan.place.clone(), sender));
    Part { batches, task: Task(task) }
}

/// Reads to the end, or until nobody wants more.
async fn read(
    mut link: Link,
    sql: String,
    mut decoder: Decoder,
    place: String,
    sender: mpsc::Sender<RecordBatch>,
) -> Result<(), SourceError> {
    let rows = link.copy(&sql).await;
    let rows = rows.map_err(|why| faults::reading(&link.server, &place, why))?;
    let mut rows = Box::pin(rows);
    let mut full = Vec::new();
    loop {
        // Most rows are there already: only for the others it is worth while to set a clock.
        let next = match rows.next().now_or_never() {
            Some(next) => next,
            None => in_time(link.patience.idle, async { Ok(rows.next().await) })
                .await
                .map_err(|why| faults::reading(&link.server, &place, why))?,
        };
        let Some(chunk) = next else { break };
        let chunk = chunk.map_err(|error| broken(&mut link, &place, error))?;
        decoder.feed(&chunk, &mut full)?;
        if !send(&mut full, &sender).await {
            return Ok(());
        }
    }
    link.rest();
    decoder.finish(&mut full)?;
    send(&mut full, &sender).await;
    Ok(())
}

/// Hands the batches over; whether anybody wants more.
async fn send(batches: &mut Vec<RecordBatch>, sender: &mpsc::Sender<RecordBatch>) -> bool {
    for batch in batches.drain(..) {
        if sender.send(batch).await.is_err() {
            return false;
        }
    }
    true
}

/// The server ended the query itself: there is nothing to cancel.
fn broken(link: &mut Link, place: &str, error: Error) -> SourceError {
    link.rest();
    faults::reading(&link.server, place, Trouble::Told(error))
}

/// The batches of all parts in turn, one of each. Where there are no rows, one empty batch tells
/// the columns.
pub(super) fn in_turn(parts: Vec<Part>, plan: &Plan) -> RawStream {
    let turns = Turns {
        place: plan.place.clone(),
        parts: parts.into(),
        empty: Some(RecordBatch::new_empty(schema(&plan.columns))),
    };
    stream::unfold(turns, |mut turns| async move { turns.next().await.map(|it| (it, turns)) })
        .boxed()
}

struct Turns {
    place: String,
    parts: VecDeque<Part>,
    /// What comes where nothing else came.
    empty: Option<RecordBatch>,
}

impl Turns {
    async fn next(&mut self) -> Option<Result<RecordBatch, SourceError>> {
        while let Some(mut part) = self.parts.pop_front() {
            if let Some(batch) = part.batches.recv().await {
                self.parts.push_back(part);
                self.empty = None;
                return Some(Ok(batch));
            }
            // Only a task that says so came to the end; one that fell over did not.
            let ended = (&mut part.task.0).await.unwrap_or_else(|_| Err(self.stopped()));
            if let Err(error) = ended {
                self.parts.clear();
                self.empty = None;
                return Some(Err(error));
            }
        }
        self.empty.take().map(Ok)
    }

    fn stopped(&self) -> SourceError {
        SourceError::Malformed {
            place: self.place.clone(),
            format: "binary COPY",
            at: "before its end".to_owned(),
            what: "the reader was stopped".to_owned(),
        }
    }
}
