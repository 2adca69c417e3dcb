//! Connections to the server: how they come about, what holds for their transaction, and that they
//! leave nothing running behind.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::task::AbortHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, CopyInSink, CopyOutStream, NoTls, Row, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::faults::{self, Trouble};
use super::{Server, Tls};
use crate::{Secret, SourceError};

/// What the transaction is about: reading, and seeing one instant.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What holds in the transaction, where the server's version knows it: nobody waits long for a
/// lock, an idle leader stays, a query whose client is gone ends, the order of rows depends on no
/// other query, and times without a zone are of Viet Nam. Notices may quote cells.
const SETTINGS: &str = "\
SELECT pg_catalog.set_config(wish.name, wish.value, true)
FROM (VALUES
  ('lock_timeout', $1),
  ('idle_in_transaction_session_timeout', '0'),
  ('transaction_timeout', '0'),
  ('client_connection_check_interval', '10s'),
  ('synchronize_seqscans', 'off'),
  ('max_parallel_workers_per_gather', '0'),
  ('client_min_messages', 'error'),
  ('TimeZone', '<+07>-07')
) AS wish (name, value)
JOIN pg_catalog.pg_settings AS known USING (name)
WHERE wish.name <> 'client_connection_check_interval' OR pg_catalog.version() LIKE '%linux%'";

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a connection to stand.
    pub(super) enter: Duration,
    /// For an answer, or the next rows.
    pub(super) idle: Duration,
    /// For a lock that another holds.
    pub(super) lock: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            enter: Duration::from_secs(10),
            idle: Duration::from_secs(600),
            lock: Duration::from_secs(30),
        }
    }
}

/// How to come to the server.
pub(super) struct Access {
    /// Host and port, as errors name it.
    pub(super) server: String,
    pub(super) connections: usize,
    pub(super) patience: Patience,
    database: String,
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Access {
    /// # Errors
    /// When the secret or the certificates are not to be had, or a setting is not usable.
    pub(super) async fn new(server: &Server) -> Result<Self, SourceError> {
        let shown = format!("{}:{}", server.host, server.port);
        if !(1..=32).contains(&server.connections) {
            return Err(SourceError::Setting {
                place: shown,
                setting: "connections".to_owned(),
                what: "is not from 1 to 32".to_owned(),
            });
        }
        let tls = match &server.tls {
            Tls::Off => None,
            Tls::On { ca_file } => Some(encryption(&shown, ca_file.as_deref())?),
        };
        let password = match &server.password {
            Some(place) => Some(place.fetch().await?),
            None => None,
        };
        let patience = Patience::default();
        let config = config(server, password.as_ref(), patience);
        let (connections, database) = (server.connections, server.database.clone());
        Ok(Self { server: shown, connections, patience, database, config, tls })
    }

    /// The leading connection, and what the instant that it sees is called.
    pub(super) async fn lead(&self) -> Result<(Link, String), SourceError> {
        let mut link = self.connect().await?;
        let entering =
            |why| faults::entering(&self.server, &self.database, self.tls.is_some(), why);
        link.run(BEGIN).await.map_err(entering)?;
        link.settle().await.map_err(entering)?;
        let rows = link.query("SELECT pg_catalog.pg_export_snapshot()", &[]).await;
        let rows = rows.map_err(entering)?;
        let snapshot: Option<String> = rows.first().and_then(|row| row.try_get(0).ok());
        let formed = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let Some(snapshot) = snapshot.filter(formed) else {
            return Err(SourceError::Server {
                server: self.server.clone(),
                what: "names no snapshot",
                remedy: "it has to be PostgreSQL, without a pool that cuts transactions".to_owned(),
            });
        };
        Ok((link, snapshot))
    }

    /// Another connection that sees the same instant.
    pub(super) async fn follow(&self, snapshot: &str) -> Result<Link, SourceError> {
        let mut link = self.connect().await?;
        let begin = format!("{BEGIN}; SET TRANSACTION SNAPSHOT '{snapshot}'");
        link.run(&begin).await.map_err(|why| match &why {
            // Whatever the server says of the snapshot: nobody holds it any more.
            Trouble::Told(error) if faults::code(error).is_some_and(|c| !c.starts_with("57")) => {
                faults::instant_lost(&self.server)
            }
            _ => faults::entering(&self.server, &self.database, self.tls.is_some(), why),
        })?;
        link.settle().await.map_err(|why| faults::reading(&self.server, "its settings", why))?;
        Ok(link)
    }

    /// A connection outside a transaction.
    pub(super) async fn connect(&self) -> Result<Link, SourceError> {
        let entered = match &self.tls {
            None => self.enter(NoTls).await,
            Some(tls) => self.enter(tls.clone()).await,
        };
        let (client, driver) = entered.map_err(|why| {
            faults::entering(&self.server, &self.database, self.tls.is_some(), why)
        })?;
        let (server, patience, tls) = (self.server.clone(), self.patience, self.tls.clone());
        Ok(Link { server, client, driver, tls, patience, at_work: false })
    }

    async fn enter<T>(&self, tls: T) -> Result<(Client, AbortHandle), Trouble>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let connect = self.config.connect(tls);
        let (client, mut connection) = in_time(self.patience.enter, connect).await?;
        // Messages that belong to no question are dropped: a notice may quote a cell.
        let driver = tokio::spawn(async move {
            while let Some(Ok(_)) = poll_fn(|context| connection.poll_message(context)).await {}
        });
        Ok((client, driver.abort_handle()))
    }
}

fn config(server: &Server, password: Option<&Secret>, patience: Patience) -> Config {
    let mut config = Config::new();
    config
        .host(&server.host)
        .port(server.port)
        .dbname(&server.database)
        .user(&server.user)
        .application_name("khoyte")
        .connect_timeout(patience.enter)
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(60))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(6)
        .tcp_user_timeout(Duration::from_secs(120))
        .ssl_mode(if server.tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
    if let Some(password) = password {
        config.password(password.reveal());
    }
    config
}

fn encryption(
    server: &str,
    ca_file: Option<&std::path::Path>,
) -> Result<MakeRustlsConnect, SourceError> {
    let bad = |what: String| SourceError::Setting {
        place: server.to_owned(),
        setting: "ca_file".to_owned(),
        what,
    };
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let shown = path.display().to_string();
            let bytes = std::fs::read(path)
                .map_err(|source| SourceError::Read { place: shown.clone(), source })?;
            for certificate in CertificateDer::pem_slice_iter(&bytes) {
                let certificate = certificate.ok().and_then(|it| roots.add(it).ok());
                certificate.ok_or_else(|| bad(format!("names {shown}, which is not PEM")))?;
            }
        }
    }
    if roots.is_empty() {
        return Err(
            bad("gives nobody who may vouch for the server: name a file of PEM".to_owned()),
        );
    }
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// One connection, in its transaction. Dropped while a question is open, it has the server cancel
/// it; the server would else notice only when it next sends a row.
pub(super) struct Link {
    /// Host and port.
    pub(super) server: String,
    pub(super) patience: Patience,
    client: Client,
    driver: AbortHandle,
    tls: Option<MakeRustlsConnect>,
    at_work: bool,
}

/// A parameter of a question.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

impl Link {
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Has the settings hold in the transaction.
    async fn settle(&mut self) -> Result<(), Trouble> {
        let lock = self.patience.lock.as_millis().to_string();
        self.query(SETTINGS, &[(&lock as _, Type::TEXT)]).await.map(drop)
    }

    /// Asks, and takes all rows of the answer, which are few.
    pub(super) async fn query(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Trouble> {
        self.at_work = true;
        let answer = in_time(self.patience.idle, self.client.query_typed(sql, parameters)).await;
        self.at_work = matches!(answer, Err(Trouble::Silent));
        answer
    }

    /// Has statements run that answer nothing.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), Trouble> {
        self.at_work = true;
        let answer = in_time(self.patience.idle, self.client.batch_execute(sql)).await;
        self.at_work = matches!(answer, Err(Trouble::Silent));
        answer
    }

    /// Begins a `COPY … TO STDOUT`. Who has read it to its end says so by [`Self::rest`].
    pub(super) async fn copy(&mut self, sql: &str) -> Result<CopyOutStream, Trouble> {
        self.at_work = true;
        in_time(self.patience.idle, self.client.copy_out(sql)).await
    }

    /// Begins a `COPY … FROM STDIN`. Who has ended it says so by [`Self::rest`].
    pub(super) async fn copy_in(&mut self, sql: &str) -> Result<CopyInSink<Bytes>, Trouble> {
        self.at_work = true;
        in_time(self.patience.idle, self.client.copy_in::<_, Bytes>(sql)).await
    }

    /// Nothing is open: the connection may end with a farewell.
    pub(super) fn rest(&mut self) {
        self.at_work = false;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.at_work {
            return;
        }
        self.driver.abort();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (token, tls, limit) =
            (self.client.cancel_token(), self.tls.clone(), self.patience.enter);
        // Whether it is heard or not, there is nobody to tell.
        runtime.spawn(async move {
            let _ = match tls {
                None => in_time(limit, token.cancel_query(NoTls)).await,
                Some(tls) => in_time(limit, token.cancel_query(tls)).await,
            };
        });
    }
}

pub(super) async fn in_time<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, answer).await {
        Err(_) => Err(Trouble::Silent),
        Ok(answer) => answer.map_err(Trouble::Told),
    }
}
