//! What every request to a page passes through: an id, who reads, whether another site asks, the
//! page of a failure, how long the answer may be kept, and one line in the log.

use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use crate::app::Site;
use crate::error::{PageError, failure_page, is_bare};
use crate::origin;
use crate::pages::files::{HEALTH, OPEN_DATA};
use crate::request::Reader;

/// Answers a request and logs it. Of its address only the route is logged: the rest is a reader's
/// own words.
pub(crate) async fn pass(State(site): State<Site>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id();
    let method = request.method().clone();
    let route = route(&request);
    let (reader, mut response) = answer(&site, request, next).await;
    let status = response.status();
    if let Some(error) = response.extensions().get::<Arc<PageError>>() {
        error.log(&request_id, &route);
    }
    if is_bare(&response) {
        response = failure_page(&reader, &request_id, response);
    }
    keep(&reader, response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let principal = reader.principal.name.as_str();
    let status = status.as_u16();
    tracing::info!(%request_id, %method, %route, principal, status, duration_ms, "request");
    response
}

/// Who reads, and what they get.
async fn answer(site: &Site, mut request: Request, next: Next) -> (Reader, Response) {
    let stranger = Reader::stranger(request.uri().path(), request.uri().query());
    let path = request.uri().path();
    if !origin::is_welcome(request.method(), path, request.headers()) {
        return (stranger, PageError::CrossSite.into_response());
    }
    // Whether the program runs is asked often, and by nobody.
    let known = if path == HEALTH { Ok(None) } else { site.sessions().of(request.headers()).await };
    let reader = match known {
        Ok(Some(principal)) => stranger.known_as(principal),
        Ok(None) => stranger,
        Err(error) => return (stranger, PageError::State(error).into_response()),
    };
    request.extensions_mut().insert(reader.clone());
    // A fault in one page is that page's own.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    (reader, answered.unwrap_or_else(|_| PageError::Panic.into_response()))
}

/// How long an answer may be kept, where it does not say so itself. A page is made for its reader:
/// what somebody saw who logged in is kept nowhere.
fn keep(reader: &Reader, headers: &mut HeaderMap) {
    if headers.contains_key(header::CACHE_CONTROL) {
        return;
    }
    let keep = if reader.logged_in { "private, no-store" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.append(header::VARY, HeaderValue::from_static("cookie"));
}

/// The address as the router knows it, without what the reader put into it.
fn route(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    match matched {
        _ if request.uri().path().starts_with(OPEN_DATA) => OPEN_DATA.to_owned(),
        Some(route) => route.to_owned(),
        None => "-".to_owned(),
    }
}

/// Twelve hex digits: enough to find a request in a day's log, and telling nothing.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let hash = RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{:012x}", hash & 0xffff_ffff_ffff)
}
