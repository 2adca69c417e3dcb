//! The SQL page: a query in the address, its rows, and the same rows as files. It acts as the
//! principal of the settings, through the same door as every other client.

use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder;
use arrow::error::ArrowError;
use arrow::json::ArrayWriter;
use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use warehouse::names::Lang;
use warehouse::query::{Answer, ErrorKind, QueryError};

use crate::app::App;
use crate::error::{PageError, status_of};
use crate::pages::board::vintages;
use crate::request::Reader;
use crate::shell::{Part, Rows, Shell, page};
use crate::text::sql::{Words, words};
use crate::text::{count, fill, size};
use crate::{boards, lang, sql, tables};

/// Longer texts are not queries that a person wrote, and do not fit into an address.
const LONGEST: usize = 16_000;

#[derive(Template)]
#[template(path = "sql.html")]
struct SqlPage {
    shell: Shell,
    w: &'static Words,
    query: String,
    outcome: Option<Outcome>,
    failure: Option<Failure>,
    limit: String,
    examples: Vec<Example>,
    tables: Vec<(String, String)>,
    views: Vec<(&'static str, &'static str)>,
}

struct Outcome {
    rows: Option<Rows>,
    took: String,
    csv: String,
    csv_excel: String,
    json: String,
}

struct Failure {
    message: String,
    code: Option<String>,
    hint: &'static str,
}

struct Example {
    title: String,
    query: String,
    href: String,
}

pub(crate) async fn show(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let w = words(reader.lang);
    let query = reader.choice("q").map(str::to_owned);
    let mut status = StatusCode::OK;
    let (mut outcome, mut failure) = (None, None);
    if let Some(query) = &query {
        match run(&app, &reader, query).await {
            Ok(done) => outcome = Some(done),
            Err(error) => (status, failure) = explain(&error, reader.lang),
        }
    }
    let principal = &app.settings().sql_principal;
    let readable = tables::all(app.declarations())?
        .into_iter()
        .filter(|table| principal.may_read(table.class))
        .map(|table| (table.name.to_string(), table.title.get(reader.lang).to_owned()))
        .collect();
    let template = SqlPage {
        shell: Shell::new(&reader, Some(Part::Sql), w.title),
        w,
        query: query.unwrap_or_default(),
        outcome,
        failure,
        limit: fill(w.limit, &[&size(app.settings().sql_row_limit, reader.lang)]),
        examples: examples(&app, reader.lang),
        tables: readable,
        views: vec![
            ("chi_tieu.ca_nuoc", w.country_view),
            ("chi_tieu_tai(DATE '…')", w.boundaries_function),
        ],
    };
    let mut response = page(&template)?;
    *response.status_mut() = status;
    Ok(response)
}

/// Why a reader's query gave nothing.
enum AskError {
    TooLong,
    Query(QueryError),
}

impl From<QueryError> for AskError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

async fn ask(app: &App, query: &str) -> Result<Answer, AskError> {
    if query.len() > LONGEST {
        return Err(AskError::TooLong);
    }
    Ok(app.ask(query).await?)
}

async fn run(app: &App, reader: &Reader, query: &str) -> Result<Outcome, AskError> {
    let (started, w, language) = (Instant::now(), words(reader.lang), reader.lang);
    let grid = ask(app, query).await?.grid(app.settings().sql_row_limit).await?;
    let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    let number = size(grid.rows.len(), language);
    let caption = if grid.truncated { w.caption_cut } else { w.caption };
    let rows = Rows::new(fill(caption, &[&number]), &grid, language);
    let file = |path, bom| lang::href_with(language, path, &[("q", Some(query)), ("bom", bom)]);
    Ok(Outcome {
        rows: (!rows.rows.is_empty()).then_some(rows),
        took: fill(w.took, &[&count(took, language)]),
        csv: file("/sql.csv", None),
        csv_excel: file("/sql.csv", Some("1")),
        json: file("/sql.json", None),
    })
}

fn explain(error: &AskError, lang: Lang) -> (StatusCode, Option<Failure>) {
    let w = words(lang);
    let AskError::Query(error) = error else {
        let message = fill(w.too_long, &[&size(LONGEST, lang)]);
        let failure = Failure { message, code: None, hint: w.hint_large };
        return (StatusCode::BAD_REQUEST, Some(failure));
    };
    log_fault(error);
    let hint = match error.kind() {
        ErrorKind::Syntax => w.hint_syntax,
        ErrorKind::NotFound => w.hint_not_found,
        ErrorKind::ReadOnly => w.hint_read_only,
        ErrorKind::Data => w.hint_data,
        ErrorKind::Unsupported => w.hint_unsupported,
        ErrorKind::TooLarge | ErrorKind::TooComplex | ErrorKind::Timeout => w.hint_large,
        ErrorKind::Busy | ErrorKind::Cancelled | ErrorKind::ShuttingDown => w.hint_internal,
        ErrorKind::Unavailable | ErrorKind::Internal => w.hint_internal,
    };
    let code = Some(fill(w.code, &[error.sqlstate()]));
    let failure = Failure { message: error.user_message(lang), code, hint };
    (status_of(error.kind()), Some(failure))
}

/// Faults of ours go to the log; a reader's own go to the reader only, since their text may hold
/// what the query asked for.
fn log_fault(error: &QueryError) {
    match error.kind() {
        ErrorKind::Internal => {
            tracing::error!(sqlstate = error.sqlstate(), "a reader's query failed on our side");
        }
        // The store's own words: no query's literal is in them.
        ErrorKind::Unavailable => {
            let cause = error as &dyn std::error::Error;
            tracing::error!(error = cause, "the lake could not be read for a reader's query");
        }
        _ => {}
    }
}

fn examples(app: &App, language: Lang) -> Vec<Example> {
    let w = words(language);
    let example = |title: String, query: String| Example {
        title,
        href: lang::href_with(language, "/sql", &[("q", Some(&query))]),
        query,
    };
    let title = if language == Lang::En { "tieu_de_en" } else { "tieu_de_vi" };
    let tables = format!("SELECT ten, {title}, nhay_cam\nFROM he_thong.bang\nORDER BY ten");
    let mut examples = vec![example(w.example_tables.to_owned(), tables)];
    let declared = boards::visible(app);
    let Some((query, _)) = declared.first() else { return examples };
    let id = sql::text(&query.id);
    let country = format!(
        "SELECT ky, phan_to, tu_so, mau_so, gia_tri\nFROM chi_tieu.ca_nuoc\n\
         WHERE ma_chi_tieu = {id}\nORDER BY ky, phan_to"
    );
    examples.push(example(w.example_country.to_owned(), country));
    let titles = [w.example_today, w.example_before];
    for (vintage, title) in vintages(app).iter().zip(titles) {
        let query = format!(
            "SELECT ma, ten, tu_so, mau_so, gia_tri, thanh_phan, thanh_phan_can\n\
             FROM chi_tieu_tai({date})\nWHERE ma_chi_tieu = {id}\n  \
             AND ky = (SELECT max(ky) FROM chi_tieu.ca_nuoc WHERE ma_chi_tieu = {id})\n\
             ORDER BY gia_tri DESC NULLS LAST",
            date = sql::date(vintage.date),
        );
        examples.push(example(fill(title, &[&size(vintage.units, language)]), query));
    }
    examples
}

/// The rows as a CSV file: UTF-8, commas, quotes where needed, LF at the end of every line; with a
/// byte order mark when `bom=1`, which Excel needs to read Vietnamese.
pub(crate) async fn csv(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let mark = reader.choice("bom") == Some("1");
    download(&app, &reader, Format::Csv { mark }).await
}

/// The rows as a JSON array of objects.
pub(crate) async fn json(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    download(&app, &reader, Format::Json).await
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Csv { mark: bool },
    Json,
}

async fn download(app: &App, reader: &Reader, format: Format) -> Result<Response, PageError> {
    let download = match Download::begin(app, reader.choice("q").unwrap_or_default(), format).await
    {
        Ok(download) => download,
        Err(error) => return Ok(plain_failure(&error, reader.lang)),
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
        let chunk = download.chunk().await.inspect_err(|error| {
            let cause: &dyn std::error::Error = error;
            tracing::warn!(error = cause, "a download was cut");
        })?;
        let state = download.batch.is_some().then_some(download);
        Ok(Some((Bytes::from(chunk), state)))
    });
    Ok((headers, Body::from_stream(chunks)).into_response())
}

fn plain_failure(error: &AskError, lang: Lang) -> Response {
    let (status, failure) = explain(error, lang);
    let text =
        failure.map_or(String::new(), |failure| format!("{}\n{}\n", failure.message, failure.hint));
    (status, text).into_response()
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
    async fn begin(app: &App, query: &str, format: Format) -> Result<Self, AskError> {
        let mut answer = ask(app, query).await?;
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
    WriterBuilder::new().with_header(first).build(&mut bytes).write(batch)?;
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
