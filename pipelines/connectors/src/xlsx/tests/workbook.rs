//! Small workbooks, written part by part.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A workbook to be.
#[derive(Clone)]
pub(super) struct Workbook {
    /// Name, state, cells and merged regions of each sheet.
    sheets: Vec<(String, &'static str, String, Vec<String>)>,
    shared: Vec<String>,
    since_1904: bool,
    /// Parts that take the place of those of their name, or come besides.
    parts: Vec<(String, Vec<u8>)>,
}

const OPEN_XML: &str = "http://schemas.openxmlformats.org";

/// Formats 1, 2 and 3 are a day, an instant and a duration.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
    <numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/></numFmts>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="46"/></cellXfs>
    </styleSheet>"#;

impl Workbook {
    pub(super) fn new() -> Self {
        Self { sheets: Vec::new(), shared: Vec::new(), since_1904: false, parts: Vec::new() }
    }

    pub(super) fn sheet(self, name: &str, cells: &str, merged: &[&str]) -> Self {
        self.with(name, "visible", cells, merged)
    }

    pub(super) fn hidden(self, name: &str, cells: &str, merged: &[&str]) -> Self {
        self.with(name, "hidden", cells, merged)
    }

    fn with(mut self, name: &str, state: &'static str, cells: &str, merged: &[&str]) -> Self {
        let merged = merged.iter().map(|&region| region.to_owned()).collect();
        self.sheets.push((name.to_owned(), state, cells.to_owned(), merged));
        self
    }

    pub(super) fn shared(mut self, texts: &[&str]) -> Self {
        self.shared = texts.iter().map(|&text| text.to_owned()).collect();
        self
    }

    pub(super) fn since_1904(mut self) -> Self {
        self.since_1904 = true;
        self
    }

    pub(super) fn part(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.parts.push((name.to_owned(), bytes.into()));
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut parts = self.own_parts();
        for (name, bytes) in &self.parts {
            parts.retain(|(own, _)| own != name);
            parts.push((name.clone(), bytes.clone()));
        }
        archive(&parts)
    }

    pub(super) fn own_parts(&self) -> Vec<(String, Vec<u8>)> {
        let relation = |id: usize, kind: &str, target: &str| {
            let kind = format!("{OPEN_XML}/officeDocument/2006/relationships/{kind}");
            format!(r#"<Relationship Id="r{id}" Type="{kind}" Target="{target}"/>"#)
        };
        let relations = |inside: &str| {
            format!(
                r#"<Relationships xmlns="{OPEN_XML}/package/2006/relationships">{inside}</Relationships>"#
            )
        };
        let mut listed = String::new();
        let mut related = String::new();
        let mut parts = Vec::new();
        for (number, (name, state, cells, merged)) in self.sheets.iter().enumerate() {
            listed +=
                &format!(r#"<sheet name="{name}" sheetId="1" state="{state}" r:id="r{number}"/>"#);
            related += &relation(number, "worksheet", &format!("worksheets/sheet{number}.xml"));
            let merged: String =
                merged.iter().map(|region| format!(r#"<mergeCell ref="{region}"/>"#)).collect();
            let sheet = format!(
                r#"<?xml version="1.0" encoding="UTF-8"?><worksheet><dimension ref="A1"/><sheetData>{cells}</sheetData><mergeCells>{merged}</mergeCells></worksheet>"#
            );
            parts.push((format!("xl/worksheets/sheet{number}.xml"), sheet));
        }
        let texts: String =
            self.shared.iter().map(|text| format!("<si><t>{text}</t></si>")).collect();
        let count = self.shared.len();
        let since = u8::from(self.since_1904);
        parts.extend([
            ("_rels/.rels".to_owned(), relations(&relation(0, "officeDocument", "xl/workbook.xml"))),
            ("xl/_rels/workbook.xml.rels".to_owned(), relations(&related)),
            (
                "xl/workbook.xml".to_owned(),
                format!(r#"<workbook><workbookPr date1904="{since}"/><sheets>{listed}</sheets></workbook>"#),
            ),
            (
                "xl/sharedStrings.xml".to_owned(),
                format!(r#"<sst count="{count}" uniqueCount="{count}">{texts}</sst>"#),
            ),
            ("xl/styles.xml".to_owned(), STYLES.to_owned()),
        ]);
        parts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
    }
}

/// A ZIP archive of these parts.
pub(super) fn archive(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
