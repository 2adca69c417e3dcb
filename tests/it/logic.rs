//! The sqllogictest files, over a lake filled from the public data.

use std::path::Path;

use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use warehouse::access::Principal;
use warehouse::grid::Cell;
use warehouse::query::{QueryError, Via, Warehouse};

use crate::support;

struct Door(Warehouse);

#[async_trait::async_trait]
impl AsyncDB for Door {
    type Error = QueryError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, QueryError> {
        let answer = self.0.door(&Principal::system(), Via::CommandLine).ask(sql).await?;
        let grid = answer.grid(100_000).await?;
        let text = |cell: &Cell| match cell {
            Cell::Null => "NULL".to_owned(),
            Cell::Text(text) if text.is_empty() => "(empty)".to_owned(),
            other => other.to_string(),
        };
        let rows = grid.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; grid.columns.len()], rows })
    }

    async fn shutdown(&mut self) {}
}

#[test]
fn every_query_gives_the_rows_worked_out_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let warehouse = support::open(support::filled());
    let mut faults = String::new();
    for file in files {
        let mut runner = Runner::new(|| {
            let door = Door(warehouse.clone());
            async { Ok(door) }
        });
        if let Err(error) = support::wait(runner.run_file_async(&file)) {
            faults.push_str(&format!("{error}\n"));
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
