//! The half of a connection that speaks.
//!
//! What is said is put together as whole messages and sent as far as the client takes it, so that
//! whoever speaks may be dropped at any point without breaking a message off.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use tokio::net::tcp::OwnedWriteHalf;

use super::fault::{Fault, Result, Trouble};
use super::incoming::LOST;

/// Bytes that are put together before they are sent.
const FULL_BYTES: usize = 64 << 10;

pub(super) struct Outgoing {
    half: OwnedWriteHalf,
    buffer: BytesMut,
    patience: Duration,
}

impl Outgoing {
    pub(super) fn new(half: OwnedWriteHalf, patience: Duration) -> Self {
        Self { half, buffer: BytesMut::new(), patience }
    }

    /// Says one message; it leaves with the next [`Self::flush`] at the latest.
    pub(super) async fn feed(&mut self, message: PgWireBackendMessage) -> Result<()> {
        let before = self.buffer.len();
        if message.encode(&mut self.buffer).is_err() {
            self.buffer.truncate(before);
            return Err(Fault::new("54000", "a part of the answer is too long to be sent").into());
        }
        if self.buffer.len() >= FULL_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Sends what was said.
    pub(super) async fn flush(&mut self) -> Result<()> {
        while !self.buffer.is_empty() {
            match self.half.try_write(&self.buffer) {
                Ok(0) => return Err(LOST),
                Ok(sent) => self.buffer.advance(sent),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait().await?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(LOST),
            }
        }
        if self.buffer.capacity() > 4 * FULL_BYTES {
            self.buffer = BytesMut::new();
        }
        // A client that takes everything at once would else keep this thread, and whoever wants to
        // stop it would wait.
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn wait(&self) -> Result<()> {
        match tokio::time::timeout(self.patience, self.half.writable()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(LOST),
            Err(_) => Err(Trouble::Gone("the client did not take its rows")),
        }
    }
}
