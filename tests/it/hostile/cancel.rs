//! Every way to stop a query, with every kind of query that takes long: each ends soon, computes no
//! more, and gives its memory back.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::arena::Arena;
use super::cpu::{BIG_AGGREGATE, BIG_SORT, CROSS_JOIN, ENDLESS, doubling};
use super::process::comes_true;
use super::target::{Settings, Target, exit_code};
use super::wire::{Client, Reply, Trouble};
use super::{PATIENCE, ends_within, turn};

/// Processor time after which a query counts as running.
const RUNNING: Duration = Duration::from_millis(300);

/// Deadline of a server where something else stops the query first.
const LATE_SECS: u64 = 60;

/// Part of a processor that a server at rest may use.
const AT_REST: f64 = 0.3;

/// SQLSTATE of a query that was stopped.
const STOPPED: &str = "57014";

/// A query that takes long, and whether it certainly does: one that a bound may refuse, or that
/// runs out of memory, can be over before it is stopped.
struct Slow {
    name: &'static str,
    sql: String,
    certain: bool,
}

fn slow() -> [Slow; 5] {
    let query = |name, sql: &str, certain| Slow { name, sql: sql.to_owned(), certain };
    [
        query("a cross join", CROSS_JOIN, true),
        query("18 tables that double", &doubling(18), false),
        query("a hash aggregate", BIG_AGGREGATE, false),
        query("a recursion", ENDLESS, true),
        query("a sort and a window", BIG_SORT, false),
    ]
}

fn settings(timeout_secs: u64) -> Settings {
    Settings { memory_bytes: 1 << 30, ..Settings::with_timeout(timeout_secs) }
}

/// Asks in a thread of its own.
fn asked(mut client: Client, sql: &str) -> Receiver<Result<Reply, Trouble>> {
    let (sender, receiver) = channel();
    let sql = sql.to_owned();
    std::thread::spawn(move || {
        client.within(PATIENCE);
        // Whoever waited may have given up.
        let _ = sender.send(client.simple(&sql));
    });
    receiver
}

/// Waits until the server computes; whether it does before the query is over.
fn is_running(target: &Target, before: Duration, mut over: impl FnMut() -> bool) -> bool {
    let process = target.process();
    let computes = || process.processor_time() > before + RUNNING;
    let mut done = false;
    comes_true(PATIENCE, || {
        done = over();
        done || computes()
    });
    !done && computes()
}

/// Notes what is wrong when something was stopped at an instant: the server must be at rest within
/// the bound, and give its memory back.
fn rests_after(arena: &mut Arena, what: &str, stopped: Instant) {
    let process = arena.target.process();
    let short = Duration::from_millis(250);
    let left = ends_within().saturating_sub(stopped.elapsed());
    if !comes_true(left, || process.load_over(short) < AT_REST) {
        arena.fault(format!(
            "{what}: the server computes {} s later",
            stopped.elapsed().as_secs_f64()
        ));
    }
    let load = process.load_over(Duration::from_secs(1));
    if load > AT_REST {
        arena.fault(format!("{what}: a load of {load:.2} over the following second"));
    }
    arena.memory_after(what);
    arena.after(what);
}

/// Runs each query, stops it by `stop` while it runs, and sees that all is over.
fn each(path: &str, timeout_secs: u64, stop: impl Fn(&Target, &Client) -> bool) {
    let _turn = turn();
    let mut arena = Arena::open(settings(timeout_secs));
    for slow in slow() {
        let what = format!("{}, stopped by {path}", slow.name);
        let (Ok(client), Ok(other)) = (arena.target.client(), arena.target.client()) else {
            arena.fault(format!("{what}: no connection"));
            continue;
        };
        let (before, key) = (arena.target.process().processor_time(), client.key().to_vec());
        let answer = asked(client, &slow.sql);
        let mut early = None;
        if !is_running(&arena.target, before, || {
            early = answer.try_recv().ok();
            early.is_some()
        }) {
            println!("{what}: over before: {early:?}");
            if slow.certain {
                arena.fault(format!("{what}: it was over before it was stopped: {early:?}"));
            }
            rests_after(&mut arena, &what, Instant::now());
            continue;
        }
        let stopped = Instant::now();
        let other = other.with_key(&key);
        if !stop(&arena.target, &other) {
            arena.fault(format!("{what}: it cannot be stopped"));
        }
        let ended = answer.recv_timeout(ends_within());
        println!(
            "{what}: {:?} after {} ms",
            ended.as_ref().map(|r| r.as_ref().map(Reply::code)),
            stopped.elapsed().as_millis()
        );
        match ended {
            Ok(Ok(reply)) if reply.code() == Some(STOPPED) => {}
            Ok(Ok(reply)) if !slow.certain => println!("{what}: {:?}", reply.failure),
            other => arena.fault(format!("{what}: {other:?}")),
        }
        rests_after(&mut arena, &what, stopped);
    }
    arena.close();
}

#[test]
fn a_request_to_cancel_ends_a_query() {
    each("a request to cancel", LATE_SECS, |_, client| client.cancel().is_ok());
}

#[test]
fn a_request_to_cancel_with_a_wrong_key_ends_nothing() {
    let _turn = turn();
    let arena = Arena::open(settings(3));
    let client = arena.target.client().expect("a connection");
    let (before, key) = (arena.target.process().processor_time(), client.key().to_vec());
    let answer = asked(client, CROSS_JOIN);
    assert!(is_running(&arena.target, before, || false));
    for at in 4..key.len() {
        let mut wrong = key.clone();
        wrong[at] ^= 1;
        let other = arena.target.raw().with_key(&wrong);
        assert_eq!(other.cancel(), Ok(()));
    }
    let early = answer.recv_timeout(Duration::from_millis(500));
    assert!(early.is_err(), "a wrong key stopped the query: {early:?}");
    arena.close();
}

#[test]
fn a_timeout_of_the_statement_ends_it() {
    in_time("SET statement_timeout", LATE_SECS, Some(500), Duration::from_millis(500));
}

#[test]
fn the_deadline_ends_a_query() {
    in_time("the deadline", 2, None, Duration::from_secs(2));
}

/// Runs each query and sees that it is over when its time is.
fn in_time(path: &str, timeout_secs: u64, milliseconds: Option<u64>, time: Duration) {
    let _turn = turn();
    let mut arena = Arena::open(settings(timeout_secs));
    for slow in slow() {
        let what = format!("{}, stopped by {path}", slow.name);
        let Ok(mut client) = arena.target.client() else {
            arena.fault(format!("{what}: no connection"));
            continue;
        };
        if let Some(milliseconds) = milliseconds {
            client.simple(&format!("SET statement_timeout = {milliseconds}")).expect("a setting");
        }
        let started = Instant::now();
        let ended = asked(client, &slow.sql).recv_timeout(time + ends_within());
        println!("{what}: after {} ms", started.elapsed().as_millis());
        match ended {
            Ok(Ok(reply)) if reply.code() == Some(STOPPED) => {}
            Ok(Ok(_)) if !slow.certain => {}
            other => arena.fault(format!("{what}: {other:?}")),
        }
        rests_after(&mut arena, &what, Instant::now());
    }
    arena.close();
}

#[test]
fn a_connection_that_is_lost_ends_its_query() {
    let _turn = turn();
    let mut arena = Arena::open(settings(LATE_SECS));
    for slow in slow() {
        let what = format!("{}, its connection lost", slow.name);
        let before = arena.target.process().processor_time();
        let mut client = arena.target.client().expect("a connection");
        client.say(&super::message::query(&slow.sql)).expect("the query is sent");
        is_running(&arena.target, before, || false);
        client.vanish();
        rests_after(&mut arena, &what, Instant::now());
    }
    arena.close();
}

#[test]
fn a_page_that_is_left_ends_its_query() {
    let _turn = turn();
    let mut arena = Arena::open(settings(LATE_SECS));
    for slow in slow() {
        let what = format!("{}, its page left", slow.name);
        let before = arena.target.process().processor_time();
        let reader = arena.target.stranger();
        let mut stream = std::net::TcpStream::connect(&reader.host).expect("the server listens");
        stream.write_all(&reader.question(super::http::Form::Csv, &slow.sql)).expect("it is sent");
        is_running(&arena.target, before, || false);
        drop(stream);
        rests_after(&mut arena, &what, Instant::now());
    }
    arena.close();
}

#[test]
fn a_signal_ends_the_server_and_its_queries() {
    let _turn = turn();
    let mut target = Target::start(settings(LATE_SECS));
    let mut faults = Vec::new();
    for slow in slow() {
        let before = target.process().processor_time();
        let answer = asked(target.client().expect("a connection"), &slow.sql);
        is_running(&target, before, || false);
        let stopped = Instant::now();
        target.process().signal("TERM");
        let code = exit_code(&mut target.server, ends_within());
        println!("{}: exit code {code:?} after {} ms", slow.name, stopped.elapsed().as_millis());
        if code != Some(0) {
            faults.push(format!("{}: exit code {code:?} after a signal", slow.name));
            target.process().signal("KILL");
        }
        if let Ok(Ok(reply)) = answer.recv_timeout(PATIENCE)
            && reply.failure.is_none()
            && slow.certain
        {
            faults.push(format!("{}: it was answered: {reply:?}", slow.name));
        }
        target.start_again();
    }
    assert!(faults.is_empty(), "{faults:?}");
}

/// Runs each query in a program, and stops it by `stop`.
fn each_by(path: &str, run: impl Fn(&Target, &str) -> Child, stop: impl Fn(&mut Child)) {
    let _turn = turn();
    let mut arena = Arena::open(settings(LATE_SECS));
    for slow in slow() {
        let what = format!("{}, stopped by {path}", slow.name);
        let before = arena.target.process().processor_time();
        let mut child = run(&arena.target, &slow.sql);
        let mut early = None;
        let running = is_running(&arena.target, before, || {
            early = child.try_wait().unwrap();
            early.is_some()
        });
        let stopped = Instant::now();
        if running {
            stop(&mut child);
        } else if slow.certain {
            arena.fault(format!("{what}: it was over before: {early:?}"));
        }
        if !comes_true(ends_within(), || child.try_wait().unwrap().is_some()) {
            arena.fault(format!("{what}: the client still waits"));
            child.kill().unwrap();
        }
        let said = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stderr) + String::from_utf8_lossy(&said.stdout);
        println!("{what}: {said}");
        if slow.certain && !said.contains(STOPPED) {
            arena.fault(format!("{what}: the client says {said}"));
        }
        rests_after(&mut arena, &what, stopped);
    }
    arena.close();
}

#[test]
fn psql_stops_a_query_by_its_interrupt() {
    let run = |target: &Target, sql: &str| {
        let mut command = crate::night::psql(&target.server);
        command.args(["-v", "VERBOSITY=verbose", "-c", sql]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    each_by("psql's interrupt", run, |psql| super::process::Process(psql.id()).signal("INT"));
}

#[test]
fn psycopg_stops_a_query_by_its_cancel() {
    let python = std::env::var_os("KHOYTE_PYTHON")
        .expect("KHOYTE_PYTHON names a Python with psycopg; `tests/run` makes one");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/psycopg_cancel.py");
    let run = |target: &Target, sql: &str| {
        let mut command = Command::new(&python);
        command.args([script, &target.server.connection(), sql]);
        command.env("PGPASSWORD", &target.server.password).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        // The rest of its output is a line, which comes when the query is over.
        let mut lines = BufReader::with_capacity(1, child.stdout.take().unwrap());
        lines.read_line(&mut ready).unwrap();
        child.stdout = Some(lines.into_inner());
        child
    };
    each_by("psycopg's cancel", run, |child| {
        child.stdin.take().unwrap().write_all(b"cancel\n").unwrap();
    });
}
