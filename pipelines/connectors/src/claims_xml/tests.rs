//! Claims files as facilities send them, and as nobody should.

mod malformed;
mod oracle;
mod round_trip;
mod variants;

use std::collections::BTreeMap;
use std::path::Path;

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use arrow::array::{Array, AsArray};
use futures::StreamExt;

use super::writer::{ClaimsWriter, Header, Part};
use super::*;

type Rows = Vec<Vec<Option<String>>>;

fn request(place: &str, table: u8, columns: &[&str]) -> Request {
    Request {
        place: place.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        span: None,
        settings: BTreeMap::from([("table".to_owned(), table.to_string())]),
    }
}

/// The rows of a request, in a folder.
fn extract(root: &Path, request: &Request, limits: Limits) -> Result<Rows, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let source = ClaimsXml::new(Some(root.to_owned())).with_limits(limits);
        let mut stream = source.open(request).await?.expect("there is a file").rows;
        let mut rows = Rows::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let columns: Vec<_> = batch.columns().iter().map(|c| c.as_string::<i32>()).collect();
            rows.extend((0..batch.num_rows()).map(|row| {
                let cell = |column: &&arrow::array::StringArray| {
                    column.is_valid(row).then(|| column.value(row).to_owned())
                };
                columns.iter().map(cell).collect::<Vec<_>>()
            }));
        }
        Ok(rows)
    })
}

fn read_within(
    bytes: impl AsRef<[u8]>,
    table: u8,
    columns: &[&str],
    limits: Limits,
) -> Result<Rows, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.xml"), bytes).unwrap();
    extract(folder.path(), &request("1.xml", table, columns), limits)
}

fn read(bytes: impl AsRef<[u8]>, table: u8, columns: &[&str]) -> Result<Rows, SourceError> {
    read_within(bytes, table, columns, Limits::default())
}

/// Rows as literals; `-` is null.
fn rows(rows: &[&[&str]]) -> Rows {
    let cell = |cell: &&str| (*cell != "-").then(|| (*cell).to_owned());
    rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

fn file_part(table: u8, content: &str) -> String {
    format!(
        "<FILEHOSO><LOAIHOSO>XML{table}</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"
    )
}

fn encoded(table: u8, document: &str) -> String {
    file_part(table, &STANDARD.encode(document))
}

/// An envelope with these `HOSO`.
fn envelope(hoso: &[&str]) -> String {
    let all: String = hoso.iter().map(|parts| format!("<HOSO>{parts}</HOSO>")).collect();
    format!(
        "<GIAMDINHHS><THONGTINDONVI><MACSKCB>79001</MACSKCB></THONGTINDONVI><THONGTINHOSO>\
         <NGAYLAP>20250131</NGAYLAP><SOLUONGHOSO>{}</SOLUONGHOSO><DANHSACHHOSO>{all}\
         </DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI/></GIAMDINHHS>",
        hoso.len()
    )
}

/// A document of the drugs of one visit.
fn drugs(records: &str) -> String {
    format!(
        "<CHITIEU_CHITIET_THUOC><DSACH_CHI_TIET_THUOC>{records}</DSACH_CHI_TIET_THUOC>\
         </CHITIEU_CHITIET_THUOC>"
    )
}

/// Three visits, each with a summary and two drugs, as the writer writes them.
fn written() -> Vec<u8> {
    let header = Header { facility: "79001", made_on: "20250131", hoso: 3 };
    let mut writer = ClaimsWriter::begin(Vec::new(), header).unwrap();
    for visit in ["BIMAT-1", "BIMAT-2", "BIMAT-3"] {
        let summary: &[_] =
            &[("MA_LK", visit), ("HO_TEN", "BIMAT Ấ & <B>"), ("NGAY_RA", "202501310830")];
        let first: &[_] = &[("MA_LK", visit), ("STT", "1"), ("TEN_THUOC", "BIMAT thuốc")];
        let second: &[_] = &[("MA_LK", visit), ("STT", "2"), ("TEN_THUOC", "")];
        let parts =
            [Part { table: 1, records: &[summary] }, Part { table: 2, records: &[first, second] }];
        writer.hoso(&parts).unwrap();
    }
    writer.end().unwrap()
}
