//! The bytes of a file as the XML parser gets them: only whole UTF-8 without the characters that XML
//! forbids, and never more for one event than was allowed.
//!
//! The parser keeps an event, such as a text or a tag, in memory whatever its length; this bounds
//! it from below.

use std::io::{self, BufRead, Read};

/// Bytes read at once.
const BUFFER: usize = 128 << 10;

/// Bytes searched at once for one that is rare.
const BLOCK: usize = 512;

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file cannot be read, or changed.
    Read(io::Error),
    /// It is longer than it may be.
    File,
    /// The event is longer than it may be.
    Event,
    /// It is not UTF-8 there.
    NotUtf8(u64),
    /// A character that XML forbids is there.
    Control(u64),
}

/// See the module.
pub(super) struct Feed<R> {
    inner: R,
    buffer: Vec<u8>,
    /// What may be given out; behind it, up to `end`, lies the beginning of a character.
    ready: std::ops::Range<usize>,
    end: usize,
    /// Read so far.
    read: u64,
    most: u64,
    /// Bytes that the event may still have.
    allowed: usize,
    ended: bool,
    stop: Option<Stop>,
}

impl<R: Read> Feed<R> {
    /// Reads at most `most` bytes. The buffer is used again.
    pub(super) fn new(inner: R, most: u64, mut buffer: Vec<u8>) -> Self {
        buffer.resize(BUFFER, 0);
        Self {
            inner,
            buffer,
            ready: 0..0,
            end: 0,
            read: 0,
            most,
            allowed: 0,
            ended: false,
            stop: None,
        }
    }

    /// The next event may have that many bytes.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.allowed = bytes;
    }

    /// Why the last read failed.
    pub(super) fn stopped(&mut self) -> Option<Stop> {
        self.stop.take()
    }

    /// The buffer, for the next file.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    fn halt<T>(&mut self, stop: Stop) -> io::Result<T> {
        self.stop = Some(stop);
        Err(io::ErrorKind::Other.into())
    }

    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.ready.end..self.end, 0);
        self.end -= self.ready.end;
        self.ready = 0..0;
        while self.ready.is_empty() && !self.ended {
            let read = match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.halt(Stop::Read(error)),
            };
            self.read += read as u64;
            if self.read > self.most {
                return self.halt(Stop::File);
            }
            let begin = self.read - (self.end + read) as u64;
            if read == 0 {
                self.ended = true;
                // What waits is a character that was cut.
                return if self.end == 0 { Ok(()) } else { self.halt(Stop::NotUtf8(begin)) };
            }
            self.end += read;
            let bytes = &self.buffer[..self.end];
            self.ready.end = match std::str::from_utf8(bytes) {
                Ok(_) => self.end,
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Err(error) => {
                    return self.halt(Stop::NotUtf8(begin + error.valid_up_to() as u64));
                }
            };
            if let Some(at) = forbidden(&bytes[..self.ready.end]) {
                return self.halt(Stop::Control(begin + at as u64));
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Feed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let read = ready.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ready[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Feed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ready.is_empty() && !self.ended {
            self.refill()?;
        }
        if self.allowed == 0 && !self.ready.is_empty() {
            return self.halt(Stop::Event);
        }
        let most = self.ready.len().min(self.allowed);
        Ok(&self.buffer[self.ready.start..self.ready.start + most])
    }

    fn consume(&mut self, bytes: usize) {
        self.ready.start += bytes;
        self.allowed -= bytes;
    }
}

/// Where the first character is that XML forbids even where it is escaped.
pub(super) fn forbidden(bytes: &[u8]) -> Option<usize> {
    first(bytes, |byte| (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r'))
}

/// Where the first byte is of that kind.
pub(super) fn first(bytes: &[u8], is_it: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    let mut before = 0;
    for block in bytes.chunks(BLOCK) {
        if any(block, is_it) {
            return block.iter().position(|byte| is_it(*byte)).map(|at| before + at);
        }
        before += block.len();
    }
    None
}

/// Whether a byte is of that kind. Without an early end, and with bytes for truths, the loop runs
/// over many bytes at once.
pub(super) fn any(bytes: &[u8], is_it: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |any, byte| any | u8::from(is_it(*byte))) != 0
}
