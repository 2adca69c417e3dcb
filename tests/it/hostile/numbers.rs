//! Numbers, days and intervals at and beyond their edges: an error or a value, never an end.

use super::attack::{Attack, any, refused, storm};

const LEAST: &str = "(-9223372036854775807 - 1)";

#[test]
fn numbers_at_their_edges() {
    let tower = format!("SELECT {}", vec!["10.0::double precision"; 200].join(" ^ "));
    let mut attacks = vec![
        any("the least by minus one", format!("SELECT {LEAST} / (-1)")),
        any("the least by minus one, remainder", format!("SELECT {LEAST} % (-1)")),
        any(
            "the least by minus one, in rows",
            "SELECT -9223372036854775808 / v FROM (VALUES (-1), (1)) AS t(v)",
        ),
        any("its absolute", format!("SELECT abs({LEAST})")),
        any("its opposite", format!("SELECT -{LEAST}")),
        any("a small least", "SELECT (-2147483648)::int / (-1)::int, abs((-2147483648)::int)"),
        any("a smaller least", "SELECT (-32768)::smallint / (-1)::smallint"),
        refused("by zero", "SELECT 1 / 0"),
        refused("by zero, remainder", "SELECT 1 % 0"),
        refused("by zero in rows", "SELECT 1 / (ma::int - ma::int) FROM danh_muc.don_vi"),
        any("more than the most", "SELECT 9223372036854775807 + 1"),
        any("more than the most, times", "SELECT 9223372036854775807 * 9223372036854775807"),
        any("a sum that overflows", "SELECT sum(9223372036854775807) FROM generate_series(1, 10)"),
        any("an average that overflows", "SELECT avg(1e308) FROM generate_series(1, 10)"),
        any(
            "an exact sum that overflows",
            "SELECT sum(99999999999999999999999999999999999999::decimal(38,0)) FROM generate_series(1, 10)",
        ),
        any(
            "exact times exact",
            "SELECT 99999999999999999999999999999999999999::decimal(38,0) * 99999999999999999999999999999999999999::decimal(38,0)",
        ),
        any(
            "exact by exact",
            "SELECT 1::decimal(38,37) / 0.0000000000000000000000000000000000001::decimal(38,37)",
        ),
        any("a scale beyond", "SELECT 1::decimal(38,39)"),
        any("a precision beyond", "SELECT 1::decimal(1000,2), 1::decimal(-1,2), 1::decimal(76,76)"),
        any("a negative scale", "SELECT 1::decimal(5,-200)"),
        any("exact in a chain", format!("SELECT 1.1{}", " * 1.1".repeat(70))),
        any("a tower of powers", tower),
        any(
            "powers",
            "SELECT power(9223372036854775807, 9223372036854775807), power(0, -1), power(-1, 0.5)",
        ),
        any(
            "an exact power",
            "SELECT power(99999999999999999999999999999999999999::decimal(38,0), 1000)",
        ),
        any("factorials", "SELECT factorial(20), factorial(21)"),
        any("a large factorial", "SELECT factorial(9223372036854775807)"),
        any("a factorial of less than nothing", "SELECT factorial(-1)"),
        any("common divisors", format!("SELECT gcd({LEAST}, {LEAST}), lcm({LEAST}, 3)")),
        any("rounds", "SELECT round(1.5, 2147483647), round(1.5, -2147483648), trunc(1e308, 400)"),
        any("logarithms", "SELECT ln(0), ln(-1), log(0, 10), log(1, 1), sqrt(-1), cbrt(1e308)"),
        any(
            "what is no number",
            "SELECT 'NaN'::double precision, 'Infinity'::double precision, '-Infinity'::double precision",
        ),
        any(
            "what is no number, sorted and grouped",
            "SELECT v, count(*) FROM (VALUES ('NaN'::double precision), ('Infinity'), ('-0')) AS t(v) GROUP BY v ORDER BY v",
        ),
        any(
            "no number as a whole one",
            "SELECT 'NaN'::double precision::int, 'Infinity'::double precision::bigint",
        ),
        any("a float too large", "SELECT 1e400, -1e400, 1e-400"),
        any("a float with a huge exponent", format!("SELECT 1e{}", "9".repeat(10_000))),
        any("a float as an exact one", "SELECT 1e308::decimal(38,10)"),
        any(
            "shifts",
            "SELECT 1 << 64, 1 << -1, 1 >> 9223372036854775807, 1 << 9223372036854775807",
        ),
        any("buckets", "SELECT date_bin(INTERVAL '0 seconds', now()), width_bucket(1, 1, 1, 0)"),
        any("random", "SELECT random() / 0, random() % 0"),
        any("limits", "SELECT 1 LIMIT 9223372036854775807 OFFSET 9223372036854775807"),
        any("limits below nothing", "SELECT 1 LIMIT -1 OFFSET -1"),
        any("limits beyond", "SELECT 1 LIMIT 99999999999999999999999"),
        any(
            "limits of a sort",
            "SELECT value FROM generate_series(1, 10) ORDER BY value LIMIT 9223372036854775807",
        ),
        any(
            "limits of a large sort",
            "SELECT value FROM generate_series(1, 10) ORDER BY value OFFSET 9223372036854775807 LIMIT 9223372036854775807",
        ),
        any(
            "a frame beyond",
            "SELECT sum(value) OVER (ORDER BY value ROWS BETWEEN 18446744073709551615 PRECEDING AND 18446744073709551615 FOLLOWING) FROM generate_series(1, 10)",
        ),
        any(
            "a frame of a range beyond",
            "SELECT sum(value) OVER (ORDER BY value RANGE BETWEEN 9223372036854775807 PRECEDING AND 9223372036854775807 FOLLOWING) FROM generate_series(1, 10)",
        ),
        any(
            "a frame that is empty",
            "SELECT sum(value) OVER (ORDER BY value ROWS BETWEEN 5 FOLLOWING AND 2 FOLLOWING) FROM generate_series(1, 10)",
        ),
        any(
            "lag beyond",
            "SELECT lag(value, 9223372036854775807) OVER (ORDER BY value), lead(value, -9223372036854775808) OVER (ORDER BY value) FROM generate_series(1, 10)",
        ),
        any("ntile", "SELECT ntile(0) OVER (ORDER BY value) FROM generate_series(1, 10)"),
        any(
            "ntile beyond",
            "SELECT ntile(9223372036854775807) OVER (ORDER BY value), ntile(-1) OVER (ORDER BY value) FROM generate_series(1, 10)",
        ),
        any(
            "nth_value beyond",
            "SELECT nth_value(value, -9223372036854775808) OVER (ORDER BY value), nth_value(value, 0) OVER () FROM generate_series(1, 10)",
        ),
        any(
            "percentiles beyond",
            "SELECT approx_percentile_cont(value, 1.5), approx_percentile_cont(value, -1), approx_percentile_cont(value, 'NaN'::double precision) FROM generate_series(1, 10)",
        ),
    ];
    attacks.extend(lengths());
    storm(&attacks);
}

/// Positions and lengths of texts and arrays.
fn lengths() -> Vec<Attack> {
    vec![
        any(
            "substrings",
            "SELECT substring('abc' FROM -9223372036854775808), substring('abc' FROM 1 FOR 9223372036854775807), substr('abc', 9223372036854775807, 9223372036854775807)",
        ),
        any("a substring of less than nothing", "SELECT substring('abc' FROM 1 FOR -1)"),
        any(
            "left and right",
            "SELECT left('abc', -9223372036854775808), right('abc', -9223372036854775808), left('abc', 9223372036854775807)",
        ),
        any(
            "split_part beyond",
            "SELECT split_part('a,b', ',', 0), split_part('a,b', ',', -9223372036854775808)",
        ),
        any(
            "overlay beyond",
            "SELECT overlay('abc' PLACING 'x' FROM -5 FOR 9223372036854775807), overlay('abc' PLACING 'x' FROM 9223372036854775807)",
        ),
        any(
            "overlay inside a letter",
            "SELECT overlay('đđđ' PLACING 'x' FROM 2 FOR 1), substring('đđđ' FROM 2 FOR 1)",
        ),
        any("chr beyond", "SELECT chr(0), chr(55296), chr(1114112), chr(-1)"),
        any(
            "an element beyond",
            "SELECT (ARRAY[1,2])[9223372036854775807], (ARRAY[1,2])[-9223372036854775807], (ARRAY[1,2])[0]",
        ),
        any(
            "slices",
            "SELECT array_slice(ARRAY[1,2,3], -9223372036854775807, 9223372036854775807), array_slice(ARRAY[1,2,3], 1, 3, 0)",
        ),
        any(
            "slices by the least",
            format!("SELECT array_slice(ARRAY[1,2,3], {LEAST}, {LEAST}, {LEAST})"),
        ),
        any(
            "arrays of nothing",
            "SELECT array_length(ARRAY[], 0), array_length(ARRAY[1], -1), array_max(ARRAY[]), array_sort(ARRAY[])",
        ),
        any("an array below nothing", "SELECT array_resize(ARRAY[1], -1), array_repeat(1, -1)"),
        any(
            "a replacement below nothing",
            "SELECT array_replace_n(ARRAY[1], 1, 2, -9223372036854775808), array_remove_n(ARRAY[1], 1, 9223372036854775807)",
        ),
        any("an array of unlike kinds", "SELECT ARRAY[1, 'a', now(), ARRAY[1]]"),
        any(
            "ranges that go back",
            "SELECT range(10, 0, 1), range(0, 10, -1), range(9223372036854775806, 9223372036854775807, 2)",
        ),
        any(
            "ranges by the least",
            format!("SELECT range({LEAST}, 9223372036854775807, 9223372036854775807)"),
        ),
        any(
            "a series at the edge",
            "SELECT * FROM generate_series(9223372036854775805, 9223372036854775807)",
        ),
        any(
            "a series back to the edge",
            "SELECT * FROM generate_series(-9223372036854775806, -9223372036854775808, -1)",
        ),
        any(
            "regexps beyond",
            "SELECT regexp_count('abc', 'b', 9223372036854775807), regexp_instr('abc', 'b', -1, 0)",
        ),
    ]
}

#[test]
fn days_at_their_edges() {
    storm(&[
        any(
            "the last day and one more",
            "SELECT DATE '9999-12-31' + INTERVAL '1 day', DATE '9999-12-31' + 1",
        ),
        any(
            "days beyond",
            "SELECT DATE '262143-12-31' + INTERVAL '1 day', DATE '-262144-01-01' - INTERVAL '1 day'",
        ),
        any(
            "days that are not there",
            "SELECT DATE '2026-02-30', DATE '0000-00-00', DATE '999999-01-01'",
        ),
        any(
            "instants beyond",
            "SELECT TIMESTAMP '2262-04-11 23:47:16.854775807' + INTERVAL '1 microsecond', TIMESTAMP '9999-12-31'",
        ),
        any("instants before", "SELECT TIMESTAMP '1677-09-21' - INTERVAL '1000 years'"),
        any(
            "infinite instants",
            "SELECT extract(year FROM TIMESTAMP 'infinity'), extract(epoch FROM DATE '-infinity')",
        ),
        any("infinite days", "SELECT 'infinity'::date, '-infinity'::timestamp"),
        any(
            "an interval beyond",
            "SELECT INTERVAL '9223372036854775807 years', INTERVAL '999999999999999999999 days'",
        ),
        any(
            "an interval of months beyond",
            "SELECT DATE '2026-01-01' + INTERVAL '2147483647 months', DATE '2026-01-01' - INTERVAL '2147483648 months'",
        ),
        any("an interval times much", "SELECT INTERVAL '1 day' * 9223372036854775807"),
        any("intervals added", "SELECT INTERVAL '2147483647 days' + INTERVAL '2147483647 days'"),
        any(
            "the opposite of the least",
            "SELECT -(INTERVAL '-2147483648 months'), -(INTERVAL '-2147483648 days')",
        ),
        any(
            "instants less instants",
            "SELECT TIMESTAMP '9999-12-31' - TIMESTAMP '0001-01-01', now() - TIMESTAMP '0001-01-01'",
        ),
        any(
            "days less days",
            "SELECT DATE '9999-12-31' - DATE '0001-01-01', DATE '262143-01-01' - DATE '-262143-01-01'",
        ),
        any(
            "a whole number as an instant",
            "SELECT to_timestamp(9223372036854775807), to_timestamp_seconds(9223372036854775807), to_timestamp(-9223372036854775808)",
        ),
        any(
            "a float as an instant",
            "SELECT to_timestamp(1e300), to_timestamp('NaN'::double precision)",
        ),
        any(
            "a number as a day",
            "SELECT 2147483647::int::date, arrow_cast(2147483647, 'Date32'), arrow_cast(9223372036854775807, 'Date64')",
        ),
        any(
            "a number as an instant with a zone",
            "SELECT arrow_cast(9223372036854775807, 'Timestamp(Second, Some(\"Asia/Ho_Chi_Minh\"))')",
        ),
        any(
            "made of parts",
            "SELECT make_date(2147483647, 12, 31), make_date(2026, 2147483647, 1), make_date(-2147483648, 1, 1)",
        ),
        any(
            "cut off",
            "SELECT date_trunc('century', TIMESTAMP '0001-01-01'), date_trunc('khong co', now()), date_trunc('week', DATE '-262144-01-01')",
        ),
        any("bins of nothing", "SELECT date_bin(INTERVAL '0 days', now(), TIMESTAMP '2001-01-01')"),
        any(
            "bins beyond",
            "SELECT date_bin(INTERVAL '1 month', TIMESTAMP '2262-04-11', TIMESTAMP '1677-09-22'), date_bin(INTERVAL '-1 day', now())",
        ),
        any(
            "bins of months below nothing",
            "SELECT date_bin(INTERVAL '-2147483648 months', now())",
        ),
        any(
            "zones that are not there",
            "SELECT now() AT TIME ZONE '+99:99', now() AT TIME ZONE 'khong/co', now() AT TIME ZONE ''",
        ),
        any(
            "a zone at the edge",
            "SELECT TIMESTAMP '2262-04-11 23:47:16' AT TIME ZONE 'Pacific/Kiritimati'",
        ),
        any(
            "formats",
            "SELECT to_char(now(), '%'), to_char(now(), '%Q%:::::z%999999f'), to_timestamp('x', '%'), to_date('2026', '%Y%Y%Y')",
        ),
        any(
            "times",
            "SELECT TIME '24:00:00' + INTERVAL '1 hour', TIME '23:59:59.999999999' + INTERVAL '1 nanosecond', TIME '99:99'",
        ),
        any(
            "ages",
            "SELECT age(TIMESTAMP '9999-12-31', TIMESTAMP '0001-01-01'), date_part('century', DATE '-262144-01-01')",
        ),
        any("boundaries of a day beyond", "SELECT count(*) FROM chi_tieu_tai(DATE '262143-12-31')"),
        any(
            "boundaries of a day before",
            "SELECT count(*) FROM chi_tieu_tai(DATE '-262144-01-01')",
        ),
        any("boundaries of no day", "SELECT count(*) FROM chi_tieu_tai(NULL)"),
        any(
            "boundaries of a text",
            format!("SELECT count(*) FROM chi_tieu_tai('{}')", "x".repeat(100_000)),
        ),
        any(
            "boundaries of a query",
            "SELECT count(*) FROM chi_tieu_tai((SELECT max(ky) FROM chi_tieu.ca_nuoc))",
        ),
        any(
            "units of a day beyond",
            "SELECT don_vi('24', DATE '262143-12-31'), don_vi_tai('24@2004-01-01', DATE '-262144-01-01')",
        ),
        any(
            "units of nothing",
            "SELECT don_vi(NULL, NULL), ten_don_vi(''), ma_don_vi('@'), don_vi_tai('@@@@', NULL)",
        ),
        any(
            "units of long names",
            "SELECT ten_don_vi(repeat('24@2004-01-01', 1000000)), don_vi(repeat('đ', 10000000), DATE '2026-01-01')",
        ),
        any(
            "units for every row",
            "SELECT count(DISTINCT don_vi(value::text, DATE '2026-01-01')) FROM generate_series(1, 1000000000)",
        ),
        any(
            "ranges of months",
            "SELECT array_length(range(DATE '2000-01-01', DATE '2026-01-01', INTERVAL '0 months'))",
        ),
        any(
            "ranges of days that go back",
            "SELECT range(DATE '2026-01-01', DATE '2000-01-01', INTERVAL '1 day'), range(DATE '2026-01-01', DATE '9999-01-01', INTERVAL '-1 day')",
        ),
        any(
            "a series of instants at the edge",
            "SELECT * FROM generate_series(TIMESTAMP '2262-04-11 23:47:16', TIMESTAMP '2262-04-11 23:47:16.854775807', INTERVAL '1 second')",
        ),
    ]);
}
