//! A small client of `PostgreSQL`'s wire protocol, for saying what no driver would say.
//!
//! It logs in, asks in both protocols, sends raw bytes and cancels. It gives up when its time is
//! over, and keeps only the beginning of an answer, so that no answer fills this process.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::message::{self, Value};
use super::scram::{MECHANISM, Scram};

/// Rows of an answer that are kept; the others are counted.
const ROWS_KEPT: usize = 100;

/// Bytes of a message that are kept.
const BYTES_KEPT: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The other side closed the connection.
    Closed,
    /// Nothing came in time.
    Silent,
    /// The log-in was refused.
    Refused(Failure),
    /// What came is not of the protocol.
    Garbled,
}

/// An error of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// SQLSTATE.
    pub(super) code: String,
    pub(super) message: String,
}

/// Everything up to the server's being ready again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    /// The first rows, as text; `None` is null.
    pub(super) rows: Vec<Vec<Option<String>>>,
    pub(super) row_count: u64,
    /// What the server says that it did, a tag for each statement.
    pub(super) tags: Vec<String>,
    /// The first error.
    pub(super) failure: Option<Failure>,
}

impl Reply {
    /// The SQLSTATE of the first error.
    pub(super) fn code(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.code.as_str())
    }

    /// The first cell.
    pub(crate) fn cell(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }
}

/// A message of the server.
pub(super) struct Message {
    pub(super) kind: u8,
    /// At most [`BYTES_KEPT`].
    pub(super) content: Vec<u8>,
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    port: u16,
    patience: Duration,
    key: Vec<u8>,
    buffer: Vec<u8>,
    /// How much of the buffer is read.
    at: usize,
}

impl Client {
    /// Connects and says nothing.
    pub(crate) fn connect(port: u16, patience: Duration) -> Result<Self, Trouble> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|_| Trouble::Closed)?;
        stream.set_nodelay(true).map_err(|_| Trouble::Closed)?;
        Ok(Self { stream, port, patience, key: Vec::new(), buffer: Vec::new(), at: 0 })
    }

    /// Connects and logs in; every later wait is at most `patience` long.
    pub(crate) fn log_in(
        port: u16,
        user: &str,
        password: &str,
        patience: Duration,
    ) -> Result<Self, Trouble> {
        let mut client = Self::connect(port, patience)?;
        client.authenticate(user, password)?;
        Ok(client)
    }

    fn authenticate(&mut self, user: &str, password: &str) -> Result<(), Trouble> {
        self.say(&message::startup(user, &[]))?;
        let scram = Scram::new(password, "ngau-nhien-cua-khach");
        loop {
            let heard = self.hear()?;
            match (heard.kind, heard.content.get(..4)) {
                (b'R', Some([0, 0, 0, 10])) => {
                    self.say(&message::sasl_initial(MECHANISM, &scram.begin()))?;
                }
                (b'R', Some([0, 0, 0, 11])) => {
                    let words = String::from_utf8_lossy(&heard.content[4..]).into_owned();
                    let proof = scram.prove(&words).ok_or(Trouble::Garbled)?;
                    self.say(&message::frame(b'p', proof.as_bytes()))?;
                }
                (b'K', _) => self.key = heard.content,
                (b'E', _) => return Err(Trouble::Refused(failure(&heard.content))),
                (b'Z', _) => return Ok(()),
                _ => {}
            }
        }
    }

    /// Sets how long later waits are.
    pub(super) fn within(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Asks by the simple protocol.
    pub(crate) fn simple(&mut self, sql: &str) -> Result<Reply, Trouble> {
        self.exchange(&message::query(sql))
    }

    /// Asks by the extended protocol, with parameters of types that the server finds out.
    pub(super) fn extended(&mut self, sql: &str, values: &[Value]) -> Result<Reply, Trouble> {
        self.exchange(&message::extended(sql, &[], values))
    }

    /// Sends bytes and waits for the server to be ready again.
    pub(super) fn exchange(&mut self, bytes: &[u8]) -> Result<Reply, Trouble> {
        let sent = self.say(bytes);
        let reply = self.until_ready();
        // What a server says before it closes is worth more than that it closed.
        if reply.is_ok() { reply } else { sent.and(reply) }
    }

    /// Sends bytes.
    pub(super) fn say(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.set_write_timeout(Some(self.patience)).map_err(|_| Trouble::Closed)?;
        self.stream.write_all(bytes).map_err(|error| trouble(&error))
    }

    /// The next message.
    pub(super) fn hear(&mut self) -> Result<Message, Trouble> {
        self.hear_by(Instant::now() + self.patience)
    }

    fn hear_by(&mut self, deadline: Instant) -> Result<Message, Trouble> {
        let head = self.take(5, deadline)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let length = length.checked_sub(4).ok_or(Trouble::Garbled)?;
        let content = self.take(length.min(BYTES_KEPT), deadline)?;
        let mut rest = length - content.len();
        while rest > 0 {
            rest -= self.take(rest.min(BYTES_KEPT), deadline)?.len();
        }
        Ok(Message { kind: head[0], content })
    }

    /// Everything up to the next time that the server is ready.
    pub(super) fn until_ready(&mut self) -> Result<Reply, Trouble> {
        let deadline = Instant::now() + self.patience;
        let mut reply = Reply::default();
        loop {
            let heard = match self.hear_by(deadline) {
                Ok(heard) => heard,
                // A fatal error is followed by the end of the connection.
                Err(Trouble::Closed) => match reply.failure {
                    Some(failure) => return Err(Trouble::Refused(failure)),
                    None => return Err(Trouble::Closed),
                },
                Err(trouble) => return Err(trouble),
            };
            match heard.kind {
                b'Z' => return Ok(reply),
                b'E' => reply.failure = reply.failure.or_else(|| Some(failure(&heard.content))),
                b'C' => reply.tags.push(text(&heard.content)),
                b'D' => {
                    reply.row_count += 1;
                    if reply.rows.len() < ROWS_KEPT {
                        reply.rows.push(cells(&heard.content));
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether the server closes this connection within a time, whatever it says before.
    pub(super) fn is_closed_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        loop {
            match self.hear_by(deadline) {
                Err(Trouble::Silent) => return false,
                Err(_) => return true,
                Ok(_) => {}
            }
        }
    }

    /// Asks, on a connection of its own, that what this one runs be stopped.
    pub(super) fn cancel(&self) -> Result<(), Trouble> {
        let mut other = Self::connect(self.port, self.patience)?;
        other.say(&message::cancel(&self.key))?;
        other.is_closed_within(self.patience).then_some(()).ok_or(Trouble::Silent)
    }

    /// The key by which this connection is cancelled.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The same connection, to be cancelled by another key.
    pub(super) fn with_key(mut self, key: &[u8]) -> Self {
        self.key = key.to_vec();
        self
    }

    /// Says that nothing more will be said; the server may still answer.
    pub(super) fn done_talking(&self) {
        // Closed by the other side already is as good.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Goes without a word, as a machine that loses its network does in the end.
    pub(super) fn vanish(self) {
        // Closed by the other side already is as good as gone.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Takes the next `count` bytes, at most a few more than [`BYTES_KEPT`].
    fn take(&mut self, count: usize, deadline: Instant) -> Result<Vec<u8>, Trouble> {
        while self.buffer.len() - self.at < count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Trouble::Silent);
            }
            self.stream.set_read_timeout(Some(left)).map_err(|_| Trouble::Closed)?;
            self.buffer.drain(..std::mem::take(&mut self.at));
            let end = self.buffer.len();
            self.buffer.resize(end + (64 << 10), 0);
            let read = self.stream.read(&mut self.buffer[end..]);
            self.buffer.truncate(end + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(Trouble::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(trouble(&error)),
            }
        }
        let bytes = self.buffer[self.at..self.at + count].to_vec();
        self.at += count;
        Ok(bytes)
    }
}

pub(super) fn trouble(error: &std::io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Trouble::Silent,
        _ => Trouble::Closed,
    }
}

fn text(content: &[u8]) -> String {
    let end = content.iter().position(|byte| *byte == 0).unwrap_or(content.len());
    String::from_utf8_lossy(&content[..end]).into_owned()
}

fn failure(content: &[u8]) -> Failure {
    let fields: Vec<String> = content.split(|byte| *byte == 0).map(text).collect();
    let field = |kind: char| {
        let found = fields.iter().find_map(|field| field.strip_prefix(kind));
        found.unwrap_or_default().to_owned()
    };
    Failure { code: field('C'), message: field('M') }
}

/// The cells of a row; what was cut off is missing.
fn cells(content: &[u8]) -> Vec<Option<String>> {
    let mut rest = content.get(2..).unwrap_or_default();
    let mut cells = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            cells.push(None);
            rest = after;
            continue;
        };
        let end = length.min(after.len());
        cells.push(Some(String::from_utf8_lossy(&after[..end]).into_owned()));
        rest = &after[end..];
    }
    cells
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A server that says these bytes to whoever connects, and closes.
    fn saying(bytes: Vec<u8>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || listener.accept().unwrap().0.write_all(&bytes).unwrap());
        port
    }

    fn heard(bytes: &[Vec<u8>]) -> Result<Reply, Trouble> {
        Client::connect(saying(bytes.concat()), Duration::from_secs(5)).unwrap().until_ready()
    }

    #[test]
    fn rows_tags_and_errors_are_read() {
        let row = message::frame(b'D', &[0, 2, 0, 0, 0, 1, b'7', 255, 255, 255, 255]);
        let error = message::frame(b'E', b"SERROR\0C57014\0Mstopped\0\0");
        let done = message::frame(b'C', b"SELECT 1\0");
        let ready = message::frame(b'Z', b"I");
        let reply = heard(&[row, done, error.clone(), ready]).unwrap();
        assert_eq!(reply.rows, [[Some("7".to_owned()), None]]);
        assert_eq!((reply.row_count, reply.cell(), reply.code()), (1, Some("7"), Some("57014")));
        assert_eq!(reply.tags, ["SELECT 1"]);
        let end = heard(&[error]).unwrap_err();
        let stopped = Failure { code: "57014".into(), message: "stopped".into() };
        assert_eq!(end, Trouble::Refused(stopped));
        assert_eq!(heard(&[]).unwrap_err(), Trouble::Closed);
        let short = message::frame_of_length(b'Z', 3, b"I");
        assert_eq!(heard(&[short]).unwrap_err(), Trouble::Garbled);
    }

    #[test]
    fn long_messages_are_cut_and_silence_ends() {
        let long = message::frame(b'D', &vec![b'x'; 3 * BYTES_KEPT]);
        let reply = heard(&[long, message::frame(b'Z', b"I")]).unwrap();
        assert_eq!(reply.row_count, 1);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut client = Client::connect(port, Duration::from_millis(50)).unwrap();
        assert_eq!(client.until_ready().unwrap_err(), Trouble::Silent);
        assert!(!client.is_closed_within(Duration::from_millis(50)));
    }
}
