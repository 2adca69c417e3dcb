//! What comes of tables and views, and that all of it is of one instant.

use arrow::datatypes::{DataType, TimeUnit};
use futures::TryStreamExt;

use super::server::Database;
use super::{cells, first, read, request, set};
use crate::postgres::PostgresSource;
use crate::{Source, SourceError};

const TYPES: &str = "
    CREATE TYPE gioi AS ENUM ('Nam', 'Nữ');
    CREATE DOMAIN ma AS varchar(20);
    CREATE DOMAIN ma_benh AS ma CHECK (value <> '');
    CREATE TABLE moi_kieu (
        i2 int2, i4 int4, i8 int8, o oid, f4 float4, f8 float8, n numeric, n2 numeric(12,2),
        b bool, d date, t timestamp, tz timestamptz, gio time, u uuid, x text, v varchar(9),
        c char(5), c1 \"char\", ten name, j json, jb jsonb, xm xml, e gioi, ma ma_benh);
    INSERT INTO moi_kieu VALUES
        (-32768, -2147483648, -9223372036854775808, 4294967295, 1.5, -2.5e300, 12.3450, 7.00,
         true, '1945-09-02', '1945-09-02 14:00:00.000001', '2026-07-01 00:30:00+07',
         '08:30:00.25', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'Bệnh viện Bạch Mai', 'ế', 'A01',
         'x', 'tên', '{\"a\": 1.0}', '{\"b\":  [1, null]}', '<a>ô</a>', 'Nữ', 'J18'),
        (0, 0, 0, 0, 'NaN', '-Infinity', 0, -0.01, false, '0001-01-01', '9999-12-31 23:59:59.999999',
         '1969-12-31 23:59:59.5-05', '24:00', '00000000-0000-0000-0000-000000000000', '', '', '', '',
         '', '[]', '\"\"', '', 'Nam', ' ');
    INSERT INTO moi_kieu (i4) VALUES (NULL)";

const COLUMNS: [&str; 24] = [
    "i2", "i4", "i8", "o", "f4", "f8", "n", "n2", "b", "d", "t", "tz", "gio", "u", "x", "v", "c",
    "c1", "ten", "j", "jb", "xm", "e", "ma",
];

#[tokio::test]
async fn each_type_comes_with_its_values() {
    let database = Database::new().await;
    database.make(TYPES).await;
    let rows = read(&database.source().await, &request("kcb.moi_kieu", &COLUMNS)).await.unwrap();
    let rows_of = cells(&rows);
    let line = |row: usize| rows_of[row].join("|");
    assert_eq!(
        line(0),
        "-32768|-2147483648|-9223372036854775808|4294967295|1.5|-2.5e300|12.345|7|true|1945-09-02|\
         1945-09-02T14:00:00.000001|2026-06-30T17:30:00Z|08:30:00.25|\
         a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|Bệnh viện Bạch Mai|ế|A01|x|tên|{\"a\": 1.0}|\
         {\"b\": [1, null]}|<a>ô</a>|Nữ|J18"
    );
    assert_eq!(
        line(1),
        "0|0|0|0|NaN|-inf|0|-0.01|false|0001-01-01|9999-12-31T23:59:59.999999|\
         1970-01-01T04:59:59.500Z|24:00:00|00000000-0000-0000-0000-000000000000|||||\
         |[]|\"\"||Nam| "
    );
    assert!(rows_of[2].iter().all(|cell| cell == "∅"), "{:?}", rows_of[2]);
    let schema = rows.schema();
    let ty = |name: &str| schema.field_with_name(name).unwrap().data_type().clone();
    for (names, expected) in [
        (&["i2", "i4", "i8", "o"][..], DataType::Int64),
        (&["f4", "f8"], DataType::Float64),
        (&["b"], DataType::Boolean),
        (&["d"], DataType::Date32),
        (&["t"], DataType::Timestamp(TimeUnit::Microsecond, None)),
        (&["tz"], DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        (&["n", "n2", "gio", "u", "x", "c", "c1", "ten", "j", "jb", "xm", "e"], DataType::Utf8),
    ] {
        names.iter().for_each(|name| assert_eq!(ty(name), expected, "{name}"));
    }
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, COLUMNS);
}

#[tokio::test]
async fn an_exact_number_comes_with_each_digit() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE so (a int, n numeric); INSERT INTO so VALUES
             (1, 0), (2, -0.000), (3, 1e-20), (4, 12345678901234567890123456789012345678),
             (5, -0.12345678901234567890123456789012345678), (6, 1e400), (7, 10000), (8, 9999.9999),
             (9, 100010000.00010001), (10, -1), (11, 0.5), (12, 'NaN'), (13, '-Infinity')",
        )
        .await;
    let numbers = set(request("kcb.so", &["n"]), "order", "a");
    let expected = [
        "0",
        "0",
        "0.00000000000000000001",
        "12345678901234567890123456789012345678",
        "-0.12345678901234567890123456789012345678",
        &format!("1{}", "0".repeat(400)),
        "10000",
        "9999.9999",
        "100010000.00010001",
        "-1",
        "0.5",
        "NaN",
        "-Infinity",
    ];
    assert_eq!(first(&database.source().await, &numbers).await, expected);
}

#[tokio::test]
async fn numbers_are_as_the_server_writes_them() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE so AS SELECT n, trim_scale(n)::text AS x FROM (
               SELECT round((random() - 0.5)::numeric * power(10::numeric, i % 60 - 30), i % 40) AS n
               FROM generate_series(1, 5000) AS i) AS s",
        )
        .await;
    let rows = read(&database.source().await, &request("kcb.so", &["n", "x"])).await.unwrap();
    assert_eq!(rows.num_rows(), 5000);
    cells(&rows).iter().for_each(|row| assert_eq!(row[0], row[1]));
}

#[tokio::test]
async fn all_tables_are_of_one_instant() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE a (x int); CREATE TABLE b (x int); INSERT INTO a VALUES (1);
             INSERT INTO b VALUES (1)",
        )
        .await;
    let source = database.source().await;
    database.run("UPDATE kcb.a SET x = 2; UPDATE kcb.b SET x = 2").await;
    assert_eq!(first(&source, &request("kcb.a", &["x"])).await, ["1"]);
    database.run("UPDATE kcb.a SET x = 3; DELETE FROM kcb.b").await;
    assert_eq!(first(&source, &request("kcb.b", &["x"])).await, ["1"]);
    assert_eq!(first(&source, &request("kcb.a", &["x"])).await, ["1"]);
    assert_eq!(first(&database.source().await, &request("kcb.a", &["x"])).await, ["3"]);
}

#[tokio::test]
async fn a_table_whose_old_rows_are_gone_is_changed() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT 1 AS x;
             CREATE VIEW v AS SELECT x FROM a; CREATE MATERIALIZED VIEW m AS SELECT x FROM b",
        )
        .await;
    let source = database.source().await;
    database.run("TRUNCATE kcb.a; INSERT INTO kcb.a VALUES (2)").await;
    database.run("UPDATE kcb.b SET x = 2; REFRESH MATERIALIZED VIEW kcb.m").await;
    for place in ["kcb.a", "kcb.v", "kcb.m"] {
        let error = source.open(&request(place, &["x"])).await.unwrap_err();
        assert!(matches!(error, SourceError::Changed { .. }), "{place}: {error}");
    }
    assert_eq!(first(&source, &request("kcb.b", &["x"])).await, ["1"]);
    assert_eq!(first(&database.source().await, &request("kcb.v", &["x"])).await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_together_are_the_whole() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE luot (a int8, i2 int2, d date, t timestamp, tz timestamptz);
             INSERT INTO luot SELECT i, i % 100, '2020-01-01'::date + i % 900,
                 '1969-01-01'::timestamp + i * '1 hour'::interval, now() - i * '1 s'::interval
             FROM generate_series(-4000, 6000) AS i;
             INSERT INTO luot (a) VALUES (NULL), (NULL), (9223372036854775807);
             INSERT INTO luot VALUES
                 (-9223372036854775808, 5, '0001-01-01', '0001-01-01', '9999-12-31')",
        )
        .await;
    let source = database.source().await;
    let columns = ["a", "i2", "d", "t", "tz"];
    let sorted = |rows| {
        let mut rows = cells(&rows);
        rows.sort_unstable();
        rows
    };
    let whole = sorted(read(&source, &request("kcb.luot", &columns)).await.unwrap());
    assert_eq!(whole.len(), 10_005);
    for column in columns {
        let request = set(request("kcb.luot", &columns), "split", column);
        let rows = read(&source, &request).await.unwrap();
        assert_eq!(cells(&read(&source, &request).await.unwrap()), cells(&rows), "{column}");
        assert!(sorted(rows) == whole, "{column}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_read_side_by_side() {
    let database = Database::new().await;
    database
        .make(
            "CREATE VIEW lon AS SELECT a.i, repeat('x', 300) AS x
             FROM generate_series(1, 4000) AS a(i), generate_series(1, 1000) AS b(i)",
        )
        .await;
    let source = database.source().await;
    let request = set(request("kcb.lon", &["i", "x"]), "split", "i");
    let mut rows = source.open(&request).await.unwrap().unwrap().rows;
    let mut places = Vec::new();
    for _ in 0..4 {
        let batch = rows.try_next().await.unwrap().unwrap();
        places.push(cells(&batch.slice(0, 1))[0][0].clone());
    }
    assert_eq!(places, ["1", "1001", "2001", "3001"]);
    assert_eq!(database.connections("query LIKE 'COPY%' AND state = 'active'").await, 4);
}

#[tokio::test]
async fn an_empty_table_tells_its_columns() {
    let database = Database::new().await;
    database.make("CREATE TABLE rong (a int, d date)").await;
    let source = database.source().await;
    for request in
        [request("kcb.rong", &["d", "a"]), set(request("kcb.rong", &["d", "a"]), "split", "a")]
    {
        let snapshot = source.open(&request).await.unwrap().unwrap();
        assert_eq!(snapshot.known, None);
        let batches: Vec<_> = snapshot.rows.try_collect().await.unwrap();
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].num_rows(), 0);
        assert_eq!(batches[0].schema().field(0).data_type(), &DataType::Date32);
        assert_eq!(batches[0].schema().field(1).name(), "a");
    }
}

#[tokio::test]
async fn a_condition_and_an_order_hold() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE \"Lượt \"\"khám\"\"\" (\"Mã\" int, \"Tên'\" text, bi_mat text);
             INSERT INTO \"Lượt \"\"khám\"\"\" SELECT i, chr(96 + i % 3) FROM generate_series(1, 9) i",
        )
        .await;
    let source = database.source().await;
    let request = request("kcb.Lượt \"khám\"", &["Mã", "Tên'"]);
    let request = set(request, "where", "\"Mã\" > 3 OR \"Mã\" = 1 -- các lượt sau");
    let request = set(request, "order", "Tên', Mã");
    source.examine(&request).await.unwrap();
    assert_eq!(first(&source, &request).await, ["6", "9", "1", "4", "7", "5", "8"]);
}

#[tokio::test]
async fn times_without_a_zone_are_of_viet_nam() {
    let database = Database::new().await;
    database
        .make(
            "CREATE VIEW v AS
             SELECT ('2026-06-30 17:30:00+00'::timestamptz)::date::text AS ngay, 1 AS a",
        )
        .await;
    let request = set(
        request("kcb.v", &["ngay"]),
        "where",
        "timestamptz '2026-07-01 00:00' = '2026-06-30 17:00+00'",
    );
    assert_eq!(first(&database.source().await, &request).await, ["2026-07-01"]);
}

#[tokio::test]
async fn long_texts_make_smaller_batches() {
    let database = Database::new().await;
    database
        .make("CREATE VIEW dai AS SELECT i, repeat('ế', 4000000) AS x FROM generate_series(1, 9) i")
        .await;
    let source = database.source().await;
    let rows = source.open(&request("kcb.dai", &["i", "x"])).await.unwrap().unwrap().rows;
    let batches: Vec<_> = rows.try_collect().await.unwrap();
    let rows: Vec<usize> = batches.iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(rows, [3, 3, 3]);
}

#[tokio::test]
async fn text_of_an_extension_is_text() {
    let database = Database::new().await;
    // The extension's library may not be installed; its type is of this form.
    database
        .make(
            "CREATE TYPE citext;
             CREATE FUNCTION doc(cstring) RETURNS citext AS 'textin' LANGUAGE internal IMMUTABLE;
             CREATE FUNCTION ghi(citext) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE;
             CREATE FUNCTION gui(citext) RETURNS bytea AS 'textsend' LANGUAGE internal IMMUTABLE;
             CREATE TYPE citext (INPUT = doc, OUTPUT = ghi, SEND = gui, LIKE = text);
             CREATE TABLE t AS SELECT 'Hà Nội'::citext AS x",
        )
        .await;
    assert_eq!(first(&database.source().await, &request("kcb.t", &["x"])).await, ["Hà Nội"]);
}

#[tokio::test]
async fn the_source_says_farewell() {
    let database = Database::new().await;
    database.make("CREATE TABLE t AS SELECT 1 AS x").await;
    let source = database.source().await;
    first(&source, &request("kcb.t", &["x"])).await;
    database.wait_for(1, "true").await;
    assert_eq!(database.connections("state = 'idle in transaction'").await, 1);
    drop::<PostgresSource>(source);
    database.wait_for(0, "true").await;
}
