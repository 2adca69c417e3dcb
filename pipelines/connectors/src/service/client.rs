//! One request after another: not too many, again where it may help, each bounded in time and size.

use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Method, Response};
use url::{Host, Url};

use super::{Failed, Service};
use crate::{SecretError, SecretPlace, SourceError};

/// Bytes of one answer at most.
const ANSWER_BYTES: usize = 64 << 20;

/// How often the same is asked for again.
pub(crate) const REPEATS: usize = 4;

/// The pause before the first repeat; each next one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// A service that wants a longer pause is not waited for.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Redirects within the service that are followed.
const REDIRECTS: usize = 5;

/// Speaks to one service.
pub(crate) struct Client {
    http: reqwest::Client,
    address: Url,
    token: Option<SecretPlace>,
    limiter: DefaultDirectRateLimiter,
    /// The pause before the first repeat.
    pub(crate) pause: Duration,
    /// How long one answer may take.
    pub(crate) timeout: Duration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("server", &self.server()).finish_non_exhaustive()
    }
}

/// One question.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    /// What errors call it.
    pub(crate) place: &'a str,
    /// The form of answer that is wanted.
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<&'a HeaderValue>,
    /// Further headers.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// How long the whole answer may take, where that is not the service's own time.
    pub(crate) within: Option<Duration>,
}

impl<'a> Ask<'a> {
    /// To get what is at an address.
    pub(crate) fn get(url: &'a Url, place: &'a str, accept: &'static str) -> Self {
        Self {
            method: Method::GET,
            url,
            place,
            accept,
            authorization: None,
            headers: HeaderMap::new(),
            body: None,
            within: None,
        }
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Where it came from, after redirects.
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
}

impl Client {
    pub(crate) fn new(service: &Service) -> Result<Self, SourceError> {
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
            timeout: Duration::from_secs(service.timeout_secs),
        })
    }

    /// Host and port.
    pub(crate) fn server(&self) -> String {
        server(&self.address)
    }

    /// The address of a place. Whatever the place is, the address stays within the service.
    pub(crate) fn url(&self, place: &str) -> Url {
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
    pub(crate) async fn authorization(&self) -> Result<Option<HeaderValue>, SourceError> {
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

    /// The whole answer to a question, asked again where that may help.
    ///
    /// # Errors
    /// When the service cannot be reached, refuses, or answers too much.
    pub(crate) async fn whole(&self, ask: &Ask<'_>) -> Result<Answer, SourceError> {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.pause)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(REPEATS)
            .with_jitter();
        let answer = (|| self.whole_once(ask))
            .retry(backoff)
            .when(|failed| matches!(failed, Failed::Again { .. }))
            .adjust(|failed, pause| match failed {
                Failed::Again { after: Some(after), .. } => {
                    pause.filter(|_| *after <= LONGEST_PAUSE).map(|_| *after)
                }
                _ => pause,
            })
            .notify(|_, pause| self.note_repeat(ask.place, pause))
            .await;
        answer.map_err(Failed::error)
    }

    async fn whole_once(&self, ask: &Ask<'_>) -> Result<Answer, Failed> {
        let response = self.once(ask).await?;
        let headers = response.headers().clone();
        let url = response.url().clone();
        let body = self.body(response, ask.place).await?;
        Ok(Answer { body, url, headers })
    }

    /// Asks once; the answer's body is still to come.
    pub(crate) async fn once(&self, ask: &Ask<'_>) -> Result<Response, Failed> {
        let response = self.send(ask).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.refused(&response, ask.place))
        }
    }

    /// Asks once; the answer may be a refusal.
    pub(crate) async fn send(&self, ask: &Ask<'_>) -> Result<Response, Failed> {
        self.limiter.until_ready().await;
        let mut request =
            self.http.request(ask.method.clone(), ask.url.clone()).header(ACCEPT, ask.accept);
        if let Some(authorization) = ask.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(body) = ask.body.clone() {
            request = request.body(body);
        }
        if let Some(within) = ask.within {
            request = request.timeout(within);
        }
        let sent = request.headers(ask.headers.clone()).send().await;
        sent.map_err(|error| self.unanswered(&error))
    }

    /// Notes that something is asked for again.
    pub(crate) fn note_repeat(&self, place: &str, pause: Duration) {
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(server = %self.server(), place, pause_ms, "asking again");
    }

    /// The rest of an answer, as far as one may go.
    pub(crate) async fn body(
        &self,
        mut response: Response,
        place: &str,
    ) -> Result<Vec<u8>, Failed> {
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
}

/// Host and port of an address; never its user or password.
pub(crate) fn server(address: &Url) -> String {
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
