//! Names that do not begin with a Vietnamese surname: of the peoples of the Central Highlands, of
//! other countries, a given name first, a given name after a title.

use super::super::lexicon::{
    CLAN, FAMILY_NAME, FIRST_NAME, GIVEN, MIDDLE, PERSON, SURNAME, TELLING, UNMISTAKABLE, USUAL,
    key,
};
use super::super::words::{Accents, Case, Gap, Word};
use super::phrases::known;
use super::{Names, is_place, is_titled};

pub(super) fn holds_other(names: Names<'_>) -> bool {
    (0..names.words.len()).any(|at| {
        let found = is_clan(names, at)
            || is_before_strange(names, at)
            || is_marked(names, at)
            || is_given_first(names, at)
            || is_foreign(names, at)
            || is_titled_given(names, at);
        found && known(names, at).is_none() && !is_place(names, at)
    }) || super::glued::spelt_out(names.text, names.words)
}

/// `Y Krăng Êban`, `Ksor Thưn`: a clan's name beside another capitalised word.
fn is_clan(names: Names<'_>, at: usize) -> bool {
    let word = &names.words[at];
    if word.likely() & CLAN == 0 || !word.capital() {
        return false;
    }
    let river = word.key == key("krong") || word.key == key("buon");
    let before = at.checked_sub(1).map(|at| &names.words[at]).filter(|_| word.gap != Gap::Far);
    let after = names.words.get(at + 1).filter(|after| after.gap != Gap::Far);
    let named = |other: &Word| other.capital() && other.key != 0;
    !river && (before.is_some_and(named) || after.is_some_and(named))
}

/// `Đinh Blơt`, `Danh Sươl`: a surname, and a word in accents that is no Vietnamese syllable.
fn is_before_strange(names: Names<'_>, at: usize) -> bool {
    let Names { text, words, .. } = names;
    let [surname, next, ..] = &words[at..] else { return false };
    let title = |word: &Word| word.case == Case::Title && word.letters > 1;
    title(surname)
        && title(next)
        && next.joined()
        && !next.bare
        && surname.likely() & SURNAME != 0
        && (at == 0 || is_titled(words, at))
        && is_strange(next.text(text))
}

/// `H'Blơn Mlô`, `K' Brơm`, `Y Krăng`, `A Lơng`: a mark of men and women before a name that is no
/// Vietnamese syllable.
fn is_marked(names: Names<'_>, at: usize) -> bool {
    let Names { text, words, .. } = names;
    let word = &words[at];
    let Some(next) = words.get(at + 1) else { return false };
    if word.letters != 1 || word.case != Case::Upper || next.case != Case::Title {
        return false;
    }
    let between = &text[word.end..next.start];
    let quoted = between.contains('\'') && between.len() <= 2;
    let mark = word.text(text);
    let titled = is_titled(words, at);
    let begins = at == 0 || !text[..word.start].ends_with(|c: char| c.is_alphanumeric());
    match mark {
        "H" | "K" => quoted && begins && next.letters >= 2,
        "Y" | "A" => {
            let strange = is_strange(next.text(text));
            let alone = at == 0 && words.len() <= 4;
            let near = between == " " || between == "-";
            near && (titled || strange && (alone || has_clan(words, at)))
        }
        _ => false,
    }
}

fn has_clan(words: &[Word], at: usize) -> bool {
    words[at + 1..].iter().take(3).any(|word| word.likely() & CLAN != 0)
}

/// Whether the letters make no Vietnamese syllable: `Krăng`, `Blơn`, `Lơr`.
fn is_strange(word: &str) -> bool {
    let plain: String = super::super::text::words(word).trim().to_owned();
    let bytes = plain.as_bytes();
    let vowel = |byte: &u8| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let onset = bytes.iter().take_while(|byte| !vowel(byte)).count();
    const ONSETS: [&str; 28] = [
        "", "b", "c", "ch", "d", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh",
        "p", "ph", "q", "r", "s", "t", "th", "tr", "v", "x", "qu",
    ];
    const CODAS: [&str; 9] = ["", "c", "ch", "m", "n", "ng", "nh", "p", "t"];
    let coda = bytes.iter().rev().take_while(|byte| !vowel(byte)).count();
    let rare = word.chars().any(|c| matches!(c, 'ŭ' | 'ĕ' | 'ĭ' | 'ŏ' | 'č' | 'ñ' | 'ƀ'));
    onset < bytes.len()
        && (rare
            || !ONSETS.contains(&&plain[..onset])
            || !CODAS.contains(&&plain[plain.len() - coda..]))
}

/// `Bình Trần Văn`, `Lan Nguyễn`.
fn is_given_first(names: Names<'_>, at: usize) -> bool {
    let words = names.words;
    let [given, surname, rest @ ..] = &words[at..] else { return false };
    let title = |word: &Word| word.case == Case::Title && word.letters > 1;
    if !title(given) || !title(surname) || !surname.joined() || given.likely() & GIVEN == 0 {
        return false;
    }
    let usual = surname.likely() & USUAL != 0;
    let accents = if surname.bare { Accents::Without } else { Accents::Same };
    let middle = rest.first().filter(|word| word.joined() && title(word));
    let ends = middle.is_none();
    usual && middle.is_some_and(|word| word.flags(accents) & TELLING != 0)
        || ends
            && (surname.exact & UNMISTAKABLE != 0 || surname.key == key("nguyen") && surname.bare)
            && (at == 0 || is_titled(words, at) || !words[at - 1].capital())
}

/// `John Smith`, `Kim Min-jae`, `Mr. Tanaka Hiroshi`.
fn is_foreign(names: Names<'_>, at: usize) -> bool {
    let words = names.words;
    let [first, second, ..] = &words[at..] else { return false };
    let title = |word: &Word| word.capital() && word.bare && word.letters > 1;
    if !title(first) || !title(second) || !second.joined() || first.case != second.case {
        return false;
    }
    let alone = at == 0 && words.len() <= 4;
    let pair = first.exact & FIRST_NAME != 0 && second.exact & FAMILY_NAME != 0
        || first.exact & FAMILY_NAME != 0 && second.exact & FIRST_NAME != 0;
    // Eponyms and firms have two family names, or none that is a first name.
    let long = first.case == Case::Title && (first.letters > 4 || second.letters > 4);
    // Family name and two syllables, as in Korea and China.
    let three = words.get(at + 2).is_some_and(|third| {
        third.joined()
            && first.exact & FAMILY_NAME != 0
            && second.exact & FIRST_NAME != 0
            && third.exact & (FIRST_NAME | FAMILY_NAME) != 0
            && third.case == Case::Title
    });
    if three && first.case == Case::Title {
        return true;
    }
    let usual = |word: &Word| word.exact & (FIRST_NAME | FAMILY_NAME) != 0 && word.letters > 2;
    pair && (long || alone || is_titled(words, at))
        || is_titled(words, at) && first.case == Case::Title && (usual(first) || usual(second))
}

/// `chị Lan`, `BN Tuấn`, `bác sĩ Hùng`.
fn is_titled_given(names: Names<'_>, at: usize) -> bool {
    let words = names.words;
    let [title, given, ..] = &words[at..] else { return false };
    let short = title.case == Case::Upper && title.letters <= 3;
    // A given name alone is a word: only some titles say that it is one.
    if title.exact & PERSON == 0
        || !(title.case == Case::Lower || short || at == 0)
        || !is_titled(words, at + 1)
    {
        return false;
    }
    let next = words.get(at + 2).filter(|next| next.joined());
    given.gap == Gap::Joint
        && given.case == Case::Title
        && given.letters > 1
        && given.exact & GIVEN != 0
        && (given.exact & (MIDDLE | TELLING) == 0 || next.is_none_or(|next| !next.capital()))
        && next
            .is_none_or(|next| next.case == Case::Lower || next.digits || next.exact & GIVEN != 0)
}
