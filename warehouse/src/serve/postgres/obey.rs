//! Commands carried out: none of them leaves the connection.

use std::sync::Arc;

use datafusion::common::ParamValues;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{DataRowEncoder, FieldInfo, Tag};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;

use super::command::Command;
use super::fault::{Fault, Result};
use super::outgoing::Outgoing;
use super::portal::{Portal, Prepared, Read};
use super::rows::{Rows, Writing, described};
use super::speaker::{Speaker, complete, timed};

impl Speaker {
    /// Does what `command` says; `DECLARE` has its own, below. With `describes`, columns are said
    /// before their rows, as the simple protocol has it.
    pub(super) async fn obey(
        &mut self,
        command: &Command,
        writing: &Writing,
        describes: bool,
        out: &mut Outgoing,
    ) -> Result<()> {
        let tag = match command {
            Command::Begin(tag) => {
                if self.status == TransactionStatus::Idle {
                    self.status = TransactionStatus::Transaction;
                }
                tag
            }
            Command::Commit(chain) => {
                let failed = self.status == TransactionStatus::Error;
                self.end_transaction(*chain, out).await?;
                if failed { "ROLLBACK" } else { "COMMIT" }
            }
            Command::Rollback(chain) => {
                self.end_transaction(*chain, out).await?;
                "ROLLBACK"
            }
            Command::RollbackTo => {
                if self.status == TransactionStatus::Error {
                    self.status = TransactionStatus::Transaction;
                }
                "ROLLBACK"
            }
            Command::Set { name, value, local } => {
                let told = self.settings.set(name, value.as_deref(), *local)?;
                self.tell(told, out).await?;
                "SET"
            }
            Command::Reset(Some(name)) => {
                let told = self.settings.restore(name);
                self.tell(told, out).await?;
                "RESET"
            }
            Command::Reset(None) => {
                let told = self.settings.reset();
                self.tell(told, out).await?;
                "RESET"
            }
            Command::Show(name) => {
                return self.show(name.as_deref(), writing, describes, out).await;
            }
            Command::Fetch { name, rows, moves } => {
                return self.fetch(name, *rows, *moves, writing, describes, out).await;
            }
            Command::Close(None) => {
                self.store.close_portals();
                "CLOSE CURSOR ALL"
            }
            Command::Close(Some(name)) => {
                if !self.store.close_portal(name) {
                    let text = format!("there is no cursor \"{name}\"");
                    return Err(Fault::new("34000", text).into());
                }
                "CLOSE CURSOR"
            }
            Command::Deallocate(None) => {
                self.store.close_statements();
                "DEALLOCATE ALL"
            }
            Command::Deallocate(Some(name)) => {
                if !self.store.close_statement(name) {
                    let text = format!("there is no prepared statement \"{name}\"");
                    return Err(Fault::new("26000", text).into());
                }
                "DEALLOCATE"
            }
            Command::DiscardAll => {
                if self.status != TransactionStatus::Idle {
                    let text = "DISCARD ALL cannot be said in a transaction";
                    return Err(Fault::new("25001", text).into());
                }
                self.store.close_portals();
                self.store.close_statements();
                let told = self.settings.reset();
                self.tell(told, out).await?;
                "DISCARD ALL"
            }
            Command::Answered(tag) => tag,
            Command::Declare { .. } => {
                return Err(Fault::new("XX000", "the cursor has no query").into());
            }
        };
        complete(Tag::new(tag), out).await
    }

    /// Makes a cursor of a read and the values of its parameters, with the bytes of the latter.
    pub(super) async fn declare(
        &mut self,
        name: String,
        hold: bool,
        (read, values, value_bytes): (Arc<Read>, ParamValues, usize),
        formats: Format,
        out: &mut Outgoing,
    ) -> Result<()> {
        // Without a transaction that it could end with, it stays.
        let held = hold || self.status == TransactionStatus::Idle;
        let prepared = Prepared::Read(read);
        let cursor =
            Portal { prepared, values, formats, rows: None, cursor: true, held, value_bytes };
        self.store.keep_portal(name, cursor)?;
        complete(Tag::new("DECLARE CURSOR"), out).await
    }

    async fn fetch(
        &mut self,
        name: &str,
        most: usize,
        moves: bool,
        writing: &Writing,
        describes: bool,
        out: &mut Outgoing,
    ) -> Result<()> {
        let mut cursor = self.store.take_portal(name)?;
        let binary = matches!(
            (&writing.formats, &cursor.formats),
            (Format::UnifiedText, Format::UnifiedBinary)
        );
        let formats = if binary { &cursor.formats } else { &writing.formats };
        let writing = self.writing(formats.clone());
        let limit = self.settings.statement_timeout();
        let work = async {
            let read = opened(&mut cursor).await?;
            if moves {
                return cursor.rows_mut()?.skip(most).await;
            }
            if describes {
                out.feed(described(&writing.fields(&read.statement.schema())?)).await?;
            }
            cursor.rows_mut()?.send(most, &writing, out).await
        };
        let rows = timed(limit, work).await?;
        self.store.put_back(name.to_owned(), cursor);
        complete(Tag::new(if moves { "MOVE" } else { "FETCH" }).with_rows(rows), out).await
    }

    async fn show(
        &mut self,
        name: Option<&str>,
        writing: &Writing,
        describes: bool,
        out: &mut Outgoing,
    ) -> Result<()> {
        let fields = Arc::new(self.shown(name, &writing.formats)?);
        if describes {
            out.feed(described(&fields)).await?;
        }
        let rows: Vec<Vec<String>> = match name {
            Some(name) => {
                self.settings.show(name).map(|(_, value)| vec![value]).into_iter().collect()
            }
            None => {
                let all = self.settings.all().into_iter();
                all.map(|(name, value)| vec![name.to_owned(), value, String::new()]).collect()
            }
        };
        let mut encoder = DataRowEncoder::new(Arc::clone(&fields));
        for row in rows {
            for cell in row {
                encoder.encode_field(&Some(cell)).map_err(Fault::of_encoding)?;
            }
            out.feed(PgWireBackendMessage::DataRow(encoder.take_row())).await?;
        }
        complete(Tag::new("SHOW"), out).await
    }

    /// The columns of what `SHOW` answers.
    pub(super) fn shown(&self, name: Option<&str>, formats: &Format) -> Result<Vec<FieldInfo>> {
        let names = match name {
            None => vec!["name", "setting", "description"],
            Some(name) => match self.settings.show(name) {
                Some((name, _)) => vec![name],
                None => {
                    let text = format!("there is no setting \"{name}\"");
                    return Err(Fault::new("42704", text).into());
                }
            },
        };
        super::rows::check_formats(formats, names.len())?;
        let field = |(at, name): (usize, &str)| {
            FieldInfo::new(name.to_owned(), None, None, Type::TEXT, formats.format_for(at))
        };
        Ok(names.into_iter().enumerate().map(field).collect())
    }

    async fn end_transaction(&mut self, chain: bool, out: &mut Outgoing) -> Result<()> {
        self.store.end_transaction();
        let told = self.settings.end_transaction();
        self.status = match self.status {
            TransactionStatus::Idle => TransactionStatus::Idle,
            _ if chain => TransactionStatus::Transaction,
            _ => TransactionStatus::Idle,
        };
        self.tell(told, out).await
    }
}

/// Begins a portal's query, if it has not begun.
pub(super) async fn opened(portal: &mut Portal) -> Result<Arc<Read>> {
    let Prepared::Read(read) = &portal.prepared else {
        return Err(Fault::new("34000", "it has no rows").into());
    };
    let read = Arc::clone(read);
    if portal.rows.is_none() {
        let answer = read.statement.run(portal.values.clone()).await?;
        portal.rows = Some(Rows::new(answer));
    }
    Ok(read)
}

impl Portal {
    /// Its rows, once [`opened`].
    pub(super) fn rows_mut(&mut self) -> Result<&mut Rows> {
        let missing = || Fault::new("34000", "it has no rows");
        Ok(self.rows.as_mut().ok_or_else(missing)?)
    }
}
