//! What `tests/bench/claims` measures: makes up claims files, and reads tables of them as a night does.
//!
//! ```text
//! claims_xml write FOLDER FIELDS MIB
//! claims_xml read FOLDER FIELDS TABLE...
//! ```
//!
//! `FIELDS` is a list of the standard's fields as CSV, of which the columns `table_no`, `field`,
//! `type_130`, `max_len_130` and `mandatory_in_validator` are used. Files are the same each time.

#![expect(clippy::print_stdout, reason = "a program for measurements, whose answer is its output")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use connectors::claims_xml::ClaimsXml;
use connectors::claims_xml::writer::{ClaimsWriter, Header, Part, Record};
use connectors::{Request, Source};
use futures::StreamExt;

type Failure = Box<dyn std::error::Error>;

/// Tags and texts of one record.
type Cells<'a, T> = Vec<(&'a str, T)>;

/// Visits of one file.
const VISITS: u64 = 500;

/// How many records a visit has of each table: at least, at most, and in how many of a hundred.
const RECORDS: [(u8, u64, u64, u64); 9] = [
    (1, 1, 1, 100),
    (2, 1, 7, 80),
    (3, 1, 9, 100),
    (4, 1, 6, 50),
    (5, 1, 3, 20),
    (7, 1, 1, 8),
    (8, 1, 1, 8),
    (11, 1, 1, 5),
    (14, 1, 1, 15),
];

const SYLLABLES: [&str; 24] = [
    "bệnh",
    "nhân",
    "khám",
    "điều",
    "trị",
    "ngoại",
    "trú",
    "viêm",
    "họng",
    "cấp",
    "tăng",
    "huyết",
    "áp",
    "đái",
    "tháo",
    "đường",
    "thuốc",
    "viên",
    "nén",
    "uống",
    "sau",
    "ăn",
    "ngày",
    "lần",
];

/// A field of a table.
struct Field {
    tag: String,
    is_number: bool,
    /// Characters at most; none where there is no bound.
    length: Option<usize>,
    is_mandatory: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given.as_slice() {
        ["write", folder, fields, mib] => {
            write(Path::new(folder), &read_fields(fields)?, mib.parse::<u64>()? << 20)
        }
        ["read", folder, fields, tables @ ..] => {
            read(Path::new(folder), &read_fields(fields)?, tables).await
        }
        _ => Err("usage: claims_xml write FOLDER FIELDS MIB | read FOLDER FIELDS TABLE...".into()),
    }
}

fn read_fields(path: &str) -> Result<BTreeMap<u8, Vec<Field>>, Failure> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let at = |name: &str| header.iter().position(|column| *column == name).ok_or(name.to_owned());
    let (table, tag, kind) = (at("table_no")?, at("field")?, at("type_130")?);
    let (length, mandatory) = (at("max_len_130")?, at("mandatory_in_validator")?);
    let mut fields: BTreeMap<u8, Vec<Field>> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        fields.entry(cell(table).parse()?).or_default().push(Field {
            tag: cell(tag).to_owned(),
            is_number: cell(kind) == "number",
            length: cell(length).parse().ok(),
            is_mandatory: cell(mandatory) == "yes",
        });
    }
    Ok(fields)
}

/// Reads the tables one after another through one source.
async fn read(
    folder: &Path,
    fields: &BTreeMap<u8, Vec<Field>>,
    tables: &[&str],
) -> Result<(), Failure> {
    let source = ClaimsXml::new(Some(folder.to_owned()));
    for table in tables {
        let columns = fields.get(&table.parse()?).ok_or("there is no such table")?;
        let request = Request {
            place: "*.xml".to_owned(),
            columns: columns.iter().map(|field| field.tag.clone()).collect(),
            span: None,
            settings: BTreeMap::from([("table".to_owned(), (*table).to_owned())]),
        };
        let mut rows = 0;
        if let Some(snapshot) = source.open(&request).await? {
            let mut batches = snapshot.rows;
            while let Some(batch) = batches.next().await {
                rows += batch?.num_rows();
            }
        }
        println!("{table} {rows}");
    }
    Ok(())
}

fn write(folder: &Path, fields: &BTreeMap<u8, Vec<Field>>, bytes: u64) -> Result<(), Failure> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut written = 0;
    for number in 0.. {
        if written >= bytes {
            break;
        }
        let path = folder.join(format!("{number:05}.xml"));
        let header = Header { facility: "79001", made_on: "20260701", hoso: VISITS };
        let mut writer = ClaimsWriter::begin(BufWriter::new(File::create(&path)?), header)?;
        for _ in 0..VISITS {
            write_visit(&mut writer, fields, &mut random)?;
        }
        drop(writer.end()?);
        written += path.metadata()?.len();
    }
    Ok(())
}

fn write_visit(
    writer: &mut ClaimsWriter<BufWriter<File>>,
    fields: &BTreeMap<u8, Vec<Field>>,
    random: &mut Random,
) -> Result<(), Failure> {
    let link = format!("79001_{:012}", random.below(1_000_000_000_000));
    let mut made: Vec<(u8, Vec<Cells<'_, String>>)> = Vec::new();
    for (table, least, most, percent) in RECORDS {
        let Some(fields) = fields.get(&table).filter(|_| random.below(100) < percent) else {
            continue;
        };
        let records = (0..least + random.below(most - least + 1)).map(|_| {
            let mut text = |field: &Field| match field.tag.as_str() {
                "MA_LK" => link.clone(),
                _ => random.text(field),
            };
            let texts: Vec<String> = fields.iter().map(&mut text).collect();
            fields.iter().map(|field| field.tag.as_str()).zip(texts).collect()
        });
        made.push((table, records.collect()));
    }
    let borrowed: Vec<(u8, Vec<Cells<'_, &str>>)> = made
        .iter()
        .map(|(table, records)| {
            let records = records.iter().map(|fields| {
                fields.iter().map(|(tag, text)| (*tag, text.as_str())).collect::<Vec<_>>()
            });
            (*table, records.collect())
        })
        .collect();
    let records: Vec<(u8, Vec<Record<'_>>)> = borrowed
        .iter()
        .map(|(table, records)| (*table, records.iter().map(Vec::as_slice).collect()))
        .collect();
    let parts: Vec<Part<'_>> =
        records.iter().map(|(table, records)| Part { table: *table, records }).collect();
    Ok(writer.hoso(&parts)?)
}

/// The numbers of Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn text(&mut self, field: &Field) -> String {
        if !field.is_mandatory && self.below(100) < 40 {
            return String::new();
        }
        let length = field.length.unwrap_or(400);
        match (field.is_number, length) {
            (true, 0..=2) => self.below(10).to_string(),
            (true, _) => self.below(10_000_000).to_string(),
            (false, 8) => format!("202607{:02}", 1 + self.below(30)),
            (false, 12) => format!("202607{:02}{:02}30", 1 + self.below(30), self.below(24)),
            (false, 0..=100) => {
                format!("{:0width$}", self.below(1_000_000_000), width = length.min(9))
            }
            (false, _) => self.words(length),
        }
    }

    /// Words, some of them with signs that are written as references.
    fn words(&mut self, length: usize) -> String {
        let count = 2 + self.below(length.min(400) as u64 / 16);
        let mut text = String::new();
        for _ in 0..count {
            let syllable = self.below(SYLLABLES.len() as u64) as usize;
            text.push_str(SYLLABLES[syllable]);
            text.push_str(if self.below(60) == 0 { " & " } else { " " });
        }
        text.trim_end().to_owned()
    }
}
