//! Before log-in a stranger may say little, and not for long.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::arena::Arena;
use super::message;
use super::process::comes_true;
use super::target::{PLANNER, SPARE, Settings, Target};
use super::watch::mib;
use super::wire::{Client, Trouble};
use super::{PATIENCE, bound, turn};

/// How long a log-in may take.
const LOG_IN_SECS: u64 = 20;

/// The longest message before log-in.
const LONGEST: u32 = 10_000;

/// Connections that only stand there.
const HALF_OPEN: usize = 500;

/// How much memory strangers may hold together.
const STRANGERS_BYTES: u64 = 64 << 20;

fn at_once() -> Duration {
    bound(Duration::from_secs(1), Duration::from_secs(3))
}

/// Log-ins, as far as a stranger gets, that say a length.
fn sasl_of_length(length: u32) -> Vec<u8> {
    let said = message::frame_of_length(b'p', length, b"SCRAM-SHA-256\0");
    [message::startup(SPARE, &[]), said].concat()
}

#[test]
fn long_messages_close_the_connection() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let startup = message::startup(SPARE, &[]);
    let with_version = |length: u32| [length.to_be_bytes(), 196_608_u32.to_be_bytes()].concat();
    let long = "x".repeat(LONGEST as usize + 1);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a first message that says 10,001 bytes", with_version(LONGEST + 1)),
        ("a first message that says 100 MB", with_version(100_000_000)),
        ("a first message that says 2 GiB", with_version(u32::MAX / 2)),
        ("a first message that says 4 GiB", with_version(u32::MAX)),
        ("a first message that says nothing", with_version(0)),
        ("a first message that says 7 bytes", with_version(7)),
        ("a long name", message::startup(&long, &[])),
        ("a long setting", message::startup(SPARE, &[("application_name", &long)])),
        ("many settings", message::startup(SPARE, &vec![("a", "b"); 5_000])),
        ("a log-in that says 10,001 bytes", sasl_of_length(LONGEST + 1)),
        ("a log-in that says 100 MB", sasl_of_length(100_000_000)),
        ("a log-in that says 4 GiB", sasl_of_length(u32::MAX)),
        ("a log-in that says 3 bytes", sasl_of_length(3)),
        ("a long proof", [startup.clone(), message::sasl_initial("SCRAM-SHA-256", &long)].concat()),
        ("a long query before log-in", [startup, message::query(&long)].concat()),
        ("a query before anything", message::query("SELECT 1")),
        ("a request of the web", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        ("a greeting of TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    ];
    for (name, bytes) in &cases {
        let mut client = arena.target.raw();
        // The server may have closed while this is sent.
        let _ = client.say(bytes);
        if !client.is_closed_within(at_once()) {
            arena.fault(format!("{name}: the connection stands"));
        }
        arena.after(name);
    }
    arena.close();
}

#[test]
fn what_is_no_log_in_comes_to_an_end() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let startup = message::startup(SPARE, &[]);
    let behind = |more: &[u8]| [&startup, more].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a query", behind(&message::query("SELECT 1"))),
        ("a parse", behind(&message::extended("SELECT 1", &[], &[]))),
        ("another mechanism", behind(&message::sasl_initial("PLAIN", "\0ke_hoach_hai\0x"))),
        ("an empty mechanism", behind(&message::sasl_initial("", ""))),
        ("words that are no SCRAM", behind(&message::sasl_initial("SCRAM-SHA-256", "n,,x=y"))),
        ("a proof before its time", behind(&message::frame(b'p', b"c=biws,r=a,p=AAAA"))),
        ("another version", message::startup_of_version(131_072, b"user\0x\0\0")),
        ("a version of the future", message::startup_of_version(0xffff_0000, b"user\0x\0\0")),
        ("a first message without its end", message::startup_of_version(196_608, b"user\0x")),
        ("a first message without a name", message::startup_of_version(196_608, b"\0")),
        ("a name that is no text", message::startup_of_version(196_608, b"user\0\xff\xfe\0\0")),
        ("a question for TLS, 1,000 times", message::tls().repeat(1_000)),
        ("a cancel with a long key", message::cancel(&[7; 9_000])),
        ("a cancel with a short key", message::cancel(&[7; 2])),
    ];
    let started = Instant::now();
    let mut standing = Vec::new();
    for (name, bytes) in &cases {
        let mut client = arena.target.raw();
        if client.say(bytes).is_ok() {
            standing.push((name, client));
        }
        arena.after(name);
    }
    let until = started + Duration::from_secs(LOG_IN_SECS);
    for (name, mut client) in standing {
        if !is_closed_by(&mut client, until) {
            arena.fault(format!("{name} before log-in: the connection stands"));
        }
    }
    arena.close();
}

/// Whether a connection is closed at an instant, or now where that is past.
fn is_closed_by(client: &mut Client, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    client.is_closed_within(left.max(Duration::from_millis(5)))
}

#[test]
fn half_open_connections_keep_nobody_out() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let opened = Instant::now();
    let mut standing = Vec::new();
    let startup = message::startup(PLANNER, &[]);
    for at in 0..HALF_OPEN {
        // Refused is one of the two answers there may be.
        let Ok(mut client) = Client::connect(arena.target.server.postgres, PATIENCE) else {
            continue;
        };
        let said: &[u8] = match at % 4 {
            0 => b"",
            1 => &startup[..9],
            2 => &startup,
            _ => &[0, 0],
        };
        if client.say(said).is_ok() {
            standing.push(client);
        }
    }
    for at in 0..10 {
        let asked = Instant::now();
        let reply = arena.target.client().and_then(|mut client| client.simple("SELECT 1"));
        let slow = asked.elapsed() > bound(Duration::from_secs(1), Duration::from_secs(5));
        if slow || !matches!(&reply, Ok(reply) if reply.cell() == Some("1")) {
            arena.fault(format!("log-in {at} beside them: {reply:?} in {:?}", asked.elapsed()));
        }
    }
    let until = opened + Duration::from_secs(LOG_IN_SECS);
    let mut stand = 0;
    for client in &mut standing {
        stand += usize::from(!is_closed_by(client, until));
    }
    if stand > 0 {
        arena.fault(format!("{stand} half-open connections stand for ever"));
    }
    drop(standing);
    arena.after("500 half-open connections");
    arena.close();
}

#[test]
fn a_slow_log_in_is_over_in_time() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let mut stream = TcpStream::connect(("127.0.0.1", arena.target.server.postgres)).unwrap();
    let started = Instant::now();
    let bytes = message::startup(SPARE, &[("application_name", &"x".repeat(9_000))]);
    let mut bytes = bytes.iter();
    // One byte after another never comes to an end by itself.
    let ended = comes_true(Duration::from_secs(LOG_IN_SECS), || {
        let Some(byte) = bytes.next() else { return true };
        stream.write_all(&[*byte]).is_err()
    });
    if !ended {
        arena.fault(format!("it stands after {} s", started.elapsed().as_secs()));
    }
    arena.after("a slow log-in");
    arena.close();
}

#[test]
fn strangers_hold_no_memory() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let (process, port) = (arena.target.process(), arena.target.server.postgres);
    let before = process.peak();
    let length = 100_000_000_u32;
    let beginnings = [
        [length.to_be_bytes(), 196_608_u32.to_be_bytes()].concat(),
        [message::startup(SPARE, &[]), message::frame_of_length(b'p', length, b"")].concat(),
        [message::startup("ai", &[]), message::frame_of_length(b'Q', length, b"")].concat(),
        [message::tls(), length.to_be_bytes().to_vec(), vec![0, 3, 0, 0]].concat(),
        message::frame_of_length(b'Q', length, b""),
    ];
    std::thread::scope(|scope| {
        for beginning in &beginnings {
            scope.spawn(move || {
                let Ok(mut client) = Client::connect(port, Duration::from_secs(5)) else { return };
                let piece = vec![b'x'; 1 << 20];
                let mut sent = client.say(beginning);
                // What the server reads of this it may throw away, or close; both end the loop.
                for _ in 0..length >> 20 {
                    sent = sent.and_then(|()| client.say(&piece));
                }
                let _ = sent;
            });
        }
    });
    let held = process.peak().saturating_sub(before);
    if held > STRANGERS_BYTES {
        arena.fault(format!("five strangers held {} MiB", mib(held)));
    }
    arena.after("five strangers");
    arena.close();
}

#[test]
fn wrong_passwords_are_refused_and_tell_nothing() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let port = arena.target.server.postgres;
    let refusal = |name: &str, password: &str| match Client::log_in(port, name, password, PATIENCE)
    {
        Err(Trouble::Refused(failure)) => (failure.code, failure.message.replace(name, "NAME")),
        Err(trouble) => (format!("{trouble:?}"), String::new()),
        Ok(_) => ("in".to_owned(), String::new()),
    };
    let known = refusal(SPARE, "sai");
    let unknown = refusal("ai_do", "sai");
    if known != unknown || !known.0.starts_with("28") {
        arena.fault(format!("a known name: {known:?}; an unknown one: {unknown:?}"));
    }
    for name in
        ["", "\u{202e}", "ke_hoach ", "KE_HOACH", "ke_hoach'--", "../../etc/passwd", "n=x,r=y"]
    {
        let found = refusal(name, &arena.target.server.password);
        if found.0 == "in" {
            arena.fault(format!("`{name}` is let in"));
        }
    }
    arena.after("wrong passwords");
    arena.close();
}

#[test]
fn connections_beyond_measure_are_refused_and_not_forgotten() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let open = |target: &Target| target.client().ok();
    let clients: Vec<Client> = (0..600).map_while(|_| open(&arena.target)).collect();
    println!("{} connections of one planner", clients.len());
    let health = arena.target.stranger().get("/health").map(|answer| answer.status);
    if health != Ok(200) {
        arena.fault(format!("/health beside them: {health:?}"));
    }
    drop(clients);
    // A place is free again as soon as the server has seen that a connection is gone.
    if !comes_true(PATIENCE, || open(&arena.target).is_some()) {
        arena.fault("nobody is let in after they are gone");
    }
    let mut half: Vec<TcpStream> = Vec::new();
    for _ in 0..50 {
        let stream = TcpStream::connect(("127.0.0.1", arena.target.server.postgres)).unwrap();
        // Ends of connections in both directions, at once and in the middle.
        let _ = stream.shutdown(if half.len().is_multiple_of(2) {
            Shutdown::Write
        } else {
            Shutdown::Read
        });
        half.push(stream);
    }
    arena.after("connections that end at once");
    arena.close();
}
