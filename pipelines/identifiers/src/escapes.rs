//! Writing that a program makes of text: entities, percent signs, escapes of strings, tags, base64.
//!
//! One layer is taken off at a time, so that the caller may look between them.

/// Whether anything in the text looks like an escape or a packed word.
pub(crate) fn may_be_escaped(text: &str) -> bool {
    has_escape(text) || has_packed_word(text)
}

/// Whether anything in the text looks like an escape.
pub(crate) fn has_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let hex = |one: u8| one.is_ascii_hexdigit();
    let escape = |(place, byte): (usize, &u8)| match byte {
        b'%' => hex(at(place + 1)) && hex(at(place + 2)),
        b'=' => hex(at(place + 1)) && hex(at(place + 2)) && matches!(at(place + 3), 0 | b'='),
        b'&' => at(place + 1) == b'#' || at(place + 1).is_ascii_alphabetic(),
        b'\\' => true,
        b'<' => at(place + 1).is_ascii_alphabetic() || matches!(at(place + 1), b'/' | b'!'),
        _ => false,
    };
    bytes.iter().enumerate().any(escape)
}

/// The text with one layer of escapes taken off, in each way that there is.
pub(crate) fn unescaped(text: &str) -> Vec<String> {
    let has = |sign: u8| text.as_bytes().contains(&sign);
    let ways = [
        has(b'&').then(|| entities(text, true)).flatten(),
        has(b'&').then(|| entities(text, false)).flatten(),
        has(b'%').then(|| hexadecimal(text, "%")).flatten(),
        has(b'\\').then(|| backslashes(text)).flatten(),
        has(b'=').then(|| hexadecimal(text, "=")).flatten(),
        has(b'<').then(|| without_tags(text)).flatten(),
        packed(text),
    ];
    let mut all: Vec<String> = ways.into_iter().flatten().collect();
    all.dedup();
    all
}

/// `&#48;`, `&#x30;` and the named entities that may stand in an identifier; `strict` where each ends
/// in a semicolon, which browsers do not ask for.
fn entities(text: &str, strict: bool) -> Option<String> {
    const NAMED: [(&str, char); 12] = [
        ("nbsp", ' '),
        ("amp", '&'),
        ("commat", '@'),
        ("period", '.'),
        ("sol", '/'),
        ("colon", ':'),
        ("comma", ','),
        ("lpar", '('),
        ("rpar", ')'),
        ("shy", '\u{ad}'),
        ("zwnj", '\u{200c}'),
        ("hyphen", '-'),
    ];
    replaced(text, '&', |rest| {
        let numbered = rest.strip_prefix('#');
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).unwrap_or(rest.len());
        let semicolon = usize::from(rest[end..].starts_with(';'));
        if strict && semicolon == 0 {
            return None;
        }
        let c = match numbered {
            Some(_) => {
                let body =
                    rest.get(1..end).filter(|body| !body.is_empty())?.trim_start_matches('0');
                let body = if body.is_empty() { "0" } else { body };
                let hex = body.strip_prefix(['x', 'X']);
                let code = hex.map_or_else(|| body.parse(), |hex| u32::from_str_radix(hex, 16));
                char::from_u32(code.ok()?)?
            }
            None if semicolon == 1 => letter_entity(&rest[..end]).or_else(|| {
                NAMED.iter().find(|(name, _)| *name == &rest[..end]).map(|(_, c)| *c)
            })?,
            None => return None,
        };
        Some((c, end + semicolon))
    })
}

/// `&ecirc;`, `&Agrave;`: a letter and its mark.
fn letter_entity(name: &str) -> Option<char> {
    const MARKS: [(&str, char); 5] = [
        ("grave", '\u{300}'),
        ("acute", '\u{301}'),
        ("circ", '\u{302}'),
        ("tilde", '\u{303}'),
        ("breve", '\u{306}'),
    ];
    let (base, mark) = name.split_at_checked(1)?;
    let (_, mark) = MARKS.iter().find(|(word, _)| *word == mark)?;
    unicode_normalization::char::compose(base.chars().next()?, *mark)
}

/// Bytes in hexadecimal behind a sign: `%30%39`, `=30=39`. A lone one is a share or a remainder.
fn hexadecimal(text: &str, sign: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let (mut rest, mut decoded) = (text, 0);
    while let Some(at) = rest.find(sign) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let pair = rest.as_bytes().get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[2..];
                decoded += 1;
            }
            None => out.extend_from_slice(sign.as_bytes()),
        }
    }
    out.extend_from_slice(rest.as_bytes());
    (decoded >= 3).then(|| String::from_utf8(out).ok()).flatten()
}

/// `\u0030`, `\u{30}`, `\x30`, `\t`.
fn backslashes(text: &str) -> Option<String> {
    replaced(text, '\\', |rest| {
        let hex = |from: usize, to: usize| {
            u32::from_str_radix(rest.get(from..to)?, 16).ok().and_then(char::from_u32)
        };
        match rest.as_bytes().first()? {
            b'u' if rest[1..].starts_with('{') => {
                let end = rest.find('}')?;
                Some((hex(2, end)?, end + 1))
            }
            b'u' => hex(1, 5).map(|c| (c, 5)).or_else(|| pair(rest).map(|c| (c, 11))),
            b'U' => Some((hex(1, 9)?, 9)),
            b'x' => Some((hex(1, 3)?, 3)),
            b't' | b'n' | b'r' => Some((' ', 1)),
            b'/' | b'"' | b'\\' => Some((char::from(rest.as_bytes()[0]), 1)),
            _ => None,
        }
    })
}

/// Two escapes that are one character beyond the first 65,536: `\\ud835\\udfce`.
fn pair(rest: &str) -> Option<char> {
    let unit = |from: usize| u16::from_str_radix(rest.get(from..from + 4)?, 16).ok();
    if rest.get(5..7)? != "\\u" {
        return None;
    }
    char::decode_utf16([unit(1)?, unit(7)?]).next()?.ok()
}

fn replaced(
    text: &str,
    sign: char,
    read: impl Fn(&str) -> Option<(char, usize)>,
) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut changed) = (text, false);
    while let Some(at) = rest.find(sign) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some((c, length)) = read(rest) {
            out.push(c);
            rest = &rest[length..];
            changed = true;
        } else {
            out.push(sign);
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// Without the tags of HTML: `<b>09</b>12`.
fn without_tags(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut changed) = (text, false);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at + 1..];
        let begins = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tag.find(['>', '<']).filter(|end| begins && tag[*end..].starts_with('>')) {
            Some(end) => {
                rest = &tag[end + 1..];
                changed = true;
            }
            None => {
                out.push('<');
                rest = tag;
            }
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// The shortest word that is opened: nine letters or digits in base64.
const PACKED: usize = 12;

/// Whether a word may be text in base64 or hexadecimal: long, and no word of a language or number.
pub(crate) fn has_packed_word(text: &str) -> bool {
    let (mut length, mut digits, mut inner, mut small) = (0, 0, 0, 0);
    let mut found = false;
    for byte in text.bytes().chain([b' ']) {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'A'..=b'Z' => inner += usize::from(length > 0),
            b'a'..=b'z' => small += 1,
            b'+' | b'/' | b'=' | b'-' | b'_' => {}
            _ => {
                let mixed = (inner > 0 && small > 0) || (digits > 0 && inner + small > 0);
                found |= length >= PACKED && (mixed || digits >= 2 * 9);
                (length, digits, inner, small) = (0, 0, 0, 0);
                continue;
            }
        }
        length += 1;
    }
    found
}

/// Words that are text in base64 or hexadecimal.
fn packed(text: &str) -> Option<String> {
    if !has_packed_word(text) {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut changed) = (text, false);
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match (word.len() >= PACKED).then(|| hex(word).or_else(|| base64(word))).flatten() {
            Some(plain) => {
                out.push_str(&plain);
                changed = true;
            }
            None => out.push_str(word),
        }
        let between = after.find(is_part).unwrap_or(after.len());
        out.push_str(&after[..between]);
        rest = &after[between..];
    }
    changed.then_some(out)
}

fn hex(word: &str) -> Option<String> {
    let word = word.strip_prefix("0x").unwrap_or(word);
    if !word.len().is_multiple_of(2) || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..word.len()).step_by(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|at| u8::from_str_radix(&word[at..at + 2], 16).ok()).collect();
    // Digits alone would be read as other digits: `3039` is a number before it is `09`.
    let bytes =
        bytes.filter(|bytes| bytes.len() >= 9 || word.contains(|c: char| !c.is_ascii_digit()));
    readable(bytes?)
}

fn base64(word: &str) -> Option<String> {
    let body = word.trim_end_matches('=');
    if body.len() % 4 == 1 || body.contains('=') {
        return None;
    }
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::with_capacity(body.len()));
    for byte in body.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 255) as u8);
        }
    }
    readable(bytes)
}

/// Bytes that are text.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let shown = |c: char| !c.is_control() || matches!(c, '\0' | '\t' | '\n' | '\r' | '\u{80}'..);
    (text.len() >= 8 && text.chars().all(shown)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn one_layer_is_taken_off() {
        for (text, plain) in [
            ("&#48;&#x39;12", "0912"),
            ("Nguy&#7877;n V&#x103;n", "Nguyễn Văn"),
            ("L&ecirc; Thu", "Lê Thu"),
            ("%30%39%31", "091"),
            (r"\u0030\x39\t1", "09 1"),
            ("=30=39=31=32", "0912"),
            ("<b>09</b>12<br/>34", "091234"),
            ("MDkxMjM0NTY3OA==", "0912345678"),
            ("số MDkxMjM0NTY3OA", "số 0912345678"),
            ("30393132333435363738", "0912345678"),
        ] {
            assert_eq!(unescaped(text), [plain], "{text}");
        }
        for text in ["0,9% và 5%", "A & B", "5 < 6 > 4", "Hydroclorothiazid", "893110123456"] {
            assert!(unescaped(text).is_empty(), "{text}");
        }
    }
}
