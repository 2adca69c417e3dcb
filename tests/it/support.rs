//! The program under test: run, spawned, asked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, LazyLock};

use tempfile::TempDir;
use warehouse::access::Principal;
use warehouse::geography::Geography;
use warehouse::grid::Grid;
use warehouse::query::{Limits, Via, Warehouse};
use warehouse::serve::users::Secret;
use warehouse::spec::{self, Declarations, Origin};
use warehouse::store::{Lake, Location};

/// The night that every test runs.
pub(crate) const NIGHT: &str = "2026-11-20";

/// The folder of public data.
pub(crate) fn data() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("KHOYTE_DATA").map_or(beside, PathBuf::from);
    assert!(folder.is_dir(), "the public data are not at {}; set KHOYTE_DATA", folder.display());
    folder.canonicalize().unwrap()
}

/// The program, with logs off unless a test asks.
pub(crate) fn khoyte(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_khoyte"));
    command.arg("--dir").arg(dir).env("KHOYTE_LOG", "off").stdin(Stdio::null());
    command
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{shown}", output.status);
    output
}

/// A folder filled by `khoyte demo` from the public data, made once for all tests that only read.
pub(crate) fn filled() -> &'static Path {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        demo(folder.path(), &data());
        folder
    });
    FOLDER.path()
}

/// A copy of [`filled`] of a test's own, in which nobody has asked anything: what is kept of those
/// who ask stays behind, for a server may be writing it.
pub(crate) fn copied() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(filled()).unwrap().map(Result::unwrap) {
        if !entry.file_name().to_string_lossy().starts_with("state.sqlite") {
            succeed(Command::new("cp").arg("-a").arg(entry.path()).arg(folder.path()));
        }
    }
    folder
}

/// Fills a folder.
pub(crate) fn demo(dir: &Path, data: &Path) {
    let args = ["demo", "--no-serve", "--date", NIGHT, "--data"];
    succeed(khoyte(dir).args(args).arg(data));
}

/// The declarations of this project, read once.
pub(crate) fn declarations() -> Arc<Declarations> {
    static LOADED: LazyLock<Arc<Declarations>> =
        LazyLock::new(|| Arc::new(spec::load_embedded().declarations));
    Arc::clone(&LOADED)
}

/// The warehouse in a folder, asked in this process.
pub(crate) fn open(dir: &Path) -> Warehouse {
    open_at(&Location::Folder(dir.join("lake")))
}

/// The warehouse at a place, asked in this process.
pub(crate) fn open_at(place: &Location) -> Warehouse {
    let declarations = declarations();
    let text =
        |name: &str| match &declarations.source_table(&name.parse().unwrap()).unwrap().1.origin {
            Origin::Declared { text, .. } => text.clone(),
            Origin::Read { .. } => panic!("{name} is not declared"),
        };
    let units = (text("danh_muc.don_vi"), text("danh_muc.don_vi_ke_thua"));
    let geography = Geography::from_declared(&units.0, &units.1).unwrap();
    let lake = Lake::open(place).unwrap();
    Warehouse::new(lake, declarations, Arc::new(geography), Limits::default()).unwrap()
}

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap());

/// Runs asynchronous work to its end.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

/// Starts asynchronous work that ends with the test process.
pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    RUNTIME.spawn(work);
}

/// All rows of a query.
pub(crate) fn rows(warehouse: &Warehouse, sql: &str) -> Grid {
    wait(async {
        let answer = warehouse.door(&Principal::system(), Via::CommandLine).ask(sql).await;
        answer.unwrap_or_else(|e| panic!("{sql}: {e}")).grid(usize::MAX).await.unwrap()
    })
}

/// Every table's rows as sorted lines, by table; columns that tell the time are left out.
pub(crate) fn contents(warehouse: &Warehouse) -> BTreeMap<String, Vec<String>> {
    contents_without(warehouse, &["bat_dau", "ket_thuc"])
}

/// Every table's rows as sorted lines, by table, without columns of these names.
pub(crate) fn contents_without(
    warehouse: &Warehouse,
    hidden: &[&str],
) -> BTreeMap<String, Vec<String>> {
    let tables = rows(warehouse, "SELECT ten FROM he_thong.bang ORDER BY ten");
    let names = tables.rows.iter().map(|row| row[0].to_string());
    names
        .map(|name| {
            let grid = rows(warehouse, &format!("SELECT * FROM {name}"));
            let hidden: Vec<_> = hidden.iter().map(|column| grid.column(column)).collect();
            let line = |row: &Vec<warehouse::grid::Cell>| {
                let cells = row.iter().enumerate().filter(|(at, _)| !hidden.contains(&Some(*at)));
                cells.map(|(_, cell)| cell.to_string()).collect::<Vec<_>>().join("|")
            };
            let mut lines: Vec<String> = grid.rows.iter().map(line).collect();
            lines.sort();
            (name, lines)
        })
        .collect()
}

/// Every file under a folder, by its path within it, but for who holds the lake: each night writes
/// that anew.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                if entry.file_name() != "_khoyte" {
                    folders.push(entry.path());
                }
            } else {
                let name = entry.path().strip_prefix(dir).unwrap().display().to_string();
                all.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    all
}

/// The names of files that are not the same in both.
pub(crate) fn differing(
    first: &BTreeMap<String, Vec<u8>>,
    second: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    names.into_iter().filter(|name| first.get(*name) != second.get(*name)).cloned().collect()
}

/// A running `khoyte serve`, stopped when dropped.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) web: String,
    /// Port of the `PostgreSQL` wire.
    pub(crate) postgres: u16,
    /// Password of the user `ke_hoach`.
    pub(crate) password: String,
}

impl Server {
    /// Serves a filled folder on free ports.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_as(khoyte(dir), dir, Stdio::null())
    }

    /// Serves a filled folder on free ports by `program`, which takes what `khoyte` takes and has
    /// been told the folder; its log goes to `log`.
    pub(crate) fn start_as(mut program: Command, dir: &Path, log: Stdio) -> Self {
        program.args(["serve", "--web", "127.0.0.1:0", "--postgres", "127.0.0.1:0"]);
        let mut child = spawn_bound(&program, log);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut value = |key: &str| {
            let line = lines.next().expect("the server says where it listens").unwrap();
            // An object with `--log-json`.
            let object = serde_json::from_str::<serde_json::Value>(&line).unwrap_or_default();
            let value = object[key].as_str().or_else(|| line.strip_prefix(key));
            value.unwrap_or_else(|| panic!("`{line}` names {key}")).trim().to_owned()
        };
        let web = value("web").trim_end_matches('/').to_owned();
        let postgres = value("postgres").rsplit(':').next().unwrap().parse().unwrap();
        let password = std::fs::read_to_string(dir.join("password.txt")).unwrap();
        Self { child, web, postgres, password: password.trim().to_owned() }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// The connection string of the user `ke_hoach`, without the password.
    pub(crate) fn connection(&self) -> String {
        format!("host=127.0.0.1 port={} user=ke_hoach dbname=khoyte", self.postgres)
    }

    /// The header that a page of the user `ke_hoach` sends along, with its line end.
    pub(crate) fn log_in(&self) -> String {
        crate::web::log_in(&self.web, "ke_hoach", &self.password)
    }

    /// Asks the server to stop.
    pub(crate) fn terminate(&self) {
        succeed(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()));
    }

    /// Waits until the server is gone, and says how it ended.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// A server over an empty lake, with the user `ke_hoach` and these lines of configuration.
    pub(crate) fn bare(dir: &Path, config: &str) -> Self {
        Self::configure(dir, config);
        Self::start(dir)
    }

    /// Writes these lines of configuration, with the user `ke_hoach`.
    pub(crate) fn configure(dir: &Path, config: &str) {
        let password = "mat khau cua rieng no";
        let secret = Secret::derive(password, &[7; 16]).encode();
        let user = format!("name = \"ke_hoach\"\nclearance = \"business\"\nsecret = {secret:?}\n");
        let text = format!("{config}\n[[user]]\n{user}");
        std::fs::write(dir.join("khoyte.toml"), text).unwrap();
        std::fs::write(dir.join("password.txt"), password).unwrap();
    }

    /// One server over [`filled`] for all tests that only read; it ends with the test process.
    pub(crate) fn shared() -> &'static Self {
        static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(filled()));
        &SERVER
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good as stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program that ends with this process, however that ends: nothing drops a static.
fn spawn_bound(command: &Command, log: Stdio) -> Child {
    let mut bound = Command::new("setpriv");
    bound.args(["--pdeathsig", "KILL"]).arg(command.get_program()).args(command.get_args());
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    bound.envs(variables).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let (sender, receiver) = std::sync::mpsc::channel();
    // The kernel watches the thread that spawns; this one lasts as long as the process.
    std::thread::spawn(move || {
        sender.send(bound.spawn()).unwrap();
        loop {
            std::thread::park();
        }
    });
    receiver.recv().unwrap().unwrap()
}

/// Copies a folder of source files by linking, leaving out paths that contain a word of `without`.
pub(crate) fn link_data(into: &Path, without: &[&str]) {
    let from = data();
    for folder in std::fs::read_dir(&from).unwrap().map(Result::unwrap) {
        let name = folder.file_name();
        let skipped = without.iter().any(|word| name.to_string_lossy().contains(word));
        if folder.path().is_dir() && !skipped {
            std::os::unix::fs::symlink(folder.path(), into.join(name)).unwrap();
        }
    }
}
