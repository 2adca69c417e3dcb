//! A PostgreSQL server of the tests' own, from Debian's package. It ends with the last test that
//! uses it, or with the process.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use servers::postgres;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::postgres::{PostgresSource, Server, Tls};
use crate::{Secret, SecretPlace};

/// The password of each user.
pub(super) const PASSWORD: &str = "mat-khau-cua-may-chu";

pub(super) struct Postgres {
    folder: TempDir,
    pub(super) port: u16,
    child: Child,
    databases: AtomicU32,
}

impl Postgres {
    /// The one that tests share while any of them runs.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        let server = shared.upgrade().unwrap_or_else(|| Arc::new(Self::start(&[])));
        *shared = Arc::downgrade(&server);
        server
    }

    /// A new one, with more settings.
    pub(super) fn start(settings: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        postgres::make(folder.path(), "postgres", PASSWORD);
        let port = servers::free_port();
        let settings = [&["autovacuum=off".to_owned()], settings].concat();
        let child = postgres::serve(folder.path(), port, &settings);
        Self { folder, port, child, databases: AtomicU32::new(0) }
    }

    /// Ends the server and all that it started, as a machine that loses its power.
    pub(super) fn kill(&mut self) {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let all = children.split_whitespace().map(str::to_owned).chain([id.to_string()]);
        // A child may have ended meanwhile.
        Command::new("kill").arg("-KILL").args(all).stderr(Stdio::null()).status().unwrap();
        self.child.wait().unwrap();
    }

    /// A file with that secret, which nobody else may read.
    pub(super) fn secret(&self, text: &str) -> SecretPlace {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("secret_{number}"));
        std::fs::write(&path, format!("{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        SecretPlace::File(path)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        postgres::stop(&mut self.child);
    }
}

/// A database of one test's own, its owner's connection, and a user who may read nothing yet.
pub(super) struct Database {
    pub(super) admin: Client,
    pub(super) name: String,
    pub(super) reader: String,
    pub(super) server: Arc<Postgres>,
}

impl Database {
    pub(super) async fn new() -> Self {
        Self::on(Postgres::shared(), "").await
    }

    pub(super) async fn on(server: Arc<Postgres>, options: &str) -> Self {
        let number = server.databases.fetch_add(1, Ordering::Relaxed);
        let (name, reader) = (format!("his_{number}"), format!("nguoi_doc_{number}"));
        let first = connect(server.port, "postgres").await;
        first.batch_execute(&format!("CREATE DATABASE {name} {options}")).await.unwrap();
        let role = format!("CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'");
        first.batch_execute(&role).await.unwrap();
        let admin = connect(server.port, &name).await;
        Self { admin, name, reader, server }
    }

    pub(super) async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.unwrap();
    }

    /// Makes what `sql` says in the schema `kcb`, which the reader may read.
    pub(super) async fn make(&self, sql: &str) {
        let reader = &self.reader;
        self.run(&format!(
            "CREATE SCHEMA IF NOT EXISTS kcb; SET search_path = kcb, public; {sql};
             GRANT USAGE ON SCHEMA kcb TO {reader};
             GRANT SELECT ON ALL TABLES IN SCHEMA kcb TO {reader}"
        ))
        .await;
    }

    pub(super) fn declared(&self) -> Server {
        Server {
            host: "127.0.0.1".to_owned(),
            port: self.server.port,
            database: self.name.clone(),
            user: self.reader.clone(),
            password: Some(SecretPlace::Value(Secret::new(PASSWORD.to_owned()))),
            tls: Tls::Off,
            connections: 4,
        }
    }

    pub(super) async fn source(&self) -> PostgresSource {
        PostgresSource::connect(&self.declared()).await.unwrap()
    }

    /// How many of the reader's connections meet a condition.
    pub(super) async fn connections(&self, condition: &str) -> i64 {
        // Within a transaction the server would say what it said before.
        self.run("SELECT pg_stat_clear_snapshot()").await;
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'khoyte' AND usename = $1 AND {condition}"
        );
        self.admin.query_one(&sql, &[&self.reader]).await.unwrap().get(0)
    }

    /// Waits until as many of the reader's connections meet a condition.
    pub(super) async fn wait_for(&self, wanted: i64, condition: &str) {
        let asked = std::time::Instant::now();
        while self.connections(condition).await != wanted {
            assert!(asked.elapsed().as_secs() < 60, "never: {wanted} connections {condition}");
            tokio::task::yield_now().await;
        }
    }
}

async fn connect(port: u16, database: &str) -> Client {
    let address = format!("host=127.0.0.1 port={port} user=postgres dbname={database}");
    let address = format!("{address} password={PASSWORD}");
    let (client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
