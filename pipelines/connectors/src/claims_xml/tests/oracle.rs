//! The scanner beside the crate `quick-xml`: both give the same rows of a document, or both refuse it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::*;
use crate::claims_xml::document::read_document;
use crate::claims_xml::fault::{Fault, Outcome};
use crate::claims_xml::feed::forbidden;
use crate::claims_xml::markup::{character, check_declaration, check_tag};
use crate::claims_xml::plan::Plan;
use crate::claims_xml::records::Records;
use crate::claims_xml::scan::Tag;

const COLUMNS: [&str; 3] = ["MA_LK", "STT", "TEN_THUOC"];

type Reading = fn(&[u8], &mut Records<'_>) -> Outcome;

/// The rows of a document of table 2, read in that way; `None` where it is refused.
fn rows_of(document: &[u8], reading: Reading) -> Option<Rows> {
    let plan = Plan::of(&request("", 2, &COLUMNS)).unwrap();
    let limits = Limits { cell_bytes: 40, cells: 12, depth: 6, ..Limits::default() };
    let mut rows = Rows::new();
    let mut sink = |batch: arrow::array::RecordBatch| {
        let cell = |column: usize, row: usize| {
            let column = batch.column(column).as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        rows.extend((0..batch.num_rows()).map(|row| (0..3).map(|at| cell(at, row)).collect()));
        true
    };
    let mut records = Records::new(&plan, &limits, &mut sink);
    let outcome = reading(document, &mut records).and_then(|()| records.flush());
    outcome.is_ok().then_some(rows)
}

fn by_scanner(document: &[u8], records: &mut Records<'_>) -> Outcome {
    read_document(document, usize::MAX, records)
}

fn by_crate(document: &[u8], records: &mut Records<'_>) -> Outcome {
    let refused = || Fault::wrong("refused");
    let text = std::str::from_utf8(document).map_err(|_| refused())?;
    if forbidden(document).is_some() {
        return Err(refused());
    }
    records.begin_document();
    let mut reader = Reader::from_reader(document);
    loop {
        let event = reader.read_event().map_err(|_| refused())?;
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.name();
                let is_empty = matches!(event, Event::Empty(_));
                check_tag(&Tag { name: name.as_ref(), content: tag, is_empty })?;
                records.start(name.as_ref())?;
                if is_empty {
                    records.end(name.as_ref(), text)?;
                }
            }
            Event::End(tag) => records.end(tag.name().as_ref(), text)?,
            Event::Text(text) => records.text(text)?,
            Event::CData(text) => records.text(text)?,
            Event::GeneralRef(reference) => records.character(character(reference)?)?,
            Event::Decl(declaration) => check_declaration(declaration)?,
            Event::DocType(_) => return Err(refused()),
            Event::Eof => return records.end_document(),
            Event::Comment(_) | Event::PI(_) => {}
        }
    }
}

/// What documents are made of, and what they should not be made of.
const PIECES: [&str; 46] = [
    "<CHI_TIET_THUOC>",
    "</CHI_TIET_THUOC>",
    "<DSACH_CHI_TIET_THUOC>",
    "</DSACH_CHI_TIET_THUOC>",
    "<MA_LK>",
    "</MA_LK>",
    "<MA_LK>1</MA_LK>",
    "<MA_LK/>",
    "<STT>2</STT>",
    "<STT></STT>",
    "<STT />",
    "<STT a='>'>",
    "</STT >",
    "<TEN_THUOC>Thuốc Ấ</TEN_THUOC>",
    "<TEN_THUOC>dài hơn bốn mươi ký tự thì bị từ chối</TEN_THUOC>",
    "<TEN_THUOC>a&amp;b\r\nc</TEN_THUOC>",
    "<TEN_THUOC_KHAC>x</TEN_THUOC_KHAC>",
    "<KHAC>y</KHAC>",
    "<KHAC> </KHAC>",
    "<KHAC><MA_LK>1</MA_LK></KHAC>",
    "<CHUKYDONVI>s</CHUKYDONVI>",
    "<!-- - -->",
    "<!--->",
    "<!-",
    "<![CDATA[<&]>]]>",
    "<![CDATA[",
    "]]>",
    "<?p x?>",
    "<?xml version='1.0' encoding='UTF-8'?>",
    "<?xml encoding='utf-16'?>",
    "<?>",
    "<!DOCTYPE a>",
    "&lt;",
    "&#7885;",
    "&#x1;",
    "&khac;",
    "&",
    ";",
    "<",
    ">",
    "'",
    "\"",
    "\r\n",
    "\n    ",
    "chữ",
    "\u{feff}",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    vec(select(PIECES.as_slice()), 0..14).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Records as programs write them, so that most of it is plain.
fn list() -> impl Strategy<Value = Vec<u8>> {
    let field = select(&PIECES[6..21]);
    let text = prop_oneof![Just(""), Just("\n"), Just("\r\n  "), Just("<!-- x -->")];
    let record = vec((field, text), 0..8).prop_map(|fields| {
        let fields: String = fields.iter().map(|(field, text)| format!("{field}{text}")).collect();
        format!("<CHI_TIET_THUOC>\n{fields}</CHI_TIET_THUOC>\n")
    });
    vec(record, 0..5).prop_map(|records| drugs(&records.concat()).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_are_read_as_the_crate_reads_them(document in soup()) {
        prop_assert_eq!(rows_of(&document, by_scanner), rows_of(&document, by_crate));
    }

    #[test]
    fn any_records_are_read_as_the_crate_reads_them(
        mut document in list(),
        changes in vec((any::<Index>(), prop_oneof![any::<u8>(), select(&b"<>&;/!-]' \r"[..])]), 0..3),
    ) {
        for (at, byte) in changes {
            let at = at.index(document.len());
            document[at] = byte;
        }
        prop_assert_eq!(rows_of(&document, by_scanner), rows_of(&document, by_crate));
    }
}
