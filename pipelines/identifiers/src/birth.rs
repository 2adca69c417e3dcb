//! Full dates of birth in text: a date in any writing, with a word that says that it is one.

use super::labels::{Found, Label};
use super::lexicon::{Key, Spelling, key};
use super::words::{Gap, Word};

/// How many words of a date's own may stand between the word and the date.
const NEAR: usize = 4;

/// Whether the cell gives a person's day of birth.
pub(super) fn holds_birth(
    text: &str,
    words: &[Word],
    labels: &[Found],
    person: bool,
    this_year: i32,
) -> bool {
    let said = labels.iter().filter(|found| found.label == Label::Birth);
    said.filter(|found| is_of_a_person(words, found, person)).any(|found| {
        let after = words.iter().position(|word| word.start >= found.end).unwrap_or(words.len());
        let near = if is_alone(words, found) { 1 } else { NEAR };
        let date_after = (after..words.len().min(after + near))
            .take_while(|at| *at == after || words[*at].gap != Gap::Far)
            .any(|at| words[at].gap != Gap::None && holds_date(text, &words[at..], this_year));
        date_after || {
            // `12/3/1985 (ngày sinh)`.
            let from = found.first.saturating_sub(4);
            found.start - words[from].start < 28
                && (from..found.first)
                    .any(|at| holds_date(text, &words[at..found.first], this_year))
        }
    })
}

/// `sinh` by itself is the end of many words: kháng sinh, vi sinh, vệ sinh.
fn is_of_a_person(words: &[Word], found: &Found, person: bool) -> bool {
    let word = &words[found.first];
    if !is_alone(words, found) {
        return true;
    }
    let Some(before) = found.first.checked_sub(1).map(|at| &words[at]) else { return true };
    if matches!(word.gap, Gap::Signs | Gap::Far | Gap::None) || before.capital() {
        return true;
    }
    match word.key == key("sinh") {
        true => !BEFORE.iter().any(|one| key(one) == before.key),
        false => person,
    }
}

/// Whether the word says little by itself.
fn is_alone(words: &[Word], found: &Found) -> bool {
    const ALONE: [&str; 4] = ["sinh", "sn", "ns", "born"];
    let word = &words[found.first];
    found.end == word.end && ALONE.iter().any(|one| key(one) == word.key)
}

/// Words that `sinh` is the end of.
const BEFORE: [&str; 38] = [
    "khang", "vi", "ve", "so", "hau", "hoc", "phat", "ky", "ki", "tai", "thuy", "ho", "triet",
    "vo", "mo", "duoc", "de", "tien", "chu", "san", "noi", "song", "tu", "sau", "ban", "thu",
    "nhan", "ton", "da", "du", "hy", "tiet", "moi", "y", "ca", "chua", "lan", "con",
];

/// Whether a full date begins with the first of the words.
fn holds_date(text: &str, words: &[Word], this_year: i32) -> bool {
    let Some(first) = words.first() else { return false };
    let mut numbers = [0_u32; 3];
    let mut lengths = [0; 3];
    let mut many = 0;
    let mut named = None;
    for (at, word) in words.iter().take(8).enumerate() {
        if at > 0 && word.gap == Gap::Far {
            break;
        }
        if word.digits {
            let digits = word.text(text);
            if digits.len() > 8 {
                return false;
            }
            numbers[many] = digits.parse().unwrap_or(u32::MAX);
            lengths[many] = digits.len();
            many += 1;
        } else if let Some(month) = month_of(word.key) {
            named = Some((month, many));
        } else if !DATE_WORDS.contains(&word.text(text).to_lowercase().as_str()) {
            break;
        }
        if many == 3 || named.is_some() && many == 2 {
            break;
        }
    }
    if !first.digits
        && named.is_none()
        && !DATE_WORDS.contains(&first.text(text).to_lowercase().as_str())
    {
        return false;
    }
    let [a, b, c] = numbers;
    match (many, named) {
        (2, Some((month, _))) => is_date(a, month, year(b, lengths[1], this_year), this_year),
        (3, _) if lengths[0] == 4 => is_date(c, b, a, this_year),
        (3, _) => {
            let year = year(c, lengths[2], this_year);
            is_date(a, b, year, this_year) || is_date(b, a, year, this_year)
        }
        // 05031961, 19610305.
        (1, None) if lengths[0] == 8 => {
            is_date(a / 1_000_000, a / 10_000 % 100, a % 10_000, this_year)
                || is_date(a % 100, a / 100 % 100, a / 10_000, this_year)
        }
        _ => false,
    }
}

const DATE_WORDS: [&str; 14] = [
    "ngày", "tháng", "năm", "mùng", "mồng", "ngay", "thang", "nam", "mung", "mong", "of", "the",
    "on", "th",
];

fn year(value: u32, length: usize, this_year: i32) -> u32 {
    let this = u32::try_from(this_year).unwrap_or(2000);
    match length {
        2 if value + 2000 <= this => 2000 + value,
        2 => 1900 + value,
        _ => value,
    }
}

fn is_date(day: u32, month: u32, year: u32, this_year: i32) -> bool {
    let Ok(year) = i32::try_from(year) else { return false };
    (1880..=this_year).contains(&year)
        && chrono::NaiveDate::from_ymd_opt(year, month, day).is_some()
}

fn month_of(word: Key) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let is = |month: &str| Spelling::of(month).key == word || key(&month[..3]) == word;
    let at = MONTHS.iter().position(|month| word != 0 && is(month))?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{labels, words};

    fn born(text: &str) -> bool {
        let (words, flags) = words::split(text);
        holds_birth(text, &words, &labels::in_cell(&words, flags), false, 2026)
    }

    #[test]
    fn a_date_is_a_birth_where_it_is_said() {
        for text in [
            "sinh ngày 12/3/1985",
            "Sinh: 12.03.85",
            "DOB 1985-03-12",
            "ngày sinh 12031985",
            "sinh ngày 5 tháng 3 năm 1961",
            "born on 12 March 1985",
            "12/3/1985 (ngày sinh)",
            "BN nữ, sinh 1/1/1950",
        ] {
            assert!(born(text), "{text}");
        }
        for text in [
            "khám ngày 12/3/2024",
            "dùng kháng sinh 12/3/2024",
            "sinh năm 1985",
            "vô sinh 12/03/2020",
            "ngày sinh 31/02/1985",
        ] {
            assert!(!born(text), "{text}");
        }
    }
}
