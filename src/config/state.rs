//! Where accounts, sessions and the account of queries are kept: `[state]`.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use warehouse::state::Place;

use super::UsageError;

/// The file in the configuration's folder, where nothing else is said.
const FILE: &str = "state.sqlite";

/// A file, or a server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateConfig {
    /// An SQLite file of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
    /// Address of a `PostgreSQL` database, in place of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<StateUrl>,
}

/// An address that may hold a password: it is written back, and never shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StateUrl(String);

impl fmt::Debug for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateUrl(…)")
    }
}

impl StateConfig {
    /// Makes the file's path relative to the configuration's folder.
    pub(super) fn rebase(&mut self, base: &Path) {
        if self.url.is_none() || self.file.is_some() {
            self.file = Some(base.join(self.file.as_deref().unwrap_or(Path::new(FILE))));
        }
    }

    /// The place; `environment` is an address that wins over what is configured.
    pub(super) fn place(&self, environment: Option<String>) -> Result<Place, UsageError> {
        match (environment, &self.url, &self.file) {
            (Some(url), _, _) => Ok(Place::Postgres(url)),
            (None, Some(_), Some(_)) => Err(UsageError(
                "[state] has both file and url: keep the one that is meant".to_owned(),
            )),
            (None, Some(StateUrl(url)), None) => Ok(Place::Postgres(url.clone())),
            (None, None, file) => {
                Ok(Place::File(file.clone().unwrap_or_else(|| PathBuf::from(FILE))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, environment: Option<&str>) -> Result<String, String> {
        let mut config: StateConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        config.rebase(Path::new("/etc/khoyte"));
        let place = config.place(environment.map(str::to_owned));
        place.map(|place| place.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_wins_then_the_address_then_the_file() {
        let server = "url = \"postgres://u:mat-khau@db/state\"";
        let shown = "PostgreSQL at db, database state";
        assert_eq!(place("", None).unwrap(), "/etc/khoyte/state.sqlite");
        assert_eq!(place("file = \"a/b\"", None).unwrap(), "/etc/khoyte/a/b");
        assert_eq!(place(server, None).unwrap(), shown);
        assert_eq!(place("file = \"a\"", Some("postgres://u@db/state")).unwrap(), shown);
        assert!(place(&format!("file = \"a\"\n{server}"), None).unwrap_err().contains("both"));
        let config: StateConfig = toml::from_str(server).unwrap();
        assert!(!format!("{config:?}").contains("mat-khau"));
        assert!(toml::to_string(&config).unwrap().contains("mat-khau"));
    }
}
