mod properties;

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Date64Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int32Array, LargeStringArray, StringArray,
    TimestampMillisecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema, TimeUnit};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::text::as_text;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn source(&self) -> Tabular {
        Tabular::new(Some(self.0.path().to_owned()))
    }
}

fn request(place: &str, columns: &[&str], settings: &[(&str, &str)]) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request {
        place: place.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        span: None,
        settings: settings.iter().map(owned).collect::<BTreeMap<_, _>>(),
    }
}

async fn batches(folder: &Folder, request: &Request) -> Result<Vec<RecordBatch>, SourceError> {
    let snapshot = folder.source().open(request).await?.expect("the file is there");
    snapshot.rows.try_collect().await
}

/// The rows, each as its cells joined by `/`; null is `-`.
fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<StringArray> =
            batch.columns().iter().map(|column| as_text(column).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cell = |column: &StringArray| {
                if column.is_null(row) { "-".to_owned() } else { column.value(row).to_owned() }
            };
            rows.push(columns.iter().map(cell).collect::<Vec<_>>().join("/"));
        }
    }
    rows
}

/// Reads a file of this form and these bytes.
async fn read(
    bytes: impl AsRef<[u8]>,
    columns: &[&str],
    settings: &[(&str, &str)],
) -> Result<Vec<String>, SourceError> {
    let folder = Folder::new().with("t.csv", bytes);
    let mut request = request("t.csv", columns, settings);
    request.settings.entry("format".to_owned()).or_insert_with(|| "csv".to_owned());
    batches(&folder, &request).await.map(|batches| rows(&batches))
}

/// Where and why a text is refused.
async fn refused(bytes: impl AsRef<[u8]>) -> String {
    let error = read(bytes, &["a", "b"], &[]).await.unwrap_err();
    assert!(matches!(error, SourceError::Malformed { .. }), "{error}");
    let text = error.to_string();
    assert!(!format!("{error:?}").contains("Hường"), "{text}");
    text
}

#[tokio::test]
async fn only_the_columns_asked_for_come_in_their_order() {
    let text = "a,b,c\n1,2,3\n4,,\"6, \"\"x\"\"\"\r\n\r\n7,8,9";
    assert_eq!(read(text, &["c", "a"], &[]).await.unwrap(), ["3/1", "6, \"x\"/4", "9/7"]);
    assert_eq!(read(text, &["b"], &[]).await.unwrap(), ["2", "-", "8"]);
}

#[tokio::test]
async fn marks_are_as_the_settings_say() {
    let tsv = &[("format", "tsv")];
    assert_eq!(read("a\tb\n1,5\t2\n", &["a", "b"], tsv).await.unwrap(), ["1,5/2"]);
    for mark in [";", "|"] {
        let text = format!("a{mark}b\n\"1{mark}\"{mark}2\n");
        let expected = format!("1{mark}/2");
        assert_eq!(read(text, &["a", "b"], &[("delimiter", mark)]).await.unwrap(), [expected]);
    }
    let bare = read("a,b\n\"1,2\"\n", &["a", "b"], &[("quote", "none")]).await.unwrap();
    assert_eq!(bare, ["\"1/2\""]);
    for setting in ["encoding", "delimiter", "quote", "format", "complete"] {
        let error = read("a,b\n", &["a"], &[(setting, "x")]).await.unwrap_err();
        assert!(error.to_string().contains(&format!("`{setting}`")), "{error}");
    }
}

#[tokio::test]
async fn letters_are_of_the_declared_encoding() {
    let name = "Phạm Thị Hường";
    let text = format!("a,tên\n1,{name}\n");
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, Vec<u8>); 5] = [
        ("utf-8", format!("\u{feff}{text}").into_bytes()),
        ("utf-16", utf_16),
        ("tcvn3", b"a,t\xaan\n1,Ph\xb9m Th\xde H\xad\xeang\n".to_vec()),
        ("vni", b"a,te\xe2n\n1,Pha\xefm Th\xf2 H\xf6\xf4\xf8ng\n".to_vec()),
        ("windows-1258", b"a,t\xean\n1,Pha\xf2m Thi\xf2 H\xfd\xf5\xccng\n".to_vec()),
    ];
    for (encoding, bytes) in cases {
        let settings = [("encoding", encoding)];
        let read = read(bytes, &["tên", "a"], &settings).await;
        assert_eq!(read.unwrap(), [format!("{name}/1")], "{encoding}");
    }
}

#[tokio::test]
async fn bytes_of_another_encoding_are_refused_with_their_row() {
    let text = refused(b"a,b\n1,2\n3,H\xad\xeang\n").await;
    assert!(text.contains("t.csv") && text.contains("in row 2") && text.contains("encoding"));
    assert!(refused(b"a,t\xaan\n").await.contains("in the header"));
}

#[tokio::test]
async fn a_row_of_another_length_is_named() {
    let short = refused("a,b\n1,2\n\nHường\n").await;
    assert!(short.contains("in row 2") && short.contains("fewer fields"), "{short}");
    let long = refused("a,b\n1,2,3\n").await;
    assert!(long.contains("in row 1") && long.contains("more fields"), "{long}");
    let cut = refused("a,b\n1,2\n3").await;
    assert!(cut.contains("in row 2") && cut.contains("fewer fields"), "{cut}");
}

#[tokio::test]
async fn quotes_that_do_not_close_and_nul_bytes_are_refused() {
    assert!(refused("a,b\n1,\"Hường\n3,4\n").await.contains("never ends"));
    assert!(refused("a,b\n1,\"Hường \"x\" y\"\n").await.contains("doubled"));
    assert!(refused("a,b\n1,x\0\n").await.contains("NUL"));
    let endless = format!("a,b\n1,\"{}", "Hường,\n".repeat(1 << 20));
    assert!(refused(endless).await.contains("in row 1: the row is longer than 4 MiB"));
    assert_eq!(read("a,b\n5\",x\n", &["a", "b"], &[]).await.unwrap(), ["5\"/x"]);
}

#[tokio::test]
async fn a_file_without_a_header_is_refused_and_one_without_rows_is_not() {
    for empty in ["", "\n\r\n", "\u{feff}"] {
        assert!(refused(empty).await.contains("without a header"), "{empty:?}");
    }
    let folder = Folder::new().with("t.csv", "a,b\n");
    let read = batches(&folder, &request("t.csv", &["b"], &[("format", "csv")])).await.unwrap();
    assert_eq!(
        (read.len(), read[0].num_rows(), read[0].schema().field(0).name().as_str()),
        (1, 0, "b")
    );
}

#[tokio::test]
async fn columns_that_are_missing_or_doubled_are_named() {
    let error = read("a,b,a\n1,2,3\n", &["b", "c"], &[]).await.unwrap_err();
    assert!(matches!(&error, SourceError::MissingColumn { column, .. } if column == "c"));
    let error = read("a,b,a\n1,2,3\n", &["a"], &[]).await.unwrap_err();
    assert!(matches!(&error, SourceError::DoubledColumn { column, .. } if column == "a"));
    assert_eq!(read("a,b,a\n1,2,3\n", &["b"], &[]).await.unwrap(), ["2"]);
}

#[tokio::test]
async fn several_files_come_one_after_another_each_with_its_header() {
    let folder = Folder::new().with("t/1.csv", "a,b\n1,2\n").with("t/2.csv", "b,a\n4,3\n");
    let asked = request("t/", &["a", "b"], &[("format", "csv")]);
    assert_eq!(rows(&batches(&folder, &asked).await.unwrap()), ["1/2", "3/4"]);
    folder.source().examine(&asked).await.unwrap();
    let folder = folder.with("t/3.csv", "a\n5\n");
    let error = folder.source().examine(&asked).await.unwrap_err();
    assert!(matches!(&error, SourceError::MissingColumn { place, .. } if place == "t/3.csv"));
    assert!(folder.source().open(&asked).await.is_err());
}

#[tokio::test]
async fn what_is_not_there_is_nothing_yet() {
    let asked = request("t.csv", &["a"], &[("format", "csv")]);
    assert!(Folder::new().source().open(&asked).await.unwrap().is_none());
    assert!(Tabular::new(None).open(&asked).await.unwrap().is_none());
}

#[tokio::test]
async fn a_text_file_that_changes_is_not_kept() {
    let folder = Folder::new().with("t.csv", format!("a,b\n{}", "1,2\n".repeat(500_000)));
    let asked = request("t.csv", &["a"], &[("format", "csv")]);
    let snapshot = folder.source().open(&asked).await.unwrap().unwrap();
    let folder = folder.with("t.csv", "a,b\n1\n");
    let error = snapshot.rows.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
    drop(folder);
}

#[tokio::test]
async fn many_rows_and_long_cells_are_batches_of_a_bounded_size() {
    let cell = "x".repeat(1 << 20);
    let long = format!("a,b\r\n{}", format!("1,{cell}\r\n").repeat(40));
    let folder = Folder::new()
        .with("long.csv", long)
        .with("many.csv", format!("a\n{}", "1\n".repeat(70_000)));
    let long = batches(&folder, &request("long.csv", &["b"], &[("format", "csv")])).await.unwrap();
    assert!(long.len() > 1, "{}", long.len());
    assert_eq!(long.iter().map(RecordBatch::num_rows).sum::<usize>(), 40);
    assert!(
        long.iter()
            .flat_map(|batch| batch.column(0).as_string::<i32>())
            .all(|one| one == Some(&cell))
    );
    let many = batches(&folder, &request("many.csv", &["a"], &[("format", "csv")])).await.unwrap();
    let sizes: Vec<usize> = many.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [32_768, 32_768, 4_464]);
}

#[tokio::test]
async fn a_declared_text_is_read_and_called_by_its_sum() {
    let columns = ["b".to_owned()];
    let snapshot = declared("codes", "a,b\n1,x\n", &columns).unwrap();
    assert_eq!(snapshot.known, Some(hex(&Sha256::digest("a,b\n1,x\n"))));
    let read: Vec<RecordBatch> = snapshot.rows.try_collect().await.unwrap();
    assert_eq!(rows(&read), ["x"]);
    assert!(declared("codes", "a\n", &columns).unwrap_err().to_string().contains("codes"));
    assert!(declared("codes", "a,b\n1\n", &columns).unwrap_err().to_string().contains("row 1"));
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

async fn parquet_batches(
    bytes: impl AsRef<[u8]>,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, SourceError> {
    let folder = Folder::new().with("t.parquet", bytes);
    batches(&folder, &request("t.parquet", columns, &[("format", "parquet")])).await
}

fn typed() -> Vec<(&'static str, ArrayRef)> {
    let words: DictionaryArray<Int32Type> = ["x", "y", "x"].into_iter().collect();
    let decimal = Decimal128Array::from(vec![Some(150), None, Some(-5)]);
    let instant = TimestampMillisecondArray::from(vec![1_782_838_800_000; 3]);
    vec![
        ("int", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        ("float", Arc::new(Float32Array::from(vec![0.1, 2.0, 0.5]))),
        ("decimal", Arc::new(decimal.with_precision_and_scale(10, 2).unwrap())),
        ("word", Arc::new(words)),
        ("long", Arc::new(LargeStringArray::from(vec!["a", "b", "c"]))),
        ("day", Arc::new(Date64Array::from(vec![1_782_864_000_000; 3]))),
        ("at", Arc::new(instant.with_timezone("UTC"))),
    ]
}

#[tokio::test]
async fn parquet_columns_keep_their_types_and_have_few() {
    let names = ["at", "int", "big", "float", "decimal", "word", "long", "day"];
    let read = parquet_batches(parquet(typed()), &names).await.unwrap();
    let schema = read[0].schema();
    let types: Vec<DataType> = schema.fields().iter().map(|f| f.data_type().clone()).collect();
    use DataType::{Date32, Float64, Int64, Utf8};
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(types, [instant, Int64, Utf8, Float64, Utf8, Utf8, Utf8, Date32]);
    assert_eq!(read[0].column(1).as_primitive::<Int64Type>().value(0), 1);
    assert_eq!(read[0].column(3).as_primitive::<Float64Type>().value(0).to_string(), "0.1");
    let rows = rows(&read);
    assert_eq!(rows[0], "2026-07-01/1/18446744073709551615/0.1/1.50/x/a/2026-07-01");
    assert_eq!(rows[1], "2026-07-01/-/0/2/-/y/b/2026-07-01");
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn parquet_columns_that_are_missing_or_no_cells_are_named() {
    let error = parquet_batches(parquet(typed()), &["int", "x"]).await.unwrap_err();
    assert!(matches!(&error, SourceError::MissingColumn { column, .. } if column == "x"));
    let photo: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\x01"[..]]));
    let error = parquet_batches(parquet(vec![("photo", photo)]), &["photo"]).await.unwrap_err();
    assert!(error.to_string().contains("`photo` is of the type Binary"), "{error}");
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let nested = arrow::array::StructArray::from(vec![(
        Arc::new(Field::new("secret", DataType::Int32, true)),
        inner,
    )]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("who", Arc::new(nested)), ("n", Arc::new(Int32Array::from(vec![7])))];
    let error = parquet_batches(parquet(columns.clone()), &["who"]).await.unwrap_err().to_string();
    assert!(error.contains("`who` is of the type Struct") && !error.contains("secret"), "{error}");
    assert_eq!(rows(&parquet_batches(parquet(columns), &["n"]).await.unwrap()), ["7"]);
}

#[tokio::test]
async fn a_parquet_file_without_rows_tells_its_columns() {
    let empty: ArrayRef = Arc::new(Int32Array::from(Vec::<i32>::new()));
    let read = parquet_batches(parquet(vec![("n", empty)]), &["n"]).await.unwrap();
    assert_eq!((read.len(), read[0].num_rows(), read[0].num_columns()), (1, 0, 1));
}

#[tokio::test]
async fn files_whose_types_differ_come_as_text() {
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let gaps: ArrayRef = Arc::new(Float64Array::from(vec![Some(3.0), None]));
    let folder = Folder::new()
        .with("t/1.parquet", parquet(vec![("n", ints)]))
        .with("t/2.parquet", parquet(vec![("n", gaps)]));
    let read = batches(&folder, &request("t/", &["n"], &[("format", "parquet")])).await.unwrap();
    let text = Schema::new(vec![Field::new("n", DataType::Utf8, true)]);
    assert!(read.iter().all(|batch| *batch.schema() == text));
    assert_eq!(rows(&read), ["1", "2", "3", "-"]);
}

#[tokio::test]
async fn damaged_parquet_files_are_refused_and_never_take_the_process_down() {
    let whole = parquet(typed());
    for length in [0, 3, 8, whole.len() / 2, whole.len() - 1] {
        let error = parquet_batches(&whole[..length], &["int"]).await.unwrap_err();
        assert!(matches!(error, SourceError::Malformed { format: "Parquet", .. }), "{error}");
    }
    let mut told_group = 0;
    for at in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        if let Err(error) = parquet_batches(bytes, &["word", "int", "at"]).await {
            told_group += usize::from(error.to_string().contains("in row group"));
        }
    }
    assert!(told_group > 0);
}

#[tokio::test]
async fn a_parquet_file_that_changes_is_not_kept() {
    let folder = Folder::new().with("t.parquet", parquet(typed()));
    let asked = request("t.parquet", &["int"], &[("format", "parquet")]);
    let (_, batches) = folder.source().look(&asked).await.unwrap().unwrap();
    let path = folder.0.path().join("t.parquet");
    let length = std::fs::metadata(&path).unwrap().len();
    File::options().write(true).open(path).unwrap().set_len(length - 1).unwrap();
    let error = batches.collect::<Result<Vec<_>, _>>().unwrap_err();
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
}

/// A file with old instants: nanoseconds of a day, and the day's Julian number.
fn old_instants(values: &[(u64, u32)]) -> Vec<u8> {
    let schema = "message t { REQUIRED INT96 at; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut file =
        parquet::file::writer::SerializedFileWriter::new(&mut bytes, schema, Arc::default())
            .unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let instant = |(nanos, day): &(u64, u32)| {
        let words = [u32::try_from(nanos & 0xffff_ffff).unwrap(), (nanos >> 32) as u32, *day];
        parquet::data_type::Int96::from(words.to_vec())
    };
    let values: Vec<_> = values.iter().map(instant).collect();
    column.typed::<parquet::data_type::Int96Type>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

#[tokio::test]
async fn old_instants_reach_beyond_what_nanoseconds_hold() {
    // 2440588 is the first of January 1970; 5373484 the last day of the year 9999.
    let bytes = old_instants(&[(3_600_000_000_000, 2_440_588), (0, 5_373_484)]);
    let read = parquet_batches(bytes, &["at"]).await.unwrap();
    assert_eq!(rows(&read), ["1970-01-01T01:00:00", "9999-12-31"]);
}
