//! Logging in and out.
//!
//! What is wrong is not told apart: neither whether a name is known, nor by how long an answer
//! takes, nor by when a name is locked. Names and passwords are in no log.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use warehouse::serve::users::LogIn;

use crate::app::App;
use crate::error::PageError;
use crate::form::Form;
use crate::lang;
use crate::request::Reader;
use crate::session::place;
use crate::shell::{Shell, page};
use crate::text::log_in::{Words, words};
use crate::text::{count, fill};

/// Longer names and passwords are nobody's.
const LONGEST: (usize, usize) = (200, 1000);

#[derive(Template)]
#[template(path = "log_in.html")]
struct LogInPage {
    shell: Shell,
    w: &'static Words,
    already: Option<String>,
    /// Why the reader is not logged in.
    refused: Option<String>,
    name: String,
    /// Where they go when they are.
    back: String,
}

/// The form.
pub(crate) async fn form(reader: Reader) -> Result<Response, PageError> {
    let back = reader.choice("ve").unwrap_or_default();
    show(&reader, back, "", None)
}

fn show(
    reader: &Reader,
    back: &str,
    name: &str,
    refused: Option<String>,
) -> Result<Response, PageError> {
    let w = words(reader.lang);
    let own = reader.principal.name.as_str();
    let mut response = page(&LogInPage {
        shell: Shell::new(reader, None, w.title),
        w,
        already: reader.logged_in.then(|| fill(w.already, &[own])),
        refused,
        name: name.to_owned(),
        back: place(back).unwrap_or_default().to_owned(),
    })?;
    let none = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, none);
    Ok(response)
}

/// Opens a session for whoever gives a name and its password, and leads them back.
pub(crate) async fn log_in(
    State(app): State<App>,
    reader: Reader,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    let (name, password) = (form.field("ten").trim(), form.field("mat_khau"));
    let fits = name.len() <= LONGEST.0 && password.len() <= LONGEST.1;
    let verified = match fits {
        true => app.sessions().users.verify(name, password).await?,
        false => LogIn::Wrong,
    };
    let w = words(reader.lang);
    let back = form.field("ve");
    match verified {
        LogIn::In(principal) => {
            let cookie = app.sessions().open(&principal.name, &headers).await?;
            let home = lang::href(reader.lang, "/");
            Ok(lead(place(back).unwrap_or(&home), cookie))
        }
        LogIn::Wrong => {
            let mut response = show(&reader, back, name, Some(w.wrong.to_owned()))?;
            *response.status_mut() = StatusCode::FORBIDDEN;
            Ok(response)
        }
        LogIn::Locked(until) => {
            let left = secs_left(until, Utc::now());
            let minutes = count(left.div_euclid(60) + 1, reader.lang);
            let text = fill(w.locked, &[&minutes]);
            let mut response = show(&reader, back, name, Some(text))?;
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, (left + 1).into());
            Ok(response)
        }
    }
}

/// Ends the session.
pub(crate) async fn log_out(
    State(app): State<App>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let cookie = app.sessions().close(&headers).await?;
    Ok(lead(&lang::href(reader.lang, "/"), cookie))
}

/// Sends the reader on with a cookie.
fn lead(to: &str, cookie: HeaderValue) -> Response {
    let mut response = Redirect::to(to).into_response();
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, cookie);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn secs_left(until: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (until - now).num_seconds().max(0)
}
