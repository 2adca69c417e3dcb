//! Files that are no workbooks, or that were made to do harm.

use proptest::prelude::*;

use super::workbook::{Workbook, archive};
use super::*;

/// The refusal of a file, asked for its first column.
async fn refused(bytes: Vec<u8>) -> String {
    refusal(bytes, &["A"], &[("sheet", "S")]).await
}

fn small() -> Workbook {
    let cells = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>46053</v></c></row>
        <row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="b"><v>0</v></c></row>"#;
    Workbook::new().sheet("S", cells, &["A1:A2"]).shared(&["secret"])
}

/// Overwrites what stands at an offset in the directory's entry of the last part.
fn patch_directory(bytes: &mut [u8], offset: usize, value: &[u8]) {
    let entry = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[entry + offset..entry + offset + value.len()].copy_from_slice(value);
}

#[tokio::test]
async fn what_is_no_xlsx_is_told_what_it_is() {
    let old = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat();
    assert!(refused(old.clone()).await.contains("an old .xls; open it and save it as .xlsx"));
    let name: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
    assert!(refused([old, name].concat()).await.contains("locked with a password"));
    assert!(refused(b"<html>".to_vec()).await.contains("it is no workbook"));
    assert!(refused(Vec::new()).await.contains("it is no workbook"));
    let other = archive(&[("content.xml".to_owned(), b"<a/>".to_vec())]);
    assert!(refused(other).await.contains("it holds no workbook that can be read"));
    let mut cut = small().bytes();
    cut.truncate(cut.len() / 2);
    assert!(refused(cut).await.contains("it was cut short"));
}

#[tokio::test]
async fn a_part_that_unpacks_to_too_much_is_refused() {
    let bomb = small().part("xl/media/image1.png", vec![0; 9 << 20]).bytes();
    assert!(bomb.len() < 32 << 10);
    let error = refused(bomb.clone()).await;
    let too_much = "f.xlsx has a part that unpacks to more than it may; the bound is";
    assert_eq!(error, format!("{too_much} 200 times the packed size"));
    let mut huge = bomb.clone();
    patch_directory(&mut huge, 24, &(100u32 << 20).to_le_bytes());
    assert_eq!(refused(huge).await, format!("{too_much} 64 MiB"));
    // A directory that says less does not help it: nothing past that size comes out.
    let mut lying = bomb;
    patch_directory(&mut lying, 24, &7u32.to_le_bytes());
    assert!(refused(lying).await.contains("a part of it is damaged"));
    // Up to a mebibyte the ratio says nothing.
    let even = small().part("xl/media/image1.png", vec![0; 1 << 20]).bytes();
    assert_eq!(direct(&even, &request(&["A"], &[])).unwrap(), 2);
}

#[tokio::test]
async fn all_parts_together_and_their_number_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.xlsx"), small().bytes()).unwrap();
    let usual = Limits::default();
    let error = async |limits| {
        let source = Xlsx::new(Some(folder.path().to_owned())).with_limits(limits);
        source.examine(&request(&["A"], &[])).await.unwrap_err().to_string()
    };
    let total = error(Limits { total_bytes: 1000, ..usual }).await;
    assert!(total.starts_with("f.xlsx unpacks to more than it may"), "{total}");
    let parts = error(Limits { parts: 5, ..usual }).await;
    assert_eq!(parts, "f.xlsx has more parts than it may; the bound is 5");
    let file = error(Limits { file_bytes: 100, ..usual }).await;
    assert!(file.starts_with("f.xlsx is larger than it may be"), "{file}");
    let source = Xlsx::new(Some(folder.path().to_owned()));
    source.with_limits(Limits { parts: 6, ..usual }).examine(&request(&["A"], &[])).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_lies_or_leads_out_is_refused() {
    let mut smaller = small().bytes();
    patch_directory(&mut smaller, 24, &7u32.to_le_bytes());
    let error = refused(smaller).await;
    assert!(error.contains("a part of it is damaged"), "{error}");
    let mut larger = small().bytes();
    patch_directory(&mut larger, 24, &70_000u32.to_le_bytes());
    assert!(refused(larger).await.contains("another size than its directory says"));
    let mut encrypted = small().bytes();
    patch_directory(&mut encrypted, 8, &[1]);
    assert!(refused(encrypted).await.contains("a part is encrypted"));
    for name in ["../x.xml", "/x.xml", "a/../../x.xml", "a\\..\\x.xml", "C:x.xml"] {
        let error = refused(small().part(name, "<a/>").bytes()).await;
        assert!(error.contains("leads out of it"), "{name}: {error}");
    }
    let twice = small().part("XL/Workbook.xml", "<workbook/>").bytes();
    assert!(refused(twice).await.contains("two parts of one name"));
}

#[tokio::test]
async fn what_the_reader_would_take_at_its_word_is_refused() {
    let cell = |address: &str| {
        small().sheet("T", &format!(r#"<row><c r="{address}"><v>1</v></c></row>"#), &[])
    };
    for address in ["A4294967297", "AAAAAAAAAAA1", "A1048577", "XFE1", "A0", "1", "A"] {
        assert!(
            refused(cell(address).bytes()).await.contains("a cell has an address"),
            "{address}"
        );
    }
    let row = small().sheet("T", r#"<row r="99999999999"/>"#, &[]);
    assert!(refused(row.bytes()).await.contains("a row has a number"));
    for region in ["B2:A1", "A1:A99999999999", "A:B", ""] {
        let merged = small().sheet("T", "", &[region]);
        assert!(refused(merged.bytes()).await.contains("a region has an address"), "{region}");
    }
    let texts = small().part("xl/sharedStrings.xml", r#"<sst uniqueCount="99999999999999"/>"#);
    assert!(refused(texts.bytes()).await.contains("more texts than"));
    let formats =
        format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(140_000));
    let formats = small().part("xl/styles.xml", formats);
    assert!(refused(formats.bytes()).await.contains("more styles than"));
    let long = format!(r#"<styleSheet><numFmt formatCode="{}"/></styleSheet>"#, "0".repeat(2000));
    assert!(
        refused(small().part("xl/styles.xml", long).bytes()).await.contains("a style is longer")
    );
    let entity = r#"<!DOCTYPE a [<!ENTITY b "c">]><sst/>"#;
    let entity = small().part("xl/sharedStrings.xml", entity);
    assert!(refused(entity.bytes()).await.contains("a document type"));
    let utf16: Vec<u8> = "\u{feff}<sst/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // What an office adds of its own is never a sheet.
    let own = small().part("customXml/item1.xml", utf16.clone()).bytes();
    assert_eq!(direct(&own, &request(&["A"], &[])).unwrap(), 2);
    assert!(
        refused(small().part("xl/sharedStrings.xml", utf16).bytes()).await.contains("not UTF-8")
    );
    let other = r#"<?xml version="1.0" encoding="windows-1258"?><sst/>"#;
    let other = small().part("xl/sharedStrings.xml", other);
    assert!(refused(other.bytes()).await.contains("says that it is not UTF-8"));
    let elsewhere = r#"<a><Relationship Id="r0" Type="x/worksheet" Target="a.bin"/></a>"#;
    let elsewhere = small().part("xl/_rels/workbook.xml.rels", elsewhere);
    assert!(refused(elsewhere.bytes()).await.contains("not kept as XML"));
}

#[tokio::test]
async fn sheets_whose_cells_are_out_of_order_are_refused() {
    let sheet = |cells: &str| Workbook::new().sheet("S", cells, &[]).bytes();
    let back = r#"<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>"#;
    assert!(refused(sheet(back)).await.contains("in or behind row 2: its cells are not written"));
    let twice = r#"<row><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>"#;
    assert!(refused(sheet(twice)).await.contains("cell A1: it is there twice"));
    let unclosed = r#"<row><c r="A1"><v>1"#;
    assert!(refused(sheet(unclosed)).await.starts_with("f.xlsx is not valid XLSX in sheet `S`"));
    let text = r#"<row><c r="A1" t="s"><v>9</v></c></row>"#;
    assert!(refused(sheet(text)).await.contains("its cells are not written"));
}

#[tokio::test]
async fn a_long_text_that_many_cells_share_stays_within_memory() {
    let long = "x".repeat(100_000);
    let cells: String = (0..1000).map(|_| r#"<row><c t="s"><v>0</v></c></row>"#).collect();
    let workbook = Workbook::new().sheet("S", &cells, &[]).shared(&[&long]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.xlsx"), workbook.bytes()).unwrap();
    let source = Xlsx::new(Some(folder.path().to_owned()));
    let snapshot = source.open(&request(&["A"], &[])).await.unwrap().unwrap();
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await.unwrap();
    assert!(batches.len() > 1 && batches.iter().all(|batch| batch.num_rows() < 400));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1000);
    let header = "<row>".to_owned() + &r#"<c t="s"><v>0</v></c>"#.repeat(200) + "</row>";
    let workbook = Workbook::new().sheet("S", &header, &[]).shared(&[&long]);
    let error = refusal(workbook.bytes(), &["Tên"], &[("header", "1")]).await;
    assert!(error.starts_with("f.xlsx, sheet `S`, has longer texts in its header"), "{error}");
}

fn asked() -> Request {
    request(&["A", "B", "@A1"], &[("sheet", "*"), ("fill", "down"), ("skip_empty", "false")])
}

proptest! {
    #[test]
    fn no_bytes_of_the_archive_make_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        is_cut in prop::bool::weighted(0.2),
    ) {
        let mut bytes = small().bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Err(error) = direct(&bytes, &asked()) {
            prop_assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn no_bytes_of_a_part_make_it_panic(
        part in 0usize..6,
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), r#"[<>/"=&;A-Z0-9a-z ]{0,4}"#),
            1..4,
        ),
    ) {
        let names = ["_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/workbook.xml",
            "xl/sharedStrings.xml", "xl/styles.xml", "xl/worksheets/sheet0.xml"];
        let parts = small().own_parts();
        let (_, bytes) = parts.iter().find(|(name, _)| name == names[part]).unwrap();
        let mut bytes = bytes.clone();
        for (at, text) in changes {
            let at = at.index(bytes.len());
            let end = (at + text.len()).min(bytes.len());
            bytes.splice(at..end, text.bytes());
        }
        let workbook = small().part(names[part], bytes);
        if let Err(error) = direct(&workbook.bytes(), &asked()) {
            prop_assert!(!error.to_string().contains("secret"));
        }
    }
}
