//! The web server's own loop: connections in, deadlines and bounds around each, an orderly end.
//!
//! A connection that asks for nothing, asks for too much, sends slowly or does not take what it
//! asked for is closed; what others do with theirs does not matter to it. Nothing that happens to
//! one connection, and no fault in accepting one, ends the loop: only `stop` does.

mod places;
mod progress;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::front::Front;
use crate::router::Pages;

use self::places::{Place, Places};
use self::progress::Progress;

/// How long connections may be idle, take and be.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    /// From being ready for a request to the end of its headers, so that it bounds idleness too.
    headers: Duration,
    /// Without a byte taken by whoever reads an answer.
    stalled: Duration,
}

const DEADLINES: Deadlines =
    Deadlines { headers: Duration::from_secs(10), stalled: Duration::from_secs(60) };

/// All headers of a request together; hyper takes a hundred of them at most.
const HEADER_BYTES: usize = 32 << 10;

/// What hyper gathers of a body before it is read, and of an answer before it is sent.
const BUFFER_BYTES: usize = 128 << 10;

/// Wait after a fault in accepting, such as no file descriptor being left.
const BREATH: Duration = Duration::from_millis(50);

/// Sent to who finds no place, without reading what they ask.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Answers requests on `listener` until `stop`. Then no connection is taken any more, idle ones
/// are closed, and requests under way, downloads among them, have `grace` to come to their end;
/// what is left after that is cut.
pub async fn serve(listener: TcpListener, pages: Pages, stop: CancellationToken, grace: Duration) {
    serve_within(listener, pages, stop, grace, DEADLINES).await;
}

async fn serve_within(
    listener: TcpListener,
    pages: Pages,
    stop: CancellationToken,
    grace: Duration,
    deadlines: Deadlines,
) {
    let server = Server {
        front: Arc::new(pages.front),
        places: Places::new(pages.connections, pages.connections_per_address),
        deadlines,
        stop: stop.clone(),
        cut: CancellationToken::new(),
    };
    let running = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, from)) => server.take(&running, stream, from),
            Err(error) => {
                // Of one connection that went away, or of the machine: both pass.
                tracing::warn!(error = &error as &dyn std::error::Error, "no connection accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    running.close();
    if tokio::time::timeout(grace, running.wait()).await.is_err() {
        tracing::warn!(connections = running.len(), "cut at the end of the grace period");
        server.cut.cancel();
        running.wait().await;
    }
}

#[derive(Clone)]
struct Server {
    front: Arc<Front>,
    places: Arc<Places>,
    deadlines: Deadlines,
    stop: CancellationToken,
    /// The end of the grace period.
    cut: CancellationToken,
}

impl Server {
    /// Serves a connection in a task of its own, if there is a place for it.
    fn take(&self, running: &TaskTracker, stream: TcpStream, from: SocketAddr) {
        let Some(place) = self.places.take(from.ip()) else {
            // As much as fits at once; nobody waits for it.
            let _ = stream.try_write(NO_PLACE);
            return;
        };
        // An answer is written in few pieces and none of them should wait for the others'
        // acknowledgement. Where it cannot be set, answers are slower and still right.
        let _ = stream.set_nodelay(true);
        let at = stream.local_addr().ok().map(|address| address.ip());
        running.spawn(self.clone().connection(stream, at, place));
    }

    async fn connection(self, stream: TcpStream, at: Option<IpAddr>, _place: Place) {
        let front: &Front = &self.front;
        let service = service_fn(move |request: hyper::Request<Incoming>| async move {
            Ok::<_, Infallible>(front.answer(request, at).await)
        });
        let io = TokioIo::new(Progress::new(stream, self.deadlines.stalled));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.deadlines.headers)
            .max_header_size(HEADER_BYTES)
            .max_buf_size(BUFFER_BYTES);
        let mut connection = pin!(http.serve_connection(io, service));
        let mut ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.stop.cancelled() => None,
        };
        if ended.is_none() {
            connection.as_mut().graceful_shutdown();
            ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = self.cut.cancelled() => None,
            };
        }
        if let Some(Err(error)) = ended {
            // Not the error itself: what a body failed with may quote a query.
            let (timeout, parse) = (error.is_timeout(), error.is_parse());
            tracing::debug!(timeout, parse, "a connection ended early");
        }
    }
}

#[cfg(test)]
mod tests;
