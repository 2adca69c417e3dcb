//! Who reads, in which language, and what they chose in the query string.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use url::form_urlencoded;
use warehouse::access::Principal;
use warehouse::names::{Lang, Sensitivity};

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
    /// With whose eyes everything is read.
    pub(crate) principal: Principal,
    /// Whether they gave a name and its password.
    pub(crate) logged_in: bool,
}

impl Reader {
    /// A reader without a name.
    pub(crate) fn stranger(path: &str, query: Option<&str>) -> Self {
        let (lang, path) = lang::split(path);
        let choices = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self {
            lang,
            path,
            query: query.map(str::to_owned),
            choices: choices.into_owned().collect(),
            principal: Principal::public(),
            logged_in: false,
        }
    }

    /// The same reader with the name that they gave.
    pub(crate) fn known_as(mut self, principal: Principal) -> Self {
        self.principal = principal;
        self.logged_in = true;
        self
    }

    /// The first value of that name, unless it is blank.
    pub(crate) fn choice(&self, name: &str) -> Option<&str> {
        let (_, value) = self.choices.iter().find(|(key, _)| key == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether something of that class is there for this reader, in some of its rows at least.
    pub(crate) fn may_read(&self, class: Sensitivity) -> bool {
        self.principal.may_read(class)
    }

    /// Whether all rows of that class are there for this reader, so that a count or a rank over
    /// them says what it seems to say.
    pub(crate) fn reads_whole(&self, class: Sensitivity) -> bool {
        self.principal.reads_whole(class)
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    /// The reader whom the outermost layer has looked up.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::stranger(parts.uri.path(), parts.uri.query())))
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
        let reader = Reader::stranger("/bang-dieu-khien", Some("a=x+1%3B&tinh=&ky=%20"));
        assert_eq!(reader.choice("a"), Some("x 1;"));
        assert_eq!(reader.choice("tinh"), None);
        assert_eq!(reader.choice("ky"), None);
    }

    #[test]
    fn who_gives_no_name_reads_what_is_open() {
        let stranger = Reader::stranger("/en/", None);
        assert!(!stranger.logged_in && !stranger.may_read(Sensitivity::Internal));
        let planner = stranger.known_as(Principal::planner("a"));
        assert!(planner.logged_in && planner.reads_whole(Sensitivity::Business));
    }
}
