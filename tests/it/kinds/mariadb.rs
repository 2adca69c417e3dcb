//! A MariaDB server of the test's own, from Debian's package, that ends with the test process.

use std::process::{Child, Command};

use servers::mariadb;
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
        mariadb::make(folder.path());
        let port = servers::free_port();
        let child = mariadb::serve(folder.path(), port, &[]);
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
        mariadb::stop(&mut self.child);
    }
}
