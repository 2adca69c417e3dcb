//! The life of one connection, from its first byte to the line in the log.
//!
//! Whatever a connection is at, four things end it at once, by dropping what runs: the server's
//! stop, a cancellation, a client that is gone, a statement's time. They are waited for here and
//! nowhere else.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::crowd::Visit;
use super::fault::{Fault, Result, Trouble};
use super::frames::{Bounds, Frame, Phase};
use super::incoming::Incoming;
use super::login::{self, Account};
use super::outgoing::Outgoing;
use super::settings::Settings;
use super::speaker::Speaker;
use super::startup::{self, First, Startup};

/// How long a last word may take to be said, and again to be heard.
const LAST_WORD: Duration = Duration::from_secs(1);

/// How long a connection that cannot be served may take to say what it wants.
const HEARING: Duration = Duration::from_secs(2);

/// Serves a connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    let principal = OnceLock::new();
    let conversation = AssertUnwindSafe(converse(&shared, stream, peer, &principal));
    let reason = match conversation.catch_unwind().await {
        Ok(reason) => reason,
        Err(_) => {
            tracing::error!(%peer, "a connection failed");
            return;
        }
    };
    let principal = principal.get().map_or("", String::as_str);
    match reason {
        Some(Trouble::Gone(reason)) => {
            tracing::info!(principal, %peer, reason, "a connection ended");
        }
        Some(Trouble::Fault(fault)) => {
            let sqlstate = fault.sqlstate();
            tracing::info!(principal, %peer, sqlstate, "a connection was ended");
        }
        None => {}
    }
}

/// Answers why it ended; `None` where that is nothing to tell.
async fn converse(
    shared: &Shared,
    stream: TcpStream,
    peer: SocketAddr,
    principal: &OnceLock<String>,
) -> Option<Trouble> {
    // Small answers would wait for the client's acknowledgement of the last one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was lost before it began");
        return None;
    }
    let (reading, writing) = stream.into_split();
    let mut incoming = Incoming::new(reading, Bounds::from(&shared.limits));
    let mut out = Outgoing::new(writing, shared.limits.patience);
    let mut visit = match shared.crowd.enter(peer.ip()) {
        Ok(visit) => visit,
        Err(full) => return turn_away(shared, full, &mut incoming, out).await,
    };
    match talk(shared, &mut visit, &mut incoming, &mut out, principal).await {
        Ok(()) => None,
        Err(Trouble::Fault(fault)) => {
            let told = Fault::new(fault.sqlstate(), String::new());
            // Who has lost its place is not counted any more.
            let room = visit.is_lost().then(|| shared.crowd.last_word());
            if !matches!(room, Some(None)) {
                say_last(fault, &mut incoming, out).await;
            }
            Some(Trouble::Fault(told))
        }
        Err(gone) => Some(gone),
    }
}

/// Says a last word and waits until it is heard.
pub(super) async fn say_last(fault: Fault, incoming: &mut Incoming, mut out: Outgoing) {
    let said = async {
        out.feed(fault.into_message()).await?;
        out.flush().await
    };
    if matches!(timeout(LAST_WORD, said).await, Ok(Ok(()))) {
        drop(out);
        let _ = timeout(LAST_WORD, incoming.drain()).await;
    }
}

/// Hears what a connection wants that cannot be served: one that stops a query is heard, the others
/// are told why. Before that a client would not understand it.
async fn turn_away(
    shared: &Shared,
    full: Fault,
    incoming: &mut Incoming,
    mut out: Outgoing,
) -> Option<Trouble> {
    let _room = shared.crowd.last_word()?;
    let told = Fault::new(full.sqlstate(), String::new());
    let first = timeout(HEARING, startup::hear(incoming, &mut out)).await;
    match first {
        Ok(Ok(First::Cancel { pid, secret })) => shared.cancels.cancel(pid, &secret),
        Ok(Ok(First::Start(_))) => {
            say_last(full, incoming, out).await;
            return Some(Trouble::Fault(told));
        }
        Ok(Ok(First::Nothing) | Err(_)) | Err(_) => {}
    }
    None
}

async fn talk(
    shared: &Shared,
    visit: &mut Visit,
    incoming: &mut Incoming,
    out: &mut Outgoing,
    principal: &OnceLock<String>,
) -> Result<()> {
    let deadline = Instant::now() + shared.limits.log_in;
    let arriving = timeout_at(deadline, arrive(shared, incoming, out));
    let arrived = unless_stopped(shared, async {
        tokio::select! {
            crowded_out = visit.crowded_out() => Err(crowded_out.into()),
            arrived = arriving => arrived.unwrap_or_else(|_| {
                Err(Fault::fatal("57014", "the log-in took too long").into())
            }),
        }
    });
    let Some((startup, account)) = arrived.await? else { return Ok(()) };
    let name = account.principal.name.clone();
    visit.logged_in(&name)?;
    tracing::info!(principal = name, "logged in");
    let _ = principal.set(name);
    speak(shared, &startup, account, incoming, out).await
}

/// What follows the log-in, until something ends it.
pub(super) async fn speak(
    shared: &Shared,
    startup: &Startup,
    account: Account,
    incoming: &mut Incoming,
    out: &mut Outgoing,
) -> Result<()> {
    incoming.phase = Phase::Open;
    let settings = Settings::new(&account.principal.name, &startup.settings);
    let mut speaker = Speaker::new(shared, account, settings);
    let no_secret = || Fault::fatal("58000", "the system has no random numbers");
    let handle = shared.cancels.register(startup.version).ok_or_else(no_secret)?;
    unless_stopped(shared, speaker.welcome(&handle, out)).await?;
    loop {
        let frame = next(shared, &speaker, incoming).await?;
        if frame.kind == b'X' {
            return Err(Trouble::Gone("the client left"));
        }
        if speaker.skips && frame.kind != b'S' {
            continue;
        }
        let work = handle.work();
        let heard = attend(shared, &work, incoming, &frame, speaker.hear(&frame, out)).await;
        match heard {
            Err(Trouble::Fault(fault)) if !fault.is_fatal() => {
                // What stopped this message is over.
                handle.rest();
                let told = speaker.fail(fault, frame.kind, out);
                attend(shared, &CancellationToken::new(), incoming, &frame, told).await?;
            }
            heard => heard?,
        }
        if speaker.rests() {
            handle.rest();
        }
    }
}

/// Who comes; `None` when a connection is over with its first words.
async fn arrive(
    shared: &Shared,
    incoming: &mut Incoming,
    out: &mut Outgoing,
) -> Result<Option<(Startup, Account)>> {
    match startup::hear(incoming, out).await? {
        First::Nothing => Ok(None),
        First::Cancel { pid, secret } => {
            shared.cancels.cancel(pid, &secret);
            Ok(None)
        }
        First::Start(startup) => {
            let account =
                login::log_in(shared.served.users(), &startup.user, incoming, out).await?;
            Ok(Some((startup, account)))
        }
    }
}

/// The next message, within the time that a client may say nothing.
async fn next(shared: &Shared, speaker: &Speaker, incoming: &mut Incoming) -> Result<Frame> {
    let (limit, late) = speaker.idle_limit(&shared.limits);
    let frame = unless_stopped(shared, async {
        timeout(limit, incoming.frame()).await.unwrap_or_else(|_| Err(late.into()))
    });
    frame.await?.ok_or(Trouble::Gone("the client closed the connection"))
}

/// Does `work` unless the server stops first.
async fn unless_stopped<T>(shared: &Shared, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = shared.stop.cancelled() => Err(Fault::stopping().into()),
        done = work => done,
    }
}

/// Answers a message unless something ends that first.
async fn attend(
    shared: &Shared,
    cancel: &CancellationToken,
    incoming: &Incoming,
    frame: &Frame,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    // These only end what went before; a cancellation has nothing to stop in them.
    let cancellable = !matches!(frame.kind, b'S' | b'H');
    tokio::select! {
        biased;
        () = shared.stop.cancelled() => Err(Fault::stopping().into()),
        () = cancel.cancelled(), if cancellable => Err(Fault::cancelled().into()),
        () = incoming.lost() => Err(Trouble::Gone("the client left while its query ran")),
        done = work => done,
    }
}
