//! Thousands of what a connection may have a few of: cursors, prepared statements, portals,
//! messages under way, answers that nobody reads.

use std::time::{Duration, Instant};

use super::arena::Arena;
use super::cpu::CROSS_JOIN;
use super::message::{bind, close, execute, extended, frame, parse, query, sync};
use super::process::comes_true;
use super::target::Settings;
use super::watch::mib;
use super::wire::{Client, Reply, Trouble};
use super::{PATIENCE, bound, ends_within, turn};

const ENDLESS_ROWS: &str = "SELECT value, repeat('x', 1000) FROM generate_series(1, 1000000000)";

/// What is done on one connection.
type Deed<'a> = dyn Fn(&mut Client) -> Result<Reply, Trouble> + 'a;

/// Runs cases on connections of their own, and sees that nothing stays.
fn each(cases: &[(&str, &Deed<'_>)]) {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    for (name, run) in cases {
        let started = Instant::now();
        match arena.target.client() {
            Ok(mut client) => {
                let ended = run(&mut client);
                let process = arena.target.process();
                println!(
                    "{name} ({} ms, {} MiB, {} at most): {:?}",
                    started.elapsed().as_millis(),
                    mib(process.memory()),
                    mib(process.peak()),
                    ended.as_ref().map(|reply| (reply.code(), reply.tags.len())),
                );
                if ended.is_err_and(|trouble| trouble == Trouble::Silent) {
                    arena.fault(format!("{name}: nothing comes"));
                }
            }
            Err(trouble) => arena.fault(format!("{name}: no connection: {trouble:?}")),
        }
        arena.memory_after(name);
        arena.after(name);
    }
    arena.close();
}

/// The last answer of many questions; ends early where the server refuses to go on.
fn ask_all(
    client: &mut Client,
    questions: impl Iterator<Item = Vec<u8>>,
) -> Result<Reply, Trouble> {
    let mut last = Reply::default();
    for question in questions {
        last = client.exchange(&question)?;
    }
    Ok(last)
}

#[test]
fn thousands_of_everything() {
    let declare = |i: usize| {
        query(&format!("DECLARE c{i} CURSOR FOR SELECT value FROM generate_series(1, 1000000000)"))
    };
    let fetch = |i: usize| query(&format!("FETCH 1 FROM c{i}"));
    let long = |i: usize| format!("SELECT '{}{i}'", "x".repeat(200_000));
    each(&[
        ("3,000 cursors", &|client| {
            ask_all(client, std::iter::once(query("BEGIN")).chain((0..3_000).map(declare)))
        }),
        ("300 cursors under way", &|client| {
            let both = (0..300).flat_map(|i| [declare(i), fetch(i)]);
            ask_all(client, std::iter::once(query("BEGIN")).chain(both))
        }),
        ("a cursor that is declared 1,000 times", &|client| {
            ask_all(client, std::iter::once(query("BEGIN")).chain((0..1_000).map(|_| declare(0))))
        }),
        ("a cursor that fetches everything", &|client| {
            let all = [query("BEGIN"), declare(0), query("FETCH ALL FROM c0")];
            ask_all(client, all.into_iter())
        }),
        ("a cursor that fetches back and beyond", &|client| {
            let all = [
                "BEGIN",
                "DECLARE a CURSOR FOR SELECT 1",
                "FETCH BACKWARD 9223372036854775807 FROM a",
                "FETCH 9223372036854775807 FROM a",
                "FETCH -1 FROM a",
                "FETCH ABSOLUTE 0 FROM khong_co",
                "CLOSE ALL",
                "FETCH 1 FROM a",
            ];
            ask_all(client, all.into_iter().map(query))
        }),
        ("5,000 prepared statements", &|client| {
            ask_all(
                client,
                (0..5_000)
                    .map(|i| [parse(&format!("s{i}"), "SELECT $1::int", &[]), sync()].concat()),
            )
        }),
        ("3,000 long prepared statements", &|client| {
            ask_all(
                client,
                (0..3_000).map(|i| [parse(&format!("s{i}"), &long(i), &[]), sync()].concat()),
            )
        }),
        ("one statement prepared 3,000 times", &|client| {
            ask_all(
                client,
                (0..3_000)
                    .map(|_| [close(b'S', "s"), parse("s", "SELECT 1", &[]), sync()].concat()),
            )
        }),
        ("prepared statements by text", &|client| {
            ask_all(client, (0..1_000).map(|i| query(&format!("PREPARE p{i} AS SELECT {i}"))))
        }),
        ("300 portals under way", &|client| {
            client.exchange(&[parse("s", ENDLESS_ROWS, &[]), sync()].concat())?;
            client.say(&query("BEGIN"))?;
            client.until_ready()?;
            ask_all(
                client,
                (0..300).map(|i| {
                    let name = format!("p{i}");
                    [bind(&name, "s", &[]), execute(&name, 1), sync()].concat()
                }),
            )
        }),
        ("long portals", &|client| {
            let value = super::message::Value::Text("x".repeat(1 << 20));
            client.exchange(&[parse("s", "SELECT length($1::text)", &[25]), sync()].concat())?;
            ask_all(
                client,
                (0..1_500).map(|i| {
                    [bind(&format!("p{i}"), "s", std::slice::from_ref(&value)), sync()].concat()
                }),
            )
        }),
        ("settings without end", &|client| {
            ask_all(
                client,
                (0..3_000).map(|i| query(&format!("SET a.b{i} = '{}'", "x".repeat(10_000)))),
            )
        }),
        ("a transaction that fails 3,000 times", &|client| {
            ask_all(
                client,
                std::iter::once("BEGIN").chain(std::iter::repeat_n("SELECT 1/0", 3_000)).map(query),
            )
        }),
        ("savepoints without end", &|client| {
            ask_all(
                client,
                std::iter::once(query("BEGIN"))
                    .chain((0..3_000).map(|i| query(&format!("SAVEPOINT s{i}")))),
            )
        }),
    ]);
}

#[test]
fn messages_under_way() {
    each(&[
        ("3,000 questions at once", &|client| {
            let all = extended("SELECT 1", &[], &[]).repeat(3_000);
            let written = client.say(&all);
            let mut last = Reply::default();
            for _ in 0..3_000 {
                last = client.until_ready()?;
            }
            written.map(|()| last)
        }),
        ("3,000 simple questions at once", &|client| {
            client.say(&query("SELECT 1").repeat(3_000))?;
            (0..2_999).try_for_each(|_| client.until_ready().map(drop))?;
            client.until_ready()
        }),
        ("3,000 questions and one answer", &|client| {
            // Only the end of all of them is heard: a slow build needs half a minute for so many.
            client.within(bound(PATIENCE, 3 * PATIENCE));
            let one = extended("SELECT 1", &[], &[]);
            let one = &one[..one.len() - sync().len()];
            client.exchange(&[one.repeat(3_000), sync()].concat())
        }),
        ("a question among 100 MB of nothing", &|client| {
            client.exchange(&[frame(b'd', &vec![0; 100 << 20]), query("SELECT 1")].concat())
        }),
        ("a text of 100 MB", &|client| {
            client.exchange(&query(&format!("SELECT '{}'", "x".repeat(100 << 20))))
        }),
        ("a text of 100 MB in a parse", &|client| {
            client.exchange(&[parse("", &" ".repeat(100 << 20), &[]), sync()].concat())
        }),
        ("an answer that is read to its end", &|client| {
            client.simple("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
        }),
        ("a long answer", &|client| client.simple(ENDLESS_ROWS)),
        ("a long answer row by row", &|client| {
            let head = [parse("", ENDLESS_ROWS, &[]), bind("", "", &[])].concat();
            client.exchange(&[head, execute("", 1).repeat(3_000), sync()].concat())
        }),
    ]);
}

#[test]
fn answers_that_nobody_reads() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let process = arena.target.process();
    let mut unread: Vec<Client> = Vec::new();
    for at in 0..20 {
        let Ok(mut client) = arena.target.client() else { break };
        let question =
            if at % 2 == 0 { query(ENDLESS_ROWS) } else { extended(ENDLESS_ROWS, &[], &[]) };
        if client.say(&question).is_ok() {
            unread.push(client);
        }
    }
    arena.after("20 answers that nobody reads");
    // Their deadline passes, whether anybody reads or not.
    let rests = || process.load_over(Duration::from_millis(500)) < 0.3;
    if !comes_true(Duration::from_secs(1) + ends_within(), rests) {
        arena.fault("answers that nobody reads are computed for ever");
    }
    drop(unread);
    let mut heavy = arena.target.client().expect("a connection");
    // What is not read yet is not run once the connection is gone.
    let sent = heavy.say(&extended(CROSS_JOIN, &[], &[]).repeat(200));
    println!("200 heavy questions at once: {sent:?}");
    heavy.vanish();
    if !comes_true(ends_within() * 2, rests) {
        arena.fault("questions of a lost connection are run one after another");
    }
    arena.memory_after("answers that nobody reads");
    arena.after("answers that nobody reads");
    arena.close();
}

#[test]
fn many_heavy_queries_at_once() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let heavy = [
        CROSS_JOIN,
        super::cpu::BIG_AGGREGATE,
        super::cpu::BIG_SORT,
        super::cpu::ENDLESS,
        "SELECT length(repeat('x', 400000000))",
        "SELECT count(*) FROM (SELECT DISTINCT value * 3 FROM generate_series(1, 1000000000)) AS t",
        "SELECT array_length(array_agg(value)) FROM generate_series(1, 1000000000)",
        ENDLESS_ROWS,
    ];
    let ended = std::thread::scope(|scope| {
        let asked = (0..40).map(|at| {
            let target = &arena.target;
            scope.spawn(move || {
                let mut client = target.client()?;
                client.within(PATIENCE * 3);
                client.simple(heavy[at % heavy.len()])
            })
        });
        let asked: Vec<_> = asked.collect();
        let short = arena.target.client().and_then(|mut client| client.simple("SELECT 6 * 7"));
        println!("a short query beside them: {short:?}");
        asked.into_iter().map(|one| one.join().expect("a thread ends")).collect::<Vec<_>>()
    });
    let silent = ended.iter().filter(|one| matches!(one, Err(Trouble::Silent))).count();
    if silent > 0 {
        arena.fault(format!("{silent} of 40 heavy queries do not end"));
    }
    arena.memory_after("40 heavy queries at once");
    arena.after("40 heavy queries at once");
    arena.close();
}
