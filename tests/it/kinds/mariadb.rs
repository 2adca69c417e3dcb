//! A MariaDB server of the test's own, from Debian's package, that ends with the test process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::succeed;

/// The password of the user `doc`, who may read.
pub(super) const PASSWORD: &str = "mat-khau-cua-nguoi-doc";

pub(super) struct Maria {
    folder: TempDir,
    pub(super) port: u16,
    child: Child,
}

impl Maria {
    /// A server with an empty database `kinds`.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            let (user, group) = owner();
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut make = as_its_user("mariadb-install-db");
        make.arg("--no-defaults")
            .arg(format!("--datadir={}", folder.path().join("data").display()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        succeed(&mut make);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = serve(folder.path(), port);
        let server = Self { folder, port, child };
        server.ask(&format!(
            "CREATE DATABASE kinds CHARACTER SET utf8mb4; \
             CREATE USER doc@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; \
             GRANT SELECT ON kinds.* TO doc@'127.0.0.1'"
        ));
        server
    }

    /// What its client answers, without headings.
    pub(super) fn ask(&self, sql: &str) -> String {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"])
            .arg("--default-character-set=utf8mb4")
            .arg(format!("--socket={}", self.folder.path().join("socket").display()))
            .arg(format!("--execute={sql}"));
        String::from_utf8(succeed(&mut client).stdout).unwrap()
    }
}

impl Drop for Maria {
    fn drop(&mut self) {
        // Already gone is as good as stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the server until it accepts connections. The kernel ends it with the thread that started
/// it, which therefore lasts as long as the process.
fn serve(folder: &Path, port: u16) -> Child {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut server = as_its_user("mariadbd");
    server
        .arg("--no-defaults")
        .arg(format!("--datadir={}", path("data")))
        .arg(format!("--socket={}", path("socket")))
        .arg(format!("--port={port}"))
        .args(["--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-buffer-pool-size=24M"])
        .args(["--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"])
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
        if line.contains("ready for connections") {
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
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid=mysql", "--regid=mysql", "--clear-groups"]);
    }
    let places = ["/usr/sbin", "/usr/bin"].map(|folder| PathBuf::from(folder).join(program));
    let found = places.into_iter().find(|path| path.exists());
    command.arg(found.expect("Debian's package mariadb-server is installed"));
    command.current_dir("/").env("LC_ALL", "C");
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The user and group `mysql` that Debian's package makes.
fn owner() -> (u32, u32) {
    let number = |option: &str| {
        let output = succeed(Command::new("id").args([option, "mysql"]));
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    (number("-u"), number("-g"))
}
