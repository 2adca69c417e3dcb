//! All words of the pages, page by page, both languages side by side: a word cannot be in one
//! language only, and whoever changes one sees the other.

use warehouse::names::Lang;

/// Declares the words of one part of the site: `name: "tiếng Việt", "English";`. Places for values
/// are written `{0}`, `{1}` and filled by [`fill`].
macro_rules! words {
    ($($name:ident: $vi:literal, $en:literal;)*) => {
        /// The words of this part in one language.
        pub(crate) struct Words {
            $(pub(crate) $name: &'static str,)*
        }

        static VI: Words = Words { $($name: $vi,)* };
        #[cfg(test)]
        pub(super) const PAIRS: &[(&str, &str)] = &[$(($vi, $en)),*];
        static EN: Words = Words { $($name: $en,)* };

        /// The words in `lang`.
        pub(crate) fn words(lang: warehouse::names::Lang) -> &'static Words {
            match lang {
                warehouse::names::Lang::Vi => &VI,
                warehouse::names::Lang::En => &EN,
            }
        }
    };
}

pub(crate) mod board;
pub(crate) mod catalogue;
pub(crate) mod failure;
pub(crate) mod home;
pub(crate) mod indicators;
pub(crate) mod log_in;
pub(crate) mod shared;
pub(crate) mod sql;

/// `text` with `{0}`, `{1}` … replaced by the values.
pub(crate) fn fill(text: &str, values: &[&str]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let inside = &rest[open + 1..];
        let Some(close) = inside.find('}') else { break };
        out.push_str(&rest[..open]);
        let value = inside[..close].parse::<usize>().ok().and_then(|at| values.get(at));
        out.push_str(value.copied().unwrap_or_default());
        rest = &inside[close + 1..];
    }
    out.push_str(rest);
    out
}

/// A day as that language writes it.
pub(crate) fn date(date: chrono::NaiveDate, lang: Lang) -> String {
    warehouse::grid::Cell::Date(date).display(lang)
}

/// A whole number as that language writes it.
pub(crate) fn count(number: i64, lang: Lang) -> String {
    warehouse::grid::Cell::Integer(number).display(lang)
}

/// The length of a list as that language writes it.
pub(crate) fn size(number: usize, lang: Lang) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX), lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_places_for_values() {
        let places = |text: &str| {
            let found = (0..9).filter(|at| text.contains(&format!("{{{at}}}")));
            found.collect::<Vec<_>>()
        };
        let parts = [
            board::PAIRS,
            catalogue::PAIRS,
            failure::PAIRS,
            home::PAIRS,
            indicators::PAIRS,
            log_in::PAIRS,
            shared::PAIRS,
            sql::PAIRS,
        ];
        for (vi, en) in parts.into_iter().flatten() {
            assert_eq!(places(vi), places(en), "{vi} | {en}");
            assert!(!vi.trim().is_empty() && !en.trim().is_empty());
        }
    }

    #[test]
    fn values_go_where_the_sentence_wants_them() {
        assert_eq!(fill("{1} trong {0}", &["34", "3"]), "3 trong 34");
        assert_eq!(fill("một {0", &["x"]), "một {0");
        // A value is never read as a place for another.
        assert_eq!(fill("{0} {1}", &["{1}", "b"]), "{1} b");
    }
}
