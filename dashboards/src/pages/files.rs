//! What is not a page of its own: the style sheet, the open-data site's files, health.

use std::path::Path;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use tower_http::services::ServeDir;

/// What never changes at its address need not be asked for again.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

const STYLE: &str = include_str!("../../static/style.css");

/// The address of the style sheet. It changes with the sheet, so browsers may keep it for good.
pub(crate) fn style_address() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| {
        // FNV-1a: enough to tell two versions apart.
        let sum = STYLE.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("/static/style.{:010x}.css", sum >> 24)
    });
    &ADDRESS
}

pub(crate) async fn style() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, FOR_GOOD)];
    (headers, STYLE)
}

pub(crate) async fn health() -> &'static str {
    "ok\n"
}

/// Only the open-data site may be found by search engines: other pages show figures that are not
/// open, to whoever the proxy in front lets in.
pub(crate) async fn robots() -> &'static str {
    "User-agent: *\nAllow: /du-lieu-mo/\nAllow: /static/\nDisallow: /\n"
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
    Router::new().fallback_service(ServeDir::new(folder)).layer(middleware::from_fn(dataset_type))
}

/// Sets the types that the file server does not know and the encoding of text, which all our files
/// share, says how long a file may be kept, and leads back under [`OPEN_DATA`], which the file
/// server does not see.
async fn dataset_type(request: Request, next: Next) -> Response {
    let known = known_type(request.uri());
    let kept = kept(request.uri());
    let mut response = next.run(request).await;
    let (status, headers) = (response.status(), response.headers_mut());
    if let Some(location) = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()) {
        let location = format!("{OPEN_DATA}{}", location.trim_start_matches('/'));
        if let Ok(location) = HeaderValue::from_str(&location) {
            headers.insert(header::LOCATION, location);
        }
    }
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    }
    if status.is_success() {
        if let Some(known) = known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(known));
        }
        // Anyone may use open data from their own pages.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

fn known_type(address: &Uri) -> Option<&'static str> {
    let (_, name) = address.path().rsplit_once('/')?;
    let extension = match name.rsplit_once('.') {
        Some((_, extension)) => extension,
        // A folder is answered with its index.html.
        None if name.is_empty() => "html",
        // SHA256SUMS.
        None => "txt",
    };
    Some(match extension {
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
fn kept(address: &Uri) -> &'static str {
    let is_version = |part: &str| {
        let number = part.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    if address.path().split('/').any(is_version) { FOR_GOOD } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_files_have_their_types() {
        let of = |address: &'static str| known_type(&Uri::from_static(address));
        assert_eq!(of("/a/v1/a.parquet"), Some("application/vnd.apache.parquet"));
        assert_eq!(of("/a/v1/a.csv"), Some("text/csv; charset=utf-8"));
        assert_eq!(of("/a/v1/"), Some("text/html; charset=utf-8"));
        assert_eq!(of("/a/v1/SHA256SUMS"), Some("text/plain; charset=utf-8"));
        assert_eq!(of("/a/v1.2/bang.png"), None);
    }

    #[test]
    fn only_what_is_inside_a_version_is_kept_for_good() {
        let of = |address: &'static str| kept(&Uri::from_static(address));
        for address in ["/a/v1/a.csv", "/a/v12/en/index.html", "/a/v1/"] {
            assert_eq!(of(address), FOR_GOOD, "{address}");
        }
        for address in ["/", "/a/", "/a/versions.json", "/v/a.csv", "/vaccine/", "/v1a/"] {
            assert_eq!(of(address), "no-cache", "{address}");
        }
    }

    #[test]
    fn the_style_sheet_loads_nothing_from_elsewhere() {
        for forbidden in ["@import", "http:", "https:", "url("] {
            assert!(!STYLE.contains(forbidden), "{forbidden}");
        }
    }
}
