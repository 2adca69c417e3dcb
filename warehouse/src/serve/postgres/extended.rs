//! The extended protocol: parse, bind, describe, execute, each on its own.

use std::sync::Arc;

use datafusion::common::ParamValues;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{FieldInfo, Tag};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::data::{NoData, ParameterDescription};
use datafusion_postgres::pgwire::messages::extendedquery::{
    Bind, BindComplete, CloseComplete, ParseComplete, PortalSuspended,
};
use datafusion_postgres::pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};

use super::command::Command;
use super::fault::{Fault, Result};
use super::messages::Target;
use super::obey::opened;
use super::outgoing::Outgoing;
use super::parameters::{self, Parameters};
use super::portal::{Portal, Prepared, Read};
use super::rows::{check_formats, described};
use super::speaker::{Speaker, complete, timed};
use crate::query::Utterance;

impl Speaker {
    pub(super) async fn parse(
        &mut self,
        name: String,
        sql: &str,
        types: &[u32],
        out: &mut Outgoing,
    ) -> Result<()> {
        self.begin().await?;
        self.store.has_room_for(&name)?;
        let prepared = self.timed(self.prepare(sql, types)).await?;
        self.store.keep_statement(name, prepared)?;
        out.feed(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await
    }

    async fn prepare(&self, sql: &str, types: &[u32]) -> Result<Prepared> {
        let said = self.read(sql).await?;
        let utterance = match said.utterances.as_slice() {
            [] => return Ok(Prepared::Nothing),
            [one] => one,
            _ => return Err(Fault::new("42601", "prepare one statement at a time").into()),
        };
        let command = said.command(utterance)?;
        self.allow(command.as_ref())?;
        match command {
            Some(command @ Command::Declare { .. }) => {
                let read = self.plan_cursor(utterance, types).await?;
                Ok(Prepared::Command(command, Some(read)))
            }
            Some(command) => Ok(Prepared::Command(command, None)),
            None => self.plan(utterance, types).await.map(Prepared::Read),
        }
    }

    /// Plans a read with the parameter types that a client says.
    async fn plan(&self, utterance: &Utterance, types: &[u32]) -> Result<Arc<Read>> {
        let sent = parameters::sent(types);
        let statement = self.door.plan_with(utterance, parameters::numbers(&sent)).await?;
        let parameters = Parameters::of(statement.logical_plan(), sent)?;
        Ok(Arc::new(Read::new(statement, parameters)))
    }

    /// Plans the query of a cursor.
    pub(super) async fn plan_cursor(
        &self,
        utterance: &Utterance,
        types: &[u32],
    ) -> Result<Arc<Read>> {
        let missing = || Fault::new("42601", "a cursor needs a query");
        let query = utterance.query_of_cursor()?.ok_or_else(missing)?;
        self.plan(&query, types).await
    }

    pub(super) async fn bind(&mut self, bind: &Bind, out: &mut Outgoing) -> Result<()> {
        let name = bind.statement_name.as_deref().unwrap_or_default();
        self.begin().await?;
        self.bring_up_to_date(name).await?;
        let prepared = self.store.statement(name)?;
        let values = match prepared.read() {
            Some(read) => read.parameters.read(bind)?,
            None if bind.parameters.is_empty() => ParamValues::List(Vec::new()),
            None => return Err(Fault::new("08P01", "the statement has no parameters").into()),
        };
        let formats = parameters::formats(&bind.result_column_format_codes);
        if let Prepared::Read(read) = &prepared {
            check_formats(&formats, read.statement.schema().fields().len())?;
        }
        let given = bind.parameters.iter().map(|given| 64 + given.as_ref().map_or(0, |g| g.len()));
        let portal = Portal {
            prepared,
            values,
            formats,
            rows: None,
            cursor: false,
            held: false,
            value_bytes: given.sum(),
        };
        let name = bind.portal_name.clone().unwrap_or_default();
        self.store.keep_portal(name, portal)?;
        out.feed(PgWireBackendMessage::BindComplete(BindComplete::new())).await
    }

    /// Plans a statement anew that was prepared over other declarations than those that are served
    /// now. Its client knows its columns and parameters, so they must be the same.
    async fn bring_up_to_date(&mut self, name: &str) -> Result<()> {
        let prepared = self.store.statement(name)?;
        let Some(read) = prepared.read() else { return Ok(()) };
        let statement = self.timed(async { Ok(read.statement.at(&self.door).await?) }).await?;
        if statement.is(&read.statement) {
            return Ok(());
        }
        let parameters = Parameters::of(statement.logical_plan(), read.parameters.sent.clone())?;
        let is_known = statement.schema() == read.statement.schema()
            && parameters.described() == read.parameters.described();
        if !is_known {
            self.store.close_statement(name);
            let text = "the declarations have changed: prepare the statement again";
            return Err(Fault::new("26000", text).into());
        }
        let read = Arc::new(Read::new(statement, parameters));
        let renewed = match prepared {
            Prepared::Command(command, _) => Prepared::Command(command, Some(read)),
            Prepared::Read(_) | Prepared::Nothing => Prepared::Read(read),
        };
        self.store.close_statement(name);
        self.store.keep_statement(name.to_owned(), renewed)
    }

    pub(super) async fn describe(&mut self, target: &Target, out: &mut Outgoing) -> Result<()> {
        let fields = match target {
            Target::Statement(name) => {
                let prepared = self.store.statement(name)?;
                let types = prepared.read().map(|read| read.parameters.described());
                let types = ParameterDescription::new(types.unwrap_or_default());
                out.feed(PgWireBackendMessage::ParameterDescription(types)).await?;
                self.fields(&prepared, &Format::UnifiedText)?
            }
            Target::Portal(name) => {
                let missing = || Fault::new("34000", format!("there is no cursor \"{name}\""));
                let portal = self.store.portal(name).ok_or_else(missing)?;
                self.fields(&portal.prepared, &portal.formats)?
            }
        };
        let answer = match fields {
            Some(fields) => described(&fields),
            None => PgWireBackendMessage::NoData(NoData::new()),
        };
        out.feed(answer).await
    }

    /// The columns that a statement answers with; `None` when it has no rows.
    fn fields(&self, prepared: &Prepared, formats: &Format) -> Result<Option<Vec<FieldInfo>>> {
        let columns = match prepared {
            Prepared::Read(read) => read.statement.schema(),
            Prepared::Command(Command::Show(name), _) => {
                return self.shown(name.as_deref(), formats).map(Some);
            }
            Prepared::Command(Command::Fetch { name, moves: false, .. }, _) => {
                match self.store.portal(name).and_then(|cursor| cursor.prepared.read()) {
                    Some(read) => read.statement.schema(),
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(self.writing(formats.clone()).fields(&columns)?))
    }

    pub(super) async fn execute(
        &mut self,
        name: String,
        max_rows: usize,
        out: &mut Outgoing,
    ) -> Result<()> {
        self.account.still_stands().await?;
        let mut portal = self.store.take_portal(&name)?;
        let command = match &portal.prepared {
            Prepared::Command(command, _) => Some(command),
            Prepared::Nothing | Prepared::Read(_) => None,
        };
        self.allow(command)?;
        if command.is_some() {
            return self.execute_command(portal, out).await;
        }
        if portal.prepared.read().is_none() {
            self.store.put_back(name, portal);
            return out
                .feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()))
                .await;
        }
        let writing = self.writing(portal.formats.clone());
        let work = async {
            opened(&mut portal).await?;
            portal.rows_mut()?.send(max_rows, &writing, out).await
        };
        let sent = timed(self.settings.statement_timeout(), work).await?;
        self.store.put_back(name, portal);
        if sent == max_rows {
            return out.feed(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await;
        }
        complete(Tag::new("SELECT").with_rows(sent), out).await
    }

    /// Does what a command says; its portal has had its use.
    async fn execute_command(&mut self, portal: Portal, out: &mut Outgoing) -> Result<()> {
        let Portal { prepared, values, formats, value_bytes, .. } = portal;
        match prepared {
            Prepared::Command(Command::Declare { name, binary, hold }, Some(read)) => {
                let formats = Format::from(i16::from(binary));
                self.declare(name, hold, (read, values, value_bytes), formats, out).await
            }
            Prepared::Command(command, _) => {
                self.obey(&command, &self.writing(formats), false, out).await
            }
            Prepared::Nothing | Prepared::Read(_) => Ok(()),
        }
    }

    pub(super) async fn close(&mut self, target: &Target, out: &mut Outgoing) -> Result<()> {
        match target {
            Target::Statement(name) => self.store.close_statement(name),
            Target::Portal(name) => self.store.close_portal(name),
        };
        out.feed(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await
    }

    pub(super) async fn sync(&mut self, out: &mut Outgoing) -> Result<()> {
        self.skips = false;
        if self.status == TransactionStatus::Idle {
            self.store.end_statement();
        }
        self.ready(out).await
    }
}
