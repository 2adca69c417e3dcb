//! Tables that grow: however many nights a table is made of, it holds what one load of the source as
//! it is in the end would give.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use warehouse::geography::Geography;
use warehouse::query::{Limits, Warehouse};
use warehouse::spec;
use warehouse::store::{Lake, Location};

use crate::support::{self, khoyte, succeed};
use crate::users::server::{PASSWORD, Postgres};

/// An installation with contracts of its own.
pub(crate) struct House {
    folder: TempDir,
}

impl House {
    pub(crate) fn new(contract: &str, config: &str) -> Self {
        Self::of(&[contract], config)
    }

    /// With several contracts; each begins with its `id`.
    pub(crate) fn of(all: &[&str], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let contracts = folder.path().join("declared/pipelines/contracts");
        std::fs::create_dir_all(&contracts).unwrap();
        std::fs::create_dir_all(folder.path().join("sources")).unwrap();
        std::fs::create_dir_all(folder.path().join("keys")).unwrap();
        for contract in all {
            let id = contract.split('"').nth(1).unwrap();
            std::fs::write(contracts.join(format!("{id}.toml")), contract).unwrap();
        }
        let common = "declarations_folder = \"declared\"\nsources_folder = \"sources\"\n";
        std::fs::write(folder.path().join("khoyte.toml"), format!("{common}{config}")).unwrap();
        std::fs::set_permissions(
            folder.path().join("keys"),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes over the keys of another, so that their tokens can be compared.
    pub(crate) fn with_keys_of(self, other: &Self) -> Self {
        for (name, bytes) in support::files(&other.path().join("keys")) {
            let file = self.path().join("keys").join(name);
            std::fs::write(&file, bytes).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .unwrap();
        }
        self
    }

    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join("sources").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn night(&self, date: &str) {
        succeed(khoyte(self.path()).args(["night", "--date", date]));
    }

    pub(crate) fn open(&self) -> Warehouse {
        let loaded = spec::load(&self.path().join("declared")).unwrap();
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let lake = Lake::open(&Location::Folder(self.path().join("lake"))).unwrap();
        let declared = Arc::new(loaded.declarations);
        Warehouse::new(lake, declared, Arc::new(Geography::empty()), Limits::default()).unwrap()
    }

    /// The rows of a query as sorted lines.
    pub(crate) fn lines(&self, sql: &str) -> Vec<String> {
        let grid = support::rows(&self.open(), sql);
        let line = |row: &Vec<warehouse::grid::Cell>| {
            row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
        };
        let mut lines: Vec<String> = grid.rows.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Files of a table's rows.
    pub(crate) fn parquet(&self, table: &str) -> Vec<PathBuf> {
        let files = support::files(&self.path().join("lake").join(table));
        files.into_keys().filter(|name| name.ends_with(".parquet")).map(PathBuf::from).collect()
    }
}

const HEAD: &str = r#"id = "kcb"
title = { vi = "Khám bệnh", en = "Care" }
description = { vi = "Lượt khám", en = "Visits" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "personal"
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"
"#;

const COLUMNS: &str = r#"citation = "Cục Quản lý Khám, chữa bệnh"
key = ["ma_luot"]
title = { vi = "Lượt khám", en = "Visits" }
grain = { vi = "Một lượt khám", en = "One visit" }

[table.risk]
quasi_identifiers = ["trang_thai", "thang"]
sensitive = ["tien"]

[[table.column]]
name = "ma_luot"
label = { vi = "Mã lượt", en = "Visit" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "luot"
required = true

[[table.column]]
name = "thang"
from = "ngay_kham"
label = { vi = "Tháng khám", en = "Month" }
type = "date"
sensitivity = "personal"
treatment = "generalise"
generalise = "month"
required = true

[[table.column]]
name = "tien"
label = { vi = "Tiền", en = "Cost" }
type = "decimal(18,2)"
unit = { vi = "đồng", en = "VND" }
min = 0
max = 100000000

[[table.column]]
name = "trang_thai"
label = { vi = "Trạng thái", en = "Status" }
type = "text"
required = true
values = ["1", "2", "9"]

[[table.column]]
name = "cap_nhat"
from = "cap_nhat_luc"
label = { vi = "Cập nhật", en = "Updated" }
type = "date"
required = true
"#;

pub(crate) fn contract(system: &str, place: &str, growth: &str) -> String {
    format!(
        "{HEAD}{system}\n[[table]]\nname = \"nguon.kcb_luot_kham\"\n{place}\n{growth}\n{COLUMNS}"
    )
}

pub(crate) const UPSERT: &str = "partition = \"thang\"\ngrowth = { kind = \"upsert\", watermark = \"cap_nhat\", \
                      again_days = 1, deleted = \"trang_thai = '9'\" }";

pub(crate) const ROWS: &str = "SELECT * FROM nguon.kcb_luot_kham";

/// How exposed the table is after the newest night.
const RISKS: &str = "SELECT phep_do, cot, muc, gia_tri, so_nguoi FROM he_thong.rui_ro \
     WHERE dem = (SELECT max(dem) FROM he_thong.rui_ro)";

/// A server with the relation of visits, and the configuration that reaches it.
pub(crate) fn server() -> (Postgres, String) {
    let server = Postgres::start();
    server.ask("postgres", "CREATE DATABASE kcb");
    server.ask(
        "kcb",
        "CREATE SCHEMA kcb; CREATE TABLE kcb.luot_kham (ma_luot text PRIMARY KEY, \
         ho_ten text, ngay_kham timestamptz, tien numeric(18,2), trang_thai text, \
         cap_nhat_luc timestamptz)",
    );
    let address = server.address("kcb").replace(&format!("khoyte:{PASSWORD}@"), "");
    let config = format!(
        "[servers.kcb]\naddress = {address:?}\nuser = \"khoyte\"\nsecret_command = [\"echo\", \
         {PASSWORD:?}]\nplain = true\n"
    );
    (server, config)
}

/// What the source does on a day: new visits, some of an earlier month, corrections, deletions.
pub(crate) fn day(server: &Postgres, day: u32) {
    let at = format!("2026-07-{day:02} 20:00:00+07");
    server.ask(
        "kcb",
        &format!(
            "INSERT INTO kcb.luot_kham SELECT 'L{day}-' || n, 'Nguyễn Văn ' || n, \
               timestamptz '2026-07-{day:02} 08:00:00+07' - (n % 3) * interval '20 days', n * 1000, \
               '1', timestamptz '{at}' FROM generate_series(1, 40) n; \
             UPDATE kcb.luot_kham SET tien = tien + 1, trang_thai = '2', cap_nhat_luc = '{at}' \
               WHERE ma_luot LIKE 'L{before}-1%'; \
             UPDATE kcb.luot_kham SET trang_thai = '9', cap_nhat_luc = '{at}' \
               WHERE ma_luot = 'L{before}-7'",
            before = day - 1
        ),
    );
}

#[test]
fn five_nights_of_increments_corrections_late_rows_and_deletions_are_one_load_of_the_end() {
    let (server, config) = server();
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", UPSERT);
    let house = House::new(&contract, &config);
    for date in 2..=6 {
        day(&server, date);
        house.night(&format!("2026-07-{date:02}"));
        // The same night again finds nothing to do.
        let before = support::files(&house.path().join("lake/nguon"));
        house.night(&format!("2026-07-{date:02}"));
        let after = support::files(&house.path().join("lake/nguon"));
        assert_eq!(support::differing(&before, &after), Vec::<String>::new());
    }
    let fresh = House::new(&contract, &config).with_keys_of(&house);
    fresh.night("2026-07-06");
    let (grown, whole) = (house.lines(ROWS), fresh.lines(ROWS));
    assert_eq!(whole.len(), 5 * 40 - 4);
    assert_eq!(grown, whole);
    // So is what was measured, though each night counted only the months that it touched.
    assert_eq!(house.lines(RISKS), fresh.lines(RISKS));
    let read = "SELECT so_dong_doc FROM he_thong.lan_chay WHERE bang = 'nguon.kcb_luot_kham' \
                AND dem = DATE '2026-07-06'";
    // Of the 200 rows, those written since a day before the newest of the night before: three days.
    assert_eq!(house.lines(read), ["132"]);
}

#[test]
fn a_batch_rewrites_the_partitions_that_it_touches_and_no_others() {
    let (server, config) = server();
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", UPSERT);
    let house = House::new(&contract, &config);
    let insert = |name: &str, seen: &str, written: &str| {
        server.ask(
            "kcb",
            &format!(
                "INSERT INTO kcb.luot_kham VALUES ('{name}', '', '{seen}', 1, '1', '{written}')"
            ),
        );
    };
    insert("a", "2026-05-03", "2026-07-01");
    insert("b", "2026-06-03", "2026-07-01");
    house.night("2026-07-01");
    let before = house.parquet("nguon/kcb_luot_kham");
    assert_eq!(before.len(), 2);
    insert("c", "2026-06-04", "2026-07-02");
    house.night("2026-07-02");
    let added: Vec<PathBuf> = house
        .parquet("nguon/kcb_luot_kham")
        .into_iter()
        .filter(|file| !before.contains(file))
        .collect();
    // Both rows of June are in its new file: the one of May was not written again.
    let [file] = added.as_slice() else { panic!("{added:?}") };
    assert!(file.to_string_lossy().contains("thang=2026-06-01"), "{file:?}");
    assert_eq!(house.lines(ROWS).len(), 3);
}

#[test]
fn a_row_that_moves_to_another_partition_leaves_the_one_that_it_was_in() {
    let (server, config) = server();
    let growth = UPSERT.replace("again_days = 1", "again_days = 1, moves = true");
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", &growth);
    let house = House::new(&contract, &config);
    server.ask(
        "kcb",
        "INSERT INTO kcb.luot_kham VALUES ('a', '', '2026-05-03', 1, '1', '2026-07-01'), \
         ('b', '', '2026-05-04', 2, '1', '2026-07-01'), ('c', '', '2026-06-05', 3, '1', '2026-07-01')",
    );
    house.night("2026-07-01");
    // One is corrected, and one is deleted by a row that says another month than it said before.
    server.ask(
        "kcb",
        "UPDATE kcb.luot_kham SET ngay_kham = '2026-06-03', cap_nhat_luc = '2026-07-02' \
         WHERE ma_luot = 'a'; \
         UPDATE kcb.luot_kham SET ngay_kham = '2026-06-04', trang_thai = '9', \
         cap_nhat_luc = '2026-07-02' WHERE ma_luot = 'b'",
    );
    house.night("2026-07-02");
    let months = "SELECT thang, count(*), sum(tien) FROM nguon.kcb_luot_kham GROUP BY thang";
    assert_eq!(house.lines(months), ["2026-06-01|2|4.00"]);
    let fresh = House::new(&contract, &config).with_keys_of(&house);
    fresh.night("2026-07-02");
    assert_eq!(house.lines(ROWS), fresh.lines(ROWS));
}

/// Corrections, deletions and corrections of corrections, in a file that is too large to be written
/// again for them.
#[test]
fn a_large_file_stays_as_it_is_where_some_of_its_rows_are_corrected() {
    const LARGE: &str = "SELECT count(*), sum(tien), count(*) FILTER (WHERE trang_thai = '2') \
                         FROM nguon.kcb_luot_kham";
    let (server, config) = server();
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", UPSERT);
    let house = House::new(&contract, &config);
    let change = |sql: &str| server.ask("kcb", sql);
    change(
        "INSERT INTO kcb.luot_kham SELECT 'L' || n, '', timestamptz '2026-06-10 08:00:00+07', \
         n % 1000, '1', timestamptz '2026-07-01 20:00:00+07' FROM generate_series(1, 100000) n",
    );
    house.night("2026-07-01");
    let [large] = &house.parquet("nguon/kcb_luot_kham")[..] else { panic!("one file") };
    let path = house.path().join("lake/nguon/kcb_luot_kham").join(large);
    assert!(std::fs::metadata(&path).unwrap().len() > 1 << 20);
    let bytes = std::fs::read(&path).unwrap();
    // A table is one of deleted rows, which not every engine reads, only once it has some.
    let log = house.path().join("lake/nguon/kcb_luot_kham/_delta_log");
    let first = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    assert!(first.contains("minReaderVersion") && !first.contains("deletionVectors"));
    for (night, status, every) in [(2, "2", 50), (3, "2", 70), (4, "9", 60)] {
        change(&format!(
            "UPDATE kcb.luot_kham SET tien = tien + 1, trang_thai = '{status}', \
             cap_nhat_luc = '2026-07-{night:02} 20:00:00+07' WHERE substr(ma_luot, 2)::int % {every} = 0",
        ));
        house.night(&format!("2026-07-{night:02}"));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    let fresh = House::new(&contract, &config).with_keys_of(&house);
    fresh.night("2026-07-04");
    assert_eq!(house.lines(LARGE), fresh.lines(LARGE));
    let rows = "SELECT * FROM nguon.kcb_luot_kham WHERE tien % 97 = 0";
    assert_eq!(house.lines(rows), fresh.lines(rows));
    // What no longer counts is in no answer, however it is asked for.
    let distinct = "SELECT count(*) = count(DISTINCT ma_luot) FROM nguon.kcb_luot_kham";
    assert_eq!(house.lines(distinct), ["true"]);
    succeed(khoyte(house.path()).arg("doctor"));
}

#[test]
fn periods_are_replaced_as_wholes_as_far_back_as_declared_and_further_when_asked() {
    let (server, config) = server();
    let growth = "growth = { kind = \"append\", period = \"thang\", again_days = 20 }";
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", growth);
    let house = House::new(&contract, &config);
    let change = |sql: &str| server.ask("kcb", sql);
    change(
        "INSERT INTO kcb.luot_kham SELECT 'L' || n, '', timestamptz '2026-04-10 00:00+07' \
         + n * interval '1 month', n, '1', '2026-07-10' FROM generate_series(0, 3) n",
    );
    house.night("2026-07-10");
    let months = "SELECT thang, count(*), sum(tien) FROM nguon.kcb_luot_kham GROUP BY thang";
    assert_eq!(house.lines(months).len(), 4);
    // A late row in June is seen, since the night looks 20 days back; one in April is not.
    change(
        "INSERT INTO kcb.luot_kham VALUES ('muon-6', '', '2026-06-02', 5, '1', '2026-07-11'), \
         ('muon-4', '', '2026-04-02', 5, '1', '2026-07-11'); \
         DELETE FROM kcb.luot_kham WHERE ma_luot = 'L3'",
    );
    house.night("2026-07-11");
    let seen = house.lines(months);
    assert_eq!(seen, ["2026-04-01|1|0.00", "2026-05-01|1|1.00", "2026-06-01|2|7.00"]);
    succeed(khoyte(house.path()).args([
        "night",
        "--date",
        "2026-07-11",
        "--from",
        "2026-04-01",
        "--to",
        "2026-04-30",
    ]));
    assert_eq!(house.lines(months)[0], "2026-04-01|2|5.00");
    assert_eq!(house.lines(months).len(), 3);
    let fresh = House::new(&contract, &config).with_keys_of(&house);
    fresh.night("2026-07-11");
    assert_eq!(house.lines(ROWS), fresh.lines(ROWS));
    assert_eq!(house.lines(RISKS), fresh.lines(RISKS));
}

#[test]
fn days_that_are_read_again_and_hold_nothing_any_more_lose_their_rows() {
    let (server, config) = server();
    let growth = "growth = { kind = \"append\", period = \"thang\", again_days = 0 }";
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", growth);
    let house = House::new(&contract, &config);
    server.ask(
        "kcb",
        "INSERT INTO kcb.luot_kham VALUES ('a', '', '2026-04-02', 1, '1', '2026-07-10'), \
         ('b', '', '2026-07-02', 1, '1', '2026-07-10')",
    );
    house.night("2026-07-10");
    server.ask("kcb", "DELETE FROM kcb.luot_kham");
    house.night("2026-07-11");
    assert_eq!(house.lines(ROWS).len(), 1);
    // What is asked now has the same answer as the question of before, none, and is another.
    let again = ["night", "--date", "2026-07-11", "--from", "2026-04-01", "--to", "2026-04-30"];
    succeed(khoyte(house.path()).args(again));
    assert_eq!(house.lines(ROWS).len(), 0);
}

#[test]
fn a_column_that_a_contract_gains_is_empty_in_the_rows_of_before() {
    let (server, config) = server();
    let before = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", UPSERT);
    let house = House::new(&before, &config);
    day(&server, 2);
    house.night("2026-07-02");
    let gained = "\n[[table.column]]\nname = \"la_cap_cuu\"\nfrom = \"cap_cuu\"\n\
                  label = { vi = \"Cấp cứu\", en = \"Emergency\" }\ntype = \"boolean\"\n";
    let path = house.path().join("declared/pipelines/contracts/kcb.toml");
    std::fs::write(path, format!("{before}{gained}")).unwrap();
    server.ask("kcb", "ALTER TABLE kcb.luot_kham ADD COLUMN cap_cuu boolean");
    day(&server, 3);
    server.ask("kcb", "UPDATE kcb.luot_kham SET cap_cuu = true WHERE ma_luot LIKE 'L3-%'");
    house.night("2026-07-03");
    let told = "SELECT la_cap_cuu, count(*) FROM nguon.kcb_luot_kham GROUP BY la_cap_cuu";
    assert_eq!(house.lines(told).len(), 2);
    assert_eq!(house.lines(ROWS).len(), 79);
}

fn csv(rows: &[(&str, &str, u32, &str, &str)]) -> String {
    let line = |(id, seen, cost, status, written): &(&str, &str, u32, &str, &str)| {
        format!("{id},{seen},{cost},{status},{written}\n")
    };
    let head = "ma_luot,ngay_kham,tien,trang_thai,cap_nhat_luc\n".to_owned();
    head + &rows.iter().map(line).collect::<String>()
}

#[test]
fn files_of_a_night_that_come_late_are_loaded_when_they_come() {
    let growth = UPSERT.replace("again_days = 1", "again_days = 3");
    let place = "file = \"kcb/{night}/*.csv\"\nformat = \"csv\"\nread = { complete = \"marker\" }";
    let house = House::new(&contract("", place, &growth), "");
    house.write("kcb/2026-07-01/a.csv", csv(&[("1", "2026-07-01", 10, "1", "2026-07-01")]));
    house.write("kcb/2026-07-01/_SUCCESS", "");
    house.night("2026-07-01");
    // The second day's files are not complete yet; the third day corrects the first.
    let late = csv(&[
        ("2", "2026-07-02", 20, "1", "2026-07-02"),
        ("1", "2026-07-01", 11, "2", "2026-07-02"),
    ]);
    house.write("kcb/2026-07-02/a.csv", &late);
    house.night("2026-07-02");
    house.write("kcb/2026-07-03/b.csv", csv(&[("1", "2026-07-01", 12, "2", "2026-07-03")]));
    house.write("kcb/2026-07-03/_SUCCESS", "");
    house.night("2026-07-03");
    let costs = "SELECT tien FROM nguon.kcb_luot_kham";
    assert_eq!(house.lines(costs), ["12.00"]);
    house.write("kcb/2026-07-02/_SUCCESS", "");
    house.night("2026-07-04");
    // What was written later stays, although it was loaded before.
    assert_eq!(house.lines(costs), ["12.00", "20.00"]);
    // Files that changed after they were loaded are read again when somebody says so.
    house.write("kcb/2026-07-02/a.csv", late.replace(",20,", ",25,"));
    house.night("2026-07-05");
    assert_eq!(house.lines(costs), ["12.00", "20.00"]);
    succeed(khoyte(house.path()).args([
        "night",
        "--date",
        "2026-07-05",
        "--from",
        "2026-07-02",
        "--to",
        "2026-07-02",
    ]));
    assert_eq!(house.lines(costs), ["12.00", "25.00"]);
    let told = "SELECT ket_qua, so_dong_ghi FROM he_thong.lan_chay WHERE bang = \
                'nguon.kcb_luot_kham' AND dem = DATE '2026-07-04'";
    assert_eq!(house.lines(told), ["moi|2"]);
}

/// What one file holds night by night is all that there is: keys that it no longer has are gone.
#[test]
fn keys_that_are_no_longer_in_the_whole_file_of_a_source_are_gone_in_the_lake() {
    let growth = "partition = \"thang\"\ngrowth = { kind = \"upsert\", watermark = \"cap_nhat\", \
                  deleted = \"by_keys\", max_deleted_percent = 50 }\nmax_bad_rows_percent = 50";
    let place = "file = \"kcb/luot.csv\"\nformat = \"csv\"";
    let contract = contract("", place, growth);
    let house = House::new(&contract, "");
    let mut rows = vec![
        ("1", "2026-05-01", 10, "1", "2026-07-01"),
        ("2", "2026-06-01", 20, "1", "2026-07-01"),
        ("3", "2026-07-01", 30, "1", "2026-07-01"),
        ("4", "2026-07-01", 40, "1", "2026-07-01"),
    ];
    house.write("kcb/luot.csv", csv(&rows));
    house.night("2026-07-01");
    rows.remove(0);
    // A row that is refused is there all the same: what the lake has of its key stays.
    rows[0].3 = "không rõ";
    house.write("kcb/luot.csv", csv(&rows));
    house.night("2026-07-02");
    let costs = "SELECT tien FROM nguon.kcb_luot_kham";
    assert_eq!(house.lines(costs), ["20.00", "30.00", "40.00"]);
    let told = "SELECT ket_qua, so_dong_xoa FROM he_thong.lan_chay WHERE dem = DATE '2026-07-02' \
                AND bang = 'nguon.kcb_luot_kham'";
    assert_eq!(house.lines(told), ["moi|1"]);
    // A file that ends after its first line is not believed.
    house.write("kcb/luot.csv", csv(&rows[1..2]));
    let output = khoyte(house.path()).args(["night", "--date", "2026-07-03"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(house.lines(costs), ["20.00", "30.00", "40.00"]);
}
