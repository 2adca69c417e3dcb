//! Addresses in each language.

use url::form_urlencoded;
use warehouse::names::Lang;

use crate::pages::files::OPEN_DATA;

/// The part of an address that makes it English.
const ENGLISH: &str = "en";

/// The address of `path` in `lang`. The open-data site is a folder with English inside it.
pub(crate) fn href(lang: Lang, path: &str) -> String {
    match (lang, path.strip_prefix(OPEN_DATA)) {
        (Lang::Vi, _) => path.to_owned(),
        (Lang::En, Some(inside)) => format!("{OPEN_DATA}{ENGLISH}/{inside}"),
        (Lang::En, None) => format!("/{ENGLISH}{path}"),
    }
}

/// The language of an address, and the address without it.
pub(crate) fn split(address: &str) -> (Lang, String) {
    if let Some(inside) = address.strip_prefix(OPEN_DATA) {
        let mut parts: Vec<&str> = inside.split('/').collect();
        // A dataset cannot have this name.
        let Some(at) = parts.iter().position(|part| *part == ENGLISH) else {
            return (Lang::Vi, address.to_owned());
        };
        parts.remove(at);
        return (Lang::En, format!("{OPEN_DATA}{}", parts.join("/")));
    }
    match address.strip_prefix('/').and_then(|rest| rest.strip_prefix(ENGLISH)) {
        Some("") => (Lang::En, "/".to_owned()),
        Some(rest) if rest.starts_with('/') => (Lang::En, rest.to_owned()),
        _ => (Lang::Vi, address.to_owned()),
    }
}

/// The address of `path` in `lang` with choices; those without a value are left out.
pub(crate) fn href_with(lang: Lang, path: &str, choices: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in choices {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    let path = href(lang, path);
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// The other language.
pub(crate) fn other(lang: Lang) -> Lang {
    match lang {
        Lang::Vi => Lang::En,
        Lang::En => Lang::Vi,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_and_put_together_again() {
        for (address, lang, path) in [
            ("/", Lang::Vi, "/"),
            ("/en/", Lang::En, "/"),
            ("/en/sql", Lang::En, "/sql"),
            ("/english", Lang::Vi, "/english"),
            ("/du-lieu-mo/", Lang::Vi, "/du-lieu-mo/"),
            ("/du-lieu-mo/en/", Lang::En, "/du-lieu-mo/"),
            ("/du-lieu-mo/en/khong-co/", Lang::En, "/du-lieu-mo/khong-co/"),
        ] {
            assert_eq!(split(address), (lang, path.to_owned()), "{address}");
            assert_eq!(href(lang, path), address);
        }
        assert_eq!(split("/en"), (Lang::En, "/".to_owned()));
        let inside = split("/du-lieu-mo/dan_so/v1/en/khong-co");
        assert_eq!(inside, (Lang::En, "/du-lieu-mo/dan_so/v1/khong-co".to_owned()));
    }

    #[test]
    fn choices_are_encoded() {
        let choices = [("tinh", Some("79@2025-07-01")), ("ky", None), ("q", Some("a&b c"))];
        let address = href_with(Lang::En, "/sql", &choices);
        assert_eq!(address, "/en/sql?tinh=79%402025-07-01&q=a%26b+c");
    }
}
