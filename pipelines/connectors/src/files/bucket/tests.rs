//! Files in an object store: found, complete and read as those of a folder, and noticed when they
//! change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use sha2::{Digest, Sha256};

use super::super::{FileSet, Root, hex};
use super::Bucket;
use crate::claims_xml::ClaimsXml;
use crate::claims_xml::writer::{ClaimsWriter, Header, Part};
use crate::fhir::Fhir;
use crate::tabular::Tabular;
use crate::testing::{batches, failure, owned, read, request, texts, with};
use crate::xlsx::Xlsx;
use crate::{Request, Source, SourceError};

/// A store in memory that counts the bytes it gives, and fails where it is told to.
#[derive(Debug, Default)]
struct Store {
    inner: InMemory,
    given: AtomicU64,
    /// How many more answers it gives; none is told by the largest number.
    fails_after: AtomicU64,
}

impl std::fmt::Display for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("store")
    }
}

type Result<T> = object_store::Result<T>;

#[async_trait]
impl ObjectStore for Store {
    async fn put_opts(
        &self,
        path: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &ObjectPath,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        let left = self.fails_after.load(Ordering::SeqCst);
        if left == 0 {
            let source = "Trần".into();
            return Err(object_store::Error::Generic { store: "store", source });
        }
        self.fails_after.store(left - 1, Ordering::SeqCst);
        let is_head = options.head;
        let got = self.inner.get_opts(path, options).await?;
        if !is_head {
            self.given.fetch_add(got.range.end - got.range.start, Ordering::SeqCst);
        }
        Ok(got)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<ObjectPath>>,
    ) -> BoxStream<'static, Result<ObjectPath>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: CopyOptions,
    ) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

impl Store {
    fn new() -> Arc<Self> {
        let store = Self::default();
        store.fails_after.store(u64::MAX, Ordering::SeqCst);
        Arc::new(store)
    }

    async fn with(files: &[(&str, &[u8])]) -> Arc<Self> {
        let store = Self::new();
        for (place, bytes) in files {
            store.keep(place, bytes).await;
        }
        store
    }

    async fn keep(&self, place: &str, bytes: &[u8]) {
        let path = ObjectPath::parse(format!("nguon/{place}")).unwrap();
        self.inner.put(&path, bytes.to_vec().into()).await.unwrap();
    }

    fn given(&self) -> u64 {
        self.given.load(Ordering::SeqCst)
    }
}

fn bucket(store: &Arc<Store>) -> Bucket {
    let store: Arc<dyn ObjectStore> = Arc::<Store>::clone(store);
    Bucket::over(store, "/nguon/")
}

async fn find(
    bucket: &Bucket,
    request: &Request,
) -> std::result::Result<Option<FileSet>, SourceError> {
    let (root, request) = (Root::Bucket(bucket.clone()), request.clone());
    tokio::task::spawn_blocking(move || FileSet::find(&root, &request)).await.unwrap()
}

async fn places(bucket: &Bucket, place: &str, complete: &str) -> Vec<String> {
    let asked = with(request(place, &[]), &[("complete", complete)]);
    let found = find(bucket, &asked).await.unwrap();
    found.iter().flat_map(FileSet::files).map(|file| file.place.clone()).collect()
}

#[tokio::test]
async fn a_place_is_an_object_a_folder_or_a_pattern() {
    let files: &[(&str, &[u8])] = &[
        ("b/1.xml", b"x"),
        ("b/2 [a]~.xml", b"y"),
        ("b/.tmp", b""),
        ("b/c/3.xml", b""),
        ("Đà Nẵng.csv", b"z"),
    ];
    let bucket = bucket(&Store::with(files).await);
    assert_eq!(places(&bucket, "b/", "always").await, ["b/1.xml", "b/2 [a]~.xml"]);
    assert_eq!(places(&bucket, "b/2*.xml", "always").await, ["b/2 [a]~.xml"]);
    assert_eq!(places(&bucket, "Đà Nẵng.csv", "always").await, ["Đà Nẵng.csv"]);
    assert!(places(&bucket, "d/", "always").await.is_empty());
    assert!(places(&bucket, "b/4.xml", "always").await.is_empty());
    assert!(find(&bucket, &request("b", &[])).await.is_err());
    assert!(find(&bucket, &request("../khac/1.xml", &[])).await.is_err());
    let one = find(&bucket, &request("b/1.xml", &[])).await.unwrap().unwrap();
    assert_eq!(one.known(), hex(&Sha256::digest("x")));
}

#[tokio::test]
async fn signs_of_completeness_are_those_of_a_folder() {
    let store = Store::with(&[("b/1.csv", b"x"), ("b/2.csv", b"y"), ("b/2.csv.done", b"")]).await;
    let bucket = bucket(&store);
    assert_eq!(places(&bucket, "b/", "marker").await, ["b/2.csv"]);
    assert_eq!(places(&bucket, "b/2.csv", "marker").await, ["b/2.csv"]);
    assert!(places(&bucket, "b/1.csv", "marker").await.is_empty());
    assert!(places(&bucket, "b/", "stable").await.is_empty());
    assert!(places(&bucket, "b/", "manifest").await.is_empty());
    let line = |text: &str, name: &str| format!("{}  {name}\n", hex(&Sha256::digest(text)));
    store.keep("b/SHA256SUMS", line("x", "1.csv").as_bytes()).await;
    assert_eq!(places(&bucket, "b/", "manifest").await, ["b/1.csv"]);
    store.keep("b/SHA256SUMS", (line("x", "1.csv") + &line("z", "3.csv")).as_bytes()).await;
    assert!(places(&bucket, "b/", "manifest").await.is_empty());
    store.keep("b/SHA256SUMS", line("other", "1.csv").as_bytes()).await;
    let asked = with(request("b/", &[]), &[("complete", "manifest")]);
    let error = find(&bucket, &asked).await.unwrap_err().to_string();
    assert!(error.contains("SHA256SUMS"), "{error}");
    store.keep("b/_SUCCESS", b"").await;
    assert_eq!(places(&bucket, "b/*.csv", "marker").await, ["b/1.csv", "b/2.csv"]);
}

#[tokio::test]
async fn an_object_is_stable_when_it_is_a_minute_old() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("1.csv");
    std::fs::write(&file, "a\n1\n").unwrap();
    let store = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bucket = Bucket::over(Arc::new(store), "");
    assert!(places(&bucket, "", "stable").await.is_empty());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(120);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
    assert_eq!(places(&bucket, "", "stable").await, ["1.csv"]);
}

#[tokio::test]
async fn text_of_several_blocks_is_read_whole_and_summed_once() {
    // Some 11 MB, so that a block ends within a row.
    let mut text = "a,b\n".to_owned();
    for row in 0..100_000 {
        text.push_str(&format!("{row},{}\n", "x".repeat(100)));
    }
    let store = Store::with(&[("1.csv", text.as_bytes())]).await;
    let source = Tabular::in_bucket(bucket(&store));
    let asked = with(request("1.csv", &["a"]), &[("format", "csv")]);
    let rows = read(&source, &asked).await;
    assert_eq!(rows.num_rows(), 100_000);
    let cells = rows.column(0).as_string::<i32>();
    assert!((0..100_000).all(|row| cells.value(row) == row.to_string()));
    let size = text.len() as u64;
    // Twice, and a look at the head.
    let first = store.given();
    assert!((2 * size..=2 * size + (1 << 20)).contains(&first), "{first}");
    assert!(source.examine(&asked).await.unwrap());
    assert!(store.given() - first <= 1 << 20, "{}", store.given() - first);
    let known = source.open(&asked).await.unwrap().unwrap().known;
    assert_eq!(known, Some(hex(&Sha256::digest(text.as_bytes()))));
}

fn parquet(rows: i64) -> Vec<u8> {
    let numbers: ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
    let texts = (0..rows).map(|row| hex(&Sha256::digest(row.to_le_bytes())));
    let texts: ArrayRef = Arc::new(texts.map(Some).collect::<StringArray>());
    let batch = RecordBatch::try_from_iter([("so", numbers), ("dai", texts)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    for at in (0..batch.num_rows()).step_by(20_000) {
        writer.write(&batch.slice(at, 20_000.min(batch.num_rows() - at))).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes
}

#[tokio::test]
async fn parquet_is_read_by_the_pieces_that_are_wanted() {
    let bytes = parquet(200_000);
    assert!(bytes.len() > 3 * (4 << 20), "{}", bytes.len());
    let store = Store::with(&[("1.parquet", &bytes)]).await;
    let source = Tabular::in_bucket(bucket(&store));
    let asked = with(request("1.parquet", &["dai", "so"]), &[("format", "parquet")]);
    let rows = read(&source, &asked).await;
    let numbers = rows.column_by_name("so").unwrap().as_primitive::<Int64Type>();
    assert!((0..200_000).all(|row| numbers.value(row) == row as i64));
    let long = texts(&rows, "dai");
    assert_eq!(long[199_999], Some(hex(&Sha256::digest(199_999_i64.to_le_bytes()))));
    // Once for the sum and once for the rows, besides the footer.
    assert!(store.given() <= 2 * bytes.len() as u64 + (8 << 20), "{}", store.given());
}

/// Claims of some 6 MB, so that parts end in other blocks than they began in: of each visit a summary
/// and 40 drugs.
fn claims(visits: u64) -> Vec<u8> {
    let header = Header { facility: "79001", made_on: "20250131", hoso: visits };
    let mut writer = ClaimsWriter::begin(Vec::new(), header).unwrap();
    for visit in 0..visits {
        let visit = visit.to_string();
        let numbers: Vec<String> = (0..40).map(|line| line.to_string()).collect();
        let long = hex(&Sha256::digest(&visit)).repeat(3);
        let drugs: Vec<_> = numbers
            .iter()
            .map(|number| [("MA_LK", visit.as_str()), ("STT", number), ("TEN_THUOC", &long)])
            .collect();
        let drugs: Vec<&[_]> = drugs.iter().map(<[_; 3]>::as_slice).collect();
        let summary: &[_] = &[("MA_LK", visit.as_str())];
        let parts = [Part { table: 1, records: &[summary] }, Part { table: 2, records: &drugs }];
        writer.hoso(&parts).unwrap();
    }
    writer.end().unwrap()
}

#[tokio::test]
async fn claims_are_summed_and_walked_through_once_for_all_tables() {
    let bytes = claims(400);
    let size = bytes.len() as u64;
    assert!(size > 2 * (2 << 20), "{size}");
    let store = Store::with(&[("bhyt/1.xml", &bytes)]).await;
    let source = ClaimsXml::in_bucket(bucket(&store));
    let drugs = with(request("bhyt/", &["MA_LK", "STT", "TEN_THUOC"]), &[("table", "2")]);
    let rows = read(&source, &drugs).await;
    assert_eq!(rows.num_rows(), 400 * 40);
    let last = |column| texts(&rows, column).pop().flatten().unwrap();
    assert_eq!((last("MA_LK").as_str(), last("STT").as_str()), ("399", "39"));
    assert_eq!(last("TEN_THUOC"), hex(&Sha256::digest("399")).repeat(3));
    let first = store.given();
    assert!(first <= 3 * size, "{first} of {size}");
    let visits = with(request("bhyt/", &["MA_LK", "@HOSO"]), &[("table", "1")]);
    let rows = read(&source, &visits).await;
    assert_eq!(texts(&rows, "@HOSO").pop().flatten().as_deref(), Some("400"));
    assert!(store.given() - first <= size, "{} of {size}", store.given() - first);
    let before = store.given();
    assert!(source.examine(&visits).await.unwrap());
    assert!(store.given() - before <= 4 << 20, "{}", store.given() - before);
}

#[tokio::test]
async fn lines_claims_and_workbooks_are_read_as_from_a_folder() {
    let line = r#"{"resourceType":"Patient","id":"1"}"#;
    let store = Store::with(&[("p.ndjson", line.as_bytes()), ("bhyt/1.xml", b"<x/>")]).await;
    let bucket = bucket(&store);
    let asked = with(request("p.ndjson", &["id"]), &[("resource", "Patient")]);
    let source = Fhir::in_bucket(bucket.clone());
    assert!(source.examine(&asked).await.unwrap());
    assert_eq!(texts(&read(&source, &asked).await, "id"), owned(&[Some("1")]));
    // Whatever is in them: they are found and read to where they are none.
    let asked = with(request("bhyt/", &["MA_LK"]), &[("table", "1")]);
    let error = failure(&ClaimsXml::in_bucket(bucket.clone()), &asked).await;
    assert!(matches!(error, SourceError::Malformed { format: "XML", .. }), "{error:?}");
    let asked = with(request("bhyt/1.xml", &["B"]), &[("range", "B6:D7")]);
    let error = failure(&Xlsx::in_bucket(bucket), &asked).await;
    assert!(matches!(error, SourceError::Malformed { format: "XLSX", .. }), "{error:?}");
}

#[tokio::test]
async fn an_object_that_is_written_anew_meanwhile_is_noticed() {
    let csv = |digit: &str| format!("a\n{}", format!("{}\n", digit.repeat(100)).repeat(120_000));
    let store = Store::with(&[("1.csv", csv("1").as_bytes())]).await;
    let bucket = bucket(&store);
    let source = Tabular::in_bucket(bucket.clone());
    let asked = with(request("1.csv", &["a"]), &[("format", "csv")]);
    let found = find(&bucket, &asked).await.unwrap().unwrap();
    let snapshot = source.open(&asked).await.unwrap().unwrap();
    store.keep("1.csv", csv("2").as_bytes()).await;
    let rows: std::result::Result<Vec<_>, _> =
        futures::TryStreamExt::try_collect(snapshot.rows).await;
    let error = rows.unwrap_err();
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
    let file = found.files()[0].clone();
    let checked = tokio::task::spawn_blocking(move || file.check()).await.unwrap();
    assert!(matches!(checked, Err(SourceError::Changed { .. })));
    // Parquet's reader tells no more than that it failed.
    store.keep("1.parquet", &parquet(200_000)).await;
    let asked = with(request("1.parquet", &["so", "dai"]), &[("format", "parquet")]);
    let snapshot = source.open(&asked).await.unwrap().unwrap();
    store.keep("1.parquet", &parquet(100_000)).await;
    let rows: std::result::Result<Vec<_>, _> =
        futures::TryStreamExt::try_collect(snapshot.rows).await;
    let error = rows.unwrap_err();
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn a_store_that_fails_is_told_as_such_and_quotes_nothing() {
    let claims = claims(3);
    let files: &[(&str, &[u8])] =
        &[("1.parquet", &parquet(200_000)), ("1.csv", b"a\n1\n"), ("1.xml", &claims)];
    let store = Store::with(files).await;
    let source = Tabular::in_bucket(bucket(&store));
    for (place, format) in [("1.parquet", "parquet"), ("1.csv", "csv")] {
        let column = if format == "csv" { "a" } else { "so" };
        let asked = with(request(place, &[column]), &[("format", format)]);
        assert!(!batches(&source, &asked).await.is_empty());
        // One question finds the object, and no other is answered.
        store.fails_after.store(1, Ordering::SeqCst);
        let error = failure(&source, &asked).await;
        assert!(matches!(error, SourceError::Read { .. }), "{error}");
        assert!(!format!("{error:?}").contains("Trần"), "{error:?}");
        store.fails_after.store(u64::MAX, Ordering::SeqCst);
    } // Of claims: find, sum, walk through, see that it is the same, read a part, and see that again.
    let asked = with(request("1.xml", &["MA_LK"]), &[("table", "1")]);
    for answers in 0..6 {
        let source = ClaimsXml::in_bucket(bucket(&store));
        store.fails_after.store(answers, Ordering::SeqCst);
        let error = failure(&source, &asked).await;
        assert!(matches!(error, SourceError::Read { .. }), "{error}");
        assert!(!format!("{error:?}").contains("Trần"), "{error:?}");
    }
}
