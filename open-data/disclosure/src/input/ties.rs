//! What is a sum of what among the cells there are.
//!
//! Every sum of cells becomes a cell itself, published or not, up to the totals: two tables, or two
//! releases, may share only a total that nobody printed. Where groupings of the same elements
//! overlap and the elements are in no table, what the groups have in common becomes a cell too,
//! because it is the difference of sums that are printed. A part that is nowhere is empty: the
//! figures must agree without it. Whether they do is judged in [`check`].

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::hierarchy::{Dimension, Node};
use crate::model::{Cell, Standing, name_of};
use crate::system::{CellIndex, Equation};

/// More sums than this are refused rather than forgotten.
const MOST_SUMS: usize = 3_000_000;

/// A file and the bytes of it that a fault is about.
pub(super) type Place = (String, Range<usize>);

/// Finds what is a sum of what among the cells there are.
pub(super) struct Ties<'a> {
    dimensions: &'a [Dimension],
    pub(super) cells: Vec<Cell>,
    pub(super) places: Vec<Option<Place>>,
    pub(super) index: BTreeMap<Vec<Node>, CellIndex>,
    pub(super) equations: Vec<Equation>,
    /// Per equation: the parts that are in no table.
    absent: Vec<Vec<Vec<Node>>>,
}

impl<'a> Ties<'a> {
    pub(super) fn new(
        dimensions: &'a [Dimension],
        cells: Vec<Cell>,
        places: Vec<Option<Place>>,
    ) -> Self {
        let index = cells.iter().enumerate().map(|(i, cell)| (cell.key.clone(), i)).collect();
        Self { dimensions, cells, places, index, equations: Vec::new(), absent: Vec::new() }
    }

    /// Ties everything; `keeps` says of a cell that it must stay even where it ties nothing.
    pub(super) fn find_equations(&mut self, keeps: &dyn Fn(&Cell) -> bool, faults: &mut Faults) {
        if !self.close_upwards(faults) {
            return;
        }
        for cell in 0..self.cells.len() {
            self.tie_all(cell);
        }
        self.divide_overlaps();
        if self.agrees(faults) && self.propagate(faults) && self.agrees(faults) {
            self.drop_idle(keeps);
        }
    }

    /// Keys left out of a sum that others enter, each with whether a candidate's sum needs it.
    pub(super) fn empty(&self) -> BTreeMap<Vec<Node>, bool> {
        let mut empty: BTreeMap<Vec<Node>, bool> = BTreeMap::new();
        for (equation, absent) in self.equations.iter().zip(&self.absent) {
            let new = equation.terms().any(|(c, _)| self.cells[c].standing == Standing::Candidate);
            for key in absent {
                *empty.entry(key.clone()).or_default() |= new;
            }
        }
        empty
    }

    /// Makes every sum of cells a cell; a fault if there are too many.
    fn close_upwards(&mut self, faults: &mut Faults) -> bool {
        let mut at = 0;
        while at < self.cells.len() {
            for d in 0..self.dimensions.len() {
                let code = self.cells[at].key[d];
                let groups = &self.dimensions[d].groups;
                let above = groups.iter().filter(|g| g.children.binary_search(&code).is_ok());
                for parent in above.map(|group| group.parent).collect::<Vec<_>>() {
                    let mut key = self.cells[at].key.clone();
                    key[d] = parent;
                    if !self.index.contains_key(&key) {
                        self.add_implied(key);
                    }
                }
            }
            at += 1;
            if self.cells.len() > MOST_SUMS {
                let path = self.places.iter().flatten().next().map_or("", |place| &place.0);
                let message = "the tables have too many sums to look through";
                let help = "protect them in parts that share no figure, or give fewer levels";
                faults.push(Diagnostic::error(path, "too-many-sums", message).help(help));
                return false;
            }
        }
        true
    }

    fn add_implied(&mut self, key: Vec<Node>) -> CellIndex {
        let cell = self.cells.len();
        self.index.insert(key.clone(), cell);
        self.cells.push(Cell::implied(key));
        self.places.push(None);
        cell
    }

    /// The equations of `total`, over every group whose parts are cells.
    fn tie_all(&mut self, total: CellIndex) {
        for d in 0..self.dimensions.len() {
            for group in &self.dimensions[d].groups {
                if group.parent != self.cells[total].key[d] {
                    continue;
                }
                let (mut parts, mut absent) = (Vec::new(), Vec::new());
                for key in group.children.iter().map(|&child| self.with(total, d, child)) {
                    match self.index.get(&key) {
                        Some(&part) => parts.push(part),
                        None => absent.push(key),
                    }
                }
                if !parts.is_empty() {
                    self.equations.push(Equation { total, parts });
                    self.absent.push(absent);
                }
            }
        }
    }

    /// The key of `cell` with another code in dimension `d`.
    fn with(&self, cell: CellIndex, d: usize, code: Node) -> Vec<Node> {
        let mut key = self.cells[cell].key.clone();
        key[d] = code;
        key
    }

    /// Makes the common parts of overlapping groups cells, where no table has them.
    fn divide_overlaps(&mut self) {
        let empty = self.empty();
        for d in 0..self.dimensions.len() {
            let dimension = &self.dimensions[d];
            if dimension.groups.iter().all(|group| group.hierarchy == 0) {
                continue;
            }
            let below = dimension.elements_below();
            let twins = self.twins(d);
            for fibre in self.undivided(d) {
                let mut seen = BTreeSet::new();
                let overlap = fibre
                    .iter()
                    .flat_map(|&cell| &below[self.cells[cell].key[d] as usize])
                    .any(|element| !seen.insert(element));
                if overlap {
                    self.divide(d, fibre, &twins, &empty);
                }
            }
        }
    }

    /// Groups of dimension `d` none of whose parts is a cell, by what they have in other
    /// dimensions.
    fn undivided(&self, d: usize) -> Vec<Vec<CellIndex>> {
        let dimension = &self.dimensions[d];
        let is_group: BTreeSet<Node> = dimension.groups.iter().map(|group| group.parent).collect();
        let mut divided = vec![false; self.cells.len()];
        for equation in &self.equations {
            let part = &self.cells[equation.parts[0]].key;
            divided[equation.total] |= part[d] != self.cells[equation.total].key[d];
        }
        let mut fibres: BTreeMap<Vec<Node>, Vec<CellIndex>> = BTreeMap::new();
        for (cell, it) in self.cells.iter().enumerate() {
            if !divided[cell] && is_group.contains(&it.key[d]) {
                let mut rest = it.key.clone();
                rest.remove(d);
                fibres.entry(rest).or_default().push(cell);
            }
        }
        fibres.into_values().collect()
    }

    /// Elements of dimension `d` that no cell has and that another one stands for, because both
    /// are in the same groups.
    fn twins(&self, d: usize) -> BTreeSet<Node> {
        let used: BTreeSet<Node> = self.cells.iter().map(|cell| cell.key[d]).collect();
        let ancestors = self.dimensions[d].ancestors();
        let mut first: BTreeMap<Vec<Node>, Node> = BTreeMap::new();
        let mut twins = BTreeSet::new();
        for leaf in self.dimensions[d].leaves().into_iter().filter(|leaf| !used.contains(leaf)) {
            let mut above = ancestors[leaf as usize][1..].to_vec();
            above.sort_unstable();
            if *first.entry(above).or_insert(leaf) != leaf {
                twins.insert(leaf);
            }
        }
        twins
    }

    fn divide(
        &mut self,
        d: usize,
        mut open: Vec<CellIndex>,
        twins: &BTreeSet<Node>,
        empty: &BTreeMap<Vec<Node>, bool>,
    ) {
        while let Some(total) = open.pop() {
            for group in &self.dimensions[d].groups {
                if group.parent != self.cells[total].key[d] {
                    continue;
                }
                let mut parts = Vec::new();
                for &child in group.children.iter().filter(|child| !twins.contains(child)) {
                    let key = self.with(total, d, child);
                    if empty.contains_key(&key) {
                        continue;
                    }
                    let known = self.index.get(&key).copied();
                    parts.push(known.unwrap_or_else(|| {
                        let new = self.add_implied(key);
                        open.push(new);
                        new
                    }));
                }
                if !parts.is_empty() {
                    self.equations.push(Equation { total, parts });
                    self.absent.push(Vec::new());
                }
            }
        }
    }

    /// Takes out sums that nobody prints and that tie nothing: they can be whatever their parts
    /// are.
    fn drop_idle(&mut self, keeps: &dyn Fn(&Cell) -> bool) {
        let mut rows_of = vec![BTreeSet::new(); self.cells.len()];
        for (row, equation) in self.equations.iter().enumerate() {
            for (cell, _) in equation.terms() {
                rows_of[cell].insert(row);
            }
        }
        let is_idle = |cell: CellIndex, rows_of: &[BTreeSet<usize>]| {
            let it = &self.cells[cell];
            let only = rows_of[cell].len() == 1
                && rows_of[cell].iter().all(|&row| self.equations[row].total == cell);
            it.standing == Standing::Implied && !keeps(it) && (only || rows_of[cell].is_empty())
        };
        let mut gone = vec![false; self.cells.len()];
        let mut rows_gone = BTreeSet::new();
        let mut open: Vec<CellIndex> = (0..self.cells.len()).collect();
        while let Some(cell) = open.pop() {
            if gone[cell] || !is_idle(cell, &rows_of) {
                continue;
            }
            gone[cell] = true;
            for row in std::mem::take(&mut rows_of[cell]) {
                rows_gone.insert(row);
                for &part in &self.equations[row].parts {
                    rows_of[part].remove(&row);
                    open.push(part);
                }
            }
        }
        self.remove(&gone, &rows_gone);
    }

    fn remove(&mut self, gone: &[bool], rows_gone: &BTreeSet<usize>) {
        let mut place = 0;
        let places: Vec<CellIndex> = gone
            .iter()
            .map(|&gone| {
                place += usize::from(!gone);
                place.wrapping_sub(1)
            })
            .collect();
        let stays = |cell: &CellIndex| !gone[*cell];
        let mut cell = 0..;
        self.cells.retain(|_| cell.next().as_ref().is_some_and(stays));
        let mut cell = 0..;
        self.places.retain(|_| cell.next().as_ref().is_some_and(stays));
        self.index = self.cells.iter().enumerate().map(|(i, it)| (it.key.clone(), i)).collect();
        let mut row = 0..;
        self.absent.retain(|_| row.next().is_some_and(|row| !rows_gone.contains(&row)));
        let mut row = 0..;
        self.equations.retain(|_| row.next().is_some_and(|row| !rows_gone.contains(&row)));
        for equation in &mut self.equations {
            equation.total = places[equation.total];
            equation.parts.iter_mut().for_each(|part| *part = places[*part]);
        }
    }

    fn name(&self, cell: CellIndex) -> String {
        name_of(self.dimensions, &self.cells[cell].key)
    }
}
