//! A service that is reached over HTTP: where it is, who we are to it, and how it is asked. What its
//! answers mean is the matter of those who ask: [`crate::http_json`] and [`crate::fhir`].
//!
//! The secret goes to the declared address and nowhere else: a redirect to another origin is refused,
//! and a token is not sent unencrypted but to this machine itself.

mod client;
mod faults;

use std::path::PathBuf;

use url::Url;

pub(crate) use self::client::{Answer, Ask, Client, LONGEST_PAUSE, REPEATS};
pub(crate) use self::faults::{Failed, pause_wanted};
use crate::SecretPlace;

/// A service and how to speak to it.
#[derive(Clone)]
pub struct Service {
    /// What all its paths begin with, without user and password.
    pub address: Url,
    /// Its token, sent as `Authorization: Bearer`.
    pub token: Option<SecretPlace>,
    /// Our certificate and its key in one PEM file, which its owner alone may read.
    pub client_certificate: Option<PathBuf>,
    /// The authorities, in PEM, that sign the service's certificate; without it, those that this
    /// machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Requests a second at most, repeated ones too; at least 1.
    pub requests_per_second: u32,
    /// How long one answer may take, from the connection to its last byte. Of a large file: how long
    /// it may send nothing.
    pub timeout_secs: u64,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = client::server(&self.address);
        f.debug_struct("Service").field("server", &server).finish_non_exhaustive()
    }
}
