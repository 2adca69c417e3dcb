//! The public data of the sector hold no person: not one column of them is refused, nor a row,
//! when it is scanned as its contract has it.
//!
//! `KHOYTE_DATA` names their folder, by default `../shared/data` beside the project.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper cannot go on")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use identifiers::{AllowList, ColumnKind, ColumnScan, Counts, Verdict};

/// Columns that hold what looks like an identifier and is none, with the patterns that their
/// contracts allow: names of places and facilities that are called after persons, and where
/// facilities stand.
const ALLOWED: &[(&str, &str, &[&str])] = &[
    ("hanoi_primary_care_facilities", "name", PLACE),
    ("hanoi_primary_care_facilities", "address", PLACE),
    ("osm_hospitals", "name", PLACE),
    ("commune_area_population_2025", "name", PLACE),
    ("commune_mapping_legacy_to_2025", "old_commune", PLACE),
    ("commune_mapping_legacy_to_2025", "new_commune", PLACE),
    ("commune_mapping_legacy_to_2025", "old_district", PLACE),
    ("communes_10035_before_2025-07-01", "name", PLACE),
    ("communes_10035_before_2025-07-01", "full_name", PLACE),
    ("communes_3321_from_2025-07-01", "name", PLACE),
    ("communes_3321_from_2025-07-01", "full_name", PLACE),
    ("communes_3321_from_2026-04-30", "name", PLACE),
    ("communes_3321_from_2026-04-30", "full_name", PLACE),
    ("districts_696_before_2025-07-01", "name", PLACE),
    ("districts_696_before_2025-07-01", "full_name", PLACE),
];
const PLACE: &[&str] = &["person_name", "address"];

fn data() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("KHOYTE_DATA").map_or(beside, PathBuf::from);
    assert!(folder.is_dir(), "the public data are not at {}; set KHOYTE_DATA", folder.display());
    folder
}

/// Every CSV file below the folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all.extend(files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "csv") {
            all.push(entry);
        }
    }
    all.sort();
    all
}

/// The columns of a file, by name.
fn columns(file: &Path) -> BTreeMap<String, Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in reader.records() {
        for (name, cell) in names.iter().zip(record.unwrap().iter()) {
            columns.entry(name.clone()).or_default().push(cell.to_owned());
        }
    }
    columns
}

/// What a contract would say that the column holds.
fn kind(cells: &[String]) -> ColumnKind {
    let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
    let is_number = |cell: &str| {
        let code = cell.len() > 1 && cell.starts_with('0') && !cell.starts_with("0.");
        !code && cell.parse::<f64>().is_ok()
    };
    let is_date = |cell: &str| {
        let parts: Vec<&str> = cell.split('-').collect();
        cell.len() == 10 && parts.len() == 3 && parts.iter().all(|part| part.parse::<u16>().is_ok())
    };
    if filled.clone().all(is_number) {
        ColumnKind::Number
    } else if filled.all(is_date) {
        ColumnKind::Date
    } else {
        ColumnKind::Text
    }
}

#[test]
fn no_column_of_the_public_data_is_refused() {
    let (mut cells, mut refused) = (0, Vec::new());
    for file in files(&data()) {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        for (name, column) in columns(&file) {
            let allowed = ALLOWED.iter().find(|(file, column, _)| *file == stem && *column == name);
            let allowed: Vec<String> = allowed
                .map_or(&[][..], |(_, _, patterns)| patterns)
                .iter()
                .map(|&one| one.to_owned())
                .collect();
            let scan =
                ColumnScan::new(&name, kind(&column), &allowed, &AllowList::default()).unwrap();
            let mut counts = Counts::default();
            let mut first = None;
            for cell in &column {
                if scan.look(cell, &mut counts).is_some() && first.is_none() {
                    first = Some(cell.clone());
                }
            }
            cells += counts.cells();
            if let verdict @ (Verdict::Refuse { .. } | Verdict::Rows(_)) = scan.verdict(&counts) {
                refused.push(format!("{stem}.{name}: {verdict:?}, as in {first:?}"));
            }
        }
    }
    assert!(cells > 500_000, "only {cells} cells were read");
    assert!(refused.is_empty(), "{refused:#?}");
}

/// Titles of diseases and names of services in capitals and in lower case, as programs write them.
#[test]
fn no_title_is_taken_for_a_person_in_any_case() {
    let scan = ColumnScan::new("ten", ColumnKind::Text, &[], &AllowList::default()).unwrap();
    let mut wrong = Vec::new();
    for (file, column) in [
        ("icd10_vn_qd4469/icd10_vn_codes.csv", "name_vi"),
        ("procedures_vn_icd9cm_2020/procedure_equivalents_icd9cm.csv", "name_vi"),
        ("procedures_vn_icd9cm_2020/procedure_equivalents_icd9cm.csv", "icd9cm_name_vi"),
    ] {
        for cell in &columns(&data().join(file))[column] {
            for cell in [cell.to_uppercase(), cell.to_lowercase()] {
                wrong.extend(scan.cell(&cell).map(|pattern| format!("{pattern}: {cell}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
