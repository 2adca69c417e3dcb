//! The one place where a failure becomes a response, and where a request is logged.
//!
//! A page returns a [`PageError`]; the outermost layer turns it into a page in the reader's
//! language with a request id. The cause of a fault of ours goes to the log under that id and is
//! never shown.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use askama::Template;
use axum::extract::Request;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use warehouse::names::NameError;
use warehouse::query::{ErrorKind, QueryError};

use crate::pages::files::OPEN_DATA;
use crate::request::Reader;
use crate::shell::Shell;
use crate::text::failure::{self, Words};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// Nothing is declared under that name.
    #[error("there is no such page")]
    NotFound,
    /// A query of the page's own failed.
    #[error("a query of the page failed")]
    Query(#[from] QueryError),
    /// A query of the page's own gave more rows than pages read.
    #[error("a query of the page gave more than {0} rows")]
    Truncated(usize),
    /// A template failed, which it does only when memory does.
    #[error("the page could not be written")]
    Template(#[from] askama::Error),
    /// The catalogue could not be described.
    #[error("the catalogue could not be described")]
    Catalogue(#[from] arrow::error::ArrowError),
}

impl From<NameError> for PageError {
    /// A name in an address that cannot name anything.
    fn from(_: NameError) -> Self {
        Self::NotFound
    }
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Query(error) if is_busy(error.kind()) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

fn is_busy(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TooLarge
            | ErrorKind::Timeout
            | ErrorKind::Unavailable
            | ErrorKind::Busy
            | ErrorKind::Cancelled
            | ErrorKind::ShuttingDown
    )
}

/// The status of a reader's own query that failed.
pub(crate) fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        kind if is_busy(kind) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    shell: Shell,
    w: &'static Words,
    text: &'static str,
    request_id: &'a str,
    /// Whether the fault is ours.
    ours: bool,
}

/// Runs a request under an id of its own, logs it, and writes the page of a failure. The query
/// string is not logged: it may hold a reader's SQL.
pub(crate) async fn finish(reader: Reader, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    if let Some(error) = response.extensions().get::<Arc<PageError>>()
        && status.is_server_error()
    {
        let cause: &dyn std::error::Error = error.as_ref();
        tracing::error!(%request_id, path, error = cause, "a page failed");
    }
    if is_bare(&response) {
        response = failure_page(&reader, status, &request_id, response);
    }
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%request_id, %method, path, status = status.as_u16(), duration_ms, "request");
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// Whether a failure has no body yet: those of the pages, the router and the file server.
fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let failed = status.is_server_error()
        || matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    failed && !response.headers().contains_key(header::CONTENT_TYPE)
}

fn failure_page(reader: &Reader, status: StatusCode, id: &str, bare: Response) -> Response {
    let w = failure::words(reader.lang);
    let open_data = reader.path.trim_end_matches('/') == OPEN_DATA.trim_end_matches('/');
    let (title, text) = match status {
        // Nothing has been released so far.
        StatusCode::NOT_FOUND if open_data => (w.nothing_released, w.nothing_released_text),
        StatusCode::NOT_FOUND => (w.not_found, w.not_found_text),
        StatusCode::METHOD_NOT_ALLOWED => (w.not_allowed, w.not_allowed_text),
        StatusCode::SERVICE_UNAVAILABLE => (w.busy, w.busy_text),
        _ => (w.ours, w.ours_text),
    };
    let ours = status.is_server_error();
    let shell = Shell::new(reader, None, title);
    let page = FailurePage { shell, w, text, request_id: id, ours };
    let Ok(body) = page.render() else { return bare };
    let mut response = (status, Html(body)).into_response();
    if let Some(allow) = bare.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}

/// Twelve hex digits: enough to find a request in a day's log, and telling nothing.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let hash = RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{:012x}", hash & 0xffff_ffff_ffff)
}
