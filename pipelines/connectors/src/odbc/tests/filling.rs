//! Writing made-up rows to relations of our own, and to no others.

use super::server::Database;
use super::{owned, read, request, texts, with};
use crate::fill::{Cells, Holds, Target};
use crate::odbc::fill;
use crate::{Source as _, SourceError};

/// A database in which our user may make relations.
fn database() -> Database {
    let database = Database::make("");
    let name = &database.name;
    database.run(&format!(
        "GRANT CREATE ON DATABASE {name} TO {name}; GRANT CREATE ON SCHEMA public TO {name}"
    ));
    database
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
    fill(&database.data_source(), target, rows.into_iter()).await
}

#[tokio::test]
async fn rows_replace_those_of_the_same_key_and_keep_their_types() {
    let database = database();
    let mut many: Vec<Cells> = (0..1_200).map(|at| row(&format!("k{at:04}"), "1")).collect();
    many.push([Some("Đợt ễ 😀".to_owned()), None, None, None, None, None].to_vec());
    assert_eq!(put(&database, many).await.unwrap(), 1_201);
    assert_eq!(put(&database, vec![row("k0001", "3"), row("k0001", "4")]).await.unwrap(), 2);

    let wanted = request("mo_phong.luot", &["ma", "so", "tien", "ngay", "luc", "dung"]);
    let chosen = "ma IN ('k0000', 'k0001', 'Đợt ễ 😀')";
    let wanted = with(wanted, &[("where", chosen), ("order", "ma, so")]);
    let batch = read(&database.source().await, &wanted).await;
    let keys = owned(&[Some("k0000"), Some("k0001"), Some("k0001"), Some("Đợt ễ 😀")]);
    let mut found = texts(&batch, "ma");
    found.sort_by_key(|key| key.as_ref().is_some_and(|key| key.starts_with('Đ')));
    assert_eq!(found, keys);
    let snapshot = database.source().await.open(&wanted).await.unwrap().unwrap();
    assert!(snapshot.simulated);
    let amounts = texts(&batch, "tien").into_iter().filter(|one| one.as_deref() == Some("12.50"));
    assert_eq!(amounts.count(), 3);

    assert_eq!(send(&database, vec![row("k0001", "5")], true).await.unwrap(), 1);
    let left = read(&database.source().await, &request("mo_phong.luot", &["ma"])).await;
    assert_eq!(left.num_rows(), 1_200);
}

#[tokio::test]
async fn a_relation_that_was_not_made_here_is_refused_and_left_as_it_was() {
    let database = database();
    database.run("CREATE SCHEMA mo_phong; CREATE TABLE mo_phong.luot AS SELECT 'a' AS ma");
    database.run(&format!(
        "GRANT ALL ON SCHEMA mo_phong TO {0}; GRANT ALL ON mo_phong.luot TO {0}",
        database.name
    ));
    let error = put(&database, vec![row("a", "1")]).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("was not made by a simulation"), "{error}");
    let (source, wanted) = (database.source().await, request("mo_phong.luot", &["ma"]));
    assert!(!source.open(&wanted).await.unwrap().unwrap().simulated);
    assert_eq!(texts(&read(&source, &wanted).await, "ma"), owned(&[Some("a")]));
}
