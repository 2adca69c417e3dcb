//! Broken conversations on the port of `PostgreSQL` clients: right ones with a few bytes wrong,
//! before and after log-in, and bytes that mean nothing. Each ends as soon as its sender is done.

use std::time::Duration;

use super::arena::Arena;
use super::full;
use super::message::{
    self, Value, bind, close, describe, execute, extended, frame, parse, query, sync,
};
use super::random::{Random, mutate};
use super::target::{SPARE, Settings};
use super::turn;
use super::wire::Client;

/// Conversations of each kind, in CI and in the long form.
fn conversations() -> u64 {
    if full() { 10_000 } else { 1_000 }
}

/// Conversations between two looks at the server.
const BETWEEN_LOOKS: u64 = 100;

/// How long a conversation may go on after its sender is done.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// What is said before log-in.
fn before_log_in(random: &mut Random) -> Vec<u8> {
    let startup =
        message::startup(SPARE, &[("application_name", "x"), ("client_encoding", "UTF8")]);
    let first = message::sasl_initial("SCRAM-SHA-256", "n,,n=,r=khach");
    let last =
        message::frame(b'p', b"c=biws,r=khach,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    match random.below(6) {
        0 => startup,
        1 => [startup, first].concat(),
        2 => [startup, first, last].concat(),
        3 => [message::tls(), startup].concat(),
        4 => message::cancel(&[7; 8]),
        _ => [startup, query("SELECT 1")].concat(),
    }
}

/// What is said after log-in.
fn after_log_in(random: &mut Random) -> Vec<u8> {
    let count = 1 + random.below(6);
    let mut said = Vec::new();
    for _ in 0..count {
        said.extend(one_message(random));
    }
    said.extend(sync());
    said
}

fn one_message(random: &mut Random) -> Vec<u8> {
    let name = *random.pick(&["", "a", "b"]);
    let sql = *random.pick(&[
        "SELECT 1",
        "SELECT $1::int + 1",
        "SELECT ten FROM danh_muc.don_vi WHERE ma = $1",
        "SELECT value FROM generate_series(1, 100) WHERE value > $1",
        "BEGIN",
        "COMMIT",
        "DECLARE c CURSOR FOR SELECT 1",
        "FETCH 1 FROM c",
        "SET application_name = 'x'",
        "SHOW server_version",
        "SELEC",
        "",
    ]);
    let values = [Value::Text("24".into()), Value::Binary(vec![0, 0, 0, 7]), Value::Null];
    let value = random.pick(&values).clone();
    match random.below(11) {
        0 => query(sql),
        1 => parse(name, sql, &[]),
        2 => parse(name, sql, &[23]),
        3 => bind(name, name, std::slice::from_ref(&value)),
        4 => bind(name, name, &[]),
        5 => describe(*random.pick(b"SP?"), name),
        6 => execute(name, *random.pick(&[0, 1, -1, i32::MAX])),
        7 => close(*random.pick(b"SP?"), name),
        8 => extended(sql, &[], &[value]),
        9 => {
            let content = random.bytes(12);
            frame(*random.pick(b"FdcfHSXp!\0"), &content)
        }
        _ => sync(),
    }
}

/// Says one thing on each of many connections, which are opened by `open`, and ends each.
fn talk(
    purpose: u64,
    open: impl Fn(&Arena) -> Option<Client>,
    say: impl Fn(&mut Random) -> Vec<u8>,
) {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    for number in 0..conversations() {
        let mut random = Random::new(purpose << 32 | number);
        let bytes = say(&mut random);
        let Some(mut client) = open(&arena) else {
            arena.fault(format!("no connection for conversation {number}"));
            arena.after(&format!("conversation {number}"));
            continue;
        };
        // The server may close while it is still talked to.
        let _ = client.say(&bytes);
        client.done_talking();
        if !client.is_closed_within(ENDS_WITHIN) {
            let beginning: String = bytes.escape_ascii().take(300).map(char::from).collect();
            arena.fault(format!("conversation {number} does not end: {beginning}"));
        }
        if !arena.target.process().is_alive() || number % BETWEEN_LOOKS == 0 {
            let beginning: String = bytes.escape_ascii().take(300).map(char::from).collect();
            arena.after(&format!("conversation {number}: {beginning}"));
        }
    }
    arena.memory_after("all conversations");
    arena.after("all conversations");
    arena.close();
}

#[test]
fn broken_log_ins() {
    talk(
        1,
        |arena| Client::connect(arena.target.server.postgres, super::PATIENCE).ok(),
        |random| {
            let mut bytes = before_log_in(random);
            mutate(random, &mut bytes);
            bytes
        },
    );
}

#[test]
fn broken_conversations() {
    talk(
        2,
        |arena| arena.target.client().ok(),
        |random| {
            let mut bytes = after_log_in(random);
            mutate(random, &mut bytes);
            bytes
        },
    );
}

#[test]
fn conversations_of_unusual_orders() {
    talk(3, |arena| arena.target.client().ok(), after_log_in);
}

#[test]
fn bytes_that_mean_nothing() {
    let bytes = |random: &mut Random| {
        let count = *random.pick(&[1, 4, 5, 8, 9, 64, 1_000, 20_000]);
        random.bytes(count)
    };
    talk(4, |arena| Client::connect(arena.target.server.postgres, super::PATIENCE).ok(), bytes);
}
