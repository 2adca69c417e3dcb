//! From frames to messages.
//!
//! pgwire's own reading takes lengths inside a frame on trust, and panics or reads into the next
//! frame where they lie. Here each is held against the frame that it stands in, and text that is
//! not UTF-8 is refused rather than mended into another text.

use bytes::Bytes;
use datafusion_postgres::pgwire::messages::extendedquery::Bind;

use super::fault::{Fault, Result};
use super::frames::Frame;

/// What a client says after its log-in.
#[derive(Debug)]
pub(super) enum Message {
    Query(String),
    Parse {
        name: String,
        sql: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe(Target),
    Execute {
        portal: String,
        max_rows: usize,
    },
    Close(Target),
    Flush,
    Sync,
    Terminate,
    /// What is left of a copy that was refused.
    Ignored,
    /// A call that PostgreSQL itself advises against.
    FunctionCall,
}

/// What a description or a farewell is about; nameless ones have an empty name.
#[derive(Debug)]
pub(super) enum Target {
    Statement(String),
    Portal(String),
}

/// Whether a message of this kind belongs to the extended protocol: after an error, what follows is
/// skipped until a `Sync`.
pub(super) fn is_extended(kind: u8) -> bool {
    matches!(kind, b'P' | b'B' | b'D' | b'E' | b'C' | b'H' | b'S')
}

/// Takes a frame apart.
pub(super) fn read(frame: &Frame) -> Result<Message> {
    let mut body = Body::new(&frame.body);
    let message = match frame.kind {
        b'Q' => Message::Query(body.text()?),
        b'P' => {
            let (name, sql) = (body.text()?, body.text()?);
            let types = body.list(|body| body.number().map(|oid| oid as u32))?;
            Message::Parse { name, sql, types }
        }
        b'B' => Message::Bind(bind(&mut body)?),
        b'D' => Message::Describe(target(&mut body)?),
        b'E' => {
            let (portal, rows) = (body.text()?, body.number()?);
            // As in PostgreSQL, less than one row means all of them.
            let max_rows = usize::try_from(rows).ok().filter(|rows| *rows > 0);
            Message::Execute { portal, max_rows: max_rows.unwrap_or(usize::MAX) }
        }
        b'C' => Message::Close(target(&mut body)?),
        b'H' => Message::Flush,
        b'S' => Message::Sync,
        b'X' => Message::Terminate,
        b'F' => return Ok(Message::FunctionCall),
        _ => return Ok(Message::Ignored),
    };
    body.end()?;
    Ok(message)
}

fn bind(body: &mut Body<'_>) -> Result<Bind> {
    let (portal, statement) = (body.text()?, body.text()?);
    let formats = body.list(Body::short)?;
    let values = body.list(|body| match body.number()? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| malformed())?;
            Ok(Some(Bytes::copy_from_slice(body.bytes(length)?)))
        }
    })?;
    let results = body.list(Body::short)?;
    Ok(Bind::new(Some(portal), Some(statement), formats, values, results))
}

fn target(body: &mut Body<'_>) -> Result<Target> {
    match body.bytes(1)? {
        b"S" => body.text().map(Target::Statement),
        b"P" => body.text().map(Target::Portal),
        _ => Err(malformed().into()),
    }
}

fn malformed() -> Fault {
    Fault::protocol("a message is not of the form that its kind has")
}

/// What follows the length of a frame, read from the front.
pub(super) struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(super) fn number(&mut self) -> Result<i32> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*number))
    }

    fn short(&mut self) -> Result<i16> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(i16::from_be_bytes(*number))
    }

    /// A text and the zero that ends it.
    pub(super) fn text(&mut self) -> Result<String> {
        let length = self.0.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
        let text = self.bytes(length)?;
        self.bytes(1)?;
        let text = std::str::from_utf8(text);
        Ok(text.map_err(|_| Fault::new("22021", "the text is not UTF-8"))?.to_owned())
    }

    /// A count, and as many of what `read` reads.
    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        // The count may be a lie: no room is made for what has not come.
        let count = self.short()? as u16;
        (0..count).map(|_| read(self)).collect()
    }

    fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(malformed().into()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fault::Trouble;
    use super::*;

    fn of(kind: u8, body: &[u8]) -> Result<Message> {
        read(&Frame { kind, body: Bytes::copy_from_slice(body) })
    }

    fn code(kind: u8, body: &[u8]) -> Option<String> {
        match of(kind, body) {
            Err(Trouble::Fault(fault)) => Some(fault.sqlstate().to_owned()),
            _ => None,
        }
    }

    #[test]
    fn well_formed_messages_are_read() {
        assert!(matches!(of(b'Q', b"SELECT 1\0"), Ok(Message::Query(sql)) if sql == "SELECT 1"));
        let parse = of(b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17");
        assert!(matches!(parse, Ok(Message::Parse { types, .. }) if types == [23]));
        let bind = of(b'B', b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\0").unwrap();
        let Message::Bind(bind) = bind else { panic!("{bind:?}") };
        assert_eq!(bind.parameter_format_codes, [1]);
        assert_eq!(bind.parameters, [Some(Bytes::from_static(b"x")), None]);
        for (rows, most) in [(0, usize::MAX), (7, 7), (-1, usize::MAX)] {
            let body = [b"\0".as_slice(), &i32::to_be_bytes(rows)].concat();
            let read = of(b'E', &body);
            assert!(matches!(read, Ok(Message::Execute { max_rows, .. }) if max_rows == most));
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for (kind, body) in [
            (b'Q', b"SELECT 1".as_slice()),
            (b'Q', b"SELECT 1\0\0"),
            (b'P', b"\0\0"),
            (b'P', b"\0\0\xff\xff\0\0\0\x17"),
            (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xffx\0\0"),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"),
            (b'B', b"\0\0\xff\xff"),
            (b'D', b"X\0"),
            (b'C', b""),
            (b'E', b"\0\0\0"),
            (b'S', b"x"),
        ] {
            assert_eq!(code(kind, body).as_deref(), Some("08P01"), "{kind}: {body:?}");
        }
        assert_eq!(code(b'Q', b"SELECT '\xff'\0").as_deref(), Some("22021"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_fall(
            kind in proptest::sample::select(b"QPBDECHSXFdcf".to_vec()),
            body in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let _ = of(kind, &body);
        }
    }
}
