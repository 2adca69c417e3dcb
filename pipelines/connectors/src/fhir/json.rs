//! One JSON text, as FHIR needs it read: a decimal keeps its digits (`1.10` is a finer measurement
//! than `1.1`, and FHIR asks that it stay so), a member that comes twice is refused instead of the
//! last one winning, and nesting and number of values are bounded.
//!
//! The usual reader keeps neither digits nor doubled members without features that would change it
//! for everything else in the program.

use std::borrow::Cow;
use std::collections::HashSet;

/// Nesting beyond this is no resource: the deepest of the standard's own examples has some twenty.
const DEPTH: usize = 64;

/// Values in one text, so that a line of brackets does not become a hundred times its size.
const VALUES: usize = 1_000_000;

/// Members up to which comparing each with each is faster than a set.
const FEW_MEMBERS: usize = 16;

/// A value, borrowed from the text where it can be.
#[derive(Debug, PartialEq)]
pub(super) enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(&'a str),
    /// A string, its escapes resolved.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Json<'a>>),
    /// Members in their order, each name once.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Why a text is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Bytes of the text before the place.
    pub(super) byte: usize,
    /// What is wrong, in words that quote nothing.
    pub(super) what: &'static str,
}

/// Reads a text that is one value.
pub(super) fn parse(text: &str) -> Result<Json<'_>, Fault> {
    let mut parser = Parser { text, at: 0, values: 0 };
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.fault("something follows the value"));
    }
    Ok(value)
}

impl<'a> Json<'a> {
    /// The member of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Json<'a>> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    fn fault(&self, what: &'static str) -> Fault {
        Fault { byte: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Whether the next byte is this one; then it is passed.
    fn eat(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Fault> {
        self.space();
        self.values += 1;
        if self.values > VALUES {
            return Err(self.fault("it holds more than 1000000 values"));
        }
        if depth > DEPTH {
            return Err(self.fault("it nests deeper than 64 levels"));
        }
        match self.peek() {
            None => Err(self.fault("it ends too early")),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(_) => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json<'a>, Fault> {
        let words =
            [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        for (word, value) in words {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.fault("there is no value where one belongs"))
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Fault> {
        self.at += 1;
        let mut values = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Json::Array(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Json::Array(values));
            }
            if !self.eat(b',') {
                return Err(self.fault("a list is not closed"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Fault> {
        self.at += 1;
        let mut members = Vec::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.fault("a member has no name"));
            }
            let name = self.string()?;
            self.space();
            if !self.eat(b':') {
                return Err(self.fault("a colon is missing behind a member's name"));
            }
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err(self.fault("an object is not closed"));
            }
        }
        if doubled(&members) {
            return Err(self.fault("an object has a member twice"));
        }
        Ok(Json::Object(members))
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        self.eat(b'-');
        let zero_first = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (zero_first && whole > 1) {
            return Err(self.fault("a number is not written as JSON writes one"));
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(self.fault("a number has no digit behind its point"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'-') {
                self.eat(b'+');
            }
            if self.digits() == 0 {
                return Err(self.fault("a number has no digit in its exponent"));
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// Passes digits and counts them.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let mut start = self.at;
        let mut owned: Option<String> = None;
        loop {
            match self.peek() {
                None => return Err(self.fault("a string is not closed")),
                Some(b'"') => {
                    let last = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(last),
                        Some(text) => Cow::Owned(text + last),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    let resolved = self.escape()?;
                    owned.get_or_insert_default().push(resolved);
                    start = self.at;
                }
                Some(0..=0x1f) => return Err(self.fault("a string holds a control character")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let Some(kind) = self.peek() else { return Err(self.fault("a string is not closed")) };
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(self.fault("a string holds an escape that JSON does not know"));
            }
        })
    }

    /// The character of `\u` and four hexadecimal digits, or of the pair of them that a character beyond U+FFFF is.
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.four_digits()?;
        let code = match first {
            0xD800..=0xDBFF if self.eat(b'\\') && self.eat(b'u') => {
                let second = self.four_digits()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.fault("a string holds half a character"));
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        // A half that stands alone is no character.
        char::from_u32(code).ok_or_else(|| self.fault("a string holds half a character"))
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.fault("a string holds an escape without its four digits"));
            };
            self.at += 1;
            code = code * 16 + digit;
        }
        Ok(code)
    }
}

fn doubled(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if members.len() <= FEW_MEMBERS {
        let before = |at: usize| members[..at].iter().any(|(name, _)| *name == members[at].0);
        return (1..members.len()).any(before);
    }
    let mut seen = HashSet::with_capacity(members.len());
    !members.iter().all(|(name, _)| seen.insert(name.as_ref()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn what(text: &str) -> &'static str {
        parse(text).unwrap_err().what
    }

    /// The same value as the usual reader has it, whose numbers are compared as it reads them.
    fn usual(value: &Json<'_>) -> serde_json::Value {
        match value {
            Json::Null => serde_json::Value::Null,
            Json::Bool(truth) => (*truth).into(),
            Json::Number(text) => serde_json::from_str(text).unwrap(),
            Json::String(text) => text.as_ref().into(),
            Json::Array(values) => values.iter().map(usual).collect(),
            Json::Object(members) => {
                let member = |(name, value): &(Cow<'_, str>, Json<'_>)| {
                    (name.clone().into_owned(), usual(value))
                };
                serde_json::Value::Object(members.iter().map(member).collect())
            }
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["1.10", "-0", "0.000", "1E+2", "12345678901234567890.123456789"] {
            assert_eq!(parse(text), Ok(Json::Number(text)));
        }
    }

    #[test]
    fn escapes_become_their_characters() {
        let text = r#""\u0110\u00e0 N\u1eb5ng \uD83D\uDE00 \"\\\/\b\f\n\r\t""#;
        let expected = "Đà Nẵng 😀 \"\\/\u{8}\u{c}\n\r\t";
        assert_eq!(parse(text), Ok(Json::String(expected.into())));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert_eq!(what(""), "it ends too early");
        assert_eq!(what(r#"{"a":1"#), "an object is not closed");
        assert_eq!(what("[1"), "a list is not closed");
        assert_eq!(what("[1,]"), "there is no value where one belongs");
        assert_eq!(what(r#"{"a" 1}"#), "a colon is missing behind a member's name");
        assert_eq!(what("{1:2}"), "a member has no name");
        assert_eq!(what("1 2"), "something follows the value");
        assert_eq!(what("\"a"), "a string is not closed");
        assert_eq!(what("\"a\nb\""), "a string holds a control character");
        assert_eq!(what(r#""\x""#), "a string holds an escape that JSON does not know");
        assert_eq!(what(r#""\u12""#), "a string holds an escape without its four digits");
        assert_eq!(what(r#""\uD83D""#), "a string holds half a character");
        assert_eq!(what(r#""\uD83D\u0041""#), "a string holds half a character");
        assert_eq!(what("01"), "a number is not written as JSON writes one");
        assert_eq!(what("1."), "a number has no digit behind its point");
        assert_eq!(what("1e"), "a number has no digit in its exponent");
        assert_eq!(
            parse(r#"{"a":tru}"#),
            Err(Fault { byte: 5, what: "there is no value where one belongs" })
        );
    }

    #[test]
    fn a_member_that_comes_twice_is_refused_in_small_and_large_objects() {
        assert_eq!(what(r#"{"a":1,"\u0061":2}"#), "an object has a member twice");
        let many: Vec<String> = (0..40).map(|i| format!("\"m{}\":{i}", i % 39)).collect();
        assert_eq!(what(&format!("{{{}}}", many.join(","))), "an object has a member twice");
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(DEPTH)).is_ok());
        assert_eq!(what(&nested(DEPTH + 2)), "it nests deeper than 64 levels");
        assert_eq!(what(&nested(1_000_000)), "it nests deeper than 64 levels");
        let wide = format!("[{}0]", "0,".repeat(VALUES));
        assert_eq!(what(&wide), "it holds more than 1000000 values");
    }

    proptest! {
        #[test]
        fn it_takes_and_reads_what_the_usual_reader_does(
            text in r#"[\[\]{}:,"\\u0-9a-eE+\-. ĐtrueDfalsn\t]{0,24}"#,
        ) {
            match parse(&text) {
                Ok(value) => prop_assert_eq!(Some(usual(&value)), serde_json::from_str(&text).ok()),
                // A number beyond the usual reader's reach is the only other thing it refuses.
                Err(fault) => prop_assert!(
                    fault.what.contains("twice") || serde_json::from_str::<serde_json::Value>(&text).is_err()
                ),
            }
        }

        #[test]
        fn what_the_usual_writer_writes_is_read_as_the_usual_reader_reads_it(
            numbers in prop::collection::vec(any::<f64>(), 0..6),
            text in ".{0,20}",
            name in ".{0,5}",
        ) {
            let written = serde_json::json!({ "n": numbers, "o": { name: text } }).to_string();
            let expected: serde_json::Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(usual(&parse(&written).unwrap()), expected);
        }
    }
}
