use std::sync::LazyLock;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Schema};
use proptest::prelude::*;
use warehouse::names::TableName;
use warehouse::spec::{Declarations, load_embedded};

use super::*;

mod disguised;

const UNITS: &str = include_str!("../../reference/don_vi.csv");
const SUCCESSORS: &str = include_str!("../../reference/ke_thua.csv");

/// The contracts of the product, read once.
static DECLARED: LazyLock<Declarations> = LazyLock::new(|| load_embedded().declarations);

/// A column of free text: its table, its name in the lake, its name in the source.
const FREE: (&str, &str, &str) = ("nguon.ngo_doc_vu_cu", "thuc_an_nghi_ngo", "SuspectedFood");

/// A table with a vocabulary, and the cells of a row that are there beside it.
const WORKERS: &str = "nguon.nhan_luc_nhan_vien";
const WORKER: [(&str, &str); 5] = [
    ("ma_nv", "NV1"),
    ("gioi_tinh", "2"),
    ("ma_cskcb", "01001"),
    ("ma_tinh", "01"),
    ("ngay_bao_cao", "20260630"),
];

fn batch(columns: Vec<(&str, Vec<String>)>) -> RecordBatch {
    let fields = columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let cells =
        columns.into_iter().map(|(_, cells)| Arc::new(StringArray::from(cells)) as ArrayRef);
    RecordBatch::try_new(Arc::new(schema), cells.collect()).unwrap()
}

fn declared(table: &str) -> &'static SourceTable {
    let name: TableName = table.parse().unwrap();
    DECLARED.source_table(&name).unwrap().1
}

async fn made(table: &str, parts: Vec<Result<RecordBatch, SourceError>>) -> Batch {
    let geography = Geography::from_declared(UNITS, SUCCESSORS).unwrap();
    let keys = KeyRing::from_bytes(&[[7; 32]]);
    let tools = Tools { keys: &keys, geography: &geography, references: &HashMap::new() };
    let rows = futures::stream::iter(parts).boxed();
    let snapshot = Snapshot { rows, known: None, simulated: false };
    make(declared(table), tools, snapshot, false).await.unwrap()
}

#[tokio::test]
async fn a_column_that_leaks_late_ends_the_batch_and_leaves_nothing_of_it() {
    let (table, column, from) = FREE;
    let part = |cell: fn(usize) -> String| Ok(batch(vec![(from, (0..100).map(cell).collect())]));
    let honest = part(|row| format!("cơm hộp loại {row}"));
    let leaking = part(|row| format!("09123{row:05}"));
    let unread = SourceError::MissingColumn { place: String::new(), column: String::new() };
    let batch = made(table, vec![honest, leaking, Err(unread)]).await;
    assert_eq!(batch.leaking_columns[0].0, column);
    assert_eq!((batch.rows_read, batch.rows.rows()), (200, 0));
    assert!(batch.refused.kept().iter().all(|row| row.content.is_empty()));
}

/// Health workers with these titles, every second one of a province that no list has.
fn workers(titles: &[String]) -> RecordBatch {
    let mut columns: Vec<(&str, Vec<String>)> =
        WORKER.map(|(name, cell)| (name, vec![cell.to_owned(); titles.len()])).to_vec();
    let provinces = (0..titles.len()).map(|row| ["01", "00"][row % 2].to_owned());
    columns[3].1 = provinces.collect();
    columns.push(("chuc_danh", titles.to_vec()));
    batch(columns)
}

fn kept_titles(batch: &Batch) -> Vec<String> {
    let parts = batch.rows.batches().unwrap();
    let texts = parts.flat_map(|rows| {
        let rows = rows.unwrap();
        let column = rows.column_by_name("chuc_danh").unwrap().clone();
        column.as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
    });
    texts.collect()
}

#[tokio::test]
async fn what_no_vocabulary_holds_is_counted_and_becomes_the_word_for_others() {
    let titles = ["BAC SI", "Nguyễn Văn An", "điều  dưỡng", "0912345678", "Bác sĩ (ĐT 0912345678)"];
    let titles = titles.map(str::to_owned);
    let batch = made(WORKERS, vec![Ok(workers(&titles))]).await;
    assert_eq!(kept_titles(&batch), ["Bác sĩ", "Điều dưỡng", "khác"]);
    assert!(batch.leaking_columns.is_empty());
    assert_eq!(batch.refused.count(), 2);
    let told: Vec<_> = batch.warnings.iter().map(|one| (one.name.as_str(), one.faults)).collect();
    assert_eq!(told, [("ngoai_tu_vung_chuc_danh", 3)]);
    assert_eq!(batch.warnings[0].action, "warn");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_outside_of_the_vocabulary_is_kept_or_refused_with_its_row(
        titles in prop::collection::vec("\\PC{0,40}|bác sĩ|[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}", 1..40),
    ) {
        let title = declared(WORKERS).column("chuc_danh").unwrap();
        let words: HashSet<&str> = title.vocabulary.as_ref().unwrap().all().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let parts = vec![Ok(workers(&titles))];
        let batch = runtime.block_on(made(WORKERS, parts));
        for title in kept_titles(&batch) {
            prop_assert!(words.contains(title.as_str()));
        }
        for row in batch.refused.kept() {
            let content: serde_json::Value = serde_json::from_str(&row.content).unwrap();
            if let Some(title) = content.get("chuc_danh") {
                prop_assert!(words.contains(title.as_str().unwrap()));
            }
        }
    }
}
