//! Marts by parts beside the same SQL over everything, night after night.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;
use warehouse::geography::Geography;
use warehouse::query::{FILE, Limits, PLACE, Pick};
use warehouse::spec::{self, arrow_schema};
use warehouse::store::{Gone, Lake, Location, Places, Step};

use super::super::{Inputs, Made, make};
use super::*;

const CONTRACT: &str = r#"id = "kcb"
title = { vi = "Khám bệnh", en = "Care" }
description = { vi = "Lượt khám", en = "Visits" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "internal"
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"
"#;

/// Marts, whether they can be made by parts, and the column and the SQL of each.
const MARTS: [(&str, bool, &str, &str); 17] = [
    (
        "gop",
        true,
        "thang",
        "SELECT thang, loai, count(*) AS so FROM nguon.kham GROUP BY thang, loai",
    ),
    (
        "danh_muc_loai",
        true,
        "thang",
        "SELECT k.thang, coalesce(l.ten, '?') AS ten, sum(k.so) AS so FROM nguon.kham k LEFT JOIN \
         danh_muc.loai l ON l.loai = k.loai GROUP BY k.thang, coalesce(l.ten, '?')",
    ),
    (
        "hop",
        true,
        "thang",
        "SELECT thang, sum(so) AS so FROM (SELECT thang, so FROM nguon.kham UNION ALL \
         SELECT thang, -so FROM nguon.tra) GROUP BY thang",
    ),
    (
        "co_nguong",
        true,
        "thang",
        "SELECT thang, count(DISTINCT loai) AS so FROM nguon.kham GROUP BY thang HAVING count(*) > 2",
    ),
    (
        "quy",
        true,
        "quy",
        "WITH q AS (SELECT CAST(date_trunc('quarter', thang) AS DATE) AS quy, so FROM nguon.kham) \
         SELECT quy, sum(so) AS so, max(so) AS nhieu_nhat FROM q GROUP BY quy -- theo quý",
    ),
    (
        "nam",
        true,
        "nam",
        "SELECT CAST(date_part('year', thang) AS BIGINT) AS nam, count(*) AS so FROM nguon.kham \
         GROUP BY date_part('year', thang)",
    ),
    (
        "doi_chieu",
        true,
        "thang",
        "SELECT a.thang, a.so, b.so AS tra FROM (SELECT thang, sum(so) AS so FROM nguon.kham GROUP BY \
         thang) a LEFT JOIN (SELECT thang, sum(so) AS so FROM nguon.tra GROUP BY thang) b \
         ON a.thang = b.thang",
    ),
    (
        "chua_tra",
        true,
        "thang",
        "SELECT k.thang, count(*) AS so FROM nguon.kham k WHERE NOT EXISTS (SELECT 1 FROM nguon.tra t \
         WHERE t.thang = k.thang AND t.ma = k.ma) GROUP BY k.thang",
    ),
    (
        "ty_le",
        true,
        "thang",
        "SELECT k.thang, k.loai, CAST(count(*) AS DECIMAL(18,4)) / max(t.so) AS so FROM nguon.kham k \
         JOIN (SELECT thang, count(*) AS so FROM nguon.kham GROUP BY thang) t ON t.thang = k.thang \
         GROUP BY k.thang, k.loai",
    ),
    (
        "cua_so",
        false,
        "thang",
        "SELECT thang, sum(sum(so)) OVER (ORDER BY thang) AS so FROM nguon.kham GROUP BY thang",
    ),
    (
        "phan_tong",
        false,
        "thang",
        "SELECT thang, count(*) AS so, (SELECT count(*) FROM nguon.kham) AS tong FROM nguon.kham \
         GROUP BY thang",
    ),
    ("theo_loai", false, "loai", "SELECT loai, count(*) AS so FROM nguon.kham GROUP BY loai"),
    (
        "thang_truoc",
        false,
        "thang",
        "SELECT a.thang, a.so - b.so AS so FROM (SELECT thang, sum(so) AS so FROM nguon.kham GROUP BY \
         thang) a JOIN (SELECT thang, sum(so) AS so FROM nguon.kham GROUP BY thang) b \
         ON a.so = b.so + 1 AND a.thang > b.thang",
    ),
    (
        "gan_nhat",
        false,
        "thang",
        "SELECT thang, count(*) AS so FROM nguon.kham WHERE thang <= current_date GROUP BY thang",
    ),
    (
        "it_nhat",
        false,
        "thang",
        "SELECT thang, so FROM (SELECT thang, sum(so) AS so FROM nguon.kham GROUP BY thang \
         ORDER BY so, thang LIMIT 2)",
    ),
    (
        "ca_hai",
        false,
        "thang",
        "SELECT coalesce(a.thang, b.thang) AS thang, a.so, b.so AS tra FROM (SELECT thang, sum(so) AS so \
         FROM nguon.kham GROUP BY thang) a FULL JOIN (SELECT thang, sum(so) AS so FROM nguon.tra \
         GROUP BY thang) b ON a.thang = b.thang",
    ),
    (
        "thuc",
        false,
        "thang",
        "SELECT thang, sum(CAST(so AS DOUBLE) / 3) > 1 AS nhieu FROM nguon.kham GROUP BY thang",
    ),
];

fn column(name: &str, ty: &str) -> String {
    let label = "label = { vi = \"Cột\", en = \"Column\" }";
    format!("\n[[table.column]]\nname = \"{name}\"\n{label}\nrequired = true\n{ty}\n")
}

/// Tables that grow by key, in partitions by month, and a list that does not.
fn contract() -> String {
    let mut text = CONTRACT.to_owned();
    let key = "type = \"text\"\npattern = \"[0-9]{1,4}\"";
    let tables = [("nguon.kham", true), ("nguon.tra", true), ("danh_muc.loai", false)];
    for (name, grows) in tables {
        let words = "title = { vi = \"Bảng\", en = \"Table\" }\ngrain = { vi = \"Một dòng\", en = \"One row\" }";
        let _ = write!(
            text,
            "\n[[table]]\nname = \"{name}\"\n{words}\nfile = \"{name}.csv\"\nformat = \"csv\"\n\
             citation = \"Thử\"\n"
        );
        if grows {
            text.push_str(
                "key = [\"ma\"]\npartition = \"thang\"\ngrowth = { kind = \"upsert\" }\n",
            );
            let unit = "unit = { vi = \"lượt\", en = \"visits\" }\nmin = -1000\nmax = 1000";
            text.push_str(&column("ma", key));
            text.push_str(&column("thang", "type = \"date\""));
            text.push_str(&column("loai", key));
            text.push_str(&column("so", &format!("type = \"integer\"\n{unit}")));
        } else {
            text.push_str(&column("loai", key));
            text.push_str(&column("ten", "type = \"text\"\npattern = \"[a-z]{1,8}\""));
        }
    }
    text
}

fn mart(by: &str, sql: &str, columns: &[String]) -> String {
    let mut text = "/* toml\ntitle = { vi = \"Thử\", en = \"Trial\" }\ndescription = { vi = \"Thử\", en = \
                    \"Trial\" }\ngrain = { vi = \"Một dòng\", en = \"One row\" }\nowner = { vi = \"Cục\", en = \
                    \"Department\" }\ngroups = [3]\nsensitivity = \"internal\"\nsource = { vi = \"Thử\", en = \
                    \"Trial\" }\nlegal_basis = \"Không\"\n"
        .to_owned();
    let _ = writeln!(text, "partition = \"{by}\"");
    for name in columns {
        let _ = write!(
            text,
            "\n[[column]]\nname = \"{name}\"\nlabel = {{ vi = \"Cột\", en = \"Column\" }}\n\
             unit = {{ vi = \"lượt\", en = \"visits\" }}\n"
        );
    }
    format!("{text}*/\n{sql}\n")
}

/// The names that the outer SELECT gives, in order.
fn columns_of(id: &str, by: &str) -> Vec<String> {
    let more: &[&str] = match id {
        "gop" => &["loai", "so"],
        "danh_muc_loai" => &["ten", "so"],
        "quy" => &["so", "nhieu_nhat"],
        "doi_chieu" | "ca_hai" => &["so", "tra"],
        "ty_le" => &["loai", "so"],
        "phan_tong" => &["so", "tong"],
        "thuc" => &["nhieu"],
        _ => &["so"],
    };
    [by].iter().chain(more).map(|name| (*name).to_owned()).collect()
}

fn declare(root: &Path, marts: &[(&str, bool, &str, &str)]) -> spec::Declarations {
    let (contracts, queries) = (root.join("pipelines/contracts"), root.join("queries/marts"));
    std::fs::create_dir_all(&contracts).unwrap();
    std::fs::create_dir_all(&queries).unwrap();
    std::fs::write(contracts.join("kcb.toml"), contract()).unwrap();
    for (id, _, by, sql) in marts {
        let text = mart(by, sql, &columns_of(id, by));
        std::fs::write(queries.join(format!("{id}.sql")), text).unwrap();
    }
    let loaded = spec::load(root).unwrap();
    let faults: Vec<String> = loaded.diagnostics.iter().map(|f| format!("{f:?}")).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    loaded.declarations
}

fn open(root: &Path, marts: &[(&str, bool, &str, &str)]) -> Warehouse {
    let declared = Arc::new(declare(root, marts));
    let lake = Lake::open(&Location::Folder(root.join("lake"))).unwrap();
    let limits = Limits { threads: 1, ..Limits::default() };
    Warehouse::new(lake, declared, Arc::new(Geography::empty()), limits).unwrap()
}

/// A row of a table that grows, without its key.
type Row = (u8, u8, i64);

/// What a source holds, by key.
type Source = BTreeMap<u8, Row>;

/// A row that comes, is corrected or moved, or goes.
type Change = (u8, Option<Row>);

/// How a table takes its changes.
#[derive(Debug, Clone, Copy)]
enum Way {
    Partitions,
    Places,
    Whole,
}

fn month(number: u8) -> String {
    format!("{}-{:02}-01", 2024 + u16::from(number / 12), number % 12 + 1)
}

fn select(rows: &[(u8, Row)]) -> String {
    let row = |(key, (at, kind, count)): &(u8, Row)| {
        format!("('{key}', '{}', '{kind}', {count})", month(*at))
    };
    let mut values: Vec<String> = rows.iter().map(row).collect();
    let only = if values.is_empty() { " WHERE false" } else { "" };
    if values.is_empty() {
        values.push("('', '2000-01-01', '', 0)".to_owned());
    }
    format!(
        "SELECT CAST(column1 AS VARCHAR) AS ma, CAST(column2 AS DATE) AS thang, \
         CAST(column3 AS VARCHAR) AS loai, CAST(column4 AS BIGINT) AS so FROM (VALUES {}){only}",
        values.join(", ")
    )
}

fn note(number: u32, step: Step) -> Note {
    let batch = format!("{number:064x}");
    Note::new(night(number), step, String::new(), batch)
}

fn night(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(u64::from(number))
}

/// Gives a table its changes, as nights do.
async fn take(
    warehouse: &Warehouse,
    table: &str,
    source: &mut Source,
    changes: &[Change],
    way: Way,
    number: u32,
) {
    let (name, lake) = (table.parse::<TableName>().unwrap(), warehouse.lake());
    let mut touched: BTreeSet<String> = BTreeSet::new();
    let mut old: BTreeSet<u8> = BTreeSet::new();
    for (key, row) in changes {
        let before = match row {
            Some(row) => source.insert(*key, *row),
            None => source.remove(key),
        };
        old.extend(before.map(|_| *key));
        touched.extend(before.iter().chain(row).map(|(at, ..)| month(*at)));
    }
    let workshop = warehouse.workshop([]).unwrap();
    let is_new = lake.newest(&name).await.unwrap().is_none();
    let note = note(number, Step::Nap);
    if is_new || matches!(way, Way::Whole) {
        let all: Vec<(u8, Row)> = source.iter().map(|(key, row)| (*key, *row)).collect();
        let rows = workshop.stage(&select(&all)).await.unwrap();
        lake.write(&name, rows, Replace::All { by: Some("thang") }, &note).await.unwrap();
    } else if matches!(way, Way::Places) {
        let version = lake.newest(&name).await.unwrap().unwrap();
        let schema = arrow_schema(warehouse.declarations().source_table(&name).unwrap().1);
        let placed = workshop.with_places("dang_co", &schema, Pick::Counting(Arc::clone(&version)));
        let keys: Vec<String> = old.iter().map(|key| format!("'{key}'")).collect();
        let keys = if keys.is_empty() { "''".to_owned() } else { keys.join(", ") };
        let sql = format!("SELECT \"{FILE}\", \"{PLACE}\" FROM dang_co WHERE ma IN ({keys})");
        let add = |gone: &mut Places, rows: &RecordBatch| {
            let of = |at: usize| rows.column(at).as_primitive::<Int64Type>().values().to_vec();
            for (file, row) in of(0).into_iter().zip(of(1)) {
                gone.insert(usize::try_from(file).unwrap(), u64::try_from(row).unwrap());
            }
        };
        let gone = placed.fold(&sql, Places::none(version), add).await.unwrap();
        let keys: BTreeSet<u8> = changes.iter().map(|(key, _)| *key).collect();
        let new: Vec<_> = keys.iter().filter_map(|key| Some((*key, *source.get(key)?))).collect();
        let rows = warehouse.workshop([]).unwrap().stage(&select(&new)).await.unwrap();
        lake.amend(&name, &rows, &Gone { rows: gone, files: BTreeSet::new() }, &note)
            .await
            .unwrap();
    } else if !touched.is_empty() {
        let is_touched =
            |(key, row): (&u8, &Row)| touched.contains(&month(row.0)).then_some((*key, *row));
        let new: Vec<(u8, Row)> = source.iter().filter_map(is_touched).collect();
        let rows = workshop.stage(&select(&new)).await.unwrap();
        let replace = Replace::Partitions { by: "thang", values: &touched };
        lake.write(&name, rows, replace, &note).await.unwrap();
    }
}

/// Writes the list of kinds.
async fn list(warehouse: &Warehouse, word: &str, number: u32) {
    let sql = format!("SELECT '1' AS loai, '{word}' AS ten UNION ALL SELECT '2', 'hai'");
    let rows = warehouse.workshop([]).unwrap().stage(&sql).await.unwrap();
    let name = "danh_muc.loai".parse().unwrap();
    let (note, replace) = (note(number, Step::Nap), Replace::All { by: None });
    warehouse.lake().write(&name, rows, replace, &note).await.unwrap();
}

/// The rows of a read, as sorted lines.
async fn lines(warehouse: &Warehouse, sql: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for rows in warehouse.workshop([]).unwrap().rows(sql).await.unwrap() {
        let mut text = Vec::new();
        let mut writer = arrow::csv::WriterBuilder::new().with_header(false).build(&mut text);
        writer.write(&rows).unwrap();
        drop(writer);
        lines.extend(String::from_utf8(text).unwrap().lines().map(str::to_owned));
    }
    lines.sort();
    lines
}

/// Makes a mart as a night does.
async fn remake(warehouse: &Warehouse, id: &str, number: u32) -> Note {
    let query = warehouse.declarations().queries.iter().find(|query| query.id == id).unwrap();
    let (table, part) = target(query).unwrap();
    let before = warehouse.lake().note(&table, &part).await.unwrap();
    let batches = BTreeMap::from([("dem".to_owned(), number.to_string())]);
    let inputs = Inputs { batches, simulated: false };
    match make(warehouse, query, night(number), inputs, None, before.as_ref()).await {
        Ok(Made::New(note)) => note,
        other => panic!("{id}: {other:?}"),
    }
}

/// Makes the mart and compares it with its SQL over all that its tables hold.
async fn compare(warehouse: &Warehouse, (id, ..): (&str, bool, &str, &str), number: u32) -> Note {
    let note = remake(warehouse, id, number).await;
    let query = warehouse.declarations().queries.iter().find(|query| query.id == id).unwrap();
    let names: Vec<&str> = query.columns.iter().map(|column| column.name.as_str()).collect();
    let stored = format!("SELECT {} FROM kho.{id}", names.join(", "));
    let (made, whole) = (lines(warehouse, &stored).await, lines(warehouse, &query.sql).await);
    assert_eq!(made, whole, "{id} in night {number}, {:?} parts", note.parts);
    note
}

fn row() -> impl Strategy<Value = Row> {
    (0..26_u8, 1..4_u8, 1..5_i64)
}

/// A night: changes of both tables and how they are taken, and at times a word of the list.
type Night = (Vec<Change>, Vec<Change>, Way, bool);

fn nights() -> impl Strategy<Value = Vec<Night>> {
    let changes = || prop::collection::vec((0..60_u8, prop::option::weighted(0.8, row())), 0..5);
    let way =
        prop_oneof![4 => Just(Way::Partitions), 4 => Just(Way::Places), 1 => Just(Way::Whole)];
    let night = (changes(), changes(), way, prop::bool::weighted(0.1));
    prop::collection::vec(night, 3..6)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Rows in every month from 2024 to February 2026.
fn beginning() -> (Source, Vec<Change>) {
    (Source::new(), (0..52_u8).map(|key| (key, Some((key / 2, key % 3 + 1, 2)))).collect())
}

#[test]
fn a_mart_made_by_parts_is_the_mart_made_whole_after_every_night() {
    let config =
        ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() };
    let run = |nights: Vec<Night>| {
        let folder = tempfile::tempdir().unwrap();
        let warehouse = open(folder.path(), &MARTS);
        runtime().block_on(work(&warehouse, &nights))
    };
    TestRunner::new(config)
        .run(&nights(), |nights| {
            let made = run(nights);
            prop_assert!(made.iter().all(|id| MARTS.iter().any(|mart| mart.0 == *id && mart.1)));
            Ok(())
        })
        .unwrap();
    // One row more: every mart that can is made by parts.
    let late = (vec![(90, Some((3, 1, 1)))], Vec::new(), Way::Partitions, false);
    let by_parts = run(vec![late]);
    let expected = MARTS.iter().filter(|mart| mart.1).map(|mart| mart.0);
    assert_eq!(by_parts, expected.collect());
}

/// Works through nights; the marts of which some night made parts alone.
async fn work(warehouse: &Warehouse, nights: &[Night]) -> BTreeSet<&'static str> {
    let ((mut kham, all), (mut tra, _)) = (beginning(), beginning());
    take(warehouse, "nguon.kham", &mut kham, &all, Way::Whole, 0).await;
    take(warehouse, "nguon.tra", &mut tra, &all[..30], Way::Whole, 0).await;
    list(warehouse, "mot", 0).await;
    let mut by_parts = BTreeSet::new();
    for mart in MARTS {
        assert_eq!(compare(warehouse, mart, 0).await.parts, None, "{}", mart.0);
    }
    for (number, (one, other, way, is_listed)) in (1..).zip(nights) {
        take(warehouse, "nguon.kham", &mut kham, one, *way, number).await;
        take(warehouse, "nguon.tra", &mut tra, other, *way, number).await;
        if *is_listed {
            list(warehouse, &"abc"[..number as usize % 3 + 1], number).await;
        }
        for mart in MARTS {
            let note = compare(warehouse, mart, number).await;
            let most = one.len() + other.len();
            if let Some(parts) = note.parts {
                // Of each changed row, the month that it was in and the one that it is in.
                assert!(matches!(way, Way::Whole) || parts as usize <= 2 * most, "{}", mart.0);
                by_parts.extend((parts > 0).then_some(mart.0));
            }
        }
    }
    by_parts
}

/// A lake with the first of the marts, made once.
async fn begun(folder: &TempDir) -> (Warehouse, Source) {
    let warehouse = open(folder.path(), &MARTS[..1]);
    let (mut source, all) = beginning();
    take(&warehouse, "nguon.kham", &mut source, &all, Way::Whole, 0).await;
    assert_eq!(compare(&warehouse, MARTS[0], 0).await.parts, None);
    (warehouse, source)
}

#[test]
fn what_did_not_change_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (warehouse, mut source) = begun(&folder).await;
        let late = [(70, Some((4, 2, 1)))];
        take(&warehouse, "nguon.kham", &mut source, &late, Way::Places, 1).await;
        // All months but the one that a late row came to are lost.
        let table = folder.path().join("lake/nguon/kham");
        for part in std::fs::read_dir(&table).unwrap().map(|entry| entry.unwrap().path()) {
            let name = part.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("thang=") && name != format!("thang={}", month(4)) {
                std::fs::remove_dir_all(part).unwrap();
            }
        }
        let note = remake(&warehouse, "gop", 1).await;
        assert_eq!((note.parts, note.rows_written), (Some(1), 3));
        let rows = lines(&warehouse, "SELECT sum(so) FROM kho.gop").await;
        assert_eq!(rows, ["53"]);
        // The whole would need the rest.
        let query = &warehouse.declarations().queries[0];
        assert!(make(&warehouse, query, night(2), Inputs::default(), None, None).await.is_err());
    });
}

#[test]
fn another_sql_and_a_table_made_anew_are_made_whole() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (warehouse, mut source) = begun(&folder).await;
        let one = |count| [(0, Some((0, 1, count)))];
        take(&warehouse, "nguon.kham", &mut source, &one(3), Way::Partitions, 1).await;
        assert_eq!(compare(&warehouse, MARTS[0], 1).await.parts, Some(1));
        // The same again: nothing changed, and a note says so.
        assert_eq!(compare(&warehouse, MARTS[0], 2).await.parts, Some(0));
        let (id, _, by, sql) = MARTS[0];
        let other = [(id, true, by, &*sql.replace("count(*)", "sum(so)"))];
        let changed = open(folder.path(), &other);
        take(&changed, "nguon.kham", &mut source, &one(4), Way::Partitions, 3).await;
        assert_eq!(compare(&changed, MARTS[0], 3).await.parts, None);
        // A table that was lost and loaded again has the numbers of before for other files.
        let lost = folder.path().join("lake/nguon/kham");
        std::fs::remove_dir_all(lost).unwrap();
        let again = open(folder.path(), &other);
        for number in 4..9 {
            let rows = one(i64::from(number));
            take(&again, "nguon.kham", &mut source, &rows, Way::Partitions, number).await;
        }
        assert_eq!(compare(&again, MARTS[0], 9).await.parts, None);
    });
}

#[test]
fn checks_are_asked_of_the_whole_mart() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let root = folder.path();
        declare(root, &MARTS[..1]);
        let check = "\n[[check]]\nname = \"du_thang\"\ntitle = { vi = \"Đủ\", en = \"All\" }\nquery = \
                     \"SELECT 1 FROM (SELECT count(DISTINCT thang) AS so FROM bang) WHERE so < 26\"\n\
                     action = \"refuse\"\n*/";
        let path = root.join("queries/marts/gop.sql");
        let text = std::fs::read_to_string(&path).unwrap().replace("*/", check);
        std::fs::write(&path, text).unwrap();
        let loaded = spec::load(root).unwrap();
        let lake = Lake::open(&Location::Folder(root.join("lake"))).unwrap();
        let declared = Arc::new(loaded.declarations);
        let geography = Arc::new(Geography::empty());
        let warehouse = Warehouse::new(lake, declared, geography, Limits::default()).unwrap();
        let (mut source, all) = beginning();
        take(&warehouse, "nguon.kham", &mut source, &all, Way::Whole, 0).await;
        remake(&warehouse, "gop", 0).await;
        take(&warehouse, "nguon.kham", &mut source, &[(0, Some((0, 1, 9)))], Way::Places, 1).await;
        let note = remake(&warehouse, "gop", 1).await;
        assert_eq!((note.parts, note.checks[0].faults), (Some(1), 0));
        // Both rows of a month go: a total that is one too small refuses what is left of it.
        take(&warehouse, "nguon.kham", &mut source, &[(0, None), (1, None)], Way::Places, 2).await;
        let query = &warehouse.declarations().queries[0];
        let before = warehouse.lake().last_note(&"kho.gop".parse().unwrap()).await.unwrap();
        let made = make(&warehouse, query, night(2), Inputs::default(), None, before.as_ref()).await;
        assert!(matches!(made, Ok(Made::Refused(note, _)) if note.checks[0].faults == 1));
    });
}
