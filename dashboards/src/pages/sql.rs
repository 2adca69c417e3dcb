//! The SQL page: a form, what its query gave, and the same rows as files. Queries are sent in
//! forms and never stand in an address, which browsers remember and proxies log. They go through
//! the same door as every other client's, with the reader's own eyes.

mod download;

use std::time::Instant;

use askama::Template;
use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use warehouse::names::{Lang, TableName};
use warehouse::query::{ErrorKind, QueryError, Via};

use crate::app::App;
use crate::error::{AGAIN_SECS, PageError, status_of};
use crate::form::Form;
use crate::pages::board::vintages;
use crate::pages::table;
use crate::request::Reader;
use crate::shell::{Part, Rows, Shell, page};
use crate::text::sql::{Words, words};
use crate::text::{count, fill, size};
use crate::{boards, lang, sql, tables};

pub(crate) use self::download::{csv, json};

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
}

/// Why a reader's query gave nothing, in words.
struct Failure {
    message: String,
    hint: &'static str,
    code: String,
}

struct Example {
    title: String,
    query: String,
    href: String,
}

/// The form, empty or with one of the queries that the pages offer; nothing is run.
pub(crate) async fn form(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let offered = offered(&app, &reader)?;
    show(&app, &reader, offered.unwrap_or_default(), None, None)
}

/// Runs the query of the form.
pub(crate) async fn run(
    State(app): State<App>,
    reader: Reader,
    form: Form,
) -> Result<Response, PageError> {
    let query = form.field("q").to_owned();
    match outcome(&app, &reader, &query).await {
        Ok(outcome) => show(&app, &reader, query, Some(outcome), None),
        Err(error) => {
            let failure = explain(&error, reader.lang);
            let mut response = show(&app, &reader, query, None, Some(failure))?;
            *response.status_mut() = status_of(error.kind());
            say_when_again(&response.status(), response.headers_mut());
            Ok(response)
        }
    }
}

fn show(
    app: &App,
    reader: &Reader,
    query: String,
    outcome: Option<Outcome>,
    failure: Option<Failure>,
) -> Result<Response, PageError> {
    let w = words(reader.lang);
    let ran = outcome.is_some() || failure.is_some();
    let readable = tables::visible(app, reader)?
        .into_iter()
        .map(|table| (table.name.to_string(), table.title.get(reader.lang).to_owned()))
        .collect();
    let template = SqlPage {
        shell: Shell::new(reader, Some(Part::Sql), w.title),
        w,
        query,
        outcome,
        failure,
        limit: fill(w.limit, &[&size(app.settings().sql_row_limit, reader.lang)]),
        examples: examples(app, reader),
        tables: readable,
        views: vec![
            ("chi_tieu.ca_nuoc", w.country_view),
            ("chi_tieu_tai(DATE '…')", w.boundaries_function),
        ],
    };
    let mut response = page(&template)?;
    if ran {
        let none = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, none);
    }
    Ok(response)
}

async fn outcome(app: &App, reader: &Reader, query: &str) -> Result<Outcome, QueryError> {
    let (started, w, language) = (Instant::now(), words(reader.lang), reader.lang);
    let answer = app.door(reader, Via::Web).ask(query).await?;
    let grid = answer.grid(app.settings().sql_row_limit).await?;
    let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    let number = size(grid.rows.len(), language);
    let caption = if grid.truncated { w.caption_cut } else { w.caption };
    let rows = Rows::new(fill(caption, &[&number]), &grid, language);
    Ok(Outcome {
        rows: (!rows.rows.is_empty()).then_some(rows),
        took: fill(w.took, &[&count(took, language)]),
    })
}

fn explain(error: &QueryError, lang: Lang) -> Failure {
    let w = words(lang);
    log_fault(error);
    let hint = match error.kind() {
        ErrorKind::Syntax => w.hint_syntax,
        ErrorKind::NotFound => w.hint_not_found,
        ErrorKind::ReadOnly => w.hint_read_only,
        ErrorKind::Data => w.hint_data,
        ErrorKind::Unsupported => w.hint_unsupported,
        ErrorKind::TooComplex => w.hint_complex,
        ErrorKind::TooLarge | ErrorKind::Timeout => w.hint_large,
        ErrorKind::Busy => w.hint_busy,
        ErrorKind::Cancelled | ErrorKind::ShuttingDown => w.hint_stopped,
        ErrorKind::Unavailable | ErrorKind::Internal => w.hint_internal,
    };
    let code = fill(w.code, &[error.sqlstate()]);
    Failure { message: error.user_message(lang), hint, code }
}

/// Says when to ask again, where that helps.
fn say_when_again(status: &StatusCode, headers: &mut HeaderMap) {
    if *status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(AGAIN_SECS));
    }
}

/// Faults of ours go to the log, by kind; a reader's own go to the reader only, since their text
/// may hold what the query asked for.
fn log_fault(error: &QueryError) {
    match error.kind() {
        ErrorKind::Internal => {
            tracing::error!(sqlstate = error.sqlstate(), "a reader's query failed on our side");
        }
        ErrorKind::Unavailable => {
            let sqlstate = error.sqlstate();
            tracing::error!(sqlstate, "the lake could not be read for a reader's query");
        }
        _ => {}
    }
}

/// The query that a link to this page names: an example by its number, or the first look at a
/// table that the reader may see.
fn offered(app: &App, reader: &Reader) -> Result<Option<String>, PageError> {
    let number = reader.choice("vi_du").and_then(|number| number.parse::<usize>().ok());
    if let Some(at) = number.and_then(|number| number.checked_sub(1)) {
        return Ok(examples(app, reader).into_iter().nth(at).map(|example| example.query));
    }
    let Some(name) = reader.choice("bang").and_then(|name| name.parse::<TableName>().ok()) else {
        return Ok(None);
    };
    let found = tables::visible(app, reader)?.into_iter().find(|table| table.name == name);
    Ok(found.map(|table| table::sample(&table)))
}

fn examples(app: &App, reader: &Reader) -> Vec<Example> {
    let (language, w) = (reader.lang, words(reader.lang));
    let title = if language == Lang::En { "tieu_de_en" } else { "tieu_de_vi" };
    let tables = format!("SELECT ten, {title}, nhay_cam\nFROM he_thong.bang\nORDER BY ten");
    let mut all = vec![(w.example_tables.to_owned(), tables)];
    let visible = boards::visible(app, reader);
    if let Some((query, _)) = visible.first() {
        let id = sql::text(&query.id);
        let country = format!(
            "SELECT ky, phan_to, tu_so, mau_so, gia_tri\nFROM chi_tieu.ca_nuoc\n\
             WHERE ma_chi_tieu = {id}\nORDER BY ky, phan_to"
        );
        all.push((w.example_country.to_owned(), country));
        let titles = [w.example_today, w.example_before];
        all.extend(vintages(app).iter().zip(titles).map(|(vintage, title)| {
            let query = format!(
                "SELECT ma, ten, tu_so, mau_so, gia_tri, thanh_phan, thanh_phan_can\n\
                 FROM chi_tieu_tai({date})\nWHERE ma_chi_tieu = {id}\n  \
                 AND ky = (SELECT max(ky) FROM chi_tieu.ca_nuoc WHERE ma_chi_tieu = {id})\n\
                 ORDER BY gia_tri DESC NULLS LAST",
                date = sql::date(vintage.date),
            );
            (fill(title, &[&size(vintage.units, language)]), query)
        }));
    }
    let numbered = all.into_iter().zip(1_usize..);
    numbered
        .map(|((title, query), number)| {
            let number = number.to_string();
            let href = lang::href_with(language, "/sql", &[("vi_du", Some(&number))]);
            Example { title, query, href }
        })
        .collect()
}
