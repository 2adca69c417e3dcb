//! Parquet: a footer, a magic number or pages that are damaged, and columns that are no cells.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use parquet::arrow::ArrowWriter;

use super::super::Asked;
use super::super::corpus::{self, PARQUET};
use super::{Case, case};
use crate::kinds::files;

const ONE: Asked = Asked { columns: &["a"], ..PARQUET };

pub(super) fn cases() -> Vec<Case> {
    let mut all = damaged();
    all.extend(columns());
    all
}

fn damaged() -> Vec<Case> {
    let whole = files::parquet(&corpus::table());
    let end = whole.len();
    let set = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    // The length of the footer stands before the last magic number.
    let length = u32::from_le_bytes(whole[end - 8..end - 4].try_into().unwrap()) as usize;
    let footer = end - 8 - length;
    let mut all: Vec<Case> = [
        Vec::new(),
        b"PAR1".to_vec(),
        b"PAR1PAR1".to_vec(),
        b"so_thu_tu\nBIMAT\n".to_vec(),
        whole[..end - 1].to_vec(),
        whole[..end / 2].to_vec(),
        whole[..footer].to_vec(),
        set(end - 4, b"PAR2"),
        set(end - 4, b"PARE"),
        set(end - 8, &[0xff; 4]),
        set(end - 8, &[0; 4]),
        set(footer, &[0xff; 32]),
        [&whole[..], b"BIMAT"].concat(),
    ]
    .into_iter()
    .map(|file| case(PARQUET, file, "is not valid Parquet"))
    .collect();
    // All pages at once: whatever the first column that is read, its page is damaged.
    let pages = set(4, &vec![0xff; footer - 4]);
    all.push(case(PARQUET, pages, "in row group 1"));
    let shifted = [&whole[..4], &[0; 64], &whole[4..]].concat();
    all.push(case(PARQUET, shifted, "is not valid Parquet"));
    all
}

fn columns() -> Vec<Case> {
    let texts = || -> ArrayRef { Arc::new(StringArray::from(vec!["BIMAT"])) };
    let photo: ArrayRef = Arc::new(BinaryArray::from(vec![b"BIMAT".as_slice()]));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(
        vec![Some(7_183_401)],
    )]));
    let large: ArrayRef = Arc::new(Int64Array::from(vec![7_183_401]));
    vec![
        case(ONE, file(vec![("b", texts())]), "has no column `a`"),
        case(ONE, file(vec![("A", large)]), "has no column `a`"),
        case(ONE, file(vec![("a", photo)]), "`a` is of the type Binary"),
        case(ONE, file(vec![("a", list)]), "`a` is of the type List"),
        case(PARQUET, file(vec![("so_thu_tu", texts())]), "has no column `so_dinh_danh`"),
    ]
}

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}
