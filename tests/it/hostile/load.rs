//! Many readers at once, ten of them hostile: the others' answers are right.
//!
//! `KHOYTE_LOAD_SECS=600 KHOYTE_LOAD_CONNECTIONS=200 KHOYTE_BENCH=1` is the long form; it asks for
//! the promised times, the short one only for right answers.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::arena::Arena;
use super::cpu::{BIG_AGGREGATE, BIG_SORT, CROSS_JOIN, ENDLESS, doubling};
use super::http::{Form, Reader};
use super::message::Value;
use super::number;
use super::random::Random;
use super::target::{Settings, Target, colleague, first_cell};
use super::wire::{Client, Trouble};
use super::{strict, turn};

/// Readers who mean harm, of all.
const HOSTILE: u64 = 10;

/// Readers of the pages, one in so many of the others.
const BY_WEB: u64 = 8;

/// Short queries and the first cell of their answers.
const SHORT: [(&str, &str); 9] = [
    ("SELECT 40 + 2", "42"),
    ("SELECT upper('đà lạt')", "ĐÀ LẠT"),
    ("SELECT count(*) FROM generate_series(1, 1000)", "1000"),
    ("SELECT ten FROM danh_muc.don_vi WHERE ma = '24' ORDER BY tu_ngay LIMIT 1", "Bắc Giang"),
    (
        "SELECT CAST(sum(tu_so) AS BIGINT) FROM chi_tieu.ca_nuoc \
         WHERE ma_chi_tieu = 'sxh_so_mac_thang' AND nam = 2017",
        "172212",
    ),
    (
        "SELECT CAST(sum(tu_so) AS BIGINT) FROM chi_tieu_tai(DATE '2025-07-01') \
         WHERE ma_chi_tieu = 'sxh_so_mac_thang' AND nam = 2017 AND ma = '24'",
        "2373",
    ),
    (
        "SELECT count(DISTINCT don_vi) FROM chi_tieu_tai(DATE '2017-12-31') \
         WHERE ma_chi_tieu = 'sxh_so_mac_thang'",
        "63",
    ),
    ("SELECT count(*) FROM nguon.giam_sat_benh_thang WHERE so_mac BETWEEN 1 AND 4", "14372"),
    ("WITH a AS (SELECT 7 AS x) SELECT sum(x * 3) FROM a", "21"),
];

/// Questions of strangers by the page.
const OPEN: [(&str, &str); 2] =
    [("SELECT 40 + 2 AS a", "42"), ("SELECT length('xin chào') AS a", "8")];

/// Refusals that a full house may give.
const FULL: [&str; 3] = ["53300", "53200", "57014"];

#[derive(Debug, Default)]
struct Tally {
    /// What was answered, and how fast.
    took: Vec<(Duration, &'static str)>,
    refused: u64,
    wrong: Vec<String>,
    hostile: u64,
}

fn hostile() -> Vec<String> {
    let deep = format!("SELECT 1{}", "+1".repeat(20_000));
    let wide = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(3_000));
    [
        CROSS_JOIN,
        BIG_AGGREGATE,
        BIG_SORT,
        ENDLESS,
        &doubling(18),
        &deep,
        &wide,
        "SELECT array_resize(ARRAY[1],1000000000,0)",
        "SELECT length(repeat('x', 1000000000))",
        "SELECT value, repeat('x', 1000) FROM generate_series(1, 1000000000)",
        "SELECT string_agg('abcdefghij', ',') FROM generate_series(1, 1000000000)",
    ]
    .map(str::to_owned)
    .into()
}

#[test]
fn short_queries_beside_hostile_ones_are_answered_rightly() {
    let _turn = turn();
    let seconds = number("KHOYTE_LOAD_SECS", 20);
    let connections = number("KHOYTE_LOAD_CONNECTIONS", 40);
    let settings = Settings { memory_bytes: 1 << 30, ..Settings::with_timeout(10) };
    let mut arena = Arena::open(settings);
    let end = Instant::now() + Duration::from_secs(seconds);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for at in 0..connections {
            let (target, tally) = (&arena.target, &tally);
            scope.spawn(move || {
                let mut random = Random::new(at);
                let mine = match at {
                    at if at < HOSTILE => attack(target, end, &mut random),
                    at if at.is_multiple_of(BY_WEB) => read(&target.stranger(), end, &mut random),
                    _ => ask(target, &colleague(at), end, &mut random),
                };
                let mut all = tally.lock().unwrap();
                all.took.extend(mine.took);
                all.wrong.extend(mine.wrong);
                all.refused += mine.refused;
                all.hostile += mine.hostile;
            });
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.took.sort();
    let asked = tally.took.len() as u64 + tally.refused;
    println!(
        "{connections} connections, {seconds} s: {} short answers, {} refused, {} wrong; \
         p50 {:?}, p99 {:?}; {} hostile queries; {} MiB at most",
        tally.took.len(),
        tally.refused,
        tally.wrong.len(),
        part(&tally.took, 50),
        part(&tally.took, 99),
        tally.hostile,
        super::watch::mib(arena.target.process().peak()),
    );
    for kind in tally.took.iter().map(|(_, asked)| *asked).collect::<BTreeSet<_>>() {
        let took: Vec<_> = tally.took.iter().filter(|(_, asked)| *asked == kind).copied().collect();
        let (half, most) = (part(&took, 50), part(&took, 99));
        println!("  {:>7} p50 {half:.0?}, p99 {most:.0?}: {kind:.70}", took.len());
    }
    let wrong: Vec<String> = tally.wrong.into_iter().take(10).collect();
    wrong.into_iter().for_each(|wrong| arena.fault(wrong));
    if tally.refused * 2 > asked || asked == 0 {
        arena.fault(format!("{} of {asked} short queries were refused", tally.refused));
    }
    if strict() && (part(&tally.took, 99) > Duration::from_secs(1) || tally.refused * 100 > asked) {
        arena.fault(format!("p99 {:?}, {} refused", part(&tally.took, 99), tally.refused));
    }
    arena.memory_after("the load");
    arena.after("the load");
    arena.close();
}

/// The time within which a part of all, in hundredths, was answered.
fn part(sorted: &[(Duration, &str)], hundredths: usize) -> Duration {
    let at = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map(|(took, _)| *took).unwrap_or_default()
}

/// A planner with short questions, by both protocols.
fn ask(target: &Target, name: &str, end: Instant, random: &mut Random) -> Tally {
    let mut tally = Tally::default();
    let mut client: Option<Client> = None;
    while Instant::now() < end && target.process().is_alive() {
        let open = client.take().map_or_else(|| target.client_of(name), Ok);
        let mut open = match open {
            Ok(open) => open,
            Err(Trouble::Refused(failure)) if FULL.contains(&failure.code.as_str()) => {
                tally.refused += 1;
                continue;
            }
            Err(trouble) => {
                tally.wrong.push(format!("no log-in: {trouble:?}"));
                return tally;
            }
        };
        let number = random.below(1_000).to_string();
        let (sql, expected) = *random.pick(&SHORT);
        let started = Instant::now();
        let mut asked = sql;
        let (reply, expected) = match random.below(3) {
            0 => {
                let values = [Value::Text(number.clone())];
                asked = "SELECT $1::int";
                (open.extended(asked, &values), number.as_str())
            }
            1 => (open.extended(sql, &[]), expected),
            _ => (open.simple(sql), expected),
        };
        match reply {
            Ok(reply) if reply.cell() == Some(expected) && reply.failure.is_none() => {
                tally.took.push((started.elapsed(), asked));
                client = Some(open);
            }
            Ok(reply) if reply.code().is_some_and(|code| FULL.contains(&code)) => {
                tally.refused += 1;
                client = Some(open);
            }
            other => tally.wrong.push(format!("{sql}: {other:?} in place of {expected}")),
        }
    }
    tally
}

/// A stranger at the pages.
fn read(reader: &Reader, end: Instant, random: &mut Random) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < end && tally.wrong.is_empty() {
        let (sql, expected) = *random.pick(&OPEN);
        let started = Instant::now();
        match reader.ask(Form::Csv, sql) {
            Ok(answer) if answer.status == 200 && first_cell(&answer.text()) == Some(expected) => {
                tally.took.push((started.elapsed(), "a page"));
            }
            Ok(answer) if matches!(answer.status, 429 | 503 | 504) => tally.refused += 1,
            other => tally.wrong.push(format!("{sql} by the page: {other:?}")),
        }
    }
    tally
}

/// A planner who means harm.
fn attack(target: &Target, end: Instant, random: &mut Random) -> Tally {
    let (hostile, mut tally) = (hostile(), Tally::default());
    while Instant::now() < end && target.process().is_alive() {
        let Ok(mut client) = target.client() else { continue };
        // How it ends is another test's question.
        let sql: &String = random.pick(&hostile);
        let _ = if random.one_in(3) { client.extended(sql, &[]) } else { client.simple(sql) };
        tally.hostile += 1;
    }
    tally
}
