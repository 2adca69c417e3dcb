//! The configuration: one TOML file, or the embedded default in a folder. The only module that
//! reads the environment.

mod servers;
mod state;
mod users;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use pipelines::sources::Server;
use serde::{Deserialize, Serialize};
use warehouse::names::Text;
use warehouse::query::Limits;
use warehouse::serve::postgres::WireLimits;
use warehouse::state::Place;
use warehouse::store::Location;

pub(crate) use self::servers::{ServerConfig, Servers};
pub(crate) use self::state::StateConfig;
pub(crate) use self::users::{UserConfig, scope, unknown_unit};

/// The file's name inside a data folder.
pub(crate) const FILE_NAME: &str = "khoyte.toml";

/// Everything that can be set. Relative paths are relative to the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where the tables are.
    #[serde(default)]
    pub(crate) lake: LakeConfig,
    /// Where accounts, sessions and the account of queries are.
    #[serde(default)]
    pub(crate) state: StateConfig,
    /// Where source files are; without it only declared reference data are loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sources_folder: Option<PathBuf>,
    /// Where the systems are that contracts read from servers, by the source's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) servers: BTreeMap<String, ServerConfig>,
    /// Keys of the pseudonyms, outside the lake.
    #[serde(default = "default_keys")]
    pub(crate) keys_folder: PathBuf,
    /// Where open data are published.
    #[serde(default = "default_public")]
    pub(crate) public_folder: PathBuf,
    /// Contracts and query files to use in place of the built-in ones: a folder that holds
    /// `pipelines/` and `queries/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) declarations_folder: Option<PathBuf>,
    /// How long requests and downloads under way may go on after the signal to stop.
    #[serde(default = "default_stop_grace")]
    pub(crate) stop_grace_secs: u64,
    /// The body that publishes.
    #[serde(default = "default_publisher")]
    pub(crate) publisher: Publisher,
    /// The pages.
    #[serde(default)]
    pub(crate) web: WebConfig,
    /// `PostgreSQL` clients.
    #[serde(default)]
    pub(crate) postgres: PostgresConfig,
    /// What one query may use.
    #[serde(default)]
    pub(crate) limits: LimitsConfig,
    /// People who may connect with a password.
    #[serde(default, rename = "user")]
    pub(crate) users: Vec<UserConfig>,
}

/// Where the tables are: a folder, or an S3-compatible store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LakeConfig {
    /// A folder of this machine.
    #[serde(default = "default_lake")]
    pub(crate) folder: PathBuf,
    /// A bucket, in place of the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) s3: Option<S3Config>,
}

/// A bucket. Credentials may also come from the variables `AWS_ACCESS_KEY_ID` and
/// `AWS_SECRET_ACCESS_KEY`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3Config {
    bucket: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    options: HashMap<String, String>,
}

/// The body that publishes, as pages and metadata name it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publisher {
    pub(crate) name: Text,
    /// Where a reader reports an error (Điều 24.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The body's own pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) homepage: Option<String>,
    /// Address at which the public folder is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
}

/// The pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebConfig {
    /// Address to listen on.
    pub(crate) listen: SocketAddr,
    /// A `GeoJSON` file of the provinces; without it the map is made of tiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) boundaries_file: Option<PathBuf>,
    /// Rows that the SQL page shows at most.
    pub(crate) sql_row_limit: usize,
    /// Names under which the pages are reached, beside those of the machine itself.
    pub(crate) hosts: Vec<String>,
    /// Whether the session's cookie goes over TLS only.
    pub(crate) secure_cookies: bool,
    /// Connections at the same time; 0 is no bound.
    pub(crate) connections: usize,
    /// Connections of one address at the same time; 0 is no bound.
    pub(crate) connections_per_address: usize,
}

/// `PostgreSQL` clients.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PostgresConfig {
    /// Address to listen on.
    pub(crate) listen: SocketAddr,
    /// Connections at the same time.
    pub(crate) connections: usize,
}

/// What queries may use.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    /// Memory of all running queries together.
    pub(crate) memory_bytes: usize,
    /// How long one query may run.
    pub(crate) timeout_secs: u64,
    /// Queries that run at the same time.
    pub(crate) queries: usize,
    /// Bytes of one answer.
    pub(crate) answer_bytes: u64,
}

fn default_lake() -> PathBuf {
    "lake".into()
}

fn default_keys() -> PathBuf {
    "keys".into()
}

fn default_public() -> PathBuf {
    "public".into()
}

/// systemd kills after 30 seconds (deploy/khoyte.service).
fn default_stop_grace() -> u64 {
    25
}

fn default_publisher() -> Publisher {
    Publisher {
        name: Text::new(
            "Trung tâm Thông tin y tế Quốc gia, Bộ Y tế",
            "National Health Information Centre, Ministry of Health",
        ),
        email: None,
        homepage: None,
        address: None,
    }
}

impl Default for LakeConfig {
    fn default() -> Self {
        Self { folder: default_lake(), s3: None }
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self {
            listen,
            boundaries_file: None,
            sql_row_limit: 1000,
            hosts: Vec::new(),
            secure_cookies: false,
            connections: 1000,
            connections_per_address: 200,
        }
    }
}

impl Default for PostgresConfig {
    fn default() -> Self {
        let connections = WireLimits::default().connections;
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 5433)), connections }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            memory_bytes: limits.memory_bytes,
            timeout_secs: limits.timeout.as_secs(),
            queries: limits.queries,
            answer_bytes: limits.answer_bytes,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lake: LakeConfig::default(),
            state: StateConfig::default(),
            sources_folder: None,
            servers: BTreeMap::new(),
            keys_folder: default_keys(),
            public_folder: default_public(),
            declarations_folder: None,
            publisher: default_publisher(),
            web: WebConfig::default(),
            postgres: PostgresConfig::default(),
            limits: LimitsConfig::default(),
            stop_grace_secs: default_stop_grace(),
            users: Vec::new(),
        }
    }
}

impl Config {
    /// Reads `file`; where it is not there and `required` is false, the default beside it.
    pub(crate) fn read(file: &Path, required: bool) -> anyhow::Result<Self> {
        let base = file.parent().unwrap_or_else(|| Path::new(""));
        let mut config = match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str::<Self>(&text).map_err(|e| faulty(file, &text, &e))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !required => Self::default(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(UsageError(format!("there is no file {}", file.display())).into());
            }
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", file.display())),
        };
        config.rebase(base);
        Ok(config)
    }

    fn rebase(&mut self, base: &Path) {
        let paths = [&mut self.lake.folder, &mut self.keys_folder, &mut self.public_folder];
        let optional = [
            &mut self.sources_folder,
            &mut self.declarations_folder,
            &mut self.web.boundaries_file,
        ];
        self.state.rebase(base);
        self.servers.values_mut().for_each(|server| server.rebase(base));
        for path in paths.into_iter().chain(optional.into_iter().flatten()) {
            *path = base.join(&*path);
        }
    }

    /// Where the lake is.
    pub(crate) fn location(&self) -> Location {
        match &self.lake.s3 {
            None => Location::Folder(self.lake.folder.clone()),
            Some(s3) => {
                let mut options = s3.options.clone();
                for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
                    if let Ok(value) = std::env::var(name) {
                        options.entry(name.to_lowercase()).or_insert(value);
                    }
                }
                let (bucket, prefix) = (s3.bucket.clone(), s3.prefix.clone());
                Location::S3 { bucket, prefix, options }
            }
        }
    }

    /// Where accounts, sessions and the account of queries are: the variable
    /// `KHOYTE_STATE_URL` wins, so that its password need not stand in a file.
    pub(crate) fn state_place(&self) -> Result<Place, UsageError> {
        self.state.place(variable("KHOYTE_STATE_URL"))
    }

    /// The servers of sources.
    pub(crate) fn servers(&self) -> Result<BTreeMap<String, Server>, UsageError> {
        let server = |(id, server): (&String, &ServerConfig)| Ok((id.clone(), server.server(id)?));
        self.servers.iter().map(server).collect()
    }

    /// What connections of PostgreSQL clients may use.
    pub(crate) fn wire_limits(&self) -> WireLimits {
        WireLimits { connections: self.postgres.connections, ..WireLimits::default() }
    }

    /// What queries may use.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.limits.memory_bytes,
            timeout: Duration::from_secs(self.limits.timeout_secs),
            queries: self.limits.queries.max(1),
            answer_bytes: self.limits.answer_bytes,
            ..Limits::default()
        }
    }
}

/// A fault of whoever called: exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// What is wrong with a file, and where. The line itself is not shown: it may hold a secret.
fn faulty(file: &Path, text: &str, error: &toml::de::Error) -> UsageError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    UsageError(format!("{}:{line}: {}", file.display(), error.message()))
}

/// A variable of the environment, where it is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The log filter, from `KHOYTE_LOG`.
pub(crate) fn log_filter() -> String {
    std::env::var("KHOYTE_LOG").unwrap_or_else(|_| "warn,buoyant_kernel=off".to_owned())
}

/// Today, in the country's time.
pub(crate) fn today() -> NaiveDate {
    // Viet Nam keeps one offset all year and has since 1975.
    (chrono::Utc::now() + chrono::TimeDelta::hours(7)).date_naive()
}

/// Reads a date that a person typed.
pub(crate) fn parse_date(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "not a date: write 2026-11-21")
}
