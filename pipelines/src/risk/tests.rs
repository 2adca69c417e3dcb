use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use proptest::prelude::*;
use warehouse::geography::Geography;
use warehouse::query::Limits;
use warehouse::spec::{self, Declarations};
use warehouse::store::{Lake, Location};

use super::*;

const CONTRACT: &str = r#"id = "thu"
title = { vi = "Thử", en = "Trial" }
description = { vi = "Thử", en = "Trial" }
owner = { vi = "Bộ Y tế", en = "Ministry of Health" }
groups = [3]
sensitivity = "personal"
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"

[[table]]
name = "nguon.thu"
title = { vi = "Thử", en = "Trial" }
grain = { vi = "Một lượt", en = "One visit" }
file = "thu.csv"
format = "csv"
citation = "Bộ Y tế"

[table.risk]
person = "nguoi"
quasi_identifiers = ["gioi_tinh", "nam_sinh"]
sensitive = ["benh"]

[[table.column]]
name = "nguoi"
label = { vi = "Người", en = "Person" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "nguoi"

[[table.column]]
name = "gioi_tinh"
label = { vi = "Giới tính", en = "Sex" }
type = "text"
values = ["1", "2"]

[[table.column]]
name = "nam_sinh"
label = { vi = "Năm sinh", en = "Year of birth" }
type = "integer"
sensitivity = "personal"
treatment = "generalise"
generalise = "year"

[[table.column]]
name = "benh"
label = { vi = "Bệnh", en = "Disease" }
type = "text"
pattern = "[A-Z][0-9]{2}(\\.[0-9])?"

[[table.column]]
name = "thang"
label = { vi = "Tháng", en = "Month" }
type = "date"
sensitivity = "personal"
treatment = "generalise"
generalise = "month"
required = true
"#;

/// A lake without rows, and the table that is asked about.
struct House {
    _folder: tempfile::TempDir,
    warehouse: Warehouse,
    table: SourceTable,
}

impl House {
    fn new(contract: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let contracts = folder.path().join("pipelines/contracts");
        std::fs::create_dir_all(&contracts).unwrap();
        std::fs::write(contracts.join("thu.toml"), contract).unwrap();
        let loaded = spec::load(folder.path()).unwrap();
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let table = loaded.declarations.contracts[0].tables[0].clone();
        let lake = Lake::open(&Location::Folder(folder.path().join("lake"))).unwrap();
        let (declared, geography) = (Arc::new(Declarations::default()), Geography::empty());
        let limits = Limits::default();
        let warehouse = Warehouse::new(lake, declared, Arc::new(geography), limits).unwrap();
        Self { _folder: folder, warehouse, table }
    }

    fn measured(&self, rows: &[Row]) -> Measured {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let risk = self.table.risk.as_ref().unwrap();
        let workshop = self.warehouse.workshop([("bang".to_owned(), batch(rows).into())]).unwrap();
        let relations = [("bang", None)];
        let work = measure(&self.warehouse, &workshop, &self.table, risk, &relations);
        let parts = runtime.block_on(work).unwrap();
        Measured { asked: asked(&self.table, risk), parts }
    }
}

/// A person, if the source says who, their sex, year of birth, disease, and the month.
type Row = (Option<&'static str>, &'static str, i64, &'static str, i32);

fn batch(rows: &[Row]) -> RecordBatch {
    let texts = |pick: fn(&Row) -> Option<&'static str>| {
        Arc::new(rows.iter().map(pick).collect::<StringArray>()) as ArrayRef
    };
    let years = Int64Array::from_iter_values(rows.iter().map(|row| row.2));
    let months = Date32Array::from_iter_values(rows.iter().map(|row| row.4));
    RecordBatch::try_from_iter([
        ("nguoi", texts(|row| row.0)),
        ("gioi_tinh", texts(|row| Some(row.1))),
        ("nam_sinh", Arc::new(years) as ArrayRef),
        ("benh", texts(|row| Some(row.3))),
        ("thang", Arc::new(months) as ArrayRef),
    ])
    .unwrap()
}

/// Groups by sex and year of birth, with the persons in them:
///
/// | | 1980 | 1981 | 1982 | 1991 | 1996 |
/// |---|---|---|---|---|---|
/// | 1 | a b | | c | | |
/// | 2 | d | d | | e, one unknown | one unknown |
const ROWS: [Row; 10] = [
    (Some("a"), "1", 1980, "A90", 0),
    (Some("a"), "1", 1980, "A91", 0),
    (Some("b"), "1", 1980, "A90", 0),
    (Some("c"), "1", 1982, "A90", 0),
    (Some("d"), "2", 1980, "B20", 0),
    (Some("d"), "2", 1980, "B20", 0),
    (Some("d"), "2", 1981, "B20", 0),
    (Some("e"), "2", 1991, "B20", 0),
    (None, "2", 1991, "B20", 0),
    (None, "2", 1996, "A90", 0),
];

#[test]
fn a_table_worked_by_hand_has_its_k_its_diversity_and_what_coarser_columns_bring() {
    let measured = House::new(CONTRACT).measured(&ROWS);
    let whole = measured.whole();
    // Of 8 persons, c, d twice and one unknown are alone; only a and b differ in a disease.
    let spread = vec![Alike { fewest: 1, persons: 6 }];
    let ways: Vec<(&str, &str)> =
        measured.asked.ways.iter().map(|(column, way)| (column.as_str(), way.as_str())).collect();
    let years = "nam_sinh";
    let known =
        [("gioi_tinh", "bo_cot"), (years, "bo_cot"), (years, "nhom_5_nam"), (years, "nhom_10_nam")];
    assert_eq!(ways, known);
    // Without sex: d of 1981, c of 1982, the one of 1996. Without the year: nobody. In groups of 5:
    // d, who counts in 1980 and in 1981, and the one of 1996. In groups of 10: d.
    let left = vec![3, 0, 3, 2];
    let expected = Exposure { groups: 6, persons: 8, smallest: 1, alone: 4, few: 8, spread, left };
    assert_eq!(whole, expected);
}

#[test]
fn the_fewest_values_of_groups_that_have_several_are_counted() {
    let row = |year, disease| (None, "1", year, disease, 0);
    let rows = [
        row(1980, "A90"),
        row(1980, "A91"),
        row(1980, "A92"),
        row(1981, "A90"),
        row(1981, "A91"),
        row(1981, "A91"),
    ];
    let whole = House::new(CONTRACT).measured(&rows).whole();
    assert_eq!((whole.smallest, whole.alone), (3, 0));
    assert_eq!(whole.spread, [Alike { fewest: 2, persons: 0 }]);
    assert_eq!(House::new(CONTRACT).measured(&[]).whole(), Exposure::default());
}

#[test]
fn codes_become_their_category_chapter_and_province() {
    let contract = CONTRACT
        .replace("[\"gioi_tinh\", \"nam_sinh\"]", "[\"gioi_tinh\", \"benh\"]")
        .replace("sensitive = [\"benh\"]", "coarser = { benh = \"icd10\" }");
    let house = House::new(&contract);
    let row = |disease| (None, "1", 1980, disease, 0);
    // C34 and D05 are neoplasms, D50 is blood; I10 and I11 are one chapter.
    let rows = ["A90.1", "A90.2", "C34", "D05", "D50", "I10", "I11"].map(row);
    let measured = house.measured(&rows);
    let ways: Vec<&str> = measured.asked.ways.iter().map(|(_, way)| way.as_str()).collect();
    assert_eq!(ways, ["bo_cot", "bo_cot", "icd_3_ky_tu", "chuong_icd"]);
    assert_eq!(measured.whole().left, [7, 0, 5, 1]);
}

#[test]
fn a_bound_that_is_passed_names_the_measure_its_value_and_what_to_do() {
    let measured = House::new(CONTRACT).measured(&ROWS);
    let risk = |smallest_k, most_unique| Risk {
        smallest_k,
        most_unique,
        ..House::new(CONTRACT).table.risk.unwrap()
    };
    assert_eq!(verdict(&risk(None, Some(0.5)), &measured), None);
    let near = near(&risk(None, Some(0.5)), &measured).unwrap();
    assert!(near.contains("50,0 % số người"), "{near}");
    let told = verdict(&risk(None, Some(0.4)), &measured).unwrap();
    for part in ["50,0 %", "40,0 %", "most_unique", "nam_sinh", "nhom_10_nam", "25,0 %", "0,0 %"] {
        assert!(told.contains(part), "{told}: {part}");
    }
    let told = verdict(&risk(Some(2), None), &measured).unwrap();
    assert!(told.starts_with("k = 1, dưới ngưỡng smallest_k = 2"), "{told}");
}

/// The figures of rows, counted one by one.
fn counted(rows: &[Row]) -> Exposure {
    let mut groups: HashMap<(&str, i64), BTreeSet<String>> = HashMap::new();
    for (at, (person, sex, year, ..)) in rows.iter().enumerate() {
        let person = person.map_or_else(|| format!("-{at}"), str::to_owned);
        groups.entry((sex, *year)).or_default().insert(person);
    }
    let sizes = || groups.values().map(|persons| persons.len() as u64);
    let left = |key: &dyn Fn(&str, i64) -> (String, i64)| {
        let mut merged: HashMap<(String, i64), (BTreeSet<&str>, u64)> = HashMap::new();
        for ((sex, year), persons) in &groups {
            let (all, count) = merged.entry(key(sex, *year)).or_default();
            all.extend(persons.iter().map(String::as_str));
            *count += persons.len() as u64;
        }
        merged.values().filter(|(all, _)| all.len() == 1).map(|(_, count)| count).sum()
    };
    let same = |sex: &str| sex.to_owned();
    Exposure {
        groups: groups.len() as u64,
        persons: sizes().sum(),
        smallest: sizes().min().unwrap_or_default(),
        alone: sizes().filter(|size| *size == 1).count() as u64,
        few: sizes().filter(|size| *size < FEW).sum(),
        spread: Vec::new(),
        left: vec![
            left(&|_, year| (String::new(), year)),
            left(&|sex, _| (same(sex), 0)),
            left(&|sex, year| (same(sex), year / 5)),
            left(&|sex, year| (same(sex), year / 10)),
        ],
    }
}

/// Rows of a table that is parted by the month, of which `month` is one.
fn parted() -> String {
    CONTRACT
        .replace("[\"gioi_tinh\", \"nam_sinh\"]", "[\"gioi_tinh\", \"nam_sinh\", \"thang\"]")
        .replace("sensitive = [\"benh\"]\n", "")
        .replace("citation", "partition = \"thang\"\ncitation")
}

fn row(months: std::ops::Range<i32>) -> impl Strategy<Value = Row> {
    let person = prop::sample::select(vec![None, Some("a"), Some("b"), Some("c"), Some("d")]);
    let sex = prop::sample::select(vec!["1", "2"]);
    (person, sex, 1980..1994_i64, Just("A90"), months.prop_map(|month| month * 31))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A month that is replaced and counted anew, beside months that stand, gives what counting all
    /// again gives; and that is what counting one by one gives.
    #[test]
    fn counting_what_changed_is_counting_all(
        stands in prop::collection::vec(row(0..4), 0..40),
        comes in prop::collection::vec(row(2..4), 0..20),
    ) {
        let house = House::new(&parted());
        let mut measured = house.measured(&stands);
        let (gone, kept): (Vec<Row>, Vec<Row>) =
            stands.into_iter().partition(|row| row.4 >= 2 * 31);
        let months: BTreeSet<i32> = gone.iter().chain(&comes).map(|row| row.4).collect();
        let names = months.iter().filter_map(|day| chrono::NaiveDate::from_epoch_days(*day));
        measured.replace(names.map(|day| day.to_string()), house.measured(&comes).parts);
        let all: Vec<Row> = kept.into_iter().chain(comes).collect();
        prop_assert_eq!(&measured, &house.measured(&all));
        for (part, exposure) in &measured.parts {
            let day = |row: &&Row| {
                chrono::NaiveDate::from_epoch_days(row.4).is_some_and(|d| d.to_string() == *part)
            };
            let rows: Vec<Row> = all.iter().filter(day).copied().collect();
            prop_assert_eq!(exposure, &counted(&rows));
        }
    }
}
