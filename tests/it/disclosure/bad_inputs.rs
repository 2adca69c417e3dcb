//! Bad input: each folder of `tests/fixtures/disclosure/bad` with the diagnostic it must give.
//!
//! `UPDATE_GOLDEN=1` writes the diagnostics anew; read the difference before it is committed.

use std::path::{Path, PathBuf};

use disclosure::{Faults, Inputs, Purpose};

fn folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("KHOYTE_FIXTURES")
        .map_or_else(|| here.join("tests/fixtures"), PathBuf::from)
        .join("disclosure/bad")
}

/// The diagnostics of one folder, its own path left out.
fn diagnose(case: &Path) -> String {
    let mut tables: Vec<PathBuf> = std::fs::read_dir(case)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("table") && name.ends_with(".csv")
        })
        .collect();
    tables.sort();
    let name = case.file_name().unwrap_or_default().to_string_lossy();
    let purpose = if name.starts_with("audit") { Purpose::Audit } else { Purpose::Protect };
    let inputs = Inputs { spec: case.join("spec.toml"), tables, ..Inputs::default() };
    let mut faults = Faults::default();
    let loaded = inputs.load(purpose, &mut faults);
    assert!(loaded.is_none() && faults.has_errors(), "{name} must be refused");
    faults.to_string().replace(&format!("{}/", case.to_string_lossy()), "")
}

#[test]
fn every_bad_input_has_its_diagnostic() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 30, "{}", cases.len());
    for case in cases {
        let found = diagnose(&case);
        let golden = case.join("expected.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &found).expect("writable");
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, expected, "{}", case.display());
    }
}
