//! People who may log in: `khoyte user`, and the room where accounts are kept.

pub(crate) mod server;
mod state;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::khoyte;

const PASSWORD: &str = "một mật khẩu dài";

/// Runs a command with a line on its standard input.
fn run(command: &mut Command, input: &str) -> (i32, String, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses before it reads closes its end.
    let _ = writeln!(child.stdin.take().unwrap(), "{input}");
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn user(dir: &Path, args: &[&str], input: &str) -> (i32, String, String) {
    let (code, out, err) = run(khoyte(dir).arg("user").args(args), input);
    assert!(!out.contains("4096:") && !err.contains("4096:"), "no secret is shown: {out}{err}");
    assert!(!out.contains(PASSWORD) && !err.contains(PASSWORD), "{out}{err}");
    (code, out, err)
}

#[test]
fn an_account_is_made_listed_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let provinces = ["--province", "24", "--province", "79@2025-07-01"];
    let add =
        [&["add", "lan", "--clearance", "business", "--role", "leader"], &provinces[..]].concat();
    let (code, out, err) = user(dir, &add, PASSWORD);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert_eq!(err, "added lan: leader, business, 24@2025-07-01;79@2025-07-01\n");
    let (code, _, err) = user(dir, &["add", "an", "--clearance", "open"], PASSWORD);
    assert_eq!(code, 0, "{err}");

    let (code, out, _) = user(dir, &["list"], "");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 5), "{out}");
    assert!(lines[2].starts_with("an    planner  open       country"), "{out}");
    assert!(lines[3].starts_with("lan   leader   business   24@2025-07-01 79@2025-07-01"), "{out}");
    let (_, out, _) = user(dir, &["list", "--json"], "");
    let people: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(people[0]["provinces"], serde_json::Value::Null);
    assert_eq!(people[1]["name"], "lan");
    assert_eq!(people[1]["provinces"][1], "79@2025-07-01");

    let (code, _, err) = user(dir, &["password", "lan"], "một mật khẩu khác");
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = user(dir, &["remove", "lan"], "");
    assert_eq!(code, 0, "{err}");
    for args in [["remove", "lan"], ["password", "lan"]] {
        let (code, _, err) = user(dir, &args, PASSWORD);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("no account `lan`") && err.contains("khoyte user list"), "{err}");
    }
}

#[test]
fn what_is_wrong_with_an_account_is_said_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let add = |name: &str, more: &[&str], password: &str| {
        let args = [&["add", name, "--clearance", "business"], more].concat();
        user(dir, &args, password)
    };
    assert_eq!(add("lan", &[], PASSWORD).0, 0);
    for (name, more, password, code, said) in [
        ("lan", &[][..], PASSWORD, 2, "khoyte user password lan"),
        ("an", &[], "mười một ký", 3, "at least 12 characters"),
        ("an", &[], "", 3, "at least 12 characters"),
        ("an", &[], "hai dòng trong\nmột mật khẩu", 3, "one line"),
        ("An", &[], PASSWORD, 2, "is not a name"),
        ("public", &[], PASSWORD, 2, "choose another name"),
        ("an", &["--province", "27"], PASSWORD, 2, "did you mean 27@2004-01-01 (Bắc Ninh, until"),
        ("an", &["--province", "24@2026-01-01"], PASSWORD, 2, "24@2025-07-01 (Bắc Ninh)"),
        ("an", &["--province", "Hà Nộ"], PASSWORD, 2, "01@2008-08-01 (Hà Nội)"),
        ("an", &["--role", "operator"], PASSWORD, 2, "possible values"),
    ] {
        let (found, out, err) = add(name, more, password);
        assert_eq!((found, out.as_str()), (code, ""), "{name} {more:?}: {err}");
        assert!(err.contains(said), "{name} {more:?}: {err}");
    }
    let (_, out, _) = user(dir, &["list", "--json"], "");
    assert_eq!(out.matches("\"name\"").count(), 1, "{out}");
}

#[test]
fn a_user_of_the_configuration_is_changed_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    std::fs::create_dir(dir.join("lake")).unwrap();
    let (_, secret, _) = run(khoyte(dir).arg("password"), PASSWORD);
    let configure = |more: &str| {
        let text = format!(
            "[[user]]\nname = \"minh\"\nclearance = \"internal\"\nsecret = {:?}\n{more}\n",
            secret.trim()
        );
        std::fs::write(dir.join("khoyte.toml"), text).unwrap();
    };
    configure("role = \"leader\"\nprovinces = [\"24@2025-07-01\"]");
    let add = ["add", "minh", "--clearance", "open"];
    for args in [&add[..], &["remove", "minh"], &["password", "minh"]] {
        let (code, _, err) = user(dir, args, PASSWORD);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("`minh` is a [[user]] of the configuration"), "{err}");
    }
    let (_, out, _) = user(dir, &["list"], "");
    assert!(out.contains("minh  leader  internal   24@2025-07-01  configuration"), "{out}");
    let as_minh = |dir| run(khoyte(dir).args(["sql", "--as", "minh", "SELECT 1 AS x"]), "");
    assert_eq!(as_minh(dir).0, 0);

    configure("provinces = [\"27\"]");
    let (code, _, err) = as_minh(dir);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("user minh") && err.contains("27@2004-01-01 (Bắc Ninh, until"), "{err}");
    let (code, _, err) = run(khoyte(dir).args(["sql", "--as", "lan", "SELECT 1"]), "");
    assert_eq!(code, 2, "{err}");
}

#[test]
fn accounts_on_a_server_are_found_by_the_variable_that_holds_its_password() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server::Postgres::start());
    let address = server.database();
    let on_server = |args: &[&str], address: &str| {
        let mut command = khoyte(folder.path());
        run(command.arg("user").args(args).env("KHOYTE_STATE_URL", address), PASSWORD)
    };
    let add = ["add", "lan", "--clearance", "business"];
    assert_eq!(on_server(&add, &address).0, 0);
    let (code, out, _) = on_server(&["list"], &address);
    assert!(code == 0 && out.contains("lan"), "{out}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file is made");
    let (_, out, _) = user(folder.path(), &["list"], "");
    assert!(!out.contains("lan"), "{out}");

    let mysql = address.replace("postgres://", "mysql://");
    let quiet = format!("{address}?sslmode=prefer");
    let absent = address.replace("state_0", "no_such_database");
    for (address, code) in [(mysql, 2), (quiet, 2), (absent, 1)] {
        let (found, out, err) = on_server(&["list"], &address);
        assert_eq!(found, code, "{err}");
        assert!(!err.contains(server::PASSWORD) && out.is_empty(), "{err}");
    }
}
