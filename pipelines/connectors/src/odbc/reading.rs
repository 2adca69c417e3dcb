//! The rows of an answer, as the driver writes them into its buffers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow_odbc::odbc_api::Error as DriverError;
use arrow_odbc::{Error as ReaderError, OdbcReader, OdbcReaderBuilder, TextEncoding};
use tokio::sync::mpsc;

use super::kinds::Columns;
use super::session::{Answered, Reply, Session};
use super::sql::{self, Relation};
use crate::{BATCH_ROWS, Request, SourceError};

/// Bytes of the buffers into which the driver writes one batch.
const BATCH_BYTES: usize = 64 << 20;

/// UTF-16 units of a text whose type has no bound, where the contract sets none.
const MAX_TEXT: &str = "65536";

/// Batches, and at the end a sign that it is the end.
pub(super) type Told = Result<Option<RecordBatch>, SourceError>;

/// An answer that is being read, whose it is, and its columns.
type Opened<'c> = (OdbcReader<Answered<'c>>, Relation, Columns);

/// How a reading ended for the connection.
enum End {
    Usable,
    Lost,
}

impl Session<'_> {
    /// Sends the rows; whether the connection is over with it.
    pub(super) fn open(&self, request: &Request, reply: Reply, rows: &mpsc::Sender<Told>) -> bool {
        let (reader, relation, columns) = match self.reader(request) {
            Ok(opened) => opened,
            Err(error) => {
                let _ = reply.send(Err(error));
                return self.is_lost();
            }
        };
        if reply.send(Ok(self.is_marked(&relation))).is_err() {
            release(reader, false);
            return false;
        }
        matches!(self.read(reader, &relation, &columns, rows), End::Lost)
    }

    fn reader(&self, request: &Request) -> Result<Opened<'_>, SourceError> {
        let max_text = request.setting("max_text", MAX_TEXT).parse().ok();
        let max_text = max_text.filter(|units| (1..=16 << 20).contains(units));
        let Some(max_text) = max_text else {
            return Err(SourceError::Setting {
                place: request.place.clone(),
                setting: "max_text".to_owned(),
                what: "must be a number of UTF-16 units from 1 to 16777216".to_owned(),
            });
        };
        let (relation, quote, columns) = self.plan(request)?;
        let sql = sql::rows(request, &relation, quote, false)?;
        let answer = self.execute(&relation, &sql)?;
        let mut builder = OdbcReaderBuilder::new();
        builder
            .with_schema(Arc::clone(&columns.schema))
            .with_max_num_rows_per_batch(BATCH_ROWS)
            .with_max_bytes_per_batch(BATCH_BYTES)
            .with_max_text_size(max_text)
            .with_fallibale_allocations(true)
            .with_payload_text_encoding(TextEncoding::Utf16);
        match builder.build(answer) {
            Ok(reader) => Ok((reader, relation, columns)),
            Err(ReaderError::OdbcBufferTooSmall { .. }) => Err(SourceError::Bound {
                place: relation.shown,
                what: "has rows that may be longer than a batch; lower `max_text`",
                bound: format!("{} MiB", BATCH_BYTES >> 20),
            }),
            Err(_) => Err(self.peer.refused(
                &relation,
                "the driver does not tell how its columns are to be read",
                "read a view that casts them to types with a bound",
            )),
        }
    }

    fn read(
        &self,
        mut reader: OdbcReader<Answered<'_>>,
        relation: &Relation,
        columns: &Columns,
        rows: &mpsc::Sender<Told>,
    ) -> End {
        let mut taken = 0;
        let error = loop {
            // A day that is not in the calendar makes the reader panic.
            match catch_unwind(AssertUnwindSafe(|| reader.next())) {
                Ok(Some(Ok(batch))) => {
                    taken += batch.num_rows();
                    if rows.blocking_send(Ok(Some(columns.complete(batch)))).is_err() {
                        release(reader, false);
                        return End::Usable;
                    }
                }
                Ok(None) => {
                    release(reader, false);
                    if taken == 0 {
                        // A table without rows has columns all the same.
                        let empty = RecordBatch::new_empty(Arc::clone(&columns.schema));
                        let _ = rows.blocking_send(Ok(Some(empty)));
                    }
                    let _ = rows.blocking_send(Ok(None));
                    return End::Usable;
                }
                Ok(Some(Err(error))) => break self.bad(relation, columns, taken, &error),
                Err(_) => break no_day(relation, taken),
            }
        };
        let is_dead = self.connection.is_dead().unwrap_or(true);
        if !is_dead {
            self.go_back();
        }
        release(reader, is_dead);
        let _ = rows.blocking_send(Err(error));
        if is_dead || self.is_lost() { End::Lost } else { End::Usable }
    }

    fn bad(
        &self,
        relation: &Relation,
        columns: &Columns,
        taken: usize,
        error: &ArrowError,
    ) -> SourceError {
        let ArrowError::ExternalError(cause) = error else { return no_day(relation, taken) };
        match cause.downcast_ref::<DriverError>() {
            Some(DriverError::TooLargeValueForBuffer { buffer_index, .. }) => {
                let fields = columns.schema.fields();
                let column = fields.get(*buffer_index).map_or("", |field| field.name());
                SourceError::Malformed {
                    place: relation.shown.clone(),
                    format: "data",
                    at: format!("in column `{column}`, after row {taken}"),
                    what: "a cell is longer than its bound; raise the setting `max_text`, or what \
                           the driver says of the column (MaxLongVarcharSize of PostgreSQL)"
                        .to_owned(),
                }
            }
            Some(error) => self.peer.fault(relation, error),
            None => no_day(relation, taken),
        }
    }
}

/// Frees the statement and its buffers, without first closing its cursor: where that fails, the
/// reader would panic with the driver's own words. Of a dead connection the statement stays, for to
/// free it the driver would have to reach the server.
fn release(reader: OdbcReader<Answered<'_>>, is_dead: bool) {
    let Ok(cursor) = reader.into_cursor() else { return };
    let statement = cursor.into_stmt();
    if is_dead {
        std::mem::forget(statement);
    }
}

fn no_day(relation: &Relation, taken: usize) -> SourceError {
    SourceError::Malformed {
        place: relation.shown.clone(),
        format: "data",
        at: format!("after row {taken}"),
        what: "a day or time is not in the calendar; read a view that has NULL in its place"
            .to_owned(),
    }
}
