//! In which order a night works, and what of it side by side.
//!
//! A step begins when all that it needs is over and nobody else writes its table; among those that
//! may begin, the first in working order does. What comes of the steps is told in working order too,
//! so that the account of a night does not depend on which was quicker.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use warehouse::names::{Schema, TableName};
use warehouse::spec::{Check, Declarations, Origin, Query, Rule, SourceTable};

use super::{Event, Night, State, compute, load};
use crate::ledger::Outcome;
use crate::materialise;

/// Steps that are worked on at a time, on a machine that has so many cores: each may hold a batch and
/// a sort in memory.
const SIDE_BY_SIDE: usize = 2;

/// Stack of a thread that plans SQL.
const STACK: usize = 16 << 20;

/// One step of a night.
struct Step<'a> {
    work: Work<'a>,
    name: String,
    /// The table that it writes.
    target: TableName,
    /// Positions of the steps that come before it.
    after: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Work<'a> {
    Load(&'a str, &'a SourceTable),
    Compute(&'a Query),
}

/// All steps, in working order.
fn steps<'a>(declarations: &'a Declarations, only: &[String]) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for (source, table) in load::order(declarations, only) {
        let before = |step: &Step<'_>| {
            let Work::Load(_, other) = step.work else { return false };
            let is_referred = load::needs(table).any(|name| *name == other.name);
            is_referred || asks(&table.checks, &other.name) || rank(other) < rank(table)
        };
        let after = positions(&steps, before);
        let (name, target) = (table.name.to_string(), table.name.clone());
        steps.push(Step { work: Work::Load(source, table), name, target, after });
    }
    for query in compute::order(declarations) {
        let Some((target, _)) = materialise::target(query) else { continue };
        let before = |step: &Step<'_>| {
            query.reads.contains(&step.target) || asks(&query.checks, &step.target)
        };
        let after = positions(&steps, before);
        steps.push(Step { work: Work::Compute(query), name: query.id.clone(), target, after });
    }
    steps
}

/// Whether a check may ask the table: its text names it.
fn asks(checks: &[Check], table: &TableName) -> bool {
    let name = table.to_string();
    checks.iter().any(|check| matches!(&check.rule, Rule::Query(sql) if sql.contains(&name)))
}

/// Declared reference data come first, then other reference data: the checks of sources ask them.
fn rank(table: &SourceTable) -> u8 {
    match (&table.origin, table.name.schema()) {
        (Origin::Declared { .. }, _) => 0,
        (_, Schema::DanhMuc) => 1,
        _ => 2,
    }
}

fn positions<'a>(steps: &[Step<'a>], is_wanted: impl Fn(&Step<'a>) -> bool) -> Vec<usize> {
    (0..steps.len()).filter(|at| is_wanted(&steps[*at])).collect()
}

/// What the threads share.
struct Board<'p> {
    begun: Vec<bool>,
    over: Vec<bool>,
    /// Tables that are being written.
    busy: BTreeSet<TableName>,
    outcomes: Vec<(usize, Outcome)>,
    state: State,
    progress: &'p mut (dyn FnMut(Event<'_>) + Send),
}

impl Board<'_> {
    /// The first step that may begin.
    fn next(&self, steps: &[Step<'_>]) -> Option<usize> {
        let may = |at: &usize| {
            let step = &steps[*at];
            let is_ready = step.after.iter().all(|before| self.over[*before]);
            // Steps of one table take their turns, so that its versions do not depend on which
            // was quicker.
            let others = steps[..*at].iter().zip(&self.begun);
            let is_its_turn =
                others.into_iter().all(|(o, begun)| *begun || o.target != step.target);
            !self.begun[*at] && is_ready && is_its_turn && !self.busy.contains(&step.target)
        };
        (0..steps.len()).find(may)
    }
}

/// Works through the night; what came of its steps, in working order.
pub(super) fn work(
    night: &Night<'_>,
    progress: &mut (dyn FnMut(Event<'_>) + Send),
) -> Vec<Outcome> {
    let steps = steps(night.warehouse.declarations(), &night.only);
    progress(Event::Started { steps: steps.len() });
    let board = Mutex::new(Board {
        begun: vec![false; steps.len()],
        over: vec![false; steps.len()],
        busy: BTreeSet::new(),
        outcomes: Vec::with_capacity(steps.len()),
        state: State::default(),
        progress,
    });
    let (changed, handle) = (Condvar::new(), Handle::current());
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    // The threads borrow the night, so they end before it does; the runtime is told that this one
    // waits for them.
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE.min(cores) {
                let thread = std::thread::Builder::new().stack_size(STACK);
                let work = || take_steps(night, &steps, (&board, &changed), &handle);
                thread.spawn_scoped(scope, work).expect("a thread of a night can be started");
            }
        });
    });
    let mut outcomes = board.into_inner().unwrap_or_else(PoisonError::into_inner).outcomes;
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn take_steps(
    night: &Night<'_>,
    steps: &[Step<'_>],
    (board, changed): (&Mutex<Board<'_>>, &Condvar),
    handle: &Handle,
) {
    let lock =
        || -> MutexGuard<'_, Board<'_>> { board.lock().unwrap_or_else(PoisonError::into_inner) };
    let mut held = lock();
    loop {
        let Some(at) = held.next(steps) else {
            if held.begun.iter().all(|begun| *begun) {
                return;
            }
            held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let step = &steps[at];
        held.begun[at] = true;
        held.busy.insert(step.target.clone());
        (held.progress)(Event::Begun { name: &step.name });
        let known = match step.work {
            Work::Compute(query) => held.state.about(&query.reads),
            Work::Load(..) => State::default(),
        };
        drop(held);
        let over = Over { at, target: &step.target, board, changed };
        let outcome = match step.work {
            Work::Load(source, table) => Some(handle.block_on(night.load(source, table))),
            Work::Compute(query) => handle.block_on(night.compute(query, &known)),
        };
        held = lock();
        if let Some(outcome) = outcome {
            (held.progress)(Event::Done(&outcome));
            held.state.add(outcome.clone());
            held.outcomes.push((at, outcome));
        }
        drop(held);
        drop(over);
        held = lock();
    }
}

/// Says that a step is over, also where it panicked: the others must not wait for it for ever.
struct Over<'a, 'p> {
    at: usize,
    target: &'a TableName,
    board: &'a Mutex<Board<'p>>,
    changed: &'a Condvar,
}

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.over[self.at] = true;
        board.busy.remove(self.target);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use warehouse::spec::load_embedded;

    use super::*;

    #[test]
    fn every_step_comes_after_what_it_needs() {
        let declared = load_embedded().declarations;
        let steps = steps(&declared, &[]);
        let at = |name: &str| steps.iter().position(|step| step.name == name).unwrap();
        assert!(steps.iter().enumerate().all(|(at, step)| step.after.iter().all(|b| *b < at)));
        let mart = &steps[at("luot_kham_thang")];
        assert!(mart.after.contains(&at("nguon.bhyt_ho_so")));
        assert!(!mart.after.contains(&at("nguon.nhan_luc_nhan_vien")));
        let source = &steps[at("nguon.bhyt_ho_so")];
        assert!(source.after.contains(&at("danh_muc.don_vi")));
    }
}
