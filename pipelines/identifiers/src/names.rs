//! Names of persons.
//!
//! A name begins with a surname; what follows decides, and how it is written. In accented text in
//! title case (`Trần Thị Bình`) a usual surname and two more capitalised words are enough, save for
//! known places and phrases. In capitals, in lower case and without accents, surnames are common
//! words (`HO` is a cough, `DO` "because of", `VO SINH` infertility), so middle and given names of
//! the lists are needed too, and phrases of medicine are excepted. A word before it (`bà`, `BS`,
//! `BN`) makes much less enough. Rare surnames need a telling middle name or such a word.
//!
//! Words compare accented where both are accented: `Hở van` is a heart valve, `Hồ Văn` a man.

mod glued;
mod initials;
mod other;
mod phrases;

use std::sync::LazyLock;

use super::lexicon::{
    BACKWARDS, CAPITAL_WORD, CLAN, COMMON, FIRST_NAME, Flags, GIVEN, Key, MIDDLE, PLACE, SURNAME,
    Spelling, TELLING, TITLE, TITLE_END, UNMISTAKABLE, USUAL, WEAK_GIVEN, key,
};
use super::words::{Accents, Case, Gap, Word};

pub use self::phrases::AllowList;
use self::phrases::known;

/// Words of a cell, in which names are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) text: &'a str,
    pub(crate) words: &'a [Word],
    /// What any of the words may be.
    pub(crate) flags: Flags,
    pub(crate) allowed: &'a AllowList,
}

/// Whether the words hold a person's name.
pub(crate) fn holds_name(names: Names<'_>) -> bool {
    const ANY: Flags = SURNAME | CLAN | FIRST_NAME | TITLE | BACKWARDS;
    let Names { words, flags, .. } = names;
    if words.iter().any(|word| word.letters >= 8) && glued::holds_glued(names) {
        return true;
    }
    if flags & ANY != 0 {
        let mut at = 0;
        while at < words.len() {
            match name_at(names, at) {
                Match::Name => return true,
                Match::Nothing => at += 1,
                Match::Known(many) => at += many,
            }
        }
    }
    words.len() >= 2 && (initials::holds_initials(names) || other::holds_other(names))
}

enum Match {
    Name,
    Nothing,
    Known(usize),
}

fn name_at(names: Names<'_>, at: usize) -> Match {
    let words = names.words;
    let word = &words[at];
    if word.any & SURNAME == 0 || word.case == Case::Other {
        return Match::Nothing;
    }
    let rest = &words[at..];
    let accents = accents_of(rest);
    let flags = word.flags(accents);
    if flags & SURNAME == 0 || !is_name(names, at, flags, accents) {
        return Match::Nothing;
    }
    if is_place(names, at) {
        return Match::Nothing;
    }
    if accents == Accents::Without && is_essence(words, at) {
        return Match::Nothing;
    }
    known(names, at).map_or(Match::Name, Match::Known)
}

/// `khang nguyen`, `di nguyen`, `can nguyen`: the end of a word of medicine.
fn is_essence(words: &[Word], at: usize) -> bool {
    const BEGINNINGS: [&str; 8] = ["khang", "di", "can", "tu", "chi", "y", "phuc", "cao"];
    at > 0
        && words[at].joined()
        && words[at].key == key("nguyen")
        && BEGINNINGS.iter().any(|one| key(one) == words[at - 1].key)
}

/// Whether one of the two words before says that a place's name follows: communes and streets are
/// called after persons.
fn is_place(names: Names<'_>, at: usize) -> bool {
    const SHORT: [&str; 7] = ["P", "Q", "H", "X", "TT", "TP", "TX"];
    let Names { text, words, .. } = names;
    let joined = |at: usize| words[at].joined();
    let is_word = |at: usize| !words[at].bare && words[at].exact & PLACE != 0;
    let is_short =
        |at: usize| text[words[at].end..].starts_with('.') && SHORT.contains(&words[at].text(text));
    at > 0 && joined(at) && (is_word(at - 1) || is_short(at - 1))
        || at > 1 && joined(at) && joined(at - 1) && words[at - 1].capital() && is_word(at - 2)
}

const VAN: Key = key("van");
const THI: Key = key("thi");

/// Whether the surname alone makes a name of what follows it.
fn is_unmistakable(word: &Word, accents: Accents) -> bool {
    match accents {
        Accents::Same => word.exact & UNMISTAKABLE != 0,
        Accents::Without => word.key == key("nguyen") || word.key == key("huynh"),
    }
}

/// Text is taken as unaccented where three words in a row are, and behind a surname that is no
/// other word ("Nguyen Văn A").
fn accents_of(rest: &[Word]) -> Accents {
    let start = rest[0].bare && is_unmistakable(&rest[0], Accents::Without);
    let joined = |(at, word): &(usize, &Word)| *at == 0 || word.joined();
    let all = rest.iter().take(3).enumerate().take_while(joined).all(|(_, word)| word.bare);
    if start || all { Accents::Without } else { Accents::Same }
}

/// Whether a word before this one says that a person follows. Without accents only some are no other
/// word: `ong` is a tube, `chi` a limb.
pub(crate) fn is_titled(words: &[Word], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| &words[at]) else { return false };
    if words[at].gap == Gap::Far || before.any & (TITLE | TITLE_END) == 0 {
        return false;
    }
    let is = |word: &Word, one: Spelling| {
        word.key == one.key && (word.bare || word.accents == one.accents)
    };
    let first = at.checked_sub(2).map(|at| &words[at]);
    let pair = before.any & TITLE_END != 0
        && PAIRS
            .iter()
            .any(|(one, two)| is(before, *two) && first.is_some_and(|word| is(word, *one)));
    let other = before.bare && OTHERS.contains(&before.key);
    pair || before.exact & TITLE != 0 && !other
}

/// Titles in two words.
static PAIRS: LazyLock<Vec<(Spelling, Spelling)>> = LazyLock::new(|| {
    let pairs = [
        ("bệnh", "nhân"),
        ("bác", "sĩ"),
        ("y", "sĩ"),
        ("điều", "dưỡng"),
        ("người", "bệnh"),
        ("người", "nhà"),
        ("họ", "tên"),
    ];
    pairs.into_iter().map(|(one, two)| (Spelling::of(one), Spelling::of(two))).collect()
});
/// Titles that are other words without accents.
const OTHERS: [Key; 3] = [key("em"), key("con"), key("anh")];

fn is_name(names: Names<'_>, at: usize, flags: Flags, accents: Accents) -> bool {
    let words = names.words;
    let word = &words[at];
    let rest = &words[at..];
    // What follows in the same case; a single capital stands for a name too ("Nguyễn Văn A").
    let alike = |other: &&Word| {
        let initial = other.case == Case::Upper && word.case == Case::Title && other.letters == 1;
        other.joined() && other.is_syllable() && (other.case == word.case || initial)
    };
    let count = rest[1..].iter().take(4).take_while(alike).count();
    let follow = &rest[1..=count];
    let ends = at + count + 1 == words.len();
    let alone = at == 0 && ends;
    let titled = is_titled(words, at);
    let usual = flags & USUAL != 0;
    let rare = flags & (USUAL | COMMON) == 0;
    let split = parted(names, at, flags, accents);
    split
        || match word.case {
            Case::Title if rare => rare_name(follow, accents, titled, alone),
            Case::Title => {
                // Within a capitalised phrase these are words of it: *Bệnh Lý*, *Thái Dương*.
                let inner = at > 0 && word.joined() && words[at - 1].capital();
                let usual = usual && !(inner && !titled && flags & CAPITAL_WORD != 0);
                in_title_case(word, usual, follow, accents, titled)
            }
            Case::Upper if rare => rare_in_capitals(follow, accents, titled || alone),
            Case::Upper if usual => in_capitals(word, flags, follow, accents, alone || titled),
            Case::Upper => is_common_in_capitals(follow, accents, titled || alone),
            Case::Lower => in_lower_case(word, flags, follow, accents, alone, titled),
            Case::Other => false,
        }
}

fn given(word: Option<&Word>, accents: Accents) -> bool {
    word.is_some_and(|word| word.flags(accents) & GIVEN != 0)
}

fn any_given(word: Option<&Word>, accents: Accents) -> bool {
    word.is_some_and(|word| word.flags(accents) & (GIVEN | WEAK_GIVEN) != 0)
}

fn in_title_case(
    surname: &Word,
    usual: bool,
    follow: &[Word],
    accents: Accents,
    titled: bool,
) -> bool {
    let (first, second) = match follow {
        [] => return false,
        [only] => {
            let sure = usual || titled;
            let letter = only.letters == 1 && titled && usual;
            return sure && (given(Some(only), accents) || letter)
                || titled && usual && any_given(Some(only), accents);
        }
        [first, second, ..] => (first, second),
    };
    // Without accents a firm's name in English has the same look.
    let certain = usual && (accents == Accents::Same || is_unmistakable(surname, accents));
    let middle = first.flags(accents) & MIDDLE != 0;
    if certain || titled && usual || is_plain_middle(first, accents) {
        return true;
    }
    middle && second.flags(accents) & (GIVEN | WEAK_GIVEN) != 0
        || first.flags(accents) & TELLING != 0
        || given(Some(second), accents)
            && (usual || titled || first.flags(accents) & (MIDDLE | GIVEN) != 0)
}

/// After a rare surname: `Vàng Thị Xây`, `Thào A Chống`, `bà Lường Ún`.
fn rare_name(follow: &[Word], accents: Accents, titled: bool, alone: bool) -> bool {
    match follow {
        [] => false,
        [_] => titled && given(follow.first(), accents),
        [first, second, ..] => {
            let single = first.letters == 1 && first.key == key("a");
            let part = |word: &Word| word.exact & (MIDDLE | GIVEN | WEAK_GIVEN) != 0;
            let all = follow.iter().all(part);
            (is_plain_middle(first, accents) || single && given(Some(second), accents))
                && accents == Accents::Same
                || titled && (first.flags(accents) & MIDDLE != 0 || given(Some(second), accents))
                || alone && accents == Accents::Same && all
                || first.flags(accents) & TELLING != 0 && given(Some(second), accents)
        }
    }
}

fn rare_in_capitals(follow: &[Word], accents: Accents, sure: bool) -> bool {
    let [first, second, ..] = follow else { return false };
    is_plain_middle(first, accents)
        && (given(Some(second), accents) || sure && accents == Accents::Same)
}

fn in_capitals(
    surname: &Word,
    flags: Flags,
    follow: &[Word],
    accents: Accents,
    sure: bool,
) -> bool {
    let [first, second, ..] = follow else {
        return sure && accents == Accents::Same && given(follow.first(), accents);
    };
    let telling = first.flags(accents) & TELLING != 0;
    if accents == Accents::Without {
        let doubtful = DOUBTFUL.iter().any(|one| key(one) == surname.key);
        let part = |word: &Word| word.flags(accents) & (MIDDLE | GIVEN | TELLING) != 0;
        return is_unmistakable(surname, accents) && follow.iter().take(2).any(part)
            || telling
                && (given(Some(second), accents) || !doubtful && is_plain_middle(first, accents))
            || is_strong(surname) && is_full(follow, accents)
            || sure
                && !doubtful
                && follow.len() <= 3
                && follow.iter().all(part)
                && given(follow.last(), accents);
    }
    if is_unmistakable(surname, accents) || telling {
        return true;
    }
    let likely = first.flags(accents) & MIDDLE != 0
        || given(Some(second), accents)
        || given(follow.get(2), accents);
    likely && (sure || flags & CAPITAL_WORD == 0 || is_full(follow, accents))
}

/// After a surname that is a common word, middle and given name must both be telling.
fn is_common_in_capitals(follow: &[Word], accents: Accents, sure: bool) -> bool {
    let [first, second, ..] = follow else { return false };
    let telling = match accents {
        Accents::Without => is_plain_middle(first, accents) || sure && first.any & TELLING != 0,
        Accents::Same => first.exact & TELLING != 0 || sure && first.exact & MIDDLE != 0,
    };
    telling && given(Some(second), accents)
}

/// Accented surnames that are no other word in lower case.
static PLAIN: LazyLock<Vec<Spelling>> = LazyLock::new(|| {
    let all = "nguyễn trần phạm huỳnh đặng bùi đỗ ngô phan võ trịnh phùng quách lê vũ đinh đoàn";
    all.split(' ').map(Spelling::of).collect()
});

/// Surnames that are words of many kinds without accents.
const DOUBTFUL: [&str; 14] =
    ["do", "ho", "vo", "lo", "ta", "ly", "vu", "dinh", "tong", "dao", "hang", "lu", "la", "mong"];

fn in_lower_case(
    surname: &Word,
    flags: Flags,
    follow: &[Word],
    accents: Accents,
    alone: bool,
    titled: bool,
) -> bool {
    let same = accents == Accents::Same;
    let plain = same && PLAIN.iter().any(|one| is_exactly(surname, *one));
    let usual = flags & USUAL != 0;
    let [first, second, ..] = follow else {
        return (plain && (alone || titled) || titled && usual && same)
            && given(follow.first(), accents);
    };
    if is_plain_middle(first, accents) {
        return given(Some(second), accents) && (usual || same) || usual && titled && same;
    }
    let part = |word: &Word| word.flags(accents) & (MIDDLE | GIVEN | WEAK_GIVEN) != 0;
    let middle = first.flags(accents) & (MIDDLE | GIVEN) != 0;
    let named = middle && given(Some(second), accents);
    if plain {
        return named || middle && any_given(Some(second), accents) || titled && part(first);
    }
    if titled && (same || usual) {
        return part(first) && part(second);
    }
    if same && usual && flags & CAPITAL_WORD == 0 || !same && is_strong(surname) {
        return is_full(follow, accents);
    }
    // Every one of the words is part of names, and there is nothing else.
    let whole = alone && follow.len() <= 3 && follow.iter().all(part);
    let doubtful = surname.bare && DOUBTFUL.iter().any(|one| key(one) == surname.key);
    let telling = first.flags(accents) & MIDDLE != 0 && given(follow.last(), accents);
    usual && whole && if doubtful { telling } else { named || telling }
}

/// Surnames that are seldom other words without accents.
const STRONG: [&str; 6] = ["nguyen", "huynh", "hoang", "bui", "phung", "quach"];

/// One or two middle names, and a given name.
fn is_full(follow: &[Word], accents: Accents) -> bool {
    let middle = |word: &Word| word.flags(accents) & MIDDLE != 0;
    match follow {
        [first, second, ..] if middle(first) && given(Some(second), accents) => true,
        [first, second, third, ..] => {
            middle(first) && middle(second) && given(Some(third), accents)
        }
        _ => false,
    }
}

fn is_strong(surname: &Word) -> bool {
    STRONG.iter().any(|one| key(one) == surname.key)
}

fn is_exactly(word: &Word, one: Spelling) -> bool {
    word.key == one.key && word.accents == one.accents
}

/// `văn` or `thị`.
fn is_plain_middle(word: &Word, accents: Accents) -> bool {
    matches!(word.key, VAN | THI) && word.flags(accents) & TELLING != 0
}

/// `Nguyễn, Văn, An`, `Nguyễn/Thị/Bình`: the parts of a name with signs between them.
fn parted(names: Names<'_>, at: usize, flags: Flags, accents: Accents) -> bool {
    let words = &names.words[at..];
    let [_, first, second, ..] = words else { return false };
    let bare = words[..3].iter().all(|word| word.bare);
    let accents = if bare { accents } else { Accents::Same };
    let near = |word: &Word| word.gap != Gap::Far && word.gap != Gap::None;
    if first.joined() && second.joined() || !near(first) || !near(second) {
        return false;
    }
    let same = first.case == words[0].case && second.case == words[0].case;
    let between = names.text[words[0].end..first.start] == names.text[first.end..second.start];
    flags & USUAL != 0
        && same
        && between
        && first.flags(accents) & MIDDLE != 0
        && given(Some(second), accents)
        && (is_plain_middle(first, accents)
            || accents == Accents::Same && words[0].case == Case::Title)
}

/// Whether a cell under a header of names could be a name: two to seven words that are all letters
/// and begin with capitals, or a name in any text.
pub(crate) fn could_be_name(names: Names<'_>) -> bool {
    let words = names.words;
    let all =
        (2..=7).contains(&words.len()) && words.iter().all(|word| word.key != 0 && word.capital());
    all || holds_name(Names { allowed: &AllowList::default(), ..names })
}
