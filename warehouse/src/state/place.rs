//! Where the state is kept: a file of this machine, or a PostgreSQL server.

use std::fmt;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::any::AnyConnectOptions;
use url::Url;

use super::error::{Cause, StateError};

/// Where the state is kept. Shown without what is secret in it.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// An SQLite file.
    File(PathBuf),
    /// A server, as `postgres://user:password@host/database`.
    Postgres(String),
}

/// Settings that an address may hold; the driver would log the value of any other.
const SETTINGS: [&str; 8] = [
    "application_name",
    "host",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
];

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(text) => {
                let Ok(url) = Url::parse(text) else { return f.write_str("PostgreSQL") };
                let host = url.host_str().unwrap_or("localhost");
                write!(f, "PostgreSQL at {host}, database {}", url.path().trim_start_matches('/'))
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

impl Place {
    /// Whether the state is in an SQLite file, and in which.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Makes ready what can be made: the folder and the file, which only its owner reads. A path
    /// is made absolute, so that it stays the same file.
    pub(super) fn furnish(self) -> Result<Self, StateError> {
        let Self::File(path) = &self else { return Ok(self) };
        let failed = |error: std::io::Error| StateError::Open {
            place: self.to_string(),
            cause: (&error).into(),
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        let name = path.file_name().ok_or_else(|| StateError::Open {
            place: self.to_string(),
            cause: Cause::new("the path names no file"),
        })?;
        std::fs::create_dir_all(folder).map_err(failed)?;
        let path = folder.canonicalize().map_err(failed)?.join(name);
        // Never opened where it is there: closing it would drop the locks that SQLite holds in
        // this process (sqlite.org/howtocorrupt.html).
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(Self::File(path)),
        }
    }

    /// How to connect; statements are not logged.
    pub(super) fn options(&self) -> Result<AnyConnectOptions, StateError> {
        let url = match self {
            Self::File(path) => {
                let file = Url::from_file_path(path)
                    .map_err(|()| StateError::Address("the path is not absolute"))?;
                format!("sqlite://{}?mode=rw", file.path())
            }
            Self::Postgres(text) => server(text)?.into(),
        };
        let options = AnyConnectOptions::from_str(&url).map_err(|error| StateError::Open {
            place: self.to_string(),
            cause: (&error).into(),
        })?;
        Ok(options.disable_statement_logging())
    }
}

/// Reads a server's address. On another machine TLS with its certificate checked is the default,
/// and what quietly goes on without TLS is refused.
fn server(text: &str) -> Result<Url, StateError> {
    let mut url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "postgres" | "postgresql"))
        .ok_or(StateError::Address("write postgres://USER:PASSWORD@HOST/DATABASE"))?;
    if url.query_pairs().any(|(key, _)| !SETTINGS.contains(&&*key)) {
        return Err(StateError::Address(
            "it has a setting that is not known: application_name, host, port, sslcert, sslkey, \
             sslmode, sslrootcert and statement-cache-capacity are",
        ));
    }
    let setting = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let mode = setting("sslmode");
    // The setting wins over the host before it, as it does for the driver.
    let host = setting("host").or_else(|| url.host_str().map(str::to_owned));
    let here = host.is_none_or(|host| is_here(&host));
    let named = setting("application_name").is_some();
    match mode.as_deref() {
        Some("prefer" | "allow") => {
            return Err(StateError::Address(
                "sslmode prefer and allow go on without TLS where it fails: write verify-full, or \
                 disable",
            ));
        }
        None if !here => _ = url.query_pairs_mut().append_pair("sslmode", "verify-full"),
        _ => (),
    }
    if !named {
        url.query_pairs_mut().append_pair("application_name", "khoyte");
    }
    Ok(url)
}

/// Whether a host is this machine: a name or address of the loopback, or a socket's folder.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let socket = host.starts_with('/') || host.starts_with("%2F") || host.starts_with("%2f");
    host == "localhost" || socket || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let place = Place::Postgres("postgres://khoyte:mat-khau@db.example.vn/state".into());
        let shown = "PostgreSQL at db.example.vn, database state";
        assert_eq!(
            (place.to_string().as_str(), format!("{place:?}")),
            (shown, format!("Place({shown})"))
        );
    }

    #[test]
    fn another_machine_is_asked_for_tls_and_none_goes_on_without() {
        let query = |text: &str| server(text).map(|url| url.query().unwrap_or("").to_owned());
        let far = "postgres://u:p@db.example.vn/state";
        assert_eq!(query(far).as_deref().ok(), Some("sslmode=verify-full&application_name=khoyte"));
        for near in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            let asked = query(&format!("postgres://u@{near}/state"));
            assert_eq!(asked.as_deref().ok(), Some("application_name=khoyte"), "{near}");
        }
        let elsewhere = query("postgres://u@localhost/state?host=db.example.vn");
        assert!(elsewhere.is_ok_and(|query| query.contains("sslmode=verify-full")));
        assert!(query(&format!("{far}?sslmode=disable")).is_ok());
        for refused in ["?sslmode=prefer", "?sslmode=allow", "?passwd=x"] {
            assert!(query(&format!("{far}{refused}")).is_err(), "{refused}");
        }
        assert!(query("mysql://u:p@h/d").is_err());
    }
}
