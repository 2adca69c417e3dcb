//! The web server under readers who are slow, many, or there when it stops; and what browsers may
//! keep of its files.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::Server;
use crate::web::{Answer, get, get_with, post_from};

const LONG: Duration = Duration::from_secs(60);

fn connect(base: &str) -> TcpStream {
    let stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A connection that is cut may end with a reset.
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", String::as_str)
}

/// Checks that headers and forms that do not come are not waited for, while others are answered.
fn check_deadlines(base: &str) {
    let mut silent = connect(base);
    let mut slow = connect(base);
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ").unwrap();
    let started = Instant::now();
    let mut form = connect(base);
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let origin = format!("Origin: {base}");
    let host = base.trim_start_matches("http://");
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: {host}\r\n{origin}\r\n{kind}\r\nContent-Length: 99\r\n\r\nq="
    );
    form.write_all(head.as_bytes()).unwrap();
    assert!(rest(&mut silent).is_empty());
    let cut = rest(&mut slow);
    assert!(!String::from_utf8_lossy(&cut).contains("200 OK"));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(get(base, "/health").status, 200);
    let answer = String::from_utf8_lossy(&rest(&mut form)).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// Checks that what is longer than it may be is refused in words.
fn check_sizes(base: &str) {
    let origin = format!("Origin: {base}\r\n");
    let long = "x".repeat(3 << 20);
    let answer = post_from(base, "/sql", &[("q", &long)], &origin);
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("1 MiB"));
    let many: String = (0..200).map(|at| format!("X-{at}: y\r\n")).collect();
    assert_eq!(get_with(base, "/health", &many).status, 431);
    let long = format!("X-A: {}\r\n", "y".repeat(60_000));
    assert_eq!(get_with(base, "/health", &long).status, 431);
}

/// Checks what a browser that holds a file is told, from memory and from the disk.
fn check_tags(base: &str) {
    let folder = "/du-lieu-mo/sot_xuat_huyet_tinh_thang";
    let style = get(base, "/").text();
    let style = style.split('"').find(|text| text.starts_with("/static/")).unwrap().to_owned();
    for path in [
        style,
        "/du-lieu-mo/".to_owned(),
        format!("{folder}/v1/SHA256SUMS"),
        format!("{folder}/v1/sot_xuat_huyet_tinh_thang.csv"),
        format!("{folder}/v1/sot_xuat_huyet_tinh_thang.parquet"),
    ] {
        for encoding in ["", "Accept-Encoding: gzip\r\n"] {
            let first = get_with(base, &path, encoding);
            let tag = header(&first, "etag").to_owned();
            assert_eq!((first.status, tag.is_empty()), (200, false), "{path}");
            let held = format!("{encoding}If-None-Match: \"x\", {tag}\r\n");
            let again = get_with(base, &path, &held);
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {held}");
            assert_eq!(header(&again, "etag"), tag, "{path}");
            assert!(!header(&again, "cache-control").is_empty(), "{path}");
            let other = get_with(base, &path, &format!("{encoding}If-None-Match: \"x\"\r\n"));
            assert_eq!(other.status, 200, "{path}");
        }
    }
    let page = get(base, "/chi-tieu");
    assert_eq!((header(&page, "etag"), header(&page, "cache-control")), ("", "no-cache"));
}

/// Checks that a part of a file is given to whoever holds the rest of the same one.
fn check_ranges(base: &str) {
    let folder = "/du-lieu-mo/sot_xuat_huyet_tinh_thang/v1";
    let path = format!("{folder}/sot_xuat_huyet_tinh_thang.parquet");
    let whole = get(base, &path);
    let tag = header(&whole, "etag");
    let range = "Range: bytes=4-99\r\n";
    let part = get_with(base, &path, range);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[4..100]));
    let same = get_with(base, &path, &format!("{range}If-Range: {tag}\r\n"));
    assert_eq!((same.status, header(&same, "etag")), (206, tag));
    let changed = get_with(base, &path, &format!("{range}If-Range: \"x\"\r\n"));
    assert_eq!((changed.status, changed.body.len()), (200, whole.body.len()));
}

#[test]
fn a_slow_request_is_not_waited_for() {
    check_deadlines(&Server::shared().web);
}

#[test]
fn a_request_is_bounded() {
    check_sizes(&Server::shared().web);
}

#[test]
fn files_are_asked_for_again_cheaply() {
    check_tags(&Server::shared().web);
    check_ranges(&Server::shared().web);
}

#[test]
fn an_answer_does_not_wait_for_the_network() {
    // Forty answers over one connection; at 44 ms each, as with Nagle's algorithm, this takes 1.7 s.
    let mut stream = connect(&Server::shared().web);
    let started = Instant::now();
    for _ in 0..40 {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        while !seen.ends_with(b"ok\n") {
            let read = stream.read(&mut bytes).unwrap();
            seen.extend_from_slice(&bytes[..read]);
        }
    }
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
}

#[test]
fn connections_are_bounded_and_a_place_that_is_left_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::bare(folder.path(), "[web]\nconnections_per_address = 3\n");
    let held: Vec<TcpStream> = (0..3).map(|_| connect(&server.web)).collect();
    let refused = rest(&mut connect(&server.web));
    assert!(refused.starts_with(b"HTTP/1.1 503"), "{}", String::from_utf8_lossy(&refused));
    drop(held);
    let until = Instant::now() + LONG;
    loop {
        let mut stream = connect(&server.web);
        let _ = stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n");
        if rest(&mut stream).starts_with(b"HTTP/1.0 200") {
            break;
        }
        assert!(Instant::now() < until, "the places are never free");
    }
}

#[test]
fn a_stop_lets_downloads_finish_and_ends_within_the_grace_period() {
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public");
    std::fs::create_dir(&public).unwrap();
    let content: Vec<u8> = (0..32 << 20).map(|at: u32| (at % 251) as u8).collect();
    std::fs::write(public.join("lon.parquet"), &content).unwrap();
    let server = Server::bare(folder.path(), "");
    let base = server.web.clone();
    let mut download = connect(&base);
    download.write_all(b"GET /du-lieu-mo/lon.parquet HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 1000];
    download.read_exact(&mut first).unwrap();
    let mut idle = connect(&base);
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut some = [0; 4096];
    assert!(idle.read(&mut some).unwrap() > 0);

    server.terminate();
    assert!(rest(&mut idle).is_empty(), "an idle connection is closed");
    let whole = [first.to_vec(), rest(&mut download)].concat();
    let body = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(whole.len() - body, content.len());
    assert!(whole[body..] == content[..], "every byte of the download");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn what_does_not_end_is_cut_at_the_end_of_the_grace_period() {
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public");
    std::fs::create_dir(&public).unwrap();
    std::fs::write(public.join("lon.parquet"), vec![7; 32 << 20]).unwrap();
    let server = Server::bare(folder.path(), "stop_grace_secs = 1\n");
    let mut stuck = connect(&server.web);
    stuck.write_all(b"GET /du-lieu-mo/lon.parquet HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    stuck.read_exact(&mut [0; 1000]).unwrap();
    server.terminate();
    let started = Instant::now();
    assert_eq!(server.exit_code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
