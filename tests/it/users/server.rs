//! A PostgreSQL server of the test's own, from Debian's package, that ends with the test process.

use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use servers::postgres;
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
        postgres::make(folder.path(), "khoyte", PASSWORD);
        let port = servers::free_port();
        let child = postgres::serve(folder.path(), port, &[]);
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
        postgres::stop(&mut self.child);
    }

    /// Starts it again, with the same data at the same port.
    pub(crate) fn start_again(&mut self) {
        self.child = postgres::serve(self.folder.path(), self.port, &[]);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}
