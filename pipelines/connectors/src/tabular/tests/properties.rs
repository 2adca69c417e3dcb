//! Whatever is written comes back, however the bytes are cut, and nothing makes the reader panic.

use std::io::Read;

use proptest::prelude::*;

use super::*;

/// Gives so many bytes at a time.
struct Drops<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.size).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.bytes = later;
        Ok(length)
    }
}

fn written(rows: &[Vec<String>], line_end: &str, has_last_end: bool) -> String {
    let cell = |cell: &String| {
        let has_marks = cell.contains([',', '"', '\n', '\r']);
        if has_marks { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    let line = |row: &Vec<String>| row.iter().map(cell).collect::<Vec<_>>().join(",");
    let lines: Vec<String> = rows.iter().map(line).collect();
    lines.join(line_end) + if has_last_end { line_end } else { "" }
}

proptest! {
    #[test]
    fn what_is_written_comes_back_however_it_is_cut(
        rows in prop::collection::vec(prop::collection::vec("[a-c,\"\n\r ắ']{0,6}", 3), 0..20),
        line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        has_last_end: bool,
        size in 1_usize..40,
    ) {
        let header = vec!["x".to_owned(), "y,\"".to_owned(), "z".to_owned()];
        let all: Vec<Vec<String>> = std::iter::once(header).chain(rows.iter().cloned()).collect();
        let text = written(&all, line_end, has_last_end);
        let columns = ["z".to_owned(), "y,\"".to_owned()];
        let reader = Drops { bytes: text.as_bytes(), size };
        let read = Delimited::new("t", reader, Dialect::PLAIN, &columns).unwrap();
        let read: Vec<RecordBatch> = read.collect::<Result<_, _>>().unwrap();
        let cell = |cell: &String| if cell.is_empty() { None } else { Some(cell.clone()) };
        let expected: Vec<_> = rows.iter().map(|row| (cell(&row[2]), cell(&row[1]))).collect();
        let texts = |at: usize| {
            let cells = read.iter().flat_map(move |batch| batch.column(at).as_string::<i32>().iter());
            cells.map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>()
        };
        let pairs: Vec<_> = texts(0).into_iter().zip(texts(1)).collect();
        prop_assert_eq!(pairs, expected);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r\0\xff;x".to_vec()), 0..60),
        size in 1_usize..9,
    ) {
        let text = [b"a,x\n", bytes.as_slice()].concat();
        let reader = Drops { bytes: &text, size };
        let rows = match Delimited::new("t", reader, Dialect::PLAIN, &["x".to_owned()]) {
            Ok(rows) => rows.collect(),
            Err(error) => vec![Err(error)],
        };
        let mut read = 0;
        for batch in rows {
            match batch {
                Ok(batch) => read += batch.num_rows(),
                Err(error) => {
                    prop_assert!(matches!(error, SourceError::Malformed { .. }), "{}", error);
                    let said = error.to_string();
                    prop_assert!(!said.contains("cannot be parsed"), "only the watcher refuses");
                }
            }
        }
        prop_assert!(read <= text.len());
    }
}
