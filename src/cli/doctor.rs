//! `khoyte doctor`: whether an installation is as it must be, and what to do where it is not. It
//! changes nothing, and makes neither a lake nor a key where there is none.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use connectors::SourceError;
use pipelines::deidentify::keys::{KeyError, KeyRing, last_backup};
use pipelines::materialise::target;
use pipelines::rotation::{self, Standing};
use pipelines::sources::{Examined, Sources, Wanted};
use rustix::fs::{Access, access, statvfs};
use serde::Serialize;
use serde_json::{Value, json};
use warehouse::diagnostic::Report;
use warehouse::names::TableName;
use warehouse::spec::{Declarations, Growth};
use warehouse::state::State;
use warehouse::store::{Flaw, Lake, Location, Outdated, StoreError};
use warehouse::system;

use super::keys::{foreign, places};
use super::{CommandLine, Exit, declarations};
use crate::config::{self, Config};
use crate::report::{Both, Reporter, Told, object};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON: an object a line
    #[arg(long)]
    json: bool,
}

/// Room for temporary files below which a night may not end.
const LEAST_ROOM: u64 = 512 << 20;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    /// As it must be.
    Ok,
    /// Not there yet, which is no fault.
    Waits,
    /// Something must be done.
    Fault,
}

impl Health {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Waits => "waits",
            Self::Fault => "fault",
        }
    }
}

/// What was found of one thing.
#[derive(Debug, Serialize)]
struct Finding {
    health: Health,
    /// `source`, `lake`, `keys`, `state` or `folder`.
    part: &'static str,
    /// The table, or what else it is about.
    about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn new(health: Health, part: &'static str, about: impl ToString) -> Self {
        Self { health, part, about: about.to_string(), what: None, remedy: None }
    }

    fn ok(part: &'static str, about: impl ToString) -> Self {
        Self::new(Health::Ok, part, about)
    }

    fn waits(part: &'static str, about: impl ToString, what: impl Into<String>) -> Self {
        Self::new(Health::Waits, part, about).told(what)
    }

    fn fault(part: &'static str, about: impl ToString, what: impl Into<String>) -> Self {
        Self::new(Health::Fault, part, about).told(what)
    }

    fn told(mut self, what: impl Into<String>) -> Self {
        self.what = Some(what.into());
        self
    }

    fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl Told for Finding {
    /// One line, and one more where there is something to do.
    fn text(&self) -> String {
        let mut text = format!("{:<6} {:<7} {}", self.health.as_str(), self.part, self.about);
        // Writing to a String cannot fail.
        if let Some(what) = &self.what {
            let _ = write!(text, ": {what}");
        }
        if let Some(remedy) = &self.remedy {
            let _ = write!(text, "\n       do: {remedy}");
        }
        text.push('\n');
        text
    }

    fn objects(&self) -> Vec<Value> {
        vec![object(self)]
    }
}

/// Shows findings as they come, and counts them.
struct Record<'a> {
    out: &'a Reporter,
    json: bool,
    counts: [usize; 3],
}

impl Record<'_> {
    fn add(&mut self, finding: &Finding) {
        self.counts[match finding.health {
            Health::Ok => 0,
            Health::Waits => 1,
            Health::Fault => 2,
        }] += 1;
        self.out.result_in(self.json, finding);
    }
}

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let config = line.config()?;
    let loaded = declarations(&config)?;
    let report = Report::new(&loaded.sources, &loaded.diagnostics);
    if report.error_count() > 0 {
        out.fail(&report);
        out.fail("khoyte: the declarations have faults; nothing was looked over");
        return Ok(Exit::Usage);
    }
    let declared = &loaded.declarations;
    let mut record = Record { out, json: args.json, counts: [0; 3] };
    for finding in folders(&config) {
        record.add(&finding);
    }
    record.add(&state(&config).await?);
    sources(&config, declared, &mut record).await?;
    match open_lake(&config) {
        Ok(lake) => {
            for finding in keys(&config, lake.as_ref(), declared).await {
                record.add(&finding);
            }
            if let Some(lake) = lake {
                tables(&lake, declared, &mut record).await;
            }
        }
        Err(finding) => record.add(&finding),
    }
    let [well, waiting, faults] = record.counts;
    out.say(&Both {
        text: format!("{well} ok, {waiting} waiting, {faults} at fault"),
        object: json!({ "ok": well, "waiting": waiting, "at_fault": faults }),
    });
    Ok(if faults == 0 { Exit::Done } else { Exit::Failed })
}

/// An error with its causes, in one line.
fn told(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// The folders that are used, and the room for temporary files.
fn folders(config: &Config) -> Vec<Finding> {
    let sources = match &config.sources_folder {
        Some(folder) => {
            let about = format!("sources {}", folder.display());
            match access(folder, Access::READ_OK | Access::EXEC_OK) {
                Ok(()) if folder.is_dir() => Finding::ok("folder", about),
                Ok(()) => Finding::fault("folder", about, "is no folder")
                    .with_remedy("name the folder of source files in `sources_folder`"),
                Err(error) => Finding::fault("folder", about, told(error)).with_remedy(
                    "make the folder, or let the user that khoyte runs as read and enter it",
                ),
            }
        }
        None => Finding::waits("folder", "sources", "`sources_folder` is not configured"),
    };
    vec![sources, public(&config.public_folder), room(&std::env::temp_dir())]
}

fn public(folder: &Path) -> Finding {
    let about = format!("public {}", folder.display());
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if folder.is_dir() => Finding::ok("folder", about),
        Ok(()) => Finding::fault("folder", about, "is no folder")
            .with_remedy("name another folder in `public_folder`"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Finding::waits("folder", about, "is not there; the first release makes it")
        }
        Err(error) => Finding::fault("folder", about, told(error))
            .with_remedy("let the user that khoyte runs as write it"),
    }
}

/// Rows that wait and queries that spill lie there.
fn room(folder: &Path) -> Finding {
    let about = format!("temporary {}", folder.display());
    let free = match statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return Finding::fault("folder", about, told(error))
                .with_remedy("name a folder on a disk in the variable TMPDIR");
        }
    };
    let what = format!("{} free", size(free));
    if free < LEAST_ROOM {
        return Finding::fault("folder", about, what)
            .with_remedy("free some, or name a folder on a larger disk in the variable TMPDIR");
    }
    Finding::ok("folder", about).told(what)
}

pub(super) fn size(bytes: u64) -> String {
    let mebibytes = bytes >> 20;
    match mebibytes {
        0 => format!("{bytes} bytes"),
        1..1024 => format!("{mebibytes} MiB"),
        _ => format!("{:.1} GiB", mebibytes as f64 / 1024.0),
    }
}

async fn state(config: &Config) -> anyhow::Result<Finding> {
    let place = config.state_place()?;
    Ok(match State::reach(&place).await {
        Ok(true) => Finding::ok("state", &place),
        Ok(false) => Finding::waits("state", &place, "is not there; the first start makes it"),
        Err(error) => Finding::fault("state", &place, told(error))
            .with_remedy("see that it is there, and that the user that khoyte runs as may use it"),
    })
}

/// Every table at its source.
async fn sources(
    config: &Config,
    declared: &Declarations,
    record: &mut Record<'_>,
) -> anyhow::Result<()> {
    let sources = Sources::new(config.sources_folder.clone(), config.servers()?);
    let night = config::today();
    for contract in &declared.contracts {
        for table in &contract.tables {
            let about = format!("{} of {}", table.name, contract.id);
            let wanted = Wanted { source: &contract.id, table, night, span: None };
            let finding = match sources.examine(wanted).await {
                Ok(Examined::Ready) => Finding::ok("source", about),
                Ok(Examined::Empty) => Finding::waits("source", about, "nothing is there yet"),
                Ok(Examined::Nowhere) => {
                    Finding::waits("source", about, "where it is, is not configured")
                }
                Err(error) => {
                    let finding = Finding::fault("source", about, "");
                    let remedy = source_remedy(&error);
                    let finding = finding.told(told(error));
                    match remedy {
                        Some(remedy) => finding.with_remedy(remedy),
                        None => finding,
                    }
                }
            };
            record.add(&finding);
        }
    }
    Ok(())
}

/// What to do; none where the error says it itself.
fn source_remedy(error: &SourceError) -> Option<&'static str> {
    match error {
        SourceError::Read { .. } => {
            Some("see that it is whole, and that the user that khoyte runs as may read it")
        }
        SourceError::Malformed { .. } | SourceError::Bound { .. } => {
            Some("ask the steward of the source to send it anew")
        }
        SourceError::MissingColumn { .. } | SourceError::DoubledColumn { .. } => {
            Some("ask the steward of the source for the column, or change the contract")
        }
        SourceError::Changed { .. } => Some("run khoyte doctor again when it is written"),
        SourceError::Setting { .. } => Some("change it in the contract or in the configuration"),
        SourceError::Server { .. } | SourceError::Refused { .. } | SourceError::Secret(_) => None,
    }
}

/// The lake; none where no night has made it yet.
fn open_lake(config: &Config) -> Result<Option<Lake>, Finding> {
    let location = config.location();
    if let Location::Folder(folder) = &location
        && !folder.is_dir()
    {
        return Ok(None);
    }
    let opened = Lake::open(&location).map(Some);
    opened.map_err(|error| {
        Finding::fault("lake", "lake", told(error)).with_remedy("change `[lake]` in khoyte.toml")
    })
}

/// The keys of the pseudonyms, as a night would find them, and what is to be done about them.
async fn keys(config: &Config, lake: Option<&Lake>, declared: &Declarations) -> Vec<Finding> {
    let (folder, lake_folder) = places(config);
    let about = folder.display();
    let fault = |what: String| Finding::fault("keys", &about, what);
    let noted = match lake {
        Some(lake) => rotation::noted(lake, declared).await,
        None => Ok(Vec::new()),
    };
    let noted = match noted {
        Ok(noted) => noted,
        Err(error) => {
            return vec![fault(told(error)).with_remedy("the table is looked over below")];
        }
    };
    let keys = match KeyRing::open(folder, lake_folder) {
        Ok(keys) => keys,
        Err(KeyError::Absent { .. }) if noted.is_empty() => {
            return vec![Finding::waits("keys", &about, "is not there; the first night makes it")];
        }
        Err(error @ (KeyError::Absent { .. } | KeyError::Missing { .. })) => {
            return vec![fault(told(error)).with_remedy(
                "khoyte keys restore --from FILE; where there is no backup, khoyte keys begin-anew",
            )];
        }
        // The others say what to do.
        Err(error) => return vec![fault(told(error))],
    };
    let epoch = keys.newest();
    let mut found = vec![match Standing::of(&keys, &noted) {
        Standing::Whole => Finding::ok("keys", &about)
            .told(format!("key {}, epoch {}", epoch.fingerprint, epoch.number)),
        Standing::Behind(tables) => {
            fault(format!("a rotation is unfinished: {} tables are behind", tables.len()))
                .with_remedy("khoyte keys rotate; the next night does it as well")
        }
        Standing::Foreign(table, print) => fault(foreign(table, print.as_deref(), folder)),
    }];
    match last_backup(folder) {
        Ok(Some(backup)) if backup.fingerprint == epoch.fingerprint => {}
        Ok(_) => found.push(
            Finding::waits("keys", "backup", format!("none is known of epoch {}", epoch.number))
                .with_remedy("khoyte keys backup --to FILE, apart from the lake and this machine"),
        ),
        Err(error) => found.push(fault(told(error))),
    }
    if let Some(lake) = lake {
        match outdated(lake, declared, &keys).await {
            Ok(Outdated { files: 0, .. }) => {}
            Ok(Outdated { files, size_bytes }) => found.push(
                Finding::waits(
                    "keys",
                    "old files",
                    format!("{files}, {}, hold tokens of earlier keys", size(size_bytes)),
                )
                .with_remedy("khoyte keys forget-old-files"),
            ),
            Err(error) => found.push(fault(told(error))),
        }
    }
    found
}

/// Files of earlier versions that may hold tokens of earlier keys. Where there is one key, none do.
pub(super) async fn outdated(
    lake: &Lake,
    declared: &Declarations,
    keys: &KeyRing,
) -> Result<Outdated, StoreError> {
    let (epoch, mut all) = (keys.newest(), Outdated::default());
    if epoch.number > 1 {
        for table in rotation::held_in(declared) {
            let Outdated { files, size_bytes } = lake.outdated(&table, epoch.made_at).await?;
            all.files += files;
            all.size_bytes += size_bytes;
        }
    }
    Ok(all)
}

/// Every table of the lake, against its log.
async fn tables(lake: &Lake, declared: &Declarations, record: &mut Record<'_>) {
    let loaded = declared.contracts.iter().flat_map(|contract| &contract.tables);
    let loaded = loaded.map(|table| table.name.clone());
    let made = declared.queries.iter().filter_map(|query| Some(target(query)?.0));
    let own = system::stored().into_iter().map(|table| table.name);
    let names: BTreeSet<TableName> = loaded.chain(made).chain(own).collect();
    for name in names {
        let finding =
            match lake.examine(&name).await {
                Ok(None) => Finding::waits("lake", &name, "was never written"),
                Ok(Some(found)) if found.flaws.is_empty() => Finding::ok("lake", &name)
                    .told(format!("{} files, {}", found.files, size(found.size_bytes))),
                Ok(Some(found)) => Finding::fault("lake", &name, flawed(&found.flaws, found.files))
                    .with_remedy(table_remedy(lake, declared, &name)),
                Err(error) => Finding::fault("lake", &name, told(error)).with_remedy(format!(
                    "see that {} can be read; a log that has lost a file comes back from a backup",
                    lake.place()
                )),
            };
        record.add(&finding);
    }
}

/// What is wrong, by the first file of it.
fn flawed(flaws: &[Flaw], files: usize) -> String {
    let mut text = format!("{} of {files} files are not as the log says", flaws.len());
    if let Some(first) = flaws.first() {
        let how = match first.found_bytes {
            None => "is gone".to_owned(),
            Some(found) => format!("has {found} of {} bytes", first.told_bytes),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "; {} {how}", first.file);
    }
    text
}

/// How the rows of a table come back.
fn table_remedy(lake: &Lake, declared: &Declarations, name: &TableName) -> String {
    let again = format!("khoyte night --again {name}");
    let Some((contract, table)) = declared.source_table(name) else {
        let mut made = declared.queries.iter().filter_map(|query| Some(target(query)?.0));
        if made.any(|made| made == *name) {
            return again;
        }
        return format!(
            "put the file back from a backup; what {name} tells of past nights is nowhere else"
        );
    };
    // What lies in a folder of its own for each night is read by nights.
    match (&table.growth, table.origin.is_nightly()) {
        (Growth::Snapshot, false) => again,
        (Growth::Append { .. } | Growth::Upsert { .. }, false) => format!(
            "{again}; of rows that the source no longer has, put the file back from a backup first"
        ),
        (Growth::Snapshot | Growth::Append { .. }, true) => {
            format!("{again} --from DATE --to DATE, the first and last night whose files are kept")
        }
        // Its rows of before are read with those that come: where some are lost, all come anew.
        (Growth::Upsert { .. }, true) => format!(
            "put the file back from a backup; or remove {}/{} of {}, then khoyte night --only {} \
             --from DATE --to DATE, the first and last night whose files are kept",
            name.schema().as_str(),
            name.name(),
            lake.place(),
            contract.id
        ),
    }
}
