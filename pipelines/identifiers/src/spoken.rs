//! Numbers in words: `không chín một hai …` is read as digits.
//!
//! Vietnamese with and without accents, English and French, and Roman numerals up to nine. Groups
//! are read as they are said: `ba mươi tư` is 34, `chín trăm linh hai` 902, `một nghìn chín trăm
//! tám lăm` 1985.

use std::sync::LazyLock;

use super::letters::parts;
use super::lexicon::{DIGIT, Flags, Spelling, key, look_up};
use super::words::{Case, Gap, Word};

const DIGITS: [(&str, char); 57] = [
    ("không", '0'),
    ("một", '1'),
    ("mốt", '1'),
    ("hai", '2'),
    ("ba", '3'),
    ("bốn", '4'),
    ("tư", '4'),
    ("năm", '5'),
    ("lăm", '5'),
    ("nhăm", '5'),
    ("sáu", '6'),
    ("bảy", '7'),
    ("bẩy", '7'),
    ("tám", '8'),
    ("chín", '9'),
    ("zero", '0'),
    ("oh", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("zéro", '0'),
    ("un", '1'),
    ("deux", '2'),
    ("trois", '3'),
    ("quatre", '4'),
    ("cinq", '5'),
    ("sept", '7'),
    ("huit", '8'),
    ("neuf", '9'),
    ("kong", '0'),
    ("ko", '0'),
    ("zê", '0'),
    ("khong", '0'),
    ("mot", '1'),
    ("bon", '4'),
    ("tu", '4'),
    ("nam", '5'),
    ("lam", '5'),
    ("sau", '6'),
    ("bay", '7'),
    ("tam", '8'),
    ("chin", '9'),
    ("i", '1'),
    ("ii", '2'),
    ("iii", '3'),
    ("iv", '4'),
    ("v", '5'),
    ("vi", '6'),
    ("vii", '7'),
    ("viii", '8'),
    ("ix", '9'),
];
/// Ten, tens, hundred, thousand, and the zero between.
const OTHERS: [(&str, Part); 9] = [
    ("mười", Part::Ten),
    ("mươi", Part::Tens),
    ("trăm", Part::Hundred),
    ("nghìn", Part::Thousand),
    ("ngàn", Part::Thousand),
    ("linh", Part::And),
    ("lẻ", Part::And),
    ("ten", Part::Ten),
    ("muoi", Part::Tens),
];
/// Fewer words than this are no number that identifies.
const FEWEST: usize = 5;
/// Fewer in a row are words of a sentence.
const ROW: usize = 3;
/// So many are nearly a number.
const MOST: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Digit(char),
    Ten,
    Tens,
    Hundred,
    Thousand,
    And,
    /// A run of digits.
    Written,
}

/// All words of numbers, for the lexicon.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    DIGITS.iter().map(|(word, _)| *word).chain(OTHERS.iter().map(|(word, _)| *word))
}

fn part(text: &str, word: &Word) -> Option<Part> {
    if word.digits {
        return Some(Part::Written);
    }
    if word.any & DIGIT == 0 {
        return None;
    }
    let said = word.text(text).to_lowercase();
    let roman = |one: &str| one.bytes().all(|byte| matches!(byte, b'i' | b'v' | b'x'));
    if roman(&said) && word.case != Case::Upper {
        return None;
    }
    let equal = |one: &str| one == said || (word.bare && Spelling::of(one).key == word.key);
    let digit = DIGITS.iter().find(|(one, _)| equal(one)).map(|(_, digit)| Part::Digit(*digit));
    digit.or_else(|| OTHERS.iter().find(|(one, _)| equal(one)).map(|(_, part)| *part))
}

/// The text with its numbers in words as digits; `None` where there are too few of them.
pub(crate) fn as_digits(text: &str, words: &[Word], flags: Flags) -> Option<String> {
    if flags & DIGIT == 0 || words.iter().filter(|word| word.any & DIGIT != 0).count() < FEWEST {
        return glued(text, words);
    }
    let mut parts: Vec<Option<Part>> = words.iter().map(|word| part(text, word)).collect();
    // `I10` is a code, not a one and a ten.
    for at in 1..words.len() {
        if words[at].gap == Gap::None {
            parts[at] = None;
            parts[at - 1] = None;
        }
    }
    let is_date = leave_years(words, &mut parts);
    let mut out = String::with_capacity(text.len());
    let (mut done, mut at, mut changed) = (0, 0, false);
    let said = said_in_rows(&parts);
    // Beside most of a number, a single word is the rest of it.
    let all = said >= MOST;
    if !is_date && said < FEWEST {
        return glued(text, words);
    }
    while at < words.len() {
        let many = parts[at..].iter().take_while(|part| part.is_some()).count();
        let row = &parts[at..at + many];
        let said = row.iter().filter(|part| !matches!(part, Some(Part::Written))).count();
        if said >= ROW || (is_date || all) && said > 0 {
            let digits = read(text, &words[at..at + many], row);
            out.push_str(&text[done..words[at].start]);
            out.push_str(&digits);
            done = words[at + many - 1].end;
            changed = true;
        }
        at += many.max(1);
    }
    out.push_str(&text[done..]);
    changed.then_some(out)
}

/// How many words of numbers stand in rows that are long enough.
fn said_in_rows(parts: &[Option<Part>]) -> usize {
    let rows = parts.split(Option::is_none);
    let said =
        rows.map(|row| row.iter().filter(|part| !matches!(part, Some(Part::Written))).count());
    said.filter(|said| *said >= ROW).sum()
}

/// `tháng ba năm một nghìn …`: here `năm` is a year, not a five. Whether there is such a date.
fn leave_years(words: &[Word], parts: &mut [Option<Part>]) -> bool {
    let (month, year) = (key("thang"), key("nam"));
    let months: Vec<usize> = (0..words.len()).filter(|at| words[*at].key == month).collect();
    let mut found = false;
    for at in months {
        let after = (at + 2..words.len().min(at + 5)).find(|next| words[*next].key == year);
        if let Some(next) = after {
            parts[next] = None;
            found = true;
        }
    }
    found
}

/// The digits of a row of number words; a sign between them is kept, a blank is not.
fn read(text: &str, words: &[Word], parts: &[Option<Part>]) -> String {
    let mut out = String::new();
    let part = |at: usize| parts.get(at).copied().flatten();
    let is_digit = |at: usize| matches!(part(at), Some(Part::Digit(_)));
    let mut at = 0;
    while let Some(now) = part(at) {
        match now {
            Part::Written => out.push_str(words[at].text(text)),
            Part::Digit(digit) => {
                out.push(digit);
                match part(at + 1) {
                    // Ten, twenty … and what follows them.
                    Some(Part::Tens) => {
                        out.extend((!is_digit(at + 2)).then_some('0'));
                        at += 1;
                    }
                    Some(Part::Hundred) => {
                        let tens =
                            part(at + 3) == Some(Part::Tens) || part(at + 2) == Some(Part::Ten);
                        match part(at + 2) {
                            Some(Part::And) => {
                                out.push('0');
                                at += 1;
                            }
                            Some(Part::Digit(_)) if tens || is_digit(at + 3) => {}
                            Some(Part::Digit(_)) => out.push('0'),
                            Some(Part::Ten) => {}
                            _ => out.push_str("00"),
                        }
                        at += 1;
                    }
                    Some(Part::Thousand) => {
                        let goes_on = is_digit(at + 2) && part(at + 3) == Some(Part::Hundred);
                        out.push_str(if goes_on { "" } else { "000" });
                        at += 1;
                    }
                    _ => {}
                }
            }
            Part::Ten | Part::Tens => {
                out.push('1');
                out.extend((!is_digit(at + 1)).then_some('0'));
            }
            Part::And | Part::Hundred | Part::Thousand => {}
        }
        at += 1;
    }
    out
}

/// Digit words without accents, the longest first.
static PLAIN: LazyLock<Vec<(String, char)>> = LazyLock::new(|| {
    let plain = |word: &str| super::text::words(word).trim().to_owned();
    let all = DIGITS.iter().map(|(word, digit)| (plain(word), *digit));
    let mut all: Vec<_> = all.filter(|(word, _)| word.len() > 1 && *word != "oh").collect();
    all.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    all
});
/// Shorter words are no row of digits without blanks.
const GLUED: u32 = 7;
/// Nine digits have so many letters.
const SHORTEST: u32 = 14;
/// The longest digit in words.
const LONGEST: usize = 6;

/// `khongchinmothai…`: digits in words without a blank.
fn glued(text: &str, words: &[Word]) -> Option<String> {
    let letters: u32 = words.iter().map(|word| word.letters).filter(|many| *many >= GLUED).sum();
    if letters < SHORTEST || !words.iter().any(|word| word.letters >= GLUED && begins(text, word)) {
        return None;
    }
    let read = |word: &Word| {
        let letters = super::text::words(word.text(text));
        apart(letters.trim()).filter(|_| !word.digits)
    };
    let all: Vec<Option<String>> = words.iter().map(read).collect();
    let many: usize = all.iter().flatten().map(String::len).filter(|many| *many > 1).sum();
    if many < FEWEST {
        return None;
    }
    let mut out = String::new();
    let mut done = 0;
    for (word, digits) in words.iter().zip(&all) {
        if let Some(digits) = digits {
            out.push_str(&text[done..word.start]);
            out.push_str(digits);
            done = word.end;
        }
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// Whether the word begins with a digit in words; Roman numerals are none here.
fn begins(text: &str, word: &Word) -> bool {
    let mut spelling = Spelling::default();
    let mut roman = true;
    word.text(text).chars().take(LONGEST).any(|c| {
        let base = parts(c).base.to_ascii_lowercase();
        roman &= matches!(base, b'i' | b'v' | b'x');
        spelling.add(base, 0, 0);
        !roman && look_up(spelling).1 & DIGIT != 0
    })
}

fn apart(letters: &str) -> Option<String> {
    let mut rest = letters.strip_prefix("roi").unwrap_or(letters);
    let mut digits = String::new();
    while !rest.is_empty() {
        let fits = PLAIN
            .iter()
            .find_map(|(word, digit)| Some((rest.strip_prefix(word.as_str())?, *digit)));
        let (after, digit) = fits?;
        digits.push(digit);
        rest = after;
    }
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::split;

    #[test]
    fn numbers_are_read_as_they_are_said() {
        for (text, digits) in [
            ("số không chín một hai ba bốn năm sáu bảy tám nhé", "số 0912345678 nhé"),
            ("khong chin mot hai ba tu nam sau bay tam", "0912345678"),
            ("zero nine one two three four five six seven eight", "0912345678"),
            ("không chín mười hai ba mươi tư năm sáu bảy tám", "0912345678"),
            ("chín trăm linh hai ba trăm bốn lăm", "902345"),
            ("mười hai tháng ba năm một nghìn chín trăm tám lăm", "12 tháng 3 năm 1985"),
            ("IX I II III IV V VI VII VIII", "912345678"),
            ("khongchinmothaibabonnamsaubaytam", "0912345678"),
        ] {
            let (words, flags) = split(text);
            assert_eq!(as_digits(text, &words, flags).as_deref(), Some(digits), "{text}");
        }
        let (words, flags) = split("ba tháng nay, sau năm ngày");
        assert_eq!(as_digits("ba tháng nay, sau năm ngày", &words, flags), None);
    }
}
