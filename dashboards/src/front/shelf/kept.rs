//! One file in memory with all that is said about it, ready to be sent.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::front::SECURITY;
use crate::pages::files::FOR_GOOD;

/// When a file was last changed, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    changed_at: SystemTime,
    pub(super) bytes: u64,
}

impl Stamp {
    /// That of a regular file.
    pub(super) async fn of(file: &Path) -> Option<Self> {
        Self::new(&tokio::fs::metadata(file).await.ok()?)
    }

    fn new(metadata: &std::fs::Metadata) -> Option<Self> {
        let changed_at = metadata.is_file().then(|| metadata.modified().ok())??;
        Some(Self { changed_at, bytes: metadata.len() })
    }
}

/// A file.
#[derive(Debug)]
pub(super) struct Kept {
    plain: Form,
    /// Where that is shorter.
    gzip: Option<Form>,
    /// `None` for what is built in and does not change.
    pub(super) stamp: Option<Stamp>,
    /// When somebody last looked whether it changed, in milliseconds since the start.
    pub(super) seen_ms: AtomicU64,
}

/// A file in one encoding.
#[derive(Debug)]
struct Form {
    headers: HeaderMap,
    /// Of the answer that the reader has it already.
    unchanged: HeaderMap,
    tag: String,
    body: Bytes,
}

impl Kept {
    /// A file that comes with the program and never changes at its address.
    /// `stem` is the part of its tag that changes with it.
    pub(super) fn built_in(body: &'static [u8], kind: &'static str, stem: &str) -> Self {
        Self::new(Bytes::from_static(body), headers(kind, FOR_GOOD), stem, None, 0)
    }

    /// Reads a file of at most `largest` bytes, and compresses it.
    pub(super) fn read(
        file: &Path,
        kind: &'static str,
        keep: &'static str,
        largest: u64,
        now_ms: u64,
    ) -> Option<Self> {
        let mut open = std::fs::File::open(file).ok()?;
        let stamp = Stamp::new(&open.metadata().ok()?)?;
        let mut body = Vec::new();
        let read = (&mut open).take(largest + 1).read_to_end(&mut body).ok()?;
        // A file that grows while it is read is not whole.
        if u64::try_from(read).ok()? != stamp.bytes || stamp.bytes > largest {
            return None;
        }
        let mut headers = headers(kind, keep);
        let changed = http_date(stamp.changed_at);
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_str(&changed).ok()?);
        // Anyone may use open data from their own pages.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let stem = stem(stamp.changed_at, stamp.bytes);
        Some(Self::new(body.into(), headers, &stem, Some(stamp), now_ms))
    }

    fn new(
        body: Bytes,
        mut headers: HeaderMap,
        stem: &str,
        stamp: Option<Stamp>,
        now_ms: u64,
    ) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let gzip = kind.filter(|kind| is_text(kind)).and_then(|_| compress(&body));
        if gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        let gzip = gzip.map(|shorter| {
            let mut headers = headers.clone();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Form::new(shorter.into(), headers, format!("\"{stem}-gz\""))
        });
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let plain = Form::new(body, headers, format!("\"{stem}\""));
        Self { plain, gzip, stamp, seen_ms: AtomicU64::new(now_ms) }
    }

    /// What it takes of memory.
    pub(super) fn size(&self) -> usize {
        self.plain.body.len() + self.gzip.as_ref().map_or(0, |form| form.body.len())
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, asked: &HeaderMap, head: bool) -> Response {
        let form = self.gzip.as_ref().filter(|_| takes_gzip(asked)).unwrap_or(&self.plain);
        let changed = form.headers.get(header::LAST_MODIFIED);
        if is_unchanged(asked, &form.tag, changed) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = form.unchanged.clone();
            return response;
        }
        let body = if head { Body::empty() } else { Body::from(form.body.clone()) };
        let mut response = Response::new(body);
        *response.headers_mut() = form.headers.clone();
        response
    }
}

impl Form {
    fn new(body: Bytes, mut headers: HeaderMap, tag: String) -> Self {
        // Hex digits, a hyphen and quotes.
        if let Ok(value) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, value);
        }
        let mut unchanged = headers.clone();
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ACCEPT_RANGES] {
            unchanged.remove(name);
        }
        headers.insert(header::CONTENT_LENGTH, body.len().into());
        Self { headers, unchanged, tag, body }
    }
}

fn headers(kind: &'static str, keep: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::from_iter(SECURITY);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers
}

/// Whether files of that type are worth compressing. Parquet is compressed inside.
pub(crate) fn is_text(kind: &str) -> bool {
    kind.starts_with("text/")
        || ["json", "xml"]
            .iter()
            .any(|word| kind.strip_prefix("application/").is_some_and(|kind| kind.ends_with(word)))
}

/// The bytes under gzip, where that saves a tenth at least.
fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let mut into = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::best());
    into.write_all(body).ok()?;
    let shorter = into.finish().ok()?;
    (shorter.len() < body.len() / 10 * 9).then_some(shorter)
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked.get_all(header::ACCEPT_ENCODING).iter();
    accepted.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).any(
        |coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let refused =
                weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case("gzip") && refused != Some(0.0)
        },
    )
}

/// The tag of a file as it is: of when it was changed and how long it is.
pub(crate) fn tag(changed_at: &HeaderValue, bytes: u64) -> Option<String> {
    let changed_at = DateTime::parse_from_rfc2822(changed_at.to_str().ok()?).ok()?;
    Some(format!("\"{}\"", stem(changed_at.into(), bytes)))
}

/// In whole seconds, which is what is said of a file's time.
fn stem(changed_at: SystemTime, bytes: u64) -> String {
    format!("{:x}-{bytes:x}", DateTime::<Utc>::from(changed_at).timestamp())
}

fn http_date(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Whether whoever asks has this form already, by its tag, or else by when it was changed.
pub(crate) fn is_unchanged(asked: &HeaderMap, tag: &str, changed: Option<&HeaderValue>) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let mut tags = asked.get_all(header::IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_none() {
        let since = asked.get(header::IF_MODIFIED_SINCE);
        return since.is_some() && since == changed;
    }
    let own = opaque(tag);
    tags.filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|held| held.trim() == "*" || opaque(held) == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_tag_is_the_same_from_memory_and_from_the_disk() {
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_760_000_000_900);
        let said = HeaderValue::from_str(&http_date(at)).expect("a value");
        assert_eq!(tag(&said, 255), Some(format!("\"{}\"", stem(at, 255))));
    }

    #[test]
    fn a_reader_who_has_a_form_is_told_so() {
        for held in ["\"1-a\"", "W/\"1-a\"", "\"x\", \"1-a\"", "*"] {
            assert!(is_unchanged(&asked(header::IF_NONE_MATCH, held), "\"1-a\"", None), "{held}");
        }
        let other = asked(header::IF_NONE_MATCH, "\"1-a-gz\"");
        assert!(!is_unchanged(&other, "\"1-a\"", None));
        let since = asked(header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT");
        let changed = since.get(header::IF_MODIFIED_SINCE);
        assert!(is_unchanged(&since, "\"1-a\"", changed) && !is_unchanged(&since, "\"1-a\"", None));
        assert!(!is_unchanged(&HeaderMap::new(), "\"1-a\"", changed));
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |value| takes_gzip(&asked(header::ACCEPT_ENCODING, value));
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate, gzip"));
        assert!(!takes("gzip;q=0") && !takes("br") && !takes("identity, gzip;q=0.0"));
    }

    #[test]
    fn texts_are_compressed_and_nothing_else() {
        let types = ["text/csv; charset=utf-8", "application/ld+json", "application/rdf+xml"];
        assert!(types.into_iter().all(is_text));
        assert!(!is_text("application/vnd.apache.parquet") && !is_text("image/png"));
        assert!(compress(&[b'a'; 1000]).is_some() && compress(b"abc").is_none());
    }
}
