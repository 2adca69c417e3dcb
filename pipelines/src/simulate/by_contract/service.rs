//! Web services that are made up: their answers lie as pages below the folder of sources, and are
//! served to this machine alone, as the contract reads them.
//!
//! It answers as the real service would: with the page that is asked for, of the rows that changed in
//! the span that is asked for, and only to those who show the token that the configuration has. What
//! lies there is read anew for each answer, so that a night can be written while it serves; that is
//! quick enough for trials, and for nothing else. Each answer says in a header that it is made up.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connectors::Request;
use connectors::fill::HEADER;
use connectors::http_json::writer::Table;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use url::Url;
use warehouse::spec::{Declarations, Growth, Origin, SourceKind, SourceTable};

use super::super::SimulateError;
use super::shape::{Field, Shape};
use crate::sources::Server;

/// The folder of all services.
const FOLDER: &str = "dich_vu";

/// Where the pages of a table lie, below the folder of sources.
pub(super) fn folder(source: &str, table: &SourceTable) -> String {
    format!("{FOLDER}/{source}/{}", table.name)
}

/// The file of a page, in the folder of its table.
pub(super) fn page(number: usize) -> String {
    format!("{number:05}.json")
}

/// A table as its service answers for it; what hinders otherwise.
pub(super) fn table(table: &SourceTable, fields: &[Field<'_>]) -> Result<Table, String> {
    let Origin::Read { place, settings, .. } = &table.origin else {
        return Err("it is no table of a service".to_owned());
    };
    let request = Request {
        place: place.clone(),
        columns: fields.iter().map(|field| field.name.clone()).collect(),
        span: None,
        settings: settings.clone(),
    };
    let holds: Vec<_> = fields.iter().map(|field| field.holds).collect();
    let instant = match &table.growth {
        Growth::Upsert { watermark, .. } => watermark.as_deref(),
        Growth::Append { period, .. } => Some(period.as_str()),
        Growth::Snapshot => None,
    };
    let instant = instant.and_then(|name| table.column(name)).map(|column| column.from.as_str());
    Table::new(&request, &holds, instant).map_err(|error| error.to_string())
}

/// What is served, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Serving<'a> {
    /// What all sources look like.
    pub declarations: &'a Declarations,
    /// Sources to serve; all when empty.
    pub only: &'a [String],
    /// Where the services are said to be: the path of the address is kept, and the token asked for.
    pub servers: &'a BTreeMap<String, Server>,
    /// The folder of sources, in which [`super::fill`] has put the pages.
    pub folder: &'a Path,
}

/// Services that wait for requests.
#[derive(Debug)]
pub struct Services {
    all: Vec<Service>,
}

struct Service {
    source: String,
    /// What all its paths begin with.
    base: String,
    /// What has to be shown, where the configuration has a token.
    authorization: Option<String>,
    tables: Vec<(Table, PathBuf)>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("source", &self.source).finish_non_exhaustive()
    }
}

/// An answer before it is sent.
struct Reply {
    status: StatusCode,
    body: String,
    link: Option<String>,
}

impl Services {
    /// The services of the chosen sources that have pages.
    ///
    /// # Errors
    /// When none has, or a token is not to be had.
    pub async fn of(serving: Serving<'_>) -> Result<Self, SimulateError> {
        let mut all = Vec::new();
        for contract in &serving.declarations.contracts {
            if !serving.only.is_empty() && !serving.only.contains(&contract.id) {
                continue;
            }
            let mut tables = Vec::new();
            for one in &contract.tables {
                let place = serving.folder.join(folder(&contract.id, one));
                let is_service =
                    matches!(&one.origin, Origin::Read { kind: SourceKind::HttpJson, .. });
                if !is_service || !place.is_dir() {
                    continue;
                }
                let shape = Shape::of(serving.declarations, one);
                if let Ok(made) = shape.and_then(|shape| table(one, &shape.fields)) {
                    tables.push((made, place));
                }
            }
            if !tables.is_empty() {
                let server = serving.servers.get(&contract.id);
                let source = contract.id.clone();
                let base = base(&source, server);
                all.push(Service { source, base, authorization: token(server).await?, tables });
            }
        }
        if all.is_empty() {
            return Err(SimulateError::Options(
                "there are no pages of a service below the folder: write them first, without \
                 --serve",
            ));
        }
        Ok(Self { all })
    }

    /// Each source with the path that its addresses begin with, and how many tables it has.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        let all = self.all.iter();
        all.map(|one| (one.source.as_str(), one.base.as_str(), one.tables.len()))
    }

    /// Waits at an address of this machine alone.
    ///
    /// # Errors
    /// When others could reach it, or it is taken.
    pub async fn listen(address: SocketAddr) -> Result<TcpListener, SimulateError> {
        if !address.ip().is_loopback() {
            return Err(SimulateError::Options(
                "made-up services are for this machine alone: serve them at an address such as \
                 127.0.0.1:8081",
            ));
        }
        TcpListener::bind(address).await.map_err(|source| SimulateError::Serve { source })
    }

    /// Answers until the process ends.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(self, listener: TcpListener) -> Result<(), SimulateError> {
        let services = Arc::new(self);
        loop {
            let accepted = listener.accept().await;
            let (stream, _) = accepted.map_err(|source| SimulateError::Serve { source })?;
            let services = Arc::clone(&services);
            let answer = service_fn(move |request: hyper::Request<Incoming>| {
                let services = Arc::clone(&services);
                async move {
                    let uri = request.uri();
                    let query = uri.query().unwrap_or_default();
                    let reply = services.reply(uri.path(), query, request.headers());
                    Ok::<_, Infallible>(reply.response())
                }
            });
            tokio::spawn(async move {
                // Who asked may be gone before it is answered.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }

    fn reply(&self, path: &str, query: &str, headers: &HeaderMap) -> Reply {
        let found = self.all.iter().find_map(|service| {
            let rest = path.strip_prefix(service.base.as_str())?;
            let table = service.tables.iter().find(|(table, _)| table.is_at(rest, query))?;
            Some((service, table))
        });
        let Some((service, (table, place))) = found else {
            return Reply::bare(StatusCode::NOT_FOUND);
        };
        let shown = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        if service.authorization.is_some() && service.authorization.as_deref() != shown {
            return Reply::bare(StatusCode::UNAUTHORIZED);
        }
        let mut rows = Vec::new();
        for number in 1.. {
            let Ok(text) = fs::read_to_string(place.join(page(number))) else { break };
            match table.rows(&text) {
                Some(own) => rows.extend(own),
                None => return Reply::bare(StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
        let answer = table.answer(rows, query);
        Reply { status: StatusCode::OK, body: answer.body, link: answer.next }
    }
}

/// The path of the configured address, or one by the source's name.
fn base(source: &str, server: Option<&Server>) -> String {
    let url = server.and_then(|server| Url::parse(&server.address).ok());
    url.map_or_else(|| format!("/{source}"), |url| url.path().trim_end_matches('/').to_owned())
}

async fn token(server: Option<&Server>) -> Result<Option<String>, SimulateError> {
    let Some(place) = server.and_then(|server| server.secret.as_ref()) else { return Ok(None) };
    let token = place.fetch().await.map_err(connectors::SourceError::from)?;
    Ok(Some(format!("Bearer {}", token.reveal())))
}

impl Reply {
    fn bare(status: StatusCode) -> Self {
        Self { status, body: String::new(), link: None }
    }

    fn response(self) -> Response<String> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HEADER, HeaderValue::from_static("1"));
        let link = self.link.map(|next| format!("<{next}>; rel=\"next\""));
        if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
            headers.insert(LINK, link);
        }
        response
    }
}
