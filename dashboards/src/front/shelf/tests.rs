use super::*;

use std::fs;
use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;

/// A folder of its own, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("khoyte-shelf-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("a/v1")).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, text: &str, at: u64) {
        let file = fs::File::create(self.0.join(name)).expect("a file");
        std::io::Write::write_all(&mut &file, text.as_bytes()).expect("written");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + at);
        file.set_modified(at).expect("a time");
    }

    fn shelf(&self) -> Shelf {
        Shelf::new(Some(self.0.clone()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn request(path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request")
}

async fn text(response: Option<Response>) -> Option<String> {
    let bytes = to_bytes(response?.into_body(), usize::MAX).await.expect("a body");
    Some(String::from_utf8(bytes.into()).expect("text"))
}

fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).map(|value| value.to_str().expect("text"));
    value.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_changed_file_is_seen_and_a_removed_one_is_gone() {
    let folder = Folder::new("changed");
    let mut shelf = folder.shelf();
    // As if it stood for a while.
    shelf.started -= Duration::from_secs(10);
    let read = async || text(shelf.answer(&request("/du-lieu-mo/a/x.csv", &[])).await).await;
    let a_second_later = || {
        for kept in shelf.stock.read().expect("a stock").files.values() {
            kept.seen_ms.store(0, Ordering::Relaxed);
        }
    };
    assert_eq!(read().await, None);
    folder.write("a/x.csv", "một", 0);
    assert_eq!(read().await.as_deref(), Some("một"));
    folder.write("a/x.csv", "hai", 5);
    assert_eq!(read().await.as_deref(), Some("một"), "it was looked at a moment ago");
    a_second_later();
    assert_eq!(read().await.as_deref(), Some("hai"));
    fs::remove_file(folder.0.join("a/x.csv")).expect("removed");
    a_second_later();
    assert_eq!(read().await, None);
    assert_eq!(shelf.stock.read().expect("a stock").bytes, 0);
}

#[tokio::test]
async fn a_file_says_what_it_is_and_how_long_it_may_be_kept() {
    let folder = Folder::new("headers");
    folder.write("a/v1/x.csv", &"cột,dòng\n".repeat(100), 0);
    folder.write("a/index.html", "<p>a</p>", 0);
    let shelf = folder.shelf();
    let path = "/du-lieu-mo/a/v1/x.csv";
    let plain = shelf.answer(&request(path, &[])).await.expect("from memory");
    assert_eq!(header(&plain, "content-type"), "text/csv; charset=utf-8");
    assert!(header(&plain, "cache-control").contains("immutable"));
    assert_eq!(header(&plain, "vary"), "accept-encoding");
    assert_eq!(header(&plain, "x-content-type-options"), "nosniff");
    let gzip = request(path, &[("accept-encoding", "gzip")]);
    let gzip = shelf.answer(&gzip).await.expect("from memory");
    assert_eq!(header(&gzip, "content-encoding"), "gzip");
    assert_ne!(header(&gzip, "etag"), header(&plain, "etag"));
    let again = request(path, &[("if-none-match", &header(&plain, "etag"))]);
    let again = shelf.answer(&again).await.expect("from memory");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header(&again, "etag"), header(&plain, "etag"));
    let index = shelf.answer(&request("/du-lieu-mo/a/", &[])).await.expect("from memory");
    assert_eq!(header(&index, "cache-control"), "no-cache");
    assert_eq!(text(Some(index)).await.as_deref(), Some("<p>a</p>"));
}

#[tokio::test]
async fn what_is_large_or_unusual_is_left_to_the_file_server() {
    let folder = Folder::new("left");
    folder.write("a/x.csv", "một", 0);
    folder.write("a/.lock", "", 0);
    folder.write("a/large.csv", &"x".repeat(300 << 10), 0);
    folder.write("a/x.unknown", "một", 0);
    let shelf = folder.shelf();
    for path in [
        "/du-lieu-mo/a/large.csv",
        "/du-lieu-mo/a/x.unknown",
        "/du-lieu-mo/a/.lock",
        "/du-lieu-mo/../a/x.csv",
        "/du-lieu-mo/a/../a/x.csv",
        "/du-lieu-mo/a/%78.csv",
        "/du-lieu-mo//a/x.csv",
        "/du-lieu-mo/a",
        "/a/x.csv",
    ] {
        assert!(shelf.answer(&request(path, &[])).await.is_none(), "{path}");
    }
    let range = request("/du-lieu-mo/a/x.csv", &[("range", "bytes=0-1")]);
    assert!(shelf.answer(&range).await.is_none());
    let post = Request::post("/du-lieu-mo/a/x.csv").body(Body::empty()).expect("a request");
    assert!(shelf.answer(&post).await.is_none());
}

#[test]
fn what_is_kept_stays_within_its_room() {
    let mut stock = Stock::default();
    let body: &'static [u8] = Box::leak(vec![0_u8; 3 << 20].into_boxed_slice());
    for at in 0..40_u64 {
        let kept = Kept::built_in(body, "application/octet-stream", "x");
        kept.seen_ms.store(at, Ordering::Relaxed);
        stock.add(&format!("/{at}"), &Arc::new(kept));
        assert!(stock.bytes <= ROOM);
    }
    assert!(stock.files.contains_key("/39") && !stock.files.contains_key("/0"));
}
