//! The one place where a failure becomes a response.
//!
//! A page returns a [`PageError`]; the outermost layer (`passage`) turns it into a page in the
//! reader's language with a request id. The cause of a fault of ours goes to the log under that id
//! and is never shown.

use std::sync::Arc;

use askama::Template;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use warehouse::names::NameError;
use warehouse::query::{ErrorKind, QueryError};
use warehouse::state::StateError;

use crate::pages::files::OPEN_DATA;
use crate::request::Reader;
use crate::shell::Shell;
use crate::text::failure::{self, Words};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// Nothing is declared under that name, or nothing that the reader may see.
    #[error("there is no such page")]
    NotFound,
    /// The request comes from another site's page.
    #[error("another site's page asks")]
    CrossSite,
    /// What was sent is not a form.
    #[error("what was sent is not a form")]
    NotAForm,
    /// A form longer than forms are.
    #[error("what was sent is too long")]
    TooLarge,
    /// A form that did not come to its end in time.
    #[error("what was sent took too long")]
    TooSlow,
    /// A query of the page's own failed.
    #[error("a query of the page failed")]
    Query(#[from] QueryError),
    /// A query of the page's own gave more rows than pages read.
    #[error("a query of the page gave more than {0} rows")]
    Truncated(usize),
    /// Who reads could not be found out.
    #[error("the state room could not be asked")]
    State(#[from] StateError),
    /// A template failed, which it does only when memory does.
    #[error("the page could not be written")]
    Template(#[from] askama::Error),
    /// The catalogue could not be described.
    #[error("the catalogue could not be described")]
    Catalogue(#[from] arrow::error::ArrowError),
    /// A fault in the code of a page.
    #[error("the page panicked")]
    Panic,
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
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Query(error) if is_busy(error.kind()) => StatusCode::SERVICE_UNAVAILABLE,
            Self::State(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Query(_)
            | Self::Truncated(_)
            | Self::Template(_)
            | Self::Catalogue(_)
            | Self::Panic => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Writes a fault of ours to the log. A query's own words may quote what the address asked
    /// for, so only its kind is written, except where the lake's words are all that there is.
    pub(crate) fn log(&self, request_id: &str, route: &str) {
        if !self.status().is_server_error() {
            return;
        }
        if let Self::Query(error) = self
            && error.kind() != ErrorKind::Unavailable
        {
            let (kind, sqlstate) = (error.kind(), error.sqlstate());
            tracing::error!(request_id, route, ?kind, sqlstate, "a query of a page failed");
            return;
        }
        let cause: &dyn std::error::Error = self;
        tracing::error!(request_id, route, error = cause, "a page failed");
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = status.into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(AGAIN_SECS));
        }
        if matches!(self, Self::TooLarge | Self::TooSlow) {
            // What is still to come of the request is not read.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// When to ask again after being told that the system is busy, in seconds.
pub(crate) const AGAIN_SECS: &str = "10";

fn is_busy(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TooLarge
            | ErrorKind::Timeout
            | ErrorKind::Unavailable
            | ErrorKind::Busy
            | ErrorKind::ShuttingDown
            | ErrorKind::Cancelled
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
    /// Where a reader without a name may give one and come back.
    log_in: Option<String>,
}

/// Whether a failure has no body yet: those of the pages, the router and the file server.
pub(crate) fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let failed = status.is_server_error() || status.is_client_error();
    failed && !response.headers().contains_key(header::CONTENT_TYPE)
}

/// The page of a failure, in place of a bare response.
pub(crate) fn failure_page(reader: &Reader, id: &str, bare: Response) -> Response {
    let status = bare.status();
    let w = failure::words(reader.lang);
    let open_data = reader.path.trim_end_matches('/') == OPEN_DATA.trim_end_matches('/');
    let (title, text) = match status {
        // Nothing has been released so far.
        StatusCode::NOT_FOUND if open_data => (w.nothing_released, w.nothing_released_text),
        StatusCode::NOT_FOUND => (w.not_found, w.not_found_text),
        StatusCode::METHOD_NOT_ALLOWED => (w.not_allowed, w.not_allowed_text),
        StatusCode::FORBIDDEN => (w.cross_site, w.cross_site_text),
        StatusCode::PAYLOAD_TOO_LARGE => (w.too_large, w.too_large_text),
        StatusCode::REQUEST_TIMEOUT => (w.too_slow, w.too_slow_text),
        StatusCode::SERVICE_UNAVAILABLE => (w.busy, w.busy_text),
        status if status.is_client_error() => (w.not_understood, w.not_understood_text),
        _ => (w.ours, w.ours_text),
    };
    let ours = status.is_server_error();
    let shell = Shell::new(reader, None, title);
    // Whatever is not there: what is only hidden must not look different.
    let hint = status == StatusCode::NOT_FOUND;
    let log_in = shell.log_in.clone().filter(|_| hint);
    let page = FailurePage { shell, w, text, request_id: id, ours, log_in };
    let Ok(body) = page.render() else { return bare };
    let mut response = (status, Html(body)).into_response();
    keep(bare.headers(), response.headers_mut());
    response
}

/// What a bare response said beside its status.
fn keep(bare: &HeaderMap, page: &mut HeaderMap) {
    for name in [header::ALLOW, header::RETRY_AFTER, header::CONNECTION, header::CONTENT_RANGE] {
        if let Some(value) = bare.get(&name) {
            page.insert(name, value.clone());
        }
    }
}
