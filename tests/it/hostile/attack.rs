//! One hostile query, sent by every door at once.

use std::time::{Duration, Instant};

use super::arena::Arena;
use super::http::{Form, Reader};
use super::target::{Settings, first_cell};
use super::wire::{Client, Reply, Trouble};
use super::{PATIENCE, bound, ends_within, turn};

/// What must come of a query, beside the server's being as sound as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expect {
    /// An answer or an error.
    Anything,
    /// An error.
    Refused,
    /// This value in the first cell: what a person may well send must still be answered.
    Value(String),
}

#[derive(Debug, Clone)]
pub(super) struct Attack {
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) expect: Expect,
}

/// A query of which anything may come.
pub(super) fn any(name: impl Into<String>, sql: impl Into<String>) -> Attack {
    Attack { name: name.into(), sql: sql.into(), expect: Expect::Anything }
}

/// A query that must be refused.
pub(super) fn refused(name: impl Into<String>, sql: impl Into<String>) -> Attack {
    Attack { name: name.into(), sql: sql.into(), expect: Expect::Refused }
}

/// A query that must be answered.
pub(super) fn value(
    name: impl Into<String>,
    sql: impl Into<String>,
    first: impl Into<String>,
) -> Attack {
    Attack { name: name.into(), sql: sql.into(), expect: Expect::Value(first.into()) }
}

/// The deadline of the server for queries that do not end.
const DEADLINE: Duration = Duration::from_secs(1);

/// Texts above this may end a connection without a word, before all of them is read.
const LONG: usize = 256 << 10;

/// Attacks between two looks at the memory.
const BETWEEN_LOOKS: usize = 25;

/// What came of a query at one door.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Answer(Option<String>),
    /// With its SQLSTATE, or its status on the web.
    Error(String),
    Closed,
    Silent,
    /// The same connection answered another query wrongly afterwards.
    Wrong,
}

/// Sends every query by every door, and fails with all that went wrong.
pub(super) fn storm(attacks: &[Attack]) {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    for (at, attack) in attacks.iter().enumerate() {
        attempt(&mut arena, attack);
        if at % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 {
            arena.memory_after(&format!("the attacks up to `{}`", attack.name));
        }
    }
    arena.close();
}

struct Door {
    name: &'static str,
    web: bool,
}

const DOORS: [Door; 4] = [
    Door { name: "simple", web: false },
    Door { name: "extended", web: false },
    Door { name: "page", web: true },
    Door { name: "file", web: true },
];

/// Sends a query by every door at once.
fn attempt(arena: &mut Arena, attack: &Attack) {
    let (sql, started) = (attack.sql.as_str(), Instant::now());
    let form = if attack.expect == Expect::Anything { Form::Json } else { Form::Csv };
    let (simple, extended) = (arena.target.client(), arena.target.client());
    let stranger = arena.target.stranger();
    let outcomes = std::thread::scope(|scope| {
        let simple = scope.spawn(|| by_wire(simple, |client| client.simple(sql)));
        let extended = scope.spawn(|| by_wire(extended, |client| client.extended(sql, &[])));
        let page = scope.spawn(|| by_web(&stranger, Form::Page, sql));
        let file = scope.spawn(|| by_web(&stranger, form, sql));
        [simple, extended, page, file].map(|door| door.join().expect("a door ends"))
    });
    let took = started.elapsed();
    let held = arena.target.process();
    let (now, peak) = (held.memory() >> 20, held.peak() >> 20);
    let (name, took_ms) = (&attack.name, took.as_millis());
    println!("{name} ({took_ms} ms, {now} MiB, {peak} at most): {outcomes:?}");
    let died = !arena.target.process().is_alive();
    for (door, outcome) in DOORS.iter().zip(&outcomes) {
        if let Some(wrong) = judge(attack, door, outcome).filter(|_| !died) {
            arena.fault(format!("{} ({}): {wrong}", attack.name, door.name));
        }
    }
    if took > bound(DEADLINE + ends_within(), PATIENCE) {
        arena.fault(format!("{}: took {} ms", attack.name, took.as_millis()));
    }
    arena.after(&attack.name);
}

fn judge(attack: &Attack, door: &Door, outcome: &Outcome) -> Option<String> {
    let fits = match (outcome, &attack.expect) {
        (Outcome::Silent | Outcome::Wrong, _) => false,
        // A connection may be closed for what is sent on it; a page says why.
        (Outcome::Closed, Expect::Value(_)) => false,
        (Outcome::Closed, _) => !door.web || attack.sql.len() > LONG,
        // A page is a status; what stands in it is read from the file.
        (Outcome::Answer(None), Expect::Value(_)) if door.name == "page" => true,
        (Outcome::Answer(cell), Expect::Value(value)) => cell.as_ref() == Some(value),
        (Outcome::Answer(_), Expect::Refused) | (Outcome::Error(_), Expect::Value(_)) => false,
        (Outcome::Answer(_), Expect::Anything)
        | (Outcome::Error(_), Expect::Anything | Expect::Refused) => true,
    };
    (!fits).then(|| format!("{outcome:?} where {:?} is expected", attack.expect))
}

fn by_wire(
    client: Result<Client, Trouble>,
    ask: impl FnOnce(&mut Client) -> Result<Reply, Trouble>,
) -> Outcome {
    let Ok(mut client) = client else { return Outcome::Closed };
    let outcome = match ask(&mut client) {
        Ok(reply) => match &reply.failure {
            Some(failure) => Outcome::Error(failure.code.clone()),
            None => Outcome::Answer(reply.cell().map(shortened)),
        },
        Err(Trouble::Silent) => return Outcome::Silent,
        Err(Trouble::Refused(failure)) => return Outcome::Error(failure.code),
        Err(Trouble::Closed | Trouble::Garbled) => return Outcome::Closed,
    };
    // The same connection goes on. A slow build on shared processors may reach its short deadline
    // while what was stopped winds down; what it answers must be right.
    let started = Instant::now();
    loop {
        match client.simple("SELECT 40 + 2") {
            Ok(reply) if reply.cell() == Some("42") => return outcome,
            Ok(reply)
                if reply.code() == Some("57014")
                    && started.elapsed() < bound(Duration::ZERO, PATIENCE) => {}
            Ok(_) => return Outcome::Wrong,
            Err(_) => return Outcome::Closed,
        }
    }
}

fn by_web(reader: &Reader, form: Form, sql: &str) -> Outcome {
    match reader.ask(form, sql) {
        Ok(answer) if answer.status == 200 && answer.whole => {
            let text = answer.text();
            let cell = first_cell(&text).filter(|_| form == Form::Csv);
            Outcome::Answer(cell.map(shortened))
        }
        Ok(answer) if answer.status == 200 => Outcome::Error("cut".to_owned()),
        Ok(answer) => Outcome::Error(answer.status.to_string()),
        Err(Trouble::Silent) => Outcome::Silent,
        Err(_) => Outcome::Closed,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
