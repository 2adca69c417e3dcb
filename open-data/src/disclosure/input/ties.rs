//! What is a sum of what among the cells there are, and whether the figures agree.
//!
//! A sum is tied wherever a total and some of its parts are cells. Totals that nobody publishes
//! but that several sums share become implied cells, so that no relation an attacker can use is
//! lost. A part that is nowhere is empty: the figures must agree without it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::hierarchy::{Dimension, Node};
use crate::disclosure::model::{Cell, Standing};
use crate::disclosure::system::{CellIndex, Equation};

/// At most this many sums that fail are told.
const MOST_SUM_FAULTS: usize = 40;

/// Finds what is a sum of what among the cells there are.
pub(super) struct Ties<'a> {
    dimensions: &'a [Dimension],
    pub(super) cells: Vec<Cell>,
    places: Vec<Option<(String, Range<usize>)>>,
    pub(super) index: BTreeMap<Vec<Node>, CellIndex>,
    pub(super) equations: Vec<Equation>,
    /// Keys left out of a sum that others enter.
    pub(super) empty: BTreeSet<Vec<Node>>,
    told: usize,
}

impl<'a> Ties<'a> {
    pub(super) fn new(
        dimensions: &'a [Dimension],
        cells: Vec<Cell>,
        places: Vec<Option<(String, Range<usize>)>>,
    ) -> Self {
        let index = cells.iter().enumerate().map(|(i, cell)| (cell.key.clone(), i)).collect();
        Self {
            dimensions,
            cells,
            places,
            index,
            equations: Vec::new(),
            empty: BTreeSet::new(),
            told: 0,
        }
    }

    pub(super) fn find_equations(&mut self, faults: &mut Faults) {
        self.imply_shared_totals();
        let mut done = 0;
        // Implied cells added on the way need their own sums, so go on until none is new.
        let mut seen: BTreeSet<(Vec<Node>, usize, usize)> = BTreeSet::new();
        while done < self.cells.len() {
            let until = self.cells.len();
            for cell in done..until {
                let key = self.cells[cell].key.clone();
                for d in 0..self.dimensions.len() {
                    for g in 0..self.dimensions[d].groups.len() {
                        if self.dimensions[d].groups[g].parent == key[d]
                            && seen.insert((key.clone(), d, g))
                        {
                            self.tie(cell, d, g, faults);
                        }
                    }
                }
            }
            done = until;
        }
        self.propagate();
    }

    /// A cell that is the only unknown one of a sum is known after all.
    fn propagate(&mut self) {
        loop {
            let mut changed = false;
            for equation in &self.equations {
                let mut unknown = equation.terms().filter(|&(cell, _)| !self.cells[cell].is_true);
                let (Some((cell, sign)), None) = (unknown.next(), unknown.next()) else { continue };
                let rest = equation.terms().filter(|&(other, _)| other != cell);
                let rest: i128 = rest.map(|(c, s)| i128::from(s) * self.cells[c].value).sum();
                self.cells[cell].value = -rest * i128::from(sign);
                self.cells[cell].is_true = true;
                changed = true;
            }
            if !changed {
                return;
            }
        }
    }

    /// Totals that nobody publishes but that two different sums share.
    fn imply_shared_totals(&mut self) {
        let mut sums: BTreeMap<Vec<Node>, BTreeSet<(usize, usize)>> = BTreeMap::new();
        for cell in &self.cells {
            for (d, dimension) in self.dimensions.iter().enumerate() {
                for (g, group) in dimension.groups.iter().enumerate() {
                    if group.children.binary_search(&cell.key[d]).is_ok() {
                        let mut parent = cell.key.clone();
                        parent[d] = group.parent;
                        if !self.index.contains_key(&parent) {
                            sums.entry(parent).or_default().insert((d, g));
                        }
                    }
                }
            }
        }
        for (key, _) in sums.into_iter().filter(|(_, groups)| groups.len() > 1) {
            self.add_implied(key);
        }
    }

    fn add_implied(&mut self, key: Vec<Node>) -> CellIndex {
        let cell = self.cells.len();
        self.index.insert(key.clone(), cell);
        self.cells.push(Cell {
            key,
            value: 0,
            is_true: false,
            contributors: None,
            largest: None,
            second: None,
            sole: None,
            mark: None,
            standing: Standing::Implied,
        });
        self.places.push(None);
        cell
    }

    /// The equation of `total` over group `g` of dimension `d`, if its parts are known.
    fn tie(&mut self, total: CellIndex, d: usize, g: usize, faults: &mut Faults) {
        let group = &self.dimensions[d].groups[g];
        let (mut parts, mut missing) = (Vec::new(), Vec::new());
        for &child in &group.children {
            let mut key = self.cells[total].key.clone();
            key[d] = child;
            match self.index.get(&key) {
                Some(&part) => parts.push(part),
                None => missing.push(key),
            }
        }
        let derivable: Vec<_> =
            missing.iter().filter(|key| self.is_divided(key)).cloned().collect();
        if parts.is_empty() && derivable.is_empty() {
            return;
        }
        let left_out = missing.iter().filter(|key| !derivable.contains(key)).cloned();
        let left_out: Vec<_> = left_out.collect();
        let absent = left_out.first().cloned();
        self.empty.extend(left_out);
        parts.extend(derivable.into_iter().map(|key| self.add_implied(key)));
        let equation = Equation { total, parts };
        self.settle(&equation);
        self.check_sum(&equation, absent.as_deref(), faults);
        self.equations.push(equation);
    }

    /// Whether some cells divide the absent cell `key` further.
    fn is_divided(&self, key: &[Node]) -> bool {
        self.dimensions.iter().enumerate().any(|(d, dimension)| {
            dimension.groups.iter().filter(|group| group.parent == key[d]).any(|group| {
                group.children.iter().any(|&child| {
                    let mut part = key.to_vec();
                    part[d] = child;
                    self.index.contains_key(&part) || self.is_divided(&part)
                })
            })
        })
    }

    /// Gives implied parts their values where these follow.
    fn settle(&mut self, equation: &Equation) {
        for cell in equation.terms().map(|(cell, _)| cell).collect::<Vec<_>>() {
            if self.cells[cell].standing == Standing::Implied && !self.cells[cell].is_true {
                let key = self.cells[cell].key.clone();
                if let Some(value) = self.sum_below(&key, 0) {
                    self.cells[cell].value = value;
                    self.cells[cell].is_true = true;
                }
            }
        }
    }

    fn sum_below(&self, key: &[Node], depth: usize) -> Option<i128> {
        if let Some(&cell) = self.index.get(key)
            && (self.cells[cell].standing != Standing::Implied || self.cells[cell].is_true)
        {
            return self.cells[cell].is_true.then(|| self.cells[cell].value);
        }
        if depth > 16 {
            return None;
        }
        for (d, dimension) in self.dimensions.iter().enumerate() {
            for group in dimension.groups.iter().filter(|group| group.parent == key[d]) {
                let part = |child: Node| {
                    let mut part = key.to_vec();
                    part[d] = child;
                    part
                };
                let keys: Vec<_> = group.children.iter().map(|&child| part(child)).collect();
                if keys.iter().any(|key| self.index.contains_key(key) || self.is_divided(key)) {
                    return keys
                        .iter()
                        .filter(|key| self.index.contains_key(*key) || self.is_divided(key))
                        .map(|key| self.sum_below(key, depth + 1))
                        .sum();
                }
            }
        }
        None
    }

    fn check_sum(&mut self, equation: &Equation, absent: Option<&[Node]>, faults: &mut Faults) {
        let total = &self.cells[equation.total];
        let known = equation.terms().all(|(cell, _)| self.cells[cell].is_true);
        let sum: i128 = equation
            .parts
            .iter()
            .filter(|&&part| self.cells[part].is_true)
            .map(|&part| self.cells[part].value)
            .sum();
        let wrong = total.is_true && (sum > total.value || (known && sum != total.value));
        if !wrong || self.told >= MOST_SUM_FAULTS {
            return;
        }
        self.told += 1;
        let name = self.name(&total.key);
        let is_out = |cell: CellIndex| {
            matches!(self.cells[cell].standing, Standing::Out | Standing::Withheld)
        };
        let mixed = equation.terms().any(|(cell, _)| is_out(cell))
            && equation.terms().any(|(cell, _)| !is_out(cell));
        let count = equation.parts.len();
        let (code, message, help) = if let Some(absent) = absent.filter(|_| sum < total.value) {
            let message =
                format!("{name} is not the sum of its parts, and {} is missing", self.name(absent));
            ("missing-cell", message, "add the row; a cell left out counts as 0")
        } else if mixed {
            let message = format!("{name} is not the sum of its {count} parts, some already out");
            (
                "contradicts-release",
                message,
                "what is out stays: find which figure changed, and why",
            )
        } else {
            let message = format!("{name} is not the sum of its {count} parts");
            ("total-mismatch", message, "correct the figures, or use margins = \"compute\"")
        };
        let place = self.places[equation.total]
            .clone()
            .or_else(|| equation.parts.iter().find_map(|&part| self.places[part].clone()));
        let (path, span) = place.unwrap_or_default();
        faults.push(Diagnostic::error(path, code, message).at(span).help(help));
    }

    fn name(&self, key: &[Node]) -> String {
        let parts: Vec<_> = key
            .iter()
            .zip(self.dimensions)
            .map(|(&node, d)| format!("{}={}", d.column, d.codes[node as usize]))
            .collect();
        parts.join(", ")
    }
}
