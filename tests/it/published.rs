//! The open-data folder: reproducible to the byte, verifiable with standard tools, small cells
//! never shown.

use std::process::Command;

use crate::support::{self, khoyte, succeed};

#[test]
fn two_nights_over_the_same_input_publish_the_same_bytes() {
    let again = tempfile::tempdir().unwrap();
    support::demo(again.path(), &support::data());
    let first = support::files(&support::filled().join("public"));
    assert!(first.len() > 30);
    let differing = || {
        let second = support::files(&again.path().join("public"));
        support::differing(&first, &second)
    };
    assert_eq!(differing(), Vec::<String>::new());
    succeed(khoyte(again.path()).args(["night", "--date", "2026-11-21"]));
    succeed(khoyte(again.path()).args(["release", "publish", "--date", "2026-11-21"]));
    assert_eq!(differing(), Vec::<String>::new());
}

#[test]
fn checksums_hold_for_standard_tools_and_for_ours() {
    let public = support::filled().join("public");
    let version = public.join("sot_xuat_huyet_tinh_thang/v1");
    succeed(
        Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(version),
    );
    let verified =
        khoyte(support::filled()).args(["release", "verify"]).arg(&public).output().unwrap();
    assert!(verified.status.success());
}

#[test]
fn a_release_beside_another_says_so_and_changes_nothing() {
    let copy = tempfile::tempdir().unwrap();
    let public = copy.path().join("public");
    std::fs::create_dir(copy.path().join("lake")).unwrap();
    std::fs::create_dir(&public).unwrap();
    let lock = std::fs::File::create(public.join(".lock")).unwrap();
    lock.lock().unwrap();
    let before = support::files(&public);
    let refused = khoyte(copy.path()).args(["release", "publish"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("another release is writing"), "{said}");
    assert_eq!(support::files(&public), before);
}

#[test]
fn a_changed_byte_is_found() {
    let copy = tempfile::tempdir().unwrap();
    let from = support::filled().join("public/sot_xuat_huyet_tinh_thang/v1");
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    let file = copy.path().join("sot_xuat_huyet_tinh_thang.csv");
    let mut text = std::fs::read(&file).unwrap();
    *text.last_mut().unwrap() ^= 1;
    std::fs::write(&file, text).unwrap();
    let verified =
        khoyte(copy.path()).args(["release", "verify"]).arg(copy.path()).output().unwrap();
    assert_eq!(verified.status.code(), Some(3));
}

#[test]
fn no_count_from_one_to_four_is_in_a_suppressed_column() {
    let declarations = support::declarations();
    let mut seen = 0;
    for query in &declarations.queries {
        let Some(release) = query.release.as_ref().filter(|r| !r.suppress.is_empty()) else {
            continue;
        };
        let file = support::filled().join(format!("public/{0}/v1/{0}.csv", query.id));
        let mut reader = csv::Reader::from_path(file).unwrap();
        let header = reader.headers().unwrap().clone();
        let suppressed: Vec<usize> = release
            .suppress
            .iter()
            .map(|name| header.iter().position(|column| column == name).unwrap())
            .collect();
        for record in reader.records().map(Result::unwrap) {
            for &at in &suppressed {
                let value: Option<f64> = record[at].parse().ok();
                let small = value.is_some_and(|v| v > 0.0 && v < f64::from(release.minimum_cell));
                assert!(!small, "{}: a cell of {} is shown", query.id, &header[at]);
                seen += usize::from(record[at].is_empty());
            }
        }
    }
    assert!(seen > 100, "the real data have small cells, and {seen} are hidden");
}
