//! Writing made-up rows to relations of our own, and to no others.

use super::server::{Database, PASSWORD};
use super::{cells, read, request, set};
use crate::fill::{Cells, Holds, MARK, Target};
use crate::postgres::{PostgresSource, Server, Tls, fill};
use crate::{Secret, SecretPlace, Source as _, SourceError};

/// The database's owner, who may make relations.
fn owner(database: &Database) -> Server {
    Server {
        host: "127.0.0.1".to_owned(),
        port: database.server.port,
        database: database.name.clone(),
        user: "postgres".to_owned(),
        password: Some(SecretPlace::Value(Secret::new(PASSWORD.to_owned()))),
        tls: Tls::Off,
        connections: 1,
    }
}

fn columns() -> Vec<(String, Holds)> {
    [
        ("ma", Holds::Text),
        ("so", Holds::Whole),
        ("tien", Holds::Decimal { precision: 18, scale: 2 }),
        ("ngay", Holds::Day),
        ("luc", Holds::Instant),
        ("dung", Holds::Truth),
    ]
    .map(|(name, holds)| (name.to_owned(), holds))
    .to_vec()
}

fn row(key: &str, number: &str) -> Cells {
    let cells = [key, number, "12.50", "2026-07-01", "2026-07-01T08:30:00+07:00", "true"];
    cells.map(|cell| Some(cell.to_owned())).to_vec()
}

async fn put(database: &Database, rows: Vec<Cells>) -> Result<u64, SourceError> {
    send(database, rows, false).await
}

async fn send(database: &Database, rows: Vec<Cells>, is_gone: bool) -> Result<u64, SourceError> {
    let key = ["ma".to_owned()];
    let target = Target { relation: "mo_phong.luot", columns: &columns(), key: &key, is_gone };
    fill(&owner(database), target, rows.into_iter()).await
}

#[tokio::test]
async fn rows_replace_those_of_the_same_key_and_keep_their_types() {
    let database = Database::new().await;
    let empty: Cells = [Some("c\t\\".to_owned()), None, None, None, None, None].to_vec();
    assert_eq!(put(&database, vec![row("a", "1"), row("b", "2"), empty]).await.unwrap(), 3);
    assert_eq!(put(&database, vec![row("b", "3"), row("b", "4")]).await.unwrap(), 2);

    let source = PostgresSource::connect(&owner(&database)).await.unwrap();
    let wanted = request("mo_phong.luot", &["ma", "so", "tien", "ngay", "luc", "dung"]);
    let wanted = set(wanted, "order", "ma,so");
    assert!(source.open(&wanted).await.unwrap().unwrap().simulated);
    let rows = read(&source, &wanted).await.unwrap();
    let rows = cells(&rows);
    let numbers: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(numbers, ["1", "3", "4", "∅"]);
    assert_eq!(rows[0][2..4], ["12.5", "2026-07-01"]);
    assert_eq!(rows[0][4], "2026-07-01T01:30:00Z");
    assert_eq!((rows[0][5].as_str(), rows[3][0].as_str()), ("true", "c\t\\"));

    assert_eq!(send(&database, vec![row("b", "5")], true).await.unwrap(), 1);
    let source = PostgresSource::connect(&owner(&database)).await.unwrap();
    let left = read(&source, &request("mo_phong.luot", &["ma"])).await.unwrap();
    assert_eq!(cells(&left).len(), 2);
}

#[tokio::test]
async fn a_relation_without_our_mark_is_refused_and_left_as_it_was() {
    let database = Database::new().await;
    for mark in ["", "; COMMENT ON TABLE mo_phong.luot IS 'của bệnh viện'"] {
        let make = format!(
            "DROP SCHEMA IF EXISTS mo_phong CASCADE; CREATE SCHEMA mo_phong; \
             CREATE TABLE mo_phong.luot (ma text); INSERT INTO mo_phong.luot VALUES ('a'){mark}"
        );
        database.admin.batch_execute(&make).await.unwrap();
        let error = put(&database, vec![row("a", "1")]).await.unwrap_err();
        assert!(matches!(error, SourceError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("was not made by a simulation"), "{error}");
        let left = database.admin.query("SELECT ma FROM mo_phong.luot", &[]).await.unwrap();
        assert_eq!(left.len(), 1);
        let source = PostgresSource::connect(&owner(&database)).await.unwrap();
        let wanted = request("mo_phong.luot", &["ma"]);
        assert!(!source.open(&wanted).await.unwrap().unwrap().simulated);
    }
    // A view that says so is not made here either.
    let view = format!(
        "CREATE OR REPLACE VIEW mo_phong.xem AS SELECT 1 AS ma; \
         COMMENT ON VIEW mo_phong.xem IS '{MARK}'"
    );
    database.admin.batch_execute(&view).await.unwrap();
    let columns = [("ma".to_owned(), Holds::Whole)];
    let target = Target { relation: "mo_phong.xem", columns: &columns, key: &[], is_gone: false };
    let filled = fill(&owner(&database), target, std::iter::empty()).await;
    assert!(filled.is_err());
}
