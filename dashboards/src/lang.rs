//! Addresses in each language.

use url::form_urlencoded;
use warehouse::names::Lang;

/// The address of `path` in `lang`.
pub(crate) fn href(lang: Lang, path: &str) -> String {
    match lang {
        Lang::Vi => path.to_owned(),
        Lang::En => format!("/en{path}"),
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
    fn choices_are_encoded() {
        let choices = [("tinh", Some("79@2025-07-01")), ("ky", None), ("q", Some("a&b c"))];
        let address = href_with(Lang::En, "/sql", &choices);
        assert_eq!(address, "/en/sql?tinh=79%402025-07-01&q=a%26b+c");
    }
}
