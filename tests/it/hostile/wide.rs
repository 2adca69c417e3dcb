//! Texts that grow in many directions at once: lists, joins, columns, grouping sets, names.

use super::attack::{any, refused, storm};

/// Many pieces with a text between them.
fn many(count: usize, between: &str, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().join(between)
}

fn columns(count: usize) -> String {
    many(count, ",", |i| format!("{i} AS c{i}"))
}

#[test]
fn many_of_one_kind() {
    let numbers = |count| many(count, ",", |i| i.to_string());
    let texts = |count| many(count, ",", |i| format!("'x{i}'"));
    let name = "a".repeat(1_000_000);
    storm(&[
        any("IN of 100,000 numbers", format!("SELECT 1 WHERE 1 IN ({})", numbers(100_000))),
        any(
            "IN of 100,000 texts over a column",
            format!("SELECT count(*) FROM danh_muc.don_vi WHERE ma IN ({})", texts(100_000)),
        ),
        any("NOT IN of 20,000", format!("SELECT 1 WHERE 1 NOT IN ({})", numbers(20_000))),
        any(
            "VALUES of 100,000 rows",
            format!("VALUES {}", many(100_000, ",", |i| format!("({i})"))),
        ),
        any(
            "VALUES of 100 × 1,000",
            format!("VALUES {}", many(1_000, ",", |_| format!("({})", numbers(100)))),
        ),
        any("VALUES with a row too wide", "VALUES (1),(1,2)"),
        any("10,000 columns", format!("SELECT {}", columns(10_000))),
        any(
            "1,000 columns of 1,000 rows",
            format!("SELECT {} FROM generate_series(1, 1000)", columns(1_000)),
        ),
        any("10,000 stars", format!("SELECT {} FROM danh_muc.don_vi", vec!["*"; 10_000].join(","))),
        any(
            "2,000 stars under names",
            format!("SELECT {} FROM danh_muc.don_vi AS a", vec!["a.*"; 2_000].join(",")),
        ),
        any("columns of one name", format!("SELECT {}", vec!["1 AS a"; 5_000].join(","))),
        any(
            "ORDER BY of 10,000",
            format!("SELECT 1 AS a ORDER BY {}", vec!["a"; 10_000].join(",")),
        ),
        any(
            "ORDER BY of 2,000 terms",
            format!(
                "SELECT ma FROM danh_muc.don_vi ORDER BY {}",
                many(2_000, ",", |i| format!("ma || 'x{i}'"))
            ),
        ),
        any(
            "GROUP BY of 5,000",
            format!(
                "SELECT count(*) FROM danh_muc.don_vi GROUP BY {}",
                many(5_000, ",", |i| format!("ma || 'x{i}'"))
            ),
        ),
        any(
            "PARTITION BY of 5,000",
            format!(
                "SELECT count(*) OVER (PARTITION BY {}) FROM danh_muc.don_vi",
                many(5_000, ",", |i| format!("ma || 'x{i}'"))
            ),
        ),
        any(
            "2,000 window functions",
            format!(
                "SELECT {} FROM danh_muc.don_vi",
                many(2_000, ",", |i| format!("sum({i}) OVER (ORDER BY ma, ma || '{i}') AS w{i}"))
            ),
        ),
        any(
            "5,000 aggregates",
            format!(
                "SELECT {} FROM danh_muc.don_vi",
                many(5_000, ",", |i| format!("count(DISTINCT ma || '{i}') AS n{i}"))
            ),
        ),
        any(
            "a CASE of 20,000",
            format!("SELECT CASE 1 {} END", many(20_000, " ", |i| format!("WHEN {i} THEN {i}"))),
        ),
        any("a call with 50,000 arguments", format!("SELECT concat({})", texts(50_000))),
        any("coalesce of 50,000", format!("SELECT coalesce({})", vec!["NULL"; 50_000].join(","))),
        any("an array of 100,000", format!("SELECT ARRAY[{}]", numbers(100_000))),
        any("an array of 100,000 texts", format!("SELECT ARRAY[{}]", texts(100_000))),
        any("a struct of 10,000", format!("SELECT struct({})", numbers(10_000))),
        any("a name of 1 MB", format!("SELECT 1 AS {name}")),
        any("a quoted name of 1 MB", format!("SELECT 1 AS \"{name}\"")),
        refused("a table of 1 MB", format!("SELECT * FROM {name}")),
        refused("a function of 1 MB", format!("SELECT {name}(1)")),
        any("a number of 1 MB", format!("SELECT {}", "9".repeat(1_000_000))),
        any("a fraction of 1 MB", format!("SELECT 0.{}", "1".repeat(1_000_000))),
        any("a bit string of 1 MB", format!("SELECT X'{}'", "F".repeat(1_000_000))),
        any(
            "10,000 windows",
            format!("SELECT 1 WINDOW {}", many(10_000, ",", |i| format!("w{i} AS (ORDER BY 1)"))),
        ),
        any(
            "windows of windows",
            format!(
                "SELECT count(*) OVER w999 WINDOW w0 AS (ORDER BY 1), {}",
                many(999, ",", |i| format!("w{} AS (w{i})", i + 1))
            ),
        ),
    ]);
}

#[test]
fn many_tables_joined() {
    let unit = "danh_muc.don_vi";
    storm(&[
        any(
            "a comma join of 1,000",
            format!("SELECT 1 FROM {}", many(1_000, ",", |i| format!("{unit} AS t{i}"))),
        ),
        any(
            "a comma join of 40 that count",
            format!("SELECT count(*) FROM {}", many(40, ",", |i| format!("{unit} AS t{i}"))),
        ),
        any(
            "a chain of 1,000 joins",
            format!(
                "SELECT 1 FROM {unit} AS t0 {}",
                many(1_000, " ", |i| format!("JOIN {unit} AS t{0} ON t{0}.ma = t{i}.ma", i + 1))
            ),
        ),
        any(
            "a chain of 60 joins",
            format!(
                "SELECT count(*) FROM {unit} AS t0 {}",
                many(60, " ", |i| format!("JOIN {unit} AS t{0} ON t{0}.ma = t{i}.ma", i + 1))
            ),
        ),
        any(
            "left joins of 300",
            format!(
                "SELECT count(*) FROM {unit} AS t0 {}",
                many(300, " ", |i| format!("LEFT JOIN {unit} AS t{0} ON t{0}.ma < t{i}.ma", i + 1))
            ),
        ),
        any(
            "full joins of 100",
            format!(
                "SELECT count(*) FROM {unit} AS t0 {}",
                many(100, " ", |i| format!("FULL JOIN {unit} AS t{0} ON t{0}.ma = t{i}.ma", i + 1))
            ),
        ),
        any(
            "natural joins of 300",
            format!("SELECT 1 FROM {unit}{}", format!(" NATURAL JOIN {unit}").repeat(300)),
        ),
        any(
            "joins by USING of 300",
            format!(
                "SELECT 1 FROM {unit} AS t0 {}",
                many(300, " ", |i| format!("JOIN {unit} AS u{i} USING (ma)"))
            ),
        ),
        any(
            "cross joins of VALUES",
            format!(
                "SELECT count(*) FROM {}",
                many(30, " CROSS JOIN ", |i| format!("(VALUES (1),(2),(3)) AS v{i}(a{i})"))
            ),
        ),
        any(
            "the function of boundaries 200 times",
            format!(
                "SELECT count(*) FROM {}",
                many(200, ",", |i| format!("chi_tieu_tai(DATE '2025-07-01') AS t{i}"))
            ),
        ),
        any(
            "the country 500 times",
            format!("SELECT 1 FROM {}", many(500, ",", |i| format!("chi_tieu.ca_nuoc AS t{i}"))),
        ),
        any(
            "every table that is declared, 20 times",
            many(20, " UNION ALL ", |_| {
                "SELECT count(*) FROM information_schema.columns AS a, information_schema.columns AS b, \
             information_schema.columns AS c".to_owned()
            }),
        ),
    ]);
}

#[test]
fn sets_of_groups() {
    let (names, values) = (many(30, ",", |i| format!("c{i}")), columns(30));
    let from = format!("FROM (SELECT {values}) AS t");
    storm(&[
        any("CUBE of 30", format!("SELECT count(*) {from} GROUP BY CUBE ({names})")),
        any("ROLLUP of 30", format!("SELECT count(*) {from} GROUP BY ROLLUP ({names})")),
        any(
            "CUBE of 16",
            format!(
                "SELECT count(*) {from} GROUP BY CUBE ({})",
                many(16, ",", |i| format!("c{i}"))
            ),
        ),
        any(
            "CUBE of 62",
            format!(
                "SELECT count(*) FROM (SELECT {}) AS t GROUP BY CUBE ({})",
                columns(62),
                many(62, ",", |i| format!("c{i}"))
            ),
        ),
        any(
            "CUBE of 70",
            format!(
                "SELECT count(*) FROM (SELECT {}) AS t GROUP BY CUBE ({})",
                columns(70),
                many(70, ",", |i| format!("c{i}"))
            ),
        ),
        any(
            "CUBE of a column 25 times",
            format!("SELECT count(*) {from} GROUP BY CUBE ({})", vec!["c0"; 25].join(",")),
        ),
        any(
            "CUBE times CUBE",
            format!(
                "SELECT count(*) {from} GROUP BY CUBE (c0,c1,c2,c3,c4,c5,c6,c7), \
             CUBE (c8,c9,c10,c11,c12,c13,c14,c15), CUBE (c16,c17,c18,c19,c20,c21,c22,c23)"
            ),
        ),
        any(
            "GROUPING SETS of 20,000",
            format!(
                "SELECT count(*) {from} GROUP BY GROUPING SETS ({})",
                many(20_000, ",", |i| format!("(c{})", i % 30))
            ),
        ),
        any(
            "GROUPING SETS of all 30, 1,000 times",
            format!(
                "SELECT count(*) {from} GROUP BY GROUPING SETS ({})",
                vec![format!("({names})"); 1_000].join(",")
            ),
        ),
        any(
            "GROUPING SETS of nothing",
            format!(
                "SELECT count(*) {from} GROUP BY GROUPING SETS ({})",
                vec!["()"; 10_000].join(",")
            ),
        ),
        any(
            "ROLLUP over a table",
            format!(
                "SELECT count(*) FROM generate_series(1, 100000) AS t(a) GROUP BY ROLLUP ({})",
                vec!["a"; 30].join(",")
            ),
        ),
    ]);
}
