//! Invariants of the code that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The product's own Rust files: path relative to the root, and text without its test module.
fn sources() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let folders = [
        "src",
        "warehouse/src",
        "pipelines/src",
        "pipelines/connectors/src",
        "pipelines/identifiers/src",
        "open-data/src",
        "open-data/disclosure/src",
        "dashboards/src",
    ];
    for folder in folders {
        collect(&root().join(folder), &mut all);
    }
    all.sort();
    assert!(all.len() > 60);
    all.into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            (path.strip_prefix(root()).unwrap().display().to_string(), text.to_owned())
        })
        .collect()
}

fn collect(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

/// Files that hold one of `words` outside the places allowed.
fn outside(words: &[&str], allowed: &[&str]) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|(path, _)| !allowed.iter().any(|place| path.starts_with(place)))
        .filter(|(path, _)| !path.ends_with("tests.rs") && !path.contains("/tests/"))
        .filter(|(_, text)| code(text).any(|line| words.iter().any(|word| line.contains(word))))
        .map(|(path, _)| path)
        .collect()
}

/// Lines that are not comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

const NONE: [String; 0] = [];

#[test]
fn no_session_of_the_engine_leaves_the_door() {
    // Declarations are planned offline over empty tables, before there is a lake.
    let allowed =
        ["warehouse/src/query", "warehouse/src/spec", "warehouse/src/geography/functions"];
    assert_eq!(outside(&["SessionContext", "SessionState"], &allowed), NONE);
    for folder in ["pipelines", "open-data", "dashboards", "."] {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let depends = manifest.lines().any(|line| line == "datafusion.workspace = true");
        assert!(!depends, "{folder} depends on the engine");
    }
    let door = fs::read_to_string(root().join("warehouse/src/query.rs")).unwrap();
    let public = door.lines().filter(|line| line.trim_start().starts_with("pub "));
    for line in public {
        assert!(!line.contains("Session"), "{line}");
    }
}

#[test]
fn only_the_store_opens_an_object_store() {
    let words = ["LocalFileSystem::", "AmazonS3Builder", "DeltaTableBuilder"];
    // Buckets of sources are opened for reading, by the connectors.
    let allowed = ["warehouse/src/store", "pipelines/connectors/src/files/s3.rs"];
    assert_eq!(outside(&words, &allowed), NONE);
}

#[test]
fn only_the_configuration_reads_the_environment() {
    assert_eq!(outside(&["env::var"], &["src/config.rs"]), NONE);
}

#[test]
fn only_the_reporter_prints() {
    let words = ["println!", "print!(", "eprint", "io::stdout", "io::stderr"];
    assert_eq!(outside(&words, &["src/report.rs", "src/telemetry.rs"]), NONE);
}

#[test]
fn web_types_stay_in_the_web_crate() {
    assert_eq!(outside(&["axum::"], &["dashboards/"]), NONE);
}

#[test]
fn siblings_meet_through_the_warehouse_only() {
    for (folder, others) in [
        ("warehouse", ["pipelines", "open-data", "dashboards"].as_slice()),
        ("pipelines", &["open-data", "dashboards"]),
        ("pipelines/connectors", &["warehouse", "pipelines", "open-data", "dashboards"]),
        ("pipelines/identifiers", &["warehouse", "pipelines", "open-data", "dashboards"]),
        ("open-data", &["pipelines", "dashboards"]),
        ("open-data/disclosure", &["pipelines", "open-data", "dashboards"]),
        ("dashboards", &["pipelines", "open-data"]),
    ] {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for other in others {
            let line = format!("\n{other}.workspace");
            assert!(!manifest.contains(&line), "{folder} depends on {other}");
        }
    }
}

#[test]
fn no_code_is_left_for_later() {
    let words = ["todo!(", "unimplemented!(", "TODO", "FIXME", "XXX"];
    let found: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(found, NONE);
}

#[test]
fn files_stay_short_enough_to_read() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 600)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(long, NONE);
}

#[test]
fn every_module_says_what_it_is_for() {
    let bare: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !path.ends_with("tests.rs") && !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(bare, NONE);
}

#[test]
fn every_key_of_the_configuration_is_explained_in_the_annotated_one() {
    let annotated = fs::read_to_string(root().join("deploy/khoyte.toml")).unwrap();
    let config = sources().into_iter().filter(|(path, _)| path.starts_with("src/config"));
    let config: Vec<String> = config.map(|(_, text)| text).collect();
    let fields = config
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim().strip_prefix("pub(crate) "))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    // These are tables of the file, named by their headings.
    let headings = [
        "lake",
        "state",
        "web",
        "postgres",
        "limits",
        "users",
        "publisher",
        "s3",
        "servers",
        "name",
    ];
    let missing: Vec<_> = fields
        .filter(|name| !headings.contains(name))
        .filter(|name| !annotated.contains(&format!("{name} =")))
        .map(str::to_owned)
        .collect();
    assert_eq!(missing, NONE);
}
