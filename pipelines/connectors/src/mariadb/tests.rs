//! Against a real server.

mod filling;
mod server;

use std::sync::Arc;

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use futures::StreamExt as _;

use self::server::{Database, Maria, PASSWORD};
use super::*;
use crate::testing::{at, batches, failure, micros, owned, read, request, texts, with};
use crate::{BATCH_ROWS, Secret, Span};

#[tokio::test]
async fn numbers_keep_their_values_and_nulls() {
    let database = Database::make(
        "CREATE TABLE so (k INT, a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT UNSIGNED, \
           e BIGINT, f BIGINT UNSIGNED, g DECIMAL(38, 10), h FLOAT, i DOUBLE, j BOOL, m BIT(1), \
           y YEAR, z TINYINT(1) UNSIGNED); \
         INSERT INTO so VALUES \
           (1, -128, 65535, -8388608, 4294967295, -9223372036854775808, 18446744073709551615, \
            -1234567890123456789012345678.0123456789, 16777217.0, 0.1, TRUE, b'1', 2026, 255), \
           (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
           (3, 0, 0, 0, 0, 0, 0, 0, 36.6, 0, FALSE, b'0', 0, 0)",
    )
    .await;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "m", "y", "z"];
    let request = with(request("so", &names), &[("order", "k")]);
    let batch = read(&database.source().await, &request).await;
    let integers = |name: &str| -> Vec<Option<i64>> {
        batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().collect()
    };
    assert_eq!(integers("a"), [Some(-128), None, Some(0)]);
    assert_eq!(integers("b"), [Some(65535), None, Some(0)]);
    assert_eq!(integers("c"), [Some(-8_388_608), None, Some(0)]);
    assert_eq!(integers("d"), [Some(4_294_967_295), None, Some(0)]);
    assert_eq!(integers("e"), [Some(i64::MIN), None, Some(0)]);
    assert_eq!(integers("j"), [Some(1), None, Some(0)]);
    assert_eq!(integers("y"), [Some(2026), None, Some(0)]);
    assert_eq!(integers("z"), [Some(255), None, Some(0)]);
    assert_eq!(texts(&batch, "f"), owned(&[Some("18446744073709551615"), None, Some("0")]));
    let exact = "-1234567890123456789012345678.0123456789";
    assert_eq!(texts(&batch, "g"), owned(&[Some(exact), None, Some("0.0000000000")]));
    let reals = |name: &str| -> Vec<Option<f64>> {
        batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
    };
    assert_eq!(reals("h"), [Some(16_777_216.0), None, Some(f64::from(36.6_f32))]);
    assert_eq!(reals("i"), [Some(0.1), None, Some(0.0)]);
    let bits: Vec<_> = batch.column_by_name("m").unwrap().as_boolean().iter().collect();
    assert_eq!(bits, [Some(true), None, Some(false)]);
}

#[tokio::test]
async fn days_and_times_keep_their_values_and_nulls() {
    let database = Database::make(
        "CREATE TABLE gio (k INT, a DATE, b DATETIME, c DATETIME(6), d TIMESTAMP NULL, e TIME(3)); \
         INSERT INTO gio VALUES \
           (1, '1969-12-31', '2026-07-01 08:30:00', '2026-07-01 08:30:00.123456', \
            '2026-07-01 08:30:00', '-12:30:00.5'), \
           (2, NULL, NULL, NULL, NULL, NULL), \
           (3, '9999-12-31', '1000-01-01 00:00:00', '9999-12-31 23:59:59.999999', \
            '2026-01-01 00:00:00', '838:59:59')",
    )
    .await;
    let request = with(request("gio", &["a", "b", "c", "d", "e"]), &[("order", "k")]);
    let batch = read(&database.source().await, &request).await;
    let days: Vec<_> = batch.column(0).as_primitive::<Date32Type>().iter().collect();
    assert_eq!(days, [Some(-1), None, Some(2_932_896)]);
    let moments = |at: usize| -> Vec<Option<i64>> {
        batch.column(at).as_primitive::<TimestampMicrosecondType>().iter().collect()
    };
    let plain = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert_eq!(batch.column(1).data_type(), &plain);
    let low = micros("1000-01-01T00:00:00");
    assert_eq!(moments(1), [Some(micros("2026-07-01T08:30:00")), None, Some(low)]);
    let (first, last) = ("2026-07-01T08:30:00.123456", "9999-12-31T23:59:59.999999");
    assert_eq!(moments(2), [Some(micros(first)), None, Some(micros(last))]);
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("+07:00")));
    assert_eq!(batch.column(3).data_type(), &zoned);
    let (first, last) = ("2026-07-01T01:30:00", "2025-12-31T17:00:00");
    assert_eq!(moments(3), [Some(micros(first)), None, Some(micros(last))]);
    let times = [Some("-12:30:00.500000"), None, Some("838:59:59")];
    assert_eq!(texts(&batch, "e"), owned(&times));
}

#[tokio::test]
async fn text_of_every_charset_and_type_is_text() {
    let database = Database::make(
        "CREATE TABLE chu (k INT, a VARCHAR(50), b CHAR(4) CHARACTER SET latin1, \
           c TEXT COLLATE utf8mb4_bin, d ENUM('nam','nữ'), e SET('a','b'), f JSON, g UUID, \
           h INET6, i LONGTEXT CHARACTER SET utf16, `cột lạ ``` VARCHAR(9)); \
         INSERT INTO chu VALUES (1, 'Nguyễn Thị Ánh 😀', 'café', 'đường', 'nữ', 'a,b', \
           '{\"tên\": 1}', '123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', \
           'Huế', 'lạ'), (2, '', NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL)",
    )
    .await;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "cột lạ `"];
    let request = with(request("chu", &names), &[("order", "k")]);
    let batch = read(&database.source().await, &request).await;
    assert_eq!(texts(&batch, "a"), owned(&[Some("Nguyễn Thị Ánh 😀"), Some("")]));
    let firsts: Vec<_> = names[1..].iter().map(|name| texts(&batch, name)[0].clone()).collect();
    let wanted = [
        "café",
        "đường",
        "nữ",
        "a,b",
        "{\"tên\": 1}",
        "123e4567-e89b-12d3-a456-426655440000",
        "2001:db8::ff00:42:8329",
        "Huế",
        "lạ",
    ];
    assert_eq!(firsts, wanted.map(|text| Some(text.to_owned())));
    assert_eq!(texts(&batch, "b")[1], None);
}

#[tokio::test]
async fn columns_without_text_or_number_are_refused_by_name_and_type() {
    let database = Database::make(
        "CREATE TABLE la (k INT, anh BLOB, ma BINARY(4), vt POINT, co BIT(8)); \
         INSERT INTO la VALUES (1, 'bí mật', 'x', NULL, b'1')",
    )
    .await;
    let source = database.source().await;
    for (column, told) in [("anh", "BLOB"), ("ma", "BINARY"), ("vt", "GEOMETRY"), ("co", "BIT")] {
        let error = source.examine(&request("la", &["k", column])).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{column}` has the type {told}")), "{error}");
        assert!(error.contains("view"), "{error}");
    }
    assert_eq!(read(&source, &request("la", &["k"])).await.num_rows(), 1);
}

#[tokio::test]
async fn a_day_that_is_zero_is_refused_with_its_place_and_the_source_goes_on() {
    let database = Database::make(
        "CREATE TABLE sinh (k INT, ngay DATE, luc DATETIME); \
         INSERT INTO sinh VALUES (1, '1990-02-03', '2026-01-01'), (2, '0000-00-00', '2026-01-01'), \
           (3, '1990-00-00', '0000-00-00 00:00:00')",
    )
    .await;
    let source = database.source().await;
    let ask = |columns: &[&str], condition| {
        with(request("sinh", columns), &[("order", "k"), ("where", condition)])
    };
    let error = failure(&source, &ask(&["k", "ngay"], "k < 3")).await;
    assert!(matches!(error, SourceError::Malformed { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("in row 2, column `ngay`") && error.contains("NULLIF"), "{error}");
    for column in ["ngay", "luc"] {
        let error = failure(&source, &ask(&[column], "k = 3")).await.to_string();
        assert!(error.contains(&format!("in row 1, column `{column}`")), "{error}");
    }
    assert_eq!(read(&source, &ask(&["ngay"], "k = 1")).await.num_rows(), 1);
}

#[tokio::test]
async fn all_tables_are_seen_at_one_instant() {
    let database = Database::make(
        "CREATE TABLE a (k INT) ENGINE=InnoDB; CREATE TABLE b (k INT) ENGINE=InnoDB; \
         INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)",
    )
    .await;
    let source = database.source().await;
    database.run("INSERT INTO a VALUES (2)").await;
    assert_eq!(read(&source, &request("a", &["k"])).await.num_rows(), 1);
    database.run("INSERT INTO b VALUES (2); DELETE FROM a").await;
    assert_eq!(read(&source, &request("b", &["k"])).await.num_rows(), 1);
    assert_eq!(read(&source, &request("a", &["k"])).await.num_rows(), 1);
    let later = database.source().await;
    assert_eq!(read(&later, &request("a", &["k"])).await.num_rows(), 0);
    assert_eq!(read(&later, &request("b", &["k"])).await.num_rows(), 2);
}

#[tokio::test]
async fn a_span_lets_out_its_rows_whatever_holds_the_instant() {
    let database = Database::make(
        "CREATE TABLE dot (k INT, ngay DATE, luc DATETIME(3), moc TIMESTAMP NULL, chu VARCHAR(14)); \
         INSERT INTO dot VALUES \
           (1, '2026-06-30', '2026-06-30 23:59:59.999', '2026-06-30 23:59:59', '202606302359'), \
           (2, '2026-07-01', '2026-07-01 00:00:00', '2026-07-01 00:00:00', '20260701'), \
           (3, '2026-07-31', '2026-07-31 23:59:59.999', '2026-07-31 23:59:59', '20260731235959'), \
           (4, '2026-08-01', '2026-08-01 00:00:00', '2026-08-01 00:00:00', '202608010000'), \
           (5, NULL, NULL, NULL, NULL)",
    )
    .await;
    let source = database.source().await;
    let july = (Some(at("2026-07-01T00:00:00")), Some(at("2026-08-01T00:00:00")));
    for column in ["ngay", "luc", "moc", "chu"] {
        for ((from, below), wanted) in [
            (july, &[2, 3][..]),
            ((july.0, None), &[2, 3, 4]),
            ((None, july.1), &[1, 2, 3]),
            ((None, None), &[1, 2, 3, 4]),
        ] {
            let mut request =
                with(request("dot", &["k"]), &[("order", "k"), ("where", "1=1 OR 2")]);
            request.span = Some(Span { column: column.to_owned(), from, below });
            let batch = read(&source, &request).await;
            assert_eq!(batch.num_columns(), 1);
            let kept = batch.column(0).as_primitive::<Int64Type>().values().to_vec();
            assert_eq!(kept, wanted, "{column} {from:?} {below:?}");
        }
    }
}

#[tokio::test]
async fn a_span_over_what_is_no_instant_is_refused() {
    let database = Database::make(
        "CREATE TABLE dot (k INT, ngay VARCHAR(20), tien DECIMAL(10,2)); \
         INSERT INTO dot VALUES (1, '2026-07-01 08:00', 1)",
    )
    .await;
    let source = database.source().await;
    for column in ["k", "ngay", "tien"] {
        let mut request = request("dot", &["k"]);
        let from = Some(at("2026-07-01T00:00:00"));
        request.span = Some(Span { column: column.to_owned(), from, below: None });
        let error = source.examine(&request).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{column}` of the span")), "{error}");
        assert!(!error.contains("08:00"), "{error}");
    }
}

#[tokio::test]
async fn a_table_without_rows_has_its_columns_all_the_same() {
    let database = Database::make("CREATE TABLE trong (a INT, b DATE, c TEXT)").await;
    let batches = batches(&database.source().await, &request("trong", &["c", "b"])).await;
    let [batch] = batches.as_slice() else { panic!("{} batches", batches.len()) };
    assert_eq!(batch.num_rows(), 0);
    let schema = batch.schema();
    let types: Vec<_> =
        schema.fields().iter().map(|f| (f.name().as_str(), f.data_type())).collect();
    assert_eq!(types, [("c", &DataType::Utf8), ("b", &DataType::Date32)]);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let database = Database::make(
        "CREATE TABLE co (k INT, ten TEXT); CREATE TABLE cam (k INT); \
         CREATE VIEW hong AS SELECT k FROM cam; DROP TABLE cam",
    )
    .await;
    let source = database.source().await;
    let errors = [
        (request("khong", &["k"]), "no such relation (error 1146)"),
        (request("co", &["k", "tuoi"]), "no column `tuoi`"),
        (request("hong", &["k"]), "view over what is missing"),
        (with(request("co", &["k"]), &[("where", "tuoi = 'bí mật'")]), "error 1054"),
        (with(request("co", &["k"]), &[("order", "k k k")]), "no SQL (error 1064)"),
        (request("co", &[]), "no column is asked for"),
    ];
    for (request, told) in errors {
        for error in
            [source.examine(&request).await.unwrap_err(), source.open(&request).await.unwrap_err()]
        {
            let error = error.to_string();
            assert!(error.contains(told), "{told}: {error}");
            assert!(!error.contains("bí mật"), "{error}");
        }
    }
    source.examine(&request("co", &["k", "ten"])).await.unwrap();
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_with_what_gives_it() {
    let database = Database::make("CREATE TABLE a (k INT, ten TEXT); CREATE TABLE b (k INT)").await;
    let name = &database.name;
    let user = format!("{name}@'127.0.0.1'");
    database
        .run(&format!("REVOKE SELECT ON {name}.* FROM {user}; GRANT SELECT (k) ON a TO {user}"))
        .await;
    let source = database.source().await;
    source.examine(&request("a", &["k"])).await.unwrap();
    let error = source.open(&request("a", &["k", "ten"])).await.unwrap_err().to_string();
    assert!(error.contains("no right to read the column `ten` (error 1143)"), "{error}");
    assert!(
        error.contains(&format!("GRANT SELECT (`ten`) ON `{name}`.`a` TO the user")),
        "{error}"
    );
    let error = source.open(&request("b", &["k"])).await.unwrap_err().to_string();
    assert!(error.contains("no right to read it (error 1142)"), "{error}");
    let error = source.open(&request("mysql.user", &["User"])).await.unwrap_err().to_string();
    assert!(error.contains("no right to read it"), "{error}");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why_without_a_name_or_a_secret() {
    let database = Database::make("").await;
    let good = database.server();
    let secret = "mat-khau-sai";
    let wrong = Server {
        password: Some(SecretPlace::Value(Secret::new(secret.to_owned()))),
        ..good.clone()
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cases = [
        (wrong, "refused the log-in (error 1045)"),
        (Server { database: "khong_co".to_owned(), ..good.clone() }, "error 1044"),
        (Server { port: free, ..good.clone() }, "does not answer"),
        (Server { host: "khong-co.invalid".to_owned(), ..good.clone() }, "not known by that name"),
    ];
    for (server, told) in cases {
        let error = MariaDbSource::connect(&server).await.unwrap_err();
        let shown = format!("{error} {error:?} {server:?}");
        assert!(error.to_string().contains(told), "{told}: {error}");
        assert!(!shown.contains(secret) && !shown.contains(PASSWORD), "{shown}");
        assert!(!error.to_string().contains(&good.user), "{error}");
    }
    let source = database.source().await;
    assert!(!format!("{source:?} {good:?}").contains(PASSWORD));
}

#[tokio::test]
async fn encryption_is_checked_and_never_given_up() {
    let database = Database::make("CREATE TABLE a (k INT); INSERT INTO a VALUES (1)").await;
    let with_tls = |ca_file| Server { tls: Tls::On { ca_file }, ..database.server() };
    let trusted = with_tls(Some(database.maria.authority()));
    let source = MariaDbSource::connect(&trusted).await.unwrap();
    assert_eq!(read(&source, &request("a", &["k"])).await.num_rows(), 1);
    let cipher = with(
        request("information_schema.SESSION_STATUS", &["VARIABLE_VALUE"]),
        &[("where", "VARIABLE_NAME = 'Ssl_version'")],
    );
    let version = texts(&read(&source, &cipher).await, "VARIABLE_VALUE");
    assert!(version[0].as_deref().is_some_and(|version| version.starts_with("TLSv1")));
    let other_name = Server { host: "localhost".to_owned(), ..trusted.clone() };
    for server in [with_tls(None), other_name] {
        let error = MariaDbSource::connect(&server).await.unwrap_err().to_string();
        assert!(error.contains("no encrypted connection that can be trusted"), "{error}");
    }
    let error = MariaDbSource::connect(&with_tls(Some("/khong/co.pem".into()))).await.unwrap_err();
    assert!(error.to_string().contains("/khong/co.pem"), "{error}");
}

/// A view of a million rows that needs no disk.
const LONG: &str =
    "CREATE VIEW dai AS SELECT seq AS k, REPEAT('x', 1000) AS chu FROM seq_1_to_1000000;";

#[tokio::test]
async fn who_stops_in_the_middle_can_read_on_at_the_same_instant() {
    let sql = format!("{LONG} CREATE TABLE a (k INT); INSERT INTO a VALUES (1)");
    let database = Database::make(&sql).await;
    let source = database.source().await;
    let mut rows = source.open(&request("dai", &["k", "chu"])).await.unwrap().unwrap().rows;
    assert!(rows.next().await.unwrap().is_ok());
    database.run("INSERT INTO a VALUES (2)").await;
    drop(rows);
    assert_eq!(read(&source, &request("a", &["k"])).await.num_rows(), 1);
    let mut few = with(request("dai", &["k"]), &[("where", "k <= 70000")]);
    let batches = batches(&source, &few).await;
    assert!(batches.iter().all(|batch| batch.num_rows() <= BATCH_ROWS));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 70_000);
    few.columns = vec!["chu".to_owned()];
    let error = source.examine(&request("dai", &["x"])).await.unwrap_err();
    assert!(matches!(error, SourceError::MissingColumn { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_is_no_end_of_the_rows() {
    let maria = Arc::new(Maria::start(false));
    let database = Database::make_at(Arc::clone(&maria), LONG).await;
    let untrusted = Server { tls: Tls::On { ca_file: None }, ..database.server() };
    let error = MariaDbSource::connect(&untrusted).await.unwrap_err().to_string();
    assert!(error.contains("no encrypted connection"), "{error}");
    let source = database.source().await;
    let mut rows = source.open(&request("dai", &["k", "chu"])).await.unwrap().unwrap().rows;
    assert!(rows.next().await.unwrap().is_ok());
    maria.kill();
    let error = loop {
        match rows.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error.to_string(),
            None => panic!("the rows looked whole"),
        }
    };
    assert!(error.contains("broke the connection off"), "{error}");
    assert!(rows.next().await.is_none());
    let error = source.open(&request("dai", &["k"])).await.unwrap_err().to_string();
    assert!(error.contains("is no longer connected"), "{error}");
    let error = MariaDbSource::connect(&database.server()).await.unwrap_err().to_string();
    assert!(error.contains("does not answer"), "{error}");
}

#[tokio::test]
async fn long_cells_make_short_batches_and_are_whole() {
    let database = Database::make(
        "CREATE TABLE dai (k INT, chu LONGTEXT); \
         INSERT INTO dai SELECT seq, REPEAT('đ', 9000000) FROM seq_1_to_4",
    )
    .await;
    let batches = batches(&database.source().await, &request("dai", &["chu"])).await;
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [2, 2]);
    for batch in batches {
        let cells = batch.column(0).as_string::<i32>();
        assert!(cells.iter().all(|cell| cell.is_some_and(|cell| cell.len() == 18_000_000)));
    }
}

#[tokio::test]
async fn a_table_that_is_altered_after_the_instant_is_refused() {
    let database = Database::make("CREATE TABLE a (k INT) ENGINE=InnoDB; INSERT INTO a VALUES (1)");
    let database = database.await;
    let source = database.source().await;
    database.run("ALTER TABLE a MODIFY k VARCHAR(9), ALGORITHM=COPY").await;
    let error = failure(&source, &request("a", &["k"])).await;
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
}
