//! What the tests of the gate share: files, models, and an attacker with another solver.

use std::path::{Path, PathBuf};

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT,
};
use disclosure::{Faults, Inputs, Loaded, Model, Purpose, Standing};

/// A folder for one test's files.
pub(super) struct Files(pub(super) tempfile::TempDir);

impl Files {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Writes a file and says where.
    pub(super) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }
}

/// A file of the public data.
pub(super) fn data(path: &str) -> PathBuf {
    crate::support::data().join(path)
}

pub(super) fn load(spec: &Path, tables: &[&Path], purpose: Purpose) -> Loaded {
    try_load(spec, tables, purpose).unwrap_or_else(|faults| panic!("{faults}"))
}

pub(super) fn try_load(spec: &Path, tables: &[&Path], purpose: Purpose) -> Result<Loaded, Faults> {
    let tables = tables.iter().map(|table| table.to_path_buf()).collect();
    let inputs = Inputs { spec: spec.to_owned(), tables, ..Inputs::default() };
    let mut faults = Faults::default();
    inputs.load(purpose, &mut faults).ok_or(faults)
}

/// Loads for an audit a table whose `measure` is given everywhere: where its `status` (the last
/// column) is not `published`, the audited file has a gap and the truth the value.
pub(super) fn load_audit(spec: &str, table: &str, measure: &str, files: &Files) -> Loaded {
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let at = header.split(',').position(|column| column == measure).expect("the measure");
    let mut shown = format!("{header}\n");
    for line in lines {
        let mut fields: Vec<&str> = line.split(',').collect();
        let status = fields.len() - 1;
        if fields[status] != "published" {
            (fields[at], fields[status]) = ("", "suppressed");
        }
        shown.push_str(&format!("{}\n", fields.join(",")));
    }
    let inputs = Inputs {
        spec: files.put("audit.toml", spec),
        tables: vec![files.put("shown.csv", &shown)],
        truth: vec![files.put("true.csv", table)],
        ..Inputs::default()
    };
    let mut faults = Faults::default();
    inputs.load(Purpose::Audit, &mut faults).unwrap_or_else(|| panic!("{faults}"))
}

/// The interval an attacker finds for `cell`, cells possible from 0 to `largest`, with a solver
/// that the gate does not use. In units, as floats.
pub(super) fn attack(
    model: &Model,
    hidden: &dyn Fn(usize) -> bool,
    cell: usize,
    largest: f64,
) -> (f64, f64) {
    // Sums that are in no table are as large as their parts.
    let range = |c: usize| {
        let is_bounded = model.standing(c) != Standing::Implied;
        (0.0, if is_bounded { largest } else { f64::INFINITY })
    };
    attack_within(model, hidden, &range, cell)
}

/// The interval an attacker finds for `cell` who knows of each hidden cell in what `range` it lies,
/// and of all others their values.
pub(super) fn attack_within(
    model: &Model,
    hidden: &dyn Fn(usize) -> bool,
    range: &dyn Fn(usize) -> (f64, f64),
    cell: usize,
) -> (f64, f64) {
    let system = model.system();
    let columns: Vec<usize> = (0..system.len()).filter(|&c| hidden(c)).collect();
    let mut place = vec![None; system.len()];
    columns.iter().enumerate().for_each(|(at, &c)| place[c] = Some(at));
    let Some(target) = place[cell] else {
        let value = system.value(cell) as f64;
        return (value, value);
    };
    let ends = columns.iter().flat_map(|&c| [range(c).0, range(c).1]);
    let scale = ends.filter(|end| end.is_finite()).fold(1.0, f64::max) / 1000.0;
    let mut entries: Vec<(usize, usize, f64)> = Vec::new();
    let mut right = Vec::new();
    for equation in system.equations() {
        let terms = std::iter::once((equation.total, 1.0))
            .chain(equation.parts.iter().map(|&part| (part, -1.0)));
        let row = right.len();
        let (mut rest, mut any) = (0.0, false);
        for (c, sign) in terms {
            match place[c] {
                Some(at) => {
                    entries.push((at, row, sign));
                    any = true;
                }
                None => rest -= sign * system.value(c) as f64,
            }
        }
        if any {
            right.push(rest / scale);
        }
    }
    let equalities = right.len();
    let mut bounds = 0;
    for (at, &c) in columns.iter().enumerate() {
        let (low, high) = range(c);
        for (sign, end) in [(-1.0, -low), (1.0, high)] {
            if end.is_finite() {
                entries.push((at, right.len(), sign));
                right.push(end / scale);
                bounds += 1;
            }
        }
    }
    let programme = Programme { columns: columns.len(), equalities, bounds, entries, right };
    // A set without an inside (cells that are determined) can end in a numerical complaint: it is
    // given a little room then. That only makes the attacker's interval wider by as little.
    let extreme = |sign: f64| {
        let found = programme.extreme(target, sign, 0.0);
        let found = found.or_else(|_| programme.extreme(target, sign, 1e-6));
        found.unwrap_or_else(|complaint| panic!("{complaint}")) * scale
    };
    (extreme(1.0), extreme(-1.0))
}

/// What an attacker knows: equations first, then bounds, in rows of `entries`.
struct Programme {
    columns: usize,
    equalities: usize,
    bounds: usize,
    /// Column, row and factor.
    entries: Vec<(usize, usize, f64)>,
    right: Vec<f64>,
}

impl Programme {
    /// The least value of a column, or the largest where `sign` is negative; every equation may be
    /// off by `room`.
    fn extreme(&self, target: usize, sign: f64, room: f64) -> Result<f64, String> {
        let (mut entries, mut right) = (self.entries.clone(), self.right.clone());
        let cones = if room > 0.0 {
            let rows = self.right.len();
            let equations = self.entries.iter().filter(|entry| entry.1 < self.equalities);
            entries.extend(equations.map(|&(col, row, factor)| (col, rows + row, -factor)));
            right.extend(self.right[..self.equalities].iter().map(|value| room - value));
            right[..self.equalities].iter_mut().for_each(|value| *value += room);
            vec![NonnegativeConeT(right.len())]
        } else {
            vec![ZeroConeT(self.equalities), NonnegativeConeT(self.bounds)]
        };
        let rows: Vec<usize> = entries.iter().map(|entry| entry.1).collect();
        let cols: Vec<usize> = entries.iter().map(|entry| entry.0).collect();
        let values: Vec<f64> = entries.iter().map(|entry| entry.2).collect();
        let a = CscMatrix::new_from_triplets(right.len(), self.columns, rows, cols, values);
        let mut q = vec![0.0; self.columns];
        q[target] = sign;
        let p = CscMatrix::zeros((self.columns, self.columns));
        let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
        let mut solver =
            DefaultSolver::new(&p, &q, &a, &right, &cones, settings).expect("a valid programme");
        solver.solve();
        let solution = &solver.solution;
        let complaint = [SolverStatus::InsufficientProgress, SolverStatus::NumericalError]
            .contains(&solution.status);
        // At a point that satisfies everything: if it were not the extreme one, the interval would
        // only be taken for narrower than it is.
        let near = complaint && solution.r_prim < 3e-4;
        let solved =
            matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved) || near;
        if solved {
            return Ok(solution.x[target]);
        }
        Err(format!("{:?}, residual {}", solution.status, solution.r_prim))
    }
}
