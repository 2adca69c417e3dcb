//! What the server does not give, and how that is told.

use super::server::Database;
use super::{first, read, request, said, set};
use crate::{Request, Source, SourceError};

/// What `open` and `examine` say, which is the same.
async fn refusal(database: &Database, request: &Request) -> String {
    let source = database.source().await;
    let opened = said(&source.open(request).await.unwrap_err(), database);
    let examined = said(&source.examine(request).await.unwrap_err(), database);
    assert_eq!(opened, examined);
    opened
}

fn assert_says(said: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
}

#[tokio::test]
async fn each_missing_right_is_named_with_its_remedy() {
    let database = Database::new().await;
    let reader = &database.reader;
    database.run("CREATE SCHEMA kcb; CREATE TABLE kcb.luot (a int, ten text)").await;
    let server = format!("127.0.0.1:{}", database.server.port);
    let wanted = request("kcb.luot", &["a", "ten"]);
    let said = refusal(&database, &wanted).await;
    assert_says(&said, &[&server, "kcb.luot", "42501", "GRANT USAGE ON SCHEMA kcb to the user"]);
    database.run(&format!("GRANT USAGE ON SCHEMA kcb TO {reader}")).await;
    let said = refusal(&database, &wanted).await;
    assert_says(&said, &[&server, "column `a`", "42501", "GRANT SELECT ON kcb.luot to the user"]);
    database.run(&format!("GRANT SELECT (a) ON kcb.luot TO {reader}")).await;
    let said = refusal(&database, &wanted).await;
    assert_says(&said, &["column `ten`", "42501", "GRANT SELECT ON kcb.luot"]);
    // The right to some columns is enough for them.
    assert!(first(&database.source().await, &request("kcb.luot", &["a"])).await.is_empty());
    database.run(&format!("GRANT SELECT ON kcb.luot TO {reader}")).await;
    assert!(first(&database.source().await, &wanted).await.is_empty());
}

#[tokio::test]
async fn a_view_whose_owner_may_not_read_is_refused() {
    let database = Database::new().await;
    let reader = &database.reader;
    database
        .make(&format!(
            "CREATE TABLE kin (a int); CREATE ROLE chu_{reader}; CREATE VIEW v AS SELECT a FROM kin;
             ALTER VIEW v OWNER TO chu_{reader}"
        ))
        .await;
    let said = refusal(&database, &request("kcb.v", &["a"])).await;
    assert_says(&said, &["kcb.v", "42501", "the view's owner"]);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let database = Database::new().await;
    database.make("CREATE TABLE luot (a int)").await;
    let said = refusal(&database, &request("kbc.luot", &["a"])).await;
    assert_says(&said, &["kbc.luot", "no such schema", "3F000"]);
    let said = refusal(&database, &request("kcb.Luot", &["a"])).await;
    assert_says(&said, &["kcb.Luot", "no such table", "42P01"]);
    let said = refusal(&database, &request("kcb.luot", &["a", "ngay_vao"])).await;
    assert_says(&said, &["kcb.luot has no column `ngay_vao`"]);
    let said = refusal(&database, &request("luot", &["a"])).await;
    assert_says(&said, &["schema.relation"]);
    // A column of the system is none of the relation's.
    let said = refusal(&database, &request("kcb.luot", &["ctid"])).await;
    assert_says(&said, &["has no column `ctid`"]);
}

#[tokio::test]
async fn a_type_without_a_place_is_named_with_its_remedy() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TYPE cap AS (x int, y int); CREATE DOMAIN nhieu AS int[];
             CREATE TABLE la (a int, by bytea, ar text[], rg int4range, cp cap, tt timetz,
                              iv interval, ip inet, mo money, dm nhieu)",
        )
        .await;
    for (column, ty) in [
        ("by", "bytea"),
        ("ar", "text[]"),
        ("rg", "int4range"),
        ("cp", "cap"),
        ("tt", "time with time zone"),
        ("iv", "interval"),
        ("ip", "inet"),
        ("mo", "money"),
        ("dm", "nhieu"),
    ] {
        let said = refusal(&database, &request("kcb.la", &["a", column])).await;
        assert_says(
            &said,
            &[&format!("column `{column}` is of the type "), ty, "casts it to text"],
        );
    }
    // It matters only where it is asked for.
    assert!(first(&database.source().await, &request("kcb.la", &["a"])).await.is_empty());
}

#[tokio::test]
async fn an_infinite_date_is_named_with_its_row() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE han (a int, d date, t timestamp, tz timestamptz);
             INSERT INTO han VALUES (1, '2026-01-01', '2026-01-01', '2026-01-01'),
                                    (2, 'infinity', '-infinity', 'infinity')",
        )
        .await;
    let source = database.source().await;
    for column in ["d", "t", "tz"] {
        let request = set(request("kcb.han", &["a", column]), "order", "a");
        let error = said(&read(&source, &request).await.unwrap_err(), &database);
        let what = format!("the column `{column}` has an infinite date or timestamp in row 2");
        assert_says(&error, &[&what, "view"]);
    }
    // One that is not asked for may be split by.
    let request = set(request("kcb.han", &["a"]), "split", "tz");
    assert_eq!(first(&source, &request).await, ["1", "2"]);
}

#[tokio::test]
async fn settings_that_do_not_go_are_named() {
    let database = Database::new().await;
    database.make("CREATE TABLE luot (a int, ten text, n numeric)").await;
    let luot = || request("kcb.luot", &["a"]);
    for (request, setting, what) in [
        (request("kcb.luot", &[]), "columns", "names none"),
        (set(luot(), "complete", "always"), "complete", "none of where, order and split"),
        (set(luot(), "order", "a,,ten"), "order", "empty name"),
        (set(set(luot(), "order", "a"), "split", "a"), "order", "does not go with `split`"),
        (set(luot(), "split", "n"), "split", "neither a whole number"),
        (set(luot(), "where", "b = 1"), "where", "42703"),
        (set(luot(), "where", "a ="), "where", "42601"),
        (set(luot(), "where", "a = 'x'"), "where", "22P02"),
        (set(luot(), "where", "true); DROP TABLE kcb.luot; --"), "where", "42601"),
    ] {
        let said = refusal(&database, &request).await;
        assert_says(&said, &["kcb.luot: the setting", &format!("`{setting}`"), what]);
    }
    let said = refusal(&database, &set(luot(), "order", "ngay")).await;
    assert_says(&said, &["has no column `ngay`"]);
}

#[tokio::test]
async fn a_row_that_cannot_be_computed_shows_no_cell() {
    let database = Database::new().await;
    database
        .make(
            "CREATE TABLE goc (a int, ten text); INSERT INTO goc VALUES (1, '7'),
               (2, 'nguyễn văn an');
             CREATE VIEW v AS SELECT a, ten::int AS tuoi FROM goc",
        )
        .await;
    let source = database.source().await;
    let error = read(&source, &request("kcb.v", &["a", "tuoi"])).await.unwrap_err();
    assert_says(&said(&error, &database), &["kcb.v", "cannot be computed", "22P02", "view"]);
}

#[tokio::test]
async fn text_of_an_unknown_encoding_is_told() {
    let server = super::server::Postgres::shared();
    let database = Database::on(server, "ENCODING 'SQL_ASCII' TEMPLATE template0").await;
    database
        .make(
            "CREATE TABLE cu AS SELECT i AS a, CASE i WHEN 7 THEN E'nguy\\xea' END AS ten
               FROM generate_series(1, 9) i",
        )
        .await;
    let error = read(&database.source().await, &request("kcb.cu", &["a", "ten"])).await;
    let said = said(&error.unwrap_err(), &database);
    assert_says(&said, &["kcb.cu", "encoding", "22021"]);
}

#[tokio::test]
async fn a_row_that_is_too_long_is_refused() {
    let database = Database::new().await;
    database.make("CREATE VIEW dai AS SELECT repeat('x', 67108864) AS x").await;
    let error = read(&database.source().await, &request("kcb.dai", &["x"])).await.unwrap_err();
    assert!(matches!(error, SourceError::Bound { .. }), "{error}");
}
