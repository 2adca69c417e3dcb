//! Broken requests on the port of the pages, slow ones, and requests that another site's page or
//! another name would send.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::arena::Arena;
use super::full;
use super::http::{Form, Reader, read_answer};
use super::random::{Random, mutate};
use super::shapes::shapes;
use super::target::Settings;
use super::turn;
use super::wire::Trouble;

/// How long a request may take to come in, and a connection to say nothing.
const SLOWEST: Duration = Duration::from_secs(40);

/// How long a broken request may stand after its sender is done.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Sends bytes, says that that is all, and waits for the other side's end; what it said.
fn send(host: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut stream = TcpStream::connect(host).map_err(|_| Trouble::Closed)?;
    let limit = Some(ENDS_WITHIN);
    stream.set_write_timeout(limit).and_then(|()| stream.set_read_timeout(limit)).unwrap();
    // Refused before all is sent is an answer like others.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if super::wire::trouble(&error) == Trouble::Silent => Err(Trouble::Silent),
        _ => Ok(said),
    }
}

#[test]
fn requests_of_every_wrong_shape() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let secret = arena.target.server.password.clone();
    let hosts = arena.target.stranger().host;
    for (name, bytes) in shapes(&hosts) {
        // A server that was replaced listens elsewhere.
        let host = arena.target.stranger().host;
        let said = send(&host, &bytes);
        let said = said.map(|said| String::from_utf8_lossy(&said).into_owned());
        println!("{name}: {:?}", said.as_ref().map(|said| said.lines().next()));
        match said {
            Err(trouble) => arena.fault(format!("{name}: {trouble:?}")),
            Ok(said) => {
                if said.contains(&secret) || said.contains("root:") || said.contains("[[user]]") {
                    arena.fault(format!("{name}: a file is read that is not for readers"));
                }
                if said.lines().next().is_some_and(|line| line.contains(" 500")) {
                    arena.fault(format!("{name}: the answer is a fault of ours"));
                }
            }
        }
        arena.after(&name);
    }
    arena.close();
}

#[test]
fn requests_with_a_few_bytes_wrong() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    for number in 0..if full() { 10_000 } else { 1_000 } {
        let mut random = Random::new(5 << 32 | number);
        let reader = arena.target.stranger();
        let mut bytes = match random.below(4) {
            0 => reader.question(Form::Page, "SELECT 1"),
            1 => reader.question(Form::Json, "SELECT ten FROM danh_muc.don_vi"),
            2 => format!("GET /bang-dieu-khien?tinh=24 HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip\r\nCookie: phien=a\r\n\r\n", reader.host).into_bytes(),
            _ => {
                let count = *random.pick(&[1, 16, 500, 20_000]);
                random.bytes(count)
            }
        };
        mutate(&mut random, &mut bytes);
        let beginning: String = bytes.escape_ascii().take(200).map(char::from).collect();
        if let Err(trouble) = send(&reader.host, &bytes) {
            arena.fault(format!("request {number}: {trouble:?}: {beginning}"));
        }
        if number % 100 == 0 || !arena.target.process().is_alive() {
            arena.after(&format!("request {number}: {beginning}"));
        }
    }
    arena.memory_after("all requests");
    arena.after("all requests");
    arena.close();
}

#[test]
fn slow_requests_are_over_in_time_and_keep_nobody_out() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let host = arena.target.stranger().host;
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    );
    let beginnings = [
        String::new(),
        "GET /health HTT".to_owned(),
        head.clone(),
        format!("{head}Content-Length: 1000\r\n\r\nq=SELECT"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nq=S"),
        format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ];
    let started = Instant::now();
    let standing: Vec<(usize, TcpStream)> = (0..60)
        .filter_map(|at| {
            let mut stream = TcpStream::connect(&host).ok()?;
            let kind = at % beginnings.len();
            stream.write_all(beginnings[kind].as_bytes()).ok()?;
            Some((kind, stream))
        })
        .collect();
    arena.after("60 slow requests");
    let mut stand = vec![0; beginnings.len()];
    for (kind, mut stream) in standing {
        let mut open = true;
        // One byte now and then is no progress; one more second is for the last of them to be seen.
        while open && started.elapsed() < SLOWEST {
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            open = match stream.read(&mut [0; 4096]) {
                Ok(0) => false,
                Ok(_) => true,
                Err(error) => {
                    super::wire::trouble(&error) == Trouble::Silent
                        && stream.write_all(b"a").is_ok()
                }
            };
        }
        stream.set_nonblocking(true).unwrap();
        let closed = !open || matches!(stream.read(&mut [0; 4096]), Ok(0));
        stand[kind] += usize::from(!closed);
    }
    for (beginning, stand) in beginnings.iter().zip(stand).filter(|(_, stand)| *stand > 0) {
        arena.fault(format!("{stand} stand after {SLOWEST:?}: {beginning:?}"));
    }
    arena.after("slow requests");
    arena.close();
}

#[test]
fn another_site_and_another_name_get_nothing() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let reader = arena.target.stranger();
    let host = &reader.host;
    let own = String::from_utf8(reader.question(Form::Csv, "SELECT 40 + 2 AS a")).unwrap();
    let right = reader.exchange(own.as_bytes()).expect("an answer");
    assert_eq!((right.status, super::target::first_cell(&right.text())), (200, Some("42")));
    let origin = format!("Origin: http://{host}\r\n");
    let name = format!("Host: {host}\r\n");
    for (what, request) in [
        ("another site", own.replace(&origin, "Origin: http://evil.example\r\n")),
        ("a site of no name", own.replace(&origin, "Origin: null\r\n")),
        (
            "a site that begins alike",
            own.replace(&origin, &format!("Origin: http://{host}.evil.example\r\n")),
        ),
        ("another port", own.replace(&origin, "Origin: http://127.0.0.1:1\r\n")),
        ("another host", own.replace(&name, "Host: evil.example\r\n")),
        (
            "another host and its site",
            own.replace(&name, "Host: evil.example\r\n")
                .replace(&origin, "Origin: http://evil.example\r\n"),
        ),
        (
            "a request of another site, by its own word",
            own.replace(&origin, "Sec-Fetch-Site: cross-site\r\n"),
        ),
    ] {
        assert_ne!(request, own, "{what}");
        let answer = reader.exchange(request.as_bytes());
        let told =
            answer.as_ref().is_ok_and(|answer| answer.status < 400 || answer.text().contains("42"));
        if told {
            arena.fault(format!("{what} is answered: {answer:?}"));
        }
    }
    // A query in an address stands in the logs of every proxy: none is run.
    for path in [
        "/sql?q=SELECT+40+%2B+2+AS+a",
        "/sql.csv?q=SELECT+40+%2B+2+AS+a",
        "/sql.json?q=SELECT+40+%2B+2+AS+a",
    ] {
        let answer = reader.get(path);
        let ran = answer.as_ref().is_ok_and(|answer| {
            let text = answer.text();
            answer.status == 200
                && (text.contains(">42<") || text.contains("\n42") || text.contains(":42"))
        });
        if ran {
            arena.fault(format!("{path} runs a query"));
        }
    }
    arena.after("requests of another site");
    arena.close();
}

#[test]
fn a_reader_who_never_reads_is_left() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let reader: Reader = arena.target.stranger();
    let question = reader
        .question(Form::Csv, "SELECT value, repeat('x', 1000) FROM generate_series(1, 1000000000)");
    let mut unread: Vec<TcpStream> = (0..20)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(&reader.host).ok()?;
            stream.write_all(&question).ok()?;
            Some(stream)
        })
        .collect();
    arena.after("20 downloads that nobody reads");
    if !super::watch::rests(arena.target.process()) {
        arena.fault("downloads that nobody reads are computed for ever");
    }
    if let Some(mut stream) = unread.pop() {
        let cut = read_answer(&mut stream, Instant::now() + ENDS_WITHIN);
        // Half a file does not pass for a whole one.
        if cut.as_ref().is_ok_and(|answer| answer.status == 200 && answer.whole) {
            arena.fault("a download that was stopped looks whole");
        }
    }
    drop(unread);
    arena.memory_after("downloads that nobody reads");
    arena.close();
}
