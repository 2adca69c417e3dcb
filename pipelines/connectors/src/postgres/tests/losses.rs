//! Servers, connections and queries that end before their time.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::TryStreamExt;

use super::server::{Database, Postgres};
use super::{request, said, set};
use crate::postgres::PostgresSource;
use crate::postgres::connection::{Access, Patience};
use crate::{RawStream, Source, SourceError};

/// More than all buffers on the way hold.
const LONG: &str = "CREATE VIEW lon AS SELECT a.i, repeat('x', 500) AS x
    FROM generate_series(1, 4000) AS a(i), generate_series(1, 1000) AS b(i)";

/// A stream of [`LONG`] whose first batch is read.
async fn begun(source: &PostgresSource) -> RawStream {
    let mut rows = source.open(&request("kcb.lon", &["i", "x"])).await.unwrap().unwrap().rows;
    assert_eq!(rows.try_next().await.unwrap().unwrap().num_rows(), 32_768);
    rows
}

/// The error at the end of the rows, behind which nothing comes.
async fn end(mut rows: RawStream, database: &Database) -> String {
    let error = loop {
        match rows.try_next().await {
            Ok(batch) => drop(batch.expect("the rows do not end well")),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SourceError::Server { .. }), "{error}");
    let nothing: Option<RecordBatch> = rows.try_next().await.unwrap();
    assert!(nothing.is_none());
    said(&error, database)
}

#[tokio::test]
async fn a_server_that_dies_while_it_is_read_is_told() {
    let mut database = Database::on(Arc::new(Postgres::start(&[])), "").await;
    database.make(LONG).await;
    let source = database.source().await;
    let rows = begun(&source).await;
    Arc::get_mut(&mut database.server).unwrap().kill();
    let told = end(rows, &database).await;
    assert!(told.contains("broke off the connection") && told.contains("kcb.lon"), "{told}");
    let error = source.open(&request("kcb.lon", &["i"])).await.unwrap_err();
    assert!(matches!(error, SourceError::Server { .. }), "{error}");
    said(&error, &database);
}

#[tokio::test]
async fn a_query_that_is_cancelled_or_ended_is_told() {
    let database = Database::new().await;
    database.make(LONG).await;
    let source = database.source().await;
    for (function, what) in [
        ("pg_cancel_backend", "cancelled the query"),
        // A server that cannot send what it waits with cannot send its farewell either.
        ("pg_terminate_backend", "the connection"),
    ] {
        let rows = begun(&source).await;
        let sql = format!(
            "SELECT {function}(pid) FROM pg_stat_activity
             WHERE usename = '{}' AND query LIKE 'COPY%'",
            database.reader
        );
        database.run(&sql).await;
        let told = end(rows, &database).await;
        assert!(told.contains(what), "{told}");
        database.wait_for(1, "true").await;
    }
}

#[tokio::test]
async fn without_its_leader_a_source_has_no_instant() {
    let database = Database::new().await;
    database.make("CREATE TABLE t AS SELECT 1 AS x").await;
    let source = database.source().await;
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'",
        database.reader
    );
    database.run(&sql).await;
    database.wait_for(0, "true").await;
    for _ in 0..2 {
        let error = source.open(&request("kcb.t", &["x"])).await.unwrap_err();
        let told = said(&error, &database);
        assert!(told.contains("ended the connection that holds the instant"), "{told}");
        assert!(told.contains("the next run"), "{told}");
    }
}

#[tokio::test]
async fn rows_that_nobody_wants_are_not_computed() {
    let database = Database::new().await;
    database.make(LONG).await;
    database.make("CREATE VIEW lau AS SELECT 1 AS i FROM pg_sleep(3600)").await;
    let source = database.source().await;
    drop(begun(&source).await);
    database.wait_for(1, "true").await;
    // Here nothing is sent, so that the server would notice nothing by itself.
    let rows = source.open(&request("kcb.lau", &["i"])).await.unwrap().unwrap().rows;
    database.wait_for(1, "state = 'active' AND wait_event = 'PgSleep'").await;
    drop(rows);
    database.wait_for(1, "true").await;
    let split = set(request("kcb.lon", &["i", "x"]), "split", "i");
    let mut rows = source.open(&split).await.unwrap().unwrap().rows;
    rows.try_next().await.unwrap();
    drop(rows);
    database.wait_for(1, "true").await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_told() {
    let database = Database::new().await;
    database.make("CREATE VIEW lau AS SELECT 1 AS i FROM pg_sleep(3600)").await;
    let mut access = Access::new(&database.declared()).await.unwrap();
    access.patience = Patience { idle: Duration::from_secs(2), ..access.patience };
    let source = PostgresSource::through(access).await.unwrap();
    let rows = source.open(&request("kcb.lau", &["i"])).await.unwrap().unwrap().rows;
    let told = end(rows, &database).await;
    assert!(told.contains("fell silent") && told.contains("kcb.lau"), "{told}");
    database.wait_for(1, "true").await;
}

#[tokio::test]
async fn a_lock_that_lasts_is_told() {
    let database = Database::new().await;
    database.make("CREATE TABLE t AS SELECT 1 AS x").await;
    let mut access = Access::new(&database.declared()).await.unwrap();
    access.patience = Patience { lock: Duration::from_millis(100), ..access.patience };
    let source = PostgresSource::through(access).await.unwrap();
    database.run("BEGIN; LOCK TABLE kcb.t IN ACCESS EXCLUSIVE MODE").await;
    let error = source.examine(&request("kcb.t", &["x"])).await.unwrap_err();
    let told = said(&error, &database);
    assert!(told.contains("kcb.t: another holds its lock (SQLSTATE 55P03)"), "{told}");
    database.run("COMMIT").await;
    source.examine(&request("kcb.t", &["x"])).await.unwrap();
}
