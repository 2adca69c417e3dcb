//! Tables, hierarchies and past releases become one [`Model`].

mod output;
mod row;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::circle;
use super::hierarchy::{self, Dimension, Node};
use super::number::Exact;
use super::spec::{Rule, Spec};
use super::table::Table;
use super::ties::{Place, Ties};
use crate::model::{Cell, Identity, Model, Standing, name_of};
use crate::past;
use crate::solver::Deadline;
use crate::system::System;

/// At most this many cells are named for one kind of fault.
const MOST_TOLD: usize = 40;

/// Whether a table is about to be protected or is audited as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Every measure must be there; a `status` column is ignored and replaced.
    Protect,
    /// The table has a `status` column: an empty measure was suppressed.
    Audit,
}

/// The files of one run.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The declaration.
    pub spec: PathBuf,
    /// The candidate tables, linked.
    pub tables: Vec<PathBuf>,
    /// For an audit: the same tables with the values that were suppressed.
    pub truth: Vec<PathBuf>,
    /// How long to look for possible values of what earlier releases suppressed; no limit if none.
    pub time: Option<Duration>,
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
    /// Every file that was read, the declaration first.
    pub files: Vec<PathBuf>,
}

impl Inputs {
    /// Reads everything; `None` when `faults` holds an error afterwards.
    pub fn load(&self, purpose: Purpose, faults: &mut Faults) -> Option<Loaded> {
        let deadline = Deadline::after(self.time);
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
        let mut builder = Builder::new(&spec, dimensions, purpose);
        let role = match purpose {
            Purpose::Protect => Role::Candidate,
            Purpose::Audit => Role::Audited,
        };
        candidates.iter().for_each(|table| builder.read(table, role, faults));
        past.iter().for_each(|table| builder.read(table, Role::Past, faults));
        let truth_tables = truths.iter().chain(&past_truth);
        truth_tables.for_each(|table| builder.read(table, Role::Truth, faults));
        let mut files = vec![self.spec.clone()];
        files.extend([&self.tables[..], &self.truth, &past_files, &past_truths].concat());
        files.extend(spec.dimensions.iter().flat_map(|d| d.hierarchies.iter().cloned()));
        circle::refuse(candidates.iter().chain(&past), &spec.dimensions, faults);
        if faults.has_errors() {
            return None;
        }
        let (model, hidden) = builder.build(&candidates, deadline, faults)?;
        Some(Loaded { spec, model, hidden, files })
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
    place: Place,
}

struct Builder<'a> {
    spec: &'a Spec,
    dimensions: Vec<Dimension>,
    drafts: BTreeMap<Vec<Node>, Draft>,
    /// Per candidate table: the key of each row.
    row_keys: Vec<Vec<Option<Vec<Node>>>>,
    /// Per candidate table: which dimensions it has.
    spans: Vec<Vec<bool>>,
    /// Whether the candidate is judged as it stands.
    audited: bool,
}

impl<'a> Builder<'a> {
    fn new(spec: &'a Spec, dimensions: Vec<Dimension>, purpose: Purpose) -> Self {
        let audited = purpose == Purpose::Audit;
        let (row_keys, spans) = (Vec::new(), Vec::new());
        Self { spec, dimensions, drafts: BTreeMap::new(), row_keys, spans, audited }
    }

    fn name(&self, key: &[Node]) -> String {
        name_of(&self.dimensions, key)
    }

    fn build(
        mut self,
        tables: &[Table],
        deadline: Deadline,
        faults: &mut Faults,
    ) -> Option<(Model, Vec<bool>)> {
        let spec = self.spec;
        let computed = if spec.table.compute_margins { self.compute_margins() } else { Vec::new() };
        self.drafts.iter().for_each(|(key, draft)| self.check_complete(key, draft, faults));
        let counts = spec.table.contributors.is_none();
        let numbers = self.drafts.values().flat_map(|d| [d.value, d.largest, d.second]);
        let scale = numbers.flatten().map(|number| number.scale).max().unwrap_or(0);
        let mut hidden: Vec<bool> = self.drafts.values().map(|draft| draft.hidden).collect();
        let (cells, places) = self.cells(scale, counts);
        let mut ties = Ties::new(&self.dimensions, cells, places);
        let least = spec.rule.min_contributors.map_or(0, i128::from);
        let small = |cell: &Cell| counts && cell.is_true && (1..least).contains(&cell.value);
        ties.find_equations(&small, faults);
        let empty = ties.empty();
        let Ties { mut cells, equations, index, places, .. } = ties;
        if counts {
            let known = cells.iter_mut().filter(|cell| cell.is_true);
            known.for_each(|cell| cell.contributors = Some(cell.value));
        }
        self.check_zeros(&empty, faults);
        hidden.resize(cells.len(), false);
        let outputs = self.outputs(tables, &index, &computed, faults);
        if faults.has_errors() {
            return None;
        }
        let values: Vec<i128> = cells.iter().map(|cell| cell.value).collect();
        let integral = counts || spec.table.whole;
        let system = System::new(values, vec![0; cells.len()], equations, integral);
        let mut model = Model {
            dimensions: self.dimensions,
            cells,
            index,
            system,
            scale,
            rule: spec.rule.clone(),
            objective: spec.objective,
            outputs,
            empty: empty.into_keys().collect(),
            counts,
            identity: Identity::default(),
        };
        if let Err(cell) = past::complete(&mut model, deadline) {
            faults.push(no_table_fits(&model, cell, &places));
            return None;
        }
        model.bound_cells();
        Some((model, hidden))
    }

    fn cells(&self, scale: u32, counts: bool) -> (Vec<Cell>, Vec<Option<Place>>) {
        let cell = |(key, draft): (&Vec<Node>, &Draft)| {
            let units = |number: Option<Exact>| number.map(|n| n.units(scale));
            let value = units(draft.value);
            Cell {
                key: key.clone(),
                value: value.unwrap_or(0),
                is_true: value.is_some(),
                contributors: if counts { value } else { draft.contributors },
                largest: units(draft.largest),
                second: units(draft.second),
                sole: draft.sole.clone(),
                standing: draft.standing,
            }
        };
        let places = self.drafts.values().map(|draft| Some(draft.place.clone()));
        (self.drafts.iter().map(cell).collect(), places.collect())
    }

    /// What the rules need to know of a cell must be there: what is missing is not harmless.
    fn check_complete(&self, key: &[Node], draft: &Draft, faults: &mut Faults) {
        let columns = &self.spec.table;
        if columns.contributors.is_none() || draft.standing == Standing::Out {
            return;
        }
        let name = self.name(key);
        let mut fault = |code, message: String, help: &str| {
            let (path, span) = draft.place.clone();
            faults.push(Diagnostic::error(path, code, message).at(span).help(help));
        };
        let Some(value) = draft.value else {
            let message = format!("the value of the suppressed cell {name} is not at hand");
            let help = "a magnitude cannot be judged without it: give the file of true values";
            return fault("truth-needed", message, help);
        };
        if value.mantissa == 0 {
            return;
        }
        let Rule { dominance, p_percent, .. } = &self.spec.rule;
        let two = p_percent.is_some() || dominance.as_ref().is_some_and(|rule| rule.n == 2);
        let one = two || dominance.is_some();
        let several = draft.contributors.is_none_or(|count| count > 1);
        for (needed, is_there, column) in [
            (true, draft.contributors.is_some(), &columns.contributors),
            (one, draft.largest.is_some(), &columns.largest),
            (two && several, draft.second.is_some(), &columns.second),
        ] {
            if needed && !is_there {
                let column = column.as_deref().unwrap_or_default();
                let message = format!("`{column}` is empty at the cell {name}");
                fault("contribution-missing", message, "the rules cannot be judged without it");
            }
        }
    }

    /// A row left out is known to be 0, which some declarations do not want known.
    fn check_zeros(&self, empty: &BTreeMap<Vec<Node>, bool>, faults: &mut Faults) {
        let rule = &self.spec.rule;
        if !(rule.zeros || rule.group_disclosure) {
            return;
        }
        let place = self.drafts.values().find(|draft| draft.standing == Standing::Candidate);
        let path = place.map_or("", |draft| &draft.place.0);
        for (key, _) in empty.iter().filter(|(_, new)| **new).take(MOST_TOLD) {
            let message = format!("the cell {} is left out, and so known to be 0", self.name(key));
            let help = "with `zeros` or `group_disclosure` write its row, with a 0";
            faults.push(Diagnostic::error(path, "zero-left-out", message).help(help));
        }
    }
}

fn no_table_fits(model: &Model, cell: usize, places: &[Option<Place>]) -> Diagnostic {
    let name = model.name(cell);
    let message = format!("no values were found that fit the suppressed cells, {name} among them");
    let help = "a published total or release is wrong; give the true values as `truth`";
    let place = places.get(cell).cloned().flatten();
    let (path, span) =
        place.or_else(|| places.iter().flatten().next().cloned()).unwrap_or_default();
    Diagnostic::error(path, "no-table-fits", message).at(span).help(help)
}
