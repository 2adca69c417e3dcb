//! SIGTERM while much goes on: downloads end whole, nobody new comes in, and the process ends well.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::cpu::CROSS_JOIN;
use super::process::comes_true;
use super::random::Random;
use super::target::{Settings, Target, exit_code};
use super::turn;

/// How long the server may take for what is under way.
const GRACE: Duration = Duration::from_secs(30);

/// More than the buffers between the two ends hold.
const FILE_BYTES: usize = 48 << 20;

/// How fast the download is read.
const BYTES_A_SECOND: usize = 8 << 20;

/// Where the large file lies, below the public folder and below the address of the open data.
const FILE: &str = "sot_xuat_huyet_tinh_thang/v1/lon.csv";

/// How soon nobody new comes in.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn a_download_under_way_ends_whole_and_nobody_new_comes_in() {
    let _turn = turn();
    let mut target = Target::start(Settings::with_timeout(20));
    let content = Random::new(9).bytes(FILE_BYTES);
    fs::write(target.folder().join("public").join(FILE), &content).unwrap();
    let host = target.stranger().host;
    let (began, begun) = channel();
    let download = std::thread::spawn({
        let host = host.clone();
        move || slow_download(&host, || began.send(()).unwrap())
    });
    begun.recv_timeout(Duration::from_secs(10)).expect("the download begins");
    let load: Vec<_> = (0..6)
        .map(|at| {
            let mut client = target.client().expect("a connection");
            std::thread::spawn(move || {
                let sql = if at < 3 { CROSS_JOIN } else { "SELECT 1" };
                while client.simple(sql).is_ok() {}
            })
        })
        .collect();
    let process = target.process();
    process.signal("TERM");
    let signalled = Instant::now();
    let port = target.server.postgres;
    let closed = comes_true(CLOSED_WITHIN, || !answers_web(&host) && !answers_wire(port));
    let code = exit_code(&mut target.server, GRACE);
    println!("exit code {code:?} after {:?}", signalled.elapsed());
    if code.is_none() {
        process.signal("KILL");
    }
    let body = download.join().expect("the download ends");
    load.into_iter().for_each(|one| one.join().expect("a client ends"));
    assert!(closed, "new connections are answered after the signal");
    assert_eq!(code, Some(0), "the exit code within {GRACE:?}");
    assert_eq!(body.len(), content.len(), "the download is cut");
    assert!(body == content, "the download has other bytes");
}

#[test]
fn a_signal_with_nothing_to_do_ends_the_server_at_once() {
    let _turn = turn();
    for signal in ["TERM", "INT"] {
        let mut target = Target::start(Settings::tight());
        // Connections that only stand there keep nothing up.
        let idle: Vec<_> = (0..5).map(|_| target.client().expect("a connection")).collect();
        let half = TcpStream::connect(target.stranger().host).unwrap();
        target.process().signal(signal);
        let code = exit_code(&mut target.server, Duration::from_secs(10));
        assert_eq!(code, Some(0), "the exit code after {signal}");
        drop((idle, half));
    }
}

/// Reads a file slowly to its end; says when the first bytes are there.
fn slow_download(host: &str, began: impl Fn()) -> Vec<u8> {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(GRACE)).unwrap();
    let request =
        format!("GET /du-lieu-mo/{FILE} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (mut raw, mut piece) = (Vec::new(), vec![0; BYTES_A_SECOND / 20]);
    let started = Instant::now();
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        if raw.is_empty() {
            began();
        }
        raw.extend_from_slice(&piece[..count]);
        let due = Duration::from_secs_f64(raw.len() as f64 / BYTES_A_SECOND as f64);
        // This reader is slow on purpose.
        std::thread::sleep(due.saturating_sub(started.elapsed()));
    }
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    raw.split_off(end + 4)
}

fn answers_web(host: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(host) else { return false };
    let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    answers(&mut stream, request.as_bytes())
}

fn answers_wire(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    answers(&mut stream, &super::message::tls())
}

fn answers(stream: &mut TcpStream, request: &[u8]) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let sent = stream.write_all(request);
    sent.is_ok() && matches!(stream.read(&mut [0; 16]), Ok(1..))
}
