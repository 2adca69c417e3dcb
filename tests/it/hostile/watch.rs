//! A watcher beside a server under attack: `/health` all the time, its memory at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::process::{Process, comes_true};
use super::target::{Settings, Target};
use super::{PATIENCE, beside_bytes, health_within, kept_bytes};

/// Between two questions for `/health`.
const EVERY: Duration = Duration::from_millis(50);

/// How long memory may take to come back.
const RETURNS_WITHIN: Duration = Duration::from_secs(10);

/// What was seen of `/health`.
#[derive(Debug, Default)]
struct Seen {
    asked: u64,
    slowest: Duration,
    refused: Option<String>,
}

/// A watcher at work.
pub(super) struct Watch {
    process: Process,
    memory_bytes: u64,
    at_start: u64,
    stop: Arc<AtomicBool>,
    watcher: JoinHandle<Seen>,
}

impl Watch {
    /// Begins to watch a server that has warmed up.
    pub(super) fn over(target: &Target, settings: Settings) -> Self {
        let (process, reader) = (target.process(), target.stranger());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let watcher = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !stopped.load(Ordering::Relaxed) && process.is_alive() {
                let asked = Instant::now();
                let answer = reader.get("/health");
                let took = asked.elapsed();
                let good = matches!(&answer, Ok(answer) if answer.status == 200);
                // What ends while it is asked is seen below.
                if !good && process.is_alive() && seen.refused.is_none() {
                    seen.refused = Some(format!("{:?}", answer.map(|answer| answer.status)));
                }
                seen.asked += 1;
                seen.slowest = seen.slowest.max(took);
                std::thread::sleep(EVERY.saturating_sub(took));
            }
            seen
        });
        let at_start = process.memory();
        Self { process, memory_bytes: settings.memory_bytes, at_start, stop, watcher }
    }

    /// Waits until the memory has come back, if it does.
    pub(super) fn memory_returns(&self) -> Result<(), String> {
        let most = self.at_start + kept_bytes();
        if comes_true(RETURNS_WITHIN, || self.process.memory() <= most) {
            return Ok(());
        }
        let (now, start) = (mib(self.process.memory()), mib(self.at_start));
        Err(format!("{now} MiB are kept, of {start} at the start"))
    }

    /// Ends the watch; what was wrong. A process that died is one fault, and hides the others.
    pub(super) fn end(self) -> Vec<String> {
        let returned = self.memory_returns();
        let peak = self.process.peak();
        let alive = self.process.is_alive();
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.watcher.join().expect("the watcher ends");
        if !alive {
            return vec!["the process died".to_owned()];
        }
        println!(
            "/health: {} times, at most {} ms; memory: {} MiB at the start, {} at most",
            seen.asked,
            seen.slowest.as_millis(),
            mib(self.at_start),
            mib(peak)
        );
        let mut faults = Vec::new();
        faults.extend(returned.err());
        if peak > self.memory_bytes + beside_bytes() {
            faults.push(format!("the process had {} MiB", mib(peak)));
        }
        if seen.slowest > health_within() {
            faults.push(format!("/health took {} ms", seen.slowest.as_millis()));
        }
        faults.extend(seen.refused.map(|answer| format!("/health answered {answer}")));
        faults
    }
}

pub(super) fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

/// Waits until a server that did something computes no more: less than a third of a processor over
/// a second.
pub(super) fn rests(process: Process) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if process.load_over(Duration::from_secs(1)) < 0.3 {
            return true;
        }
    }
    false
}
