//! What happens to a table night by night: new rows, some of them late, corrections of rows of
//! before, and deletions. All follows from the seed, so any night can be told again.

use std::collections::HashSet;

use connectors::fill::Cells;
use warehouse::spec::{ColumnType, Generalisation, Treatment};

use super::super::calendar;
use super::super::random::Random;
use super::faults::{self, Fault};
use super::row::{Maker, Spot, World};
use super::shape::Shape;

/// What the stream of random numbers is of.
const PICK: u64 = 74;

/// A row whose key was taken in all attempts.
const SKIPPED: u8 = u8::MAX;

/// Attempts to find a key of one's own.
const ATTEMPTS: u8 = 40;

/// Rows of before that a night corrects and deletes, in percent of its new ones.
const CORRECTED: u64 = 5;
const DELETED: u64 = 1;

/// A table on its way through the nights.
pub(super) struct Course<'a> {
    /// The source.
    pub(super) source: &'a str,
    pub(super) shape: Shape<'a>,
    number: u64,
    world: World<'a>,
    /// By night and row: the attempt that gave it a key of its own.
    attempts: Vec<Vec<u8>>,
    /// Hashes of all keys so far.
    seen: HashSet<u64>,
    /// Share of new rows with a planted fault.
    faults: f64,
}

/// What a night says of a row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) spot: Spot,
    pub(super) cells: Cells,
    /// Whether its key is gone.
    pub(super) is_gone: bool,
    /// Whether it stands beside the row of the same key, to be refused or replaced.
    pub(super) is_double: bool,
    /// What is wrong with it on purpose.
    pub(super) fault: Option<Fault>,
}

/// A row of before that a night corrects or deletes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) spot: Spot,
    attempt: u64,
    is_gone: bool,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        source: &'a str,
        shape: Shape<'a>,
        world: World<'a>,
        with_faults: bool,
    ) -> Self {
        let number = fnv(shape.table.name.to_string().as_bytes());
        // Well below what would have the whole batch refused.
        let bearable = shape.table.max_bad_rows_percent / 250.0;
        let faults = if with_faults { bearable.min(0.02) } else { 0.0 };
        let (attempts, seen) = (Vec::new(), HashSet::new());
        Self { source, shape, number, world, attempts, seen, faults }
    }

    fn maker(&self) -> Maker<'_> {
        Maker { world: self.world, shape: &self.shape, number: self.number }
    }

    /// New rows of a night.
    pub(super) fn count(&self, night: u64) -> u64 {
        let many = self.world.rows as f64 * calendar::weight(self.world.told(night));
        (many.round() as u64).max(1)
    }

    /// Gives the rows of the next night their keys. Nights are begun in their order.
    pub(super) fn begin(&mut self) {
        let night = self.attempts.len() as u64;
        let mut attempts = Vec::with_capacity(self.count(night) as usize);
        for index in 0..self.count(night) {
            let spot = Spot { night, index };
            let found = (0..ATTEMPTS).find(|attempt| {
                if self.shape.key.is_empty() {
                    return true;
                }
                let cells = self.maker().first(spot, u64::from(*attempt));
                let key = fnv(self.key(&cells).as_bytes());
                self.seen.insert(key)
            });
            attempts.push(found.unwrap_or(SKIPPED));
        }
        self.attempts.push(attempts);
    }

    /// What a night that was begun says, new rows first.
    pub(super) fn rows(&self, night: u64) -> impl Iterator<Item = Row> + '_ {
        let new = (0..self.count(night)).flat_map(move |index| self.told(Spot { night, index }));
        new.chain(self.changes(night).map(move |change| self.changed(change, night)))
    }

    /// What the night of a row says of it: nothing where it has no key of its own, and twice where
    /// that is a planted fault.
    pub(super) fn told(&self, spot: Spot) -> Vec<Row> {
        let Some(attempt) = self.attempt(spot) else { return Vec::new() };
        let cells = self.maker().first(spot, attempt);
        let row = Row { spot, cells, is_gone: false, is_double: false, fault: None };
        faults::plant(&self.shape, (self.world.seed, self.number, self.faults), row)
    }

    fn attempt(&self, spot: Spot) -> Option<u64> {
        let night = self.attempts.get(usize::try_from(spot.night).ok()?)?;
        let attempt = *night.get(usize::try_from(spot.index).ok()?)?;
        (attempt != SKIPPED).then_some(u64::from(attempt))
    }

    /// Rows of before that a night corrects or deletes.
    pub(super) fn changes(&self, night: u64) -> impl Iterator<Item = Change> + '_ {
        let is_told = night > 0 && !self.shape.key.is_empty();
        let count = if is_told { self.count(night) } else { 0 };
        let many = |percent: u64| if count == 0 { 0 } else { (count * percent / 100).max(1) };
        let (corrected, deleted) = (many(CORRECTED), many(DELETED));
        let table = self.shape.table;
        let deletes = self.shape.deleted.is_some() || table.key_list().is_some();
        let deleted = if deletes { deleted } else { 0 };
        let mut picked = HashSet::new();
        (0..corrected + deleted).filter_map(move |at| {
            let mut random = Random::of(self.world.seed, &[PICK, self.number, night, at]);
            // Most corrections are of the night before.
            let back = 1 + (random.unit().powi(3) * night.min(10) as f64) as u64;
            let before = night.saturating_sub(back.min(night));
            let spot = Spot { night: before, index: random.below(self.count(before)) };
            let attempt = self.attempt(spot)?;
            let is_new = picked.insert(spot.index.wrapping_mul(4_096).wrapping_add(before));
            is_new.then_some(Change { spot, attempt, is_gone: at >= corrected })
        })
    }

    /// What a night says of a row that it changes.
    pub(super) fn changed(&self, change: Change, night: u64) -> Row {
        let Change { spot, attempt, is_gone } = change;
        let maker = self.maker();
        let cells = if is_gone {
            maker.deleted(spot, attempt, night)
        } else {
            maker.corrected(spot, attempt, night)
        };
        Row { spot, cells, is_gone, is_double: false, fault: None }
    }

    /// The key as the lake will tell rows apart.
    pub(super) fn key(&self, cells: &Cells) -> String {
        let part = |at: &usize| {
            let column = self.shape.fields[*at].column;
            let text = cells[*at].as_deref().unwrap_or_default();
            let length = match column.treatment {
                Treatment::Generalise(Generalisation::Month) => 7,
                Treatment::Generalise(Generalisation::Year) => 4,
                _ if column.ty == ColumnType::Date => 10,
                _ => text.len(),
            };
            text.get(..length).unwrap_or(text).to_owned()
        };
        let parts: Vec<String> = self.shape.key.iter().map(part).collect();
        parts.join("|")
    }
}

/// FNV-1a: the same on every machine.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
