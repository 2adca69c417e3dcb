//! Small valid files of every kind, whose cells can be told from anything that a program says.

use connectors::claims_xml::writer::{Part, write_document};

use super::{Asked, Kind};
use crate::kinds::files::{self, HEADED};
use crate::kinds::rows::{Cells, Table};

/// What every text cell holds, and the numbers and days of the cells that are no text.
pub(super) const CELLS: [&str; 5] = ["BIMAT", "7183401", "48151.25", "2026-03-05", "202603050830"];

/// A few visits.
pub(super) fn table() -> Table {
    let row = |at: usize| -> Cells {
        [
            "7183401".to_owned(),
            format!("001BIMAT{at}"),
            format!("BIMAT Pham {at}"),
            format!("BIMAT-{at}"),
            "2026-03-05".to_owned(),
            "BIMAT Khac".to_owned(),
            "48151.25".to_owned(),
        ]
        .map(Some)
    };
    let mut rows: Vec<Cells> = (0..4).map(row).collect();
    // One has nothing but its number.
    rows[2][4] = None;
    rows[2][5] = None;
    Table::of(rows)
}

pub(super) const CLAIMS: Asked = Asked {
    kind: Kind::Claims,
    place: "hoso.xml",
    columns: &["MA_LK", "HO_TEN", "NGAY_VAO", "T_TONGCHI_BV", "@HOSO", "@NGAYLAP", "@MACSKCB"],
    settings: &[("table", "1")],
};

const SERVICES: Asked =
    Asked { columns: &["MA_LK", "TEN_NGUOI_THUC_HIEN"], settings: &[("table", "3")], ..CLAIMS };

pub(super) const BOOK: Asked =
    Asked { kind: Kind::Book, place: "thang.xlsx", columns: &HEADED, settings: &[("header", "1")] };

/// The same workbook by the letters of its columns.
pub(super) const LETTERS: Asked = Asked {
    columns: &["A", "C", "E", "G", "@B2", "@sheet"],
    settings: &[("fill", "down"), ("skip_empty", "false")],
    ..BOOK
};

pub(super) const CSV: Asked = Asked {
    kind: Kind::Table,
    place: "luot.csv",
    columns: &files::COLUMNS,
    settings: &[("format", "csv")],
};

pub(super) const TSV: Asked = Asked { place: "luot.tsv", settings: &[("format", "tsv")], ..CSV };

pub(super) const UTF_16: Asked =
    Asked { settings: &[("format", "csv"), ("encoding", "utf-16")], ..CSV };

pub(super) const WINDOWS_1258: Asked =
    Asked { settings: &[("format", "csv"), ("encoding", "windows-1258")], ..CSV };

pub(super) const TCVN3: Asked =
    Asked { settings: &[("format", "csv"), ("encoding", "tcvn3")], ..CSV };

pub(super) const VNI: Asked = Asked { settings: &[("format", "csv"), ("encoding", "vni")], ..CSV };

pub(super) const RESOURCES: Asked = Asked {
    kind: Kind::Resources,
    place: "quan_sat.ndjson",
    columns: &["id", "subject.identifier.value", "subject.display", "effective[x]", "code.text"],
    settings: &[("resource", "Observation")],
};

pub(super) const PARQUET: Asked =
    Asked { place: "luot.parquet", settings: &[("format", "parquet")], ..CSV };

/// Each reader with a valid file for it.
pub(super) fn all() -> Vec<(Asked, Vec<u8>)> {
    let table = table();
    let claims = files::claims(&table, &table);
    let csv = files::delimited(&table, ",");
    let book = files::workbook(&table);
    vec![
        (CLAIMS, claims.clone()),
        (SERVICES, claims),
        (CLAIMS, document()),
        (BOOK, book.clone()),
        (LETTERS, book),
        (CSV, csv.clone().into_bytes()),
        (TSV, files::delimited(&table, "\t").into_bytes()),
        (UTF_16, utf_16(&csv)),
        (WINDOWS_1258, with_name(&csv, b"Pha\xf2m")),
        (TCVN3, with_name(&csv, b"Ph\xb9m")),
        (VNI, with_name(&csv, b"Pha\xefm")),
        (RESOURCES, files::fhir(&table).into_bytes()),
        (PARQUET, files::parquet(&table)),
    ]
}

/// A document of the claims as it is, without an envelope.
fn document() -> Vec<u8> {
    let record: &[(&str, &str)] = &[
        ("MA_LK", "BIMAT-1"),
        ("HO_TEN", "BIMAT & <Pham>"),
        ("NGAY_VAO", "202603050830"),
        ("T_TONGCHI_BV", "48151.25"),
    ];
    let mut bytes = Vec::new();
    write_document(&mut bytes, Part { table: 1, records: &[record] }).unwrap();
    bytes
}

/// With a mark of its order.
pub(super) fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A text of ASCII whose family names are written in an old encoding.
pub(super) fn with_name(text: &str, name: &[u8]) -> Vec<u8> {
    let mut parts = text.split("Pham");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}
