//! Plans of queries over a table with one column of free text: `nguon.kham` has `ma`, `ghi_chu`
//! (free text) and `so`; `danh_muc.ma` has `ma` and `ten`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema as ArrowSchema};
use futures::executor::block_on;

use super::super::offline;
use super::*;
use crate::geography::Geography;

const SOURCE: &str = "nguon.kham";

fn known() -> FreeText {
    let table: TableName = SOURCE.parse().unwrap();
    let (column, class) = ("ghi_chu".to_owned(), Sensitivity::Personal);
    let origin = Origin { table: table.clone(), column, class };
    let mut known = FreeText::default();
    known.note(&table, "ghi_chu", Origins::from([origin.clone()]));
    known.note(&indicators()[0], "phan_to", Origins::from([origin]));
    known
}

/// Checks which columns of a query's result could hold free text: `x` where one could, in the plan
/// as it was written and in the one that would run.
fn check(sql: &str, expected: &str) {
    let (ctx, _) = offline::session(Geography::empty()).unwrap();
    let tables = [
        (
            SOURCE,
            vec![("ma", DataType::Utf8), ("ghi_chu", DataType::Utf8), ("so", DataType::Int64)],
        ),
        ("danh_muc.ma", vec![("ma", DataType::Utf8), ("ten", DataType::Utf8)]),
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
        let marks: String = flows.iter().map(|o| if o.is_empty() { '.' } else { 'x' }).collect();
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
