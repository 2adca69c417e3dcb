//! One bulk export of one type of resource: kicked off, waited for, fetched, deleted at the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::StreamExt;
use reqwest::header::{CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

use super::download::{Arriving, Download, NDJSON, deliver};
use super::lines::{Holds, Lines, Rows};
use super::manifest::{Entry, Manifest};
use super::outcome;
use super::plan::Plan;
use super::settings::Wish;
use crate::service::{Ask, Client, Failed, LONGEST_PAUSE, REPEATS, pause_wanted};
use crate::{RawStream, Request, SourceError, in_background};

const JSON: &str = "application/json";
const FHIR_JSON: &str = "application/fhir+json";
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Parts of a file that are read ahead: a few hundred kilobytes.
const READ_AHEAD: usize = 16;

/// A server that exports.
#[derive(Debug)]
pub(super) struct Exporter {
    pub(super) client: Client,
    /// Where it may put files beside itself.
    pub(super) files: Option<Url>,
}

/// An answer that was waited for.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Exporter {
    /// Has the resources exported that a request asks for; their rows come as the files do.
    pub(super) async fn export(
        self: &Arc<Self>,
        request: &Request,
        plan: Plan,
    ) -> Result<RawStream, SourceError> {
        let wish = Wish::of(request, &plan.resource)?;
        let mut patience = Patience::new(wish.wait, self.client.pause);
        let job = self.kick_off(&wish, &mut patience).await?;
        let manifest = self.manifest(&wish, &job, &mut patience).await?;
        self.refuse_errors(&wish, &job, &manifest).await?;
        let deleted = manifest.deleted.iter().filter(|_| !wish.ignores_deleted);
        let deleted = deleted.map(|entry| (entry, Holds::Deletions(manifest.at.clone())));
        let output = manifest.output.iter().filter(|entry| entry.resource == plan.resource);
        let output = output.map(|entry| (entry, Holds::Resources));
        let (mut files, mut lines) = (Vec::new(), Vec::new());
        // Deletions first: what was written again afterwards is there.
        for (at, (entry, holds)) in deleted.chain(output).enumerate() {
            let place = format!("file {} of {}", at + 1, wish.place);
            let file = self.download(&job, &manifest, entry, place.clone())?;
            let (sender, receiver) = mpsc::channel(READ_AHEAD);
            files.push((file, sender));
            lines.push((place, receiver, holds, entry.count));
        }
        let lines = lines.into_iter().map(|(place, parts, holds, count)| {
            Ok(Lines::new(place, Box::new(Arriving::new(parts)), holds).of(count))
        });
        let mut fetching = JoinSet::new();
        let exporter = Arc::clone(self);
        fetching.spawn(async move { deliver(&exporter.client, files).await });
        let rows = in_background(Rows::new(lines, plan));
        // Dropped before its end, the stream stops fetching and cancels the export.
        let state = (rows, Some(job), fetching);
        let rows = futures::stream::unfold(state, |(mut rows, mut job, fetching)| async move {
            if let Some(batch) = rows.next().await {
                return Some((batch, (rows, job, fetching)));
            }
            job.take()?.end().await;
            None
        });
        Ok(rows.boxed())
    }

    /// Asks what the server is; nothing is exported.
    pub(super) async fn examine(&self, request: &Request, plan: &Plan) -> Result<(), SourceError> {
        Wish::of(request, &plan.resource)?;
        let url = self.client.url("metadata");
        let authorization = self.client.authorization().await?;
        let ask =
            Ask { authorization: authorization.as_ref(), ..Ask::get(&url, "metadata", FHIR_JSON) };
        let answer = self.client.whole(&ask).await?;
        let statement: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if statement["resourceType"] != "CapabilityStatement" {
            return Err(self.refused("metadata", "it is no FHIR server", "check the address"));
        }
        let version = statement["fhirVersion"].as_str();
        if version.is_some_and(|version| !version.starts_with("4.")) {
            let remedy = "ask for its address of R4";
            return Err(self.refused("metadata", "it speaks another version than FHIR R4", remedy));
        }
        Ok(())
    }

    async fn kick_off(
        self: &Arc<Self>,
        wish: &Wish,
        patience: &mut Patience,
    ) -> Result<Job, SourceError> {
        let mut url = self.client.url(&wish.path);
        let fixed = [("_type", wish.resource.as_str()), ("_outputFormat", NDJSON)];
        url.query_pairs_mut().extend_pairs(fixed);
        if let Some(since) = wish.since {
            // Servers give what was written later than that, and the same second may go on.
            let since = since - TimeDelta::seconds(1);
            let since = since.format("%Y-%m-%dT%H:%M:%S+07:00").to_string();
            url.query_pairs_mut().append_pair("_since", &since);
        }
        let mut ask = Ask::get(&url, &wish.place, FHIR_JSON);
        ask.headers.insert(PREFER, HeaderValue::from_static("respond-async"));
        let reply = self.persist(&ask, patience).await?;
        let status = reply.headers.get(CONTENT_LOCATION).or(reply.headers.get(LOCATION));
        let status = status.and_then(|status| status.to_str().ok());
        let status = status.and_then(|status| url.join(status).ok());
        match status {
            Some(status) if !self.is_own(&status) => {
                let what = "the address of its export's status is on another server";
                Err(self.refused(&wish.place, what, "set the address that the server calls itself"))
            }
            Some(status) if reply.status == StatusCode::ACCEPTED => {
                Ok(Job { exporter: Arc::clone(self), status, is_over: false })
            }
            _ => {
                let what =
                    format!("it began no export (HTTP {}{})", reply.status.as_u16(), reply.codes());
                Err(self.refused(&wish.place, &what, "check whether it can export in bulk"))
            }
        }
    }

    /// Waits until the export is done.
    async fn manifest(
        &self,
        wish: &Wish,
        job: &Job,
        patience: &mut Patience,
    ) -> Result<Manifest, SourceError> {
        let ask = Ask::get(&job.status, &wish.place, JSON);
        loop {
            let reply = self.persist(&ask, patience).await?;
            if reply.status == StatusCode::ACCEPTED {
                if patience.wait(pause_wanted(&reply.headers)).await {
                    continue;
                }
                let what = format!("its export was not done in {} seconds", wish.wait.as_secs());
                let remedy = "raise `wait_secs`, or ask those who run the server";
                return Err(self.refused(&wish.place, &what, remedy));
            }
            return Manifest::parse(&reply.body).map_err(|what| {
                let what = format!("its manifest cannot be used: {what}{}", reply.codes());
                self.refused(&wish.place, &what, "ask those who run the server")
            });
        }
    }

    /// Reads what the export tells of failures: with one, some resources are missing.
    async fn refuse_errors(
        &self,
        wish: &Wish,
        job: &Job,
        manifest: &Manifest,
    ) -> Result<(), SourceError> {
        for entry in &manifest.error {
            let place = format!("errors of {}", wish.place);
            let file = self.download(job, manifest, entry, place)?;
            let authorization =
                if file.needs_token { self.client.authorization().await? } else { None };
            let ask = Ask {
                authorization: authorization.as_ref(),
                ..Ask::get(&file.url, &file.place, NDJSON)
            };
            let answer = self.client.whole(&ask).await?;
            let Some(issues) = outcome::of_file(&answer.body) else {
                let what = "the file of its errors holds something else";
                return Err(self.refused(&wish.place, what, "ask those who run the server"));
            };
            if issues.errors > 0 {
                let what = format!("its export reports {} errors{}", issues.errors, issues.codes());
                return Err(self.refused(&wish.place, &what, "ask those who run the server"));
            }
            if issues.others > 0 {
                let (server, issues) = (self.client.server(), issues.others);
                tracing::warn!(%server, place = wish.place, issues, "an export has warnings");
            }
        }
        Ok(())
    }

    /// How a file of a manifest is fetched.
    fn download(
        &self,
        job: &Job,
        manifest: &Manifest,
        entry: &Entry,
        place: String,
    ) -> Result<Download, SourceError> {
        let elsewhere = |url: &Url| {
            let files = self.files.as_ref().map(Url::origin);
            files == Some(url.origin()) && !manifest.needs_token
        };
        match job.status.join(&entry.url) {
            Ok(url) if self.is_own(&url) || elsewhere(&url) => {
                let (needs_token, is_counted) = (manifest.needs_token, entry.count.is_some());
                Ok(Download { place, url, needs_token, is_counted })
            }
            _ => Err(self.refused(
                &place,
                "it lies on another server, or wants our token there",
                "set `files_address` to where the server puts files, if they need no token",
            )),
        }
    }

    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.client.url("").origin()
    }

    /// Asks until there is an answer: as long as it may help, and while there is patience. A server
    /// that has too much to do is waited for, one that fails again and again is not.
    async fn persist(&self, ask: &Ask<'_>, patience: &mut Patience) -> Result<Reply, SourceError> {
        let mut failures = 0;
        loop {
            // A token may not last as long as an export.
            let authorization = self.client.authorization().await?;
            let ask = Ask { authorization: authorization.as_ref(), ..ask.clone() };
            let (failed, is_busy) = match self.once(&ask).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            failures = if is_busy { 0 } else { failures + 1 };
            match failed {
                Failed::Again { after, error } => {
                    if failures > REPEATS || !patience.wait(after).await {
                        return Err(error);
                    }
                }
                Failed::ForGood(error) => return Err(error),
            }
        }
    }

    /// Asks once; a failure, and whether the server only has too much to do.
    async fn once(&self, ask: &Ask<'_>) -> Result<Reply, (Failed, bool)> {
        let response = self.client.send(ask).await.map_err(|failed| (failed, false))?;
        let status = response.status();
        let headers = response.headers().clone();
        let refusal = (!status.is_success()).then(|| self.client.refused(&response, ask.place));
        let body = self.client.body(response, ask.place).await;
        let Some(refusal) = refusal else {
            let body = body.map_err(|failed| (failed, false))?;
            return Ok(Reply { status, headers, body });
        };
        let codes = outcome::of_answer(&body.unwrap_or_default()).codes();
        Err((refusal.with(&codes), status == StatusCode::TOO_MANY_REQUESTS))
    }

    fn refused(&self, place: &str, what: &str, remedy: &str) -> SourceError {
        SourceError::Refused {
            server: self.client.server(),
            place: place.to_owned(),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl Reply {
    fn codes(&self) -> String {
        outcome::of_answer(&self.body).codes()
    }
}

/// An export that the server holds. It is deleted there when we have done with it.
struct Job {
    exporter: Arc<Exporter>,
    status: Url,
    is_over: bool,
}

impl Job {
    async fn end(mut self) {
        self.is_over = true;
        delete(&self.exporter.client, &self.status).await;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Where the runtime is at its end too, the server forgets the export in its own time.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.is_over {
            let (exporter, status) = (Arc::clone(&self.exporter), self.status.clone());
            runtime.spawn(async move { delete(&exporter.client, &status).await });
        }
    }
}

/// Has the server forget an export. All that was wanted of it is there: a failure is noted only.
async fn delete(client: &Client, status: &Url) {
    let Ok(authorization) = client.authorization().await else { return };
    let ask = Ask {
        method: Method::DELETE,
        authorization: authorization.as_ref(),
        ..Ask::get(status, "an export's status", JSON)
    };
    let gone = [StatusCode::NOT_FOUND, StatusCode::GONE];
    match client.send(&ask).await {
        Ok(response) if response.status().is_success() || gone.contains(&response.status()) => {}
        _ => tracing::warn!(server = %client.server(), "an export could not be deleted"),
    }
}

/// How long an export is waited for, and the pauses meanwhile.
struct Patience {
    until: Instant,
    least: Duration,
    pause: Duration,
}

impl Patience {
    fn new(wait: Duration, pause: Duration) -> Self {
        Self { until: Instant::now() + wait, least: pause, pause }
    }

    /// Waits as long as the server wants, or longer each time; `false` when all patience is gone.
    async fn wait(&mut self, wanted: Option<Duration>) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let pause = wanted.unwrap_or(self.pause).max(self.least).min(left);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        true
    }
}
