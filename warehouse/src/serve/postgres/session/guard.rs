//! What a connection may say: reads, and the settings that clients send unasked. Nothing said on
//! one connection reaches another.

use async_trait::async_trait;
use datafusion::common::{DFSchema, ParamValues};
use datafusion::logical_expr::{EmptyRelation, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{Set, Statement};
use datafusion_postgres::QueryHook;
use datafusion_postgres::hooks::HookClient;
use datafusion_postgres::pgwire::api::ClientInfo;
use datafusion_postgres::pgwire::api::results::{Response, Tag};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use crate::query::{QueryError, is_sql_read, verify_read};
use crate::serve::postgres::user_error;

/// Settings that are kept with the connection that makes them.
const OWN_SETTINGS: [&str; 7] = [
    "application_name",
    "bytea_output",
    "datestyle",
    "extra_float_digits",
    "intervalstyle",
    "search_path",
    "statement_timeout",
];

/// Refuses every statement that could change more than the connection, and answers settings that
/// the connection does not have without effect: the engine's own settings are shared by all.
pub(super) struct Guard;

/// What is done with a statement before anything else sees it.
enum Ruling {
    /// It goes on.
    Pass,
    /// It is answered with this tag, and nothing happens.
    Answer(&'static str),
    /// A failed part of a transaction is over. There is nothing to undo, and the protocol's layer
    /// lets a failed transaction only end: the next statement begins another.
    Undo,
    /// What a savepoint kept is part of a transaction, which goes on.
    Release,
    Refuse,
}

impl Ruling {
    fn response(&self) -> Option<Response> {
        match self {
            Self::Answer(tag) => Some(Response::Execution(Tag::new(tag))),
            Self::Undo => Some(Response::TransactionEnd(Tag::new("ROLLBACK"))),
            Self::Release => Some(Response::TransactionStart(Tag::new("RELEASE"))),
            Self::Pass | Self::Refuse => None,
        }
    }
}

fn rule(statement: &Statement) -> Ruling {
    match statement {
        // Drivers wrap their own look-ups in savepoints; nothing is there to be undone.
        Statement::Savepoint { .. } => Ruling::Answer("SAVEPOINT"),
        Statement::ReleaseSavepoint { .. } => Ruling::Release,
        Statement::Rollback { savepoint: Some(_), .. } => Ruling::Undo,
        Statement::Set(Set::SetTimeZone { .. })
        | Statement::ShowVariable { .. }
        | Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Declare { .. }
        | Statement::Fetch { .. }
        | Statement::Close { .. }
        | Statement::Deallocate { .. }
        | Statement::Discard { .. } => Ruling::Pass,
        Statement::Set(Set::SingleAssignment { variable, .. }) => {
            let name = variable.to_string().to_lowercase();
            if OWN_SETTINGS.contains(&name.as_str()) {
                Ruling::Pass
            } else if name.starts_with("datafusion.") {
                Ruling::Refuse
            } else {
                Ruling::Answer("SET")
            }
        }
        Statement::Set(_) => Ruling::Answer("SET"),
        Statement::Reset(_) => Ruling::Answer("RESET"),
        read if is_sql_read(read) => Ruling::Pass,
        _ => Ruling::Refuse,
    }
}

/// The reads in a statement: itself, or those that it declares cursors for.
fn reads(statement: &Statement) -> Vec<Statement> {
    match statement {
        Statement::Declare { stmts } => {
            let queries = stmts.iter().filter_map(|declared| declared.for_query.clone());
            queries.map(Statement::Query).collect()
        }
        read if is_sql_read(read) => vec![read.clone()],
        _ => Vec::new(),
    }
}

fn refused() -> PgWireError {
    user_error(&QueryError::read_only())
}

/// The second lock: what looks like a read must have a plan that only reads.
async fn verify(statement: &Statement, session: &SessionContext) -> Option<PgWireError> {
    for read in reads(statement) {
        if !is_sql_read(&read) {
            return Some(refused());
        }
        let whole = DataFusionStatement::Statement(Box::new(read));
        // What does not plan is told by whoever runs it.
        if let Ok(plan) = session.state().statement_to_plan(whole).await
            && let Err(error) = verify_read(&plan)
        {
            return Some(user_error(&error));
        }
    }
    None
}

#[async_trait]
impl QueryHook for Guard {
    async fn handle_simple_query(
        &self,
        statement: &Statement,
        session: &SessionContext,
        _: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        let ruling = rule(statement);
        match ruling {
            Ruling::Refuse => Some(Err(refused())),
            Ruling::Pass => verify(statement, session).await.map(Err),
            _ => ruling.response().map(Ok),
        }
    }

    async fn handle_extended_parse_query(
        &self,
        statement: &Statement,
        session: &SessionContext,
        _: &(dyn ClientInfo + Send + Sync),
    ) -> Option<PgWireResult<LogicalPlan>> {
        match rule(statement) {
            Ruling::Refuse => Some(Err(refused())),
            Ruling::Pass => verify(statement, session).await.map(Err),
            Ruling::Answer(_) | Ruling::Undo | Ruling::Release => {
                let schema = DFSchema::empty().into();
                let nothing = EmptyRelation { produce_one_row: false, schema };
                Some(Ok(LogicalPlan::EmptyRelation(nothing)))
            }
        }
    }

    async fn handle_extended_query(
        &self,
        statement: &Statement,
        _: &LogicalPlan,
        _: &ParamValues,
        _: &SessionContext,
        _: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        // What is refused or verified was so when it was parsed.
        rule(statement).response().map(Ok)
    }
}
