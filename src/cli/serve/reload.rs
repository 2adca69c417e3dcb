//! Declarations and configuration that change while they are served.
//!
//! A change is taken when it has stood still for some seconds, or at once when SIGHUP asks for it.
//! It is checked as `khoyte check` does, and taken whole or not at all: what is at fault is told
//! once, and what was served before stays. What began before a change ends on what it began with.
//!
//! Users, the time of a query, the bytes of an answer and the declarations change in this way. The
//! rest of what serving reads from the configuration waits for a restart, and is named.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;
use toml::{Table, Value};
use warehouse::diagnostic::Report;
use warehouse::geography::Geography;
use warehouse::serve::served::Served;
use warehouse::spec::{self, Declarations, Glimpse};

use super::super::{CommandLine, declarations, geography};
use crate::config::Config;
use crate::report::{Both, Reporter};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks in a row that must see the same before a change is taken: files that are being copied
/// change from one to the next.
const STILL: u32 = 2;

/// What a restart is needed for, of that which serving reads.
const FIXED: [&str; 8] = [
    "lake",
    "state",
    "public_folder",
    "stop_grace_secs",
    "web",
    "postgres",
    "limits.memory_bytes",
    "limits.queries",
];

/// The configuration and the declarations as they were before the program read them to start
/// with: what is written from then on is a change.
pub(in crate::cli) struct Before {
    config: Table,
    /// The sum of the declarations; none for those that are built in.
    sum: Option<String>,
    seen: Option<Glimpse>,
}

impl Before {
    /// Looks at both.
    pub(in crate::cli) fn look(line: &CommandLine) -> anyhow::Result<Self> {
        let seen = look(line);
        let config = line.config()?;
        Ok(Self { config: table(&config)?, sum: sum(&config)?, seen })
    }
}

/// What is served, and what it was read from.
pub(super) struct Reload<'a> {
    line: &'a CommandLine,
    out: &'a Reporter,
    served: &'a Served,
    /// SIGHUP; not heard at a terminal, whose end it tells.
    asked: Option<Signal>,
    /// The configuration that the program started with.
    first: Table,
    /// The configuration of which some counts now, and the sum of the declarations.
    taken: (Table, Option<String>),
    /// The files that were looked into last.
    settled: Option<Glimpse>,
    /// What was told to wait for a restart.
    waiting: BTreeSet<&'static str>,
}

/// A change that may be taken.
struct Change {
    config: Config,
    declarations: Declarations,
    geography: Geography,
}

/// Why a change is not taken.
enum Refusal {
    /// The declarations are at fault, and each fault was told.
    Told(usize),
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl<'a> Reload<'a> {
    /// Begins with what `served` was made from.
    pub(super) fn new(
        line: &'a CommandLine,
        out: &'a Reporter,
        served: &'a Served,
        before: Before,
    ) -> anyhow::Result<Self> {
        let hear = || signal(SignalKind::hangup()).context("cannot hear SIGHUP");
        let asked = (!std::io::stdin().is_terminal()).then(hear).transpose()?;
        let Before { config: first, sum, seen: settled } = before;
        let (taken, waiting) = ((first.clone(), sum), BTreeSet::new());
        Ok(Self { line, out, served, asked, first, taken, settled, waiting })
    }

    /// Takes changes as they come, for as long as it is waited for.
    pub(super) async fn watch(mut self) -> Infallible {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut before, mut still) = (None, 0);
        loop {
            let at_once = tokio::select! {
                () = asked(&mut self.asked) => true,
                _ = looks.tick() => false,
            };
            let now = look(self.line);
            still = if now == before { still + 1 } else { 1 };
            before.clone_from(&now);
            if at_once || (now != self.settled && still >= STILL) {
                // What is written meanwhile is a change of its own.
                self.settled = now;
                self.take(at_once).await;
            }
        }
    }

    /// Takes what is there now, if it is sound and says something else.
    async fn take(&mut self, asked: bool) {
        match self.try_to_take().await {
            Ok(true) => {}
            Ok(false) if asked => self.out.say("nothing has changed: served as before"),
            Ok(false) => {}
            Err(Refusal::Told(errors)) => tracing::error!(
                errors,
                "the changed declarations have faults: those of before are served"
            ),
            Err(Refusal::Other(error)) => tracing::error!(
                cause = format!("{error:#}"),
                "what has changed cannot be taken: served as before"
            ),
        }
    }

    async fn try_to_take(&mut self) -> Result<bool, Refusal> {
        let config = self.line.config()?;
        let now = table(&config)?;
        self.tell_what_waits(&now);
        let taken = (now, sum(&config)?);
        if counting(&taken.0) == counting(&self.taken.0) && taken.1 == self.taken.1 {
            return Ok(false);
        }
        // Planning takes a moment, and connections are accepted meanwhile.
        let checked = tokio::task::spawn_blocking(move || check(config)).await;
        let change = checked.context("the check ended early")??;
        let listed = change.config.listed(&change.geography)?;
        let counts = (change.declarations.contracts.len(), change.declarations.queries.len());
        let warehouse = self.served.now().described_by(
            Arc::new(change.declarations),
            Arc::new(change.geography),
            change.config.limits(),
        );
        let people = listed.len();
        self.served.replace(warehouse, listed);
        self.taken = taken;
        let (contracts, queries) = counts;
        tracing::info!(contracts, queries, people, "what has changed is served");
        self.out.result(&Both {
            text: format!("reloaded  {contracts} contracts, {queries} queries\n"),
            object: json!({ "reloaded": { "contracts": contracts, "queries": queries } }),
        });
        Ok(true)
    }

    /// Names what differs from what the program started with and cannot change while it runs.
    fn tell_what_waits(&mut self, now: &Table) {
        let differs = |path: &&str| at(now, path) != at(&self.first, path);
        let waiting: BTreeSet<&'static str> =
            FIXED.into_iter().filter(|path| differs(path)).collect();
        if waiting != self.waiting && !waiting.is_empty() {
            let names = waiting.iter().copied().collect::<Vec<_>>().join(", ");
            tracing::warn!(names, "changed in the configuration; counts after a restart");
        }
        self.waiting = waiting;
    }
}

/// Waits until SIGHUP asks for a look.
async fn asked(signal: &mut Option<Signal>) {
    let heard = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending().await
    }
}

/// The files as they are; nothing where they cannot be looked at, which is told when they are read.
fn look(line: &CommandLine) -> Option<Glimpse> {
    // Without a configuration that can be read, only its file is waited for.
    let root = line.config().ok().and_then(|config| config.declarations_folder);
    spec::glimpse(root.as_deref(), &[&line.config_file()]).ok()
}

/// Reads and checks all that the configuration names, as at a start.
fn check(config: Config) -> Result<Change, Refusal> {
    let before = sum(&config)?;
    let loaded = declarations(&config)?;
    if sum(&config)? != before {
        return Err(anyhow::anyhow!("the declarations changed while they were read").into());
    }
    let report = Report::new(&loaded.sources, &loaded.diagnostics);
    if report.error_count() > 0 {
        for fault in report.faults().filter(|fault| fault.severity == "error") {
            let (code, help) = (fault.code, fault.help.unwrap_or_default());
            tracing::error!(place = fault.place(), code, help, "{}", fault.message);
        }
        return Err(Refusal::Told(report.error_count()));
    }
    let geography = geography(&loaded.declarations)?;
    Ok(Change { config, declarations: loaded.declarations, geography })
}

/// The sum of the declarations; none for those that are built in.
fn sum(config: &Config) -> anyhow::Result<Option<String>> {
    let folder: Option<&Path> = config.declarations_folder.as_deref();
    let sum = folder.map(spec::fingerprint).transpose();
    sum.with_context(|| format!("cannot read {}", folder.unwrap_or(Path::new("")).display()))
}

fn table(config: &Config) -> anyhow::Result<Table> {
    Table::try_from(config).context("the configuration has no text form")
}

/// The value at a path of keys.
fn at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let value = table.get(first)?;
    rest.map_or(Some(value), |rest| at(value.as_table()?, rest))
}

/// What of the configuration counts without a restart.
fn counting(table: &Table) -> [Option<&Value>; 4] {
    ["user", "declarations_folder", "limits.timeout_secs", "limits.answer_bytes"]
        .map(|path| at(table, path))
}
