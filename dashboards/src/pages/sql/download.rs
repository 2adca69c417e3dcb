//! The rows of a reader's query as a file, sent as they come: when the reader goes away, the query
//! ends.

mod cells;

use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder;
use arrow::error::ArrowError;
use arrow::json::ArrayWriter;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use warehouse::names::Lang;
use warehouse::query::{Answer, QueryError, Via};

use super::{explain, say_when_again};
use crate::app::App;
use crate::error::status_of;
use crate::form::Form;
use crate::request::Reader;

/// The rows as a CSV file: UTF-8, commas, quotes where needed, LF at the end of every line; with a
/// byte order mark when `bom=1`, which Excel needs to read Vietnamese.
pub(crate) async fn csv(State(app): State<App>, reader: Reader, form: Form) -> Response {
    let mark = form.field("bom") == "1";
    download(&app, &reader, &form, Format::Csv { mark }).await
}

/// The rows as a JSON array of objects.
pub(crate) async fn json(State(app): State<App>, reader: Reader, form: Form) -> Response {
    download(&app, &reader, &form, Format::Json).await
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Csv { mark: bool },
    Json,
}

async fn download(app: &App, reader: &Reader, form: &Form, format: Format) -> Response {
    let download = match Download::begin(app, reader, form.field("q"), format).await {
        Ok(download) => download,
        Err(error) => return plain_failure(&error, reader.lang),
    };
    let (content_type, name) = match format {
        Format::Csv { .. } => ("text/csv; charset=utf-8", "khoyte.csv"),
        Format::Json => ("application/json", "khoyte.json"),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let chunks = stream::try_unfold(Some(download), |state| async {
        let Some(mut download) = state else { return Ok::<_, DownloadError>(None) };
        let chunk = download.chunk().await.inspect_err(DownloadError::log)?;
        let state = download.batch.is_some().then_some(download);
        Ok(Some((Bytes::from(chunk), state)))
    });
    (headers, Body::from_stream(chunks)).into_response()
}

fn plain_failure(error: &QueryError, lang: Lang) -> Response {
    let failure = explain(error, lang);
    let text = format!("{}\n{}\n{}\n", failure.message, failure.hint, failure.code);
    let none = [(header::CACHE_CONTROL, "no-store")];
    let mut response = (status_of(error.kind()), none, text).into_response();
    say_when_again(&response.status(), response.headers_mut());
    response
}

/// Why a download stopped in the middle; the connection is cut so that half a file does not pass
/// for a whole one.
#[derive(Debug, thiserror::Error)]
enum DownloadError {
    #[error("the query failed while it was read")]
    Query(#[from] QueryError),
    #[error("rows could not be written")]
    Write(#[from] ArrowError),
}

impl DownloadError {
    /// By kind: what it says may quote a cell.
    fn log(&self) {
        let sqlstate = match self {
            Self::Query(error) => error.sqlstate(),
            Self::Write(_) => "XX000",
        };
        tracing::warn!(sqlstate, "a download was cut: {self}");
    }
}

/// A file that is being sent, one batch ahead, so that a query that fails at once is answered
/// with its error and not with an empty file.
struct Download {
    answer: Answer,
    format: Format,
    /// The batch to send next; `None` at the end.
    batch: Option<RecordBatch>,
    /// Whether nothing is sent yet.
    first: bool,
    /// Whether rows are sent already.
    rows_sent: bool,
}

impl Download {
    async fn begin(
        app: &App,
        reader: &Reader,
        query: &str,
        format: Format,
    ) -> Result<Self, QueryError> {
        let mut answer = app.door(reader, Via::Download).ask(query).await?;
        let batch = answer.next().await?;
        let batch = batch.or_else(|| Some(RecordBatch::new_empty(answer.schema())));
        Ok(Self { answer, format, batch, first: true, rows_sent: false })
    }

    async fn chunk(&mut self) -> Result<Vec<u8>, DownloadError> {
        let Some(batch) = self.batch.take() else { return Ok(Vec::new()) };
        self.batch = self.answer.next().await?;
        let first = std::mem::replace(&mut self.first, false);
        let bytes = match self.format {
            Format::Csv { mark } => csv_chunk(&batch, first, mark)?,
            Format::Json => {
                let place = Place { first, last: self.batch.is_none(), rows_sent: self.rows_sent };
                json_chunk(&batch, place)?
            }
        };
        self.rows_sent |= batch.num_rows() > 0;
        Ok(bytes)
    }
}

fn csv_chunk(batch: &RecordBatch, first: bool, mark: bool) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = if first && mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    let batch = cells::harmless(batch)?;
    WriterBuilder::new().with_header(first).build(&mut bytes).write(&batch)?;
    Ok(bytes)
}

/// Where in the file a batch stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: bool,
    last: bool,
    rows_sent: bool,
}

/// The rows of all batches in one array, where the writer closes one around every batch.
fn json_chunk(batch: &RecordBatch, place: Place) -> Result<Vec<u8>, ArrowError> {
    let mut rows = Vec::new();
    if batch.num_rows() > 0 {
        let builder = arrow::json::WriterBuilder::new().with_explicit_nulls(true);
        let mut writer: ArrayWriter<_> = builder.build(&mut rows);
        writer.write(batch)?;
        writer.finish()?;
    }
    let inside = rows.strip_prefix(b"[").and_then(|rows| rows.strip_suffix(b"]"));
    let inside = inside.unwrap_or_default();
    let mut bytes = Vec::with_capacity(inside.len() + 4);
    if place.first {
        bytes.push(b'[');
    }
    if place.rows_sent && !inside.is_empty() {
        bytes.extend_from_slice(b",\n");
    }
    bytes.extend_from_slice(inside);
    if place.last {
        bytes.extend_from_slice(b"]\n");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    fn batch(numbers: Vec<Option<i64>>) -> RecordBatch {
        let names: ArrayRef =
            Arc::new(numbers.iter().map(|_| Some("Hà Nội, \"thủ đô\"")).collect::<StringArray>());
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers));
        RecordBatch::try_from_iter([("ten", names), ("so", numbers)]).expect("a batch")
    }

    fn text(bytes: Result<Vec<u8>, ArrowError>) -> String {
        String::from_utf8(bytes.expect("bytes")).expect("text")
    }

    #[test]
    fn batches_make_one_json_array() {
        let place = |first, last, rows_sent| Place { first, last, rows_sent };
        let mut file = text(json_chunk(&batch(vec![Some(1), None]), place(true, false, false)));
        file += &text(json_chunk(&batch(vec![]), place(false, false, true)));
        file += &text(json_chunk(&batch(vec![Some(3)]), place(false, true, true)));
        let rows: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        assert_eq!(rows.as_array().map(Vec::len), Some(3), "{file}");
        assert_eq!(rows[1]["so"], serde_json::Value::Null);
        assert_eq!(text(json_chunk(&batch(vec![]), place(true, true, false))), "[]\n");
    }

    #[test]
    fn a_csv_file_has_one_header_and_a_mark_only_when_asked() {
        let first = text(csv_chunk(&batch(vec![Some(1)]), true, true));
        assert_eq!(first, "\u{feff}ten,so\n\"Hà Nội, \"\"thủ đô\"\"\",1\n");
        let next = text(csv_chunk(&batch(vec![None]), false, true));
        assert_eq!(next, "\"Hà Nội, \"\"thủ đô\"\"\",\n");
    }
}
