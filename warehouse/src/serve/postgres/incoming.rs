//! The half of a connection that listens.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::Interest;
use tokio::net::tcp::OwnedReadHalf;

use super::fault::{Result, Trouble};
use super::frames::{self, Bounds, Frame, Phase};

/// Bytes that are made room for at a time.
const READ_BYTES: usize = 8 << 10;

/// A buffer larger than this is given back when it is empty.
const KEPT_BYTES: usize = 64 << 10;

/// How often it is looked whether a client is still there.
const GLANCE: Duration = Duration::from_millis(50);

/// What is read and thrown away after the last word.
const LEFT_OVER_BYTES: usize = 8 << 20;

pub(super) struct Incoming {
    half: OwnedReadHalf,
    buffer: BytesMut,
    bounds: Bounds,
    pub(super) phase: Phase,
}

impl Incoming {
    pub(super) fn new(half: OwnedReadHalf, bounds: Bounds) -> Self {
        Self { half, buffer: BytesMut::new(), bounds, phase: Phase::Start }
    }

    /// The next frame; `None` when the client has left. Nothing is lost when this is dropped.
    pub(super) async fn frame(&mut self) -> Result<Option<Frame>> {
        loop {
            if let Some(frame) = frames::take(&mut self.buffer, self.phase, self.bounds)? {
                self.tidy();
                return Ok(Some(frame));
            }
            self.buffer.reserve(READ_BYTES);
            match self.half.try_read_buf(&mut self.buffer) {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Err(LOST),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.half.readable().await.map_err(|_| LOST)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(LOST),
            }
        }
    }

    /// Ends when the client is gone, without taking what it may have sent.
    pub(super) async fn lost(&self) {
        loop {
            match self.half.ready(Interest::READABLE).await {
                // What it sent ahead makes the socket ready for as long as it is not taken.
                Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(GLANCE).await,
                _ => return,
            }
        }
    }

    /// Takes what the client still sends until it leaves: a connection that is closed over bytes
    /// that nobody read takes its last message with it.
    pub(super) async fn drain(&mut self) {
        let mut left = LEFT_OVER_BYTES;
        self.buffer = BytesMut::new();
        while left > 0 {
            self.buffer.clear();
            self.buffer.reserve(READ_BYTES);
            match self.half.try_read_buf(&mut self.buffer) {
                Ok(0) => return,
                Ok(taken) => left = left.saturating_sub(taken),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.half.readable().await.is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// An idle connection keeps no more than it needs.
    fn tidy(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BYTES {
            self.buffer = BytesMut::new();
        }
    }
}

pub(super) const LOST: Trouble = Trouble::Gone("the connection was lost");
