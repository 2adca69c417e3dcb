//! Against a real server, through a real driver.

mod filling;
mod server;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};

use self::server::{Database, PASSWORD, Postgres};
use super::*;
use crate::testing::{at, batches, failure, micros, owned, read, request, texts, with};
use crate::{BATCH_ROWS, Span};

#[tokio::test]
async fn values_keep_their_types_and_nulls() {
    let database = Database::make(
        "CREATE TABLE so (k int, a smallint, b int, c bigint, d real, e double precision, \
           f numeric(20, 5), g boolean, h date, i timestamp(6), j time, m uuid); \
         INSERT INTO so VALUES \
           (1, -32768, 2147483647, -9223372036854775808, 0.5, 0.1, -123456789012345.06789, true, \
            '1969-12-31', '2026-07-01 08:30:00.123456', '07:05:09', \
            '123e4567-e89b-12d3-a456-426655440000'), \
           (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
           (3, 0, 0, 0, 0, 0, 0.5, false, '9999-12-31', '1000-01-01', '00:00', NULL)",
    );
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "m"];
    let request = with(request("kcb.so", &names), &[("order", "k")]);
    let batch = read(&database.source().await, &request).await;
    let integers = |name: &str| -> Vec<Option<i64>> {
        batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().collect()
    };
    assert_eq!(integers("a"), [Some(-32768), None, Some(0)]);
    assert_eq!(integers("b"), [Some(2_147_483_647), None, Some(0)]);
    assert_eq!(integers("c"), [Some(i64::MIN), None, Some(0)]);
    let reals = |name: &str| -> Vec<Option<f64>> {
        batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
    };
    assert_eq!(reals("d"), [Some(0.5), None, Some(0.0)]);
    assert_eq!(reals("e"), [Some(0.1), None, Some(0.0)]);
    let exact = owned(&[Some("-123456789012345.06789"), None, Some("0.50000")]);
    assert_eq!(texts(&batch, "f"), exact);
    let truths: Vec<_> = batch.column_by_name("g").unwrap().as_boolean().iter().collect();
    assert_eq!(truths, [Some(true), None, Some(false)]);
    let days = batch.column_by_name("h").unwrap().as_primitive::<Date32Type>();
    assert_eq!(days.iter().collect::<Vec<_>>(), [Some(-1), None, Some(2_932_896)]);
    let moments = batch.column_by_name("i").unwrap();
    assert_eq!(moments.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
    let (first, last) = ("2026-07-01T08:30:00.123456", "1000-01-01T00:00:00");
    let moments = moments.as_primitive::<TimestampMicrosecondType>().iter();
    assert_eq!(moments.collect::<Vec<_>>(), [Some(micros(first)), None, Some(micros(last))]);
    assert_eq!(texts(&batch, "j"), owned(&[Some("07:05:09"), None, Some("00:00:00")]));
    let uuid = Some("123e4567-e89b-12d3-a456-426655440000");
    let uuids = texts(&batch, "m").into_iter().map(|id| id.map(|id| id.to_ascii_lowercase()));
    assert_eq!(uuids.collect::<Vec<_>>(), owned(&[uuid, None, None]));
}

#[tokio::test]
async fn text_and_names_of_viet_nam_come_through() {
    let database = Database::make(
        "CREATE TABLE \"Đợt khám\" (k int, \"Họ tên\" varchar(50), b char(4), c text); \
         INSERT INTO \"Đợt khám\" VALUES (1, 'Nguyễn Thị Ánh 😀', 'đỏ', 'Huế'), (2, '', NULL, NULL)",
    );
    let request = with(request("kcb.Đợt khám", &["Họ tên", "b", "c"]), &[("order", "k")]);
    let batch = read(&database.source().await, &request).await;
    assert_eq!(texts(&batch, "Họ tên"), owned(&[Some("Nguyễn Thị Ánh 😀"), Some("")]));
    assert_eq!(texts(&batch, "b"), owned(&[Some("đỏ  "), None]));
    assert_eq!(texts(&batch, "c"), owned(&[Some("Huế"), None]));
    let chosen = with(request.clone(), &[("where", "\"Họ tên\" = 'Nguyễn Thị Ánh 😀'")]);
    assert_eq!(read(&database.source().await, &chosen).await.num_rows(), 1);
}

#[tokio::test]
async fn a_text_beyond_its_bound_is_an_error_and_not_cut() {
    let database = Database::make(
        "CREATE TABLE dai (k int, chu text); \
         INSERT INTO dai VALUES (1, repeat('đ', 100)), (2, repeat('bí mật ', 20000))",
    );
    let source = database.source().await;
    let first = with(request("kcb.dai", &["chu"]), &[("where", "k = 1")]);
    let batch = read(&source, &with(first.clone(), &[("max_text", "100")])).await;
    assert_eq!(texts(&batch, "chu")[0].as_deref(), Some("đ".repeat(100).as_str()));
    for request in
        [with(first, &[("max_text", "99")]), with(request("kcb.dai", &["k", "chu"]), &[])]
    {
        let error = failure(&source, &request).await;
        assert!(matches!(error, SourceError::Malformed { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("in column `chu`") && error.contains("max_text"), "{error}");
        assert!(!error.contains("bí mật"), "{error}");
    }
    for wrong in ["0", "x", "16777217"] {
        let request = with(request("kcb.dai", &["chu"]), &[("max_text", wrong)]);
        let error = source.open(&request).await.unwrap_err();
        assert!(matches!(error, SourceError::Setting { .. }), "{error}");
    }
    let short = with(request("kcb.dai", &["k"]), &[]);
    assert_eq!(read(&source, &short).await.num_rows(), 2);
}

#[tokio::test]
async fn bytes_are_refused_by_name_and_type() {
    let database = Database::make("CREATE TABLE la (k int, anh bytea)");
    let error = database.source().await.examine(&request("kcb.la", &["k", "anh"])).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the column `anh` has the type") && error.contains("BINARY"), "{error}");
}

#[tokio::test]
async fn all_tables_are_seen_at_one_instant_even_after_a_failure() {
    let database = Database::make(
        "CREATE TABLE a (k int); CREATE TABLE b (k int); \
         INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)",
    );
    let source = database.source().await;
    assert!(source.has_one_instant());
    database.run("INSERT INTO kcb.a VALUES (2)");
    assert_eq!(read(&source, &request("kcb.a", &["k"])).await.num_rows(), 1);
    source.examine(&request("kcb.c", &["k"])).await.unwrap_err();
    database.run("INSERT INTO kcb.b VALUES (2); DELETE FROM kcb.a");
    assert_eq!(read(&source, &request("kcb.b", &["k"])).await.num_rows(), 1);
    assert_eq!(read(&source, &request("kcb.a", &["k"])).await.num_rows(), 1);
    let later = database.source().await;
    assert_eq!(read(&later, &request("kcb.a", &["k"])).await.num_rows(), 0);
}

#[tokio::test]
async fn an_instant_that_is_lost_is_not_replaced_by_another() {
    let database = Database::make("CREATE TABLE a (k int)");
    let mut data_source = database.data_source();
    // This driver then rolls the whole transaction back at a failure.
    data_source.connection = data_source.connection.replace("Protocol=7.4-0", "Protocol=7.4-1");
    let source = OdbcSource::connect(&data_source).await.unwrap();
    source.examine(&request("kcb.c", &["k"])).await.unwrap_err();
    let error = source.open(&request("kcb.a", &["k"])).await.unwrap_err().to_string();
    assert!(error.contains("is no longer connected"), "{error}");
}

#[tokio::test]
async fn a_span_lets_out_its_rows_whatever_holds_the_instant() {
    let database = Database::make(
        "CREATE TABLE dot (k int, ngay date, luc timestamp, chu varchar(14)); \
         INSERT INTO dot VALUES \
           (1, '2026-06-30', '2026-06-30 23:59:59.999', '202606302359'), \
           (2, '2026-07-01', '2026-07-01 00:00:00', '20260701'), \
           (3, '2026-07-31', '2026-07-31 23:59:59.999', '20260731235959'), \
           (4, '2026-08-01', '2026-08-01 00:00:00', '202608010000'), (5, NULL, NULL, NULL)",
    );
    let source = database.source().await;
    let july = (Some(at("2026-07-01T00:00:00")), Some(at("2026-08-01T00:00:00")));
    for (column, form) in [("ngay", "date"), ("luc", "timestamp"), ("chu", "text12")] {
        for ((from, below), wanted) in [
            (july, &[2, 3][..]),
            ((july.0, None), &[2, 3, 4]),
            ((None, july.1), &[1, 2, 3]),
            ((None, None), &[1, 2, 3, 4]),
        ] {
            let settings = [("order", "k"), ("where", "1=1 OR 1=0"), ("span_type", form)];
            let mut request = with(request("kcb.dot", &["k"]), &settings);
            request.span = Some(Span { column: column.to_owned(), from, below });
            source.examine(&request).await.unwrap();
            let batch = read(&source, &request).await;
            let kept = batch.column(0).as_primitive::<Int64Type>().values().to_vec();
            assert_eq!(kept, wanted, "{column} {from:?} {below:?}");
        }
    }
}

#[tokio::test]
async fn a_table_without_rows_has_its_columns_all_the_same() {
    let database = Database::make("CREATE TABLE trong (a int, b date, c text)");
    let batches = batches(&database.source().await, &request("kcb.trong", &["c", "b"])).await;
    let [batch] = batches.as_slice() else { panic!("{} batches", batches.len()) };
    assert_eq!(batch.num_rows(), 0);
    let schema = batch.schema();
    let types: Vec<_> =
        schema.fields().iter().map(|f| (f.name().as_str(), f.data_type())).collect();
    assert_eq!(types, [("c", &DataType::Utf8), ("b", &DataType::Date32)]);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let database = Database::make("CREATE TABLE co (k int, ten text)");
    let source = database.source().await;
    let mut spanned = request("kcb.co", &["k"]);
    spanned.span = Some(Span { column: "ngay".to_owned(), from: None, below: None });
    let errors = [
        (request("kcb.khong", &["k"]), "no such relation (SQLSTATE 42"),
        (request("kcb.co", &["k", "tuoi"]), "no column `tuoi`"),
        (spanned, "no column `ngay`"),
        (with(request("kcb.co", &["k"]), &[("where", "tuoi = 'bí mật'")]), "condition or order"),
        (with(request("kcb.co", &["k"]), &[("order", "k k k")]), "is no SQL"),
        (request("kcb.co", &[]), "no column is asked for"),
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
    let cast = with(request("kcb.co", &["k"]), &[("where", "CAST(ten AS int) = 1")]);
    database.run("INSERT INTO kcb.co VALUES (1, 'bí mật')");
    let error = failure(&database.source().await, &cast).await;
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("22P02") && !shown.contains("bí mật"), "{shown}");
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_with_what_gives_it() {
    let database = Database::make("CREATE TABLE a (k int, ten text); CREATE TABLE b (k int)");
    let user = &database.name;
    database.run(&format!(
        "REVOKE SELECT ON kcb.a, kcb.b FROM {user}; GRANT SELECT (k) ON kcb.a TO {user}"
    ));
    let source = database.source().await;
    source.examine(&request("kcb.a", &["k"])).await.unwrap();
    let error = source.open(&request("kcb.a", &["k", "ten"])).await.unwrap_err().to_string();
    assert!(error.contains("no right to read the column `ten` (SQLSTATE 42501)"), "{error}");
    assert!(error.contains("GRANT SELECT (ten) ON kcb.a TO the user"), "{error}");
    let error = source.open(&request("kcb.b", &["k"])).await.unwrap_err().to_string();
    assert!(error.contains("no right to read it (SQLSTATE 42501"), "{error}");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why_without_a_name_or_a_secret() {
    let database = Database::make("");
    let good = database.data_source();
    let secret = "mat-khau-sai";
    let wrong = DataSource {
        password: Some(SecretPlace::Value(Secret::new(secret.to_owned()))),
        ..good.clone()
    };
    let driver = "DRIVER={Khong Co};SERVER=127.0.0.1".to_owned();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = format!("DRIVER={{PostgreSQL Unicode}};SERVER=127.0.0.1;PORT={free};DATABASE=x");
    let cases = [
        (wrong, "refused the log-in"),
        (DataSource { connection: driver, ..good.clone() }, "a driver that is installed"),
        (DataSource { connection: silent, ..good.clone() }, "does not answer"),
        (
            DataSource { connection: format!("{};Pwd =x", good.connection), ..good.clone() },
            "holds a user or a password",
        ),
    ];
    for (source, told) in cases {
        let error = OdbcSource::connect(&source).await.unwrap_err();
        let shown = format!("{error} {error:?} {source:?}");
        assert!(error.to_string().contains(told), "{told}: {error}");
        assert!(!shown.contains(secret) && !shown.contains(PASSWORD), "{shown}");
        assert!(!error.to_string().contains(&database.name), "{error}");
    }
    let source = database.source().await;
    assert!(!format!("{source:?} {good:?}").contains(PASSWORD));
}

/// A view of two million rows that needs no disk.
const LONG: &str = "CREATE VIEW dai AS SELECT k, repeat('x', 500)::varchar(500) AS chu \
                    FROM generate_series(1, 2000000) AS k;";

#[tokio::test]
async fn who_stops_in_the_middle_can_read_on_at_the_same_instant() {
    let sql = format!("{LONG} CREATE TABLE a (k int); INSERT INTO a VALUES (1)");
    let database = Database::make(&sql);
    let source = database.source().await;
    let mut rows = source.open(&request("kcb.dai", &["k", "chu"])).await.unwrap().unwrap().rows;
    assert!(rows.next().await.unwrap().is_ok());
    database.run("INSERT INTO kcb.a VALUES (2)");
    drop(rows);
    assert_eq!(read(&source, &request("kcb.a", &["k"])).await.num_rows(), 1);
    let few = with(request("kcb.dai", &["k"]), &[("where", "k <= 70000")]);
    let batches = batches(&source, &few).await;
    assert!(batches.len() > 2 && batches.iter().all(|batch| batch.num_rows() <= BATCH_ROWS));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 70_000);
}

#[tokio::test]
async fn a_server_that_dies_is_no_end_of_the_rows() {
    let postgres = Arc::new(Postgres::start());
    let database = Database::make_at(Arc::clone(&postgres), LONG);
    let source = database.source().await;
    let mut rows = source.open(&request("kcb.dai", &["k", "chu"])).await.unwrap().unwrap().rows;
    assert!(rows.next().await.unwrap().is_ok());
    postgres.stop();
    let error = loop {
        match rows.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error.to_string(),
            None => panic!("the rows looked whole"),
        }
    };
    assert!(error.contains("broke the connection off"), "{error}");
    assert!(rows.next().await.is_none());
    let error = source.open(&request("kcb.dai", &["k"])).await.unwrap_err().to_string();
    assert!(error.contains("is no longer connected"), "{error}");
}
