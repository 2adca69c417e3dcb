//! Texts that grow in one direction: operators in chains, brackets in brackets, queries in queries.
//! Each shape is sent in sizes from what a person may write to what no stack holds; a bound that
//! is only just high enough to let something through that falls later is found in between.

use super::attack::{Attack, any, storm, value};
use super::full;

/// Sizes of each shape.
fn sizes() -> &'static [usize] {
    if full() { &[90, 250, 700, 1_500, 4_000, 20_000, 100_000] } else { &[250, 2_500, 20_000] }
}

/// A beginning and many links of one kind.
fn chain(first: &str, link: &str, count: usize) -> String {
    [first, &link.repeat(count)].concat()
}

/// Brackets of one kind around a core.
fn nest(open: &str, core: &str, close: &str, depth: usize) -> String {
    [&open.repeat(depth), core, &close.repeat(depth)].concat()
}

/// A shape: its name, its text in a size.
type Shape = (&'static str, fn(usize) -> String);

fn storm_of(shapes: &[Shape]) {
    let attacks: Vec<Attack> = shapes
        .iter()
        .flat_map(|(name, text)| {
            sizes().iter().map(move |&size| any(format!("{name} × {size}"), text(size)))
        })
        .collect();
    storm(&attacks);
}

#[test]
fn the_known_killers_do_nothing() {
    let rows = "SELECT 1 AS a";
    storm(&[
        any("2,000 terms of +", chain("SELECT 1", "+1", 1_999)),
        any("3,000 terms of +", chain("SELECT 1", "+1", 2_999)),
        any("5,000 terms of OR", chain("SELECT 1=1", " OR 1=2", 4_999)),
        any("20,000 terms of ||", chain("SELECT 'a'", "||'a'", 19_999)),
        any("20,000 casts", chain("SELECT 1", "::int", 20_000)),
        any("3,000 of UNION ALL", chain(rows, " UNION ALL SELECT 1", 2_999)),
        any("array_resize", "SELECT array_resize(ARRAY[1],1000000000,0)"),
        any(
            "ARRAY[ 50,000 times",
            nest("ARRAY[", "1", "]", 50_000).replacen("ARRAY[", "SELECT ARRAY[", 1),
        ),
        any("ARRAY[ 50,000 times, not closed", chain("SELECT ", "ARRAY[", 50_000)),
        any("a literal of 100 MB", format!("SELECT length('{}')", "x".repeat(100_000_000))),
        any("a cross join of two million rows", super::cpu::CROSS_JOIN),
        any("18 tables that double", super::cpu::doubling(18)),
        any("a hash aggregate over 10⁹ rows", super::cpu::BIG_AGGREGATE),
    ]);
}

#[test]
fn what_people_write_is_not_too_much() {
    let list: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let list = list.join(",");
    let cases: String = (0..60).map(|number| format!(" WHEN {number} THEN 'x{number}'")).collect();
    let columns: Vec<String> = (0..150).map(|number| format!("{number} AS c{number}")).collect();
    storm(&[
        value("100 terms", chain("SELECT 1", "+1", 99), "100"),
        value("200 conditions", chain("SELECT 7 WHERE 1=1", " OR 1=2", 200), "7"),
        value("a list of 1,000", format!("SELECT 8 WHERE 999 IN ({list})"), "8"),
        value("a CASE of 60", format!("SELECT CASE 59{cases} END"), "x59"),
        value("30 parentheses", format!("SELECT {}", nest("(", "9", ")", 30)), "9"),
        value("50 of UNION ALL", chain("SELECT 1", " UNION ALL SELECT 1", 49), "1"),
        value("150 columns", format!("SELECT {}", columns.join(",")), "0"),
        value("20 queries in queries", nest("SELECT * FROM (", "SELECT 5 AS a", ") AS t", 20), "5"),
        value("a text of 50 kB", format!("SELECT length('{}')", "đ".repeat(25_000)), "25000"),
    ]);
}

#[test]
fn operators_in_chains() {
    storm_of(&[
        ("-", |n| chain("SELECT 1", "-1", n)),
        ("*", |n| chain("SELECT 1", "*1", n)),
        ("/", |n| chain("SELECT 1.0", "/1", n)),
        ("%", |n| chain("SELECT 7", "%9", n)),
        ("^", |n| chain("SELECT 1", "^1", n)),
        ("&", |n| chain("SELECT 1", "&1", n)),
        ("|", |n| chain("SELECT 1", "|1", n)),
        ("#", |n| chain("SELECT 1", "#1", n)),
        ("<<", |n| chain("SELECT 1", "<<0", n)),
        ("=", |n| chain("SELECT true", "=true", n)),
        ("<>", |n| chain("SELECT true", "<>false", n)),
        ("AND", |n| chain("SELECT true", " AND 1<2", n)),
        ("AND over a column", |n| {
            chain("SELECT ten FROM danh_muc.don_vi WHERE true", " AND ma<>'x'", n)
        }),
        ("IS NULL", |n| chain("SELECT 1", " IS NULL", n)),
        ("IS DISTINCT FROM", |n| chain("SELECT true", " IS DISTINCT FROM false", n)),
        ("NOT", |n| format!("SELECT {}true", "NOT ".repeat(n))),
        ("minus signs", |n| format!("SELECT {}1", "- ".repeat(n))),
        ("~", |n| format!("SELECT {}1", "~ ".repeat(n))),
        ("::text", |n| chain("SELECT 'a'", "::text", n)),
        ("AT TIME ZONE", |n| chain("SELECT now()", " AT TIME ZONE 'UTC'", n)),
        ("COLLATE", |n| chain("SELECT 'a'", " COLLATE \"C\"", n)),
        ("LIKE", |n| chain("SELECT 'a'", " LIKE 'a'", n)),
        ("~ of patterns", |n| chain("SELECT 'a'", " ~ 'a'", n)),
        ("BETWEEN", |n| chain("SELECT 1", " BETWEEN 0 AND 2", n)),
        ("IN", |n| chain("SELECT 1", " IN (1)", n)),
        ("->", |n| chain("SELECT '{}'", "->'a'", n)),
        ("subscripts", |n| chain("SELECT ARRAY[1]", "[1]", n)),
        ("names in names", |n| chain("SELECT a", ".a", n)),
        ("intervals", |n| chain("SELECT DATE '2026-01-01'", " + INTERVAL '1 day'", n)),
    ]);
}

#[test]
fn brackets_in_brackets() {
    storm_of(&[
        ("(", |n| format!("SELECT {}", nest("(", "1", ")", n))),
        ("( not closed", |n| chain("SELECT ", "(", n)),
        ("CASE", |n| format!("SELECT {}", nest("CASE WHEN true THEN ", "1", " END", n))),
        ("CASE of CASE", |n| format!("SELECT {}", nest("CASE ", "1", " WHEN 1 THEN 1 END", n))),
        ("CAST", |n| format!("SELECT {}", nest("CAST(", "1", " AS INT)", n))),
        ("[", |n| format!("SELECT {}", nest("[", "1", "]", n))),
        ("make_array", |n| format!("SELECT {}", nest("make_array(", "1", ")", n))),
        ("struct", |n| format!("SELECT {}", nest("struct(", "1", ")", n))),
        ("ROW", |n| format!("SELECT {}", nest("ROW(", "1", ")", n))),
        ("{'a':", |n| format!("SELECT {}", nest("{'a':", "1", "}", n))),
        ("MAP {", |n| format!("SELECT {}", nest("MAP {'a':", "1", "}", n))),
        ("abs", |n| format!("SELECT {}", nest("abs(", "1", ")", n))),
        ("coalesce", |n| format!("SELECT {}", nest("coalesce(NULL,", "1", ")", n))),
        ("upper", |n| format!("SELECT {}", nest("upper(", "'a'", ")", n))),
        ("concat", |n| format!("SELECT {}", nest("concat('a',", "'a'", ")", n))),
        ("substring", |n| format!("SELECT {}", nest("substring(", "'a'", " FROM 1)", n))),
        ("trim", |n| format!("SELECT {}", nest("trim(BOTH 'b' FROM ", "'a'", ")", n))),
        ("position", |n| format!("SELECT {}", nest("position('a' IN ", "'a'", ")::text", n))),
        ("extract", |n| format!("SELECT {}", nest("extract(day FROM ", "now()", ")", n))),
        ("no such function", |n| format!("SELECT {}", nest("khong_co(", "1", ")", n))),
        ("sum", |n| format!("SELECT {}", nest("sum(", "1", ")", n))),
        ("row_number", |n| format!("SELECT {}", nest("rank() OVER (ORDER BY ", "1", ")", n))),
        ("types", |n| chain("SELECT NULL::int", "[]", n)),
        ("types in types", |n| format!("SELECT CAST(NULL AS {})", nest("ARRAY<", "INT", ">", n))),
        ("structs in types", |n| format!("SELECT CAST(1 AS {})", nest("STRUCT<a ", "INT", ">", n))),
        ("JSON in a text", |n| format!("SELECT '{}'::json", nest("[", "", "]", n))),
        ("arrays in a text", |n| format!("SELECT '{}'::int[]", nest("{", "", "}", n))),
    ]);
}

#[test]
fn queries_in_queries() {
    storm_of(&[
        ("(SELECT", |n| format!("SELECT {}", nest("(SELECT ", "1", ")", n))),
        ("FROM (SELECT", |n| nest("SELECT * FROM (", "SELECT 1 AS a", ") AS t", n)),
        ("EXISTS", |n| nest("SELECT 1 WHERE EXISTS (", "SELECT 1", ")", n)),
        ("NOT EXISTS", |n| nest("SELECT 1 WHERE NOT EXISTS (", "SELECT 1", ")", n)),
        ("IN (SELECT", |n| nest("SELECT 1 WHERE 1 IN (", "SELECT 1", ")", n)),
        ("WITH in WITH", |n| nest("WITH a AS (", "SELECT 1", ") SELECT * FROM a", n)),
        ("WITH after WITH", |n| {
            let more: String =
                (1..n).map(|i| format!(", a{i} AS (SELECT * FROM a{})", i - 1)).collect();
            format!("WITH a0 AS (SELECT 1 AS a){more} SELECT * FROM a{}", n.max(1) - 1)
        }),
        ("LATERAL", |n| {
            format!("SELECT 1 FROM (SELECT 1) AS t{}", ", LATERAL (SELECT 1) AS u".repeat(n))
        }),
        ("UNION in brackets", |n| nest("(SELECT 1 UNION ", "SELECT 1", ")", n)),
        ("UNION", |n| chain("SELECT 1", " UNION SELECT 2", n)),
        ("INTERSECT", |n| chain("SELECT 1", " INTERSECT SELECT 1", n)),
        ("EXCEPT", |n| chain("SELECT 1", " EXCEPT SELECT 2", n)),
        ("EXCEPT ALL", |n| chain("SELECT 1", " EXCEPT ALL SELECT 2", n)),
        ("UNION of stars", |n| {
            chain(
                "SELECT ten FROM danh_muc.don_vi",
                " UNION ALL SELECT ten FROM danh_muc.don_vi",
                n,
            )
        }),
        ("EXPLAIN", |n| format!("{}SELECT 1", "EXPLAIN ".repeat(n))),
        ("EXPLAIN ANALYZE", |n| format!("EXPLAIN ANALYZE {}", chain("SELECT 1", "+1", n))),
        ("EXPLAIN VERBOSE", |n| {
            format!("EXPLAIN VERBOSE {}", nest("SELECT * FROM (", "SELECT 1 AS a", ") AS t", n))
        }),
        ("LIMIT", |n| format!("SELECT 1 LIMIT {}", nest("(SELECT ", "1", ")", n))),
        ("ORDER BY", |n| format!("SELECT 1 ORDER BY {}", nest("abs(", "1", ")", n))),
        ("HAVING", |n| format!("SELECT count(*) HAVING {}", nest("(", "true", ")", n))),
        ("FILTER", |n| format!("SELECT count(*) FILTER (WHERE {})", nest("(", "true", ")", n))),
        ("joins in brackets", |n| {
            let joined = nest("(", "chi_tieu.ca_nuoc AS a", " CROSS JOIN danh_muc.don_vi)", n);
            format!("SELECT 1 FROM {joined}")
        }),
    ]);
}
