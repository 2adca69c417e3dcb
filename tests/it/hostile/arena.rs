//! One server, watched, and what went wrong with it so far. A server that fell is replaced, so
//! that one run names everything that takes it down.

use super::target::{Settings, Target};
use super::watch::Watch;

/// Faults that end a run: more tell nothing new.
const ENOUGH: usize = 60;

pub(super) struct Arena {
    pub(super) target: Target,
    settings: Settings,
    watch: Option<Watch>,
    faults: Vec<String>,
}

impl Arena {
    pub(super) fn open(settings: Settings) -> Self {
        let target = Target::start(settings);
        let watch = Some(Watch::over(&target, settings));
        Self { target, settings, watch, faults: Vec::new() }
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("FAULT {what}");
        self.faults.push(what);
        assert!(self.faults.len() < ENOUGH, "{}", self.report());
    }

    /// Sees whether the server is sound after `what`, and notes it if not.
    pub(super) fn after(&mut self, what: &str) {
        let Some(fault) = self.target.fault() else { return };
        self.fault(format!("after {what}: {fault}"));
        self.replace();
    }

    /// Sees whether the memory came back after `what`.
    pub(super) fn memory_after(&mut self, what: &str) {
        let returned = self.watch.as_ref().map_or(Ok(()), Watch::memory_returns);
        if let Err(fault) = returned {
            self.fault(format!("after {what}: {fault}"));
            self.replace();
        }
    }

    /// Puts a new server in the place of one that is no longer sound.
    fn replace(&mut self) {
        // Its faults are consequences of the one that is noted.
        drop(self.watch.take());
        self.target.start_again();
        self.watch = Some(Watch::over(&self.target, self.settings));
    }

    /// Ends the watch; fails with all that was noted.
    pub(super) fn close(mut self) {
        for fault in self.watch.take().map(Watch::end).unwrap_or_default() {
            self.fault(fault);
        }
        assert!(self.faults.is_empty(), "{}", self.report());
    }

    fn report(&self) -> String {
        format!("{} faults:\n{}", self.faults.len(), self.faults.join("\n"))
    }
}
