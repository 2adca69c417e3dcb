//! The syllables and words that say something about a person, each with what it says.
//!
//! One lookup a word gives all of it: most words of a cell are in no list, and are done with then.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::address;
use super::contact;
use super::foreign;
use super::labels;
use super::letters::parts;
use super::spoken;

/// A word of at most eight letters, unaccented in lower case, as one number; a hash of a longer one.
/// Zero for what is no word of Latin letters.
pub(crate) type Key = u64;

/// What a word may be, a bit each.
pub(crate) type Flags = u32;

/// A usual surname.
pub(crate) const USUAL: Flags = 1;
/// A usual surname that is a word of medicine in capitals.
pub(crate) const CAPITAL_WORD: Flags = 1 << 1;
/// An accented surname that is never another word.
pub(crate) const UNMISTAKABLE: Flags = 1 << 2;
/// A surname that is a common word.
pub(crate) const COMMON: Flags = 1 << 3;
/// A rare surname.
pub(crate) const RARE: Flags = 1 << 4;
/// A clan's name that is no word of Vietnamese.
pub(crate) const CLAN: Flags = 1 << 5;
/// A middle name.
pub(crate) const MIDDLE: Flags = 1 << 6;
/// A middle name that is telling in capitals without accents.
pub(crate) const TELLING: Flags = 1 << 7;
/// A given name.
pub(crate) const GIVEN: Flags = 1 << 8;
/// A given name that is a common word.
pub(crate) const WEAK_GIVEN: Flags = 1 << 9;
/// A word before the name of a person: `bà`, `BS`, `Mrs`.
pub(crate) const TITLE: Flags = 1 << 10;
/// A word before the name of a place.
pub(crate) const PLACE: Flags = 1 << 11;
/// A word that may begin an address below the commune.
pub(crate) const ADDRESS: Flags = 1 << 12;
/// A word that may begin what announces a number.
pub(crate) const LABEL: Flags = 1 << 13;
/// A digit in words.
pub(crate) const DIGIT: Flags = 1 << 14;
/// A usual surname written backwards.
pub(crate) const BACKWARDS: Flags = 1 << 15;
/// A first name of other countries.
pub(crate) const FIRST_NAME: Flags = 1 << 16;
/// A family name of other countries.
pub(crate) const FAMILY_NAME: Flags = 1 << 17;
/// A title after which a given name alone is a person's.
pub(crate) const PERSON: Flags = 1 << 18;
/// The second word of a title in two, as in `bác sĩ`.
pub(crate) const TITLE_END: Flags = 1 << 19;
/// A word that may be part of an address of electronic mail that hides.
pub(crate) const MAIL: Flags = 1 << 20;
/// A usual surname as Telex has it before it is read.
pub(crate) const TYPED: Flags = 1 << 21;
/// Any surname of Viet Nam.
pub(crate) const SURNAME: Flags = USUAL | COMMON | RARE;

const SYLLABLES: &str = include_str!("../data/syllables.txt");

/// Words before a person's name.
const TITLES: &str = "ông bà anh chị cháu bé mẹ bố cha vợ chồng con em cô chú bác cụ bn nb bs ths pgs đd ktv \
    nhs ds ys bsck bscki bsckii mr mrs ms miss dr tên name patient nnbn thầy";
/// Words before a place's name; without accents they are names themselves (`Phuong`, `Duong`).
const PLACES: &str = "phường xã quận huyện tỉnh đường phố trấn trường";

/// Titles after which a given name alone is a person's.
const PERSONS: &str = "ông bà anh chị cháu bé cô chú bác cụ bn nb bs đd sĩ nhân";
/// The second words of titles in two.
const TITLE_ENDS: &str = "nhân sĩ dưỡng bệnh nhà tên";
/// Usual surnames, and their tones and shapes as keys.
const TYPED_SURNAMES: &str = "nguyeenx traanf tranaf phamj phamf hoangf huynhf vux voz vox ddawngj ddangwj buif \
    ddoox ddox hoof ngoo duwowng dduwowng dinhh ddinh ddoanf truwowng trinhj lees lee nguyeexn nguyexen";

struct Entry {
    key: Key,
    /// Shapes and tone: see [`Spelling`].
    accents: u32,
    flags: Flags,
}

/// How a word is spelt: its letters and its accents, apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) key: Key,
    /// Two bits for the shape of each of eight letters, then the tone. Where the tone stands does
    /// not count: `hòa` is `hoà`.
    pub(crate) accents: u32,
    length: u32,
}

impl Spelling {
    pub(crate) fn of(word: &str) -> Self {
        let mut spelling = Self::default();
        for c in word.chars() {
            let letter = parts(c);
            spelling.add(letter.base, letter.shape, letter.tone);
        }
        spelling
    }

    /// Adds a letter at the end.
    pub(crate) fn add(&mut self, base: u8, shape: u8, tone: u8) {
        let small = u64::from(base.to_ascii_lowercase());
        if self.length < 8 {
            self.key = self.key << 8 | small;
            self.accents |= u32::from(shape) << (2 * self.length);
        } else {
            self.key = (self.key ^ small).wrapping_mul(0x0100_0000_01b3) | LONG;
        }
        self.accents |= u32::from(tone) << 16;
        self.length += 1;
    }
}

/// Set in the keys of words that are too long for a syllable.
const LONG: Key = 1 << 63;

/// Whether the word is short enough for a syllable.
pub(crate) fn is_syllable(key: Key) -> bool {
    key != 0 && key & LONG == 0
}

/// The key of a word of at most eight unaccented letters.
pub(crate) const fn key(word: &str) -> Key {
    let letters = word.as_bytes();
    let mut key = 0;
    let mut at = 0;
    while at < letters.len() {
        key = key << 8 | letters[at] as Key;
        at += 1;
    }
    key
}

const SLOTS: usize = 1 << 13;

fn slot(key: Key) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 51) as usize
}

/// All words by key.
pub(crate) struct Lexicon {
    entries: Vec<Entry>,
    /// By slot, one more than the place of the first entry of a key; 0 where there is none.
    slots: Vec<u16>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::build);

impl Lexicon {
    fn build() -> Self {
        let mut flags: HashMap<(Key, u32), Flags> = HashMap::new();
        let mut add = |word: &str, flag: Flags| {
            let spelling = Spelling::of(word);
            *flags.entry((spelling.key, spelling.accents)).or_default() |= flag;
        };
        for line in SYLLABLES.lines().filter(|line| !line.starts_with('#')) {
            let (what, words) = line.split_once(": ").unwrap_or_default();
            let flag = flag_of(what);
            for word in words.split_whitespace() {
                add(word, flag);
                let backwards: String = word.chars().rev().collect();
                if flag == USUAL && word.chars().count() > 3 {
                    add(&backwards, BACKWARDS);
                }
            }
        }
        let lists: [(&str, Flags); 7] = [
            (TITLES, TITLE),
            (PLACES, PLACE),
            (PERSONS, PERSON),
            (TITLE_ENDS, TITLE_END),
            (TYPED_SURNAMES, TYPED),
            (foreign::FIRST_NAMES, FIRST_NAME),
            (foreign::FAMILY_NAMES, FAMILY_NAME),
        ];
        for (words, flag) in lists {
            words.split_whitespace().for_each(|word| add(word, flag));
        }
        labels::first_words().for_each(|word| add(word, LABEL));
        address::first_words().for_each(|word| add(word, ADDRESS));
        spoken::words().for_each(|word| add(word, DIGIT));
        contact::words().for_each(|word| add(word, MAIL));
        let mut entries: Vec<Entry> = flags
            .into_iter()
            .map(|((key, accents), flags)| Entry { key, accents, flags })
            .collect();
        entries.sort_unstable_by_key(|entry| (entry.key, entry.accents));
        let mut slots = vec![0; SLOTS];
        for (at, entry) in entries.iter().enumerate() {
            if at > 0 && entries[at - 1].key == entry.key {
                continue;
            }
            let mut place = slot(entry.key);
            while slots[place] != 0 {
                place = (place + 1) % SLOTS;
            }
            slots[place] = u16::try_from(at + 1).expect("a few thousand words");
        }
        Self { entries, slots }
    }

    /// What the word may be as it is spelt, and what it may be with any accents.
    fn get(&self, spelling: Spelling) -> (Flags, Flags) {
        let mut place = slot(spelling.key);
        loop {
            let Some(at) = usize::from(self.slots[place]).checked_sub(1) else { return (0, 0) };
            if self.entries[at].key == spelling.key {
                let same = self.entries[at..].iter().take_while(|one| one.key == spelling.key);
                return same.fold((0, 0), |(exact, any), entry| {
                    let equal = entry.accents == spelling.accents;
                    (exact | if equal { entry.flags } else { 0 }, any | entry.flags)
                });
            }
            place = (place + 1) % SLOTS;
        }
    }
}

/// What the word may be as it is spelt, and what it may be with any accents.
pub(crate) fn look_up(spelling: Spelling) -> (Flags, Flags) {
    LEXICON.get(spelling)
}

fn flag_of(what: &str) -> Flags {
    match what {
        "usual" => USUAL,
        "capital_words" => CAPITAL_WORD,
        "unmistakable" => UNMISTAKABLE,
        "common" => COMMON,
        "rare" => RARE,
        "clan" => CLAN,
        "middle" => MIDDLE,
        "telling" => TELLING,
        "given" => GIVEN,
        _ => WEAK_GIVEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_with_its_accents_and_without() {
        let (exact, any) = look_up(Spelling::of("NGUYỄN"));
        assert_eq!(exact & UNMISTAKABLE, UNMISTAKABLE);
        assert_eq!(exact & any, exact);
        let (exact, any) = look_up(Spelling::of("nguyen"));
        assert_eq!((exact & USUAL, any & USUAL), (0, USUAL));
        assert_eq!(Spelling::of("hoà"), Spelling::of("HÒA"));
        assert_ne!(Spelling::of("hóa"), Spelling::of("hòa"));
        assert_eq!(look_up(Spelling::of("xyz")), (0, 0));
    }

    #[test]
    fn the_list_of_syllables_names_only_known_kinds() {
        let known =
            "usual capital_words unmistakable common rare clan middle telling given weak_given";
        for line in SYLLABLES.lines().filter(|line| !line.starts_with('#')) {
            let (what, words) = line.split_once(": ").unwrap();
            assert!(known.split(' ').any(|kind| kind == what), "{line}");
            assert!(words.split(' ').all(|word| Spelling::of(word).key != 0), "{line}");
        }
    }
}
