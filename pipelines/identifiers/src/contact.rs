//! Addresses of electronic mail and names in social networks, also where they are written so that
//! no program finds them: `an (at) vidu . vn`, `a còng`, `chấm com`.

use super::labels::{Found, Label};
use super::lexicon::{Flags, MAIL};
use super::pattern::PatternId;
use super::seen::Seen;
use super::shapes::behind;

/// Ends of addresses that a dot in words is believed before.
const ENDS: &[&str] = &[
    "com", "vn", "net", "org", "edu", "gov", "info", "io", "me", "biz", "co", "fr", "us", "uk",
    "de", "asia", "xyz", "site", "online",
];
const AT_WORDS: &[&[&str]] = &[&["at"], &["a", "cong"], &["acong"], &["a", "moc"], &["a", "vong"]];
const DOT_WORDS: &[&str] = &["dot", "cham"];
const HOSTS: &[&str] = &["gmail", "yahoo", "hotmail", "outlook", "icloud", "ymail", "protonmail"];
const NETWORKS: &[&str] = &[
    "facebook.com/",
    "fb.com/",
    "fb.me/",
    "zalo.me/",
    "t.me/",
    "m.me/",
    "instagram.com/",
    "tiktok.com/",
    "twitter.com/",
    "x.com/",
    "youtube.com/",
    "linkedin.com/in/",
    "wa.me/",
    "threads.net/",
    "fb/",
    "face/",
];

/// Words that hide an `@`, and hosts, for the lexicon.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    HOSTS.iter().copied().chain(["at", "cong", "còng", "acong", "moc", "móc", "vong", "vòng"])
}

/// The first of these that is wanted; `flags` is what any of the words may be.
pub(super) fn find(
    cell: &str,
    seen: &Seen,
    labels: &[Found],
    flags: Flags,
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    let found = [
        (PatternId::Email, (seen.at || flags & MAIL != 0) && holds_email(cell)),
        (PatternId::SocialAccount, holds_account(cell, seen, labels)),
    ];
    found.into_iter().find(|(pattern, is)| *is && wants(*pattern)).map(|(pattern, _)| pattern)
}

/// A part of an address.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Word(&'a str),
    /// Whether it is the sign itself.
    At(bool),
    Dot,
    Other,
}

/// An `@` with a mailbox before it and a dotted domain after it, each perhaps in words or brackets.
fn holds_email(cell: &str) -> bool {
    let parts = parts(cell);
    (1..parts.len()).any(|at| match parts[at] {
        Part::At(sign) => is_mailbox(&parts[at - 1]) && is_domain(&parts[at + 1..], sign),
        // `nguyenan gmail com`: the host is known, and the mailbox is before it.
        Part::Word(word) if HOSTS.contains(&word.to_ascii_lowercase().as_str()) => {
            let sure = |word: &Part<'_>| matches!(word, Part::Word(word) if word.len() >= 5);
            sure(&parts[at - 1]) && ends_with_top(&parts[at + 1..])
        }
        _ => false,
    })
}

fn is_mailbox(part: &Part<'_>) -> bool {
    matches!(part, Part::Word(word) if word.is_ascii())
}

fn ends_with_top(parts: &[Part<'_>]) -> bool {
    let rest = parts.strip_prefix(&[Part::Dot]).unwrap_or(parts);
    matches!(rest.first(), Some(Part::Word(word)) if ENDS.contains(&word.to_ascii_lowercase().as_str()))
}

/// A host, and at least one dot and label behind it.
fn is_domain(parts: &[Part<'_>], sign: bool) -> bool {
    let Some(Part::Word(host)) = parts.first() else { return false };
    let known = HOSTS.contains(&host.to_ascii_lowercase().as_str());
    let mut rest = &parts[1..];
    let mut last = None;
    while let [Part::Dot, Part::Word(label), ..] = rest {
        last = Some(label);
        rest = &rest[2..];
    }
    let is_top = |label: &str| label.len() >= 2 && label.bytes().all(|b| b.is_ascii_alphabetic());
    // After an `at` in words only an end that is in use.
    let end = |label: &str| sign || ENDS.contains(&label.to_ascii_lowercase().as_str());
    known && last.is_none() || last.is_some_and(|label| is_top(label) && end(label))
}

fn parts(cell: &str) -> Vec<Part<'_>> {
    let mut all: Vec<Part<'_>> = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '%' | '+');
    let mut rest = cell;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if end > 0 {
            all.push(Part::Word(&rest[..end]));
            rest = &rest[end..];
        } else {
            match c {
                '@' => all.push(Part::At(true)),
                '.' => all.push(Part::Dot),
                ' ' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '\'' | '*' | '|' => {}
                _ => all.push(Part::Other),
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    in_words(&mut all);
    all
}

/// Words that say `@` or a dot become it.
fn in_words(parts: &mut Vec<Part<'_>>) {
    let plain = |part: &Part<'_>| match part {
        Part::Word(word) => super::text::words(word).trim().to_owned(),
        _ => String::new(),
    };
    let mut at = 1;
    while at < parts.len() {
        let word = plain(&parts[at]);
        let next = parts.get(at + 1).map(&plain).unwrap_or_default();
        let sign = AT_WORDS.iter().find(|words| match words {
            [one] => word == *one,
            [one, two] => word == *one && next == *two,
            _ => false,
        });
        if let Some(words) = sign {
            parts.splice(at..at + words.len(), [Part::At(false)]);
        } else if DOT_WORDS.contains(&word.as_str()) {
            parts[at] = Part::Dot;
        }
        at += 1;
    }
}

/// A page of a network, a name with an `@`, or a name after the network's.
fn holds_account(cell: &str, seen: &Seen, labels: &[Found]) -> bool {
    let bytes = cell.as_bytes();
    let ends_network = |slash: usize| {
        NETWORKS.iter().any(|network| {
            let start = (slash + 1).checked_sub(network.len());
            start.is_some_and(|start| {
                bytes[start..=slash].eq_ignore_ascii_case(network.as_bytes())
                    && !bytes[..start].last().is_some_and(u8::is_ascii_alphanumeric)
            })
        })
    };
    let dotted = seen.signs > 0
        && bytes.iter().enumerate().any(|(at, byte)| {
            *byte == b'/' && ends_network(at) && name_length(&cell[at + 1..]) >= 3
        });
    dotted || seen.at && holds_handle(cell) || holds_named(cell, labels)
}

fn name_length(text: &str) -> usize {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.find(|c| !in_name(c)).unwrap_or(text.len())
}

/// `@nguyenan`.
fn holds_handle(cell: &str) -> bool {
    cell.match_indices('@').any(|(at, _)| {
        let name = &cell[at + 1..];
        let begins = at == 0 || cell[..at].ends_with(|c: char| !c.is_alphanumeric());
        begins && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name_length(name) >= 3
    })
}

/// `Zalo: nguyenan85`, `FB là An Nguyễn`.
fn holds_named(cell: &str, labels: &[Found]) -> bool {
    behind(cell, labels, Label::Account, 40).any(|rest| {
        let begun = rest.trim_start();
        let said = ["là ", "la ", "tên ", "ten ", "id ", "nick "]
            .iter()
            .find_map(|word| begun.get(..word.len()).filter(|b| b.eq_ignore_ascii_case(word)))
            .map(|word| &begun[word.len()..]);
        let marked = begun.strip_prefix([':', '=', '/', '>']).or(said);
        marked.is_some_and(|name| {
            let name = name.trim_start();
            let length = name_length(name);
            length >= 4 && !name[..length].bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_however_they_are_hidden() {
        let email = holds_email;
        for cell in [
            "an.nguyen@vidu.vn",
            "an.nguyen @ vidu . vn",
            "annguyen (at) vidu (dot) com",
            "annguyen[at]vidu[.]com",
            "annguyen a còng vidu chấm com",
            "annguyen a cong gmail cham com",
            "nguyenan85 gmail com",
        ] {
            assert!(email(cell), "{cell}");
        }
        for cell in ["giá @ 5000", "tại cộng đồng", "look at this", "A. B. C", "cong ty co phan"]
        {
            assert!(!email(cell), "{cell}");
        }
        assert!(holds_handle("liên hệ @nguyenan") && !holds_handle("500@mg"));
    }
}
