//! The binary form of COPY, cut, broken and made up.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use proptest::prelude::*;

use super::cells;
use crate::SourceError;
use crate::postgres::copy::{Decoder, Origin, schema};
use crate::postgres::kinds::Kind;

fn columns() -> Vec<(String, Kind)> {
    let kinds = [
        Kind::Int4,
        Kind::Text,
        Kind::Numeric,
        Kind::Bool,
        Kind::Date,
        Kind::Timestamptz,
        Kind::Uuid,
        Kind::Jsonb,
        Kind::Time,
        Kind::Float4,
        Kind::Char,
        Kind::Padded,
    ];
    kinds.iter().enumerate().map(|(at, kind)| (format!("c{at}"), *kind)).collect()
}

fn header() -> Vec<u8> {
    let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
    // No flags that matter, and an extension of three bytes that means nothing.
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 3, b'x', b'y', b'z']);
    bytes
}

fn row(fields: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut bytes = (fields.len() as i16).to_be_bytes().to_vec();
    for field in fields {
        let len = field.as_ref().map_or(-1, |field| field.len() as i32);
        bytes.extend(len.to_be_bytes());
        bytes.extend(field.iter().flatten());
    }
    bytes
}

fn fields(number: i32) -> Vec<Option<Vec<u8>>> {
    if number % 5 == 4 {
        return vec![None; 12];
    }
    vec![
        Some(number.to_be_bytes().to_vec()),
        Some(format!("Trạm y tế xã số {number}").into_bytes()),
        Some(vec![0, 2, 0, 0, 0x40, 0, 0, 1, 0, 12, 0x13, 0x88]),
        Some(vec![(number % 2) as u8]),
        Some((-number).to_be_bytes().to_vec()),
        Some((i64::from(number) * 1_000_001).to_be_bytes().to_vec()),
        Some((0..16).collect()),
        Some(b"\x01{}".to_vec()),
        Some(30_600_250_000_i64.to_be_bytes().to_vec()),
        Some(1.5_f32.to_be_bytes().to_vec()),
        Some(vec![b'a']),
        Some(b"A01  ".to_vec()),
    ]
}

fn stream(rows: i32) -> Vec<u8> {
    let mut bytes = header();
    (0..rows).for_each(|number| bytes.extend(row(&fields(number))));
    bytes.extend((-1_i16).to_be_bytes());
    bytes
}

fn decode(bytes: &[u8], chunk: usize, block: usize) -> Result<RecordBatch, SourceError> {
    let origin =
        Origin { server: "his:5432".to_owned(), place: "kcb.luot".to_owned(), part: Some(2) };
    let mut decoder = Decoder::with_blocks(origin, &columns(), block);
    let mut out = Vec::new();
    for chunk in bytes.chunks(chunk) {
        decoder.feed(chunk, &mut out)?;
    }
    decoder.finish(&mut out)?;
    Ok(concat_batches(&schema(&columns()), &out).unwrap())
}

fn refusal(bytes: &[u8]) -> String {
    let whole = decode(bytes, usize::MAX, 1 << 17).unwrap_err().to_string();
    assert_eq!(decode(bytes, 1, 1).unwrap_err().to_string(), whole);
    whole
}

#[test]
fn rows_are_the_same_however_they_are_cut() {
    let bytes = stream(23);
    let whole = decode(&bytes, usize::MAX, 1 << 17).unwrap();
    assert_eq!(whole.num_rows(), 23);
    assert_eq!(
        cells(&whole)[3],
        [
            "3",
            "Trạm y tế xã số 3",
            "-12.5",
            "true",
            "1999-12-29",
            "2000-01-01T00:00:03.000003Z",
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
            "{}",
            "08:30:00.25",
            "1.5",
            "a",
            "A01"
        ]
    );
    assert!(cells(&whole)[4].iter().all(|cell| cell == "∅"));
    for chunk in 1..=64 {
        assert_eq!(decode(&bytes, chunk, 1).unwrap(), whole, "{chunk}");
        assert_eq!(decode(&bytes, chunk, 100).unwrap(), whole, "{chunk}");
    }
}

#[test]
fn batches_end_where_they_are_full() {
    let bytes = stream(70_000);
    let origin = Origin { server: String::new(), place: String::new(), part: None };
    let mut decoder = Decoder::new(origin, &columns());
    let mut out = Vec::new();
    decoder.feed(&bytes, &mut out).unwrap();
    decoder.finish(&mut out).unwrap();
    let rows: Vec<usize> = out.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [32_768, 32_768, 4_464]);
    let numbers = cells(&concat_batches(&out[0].schema(), &out).unwrap());
    assert!(numbers.iter().enumerate().all(|(at, row)| at % 5 == 4 || row[0] == at.to_string()));
}

#[test]
fn what_is_not_of_the_form_is_told_with_its_row() {
    let good = stream(3);
    let cut = &good[..good.len() - 2];
    assert!(refusal(cut).contains("in row 4 of connection 2: the bytes end in it"));
    assert!(refusal(&[]).contains("the bytes end"));
    assert!(refusal(b"HTTP/1.1 400").contains("signature"));
    let more = [good.as_slice(), b"x"].concat();
    assert!(refusal(&more).contains("behind its end"));
    let few = [cut, &row(&[None])].concat();
    assert!(refusal(&few).contains("in row 4 of connection 2: it has not as many fields"));
    let long = [cut, &[0, 12, 0x7f, 0xff, 0xff, 0xff]].concat();
    assert!(refusal(&long).contains("the bound is 64 MiB"));
    let negative = [cut, &[0, 12, 0xff, 0xff, 0xff, 0xfe]].concat();
    assert!(refusal(&negative).contains("negative"));
    let mut flags = good.clone();
    flags[11] = 1;
    assert!(refusal(&flags).contains("flags"));
}

#[test]
fn a_field_that_is_not_of_its_type_is_told_with_its_column() {
    let with = |at: usize, field: &[u8]| {
        let mut fields = fields(1);
        fields[at] = Some(field.to_vec());
        let mut bytes = header();
        bytes.extend(row(&super::decoding::fields(0)));
        bytes.extend(row(&fields));
        bytes.extend([0xff, 0xff]);
        refusal(&bytes)
    };
    assert!(with(0, &[1, 2, 3]).contains("in row 2 of connection 2, column `c0`"));
    assert!(with(1, b"ma\xff").contains("column `c1`: the text is not UTF-8"));
    assert!(with(3, &[2]).contains("column `c3`"));
    assert!(with(4, &i32::MAX.to_be_bytes()).contains("`c4` has an infinite date or timestamp in"));
    assert!(with(5, &i64::MIN.to_be_bytes()).contains("`c5` has an infinite date or timestamp in"));
    assert!(
        with(5, &(i64::MAX - 1).to_be_bytes()).contains("`c5` has a date or timestamp too far")
    );
    assert!(with(7, b"\x02{}").contains("column `c7`"));
    assert!(with(8, &(-1_i64).to_be_bytes()).contains("column `c8`"));
}

#[test]
fn half_a_character_in_each_of_two_cells_is_not_text() {
    let (mut one, mut two) = (fields(0), fields(1));
    (one[1], two[1]) = (Some(vec![0xc3]), Some(vec![0xa0]));
    let bytes = [header(), row(&one), row(&two), vec![0xff, 0xff]].concat();
    assert!(refusal(&bytes).contains("in row 1 of connection 2, column `c1`: the text"));
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_rows_or_an_error(bytes: Vec<u8>, chunk in 1_usize..200) {
        let _ = decode(&bytes, chunk, 1);
        let _ = decode(&[header(), bytes].concat(), chunk, 1);
    }

    #[test]
    fn rows_that_were_damaged_are_rows_or_an_error(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
        chunk in 1_usize..200,
    ) {
        let mut bytes = stream(6);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = decode(&bytes, chunk, 1);
        bytes.truncate(end.index(bytes.len()));
        let whole = decode(&bytes, 1 << 20, 1 << 17);
        prop_assert_eq!(decode(&bytes, chunk, 50).ok(), whole.ok());
    }

    #[test]
    fn whole_numbers_and_text_come_as_they_were_sent(
        sent in prop::collection::vec((any::<Option<i32>>(), any::<Option<String>>()), 0..40),
        chunk in 1_usize..80,
    ) {
        let mut bytes = header();
        for (number, text) in &sent {
            let mut fields = vec![None; 12];
            fields[0] = number.map(|number| number.to_be_bytes().to_vec());
            fields[1] = text.clone().map(String::into_bytes);
            bytes.extend(row(&fields));
        }
        bytes.extend([0xff, 0xff]);
        let rows = cells(&decode(&bytes, chunk, 1).unwrap());
        prop_assert_eq!(rows.len(), sent.len());
        for (row, (number, text)) in rows.iter().zip(&sent) {
            prop_assert_eq!(&row[0], &number.map_or("∅".to_owned(), |number| number.to_string()));
            prop_assert_eq!(&row[1], &text.clone().unwrap_or("∅".to_owned()));
        }
    }
}
