//! A PostgreSQL server of the test's own, from Debian's package, that ends with the test process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::support::succeed;

/// The password of its only user.
pub(crate) const PASSWORD: &str = "mat-khau-cua-may-chu";

pub(crate) struct Postgres {
    folder: TempDir,
    port: u16,
    child: Child,
    databases: AtomicU32,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            let (user, group) = owner();
            chown(folder.path(), Some(user), Some(group)).unwrap();
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
        let child = serve(folder.path(), port);
        Self { folder, port, child, databases: AtomicU32::new(0) }
    }

    /// The address of a new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("state_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.address(&name)
    }

    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://khoyte:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What psql answers, unaligned.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        let address = self.address(database);
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atc", sql]).arg(address);
        String::from_utf8(succeed(&mut psql).stdout).unwrap()
    }

    /// Ends it at once, as a lost machine would.
    pub(crate) fn stop(&mut self) {
        let id = self.child.id().to_string();
        succeed(Command::new("kill").args(["-QUIT", &id]));
        self.child.wait().unwrap();
    }

    /// Starts it again, with the same data at the same port.
    pub(crate) fn start_again(&mut self) {
        self.child = serve(self.folder.path(), self.port);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.stop();
        }
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

/// The user and group `postgres` that Debian's package makes.
fn owner() -> (u32, u32) {
    let number = |option: &str| {
        let output = succeed(Command::new("id").args([option, "postgres"]));
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    (number("-u"), number("-g"))
}
