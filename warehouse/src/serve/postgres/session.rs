//! One handler for all connections: finds the session of whoever is connected, and refuses what is
//! not a read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::common::ParamValues;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion_postgres::hooks::HookClient;
use datafusion_postgres::hooks::cursor::CursorStatementHook;
use datafusion_postgres::hooks::set_show::SetShowHook;
use datafusion_postgres::hooks::transactions::TransactionStatementHook;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::{FieldInfo, Response};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, METADATA_USER, Type};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::{DfSessionService, QueryHook};
use futures::{Sink, StreamExt};

use super::super::users::Users;
use super::user_error;
use crate::names::Sensitivity;
use crate::query::{QueryError, is_sql_read};

/// What the protocol keeps of a parsed statement.
type Parsed = <DfSessionService as ExtendedQueryHandler>::Statement;

/// Handles the queries of every connection.
pub(super) struct Door {
    services: HashMap<Sensitivity, Arc<DfSessionService>>,
    users: Arc<Users>,
    timeout: Duration,
}

impl Door {
    pub(super) fn new(
        services: HashMap<Sensitivity, Arc<DfSessionService>>,
        users: Arc<Users>,
        timeout: Duration,
    ) -> Self {
        Self { services, users, timeout }
    }

    fn service<C: ClientInfo>(&self, client: &C) -> PgWireResult<&Arc<DfSessionService>> {
        let user = client.metadata().get(METADATA_USER).map_or("", String::as_str);
        self.users
            .principal(user)
            .and_then(|principal| self.services.get(&principal.clearance))
            .ok_or_else(|| PgWireError::InvalidPassword(user.to_owned()))
    }

    async fn in_time<T>(&self, work: impl Future<Output = PgWireResult<T>>) -> PgWireResult<T> {
        let timed = tokio::time::timeout(self.timeout, work).await;
        timed.unwrap_or_else(|_| Err(user_error(&QueryError::timeout(self.timeout))))
    }

    /// The same rows, cut off with an error when the query's time is up.
    fn limited(&self, response: Response) -> Response {
        let Response::Query(mut answer) = response else { return response };
        let limit = self.timeout;
        let deadline = tokio::time::Instant::now() + limit;
        let rows = std::mem::replace(&mut answer.data_rows, futures::stream::empty().boxed());
        let limited = futures::stream::unfold(Some(rows), move |rows| async move {
            let mut rows = rows?;
            match tokio::time::timeout_at(deadline, rows.next()).await {
                Ok(row) => row.map(|row| (row, Some(rows))),
                Err(_) => Some((Err(user_error(&QueryError::timeout(limit))), None)),
            }
        });
        answer.data_rows = limited.boxed();
        Response::Query(answer)
    }
}

#[async_trait]
impl SimpleQueryHandler for Door {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let service = Arc::clone(self.service(client)?);
        let work = SimpleQueryHandler::do_query(service.as_ref(), client, query);
        let responses = self.in_time(work).await?;
        Ok(responses.into_iter().map(|response| self.limited(response)).collect())
    }
}

#[async_trait]
impl ExtendedQueryHandler for Door {
    type Statement = Parsed;
    type QueryParser = DoorParser;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        Arc::new(DoorParser { services: self.services.clone(), users: Arc::clone(&self.users) })
    }

    async fn do_query<C>(
        &self,
        client: &mut C,
        portal: &Portal<Self::Statement>,
        max_rows: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let service = Arc::clone(self.service(client)?);
        let work = ExtendedQueryHandler::do_query(service.as_ref(), client, portal, max_rows);
        Ok(self.limited(self.in_time(work).await?))
    }
}

/// Parses in the session of whoever is connected, so that a name above their clearance does not
/// even plan.
pub(super) struct DoorParser {
    services: HashMap<Sensitivity, Arc<DfSessionService>>,
    users: Arc<Users>,
}

impl DoorParser {
    fn any(&self) -> PgWireResult<&Arc<DfSessionService>> {
        self.services.values().next().ok_or_else(|| PgWireError::InvalidPassword(String::new()))
    }
}

#[async_trait]
impl QueryParser for DoorParser {
    type Statement = Parsed;

    async fn parse_sql<C>(
        &self,
        client: &C,
        sql: &str,
        types: &[Option<Type>],
    ) -> PgWireResult<Option<Self::Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let user = client.metadata().get(METADATA_USER).map_or("", String::as_str);
        let clearance = self.users.principal(user).map(|principal| principal.clearance);
        let service = clearance.and_then(|clearance| self.services.get(&clearance));
        let service = service.ok_or_else(|| PgWireError::InvalidPassword(user.to_owned()))?;
        service.query_parser().parse_sql(client, sql, types).await
    }

    fn get_parameter_types(&self, statement: &Self::Statement) -> PgWireResult<Vec<Type>> {
        self.any()?.query_parser().get_parameter_types(statement)
    }

    fn get_result_schema(
        &self,
        statement: &Self::Statement,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        self.any()?.query_parser().get_result_schema(statement, format)
    }
}

/// The hooks of a session: reads only first, then what clients send unasked.
pub(super) fn hooks() -> Vec<Arc<dyn QueryHook>> {
    vec![
        Arc::new(ReadOnlyHook),
        Arc::new(CursorStatementHook),
        Arc::new(SetShowHook),
        Arc::new(TransactionStatementHook),
    ]
}

/// Refuses every statement that could change more than the connection.
struct ReadOnlyHook;

fn refusal(statement: &Statement) -> Option<PgWireError> {
    let allowed = is_sql_read(statement)
        || matches!(
            statement,
            Statement::Set(_)
                | Statement::Reset(_)
                | Statement::ShowVariable { .. }
                | Statement::StartTransaction { .. }
                | Statement::Commit { .. }
                | Statement::Rollback { .. }
                | Statement::Declare { .. }
                | Statement::Fetch { .. }
                | Statement::Close { .. }
                | Statement::Deallocate { .. }
                | Statement::Discard { .. }
        );
    let declared_write = match statement {
        Statement::Declare { stmts } => stmts
            .iter()
            .any(|declared| declared.for_query.as_ref().is_some_and(|q| !is_read_query(q))),
        _ => false,
    };
    (!allowed || declared_write).then(|| {
        let error = QueryError::read_only();
        let (code, text) = (error.sqlstate().to_owned(), error.to_string());
        PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code, text)))
    })
}

fn is_read_query(query: &datafusion::sql::sqlparser::ast::Query) -> bool {
    is_sql_read(&Statement::Query(Box::new(query.clone())))
}

#[async_trait]
impl QueryHook for ReadOnlyHook {
    async fn handle_simple_query(
        &self,
        statement: &Statement,
        _: &SessionContext,
        _: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        refusal(statement).map(Err)
    }

    async fn handle_extended_parse_query(
        &self,
        statement: &Statement,
        _: &SessionContext,
        _: &(dyn ClientInfo + Send + Sync),
    ) -> Option<PgWireResult<LogicalPlan>> {
        refusal(statement).map(Err)
    }

    async fn handle_extended_query(
        &self,
        _: &Statement,
        _: &LogicalPlan,
        _: &ParamValues,
        _: &SessionContext,
        _: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        None
    }
}
