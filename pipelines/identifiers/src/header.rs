//! What a column's header says about its cells.

use super::text::words;

/// Which identifiers a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Header {
    pub(super) identity: bool,
    pub(super) social_insurance: bool,
    pub(super) card: bool,
    pub(super) phone: bool,
    pub(super) passport: bool,
    pub(super) birth: bool,
    pub(super) name: bool,
    pub(super) address: bool,
    pub(super) episode: bool,
    pub(super) practitioner: bool,
}

pub(super) const IDENTITY: &[&str] = &[
    "cccd",
    "cmnd",
    "cmt",
    "can cuoc",
    "so dinh danh",
    "ma dinh danh",
    "dinh danh ca nhan",
    "chung minh nhan dan",
    "chung minh thu",
    "giay to tuy than",
    "national id",
    "citizen id",
];
pub(super) const SOCIAL_INSURANCE: &[&str] =
    &["ma so bhxh", "so bhxh", "ma bhxh", "bhxh", "so so bhxh", "bao hiem xa hoi"];
pub(super) const CARD: &[&str] = &["the bhyt", "ma the", "so the", "the tam", "insurance card"];
pub(super) const PASSPORT: &[&str] = &["ho chieu", "passport"];
const PHONE: &[&str] = &["dien thoai", "sdt", "so dt", "phone", "di dong", "tel", "mobile"];
const BIRTH: &[&str] =
    &["ngay sinh", "sinh ngay", "dob", "date of birth", "birth date", "birthdate"];
const NAME: &[&str] = &[
    "ho ten",
    "ho va ten",
    "hoten",
    "ten benh nhan",
    "ten nguoi benh",
    "ten bs",
    "ten bac si",
    "ho ten cha",
    "ho ten me",
    "patient full name",
    "patient name",
    "ten nnd",
    "nguoi giam ho",
];
const ADDRESS: &[&str] =
    &["dia chi", "noi cu tru", "thuong tru", "tam tru", "noi o", "home address"];
const EPISODE: &[&str] = &[
    "ma lk",
    "ma bn",
    "ma benh nhan",
    "ma nguoi benh",
    "ma hsba",
    "ma yte",
    "ma y te",
    "so luu tru",
    "so benh an",
    "ma benh an",
    "so seri",
    "ma lien ket",
    "patient id",
    "episode id",
    "record id",
];
const PRACTITIONER: &[&str] =
    &["cchn", "gphn", "chung chi hanh nghe", "giay phep hanh nghe", "ma bac si", "ma bs"];

impl Header {
    pub(super) fn read(header: &str) -> Self {
        let words = words(header);
        let says = |list: &[&str]| says(&words, list);
        Self {
            identity: says(IDENTITY),
            social_insurance: says(SOCIAL_INSURANCE),
            card: says(CARD),
            phone: says(PHONE),
            passport: says(PASSPORT),
            birth: says(BIRTH),
            name: says(NAME),
            address: says(ADDRESS),
            episode: says(EPISODE),
            practitioner: says(PRACTITIONER),
        }
    }

    /// Whether it announces anything, so that short plain cells must be looked at too.
    pub(super) fn speaks(&self) -> bool {
        *self != Self::default()
    }
}

/// Whether `words`, as [`words`] gives them, hold one of the phrases as whole words.
pub(super) fn says(words: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| {
        words.match_indices(phrase).any(|(at, _)| {
            words.as_bytes().get(at.wrapping_sub(1)) == Some(&b' ')
                && words.as_bytes().get(at + phrase.len()) == Some(&b' ')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_whole_words_in_any_spelling() {
        assert!(Header::read("SO_CCCD").identity);
        assert!(Header::read("Số định danh").identity);
        assert!(Header::read("Họ và tên").name);
        assert!(Header::read("MA_LK").episode);
        assert!(!Header::read("ma_lkx").episode);
        assert!(!Header::read("hotel").phone);
        assert!(!Header::read("so_mac Số ca mắc").speaks());
        assert!(!Header::read("ten").speaks());
    }
}
