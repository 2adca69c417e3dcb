//! What a contract's table is to a source: its own columns, and how each is made up.

use std::collections::BTreeMap;

use connectors::fill::Holds;
use regex::Regex;
use warehouse::spec::{
    Column, ColumnType, Declarations, Generalisation, Growth, Origin, Rule, SourceTable, Treatment,
    UnitDate,
};

use super::pattern::Pattern;
use crate::deidentify::scan::{AllowList, ColumnKind, ColumnScan};

/// A table as its source has it.
pub(super) struct Shape<'a> {
    pub(super) table: &'a SourceTable,
    /// The columns of the source, each once.
    pub(super) fields: Vec<Field<'a>>,
    /// Of the fields, those of the key.
    pub(super) key: Vec<usize>,
    /// The field that says when a row was written.
    pub(super) watermark: Option<usize>,
    /// The field and the values that say that a row's key is gone.
    pub(super) deleted: Option<(usize, Vec<String>)>,
    /// Checks between two fields.
    pub(super) checks: Vec<Simple>,
    /// Whether a number in the key counts the lines of one visit.
    pub(super) has_lines: bool,
}

/// One column of the source.
pub(super) struct Field<'a> {
    /// Its name there.
    pub(super) name: String,
    /// The column of the contract that reads it.
    pub(super) column: &'a Column,
    pub(super) holds: Holds,
    pub(super) make: Make,
    pub(super) is_key: bool,
    /// Whether a cell is always there.
    pub(super) required: bool,
    /// Whether a correction leaves it: what places a row, and whom it is about.
    pub(super) fixed: bool,
    /// Looks like what the lake would refuse.
    scan: Option<ColumnScan>,
    pattern: Option<Regex>,
}

impl Field<'_> {
    /// Whether the lake would take the text.
    pub(super) fn fits(&self, text: &str) -> bool {
        let text = text.trim();
        !text.is_empty()
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && self.scan.as_ref().is_none_or(|scan| scan.cell(text).is_none())
    }
}

/// How a cell is made.
#[derive(Debug, Clone)]
pub(super) enum Make {
    /// One of these, the first ones more often.
    Values(Vec<String>),
    Pattern(Pattern),
    /// A number within these bounds; most are small.
    Number {
        low: f64,
        high: f64,
        digits: usize,
    },
    /// A year not long ago.
    Year,
    Day(When),
    /// The code of a province in the list of a day.
    Unit(On),
    Truth {
        share: f64,
    },
    Sentence,
    /// The number of the visit, the subject, the paper that the row is of.
    Entity,
    /// The number of a line of that.
    Line,
    /// Of the person whom the row is about.
    Person(About),
    /// Of a health worker.
    Staff(About),
    /// The year, month or quarter of the row's day.
    Part(Part),
}

/// What of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Number,
    Name,
    Phone,
    Address,
    Card,
    Age,
    Sex,
    Licence,
}

/// A part of a period.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Year,
    Month,
    Quarter,
}

/// Which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// When it happened.
    Event,
    /// Some days later.
    After,
    /// When the row was written.
    Written,
    /// Years before.
    Past,
    /// Months or years later.
    Future,
    /// The person's birth.
    Born,
}

/// The day of a code's list.
#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    Day(chrono::NaiveDate),
    Field(usize),
}

/// `one <= other` between fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Simple {
    pub(super) low: usize,
    pub(super) high: usize,
}

impl<'a> Shape<'a> {
    /// The shape of a table; what hinders otherwise.
    pub(super) fn of(declarations: &Declarations, table: &'a SourceTable) -> Result<Self, String> {
        let split = match &table.origin {
            Origin::Read { settings, .. } => settings.get("split").cloned(),
            Origin::Declared { .. } => None,
        };
        let deleted = deleted(table);
        let mut fields: Vec<Field<'a>> = Vec::new();
        // A column that is kept says more of its source than one that is dropped.
        let mut columns: Vec<&Column> = table.columns.iter().collect();
        columns.sort_by_key(|column| column.treatment == Treatment::Drop);
        for column in columns {
            for part in column.from.split('+') {
                if fields.iter().any(|field| field.name == part) {
                    continue;
                }
                let is_split = split.as_deref() == Some(part);
                let gone = deleted.as_ref().filter(|(name, _)| *name == column.name);
                let gone = gone.map_or(&[][..], |(_, values)| values.as_slice());
                fields.push(field(declarations, table, column, part, is_split, gone)?);
            }
        }
        let at = |name: &str| {
            let column = table.column(name)?;
            let from = column.from.split('+').next()?;
            fields.iter().position(|field| field.name == from)
        };
        let key: Vec<usize> =
            fields.iter().enumerate().filter(|(_, field)| field.is_key).map(|(at, _)| at).collect();
        let watermark = table.watermark().and_then(|column| at(&column.name));
        let deleted = deleted.and_then(|(name, values)| Some((at(&name)?, values)));
        let checks = simple_checks(table, &at);
        let units: BTreeMap<usize, On> = fields
            .iter()
            .enumerate()
            .filter_map(|(place, field)| match &field.column.ty {
                ColumnType::Unit { on: UnitDate::Fixed(day) } => Some((place, On::Day(*day))),
                ColumnType::Unit { on: UnitDate::Column(name) } => {
                    Some((place, On::Field(at(name)?)))
                }
                _ => None,
            })
            .collect();
        let period = table.partition.as_deref().and_then(at);
        for (place, on) in units {
            fields[place].make = Make::Unit(on);
            if let On::Field(day) = on {
                fields[day].required = true;
                fields[day].fixed = true;
            }
        }
        if let Some(period) = period {
            fields[period].required = true;
            fields[period].fixed = true;
        }
        if let Some(watermark) = watermark {
            fields[watermark].required = true;
            fields[watermark].make = Make::Day(When::Written);
        }
        let entity = key.iter().any(|at| matches!(fields[*at].make, Make::Entity));
        let line = key.iter().find(|at| matches!(fields[**at].make, Make::Number { .. })).copied();
        let has_lines = entity && line.is_some();
        if let Some(line) = line.filter(|_| has_lines) {
            fields[line].make = Make::Line;
        }
        Ok(Self { table, fields, key, watermark, deleted, checks, has_lines })
    }
}

fn field<'a>(
    declarations: &Declarations,
    table: &'a SourceTable,
    column: &'a Column,
    part: &str,
    is_split: bool,
    gone: &[String],
) -> Result<Field<'a>, String> {
    let is_key = table.key.contains(&column.name);
    let make = if column.from.contains('+') {
        Make::Part(match part.to_ascii_lowercase().as_str() {
            "year" | "nam" => Part::Year,
            "month" | "thang" => Part::Month,
            "quarter" | "quy" => Part::Quarter,
            other => {
                return Err(format!("its column `{other}` is part of a period of no known kind"));
            }
        })
    } else {
        make(declarations, column, part, gone)?
    };
    let holds = match (&make, &column.ty) {
        (Make::Part(_), _) => Holds::Whole,
        (Make::Day(_), _) if is_instant(part) => Holds::Instant,
        (Make::Day(_), _) => Holds::Day,
        (_, ColumnType::Text) if is_split => Holds::Whole,
        (_, ColumnType::Text | ColumnType::Unit { .. }) => Holds::Text,
        (_, ColumnType::Integer | ColumnType::Date) => Holds::Whole,
        (_, ColumnType::Decimal { precision, scale }) => {
            Holds::Decimal { precision: *precision, scale: scale.unsigned_abs() }
        }
        (_, ColumnType::Boolean) => Holds::Truth,
    };
    let is_open = column.treatment == Treatment::Keep
        && column.values.is_empty()
        && column.references.is_none();
    let kind = match column.ty {
        ColumnType::Text => Some(ColumnKind::Text),
        ColumnType::Integer | ColumnType::Decimal { .. } => Some(ColumnKind::Number),
        _ => None,
    };
    let scan = kind.filter(|_| is_open).and_then(|kind| {
        let Column { from, name, label, allow_patterns, .. } = column;
        let called = format!("{from} {name} {} {}", label.vi, label.en);
        ColumnScan::new(&called, kind, allow_patterns, &AllowList::default()).ok()
    });
    let pattern = column.pattern.as_ref().filter(|_| is_open);
    let pattern = pattern.and_then(|text| Regex::new(&format!("^(?:{text})$")).ok());
    let whom = matches!(make, Make::Entity | Make::Line | Make::Person(_) | Make::Staff(_));
    Ok(Field {
        name: part.to_owned(),
        column,
        holds,
        required: column.required || is_key || matches!(make, Make::Part(_)),
        fixed: is_key || whom || matches!(make, Make::Part(_)),
        make,
        is_key,
        scan,
        pattern,
    })
}

/// Whether a source writes the time too.
fn is_instant(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("_luc") || name.starts_with("thoi_diem_") || name.ends_with("lastupdated")
}

fn make(
    declarations: &Declarations,
    column: &Column,
    part: &str,
    gone: &[String],
) -> Result<Make, String> {
    let called = format!("{} {}", part, column.name).to_lowercase();
    if let Treatment::Pseudonymise { domain } = &column.treatment {
        return Ok(match domain.as_str() {
            "nguoi_benh" => Make::Person(About::Number),
            "nhan_vien" => Make::Staff(About::Number),
            "chung_chi_hanh_nghe" => Make::Staff(About::Licence),
            _ => Make::Entity,
        });
    }
    match column.treatment {
        Treatment::Generalise(Generalisation::AgeBand) => return Ok(Make::Person(About::Age)),
        Treatment::Generalise(_) => return Ok(Make::Day(when(column, &called))),
        _ => {}
    }
    Ok(match &column.ty {
        ColumnType::Text if column.treatment == Treatment::Drop => unread(&called),
        ColumnType::Text => text(declarations, column, &called, gone)?,
        ColumnType::Integer | ColumnType::Decimal { .. } => number(column),
        ColumnType::Date => Make::Day(when(column, &called)),
        ColumnType::Boolean if column.treatment == Treatment::Drop => Make::Truth { share: 0.02 },
        ColumnType::Boolean => Make::Truth { share: 0.3 },
        // The day of its list is looked up when all fields are known.
        ColumnType::Unit { .. } => Make::Sentence,
    })
}

fn text(
    declarations: &Declarations,
    column: &Column,
    called: &str,
    gone: &[String],
) -> Result<Make, String> {
    if !column.values.is_empty() {
        let left: Vec<String> =
            column.values.iter().filter(|value| !gone.contains(value)).cloned().collect();
        let is_sex = called.contains("gioi_tinh")
            && ["1", "2"].iter().all(|sex| column.values.iter().any(|value| value == sex));
        return Ok(if is_sex && !called.contains("con") {
            Make::Person(About::Sex)
        } else {
            Make::Values(if left.is_empty() { column.values.clone() } else { left })
        });
    }
    if let Some((table, name)) = &column.references {
        let values = declared(declarations, table, name);
        return match values {
            Some(values) if !values.is_empty() => Ok(Make::Values(values)),
            _ => Err(format!("`{}` refers to {table}, which is not declared", column.name)),
        };
    }
    match &column.pattern {
        Some(pattern) => Pattern::of(pattern)
            .map(Make::Pattern)
            .ok_or_else(|| format!("the pattern of `{}` cannot be read", column.name)),
        None => Ok(Make::Sentence),
    }
}

/// What a source holds in a column that is never read: of persons, mostly.
fn unread(called: &str) -> Make {
    let any = |words: &[&str]| words.iter().any(|word| called.contains(word));
    if any(&["dien_thoai", "telecom", "phone", "sdt"]) {
        Make::Person(About::Phone)
    } else if any(&["dia_chi", "address", "cu_tru", "noi_o", "location"]) {
        Make::Person(About::Address)
    } else if any(&["cccd", "cmnd", "dinh_danh", "national_id"]) {
        Make::Person(About::Number)
    } else if any(&["ma_the", "the_bhyt", "insurance"]) {
        Make::Person(About::Card)
    } else if any(&["ho_ten", "name", "nguoi", "ten_bs", "chu_nhiem"]) {
        Make::Person(About::Name)
    } else {
        Make::Sentence
    }
}

fn number(column: &Column) -> Make {
    let (low, high) = (column.min.unwrap_or(0.0), column.max.unwrap_or(1000.0));
    let digits = match column.ty {
        // What money and measures mostly have.
        ColumnType::Decimal { scale, .. } => usize::from(scale.unsigned_abs()).min(2),
        _ => 0,
    };
    if (1800.0..=2100.0).contains(&low) && high <= 2300.0 {
        return Make::Year;
    }
    Make::Number { low, high, digits }
}

fn when(column: &Column, called: &str) -> When {
    let any = |words: &[&str]| words.iter().any(|word| called.contains(word));
    let is_year = column.treatment == Treatment::Generalise(Generalisation::Year);
    if any(&["ngay_sinh", "ngaysinh", "birth", "nam_sinh"]) && (is_year || !any(&["con"])) {
        When::Born
    } else if any(&["het_han", "han_dung", "han_kiem", "hieu_luc_den", "expir"]) {
        When::Future
    } else if is_year || any(&["ngay_cap", "cap_phep"]) {
        When::Past
    } else if any(&["cap_nhat", "tao_luc", "ngay_tao", "ngaylap", "lastupdated"]) {
        When::Written
    } else if any(&["_xong", "ngay_ra", "ket_thuc", "end", "ket_luan", "_kq", "bao_cao", "report"])
    {
        When::After
    } else {
        When::Event
    }
}

/// The values of a column of a declared table.
fn declared(
    declarations: &Declarations,
    table: &warehouse::names::TableName,
    name: &str,
) -> Option<Vec<String>> {
    let (_, table) = declarations.source_table(table)?;
    let Origin::Declared { text, .. } = &table.origin else { return None };
    let from = &table.column(name)?.from;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let at = reader.headers().ok()?.iter().position(|header| header == from)?;
    let cells = reader.records().filter_map(|record| record.ok()?.get(at).map(str::to_owned));
    Some(cells.filter(|cell| !cell.trim().is_empty()).collect())
}

/// `column = 'x'` or `column IN ('x', 'y')`; any other condition is not understood, and nothing is
/// deleted then.
fn deleted(table: &SourceTable) -> Option<(String, Vec<String>)> {
    let Growth::Upsert { deleted: Some(sql), .. } = &table.growth else { return None };
    let (name, values) = match sql.split_once('=') {
        Some((name, value)) => (name, vec![value]),
        None => {
            let at = sql.to_ascii_uppercase().find(" IN ")?;
            let list = sql[at + 4..].trim().strip_prefix('(')?.strip_suffix(')')?;
            (&sql[..at], list.split(',').collect())
        }
    };
    let quoted = |value: &str| {
        let inner = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        (!inner.contains('\'')).then(|| inner.to_owned())
    };
    let values: Option<Vec<String>> = values.into_iter().map(quoted).collect();
    let name = name.trim().trim_matches('"').to_owned();
    table.column(&name)?;
    values.filter(|values| !values.is_empty()).map(|values| (name, values))
}

/// The checks of the form `a <= b`, alone or joined by AND.
fn simple_checks(table: &SourceTable, at: &impl Fn(&str) -> Option<usize>) -> Vec<Simple> {
    let mut all = Vec::new();
    for check in &table.checks {
        let Rule::Row(sql) = &check.rule else { continue };
        for part in sql.split(" AND ") {
            let words: Vec<&str> = part.split_whitespace().collect();
            let [one, sign, other] = words[..] else { continue };
            let (Some(one), Some(other)) = (at(one), at(other)) else { continue };
            match sign {
                "<=" => all.push(Simple { low: one, high: other }),
                ">=" => all.push(Simple { low: other, high: one }),
                _ => {}
            }
        }
    }
    all
}
