//! Identifiers in disguise, in every column of every contract about persons.

#[path = "../../../identifiers/tests/common/mod.rs"]
mod common;
#[path = "../../../identifiers/tests/common/hidden.rs"]
mod hidden;

use arrow::compute::cast;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use warehouse::names::Sensitivity;

use self::common::invent::KINDS;
use self::hidden::hidden;
use super::*;

/// What a number alone in a cell may be, and an amount may be as well: a column of them is refused,
/// one among amounts is not told apart.
const NUMBERS: [&str; 6] = ["cccd", "mobile", "bhyt_card15", "person_name", "email", "address"];

/// The columns that a contract about persons keeps as they come, but for free text that has its
/// reason, with their tables.
fn columns() -> Vec<(&'static SourceTable, &'static Column)> {
    let tables = DECLARED.contracts.iter().flat_map(|contract| &contract.tables);
    let persons = tables.filter(|table| table.sensitivity >= Sensitivity::Personal);
    persons
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .filter(|(_, column)| column.treatment == Treatment::Keep && column.free_text.is_none())
        .collect()
}

/// All that is kept of a batch, as text.
fn kept(batch: &Batch) -> Vec<String> {
    let mut all: Vec<String> =
        batch.refused.kept().iter().map(|refused| refused.content.clone()).collect();
    for rows in batch.rows.batches().unwrap() {
        for column in rows.unwrap().columns() {
            let texts = cast(column, &DataType::Utf8).unwrap();
            all.extend(texts.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::default() })]

    #[test]
    fn an_identifier_stays_in_no_column_about_persons_however_it_is_disguised(
        at: prop::sample::Index,
        kind in prop::sample::select(KINDS.to_vec()),
        seed: u64,
        many in 0..=10_usize,
    ) {
        let columns = columns();
        let (table, column) = *at.get(&columns);
        let is_number = matches!(column.ty, ColumnType::Integer | ColumnType::Decimal { .. });
        prop_assume!(!is_number || NUMBERS.contains(&kind));
        let (plain, cell, names) = hidden(kind, seed, many);
        let rows = batch(vec![(&column.from, vec![cell.clone()])]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let made = runtime.block_on(made(&table.name.to_string(), vec![Ok(rows)]));
        for text in kept(&made) {
            let shows = text == cell.trim() || text.contains(&plain);
            prop_assert!(!shows, "{}.{} keeps {kind} as {names:?}", table.name, column.name);
        }
    }
}
