//! A MariaDB server of the tests' own, from Debian's package, that ends with the last test that
//! uses it.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use servers::mariadb;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::mariadb::{MariaDbSource, Server, Tls};
use crate::{Secret, SecretPlace};

/// The password of each user that may read.
pub(super) const PASSWORD: &str = "mat-khau-doc";

static SHARED: Mutex<Weak<Maria>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(super) struct Maria {
    folder: TempDir,
    pub(super) port: u16,
    child: Mutex<Child>,
}

/// A database with a user who may read all of it.
pub(super) struct Database {
    pub(super) maria: Arc<Maria>,
    pub(super) name: String,
}

impl Maria {
    /// The server that tests share; it offers TLS.
    pub(super) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start(true));
        *shared = Arc::downgrade(&started);
        started
    }

    /// A server of one's own.
    pub(super) fn start(tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        mariadb::make(folder.path());
        if tls {
            certify(folder.path());
        }
        let mut settings =
            ["--max-allowed-packet=64M", "--default-time-zone=+00:00"].map(str::to_owned).to_vec();
        if tls {
            let path = |name: &str| folder.path().join(name).display().to_string();
            settings.push(format!("--ssl-cert={}", path("server.pem")));
            settings.push(format!("--ssl-key={}", path("server.key")));
        }
        let port = servers::free_port();
        let child = Mutex::new(mariadb::serve(folder.path(), port, &settings));
        Self { folder, port, child }
    }

    /// The certificate of the authority that vouches for the server.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(super) async fn admin(&self) -> MySqlConnection {
        let socket = self.folder.path().join("socket");
        let options = MySqlConnectOptions::new().socket(socket).username("root");
        options.ssl_mode(MySqlSslMode::Disabled).connect().await.unwrap()
    }

    /// Ends it at once, as a lost machine would.
    pub(super) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        mariadb::stop(&mut child);
    }
}

impl Drop for Maria {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Database {
    /// A new one at the shared server, made by these statements.
    pub(super) async fn make(sql: &str) -> Self {
        Self::make_at(Maria::shared(), sql).await
    }

    pub(super) async fn make_at(maria: Arc<Maria>, sql: &str) -> Self {
        let name = format!("kcb_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let database = Self { maria, name };
        let name = &database.name;
        let mut admin = database.maria.admin().await;
        let sql = format!(
            "CREATE DATABASE {name} CHARACTER SET utf8mb4; \
             CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; \
             GRANT SELECT ON {name}.* TO {name}@'127.0.0.1'; \
             USE {name}; SET time_zone = '+07:00'; SET sql_mode = ''; {sql}"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        database
    }

    /// Runs statements as the administrator.
    pub(super) async fn run(&self, sql: &str) {
        let mut admin = self.maria.admin().await;
        let sql = format!("USE {}; {sql}", self.name);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    pub(super) fn server(&self) -> Server {
        Server {
            host: "127.0.0.1".to_owned(),
            port: self.maria.port,
            database: self.name.clone(),
            user: self.name.clone(),
            password: Some(SecretPlace::Value(Secret::new(PASSWORD.to_owned()))),
            tls: Tls::Off,
        }
    }

    pub(super) async fn source(&self) -> MariaDbSource {
        MariaDbSource::connect(&self.server()).await.unwrap()
    }
}

/// A certificate for 127.0.0.1 and the authority that signed it.
fn certify(folder: &Path) {
    let openssl = |words: &str| {
        let mut command = mariadb::program("openssl");
        servers::succeed(command.args(words.split_whitespace()).current_dir(folder));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"));
    openssl(&format!(
        "req -x509 {key} -keyout server.key -out server.pem -subj /CN=server -days 2 \
         -CA ca.pem -CAkey ca.key -addext subjectAltName=IP:127.0.0.1 \
         -addext basicConstraints=critical,CA:FALSE"
    ));
}
