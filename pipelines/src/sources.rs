//! The source systems of a night: which connector reads a table, and where its system is.
//!
//! Each system is reached once, when the first of its tables is read, and seen as it was then until
//! the night is over.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use connectors::claims_xml::ClaimsXml;
use connectors::fhir::Fhir;
use connectors::files::{Bucket, S3};
use connectors::fill::{Cells, Target};
use connectors::http_json::HttpJson;
use connectors::mariadb::{self, MariaDbSource};
use connectors::odbc::{self, DataSource, OdbcSource};
use connectors::postgres::{self, PostgresSource};
use connectors::service::Service;
use connectors::tabular::{self, Tabular};
use connectors::xlsx::Xlsx;
use connectors::{Request, SecretPlace, Snapshot, Source, SourceError, Span};
use tokio::sync::Mutex;
use url::Url;
use warehouse::spec::{Column, NIGHT, Origin, SourceKind, SourceTable, Treatment};

/// Where a system that is no folder is, and how to get in.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// `postgresql://host:port/database`, `mariadb://host:port/database`, `https://host/path`,
    /// `s3://bucket/prefix`, or an ODBC connection string. No user and no password stand in it.
    pub address: String,
    /// Who we are there.
    pub user: Option<String>,
    /// Password or token.
    pub secret: Option<SecretPlace>,
    /// Whether the connection may go unencrypted: on a machine of its own, for a trial.
    pub plain: bool,
    /// Certificates that vouch for the server, where those of the system do not.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and key.
    pub client_certificate: Option<PathBuf>,
    /// Connections side by side, where a table is read in parts; at least one.
    pub connections: usize,
    /// Requests a second that a web service bears.
    pub requests_per_second: u32,
    /// Seconds that a web service may take for one answer.
    pub timeout_secs: u64,
    /// Where a FHIR server puts exported files that are not with itself.
    pub files_address: Option<String>,
    /// Where the store of a bucket is: `aws_endpoint`, `aws_region`.
    pub options: BTreeMap<String, String>,
}

impl Server {
    fn is_bucket(&self) -> bool {
        self.address.starts_with("s3://")
    }

    fn is_web(&self) -> bool {
        self.address.starts_with("https://") || self.address.starts_with("http://")
    }
}

/// All systems that a night may read. Cheap to make: nothing is opened before it is asked.
pub struct Sources {
    folder: Option<PathBuf>,
    /// One for all tables, because it remembers what is in the files.
    claims: ClaimsXml,
    /// Source → where it is.
    servers: BTreeMap<String, Server>,
    /// What was reached, by source and kind.
    open: Mutex<BTreeMap<(String, SourceKind), Arc<dyn Source>>>,
}

/// A table as its connector is asked for it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The source that it belongs to.
    pub source: &'a str,
    /// The table.
    pub table: &'a SourceTable,
    /// The night whose place is meant, where the table has one for each.
    pub night: NaiveDate,
    /// Which rows.
    pub span: Option<&'a Span>,
}

/// What a look at a table's source came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Examined {
    /// It can be read.
    Ready,
    /// It has nothing for the table yet.
    Empty,
    /// It is not known where it is.
    Nowhere,
}

impl Sources {
    /// The files below `folder`, and the servers of sources.
    pub fn new(folder: Option<PathBuf>, servers: BTreeMap<String, Server>) -> Self {
        let claims = ClaimsXml::new(folder.clone());
        Self { folder, claims, servers, open: Mutex::default() }
    }

    /// Whether it is known where the table's system is.
    pub fn knows(&self, source: &str, table: &SourceTable) -> bool {
        match &table.origin {
            Origin::Declared { .. } => true,
            Origin::Read { kind, .. } => {
                self.server(source, *kind).is_some() || (kind.is_file() && self.folder.is_some())
            }
        }
    }

    /// Whether a server exports the table's rows when it is asked, in place of files that lie there.
    /// What it exports has no place for each night, whatever files the contract names.
    pub fn exports(&self, source: &str, table: &SourceTable) -> bool {
        matches!(table.origin, Origin::Read { kind: SourceKind::Fhir, .. })
            && self.servers.get(source).is_some_and(Server::is_web)
    }

    /// Whether a server exports only the rows of a span: those written since an instant.
    pub fn exports_spans(&self, source: &str, table: &SourceTable) -> bool {
        let is_told = table.watermark().is_some_and(|column| column.from == "meta.lastUpdated");
        is_told && self.exports(source, table)
    }

    /// The server that tables of a kind are read from. Files are read from the folder, whatever other
    /// system the source has, unless it is one that gives such files.
    fn server(&self, source: &str, kind: SourceKind) -> Option<&Server> {
        let server = self.servers.get(source)?;
        let gives = match kind {
            SourceKind::Fhir => server.is_bucket() || server.is_web(),
            kind => server.is_bucket() == kind.is_file(),
        };
        gives.then_some(server)
    }

    /// The rows of a table; `None` where its source has nothing for it yet, or is nowhere.
    ///
    /// # Errors
    /// When the source cannot be reached or read.
    pub async fn open(&self, wanted: Wanted<'_>) -> Result<Option<Snapshot>, SourceError> {
        let request = request(wanted);
        if let Origin::Declared { path, text } = &wanted.table.origin {
            return tabular::declared(path, text, &request.columns).map(Some);
        }
        match self.source(wanted).await? {
            Some(source) => source.open(&request).await,
            None => Ok(None),
        }
    }

    /// The keys of all rows that a table's source has, whatever span is asked for: of the instant of
    /// the rows where the source has one. `None` where it has nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn keys(&self, wanted: Wanted<'_>) -> Result<Option<Snapshot>, SourceError> {
        let mut request = request(Wanted { span: None, ..wanted });
        request.columns = source_columns(wanted.table.key_columns());
        // They are compared in no order.
        request.settings.remove("order");
        match self.source(wanted).await? {
            Some(source) => source.open(&request).await,
            None => Ok(None),
        }
    }

    /// Looks whether [`Self::open`] would work.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn examine(&self, wanted: Wanted<'_>) -> Result<Examined, SourceError> {
        if matches!(wanted.table.origin, Origin::Declared { .. }) {
            return Ok(Examined::Ready);
        }
        if !self.knows(wanted.source, wanted.table) {
            return Ok(Examined::Nowhere);
        }
        match self.source(wanted).await? {
            Some(source) if source.examine(&request(wanted)).await? => Ok(Examined::Ready),
            Some(_) => Ok(Examined::Empty),
            None => Ok(Examined::Nowhere),
        }
    }

    async fn source(&self, wanted: Wanted<'_>) -> Result<Option<Arc<dyn Source>>, SourceError> {
        let Origin::Read { kind, .. } = &wanted.table.origin else { return Ok(None) };
        if let Some(server) = self.server(wanted.source, *kind) {
            let mut open = self.open.lock().await;
            let system = (wanted.source.to_owned(), *kind);
            if let Some(source) = open.get(&system) {
                return Ok(Some(Arc::clone(source)));
            }
            let source = reach(*kind, server).await?;
            open.insert(system, Arc::clone(&source));
            return Ok(Some(source));
        }
        let folder = self.folder.clone();
        let source: Arc<dyn Source> = match kind {
            SourceKind::Csv | SourceKind::Tsv | SourceKind::Parquet => {
                Arc::new(Tabular::new(folder))
            }
            SourceKind::ClaimsXml => Arc::new(self.claims.clone()),
            SourceKind::Fhir => Arc::new(Fhir::new(folder)),
            SourceKind::Xlsx => Arc::new(Xlsx::new(folder)),
            SourceKind::PostgreSql
            | SourceKind::MariaDb
            | SourceKind::Odbc
            | SourceKind::HttpJson => return Ok(None),
        };
        Ok(Some(source))
    }
}

/// Reaches a server: one view of all its tables from now on.
async fn reach(kind: SourceKind, server: &Server) -> Result<Arc<dyn Source>, SourceError> {
    if kind == SourceKind::Odbc {
        return Ok(Arc::new(OdbcSource::connect(&data_source(server)).await?));
    }
    if server.is_bucket() {
        let bucket = Bucket::open(&s3(kind, server)?).await?;
        return Ok(match kind {
            SourceKind::ClaimsXml => Arc::new(ClaimsXml::in_bucket(bucket)),
            SourceKind::Fhir => Arc::new(Fhir::in_bucket(bucket)),
            SourceKind::Xlsx => Arc::new(Xlsx::in_bucket(bucket)),
            _ => Arc::new(Tabular::in_bucket(bucket)),
        });
    }
    let place = Place::of(kind, server)?;
    Ok(match kind {
        SourceKind::PostgreSql => {
            Arc::new(PostgresSource::connect(&postgres_server(place, server)).await?)
        }
        SourceKind::MariaDb => {
            Arc::new(MariaDbSource::connect(&mariadb_server(place, server)).await?)
        }
        SourceKind::Fhir => {
            let files = server.files_address.as_ref();
            let files = files.map(|address| Place::parse(kind, server, address)).transpose()?;
            Arc::new(Fhir::served(&service(place, server), files.map(|files| files.url))?)
        }
        _ => Arc::new(HttpJson::new(&service(place, server))?),
    })
}

fn data_source(server: &Server) -> DataSource {
    DataSource {
        connection: server.address.clone(),
        user: server.user.clone(),
        password: server.secret.clone(),
        label: "odbc".to_owned(),
    }
}

fn s3(kind: SourceKind, server: &Server) -> Result<S3, SourceError> {
    Ok(S3 {
        address: Place::of(kind, server)?.url,
        options: server.options.clone(),
        key_id: server.user.clone(),
        key: server.secret.clone(),
        ca_file: server.ca_file.clone(),
        plain: server.plain,
        timeout_secs: server.timeout_secs.max(1),
    })
}

fn service(place: Place, server: &Server) -> Service {
    Service {
        address: place.url,
        token: server.secret.clone(),
        client_certificate: server.client_certificate.clone(),
        ca_file: server.ca_file.clone(),
        requests_per_second: server.requests_per_second.max(1),
        timeout_secs: server.timeout_secs.max(1),
    }
}

fn postgres_server(place: Place, server: &Server) -> postgres::Server {
    let ca_file = server.ca_file.clone();
    postgres::Server {
        host: place.host,
        port: place.port,
        database: place.database,
        user: server.user.clone().unwrap_or_default(),
        password: server.secret.clone(),
        tls: if server.plain { postgres::Tls::Off } else { postgres::Tls::On { ca_file } },
        connections: server.connections.max(1),
    }
}

fn mariadb_server(place: Place, server: &Server) -> mariadb::Server {
    let ca_file = server.ca_file.clone();
    mariadb::Server {
        host: place.host,
        port: place.port,
        database: place.database,
        user: server.user.clone().unwrap_or_default(),
        password: server.secret.clone(),
        tls: if server.plain { mariadb::Tls::Off } else { mariadb::Tls::On { ca_file } },
    }
}

/// Puts made-up rows into a relation of a server for trials; what no simulation made is refused.
///
/// # Errors
/// When the server cannot be reached, refuses, is of another kind, or holds a real relation of that
/// name.
pub(crate) async fn fill(
    kind: SourceKind,
    server: &Server,
    target: Target<'_>,
    rows: impl Iterator<Item = Cells>,
) -> Result<u64, SourceError> {
    if kind == SourceKind::Odbc {
        return odbc::fill(&data_source(server), target, rows).await;
    }
    let place = Place::of(kind, server)?;
    match kind {
        SourceKind::PostgreSql => {
            postgres::fill(&postgres_server(place, server), target, rows).await
        }
        SourceKind::MariaDb => mariadb::fill(&mariadb_server(place, server), target, rows).await,
        _ => Err(SourceError::Setting {
            place: target.relation.to_owned(),
            setting: "system".to_owned(),
            what: format!("is {}, which takes no made-up rows", kind.as_str()),
        }),
    }
}

/// An address, taken apart.
struct Place {
    url: Url,
    host: String,
    port: u16,
    database: String,
}

impl Place {
    fn of(kind: SourceKind, server: &Server) -> Result<Self, SourceError> {
        Self::parse(kind, server, &server.address)
    }

    /// An address that belongs to a server.
    fn parse(kind: SourceKind, server: &Server, address: &str) -> Result<Self, SourceError> {
        let (schemes, port): (&[&str], _) = match kind {
            SourceKind::PostgreSql => (&["postgresql", "postgres"], 5432),
            SourceKind::MariaDb => (&["mariadb", "mysql"], 3306),
            _ if server.is_bucket() => (&["s3"], 443),
            _ if server.plain => (&["http", "https"], 80),
            _ => (&["https"], 443),
        };
        // What cannot be read may hold a password: it is not shown.
        let wrong = |what: &str| SourceError::Setting {
            place: format!("a server of the kind {}", kind.as_str()),
            setting: "address".to_owned(),
            what: what.to_owned(),
        };
        let url = Url::parse(address).map_err(|_| wrong("is no address"))?;
        if !schemes.contains(&url.scheme()) {
            return Err(wrong(&format!("must begin with {}://", schemes[0])));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "holds a user or a password: name them by `user` and `password_file`",
            ));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let database = url.path().trim_matches('/').to_owned();
        Ok(Self { host, port: url.port().unwrap_or(port), database, url })
    }
}

fn request(wanted: Wanted<'_>) -> Request {
    let (place, settings) = match &wanted.table.origin {
        Origin::Read { kind, place, settings } => {
            let mut settings = settings.clone();
            // One connector reads the forms of plain tables, and is told which.
            if matches!(kind, SourceKind::Csv | SourceKind::Tsv | SourceKind::Parquet) {
                settings.insert("format".to_owned(), kind.as_str().to_owned());
            }
            (place.replace(NIGHT, &wanted.night.to_string()), settings)
        }
        Origin::Declared { path, .. } => (path.clone(), BTreeMap::new()),
    };
    let kept = wanted.table.columns.iter().filter(|column| column.treatment != Treatment::Drop);
    let columns = source_columns(kept);
    Request { place, columns, span: wanted.span.cloned(), settings }
}

/// What columns are made from at the source, each once. A column made from several (`year+month`)
/// needs each.
fn source_columns<'a>(kept: impl Iterator<Item = &'a Column>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for part in kept.flat_map(|column| column.from.split('+')) {
        if !columns.iter().any(|column| column == part) {
            columns.push(part.to_owned());
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_password_is_refused_and_not_shown() {
        for address in
            ["postgresql://khoyte:s3cret@kcb/kcb", "postgresql//s3cret", "mysql://s3cret/x"]
        {
            let server = Server { address: address.to_owned(), ..Server::default() };
            let Err(error) = Place::of(SourceKind::PostgreSql, &server) else {
                panic!("{address}")
            };
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn files_are_of_the_folder_unless_the_source_has_a_server_that_gives_them() {
        let sources = |address: &str| {
            let server = Server { address: address.to_owned(), ..Server::default() };
            Sources::new(None, BTreeMap::from([("benh_an".to_owned(), server)]))
        };
        let is_served = |address, kind| sources(address).server("benh_an", kind).is_some();
        assert!(is_served("https://benh-an.example.vn/fhir", SourceKind::Fhir));
        assert!(is_served("s3://benh-an/ra", SourceKind::Fhir));
        assert!(is_served("s3://benh-an/ra", SourceKind::Csv));
        assert!(!is_served("s3://benh-an/ra", SourceKind::PostgreSql));
        assert!(!is_served("https://benh-an.example.vn/fhir", SourceKind::Csv));
        assert!(!is_served("postgresql://benh-an.example.vn/x", SourceKind::Fhir));
        assert!(is_served("postgresql://benh-an.example.vn/x", SourceKind::PostgreSql));
        assert!(sources("https://a/b").server("khac", SourceKind::Fhir).is_none());
    }

    #[test]
    fn a_web_service_is_encrypted_unless_said_otherwise() {
        let server =
            |plain| Server { address: "http://a/b".to_owned(), plain, ..Server::default() };
        assert!(Place::of(SourceKind::HttpJson, &server(false)).is_err());
        assert_eq!(Place::of(SourceKind::HttpJson, &server(true)).unwrap().port, 80);
    }
}
