//! What is not a page of its own: the style sheet, the open-data site's files, health.

use std::path::Path;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use crate::front::shelf::{is_text, is_unchanged, tag};

/// What never changes at its address need not be asked for again.
pub(crate) const FOR_GOOD: &str = "public, max-age=31536000, immutable";

pub(crate) const STYLE: &str = include_str!("../../static/style.css");

/// What changes with the style sheet.
pub(crate) fn style_sum() -> &'static str {
    static SUM: LazyLock<String> = LazyLock::new(|| {
        // FNV-1a: enough to tell two versions apart.
        let sum = STYLE.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{:010x}", sum >> 24)
    });
    &SUM
}

/// The address of the style sheet. It changes with the sheet, so browsers may keep it for good.
pub(crate) fn style_address() -> &'static str {
    static ADDRESS: LazyLock<String> =
        LazyLock::new(|| format!("/static/style.{}.css", style_sum()));
    &ADDRESS
}

/// Where [`health`] is.
pub(crate) const HEALTH: &str = "/health";

pub(crate) async fn health() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n")
}

/// Only the open-data site is for search engines: other pages are made anew for each reader.
pub(crate) async fn robots() -> impl IntoResponse {
    let rules = "User-agent: *\nAllow: /du-lieu-mo/\nAllow: /static/\nDisallow: /\n";
    ([(header::CACHE_CONTROL, "public, max-age=3600")], rules)
}

pub(crate) async fn to_english() -> Redirect {
    Redirect::permanent("/en/")
}

/// Where the open-data site is, for both languages.
pub(crate) const OPEN_DATA: &str = "/du-lieu-mo/";

pub(crate) async fn to_open_data() -> Redirect {
    Redirect::permanent(OPEN_DATA)
}

/// The files of the open-data site: `index.html` for folders, ranges for readers of Parquet, and
/// no way out of the folder.
pub(crate) fn open_data(folder: &Path) -> Router {
    Router::new().fallback(open_data_file).with_state(ServeDir::new(folder))
}

async fn open_data_file(State(files): State<ServeDir>, request: Request) -> Response {
    let (mut asked, _) = request.into_parts();
    let mut response = file(&files, &asked).await;
    // A part is of use only to whoever holds the rest of the same file.
    if let Some(held) = asked.headers.get(header::IF_RANGE)
        && response.status() == StatusCode::PARTIAL_CONTENT
        && own_tag(&response).as_deref().map(str::as_bytes) != Some(held.as_bytes())
        && response.headers().get(header::LAST_MODIFIED) != Some(held)
    {
        asked.headers.remove(header::RANGE);
        response = file(&files, &asked).await;
    }
    tagged(described(response, &asked.uri), &asked.headers)
}

async fn file(files: &ServeDir, asked: &Parts) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = asked.uri.clone();
    *request.headers_mut() = asked.headers.clone();
    // Answered by tag below; the date alone would answer for a file that changed within a second.
    if asked.headers.contains_key(header::IF_NONE_MATCH) {
        request.headers_mut().remove(header::IF_MODIFIED_SINCE);
    }
    match files.clone().oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Sets the types that the file server does not know and the encoding of text, which all our files
/// share, says how long a file may be kept, and leads back under [`OPEN_DATA`], which the file
/// server does not see.
fn described(mut response: Response, address: &Uri) -> Response {
    let (status, headers) = (response.status(), response.headers_mut());
    if let Some(location) = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()) {
        let location = format!("{OPEN_DATA}{}", location.trim_start_matches('/'));
        if let Ok(location) = HeaderValue::from_str(&location) {
            headers.insert(header::LOCATION, location);
        }
    }
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept(address.path())));
    }
    if status.is_success() {
        if let Some(known) = known_type(address.path()) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(known));
        }
        // Anyone may use open data from their own pages.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

/// Gives a file its tag, and only that to whoever has the file already.
fn tagged(mut response: Response, asked: &HeaderMap) -> Response {
    let Some(tag) = own_tag(&response) else { return response };
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    // What is compressed on its way is the same file in other bytes.
    let whole = response.status() == StatusCode::OK;
    let tag = if whole && kind.is_some_and(is_text) { format!("W/{tag}") } else { tag };
    let Ok(value) = HeaderValue::from_str(&tag) else { return response };
    if whole
        && asked.contains_key(header::IF_NONE_MATCH)
        && is_unchanged(asked, &tag, headers.get(header::LAST_MODIFIED))
    {
        *response.body_mut() = Body::empty();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ACCEPT_RANGES] {
            response.headers_mut().remove(name);
        }
    }
    response.headers_mut().insert(header::ETAG, value);
    response
}

/// The tag of the file that is answered with, or of the one that it is a part of.
fn own_tag(response: &Response) -> Option<String> {
    let headers = response.headers();
    let number = |text: &HeaderValue| text.to_str().ok()?.rsplit('/').next()?.parse::<u64>().ok();
    let bytes = match response.status() {
        StatusCode::OK => headers.get(header::CONTENT_LENGTH).and_then(number),
        StatusCode::PARTIAL_CONTENT => headers.get(header::CONTENT_RANGE).and_then(number),
        _ => None,
    };
    tag(headers.get(header::LAST_MODIFIED)?, bytes?)
}

/// The type of the file at an address, of those that we publish.
pub(crate) fn known_type(path: &str) -> Option<&'static str> {
    let (_, name) = path.rsplit_once('/')?;
    let extension = match name.rsplit_once('.') {
        Some((_, extension)) => extension,
        // A folder is answered with its index.html.
        None if name.is_empty() => "html",
        // SHA256SUMS.
        None => "txt",
    };
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" => "application/json",
        "jsonld" => "application/ld+json",
        "md" | "txt" | "sha256" => "text/plain; charset=utf-8",
        "parquet" => "application/vnd.apache.parquet",
        "rdf" => "application/rdf+xml",
        "ttl" => "text/turtle; charset=utf-8",
        "xml" => "application/xml",
        _ => return None,
    })
}

/// How long a file may be kept: for good inside a version, which never changes.
pub(crate) fn kept(path: &str) -> &'static str {
    let is_version = |part: &str| {
        let number = part.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    if path.split('/').any(is_version) { FOR_GOOD } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_files_have_their_types() {
        assert_eq!(known_type("/a/v1/a.parquet"), Some("application/vnd.apache.parquet"));
        assert_eq!(known_type("/a/v1/a.csv"), Some("text/csv; charset=utf-8"));
        assert_eq!(known_type("/a/v1/"), Some("text/html; charset=utf-8"));
        assert_eq!(known_type("/a/v1/SHA256SUMS"), Some("text/plain; charset=utf-8"));
        assert_eq!(known_type("/a/v1.2/bang.png"), None);
    }

    #[test]
    fn only_what_is_inside_a_version_is_kept_for_good() {
        for address in ["/a/v1/a.csv", "/a/v12/en/index.html", "/a/v1/"] {
            assert_eq!(kept(address), FOR_GOOD, "{address}");
        }
        for address in ["/", "/a/", "/a/versions.json", "/v/a.csv", "/vaccine/", "/v1a/"] {
            assert_eq!(kept(address), "no-cache", "{address}");
        }
    }

    #[test]
    fn a_file_and_a_part_of_it_have_one_tag() {
        let response = |status: StatusCode, name, value: &'static str| {
            let mut response = status.into_response();
            let changed = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
            response.headers_mut().insert(header::LAST_MODIFIED, changed);
            response.headers_mut().insert(name, HeaderValue::from_static(value));
            own_tag(&response)
        };
        let whole = response(StatusCode::OK, header::CONTENT_LENGTH, "1000");
        let part = StatusCode::PARTIAL_CONTENT;
        assert_eq!(whole, response(part, header::CONTENT_RANGE, "bytes 0-9/1000"));
        assert!(whole.is_some() && response(part, header::CONTENT_RANGE, "bytes 0-9/*").is_none());
    }

    #[test]
    fn the_style_sheet_loads_nothing_from_elsewhere() {
        for forbidden in ["@import", "http:", "https:", "url("] {
            assert!(!STYLE.contains(forbidden), "{forbidden}");
        }
    }
}
