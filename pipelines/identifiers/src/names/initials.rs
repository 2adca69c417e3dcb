//! Names cut short: `N.V.A.`, `Ng. V. An`, `Nguyễn V. A`, `Tr. Thị Bình`.

use super::super::lexicon::{GIVEN, Key, MIDDLE, TELLING, USUAL, key};
use super::super::words::{Case, Gap, Word};
use super::{Names, is_titled};

/// Short forms of surnames.
const SHORT: [Key; 9] = [
    key("ng"),
    key("ngn"),
    key("tr"),
    key("ph"),
    key("hg"),
    key("hn"),
    key("ngv"),
    key("th"),
    key("ngt"),
];
/// Three capitals with points that are something else.
const OTHERS: [&str; 13] =
    ["bv", "tty", "ptt", "pvc", "ttyt", "htx", "ctv", "cty", "dtt", "tvt", "vtyt", "pth", "htt"];

pub(super) fn holds_initials(names: Names<'_>) -> bool {
    (0..names.words.len()).any(|at| begins(names, at))
}

fn begins(names: Names<'_>, at: usize) -> bool {
    let Names { text, words, .. } = names;
    let word = &words[at];
    if !word.capital() {
        return false;
    }
    let rest = &words[at..];
    let dotted = |word: &Word| text[word.end..].starts_with(['.', '~']);
    let titled = is_titled(words, at);
    let [_, second, ..] = rest else { return false };
    if matches!(second.gap, Gap::Far | Gap::None) {
        return false;
    }
    let third = rest.get(2).filter(|third| !matches!(third.gap, Gap::Far | Gap::None));
    let letter = |word: &Word| word.letters == 1 && word.case == Case::Upper;
    let given =
        |word: &Word| word.case == Case::Title && word.letters > 1 && word.likely() & GIVEN != 0;
    // N.V.A., BN N.V.A, N.V.Bình
    if letter(word) && dotted(word) && letter(second) {
        let middle = matches!(second.key, V | T);
        let surname = SURNAMES.contains(&word.key);
        let all = third.is_some_and(letter) && dotted(second);
        let spelt: String = rest
            .iter()
            .take_while(|one| letter(one))
            .map(|one| one.text(text))
            .collect::<String>()
            .to_lowercase();
        let other = OTHERS.iter().any(|one| spelt.starts_with(one)) || spelt.chars().count() > 4;
        return titled && surname && dotted(second)
            || surname && middle && all && !other
            || surname && third.is_some_and(given) && dotted(second);
    }
    // Ng. V. An, Ng T Hoa, Tr. Thị Bình
    if SHORT.contains(&word.key) {
        let middle = letter(second) || second.likely() & (TELLING | MIDDLE) != 0;
        let marked = dotted(word) || titled;
        let last = third.is_some_and(|third| given(third) || letter(third) && dotted(second));
        return middle && last && (marked || letter(second)) || marked && given(second);
    }
    // Nguyễn V. A, Trần T. Bình
    let surname = word.likely() & USUAL != 0 && word.letters > 1;
    surname
        && letter(second)
        && (dotted(second) || second.key == V || second.key == T)
        && third.is_some_and(|third| letter(third) || given(third))
}

const V: u64 = b'v' as u64;
const T: u64 = b't' as u64;
/// First letters of usual surnames.
const SURNAMES: [u64; 12] = [
    b'n' as u64,
    b't' as u64,
    b'l' as u64,
    b'p' as u64,
    b'h' as u64,
    b'v' as u64,
    b'd' as u64,
    b'b' as u64,
    b'c' as u64,
    b'm' as u64,
    b'k' as u64,
    b'q' as u64,
];
