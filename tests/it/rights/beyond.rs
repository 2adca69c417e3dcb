//! Attempts to see beyond one's places. Two lakes differ only in rows that a principal may not see:
//! in one they are there, in the other they never were. Whatever the principal asks, both answer
//! alike, in rows, in columns and in words.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use tempfile::TempDir;
use warehouse::access::Principal;
use warehouse::geography::Geography;
use warehouse::names::TableName;
use warehouse::query::{Limits, Via, Warehouse};
use warehouse::store::{Lake, Location, Note, Replace, Step};

use super::{MERGED, kept_to};
use crate::support;

/// What `who` sees of the filled lake, as a lake of its own.
fn reduced(full: &Warehouse, who: &Principal) -> (TempDir, Warehouse) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(&Location::Folder(folder.path().join("lake"))).unwrap();
    let described = ["bang", "cot", "dinh_nghia", "ca_nuoc", "truy_van"];
    for (name, _) in full.sight(who).unwrap() {
        if !described.contains(&name.name()) {
            copy(full, who, &name, &lake);
        }
    }
    let geography: Geography = full.geography().as_ref().clone();
    let declarations = support::declarations();
    let warehouse =
        Warehouse::new(lake, declarations, Arc::new(geography), Limits::default()).unwrap();
    (folder, warehouse)
}

fn copy(full: &Warehouse, who: &Principal, name: &TableName, lake: &Lake) {
    let rows = support::wait(async {
        let answer = full.door(who, Via::CommandLine).ask(&format!("SELECT * FROM {name}")).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let schema = answer.schema();
        let batches = answer.collect().await.unwrap();
        arrow::compute::concat_batches(&schema, &batches).unwrap()
    });
    if rows.num_rows() == 0 {
        return;
    }
    let night = support::NIGHT.parse().unwrap();
    let note = Note::new(night, Step::Nap, String::new(), "00".repeat(32));
    let rows = plain(&rows);
    support::wait(lake.write(name, rows, Replace::All { by: None }, &note)).unwrap();
}

/// Text as plain strings, as the lake stores it.
fn plain(rows: &RecordBatch) -> RecordBatch {
    let text = |ty: &DataType| matches!(ty, DataType::Utf8View | DataType::LargeUtf8);
    let columns: Vec<_> = rows
        .columns()
        .iter()
        .map(|column| match text(column.data_type()) {
            true => arrow::compute::cast(column, &DataType::Utf8).unwrap(),
            false => Arc::clone(column),
        })
        .collect();
    let fields = rows
        .schema()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Everything that an answer says: columns and sorted rows, or the error with its code.
fn said(warehouse: &Warehouse, who: &Principal, sql: &str) -> String {
    let asked = support::wait(async {
        let answer = warehouse.door(who, Via::Wire).ask(sql).await?;
        let grid = answer.grid(200_000).await?;
        let mut rows: Vec<String> = grid.rows.iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        let columns: Vec<_> = grid.columns.iter().map(|column| column.name.clone()).collect();
        Ok::<_, warehouse::query::QueryError>(format!("{columns:?}\n{}", rows.join("\n")))
    });
    asked.unwrap_or_else(|error| format!("{}: {error}", error.sqlstate()))
}

/// Tables that stand in the attempts: kept rows, another kept table, one without a place, one of
/// persons.
const TABLE: &str = "kho.benh_truyen_nhiem_thang";
const OTHER: &str = "kho.lao_quy";

fn attempts() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut add = |sql: &str| {
        all.push(sql.replace("{t}", TABLE).replace("{o}", OTHER));
    };
    // Conditions that would say something of rows that are not there.
    for condition in [
        "true",
        "don_vi = '79@2004-01-01'",
        "don_vi LIKE '79%'",
        "don_vi <> '24@2025-07-01'",
        "don_vi IN (SELECT don_vi FROM danh_muc.don_vi)",
        "don_vi IS NULL",
        "true OR don_vi = '79@2004-01-01'",
        "NOT (don_vi IN ('24@2004-01-01', '27@2004-01-01'))",
        "1 / (CASE WHEN don_vi LIKE '79%' THEN 0 ELSE 1 END) = 1",
        "CAST(CASE WHEN don_vi LIKE '01%' THEN benh ELSE '1' END AS INT) = 1",
        "CAST(don_vi AS INT) > 0",
        "CAST(benh AS INT) = 1",
        "so_mac / (CASE WHEN don_vi = '79@2004-01-01' THEN 0 ELSE 1 END) >= 0",
        "so_mac > 0 AND 1 / so_mac > 0",
        "CAST(don_vi AS BIGINT) = 1",
        "regexp_like(don_vi, '^79')",
        "length(don_vi) > 0",
        "substr(don_vi, 1, 2) = '79'",
        "EXISTS (SELECT 1 FROM {t} AS x WHERE x.don_vi = '79@2004-01-01')",
        "so_mac > (SELECT avg(so_mac) FROM {t})",
        "(don_vi, benh) IN (SELECT don_vi, benh FROM {t})",
    ] {
        add(&format!("SELECT count(*), sum(so_mac), max(don_vi) FROM {{t}} WHERE {condition}"));
        add(&format!("SELECT don_vi, count(*) FROM {{t}} WHERE {condition} GROUP BY don_vi"));
    }
    // Joins, subqueries, views of one's own, windows, sets.
    for sql in [
        "SELECT * FROM {t} ORDER BY so_mac DESC LIMIT 5",
        "SELECT DISTINCT don_vi FROM {t}",
        "SELECT don_vi FROM {t} UNION SELECT don_vi FROM {o}",
        "SELECT don_vi FROM danh_muc.don_vi EXCEPT SELECT don_vi FROM {t}",
        "SELECT d.don_vi, t.so_mac FROM danh_muc.don_vi d LEFT JOIN {t} t ON t.don_vi = d.don_vi",
        "SELECT d.don_vi, t.so_mac FROM danh_muc.don_vi d RIGHT JOIN {t} t ON t.don_vi = d.don_vi",
        "SELECT count(*) FROM {t} a FULL JOIN {o} b ON a.don_vi = b.don_vi AND a.thang = b.quy",
        "SELECT count(*) FROM {t} a JOIN {t} b ON a.thang = b.thang AND a.benh = b.benh",
        "SELECT count(*) FROM {t} a WHERE NOT EXISTS (SELECT 1 FROM {o} b WHERE b.don_vi = a.don_vi)",
        "SELECT (SELECT max(so_mac) FROM {t}), (SELECT min(so_mac) FROM {t})",
        "WITH x AS (SELECT * FROM {t}) SELECT count(*), count(DISTINCT don_vi) FROM x",
        "SELECT rank() OVER (ORDER BY s DESC), s FROM (SELECT sum(so_mac) s FROM {t} GROUP BY don_vi)",
        "SELECT sum(so_mac) OVER () FROM {t} LIMIT 1",
        "SELECT first_value(don_vi) OVER (ORDER BY so_mac DESC NULLS LAST, don_vi) FROM {t} LIMIT 1",
        "SELECT approx_distinct(don_vi), approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY so_mac) FROM {t}",
        "SELECT string_agg(DISTINCT don_vi, ',' ORDER BY don_vi) FROM {t}",
        "SELECT array_agg(DISTINCT don_vi ORDER BY don_vi) FROM {t}",
        "SELECT stddev(so_mac), corr(so_mac, so_chet) FROM {t}",
        "SELECT count(*) FROM khoyte.kho.benh_truyen_nhiem_thang",
        "SELECT count(*) FROM \"kho\".\"benh_truyen_nhiem_thang\"",
        "SELECT count(*) FROM {t} TABLESAMPLE SYSTEM (100)",
        "SELECT don_vi, sum(so_mac) FROM {t} GROUP BY ROLLUP (don_vi)",
        "SELECT don_vi, benh, sum(so_mac) FROM {t} GROUP BY CUBE (don_vi, benh)",
        "WITH RECURSIVE x AS (SELECT don_vi FROM {t} UNION SELECT don_vi FROM {o}) SELECT count(*) FROM x",
        "SELECT t.don_vi, u.x FROM {t} t, LATERAL (SELECT count(*) x FROM {o} o WHERE o.don_vi = t.don_vi) u LIMIT 9",
        "SELECT don_vi_tai(don_vi, DATE '2025-07-01'), sum(so_mac) FROM {t} GROUP BY 1",
        "SELECT ten_don_vi(don_vi), count(*) FROM {t} GROUP BY 1",
        "SELECT count(*) FILTER (WHERE don_vi LIKE '79%') FROM {t}",
        "SELECT don_vi FROM {t} ORDER BY 1 / (CASE WHEN don_vi LIKE '79%' THEN 0 ELSE 1 END) LIMIT 3",
        "SELECT CASE WHEN so_mac > 0 THEN 1 / so_mac END FROM {t} ORDER BY 1 LIMIT 3",
        "SELECT max(CAST(substr(don_vi, 1, 2) AS INT)) FROM {t}",
    ] {
        add(sql);
    }
    // Indicators, boundaries.
    for sql in [
        "SELECT count(*), sum(tu_so) FROM chi_tieu.gia_tri",
        "SELECT ma_chi_tieu, count(*), count(DISTINCT don_vi) FROM chi_tieu.gia_tri GROUP BY 1",
        "SELECT ma, ten, sum(tu_so) FROM chi_tieu_tai(DATE '2025-07-01') WHERE ma_chi_tieu = 'sxh_so_mac_thang' GROUP BY 1, 2",
        "SELECT ma, ten, sum(tu_so) FROM chi_tieu_tai(DATE '2017-12-31') WHERE ma_chi_tieu = 'sxh_so_mac_thang' GROUP BY 1, 2",
        "SELECT count(*) FROM chi_tieu_tai(DATE '2010-01-01')",
        "SELECT min(thanh_phan), max(thanh_phan_can) FROM chi_tieu_tai(DATE '2025-07-01') WHERE ma_chi_tieu = 'sxh_so_mac_thang'",
        "SELECT count(*) FROM chi_tieu.gia_tri v JOIN {t} t ON t.don_vi = v.don_vi",
    ] {
        add(sql);
    }
    // What is known of tables, and what plans and errors say.
    for sql in [
        "SELECT * FROM he_thong.bang",
        "SELECT * FROM he_thong.cot",
        "SELECT * FROM he_thong.lan_chay",
        "SELECT * FROM he_thong.kiem_tra",
        "SELECT * FROM he_thong.dong_chay",
        "SELECT * FROM he_thong.rui_ro",
        "SELECT * FROM he_thong.phat_hanh",
        "SELECT * FROM he_thong.cach_ly",
        "SELECT * FROM he_thong.mo_phong",
        "SELECT * FROM he_thong.truy_van",
        "SELECT * FROM chi_tieu.dinh_nghia",
        "SELECT table_schema, table_name FROM information_schema.tables",
        "SELECT table_name, column_name FROM information_schema.columns",
        "SELECT * FROM information_schema.df_settings",
        "SELECT relname, reltuples FROM pg_catalog.pg_class WHERE relkind = 'r'",
        "SELECT attname FROM pg_catalog.pg_attribute",
        "SELECT * FROM pg_catalog.pg_stat_user_tables",
        "SELECT count(*) FROM nguon.bhyt_ho_so",
        "SELECT count(*) FROM nguon.nhan_luc_nguoi_hanh_nghe",
        "SELECT count(*) FROM kho.benh_truyen_nhiem_ca_nuoc_nam",
        "SELECT input_file_name() FROM {t}",
        "EXPLAIN SELECT count(*) FROM {t} WHERE so_mac > 10",
        "EXPLAIN VERBOSE SELECT * FROM {t}",
        "EXPLAIN SELECT * FROM {t} a JOIN {o} b ON a.don_vi = b.don_vi",
        "SELECT khong_co FROM {t}",
        "SELECT CAST(benh AS INT) FROM {t}",
        "SELECT 1 / 0 FROM {t} WHERE don_vi = '79@2004-01-01'",
        "SELECT don_vi + 1 FROM {t}",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM 'kho/benh_truyen_nhiem_thang/*.parquet'",
        "SHOW TABLES",
        "SHOW COLUMNS FROM {t}",
        "SHOW ALL",
        "SELECT pg_relation_size('kho.benh_truyen_nhiem_thang')",
        "SELECT count(*) FROM {t}; SELECT count(*) FROM {o}",
        "INSERT INTO {t} SELECT * FROM {t}",
        "COPY {t} TO STDOUT",
    ] {
        add(sql);
    }
    all
}

#[test]
fn nothing_tells_of_rows_that_are_not_there() {
    let full = support::open(support::filled());
    let who = kept_to(MERGED);
    let (_folder, reduced) = reduced(&full, &who);
    let attempts = attempts();
    assert!(attempts.len() >= 100, "{}", attempts.len());
    let mut answered = 0;
    let mut differing = Vec::new();
    for sql in &attempts {
        let (seen, alone) = (said(&full, &who, sql), said(&reduced, &who, sql));
        answered += u32::from(seen.starts_with('['));
        if seen != alone {
            let cut = |text: &str| text.chars().take(400).collect::<String>();
            differing.push(format!("{sql}\n  {}\n  {}", cut(&seen), cut(&alone)));
        }
    }
    assert!(differing.is_empty(), "{}\n{}", differing.len(), differing.join("\n"));
    assert!(answered > 60, "only {answered} of {} were answered at all", attempts.len());
}

#[test]
fn a_plan_that_is_measured_tells_nothing_of_what_was_left_out() {
    let full = support::open(support::filled());
    let told =
        said(&full, &kept_to(MERGED), &format!("EXPLAIN ANALYZE SELECT count(*) FROM {TABLE}"));
    assert!(told.contains("Kept") && !told.contains("DataSourceExec"), "{told}");
    assert!(!told.contains("lake") && !told.contains(".parquet"), "{told}");
}
