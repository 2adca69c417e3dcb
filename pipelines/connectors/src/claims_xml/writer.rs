//! Writes claims files as facilities send them, for tests and for made-up data: the same names and
//! forms that the reader expects, without a signature.
//!
//! It streams: [`ClaimsWriter::begin`], [`ClaimsWriter::hoso`] for each visit, and
//! [`ClaimsWriter::end`]. One visit's documents are in memory at a time.

use std::io::{self, Write};

use base64_simd::STANDARD;

use super::feed::forbidden;
use super::tables::Table;

/// Field tags and their text, in the order in which they are written. What the standard leaves out
/// is left out here; an empty text becomes an empty element.
pub type Record<'a> = &'a [(&'a str, &'a str)];

/// The records of one table in one visit.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Number of the table in the standard, 0 to 15.
    pub table: u8,
    /// Of a table with one document for each visit (1, 7, 8, 10, 11, 13, 14) one at most. Without
    /// any, the part is left out.
    pub records: &'a [Record<'a>],
}

/// What the envelope says of all visits.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// `MACSKCB`: the facility, 5 characters.
    pub facility: &'a str,
    /// `NGAYLAP`: the day on which the file is made, 8 digits.
    pub made_on: &'a str,
    /// `SOLUONGHOSO`: how many visits follow.
    pub hoso: u64,
}

/// See the module.
#[derive(Debug)]
pub struct ClaimsWriter<W> {
    out: W,
    announced: u64,
    written: u64,
    document: Vec<u8>,
    encoded: String,
}

impl<W: Write> ClaimsWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When writing fails, or the header holds what XML cannot.
    pub fn begin(mut out: W, header: Header<'_>) -> io::Result<Self> {
        let mut text = Vec::new();
        text.extend_from_slice(
            b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
              <GIAMDINHHS xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
              xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n<THONGTINDONVI>",
        );
        write_field(&mut text, "MACSKCB", header.facility)?;
        text.extend_from_slice(b"</THONGTINDONVI>\n<THONGTINHOSO>");
        write_field(&mut text, "NGAYLAP", header.made_on)?;
        write_field(&mut text, "SOLUONGHOSO", &header.hoso.to_string())?;
        text.extend_from_slice(b"\n<DANHSACHHOSO>\n");
        out.write_all(&text)?;
        let (document, encoded) = (Vec::new(), String::new());
        Ok(Self { out, announced: header.hoso, written: 0, document, encoded })
    }

    /// Writes a visit.
    ///
    /// # Errors
    /// When writing fails, a table is none of the standard or has more records than its form allows,
    /// a tag is none, or a text holds a character that XML forbids.
    pub fn hoso(&mut self, parts: &[Part<'_>]) -> io::Result<()> {
        self.out.write_all(b"<HOSO>\n")?;
        for part in parts.iter().filter(|part| !part.records.is_empty()) {
            self.document.clear();
            write_document(&mut self.document, *part)?;
            self.encoded.clear();
            STANDARD.encode_append(&self.document, &mut self.encoded);
            write!(
                self.out,
                "<FILEHOSO>\n<LOAIHOSO>XML{}</LOAIHOSO>\n<NOIDUNGFILE>{}</NOIDUNGFILE>\n</FILEHOSO>\n",
                part.table, self.encoded
            )?;
        }
        self.written += 1;
        self.out.write_all(b"</HOSO>\n")
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// When writing fails, or there were more or fewer visits than announced.
    pub fn end(mut self) -> io::Result<W> {
        if self.written != self.announced {
            return Err(unusable("the visits are not as many as SOLUONGHOSO announces"));
        }
        self.out.write_all(b"</DANHSACHHOSO>\n</THONGTINHOSO>\n<CHUKYDONVI/>\n</GIAMDINHHS>\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes the document of one table without an envelope, as check-in messages are sent.
///
/// # Errors
/// As [`ClaimsWriter::hoso`].
pub fn write_document(out: &mut impl Write, part: Part<'_>) -> io::Result<()> {
    let table = Table::numbered(part.table).ok_or_else(|| unusable("there is no such table"))?;
    if table.is_single() && part.records.len() != 1 {
        return Err(unusable("a document of this table is one record"));
    }
    let mut text = Vec::new();
    text.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    let (record, wrappings) =
        table.path.split_last().ok_or_else(|| unusable("there is no record"))?;
    for name in wrappings {
        text.extend_from_slice(format!("<{name}>\n").as_bytes());
    }
    for fields in part.records {
        text.extend_from_slice(format!("<{record}>\n").as_bytes());
        for (tag, value) in *fields {
            write_field(&mut text, tag, value)?;
            text.push(b'\n');
        }
        text.extend_from_slice(format!("</{record}>\n").as_bytes());
        out.write_all(&text)?;
        text.clear();
    }
    for name in wrappings.iter().rev() {
        text.extend_from_slice(format!("</{name}>\n").as_bytes());
    }
    out.write_all(&text)
}

fn write_field(out: &mut Vec<u8>, tag: &str, value: &str) -> io::Result<()> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !tag.bytes().all(is_name) || !tag.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(unusable("a tag is no name of a field"));
    }
    if forbidden(value.as_bytes()).is_some() {
        return Err(unusable("a text holds a control character"));
    }
    if value.is_empty() {
        out.extend_from_slice(format!("<{tag}/>").as_bytes());
        return Ok(());
    }
    out.push(b'<');
    out.extend_from_slice(tag.as_bytes());
    out.push(b'>');
    for byte in value.bytes() {
        match byte {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            // Written as it is, it would be read as the end of a line.
            b'\r' => out.extend_from_slice(b"&#13;"),
            byte => out.push(byte),
        }
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(tag.as_bytes());
    out.push(b'>');
    Ok(())
}

fn unusable(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
