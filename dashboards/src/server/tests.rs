use super::*;

use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::front::hosts::Hosts;
use crate::front::shelf::Shelf;

const SHORT: Duration = Duration::from_millis(80);
const LONG: Duration = Duration::from_secs(20);

const PATIENT: Deadlines = Deadlines { headers: LONG, stalled: LONG };

struct Running {
    at: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

/// A file of many pieces, each a moment after the one before.
async fn slow() -> Body {
    Body::from_stream(stream::unfold(0, async |piece| {
        sleep(SHORT / 8).await;
        (piece < 20).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"piece\n")), piece + 1))
    }))
}

/// More than any buffer between here and there holds.
async fn large() -> Body {
    let piece = Bytes::from(vec![7; 1 << 20]);
    Body::from_stream(stream::iter((0..64).map(move |_| Ok::<_, Infallible>(piece.clone()))))
}

async fn start(deadlines: Deadlines, bounds: (usize, usize), grace: Duration) -> Running {
    let router = Router::new()
        .route("/", get(async || "ok\n"))
        .route("/slow", get(slow))
        .route("/large", get(large));
    let front = Front { hosts: Hosts::new(&[]), shelf: Shelf::new(None::<PathBuf>), router };
    let pages = Pages { front, connections: bounds.0, connections_per_address: bounds.1 };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let serving = serve_within(listener, pages, stop.clone(), grace, deadlines);
    Running { at, stop, ended: tokio::spawn(serving) }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.at).await.expect("a connection")
    }

    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        send(&mut stream, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        stream
    }
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("sent");
}

/// All that comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("an end");
    // A connection that is cut may end with a reset.
    read.ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn some(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 64 << 10];
    let read = timeout(LONG, stream.read(&mut bytes)).await.expect("an answer").expect("bytes");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

#[tokio::test]
async fn who_sends_no_headers_in_time_is_dropped_and_others_are_answered() {
    let deadlines = Deadlines { headers: SHORT, ..PATIENT };
    let server = start(deadlines, (0, 0), LONG).await;
    let (mut silent, mut slow) = (server.connect().await, server.connect().await);
    send(&mut slow, "GET / HTTP/1.1\r\nHost: local").await;
    let mut idle = server.ask("/").await;
    assert!(some(&mut idle).await.starts_with("HTTP/1.1 200"));
    for stream in [&mut silent, &mut slow, &mut idle] {
        let left = rest(stream).await;
        assert!(!left.contains("200"), "{left}");
    }
    assert!(some(&mut server.ask("/").await).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_beyond_the_bound_is_told_so_and_a_freed_place_is_used() {
    let server = start(PATIENT, (0, 2), LONG).await;
    let (first, mut second) = (server.ask("/").await, server.ask("/").await);
    assert!(some(&mut second).await.starts_with("HTTP/1.1 200"));
    let refused = rest(&mut server.connect().await).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("Retry-After"), "{refused}");
    drop(first);
    let until = Instant::now() + LONG;
    while !some(&mut server.ask("/").await).await.starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "the place is never free");
    }
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_length() {
    let server = start(PATIENT, (0, 0), LONG).await;
    let many = (0..200).map(|at| format!("x{at}: y\r\n")).collect::<String>();
    let long = format!("x: {}\r\n", "y".repeat(HEADER_BYTES));
    for headers in [many, long] {
        let mut stream = server.connect().await;
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        send(&mut stream, &request).await;
        let answer = some(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn another_host_is_turned_away_and_none_is_no_request() {
    let server = start(PATIENT, (0, 0), LONG).await;
    for (host, status) in
        [("Host: evil.example\r\n", "421"), ("", "400"), ("Host: [::1]\r\n", "200")]
    {
        let mut stream = server.connect().await;
        send(&mut stream, &format!("GET / HTTP/1.1\r\n{host}\r\n")).await;
        let answer = some(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
        assert!(!answer.contains("evil"), "{answer}");
    }
}

#[tokio::test]
async fn who_takes_nothing_loses_the_connection() {
    let server = start(Deadlines { stalled: SHORT, ..PATIENT }, (0, 1), LONG).await;
    let stuck = server.ask("/large").await;
    let until = Instant::now() + LONG;
    // Its place is free again, though it has closed nothing.
    while !some(&mut server.ask("/").await).await.starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "the connection stands for ever");
        sleep(SHORT / 8).await;
    }
    drop(stuck);
}

#[tokio::test]
async fn at_the_end_downloads_are_finished_and_idle_connections_closed() {
    let server = start(PATIENT, (0, 0), LONG).await;
    let mut download = server.ask("/slow").await;
    assert!(some(&mut download).await.starts_with("HTTP/1.1 200"));
    let (mut idle, mut new) = (server.ask("/").await, server.connect().await);
    assert!(some(&mut idle).await.starts_with("HTTP/1.1 200"));
    let started = Instant::now();
    server.stop.cancel();
    assert_eq!((rest(&mut idle).await, rest(&mut new).await), (String::new(), String::new()));
    let whole = rest(&mut download).await;
    assert!(whole.ends_with("0\r\n\r\n"), "{whole}");
    timeout(LONG, server.ended).await.expect("an end").expect("no panic");
    assert!(started.elapsed() < LONG / 2);
    assert!(TcpStream::connect(server.at).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_cut() {
    let server = start(PATIENT, (0, 0), SHORT).await;
    let mut stuck = server.ask("/large").await;
    assert!(some(&mut stuck).await.starts_with("HTTP/1.1 200"));
    server.stop.cancel();
    timeout(LONG, server.ended).await.expect("an end").expect("no panic");
}
