//! The linear programmes, in the words of the gate, answered by a crate's solver.
//!
//! The default is `microlp`: pure Rust, and by its own word without a guarantee of optimality; the
//! feature `highs` takes HiGHS instead. Either is enough, because no answer from here is believed:
//! a proposed deviation is made exact ([`super::exact`]) and checked by addition, a bound is
//! computed from proposed multipliers in integers ([`super::certificate`]), and a missing answer
//! only costs a suppression more.
//! Everything is scaled by the distance asked for, so that the numbers a solver sees are near 1.

mod master;
mod programme;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

pub(crate) use self::master::{Cut, Master};
use self::programme::{Programme, Relation, Variable};
use super::system::{CellIndex, System, UNBOUNDED};

/// No cell of a witness needs to move more than this many times the distance asked for.
const LONGEST_MOVE: i128 = 8;
/// In a dual, the price of a way longer than this many times the distance in question.
const LONGEST_DUAL_COST: i128 = 100_000;

/// When to stop; a solver that runs out of time says "nothing found".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// `limit` from now, or never.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Self(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// The earlier of this and `limit` from now.
    pub(crate) fn within(self, limit: Duration) -> Self {
        let other = Instant::now().checked_add(limit);
        Self(match (self.0, other) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        })
    }

    /// Earlier by one part in `parts` of the time left, which is kept for something else.
    pub(crate) fn share(self, parts: u32) -> Self {
        Self(self.0.and_then(|at| {
            let kept = at.saturating_duration_since(Instant::now()) / parts.max(1);
            at.checked_sub(kept)
        }))
    }

    /// Whether time is up.
    pub(crate) fn passed(self) -> bool {
        self.0.is_some_and(|at| Instant::now() >= at)
    }

    fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

/// The hidden cells that can move together with one cell, and the equations that tie them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Component {
    /// Sorted; empty when the cell in question is determined by what is published.
    pub(crate) cells: Vec<CellIndex>,
    /// Sorted rows that hold at least two of `cells`.
    pub(crate) rows: Vec<usize>,
}

impl Component {
    /// Everything hidden that is tied to `start`, without cells that a chain of subtractions
    /// determines.
    pub(crate) fn around(
        system: &System,
        hidden: &dyn Fn(CellIndex) -> bool,
        start: CellIndex,
    ) -> Self {
        Self::restricted(system, hidden, start, usize::MAX)
    }

    /// The same among the nearest cells only, all others taken as fixed: what moves here moves in
    /// the whole.
    pub(crate) fn restricted(
        system: &System,
        hidden: &dyn Fn(CellIndex) -> bool,
        start: CellIndex,
        most_cells: usize,
    ) -> Self {
        let mut seen = vec![false; system.len()];
        let mut cells = vec![start];
        seen[start] = true;
        let mut at = 0;
        while at < cells.len() && cells.len() < most_cells {
            for &(row, _) in system.rows_of(cells[at]) {
                for (cell, _) in system.equations()[row].terms() {
                    if !seen[cell] && hidden(cell) {
                        seen[cell] = true;
                        cells.push(cell);
                    }
                }
            }
            at += 1;
        }
        Self::peeled(system, cells, start)
    }

    /// The nearest part of what is tied to `start`: its own equations and those of their cells.
    ///
    /// Leaving equations out can only widen what an attacker thinks possible, so a range found
    /// here contains the true one.
    pub(crate) fn near(
        system: &System,
        hidden: &dyn Fn(CellIndex) -> bool,
        start: CellIndex,
        most_cells: usize,
    ) -> Self {
        let mut near = Self { cells: vec![start], rows: Vec::new() };
        for _ in 0..4 {
            let rows: BTreeSet<usize> = near
                .cells
                .iter()
                .flat_map(|&cell| system.rows_of(cell).iter().map(|&(row, _)| row))
                .collect();
            let cells: BTreeSet<CellIndex> = rows
                .iter()
                .flat_map(|&row| system.equations()[row].terms().map(|(cell, _)| cell))
                .filter(|&cell| hidden(cell))
                .collect();
            if cells.len() > most_cells {
                break;
            }
            near = Self { cells: cells.into_iter().collect(), rows: rows.into_iter().collect() };
        }
        near
    }

    fn peeled(system: &System, cells: Vec<CellIndex>, start: CellIndex) -> Self {
        let mut inside = vec![false; system.len()];
        let mut count = vec![0_usize; system.equations().len()];
        for &cell in &cells {
            inside[cell] = true;
            system.rows_of(cell).iter().for_each(|&(row, _)| count[row] += 1);
        }
        let mut lone: Vec<usize> = (0..count.len()).filter(|&row| count[row] == 1).collect();
        while let Some(row) = lone.pop() {
            let mut terms = system.equations()[row].terms();
            let Some((cell, _)) = terms.find(|&(cell, _)| inside[cell]) else { continue };
            inside[cell] = false;
            for &(row, _) in system.rows_of(cell) {
                count[row] -= 1;
                if count[row] == 1 {
                    lone.push(row);
                }
            }
        }
        if !inside[start] {
            return Self::default();
        }
        let mut cells: Vec<_> = cells.into_iter().filter(|&cell| inside[cell]).collect();
        cells.sort_unstable();
        let rows = (0..count.len()).filter(|&row| count[row] > 1).collect();
        Self { cells, rows }
    }
}

/// A point a solver proposes: the movement of some cells in units, as floats.
pub(crate) type Proposal = Vec<(CellIndex, f64)>;

/// Moves `cell` towards `sign` as far as it goes, at most `distance`; what is not moved is left out.
///
/// `kept`, if given, asks for whole units: cells in it move by the whole number that it says.
pub(crate) fn push(
    system: &System,
    component: &Component,
    (cell, sign, distance): (CellIndex, i8, i128),
    kept: Option<&BTreeMap<CellIndex, i128>>,
    deadline: Deadline,
) -> Option<Proposal> {
    let whole = kept.is_some();
    let scale = if whole { 1.0 } else { distance.max(1) as f64 };
    let mut problem = Programme::maximise();
    let mut variables = vec![None; system.len()];
    for &other in &component.cells {
        let (mut low, mut high) = bounds(system, other, distance);
        let mut gain = 0.0;
        if other == cell {
            gain = f64::from(sign);
            (low, high) =
                if sign > 0 { (0, distance.min(high)) } else { ((-distance).max(low), 0) };
        }
        let stays = kept.and_then(|kept| kept.get(&other)).map(|&by| by as f64);
        variables[other] = Some(if let Some(by) = stays {
            problem.add(gain, (by, by))
        } else if whole {
            problem.add_whole(gain, (i32::try_from(low).ok()?, i32::try_from(high).ok()?))
        } else {
            problem.add(gain, (low as f64 / scale, high as f64 / scale))
        });
    }
    add_rows(&mut problem, system, component, &variables);
    let values = problem.solve(None, deadline)?.values;
    Some(
        component
            .cells
            .iter()
            .zip(values)
            .filter(|(_, value)| value.abs() > 1e-7)
            .map(|(&cell, value)| (cell, value * scale))
            .collect(),
    )
}

/// Bounds of a cell's movement, in units.
pub(crate) fn bounds(system: &System, cell: CellIndex, distance: i128) -> (i128, i128) {
    let most = distance.saturating_mul(LONGEST_MOVE);
    (-system.room(cell, -1).min(most), system.room(cell, 1).min(most))
}

fn add_rows(
    problem: &mut Programme,
    system: &System,
    component: &Component,
    variables: &[Option<Variable>],
) {
    for &row in &component.rows {
        let terms: Vec<_> = system.equations()[row]
            .terms()
            .filter_map(|(cell, sign)| variables[cell].map(|v| (v, f64::from(sign))))
            .collect();
        problem.row(terms, Relation::Equal, 0.0);
    }
}

/// The cheapest set of cells of a component that lets `cell` move by `distance` towards `sign`;
/// among equally cheap ones, the shortest movement.
///
/// `price` is what it costs to hide a cell, 0 if it is hidden already, `None` if it cannot be
/// hidden. The movement returned uses only cells with a price.
pub(crate) fn cheapest_move(
    system: &System,
    component: &Component,
    price: &dyn Fn(CellIndex) -> Option<f64>,
    (cell, sign, distance): (CellIndex, i8, i128),
    deadline: Deadline,
) -> Option<Proposal> {
    let scale = distance.max(1) as f64;
    let mut problem = Programme::minimise();
    let mut parts: Vec<Option<(Variable, Variable)>> = vec![None; system.len()];
    let most = component.cells.iter().filter_map(|&c| price(c)).fold(1.0, f64::max);
    for &other in &component.cells {
        let (low, high) = bounds(system, other, distance);
        let cost = price(other)? / most;
        let (mut up, mut down) = ((0.0, high as f64 / scale), (0.0, -low as f64 / scale));
        if other == cell {
            (up, down) = if sign > 0 { ((1.0, 1.0), (0.0, 0.0)) } else { ((0.0, 0.0), (1.0, 1.0)) };
        }
        parts[other] = Some((problem.add(cost + 1e-6, up), problem.add(cost + 1e-6, down)));
    }
    for &row in &component.rows {
        let mut terms = Vec::new();
        for (other, sign) in system.equations()[row].terms() {
            if let Some((up, down)) = parts[other] {
                terms.extend([(up, f64::from(sign)), (down, -f64::from(sign))]);
            }
        }
        problem.row(terms, Relation::Equal, 0.0);
    }
    let values = problem.solve(None, deadline)?.values;
    let moved = values.chunks(2).map(|pair| pair[0] - pair[1]);
    Some(
        component
            .cells
            .iter()
            .zip(moved)
            .filter(|(_, value)| value.abs() > 1e-7)
            .map(|(&cell, value)| (cell, value * scale))
            .collect(),
    )
}

/// Multipliers γ of the equations that bound the movement of `cell` best when each cell `i` is
/// hidden to the degree `hidden(i)`: the dual of [`push`], one number per equation.
///
/// Any γ gives a valid inequality; this one gives the most violated.
pub(crate) fn multipliers(
    system: &System,
    degree: &[f64],
    (cell, sign, distance): (CellIndex, i8, i128),
    deadline: Deadline,
) -> Option<Vec<f64>> {
    let scale = distance.max(1) as f64;
    let mut problem = Programme::minimise();
    let free = (f64::NEG_INFINITY, f64::INFINITY);
    let gamma: Vec<_> = system.equations().iter().map(|_| problem.add(0.0, free)).collect();
    for (other, &degree) in degree.iter().enumerate() {
        let room = |sign| system.room(other, sign).min(distance) as f64 / scale;
        let tiny = 1e-7;
        let up = problem.add(degree * room(1) + tiny, (0.0, f64::INFINITY));
        let down = problem.add(degree * room(-1) + tiny, (0.0, f64::INFINITY));
        // The cell itself gets no slack: its own movement is what the others must allow.
        let mut terms = if other == cell { Vec::new() } else { vec![(up, 1.0), (down, -1.0)] };
        terms.extend(system.rows_of(other).iter().map(|&(row, s)| (gamma[row], f64::from(s))));
        let own = if other == cell { f64::from(sign) } else { 0.0 };
        problem.row(terms, Relation::Equal, own);
    }
    let values = problem.solve(None, deadline)?.values;
    Some(values[..gamma.len()].to_vec())
}

/// Multipliers of a component's equations that bound the movement of `cell` towards `sign` best:
/// the dual of moving it as far as it goes.
pub(crate) fn dual(
    system: &System,
    component: &Component,
    (cell, sign, distance): (CellIndex, i8, i128),
    deadline: Deadline,
) -> Option<Vec<(usize, f64)>> {
    let scale = distance.max(1);
    let mut problem = Programme::minimise();
    let free = (f64::NEG_INFINITY, f64::INFINITY);
    let gamma: Vec<_> = component.rows.iter().map(|_| problem.add(0.0, free)).collect();
    // Very long ways cost the same: only which multipliers are proposed depends on it.
    let cost = |other, way| {
        let most = scale.saturating_mul(LONGEST_DUAL_COST);
        system.room(other, way).min(most) as f64 / scale as f64
    };
    for &other in &component.cells {
        let unbounded = system.upper(other) >= UNBOUNDED;
        let most = if unbounded { 0.0 } else { f64::INFINITY };
        let up = problem.add(cost(other, 1), (0.0, most));
        let down = problem.add(cost(other, -1), (0.0, f64::INFINITY));
        let mut terms = vec![(up, 1.0), (down, -1.0)];
        for &(row, s) in system.rows_of(other) {
            if let Ok(at) = component.rows.binary_search(&row) {
                terms.push((gamma[at], f64::from(s)));
            }
        }
        let own = if other == cell { f64::from(sign) } else { 0.0 };
        problem.row(terms, Relation::Equal, own);
    }
    let values = problem.solve(None, deadline)?.values;
    Some(component.rows.iter().copied().zip(values).collect())
}

/// Some values of the `unknown` cells, from 0 up, that satisfy every equation given the others.
///
/// `kept` holds values that are to stay. Values come back in units, as floats.
pub(crate) fn feasible_point(
    system: &System,
    unknown: &[CellIndex],
    kept: &BTreeMap<CellIndex, f64>,
    whole: bool,
    deadline: Deadline,
) -> Option<Proposal> {
    let mut problem = Programme::minimise();
    let known = |cell: CellIndex| unknown.binary_search(&cell).is_err();
    let most = (0..system.len()).filter(|&c| known(c)).map(|c| system.value(c)).max().unwrap_or(1);
    let scale = if whole || most < 10_000_000 { 1.0 } else { most as f64 / 1e6 };
    let mut variables = vec![None; system.len()];
    for &cell in unknown {
        variables[cell] = Some(if let Some(&value) = kept.get(&cell) {
            problem.add(0.0, (value / scale, value / scale))
        } else if whole {
            problem.add_whole(0.0, (0, i32::try_from(most).unwrap_or(i32::MAX)))
        } else {
            problem.add(0.0, (0.0, f64::INFINITY))
        });
    }
    for equation in system.equations() {
        let mut rest = 0;
        let mut terms = Vec::new();
        for (cell, sign) in equation.terms() {
            match variables[cell] {
                Some(variable) => terms.push((variable, f64::from(sign))),
                None => rest -= i128::from(sign) * system.value(cell),
            }
        }
        if !terms.is_empty() {
            problem.row(terms, Relation::Equal, rest as f64 / scale);
        }
    }
    let values = problem.solve(None, deadline)?.values;
    Some(unknown.iter().zip(values).map(|(&cell, value)| (cell, value * scale)).collect())
}
