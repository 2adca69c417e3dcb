//! Releases into a temporary folder, without a warehouse.

mod gate;
mod listings;
mod simulated;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::NaiveDate;
use tempfile::TempDir;
use warehouse::names::{Group, Sensitivity, Text};
use warehouse::spec::{Query, QueryColumn, QueryKind, Release};

use super::shelf::Shelf;
use super::{ReleaseError, Released, Rows, Site, VerifyProblem, verify};
use crate::metadata::PublisherInfo;
use crate::portal::Pending;

fn text(vi: &str) -> Text {
    Text::new(vi, format!("{vi} (en)"))
}

fn night(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

fn query() -> Query {
    let column = |name: &str, unit: Option<&str>| QueryColumn {
        name: name.into(),
        label: text(name),
        unit: unit.map(text),
    };
    Query {
        id: "sot_xuat_huyet".into(),
        path: "queries/open-data/sot_xuat_huyet.sql".into(),
        kind: QueryKind::OpenData,
        title: text("Sốt xuất huyết theo tỉnh"),
        description: text("Số ca mắc <theo tháng> & tỉnh"),
        grain: text("Một tỉnh, một năm"),
        owner: text("Cục Phòng bệnh"),
        groups: Group::new(1).into_iter().collect(),
        sensitivity: Sensitivity::Open,
        source: text("Hệ thống giám sát"),
        legal_basis: "Nghị định 102/2025/NĐ-CP, Điều 5.1".into(),
        caveats: vec![text("Số ca báo cáo")],
        columns: vec![
            column("tinh", None),
            column("nam", Some("năm")),
            column("so_mac", Some("ca")),
            column("ty_le", Some("trên 100.000 dân")),
        ],
        checks: Vec::new(),
        indicator: None,
        release: Some(Release {
            keywords: vec![text("sốt xuất huyết")],
            licence: text("Theo luật"),
            citation: text("Bộ Y tế."),
            frequency: text("Hằng năm"),
            suppress: vec!["so_mac".into()],
            minimum_cell: 5,
            suppress_with: vec!["ty_le".into()],
        }),
        sql: "SELECT 1".into(),
        reads: std::collections::BTreeSet::new(),
        schema: Arc::new(schema()),
        fingerprint: "abc".into(),
        smallest_group: None,
        partition: None,
    }
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("tinh", DataType::Utf8, true),
        Field::new("nam", DataType::Int64, true),
        Field::new("so_mac", DataType::Int64, true),
        Field::new("ty_le", DataType::Float64, true),
    ])
}

type Row = (&'static str, Option<i64>, Option<f64>);

/// Unsorted on purpose: a small cell, a zero, the first cell that is shown, a missing one.
const ROWS: [Row; 5] = [
    ("Đồng Nai, \"cũ\"", Some(4), Some(1.5)),
    ("Cần Thơ", Some(0), Some(0.0)),
    ("Huế", Some(5), Some(1.0 / 3.0)),
    ("An Giang", None, None),
    ("Cà Mau", Some(1), None),
];

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|_| Some(2017)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
    ];
    RecordBatch::try_new(Arc::new(schema()), columns).unwrap()
}

fn site(out: &Path) -> Site {
    Site {
        shelf: Shelf::new(out.to_owned()),
        publisher: PublisherInfo { email: Some("du-lieu@example.vn".into()), ..Default::default() },
        base_url: None,
    }
}

fn rows(rows: &[Row], is_simulated: bool) -> Rows {
    Rows { schema: Arc::new(schema()), batches: vec![batch(rows)], is_simulated }
}

fn run(out: &Path, day: u32, of: &[Row]) -> Option<Released> {
    run_on(out, day, &rows(of, false))
}

fn run_on(out: &Path, day: u32, rows: &Rows) -> Option<Released> {
    let (site, query) = (site(out), query());
    site.shelf.prepare().unwrap();
    let done = site.publish(&query, night(day), rows, Vec::new()).unwrap();
    let pending = if done.is_none() { vec![Pending::of(&query)] } else { Vec::new() };
    site.draw(&pending).unwrap();
    done
}

/// Every file by its path.
fn snapshot(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![out.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                files.insert(path.strip_prefix(out).unwrap().to_owned(), bytes);
            }
        }
    }
    files
}

fn read(out: &Path, path: &str) -> String {
    fs::read_to_string(out.join(path)).unwrap()
}

#[test]
fn small_cells_are_empty_and_named_and_never_zero() {
    let out = TempDir::new().unwrap();
    let done = run(out.path(), 20, &ROWS).unwrap();
    assert_eq!((done.version, done.changed, done.rows), (1, true, 5));
    assert_eq!(done.suppressed_cells, 2);
    assert_eq!(done.path, "sot_xuat_huyet/v1");
    let expected = "tinh,nam,so_mac,ty_le,ghi_chu_an\r\n\
                    An Giang,2017,,,\r\n\
                    Cà Mau,2017,,,đã ẩn: so_mac\r\n\
                    Cần Thơ,2017,0,0,\r\n\
                    Huế,2017,5,0.333333333333,\r\n\
                    \"Đồng Nai, \"\"cũ\"\"\",2017,,,đã ẩn: so_mac; ty_le\r\n";
    assert_eq!(read(out.path(), "sot_xuat_huyet/v1/sot_xuat_huyet.csv"), expected);
}

#[test]
fn json_holds_the_same_rows_under_a_header() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let json = read(out.path(), "sot_xuat_huyet/v1/sot_xuat_huyet.json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rows"], 5);
    assert_eq!(json["rule"]["minimum_cell"], 5);
    assert_eq!(json["columns"][4]["name"], "ghi_chu_an");
    assert_eq!(json["records"][0]["so_mac"], serde_json::Value::Null);
    assert_eq!(json["records"][0]["ghi_chu_an"], serde_json::Value::Null);
    assert_eq!(json["records"][1]["ghi_chu_an"], "đã ẩn: so_mac");
    assert_eq!(json["records"][3]["so_mac"], 5);
}

#[test]
fn the_metadata_is_the_model_and_linked_data_at_once() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let meta = read(out.path(), "sot_xuat_huyet/v1/metadata.json");
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(meta["@type"][0], "dcat:Dataset");
    assert_eq!(meta["suppressed_cells"], 2);
    assert_eq!(meta["blanked_cells"], 1);
    assert_eq!(meta["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(meta["dcat:distribution"][0]["dcat:downloadURL"]["@id"], "sot_xuat_huyet.csv");
}

#[test]
fn parquet_says_who_made_it_and_not_when() {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let path = out.path().join("sot_xuat_huyet/v1/sot_xuat_huyet.parquet");
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let file = builder.metadata().file_metadata();
    assert_eq!(file.created_by(), Some("khoyte"));
    let keys: Vec<_> =
        file.key_value_metadata().unwrap().iter().map(|entry| entry.key.as_str()).collect();
    assert!(keys.contains(&"columns") && !keys.contains(&"ARROW:schema"), "{keys:?}");
    let rows: usize = builder.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 5);
}

#[test]
fn the_same_input_gives_the_same_bytes_whatever_the_order_and_the_folder() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    run(one.path(), 20, &ROWS);
    let mut turned = ROWS;
    turned.reverse();
    run(two.path(), 20, &turned);
    assert_eq!(snapshot(one.path()), snapshot(two.path()));
}

#[test]
fn a_night_without_change_writes_nothing() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let before = snapshot(out.path());
    let written = |path: &PathBuf| fs::metadata(out.path().join(path)).unwrap().modified().unwrap();
    let times: Vec<_> = before.keys().map(written).collect();
    let again = run(out.path(), 21, &ROWS).unwrap();
    assert_eq!((again.version, again.changed, again.date), (1, false, night(20)));
    assert_eq!(snapshot(out.path()), before);
    assert_eq!(before.keys().map(written).collect::<Vec<_>>(), times);
}

#[test]
fn a_change_makes_a_new_version_and_leaves_the_old_one_alone() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let old = snapshot(&out.path().join("sot_xuat_huyet/v1"));
    let mut changed = ROWS;
    changed[2].1 = Some(6);
    let done = run(out.path(), 21, &changed).unwrap();
    assert_eq!((done.version, done.changed), (2, true));
    assert_eq!(snapshot(&out.path().join("sot_xuat_huyet/v1")), old);
    let landing = read(out.path(), "sot_xuat_huyet/index.html");
    assert!(landing.contains("v1/index.html") && landing.contains("v2/index.html"));
    assert!(verify(out.path()).unwrap().is_sound());
}

#[test]
fn a_change_under_the_rule_is_no_change() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let mut changed = ROWS;
    changed[0].1 = Some(3);
    assert!(!run(out.path(), 21, &changed).unwrap().changed);
}

#[test]
fn a_killed_run_ends_like_an_undisturbed_one() {
    let whole = TempDir::new().unwrap();
    run(whole.path(), 20, &ROWS);
    let expected = snapshot(whole.path());

    // Killed while the version was being staged.
    let staged = TempDir::new().unwrap();
    let half = staged.path().join(".staging-sot_xuat_huyet");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("half.csv"), "tin").unwrap();
    run(staged.path(), 20, &ROWS);
    assert_eq!(snapshot(staged.path()), expected);

    // Killed between putting the version in place and listing it; run again a night later.
    let unlisted = TempDir::new().unwrap();
    run(unlisted.path(), 20, &ROWS);
    fs::remove_file(unlisted.path().join("sot_xuat_huyet/versions.json")).unwrap();
    fs::remove_file(unlisted.path().join("index.html")).unwrap();
    fs::remove_dir_all(unlisted.path().join("sot_xuat_huyet/en")).unwrap();
    assert!(run(unlisted.path(), 21, &ROWS).unwrap().changed);
    assert_eq!(snapshot(unlisted.path()), expected);
}

#[test]
fn two_runs_do_not_write_at_once() {
    let out = TempDir::new().unwrap();
    let shelf = Shelf::new(out.path().join("public"));
    let first = shelf.lock().unwrap();
    assert!(matches!(shelf.lock(), Err(ReleaseError::Busy { .. })));
    drop(first);
    assert!(shelf.lock().is_ok());
}

#[test]
fn a_dataset_without_rows_is_announced_and_not_released() {
    let out = TempDir::new().unwrap();
    assert_eq!(run(out.path(), 20, &[]), None);
    assert!(!out.path().join("sot_xuat_huyet").exists());
    assert!(read(out.path(), "index.html").contains("Chưa có dữ liệu"));
    // Nor does an empty night take back what is out.
    run(out.path(), 20, &ROWS);
    assert_eq!(run(out.path(), 21, &[]).map(|done| done.version), Some(1));
}

#[test]
fn verification_finds_what_was_changed_added_or_lost() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let report = verify(out.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.versions, report.files), (1, 6));

    let folder = out.path().join("sot_xuat_huyet/v1");
    fs::write(folder.join("sot_xuat_huyet.csv"), "x").unwrap();
    fs::write(folder.join("them.csv"), "x").unwrap();
    fs::remove_file(folder.join("metadata.json")).unwrap();
    let problems: Vec<_> =
        verify(&folder).unwrap().faults.into_iter().map(|fault| fault.problem).collect();
    let expected = [VerifyProblem::Missing, VerifyProblem::Changed, VerifyProblem::Unlisted];
    assert_eq!(problems, expected);

    fs::remove_dir_all(&folder).unwrap();
    assert!(!verify(out.path()).unwrap().is_sound());
}

#[test]
fn pages_need_no_script_and_all_their_links_lead_somewhere() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let files = snapshot(out.path());
    let pages: Vec<_> =
        files.iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "html")).collect();
    assert_eq!(pages.len(), 6);
    for (path, bytes) in pages {
        let page = std::str::from_utf8(bytes).unwrap();
        assert!(!page.contains("<script") && !page.contains("style=\""), "{path:?}");
        assert!(!page.contains("<theo tháng>"), "{path:?}");
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if link.starts_with('#') || link.starts_with("mailto:") {
                continue;
            }
            let target = out.path().join(path).parent().unwrap().join(link);
            assert!(target.is_file(), "{path:?}: {link}");
        }
    }
    let vi = read(out.path(), "sot_xuat_huyet/v1/index.html");
    assert!(vi.contains("lang=\"vi\"") && vi.contains("Quy tắc ẩn ô nhỏ"));
    assert!(vi.contains("20/11/2026") && vi.contains(">2017<") && vi.contains(">ẩn<"));
    let en = read(out.path(), "sot_xuat_huyet/v1/en/index.html");
    assert!(en.contains("lang=\"en\"") && en.contains("Small-cell rule"));
}
