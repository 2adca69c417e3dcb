//! The same rows in every form that a file may have.

use std::io::{Cursor, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use chrono::NaiveDate;
use connectors::claims_xml::writer::{ClaimsWriter, Header, Part};
use parquet::arrow::ArrowWriter;
use serde_json::{Map, Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::rows::{AMOUNT, Cells, DAY, KIND, NAME, NUMBER, PERSON, PHONE, Table};

/// The columns of plain tables.
pub(crate) const COLUMNS: [&str; 7] =
    ["so_thu_tu", "so_dinh_danh", "ho_ten", "dien_thoai", "ngay", "loai", "so_luong"];

/// The fields of table 1 of the claims, and those of table 3.
const CLAIM: [&str; 7] =
    ["MA_LK", "SO_CCCD", "HO_TEN", "DIEN_THOAI", "NGAY_VAO", "LY_DO_VV", "T_TONGCHI_BV"];
const SERVICE: [&str; 7] = [
    "MA_LK",
    "NGUOI_THUC_HIEN",
    "TEN_NGUOI_THUC_HIEN",
    "DIEN_THOAI",
    "NGAY_YL",
    "NHOM_DICH_VU",
    "THANH_TIEN_BV",
];

/// The header of the workbook.
pub(crate) const HEADED: [&str; 7] =
    ["STT", "Số định danh", "Họ và tên", "Điện thoại", "Ngày khám", "Loại", "Số lượng"];

fn text(row: &Cells, column: usize) -> &str {
    row[column].as_deref().unwrap_or_default()
}

/// Lines of fields; empty where there is nothing.
pub(crate) fn delimited(table: &Table, delimiter: &str) -> String {
    let line = |row: &Cells| {
        let fields: Vec<&str> = (0..row.len()).map(|column| text(row, column)).collect();
        format!("{}\n", fields.join(delimiter))
    };
    let head = format!("{}\n", COLUMNS.join(delimiter));
    head + &table.rows.iter().map(line).collect::<String>()
}

/// A text in the bytes of TCVN3, as far as the kinds need it.
pub(crate) fn tcvn3(text: &str) -> Vec<u8> {
    let byte = |letter: char| match letter {
        'ộ' => 0xe9,
        'đ' => 0xae,
        'ố' => 0xe8,
        'é' => 0xd0,
        'á' => 0xb8,
        _ => u8::try_from(letter).ok().filter(u8::is_ascii).unwrap(),
    };
    text.chars().map(byte).collect()
}

/// A claims file: each visit has a record of table 1 and one of table 3.
pub(crate) fn claims(visits: &Table, services: &Table) -> Vec<u8> {
    assert_eq!(visits.rows.len(), services.rows.len());
    let hoso = u64::try_from(visits.rows.len()).unwrap();
    let header = Header { facility: "01001", made_on: "20260715", hoso };
    let mut writer = ClaimsWriter::begin(Vec::new(), header).unwrap();
    for (visit, service) in visits.rows.iter().zip(&services.rows) {
        let (one_at, three_at) = (instant(visit), instant(service));
        let one = record(visit, &one_at, CLAIM);
        let three = record(service, &three_at, SERVICE);
        let parts =
            [Part { table: 1, records: &[&one[..]] }, Part { table: 3, records: &[&three[..]] }];
        writer.hoso(&parts).unwrap();
    }
    writer.end().unwrap()
}

fn record<'a>(row: &'a Cells, at: &'a str, tags: [&'a str; 7]) -> Vec<(&'a str, &'a str)> {
    let field =
        |(column, tag): (usize, &'a str)| (tag, if column == DAY { at } else { text(row, column) });
    tags.into_iter().enumerate().map(field).collect()
}

/// The day with a time, in twelve digits.
fn instant(row: &Cells) -> String {
    row[DAY].as_ref().map(|day| format!("{}0830", day.replace('-', ""))).unwrap_or_default()
}

/// Resources, one a line.
pub(crate) fn fhir(table: &Table) -> String {
    let resource = |row: &Cells| {
        let mut all = Map::new();
        all.insert("resourceType".to_owned(), json!("Observation"));
        all.insert("id".to_owned(), json!(text(row, NUMBER)));
        let person = json!({ "value": text(row, PERSON) });
        let subject = json!({ "identifier": person, "display": text(row, NAME) });
        all.insert("subject".to_owned(), subject);
        all.insert("contact".to_owned(), json!({ "value": text(row, PHONE) }));
        if let Some(day) = &row[DAY] {
            all.insert("effectiveDateTime".to_owned(), json!(day));
        }
        if let Some(kind) = &row[KIND] {
            all.insert("code".to_owned(), json!({ "text": kind }));
        }
        all.insert("valueQuantity".to_owned(), json!({ "value": amount(row) }));
        format!("{}\n", Value::Object(all))
    };
    table.rows.iter().map(resource).collect()
}

/// Rows of a web service; what is missing is null.
pub(super) fn members(table: &Table) -> Vec<Value> {
    let object = |row: &Cells| {
        let person = json!({
            "so": row[PERSON],
            "ten": row[NAME],
            "dien_thoai": row[PHONE],
        });
        json!({
            "stt": text(row, NUMBER).parse::<u64>().unwrap(),
            "nguoi": person,
            "ngay": row[DAY],
            "loai": row[KIND],
            "so_luong": amount(row),
        })
    };
    table.rows.iter().map(object).collect()
}

/// A number where the cell is one.
fn amount(row: &Cells) -> Value {
    match text(row, AMOUNT).parse::<f64>() {
        Ok(number) => json!(number),
        Err(_) => json!(row[AMOUNT]),
    }
}

/// Numbers and days have types of their own.
pub(crate) fn parquet(table: &Table) -> Vec<u8> {
    let texts = |column: usize| -> ArrayRef {
        Arc::new(table.rows.iter().map(|row| row[column].as_deref()).collect::<StringArray>())
    };
    let number = |row: &Cells| row[NUMBER].as_ref().map(|text| text.parse::<i64>().unwrap());
    let numbers: ArrayRef = Arc::new(table.rows.iter().map(number).collect::<Int64Array>());
    let days = table.rows.iter().map(|row| day(row).map(warehouse::grid::days_since_epoch));
    let days: ArrayRef = Arc::new(days.collect::<Date32Array>());
    let column = |(at, name): (usize, &'static str)| {
        let cells = match at {
            NUMBER => Arc::clone(&numbers),
            DAY => Arc::clone(&days),
            _ => texts(at),
        };
        (name, cells, true)
    };
    let columns = COLUMNS.into_iter().enumerate().map(column);
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn day(row: &Cells) -> Option<NaiveDate> {
    row[DAY].as_ref().map(|text| text.parse().unwrap())
}

const OPEN_XML: &str = "http://schemas.openxmlformats.org";

/// The part that is the sheet of a workbook.
pub(crate) const SHEET: &str = "xl/worksheets/sheet0.xml";

/// Format 1 is a day.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

/// A workbook with one sheet, its header in the first row. A personal number that lost its zeros is
/// a number there.
pub(crate) fn workbook(table: &Table) -> Vec<u8> {
    archive(&workbook_parts(&sheet_data(table)))
}

/// The rows of such a sheet.
pub(crate) fn sheet_data(table: &Table) -> String {
    let mut rows = sheet_row(1, HEADED.map(|name| Some(inline(name))));
    for (at, row) in table.rows.iter().enumerate() {
        rows += &sheet_row(at + 2, std::array::from_fn(|column| sheet_cell(row, column)));
    }
    rows
}

/// The parts of a workbook whose sheet has these rows; the sheet is the last.
pub(crate) fn workbook_parts(rows: &str) -> Vec<(&'static str, Vec<u8>)> {
    let relation = |kind: &str, target: &str| {
        let kind = format!("{OPEN_XML}/officeDocument/2006/relationships/{kind}");
        let one = format!(r#"<Relationship Id="r0" Type="{kind}" Target="{target}"/>"#);
        format!(
            r#"<Relationships xmlns="{OPEN_XML}/package/2006/relationships">{one}</Relationships>"#
        )
    };
    let book = r#"<workbook><workbookPr date1904="0"/><sheets><sheet name="Báo cáo" sheetId="1" state="visible" r:id="r0"/></sheets></workbook>"#;
    let parts = [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet0.xml")),
        ("xl/workbook.xml", book.to_owned()),
        ("xl/sharedStrings.xml", r#"<sst count="0" uniqueCount="0"></sst>"#.to_owned()),
        ("xl/styles.xml", STYLES.to_owned()),
        (SHEET, format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ];
    parts.into_iter().map(|(name, part)| (name, part.into_bytes())).collect()
}

/// A ZIP archive of these parts.
pub(crate) fn archive(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn sheet_row(number: usize, cells: [Option<String>; 7]) -> String {
    let cell = |(column, cell): (char, Option<String>)| {
        let cell = cell?;
        Some(format!(r#"<c r="{column}{number}"{cell}</c>"#))
    };
    let cells: String = ('A'..='G').zip(cells).filter_map(cell).collect();
    format!(r#"<row r="{number}">{cells}</row>"#)
}

/// What follows the address of a cell, up to its end.
fn sheet_cell(row: &Cells, column: usize) -> Option<String> {
    let text = row[column].as_deref()?;
    let is_number = match column {
        NUMBER | AMOUNT => text.parse::<f64>().is_ok(),
        PERSON => !text.starts_with('0'),
        _ => false,
    };
    Some(match day(row).filter(|_| column == DAY) {
        Some(day) => {
            let first = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
            format!(r#" s="1"><v>{}</v>"#, (day - first).num_days())
        }
        None if is_number => format!("><v>{text}</v>"),
        None => inline(text),
    })
}

fn inline(text: &str) -> String {
    format!(r#" t="inlineStr"><is><t>{text}</t></is>"#)
}
