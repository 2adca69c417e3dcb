//! A night on the public data: the figures that everyone knows, by every door.

use std::process::Command;

use warehouse::access::Principal;
use warehouse::query::Via;

use crate::support::{self, Server, khoyte, succeed};
use crate::web;

/// Known figures: the query, and its rows as CSV without a header.
const FIGURES: [(&str, &str); 7] = [
    (
        "SELECT CAST(sum(tu_so) AS BIGINT) AS n FROM chi_tieu.ca_nuoc \
         WHERE ma_chi_tieu = 'sxh_so_mac_thang' AND nam = 2017",
        "172212\n",
    ),
    (
        "SELECT ma, CAST(sum(tu_so) AS BIGINT) AS n FROM chi_tieu_tai(DATE '2025-07-01') \
         WHERE ma_chi_tieu = 'sxh_so_mac_thang' AND nam = 2017 AND ma IN ('79', '24', '01') \
         GROUP BY ma ORDER BY ma",
        "01,37665\n24,2373\n79,45032\n",
    ),
    (
        "SELECT ma, ten, CAST(sum(tu_so) AS BIGINT) AS n FROM chi_tieu_tai(DATE '2017-12-31') \
         WHERE ma_chi_tieu = 'sxh_so_mac_thang' AND nam = 2017 AND ma IN ('24', '27') \
         GROUP BY ma, ten ORDER BY ma",
        "24,Bắc Giang,960\n27,Bắc Ninh,1413\n",
    ),
    (
        "SELECT count(DISTINCT don_vi) AS n FROM chi_tieu_tai(DATE '2025-07-01') \
      WHERE ma_chi_tieu = 'sxh_so_mac_thang'",
        "34\n",
    ),
    (
        "SELECT count(DISTINCT don_vi) AS n FROM chi_tieu_tai(DATE '2017-12-31') \
      WHERE ma_chi_tieu = 'sxh_so_mac_thang'",
        "63\n",
    ),
    (
        "SELECT CAST(sum(dan_so_trung_binh) AS BIGINT) AS n FROM danh_muc.dan_so_trung_binh_2020",
        "97582600\n",
    ),
    ("SELECT count(*) AS n FROM nguon.giam_sat_benh_thang WHERE so_mac BETWEEN 1 AND 4", "14372\n"),
];

fn without_header(csv: &str) -> &str {
    csv.trim_start_matches('\u{feff}').split_once('\n').map_or("", |(_, rows)| rows)
}

#[test]
fn known_figures_come_out_of_the_command_line() {
    for (sql, expected) in FIGURES {
        let output = succeed(khoyte(support::filled()).args(["sql", "--format", "csv", sql]));
        assert_eq!(without_header(&String::from_utf8_lossy(&output.stdout)), expected, "{sql}");
    }
}

#[test]
fn the_same_rows_come_through_psql_and_the_pages() {
    let server = Server::shared();
    let planner = server.log_in();
    for (sql, expected) in FIGURES {
        let output = succeed(psql(server).args(["--csv", "--tuples-only", "-c", sql]));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "psql: {sql}");
        let answer = web::post(&server.web, "/sql.csv", &[("q", sql)], &planner);
        let text = answer.text().replace("\r\n", "\n");
        assert_eq!(without_header(&text), expected, "web: {sql}");
    }
}

pub(crate) fn psql(server: &Server) -> Command {
    let mut command = Command::new("psql");
    command.arg(server.connection()).arg("--no-psqlrc").env("PGPASSWORD", &server.password);
    command
}

#[test]
fn an_indicator_is_asked_on_any_boundaries_without_sql() {
    let ask = |on: &str| {
        let args =
            ["indicator", "sxh_so_mac_thang", "--year", "2017", "--format", "csv", "--on", on];
        let output = succeed(khoyte(support::filled()).args(args));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let places: std::collections::BTreeSet<_> = without_header(&text)
            .lines()
            .map(|l| l.split(',').nth(1).unwrap().to_owned())
            .collect();
        places.len()
    };
    assert_eq!((ask("2017-12-31"), ask("2025-07-01")), (63, 34));
}

#[test]
fn a_rate_on_new_boundaries_is_divided_again_and_never_averaged() {
    let warehouse = support::open(support::filled());
    let sql = "SELECT tu_so, mau_so, gia_tri, thanh_phan, thanh_phan_can \
               FROM chi_tieu_tai(DATE '2025-07-01') \
               WHERE ma_chi_tieu = 'giuong_benh_10k' AND nam = 2016 AND ma = '24'";
    let merged = support::rows(&warehouse, sql);
    let parts = support::rows(
        &warehouse,
        "SELECT sum(tu_so), sum(mau_so), avg(gia_tri) FROM chi_tieu.gia_tri \
         WHERE ma_chi_tieu = 'giuong_benh_10k' AND ky = DATE '2016-01-01' \
         AND don_vi IN ('24@2004-01-01', '27@2004-01-01')",
    );
    let number = |grid: &warehouse::grid::Grid, at: usize| grid.rows[0][at].as_f64().unwrap();
    assert_eq!(number(&merged, 0), number(&parts, 0));
    assert_eq!(number(&merged, 1), number(&parts, 1));
    let expected = number(&parts, 0) * 10_000.0 / number(&parts, 1);
    assert!((number(&merged, 2) - expected).abs() < 1e-9);
    assert!((number(&merged, 2) - number(&parts, 2)).abs() > 1e-6, "the average is another figure");
    assert_eq!((number(&merged, 3), number(&merged, 4)), (2.0, 2.0));
}

#[test]
fn no_mart_or_indicator_holds_a_bare_province_code() {
    let warehouse = support::open(support::filled());
    let all = warehouse.geography().all();
    let codes: std::collections::BTreeSet<_> = all.map(|unit| unit.code.clone()).collect();
    let tables = support::rows(
        &warehouse,
        "SELECT ten FROM he_thong.bang WHERE luoc_do IN ('kho', 'chi_tieu', 'nguon')",
    );
    for table in tables.rows.iter().map(|row| row[0].to_string()) {
        let grid = support::rows(&warehouse, &format!("SELECT * FROM {table} LIMIT 20000"));
        for (at, column) in grid.columns.iter().enumerate() {
            let mut texts = grid.rows.iter().filter_map(|row| row[at].as_str()).peekable();
            let bare = texts.peek().is_some() && texts.all(|text| codes.contains(text));
            assert!(!bare, "{table}.{} holds bare codes", column.name);
        }
    }
}

#[test]
fn a_second_night_over_the_same_input_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    support::link_data(data.path(), &["notifiable", "gso_health", "vn_admin"]);
    support::demo(folder.path(), data.path());
    let before = support::files(folder.path());
    succeed(khoyte(folder.path()).args(["night", "--date", support::NIGHT]));
    let after = support::files(folder.path());
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
    succeed(khoyte(folder.path()).args(["night", "--date", "2026-11-21"]));
    let warehouse = support::open(folder.path());
    let moved =
        "SELECT bang FROM he_thong.lan_chay WHERE dem = DATE '2026-11-21' AND ket_qua = 'moi'";
    assert_eq!(support::rows(&warehouse, moved).rows.len(), 0);
}

#[test]
fn a_second_night_waits_for_no_one_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sources = folder.path().join("sources");
    std::fs::create_dir(&sources).unwrap();
    let config = format!("sources_folder = {:?}\n", sources.display().to_string());
    std::fs::write(folder.path().join("khoyte.toml"), config).unwrap();
    let night =
        || khoyte(folder.path()).args(["night", "--date", support::NIGHT]).output().unwrap();
    assert!(night().status.success());
    let lock = folder.path().join("lake/_khoyte/night.lock");
    let running = std::fs::File::open(lock).unwrap();
    running.lock().unwrap();
    let second = night();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another night is running"));
    drop(running);
    assert!(night().status.success());
}

#[test]
fn a_source_that_fails_stops_neither_the_others_nor_what_does_not_need_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    support::link_data(data.path(), &["notifiable", "gso_health", "tb_quarterly"]);
    let tb = data.path().join("tb_quarterly_2010_2015");
    std::fs::create_dir(&tb).unwrap();
    let file = tb.join("tb_quarterly_by_province.csv");
    let original = support::data().join("tb_quarterly_2010_2015/tb_quarterly_by_province.csv");
    std::fs::copy(&original, &file).unwrap();
    support::demo(folder.path(), data.path());
    let text = std::fs::read_to_string(&original).unwrap();
    std::fs::write(&file, text.replacen("afb_positive_new", "something_else", 1)).unwrap();
    let output = khoyte(folder.path()).args(["night", "--date", "2026-11-21"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let warehouse = support::open(folder.path());
    let result = |table: &str| {
        let sql = format!(
            "SELECT ket_qua FROM he_thong.lan_chay WHERE dem = DATE '2026-11-21' AND bang = '{table}'"
        );
        support::rows(&warehouse, &sql).rows[0][0].to_string()
    };
    assert_eq!(result("nguon.lao_quy"), "loi");
    assert_eq!(result("kho.lao_quy"), "cu");
    assert_eq!(result("danh_muc.icd10"), "khong_doi");
    let kept = support::rows(&warehouse, "SELECT count(*) FROM kho.lao_quy");
    assert_ne!(kept.rows[0][0].as_i64(), Some(0), "the rows of before stand");
}

#[test]
fn a_refused_batch_is_accounted_for_and_run_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    support::link_data(data.path(), &["notifiable", "gso_health", "tb_quarterly"]);
    let tb = data.path().join("tb_quarterly_2010_2015");
    std::fs::create_dir(&tb).unwrap();
    let original = support::data().join("tb_quarterly_2010_2015/tb_quarterly_by_province.csv");
    let text = std::fs::read_to_string(original).unwrap();
    // No year can be read in any row: too many bad rows for the batch to pass.
    let spoilt = text.replace(",2010,", ",hai,").replace(",2011,", ",ba,");
    assert_ne!(spoilt, text);
    std::fs::write(tb.join("tb_quarterly_by_province.csv"), spoilt).unwrap();
    let config = format!("sources_folder = {:?}\n", data.path().display().to_string());
    std::fs::write(folder.path().join("khoyte.toml"), config).unwrap();
    let night = || {
        let ended = khoyte(folder.path()).args(["night", "--date", support::NIGHT]).output();
        assert_eq!(ended.unwrap().status.code(), Some(1));
    };
    night();
    let sql = "SELECT ket_qua, so_dong_doc > 0, so_dong_cach_ly > 0, so_dong_ghi, bat_dau \
               FROM he_thong.lan_chay WHERE bang = 'nguon.lao_quy'";
    let account = support::rows(&support::open(folder.path()), sql);
    let words: Vec<String> = account.rows[0].iter().map(ToString::to_string).collect();
    assert_eq!(words, ["tu_choi", "true", "true", "", ""]);
    let before = support::files(folder.path());
    night();
    let after = support::files(folder.path());
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
}

#[test]
fn a_principal_sees_only_what_its_clearance_allows() {
    let warehouse = support::open(support::filled());
    let seen = |who: &Principal, table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        support::wait(warehouse.door(who, Via::CommandLine).ask(&sql)).is_ok()
    };
    let (public, planner) = (Principal::public(), Principal::planner("test"));
    assert!(seen(&public, "danh_muc.don_vi") && seen(&public, "chi_tieu.gia_tri"));
    assert!(!seen(&public, "kho.benh_truyen_nhiem_thang"));
    assert!(seen(&planner, "kho.benh_truyen_nhiem_thang"));
    assert!(!seen(&planner, "nguon.bhyt_ho_so"), "person-level rows are not for planners");
    assert!(seen(&Principal::system(), "nguon.bhyt_ho_so"));
    let hidden = "SELECT count(*) FROM chi_tieu.gia_tri WHERE ma_chi_tieu = 'sxh_so_mac_thang'";
    let count = |who: &Principal| {
        support::wait(async {
            let grid = warehouse
                .door(who, Via::CommandLine)
                .ask(hidden)
                .await
                .unwrap()
                .grid(1)
                .await
                .unwrap();
            grid.rows[0][0].as_i64().unwrap()
        })
    };
    assert_eq!(count(&public), 0, "an internal indicator's rows are not open");
    assert!(count(&planner) > 0);
}

#[test]
fn the_demonstration_makes_its_own_sources_where_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    succeed(khoyte(folder.path()).args(["demo", "--no-serve", "--date", support::NIGHT]));
    let warehouse = support::open(folder.path());
    let made = support::rows(
        &warehouse,
        "SELECT count(DISTINCT ma_chi_tieu) FROM chi_tieu.gia_tri \
         WHERE ma_chi_tieu IN ('bhyt_ngay_dieu_tri_binh_quan', 'sxh_so_mac_thang')",
    );
    assert_eq!(made.rows[0][0].as_i64(), Some(2));
    // Few visits are in groups too small to be shown, and each row is of a province of its month.
    let visits = support::rows(
        &warehouse,
        "SELECT (SELECT count(*) FROM nguon.bhyt_ho_so), sum(so_luot), count(DISTINCT don_vi), \
         count(CASE WHEN don_vi_tai(don_vi, thang) = don_vi THEN 1 END) = count(*) \
         FROM kho.luot_kham_thang",
    );
    let number = |at: usize| visits.rows[0][at].as_i64().unwrap();
    assert!(number(0) > 19_000, "{}", number(0));
    assert!(number(1) <= number(0) && number(1) > number(0) * 9 / 10, "{} shown", number(1));
    assert_eq!(number(2), 34);
    assert_eq!(visits.rows[0][3].to_string(), "true");
    assert!(folder.path().join("public/sot_xuat_huyet_tinh_thang/v1/SHA256SUMS").is_file());
    let small = crate::logic::folder().join("mo_phong/nhom_nho.slt");
    assert_eq!(crate::logic::fault(&warehouse, &small), None);
}
