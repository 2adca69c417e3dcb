//! Where the servers of sources are. Secrets stand elsewhere: in a file, in a variable of the
//! environment, or in what a command prints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use connectors::{Secret, SecretPlace};
use pipelines::sources::Server;
use serde::{Deserialize, Serialize};

use super::UsageError;

/// `[servers.<source>]`: one source system. At most one of the keys of a secret is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerConfig {
    /// `postgresql://host:port/database`, `mariadb://host:port/database`, `https://host/path`,
    /// `s3://bucket/prefix`, or an ODBC connection string; without user and password.
    pub(crate) address: String,
    /// Who we are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// A file that its owner alone may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A variable of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_variable: Option<String>,
    /// A program and its arguments, which prints it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secret_command: Vec<String>,
    /// Whether the connection may go unencrypted.
    #[serde(default)]
    pub(crate) plain: bool,
    /// Certificates that vouch for the server, where those of the system do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Our own certificate and key, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate: Option<PathBuf>,
    /// Connections side by side, where a table is read in parts.
    #[serde(default = "default_connections")]
    pub(crate) connections: usize,
    /// Requests a second that a web service bears.
    #[serde(default = "default_requests")]
    pub(crate) requests_per_second: u32,
    /// Seconds that a web service may take for one answer.
    #[serde(default = "default_timeout")]
    pub(crate) timeout_secs: u64,
    /// Where a FHIR server puts exported files that are not with itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files_address: Option<String>,
    /// Where the store of a bucket is, in `object_store`'s own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, String>,
}

fn default_connections() -> usize {
    2
}

fn default_requests() -> u32 {
    10
}

fn default_timeout() -> u64 {
    60
}

/// A file of `[servers.<source>]` alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Servers {
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, ServerConfig>,
}

impl Servers {
    /// Reads `file`.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let read: Result<Self, _> = toml::from_str(&text);
        Ok(read.map_err(|e| UsageError(format!("{}: {e}", file.display())))?)
    }
}

impl ServerConfig {
    /// A service of this machine, unencrypted, and the file of its token.
    pub(crate) fn of_this_machine(address: String, token: PathBuf, requests: u32) -> Self {
        Self {
            address,
            user: None,
            secret_file: Some(token),
            secret_variable: None,
            secret_command: Vec::new(),
            plain: true,
            ca_file: None,
            client_certificate: None,
            connections: default_connections(),
            requests_per_second: requests,
            timeout_secs: default_timeout(),
            files_address: None,
            options: BTreeMap::new(),
        }
    }

    pub(super) fn rebase(&mut self, base: &Path) {
        let paths = [&mut self.secret_file, &mut self.ca_file, &mut self.client_certificate];
        for path in paths.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    /// As the pipelines know it.
    pub(super) fn server(&self, source: &str) -> Result<Server, UsageError> {
        Ok(Server {
            address: self.address.clone(),
            user: self.user.clone(),
            secret: self.secret(source)?,
            plain: self.plain,
            ca_file: self.ca_file.clone(),
            client_certificate: self.client_certificate.clone(),
            connections: self.connections,
            requests_per_second: self.requests_per_second,
            timeout_secs: self.timeout_secs,
            files_address: self.files_address.clone(),
            options: self.options.clone(),
        })
    }

    fn secret(&self, source: &str) -> Result<Option<SecretPlace>, UsageError> {
        let command = Some(&self.secret_command).filter(|words| !words.is_empty());
        match (&self.secret_file, &self.secret_variable, command) {
            (None, None, None) => Ok(None),
            (Some(file), None, None) => Ok(Some(SecretPlace::File(file.clone()))),
            (None, Some(name), None) => match super::variable(name) {
                Some(value) => Ok(Some(SecretPlace::Value(Secret::new(value)))),
                None => Err(UsageError(format!(
                    "servers.{source}: the variable {name} of the environment is not set"
                ))),
            },
            (None, None, Some(words)) => Ok(Some(SecretPlace::Command(words.clone()))),
            _ => Err(UsageError(format!(
                "servers.{source}: a secret is in one place: give one of secret_file, \
                 secret_variable and secret_command"
            ))),
        }
    }
}
