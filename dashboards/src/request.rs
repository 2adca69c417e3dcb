//! What a request asks for beside its page: the language and the choices in its query string.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use url::form_urlencoded;
use warehouse::names::Lang;

use crate::error::PageError;
use crate::lang;

/// Who reads, in which language, and what they chose.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) lang: Lang,
    /// The address without its language, beginning with a slash.
    pub(crate) path: String,
    /// The query string as sent.
    pub(crate) query: Option<String>,
    choices: Vec<(String, String)>,
}

impl Reader {
    fn new(path: &str, query: Option<&str>) -> Self {
        let (lang, path) = lang::split(path);
        let choices = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self {
            lang,
            path,
            query: query.map(str::to_owned),
            choices: choices.into_owned().collect(),
        }
    }

    /// The first value of that name, unless it is blank.
    pub(crate) fn choice(&self, name: &str) -> Option<&str> {
        let (_, value) = self.choices.iter().find(|(key, _)| key == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(parts.uri.path(), parts.uri.query()))
    }
}

/// The part of an address that names what the page is about. What is not even text names nothing.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(PageError::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_decoded_and_blank_ones_are_none() {
        let reader = Reader::new("/sql", Some("q=SELECT+1%3B&tinh=&ky=%20"));
        assert_eq!(reader.choice("q"), Some("SELECT 1;"));
        assert_eq!(reader.choice("tinh"), None);
        assert_eq!(reader.choice("ky"), None);
    }
}
