//! Messages of `PostgreSQL`'s wire protocol as bytes, version 3.0: well-formed ones here, whatever
//! else a test wants by [`frame`] and by hand.

/// Code of a request to cancel, in place of a protocol version.
const CANCEL: u32 = 80_877_102;

/// Code of a request for TLS.
const TLS: u32 = 80_877_103;

/// Version 3.0.
const VERSION: u32 = 196_608;

/// A message of the front end: its kind, its length, its content.
pub(super) fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&length(content).to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// A message with a length that may lie.
pub(super) fn frame_of_length(kind: u8, length: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

fn length(content: &[u8]) -> u32 {
    u32::try_from(content.len() + 4).expect("a message of less than 4 GiB")
}

/// The first message: who connects, and settings.
pub(super) fn startup(user: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut content = VERSION.to_be_bytes().to_vec();
    for (name, value) in [("user", user), ("database", "khoyte")].iter().chain(more) {
        push_text(&mut content, name);
        push_text(&mut content, value);
    }
    content.push(0);
    without_kind(&content)
}

/// A first message with a version that may not be one.
pub(super) fn startup_of_version(version: u32, content: &[u8]) -> Vec<u8> {
    without_kind(&[&version.to_be_bytes(), content].concat())
}

/// The question whether TLS is spoken.
pub(super) fn tls() -> Vec<u8> {
    without_kind(&TLS.to_be_bytes())
}

/// A request to cancel what the connection with this key runs.
pub(super) fn cancel(key: &[u8]) -> Vec<u8> {
    without_kind(&[&CANCEL.to_be_bytes(), key].concat())
}

fn without_kind(content: &[u8]) -> Vec<u8> {
    [&length(content).to_be_bytes(), content].concat()
}

pub(super) fn query(sql: &str) -> Vec<u8> {
    let mut content = Vec::with_capacity(sql.len() + 1);
    push_text(&mut content, sql);
    frame(b'Q', &content)
}

/// `types` are object identifiers, 0 for one that the server finds out.
pub(super) fn parse(statement: &str, sql: &str, types: &[u32]) -> Vec<u8> {
    let mut content = Vec::with_capacity(sql.len() + 16);
    push_text(&mut content, statement);
    push_text(&mut content, sql);
    push_count(&mut content, types.len());
    types.iter().for_each(|one| content.extend_from_slice(&one.to_be_bytes()));
    frame(b'P', &content)
}

/// A value of a parameter.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Text(String),
    Binary(Vec<u8>),
}

/// Rows are asked for as text.
pub(super) fn bind(portal: &str, statement: &str, values: &[Value]) -> Vec<u8> {
    let mut content = Vec::new();
    push_text(&mut content, portal);
    push_text(&mut content, statement);
    push_count(&mut content, values.len());
    for value in values {
        let format = i16::from(matches!(value, Value::Binary(_)));
        content.extend_from_slice(&format.to_be_bytes());
    }
    push_count(&mut content, values.len());
    for value in values {
        match value {
            Value::Null => content.extend_from_slice(&(-1_i32).to_be_bytes()),
            Value::Text(text) => push_bytes(&mut content, text.as_bytes()),
            Value::Binary(bytes) => push_bytes(&mut content, bytes),
        }
    }
    push_count(&mut content, 0);
    frame(b'B', &content)
}

/// `kind` is `S` for a statement, `P` for a portal.
pub(super) fn describe(kind: u8, name: &str) -> Vec<u8> {
    frame(b'D', &named(kind, name))
}

/// As [`describe`].
pub(super) fn close(kind: u8, name: &str) -> Vec<u8> {
    frame(b'C', &named(kind, name))
}

fn named(kind: u8, name: &str) -> Vec<u8> {
    let mut content = vec![kind];
    push_text(&mut content, name);
    content
}

/// `max_rows` of 0 asks for all.
pub(super) fn execute(portal: &str, max_rows: i32) -> Vec<u8> {
    let mut content = Vec::new();
    push_text(&mut content, portal);
    content.extend_from_slice(&max_rows.to_be_bytes());
    frame(b'E', &content)
}

pub(super) fn sync() -> Vec<u8> {
    frame(b'S', b"")
}

/// One question of the extended protocol, from its text to its rows.
pub(super) fn extended(sql: &str, types: &[u32], values: &[Value]) -> Vec<u8> {
    let described = [describe(b'P', ""), execute("", 0), sync()].concat();
    [parse("", sql, types), bind("", "", values), described].concat()
}

/// The beginning of a conversation of SCRAM, and what follows.
pub(super) fn sasl_initial(mechanism: &str, text: &str) -> Vec<u8> {
    let mut content = Vec::new();
    push_text(&mut content, mechanism);
    push_bytes(&mut content, text.as_bytes());
    frame(b'p', &content)
}

fn push_text(content: &mut Vec<u8>, text: &str) {
    content.extend_from_slice(text.as_bytes());
    content.push(0);
}

fn push_count(content: &mut Vec<u8>, count: usize) {
    // More than the protocol can count is a test of its own, made by hand.
    let count = u16::try_from(count).expect("at most 65,535");
    content.extend_from_slice(&count.to_be_bytes());
}

fn push_bytes(content: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("less than 4 GiB");
    content.extend_from_slice(&length.to_be_bytes());
    content.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_lengths_that_they_say() {
        assert_eq!(query("A"), [b'Q', 0, 0, 0, 6, b'A', 0]);
        assert_eq!(sync(), [b'S', 0, 0, 0, 4]);
        assert_eq!(cancel(&[0; 8]).len(), 16);
        assert_eq!(tls(), [0, 0, 0, 8, 4, 210, 22, 47]);
        let bound = bind("p", "s", &[Value::Null, Value::Binary(vec![7])]);
        let expected =
            [&b"p\0s\0"[..], &[0, 2, 0, 0, 0, 1, 0, 2, 255, 255, 255, 255, 0, 0, 0, 1, 7, 0, 0]]
                .concat();
        assert_eq!(bound, frame(b'B', &expected));
    }
}
