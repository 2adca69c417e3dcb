//! Thousands of statements out of the grammar, by several connections at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::arena::Arena;
use super::grammar::{Function, Grammar, Table};
use super::http::Form;
use super::target::{Settings, Target};
use super::turn;
use super::vocabulary::Kind;
use super::wire::{Client, Failure, Trouble};

const STATEMENTS: u64 = 10_000;

/// Connections at once.
const CONNECTIONS: u64 = 4;

/// Statements between two looks at the server.
const ROUND: u64 = 250;

/// One statement in so many is asked by the page as well.
const BY_PAGE: u64 = 20;

/// All rows of a query, a cell of text each: a client of these tests keeps the first rows only, so
/// they come in one.
fn list(client: &mut Client, column: &str, from: &str) -> Vec<String> {
    let sql = format!("SELECT string_agg({column}, '\n') FROM ({from}) AS t");
    let reply = client.simple(&sql).expect("an answer");
    assert!(reply.failure.is_none(), "{sql}: {reply:?}");
    reply.cell().unwrap_or_default().lines().map(str::to_owned).collect()
}

/// What the server says that it has.
fn grammar(target: &Target) -> Grammar {
    let mut client = target.client().expect("a connection");
    let mut forms = |kind: &str| -> Vec<Function> {
        let inputs = "string_agg(CASE WHEN parameter_mode = 'IN' THEN p.data_type END, ';' \
                      ORDER BY parameter_mode, ordinal_position)";
        let from = format!(
            "SELECT p.specific_name AS name, p.rid, coalesce({inputs}, '') AS takes, \
             max(CASE WHEN parameter_mode = 'OUT' THEN p.data_type END) AS gives \
             FROM information_schema.parameters AS p WHERE p.specific_name IN \
             (SELECT routine_name FROM information_schema.routines WHERE function_type = '{kind}') \
             GROUP BY p.specific_name, p.rid ORDER BY p.specific_name, p.rid"
        );
        let lines = list(&mut client, "name || '\t' || takes || '\t' || gives", &from);
        let forms: Vec<Function> = lines.iter().filter_map(|line| form(line)).collect();
        assert!(forms.len() > 20, "{kind}: {lines:?}");
        forms
    };
    let (functions, aggregates) = (forms("SCALAR"), forms("AGGREGATE"));
    let routines =
        "SELECT DISTINCT routine_name AS name FROM information_schema.routines ORDER BY 1";
    let names = list(&mut client, "name", routines);
    let columns = "SELECT table_schema || '.' || table_name || '\t' || column_name || '\t' || data_type \
                   AS line FROM information_schema.columns WHERE table_schema IN \
                   ('danh_muc', 'nguon', 'kho', 'chi_tieu', 'he_thong') ORDER BY line";
    let mut tables: Vec<Table> = Vec::new();
    for line in list(&mut client, "line", columns) {
        let parts: Vec<&str> = line.split('\t').collect();
        let [name, column, kind] = parts[..] else { continue };
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table { name: name.to_owned(), columns: Vec::new() });
        }
        let columns = &mut tables.last_mut().expect("one was pushed").columns;
        columns.push((column.to_owned(), Kind::of(kind)));
    }
    assert!(tables.len() > 10 && names.len() > 100, "{tables:?} {names:?}");
    Grammar { names, functions, aggregates, tables }
}

/// Reads a name, what it takes and what it gives.
fn form(line: &str) -> Option<Function> {
    let mut parts = line.split('\t');
    let (name, takes, gives) = (parts.next()?, parts.next()?, parts.next()?);
    let arguments = takes.split(';').filter(|kind| !kind.is_empty()).map(Kind::of).collect();
    Some(Function { name: name.to_owned(), arguments, gives: Kind::of(gives) })
}

/// Kinds of errors that are shown.
const SHOWN: usize = 25;

/// How statements ended.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicU64,
    failed: AtomicU64,
    closed: AtomicU64,
    /// Errors by their SQLSTATE and the beginning of their message: how many, and a statement.
    errors: Mutex<BTreeMap<(String, String), (u64, String)>>,
}

impl Tally {
    fn note(&self, failure: &Failure, sql: &str) {
        let beginning: String = failure.message.chars().take(40).collect();
        let mut errors = self.errors.lock().unwrap();
        let entry = errors.entry((failure.code.clone(), beginning)).or_default();
        entry.0 += 1;
        if entry.1.is_empty() {
            entry.1 = sql.chars().take(400).collect();
        }
    }

    /// The most frequent errors, and those that are faults of ours.
    fn show(&self) {
        println!(
            "{:?} answered, {:?} failed, {:?} closed",
            self.answered, self.failed, self.closed
        );
        let errors = self.errors.lock().unwrap();
        let mut errors: Vec<_> = errors.iter().collect();
        errors.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (at, ((code, message), (count, sql))) in errors.into_iter().enumerate() {
            if at < SHOWN || code == "XX000" {
                println!("{count} × {code} {message}\n    {sql}");
            }
        }
    }
}

#[test]
fn statements_out_of_a_grammar_end() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let grammar = grammar(&arena.target);
    let (count, tally) = (STATEMENTS, Tally::default());
    for round in (0..count).step_by(ROUND as usize) {
        let next = AtomicU64::new(round);
        let faults = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let wrong = take_part(&arena.target, &grammar, &next, round + ROUND, &tally);
                    faults.lock().unwrap().extend(wrong);
                });
            }
        });
        for fault in faults.into_inner().unwrap() {
            arena.fault(fault);
        }
        arena.after(&format!("the statements {round} to {}", round + ROUND));
    }
    arena.memory_after("all statements");
    tally.show();
    // A generator of which nothing is understood tests the parser only.
    let answered = tally.answered.into_inner();
    assert!(answered > count / 20, "{answered} of {count} statements were answered");
    arena.close();
}

/// One connection's part of a round; what was wrong. Ends early when the server is gone.
fn take_part(
    target: &Target,
    grammar: &Grammar,
    next: &AtomicU64,
    end: u64,
    tally: &Tally,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut client = None;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return faults;
        }
        let sql = grammar.statement(number);
        let open = match client.take().map_or_else(|| ready(target), Ok) {
            Ok(open) => open,
            Err(_) => return faults,
        };
        let kept = client.insert(open);
        let asked =
            if number.is_multiple_of(2) { kept.simple(&sql) } else { kept.extended(&sql, &[]) };
        let counted = match asked {
            Ok(reply) if reply.failure.is_none() => &tally.answered,
            Ok(reply) => {
                reply.failure.iter().for_each(|failure| tally.note(failure, &sql));
                &tally.failed
            }
            Err(trouble) => {
                client = None;
                if !target.process().is_alive() {
                    faults.push(format!("statement {number} may have ended the server: {sql}"));
                    return faults;
                }
                if trouble == Trouble::Silent {
                    faults.push(format!("statement {number} does not end: {sql}"));
                }
                &tally.closed
            }
        };
        counted.fetch_add(1, Ordering::Relaxed);
        let silent = || target.stranger().ask(Form::Page, &sql).err() == Some(Trouble::Silent);
        if number.is_multiple_of(BY_PAGE) && silent() {
            faults.push(format!("statement {number} does not end by the page: {sql}"));
        }
    }
}

fn ready(target: &Target) -> Result<Client, Trouble> {
    let mut client = target.client()?;
    client.simple("SET statement_timeout = 200")?;
    Ok(client)
}
