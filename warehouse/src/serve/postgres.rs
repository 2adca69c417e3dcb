//! PostgreSQL's wire protocol: psql, DBeaver, psycopg, JDBC, Power BI.
//!
//! A connection logs in with SCRAM-SHA-256 and works in the session of its clearance. Whatever is
//! not a read is refused with SQLSTATE 25006, by its statement and again by its plan; `SET`, `SHOW`,
//! transactions and cursors are answered because clients send them unasked, and change nothing but
//! the connection.

mod session;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_postgres::DfSessionService;
use datafusion_postgres::pgwire::api::auth::sasl::SASLAuthStartupHandler;
use datafusion_postgres::pgwire::api::auth::sasl::scram::ScramAuth;
use datafusion_postgres::pgwire::api::auth::{
    AuthSource, DefaultServerParameterProvider, LoginInfo, Password, StartupHandler,
};
use datafusion_postgres::pgwire::api::cancel::{CancelHandler, DefaultCancelHandler};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ConnectionManager, ErrorHandler, PgWireServerHandlers,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::tokio::process_socket;
use tokio::net::TcpListener;

use self::session::Door;
use super::users::Users;
use crate::query::{ErrorKind, POSTGRES_VERSION, QueryError, Warehouse};

/// Serves connections until the listener is dropped or the task is stopped.
///
/// # Errors
/// When a principal's session cannot be built.
pub async fn serve(
    warehouse: &Warehouse,
    users: Users,
    listener: TcpListener,
) -> Result<(), QueryError> {
    let handlers = Arc::new(Handlers::new(warehouse, users)?);
    loop {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let handlers = Arc::clone(&handlers);
        tokio::spawn(async move {
            if let Err(error) = process_socket(socket, None, handlers).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

struct Handlers {
    door: Arc<Door>,
    users: Arc<Users>,
    parameters: Arc<DefaultServerParameterProvider>,
    connections: Arc<ConnectionManager>,
}

impl Handlers {
    fn new(warehouse: &Warehouse, users: Users) -> Result<Self, QueryError> {
        let users = Arc::new(users);
        let mut services = HashMap::new();
        for principal in users.principals() {
            if let Entry::Vacant(vacant) = services.entry(principal.clearance) {
                let session = warehouse.postgres_session(principal)?;
                let hooks = session::hooks();
                let service = DfSessionService::new_with_hooks(Arc::new(session), hooks);
                vacant.insert(Arc::new(service));
            }
        }
        let mut parameters = DefaultServerParameterProvider::default();
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        parameters.server_version = POSTGRES_VERSION.to_owned();
        parameters.search_path = "chi_tieu".to_owned();
        Ok(Self {
            door: Arc::new(Door::new(services, Arc::clone(&users), warehouse.limits().timeout)),
            users,
            parameters: Arc::new(parameters),
            connections: Arc::new(ConnectionManager::new()),
        })
    }
}

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.door)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.door)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        // A log-in is a conversation with a state: each connection has its own.
        let passwords = Passwords { users: Arc::clone(&self.users) };
        let scram = ScramAuth::new(Arc::new(passwords));
        let login = SASLAuthStartupHandler::new(Arc::clone(&self.parameters))
            .with_scram(scram)
            .with_connection_manager(Arc::clone(&self.connections));
        Arc::new(login)
    }

    fn error_handler(&self) -> Arc<impl ErrorHandler> {
        Arc::new(Errors)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::new(DefaultCancelHandler::new(Arc::clone(&self.connections)))
    }
}

/// Secrets of the users; an unknown name is answered as a known one is.
#[derive(Debug)]
struct Passwords {
    users: Arc<Users>,
}

#[async_trait]
impl AuthSource for Passwords {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let name = login.user().unwrap_or_default();
        let secret = self.users.secret(name);
        Ok(Password::new(Some(secret.salt), secret.salted))
    }
}

/// Turns engine errors into PostgreSQL's form, once, for every message that leaves.
struct Errors;

impl ErrorHandler for Errors {
    fn on_error<C>(&self, _: &C, error: &mut PgWireError)
    where
        C: ClientInfo,
    {
        if !matches!(error, PgWireError::ApiError(_)) {
            return;
        }
        let taken = std::mem::replace(error, PgWireError::QueryCanceled);
        let PgWireError::ApiError(inner) = taken else { return };
        let query_error = query_error(inner);
        if matches!(query_error.kind(), ErrorKind::Internal | ErrorKind::Unavailable) {
            tracing::error!(error = ?std::error::Error::source(&query_error), "a query failed");
        }
        *error = user_error(&query_error);
    }
}

/// What the protocol's own layers wrapped, by what it was.
fn query_error(error: Box<dyn std::error::Error + Send + Sync>) -> QueryError {
    let error = match error.downcast::<DataFusionError>() {
        Ok(error) => return QueryError::running(*error),
        Err(other) => other,
    };
    let error = match error.downcast::<ParserError>() {
        Ok(error) => return QueryError::syntax(DataFusionError::SQL(error, None)),
        Err(other) => other,
    };
    match error.downcast::<QueryError>() {
        Ok(error) => *error,
        Err(other) => QueryError::running(DataFusionError::External(other)),
    }
}

fn user_error(error: &QueryError) -> PgWireError {
    let (code, text) = (error.sqlstate().to_owned(), error.to_string());
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code, text)))
}
