//! Plans of queries over a table with one column of free text: `nguon.kham` has `ma`, `ghi_chu`
//! (free text) and `so`; `danh_muc.ma` has `ma` and `ten`; `danh_muc.tinh` has `don_vi` (keys of
//! units), `ma` (codes) and `so`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema as ArrowSchema};
use futures::executor::block_on;

use super::super::offline;
use super::*;
use crate::geography::Geography;

const SOURCE: &str = "nguon.kham";
const UNITS: &str = "danh_muc.tinh";

fn known() -> Followed {
    let table: TableName = SOURCE.parse().unwrap();
    let column = format!("{SOURCE}.ghi_chu");
    let origin = Origin::FreeText(FreeText { class: Sensitivity::Personal, column });
    let mut known = Followed::default();
    known.note(&table, "ghi_chu", Origins::from([origin.clone()]));
    known.note(&indicators()[0], "phan_to", Origins::from([origin]));
    let units: TableName = UNITS.parse().unwrap();
    known.note(&units, "don_vi", Origins::from([Origin::Key("don_vi".to_owned())]));
    known.note(&units, "ma", Origins::from([Origin::Code("ma".to_owned())]));
    known
}

/// Checks which columns of a query's result could hold free text: `x` where one could, in the plan
/// as it was written and in the one that would run.
fn check(sql: &str, expected: &str) {
    marked(sql, expected, |origins| if origins.is_empty() { '.' } else { 'x' });
}

/// As [`check`], for units: `c` where a column could hold a code, else `k` where it could hold a key.
fn check_units(sql: &str, expected: &str) {
    marked(sql, expected, |origins| {
        let code = origins.iter().any(|origin| matches!(origin, Origin::Code(_)));
        let key = origins.iter().any(|origin| matches!(origin, Origin::Key(_)));
        if code {
            'c'
        } else if key {
            'k'
        } else {
            '.'
        }
    });
}

fn marked(sql: &str, expected: &str, mark: impl Fn(&Origins) -> char) {
    let (ctx, _) = offline::session(Geography::empty()).unwrap();
    let tables = [
        (
            SOURCE,
            vec![("ma", DataType::Utf8), ("ghi_chu", DataType::Utf8), ("so", DataType::Int64)],
        ),
        ("danh_muc.ma", vec![("ma", DataType::Utf8), ("ten", DataType::Utf8)]),
        (UNITS, vec![("don_vi", DataType::Utf8), ("ma", DataType::Utf8), ("so", DataType::Int64)]),
    ];
    for (name, columns) in tables {
        let fields = columns.into_iter().map(|(name, ty)| Field::new(name, ty, true));
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        offline::add(&ctx, &name.parse().unwrap(), schema).unwrap();
    }
    let state = ctx.state();
    let written = block_on(state.create_logical_plan(sql)).unwrap();
    let optimised = state.optimize(&written).unwrap();
    for plan in [written, optimised] {
        let flows = known().of_result(&plan);
        let marks: String = flows.iter().map(&mark).collect();
        assert_eq!(marks, expected, "{sql}\n{}", plan.display_indent());
    }
}

#[test]
fn text_passes_as_it_is_renamed_or_changed() {
    check("SELECT * FROM nguon.kham", ".x.");
    check("SELECT ma, ghi_chu AS loai FROM nguon.kham WHERE so > 1", ".x");
    check(
        "SELECT upper(ghi_chu), substr(ghi_chu, 1, 9), ma || ghi_chu, ma FROM nguon.kham",
        "xxx.",
    );
    check(
        "SELECT coalesce(ma, ghi_chu), nullif(ghi_chu, ''), concat(ma, ' ', ma) FROM nguon.kham",
        "xx.",
    );
    check("SELECT CAST(ghi_chu AS BIGINT) a, TRY_CAST(ghi_chu AS DATE) b FROM nguon.kham", "xx");
}

#[test]
fn what_says_only_something_of_a_text_stops_it() {
    check("SELECT length(ghi_chu), ghi_chu IS NULL, ghi_chu LIKE 'a%' FROM nguon.kham", "...");
    check("SELECT count(ghi_chu), count(DISTINCT ghi_chu), sum(so) FROM nguon.kham", "...");
    check("SELECT CASE WHEN ghi_chu LIKE 'sốt%' THEN 'sốt' ELSE 'khác' END FROM nguon.kham", ".");
    check("SELECT CASE ghi_chu WHEN 'sốt' THEN ma END FROM nguon.kham", ".");
    check("SELECT CASE WHEN so > 1 THEN 'nhiều' ELSE ghi_chu END FROM nguon.kham", "x");
}

#[test]
fn keys_of_groups_and_aggregates_of_text_pass_it() {
    check("SELECT ghi_chu, count(*) FROM nguon.kham GROUP BY ghi_chu", "x.");
    check("SELECT DISTINCT ghi_chu FROM nguon.kham", "x");
    check("SELECT ma, max(ghi_chu), sum(so) FROM nguon.kham GROUP BY ma", ".x.");
    check("SELECT string_agg(ghi_chu, ','), array_agg(ma) FROM nguon.kham", "x.");
    check("SELECT ma, count(*) FROM nguon.kham GROUP BY ROLLUP (ma)", "..");
    check(
        "SELECT ma, first_value(ghi_chu) OVER (ORDER BY so), row_number() OVER () FROM nguon.kham",
        ".x.",
    );
}

#[test]
fn text_is_followed_through_joins_sets_and_queries_within() {
    check("SELECT m.ten, k.ghi_chu FROM nguon.kham k JOIN danh_muc.ma m ON m.ma = k.ma", ".x");
    check("SELECT m.ten FROM danh_muc.ma m JOIN nguon.kham k ON m.ma = k.ghi_chu", ".");
    check("SELECT ma FROM danh_muc.ma WHERE ma IN (SELECT ghi_chu FROM nguon.kham)", ".");
    check("SELECT ten FROM danh_muc.ma UNION ALL SELECT ghi_chu FROM nguon.kham", "x");
    check("WITH a AS (SELECT ghi_chu AS x, so FROM nguon.kham) SELECT so, x FROM a", ".x");
    check("SELECT ma, (SELECT max(ghi_chu) FROM nguon.kham) FROM danh_muc.ma", ".x");
    check("SELECT unnest(t.x) FROM (SELECT array_agg(ghi_chu) AS x FROM nguon.kham) t", "x");
}

#[test]
fn text_is_followed_round_a_recursive_query() {
    check(
        "WITH RECURSIVE r AS (SELECT ma AS x, ma AS y FROM nguon.kham \
         UNION ALL SELECT k.ghi_chu, r.x FROM r JOIN nguon.kham k ON k.ma = r.x) \
         SELECT x, y FROM r",
        "xx",
    );
}

#[test]
fn figures_on_other_boundaries_hold_what_the_indicators_hold() {
    check("SELECT don_vi, phan_to FROM chi_tieu.gia_tri", ".x");
    check("SELECT don_vi, phan_to FROM chi_tieu_tai(DATE '2025-07-01')", ".x");
}

#[test]
fn codes_of_units_come_from_lists_from_functions_and_from_keys_cut_apart() {
    check_units("SELECT don_vi, ma, so FROM danh_muc.tinh", "kc.");
    check_units(
        "SELECT ma_don_vi(don_vi), lower(ma), ma || '!', max(ma) OVER () FROM danh_muc.tinh",
        "cccc",
    );
    check_units("SELECT split_part(don_vi, '@', 1), left(don_vi, 2) FROM danh_muc.tinh", "cc");
    check_units("SELECT ma, thanh_phan FROM chi_tieu_tai(DATE '2025-07-01')", "c.");
}

#[test]
fn keys_names_and_figures_of_units_are_no_codes() {
    check_units(
        "SELECT don_vi(ma, DATE '2025-07-01'), ten_don_vi(don_vi) FROM danh_muc.tinh",
        "k.",
    );
    check_units(
        "SELECT don_vi_tai(don_vi, DATE '2025-07-01'), max(don_vi) OVER () FROM danh_muc.tinh",
        "kk",
    );
    check_units("SELECT split_part(don_vi, '@', 2), substr(don_vi, 4) FROM danh_muc.tinh", "kk");
    check_units("SELECT ma = '01', CASE ma WHEN '01' THEN so END FROM danh_muc.tinh", "..");
    check_units("SELECT count(ma), sum(so) FROM danh_muc.tinh", "..");
    check_units(
        "SELECT t.don_vi, k.so FROM nguon.kham k JOIN danh_muc.tinh t ON t.ma = k.ma",
        "k.",
    );
}
