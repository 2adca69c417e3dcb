//! What a contract's table is to a source: its own columns, and how each is made up.

use std::collections::BTreeMap;

use connectors::fill::Holds;
use identifiers::{AllowList, ColumnKind, ColumnScan};
use regex::Regex;
use warehouse::spec::{Column, ColumnType, Declarations, Origin, SourceTable, Treatment, UnitDate};

use super::super::visits::Bill;
use super::forms;
use super::make::{bill, make};
use super::pattern::Pattern;
use super::rules;

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
    /// How many rows share what is said once for a whole form, where there are forms.
    pub(super) form: Option<u64>,
    /// Whether it tells of the type of care.
    pub(super) has_care: bool,
    /// Whether it counts the days of a stay.
    pub(super) has_stay: bool,
    /// Whether it tells of a birth, and its person is the mother.
    pub(super) is_of_birth: bool,
    /// Whether it names a facility, whose province its provinces are then.
    pub(super) has_facility: bool,
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
    /// The code of a facility, or a text of the pattern where the column takes no such code.
    Facility(Pattern),
    /// The code of a disease, in the list of the row's day; else the same.
    Disease(Pattern),
    /// The lists of diseases by their names: the one of 2020, and the one of 2026.
    DiseaseList([String; 2]),
    /// The type of care, of those that there are on the row's day.
    Care(Vec<String>),
    /// The days of treatment.
    Days,
    /// How a visit ended.
    Outcome,
    /// What a visit cost in all, or a part of it.
    Bill(fn(&Bill) -> u64),
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
    /// The quarter of which a row tells: `2026-Q2`.
    Quarter,
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
    /// The first and the last day of the period that ended last.
    First(Length),
    Last(Length),
    /// The person's birth.
    Born,
}

/// How long a period of a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Month,
    Quarter,
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
        let deleted = rules::deleted(table);
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
        let checks = rules::simple_checks(table, &at);
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
        let period = table.partition.as_deref().and_then(&at);
        let periods = rules::periods(table, &fields, &at);
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
        for (place, make) in periods {
            fields[place].make = make;
        }
        // Lines of a bill have columns of the same names.
        if fields.iter().any(|field| field.column.name == TOTAL) {
            for field in &mut fields {
                if let Some(share) = bill(&field.column.name) {
                    field.make = Make::Bill(share);
                }
            }
        }
        let form = forms::size(table, &fields)?;
        if form.is_some() {
            for field in fields.iter_mut().filter(|field| field.name.starts_with('@')) {
                field.fixed = true;
            }
            // A row without anything of its own is none to those who read the form.
            let mut own = fields.iter_mut().filter(|field| !field.name.starts_with('@'));
            if let Some(first) = own.next() {
                first.required = true;
            }
        }
        let entity = key.iter().any(|at| matches!(fields[*at].make, Make::Entity));
        let line = key.iter().find(|at| matches!(fields[**at].make, Make::Number { .. })).copied();
        let has_lines = entity && line.is_some();
        if let Some(line) = line.filter(|_| has_lines) {
            fields[line].make = Make::Line;
        }
        let has = |wanted: fn(&Make) -> bool| fields.iter().any(|field| wanted(&field.make));
        let has_care = has(|make| matches!(make, Make::Care(_)));
        let has_stay = has(|make| matches!(make, Make::Days));
        let is_of_birth = fields.iter().any(|field| field.column.name == CHILD);
        let has_facility = has(|make| matches!(make, Make::Facility(_)));
        Ok(Self {
            table,
            fields,
            key,
            watermark,
            deleted,
            checks,
            has_lines,
            form,
            has_care,
            has_stay,
            is_of_birth,
            has_facility,
        })
    }
}

/// What tells of a whole bill: its total.
const TOTAL: &str = "t_tongchi_bv";

/// What tells of a birth: the sex of the child.
const CHILD: &str = "gioi_tinh_con";

fn field<'a>(
    declarations: &Declarations,
    table: &'a SourceTable,
    column: &'a Column,
    part: &str,
    is_split: bool,
    gone: &[String],
) -> Result<Field<'a>, String> {
    // Several columns may be read from one.
    let of_part = |wanted: &dyn Fn(&Column) -> bool| {
        let mut columns = table.columns.iter();
        columns.any(|one| one.from.split('+').any(|from| from == part) && wanted(one))
    };
    let is_key = of_part(&|one| table.key.contains(&one.name));
    let is_required = of_part(&|one| one.required && one.treatment != Treatment::Drop);
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
        && column.references.is_none()
        && column.vocabulary.is_none();
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
        required: is_required || is_key || matches!(make, Make::Part(_)),
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
    let is_day = name.ends_with("hieu_luc");
    (name.ends_with("_luc") && !is_day)
        || name.starts_with("thoi_diem_")
        || name.ends_with("lastupdated")
}
