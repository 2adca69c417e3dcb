//! A PostgreSQL server of the tests' own, from Debian's package, that ends with the last test that
//! uses it, and the driver of Debian's package odbc-postgresql.

use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use servers::postgres;
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
        postgres::make(folder.path(), "khoyte", PASSWORD);
        let port = servers::free_port();
        let child = Mutex::new(postgres::serve(folder.path(), port, &[]));
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
        servers::succeed(&mut psql);
    }

    /// Ends it at once, as a lost machine would.
    pub(super) fn stop(&self) {
        let mut child = self.child.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        postgres::stop(&mut child);
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
