//! Texts that are hard to read, and texts that would write.

use std::collections::BTreeMap;

use super::arena::Arena;
use super::attack::{Attack, any, refused, storm};
use super::target::Settings;
use super::turn;
use super::wire::Trouble;
use crate::support;

#[test]
fn texts_that_are_hard_to_read() {
    storm(&[
        any("nothing", ""),
        any("blanks", " \t\r\n".repeat(50_000)),
        any("10,000 semicolons", ";".repeat(10_000)),
        any("10,000 statements", "SELECT 1;".repeat(10_000)),
        any(
            "10,000 statements of which the last fails",
            format!("{}SELEC", "SELECT 1;".repeat(10_000)),
        ),
        any("100,000 blanks between", format!("SELECT{}1", " ".repeat(100_000))),
        any(
            "comments in comments",
            format!("SELECT 1 {}{}", "/*".repeat(10_000), "*/".repeat(10_000)),
        ),
        any("comments that do not close", format!("SELECT 1 {}", "/*".repeat(10_000))),
        any("a comment of 1 MB", format!("SELECT 1 /*{}*/", "x".repeat(1_000_000))),
        any("10,000 comments", "/**/".repeat(10_000) + "SELECT 1"),
        any("10,000 lines of comment", "--\n".repeat(10_000) + "SELECT 1"),
        any("a quote that does not close", "SELECT 'abc"),
        any("a long quote that does not close", format!("SELECT '{}", "''".repeat(100_000))),
        any("a name that does not close", "SELECT \"abc"),
        any("dollars that do not close", "SELECT $a$ abc"),
        any(
            "dollars in dollars",
            format!("SELECT {}", (0..5_000).map(|i| format!("$a{i}$")).collect::<String>()),
        ),
        any("a dollar name of 100 kB", format!("SELECT ${0}$x${0}$", "a".repeat(100_000))),
        any("escapes", r"SELECT E'\xZZ \u12 \U0011FFFF \777 \'"),
        any("escapes of 1 MB", format!("SELECT E'{}'", r"\x41".repeat(250_000))),
        any("letters by number", r"SELECT U&'\0041\+01F600'"),
        any("letters by number that are none", r"SELECT U&'\D800', U&'\+110000', U&'\zz'"),
        any(
            "letters by number with another escape",
            "SELECT U&'!0041' UESCAPE '!', U&\"!0041\" UESCAPE 'xx'",
        ),
        any("letters that go right to left", "SELECT '\u{202e}1 TCELES\u{202c}' AS \"\u{202e}a\""),
        any("letters of no width", "S\u{200b}ELECT 1"),
        any("blanks that are none", "SELECT\u{a0}1\u{2003}\u{3000}AS\u{feff}a"),
        any("a mark of byte order", "\u{feff}SELECT 1"),
        any("letters that look alike", "ЅЕLЕСТ 1"),
        any("100,000 marks on one letter", format!("SELECT 'a{}'", "\u{301}".repeat(100_000))),
        any("a name of marks", format!("SELECT 1 AS \"a{}\"", "\u{301}".repeat(100_000))),
        any("letters beyond the first plane", format!("SELECT upper('{}')", "𝕬🏥".repeat(50_000))),
        any(
            "letters that change in length",
            format!("SELECT lower('{}'), upper('{}')", "İ".repeat(50_000), "ß".repeat(50_000)),
        ),
        any("control letters", "SELECT '\u{1}\u{7f}\u{9b}[2J', 1 \u{c} + \u{b} 1"),
        any("placeholders", "SELECT $1, $2, $99999999999999999999, $0, $a"),
        any("a large placeholder", "SELECT $65536"),
        any("a larger placeholder", "SELECT $4294967296 + $18446744073709551616"),
        any(
            "60,000 placeholders",
            format!(
                "SELECT {}",
                (1..=60_000).map(|i| format!("${i}")).collect::<Vec<_>>().join("+")
            ),
        ),
        any("variables", "SELECT @a, @@version, :a, ?, ${a}"),
        any("national letters", "SELECT N'abc', N'', n'a' n'b', B'01', X'0G'"),
        any("operators by name", "SELECT 1 OPERATOR(pg_catalog.+) 1"),
        any("operators that are none", "SELECT 1 +-*/<>~!@#%^&|`? 1"),
        any("10,000 operators", format!("SELECT 1 {} 1", "<->".repeat(10_000))),
        any("types that are none", "SELECT 1::khong_co, CAST(1 AS a.b.c(1,2,3)), 1::\"\""),
        any("names that are empty", "SELECT \"\" FROM \"\".\"\""),
        any("five names", "SELECT a.b.c.d.e FROM a.b.c.d.e"),
        any("bytes as text", "SELECT '\\xFF'::bytea::text, encode('\\xFFFE'::bytea, 'escape')"),
        any("JSON", "SELECT '{\"a\":[1,{\"b\":null}]}'::json -> 'a' ->> 1"),
        any("a sample", "SELECT count(*) FROM danh_muc.don_vi TABLESAMPLE SYSTEM (1000)"),
        any("a pivot", "SELECT * FROM danh_muc.don_vi PIVOT (count(ma) FOR ma IN ('01','24'))"),
        any(
            "a match of rows",
            "SELECT * FROM danh_muc.don_vi MATCH_RECOGNIZE (PATTERN (a+) DEFINE a AS true)",
        ),
        any(
            "a version of the past",
            "SELECT count(*) FROM danh_muc.don_vi FOR SYSTEM_TIME AS OF '2020-01-01'",
        ),
        any("pipes", "FROM danh_muc.don_vi |> SELECT ma |> LIMIT 1"),
        any("a lambda", "SELECT array_transform(ARRAY[1], x -> x + 1)"),
        any("odd statements", "TABLE danh_muc.don_vi"),
        any("waiting", "SELECT pg_sleep(1000)"),
        any(
            "settings",
            "SELECT current_setting('data_directory'), set_config('search_path', 'x', false)",
        ),
    ]);
}

/// What is verified as one statement and would be run as another.
const TWO_IN_ONE: &str = "SELECT (SELECT count(*) FROM he_thong.bang TABLESAMPLE SYSTEM (N'x'')) \
     AS a INTO chi_tieu.pwn --')) AS a";

/// What would write, read a file, or reach beyond the connection.
fn writers() -> Vec<Attack> {
    let texts = [
        "SELECT 1 AS a INTO chi_tieu.pwn",
        "SELECT * INTO pwn FROM danh_muc.don_vi",
        "WITH a AS (SELECT 1) SELECT * INTO chi_tieu.pwn FROM a",
        "EXPLAIN ANALYZE SELECT 1 AS a INTO chi_tieu.pwn",
        "(SELECT 1 AS a INTO chi_tieu.pwn)",
        "SELECT 1 UNION SELECT 2 INTO chi_tieu.pwn",
        "CREATE TABLE chi_tieu.pwn AS SELECT 1 AS a",
        "CREATE TEMP TABLE pwn (a INT)",
        "CREATE VIEW chi_tieu.pwn AS SELECT 1 AS a",
        "CREATE SCHEMA pwn",
        "CREATE DATABASE pwn",
        "CREATE FUNCTION pwn() RETURNS INT LANGUAGE SQL AS 'SELECT 1'",
        "CREATE FUNCTION pwn(DOUBLE) RETURNS DOUBLE RETURN $1",
        "CREATE MACRO pwn(a) AS a",
        "CREATE EXTERNAL TABLE pwn STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE EXTENSION pwn",
        "CREATE INDEX pwn ON danh_muc.don_vi (ma)",
        "CREATE ROLE pwn SUPERUSER",
        "INSERT INTO danh_muc.don_vi SELECT * FROM danh_muc.don_vi",
        "INSERT INTO danh_muc.don_vi DEFAULT VALUES RETURNING *",
        "WITH a AS (INSERT INTO danh_muc.don_vi SELECT * FROM danh_muc.don_vi RETURNING *) SELECT 1",
        "WITH a AS (DELETE FROM danh_muc.don_vi RETURNING *) SELECT * FROM a",
        "EXPLAIN ANALYZE DELETE FROM danh_muc.don_vi",
        "UPDATE danh_muc.don_vi SET ma = 'x'",
        "DELETE FROM danh_muc.don_vi",
        "MERGE INTO danh_muc.don_vi AS a USING danh_muc.don_vi AS b ON a.ma = b.ma WHEN MATCHED THEN DELETE",
        "TRUNCATE danh_muc.don_vi",
        "DROP TABLE danh_muc.don_vi",
        "DROP SCHEMA danh_muc CASCADE",
        "ALTER TABLE danh_muc.don_vi ADD COLUMN a INT",
        "COPY danh_muc.don_vi TO '/tmp/khoyte-never.csv'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY danh_muc.don_vi FROM STDIN",
        "COPY danh_muc.don_vi TO STDOUT",
        "PREPARE a AS DELETE FROM danh_muc.don_vi",
        "DECLARE a CURSOR FOR DELETE FROM danh_muc.don_vi",
        "DECLARE a CURSOR FOR SELECT 1 AS a INTO chi_tieu.pwn",
        "DO $$ BEGIN END $$",
        "CALL pwn()",
        "LOAD '/etc/passwd'",
        "GRANT ALL ON danh_muc.don_vi TO PUBLIC",
        "VACUUM danh_muc.don_vi",
        "OPTIMIZE danh_muc.don_vi",
        "ATTACH DATABASE '/tmp/x' AS pwn",
        "SET datafusion.execution.batch_size = 1",
        "SET datafusion.runtime.temp_directory = '/etc'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 's3://kho/lake'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(a INT)",
        "SELECT pg_terminate_backend(1)",
        "SELECT 1; DROP TABLE danh_muc.don_vi",
        "SELECT 1; SELECT 2 AS a INTO chi_tieu.pwn",
    ];
    texts.iter().map(|text| refused(*text, *text)).collect()
}

#[test]
fn nothing_is_written() {
    storm(&writers());
}

#[test]
fn what_was_verified_is_what_runs() {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    let lake = arena.target.folder().join("lake");
    let before: BTreeMap<_, _> = support::files(&lake);
    let mut client = arena.target.client().expect("a connection");
    for sql in [TWO_IN_ONE, &TWO_IN_ONE.replace("chi_tieu.pwn", "pwn")] {
        for reply in [client.simple(sql), client.extended(sql, &[])] {
            match reply {
                Ok(reply) if reply.failure.is_some() => {}
                // Read as PostgreSQL reads it, it is one column of one number, and the rest is text.
                Ok(reply) => {
                    let counted = reply.cell().is_some_and(|cell| cell.parse::<u64>().is_ok());
                    if !counted || reply.rows.iter().any(|row| row.len() != 1) {
                        arena.fault(format!("{sql}: {reply:?}"));
                    }
                }
                Err(trouble) => arena.fault(format!("{sql}: {trouble:?}")),
            }
        }
        arena.after(sql);
    }
    for table in ["chi_tieu.pwn", "pwn"] {
        match client.simple(&format!("SELECT * FROM {table}")) {
            Ok(reply) if reply.code() == Some("42P01") => {}
            Err(Trouble::Closed) => arena.fault("the connection is gone"),
            other => arena.fault(format!("{table} is there: {other:?}")),
        }
    }
    let changed = support::differing(&before, &support::files(&lake));
    if !changed.is_empty() {
        arena.fault(format!("files of the lake changed: {changed:?}"));
    }
    arena.close();
}
