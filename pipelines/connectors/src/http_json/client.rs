//! One request after another: not too many, again where it may help, each bounded in time and size.

use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, Utc};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LINK, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Response, StatusCode};
use url::{Host, Url};

use super::Service;
use crate::{SecretError, SecretPlace, SourceError};

/// Bytes of one answer at most.
const ANSWER_BYTES: usize = 64 << 20;

/// How often a page is asked for again.
const REPEATS: usize = 4;

/// The pause before the first repeat; each next one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// A service that wants a longer pause is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Redirects within the service that are followed.
const REDIRECTS: usize = 5;

/// Speaks to one service.
pub(super) struct Client {
    http: reqwest::Client,
    address: Url,
    token: Option<SecretPlace>,
    limiter: DefaultDirectRateLimiter,
    pub(super) pause: Duration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("server", &self.server()).finish_non_exhaustive()
    }
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// Where it came from, after redirects.
    pub(super) url: Url,
    /// Its `Link` headers.
    pub(super) links: Vec<String>,
}

/// A failure, and whether to try again.
enum Failed {
    Again { error: SourceError, after: Option<Duration> },
    ForGood(SourceError),
}

impl Client {
    pub(super) fn new(service: &Service) -> Result<Self, SourceError> {
        let server = server(&service.address);
        let refused = |setting: &str, what: &str| SourceError::Setting {
            place: server.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        check_address(service).map_err(|what| refused("address", what))?;
        let Some(rate) = NonZeroU32::new(service.requests_per_second) else {
            return Err(refused("requests_per_second", "has to be at least 1"));
        };
        if service.timeout_secs == 0 {
            return Err(refused("timeout_secs", "has to be at least 1"));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent("khoyte")
            .timeout(Duration::from_secs(service.timeout_secs))
            .redirect(Policy::custom(|attempt| {
                let within = attempt.previous().first().map(Url::origin);
                if within == Some(attempt.url().origin()) && attempt.previous().len() <= REDIRECTS {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }))
            .no_proxy();
        if let Some(path) = &service.ca_file {
            let pem = std::fs::read(path).map_err(|source| unread(path, source))?;
            let all = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if all.is_empty() {
                return Err(refused("ca_file", "names a file without a certificate in PEM"));
            }
            builder = all.into_iter().fold(builder.tls_built_in_root_certs(false), |to, one| {
                to.add_root_certificate(one)
            });
        }
        if let Some(path) = &service.client_certificate {
            let pem = own_file(path)?;
            let identity = Identity::from_pem(&pem).map_err(|_| {
                refused("client_certificate", "names a file without certificate and key in PEM")
            })?;
            builder = builder.identity(identity);
        }
        let http = builder.build().map_err(|_| SourceError::Server {
            server: server.clone(),
            what: "cannot be spoken to",
            remedy: "check `ca_file`, `client_certificate` and this machine's certificates"
                .to_owned(),
        })?;
        // Evenly, without a burst at the beginning.
        let quota = Quota::per_second(rate).allow_burst(NonZeroU32::MIN);
        Ok(Self {
            http,
            address: service.address.clone(),
            token: service.token.clone(),
            limiter: RateLimiter::direct(quota),
            pause: PAUSE,
        })
    }

    /// Host and port.
    pub(super) fn server(&self) -> String {
        server(&self.address)
    }

    /// The address of a place. Whatever the place is, the address stays within the service.
    pub(super) fn url(&self, place: &str) -> Url {
        let (path, query) = place.split_once('?').map_or((place, None), |(p, q)| (p, Some(q)));
        let mut url = self.address.clone();
        let base = self.address.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
        url.set_query(query.filter(|query| !query.is_empty()));
        url.set_fragment(None);
        url
    }

    /// The header with the token.
    ///
    /// # Errors
    /// When the token is not to be had, or no header can hold it.
    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>, SourceError> {
        let Some(place) = &self.token else { return Ok(None) };
        let token = place.fetch().await?;
        let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
        let mut value = value.map_err(|_| SourceError::Setting {
            place: self.server(),
            setting: "token".to_owned(),
            what: "holds a character that no header may have".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Asks for `url`, again where that may help. `place` is what errors call it.
    ///
    /// # Errors
    /// When the service cannot be reached, refuses, or answers too much.
    pub(super) async fn get(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
        place: &str,
    ) -> Result<Answer, SourceError> {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.pause)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(REPEATS)
            .with_jitter();
        let answer = (|| self.once(url, authorization, place))
            .retry(backoff)
            .when(|failed| matches!(failed, Failed::Again { .. }))
            .adjust(|failed, pause| match failed {
                Failed::Again { after: Some(after), .. } => {
                    pause.filter(|_| *after <= LONGEST_PAUSE).map(|_| *after)
                }
                _ => pause,
            })
            .notify(|_, pause| {
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(server = %self.server(), place, pause_ms, "asking again");
            })
            .await;
        answer.map_err(|failed| match failed {
            Failed::Again { error, .. } | Failed::ForGood(error) => error,
        })
    }

    async fn once(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
        place: &str,
    ) -> Result<Answer, Failed> {
        self.limiter.until_ready().await;
        let mut request = self.http.get(url.clone()).header(ACCEPT, "application/json");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let response = request.send().await.map_err(|error| self.unanswered(&error))?;
        if !response.status().is_success() {
            return Err(self.refused(&response, place));
        }
        let links = response.headers().get_all(LINK).iter();
        let links = links.filter_map(|link| link.to_str().ok()).map(str::to_owned).collect();
        let url = response.url().clone();
        let body = self.body(response, place).await?;
        Ok(Answer { body, url, links })
    }

    async fn body(&self, mut response: Response, place: &str) -> Result<Vec<u8>, Failed> {
        let too_large = || {
            Failed::ForGood(SourceError::Bound {
                place: place.to_owned(),
                what: "answers with more than one answer may hold; ask for smaller pages",
                bound: format!("{} MiB", ANSWER_BYTES >> 20),
            })
        };
        if response.content_length().is_some_and(|length| length > ANSWER_BYTES as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.unanswered(&error))? {
            if body.len() + part.len() > ANSWER_BYTES {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// What the library says is not kept: it shows the address with its query.
    fn unanswered(&self, error: &reqwest::Error) -> Failed {
        let (what, remedy) = if error.is_timeout() {
            ("does not answer in time", "check the service, or give it a longer `timeout_secs`")
        } else if error.is_connect() {
            ("cannot be reached", "check the address, the network and the certificates")
        } else {
            ("broke off its answer", "check the service and what lies between")
        };
        let server = self.server();
        let error = SourceError::Server { server, what, remedy: remedy.to_owned() };
        Failed::Again { error, after: None }
    }

    fn refused(&self, response: &Response, place: &str) -> Failed {
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
            Failed::Again { error, after: pause_wanted(response) }
        } else {
            Failed::ForGood(error)
        }
    }
}

/// Host and port of an address; never its user or password.
pub(super) fn server(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    match address.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn check_address(service: &Service) -> Result<(), &'static str> {
    let address = &service.address;
    if !address.username().is_empty() || address.password().is_some() {
        return Err("holds a user or password; give a token by reference");
    }
    let is_here = match address.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err("names no host"),
    };
    match address.scheme() {
        "https" => Ok(()),
        "http" if service.token.is_none() || is_here => Ok(()),
        "http" => Err("is not encrypted, and a token would be sent to it: use https"),
        _ => Err("begins with neither https nor http"),
    }
}

/// Reads a file that its owner alone may read.
fn own_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    let meta = std::fs::metadata(path).map_err(|source| unread(path, source))?;
    if meta.mode() & 0o077 != 0 {
        return Err(SecretError::Open { path: path.display().to_string() }.into());
    }
    std::fs::read(path).map_err(|source| unread(path, source))
}

fn unread(path: &Path, source: std::io::Error) -> SourceError {
    SourceError::Read { place: path.display().to_string(), source }
}

/// The pause that the service wants: seconds, or the instant when it is over.
fn pause_wanted(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    Some((until.with_timezone(&Utc) - Utc::now()).to_std().unwrap_or_default())
}
