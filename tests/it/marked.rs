//! What is simulated says so wherever it goes, and no longer than it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use connectors::files::{hex, sign};
use sha2::{Digest, Sha256};
use warehouse::access::{Principal, Scope};
use warehouse::query::Via;

use crate::growth::{House, UPSERT, contract};
use crate::support::{self, khoyte, succeed};

const FIRST: &str = "2026-07-01";
const SECOND: &str = "2026-07-02";

/// The dataset that is made from declarations alone.
const DECLARED: &str = "don_vi_hanh_chinh_cap_tinh";

/// What the lake says is simulated.
fn simulated(folder: &Path) -> BTreeSet<String> {
    let grid = support::rows(&support::open(folder), "SELECT bang FROM he_thong.mo_phong");
    grid.rows.iter().map(|row| row[0].to_string()).collect()
}

/// The datasets that are out, with the files of their newest version as text.
fn released(folder: &Path) -> BTreeMap<String, (u64, Vec<(String, String)>)> {
    let public = folder.join("public");
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(&public).unwrap().map(Result::unwrap) {
        let Ok(listed) = std::fs::read_to_string(entry.path().join("versions.json")) else {
            continue;
        };
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let newest = listed.as_array().unwrap().last().unwrap()["version"].as_u64().unwrap();
        let files = support::files(&entry.path().join(format!("v{newest}")));
        let files = files.into_iter().filter(|(name, _)| name != "SHA256SUMS");
        let texts = files.map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()));
        all.insert(entry.file_name().into_string().unwrap(), (newest, texts.collect()));
    }
    all
}

fn says_so(text: &str) -> bool {
    text.contains("dữ liệu mô phỏng") || text.contains("simulated data")
}

#[test]
fn releases_from_simulated_sources_say_so_until_real_files_take_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, sources) = (folder.path(), folder.path().join("sources"));
    let small = ["simulate", "--scale", "0.002", "--days", "1", "--to"];
    succeed(khoyte(folder).args(small).arg(&sources));
    std::fs::write(folder.join("khoyte.toml"), "sources_folder = \"sources\"\n").unwrap();
    let night = |date: &str| {
        khoyte(folder).args(["night", "--date", date]).output().unwrap();
        succeed(khoyte(folder).args(["release", "publish", "--date", date]));
    };
    night(FIRST);
    let marked = simulated(folder);
    for name in ["nguon.bhyt_ho_so", "kho.luot_kham_thang", "chi_tieu.gia_tri/bhyt_luot_kham"] {
        assert!(marked.contains(name), "{name}: {marked:?}");
    }
    assert!(!marked.contains("danh_muc.don_vi"), "{marked:?}");
    // Whoever reads some of the figures only is told as well.
    let units = ["79@2025-07-01".to_owned()].into_iter().collect();
    let who = Principal::planner("so_79".to_owned()).within(Scope::Units(units));
    let told = support::wait(async {
        let warehouse = support::open(folder);
        let ask = "SELECT bang FROM he_thong.mo_phong WHERE bang LIKE '%/bhyt_luot_kham'";
        let answer = warehouse.door(&who, Via::Page).ask(ask).await.unwrap();
        answer.grid(10).await.unwrap().rows.len()
    });
    assert_eq!(told, 1);
    let out = released(folder);
    assert!(out.contains_key("sot_xuat_huyet_tinh_thang"), "{:?}", out.keys());
    for (dataset, (version, files)) in &out {
        assert_eq!(*version, 1);
        let is_simulated = dataset != DECLARED;
        for (name, text) in files {
            assert_eq!(says_so(text), is_simulated, "{dataset}/{name}");
            assert!(!is_simulated || !text.contains("Trung tâm Thông tin y tế Quốc gia"));
        }
    }

    // The signs go, and where one stays, another file stands beside it.
    let staff = sources.join("mo_phong/nhan_luc/nhan_vien.csv");
    let text = std::fs::read_to_string(&staff).unwrap();
    let (text, _) = text.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(&staff, format!("{text}\n")).unwrap();
    for (name, _) in support::files(&sources) {
        if name.ends_with(".mo_phong") && !name.contains("nhan_vien") {
            std::fs::remove_file(sources.join(name)).unwrap();
        }
    }
    night(SECOND);
    // Claims are corrected by their keys: those of before stay until they are loaded afresh.
    let mut left = simulated(folder);
    left.retain(|name| !name.contains("bhyt") && !name.starts_with("kho.luot_kham"));
    assert_eq!(left, BTreeSet::new());
    for (dataset, (version, files)) in released(folder) {
        let expected = if dataset == DECLARED { 1 } else { 2 };
        assert_eq!(version, expected, "{dataset}");
        assert!(files.iter().all(|(_, text)| !says_so(text)), "{dataset}");
    }
}

const MART: &str = r#"/* toml
title = { vi = "Lượt khám theo tháng", en = "Visits by month" }
description = { vi = "Lượt khám", en = "Visits" }
grain = { vi = "Một tháng", en = "One month" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "personal"
source = { vi = "Lượt khám", en = "Visits" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"

[[column]]
name = "thang"
label = { vi = "Tháng", en = "Month" }

[[column]]
name = "so_luot"
label = { vi = "Số lượt", en = "Visits" }
unit = { vi = "lượt", en = "visits" }
*/
SELECT thang, count(*) AS so_luot FROM nguon.kcb_luot_kham GROUP BY thang
"#;

#[test]
fn a_corrected_table_stays_simulated_until_it_is_loaded_afresh() {
    let place = "file = \"kcb/luot.csv\"\nformat = \"csv\"";
    let house = House::new(&contract("", place, UPSERT), "");
    let marts = house.path().join("declared/queries/marts");
    std::fs::create_dir_all(&marts).unwrap();
    std::fs::write(marts.join("luot_thang.sql"), MART).unwrap();
    let text = |rows: &str| format!("ma_luot,ngay_kham,tien,trang_thai,cap_nhat_luc\n{rows}");
    let marked = || house.lines("SELECT bang FROM he_thong.mo_phong");
    let both = ["kho.luot_thang", "nguon.kcb_luot_kham"];

    let made_up = text("1,2026-07-01,10,1,2026-07-01\n");
    let sum = hex(&Sha256::digest(&made_up));
    house.write("kcb/.luot.csv.mo_phong", sign::text([sum.as_str()]));
    house.write("kcb/luot.csv", &made_up);
    house.night(FIRST);
    assert_eq!(marked(), both);
    // A real file adds to the simulated row.
    house.write("kcb/luot.csv", text("2,2026-07-02,20,1,2026-07-02\n"));
    house.night(SECOND);
    assert_eq!(marked(), both);
    assert_eq!(house.lines("SELECT so_luot FROM kho.luot_thang"), ["2"]);
    let again = ["night", "--date", SECOND, "--again", "nguon.kcb_luot_kham"];
    succeed(khoyte(house.path()).args(again));
    assert!(marked().is_empty(), "{:?}", marked());
    assert_eq!(house.lines("SELECT so_luot FROM kho.luot_thang"), ["1"]);
}
