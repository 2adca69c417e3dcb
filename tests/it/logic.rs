//! The sqllogictest files, over a lake filled from the public data.

use std::path::{Path, PathBuf};

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

/// What is otherwise in a lake than the file says, if anything.
pub(crate) fn fault(warehouse: &Warehouse, file: &Path) -> Option<String> {
    let mut runner = Runner::new(|| {
        let door = Door(warehouse.clone());
        async { Ok(door) }
    });
    support::wait(runner.run_file_async(file)).err().map(|error| error.to_string())
}

/// Where the files are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

#[test]
fn every_query_gives_the_rows_worked_out_by_hand() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    assert!(!files.is_empty());
    let warehouse = support::open(support::filled());
    let faults: Vec<String> = files.iter().filter_map(|file| fault(&warehouse, file)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
