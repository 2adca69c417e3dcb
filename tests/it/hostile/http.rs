//! The web's side of the door: raw requests, and the few well-formed ones that a browser sends.
//! How a question, a download and a log-in are sent stands here and nowhere else in these tests.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use url::form_urlencoded::byte_serialize;

use super::wire::{Trouble, trouble};

/// Bytes of an answer that are read; more than this is not waited for.
const BYTES_KEPT: usize = 64 << 20;

/// What a question is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Page,
    Csv,
    Json,
}

impl Form {
    fn path(self) -> &'static str {
        match self {
            Self::Page => "/sql",
            Self::Csv => "/sql.csv",
            Self::Json => "/sql.json",
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in lower case; of a name that stands twice, the last.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
    /// Whether the body ended where it should.
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A reader of the web: a host, and the cookie of a log-in.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) host: String,
    cookie: Option<String>,
    patience: Duration,
}

impl Reader {
    /// A stranger; `base` is `http://127.0.0.1:8080`.
    pub(super) fn stranger(base: &str, patience: Duration) -> Self {
        let host = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { host, cookie: None, patience }
    }

    /// The same reader after logging in; `None` where that is refused.
    pub(super) fn log_in(&self, name: &str, password: &str) -> Option<Self> {
        let answer = self.post("/dang-nhap", &[("ten", name), ("mat_khau", password)]).ok()?;
        let cookie = answer.headers.get("set-cookie").filter(|_| answer.status < 400)?;
        let cookie = cookie.split(';').next().map(str::to_owned);
        Some(Self { cookie, ..self.clone() })
    }

    /// Asks a question.
    pub(super) fn ask(&self, form: Form, sql: &str) -> Result<Answer, Trouble> {
        self.post(form.path(), &[("q", sql)])
    }

    /// The bytes of a question, for those who read the answer in their own time.
    pub(super) fn question(&self, form: Form, sql: &str) -> Vec<u8> {
        self.form(form.path(), &[("q", sql)])
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer, Trouble> {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers());
        self.exchange(request.as_bytes())
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Trouble> {
        self.exchange(&self.form(path, fields))
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let escape = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let body = fields.join("&");
        let head = format!(
            "POST {path} HTTP/1.1\r\n{}Origin: http://{}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            self.headers(),
            self.host,
            body.len()
        );
        (head + &body).into_bytes()
    }

    fn headers(&self) -> String {
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
        format!("Host: {}\r\nConnection: close\r\n{cookie}", self.host)
    }

    /// Sends bytes, and reads one answer.
    pub(super) fn exchange(&self, request: &[u8]) -> Result<Answer, Trouble> {
        let deadline = Instant::now() + self.patience;
        let mut stream = TcpStream::connect(&self.host).map_err(|_| Trouble::Closed)?;
        let limit = Some(self.patience);
        stream.set_write_timeout(limit).map_err(|_| Trouble::Closed)?;
        // An early refusal may close before everything is sent; what it says is then still read.
        let sent = stream.write_all(request).map_err(|error| trouble(&error));
        read_answer(&mut stream, deadline).map_err(|trouble| sent.err().unwrap_or(trouble))
    }
}

/// Reads one answer from a connection that closes after it.
pub(super) fn read_answer(stream: &mut TcpStream, deadline: Instant) -> Result<Answer, Trouble> {
    let mut raw = Vec::new();
    let ended = read_until_closed(stream, &mut raw, deadline);
    let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Err(ended.err().unwrap_or(Trouble::Closed));
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or(Trouble::Garbled)?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let rest = raw.split_off(end + 4);
    let (body, whole) = if headers.get("transfer-encoding").is_some_and(|how| how == "chunked") {
        unchunk(&rest)
    } else if let Some(length) = headers.get("content-length") {
        let whole = length.parse() == Ok(rest.len());
        (rest, whole)
    } else {
        (rest, ended.is_ok())
    };
    Ok(Answer { status, headers, body, whole })
}

fn read_until_closed(
    stream: &mut TcpStream,
    raw: &mut Vec<u8>,
    deadline: Instant,
) -> Result<(), Trouble> {
    let mut piece = vec![0; 64 << 10];
    while raw.len() < BYTES_KEPT {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Silent);
        }
        stream.set_read_timeout(Some(left)).map_err(|_| Trouble::Closed)?;
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => raw.extend_from_slice(&piece[..count]),
            Err(error) => return Err(trouble(&error)),
        }
    }
    Err(Trouble::Silent)
}

/// The content of chunks, and whether the last of them is there.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let Ok(size) = usize::from_str_radix(size, 16) else { break };
        let after = &rest[end + 2..];
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&after[..size.min(after.len())]);
        let Some(next) = after.get(size + 2..) else { break };
        rest = next;
    }
    (body, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_a_cut_one_is_seen() {
        assert_eq!(
            unchunk(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            (b"abc0123456789".to_vec(), true)
        );
        assert_eq!(unchunk(b"3\r\nabc\r\nA\r\n01234"), (b"abc01234".to_vec(), false));
        assert_eq!(unchunk(b"zz\r\n"), (Vec::new(), false));
    }

    #[test]
    fn a_question_is_a_form_of_its_own_origin() {
        let reader = Reader::stranger("http://127.0.0.1:81/", Duration::from_secs(1));
        let sent = String::from_utf8(reader.question(Form::Csv, "SELECT 1+1")).unwrap();
        assert!(sent.starts_with("POST /sql.csv HTTP/1.1\r\nHost: 127.0.0.1:81\r\n"), "{sent}");
        assert!(sent.contains("\r\nOrigin: http://127.0.0.1:81\r\n"), "{sent}");
        assert!(sent.ends_with("Content-Length: 14\r\n\r\nq=SELECT+1%2B1"), "{sent}");
    }
}
