//! What readers ask stays out of the log, at every level: tens of thousands of literals, each sent
//! once, by every door and path, into what is answered, refused, cut off and misunderstood.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::http::Form;
use super::message::{self, Value, bind, describe, execute, parse, sync};
use super::secrets::{MARK, NUMBER, Secrets, TEMPLATES};
use super::target::{SPARE, Settings, Target, configure, program};
use super::turn;
use super::wire::{Client, Trouble};
use crate::support;

/// Literals sent in all.
const LITERALS: u64 = 30_000;

/// How often each template is sent by each door.
const ROUNDS: usize = 2;

/// Literals in one long statement.
const IN_ONE: usize = 50;

/// Lines of a log that are shown, of those that hold what they must not.
const SHOWN: usize = 12;

fn trace() -> Settings {
    Settings { log: "trace", ..Settings::tight() }
}

#[test]
fn no_literal_and_no_path_is_in_the_log() {
    let _turn = turn();
    let target = Target::start(trace());
    let mut secrets = Secrets::default();
    for _ in 0..ROUNDS {
        by_the_wire(&target, &mut secrets);
        by_the_web(&target, &mut secrets);
    }
    by_log_ins(&target, &mut secrets);
    by_cursors(&target, &mut secrets);
    while secrets.count() < LITERALS {
        in_bulk(&target, &mut secrets);
    }
    println!("{} literals", secrets.count());
    assert_eq!(target.fault(), None);
    let found = search(&target.log(), target.folder());
    assert!(found.lines > 1_000, "the log holds {} lines at the finest level", found.lines);
    found.must_be_nothing();
}

#[test]
fn the_command_line_logs_no_literal() {
    let _turn = turn();
    let mut secrets = Secrets::default();
    let (folder, beside) = (support::copied(), tempfile::tempdir().unwrap());
    let mut answered = 0;
    let (said, log) = (beside.path().join("said"), beside.path().join("log.json"));
    configure(&folder.path().join("khoyte.toml"), Settings::tight());
    for (at, template) in TEMPLATES.iter().enumerate().filter(|(at, _)| at % 4 == 0) {
        let format = ["table", "csv", "json"][at % 3];
        let mut command = Command::new(program());
        command.arg("--dir").arg(folder.path());
        command.arg("--log-json");
        command.args(["sql", "--format", format]).arg(secrets.fill(template));
        let written = File::options().create(true).append(true).open(&said).unwrap();
        command.env("KHOYTE_LOG", "trace").stdout(Stdio::null()).stderr(written);
        answered += u64::from(command.status().unwrap().success());
    }
    // What went wrong is said to whoever typed it, in their words; the log is beside that.
    let said = std::fs::read_to_string(&said).unwrap();
    let told = r#""target":"khoyte::report""#;
    let logged: Vec<&str> = said.lines().filter(|line| !line.contains(told)).collect();
    std::fs::write(&log, logged.join("\n")).unwrap();
    let found = search(&log, folder.path());
    assert!(answered > 5, "{answered} commands were answered");
    assert!(found.lines >= answered, "{} lines of {answered} answers", found.lines);
    found.must_be_nothing();
}

#[test]
fn an_explanation_names_no_file() {
    let _turn = turn();
    let target = Target::start(Settings::tight());
    let mut client = target.client().expect("a connection");
    let folder = unique(target.folder());
    for form in ["EXPLAIN", "EXPLAIN VERBOSE", "EXPLAIN ANALYZE", "EXPLAIN ANALYZE VERBOSE"] {
        for from in ["danh_muc.don_vi", "chi_tieu.ca_nuoc", "chi_tieu_tai(DATE '2025-07-01')"] {
            let sql = format!("{form} SELECT count(*) FROM {from} WHERE ten <> 'x'");
            let reply = client.simple(&sql).expect("an answer");
            let told = reply.rows.iter().flatten().flatten();
            let told: Vec<&String> =
                told.filter(|cell| cell.contains(&folder) || cell.contains(".parquet")).collect();
            assert!(told.is_empty(), "{sql}: {told:?}");
        }
    }
}

/// Every template by both protocols; a connection that ends is replaced.
fn by_the_wire(target: &Target, secrets: &mut Secrets) {
    let mut client = target.client().expect("a connection");
    for template in TEMPLATES {
        for extended in [false, true] {
            let sql = secrets.fill(template);
            let asked = if extended { client.extended(&sql, &[]) } else { client.simple(&sql) };
            // What fails in a transaction ends it.
            if asked.and_then(|_| client.simple("ROLLBACK")).is_err() {
                client = target.client().expect("another connection");
            }
        }
    }
}

fn by_the_web(target: &Target, secrets: &mut Secrets) {
    let (stranger, planner) = (target.stranger(), target.planner());
    for template in TEMPLATES {
        for form in [Form::Page, Form::Csv, Form::Json] {
            let reader = if form == Form::Page { &stranger } else { &planner };
            // Any answer will do, and none.
            let _ = reader.ask(form, &secrets.fill(template));
        }
    }
    for template in TEMPLATES.iter().step_by(5) {
        let sql = secrets.fill(template);
        let escaped: String = url::form_urlencoded::byte_serialize(sql.as_bytes()).collect();
        let _ = stranger.get(&format!("/sql?q={escaped}"));
        let _ = stranger.get(&format!("/sql.csv?q={escaped}"));
        let _ = stranger.log_in(&secrets.text(), &secrets.text());
        let _ = stranger.log_in(SPARE, &secrets.text());
        let cookie = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: phien={}\r\nAuthorization: Basic {}\r\n\r\n",
            stranger.host,
            secrets.text(),
            secrets.text()
        );
        let _ = stranger.exchange(cookie.as_bytes());
    }
}

/// Names and passwords that are wrong, and settings that are long.
fn by_log_ins(target: &Target, secrets: &mut Secrets) {
    let port = target.server.postgres;
    for _ in 0..50 {
        let refused = Client::log_in(port, &secrets.text(), &secrets.text(), super::PATIENCE);
        assert!(matches!(refused, Err(Trouble::Refused(_))));
        let _ = Client::log_in(port, SPARE, &secrets.text(), super::PATIENCE);
        let settings = secrets.text();
        let mut client = target.raw();
        let _ = client.say(&message::startup(SPARE, &[("application_name", &settings)]));
        let _ = client.say(&message::sasl_initial("SCRAM-SHA-256", &secrets.text()));
        client.done_talking();
    }
}

fn by_cursors(target: &Target, secrets: &mut Secrets) {
    let mut client = target.client().expect("a connection");
    for at in 0..50 {
        let declared =
            secrets.fill("DECLARE c%t CURSOR FOR SELECT '%t' AS a, %n AS b, '%t'::text AS c");
        let name = declared.split(' ').nth(1).unwrap_or_default().to_owned();
        for sql in [
            "BEGIN".to_owned(),
            declared,
            format!("FETCH 1 FROM {name}"),
            format!("CLOSE {name}"),
            "ROLLBACK".to_owned(),
        ] {
            let _ = client.simple(&sql);
        }
        let (statement, portal) = (secrets.text(), secrets.text());
        let sql = secrets.fill("SELECT '%t' AS a, $1 AS b");
        let messages = [
            parse(&statement, &sql, &[25]),
            bind(&portal, &statement, &[Value::Text(secrets.text())]),
            describe(b'P', &portal),
            execute(&portal, at % 2),
            bind(&secrets.text(), &secrets.text(), &[]),
            sync(),
        ];
        let _ = client.exchange(&messages.concat());
    }
}

/// Long statements: literals in the text, and parameters as text and as bytes.
fn in_bulk(target: &Target, secrets: &mut Secrets) {
    let mut client = target.client().expect("a connection");
    let columns = |piece: &str| vec![piece; IN_ONE].join(", ");
    for _ in 0..10 {
        let reply = client.simple(&secrets.fill(&format!("SELECT {}", columns("'%t', %n"))));
        assert!(reply.is_ok_and(|reply| reply.failure.is_none()));
        let list = secrets.fill(&columns("'%t'"));
        let from = format!("SELECT count(*) FROM danh_muc.don_vi WHERE ten IN ({list})");
        assert!(client.extended(&from, &[]).is_ok_and(|reply| reply.cell() == Some("0")));
        let placeholders = (1..=IN_ONE).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
        let texts = |secrets: &mut Secrets| (0..IN_ONE).map(|_| secrets.text()).collect::<Vec<_>>();
        let sql = format!("SELECT count(*) FROM danh_muc.don_vi WHERE ten IN ({placeholders})");
        let as_text = texts(secrets).into_iter().map(Value::Text).collect::<Vec<_>>();
        assert!(client.extended(&sql, &as_text).is_ok_and(|reply| reply.cell() == Some("0")));
        let as_bytes = texts(secrets).into_iter().map(|text| Value::Binary(text.into_bytes()));
        let as_bytes: Vec<Value> = as_bytes.collect();
        let types = vec![25; IN_ONE];
        let asked = client.exchange(&message::extended(&sql, &types, &as_bytes));
        assert!(asked.is_ok_and(|reply| reply.cell() == Some("0")));
        // Parameters that are no numbers are quoted by whoever reads them.
        let wrong = [Value::Text(secrets.text())];
        assert!(
            client.extended("SELECT $1::int", &wrong).is_ok_and(|reply| reply.failure.is_some())
        );
        let numbers = [Value::Binary(secrets.number().to_be_bytes().to_vec())];
        let _ = client.exchange(&message::extended("SELECT $1::bigint::int", &[20], &numbers));
    }
}

/// What a log holds that it must not.
struct Found {
    lines: u64,
    /// Lines, shortened around what they hold, by who wrote them.
    by_writer: BTreeMap<String, (u64, String)>,
}

impl Found {
    fn must_be_nothing(&self) {
        let shown = self
            .by_writer
            .iter()
            .take(SHOWN)
            .map(|(writer, (count, line))| format!("{writer}: {count} lines, as\n    {line}"));
        let shown: Vec<String> = shown.collect();
        assert!(shown.is_empty(), "of {} lines:\n{}", self.lines, shown.join("\n"));
    }
}

/// The part of a folder's path that stands nowhere else.
fn unique(folder: &Path) -> String {
    let name = folder.file_name().expect("a folder with a name");
    name.to_string_lossy().into_owned()
}

/// Searches a log for literals, as they are, in the other case, as numbers of bytes and in
/// hexadecimal, and for the lake's path.
fn search(log: &Path, folder: &Path) -> Found {
    let bytes: Vec<String> = MARK.bytes().map(|byte| byte.to_string()).collect();
    let hex: String = MARK.bytes().map(|byte| format!("{byte:02x}")).collect();
    let lake = format!("{}/lake", unique(folder));
    let needles = [MARK.to_owned(), NUMBER.to_string(), bytes.join(", "), hex, lake.to_lowercase()];
    let mut found = Found { lines: 0, by_writer: BTreeMap::new() };
    for line in BufReader::new(File::open(log).unwrap()).split(b'\n').map(Result::unwrap) {
        found.lines += 1;
        let line = String::from_utf8_lossy(&line).to_lowercase();
        let Some((needle, at)) = needles.iter().find_map(|n| Some((n, line.find(n.as_str())?)))
        else {
            continue;
        };
        let around: String =
            line[..at].chars().rev().take(120).collect::<String>().chars().rev().collect();
        let rest: String = line[at..].chars().take(60).collect();
        let entry = found.by_writer.entry(format!("{} ({needle})", writer(&line))).or_default();
        entry.0 += 1;
        entry.1 = format!("{around}{rest}");
    }
    found
}

/// Who wrote a line: the first word that looks like a module.
fn writer(line: &str) -> String {
    let json = line.split("\"target\":\"").nth(1).and_then(|rest| rest.split('"').next());
    let words =
        || line.split_whitespace().take(5).find(|word| word.ends_with(':') && word.len() > 3);
    json.or_else(words).unwrap_or("?").trim_end_matches(':').to_owned()
}
