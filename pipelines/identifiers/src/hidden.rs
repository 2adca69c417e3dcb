//! Readings of a cell beside the plain one: old encodings, escapes, letters typed as marks, letters
//! for digits and digits for letters, text that runs backwards or stands on its head.

use super::escapes::{has_escape, has_packed_word, may_be_escaped, unescaped};
use super::legacy;
use super::lexicon::{BACKWARDS, Flags, TYPED};
use super::normal::{normal, seen_only};
use super::numbers;
use super::seen::Seen;
use super::words::{Case, Gap, Word};

/// The most readings of one cell that are made from others.
const READINGS: usize = 96;
/// How far parts of one number may be from each other, in bytes.
const FAR: usize = 14;
/// Digits behind letters are looked at as a number from this length on.
const LONG: usize = 9;

/// Readings of the raw text, each in normal form: what it is in an old encoding, without a layer of
/// escapes, and what those are in their turn.
pub(super) fn of_raw(raw: &str, plain: &str, seen: &Seen) -> Vec<String> {
    if !may_hide(raw, plain, seen) {
        return Vec::new();
    }
    let mut all = vec![raw.to_owned()];
    let mut leaves = Vec::new();
    let mut at = 0;
    while at < all.len() && all.len() < READINGS {
        let text = all[at].clone();
        let mut next = unescaped(&text);
        let plain = normal(&text);
        if plain != text {
            next.extend(unescaped(&plain));
            next.push(seen_only(&text));
        }
        if Seen::of(&text).may_be_old() {
            next.extend(legacy::read_twice(&text));
            leaves.extend(legacy::readings(&text));
        }
        for one in next {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        at += 1;
    }
    all[1..].iter().chain(&leaves).map(|one| normal(one).into_owned()).collect()
}

fn may_hide(raw: &str, plain: &str, seen: &Seen) -> bool {
    // A packed word has capitals within it, or many digits.
    let packed = seen.capitals > 1 || seen.digits > 5;
    let escaped = |text: &str| seen.escapes && has_escape(text) || packed && has_packed_word(text);
    seen.may_be_old() || escaped(raw) || seen.strange && may_be_escaped(plain)
}

/// Readings of a text in normal form with letters as the digits that they look like.
pub(super) fn as_digits(text: &str, seen: &Seen, labelled: bool) -> Vec<String> {
    let mut all = Vec::new();
    let digits = if labelled { 1 } else { 3 };
    let enough = seen.digits >= digits && seen.digits + seen.like_digits + seen.signs >= 8;
    if enough && may_spell_digits(text) {
        all.extend(letters_as_digits(text, labelled));
        if text.contains('|') {
            all.extend(letters_as_digits(&text.replace('|', "/"), labelled));
        }
    }
    all
}

/// Other readings of a text in normal form.
pub(super) fn of_normal(text: &str, seen: &Seen, words: &[Word], flags: Flags) -> Vec<String> {
    let mut all = Vec::new();
    let backwards = words.iter().filter(|word| ends_upper(text, word)).count();
    if flags & BACKWARDS != 0 || backwards > 1 {
        all.push(text.chars().rev().collect());
    }
    if seen.strange {
        all.extend(upright(text));
    }
    if seen.letters >= 5
        && (has_digit_inside(words) || (seen.signs > 0 || seen.at) && has_sign_inside(text))
    {
        all.push(digits_as_letters(text));
        all.push(legacy::without_typed_marks(text));
    }
    if words.iter().any(|word| word.case == Case::Other && word.letters > 6) {
        all.extend(at_capitals(text));
    }
    if flags & TYPED != 0 && !seen.marked {
        all.push(legacy::without_telex(text));
    }
    all
}

/// `Nguy3n`: digits between letters.
fn has_digit_inside(words: &[Word]) -> bool {
    words.windows(3).any(|three| {
        three[1].digits
            && three[1].gap == Gap::None
            && three[2].gap == Gap::None
            && !three[0].digits
    })
}

/// `Nguye^~n`, `V@n`, `$ơn`: a sign beside a letter that may stand for one, or for a mark.
fn has_sign_inside(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|two| {
        let sign = |byte: u8| matches!(byte, b'@' | b'$' | b'^' | b'~' | b'`' | b'|' | b'!');
        let letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 128;
        sign(two[0]) && letter(two[1]) || letter(two[0]) && (sign(two[1]) || two[1] == b'(')
    })
}

/// The text with a blank before every capital that follows a small letter: `NguyễnVănAn`.
fn at_capitals(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    (out.len() > text.len()).then_some(out)
}

/// Whether a capital ends the word, and none begins it: `nễyugN`.
fn ends_upper(text: &str, word: &Word) -> bool {
    let mut chars = word.text(text).chars();
    word.case == Case::Other
        && chars.next_back().is_some_and(char::is_uppercase)
        && chars.all(char::is_lowercase)
}

/// Whether words of digits, and letters that look like some, are long enough together.
fn may_spell_digits(text: &str) -> bool {
    let (mut length, mut letters) = (0, 0);
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '|' | '!' | '$' | 'À'..='\u{1fff}');
    for word in text.split(|c| !is_part(c)).filter(|word| !word.is_empty()) {
        let like = word.bytes().filter(|byte| digit_like(char::from(*byte)).is_some()).count();
        if like == word.len() || like >= LONG {
            length += like;
            letters += word.bytes().filter(|byte| !byte.is_ascii_digit()).count();
        }
    }
    length >= 8 && letters > 0
}

/// Letters that look like digits as those digits, in rows of words that are digits else:
/// `O9l2 34S 678`.
fn letters_as_digits(text: &str, labelled: bool) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '|' | '!' | '$');
    let mut tokens: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(skipped) = text[at..].find(is_part) {
        let start = at + skipped;
        at = text[start..].find(|c| !is_part(c)).map_or(text.len(), |end| start + end);
        if !numbers::is_connector(&text[start..at]) {
            tokens.push((start, at));
        }
    }
    let is_code = |(start, end): &(usize, usize)| is_code(&text[*start..*end]);
    let like_digits = |(start, end): &(usize, usize)| {
        let word = &text[*start..*end];
        let part_of_code = word.len() < 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        !part_of_code && number_like(word).is_some()
    };
    // In a list of codes of diseases there is nothing else.
    let codes = tokens.iter().filter(|token| is_code(token)).count();
    let others = tokens.iter().filter(|token| !is_code(token) && like_digits(token)).count();
    let is_list = codes > 1 && others == 0 && !labelled;
    let read: Vec<Option<String>> = tokens
        .iter()
        .map(|(start, end)| {
            let word = &text[*start..*end];
            let bars = word.matches('|').count();
            let fits = (bars == 0 || bars < 3 && word.len() < 15) && !is_list;
            // Letters alone are digits where little else can be meant: `QD` is a decision.
            let digits = word.bytes().any(|byte| byte.is_ascii_digit());
            let alone =
                word.len() == 1 || word.len() == 2 && word.chars().all(|c| "OolI|!".contains(c));
            (fits && (digits || alone || labelled)).then(|| number_like(word)).flatten()
        })
        .collect();
    let mut out = String::with_capacity(text.len());
    let (mut done, mut first, mut changed) = (0, 0, false);
    while first < tokens.len() {
        let near = |at: usize| tokens[at].0 - tokens[at - 1].1 <= FAR;
        let more = (first + 1..tokens.len()).take_while(|at| read[*at].is_some() && near(*at));
        let end = first + 1 + if read[first].is_some() { more.count() } else { 0 };
        let row = &text[tokens[first].0..tokens[end - 1].1];
        let digits = row.bytes().filter(u8::is_ascii_digit).count();
        let length: usize = (first..end).map(|at| tokens[at].1 - tokens[at].0).sum();
        let enough = digits * 5 >= length || labelled && length >= 8 && digits > 0;
        if read[first].is_some() && enough && digits < length {
            for at in first..end {
                out.push_str(&text[done..tokens[at].0]);
                out.push_str(read[at].as_deref().unwrap_or_default());
                done = tokens[at].1;
            }
            changed = true;
        }
        first = end;
    }
    out.push_str(&text[done..]);
    changed.then_some(out)
}

/// The word with its digits and what looks like digits among them; letters before the first digit
/// may be others (`DN479OO1…`).
fn number_like(word: &str) -> Option<String> {
    let all: Option<String> = word.chars().map(digit_like).collect();
    all.or_else(|| {
        let first = word.find(|c: char| c.is_ascii_digit())?;
        let rest: Option<String> = word[first..].chars().map(digit_like).collect();
        if word.len() - first < LONG {
            return None;
        }
        Some(format!("{}{}", &word[..first], rest?))
    })
}

/// `O80`, `I10`, `E1165`: a code of a disease.
fn is_code(word: &str) -> bool {
    let bytes = word.as_bytes();
    (3..=5).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes[1..].iter().all(u8::is_ascii_digit)
}

fn digit_like(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        'O' | 'o' | 'Q' | 'D' => Some('0'),
        'l' | 'I' | 'i' | '|' | '!' => Some('1'),
        'Z' | 'z' => Some('2'),
        'S' | 's' | '$' => Some('5'),
        'G' | 'b' => Some('6'),
        'T' => Some('7'),
        'B' => Some('8'),
        'g' | 'q' => Some('9'),
        _ => None,
    }
}

/// Digits and signs that look like letters as those letters, in words that are letters else.
fn digits_as_letters(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let near = |at: usize| {
        let letter = |at: Option<usize>| {
            at.and_then(|at| chars.get(at)).is_some_and(|c: &char| c.is_alphabetic())
        };
        letter(at.checked_sub(1)) || letter(Some(at + 1))
    };
    let read = |(at, c): (usize, &char)| match c {
        _ if !near(at) => *c,
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' => 'g',
        '7' => 't',
        '8' => 'b',
        _ => *c,
    };
    chars.iter().enumerate().map(read).collect()
}

/// Text that stands on its head, put upright: `ʎnƃu` is `nguy`.
fn upright(text: &str) -> Option<String> {
    const TURNED: &str = "ɐqɔpǝɟƃɥᴉɾʞןɯuodbɹsʇnʌʍxʎzƖᄅƐㄣϛㄥ∀ƎℲפ˥ԀΛ⅄";
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz123457AEFGLPVY";
    let only_turned = |c: char| !c.is_ascii() && TURNED.contains(c);
    if text.is_ascii() || text.chars().filter(|c| only_turned(*c)).count() < 2 {
        return None;
    }
    let turn = |c: char| match c {
        '6' => '9',
        '9' => '6',
        _ => TURNED
            .chars()
            .zip(PLAIN.chars())
            .find(|(turned, _)| *turned == c)
            .map_or(c, |(_, plain)| plain),
    };
    // Turned letters have no capitals; a name is one for all that.
    let mut before = ' ';
    let capital = |c: char| {
        let first = !before.is_alphabetic();
        before = c;
        if first { c.to_ascii_uppercase() } else { c }
    };
    Some(text.chars().rev().map(turn).map(capital).collect())
}
