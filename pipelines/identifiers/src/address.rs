//! Addresses below the commune: houses, alleys, hamlets.

use std::sync::LazyLock;

use super::labels::{Found, Label};
use super::lexicon::{ADDRESS, Flags, PLACE, Spelling, key};
use super::words::{Case, Gap, Word};

/// A capitalised name may follow, not only a number.
const NAMED: u8 = 1;
/// Begins the names of towns and communes, and is a word of its own: a name follows only in lower
/// case.
const LOWER: u8 = 1 << 1;
/// Another word without accents: `ap` is pressure, `ban` an attack.
const OTHER: u8 = 1 << 2;
/// Counts things where it is accented: `bản sao 2 bản`.
const COUNTS: u8 = 1 << 3;
/// The number may be glued to it.
const GLUED: u8 = 1 << 4;

/// Words after which a number or a name makes an address.
const MARKERS: [(&str, u8); 16] = [
    ("ngõ", 0),
    ("ngách", 0),
    ("hẻm", 0),
    ("kiệt", OTHER),
    ("thôn", NAMED),
    ("xóm", NAMED),
    ("ấp", NAMED | OTHER),
    ("khóm", 0),
    ("buôn", NAMED | LOWER),
    ("bản", NAMED | LOWER | OTHER | COUNTS),
    ("làng", OTHER),
    ("sóc", NAMED | LOWER | OTHER),
    ("phum", 0),
    ("plei", 0),
    ("tdp", GLUED),
    ("kp", GLUED),
];
/// The same in two words and more.
const PHRASES: [&str; 18] = [
    "số nhà",
    "nhà số",
    "khu phố",
    "tổ dân phố",
    "tổ dân",
    "khu dân cư",
    "chung cư",
    "căn hộ",
    "khu tập thể",
    "khu đô thị",
    "tòa nhà",
    "tiểu khu",
    "đội sản xuất",
    "phòng trọ",
    "nhà trọ",
    "khu trọ",
    "house number",
    "apartment",
];
/// Words of groups and teams, and of what those belong to.
const GROUPS: [&str; 2] = ["tổ", "đội"];
const PARTS: [&str; 10] = ["khóm", "ấp", "thôn", "khu", "phường", "xã", "kp", "tdp", "xóm", "bản"];
/// Words that come after the name of a street.
const STREETS: [&str; 6] = ["street", "st", "road", "rd", "lane", "alley"];

/// The words above as they are compared.
struct Lists {
    markers: Vec<(Spelling, u8)>,
    phrases: Vec<Vec<Spelling>>,
    groups: Vec<Spelling>,
    parts: Vec<Spelling>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let all = |words: &[&str]| words.iter().map(|word| Spelling::of(word)).collect();
    Lists {
        markers: MARKERS.iter().map(|(word, traits)| (Spelling::of(word), *traits)).collect(),
        phrases: PHRASES
            .iter()
            .map(|phrase| phrase.split(' ').map(Spelling::of).collect())
            .collect(),
        groups: all(&GROUPS),
        parts: all(&PARTS),
    }
});

/// The words with which an address may begin, for the lexicon.
pub(crate) fn first_words() -> impl Iterator<Item = &'static str> {
    let phrases = PHRASES.iter().filter_map(|phrase| phrase.split(' ').next());
    let markers = MARKERS.iter().map(|(word, _)| *word);
    markers.chain(phrases).chain(GROUPS).chain(["sn", "đường"]).chain(STREETS)
}

/// Whether the words name a house or a hamlet; `flags` is what any of them may be.
pub(super) fn holds_address(text: &str, words: &[Word], flags: Flags, labels: &[Found]) -> bool {
    let marked = flags & ADDRESS != 0
        && (0..words.len().saturating_sub(1)).any(|at| is_marked(text, words, at));
    marked || holds_house(words, flags, labels)
}

fn is_marked(text: &str, words: &[Word], at: usize) -> bool {
    let rest = &words[at..];
    let word = &rest[0];
    if word.likely() & ADDRESS == 0 {
        return false;
    }
    let lists = &*LISTS;
    let next = rest.get(1);
    if let Some((_, traits)) = lists.markers.iter().find(|(one, _)| is_word(word, *one)) {
        let blank = next.is_some_and(|next| text[word.end..next.start].trim().is_empty());
        return is_after_marker(words, at, *traits, blank);
    }
    let begun = lists.phrases.iter().filter(|phrase| begins(rest, phrase)).map(Vec::len).max();
    if let Some(many) = begun {
        let next = rest.get(many);
        let begins = word.case == Case::Lower || at == 0 && word.case == Case::Title;
        return numbered(next) || begins && follows(next);
    }
    // A group, a team: with what it belongs to.
    if lists.groups.iter().any(|one| is_word(word, *one)) {
        let belongs = |word: &Word| lists.parts.iter().any(|one| is_word(word, *one));
        return numbered(next) && rest.iter().skip(2).take(3).any(belongs);
    }
    word.key == key("sn")
        && numbered(next)
        && rest.get(2).is_some_and(|word| word.capital() || word.likely() & ADDRESS != 0)
}

/// Whether what follows a marker makes an address of it.
fn is_after_marker(words: &[Word], at: usize, traits: u8, blank: bool) -> bool {
    let rest = &words[at..];
    let (word, next) = (&rest[0], rest.get(1));
    let is = |one: u8| traits & one != 0;
    let cared_for = at > 0 && words[at - 1].key == key("cham");
    let lower = word.case == Case::Lower && !cared_for && next.is_some_and(|next| !next.bare);
    // In capitals every word begins like a name, so the marker must come first.
    let first = word.case != Case::Upper || at == 0;
    let name = is(NAMED) && !word.bare && first && named(next) && (!is(LOWER) || lower);
    let apart = at == 0 || word.gap != Gap::Joint;
    let communes = [key("xa"), key("x"), key("phuong")];
    let within = rest.get(2).is_some_and(|word| communes.contains(&word.key));
    let counted = is(COUNTS) && !word.bare;
    let other = is(OTHER) && word.bare && !apart && !within;
    let number = numbered(next) && (blank || !word.bare) && !counted && !other;
    let glued = is(GLUED) && glued(next) && rest.get(2).is_none_or(|word| word.gap != Gap::None);
    name || number || glued
}

/// `12/5 Lê Lợi, P. Bến Nghé`: a number, a capitalised street, and a place behind it.
fn holds_house(words: &[Word], flags: Flags, labels: &[Found]) -> bool {
    let said = labels.iter().any(|found| found.label == Label::Address);
    if flags & (PLACE | ADDRESS) == 0 && !said {
        return false;
    }
    (0..words.len()).any(|at| {
        if !words[at].digits || words[at].end - words[at].start > 4 {
            return false;
        }
        let rest = &words[at + 1..];
        let letter = usize::from(
            rest.first().is_some_and(|word| word.gap == Gap::None && word.letters == 1),
        );
        let rest = &rest[letter..];
        let street = |word: &&Word| word.capital() && word.gap == Gap::Joint && word.is_syllable();
        let marked = rest.first().is_some_and(|word| key_is(word, "duong") || key_is(word, "pho"));
        let skip = usize::from(marked);
        let many = rest[skip.min(rest.len())..].iter().take(5).take_while(street).count();
        let behind = rest.get(skip + many).into_iter().chain(rest.get(skip + many + 1));
        let place = |word: &Word| {
            let short = ["p", "q", "x", "tp", "tx", "tt", "hn", "hcm", "kp", "ward", "district"];
            let street = ["duong", "pho", "truong"].iter().any(|one| key_is(word, one));
            word.exact & PLACE != 0 && !word.bare && !street
                || short.iter().any(|one| key_is(word, one)) && word.capital()
        };
        let english = rest[..(skip + many).min(rest.len())]
            .iter()
            .skip(1)
            .any(|word| STREETS.iter().any(|one| key_is(word, one)));
        let number_first = at == 0 || words[at - 1].digits || !words[at - 1].capital() || said;
        let place_behind = behind.clone().any(place);
        (2..=5).contains(&many)
            && number_first
            && (place_behind || said && many >= 2 || marked && at == 0)
            || (1..=5).contains(&many) && english && number_first
    })
}

fn key_is(word: &Word, one: &str) -> bool {
    word.key != 0 && word.key == key(one)
}

/// Whether it is this word: with the same accents, or without any.
fn is_word(word: &Word, one: Spelling) -> bool {
    word.key == one.key && (word.bare || word.accents == one.accents)
}

fn begins(words: &[Word], phrase: &[Spelling]) -> bool {
    words.len() >= phrase.len()
        && words.iter().zip(phrase).all(|(word, one)| is_word(word, *one))
        && words[1..phrase.len()].iter().all(Word::joined)
}

fn numbered(word: Option<&Word>) -> bool {
    word.is_some_and(|word| word.digits && !matches!(word.gap, Gap::Far | Gap::None))
}

fn glued(word: Option<&Word>) -> bool {
    word.is_some_and(|word| word.digits && word.gap == Gap::None && word.end - word.start < 3)
}

fn named(word: Option<&Word>) -> bool {
    word.is_some_and(|word| word.joined() && word.capital())
}

fn follows(word: Option<&Word>) -> bool {
    let letter = word.is_some_and(|word| word.letters == 1 && word.capital());
    numbered(word) || named(word) || letter
}
