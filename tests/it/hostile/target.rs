//! A server to attack: the real program over its own copy of the filled folder, with limits that
//! are quickly reached, and a guard that keeps a build which falls from taking the machine along.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::http::{Form, Reader};
use super::process::{Process, comes_true};
use super::wire::{Client, Trouble};
use super::{MEMORY_BYTES, PATIENCE, bound};
use crate::support::{self, Server};

/// Memory at which the kernel refuses more: far above what the tests allow, far below the machine.
const GUARD_BYTES: u64 = 5 << 30;

/// The planner that `khoyte demo` makes.
pub(super) const PLANNER: &str = "ke_hoach";

/// Another planner with the same password, for log-ins that go wrong: those lock a name.
pub(super) const SPARE: &str = "ke_hoach_hai";

/// Planners beside these two, with the same password: one has only so many connections.
pub(super) const COLLEAGUES: u64 = 8;

/// The name of a planner among the colleagues.
pub(super) fn colleague(at: u64) -> String {
    format!("dong_nghiep_{}", at % COLLEAGUES)
}

/// How a server is configured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) memory_bytes: u64,
    pub(super) timeout_secs: u64,
    /// The log filter.
    pub(super) log: &'static str,
}

impl Settings {
    /// Little memory, and a deadline after which everything is over.
    pub(super) fn tight() -> Self {
        Self { memory_bytes: MEMORY_BYTES, timeout_secs: 1, log: "off" }
    }

    /// As [`Self::tight`], with another deadline.
    pub(super) fn with_timeout(timeout_secs: u64) -> Self {
        Self { timeout_secs, ..Self::tight() }
    }
}

/// A server under attack; it ends when dropped.
pub(super) struct Target {
    pub(super) server: Server,
    folder: TempDir,
    settings: Settings,
}

impl Target {
    /// Starts one over a new copy of the filled folder, and waits until it has answered once by
    /// every door, so that what it keeps for ever is in its memory.
    pub(super) fn start(settings: Settings) -> Self {
        let folder = support::copied();
        configure(&folder.path().join("khoyte.toml"), settings);
        let server = spawn(folder.path(), settings);
        let target = Self { server, folder, settings };
        target.warm_up();
        target
    }

    /// Starts another in place of one that has ended.
    pub(super) fn start_again(&mut self) {
        self.server = spawn(self.folder.path(), self.settings);
        self.warm_up();
    }

    fn warm_up(&self) {
        for sql in ["SELECT count(*) FROM chi_tieu.ca_nuoc", "SELECT count(*) FROM he_thong.bang"] {
            let ready = comes_true(PATIENCE, || {
                self.client().and_then(|mut client| client.simple(sql)).is_ok()
            });
            assert!(ready, "the server answers after its start");
            // Whether a page may show it is another test's question.
            let _ = self.stranger().ask(Form::Csv, sql);
        }
        let _ = self.stranger().get("/");
    }

    /// The process.
    pub(super) fn process(&self) -> Process {
        Process(self.server.id())
    }

    /// A connection of the planner.
    pub(super) fn client(&self) -> Result<Client, Trouble> {
        self.client_of(PLANNER)
    }

    /// A connection of a planner of this name.
    pub(super) fn client_of(&self, name: &str) -> Result<Client, Trouble> {
        Client::log_in(self.server.postgres, name, &self.server.password, PATIENCE)
    }

    /// A connection that has said nothing.
    pub(super) fn raw(&self) -> Client {
        Client::connect(self.server.postgres, PATIENCE).expect("the server listens")
    }

    /// A reader of the pages who has not logged in.
    pub(super) fn stranger(&self) -> Reader {
        Reader::stranger(&self.server.web, PATIENCE)
    }

    /// The planner at the pages; a stranger where the pages know no log-in.
    pub(super) fn planner(&self) -> Reader {
        let stranger = self.stranger();
        stranger.log_in(PLANNER, &self.server.password).unwrap_or(stranger)
    }

    /// The folder of the data.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the log goes.
    pub(super) fn log(&self) -> PathBuf {
        log_in(self.folder.path())
    }

    /// What is wrong with the server, if anything is: it must live, answer by the wire and by the
    /// page, rightly. A slow build on shared processors may take a while.
    pub(super) fn fault(&self) -> Option<String> {
        let mut fault = None;
        comes_true(bound(Duration::ZERO, PATIENCE), || {
            fault = self.fault_now();
            fault.is_none() || !self.process().is_alive()
        });
        fault
    }

    fn fault_now(&self) -> Option<String> {
        if !self.process().is_alive() {
            return Some("the process died".to_owned());
        }
        let wire = self.client().and_then(|mut client| client.simple("SELECT 40 + 2 AS a"));
        if !matches!(&wire, Ok(reply) if reply.cell() == Some("42")) {
            return Some(format!("the wire answers no short query: {wire:?}"));
        }
        let health = self.stranger().get("/health");
        if !matches!(&health, Ok(answer) if answer.status == 200) {
            return Some(format!("/health answers {:?}", health.map(|answer| answer.status)));
        }
        let page = self.stranger().ask(Form::Csv, "SELECT 40 + 2 AS a");
        let page = page.map(|answer| (answer.status, answer.text()));
        if !matches!(&page, Ok((200, text)) if first_cell(text) == Some("42")) {
            let status = page.map(|(status, _)| status);
            return Some(format!("the page answers no short query: {status:?}"));
        }
        None
    }
}

/// The first cell under the header of a CSV file.
pub(super) fn first_cell(csv: &str) -> Option<&str> {
    csv.trim_start_matches('\u{feff}').lines().nth(1)?.split(',').next()
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("log.txt")
}

/// The program under test.
pub(super) fn program() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_khoyte"));
    std::env::var_os("KHOYTE_PROGRAM").map_or_else(built, PathBuf::from)
}

fn spawn(folder: &Path, settings: Settings) -> Server {
    let mut command = Command::new("prlimit");
    command.arg(format!("--data={GUARD_BYTES}")).arg(program()).arg("--dir").arg(folder);
    command.env("KHOYTE_LOG", settings.log);
    let log = File::options().create(true).append(true).open(log_in(folder)).unwrap();
    Server::start_as(command, folder, Stdio::from(log))
}

pub(super) fn configure(file: &Path, settings: Settings) {
    let mut config: toml::Table = fs::read_to_string(file).unwrap().parse().unwrap();
    let limits = config.entry("limits").or_insert_with(|| toml::Table::new().into());
    let limits = limits.as_table_mut().unwrap();
    let number = |value: u64| toml::Value::Integer(value.try_into().unwrap());
    limits.insert("memory_bytes".to_owned(), number(settings.memory_bytes));
    limits.insert("timeout_secs".to_owned(), number(settings.timeout_secs));
    let users = config.get_mut("user").unwrap().as_array_mut().unwrap();
    let planner = users.iter().find(|user| user["name"].as_str() == Some(PLANNER)).unwrap().clone();
    for name in std::iter::once(SPARE.to_owned()).chain((0..COLLEAGUES).map(colleague)) {
        let mut other = planner.clone();
        other.as_table_mut().unwrap().insert("name".to_owned(), name.into());
        users.push(other);
    }
    fs::write(file, config.to_string()).unwrap();
}

/// Waits until a server has ended; its exit code, or `None` where it goes on.
pub(super) fn exit_code(server: &mut Server, within: Duration) -> Option<i32> {
    let mut status = None;
    comes_true(within, || {
        status = server.ended();
        status.is_some()
    });
    status.map(|status| status.code().unwrap_or(-1))
}
