//! Marts that a night makes by parts: what the program itself does and says of it.

use std::path::Path;

use crate::growth::{House, UPSERT, contract};
use crate::support::{self, khoyte, succeed};

const MART: &str = r#"/* toml
title = { vi = "Lượt khám theo tháng", en = "Visits by month" }
description = { vi = "Lượt khám theo tháng", en = "Visits by month" }
grain = { vi = "Một tháng", en = "One month" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "personal"
source = { vi = "Lượt khám", en = "Visits" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"
partition = "thang"

[[column]]
name = "thang"
label = { vi = "Tháng", en = "Month" }

[[column]]
name = "so_luot"
label = { vi = "Số lượt", en = "Visits" }
unit = { vi = "lượt", en = "visits" }

[[column]]
name = "tien"
label = { vi = "Tiền", en = "Cost" }
unit = { vi = "đồng", en = "VND" }
*/
SELECT thang, count(*) AS so_luot, CAST(sum(tien) AS DECIMAL(24, 2)) AS tien
FROM nguon.kcb_luot_kham
GROUP BY thang
"#;

const ROWS: &str = "SELECT * FROM kho.luot_thang";

fn house() -> House {
    let place = "file = \"kcb/luot.csv\"\nformat = \"csv\"";
    let house = House::new(&contract("", place, UPSERT), "");
    let marts = house.path().join("declared/queries/marts");
    std::fs::create_dir_all(&marts).unwrap();
    std::fs::write(marts.join("luot_thang.sql"), MART).unwrap();
    house
}

/// A visit: its key, its day, its cost, its state.
type Visit = (u32, &'static str, u32, &'static str);

fn write(house: &House, visits: &[Visit]) {
    let mut text = "ma_luot,ngay_kham,tien,trang_thai,cap_nhat_luc\n".to_owned();
    for (key, day, cost, state) in visits {
        text.push_str(&format!("L{key},{day},{cost},{state},2026-07-01\n"));
    }
    house.write("kcb/luot.csv", text);
}

/// How a night fared with the mart.
fn told(house: &House, night: &str) -> Vec<String> {
    house.lines(&format!(
        "SELECT ket_qua, so_dong_ghi, so_phan_vung FROM he_thong.lan_chay \
         WHERE bang = 'kho.luot_thang' AND dem = DATE '{night}'"
    ))
}

const FIRST: [Visit; 4] = [
    (1, "2026-05-03", 10, "1"),
    (2, "2026-05-04", 20, "1"),
    (3, "2026-06-05", 30, "1"),
    (4, "2026-06-06", 40, "1"),
];

/// The second night has a new visit, a correction of June and none of May.
const SECOND: [Visit; 5] =
    [FIRST[0], FIRST[1], (3, "2026-06-05", 35, "1"), FIRST[3], (5, "2026-07-01", 50, "1")];

#[test]
fn a_night_makes_the_months_that_changed_and_says_how_many() {
    let house = house();
    write(&house, &FIRST);
    house.night("2026-07-01");
    assert_eq!(told(&house, "2026-07-01"), ["moi|2|"]);
    let before = house.parquet("kho/luot_thang");
    write(&house, &SECOND);
    house.night("2026-07-02");
    assert_eq!(told(&house, "2026-07-02"), ["moi|2|2"]);
    let rows = ["2026-05-01|2|30.00", "2026-06-01|2|75.00", "2026-07-01|1|50.00"];
    assert_eq!(house.lines(ROWS), rows);
    let added = house.parquet("kho/luot_thang").into_iter().filter(|file| !before.contains(file));
    let added: Vec<String> = added.map(|file| file.to_string_lossy().into_owned()).collect();
    assert!(added.iter().all(|file| !file.contains("thang=2026-05-01")), "{added:?}");
    // What the next night finds unchanged stays, and what is made again on demand is made whole.
    house.night("2026-07-03");
    assert_eq!(told(&house, "2026-07-03"), ["khong_doi||"]);
    let again = ["night", "--date", "2026-07-04", "--again", "kho.luot_thang"];
    succeed(khoyte(house.path()).args(again));
    assert_eq!(told(&house, "2026-07-04"), ["moi|3|"]);
    assert_eq!(house.lines(ROWS), rows);
    succeed(khoyte(house.path()).arg("doctor"));
}

#[test]
fn a_night_killed_before_its_mart_or_its_account_ends_as_if_undisturbed() {
    let (whole, killed) = (house(), house());
    for house in [&whole, &killed] {
        write(house, &FIRST);
        house.night("2026-07-01");
        write(house, &SECOND);
        house.night("2026-07-02");
    }
    // Killed after the commit of the mart, before the account; and before the commit of the mart.
    let lake = killed.path().join("lake");
    forget_last(&lake.join("he_thong/lan_chay"));
    killed.night("2026-07-02");
    compare(&whole, &killed);
    forget_last(&lake.join("he_thong/lan_chay"));
    forget_last(&lake.join("kho/luot_thang"));
    killed.night("2026-07-02");
    compare(&whole, &killed);
}

fn compare(whole: &House, killed: &House) {
    assert_eq!(told(killed, "2026-07-02"), ["moi|2|2"]);
    assert_eq!(told(killed, "2026-07-02"), told(whole, "2026-07-02"));
    assert_eq!(killed.lines(ROWS), whole.lines(ROWS));
}

/// Takes the newest commit of a table away, as if it had not been reached.
fn forget_last(table: &Path) {
    let log = table.join("_delta_log");
    let commits = support::files(&log).into_keys().filter(|name| name.ends_with(".json"));
    let last = commits.max().unwrap();
    std::fs::remove_file(log.join(last)).unwrap();
}
