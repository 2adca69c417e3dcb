//! Files that nobody should send, of every kind: each is refused by name, where it can be with its
//! place, and none of its cells is told.

mod books;
mod claims;
mod parquet;
mod resources;
mod texts;

use super::{Asked, leaked, told};

/// How many files there are at least.
const FILES: usize = 100;

/// A file that is refused.
struct Case {
    asked: Asked,
    bytes: Vec<u8>,
    /// What its refusal says: the place or the fault.
    says: &'static str,
}

fn case(asked: Asked, bytes: impl Into<Vec<u8>>, says: &'static str) -> Case {
    Case { asked, bytes: bytes.into(), says }
}

#[test]
fn more_than_a_hundred_malformed_files_are_refused_by_name_without_their_cells() {
    let groups = [
        ("claims", claims::cases()),
        ("workbooks", books::cases()),
        ("delimited text", texts::cases()),
        ("resources", resources::cases()),
        ("Parquet", parquet::cases()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut faults = Vec::new();
    let mut count = 0;
    for (group, cases) in &groups {
        println!("{} of {group}", cases.len());
        count += cases.len();
        for (number, case) in cases.iter().enumerate() {
            let what = format!("{group} {number} (`{}`)", case.says);
            faults.extend(fault(case, folder.path()).map(|fault| format!("{what}: {fault}")));
        }
    }
    println!("{count} malformed files");
    assert!(faults.is_empty(), "{} files:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= FILES, "{count}");
}

/// What is wrong with how a file is refused.
fn fault(case: &Case, folder: &std::path::Path) -> Option<String> {
    let error = match case.asked.read(folder, &case.bytes) {
        Ok(rows) => return Some(format!("it is read, {rows} rows")),
        Err(error) => error,
    };
    let (said, all) = (error.to_string(), told(&error));
    if !said.contains(case.asked.place) {
        return Some(format!("it is not named: {said}"));
    }
    if !said.contains(case.says) {
        return Some(format!("something else is said: {said}"));
    }
    let cells = leaked(&all);
    if cells.is_empty() { None } else { Some(format!("{cells:?} are told: {all}")) }
}
