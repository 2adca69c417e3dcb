use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::OnceLock;

use arrow::array::{Array as _, AsArray as _};
use chrono::{Datelike, Weekday};
use connectors::claims_xml::ClaimsXml;
use connectors::{Request, Source as _};
use futures::TryStreamExt as _;
use identifiers::{AllowList, ColumnKind, ColumnScan, PatternId};

use super::sign::Before;
use super::*;

const UNITS: &str = include_str!("../../reference/don_vi.csv");
const SUCCESSORS: &str = include_str!("../../reference/ke_thua.csv");

fn reference() -> Reference<'static> {
    Reference { units_csv: UNITS, successors_csv: SUCCESSORS }
}

fn options() -> Options {
    let end = NaiveDate::from_ymd_opt(2025, 7, 10).unwrap();
    Options { scale: 0.0004, seed: 7, days: 20, end }
}

fn run() -> (tempfile::TempDir, Summary) {
    let dir = tempfile::tempdir().unwrap();
    let summary = simulate(dir.path(), options(), reference(), &mut |_| {}).unwrap();
    (dir, summary)
}

/// One run for all tests that only read it.
fn shared() -> &'static (tempfile::TempDir, Summary) {
    static RUN: OnceLock<(tempfile::TempDir, Summary)> = OnceLock::new();
    RUN.get_or_init(run)
}

fn rows(dir: &Path, file: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(dir.join(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// The records of the claims, by their fields, as the connector reads them.
fn claims(dir: &Path) -> Vec<HashMap<String, String>> {
    let settings = [("table", "1"), ("complete", "marker")];
    let request = Request {
        place: "bhyt/2025-07-11/*.xml".to_owned(),
        columns: claims::FIELDS.map(str::to_owned).to_vec(),
        span: None,
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    let source = ClaimsXml::new(Some(dir.to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let batches: Vec<_> = runtime.block_on(async {
        let snapshot = source.open(&request).await.unwrap().unwrap();
        snapshot.rows.try_collect().await.unwrap()
    });
    let mut rows = Vec::new();
    for batch in &batches {
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let cells = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
                let column = column.as_string::<i32>();
                let text = if column.is_null(row) { "" } else { column.value(row) };
                (field.name().clone(), text.to_owned())
            });
            rows.push(cells.collect());
        }
    }
    rows
}

#[test]
fn the_same_options_give_the_same_bytes_and_nothing_else_is_left() {
    let ((one, summary), (two, again)) = (shared(), run());
    assert_eq!(*summary, again);
    for (file, rows) in &summary.files {
        assert!(
            fs::read(one.path().join(file)).unwrap() == fs::read(two.path().join(file)).unwrap()
        );
        assert!(*rows > 0, "{}", file.display());
        let path = one.path().join(file);
        assert!(matches!(Before::of(&path).unwrap(), Before::Simulated(_)), "{path:?}");
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.ends_with(".tmp"), "{name}");
        }
    }
    assert_eq!(planted(options(), reference()).unwrap(), summary.planted);
    let other = Options { seed: 8, ..options() };
    assert_ne!(planted(other, reference()).unwrap(), summary.planted);
}

#[test]
fn places_are_those_declared() {
    let (dir, _) = shared();
    let old = rows(dir.path(), "vn_admin_units/provinces_63_before_2025-07-01.csv");
    let new = rows(dir.path(), "vn_admin_units/provinces_34_from_2025-07-01.csv");
    let mapping = rows(dir.path(), "vn_admin_units/province_mapping_63_to_34.csv");
    assert_eq!((old.len(), new.len(), mapping.len()), (63, 34, 63));
    let reused =
        mapping.iter().filter(|row| row["old_code_now_names_a_different_province"] == "yes");
    assert_eq!(reused.count(), 7);
    let bac_giang = mapping.iter().find(|row| row["old_code"] == "24").unwrap();
    assert_eq!((bac_giang["new_code"].as_str(), bac_giang["status"].as_str()), ("24", "merged"));
    assert_eq!(bac_giang["new_name"], "Bắc Ninh");
    let people = rows(dir.path(), "gso_population_2020/average_population_2020_by_province_63.csv");
    let sum: u64 =
        people.iter().map(|row| row["average_population_2020"].parse::<u64>().unwrap()).sum();
    assert!((60_000_000..140_000_000).contains(&sum), "{sum}");
}

#[test]
fn the_disease_series_is_complete_but_for_the_planted_faults() {
    let (dir, summary) = shared();
    let rows = rows(dir.path(), "vn_notifiable_diseases/notifiable_diseases_2011_2017.csv");
    let faults: BTreeMap<_, _> = summary.faults.iter().copied().collect();
    let repeated = faults["benh: dòng lặp"];
    assert_eq!(rows.len() as u64, 28 * 84 * 63 + repeated);
    let count = |row: &HashMap<String, String>, name: &str| row[name].parse::<u64>().ok();
    let over =
        rows.iter().filter(|row| count(row, "deaths") > count(row, "cases").or(Some(u64::MAX)));
    assert_eq!(over.count() as u64, faults["benh: chết nhiều hơn mắc"]);
    let missing = rows.iter().filter(|row| row["cases"].is_empty()).count() as u64;
    assert_eq!(missing, faults["benh: thiếu số mắc"]);
    let small = rows.iter().filter_map(|row| count(row, "cases")).filter(|&n| (1..5).contains(&n));
    assert!(small.count() > 1000, "there must be small cells to suppress");
}

#[test]
fn claims_obey_the_arithmetic_of_the_standard() {
    let (dir, summary) = shared();
    let rows = claims(dir.path());
    let hundredths = |row: &HashMap<String, String>, name: &str| -> i64 {
        row[name].replace('.', "").parse().unwrap()
    };
    let (mut wrong, mut backwards) = (0, 0);
    for row in &rows {
        let [bv, bh, fund, shared, own] =
            ["T_TONGCHI_BV", "T_TONGCHI_BH", "T_BHTT", "T_BNCCT", "T_BNTT"]
                .map(|n| hundredths(row, n));
        let is_share = |rate: i64| (bh * rate - fund * 100).abs() <= 50;
        let is_paid = [80, 95, 100].into_iter().any(is_share);
        let holds = bv - bh == own && bh - fund == shared && is_paid;
        wrong += u64::from(!holds);
        backwards +=
            u64::from(row["NGAY_RA"] < row["NGAY_VAO"] && !row["NGAY_VAO"][4..].starts_with("13"));
        assert_eq!((row["NGAY_VAO"].len(), row["NGAY_RA"].len()), (12, 12));
    }
    let faults: BTreeMap<_, _> = summary.faults.iter().copied().collect();
    let spoilt =
        faults["bhyt: các nguồn trả không khớp"] + faults["bhyt: số định danh trong ô tiền"];
    assert_eq!(wrong, spoilt);
    assert_eq!(backwards, faults["bhyt: ra trước khi vào"]);
    assert!(faults["bhyt: nhiều thẻ trong một ô"] > 0);
    assert!(faults["bhyt: mất số 0 đầu của số định danh"] > 0);
}

#[test]
fn days_of_treatment_are_those_of_the_stay_or_of_the_drugs() {
    let (dir, _) = shared();
    let day = |text: &str| NaiveDate::parse_from_str(&text[..8], "%Y%m%d").ok();
    let mut stays = 0;
    for row in claims(dir.path()) {
        let days: i64 = row["SO_NGAY_DTRI"].parse().unwrap();
        match row["MA_LOAI_KCB"].as_str() {
            "02" | "03" | "04" | "06" => {
                // Where a day was spoilt on purpose, nothing can be said of it.
                let (Some(from), Some(to)) = (day(&row["NGAY_VAO"]), day(&row["NGAY_RA"])) else {
                    continue;
                };
                if to >= from {
                    assert_eq!(days, (to - from).num_days() + 1);
                    stays += 1;
                }
            }
            "05" => assert!((0..=30).contains(&days)),
            _ => assert_eq!(days, 0),
        }
    }
    assert!(stays > 300, "{stays}");
}

#[test]
fn sundays_are_quiet_and_newborns_have_the_cards_of_children() {
    let (dir, _) = shared();
    let (mut mondays, mut sundays, mut newborns) = (0, 0, 0);
    for row in claims(dir.path()) {
        let left = NaiveDate::parse_from_str(&row["NGAY_RA"][..8], "%Y%m%d");
        match left.map(|day| day.weekday()) {
            Ok(Weekday::Mon) => mondays += 1,
            Ok(Weekday::Sun) => sundays += 1,
            _ => {}
        }
        // Names stand in some of these cells.
        let mut code = row["MA_BENH_CHINH"].chars();
        if code.next() == Some('P') && code.next().is_some_and(|sign| sign.is_ascii_digit()) {
            newborns += 1;
            assert!(row["MA_THE_BHYT"].contains("TE1") && row["T_BHTT"] == row["T_TONGCHI_BH"]);
            assert!(row["NGAY_SINH"].as_str() > "20250401");
        }
    }
    // Three of the twenty days are Mondays, three are Sundays.
    assert!(sundays * 4 < mondays, "{sundays} on Sundays, {mondays} on Mondays");
    assert!(newborns > 0);
}

#[test]
fn a_visit_is_coded_with_the_province_list_of_its_day() {
    let (dir, _) = shared();
    let codes = |file: &str| -> BTreeSet<String> {
        rows(dir.path(), file).into_iter().map(|row| row["code"].clone()).collect()
    };
    let old = codes("vn_admin_units/provinces_63_before_2025-07-01.csv");
    let new = codes("vn_admin_units/provinces_34_from_2025-07-01.csv");
    let (mut both, mut merged) = ([0, 0], 0);
    for row in claims(dir.path()) {
        let after = row["NGAY_RA"].as_str() >= "20250701" && row["NGAY_VAO"].as_str() >= "20250701";
        let before =
            row["NGAY_RA"].as_str() < "20250701" && row["NGAY_VAO"].as_str() < "202506210000";
        if after {
            assert!(new.contains(&row["MATINH_CU_TRU"]), "{}", row["MATINH_CU_TRU"]);
            both[1] += 1;
        } else if before && row["NGAY_RA"] >= row["NGAY_VAO"] {
            assert!(old.contains(&row["MATINH_CU_TRU"]), "{}", row["MATINH_CU_TRU"]);
            merged += u64::from(!new.contains(&row["MATINH_CU_TRU"]));
            both[0] += 1;
        }
    }
    assert!(both[0] > 0 && both[1] > 0 && merged > 0);
}

#[test]
fn every_planted_identifier_is_found_by_the_scan() {
    let (_, summary) = shared();
    let scan =
        |header| ColumnScan::new(header, ColumnKind::Text, &[], &AllowList::default()).unwrap();
    let (free, identity) = (scan("ghi_chu"), scan("so_cccd"));
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for planted in &summary.planted {
        let bare = planted.bytes().all(|byte| byte.is_ascii_digit());
        let hit = match planted.len() {
            // Numbers that lost their zero show only under their header; episode and staff
            // numbers have no shape of their own.
            11 if bare => identity.cell(planted),
            17.. if bare => Some(PatternId::EpisodeOrRecord),
            11 if planted.starts_with("NV99") => Some(PatternId::EpisodeOrRecord),
            // So has a pharmacist's certificate: its column is always pseudonymised.
            _ if planted.contains("/CCHN-D-") => Some(PatternId::Practitioner),
            _ => free.cell(planted),
        };
        let hit = hit.unwrap_or_else(|| panic!("a planted identifier was missed: {planted}"));
        *found.entry(hit.as_str()).or_default() += 1;
    }
    for pattern in ["cccd", "bhyt_card15", "mobile", "person_name", "address", "practitioner"] {
        assert!(found.contains_key(pattern), "{pattern} was not planted");
    }
}

#[test]
fn senseless_options_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for wrong in [
        Options { scale: 0.0, ..options() },
        Options { scale: f64::NAN, ..options() },
        Options { days: 0, ..options() },
    ] {
        let result = simulate(dir.path(), wrong, reference(), &mut |_| {});
        assert!(matches!(result, Err(SimulateError::Options(_))));
    }
    let broken = Reference { units_csv: "ma\n01\n", successors_csv: SUCCESSORS };
    let error = simulate(dir.path(), options(), broken, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("don_vi"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
