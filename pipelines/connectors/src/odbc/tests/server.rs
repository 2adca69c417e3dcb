//! A PostgreSQL server of the tests' own, from Debian's package, that ends with the last test that
//! uses it, and the driver of Debian's package odbc-postgresql.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

use crate::odbc::{DataSource, OdbcSource};
use crate::{Secret, SecretPlace};

/// The password of each user that may read; it would end an attribute that is not quoted.
pub(super) const PASSWORD: &str = "mat;khau+{doc}=%";

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(super) struct Postgres {
    folder: TempDir,
    port: u16,
    child: Mutex<Child>,
}

/// A database with a user who may read the schema `kcb`.
pub(super) struct Database {
    pub(super) postgres: Arc<Postgres>,
    pub(super) name: String,
}

impl Postgres {
    /// The server that tests share.
    pub(super) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *shared = Arc::downgrade(&started);
        started
    }

    /// A server of one's own.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            succeed(Command::new("chown").arg("postgres:postgres").arg(folder.path()));
        }
        let secret = folder.path().join("password");
        std::fs::write(&secret, PASSWORD).unwrap();
        let mut make = as_its_user("initdb");
        make.args(["--username=khoyte", "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .arg(format!("--pwfile={}", secret.display()));
        succeed(&mut make);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Mutex::new(serve(folder.path(), port));
        Self { folder, port, child }
    }

    fn run(&self, database: &str, sql: &str) {
        let mut psql = Command::new("psql");
        psql.args([
            "--no-psqlrc",
            "-v",
            "ON_ERROR_STOP=1",
            "-q",
            "-h",
            "127.0.0.1",
            "-U",
            "khoyte",
        ])
        .args(["-p", &self.port.to_string(), "-d", database, "-c", sql])
        .env("PGPASSWORD", PASSWORD)
        .current_dir(self.folder.path());
        succeed(&mut psql);
    }

    /// Ends it at once, as a lost machine would.
    pub(super) fn stop(&self) {
        let mut child = self.child.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if child.try_wait().is_ok_and(|ended| ended.is_none()) {
            succeed(Command::new("kill").args(["-QUIT", &child.id().to_string()]));
            child.wait().unwrap();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Database {
    /// A new one at the shared server, made by these statements.
    pub(super) fn make(sql: &str) -> Self {
        Self::make_at(Postgres::shared(), sql)
    }

    pub(super) fn make_at(postgres: Arc<Postgres>, sql: &str) -> Self {
        let name = format!("kcb_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        postgres.run("postgres", &format!("CREATE DATABASE {name}"));
        let database = Self { postgres, name };
        database.run(&format!(
            "CREATE SCHEMA kcb; CREATE ROLE {0} LOGIN PASSWORD '{PASSWORD}'; \
             GRANT USAGE ON SCHEMA kcb TO {0}; \
             ALTER DEFAULT PRIVILEGES IN SCHEMA kcb GRANT SELECT ON TABLES TO {0}; \
             SET search_path = kcb; {sql}",
            database.name
        ));
        database
    }

    /// Runs statements as the administrator.
    pub(super) fn run(&self, sql: &str) {
        self.postgres.run(&self.name, sql);
    }

    pub(super) fn data_source(&self) -> DataSource {
        let (port, name) = (self.postgres.port, &self.name);
        DataSource {
            connection: format!(
                "DRIVER={{PostgreSQL Unicode}};SERVER=127.0.0.1;PORT={port};DATABASE={name};\
                 SSLMODE=disable;UseDeclareFetch=1;Fetch=1000;BoolsAsChar=0;Protocol=7.4-0"
            ),
            user: Some(name.clone()),
            password: Some(SecretPlace::Value(Secret::new(PASSWORD.to_owned()))),
            label: "máy HIS".to_owned(),
        }
    }

    pub(super) async fn source(&self) -> OdbcSource {
        OdbcSource::connect(&self.data_source()).await.unwrap()
    }
}

/// Runs the server until it accepts connections. The kernel ends it with the thread that started
/// it, which therefore lasts as long as the process.
fn serve(folder: &Path, port: u16) -> Child {
    let mut server = as_its_user("postgres");
    server
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args(["-c", "lc_messages=C", "-c", "fsync=off", "-p"])
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        sender.send(server.spawn().unwrap()).unwrap();
        loop {
            std::thread::park();
        }
    });
    let mut child = receiver.recv().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("no server:\n{}", said.join("\n")));
        if line.contains("ready to accept connections") {
            break;
        }
        said.push(line);
    }
    // A pipe that nobody reads would stop it one day.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

/// A program of the server. It refuses to run as root: there it runs as Debian's user for it.
fn as_its_user(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(programs().join(program)).current_dir("/").env("LC_ALL", "C");
    command
}

/// Where Debian's package has the newest server's programs; they are not on the path.
fn programs() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("Debian's package postgresql is installed")
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin"))))
        .filter(|(_, programs)| programs.join("postgres").exists())
        .collect();
    versions.sort();
    versions.pop().expect("Debian's package postgresql is installed").1
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
