//! Workbooks: archives that lie or are bombs, parts that are none, cells that cannot be.

use super::super::Asked;
use super::super::corpus::{self, BOOK, LETTERS};
use super::{Case, case};
use crate::kinds::files::{self, SHEET};

/// One column by its letter.
const FIRST: Asked = Asked { columns: &["A"], settings: &[], ..BOOK };

pub(super) fn cases() -> Vec<Case> {
    let mut all = no_workbooks();
    all.extend(archives());
    all.extend(parts());
    all.extend(cells());
    all.extend(headers());
    all
}

fn whole() -> Vec<u8> {
    files::workbook(&corpus::table())
}

fn no_workbooks() -> Vec<Case> {
    let whole = whole();
    let old = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat();
    let name: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
    let other = files::archive(&[("content.xml", b"<a>BIMAT</a>".to_vec())]);
    let mut all = vec![
        case(BOOK, Vec::new(), "it is no workbook"),
        case(BOOK, "BIMAT,1,2\n", "it is no workbook"),
        case(BOOK, "<html><td>BIMAT</td></html>", "it is no workbook"),
        case(BOOK, old.clone(), "an old .xls"),
        case(BOOK, [old, name].concat(), "locked with a password"),
        case(BOOK, other, "no workbook that can be read"),
    ];
    for tenth in [1, 5, 9] {
        all.push(case(BOOK, &whole[..whole.len() * tenth / 10], "cut short"));
    }
    all
}

/// Overwrites what stands at an offset in the last entry of the directory.
fn patched(mut bytes: Vec<u8>, offset: usize, value: &[u8]) -> Vec<u8> {
    let entry = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[entry + offset..entry + offset + value.len()].copy_from_slice(value);
    bytes
}

/// The workbook with one more part.
fn with(name: &str, part: Vec<u8>) -> Vec<u8> {
    let mut parts = files::workbook_parts(&files::sheet_data(&corpus::table()));
    parts.push(("x", part));
    let renamed =
        |(own, part): (&'static str, Vec<u8>)| (if own == "x" { name } else { own }, part);
    files::archive(&parts.into_iter().map(renamed).collect::<Vec<_>>())
}

/// What is wrong with the archive.
fn archives() -> Vec<Case> {
    let bomb = with("xl/media/image1.png", vec![0; 9 << 20]);
    assert!(bomb.len() < 64 << 10);
    let too_much = "has a part that unpacks to more than it may";
    let mut all = vec![
        case(BOOK, patched(bomb.clone(), 24, &(100_u32 << 20).to_le_bytes()), too_much),
        case(BOOK, patched(bomb.clone(), 24, &7_u32.to_le_bytes()), "a part of it is damaged"),
        case(BOOK, bomb, too_much),
        case(BOOK, patched(whole(), 24, &7_u32.to_le_bytes()), "a part of it is damaged"),
        case(BOOK, patched(whole(), 24, &70_000_u32.to_le_bytes()), "another size than"),
        case(BOOK, patched(whole(), 8, &[1]), "a part is encrypted"),
        case(BOOK, patched(whole(), 16, &[0xde, 0xad, 0xbe, 0xef]), "damaged"),
        case(BOOK, patched(whole(), 10, &[99, 0]), ""),
        case(BOOK, with("XL/Workbook.xml", b"<workbook/>".to_vec()), "two parts of one name"),
    ];
    for name in ["../x.xml", "/x.xml", "a/../../x.xml", "C:x.xml"] {
        all.push(case(BOOK, with(name, b"<a/>".to_vec()), "leads out of it"));
    }
    all
}

/// The workbook with another part in the place of one of its own.
fn instead(name: &str, part: impl Into<Vec<u8>>) -> Vec<u8> {
    let mut parts = files::workbook_parts(&files::sheet_data(&corpus::table()));
    parts.iter_mut().find(|(own, _)| *own == name).unwrap().1 = part.into();
    files::archive(&parts)
}

/// What the reader of workbooks would take at its word.
fn parts() -> Vec<Case> {
    let styles = "xl/styles.xml";
    let shared = "xl/sharedStrings.xml";
    let formats =
        format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(140_000));
    let long = format!(r#"<styleSheet><numFmt formatCode="{}"/></styleSheet>"#, "0".repeat(2_000));
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "BIMAT"><!ENTITY c "&b;&b;&b;">]><sst>&c;</sst>"#;
    let binary = r#"<a><Relationship Id="r0" Type="x/worksheet" Target="a.bin"/></a>"#;
    vec![
        case(BOOK, instead(shared, r#"<sst uniqueCount="99999999999999"/>"#), "more texts than"),
        case(BOOK, instead(styles, formats), "more styles than"),
        case(BOOK, instead(styles, long), "a style is longer"),
        case(BOOK, instead(shared, bomb), "a document type"),
        case(BOOK, instead(shared, corpus::utf_16("<sst/>")), "not UTF-8"),
        case(BOOK, instead(shared, b"<sst><si><t>be\xe9</t></si></sst>".as_slice()), "not UTF-8"),
        case(
            BOOK,
            instead(shared, r#"<?xml version="1.0" encoding="windows-1258"?><sst/>"#),
            "says that it is not UTF-8",
        ),
        case(BOOK, instead("xl/_rels/workbook.xml.rels", binary), "not kept as XML"),
        case(BOOK, instead("xl/workbook.xml", "<workbook/>"), ""),
        case(BOOK, instead(SHEET, ""), ""),
        case(BOOK, instead(SHEET, "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1"), ""),
    ]
}

/// A workbook whose sheet has these rows.
fn sheet(rows: &str) -> Vec<u8> {
    files::archive(&files::workbook_parts(rows))
}

fn cells() -> Vec<Case> {
    let cell = |cell: &str| sheet(&format!(r#"<row r="1">{cell}</row>"#));
    let mut all = vec![
        case(FIRST, cell(r#"<c r="A1" t="e"><v>#REF!</v></c>"#), "cell A1: it holds an error"),
        case(FIRST, cell(r#"<c r="A1"><f>BIMAT(A2)</f></c>"#), "cell A1: the formula was saved"),
        case(FIRST, cell(r#"<c r="A1" s="1"><v>60</v></c>"#), "29 February 1900"),
        case(FIRST, cell(r#"<c r="A1" s="1"><v>-1</v></c>"#), "cell A1: it is shown as a day"),
        case(FIRST, cell(r#"<c r="A1" s="1"><v>2958466</v></c>"#), "cell A1: it is shown as a day"),
        case(FIRST, cell(r#"<c r="A1" t="d"><v>2026-02-30</v></c>"#), ""),
        case(FIRST, cell(r#"<c r="A1" t="s"><v>9</v></c>"#), "its cells are not written"),
        case(
            FIRST,
            cell(r#"<c r="A1"><v>48151.25</v></c><c r="A1"><v>7183401</v></c>"#),
            "cell A1: it is there twice",
        ),
        case(
            FIRST,
            sheet(
                r#"<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>"#,
            ),
            "in or behind row 2",
        ),
        case(FIRST, sheet(r#"<row r="99999999999"/>"#), "a row has a number"),
    ];
    for address in ["A4294967297", "AAAAAAAAAAA1", "A1048577", "XFE1", "A0", "1", "A"] {
        let one = cell(&format!(r#"<c r="{address}"><v>1</v></c>"#));
        all.push(case(FIRST, one, "a cell has an address"));
    }
    let text = "x".repeat(200_000);
    let text = format!(r#"<c r="A1" t="inlineStr"><is><t>BIMAT{text}</t></is></c>"#);
    all.push(case(FIRST, cell(&text), "longer than the 32767 characters"));
    all
}

/// Columns that are missing, renamed or doubled; a table that does not end.
fn headers() -> Vec<Case> {
    let rows = files::sheet_data(&corpus::table());
    let unended = Asked { settings: &[("stop", "Tổng cộng")], ..LETTERS };
    let elsewhere = Asked { settings: &[("header", "1"), ("sheet", "Khác")], ..BOOK };
    vec![
        case(BOOK, sheet(""), "has no column"),
        case(BOOK, sheet(&rows.replace("Loại", "Phân loại")), "has no column `Loại`"),
        case(BOOK, sheet(&rows.replace("Loại", "Họ và tên")), "the column `Họ và tên` more than"),
        case(unended, whole(), "no row begins"),
        case(elsewhere, whole(), "names no sheet"),
    ]
}
