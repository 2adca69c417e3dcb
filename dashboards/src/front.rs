//! What stands in front of the pages: the host that a request names, and files from memory.
//!
//! Both are decided before anything is looked up for the request, so they are cheap, and a file
//! that many ask for at once costs no page anything. What is not answered here goes to the router.

pub(crate) mod hosts;
pub(crate) mod shelf;

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use tower::ServiceExt;

use self::hosts::Hosts;
use self::shelf::Shelf;

/// What a page may load: its own style sheet and its own pictures, nothing else, and no script.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer carries, whoever makes it.
pub(crate) const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
];

/// The way in.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) hosts: Hosts,
    pub(crate) shelf: Shelf,
    pub(crate) router: Router,
}

impl Front {
    /// Answers one request that came to the address `at` of this machine.
    pub(crate) async fn answer(&self, request: Request<Incoming>, at: Option<IpAddr>) -> Response {
        let named = self.hosts.admit(request.uri(), request.headers(), at);
        if let Err(status) = named {
            return elsewhere(status);
        }
        if let Some(response) = self.shelf.answer(&request).await {
            return response;
        }
        match self.router.clone().oneshot(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The short page for a request that names no host, or one that is not ours. It names no host
/// either: what the request said is not to be shown back.
fn elsewhere(status: StatusCode) -> Response {
    tracing::info!(status = status.as_u16(), "a request for another host");
    let page = "<!DOCTYPE html>\n<html lang=\"vi\"><head><meta charset=\"utf-8\">\
        <title>Sai địa chỉ máy chủ</title></head><body><main>\
        <h1>Sai địa chỉ máy chủ</h1>\
        <p>Máy chủ này không phục vụ tên miền đã hỏi.</p>\
        <p lang=\"en\">This server does not answer for the host that was asked for.</p>\
        </main></body></html>\n";
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (status, headers, page).into_response();
    response.headers_mut().extend(SECURITY);
    response
}
