//! The bytes of a file as the scanner gets them: a window that holds only whole UTF-8 without the
//! characters that XML forbids, moves on as tokens are taken, and is read in large blocks.

use std::io::{self, Read};

/// Bytes read at once: they stay in a core's own cache while they are looked through.
const BUFFER: usize = 256 << 10;

/// Bytes searched at once for one that is rare.
const BLOCK: usize = 512;

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file cannot be read.
    Read(io::Error),
    /// It is longer than it may be.
    File,
    /// It is not UTF-8 there.
    NotUtf8(u64),
    /// A character that XML forbids is there.
    Control(u64),
}

/// See the module.
pub(super) struct Feed<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The window; behind it, up to `end`, lies the beginning of a character.
    window: std::ops::Range<usize>,
    end: usize,
    /// Read so far.
    read: u64,
    most: u64,
    ended: bool,
}

impl<R: Read> Feed<R> {
    /// Reads at most `most` bytes. The buffer is used again.
    pub(super) fn new(inner: R, most: u64, mut buffer: Vec<u8>) -> Self {
        buffer.resize(BUFFER, 0);
        Self { inner, buffer, window: 0..0, end: 0, read: 0, most, ended: false }
    }

    pub(super) fn window(&self) -> &[u8] {
        &self.buffer[self.window.clone()]
    }

    /// Moves the window's beginning.
    pub(super) fn take(&mut self, bytes: usize) {
        self.window.start += bytes;
    }

    /// Bytes of the file before the window.
    pub(super) fn position(&self) -> u64 {
        self.read - (self.end - self.window.start) as u64
    }

    /// The buffer, for the next file.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Moves the window's end; says whether there was more. The window grows as its tokens do, so
    /// whoever asks bounds these.
    pub(super) fn more(&mut self) -> Result<bool, Stop> {
        self.buffer.copy_within(self.window.start..self.end, 0);
        self.end -= self.window.start;
        self.window = 0..self.window.len();
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        let before = self.window.end;
        while self.window.end == before && !self.ended {
            let read = match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Read(error)),
            };
            self.read += read as u64;
            self.end += read;
            if self.read > self.most {
                return Err(Stop::File);
            }
            self.ended = read == 0;
            self.watch()?;
        }
        Ok(self.window.end > before)
    }

    /// Looks at what was read last.
    fn watch(&mut self) -> Result<(), Stop> {
        let bytes = &self.buffer[self.window.end..self.end];
        let begin = self.read - bytes.len() as u64;
        let whole = match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            // What waits at the end of all is a character that was cut.
            Err(error) if error.error_len().is_none() && !self.ended => error.valid_up_to(),
            Err(error) => return Err(Stop::NotUtf8(begin + error.valid_up_to() as u64)),
        };
        if let Some(at) = forbidden(&bytes[..whole]) {
            return Err(Stop::Control(begin + at as u64));
        }
        self.window.end += whole;
        Ok(())
    }
}

/// Where the first character is that XML forbids even where it is escaped.
pub(super) fn forbidden(bytes: &[u8]) -> Option<usize> {
    let is_it = |byte: u8| (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
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
fn any(bytes: &[u8], is_it: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |any, byte| any | u8::from(is_it(*byte))) != 0
}
