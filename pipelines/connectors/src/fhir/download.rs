//! Files of an export on their way: fetched one after another, read by lines on another thread, and
//! never put down. A connection that breaks in the middle is taken up where it broke.
//!
//! Where the server names the bytes by a strong `ETag`, the rest alone is asked for. Where it does
//! not, the file is asked for anew, and what was read already is passed over and compared by its sum:
//! rows of two states are never put together.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE, TRANSFER_ENCODING,
};
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, Sender};
use url::Url;

use crate::SourceError;
use crate::service::{Ask, Client, Failed, LONGEST_PAUSE, REPEATS};

/// The form that files are asked for.
pub(super) const NDJSON: &str = "application/fhir+ndjson";

/// How long one connection may bring a file; a server that sends nothing is given up much sooner.
const WHOLE_FILE: Duration = Duration::from_secs(24 * 60 * 60);

/// A file to fetch.
#[derive(Debug, Clone)]
pub(super) struct Download {
    /// What errors call it.
    pub(super) place: String,
    pub(super) url: Url,
    /// Whether it is given to those alone who show the token.
    pub(super) needs_token: bool,
    /// Whether the manifest counts its resources, so that a missing end is noticed.
    pub(super) is_counted: bool,
}

/// Some bytes of a file, its end, or why it ends too early.
pub(super) type Part = Result<Option<Bytes>, SourceError>;

/// Fetches files one after another, until all are there, one fails, or nobody reads on.
pub(super) async fn deliver(client: &Client, files: Vec<(Download, Sender<Part>)>) {
    for (file, reader) in files {
        let mut got = Got { bytes: 0, sum: Sha256::new(), tag: None };
        let end = got.all(client, &file, &reader).await;
        if matches!(end, Ok(false)) {
            return;
        }
        let failed = end.is_err();
        if reader.send(end.map(|_| None)).await.is_err() || failed {
            return;
        }
    }
}

/// What was handed on of one file.
struct Got {
    bytes: u64,
    sum: Sha256,
    /// The name of the bytes, where the server gives one that is strong.
    tag: Option<HeaderValue>,
}

impl Got {
    /// Fetches a file to its end, on as many connections as it takes; `false` where nobody reads on.
    async fn all(
        &mut self,
        client: &Client,
        file: &Download,
        reader: &Sender<Part>,
    ) -> Result<bool, SourceError> {
        let mut failures = 0;
        loop {
            let before = self.bytes;
            let (error, after) = match self.some(client, file, reader).await {
                Ok(is_read) => return Ok(is_read),
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::Again { error, after }) => (error, after),
            };
            failures = if self.bytes > before { 1 } else { failures + 1 };
            let pause = after.unwrap_or(client.pause * (1 << failures.min(REPEATS)));
            if failures > REPEATS || pause > LONGEST_PAUSE {
                return Err(error);
            }
            client.note_repeat(&file.place, pause);
            tokio::time::sleep(pause).await;
        }
    }

    /// Fetches as much as one connection gives.
    async fn some(
        &mut self,
        client: &Client,
        file: &Download,
        reader: &Sender<Part>,
    ) -> Result<bool, Failed> {
        let authorization = if file.needs_token {
            client.authorization().await.map_err(Failed::ForGood)?
        } else {
            None
        };
        let mut ask = Ask::get(&file.url, &file.place, NDJSON);
        ask.authorization = authorization.as_ref();
        ask.within = Some(WHOLE_FILE);
        if let Some(tag) = self.tag.clone().filter(|_| self.bytes > 0) {
            ask.headers.insert(IF_RANGE, tag);
            let range = HeaderValue::from_str(&format!("bytes={}-", self.bytes));
            ask.headers.insert(RANGE, range.expect("digits are fit for a header"));
        }
        let mut response = client.send(&ask).await?;
        let refused = |what: &str| {
            Failed::ForGood(SourceError::Refused {
                server: client.server(),
                place: file.place.clone(),
                what: what.to_owned(),
                remedy: "ask those who run the server".to_owned(),
            })
        };
        // What was read already is on the way again, as far as this many bytes.
        let mut again = match response.status() {
            StatusCode::OK => self.bytes,
            StatusCode::PARTIAL_CONTENT if begins_at(&response, self.bytes) => 0,
            StatusCode::PARTIAL_CONTENT => {
                return Err(refused("it sends another part of the file"));
            }
            // There is no rest: whether all was there shows when it comes again.
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.tag = None;
                return Err(client.broke_off());
            }
            status if status.is_success() => return Err(refused("it answers without a file")),
            _ => return Err(client.refused(&response, &file.place)),
        };
        if response.headers().contains_key(CONTENT_ENCODING) {
            return Err(refused("it packs the file, which nobody asked for"));
        }
        if !tells_its_end(&response) && !file.is_counted {
            return Err(refused("neither it nor the manifest tells where the file ends"));
        }
        if self.bytes == 0 {
            self.tag = strong_tag(&response);
        }
        let changed = || Failed::ForGood(SourceError::Changed { place: file.place.clone() });
        let mut sum_again = Sha256::new();
        loop {
            let arriving = tokio::time::timeout(client.timeout, response.chunk()).await;
            let arrived = arriving.map_err(|_| client.too_slow())?;
            let Some(mut part) = arrived.map_err(|error| client.unanswered(&error))? else { break };
            if again > 0 {
                let seen =
                    part.split_to(part.len().min(usize::try_from(again).unwrap_or(usize::MAX)));
                sum_again.update(&seen);
                again -= seen.len() as u64;
                if again == 0 && sum_again.finalize_reset() != self.sum.clone().finalize() {
                    return Err(changed());
                }
            }
            if part.is_empty() {
                continue;
            }
            self.sum.update(&part);
            self.bytes += part.len() as u64;
            if reader.send(Ok(Some(part))).await.is_err() {
                return Ok(false);
            }
        }
        if again > 0 { Err(changed()) } else { Ok(true) }
    }
}

/// Whether a part begins behind what is there.
fn begins_at(response: &Response, byte: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    first.and_then(|first| first.trim().parse().ok()) == Some(byte)
}

/// Whether a connection that is lost shows: its end is no sign where nothing told the length.
fn tells_its_end(response: &Response) -> bool {
    response.content_length().is_some() || response.headers().contains_key(TRANSFER_ENCODING)
}

/// A weak name may stand for other bytes.
fn strong_tag(response: &Response) -> Option<HeaderValue> {
    response.headers().get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")).cloned()
}

/// The bytes of a file as they arrive, for a thread that may wait.
#[derive(Debug)]
pub(super) struct Arriving {
    parts: Receiver<Part>,
    part: Bytes,
    is_over: bool,
}

impl Arriving {
    pub(super) fn new(parts: Receiver<Part>) -> Self {
        Self { parts, part: Bytes::new(), is_over: false }
    }
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() && !self.is_over {
            match self.parts.blocking_recv() {
                Some(Ok(Some(part))) => self.part = part,
                Some(Ok(None)) => self.is_over = true,
                Some(Err(error)) => return Err(io::Error::other(error)),
                // Whoever fetched it is gone, which is not the file's end.
                None => return Err(io::Error::other("fetching was stopped")),
            }
        }
        let read = self.part.len().min(buffer.len());
        self.part.copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }
}
