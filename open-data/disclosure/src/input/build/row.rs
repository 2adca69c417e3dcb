//! Rows of a file become drafts of cells, and drafts of one cell become one.

use std::collections::BTreeSet;
use std::ops::Range;

use warehouse::diagnostic::Diagnostic;

use super::{Builder, Draft, Role};
use crate::input::Faults;
use crate::input::field::{Contributions, FieldReader};
use crate::input::hierarchy::Node;
use crate::input::table::Table;
use crate::model::Standing;

type Fields = [(String, Range<usize>)];

struct Columns {
    dimensions: Vec<Option<usize>>,
    measure: usize,
    contributors: Option<usize>,
    largest: Option<usize>,
    second: Option<usize>,
    sole: Option<usize>,
    status: Option<usize>,
}

fn need(table: &Table, name: &str, faults: &mut Faults) -> Option<usize> {
    let at = table.column(name);
    if at.is_none() {
        let message = format!("the column `{name}` is missing");
        let fault = Diagnostic::error(&table.name, "missing-column", message).at(0..0);
        let columns = table.header.join("`, `");
        faults.push(fault.help(format!("the file has `{columns}`")));
    }
    at
}

impl Columns {
    fn of(builder: &Builder<'_>, table: &Table, role: Role, faults: &mut Faults) -> Option<Self> {
        let before = faults.found().len();
        let columns = &builder.spec.table;
        let measure = need(table, &columns.measure, faults);
        let confidential = matches!(role, Role::Candidate | Role::Truth);
        let optional = |name: &Option<String>, faults: &mut Faults| {
            let name = name.as_ref()?;
            if confidential { need(table, name, faults) } else { table.column(name) }
        };
        let contributors = optional(&columns.contributors, faults);
        let largest = optional(&columns.largest, faults);
        let second = optional(&columns.second, faults);
        let sole = optional(&columns.sole, faults);
        let mut dimensions = Vec::new();
        for dimension in &builder.dimensions {
            dimensions.push(match table.column(&dimension.column) {
                None if dimension.total.is_none() => need(table, &dimension.column, faults),
                at => at,
            });
        }
        if dimensions.iter().all(Option::is_none) {
            let message = "the table has none of the declared dimensions";
            faults.push(Diagnostic::error(&table.name, "missing-column", message).at(0..0));
        }
        let status = table.column("status");
        if role == Role::Audited && status.is_none() {
            let message = "an audited table needs the column `status`";
            let fault = Diagnostic::error(&table.name, "missing-column", message).at(0..0);
            faults.push(fault.help("values: published, suppressed"));
        }
        if faults.found().len() > before {
            return None;
        }
        Some(Self { dimensions, measure: measure?, contributors, largest, second, sole, status })
    }
}

impl Builder<'_> {
    pub(super) fn read(&mut self, table: &Table, role: Role, faults: &mut Faults) {
        let Some(columns) = Columns::of(self, table, role, faults) else { return };
        let mut seen: BTreeSet<Vec<Node>> = BTreeSet::new();
        let mut keys = Vec::new();
        for row in &table.rows {
            let Some(key) = self.key(&columns, &row.fields) else {
                keys.push(None);
                continue;
            };
            let place = row.fields[columns.measure].1.clone();
            if !seen.insert(key.clone()) {
                let message = format!("the cell {} stands in the table twice", self.name(&key));
                let fault = Diagnostic::error(&table.name, "doubled-cell", message).at(place);
                faults.push(fault.help("a cell has one row; is a column of its key not declared?"));
                keys.push(None);
                continue;
            }
            let draft = self.draft(table, &columns, &row.fields, (&key, role), faults);
            if let Some(draft) = draft {
                self.merge(key.clone(), draft, role, faults);
            }
            keys.push(Some(key));
        }
        if matches!(role, Role::Candidate | Role::Audited) {
            self.spans.push(columns.dimensions.iter().map(Option::is_some).collect());
            self.row_keys.push(keys);
        }
    }

    fn key(&self, columns: &Columns, fields: &Fields) -> Option<Vec<Node>> {
        let columns = columns.dimensions.iter().zip(&self.dimensions);
        columns
            .map(|(&column, dimension)| match column {
                Some(column) => dimension.index.get(&fields[column].0).copied(),
                None => dimension.total,
            })
            .collect()
    }

    fn draft(
        &self,
        table: &Table,
        columns: &Columns,
        fields: &Fields,
        (key, role): (&[Node], Role),
        faults: &mut Faults,
    ) -> Option<Draft> {
        let reader = FieldReader { table, fields, cell: self.name(key) };
        let hidden = match role {
            Role::Candidate | Role::Truth => false,
            Role::Audited | Role::Past => is_hidden(&reader, columns, faults)?,
        };
        let empty = fields[columns.measure].0.is_empty();
        if empty && !hidden {
            if role == Role::Truth {
                return None;
            }
            let message = format!("the cell {} has no value", reader.cell);
            let help = "write 0 for none; a table that is out goes under [[published]]";
            faults.push(reader.fault(columns.measure, "empty-measure", message).help(help));
            return None;
        }
        let row = contributions(&reader, columns, empty, faults)?;
        if (self.spec.table.contributors.is_none() || self.spec.table.whole)
            && let Some(value) = row.value
        {
            reader.whole(columns.measure, value, "a count without `contributors`", faults)?;
        }
        reader.check_contributions(&row, columns.measure, faults);
        Some(Draft {
            value: row.value,
            contributors: row.contributors,
            largest: row.largest,
            second: row.second,
            sole: columns.sole.map(|at| fields[at].0.clone()).filter(|code| !code.is_empty()),
            standing: match role {
                Role::Candidate | Role::Audited => Standing::Candidate,
                Role::Past if hidden => Standing::Withheld,
                Role::Past | Role::Truth => Standing::Out,
            },
            hidden,
            place: (table.name.clone(), fields[columns.measure].1.clone()),
        })
    }

    fn merge(&mut self, key: Vec<Node>, draft: Draft, role: Role, faults: &mut Faults) {
        let name = self.name(&key);
        let Some(old) = self.drafts.get_mut(&key) else {
            if role != Role::Truth {
                self.drafts.insert(key, draft);
            }
            return;
        };
        check_alike(old, &draft, &name, role, faults);
        match role {
            Role::Truth => {}
            // What is out once is out, whatever another release hid.
            Role::Past if draft.standing == Standing::Out => {
                (old.standing, old.hidden) = (Standing::Out, false);
            }
            // A candidate that shows what an earlier release hid is judged for showing it; one
            // that is about to be protected keeps it hidden.
            Role::Past if old.standing == Standing::Candidate => {
                let shows = old.value.is_some() && !old.hidden && self.audited;
                if !shows {
                    (old.standing, old.hidden) = (Standing::Withheld, true);
                }
            }
            Role::Past => {}
            Role::Candidate | Role::Audited => old.hidden &= draft.hidden,
        }
        old.value = old.value.or(draft.value);
        old.contributors = old.contributors.or(draft.contributors);
        old.largest = old.largest.or(draft.largest);
        old.second = old.second.or(draft.second);
        old.sole = old.sole.take().or(draft.sole);
    }
}

/// What a release or an audited table says of a row: whether its measure is hidden.
fn is_hidden(reader: &FieldReader<'_>, columns: &Columns, faults: &mut Faults) -> Option<bool> {
    let (at, status) = columns.status.map_or((columns.measure, ""), |at| (at, reader.text(at)));
    let cell = &reader.cell;
    let empty = reader.text(columns.measure).is_empty();
    let fault = match status {
        "" => return Some(empty),
        "published" => return Some(false),
        "suppressed" if empty => return Some(true),
        "suppressed" => reader
            .fault(columns.measure, "figure-shown", format!("a suppressed figure at {cell}"))
            .help("leave the measure empty, and give the file of true values beside it"),
        "primary" | "secondary" => reader
            .fault(at, "status-tells-why", format!("the status tells why {cell} is hidden"))
            .help("whoever knows the rule knows its range: write `suppressed` for both"),
        _ => reader
            .fault(at, "bad-status", format!("a word that is not a status, at the cell {cell}"))
            .help("published or suppressed"),
    };
    faults.push(fault);
    None
}

fn contributions(
    reader: &FieldReader<'_>,
    columns: &Columns,
    empty: bool,
    faults: &mut Faults,
) -> Option<Contributions> {
    let value = if empty { None } else { Some(reader.number(columns.measure, faults)?) };
    let mut optional = |column: Option<usize>| match column {
        Some(at) if !reader.text(at).is_empty() => reader.number(at, faults).map(Some),
        _ => Some(None),
    };
    let (largest, second) = (optional(columns.largest)?, optional(columns.second)?);
    let count = optional(columns.contributors)?;
    let contributors = match columns.contributors.zip(count) {
        Some((at, number)) => Some(reader.whole(at, number, "a contributor", faults)?),
        None => None,
    };
    Some(Contributions { value, contributors, largest, second })
}

/// Two files must say the same of one cell.
fn check_alike(old: &Draft, new: &Draft, name: &str, role: Role, faults: &mut Faults) {
    let units = |number: Option<super::Exact>| number.map(|n| n.units(9));
    let differ = |a: Option<i128>, b: Option<i128>| matches!((a, b), (Some(a), Some(b)) if a != b);
    let value = differ(units(old.value), units(new.value));
    let contributions = differ(units(old.largest), units(new.largest))
        || differ(units(old.second), units(new.second))
        || differ(old.contributors, new.contributors)
        || matches!((&old.sole, &new.sole), (Some(a), Some(b)) if a != b);
    if !value && !contributions {
        return;
    }
    let (code, other) = match role {
        Role::Past => ("contradicts-release", "a table that is already out"),
        Role::Truth => ("contradicts-truth", "the file of true values"),
        _ => ("contradiction", "another table of this run"),
    };
    let (at, with) =
        if role == Role::Past { (&old.place, &new.place) } else { (&new.place, &old.place) };
    let what = if value { "another value" } else { "other contributions" };
    let message = format!("the cell {name} has {what} in {other}");
    let fault = Diagnostic::error(&at.0, code, message).at(at.1.clone());
    faults.push(fault.help(format!("compare with {}", with.0)));
}
