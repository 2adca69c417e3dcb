//! Who has logged in: a cookie that holds a token, and the name that the state room has for it.
//!
//! The name is looked up anew at every request, with what it may read: an account that was removed
//! or changed counts from the next one on. The token means nothing elsewhere and is in no log.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};
use warehouse::access::Principal;
use warehouse::serve::users::Users;
use warehouse::state::{State, StateError};

/// Sessions, by cookie.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pub(crate) users: Users,
    state: State,
    /// Whether browsers send the cookie over TLS only.
    secure: bool,
}

impl Sessions {
    pub(crate) fn new(users: Users, state: State, secure: bool) -> Self {
        Self { users, state, secure }
    }

    /// Whose session the cookie of a request names; none where it names none that is open.
    pub(crate) async fn of(&self, headers: &HeaderMap) -> Result<Option<Principal>, StateError> {
        let Some(token) = self.token(headers) else { return Ok(None) };
        let Some(name) = self.state.session(token).await? else { return Ok(None) };
        Ok(self.users.find(&name).await?.map(|(principal, _)| principal))
    }

    /// Opens a session, in place of the one that the request came with, and gives its cookie.
    pub(crate) async fn open(
        &self,
        name: &str,
        headers: &HeaderMap,
    ) -> Result<HeaderValue, StateError> {
        self.end(headers).await?;
        let token = self.state.open_session(name).await?;
        Ok(self.cookie(&token, ""))
    }

    /// Ends the session that the request came with, and gives the cookie that says so.
    pub(crate) async fn close(&self, headers: &HeaderMap) -> Result<HeaderValue, StateError> {
        self.end(headers).await?;
        Ok(self.cookie("", "; Max-Age=0"))
    }

    async fn end(&self, headers: &HeaderMap) -> Result<(), StateError> {
        match self.token(headers) {
            Some(token) => self.state.close_session(token).await,
            None => Ok(()),
        }
    }

    fn name(&self) -> &'static str {
        // Browsers take a cookie of this prefix only over TLS, for this host and for all of it.
        if self.secure { "__Host-khoyte_phien" } else { "khoyte_phien" }
    }

    fn cookie(&self, token: &str, end: &str) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name();
        let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{end}");
        let mut value = HeaderValue::from_str(&text)
            .expect("a token is hex digits, and the rest is written above");
        value.set_sensitive(true);
        value
    }

    /// The token of a request; what is not of a token's form is none.
    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        token(self.name(), headers)
    }
}

fn token<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let token = cookies.flat_map(|text| text.split(';')).find_map(|cookie| {
        let (own, value) = cookie.trim().split_once('=')?;
        (own == name).then_some(value)
    })?;
    let is_token = token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then_some(token)
}

/// Where a reader goes back to: `text`, if it is a place on this site, else the home page.
pub(crate) fn place(text: &str) -> Option<&str> {
    let local = text.starts_with('/') && !text.starts_with("//") && text.len() <= 2000;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (local && plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_must_be_a_token() {
        let hex = "0123456789abcdef".repeat(4);
        let found = |text: &str| {
            let headers = HeaderMap::from_iter([(COOKIE, text.parse().expect("a value"))]);
            token("khoyte_phien", &headers).map(str::to_owned)
        };
        assert_eq!(found(&format!("a=b; khoyte_phien={hex}; c=d")), Some(hex.clone()));
        assert_eq!(found(&format!("xkhoyte_phien={hex}")), None);
        assert_eq!(found(&format!("__Host-khoyte_phien={hex}")), None);
        assert_eq!(found("khoyte_phien="), None);
        assert_eq!(found(&format!("khoyte_phien={hex}0")), None);
        assert_eq!(found(&format!("khoyte_phien={}", hex.replace('0', "'"))), None);
    }

    #[test]
    fn a_reader_goes_back_to_a_place_on_this_site_only() {
        for text in ["/", "/bang/kho.a", "/en/bang-dieu-khien?tinh=79%402025-07-01&ky=2016-01-01"] {
            assert_eq!(place(text), Some(text));
        }
        for text in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: b",
            "javascript:alert(1)",
            "/a b",
            " /a",
        ] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
