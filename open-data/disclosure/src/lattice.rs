//! Movements that need no solver: products of simple moves along the dimensions.
//!
//! In one dimension, moving an element by +1 moves every group it is in by +1; moving another
//! element by −1 cancels what they share. The product of one such move per dimension satisfies
//! every sum of the whole cross table, whatever the hierarchies: for two flat dimensions it is the
//! square a, −a, a, −a; for three, the cube. Whole units stay whole, so these are the integer
//! witnesses that large count tables need, and finding the cheapest one is a search with pruning.
//!
//! What is found is only proposed; [`System::admits`](super::system::System::admits) decides.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::model::Model;
use super::solver::Deadline;
use super::system::{CellIndex, Deviation};

/// A move along one dimension: codes with their direction; the first is the code asked for, +1.
type Move = Vec<(u32, i8)>;

/// At most this many moves are tried for one code.
const MOST_MOVES: usize = 6_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Cell(CellIndex),
    /// Left out of a sum that is published: known to be 0.
    Empty,
    /// In no table: nothing published depends on it.
    Nowhere,
}

/// The cross table's cells by code, and the moves of each code.
#[derive(Debug)]
pub(crate) struct Lattice<'m> {
    model: &'m Model,
    /// Per dimension and code, made when first asked for.
    moves: Vec<Vec<OnceCell<Vec<Move>>>>,
    /// Per dimension: its elements, and for each code what it is part of.
    elements: Vec<(Vec<u32>, Vec<Vec<u32>>)>,
    slots: Vec<Slot>,
    strides: Vec<usize>,
}

/// A movement found, with the price of what it hides newly.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) deviation: Deviation,
    pub(crate) price: f64,
}

/// What may move at what price, and how much work to spend.
pub(crate) struct Search<'s> {
    /// Price of moving a cell: 0 if it is hidden already, `None` if it cannot be hidden.
    pub(crate) price: &'s dyn Fn(CellIndex) -> Option<f64>,
    /// Partial products to look at.
    pub(crate) effort: u32,
    /// How often to begin anew, in another order and with shorter steps.
    pub(crate) attempts: u32,
    /// When to give up.
    pub(crate) deadline: Deadline,
}

impl<'m> Lattice<'m> {
    /// The lattice of a model; `None` if the cross table is too large to lay out.
    pub(crate) fn new(model: &'m Model) -> Option<Self> {
        let sizes: Vec<usize> = model.dimensions.iter().map(|d| d.codes.len().max(1)).collect();
        let mut strides = vec![1_usize; sizes.len()];
        let mut total = 1_usize;
        for (stride, size) in strides.iter_mut().zip(&sizes) {
            *stride = total;
            total = total.checked_mul(*size).filter(|&total| total <= 40_000_000)?;
        }
        let dimensions = model.dimensions.iter();
        let moves = dimensions.clone().map(|d| vec![OnceCell::new(); d.codes.len()]).collect();
        let elements = dimensions.map(|d| (d.leaves(), d.ancestors())).collect();
        let slots = vec![Slot::Nowhere; total];
        let mut lattice = Self { model, moves, elements, slots, strides };
        lattice.fill();
        Some(lattice)
    }

    fn moves(&self, d: usize, node: u32) -> &[Move] {
        self.moves[d][node as usize].get_or_init(|| {
            let (leaves, ancestors) = &self.elements[d];
            moves_of(node, leaves, ancestors)
        })
    }

    fn fill(&mut self) {
        for key in &self.model.empty {
            let at = self.at(key);
            self.slots[at] = Slot::Empty;
        }
        for (cell, it) in self.model.cells.iter().enumerate() {
            let at = self.at(&it.key);
            self.slots[at] = Slot::Cell(cell);
        }
    }

    fn at(&self, key: &[u32]) -> usize {
        key.iter().zip(&self.strides).map(|(&node, stride)| node as usize * stride).sum()
    }

    /// A cheap sum of products that moves `cell` towards `sign` by `distance`: one product if
    /// there is one, else several that go part of the way each.
    pub(crate) fn cheapest(
        &self,
        reach: (CellIndex, i8, i128),
        search: &Search<'_>,
    ) -> Option<Found> {
        (search.price)(reach.0)?;
        (0..search.attempts.max(1)).find_map(|attempt| self.attempt(reach, search, attempt))
    }

    /// One sum of products, put together greedily; `attempt` says where to begin.
    fn attempt(
        &self,
        (cell, sign, distance): (CellIndex, i8, i128),
        search: &Search<'_>,
        attempt: u32,
    ) -> Option<Found> {
        let mut changes: BTreeMap<CellIndex, i128> = BTreeMap::new();
        let (mut left, mut price) = (distance, 0.0);
        let mut step = (distance >> (attempt % 4)).max(1);
        let smallest = if self.model.system.is_integral() { 1 } else { (distance / 64).max(1) };
        while left > 0 {
            if search.deadline.passed() {
                return None;
            }
            step = step.min(left);
            let free = |other: CellIndex| {
                if changes.contains_key(&other) { Some(0.0) } else { (search.price)(other) }
            };
            let free = Search { price: &free, attempts: 1, ..*search };
            let reach = (cell, sign, step);
            let Some(product) = self.cheapest_product(reach, &changes, &free, attempt) else {
                if step <= smallest {
                    return None;
                }
                step = ((step + 1) / 2).max(smallest);
                continue;
            };
            price += product.price;
            for (&other, &by) in &product.deviation.changes {
                *changes.entry(other).or_default() += by;
            }
            left -= step;
        }
        Some(Found { deviation: Deviation::whole(changes), price })
    }

    /// Whether `cell` can go `distance` further towards `sign` after `moved`.
    fn has_room(
        &self,
        (cell, sign, distance): (CellIndex, i8, i128),
        moved: &BTreeMap<CellIndex, i128>,
    ) -> bool {
        let by = if moved.is_empty() { 0 } else { moved.get(&cell).copied().unwrap_or(0) };
        self.model.system.room(cell, sign) - i128::from(sign) * by >= distance
    }

    fn cheapest_product(
        &self,
        (cell, sign, distance): (CellIndex, i8, i128),
        moved: &BTreeMap<CellIndex, i128>,
        search: &Search<'_>,
        order_seed: u32,
    ) -> Option<Found> {
        let own = (search.price)(cell)?;
        if !self.has_room((cell, sign, distance), moved) {
            return None;
        }
        let key = &self.model.cells[cell].key;
        let mut order: Vec<usize> = (0..key.len()).collect();
        order.sort_by_key(|&d| self.moves(d, key[d]).len());
        let start = vec![(self.at(key), sign)];
        let mut walk = Walk {
            lattice: self,
            search,
            distance,
            moved,
            order_seed,
            best: None,
            best_price: f64::INFINITY,
            left: search.effort,
            options: Vec::new(),
            least_after: vec![0.0; order.len()],
        };
        for &d in &order {
            let options = walk.options(&start, d, key[d]);
            walk.options.push(options);
        }
        if walk.options.iter().any(Vec::is_empty) {
            return None;
        }
        for level in (1..order.len()).rev() {
            walk.least_after[level - 1] = walk.least_after[level] + walk.options[level][0].0;
        }
        walk.descend(&start, 0, own, &order, key);
        let product = walk.best?;
        let mut changes = BTreeMap::new();
        for (slot, sign) in product {
            if let Slot::Cell(cell) = self.slots[slot] {
                changes.insert(cell, i128::from(sign) * distance);
            }
        }
        Some(Found { deviation: Deviation::whole(changes), price: walk.best_price })
    }
}

struct Walk<'l, 's> {
    lattice: &'l Lattice<'l>,
    search: &'s Search<'s>,
    distance: i128,
    /// What earlier products of the same sum have moved.
    moved: &'s BTreeMap<CellIndex, i128>,
    /// Decides between moves of the same price.
    order_seed: u32,
    best: Option<Vec<(usize, i8)>>,
    best_price: f64,
    left: u32,
    /// Per level: the moves worth trying, cheapest first.
    options: Vec<Vec<(f64, usize)>>,
    /// Per level: the least that all later levels add.
    least_after: Vec<f64>,
}

impl Walk<'_, '_> {
    /// Moves along `d` that the cell asked for allows, by price.
    fn options(&mut self, start: &[(usize, i8)], d: usize, node: u32) -> Vec<(f64, usize)> {
        let moves = self.lattice.moves(d, node);
        let mut options: Vec<(f64, usize)> = (0..moves.len())
            .filter_map(|at| Some((self.price(start, &moves[at], d, node)?, at)))
            .collect();
        let seed = self.order_seed;
        let turned = |at: usize| (at as u32).wrapping_mul(0x9e37_79b1).rotate_left(seed) ^ seed;
        let key = |at: usize| if seed == 0 { at as u32 } else { turned(at) };
        options.sort_by(|a, b| a.0.total_cmp(&b.0).then(key(a.1).cmp(&key(b.1))));
        options
    }

    /// The price of what a move adds to a partial product; `None` if something cannot move.
    fn price(&self, partial: &[(usize, i8)], step: &Move, d: usize, node: u32) -> Option<f64> {
        let lattice = self.lattice;
        let mut sum = 0.0;
        for &(code, way) in step.iter().filter(|&&(code, _)| code != node) {
            for &(slot, sign) in partial {
                let slot = shifted(slot, lattice.strides[d], node, code);
                match lattice.slots[slot] {
                    Slot::Nowhere => {}
                    Slot::Empty => return None,
                    Slot::Cell(cell) => {
                        if !lattice.has_room((cell, sign * way, self.distance), self.moved) {
                            return None;
                        }
                        sum += (self.search.price)(cell)?;
                    }
                }
            }
        }
        Some(sum)
    }

    fn descend(
        &mut self,
        partial: &[(usize, i8)],
        level: usize,
        price: f64,
        order: &[usize],
        key: &[u32],
    ) {
        let Some(&d) = order.get(level) else {
            if price < self.best_price {
                self.best_price = price;
                self.best = Some(partial.to_vec());
            }
            return;
        };
        let node = key[d];
        for at in 0..self.options[level].len() {
            let (least, number) = self.options[level][at];
            let least = least + self.least_after[level];
            if self.left == 0 || price + least >= self.best_price {
                return;
            }
            self.left -= 1;
            let step = &self.lattice.moves(d, node)[number];
            let Some(more) = self.price(partial, step, d, node) else { continue };
            if price + more + self.least_after[level] >= self.best_price {
                continue;
            }
            let mut next = partial.to_vec();
            for &(code, way) in step.iter().filter(|&&(code, _)| code != node) {
                let stride = self.lattice.strides[d];
                next.extend(
                    partial
                        .iter()
                        .map(|&(slot, sign)| (shifted(slot, stride, node, code), sign * way)),
                );
            }
            self.descend(&next, level + 1, price + more, order, key);
            if self.best_price <= 0.0 {
                return;
            }
        }
    }
}

fn shifted(slot: usize, stride: usize, from: u32, to: u32) -> usize {
    slot - stride * from as usize + stride * to as usize
}

/// The moves with +1 at `node`: one element below it up, alone (with all its groups) or against
/// one element that is not below it.
fn moves_of(node: u32, leaves: &[u32], ancestors: &[Vec<u32>]) -> Vec<Move> {
    let below = |leaf: &&u32| ancestors[**leaf as usize].contains(&node);
    let mut moves = Vec::new();
    for &up in leaves.iter().filter(below) {
        let raised = &ancestors[up as usize];
        moves.push(raised.iter().map(|&code| (code, 1)).collect());
        for &down in leaves.iter().filter(|leaf| !below(leaf)) {
            let lowered = &ancestors[down as usize];
            let mut step: Move = Vec::new();
            step.extend(raised.iter().filter(|c| !lowered.contains(c)).map(|&c| (c, 1)));
            step.extend(lowered.iter().filter(|c| !raised.contains(c)).map(|&c| (c, -1)));
            moves.push(step);
        }
        if moves.len() > MOST_MOVES {
            break;
        }
    }
    moves
}
