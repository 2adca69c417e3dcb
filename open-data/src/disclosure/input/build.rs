//! Tables, hierarchies and past releases become one [`Model`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::field::{Contributions, FieldReader};
use super::hierarchy::{self, Dimension, Node};
use super::number::Exact;
use super::spec::Spec;
use super::table::Table;
use super::ties::Ties;
use crate::disclosure::audit::Status;
use crate::disclosure::model::{Cell, Model, OutputColumn, OutputRow, OutputTable, Standing};
use crate::disclosure::past;
use crate::disclosure::system::{CellIndex, System};

/// Whether a table is about to be protected or is audited as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Every measure must be there; a `status` column is ignored and replaced.
    Protect,
    /// The table has a `status` column: an empty measure was suppressed.
    Audit,
}

/// The files of one run.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The declaration.
    pub spec: PathBuf,
    /// The candidate tables, linked.
    pub tables: Vec<PathBuf>,
    /// For an audit: the same tables with the values that were suppressed.
    pub truth: Vec<PathBuf>,
}

/// A model, and for an audit which cells the table hides (by cell).
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The declaration.
    pub spec: Spec,
    /// The model.
    pub model: Model,
    /// Cells suppressed in the candidate as it was given (audits only).
    pub hidden: Vec<bool>,
}

impl Inputs {
    /// Reads everything; `None` when `faults` holds an error afterwards.
    pub fn load(&self, purpose: Purpose, faults: &mut Faults) -> Option<Loaded> {
        let spec = Spec::load(&self.spec, faults)?;
        let load = |paths: &[PathBuf], faults: &mut Faults| -> Vec<Table> {
            paths.iter().filter_map(|path| Table::load(path, faults)).collect()
        };
        let candidates = load(&self.tables, faults);
        let truths = load(&self.truth, faults);
        let past_files: Vec<_> = spec.published.iter().map(|p| p.file.clone()).collect();
        let past_truths: Vec<_> = spec.published.iter().filter_map(|p| p.truth.clone()).collect();
        let past = load(&past_files, faults);
        let past_truth = load(&past_truths, faults);
        let mut all = candidates.clone();
        all.extend([past.clone(), truths.clone(), past_truth.clone()].concat());
        let dimensions: Vec<Dimension> =
            spec.dimensions.iter().map(|d| hierarchy::load(d, &spec.path, &all, faults)).collect();
        let mut builder = Builder::new(&spec, dimensions);
        let role = match purpose {
            Purpose::Protect => Role::Candidate,
            Purpose::Audit => Role::Audited,
        };
        candidates.iter().for_each(|table| builder.read(table, role, faults));
        past.iter().for_each(|table| builder.read(table, Role::Past, faults));
        let truth_tables = truths.iter().chain(&past_truth);
        truth_tables.for_each(|table| builder.read(table, Role::Truth, faults));
        if faults.has_errors() {
            return None;
        }
        builder.build(spec.clone(), &candidates, faults)
    }
}

/// What a file is to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Candidate,
    Audited,
    Past,
    Truth,
}

/// A cell being gathered from several files.
#[derive(Debug, Clone)]
struct Draft {
    value: Option<Exact>,
    contributors: Option<i128>,
    largest: Option<Exact>,
    second: Option<Exact>,
    sole: Option<String>,
    standing: Standing,
    hidden: bool,
    mark: Option<Status>,
    place: (String, Range<usize>),
}

struct Builder<'a> {
    spec: &'a Spec,
    dimensions: Vec<Dimension>,
    drafts: BTreeMap<Vec<Node>, Draft>,
    /// Per candidate table: the key of each row.
    row_keys: Vec<Vec<Option<Vec<Node>>>>,
    /// Per candidate table: which dimensions it has.
    spans: Vec<Vec<bool>>,
}

struct Columns {
    dimensions: Vec<Option<usize>>,
    measure: usize,
    contributors: Option<usize>,
    largest: Option<usize>,
    second: Option<usize>,
    sole: Option<usize>,
    status: Option<usize>,
}

impl<'a> Builder<'a> {
    fn new(spec: &'a Spec, dimensions: Vec<Dimension>) -> Self {
        Self { spec, dimensions, drafts: BTreeMap::new(), row_keys: Vec::new(), spans: Vec::new() }
    }

    fn columns(&self, table: &Table, role: Role, faults: &mut Faults) -> Option<Columns> {
        let before = faults.found().len();
        let need = |name: &str, faults: &mut Faults| {
            let at = table.column(name);
            if at.is_none() {
                let message = format!("the column `{name}` is missing");
                let fault = Diagnostic::error(&table.name, "missing-column", message).at(0..0);
                let columns = table.header.join("`, `");
                faults.push(fault.help(format!("the file has `{columns}`")));
            }
            at
        };
        let columns = &self.spec.table;
        let measure = need(&columns.measure, faults);
        let confidential = role == Role::Candidate;
        let optional = |name: &Option<String>, faults: &mut Faults| {
            let name = name.as_ref()?;
            if confidential { need(name, faults) } else { table.column(name) }
        };
        let contributors = optional(&columns.contributors, faults);
        let largest = optional(&columns.largest, faults);
        let second = optional(&columns.second, faults);
        let sole = optional(&columns.sole, faults);
        let mut dimensions = Vec::new();
        for dimension in &self.dimensions {
            let at = match table.column(&dimension.column) {
                None if dimension.total.is_none() => need(&dimension.column, faults),
                at => at,
            };
            dimensions.push(at);
        }
        if dimensions.iter().all(Option::is_none) {
            let message = "the table has none of the declared dimensions";
            faults.push(Diagnostic::error(&table.name, "missing-column", message).at(0..0));
        }
        let status = table.column("status");
        if role == Role::Audited && status.is_none() {
            let message = "an audited table needs the column `status`";
            let help = "values: published, primary, secondary, suppressed";
            faults.push(
                Diagnostic::error(&table.name, "missing-column", message).at(0..0).help(help),
            );
        }
        if faults.found().len() > before {
            return None;
        }
        Some(Columns { dimensions, measure: measure?, contributors, largest, second, sole, status })
    }

    fn read(&mut self, table: &Table, role: Role, faults: &mut Faults) {
        let Some(columns) = self.columns(table, role, faults) else { return };
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

    fn key(&self, columns: &Columns, fields: &[(String, Range<usize>)]) -> Option<Vec<Node>> {
        let columns = columns.dimensions.iter().zip(&self.dimensions);
        columns
            .map(|(&column, dimension)| match column {
                Some(column) => dimension.index.get(&fields[column].0).copied(),
                None => dimension.total,
            })
            .collect()
    }

    fn name(&self, key: &[Node]) -> String {
        let parts: Vec<_> = key
            .iter()
            .zip(&self.dimensions)
            .map(|(&node, dimension)| {
                format!("{}={}", dimension.column, dimension.codes[node as usize])
            })
            .collect();
        parts.join(", ")
    }

    fn draft(
        &self,
        table: &Table,
        columns: &Columns,
        fields: &[(String, Range<usize>)],
        (key, role): (&[Node], Role),
        faults: &mut Faults,
    ) -> Option<Draft> {
        let reader = FieldReader { table, fields, cell: self.name(key) };
        let status = columns.status.map_or("", |at| fields[at].0.as_str());
        let said_hidden = matches!(status, "primary" | "secondary" | "suppressed");
        let may_hide = matches!(role, Role::Audited | Role::Past);
        if may_hide && !said_hidden && !matches!(status, "" | "published") {
            let at = columns.status.map_or(0..0, |at| fields[at].1.clone());
            let message = format!("`{status}` is not a status, at the cell {}", reader.cell);
            let help = "published, primary, secondary or suppressed";
            faults.push(Diagnostic::error(&table.name, "bad-status", message).at(at).help(help));
            return None;
        }
        let empty = fields[columns.measure].0.is_empty();
        if empty && (role == Role::Candidate || (role == Role::Audited && status == "published")) {
            let at = fields[columns.measure].1.clone();
            let message = format!("the cell {} has no value", reader.cell);
            let help = "write 0 for none; a table that is out goes under [[published]]";
            faults.push(Diagnostic::error(&table.name, "empty-measure", message).at(at).help(help));
            return None;
        }
        let value = if empty { None } else { Some(reader.number(columns.measure, faults)?) };
        let optional = |column: Option<usize>, faults: &mut Faults| {
            column.filter(|&at| !fields[at].0.is_empty()).map(|at| (at, reader.number(at, faults)))
        };
        let contributors = match optional(columns.contributors, faults) {
            Some((at, Some(number))) => Some(reader.whole(at, number, "a contributor", faults)?),
            Some((_, None)) => return None,
            None => None,
        };
        if self.spec.table.contributors.is_none()
            && let Some(value) = value
        {
            reader.whole(columns.measure, value, "a count without `contributors`", faults)?;
        }
        let largest = optional(columns.largest, faults).map(|(_, n)| n);
        let second = optional(columns.second, faults).map(|(_, n)| n);
        let draft = Draft {
            value,
            contributors,
            largest: largest.flatten(),
            second: second.flatten(),
            sole: columns.sole.map(|at| fields[at].0.clone()).filter(|code| !code.is_empty()),
            standing: match role {
                Role::Candidate | Role::Audited => Standing::Candidate,
                Role::Past if empty || said_hidden => Standing::Withheld,
                Role::Past | Role::Truth => Standing::Out,
            },
            hidden: may_hide && (empty || said_hidden),
            mark: match status {
                "primary" if may_hide => Some(Status::Primary),
                "secondary" if may_hide => Some(Status::Secondary),
                _ => None,
            },
            place: (table.name.clone(), fields[columns.measure].1.clone()),
        };
        let Draft { value, contributors, largest, second, .. } = draft;
        let row = Contributions { value, contributors, largest, second };
        reader.check_contributions(&row, columns.measure, faults);
        Some(draft)
    }

    fn merge(&mut self, key: Vec<Node>, draft: Draft, role: Role, faults: &mut Faults) {
        let name = self.name(&key);
        let Some(old) = self.drafts.get_mut(&key) else {
            if role != Role::Truth {
                self.drafts.insert(key, draft);
            }
            return;
        };
        if let (Some(a), Some(b)) = (old.value, draft.value)
            && a.units(9) != b.units(9)
        {
            let (code, other) = match role {
                Role::Past => ("contradicts-release", "a table that is already out"),
                Role::Truth => ("contradicts-truth", "the file of true values"),
                _ => ("contradiction", "another table of this run"),
            };
            let (path, span) =
                if role == Role::Past { old.place.clone() } else { draft.place.clone() };
            let message = format!("the cell {name} has another value in {other}");
            let help = format!(
                "compare with {}",
                if role == Role::Past { &draft.place.0 } else { &old.place.0 }
            );
            faults.push(Diagnostic::error(path, code, message).at(span).help(help));
        }
        if role == Role::Past {
            // What is out once is out, whatever another release hid.
            if old.standing != Standing::Out {
                old.standing = draft.standing;
            }
            old.value = old.value.or(draft.value);
            old.hidden = old.standing == Standing::Withheld;
        } else {
            old.value = old.value.or(draft.value);
            old.hidden &= draft.hidden || role == Role::Truth;
        }
        old.contributors = old.contributors.or(draft.contributors);
        old.largest = old.largest.or(draft.largest);
        old.second = old.second.or(draft.second);
        old.sole = old.sole.take().or(draft.sole);
        old.mark = old.mark.into_iter().chain(draft.mark).min();
    }

    fn build(mut self, spec: Spec, tables: &[Table], faults: &mut Faults) -> Option<Loaded> {
        let computed = if spec.table.compute_margins { self.compute_margins() } else { Vec::new() };
        let counts = spec.table.contributors.is_none();
        let numbers = self.drafts.values().flat_map(|d| [d.value, d.largest, d.second]);
        let scale = numbers.flatten().map(|number| number.scale).max().unwrap_or(0);
        let mut cells = Vec::new();
        let mut places = Vec::new();
        let mut hidden = Vec::new();
        for (key, draft) in &self.drafts {
            let units = |number: Option<Exact>| number.map(|n| n.units(scale));
            let value = units(draft.value);
            cells.push(Cell {
                key: key.clone(),
                value: value.unwrap_or(0),
                is_true: value.is_some(),
                contributors: if counts { value } else { draft.contributors },
                largest: units(draft.largest),
                second: units(draft.second),
                sole: draft.sole.clone(),
                mark: draft.mark,
                standing: draft.standing,
            });
            places.push(Some(draft.place.clone()));
            hidden.push(draft.hidden);
        }
        let mut ties = Ties::new(&self.dimensions, cells, places);
        ties.find_equations(faults);
        let Ties { mut cells, equations, index, empty, .. } = ties;
        if counts {
            let known = cells.iter_mut().filter(|cell| cell.is_true);
            known.for_each(|cell| cell.contributors = Some(cell.value));
        }
        hidden.resize(cells.len(), false);
        if faults.has_errors() {
            return None;
        }
        let outputs = self.outputs(&spec, tables, &index, &computed);
        let values: Vec<i128> = cells.iter().map(|cell| cell.value).collect();
        let largest = values.iter().copied().max().unwrap_or(0);
        let system = System::new(values, vec![largest; cells.len()], equations, counts);
        let mut model = Model {
            dimensions: self.dimensions,
            cells,
            index,
            system,
            scale,
            rule: spec.rule.clone(),
            objective: spec.objective,
            outputs,
            empty: empty.into_iter().collect(),
            counts,
        };
        if let Err(fault) = past::complete(&mut model) {
            faults.push(fault);
            return None;
        }
        Some(Loaded { spec, model, hidden })
    }

    /// Adds the totals that candidate tables do not hold; returns their keys, per table.
    fn compute_margins(&mut self) -> Vec<Vec<Vec<Node>>> {
        let mut added = Vec::new();
        for (table, span) in self.row_keys.iter().zip(&self.spans) {
            let mut keys: BTreeSet<Vec<Node>> = table.iter().flatten().cloned().collect();
            let mut new = Vec::new();
            for (d, dimension) in self.dimensions.iter().enumerate().filter(|&(d, _)| span[d]) {
                for group in &dimension.groups {
                    let mut rests = BTreeMap::<Vec<Node>, Vec<Vec<Node>>>::new();
                    for key in keys.iter().filter(|key| group.children.contains(&key[d])) {
                        let mut parent = key.clone();
                        parent[d] = group.parent;
                        rests.entry(parent).or_default().push(key.clone());
                    }
                    for (parent, children) in rests {
                        if keys.insert(parent.clone()) {
                            let sum =
                                sum_of(children.iter().filter_map(|key| self.drafts.get(key)));
                            let Some(sum) = sum else { continue };
                            self.drafts.entry(parent.clone()).or_insert(sum);
                            new.push(parent);
                        }
                    }
                }
            }
            added.push(new);
        }
        added
    }

    fn outputs(
        &self,
        spec: &Spec,
        tables: &[Table],
        index: &BTreeMap<Vec<Node>, CellIndex>,
        computed: &[Vec<Vec<Node>>],
    ) -> Vec<OutputTable> {
        let named = &spec.table;
        let confidential = [&named.contributors, &named.largest, &named.second, &named.sole];
        let mut outputs = Vec::new();
        for (number, (table, keys)) in tables.iter().zip(&self.row_keys).enumerate() {
            let mut columns = Vec::new();
            let mut extra_at = Vec::new();
            for (at, column) in table.header.iter().enumerate() {
                let dimension = self.dimensions.iter().position(|d| d.column == *column);
                if let Some(dimension) = dimension {
                    columns.push(OutputColumn::Dimension(dimension));
                } else if *column == named.measure {
                    columns.push(OutputColumn::Measure(column.clone()));
                } else if column != "status"
                    && confidential.iter().all(|name| name.as_deref() != Some(column.as_str()))
                {
                    columns.push(OutputColumn::Extra(column.clone()));
                    extra_at.push(at);
                }
            }
            let find = |key: &Vec<Node>| index.get(key).copied();
            let read = keys.iter().enumerate().filter_map(|(at, key)| {
                Some(OutputRow { cell: find(key.as_ref()?)?, source: Some(at) })
            });
            let none = Vec::new();
            let new = computed.get(number).unwrap_or(&none).iter();
            let new = new.filter_map(|key| Some(OutputRow { cell: find(key)?, source: None }));
            let rows = read.chain(new).collect();
            let pick = |row: &super::table::Record| {
                extra_at.iter().map(|&at| row.fields[at].0.clone()).collect()
            };
            let extra = table.rows.iter().map(pick).collect();
            outputs.push(OutputTable { name: table.name.clone(), columns, rows, extra });
        }
        outputs
    }
}

/// A total that was not given, from its parts.
fn sum_of<'d>(parts: impl Iterator<Item = &'d Draft>) -> Option<Draft> {
    let mut sum: Option<Draft> = None;
    let mut largest: Vec<Exact> = Vec::new();
    for part in parts {
        largest.extend(part.largest.into_iter().chain(part.second));
        let Some(total) = &mut sum else {
            sum = Some(part.clone());
            continue;
        };
        let (a, b) = (total.value?, part.value?);
        let scale = a.scale.max(b.scale);
        total.value = Some(Exact { mantissa: a.units(scale) + b.units(scale), scale });
        total.contributors = total.contributors.zip(part.contributors).map(|(a, b)| a + b);
        total.sole = None;
    }
    let mut sum = sum?;
    largest.sort_by_key(|number| std::cmp::Reverse(number.units(9)));
    sum.largest = sum.largest.and(largest.first().copied());
    sum.second = sum.second.and(largest.get(1).copied());
    sum.standing = Standing::Candidate;
    Some(sum)
}
