//! What failed of a request, and whether it may help to ask again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::Client;
use crate::SourceError;

/// A failure, and whether to try again.
pub(crate) enum Failed {
    /// It may help, after the pause that the service wants.
    Again { error: SourceError, after: Option<Duration> },
    /// It does not.
    ForGood(SourceError),
}

impl Failed {
    /// What is told where nobody tries again.
    pub(crate) fn error(self) -> SourceError {
        match self {
            Self::Again { error, .. } | Self::ForGood(error) => error,
        }
    }

    /// The same, with more of what the service said of it, in our words.
    pub(crate) fn with(mut self, more: &str) -> Self {
        let (Self::Again { error, .. } | Self::ForGood(error)) = &mut self;
        if let SourceError::Refused { what, .. } = error {
            what.push_str(more);
        }
        self
    }
}

impl Client {
    /// What the library says is not kept: it shows the address with its query.
    pub(crate) fn unanswered(&self, error: &reqwest::Error) -> Failed {
        if error.is_timeout() {
            self.too_slow()
        } else if error.is_connect() {
            let remedy = "check the address, the network and the certificates";
            self.failed("cannot be reached", remedy)
        } else {
            self.broke_off()
        }
    }

    /// It sends nothing any more.
    pub(crate) fn too_slow(&self) -> Failed {
        let remedy = "check the service, or give it a longer `timeout_secs`";
        self.failed("does not answer in time", remedy)
    }

    /// It ended the connection too early.
    pub(crate) fn broke_off(&self) -> Failed {
        self.failed("broke off its answer", "check the service and what lies between")
    }

    fn failed(&self, what: &'static str, remedy: &str) -> Failed {
        let server = self.server();
        let error = SourceError::Server { server, what, remedy: remedy.to_owned() };
        Failed::Again { error, after: None }
    }

    /// What an answer without success means.
    pub(crate) fn refused(&self, response: &Response, place: &str) -> Failed {
        let status = response.status();
        let (what, remedy) = match status {
            StatusCode::UNAUTHORIZED => ("it does not know us", "check the token or certificate"),
            StatusCode::FORBIDDEN => ("we have no right to it", "have the right granted"),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                ("it has no such path", "check the address and the contract's path")
            }
            StatusCode::TOO_MANY_REQUESTS => {
                ("it wants fewer requests", "lower `requests_per_second`")
            }
            _ if status.is_redirection() => (
                "it redirects to another server, too often, or without saying where",
                "set the address to where the service is now",
            ),
            _ if status.is_server_error() => ("it failed", "ask those who run it"),
            _ => ("it does not accept the request", "check the path and the parameters"),
        };
        let error = SourceError::Refused {
            server: self.server(),
            place: place.to_owned(),
            what: format!("{what} (HTTP {})", status.as_u16()),
            remedy: remedy.to_owned(),
        };
        let may_help = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        if may_help {
            Failed::Again { error, after: pause_wanted(response.headers()) }
        } else {
            Failed::ForGood(error)
        }
    }
}

/// The pause that the service wants: seconds, or the instant when it is over.
pub(crate) fn pause_wanted(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    Some((until.with_timezone(&Utc) - Utc::now()).to_std().unwrap_or_default())
}
