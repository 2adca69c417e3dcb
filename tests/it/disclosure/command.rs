//! `khoyte disclosure` as people run it: exit codes, and what is written and what is not.

use std::path::Path;
use std::process::Output;

use super::support::Files;

const SPEC: &str = "[table]\nmeasure = \"cases\"\n[[dimension]]\ncolumn = \"province\"\ntotal = \"T\"\n\
                    [[dimension]]\ncolumn = \"sex\"\ntotal = \"T\"\n[rule]\nmin_contributors = 5\n";
const TABLE: &str = "province,sex,cases\n01,nam,120\n01,nu,3\n01,T,123\n04,nam,44\n04,nu,17\n\
                     04,T,61\n08,nam,9\n08,nu,25\n08,T,34\nT,nam,173\nT,nu,45\nT,T,218\n";

fn run(files: &Files, args: &[&str]) -> Output {
    let mut command = crate::support::khoyte(files.0.path());
    command.arg("disclosure").args(args).current_dir(files.0.path());
    command.output().expect("the program runs")
}

/// The files of a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn the_page_for_statisticians_is_what_happens() {
    let files = Files::new();
    files.put("spec.toml", SPEC);
    files.put("cases.csv", TABLE);
    let protect = ["protect", "cases.csv", "--spec", "spec.toml", "--out", "safe"];
    let done = run(&files, &[&protect[..], &["--html", "report.html"]].concat());
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("ĐẠT · passed"));
    let safe = std::fs::read_to_string(files.0.path().join("safe/cases.csv")).expect("written");
    assert!(safe.contains("01,nu,,suppressed\n") && !safe.contains("primary"), "{safe}");
    let audit = ["audit", "safe/cases.csv", "--spec", "spec.toml", "--truth", "cases.csv"];
    assert_eq!(run(&files, &audit).status.code(), Some(0));
    assert_eq!(names(files.0.path()), ["cases.csv", "report.html", "safe", "spec.toml"]);
}

#[test]
fn a_fault_writes_nothing() {
    let files = Files::new();
    files.put("spec.toml", SPEC);
    files.put("cases.csv", &TABLE.replace("T,T,218", "T,T,219"));
    let protect = ["protect", "cases.csv", "--spec", "spec.toml", "--out", "safe"];
    let done = run(&files, &[&protect[..], &["--html", "report.html"]].concat());
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stdout).contains("error[total-mismatch]"));
    assert_eq!(names(files.0.path()), ["cases.csv", "spec.toml"]);
}

#[test]
fn a_refusal_writes_no_table() {
    let files = Files::new();
    files.put("past.csv", "province,sex,cases\n01,nam,120\n01,nu,\n01,T,123\n");
    files.put("spec.toml", &format!("{SPEC}[[published]]\nfile = \"past.csv\"\n"));
    files.put("cases.csv", TABLE);
    let protect = ["protect", "cases.csv", "--spec", "spec.toml", "--out", "safe"];
    let done = run(&files, &protect);
    assert_eq!(done.status.code(), Some(3), "{done:?}");
    assert_eq!(names(&files.0.path().join("safe")), Vec::<String>::new());
}

#[test]
fn what_was_read_is_never_overwritten() {
    let files = Files::new();
    files.put("spec.toml", SPEC);
    let table = files.put("cases.csv", TABLE);
    for (out, html) in [(".", "r.html"), ("safe", "cases.csv"), ("safe", "safe/cases.csv")] {
        let protect = ["protect", "cases.csv", "--spec", "spec.toml", "--out", out];
        let done = run(&files, &[&protect[..], &["--html", html]].concat());
        assert_eq!(done.status.code(), Some(2), "{out} {html}: {done:?}");
        assert_eq!(std::fs::read_to_string(&table).expect("there"), TABLE);
        assert_eq!(names(files.0.path()), ["cases.csv", "spec.toml"]);
    }
}

#[test]
fn help_names_every_command() {
    let files = Files::new();
    let help = run(&files, &["--help"]);
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for command in ["protect", "audit", "round", "perturb", "microdata"] {
        assert!(text.contains(command), "{command}");
    }
}
