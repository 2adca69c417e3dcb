//! What is written is read.

use std::io::{self, Read};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::claims_xml::parts::Parts;

const FIELDS: [&str; 6] = ["MA_LK", "STT", "HO_TEN", "DU_PHONG", "T_BHTT", "CHAN_DOAN_RV"];

/// A record: of each field nothing, or its text.
type Made = [Option<String>; FIELDS.len()];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        Just("]]>".to_owned()),
        "[\t\r\n &<>;\"'ẤđỸ\u{301}]{0,9}",
        "[0-9]{1,12}"
    ]
}

fn record() -> impl Strategy<Value = Made> {
    proptest::array::uniform6(proptest::option::of(text())).prop_map(|mut made| {
        // The standard wants this one in every record.
        made[0].get_or_insert_with(String::new);
        made
    })
}

fn write(visits: &[Vec<Made>], table: u8) -> Vec<u8> {
    let header = Header { facility: "79001", made_on: "20250131", hoso: visits.len() as u64 };
    let mut writer = ClaimsWriter::begin(Vec::new(), header).unwrap();
    for visit in visits {
        let fields: Vec<Vec<(&str, &str)>> = visit
            .iter()
            .map(|made| {
                let present = FIELDS.iter().zip(made);
                present.filter_map(|(tag, text)| Some((*tag, text.as_deref()?))).collect()
            })
            .collect();
        let records: Vec<&[(&str, &str)]> = fields.iter().map(Vec::as_slice).collect();
        writer.hoso(&[Part { table, records: &records }]).unwrap();
    }
    writer.end().unwrap()
}

/// What the reader must give: what is empty is null.
fn expected(visits: &[Vec<Made>]) -> Rows {
    let cell = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    visits.iter().flatten().map(|made| made.iter().map(cell).collect()).collect()
}

fn check(visits: &[Vec<Made>], table: u8) {
    let outcome = read(write(visits, table), table, &FIELDS);
    let seen = |field: usize| visits.iter().flatten().any(|made| made[field].is_some());
    let is_empty = visits.iter().all(Vec::is_empty);
    match (0..FIELDS.len()).find(|field| !seen(*field)).filter(|_| !is_empty) {
        None => assert_eq!(outcome.unwrap(), expected(visits)),
        Some(field) => {
            let error = outcome.unwrap_err();
            let SourceError::MissingColumn { column, .. } = &error else { panic!("{error}") };
            assert_eq!(column, FIELDS[field]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn lists_of_records_are_read_as_they_were_written(
        visits in vec(vec(record(), 0..4), 0..4),
        table in prop_oneof![Just(0), 2_u8..=6, Just(9), Just(12), Just(15)],
    ) {
        check(&visits, table);
    }

    #[test]
    fn single_records_are_read_as_they_were_written(
        visits in vec(vec(record(), 1), 0..5),
        table in prop_oneof![Just(1_u8), 7_u8..=8, 10_u8..=11, 13_u8..=14],
    ) {
        check(&visits, table);
    }
}

/// Gives a few bytes at a time.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    let lines = STANDARD.encode(drugs("<CHI_TIET_THUOC><MA_LK>Ấ&amp;Ỹ</MA_LK></CHI_TIET_THUOC>"));
    let lines: String = lines
        .as_bytes()
        .chunks(19)
        .map(|line| format!("{}\r\n", std::str::from_utf8(line).unwrap()))
        .collect();
    let plain = drugs("<CHI_TIET_THUOC><MA_LK><![CDATA[Đ]]]>ạ&#7885;</MA_LK></CHI_TIET_THUOC>");
    let bytes = format!("\u{feff}{}", envelope(&[&file_part(2, &lines), &file_part(2, &plain)]));
    let parts = |input: &mut dyn Read| {
        let parts = Parts::of(input, &Limits::default(), &mut Vec::new());
        parts.map_err(|(fault, _)| fault).unwrap().all
    };
    let whole = parts(&mut bytes.as_bytes());
    assert_eq!(whole.len(), 2);
    for step in (1..40).chain([64, 1000, 100_000]) {
        assert_eq!(parts(&mut Dribble(bytes.as_bytes(), step)), whole, "{step}");
    }
    assert_eq!(read(bytes, 2, &["MA_LK"]).unwrap(), rows(&[&["Ấ&Ỹ"], &["Đ]ạọ"]]));
}

#[test]
fn the_writer_refuses_what_the_standard_has_not() {
    let header = Header { facility: "79001", made_on: "20250131", hoso: 1 };
    let begin = || ClaimsWriter::begin(Vec::new(), header).unwrap();
    let refuses = |part: Part<'_>| begin().hoso(&[part]).is_err();
    let record: &[_] = &[("MA_LK", "1")];
    assert!(!refuses(Part { table: 1, records: &[record] }));
    assert!(refuses(Part { table: 1, records: &[record, record] }));
    assert!(refuses(Part { table: 16, records: &[record] }));
    assert!(refuses(Part { table: 1, records: &[&[("MA LK", "1")]] }));
    assert!(refuses(Part { table: 1, records: &[&[("MA_LK", "\u{1}")]] }));
    assert!(begin().end().is_err());
}

#[test]
fn many_rows_come_in_several_batches_and_in_order() {
    let made = |number: usize| -> Made {
        let text = |value: String| Some(value);
        [
            text(number.to_string()),
            text("1".into()),
            text("x".into()),
            text("-".into()),
            text("0".into()),
            text("y".into()),
        ]
    };
    let visits: Vec<Vec<Made>> =
        (0..2).map(|half| (half * 20_000..(half + 1) * 20_000).map(made).collect()).collect();
    let rows = read(write(&visits, 3), 3, &FIELDS).unwrap();
    assert_eq!(rows.len(), 40_000);
    assert!(rows.iter().enumerate().all(|(at, row)| row[0].as_deref() == Some(&*at.to_string())));
}
