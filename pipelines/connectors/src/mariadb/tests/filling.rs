//! Writing made-up rows to relations of our own, and to no others.

use super::server::Database;
use super::{read, request, texts, with};
use crate::fill::{Cells, Holds, Target};
use crate::mariadb::fill;
use crate::{Source as _, SourceError};

fn columns() -> Vec<(String, Holds)> {
    [
        ("ma", Holds::Text),
        ("tien", Holds::Decimal { precision: 18, scale: 2 }),
        ("ngay", Holds::Day),
        ("luc", Holds::Instant),
        ("dung", Holds::Truth),
    ]
    .map(|(name, holds)| (name.to_owned(), holds))
    .to_vec()
}

fn row(key: &str, amount: &str) -> Cells {
    let cells = [key, amount, "2026-07-01", "2026-07-01T08:30:00+07:00", "true"];
    cells.map(|cell| Some(cell.to_owned())).to_vec()
}

/// A database in which our user may make relations.
async fn database() -> Database {
    let database = Database::make("").await;
    let name = &database.name;
    database.run(&format!("GRANT ALL ON {name}.* TO {name}@'127.0.0.1'")).await;
    database
}

async fn put(database: &Database, rows: Vec<Cells>) -> Result<u64, SourceError> {
    send(database, rows, false).await
}

async fn send(database: &Database, rows: Vec<Cells>, is_gone: bool) -> Result<u64, SourceError> {
    let key = ["ma".to_owned()];
    let target = Target { relation: "luot", columns: &columns(), key: &key, is_gone };
    fill(&database.server(), target, rows.into_iter()).await
}

#[tokio::test]
async fn rows_replace_those_of_the_same_key() {
    let database = database().await;
    let many = (0..1_200).map(|number| row(&format!("k{number:04}"), "1.00")).collect();
    assert_eq!(put(&database, many).await.unwrap(), 1_200);
    let again = vec![row("k0001", "2.50"), row("K0001", "3.00")];
    assert_eq!(put(&database, again).await.unwrap(), 2);

    let wanted = request("luot", &["ma", "tien", "ngay", "luc", "dung"]);
    let (source, wanted) = (database.source().await, with(wanted, &[("order", "ma")]));
    assert!(source.open(&wanted).await.unwrap().unwrap().simulated);
    let batch = read(&source, &wanted).await;
    assert_eq!(batch.num_rows(), 1_201);
    let (keys, amounts) = (texts(&batch, "ma"), texts(&batch, "tien"));
    let of = |key: &str| {
        let at = keys.iter().position(|one| one.as_deref() == Some(key)).unwrap();
        amounts[at].clone().unwrap()
    };
    assert_eq!(
        (of("k0000"), of("k0001"), of("K0001")),
        ("1.00".to_owned(), "2.50".to_owned(), "3.00".to_owned())
    );

    assert_eq!(send(&database, vec![row("k0001", "1.00")], true).await.unwrap(), 1);
    let left = texts(&read(&database.source().await, &request("luot", &["ma"])).await, "ma");
    assert_eq!(left.len(), 1_200);
    assert!(!left.contains(&Some("k0001".to_owned())));
}

#[tokio::test]
async fn a_relation_without_our_mark_is_refused_and_left_as_it_was() {
    let database = database().await;
    database.run("CREATE TABLE luot (ma TEXT); INSERT INTO luot VALUES ('a')").await;
    let error = put(&database, vec![row("a", "1.00")]).await.unwrap_err();
    assert!(error.to_string().contains("was not made by a simulation"), "{error}");
    let (source, wanted) = (database.source().await, request("luot", &["ma"]));
    assert!(!source.open(&wanted).await.unwrap().unwrap().simulated);
    assert_eq!(texts(&read(&source, &wanted).await, "ma"), [Some("a".to_owned())]);
}
