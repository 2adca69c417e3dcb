//! Queries that compute without end. Each is over by its deadline.

use super::attack::{any, storm};

/// 10¹² pairs.
pub(super) const CROSS_JOIN: &str = "SELECT sum((a.value * b.value) % 7) AS a \
     FROM generate_series(1, 1000000) AS a CROSS JOIN generate_series(1, 1000000) AS b";

/// 10⁹ groups.
pub(super) const BIG_AGGREGATE: &str = "SELECT count(*) AS a FROM (SELECT value % 1000000007 AS k, \
     count(*) AS n FROM generate_series(1, 1000000000) GROUP BY value % 1000000007) AS t";

/// A table that never ends.
pub(super) const ENDLESS: &str = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL \
     SELECT (n + 1) % 1000 FROM r) SELECT count(*) AS a FROM r";

/// A sort of more than there is room for, and a window over it.
pub(super) const BIG_SORT: &str = "SELECT sum(w) AS a FROM (SELECT \
     row_number() OVER (ORDER BY (value * 7919) % 1000003, value) AS w \
     FROM generate_series(1, 200000000)) AS t";

/// Tables that each read the one before twice.
pub(super) fn doubling(count: usize) -> String {
    let more: String = (1..=count)
        .map(|i| format!(", a{i} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", i - 1))
        .collect();
    format!("WITH a0 AS (SELECT 1 AS x){more} SELECT count(*) AS a FROM a{count}")
}

#[test]
fn what_does_not_end_is_ended() {
    let series = "generate_series(1, 1000000)";
    let text = "repeat('ab', 20000)";
    storm(&[
        any("a cross join", CROSS_JOIN),
        any(
            "a cross join of three",
            format!(
                "SELECT count(*) FROM {series} AS a, {series} AS b, {series} AS c \
             WHERE a.value + b.value + c.value = -1"
            ),
        ),
        any(
            "a join by inequality",
            format!(
                "SELECT count(*) FROM {series} AS a JOIN {series} AS b ON a.value < b.value + 1"
            ),
        ),
        any(
            "a join by a condition that is never true",
            format!(
                "SELECT count(*) FROM {series} AS a JOIN {series} AS b \
             ON (a.value * b.value) % 1000003 = 1000004"
            ),
        ),
        any(
            "a full join by inequality",
            format!(
                "SELECT count(*) FROM {series} AS a FULL JOIN {series} AS b ON a.value > b.value * 2"
            ),
        ),
        any(
            "NOT IN of a large list",
            format!(
                "SELECT count(*) FROM {series} WHERE value NOT IN (SELECT b.value * 2 FROM \
             generate_series(1, 50000000) AS b)"
            ),
        ),
        any(
            "a query for every row",
            format!(
                "SELECT sum((SELECT count(*) FROM {series} AS b WHERE b.value < a.value)) \
             FROM {series} AS a"
            ),
        ),
        any(
            "EXISTS by inequality",
            format!(
                "SELECT count(*) FROM {series} AS a WHERE EXISTS \
             (SELECT 1 FROM {series} AS b WHERE b.value > a.value + 999999)"
            ),
        ),
        any("a hash aggregate", BIG_AGGREGATE),
        any(
            "counts that are distinct",
            "SELECT count(DISTINCT value * 3) FROM generate_series(1, 1000000000)",
        ),
        any("a sum of 10¹² numbers", "SELECT sum(value) FROM generate_series(1, 1000000000000)"),
        any(
            "a series that has no end",
            "SELECT count(*) FROM generate_series(1, 9223372036854775807)",
        ),
        any("a series by nothing", "SELECT * FROM generate_series(1, 10, 0)"),
        any(
            "a series of days",
            "SELECT count(*) FROM generate_series(TIMESTAMP '0001-01-01', \
             TIMESTAMP '9999-01-01', INTERVAL '1 microsecond')",
        ),
        any("a table that does not end", ENDLESS),
        any(
            "a table that doubles itself",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL \
             SELECT a.n FROM r AS a, r AS b) SELECT count(*) FROM r",
        ),
        any(
            "a recursion over two series",
            "WITH RECURSIVE r AS (SELECT value AS n FROM \
             generate_series(1, 1000) UNION ALL SELECT r.n + b.value FROM r, \
             generate_series(1, 1000) AS b) SELECT count(*) FROM r",
        ),
        any(
            "a recursion that is distinct",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION \
             SELECT n + 1 FROM r) SELECT count(*) FROM r",
        ),
        any(
            "a text that grows for ever",
            "WITH RECURSIVE r AS (SELECT 'a' AS t UNION ALL \
             SELECT t || t FROM r) SELECT max(length(t)) FROM r",
        ),
        any("14 tables that double", doubling(14)),
        any("25 tables that double", doubling(25)),
        any("60 tables that double", doubling(60)),
        any("tables that join themselves", {
            let more: String = (1..=16)
                .map(|i| {
                    format!(
                        ", a{i} AS (SELECT a.x FROM a{0} AS a JOIN a{0} AS b ON a.x = b.x)",
                        i - 1
                    )
                })
                .collect();
            format!("WITH a0 AS (SELECT 1 AS x){more} SELECT count(*) FROM a16")
        }),
        any(
            "a sort",
            "SELECT value FROM generate_series(1, 1000000000) ORDER BY (value * 7919) % 1000003, value",
        ),
        any(
            "a sort and its last row",
            "SELECT value FROM generate_series(1, 1000000000) ORDER BY -value LIMIT 1",
        ),
        any("a window over a sort", BIG_SORT),
        any(
            "a window over a cross join",
            format!(
                "SELECT max(w) FROM (SELECT count(*) OVER (PARTITION BY a.value % 3 ORDER BY b.value) AS w \
             FROM {series} AS a, {series} AS b) AS t"
            ),
        ),
        any(
            "a window that looks at all rows",
            "SELECT max(w) FROM (SELECT max(value) OVER \
             (ORDER BY value ROWS BETWEEN 500000 PRECEDING AND 500000 FOLLOWING) AS w \
             FROM generate_series(1, 5000000)) AS t",
        ),
        any(
            "DISTINCT",
            "SELECT count(*) FROM (SELECT DISTINCT value * 3 FROM generate_series(1, 1000000000)) AS t",
        ),
        any("medians", "SELECT median(value * 3 % 1000003) FROM generate_series(1, 1000000000)"),
        any("levenshtein", format!("SELECT levenshtein({text}, reverse({text}))")),
        any(
            "levenshtein for every row",
            format!(
                "SELECT sum(levenshtein(repeat('ab', 2000) || value::text, repeat('ba', 2000))) FROM {series}"
            ),
        ),
        any("LIKE with many wildcards", format!("SELECT {text} LIKE '{}b'", "%a".repeat(2_000))),
        any(
            "LIKE for every row",
            format!(
                "SELECT count(*) FROM {series} WHERE repeat('a', 3000) || value::text LIKE '{}'",
                "%a_".repeat(300)
            ),
        ),
        any("SIMILAR TO", format!("SELECT {text} SIMILAR TO '(a|b|ab)*(ba|ab|a)*c'")),
        any(
            "a hash of long texts",
            format!("SELECT count(DISTINCT sha512(repeat(value::text, 20000))) FROM {series}"),
        ),
        any("a sort of an array", "SELECT array_sort(range(0, 50000000))"),
        any(
            "an array against an array",
            "SELECT array_has_all(range(0, 200000), range(0, 200000))",
        ),
        any(
            "positions in an array",
            format!("SELECT sum(array_position(range(0, 100000), value)) FROM {series}"),
        ),
        any("EXPLAIN ANALYZE of it", format!("EXPLAIN ANALYZE {CROSS_JOIN}")),
    ]);
}

#[test]
fn patterns_that_explode() {
    let series = "generate_series(1, 1000000)";
    let many: Vec<String> = (0..20_000).map(|i| format!("x{i}y")).collect();
    storm(&[
        any("counted repetitions", "SELECT 'a' ~ '((((a{1,100}){1,100}){1,100}){1,100})'"),
        any("a pattern of 100 MB of states", "SELECT 'a' ~ '(\\w{1000}){1000}'"),
        any("letters of all alphabets", "SELECT 'a' ~ '(\\pL{500}\\pM{500}){50}'"),
        any("a known trap", format!("SELECT '{}b' ~ '^(a+)+$'", "a".repeat(50_000))),
        any(
            "a known trap for every row",
            format!(
                "SELECT count(*) FROM {series} WHERE repeat('a', 2000) || value::text ~ '^(([a-z])+.)+[A-Z]([a-z])+$'"
            ),
        ),
        any("20,000 words", format!("SELECT 'x7y' ~ '{}'", many.join("|"))),
        any(
            "a pattern of its own for every row",
            format!(
                "SELECT count(*) FROM {series} WHERE 'abc' ~ ('(a' || value::text || '|\\w{{200}}){{50}}')"
            ),
        ),
        any(
            "500 patterns of its own in every row",
            format!(
                "SELECT count(*) FROM {series} WHERE regexp_like('abc', repeat('(x|y)', (value % 500)::int))"
            ),
        ),
        any(
            "nested brackets",
            format!("SELECT 'a' ~ '{}a{}'", "(".repeat(5_000), ")".repeat(5_000)),
        ),
        any("brackets that do not close", format!("SELECT 'a' ~ '{}'", "(".repeat(50_000))),
        any("a class of everything", format!("SELECT 'a' ~ '[{}]'", "\\pL\\d\\s".repeat(20_000))),
        any(
            "a replacement that grows",
            "SELECT length(regexp_replace(repeat('a', 100000), 'a', repeat('b', 100000), 'g'))",
        ),
        any("all matches", format!("SELECT regexp_count({}, '.')", "repeat('a', 50000000)")),
        any("a match of groups", "SELECT regexp_match(repeat('a', 1000000), '(a)(a)(a*)')"),
        any(
            "flags that are not there",
            "SELECT regexp_replace('a', 'b', 'c', repeat('g', 1000000))",
        ),
        any("look-behind", "SELECT 'a' ~ '(?<=a)b'"),
        any("a NUL in a pattern", "SELECT 'a' ~ E'\\\\x00{1000000}'"),
    ]);
}
