//! What a connection is at, and the simple protocol: a text comes, rows go.

use std::time::Duration;

use datafusion::common::ParamValues;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::Tag;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::{
    EmptyQueryResponse, ReadyForQuery, TransactionStatus,
};
use datafusion_postgres::pgwire::messages::startup::{
    Authentication, BackendKeyData, ParameterStatus,
};

use super::cancel::{Handle, Resting};
use super::command::Command;
use super::fault::{Fault, Result};
use super::frames::Frame;
use super::login::Account;
use super::messages::{self, Message};
use super::outgoing::Outgoing;
use super::portal::Store;
use super::quirks;
use super::rows::{Rows, Writing, described};
use super::settings::Settings;
use super::{Served, Shared, WireLimits};
use crate::query::{Door, Utterance, Via};

/// One connection's side of the conversation.
pub(super) struct Speaker {
    pub(super) account: Account,
    /// On what is served since the last statement began.
    pub(super) door: Door,
    served: Served,
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) status: TransactionStatus,
    /// After an error, what follows is left out until a `Sync`.
    pub(super) skips: bool,
    /// Its client was told that it may say what it wants.
    rests: bool,
    resting: Option<Resting>,
}

/// What a text says.
pub(super) struct Said {
    pub(super) utterances: Vec<Utterance>,
    /// It moves a cursor instead of fetching from it.
    moves: bool,
}

impl Said {
    /// The command in one of its utterances; `None` when that is for the door.
    pub(super) fn command(&self, utterance: &Utterance) -> Result<Option<Command>> {
        let command = Command::of(utterance.statement())?;
        Ok(match command {
            Some(Command::Fetch { name, rows, .. }) if self.moves => {
                Some(Command::Fetch { name, rows, moves: true })
            }
            command => command,
        })
    }
}

impl Speaker {
    pub(super) fn new(shared: &Shared, account: Account, settings: Settings) -> Self {
        Self {
            door: shared.served.now().door(&account.principal, Via::Wire),
            served: shared.served.clone(),
            account,
            settings,
            store: Store::new(&shared.limits),
            status: TransactionStatus::Idle,
            skips: false,
            rests: false,
            resting: None,
        }
    }

    /// Tells a client that it is logged in, and what it needs to know.
    pub(super) async fn welcome(&mut self, handle: &Handle, out: &mut Outgoing) -> Result<()> {
        self.resting = Some(handle.resting());
        out.feed(PgWireBackendMessage::Authentication(Authentication::Ok)).await?;
        self.tell(self.settings.told(), out).await?;
        let key = BackendKeyData::new(handle.pid, handle.secret());
        out.feed(PgWireBackendMessage::BackendKeyData(key)).await?;
        self.ready(out).await
    }

    /// Answers one message.
    pub(super) async fn hear(&mut self, frame: &Frame, out: &mut Outgoing) -> Result<()> {
        self.rests = false;
        match messages::read(frame)? {
            Message::Query(sql) => self.query(&sql, out).await,
            Message::Parse { name, sql, types } => self.parse(name, &sql, &types, out).await,
            Message::Bind(bind) => self.bind(&bind, out).await,
            Message::Describe(target) => self.describe(&target, out).await,
            Message::Execute { portal, max_rows } => self.execute(portal, max_rows, out).await,
            Message::Close(target) => self.close(&target, out).await,
            Message::Flush => out.flush().await,
            Message::Sync => self.sync(out).await,
            Message::FunctionCall => {
                Err(Fault::new("0A000", "functions are called in a SELECT").into())
            }
            Message::Terminate | Message::Ignored => Ok(()),
        }
    }

    /// Tells what went wrong with a message of this kind.
    pub(super) async fn fail(&mut self, fault: Fault, kind: u8, out: &mut Outgoing) -> Result<()> {
        if self.status != TransactionStatus::Idle {
            self.status = TransactionStatus::Error;
        }
        out.feed(fault.into_message()).await?;
        if messages::is_extended(kind) {
            self.skips = true;
            out.flush().await
        } else {
            self.ready(out).await
        }
    }

    /// Whether the client has been told that it may go on.
    pub(super) fn rests(&self) -> bool {
        self.rests
    }

    /// How long the client may say nothing.
    pub(super) fn idle_limit(&self, limits: &WireLimits) -> (Duration, Fault) {
        if self.status == TransactionStatus::Idle {
            let text = "the connection was idle for too long";
            (limits.idle, Fault::fatal("57P05", text))
        } else {
            let text = "the transaction was idle for too long";
            (limits.idle_in_transaction, Fault::fatal("25P03", text))
        }
    }

    async fn query(&mut self, sql: &str, out: &mut Outgoing) -> Result<()> {
        self.begin().await?;
        self.store.forget_unnamed();
        let said = self.read(sql).await?;
        if said.utterances.is_empty() {
            out.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for utterance in &said.utterances {
            let command = said.command(utterance)?;
            self.allow(command.as_ref())?;
            match command {
                Some(command) => self.say(command, utterance, out).await?,
                None => self.ask(utterance, out).await?,
            }
        }
        self.ready(out).await
    }

    /// What stands before each statement: the account is looked up again, and what is served now
    /// is what the statement is about.
    pub(super) async fn begin(&mut self) -> Result<()> {
        self.account.still_stands().await?;
        let now = self.served.now();
        if !now.is(self.door.warehouse()) {
            self.door = now.door(&self.account.principal, Via::Wire);
        }
        Ok(())
    }

    /// Does what a command says.
    async fn say(
        &mut self,
        command: Command,
        utterance: &Utterance,
        out: &mut Outgoing,
    ) -> Result<()> {
        if let Command::Declare { name, binary, hold } = command {
            let read = self.timed(self.plan_cursor(utterance, &[])).await?;
            let (values, formats) =
                (ParamValues::List(Vec::new()), Format::from(i16::from(binary)));
            return self.declare(name, hold, (read, values, 0), formats, out).await;
        }
        self.obey(&command, &self.writing(Format::UnifiedText), true, out).await
    }

    /// Sends the rows of a read.
    async fn ask(&mut self, utterance: &Utterance, out: &mut Outgoing) -> Result<()> {
        let statement = self.quick_door().plan(utterance).await?;
        let answer = statement.run(ParamValues::List(Vec::new())).await?;
        let writing = self.writing(Format::UnifiedText);
        out.feed(described(&writing.fields(&answer.schema())?)).await?;
        let sent = Rows::new(answer).send(usize::MAX, &writing, out).await?;
        complete(Tag::new("SELECT").with_rows(sent), out).await
    }

    /// Parses a text.
    pub(super) async fn read(&self, sql: &str) -> Result<Said> {
        let fetch = quirks::as_fetch(sql);
        let text = quirks::mend(fetch.as_deref().unwrap_or(sql));
        let utterances = self.quick_door().read_text(&text).await?;
        Ok(Said { utterances, moves: fetch.is_some() })
    }

    /// A transaction that has failed hears nothing but its end.
    pub(super) fn allow(&self, command: Option<&Command>) -> Result<()> {
        let ends = command.is_some_and(Command::ends_transaction);
        if self.status != TransactionStatus::Error || ends {
            return Ok(());
        }
        Err(Fault::new("25P02", "the transaction has failed; end it with ROLLBACK").into())
    }

    /// The door with the time that the client gives a statement.
    pub(super) fn quick_door(&self) -> Door {
        let door = self.door.clone();
        match self.settings.statement_timeout() {
            Some(given) => door.within(given),
            None => door,
        }
    }

    /// `work` within the time that the client gives a statement. What is prepared outlives its
    /// message, so that the time cannot be the door's.
    pub(super) async fn timed<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        timed(self.settings.statement_timeout(), work).await
    }

    pub(super) fn writing(&self, formats: Format) -> Writing {
        Writing { formats, options: self.settings.format() }
    }

    pub(super) async fn tell(
        &self,
        told: impl IntoIterator<Item = (&'static str, String)>,
        out: &mut Outgoing,
    ) -> Result<()> {
        for (name, value) in told {
            let status = ParameterStatus::new(name.to_owned(), value);
            out.feed(PgWireBackendMessage::ParameterStatus(status)).await?;
        }
        Ok(())
    }

    /// Tells a client that it may say what it wants.
    pub(super) async fn ready(&mut self, out: &mut Outgoing) -> Result<()> {
        if let Some(resting) = &self.resting {
            resting.rest();
        }
        let ready = ReadyForQuery::new(self.status);
        out.feed(PgWireBackendMessage::ReadyForQuery(ready)).await?;
        self.rests = true;
        out.flush().await
    }
}

/// `work` within `limit`; dropping it stops what it runs.
pub(super) async fn timed<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(limit) = limit else { return work.await };
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| {
        Err(Fault::new("57014", "the statement was stopped by its statement_timeout").into())
    })
}

/// Says that a statement is done.
pub(super) async fn complete(tag: Tag, out: &mut Outgoing) -> Result<()> {
    out.feed(PgWireBackendMessage::CommandComplete(tag.into())).await
}
