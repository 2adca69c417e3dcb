//! One handler for all connections: finds the session of whoever is connected, refuses what is not
//! a read, and mends what real clients stumble over in the protocol's own layers.

mod guard;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion_postgres::hooks::cursor::CursorStatementHook;
use datafusion_postgres::hooks::set_show::SetShowHook;
use datafusion_postgres::hooks::transactions::TransactionStatementHook;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::{DescribePortalResponse, FieldInfo, Response};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, METADATA_USER, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::{DfSessionService, QueryHook};
use futures::{Sink, StreamExt};

use super::super::users::Users;
use super::user_error;
use crate::names::Sensitivity;
use crate::query::QueryError;

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
        let query = mend(query);
        let work = SimpleQueryHandler::do_query(service.as_ref(), client, &query);
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

    /// The columns of a portal. A cursor's is stored without its plan, so it is planned again:
    /// psycopg asks for the columns of each cursor that it declares.
    async fn do_describe_portal<C>(
        &self,
        client: &mut C,
        portal: &Portal<Self::Statement>,
    ) -> PgWireResult<DescribePortalResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let parser = self.query_parser();
        let format = Some(&portal.result_column_format);
        let fields = match &portal.statement.statement {
            (query, None) if !query.is_empty() => {
                match parser.parse_sql(client, query, &[]).await? {
                    Some(planned) => parser.get_result_schema(&planned, format)?,
                    None => Vec::new(),
                }
            }
            planned => parser.get_result_schema(planned, format)?,
        };
        Ok(DescribePortalResponse::new(fields))
    }
}

/// What clients ask of PostgreSQL's catalogue in a way that only PostgreSQL understands: ADBC
/// compares the name of a type's function with 0, which there means none.
fn mend(sql: &str) -> Cow<'_, str> {
    if !sql.contains("pg_catalog.pg_type") {
        return Cow::Borrowed(sql);
    }
    let named = ["typreceive", "typsend"];
    let mended = named.iter().fold(sql.to_owned(), |sql, name| {
        sql.replace(&format!("{name} != 0"), &format!("{name} != '-'"))
    });
    Cow::Owned(mended)
}

/// Whole and floating numbers given for an exact decimal keep the type the client sent them in:
/// they are compared as PostgreSQL would, rather than refused.
fn with_sent_types(plan: LogicalPlan, types: &[Option<Type>]) -> PgWireResult<LogicalPlan> {
    let retype = |expr: Expr| {
        let Expr::Placeholder(mut placeholder) = expr else { return Ok(Transformed::no(expr)) };
        let number = placeholder.id.trim_start_matches('$').parse::<usize>().unwrap_or(0);
        let sent = types.get(number.wrapping_sub(1)).and_then(Option::as_ref).and_then(number_type);
        match (sent, &mut placeholder.field) {
            (Some(sent), Some(field)) if field.data_type().is_decimal() => {
                *field = Arc::new(field.as_ref().clone().with_data_type(sent));
                Ok(Transformed::yes(Expr::Placeholder(placeholder)))
            }
            _ => Ok(Transformed::no(Expr::Placeholder(placeholder))),
        }
    };
    let retyped = plan.transform_up_with_subqueries(|node| {
        let node = node.map_expressions(|expr| expr.transform_up(retype))?;
        if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
    });
    retyped.map(|plan| plan.data).map_err(|error| PgWireError::ApiError(Box::new(error)))
}

fn number_type(sent: &Type) -> Option<DataType> {
    match *sent {
        Type::INT2 => Some(DataType::Int16),
        Type::INT4 => Some(DataType::Int32),
        Type::INT8 => Some(DataType::Int64),
        Type::FLOAT4 => Some(DataType::Float32),
        Type::FLOAT8 => Some(DataType::Float64),
        _ => None,
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
        let parsed = service.query_parser().parse_sql(client, &mend(sql), types).await?;
        let Some((text, Some((statement, plan)))) = parsed else { return Ok(parsed) };
        Ok(Some((text, Some((statement, with_sent_types(plan, types)?)))))
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
        Arc::new(guard::Guard),
        Arc::new(CursorStatementHook),
        Arc::new(SetShowHook),
        Arc::new(TransactionStatementHook),
    ]
}
