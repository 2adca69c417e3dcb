//! What the sources hold: rows made up the same way each time, faults planted among them, and the
//! truth about both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// One row: number, personal number, name, telephone, day, kind, amount; as text, whatever the
/// source makes of it.
pub(crate) type Cells = [Option<String>; 7];

pub(super) const NUMBER: usize = 0;
pub(super) const PERSON: usize = 1;
pub(super) const NAME: usize = 2;
pub(super) const PHONE: usize = 3;
pub(super) const DAY: usize = 4;
pub(super) const KIND: usize = 5;
pub(super) const AMOUNT: usize = 6;

/// Rows of a source before some are repeated.
const ROWS: usize = 200;

/// Persons that a source knows; each comes several times.
pub(super) const PEOPLE: usize = 40;

const KINDS: [&str; 3] = ["Ngộ độc", "Sốt rét", "Khác"];

/// The first kind, with its marks apart.
const DECOMPOSED: &str = "Ngo\u{323}\u{302} đo\u{323}\u{302}c";

/// Families, middle names and given names; those of old files have lost their marks.
const NAMES: [[&str; 5]; 3] = [
    ["Nguyễn", "Trần", "Phạm", "Đặng", "Huỳnh"],
    ["Thị Hồng", "Văn Hữu", "Ngọc Minh", "Quang Vinh", "Thanh Xuân"],
    ["Nhung", "Luyến", "Khiêm", "Tường", "Phượng"],
];
const BARE_NAMES: [[&str; 5]; 3] = [
    ["Nguyen", "Tran", "Pham", "Dang", "Huynh"],
    ["Thi Hong", "Van Huu", "Ngoc Minh", "Quang Vinh", "Thanh Xuan"],
    ["Nhung", "Luyen", "Khiem", "Tuong", "Phuong"],
];

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plant {
    NoDay,
    NoKind,
    Unlisted,
    Above,
    Below,
    NoNumber,
    /// Kind and amount in each other's place.
    Swapped,
    /// No fault: the same text in other code points.
    Decomposed,
    /// No fault: a personal number that was a number once.
    LostZeros,
    /// The row comes again at the end. Where rows replace others, that is no fault.
    Repeated,
}

const PLANTS: [Plant; 12] = [
    Plant::NoDay,
    Plant::NoKind,
    Plant::Repeated,
    Plant::Unlisted,
    Plant::Above,
    Plant::Below,
    Plant::NoNumber,
    Plant::Swapped,
    Plant::Decomposed,
    Plant::LostZeros,
    Plant::Repeated,
    Plant::Unlisted,
];

/// A table of a source, and what is true about it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name in the lake.
    pub(super) name: &'static str,
    /// Its rows in the order of the source.
    pub(super) rows: Vec<Cells>,
    /// Rows that others of the same key replace.
    pub(super) replaced: usize,
    /// Of each row at fault, by its place: column and reason.
    faults: BTreeMap<usize, (&'static str, &'static str)>,
    /// Rows that are there already.
    copies: BTreeSet<usize>,
}

/// All tables of all sources.
pub(super) fn tables() -> &'static [Table] {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
        let (upsert, snapshot) = (true, false);
        vec![
            Table::make("nguon.bhyt_dich_vu", 1, upsert),
            Table::make("nguon.bhyt_ho_so", 2, upsert),
            Table::make("nguon.csv_luot", 3, snapshot),
            Table::make("nguon.fhir_luot", 4, snapshot),
            Table::make("nguon.http_luot", 5, snapshot),
            Table::make("nguon.maria_luot", 6, snapshot),
            Table::make("nguon.odbc_luot", 7, snapshot),
            Table::make("nguon.parquet_luot", 8, snapshot),
            Table::make("nguon.pg_luot", 9, upsert),
            Table::make("nguon.tsv_luot", 10, snapshot),
            Table::make("nguon.xlsx_luot", 11, snapshot),
        ]
    });
    &TABLES
}

/// The table of that name.
pub(super) fn table(name: &str) -> &'static Table {
    tables().iter().find(|table| table.name == name).unwrap()
}

/// Every name, telephone and personal number of every source.
pub(super) fn identifiers() -> Vec<String> {
    let rows = tables().iter().flat_map(|table| &table.rows);
    let cells = rows.flat_map(|row| [&row[PERSON], &row[NAME], &row[PHONE]]);
    let all: BTreeSet<String> = cells.flatten().cloned().collect();
    all.into_iter().collect()
}

impl Table {
    /// These rows, without any fault.
    pub(crate) fn of(rows: Vec<Cells>) -> Self {
        let (faults, copies) = (BTreeMap::new(), BTreeSet::new());
        Self { name: "", rows, replaced: 0, faults, copies }
    }

    fn make(name: &'static str, seed: usize, upsert: bool) -> Self {
        // The letters of old files are of one byte each: marks cannot stand apart.
        let old = name == "nguon.csv_luot";
        let rows = (0..ROWS).map(|at| row(seed, at, if old { BARE_NAMES } else { NAMES }));
        let mut table = Self {
            name,
            rows: rows.collect(),
            replaced: 0,
            faults: BTreeMap::new(),
            copies: BTreeSet::new(),
        };
        for (order, plant) in PLANTS.into_iter().enumerate() {
            let at = 3 + seed % 5 + 13 * order;
            match plant {
                Plant::Repeated => table.repeat(at, upsert),
                Plant::Decomposed if old => {}
                _ => table.plant(at, plant),
            }
        }
        table
    }

    fn plant(&mut self, at: usize, plant: Plant) {
        let row = &mut self.rows[at];
        let some = |text: &str| Some(text.to_owned());
        let fault = match plant {
            Plant::NoDay => {
                row[DAY] = None;
                Some(("thang", "thieu_gia_tri"))
            }
            Plant::NoKind => {
                row[KIND] = None;
                Some(("loai", "thieu_gia_tri"))
            }
            Plant::Unlisted => {
                row[KIND] = some("Lao");
                Some(("loai", "ngoai_danh_muc"))
            }
            Plant::Above => {
                row[AMOUNT] = some("1000001.5");
                Some(("so_luong", "ngoai_khoang"))
            }
            Plant::Below => {
                row[AMOUNT] = some("-0.5");
                Some(("so_luong", "ngoai_khoang"))
            }
            Plant::NoNumber => {
                row[AMOUNT] = some("muoi");
                Some(("so_luong", "sai_kieu"))
            }
            Plant::Swapped => {
                row.swap(KIND, AMOUNT);
                // The first of its columns that does not fit is the one that is told.
                Some(("loai", "ngoai_danh_muc"))
            }
            Plant::Decomposed => {
                row[KIND] = some(DECOMPOSED);
                None
            }
            Plant::LostZeros => {
                row[PERSON] = row[PERSON].as_deref().map(|text| text[2..].to_owned());
                None
            }
            Plant::Repeated => panic!("it is no change of a row"),
        };
        if let Some(fault) = fault {
            self.faults.insert(at, fault);
        }
    }

    fn repeat(&mut self, at: usize, upsert: bool) {
        let copy = self.rows[at].clone();
        let end = self.rows.len();
        self.rows.push(copy);
        self.copies.insert(end);
        if upsert {
            self.replaced += 1;
        } else {
            self.faults.insert(end, ("so_thu_tu", "trung_khoa"));
        }
    }

    /// What quarantine must say of it: table, row, column, reason.
    pub(super) fn refused(&self) -> Vec<String> {
        let line = |(at, (column, reason)): (&usize, &(&str, &str))| {
            format!("{}|{}|{column}|{reason}", self.name, at + 1)
        };
        self.faults.iter().map(line).collect()
    }

    /// What the lake must hold of it: number, month, kind and amount, as sorted lines.
    pub(super) fn loaded(&self) -> Vec<String> {
        let rows = self.rows.iter().enumerate();
        let good =
            rows.filter(|(at, _)| !self.faults.contains_key(at) && !self.copies.contains(at));
        let line = |(_, row): (usize, &Cells)| {
            let [number, day, kind, amount] =
                [NUMBER, DAY, KIND, AMOUNT].map(|column| row[column].as_deref().unwrap());
            let kind = if kind == DECOMPOSED { KINDS[0] } else { kind };
            format!("{number}|{}-01|{kind}|{amount}", &day[..7])
        };
        let mut lines: Vec<String> = good.map(line).collect();
        lines.sort();
        lines
    }
}

fn row(seed: usize, at: usize, names: [[&str; 5]; 3]) -> Cells {
    let person = at % PEOPLE;
    let name = [names[0][seed % 5], names[1][person % 5], names[2][(person / 5 + seed / 5) % 5]];
    // Province, sex and century, year of birth, and six digits that no other source has.
    let personal =
        format!("001{}{:02}{}", person % 2, 50 + person, 300_000 + seed * 1_000 + person * 7);
    let phone = format!("+84 9{seed:02} {:03} {:03}", person * 23 % 1_000, 100 + person);
    let cents = ["25", "75"][at % 2];
    [
        (at + 1).to_string(),
        personal,
        name.join(" "),
        phone,
        format!("2026-{:02}-{:02}", 1 + at % 6, 1 + at % 28),
        KINDS[(at + seed) % 3].to_owned(),
        format!("{}.{cents}", at * 97 % 5_000),
    ]
    .map(Some)
}
