//! Which requests of other sites' pages are answered.
//!
//! A browser sends a reader's cookie, and its place in a closed network, along with requests that
//! another site's page makes it send. Such a page may lead the reader here by a link and may use
//! open data; nothing else is done for it, and a form is taken from our own pages only.

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, Method};

use crate::pages::files::{HEALTH, OPEN_DATA};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const TARGET: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Whether a request to `path` with these headers may be answered. Programs that are no browsers
/// send none of them and may read.
pub(crate) fn is_welcome(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    if *method != Method::GET && *method != Method::HEAD {
        return !is_cross_site(headers) && is_from_here(headers);
    }
    is_for_everyone(path) || !is_cross_site(headers) || is_a_visit(headers)
}

/// What any page may load.
fn is_for_everyone(path: &str) -> bool {
    path.starts_with(OPEN_DATA) || path == HEALTH || path == "/robots.txt"
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    match text(headers, &SITE) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        // A browser of before these headers says where a script asks from, and nothing of links.
        None => text(headers, &header::ORIGIN).is_some() && !is_from_here(headers),
    }
}

/// Whether the reader themselves go to the page, in a window of its own.
fn is_a_visit(headers: &HeaderMap) -> bool {
    text(headers, &MODE) == Some("navigate") && text(headers, &TARGET) == Some("document")
}

/// Whether the page that the request comes from is on the host that the request names.
fn is_from_here(headers: &HeaderMap) -> bool {
    let origin = text(headers, &header::ORIGIN).or_else(|| text(headers, &header::REFERER));
    let host = origin.and_then(host_of).zip(text(headers, &header::HOST));
    host.is_some_and(|(from, here)| from.eq_ignore_ascii_case(here))
}

/// The host, with its port where one is named, of an address in full.
fn host_of(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), value.parse().expect("a value"))
        };
        let host = ("host", "kho.example.vn");
        all.iter().chain([&host]).map(pair).collect()
    }

    fn get(path: &str, all: &[(&'static str, &'static str)]) -> bool {
        is_welcome(&Method::GET, path, &headers(all))
    }

    fn post(all: &[(&'static str, &'static str)]) -> bool {
        is_welcome(&Method::POST, "/sql", &headers(all))
    }

    #[test]
    fn another_sites_page_may_only_lead_here() {
        let cross = ("sec-fetch-site", "cross-site");
        let sibling = ("sec-fetch-site", "same-site");
        let visit = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        for site in [cross, sibling] {
            assert!(get("/sql", &[site, visit[0], visit[1]]));
            assert!(!get("/sql", &[site, visit[0], ("sec-fetch-dest", "iframe")]));
            assert!(!get("/", &[site, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]));
            assert!(!get("/", &[site]));
            assert!(get("/du-lieu-mo/a/v1/a.csv", &[site]) && get("/health", &[site]));
        }
        assert!(!get("/", &[("origin", "https://evil.example")]));
        assert!(!get("/", &[("origin", "null")]));
    }

    #[test]
    fn our_own_pages_and_programs_are_answered() {
        assert!(get("/", &[]));
        assert!(get("/", &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]));
        assert!(get("/", &[("sec-fetch-site", "same-origin")]));
        assert!(get("/", &[("origin", "https://kho.example.vn")]));
    }

    #[test]
    fn a_form_comes_from_our_own_pages() {
        assert!(post(&[("origin", "https://kho.example.vn")]));
        assert!(post(&[("origin", "http://KHO.example.vn"), ("sec-fetch-site", "same-origin")]));
        assert!(post(&[("referer", "https://kho.example.vn/sql?vi_du=1")]));
        for refused in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://kho.example.vn.evil.example")],
            &[("origin", "https://kho.example.vn:8443")],
            &[("origin", "https://kho.example.vn@evil.example")],
            &[("referer", "https://evil.example/kho.example.vn")],
            &[("origin", "https://evil.example"), ("referer", "https://kho.example.vn/")],
            &[("origin", "https://kho.example.vn"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-origin")],
        ] {
            assert!(!post(refused), "{refused:?}");
        }
    }
}
