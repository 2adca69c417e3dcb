mod export;
mod transfer;

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use futures::TryStreamExt;
use proptest::prelude::*;

use super::lines::LINE_BYTES;
use super::*;

const FIRST: &str =
    r#"{"resourceType":"Patient","id":"1","name":[{"family":"Trần"}],"active":true}"#;
const SECOND: &str = r#"{"resourceType":"Patient","id":"2","multipleBirthInteger":2}"#;

fn request(place: &str, columns: &[&str]) -> Request {
    Request {
        place: place.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        span: None,
        settings: BTreeMap::from([("resource".to_owned(), "Patient".to_owned())]),
    }
}

type Table = Vec<Vec<Option<String>>>;

/// The rows of files with these bytes.
async fn read(files: &[(&str, &[u8])], request: &Request) -> Result<Table, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let source = Fhir::new(Some(folder.path().to_owned()));
    let snapshot = source.open(request).await?.expect("the files are there");
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await?;
    let mut table = Table::new();
    for batch in batches {
        let cell = |column: usize, row: usize| {
            let column = batch.column(column).as_string::<i32>();
            column.iter().nth(row).flatten().map(str::to_owned)
        };
        for row in 0..batch.num_rows() {
            table.push((0..batch.num_columns()).map(|column| cell(column, row)).collect());
        }
    }
    Ok(table)
}

async fn refusal(bytes: &[u8]) -> String {
    read(&[("p.ndjson", bytes)], &request("p.ndjson", &["id"])).await.unwrap_err().to_string()
}

#[tokio::test]
async fn each_line_of_each_file_is_a_row() {
    // A byte order mark, blank lines, CRLF, and no line end at the end are no fault.
    let first = format!("\u{feff}{FIRST}\r\n\r\n  \n{SECOND}");
    let files: &[(&str, &[u8])] = &[
        ("Patient.000.ndjson", first.as_bytes()),
        ("Patient.001.ndjson", br#"{"resourceType":"Patient","id":"3"}"#),
        ("Patient.002.ndjson", b""),
        ("Other.000.ndjson", b"not read"),
    ];
    let request = request("Patient.*.ndjson", &["multipleBirth[x]", "id", "name.family"]);
    let expected =
        [[None, Some("1"), Some("Trần")], [Some("2"), Some("2"), None], [None, Some("3"), None]];
    let expected = expected.map(|row| row.map(|cell| cell.map(str::to_owned)).to_vec()).to_vec();
    assert_eq!(read(files, &request).await.unwrap(), expected);
}

#[tokio::test]
async fn many_rows_come_as_several_batches_under_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let rows = crate::BATCH_ROWS + 5;
    let text: String = (0..rows)
        .map(|row| format!("{{\"resourceType\":\"Patient\",\"id\":\"{row}\"}}\n"))
        .collect();
    std::fs::write(folder.path().join("p.ndjson"), &text).unwrap();
    let source = Fhir::new(Some(folder.path().to_owned()));
    let snapshot = source.open(&request("p.ndjson", &["id"])).await.unwrap().unwrap();
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await.unwrap();
    let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [crate::BATCH_ROWS, 5]);
    assert_eq!(batches[0].schema().field(0).name(), "id");
    assert_eq!(batches[1].column(0).as_string::<i32>().value(4), (rows - 1).to_string());
    use sha2::Digest as _;
    let sum = crate::files::hex(&sha2::Sha256::digest(&text));
    assert_eq!(snapshot.known, Some(sum));
}

#[tokio::test]
async fn a_line_that_is_no_such_resource_is_told_with_its_file_and_number() {
    let after = |line: &str| format!("{FIRST}\n\n{line}").into_bytes();
    let place = "p.ndjson is not valid FHIR NDJSON in line 3: ";
    let other = refusal(&after(r#"{"resourceType":"Group","id":"secret"}"#)).await;
    assert!(other.starts_with(&format!("{place}it is no Patient")), "{other}");
    let typeless = refusal(&after(r#"{"id":"secret"}"#)).await;
    assert!(typeless.starts_with(&format!("{place}it is no Patient")), "{typeless}");
    let list = refusal(&after("[]")).await;
    assert!(list.starts_with(&format!("{place}it is no Patient")), "{list}");
    let cut = refusal(&after(r#"{"resourceType":"Patient","id":"sec"#)).await;
    assert_eq!(
        cut,
        format!("{place}a string is not closed at byte 36; a line is one whole resource")
    );
    let doubled = refusal(&after(r#"{"resourceType":"Patient","id":"1","id":"2"}"#)).await;
    assert!(doubled.starts_with(&format!("{place}an object has a member twice")), "{doubled}");
    let mut bytes = after(r#"{"id":""#);
    bytes.extend(*b"\xc3\x28\"}");
    let encoding = refusal(&bytes).await;
    assert!(encoding.starts_with(&format!("{place}byte 8 is not UTF-8")), "{encoding}");
}

#[tokio::test]
async fn a_line_over_the_bound_is_refused_and_one_at_it_is_read() {
    let line = |bytes: usize| {
        let frame = "{\"resourceType\":\"Patient\",\"id\":\"\"}\n".len();
        format!("{{\"resourceType\":\"Patient\",\"id\":\"{}\"}}\n", "x".repeat(bytes - frame))
    };
    let text = format!("{FIRST}\n{}", line(LINE_BYTES + 1));
    let error = refusal(text.as_bytes()).await;
    let expected = "p.ndjson, line 2 is a longer line than a resource may be; the bound is 8 MiB";
    assert_eq!(error, expected);
    let text = line(LINE_BYTES) + SECOND;
    let table = read(&[("p.ndjson", text.as_bytes())], &request("p.ndjson", &["id"])).await;
    assert_eq!(table.unwrap().len(), 2);
}

#[tokio::test]
async fn a_path_that_does_not_fit_names_itself_and_the_line_and_quotes_nothing() {
    let line =
        r#"{"resourceType":"Patient","id":"2","name":[{"family":"secret"},{"family":"secret"}]}"#;
    let text = format!("{FIRST}\n{line}\n");
    let error =
        read(&[("p.ndjson", text.as_bytes())], &request("p.ndjson", &["name.family"])).await;
    let error = error.unwrap_err();
    assert!(matches!(error, SourceError::Malformed { .. }));
    let error = error.to_string();
    let begin = "p.ndjson is not valid FHIR NDJSON in line 2: the path `name.family` meets a list";
    assert!(error.starts_with(begin) && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn settings_that_are_not_usable_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let source = Fhir::new(Some(folder.path().to_owned()));
    let path = source.open(&request("p.ndjson", &["id", "name["])).await.unwrap_err();
    assert!(path.to_string().contains("the setting `name[` is no path"), "{path}");
    for wrong in ["", "patient", "Patient/1"] {
        let mut request = request("p.ndjson", &["id"]);
        request.settings.insert("resource".to_owned(), wrong.to_owned());
        let error = source.examine(&request).await.unwrap_err();
        assert!(error.to_string().contains("`resource` must be a type"), "{error}");
    }
    let nowhere = Fhir::new(None).open(&request("p.ndjson", &["id"])).await.unwrap_err();
    assert!(nowhere.to_string().contains("`sources` is not set"), "{nowhere}");
}

#[tokio::test]
async fn what_is_not_there_yet_is_nothing_and_examining_sees_a_wrong_type() {
    let folder = tempfile::tempdir().unwrap();
    let source = Fhir::new(Some(folder.path().to_owned()));
    let request = request("p.ndjson", &["id"]);
    assert!(source.open(&request).await.unwrap().is_none());
    source.examine(&request).await.unwrap();
    let path = folder.path().join("p.ndjson");
    std::fs::write(&path, format!("{FIRST}\nbroken")).unwrap();
    source.examine(&request).await.unwrap();
    std::fs::write(&path, r#"{"resourceType":"Group"}"#).unwrap();
    let error = source.examine(&request).await.unwrap_err();
    assert!(error.to_string().contains("in line 1: it is no Patient"), "{error}");
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.ndjson");
    std::fs::write(&path, FIRST).unwrap();
    let request = request("p.ndjson", &["id"]);
    let set = FileSet::find(folder.path(), &request).unwrap().unwrap();
    std::fs::write(&path, SECOND).unwrap();
    let mut rows = Rows::of_set(&set, Plan::new(&request).unwrap());
    assert!(matches!(rows.next(), Some(Err(SourceError::Changed { .. }))));
}

/// What the rows of a file with these bytes are, or why not; without a runtime.
fn direct(bytes: &[u8], columns: &[&str]) -> Result<usize, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.ndjson"), bytes).unwrap();
    let request = request("p.ndjson", columns);
    let set = FileSet::find(folder.path(), &request)?.expect("the file is there");
    Rows::of_set(&set, Plan::new(&request)?).map(|batch| batch.map(|batch| batch.num_rows())).sum()
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = format!("{FIRST}\n{SECOND}\n").into_bytes();
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len()) + 1);
        let rows = direct(&bytes, &["id", "name[*].family", "multipleBirth[x]", "active"]);
        if let Ok(rows) = rows {
            prop_assert!(rows <= 3);
        }
    }

    #[test]
    fn no_path_makes_it_panic(path in r"[a-c.\[\]=*x0-9()id]{0,16}") {
        let _ = direct(FIRST.as_bytes(), &[&path]);
    }
}
