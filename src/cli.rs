//! The command line: one module a command, and the exit codes that schedulers rely on.

mod check;
mod demo;
mod disclosure;
mod doctor;
mod indicator;
mod keys;
mod night;
mod password;
mod release;
mod serve;
mod simulate;
mod sql;
mod user;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use pipelines::sources::Sources;
use warehouse::diagnostic::Report;
use warehouse::geography::Geography;
use warehouse::query::Warehouse;
use warehouse::serve::users::Users;
use warehouse::spec::{self, Declarations, Loaded, Origin};
use warehouse::state::{State, StateError};
use warehouse::store::{Lake, Location};

use crate::config::{self, Config, UsageError};
use crate::report::Reporter;
use crate::telemetry;

/// Kho dữ liệu y tế: nightly pipelines, SQL, indicators, dashboards and open data.
#[derive(Debug, Parser)]
#[command(name = "khoyte", version, about, max_term_width = 100)]
pub(crate) struct CommandLine {
    /// Configuration file [default: khoyte.toml in the data folder]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder: lake, keys, public files and configuration
    #[arg(long, global = true, value_name = "DIR", default_value = "khoyte-data")]
    dir: PathBuf,
    /// Print results and failures only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Write logs, results and failures as JSON, an object a line
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything on the embedded default: sources, a night, open data, then serve
    Demo(demo::Args),
    /// Check every declaration, offline
    Check(check::Args),
    /// Fill a folder, or servers of every kind, with simulated sources
    Simulate(simulate::Args),
    /// Run the nightly pipelines; resumable, repeatable
    Night(night::Args),
    /// Look over an installation, changing nothing: sources, the lake's files, keys, folders
    Doctor(doctor::Args),
    /// Run one query through the one door
    Sql(sql::Args),
    /// Show an indicator on the boundaries of any date
    Indicator(indicator::Args),
    /// Serve PostgreSQL clients and the web pages
    Serve(serve::Args),
    /// Release open datasets, or verify released files
    Release(release::Args),
    /// Protect a table against disclosure, or audit one
    Disclosure(disclosure::Args),
    /// Make the secret of a user from a password read from standard input
    Password(password::Args),
    /// Make, list and remove the accounts of people who may log in
    User(user::Args),
    /// The keys of the pseudonyms: how they stand, backup, rotation, and what to do without one
    Keys(keys::Args),
}

/// How a command ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done,
    /// Something failed, and was said.
    Failed,
    /// Wrong usage, or a declaration at fault.
    Usage,
    /// A gate or policy refused.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
        })
    }
}

/// Stack of the threads that speak with readers: parsed statements end there, and one that is as
/// deep as they may be must fit.
const FRONT_STACK: usize = 16 << 20;

/// Says what is wrong with a command line that could not be read, or gives the help that it asks
/// for.
pub(crate) fn misused(error: &clap::Error) -> ExitCode {
    let json = error.use_stderr() && std::env::args_os().any(|word| word == "--log-json");
    if json {
        Reporter::new(false, true).fail(&error.render().to_string());
    } else {
        // As clap writes it, with colours on a terminal; a reader that went away wants no more.
        let _ = error.print();
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Done }.into()
}

/// Runs the command and turns what came of it into an exit code.
pub(crate) fn run(line: &CommandLine, out: &Reporter) -> ExitCode {
    telemetry::start(&config::log_filter(), line.log_json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(FRONT_STACK)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            out.fail(&format!("khoyte: cannot start: {error}"));
            return Exit::Failed.into();
        }
    };
    match runtime.block_on(dispatch(line, out)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            out.end();
            out.fail(&format!("khoyte: {error:#}"));
            let ours = !error.chain().any(<dyn std::error::Error>::is::<UsageError>);
            if ours { Exit::Failed } else { Exit::Usage }.into()
        }
    }
}

async fn dispatch(line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    match &line.command {
        Command::Demo(args) => demo::run(args, line, out).await,
        Command::Check(args) => check::run(args, line, out),
        Command::Simulate(args) => simulate::run(args, line, out).await,
        Command::Night(args) => night::run(args, line, out).await,
        Command::Doctor(args) => doctor::run(args, line, out).await,
        Command::Sql(args) => sql::run(args, line, out).await,
        Command::Indicator(args) => indicator::run(args, line, out).await,
        Command::Serve(args) => serve::run(args, line, out).await,
        Command::Release(args) => release::run(args, line, out).await,
        Command::Disclosure(args) => disclosure::run(args, out),
        Command::Password(args) => password::run(args, out),
        Command::User(args) => user::run(args, line, out).await,
        Command::Keys(args) => keys::run(args, line, out).await,
    }
}

impl CommandLine {
    fn config(&self) -> anyhow::Result<Config> {
        Config::read(&self.config_file(), self.config.is_some())
    }

    fn config_file(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| self.dir.join(config::FILE_NAME))
    }
}

/// Reads the declarations that a configuration names, or the built-in ones.
fn declarations(config: &Config) -> anyhow::Result<Loaded> {
    Ok(match &config.declarations_folder {
        Some(folder) => load_declarations(folder)?,
        None => spec::load_embedded(),
    })
}

/// Reads the declarations below a folder that must hold some.
fn load_declarations(folder: &Path) -> anyhow::Result<Loaded> {
    let holds = |name: &str| folder.join(name).is_dir();
    if !holds("pipelines/contracts") && !holds("queries") {
        let shown = folder.display();
        let text = format!("{shown} holds neither pipelines/contracts nor queries");
        return Err(UsageError(text).into());
    }
    spec::load(folder).with_context(|| format!("cannot read {}", folder.display()))
}

/// A configured product, ready to work.
struct House {
    config: Config,
    warehouse: Warehouse,
}

impl House {
    /// Opens the lake with its declarations; a declaration at fault stops here.
    fn open(config: Config, out: &Reporter) -> anyhow::Result<Result<Self, Exit>> {
        let loaded = declarations(&config)?;
        let report = Report::new(&loaded.sources, &loaded.diagnostics);
        if report.error_count() > 0 {
            out.fail(&report);
            out.fail("khoyte: the declarations have faults; nothing was done");
            return Ok(Err(Exit::Usage));
        }
        let geography = geography(&loaded.declarations)?;
        let lake = Lake::open(&config.location())?;
        let warehouse = Warehouse::new(
            lake,
            Arc::new(loaded.declarations),
            Arc::new(geography),
            config.limits(),
        )?;
        Ok(Ok(Self { config, warehouse }))
    }

    /// As [`Self::open`], for those who only read: where there is no lake, none is made.
    fn open_to_read(config: Config, out: &Reporter) -> anyhow::Result<Result<Self, Exit>> {
        match config.location() {
            Location::Folder(folder) if !folder.is_dir() => {
                out.fail(&format!(
                    "khoyte: there is no lake in {}: `khoyte night` makes one, `--dir` names \
                     another folder",
                    folder.display()
                ));
                Ok(Err(Exit::Usage))
            }
            _ => Self::open(config, out),
        }
    }

    /// Everyone who may log in.
    async fn users(&self) -> anyhow::Result<Users> {
        let listed = self.config.listed(self.warehouse.geography())?;
        Ok(Users::new(listed, open_state(&self.config).await?).await?)
    }

    fn sources(&self) -> anyhow::Result<Sources> {
        Ok(Sources::new(self.config.sources_folder.clone(), self.config.servers()?))
    }
}

/// Opens the state room: accounts, sessions, the account of queries.
async fn open_state(config: &Config) -> anyhow::Result<State> {
    match State::open(&config.state_place()?).await {
        Err(error @ StateError::Address(_)) => Err(UsageError(error.to_string()).into()),
        opened => Ok(opened?),
    }
}

/// The administrative units, from the declared tables that hold them.
fn geography(declarations: &Declarations) -> anyhow::Result<Geography> {
    let text = |name: &str| {
        let name = name.parse().ok()?;
        match &declarations.source_table(&name)?.1.origin {
            Origin::Declared { text, .. } => Some(text.as_str()),
            Origin::Read { .. } => None,
        }
    };
    match (text("danh_muc.don_vi"), text("danh_muc.don_vi_ke_thua")) {
        (Some(units), Some(successions)) => Ok(Geography::from_declared(units, successions)?),
        _ => Ok(Geography::empty()),
    }
}
