//! Functions, literals and aggregates that make much out of little.

use super::attack::{any, storm};

#[test]
fn texts_that_grow() {
    let series = "generate_series(1, 1000000)";
    let mega = "repeat('x', 1000000)";
    let twice = |count: usize| {
        let more: String = (1..=count)
            .map(|i| format!(", a{i} AS (SELECT t || t AS t FROM a{})", i - 1))
            .collect();
        format!("WITH a0 AS (SELECT 'x' AS t){more} SELECT length(t) FROM a{count}")
    };
    storm(&[
        any("repeat", "SELECT length(repeat('x', 1000000000))"),
        any("repeat, sent", "SELECT repeat('x', 1000000000)"),
        any("repeat of the largest", "SELECT repeat('x', 9223372036854775807)"),
        any("repeat of less than nothing", "SELECT repeat('x', -9223372036854775808)"),
        any("repeat of repeat", "SELECT length(repeat(repeat(repeat('x', 1000), 1000), 1000))"),
        any(
            "repeat for every row",
            format!("SELECT length(repeat('x', 1000000 + value::int)) FROM {series}"),
        ),
        any(
            "repeat for every row, added up",
            format!("SELECT sum(length(repeat('x', 1000000 + value::int))) FROM {series}"),
        ),
        any("repeat of a column", "SELECT max(repeat(ten, 10000000)) FROM danh_muc.don_vi"),
        any("lpad", "SELECT length(lpad('x', 1000000000))"),
        any("lpad of the largest", "SELECT length(lpad('x', 2147483647, 'đ'))"),
        any("lpad beyond the largest", "SELECT length(lpad('x', 9223372036854775807, 'y'))"),
        any(
            "lpad for every row",
            format!("SELECT length(lpad(value::text, 5000000, 'ab')) FROM {series}"),
        ),
        any("rpad", "SELECT length(rpad('x', 1000000000, 'abc'))"),
        any(
            "rpad for every row",
            format!("SELECT max(rpad(value::text, 5000000, 'ab')) FROM {series}"),
        ),
        any("replace", format!("SELECT length(replace({mega}, 'x', {mega}))")),
        any("replace of nothing", format!("SELECT length(replace({mega}, '', {mega}))")),
        any("translate", "SELECT length(translate(repeat('x', 500000000), 'x', 'đ'))"),
        any(
            "translate for every row",
            format!("SELECT max(translate({mega} || value::text, 'x', 'đ')) FROM {series}"),
        ),
        any(
            "regexp_replace",
            format!("SELECT length(regexp_replace({mega}, 'x', repeat('y', 10000), 'g'))"),
        ),
        any(
            "regexp_replace with groups",
            format!("SELECT length(regexp_replace({mega}, '(.*)', '{}'))", "\\1".repeat(2_000)),
        ),
        any("|| that doubles, 34 times", twice(34)),
        any("|| that doubles, 60 times", twice(60)),
        any("concat that doubles", {
            let more: String =
                (0..32).map(|_| "concat(t, t) AS t FROM (SELECT ".to_owned()).collect();
            format!("SELECT length(t) FROM (SELECT {more} 'x' AS t{}) AS z", ") AS q".repeat(32))
        }),
        any(
            "concat_ws",
            format!("SELECT length(concat_ws({mega}, {}))", vec!["'a'"; 3_000].join(",")),
        ),
        any(
            "overlay",
            format!("SELECT length(overlay({mega} PLACING repeat('y', 900000000) FROM 3))"),
        ),
        any("encode", "SELECT length(encode(repeat('x', 400000000)::bytea, 'hex'))"),
        any(
            "encode of encode",
            format!(
                "SELECT length(encode(encode(encode({mega}, 'hex'), 'hex'), 'hex')) FROM generate_series(1, 1000)"
            ),
        ),
        any("decode", "SELECT length(decode(repeat('00', 400000000), 'hex'))"),
        any("upper", "SELECT length(upper(repeat('ŉ', 300000000)))"),
        any("initcap", "SELECT length(initcap(repeat('ab ', 300000000)))"),
        any("reverse", "SELECT length(reverse(repeat('đ', 400000000)))"),
        any(
            "to_hex and chr",
            format!(
                "SELECT count(*) FROM {series} WHERE repeat(chr(1114111), 1000000) = to_hex(value)"
            ),
        ),
        any("split", "SELECT length(split_part(repeat('a,', 400000000), ',', 100))"),
        any(
            "string_to_array",
            "SELECT array_length(string_to_array(repeat('a,', 200000000), ','))",
        ),
        any("array_to_string", "SELECT length(array_to_string(range(0, 100000000), ', '))"),
        any("an array as text", "SELECT length(range(0, 100000000)::text)"),
        any("a format of dates", "SELECT to_char(now(), repeat('%Y-%m-%d', 20000000))"),
        any(
            "a format of dates for every row",
            format!("SELECT length(to_char(now(), repeat('%A', 200000))) FROM {series}"),
        ),
        any("sums of long texts", "SELECT md5(repeat('x', 900000000))"),
        any(
            "string_agg",
            "SELECT length(string_agg('abcdefghij', ',')) FROM generate_series(1, 1000000000)",
        ),
        any(
            "string_agg with a long comma",
            format!("SELECT length(string_agg('a', {mega})) FROM {series}"),
        ),
        any(
            "string_agg in every window",
            format!(
                "SELECT max(length(t)) FROM (SELECT string_agg('abc', ',') OVER (ORDER BY value) AS t FROM {series}) AS w"
            ),
        ),
        any(
            "max of long texts",
            format!("SELECT length(max({mega} || value::text)) FROM {series}"),
        ),
        any(
            "groups of long texts",
            format!(
                "SELECT count(*) FROM (SELECT {mega} || value::text AS t FROM {series} GROUP BY 1) AS g"
            ),
        ),
        any(
            "a sort of long texts",
            format!("SELECT {mega} || value::text AS t FROM {series} ORDER BY t DESC"),
        ),
        any(
            "a join of long texts",
            format!(
                "SELECT count(*) FROM {series} AS a JOIN {series} AS b ON repeat('x', 10000) || a.value::text = repeat('x', 10000) || b.value::text"
            ),
        ),
        any(
            "lag of long texts",
            format!(
                "SELECT max(length(t)) FROM (SELECT lag({mega} || value::text, 1000) OVER (ORDER BY value) AS t FROM {series}) AS w"
            ),
        ),
        any(
            "a union of long texts",
            format!(
                "SELECT count(*) FROM (SELECT {mega} || value::text AS t FROM {series} UNION SELECT 'x') AS u"
            ),
        ),
        any("many long literals", {
            let long = "y".repeat(900_000);
            format!(
                "SELECT {}",
                (0..10).map(|i| format!("'{i}{long}' AS c{i}")).collect::<Vec<_>>().join(",")
            )
        }),
        any(
            "a long literal in every row",
            format!("SELECT '{}' AS t FROM {series}", "y".repeat(500_000)),
        ),
    ]);
}

#[test]
fn arrays_and_sets_that_grow() {
    let series = "generate_series(1, 1000000)";
    let twice = {
        let more: String = (1..=34)
            .map(|i| format!(", a{i} AS (SELECT array_concat(t, t) AS t FROM a{})", i - 1))
            .collect();
        format!("WITH a0 AS (SELECT ARRAY[1] AS t){more} SELECT array_length(t) FROM a34")
    };
    storm(&[
        any("array_repeat", "SELECT array_length(array_repeat(1, 1000000000))"),
        any(
            "array_repeat of texts",
            "SELECT array_length(array_repeat(repeat('x', 1000), 10000000))",
        ),
        any("array_repeat of the largest", "SELECT array_repeat(1, 9223372036854775807)"),
        any(
            "array_repeat of array_repeat",
            "SELECT array_length(array_repeat(array_repeat(1, 100000), 100000))",
        ),
        any(
            "array_repeat for every row",
            format!("SELECT array_length(array_repeat(value, 1000000)) FROM {series}"),
        ),
        any("array_resize", "SELECT array_length(array_resize(ARRAY[1], 1000000000, 0))"),
        any("array_resize of the largest", "SELECT array_resize(ARRAY[1], 9223372036854775807, 0)"),
        any(
            "array_resize for every row",
            format!("SELECT array_length(array_resize(ARRAY[value], 1000000, 0)) FROM {series}"),
        ),
        any("range", "SELECT array_length(range(0, 1000000000))"),
        any("range of the largest", "SELECT range(-9223372036854775808, 9223372036854775807)"),
        any("range by nothing", "SELECT range(0, 10, 0)"),
        any(
            "range for every row",
            format!("SELECT sum(array_length(range(0, 1000000 + value))) FROM {series}"),
        ),
        any(
            "range of days",
            "SELECT array_length(range(DATE '0001-01-01', DATE '9999-12-31', INTERVAL '1 day'))",
        ),
        any(
            "range of microseconds",
            "SELECT array_length(generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2026-01-01', INTERVAL '1 microsecond'))",
        ),
        any("generate_series as a value", "SELECT array_length(generate_series(1, 1000000000))"),
        any(
            "unnest of a range",
            "SELECT count(*) FROM (SELECT unnest(range(0, 1000000000)) AS a) AS t",
        ),
        any(
            "unnest of unnest",
            "SELECT count(*) FROM (SELECT unnest(range(0, 100000)) AS a, unnest(range(0, 100000)) AS b) AS t",
        ),
        any(
            "unnest for every row",
            format!(
                "SELECT count(*) FROM (SELECT unnest(range(0, 1000000)) AS a FROM {series}) AS t"
            ),
        ),
        any("array_concat that doubles", twice),
        any(
            "array_append",
            format!("SELECT array_length(array_append(range(0, 100000000), value)) FROM {series}"),
        ),
        any("array_distinct", "SELECT array_length(array_distinct(range(0, 100000000)))"),
        any(
            "array_union",
            "SELECT array_length(array_union(range(0, 50000000), range(25000000, 75000000)))",
        ),
        any(
            "array_except",
            "SELECT array_length(array_except(range(0, 50000000), range(0, 50000000)))",
        ),
        any("array_remove_all", "SELECT array_length(array_remove_all(range(0, 100000000), 7))"),
        any(
            "array_positions",
            "SELECT array_length(array_positions(array_repeat(1, 200000000), 1))",
        ),
        any("flatten", "SELECT array_length(flatten(array_repeat(range(0, 100000), 100000)))"),
        any(
            "make_array of long arrays",
            format!("SELECT make_array({})", vec!["range(0, 10000000)"; 50].join(",")),
        ),
        any(
            "array_agg",
            "SELECT array_length(array_agg(value)) FROM generate_series(1, 1000000000)",
        ),
        any(
            "array_agg of texts",
            format!(
                "SELECT array_length(array_agg(repeat('x', 100000) || value::text)) FROM {series}"
            ),
        ),
        any(
            "array_agg, sorted",
            "SELECT array_length(array_agg(value ORDER BY -value)) FROM generate_series(1, 1000000000)",
        ),
        any(
            "array_agg, distinct",
            "SELECT array_length(array_agg(DISTINCT value)) FROM generate_series(1, 1000000000)",
        ),
        any(
            "array_agg in every window",
            format!(
                "SELECT max(array_length(t)) FROM (SELECT array_agg(value) OVER (ORDER BY value) AS t FROM {series}) AS w"
            ),
        ),
        any(
            "array_agg of array_agg",
            format!(
                "SELECT array_agg(t) FROM (SELECT array_agg(value) AS t FROM {series} GROUP BY value % 1000) AS g"
            ),
        ),
        any(
            "first values of long arrays",
            format!("SELECT first_value(range(0, 10000000) ORDER BY value) FROM {series}"),
        ),
        any(
            "structs of long arrays",
            format!("SELECT struct(range(0, 5000000), range(0, 5000000), value) FROM {series}"),
        ),
        any("a cast to a large list", "SELECT arrow_cast(range(0, 100000000), 'LargeList(Utf8)')"),
        any(
            "a cast to fixed sizes",
            "SELECT arrow_cast(ARRAY[1], 'FixedSizeList(1000000000, Int64)')",
        ),
        any(
            "a cast to bytes of a fixed size",
            "SELECT arrow_cast('x', 'FixedSizeBinary(2000000000)')",
        ),
        any("a median of a billion", "SELECT median(value) FROM generate_series(1, 1000000000)"),
        any(
            "a percentile of a billion",
            "SELECT approx_percentile_cont(value, 0.5, 100000000) FROM generate_series(1, 1000000000)",
        ),
        any(
            "a digest without end",
            format!("SELECT approx_percentile_cont(value, 0.5, 2147483647) FROM {series}"),
        ),
        any("a thousand distinct counts", {
            let counts: Vec<String> =
                (1..=1_000).map(|i| format!("count(DISTINCT value * {i})")).collect();
            format!("SELECT {} FROM {series}", counts.join(","))
        }),
        any(
            "a hash join on everything",
            "SELECT count(*) FROM generate_series(1, 100000000) AS a JOIN generate_series(1, 100000000) AS b ON a.value = b.value",
        ),
        any(
            "a hash join on one value",
            format!(
                "SELECT count(*) FROM {series} AS a JOIN {series} AS b ON a.value % 1 = b.value % 1"
            ),
        ),
        any(
            "rows that are wide",
            format!(
                "SELECT {} FROM {series} ORDER BY 1",
                (0..500).map(|i| format!("value + {i}")).collect::<Vec<_>>().join(",")
            ),
        ),
        any(
            "an answer that does not end",
            "SELECT value, repeat('x', 1000) FROM generate_series(1, 1000000000)",
        ),
        any(
            "nth_value of a billion",
            "SELECT max(w) FROM (SELECT nth_value(value, 999999999) OVER (ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS w FROM generate_series(1, 1000000000)) AS t",
        ),
    ]);
}
