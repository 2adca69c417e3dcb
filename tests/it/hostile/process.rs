//! What the kernel says of a running process: whether it lives, its memory, its processor time.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// Ticks of processor time in a second, as every Linux counts them in `/proc`.
const TICKS: u64 = 100;

/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(20);

/// A process, by its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(pub(super) u32);

impl Process {
    /// Whether it runs; one that ended and was not waited for does not.
    pub(super) fn is_alive(self) -> bool {
        self.fields().is_some_and(|fields| !matches!(fields[0].as_str(), "Z" | "X"))
    }

    /// Memory that it has now, in bytes; 0 when it is gone.
    pub(super) fn memory(self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it ever had, in bytes; 0 when it is gone.
    pub(super) fn peak(self) -> u64 {
        self.status("VmHWM:")
    }

    /// Processor time that it has used.
    pub(super) fn processor_time(self) -> Duration {
        let ticks = self.fields().map_or(0, |fields| {
            // utime and stime, 14th and 15th of all, the first two of which are cut off.
            fields[11..13].iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
        });
        Duration::from_millis(ticks * 1000 / TICKS)
    }

    /// The part of one processor that it uses over the next `time`.
    pub(super) fn load_over(self, time: Duration) -> f64 {
        let (started, before) = (Instant::now(), self.processor_time());
        // What is measured is what happens in this time.
        std::thread::sleep(time);
        let used = self.processor_time().saturating_sub(before);
        used.as_secs_f64() / started.elapsed().as_secs_f64()
    }

    /// Sends a signal, as `TERM`; one to a process that is gone goes nowhere.
    pub(super) fn signal(self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.to_string()]).output();
        sent.expect("`kill` runs");
    }

    fn fields(self) -> Option<Vec<String>> {
        let line = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        // The name, in parentheses, may hold spaces.
        let (_, after) = line.rsplit_once(')')?;
        Some(after.split_whitespace().map(str::to_owned).collect())
    }

    fn status(self, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or_default() * 1024
    }
}

/// Waits until something holds, at most for a time; whether it came to hold.
pub(super) fn comes_true(within: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_computes() {
        let this = Process(std::process::id());
        assert!(this.is_alive() && this.memory() > 1 << 20 && this.peak() >= this.memory());
        let before = this.processor_time();
        let spin = || (0..1000_u64).fold(1, |a, b| std::hint::black_box(a ^ b)) < u64::MAX;
        assert!(comes_true(Duration::from_secs(30), || spin()
            && this.processor_time() > before + Duration::from_millis(20)));
        assert!(!Process(u32::MAX).is_alive() && Process(u32::MAX).memory() == 0);
    }

    #[test]
    fn a_process_that_ended_is_not_alive_and_a_signal_ends_one() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process(child.id());
        assert!(process.is_alive() && process.load_over(Duration::from_millis(100)) < 0.5);
        process.signal("TERM");
        assert!(comes_true(Duration::from_secs(5), || !process.is_alive()));
        assert!(!child.wait().unwrap().success());
    }
}
