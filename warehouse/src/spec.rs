//! What people declare: source contracts (TOML) and query files (SQL with a TOML header).
//!
//! Reading never stops at the first fault: [`load`] returns what it understood together with every
//! [`Diagnostic`]. A file is read key by key ([`reader`]), its SQL is planned over empty tables
//! ([`offline`]), and only then does it become the types here; what has a fault, or needs what has
//! one, is not among them.
//!
//! This module knows no data and opens no store: a check of declarations works offline.

mod check;
mod class;
mod closed;
mod column;
mod content;
mod contract;
mod flow;
mod glimpse;
mod growth;
mod header;
mod linkage;
mod load;
pub(crate) mod nearest;
mod offline;
mod order;
mod origin;
mod plan;
mod reader;
mod result;
mod risk;
mod schema;
mod smallest;
mod sql;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use datafusion::arrow::datatypes::SchemaRef;

use crate::diagnostic::{Diagnostic, Sources};
use crate::names::{Group, Sensitivity, TableName, Text};

pub use self::glimpse::{Glimpse, glimpse};
pub use self::linkage::Linkage;
pub use self::load::{fingerprint, load, load_embedded};
pub use self::risk::{Coarser, Codes, Risk};
pub use self::schema::arrow_schema;
pub use self::smallest::{GroupPart, NOTE_COLUMN, SmallestGroup};
pub use self::vocabulary::{Lookup, Vocabulary};

/// Everything declared, in working order.
#[derive(Debug, Default)]
pub struct Declarations {
    /// Sources, sorted by id.
    pub contracts: Vec<Contract>,
    /// Query files in build order: a query comes after all that it reads.
    pub queries: Vec<Query>,
}

/// What reading the declarations gave: the good ones, and every fault found.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What is valid and depends on nothing invalid.
    pub declarations: Declarations,
    /// Every fault, unsorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts read, for excerpts.
    pub sources: Sources,
}

impl Declarations {
    /// The contract's table of that name, with its contract.
    pub fn source_table(&self, name: &TableName) -> Option<(&Contract, &SourceTable)> {
        self.contracts
            .iter()
            .flat_map(|contract| contract.tables.iter().map(move |table| (contract, table)))
            .find(|(_, table)| table.name == *name)
    }

    /// The query of that id.
    pub fn query(&self, id: &str) -> Option<&Query> {
        self.queries.iter().find(|query| query.id == id)
    }

    /// The fewest persons that a figure of the query stands for, where it is made of persons: its
    /// own least, or the lowest of the marts that it reads.
    pub fn fewest_persons(&self, query: &Query) -> Option<u32> {
        let own = query.smallest_group.as_ref().map(|group| group.at_least);
        let marts = self.of_kind(QueryKind::Mart);
        let read =
            marts.filter(|mart| mart.table().is_some_and(|name| query.reads.contains(&name)));
        let read = read.filter(|mart| mart.id != query.id);
        own.or_else(|| read.filter_map(|mart| self.fewest_persons(mart)).min())
    }

    /// The queries of one kind, in build order.
    pub fn of_kind(&self, kind: QueryKind) -> impl Iterator<Item = &Query> {
        self.queries.iter().filter(move |query| query.kind == kind)
    }
}

/// A source system and the tables that a night takes from it.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Identifier, as in the catalogue of databases (danh mục CSDL về y tế): `giam_sat`.
    pub id: String,
    /// The file it was declared in, as named to the user.
    pub path: String,
    /// What the system is called.
    pub title: Text,
    /// What it holds, for the catalogue.
    pub description: Text,
    /// The body that answers for it.
    pub owner: Text,
    /// Groups of Điều 5.
    pub groups: Vec<Group>,
    /// The most sensitive thing that it holds.
    pub sensitivity: Sensitivity,
    /// What orders or permits the collection.
    pub legal_basis: String,
    /// The kind of server that holds its relations and resources; none where all are files.
    pub system: Option<SourceKind>,
    /// The domains in which its rows may be joined with those of other sources, and for what.
    pub linkages: Vec<Linkage>,
    /// Its tables; empty while the system is only catalogued.
    pub tables: Vec<SourceTable>,
}

/// One table of a source, and the file or query that fills it.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// `nguon.…`, `han_che.…` or `danh_muc.…`.
    pub name: TableName,
    /// What it is called.
    pub title: Text,
    /// What one row is.
    pub grain: Text,
    /// Where its rows come from.
    pub origin: Origin,
    /// What becomes of the rows of before when a batch comes.
    pub growth: Growth,
    /// The column that the table is partitioned by. What replaces rows by key looks for them in the
    /// partitions of its own rows only: a row must not move from one to another.
    pub partition: Option<String>,
    /// The most sensitive thing that it holds: that of its source, where it says no other.
    pub sensitivity: Sensitivity,
    /// Terms under which the data may be used; `None` where none is stated.
    pub licence: Option<String>,
    /// How to cite where the data came from.
    pub citation: String,
    /// Whether it is master data (dữ liệu chủ, Điều 10.3).
    pub master: bool,
    /// Columns that together name a row; a second row of the same key is refused.
    pub key: Vec<String>,
    /// Share of bad rows, in percent, above which the batch is refused whole.
    pub max_bad_rows_percent: f64,
    /// Days in which something new must come from its source; not minded where there is none.
    pub due_days: Option<u32>,
    /// Share of its rows, in percent, that it may lose from one batch to the next; a batch that
    /// holds fewer is refused whole.
    pub max_fall_percent: f64,
    /// The allow-list of columns; what is not here is never read.
    pub columns: Vec<Column>,
    /// What must hold beyond types and ranges.
    pub checks: Vec<Check>,
    /// SHA-256 of this table's declaration, in hex: a changed contract is a new batch.
    pub fingerprint: String,
    /// What is measured each night of how exposed its persons are; none where nothing is.
    pub risk: Option<Risk>,
}

impl SourceTable {
    /// The column of that name, where it reaches the lake.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let mut kept = self.columns.iter().filter(|c| c.treatment != Treatment::Drop);
        kept.find(|column| column.name == name)
    }

    /// The column that says when the source wrote a row last.
    pub fn watermark(&self) -> Option<&Column> {
        match &self.growth {
            Growth::Upsert { watermark: Some(name), .. } => self.column(name),
            _ => None,
        }
    }

    /// Whether it holds pseudonyms.
    pub fn has_pseudonyms(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|column| matches!(column.treatment, Treatment::Pseudonymise { .. }))
    }
}

/// Where a table's rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A source system, read in its own way.
    Read {
        /// Which way.
        kind: SourceKind,
        /// A file, folder or pattern below the folder of sources; a relation of a database; a path
        /// of a web service. [`NIGHT`] in it stands for the date of a night.
        place: String,
        /// What else its connector is told.
        settings: BTreeMap<String, String>,
    },
    /// A CSV file that is itself a declaration, beside the contract.
    Declared {
        /// Path relative to the declarations' root: `pipelines/reference/don_vi.csv`.
        path: String,
        /// Its text.
        text: String,
    },
}

/// In the place of a table: the date of the night, as `2026-07-01`.
pub const NIGHT: &str = "{night}";

/// Kinds of source: each has a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// RFC 4180, header in the first row.
    Csv,
    /// The same with tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
    /// Insurance claims (Quyết định 130/QĐ-BYT and its successors).
    ClaimsXml,
    /// FHIR R4 resources, one a line.
    Fhir,
    /// Forms in workbooks.
    Xlsx,
    /// A `PostgreSQL` server.
    PostgreSql,
    /// A `MariaDB` or `MySQL` server.
    MariaDb,
    /// Whatever an ODBC driver reaches.
    Odbc,
    /// A web service that answers with JSON.
    HttpJson,
}

/// What becomes of the rows of before when a batch comes.
#[derive(Debug, Clone, PartialEq)]
pub enum Growth {
    /// A batch is the whole table, and replaces it where it differs.
    Snapshot,
    /// A batch is whole periods, and replaces those that it covers.
    Append {
        /// The column, and partition, that holds the first day of each row's period.
        period: String,
        /// Days before its night whose periods a batch covers again, for rows that come late.
        again_days: u32,
    },
    /// The rows of a batch replace those of the same key.
    Upsert {
        /// The column that says when the source wrote the row last.
        watermark: Option<String>,
        /// Days before the newest watermark that are read again, for clocks that go wrong.
        again_days: u32,
        /// A condition of a row that says that its key is gone.
        deleted: Option<String>,
        /// How keys are found that the source no longer has and says nothing of; they stay without it.
        keys: Option<KeyList>,
        /// Whether a row may come from another partition than it goes to, so that its key is looked
        /// for in all of them.
        moves: bool,
    },
}

/// How the keys of a table are compared with those of its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyList {
    /// Days from one list of keys to the next, where the source is asked for a part of its rows.
    pub every_days: u32,
    /// Percent of the rows of before that one list may take away.
    pub max_deleted_percent: f64,
}

/// One column that may be read, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the lake.
    pub name: String,
    /// Its name in the source.
    pub from: String,
    /// What pages call it.
    pub label: Text,
    /// Its type.
    pub ty: ColumnType,
    /// Unit of a number.
    pub unit: Option<Text>,
    /// Its class: that of its table, where it says no other.
    pub sensitivity: Sensitivity,
    /// Why its class is lower than its table's.
    pub because: Option<Text>,
    /// What de-identification does to it.
    pub treatment: Treatment,
    /// Whether an empty cell is a fault; otherwise it becomes null.
    pub required: bool,
    /// Smallest value allowed, inclusive; numbers always have both bounds, so that an identity
    /// number cannot pass for a count.
    pub min: Option<f64>,
    /// Largest value allowed, inclusive.
    pub max: Option<f64>,
    /// The only values allowed; empty when not listed.
    pub values: Vec<String>,
    /// A table and column that hold the only values allowed.
    pub references: Option<(TableName, String)>,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// The words that its free text is taken to.
    pub vocabulary: Option<Vocabulary>,
    /// Why free text is needed here; it is scanned for identifiers cell by cell.
    pub free_text: Option<String>,
    /// Identifier patterns that are expected here and mean no person: `person_name` where
    /// facilities are named after people.
    pub allow_patterns: Vec<String>,
    /// For what the day of a person's care is kept.
    pub purpose: Option<Text>,
    /// Digits that are left of a number, and digits that it had, where programs took its zeros in
    /// front away: cells with fewer get them back.
    pub lost_zeros: Option<(usize, usize)>,
    /// Whether it holds codes of units without the date of their list: reference data only.
    pub unit_code: bool,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnType {
    /// Text, NFC.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// A day.
    Date,
    /// `true`/`false`, `yes`/`no`, `1`/`0`.
    Boolean,
    /// A province, given by the code of a list that was in force on a date; what reaches the lake
    /// is the unit's key (`79@2025-07-01`), never the code.
    Unit {
        /// The date whose list the code is read with.
        on: UnitDate,
    },
}

/// The date that decides which list of administrative units a code belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitDate {
    /// The same for all rows: the source codes every year in one list.
    Fixed(NaiveDate),
    /// The row's own date, in another column of type date.
    Column(String),
}

/// What de-identification does to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// Passes as it is, after the leak scan.
    Keep,
    /// Is declared so that the catalogue can say it exists, and is never read.
    Drop,
    /// Becomes a keyed token, the same for the same person inside one domain.
    Pseudonymise {
        /// Domain whose key is used; tokens of two domains cannot be joined.
        domain: String,
    },
    /// Becomes coarser.
    Generalise(Generalisation),
}

/// Ways to make a value coarser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generalisation {
    /// A time becomes its day (type `date`): still a personal value, kept for a stated purpose.
    Day,
    /// A day or a 12-digit time becomes the first day of its month (type `date`).
    Month,
    /// A day, a birth date or a 12-digit time becomes its year (type `integer`).
    Year,
    /// A whole number of years becomes a five-year band, 90+ at the top (type `text`).
    AgeBand,
}

/// A rule over the rows of one table.
#[derive(Debug, Clone)]
pub struct Check {
    /// Name, unique in its table.
    pub name: String,
    /// What it asks, for people.
    pub title: Text,
    /// How it is asked.
    pub rule: Rule,
    /// What happens to what fails it.
    pub action: Action,
}

/// How a check is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A boolean SQL expression over one row of the table; false is a fault, null passes.
    Row(String),
    /// A query over `bang` (this batch) and reference tables; every row returned is a fault.
    Query(String),
}

/// What happens when a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The row goes to quarantine (row rules only).
    Quarantine,
    /// It is counted and shown; the data stay.
    Warn,
    /// The batch is refused whole.
    Refuse,
}

/// What a query file makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueryKind {
    /// A table of `kho`.
    Mart,
    /// Rows of `chi_tieu.gia_tri`.
    Indicator,
    /// A dataset of the open-data portal.
    OpenData,
}

/// One query file.
#[derive(Debug, Clone)]
pub struct Query {
    /// Identifier: the file's name without `.sql`.
    pub id: String,
    /// The file as named to the user.
    pub path: String,
    /// What it makes.
    pub kind: QueryKind,
    /// What it is called.
    pub title: Text,
    /// A paragraph for the catalogue.
    pub description: Text,
    /// What one row is.
    pub grain: Text,
    /// The body that answers for it.
    pub owner: Text,
    /// Groups of Điều 5.
    pub groups: Vec<Group>,
    /// Class of what comes out.
    pub sensitivity: Sensitivity,
    /// Where the figures come from.
    pub source: Text,
    /// What orders or defines it.
    pub legal_basis: String,
    /// What a reader must know before using it.
    pub caveats: Vec<Text>,
    /// Its columns, in the order of the SELECT.
    pub columns: Vec<QueryColumn>,
    /// Checks over the result, as over a source table (`bang` is the result).
    pub checks: Vec<Check>,
    /// How the indicator is defined, for [`QueryKind::Indicator`].
    pub indicator: Option<Indicator>,
    /// How it is released, for [`QueryKind::OpenData`].
    pub release: Option<Release>,
    /// The SQL after the header.
    pub sql: String,
    /// Tables that the SQL reads.
    pub reads: BTreeSet<TableName>,
    /// Arrow schema of the result, as planned.
    pub schema: SchemaRef,
    /// SHA-256 of header and SQL, in hex.
    pub fingerprint: String,
    /// The column that a mart is partitioned by, and by whose values it is made anew where only parts
    /// of what it reads have changed. It has a value in every row.
    pub partition: Option<String>,
    /// The smallest group of persons that a row may show, where it is made of persons.
    pub smallest_group: Option<SmallestGroup>,
}

impl Query {
    /// The table that this query fills: its own mart, or the one long table of indicators.
    pub fn table(&self) -> Option<TableName> {
        use crate::names::Schema;
        let (schema, name) = match self.kind {
            QueryKind::Mart => (Schema::Kho, self.id.as_str()),
            QueryKind::Indicator => (Schema::ChiTieu, "gia_tri"),
            QueryKind::OpenData => return None,
        };
        TableName::new(schema, name).ok()
    }
}

/// One column of a query's result.
#[derive(Debug, Clone)]
pub struct QueryColumn {
    /// Its name in SQL.
    pub name: String,
    /// What pages call it.
    pub label: Text,
    /// Unit of a number.
    pub unit: Option<Text>,
}

/// How an indicator is defined. Its query gives `don_vi` (unit key), `ky` (first day of the
/// period), optionally `phan_to` (breakdown), `tu_so` (numerator) and, for rates, `mau_so`.
#[derive(Debug, Clone)]
pub struct Indicator {
    /// Unit of the value.
    pub unit: Text,
    /// What the numerator counts.
    pub numerator: Text,
    /// What the denominator counts; `None` for plain counts.
    pub denominator: Option<Text>,
    /// What the ratio is multiplied by: 100, 1,000, 10,000, 100,000; 1 for counts.
    pub factor: f64,
    /// Length of a period.
    pub period: Period,
    /// What the breakdown is, where there is one.
    pub breakdown: Option<Text>,
    /// Whether more is better, for arrows and colours; `None` where neither is.
    pub higher_is_better: Option<bool>,
    /// Digits after the point in pages.
    pub digits: u8,
}

/// Length of an indicator's period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// A calendar year.
    Year,
    /// A quarter.
    Quarter,
    /// A calendar month.
    Month,
    /// A day.
    Day,
}

impl Period {
    /// The word in `chi_tieu.gia_tri.loai_ky`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Year => "nam",
            Self::Quarter => "quy",
            Self::Month => "thang",
            Self::Day => "ngay",
        }
    }
}

/// How an open dataset is released.
#[derive(Debug, Clone)]
pub struct Release {
    /// Search words.
    pub keywords: Vec<Text>,
    /// Terms of use.
    pub licence: Text,
    /// How to cite it.
    pub citation: Text,
    /// How often it is renewed.
    pub frequency: Text,
    /// Columns of counts whose small cells are not shown.
    pub suppress: Vec<String>,
    /// Cells from 1 to this number less one are not shown; 0 when nothing is suppressed.
    pub minimum_cell: u32,
    /// Columns that hold counts derived from `suppress` columns and vanish with them.
    pub suppress_with: Vec<String>,
}
