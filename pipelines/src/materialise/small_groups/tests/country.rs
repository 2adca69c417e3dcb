//! A country of a few persons: the tables that the queries read, filled at random.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use warehouse::names::{Schema as Place, TableName};
use warehouse::spec::{Declarations, Query, arrow_schema};
use warehouse::stage::Rows;

/// The first days of two months.
const MONTHS: [i32; 2] = [20_605, 20_635];

/// Codes of diagnoses, each with its chapter.
const CHAPTERS: [(&str, &str); 5] =
    [("A00", "I"), ("A09", "I"), ("C50", "II"), ("J10", "X"), ("O80", "XV")];

pub(super) struct Country {
    tables: Vec<(TableName, RecordBatch)>,
}

impl Country {
    pub(super) fn new(seed: u64, queries: &[Query], declarations: &Declarations) -> Self {
        let mut random = Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut names: Vec<&TableName> = queries.iter().flat_map(|query| &query.reads).collect();
        names.sort();
        names.dedup();
        let mut table = |name: &&TableName| {
            let (_, table) = declarations.source_table(name).expect("they read sources");
            let schema = arrow_schema(table);
            let rows = match name.schema() {
                Place::DanhMuc => reference(&schema),
                _ => persons(&schema, &mut random),
            };
            ((*name).clone(), rows)
        };
        Self { tables: names.iter().map(&mut table).collect() }
    }

    /// The tables under names that need no lake.
    pub(super) fn tables(&self) -> Vec<(String, Rows)> {
        self.tables.iter().map(|(name, rows)| (bare(name), rows.clone().into())).collect()
    }

    /// The SQL over those names.
    pub(super) fn sql(&self, declared: &str) -> String {
        // Longer names first: one may begin with another.
        let mut names: Vec<&TableName> = self.tables.iter().map(|(name, _)| name).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.name().len()));
        let replaced = |sql: String, name: &&TableName| sql.replace(&name.to_string(), &bare(name));
        names.iter().fold(declared.to_owned(), replaced)
    }
}

fn bare(name: &TableName) -> String {
    format!("{}__{}", name.schema(), name.name())
}

fn reference(schema: &Arc<Schema>) -> RecordBatch {
    let mut rows: Vec<(&str, &str)> = CHAPTERS.to_vec();
    if schema.field_with_name("ma").is_err() {
        rows.dedup_by_key(|(_, chapter)| *chapter);
    }
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let text = |(code, chapter): &(&'static str, &'static str)| match field.name().as_str() {
            "ma" => Some(*code),
            "chuong" | "ten" => Some(*chapter),
            _ => None,
        };
        match field.data_type() {
            DataType::Utf8 => Arc::new(rows.iter().map(text).collect::<StringArray>()),
            other => arrow::array::new_null_array(other, rows.len()),
        }
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()
}

fn persons(schema: &Arc<Schema>, random: &mut Random) -> RecordBatch {
    let rows = 1 + random.below(90);
    let people = 1 + random.below(40);
    let columns = schema.fields().iter().map(|field| column(field, rows, people, random));
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()
}

fn column(field: &Field, rows: usize, people: usize, random: &mut Random) -> ArrayRef {
    match field.data_type() {
        DataType::Utf8 => {
            let cells = (0..rows).map(|_| text(field.name(), people, random));
            Arc::new(cells.collect::<StringArray>())
        }
        DataType::Int64 => {
            Arc::new((0..rows).map(|_| Some(random.below(6) as i64)).collect::<Int64Array>())
        }
        DataType::Date32 => {
            Arc::new((0..rows).map(|_| Some(MONTHS[random.below(2)])).collect::<Date32Array>())
        }
        DataType::Boolean => {
            Arc::new((0..rows).map(|_| Some(random.below(2) == 0)).collect::<BooleanArray>())
        }
        DataType::Decimal128(precision, scale) => {
            let values = (0..rows).map(|_| Some(100 * random.below(900) as i128));
            let values = values.collect::<Decimal128Array>();
            Arc::new(values.with_precision_and_scale(*precision, *scale).unwrap())
        }
        other => arrow::array::new_null_array(other, rows),
    }
}

fn text(column: &str, people: usize, random: &mut Random) -> Option<String> {
    let words: &[&str] = match column {
        "so_cccd" if random.below(12) == 0 => return None,
        "so_cccd" | "ma_nv" => return Some(format!("P{}", random.below(people))),
        "so_cchn" => return (random.below(3) > 0).then(|| "C".to_owned()),
        "don_vi" => &["01@2008-08-01", "04@2004-01-01"],
        "ma_cskcb" => &["01001", "04001"],
        "ma_loai_kcb" => &["01", "02", "03", "03", "09"],
        "ket_qua_dtri" => &["1", "5", "5"],
        "gioi_tinh" => &["2", "1"],
        "chuc_danh" => &["Bác sĩ", "Hộ sinh", "Dược sĩ"],
        "ma_benh_chinh" => &["A00", "A09", "C50", "J10", "O80", "Z99"],
        _ => return None,
    };
    // The first word is as frequent as all others together.
    let at = if random.below(2) == 0 { 0 } else { random.below(words.len()) };
    Some(words[at].to_owned())
}

/// xorshift: the same country from the same seed, for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}
