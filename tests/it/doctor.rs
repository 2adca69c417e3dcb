//! `khoyte doctor` on a healthy installation, on one that lost files, and before the first night.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{self, khoyte, succeed};

fn doctor(dir: &Path, args: &[&str]) -> Output {
    khoyte(dir).arg("doctor").args(args).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The line about something, and the one after it.
fn about<'a>(text: &'a str, words: &str) -> (&'a str, &'a str) {
    let mut lines = text.lines().skip_while(|line| !line.contains(words));
    let line = lines.next().unwrap_or_else(|| panic!("{words} is not in\n{text}"));
    (line, lines.next().unwrap_or_default())
}

/// A file of rows of a table.
fn file_of(dir: &Path, table: &str) -> PathBuf {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![dir.join("lake").join(table)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.into_iter().find(|file| !file.display().to_string().contains("_delta_log")).unwrap()
}

#[test]
fn a_healthy_installation_has_no_fault_and_is_not_changed() {
    let dir = support::copied();
    let before = support::files(dir.path());
    let output = doctor(dir.path(), &[]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(about(&text, "lake    kho.lao_quy").0.starts_with("ok "), "{text}");
    assert!(about(&text, "source  nguon.lao_quy").0.starts_with("ok "), "{text}");
    assert!(about(&text, "keys    ").0.contains("key "), "{text}");
    assert!(!text.contains("fault"), "{text}");
    let after = support::files(dir.path());
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
}

#[test]
fn a_lost_or_cut_file_is_told_by_table_and_the_repair_that_is_named_repairs_it() {
    let dir = support::copied();
    let whole = support::contents(&support::open(dir.path()));
    let gone = file_of(dir.path(), "kho/lao_quy");
    std::fs::remove_file(&gone).unwrap();
    let cut = file_of(dir.path(), "nguon/lao_quy");
    let bytes = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let part = file_of(dir.path(), "chi_tieu/gia_tri");
    std::fs::remove_file(&part).unwrap();

    let output = doctor(dir.path(), &[]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let mut night = khoyte(dir.path());
    night.args(["night", "--date", support::NIGHT, "--again"]);
    for (table, how) in
        [("kho.lao_quy", "is gone"), ("nguon.lao_quy", " bytes"), ("chi_tieu.gia_tri", "is gone")]
    {
        let (line, remedy) = about(&text, &format!("lake    {table}"));
        assert!(line.starts_with("fault ") && line.contains(how), "{text}");
        assert!(remedy.contains(&format!("khoyte night --again {table}")), "{text}");
        night.arg(table);
    }
    succeed(&mut night);
    let output = doctor(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let again = support::contents(&support::open(dir.path()));
    for table in ["kho.lao_quy", "nguon.lao_quy", "chi_tieu.gia_tri"] {
        assert_eq!(again[table], whole[table], "{table}");
    }
}

#[test]
fn a_fault_is_an_object_of_its_own_for_programs() {
    let dir = support::copied();
    std::fs::remove_file(file_of(dir.path(), "kho/lao_quy")).unwrap();
    let output = doctor(dir.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let text = told(&output);
    let findings: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let faults: Vec<_> = findings.iter().filter(|one| one["health"] == "fault").collect();
    assert_eq!(faults.len(), 1, "{text}");
    assert_eq!(faults[0]["part"], "lake");
    assert_eq!(faults[0]["about"], "kho.lao_quy");
    assert_eq!(faults[0]["remedy"], "khoyte night --again kho.lao_quy");
}

#[test]
fn before_the_first_night_nothing_is_made_and_nothing_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let output = doctor(dir.path(), &[]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(about(&text, "keys    ").0.starts_with("waits "), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{text}");
}

#[test]
fn what_is_wrong_with_keys_and_folders_is_told_with_what_to_do() {
    let dir = support::copied();
    std::fs::write(dir.path().join("keys/pseudonym-v1.key"), [7; 5]).unwrap();
    let config = dir.path().join("khoyte.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    let sources = before.lines().find(|line| line.starts_with("sources_folder")).unwrap();
    let after = before.replace(sources, "sources_folder = \"nowhere\"");
    std::fs::write(&config, after).unwrap();
    let output = doctor(dir.path(), &[]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let (line, remedy) = about(&text, "sources ");
    assert!(line.starts_with("fault ") && line.contains("nowhere"), "{text}");
    assert!(remedy.contains("make the folder"), "{text}");
    let keys = about(&text, "keys    ").0;
    assert!(keys.starts_with("fault ") && keys.contains("is not a key file"), "{text}");
}

#[test]
fn a_table_that_no_night_makes_cannot_be_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let output = khoyte(dir.path()).args(["night", "--again", "kho.khong_co"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no night makes"));
}
