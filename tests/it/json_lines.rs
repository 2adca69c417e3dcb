//! With `--log-json` every line that the program writes, to either stream, is one JSON object: what
//! a service prints is read by programs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::khoyte;

/// Runs the program, which must end with one of `codes`, and reads each line of both streams.
fn told(dir: &Path, args: &[&str], codes: &[i32], input: &str) -> [Vec<Value>; 2] {
    let mut command = khoyte(dir);
    command.env("KHOYTE_LOG", "info").arg("--log-json").args(args);
    let output = fed(&mut command, input);
    let code = output.status.code().unwrap();
    assert!(codes.contains(&code), "{args:?} ended with {code}: {output:?}");
    [output.stdout, output.stderr].map(|stream| {
        let text = String::from_utf8(stream).unwrap();
        let object = |line: &str| match serde_json::from_str(line) {
            Ok(Value::Object(object)) => Value::Object(object),
            other => panic!("{args:?} wrote a line that is no object: {line}: {other:?}"),
        };
        text.lines().map(object).collect()
    })
}

fn fed(command: &mut Command, input: &str) -> Output {
    let piped = Stdio::piped;
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    // Who does not read what is fed has gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The fields that hold `key`, of what is told beside results.
fn said<'a>(lines: &'a [Value], key: &str) -> Vec<&'a Value> {
    lines.iter().map(|line| &line["fields"]).filter(|fields| fields.get(key).is_some()).collect()
}

#[test]
fn every_line_of_every_command_is_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let run = |args: &[&str], code: i32| told(dir, args, &[code], "");
    let sources = dir.join("sources").display().to_string();

    let [_, beside] = run(&["check"], 0);
    assert_eq!(said(&beside, "errors")[0]["errors"], 0);
    let faulty = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/check/free-text-flows");
    let [faults, _] = run(&["check", faulty], 2);
    let is_placed = |fault: &Value| fault["line"].is_u64() && fault["help"].is_string();
    assert!(!faults.is_empty() && faults.iter().all(is_placed), "{faults:?}");

    run(&["simulate", "--scale", "0.0005", "--days", "1", "--to", &sources], 0);
    std::fs::write(dir.join("khoyte.toml"), format!("sources_folder = {sources:?}\n")).unwrap();
    // Made-up sources have faults; whether one of them fails a table is not what is asked here.
    let night = |more: &[&str]| {
        told(dir, &[&["night", "--date", "2026-07-01"], more].concat(), &[0, 1], "")
    };
    let [_, beside] = night(&[]);
    let tables = said(&beside, "table");
    let is_new = |fields: &&&Value| fields["result"] == "moi" && fields["rows_written"].is_u64();
    assert!(tables.iter().filter(is_new).count() > 5, "{beside:?}");
    let is_loud = |line: &&Value| line["fields"]["result"] == "tu_choi" && line["level"] == "ERROR";
    assert!(beside.iter().any(|line| is_loud(&line)), "a table that is refused is a failure");
    assert_eq!(said(&beside, "counts")[0]["night"], "2026-07-01");
    let [whole, _] = night(&["--json"]);
    assert!(whole.len() == 1 && whole[0]["tables"].is_array(), "{whole:?}");

    let [keys, _] = run(&["keys", "status"], 0);
    assert!(keys.len() == 1 && keys[0]["state"] == "whole", "{keys:?}");

    let [_, beside] = told(dir, &["release", "publish", "--date", "2026-07-01"], &[0, 1, 3], "");
    assert!(!said(&beside, "dataset").is_empty(), "{beside:?}");
    let public = dir.join("public").display().to_string();
    let [verified, _] = run(&["release", "verify", &public], 0);
    assert_eq!(verified[0]["at_fault"], 0);
    let [findings, beside] = run(&["doctor"], 0);
    assert!(findings.iter().all(|finding| finding["health"].is_string()), "{findings:?}");
    assert_eq!(said(&beside, "at_fault").len(), 1);

    let password = "mat khau cua rieng no";
    told(dir, &["user", "add", "minh", "--clearance", "business"], &[0], password);
    let [users, _] = run(&["user", "list"], 0);
    assert_eq!(users[0]["name"], "minh");
    run(&["user", "list", "--json"], 0);
    let [secret, _] = told(dir, &["password"], &[0], password);
    assert!(secret[0]["secret"].is_string());
    let [indicators, _] = run(&["indicator"], 0);
    assert!(indicators.iter().all(|one| one["id"].is_string()));
    let [rows, _] = run(&["sql", "SELECT 1 AS a UNION ALL SELECT 2"], 0);
    assert_eq!(rows.len(), 2);
}

#[test]
fn what_goes_wrong_is_an_object_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str], code: i32| told(folder.path(), args, &[code], "");
    let message = |[_, beside]: &[Vec<Value>; 2]| format!("{:?}", said(beside, "message"));
    assert!(message(&run(&["nights"], 2)).contains("night"));
    assert!(message(&run(&["sql", "SELECT 1"], 2)).contains("there is no lake"));
    assert!(message(&run(&["check", "/there/is/nothing"], 2)).contains("holds neither"));
    assert!(message(&run(&["night", "--date", "2999-01-01"], 2)).contains("has not come yet"));
    let [faults, _] = run(&["disclosure", "audit", "none.csv", "--spec", "none.toml"], 2);
    assert!(faults[0]["message"].to_string().contains("none.toml"), "{faults:?}");
}
