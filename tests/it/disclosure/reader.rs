//! A reader of the published files: an attacker that knows nothing of the gate's cells and sums.
//!
//! It sees the rendered CSVs, the hierarchies and the rule of the game (counts, from 0 up, totals
//! are sums), gives every combination of elements a variable of its own, and asks another solver
//! between which values the sum behind a gap lies.

use std::collections::BTreeMap;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT,
};

/// For each dimension, what elements each code covers.
pub(super) type Codes = Vec<(String, BTreeMap<String, Vec<usize>>)>;

/// Published sums over combinations of elements.
pub(super) struct Reader {
    sizes: Vec<usize>,
    codes: Codes,
    /// Which combinations add up to which figure.
    known: Vec<(Vec<usize>, f64)>,
}

impl Reader {
    pub(super) fn new(codes: Codes) -> Self {
        let most = |map: &BTreeMap<String, Vec<usize>>| map.values().flatten().max().copied();
        let sizes = codes.iter().map(|(_, map)| most(map).map_or(1, |most| most + 1)).collect();
        Self { sizes, codes, known: Vec::new() }
    }

    /// Takes in a published file; returns its gaps, as the combinations they cover.
    pub(super) fn read(&mut self, text: &str, measure: &str) -> Vec<Vec<usize>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let mut gaps = Vec::new();
        for record in reader.records() {
            let record = record.expect("a record");
            let field = |name: &str| {
                header.iter().position(|column| column == name).and_then(|at| record.get(at))
            };
            let codes: Vec<&str> =
                self.codes.iter().map(|(column, _)| field(column).unwrap_or("T")).collect();
            let covered = self.covered(&codes);
            match field(measure) {
                Some(figure) if !figure.is_empty() => {
                    self.known.push((covered, figure.parse().expect("a number")));
                }
                _ => gaps.push(covered),
            }
        }
        gaps
    }

    /// The combinations of elements that some codes cover.
    pub(super) fn covered(&self, codes: &[&str]) -> Vec<usize> {
        let mut places = vec![0];
        for ((&code, (_, map)), size) in codes.iter().zip(&self.codes).zip(&self.sizes) {
            let elements = &map[code];
            let next = |place: usize| elements.iter().map(move |element| place * size + element);
            places = places.into_iter().flat_map(next).collect();
        }
        places.sort_unstable();
        places
    }

    /// Between which values the sum of some combinations lies.
    pub(super) fn interval(&self, covered: &[usize]) -> (f64, f64) {
        (-self.most(covered, -1.0), self.most(covered, 1.0))
    }

    fn most(&self, covered: &[usize], sign: f64) -> f64 {
        const FAR: f64 = 1000.0;
        let variables: usize = self.sizes.iter().product();
        let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut put = |row: usize, column: usize, value: f64| {
            rows.push(row);
            columns.push(column);
            values.push(value);
        };
        let mut right = Vec::new();
        for (sum, figure) in &self.known {
            sum.iter().for_each(|&place| put(right.len(), place, 1.0));
            right.push(*figure);
        }
        let equalities = right.len();
        for place in 0..variables {
            put(right.len(), place, -1.0);
            right.push(0.0);
            // Somewhere it must end, for the solver's sake.
            put(right.len(), place, 1.0);
            right.push(FAR);
        }
        let a = CscMatrix::new_from_triplets(right.len(), variables, rows, columns, values);
        let cones = [ZeroConeT(equalities), NonnegativeConeT(2 * variables)];
        let mut goal = vec![0.0; variables];
        covered.iter().for_each(|&place| goal[place] = -sign);
        let none = CscMatrix::zeros((variables, variables));
        let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
        let solver = DefaultSolver::new(&none, &goal, &a, &right, &cones, settings);
        let mut solver = solver.expect("a valid programme");
        solver.solve();
        let solution = &solver.solution;
        let fine = matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
        assert!(fine || solution.r_prim < 3e-4, "{:?}", solution.status);
        covered.iter().map(|&place| solution.x[place]).sum::<f64>() * sign
    }
}
