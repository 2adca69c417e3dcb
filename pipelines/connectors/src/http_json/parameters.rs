//! What a service is told by parameters, in the address or in the body.

use bytes::Bytes;
use chrono::NaiveDateTime;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::Serializer;

use super::settings::{Carry, Settings};
use crate::Request;
use crate::service::Ask;

/// The question for one page.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The address, with the query that the contract's path has.
    url: Url,
    parameters: Vec<(String, Value)>,
}

impl Question {
    /// An address with nothing else.
    pub(super) fn at(url: Url) -> Self {
        Self { url, parameters: Vec::new() }
    }

    /// What all pages of a table are asked with.
    pub(super) fn of(url: Url, settings: &Settings, request: &Request) -> Self {
        let span = request.span.as_ref();
        let since = settings.since_param.as_ref().zip(span.and_then(|span| span.from));
        let until = settings.until_param.as_ref().zip(span.and_then(|span| span.below));
        let mut own = Self::at(url);
        for (name, value) in &settings.fixed {
            own = own.with(name, value.as_str());
        }
        if let Some(param) = &settings.fields_param {
            own = own.with(param, fields(&request.columns));
        }
        for (param, at) in [since, until].into_iter().flatten() {
            own = own.with(param, instant(at));
        }
        match &settings.size {
            Some((param, size)) => own.with(param, *size),
            None => own,
        }
    }

    /// The same with one more parameter.
    pub(super) fn with(&self, name: &str, value: impl Into<Value>) -> Self {
        let mut more = self.clone();
        more.parameters.push((name.to_owned(), value.into()));
        more
    }

    /// The address that is asked.
    pub(super) fn url(&self, carry: Carry) -> Url {
        let mut url = self.url.clone();
        if carry == Carry::Query && !self.parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(self.texts());
        }
        url
    }

    /// Puts what the address does not carry into a question for it.
    pub(super) fn put(&self, carry: Carry, ask: &mut Ask<'_>) {
        let (form, body) = match carry {
            Carry::Query => return,
            Carry::Form => {
                let body = Serializer::new(String::new()).extend_pairs(self.texts()).finish();
                ("application/x-www-form-urlencoded", body)
            }
            Carry::Json => {
                let body = self.parameters.iter().cloned().collect::<Map<_, _>>();
                ("application/json", Value::Object(body).to_string())
            }
        };
        ask.method = Method::POST;
        ask.headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(form))]);
        ask.body = Some(Bytes::from(body));
    }

    fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.parameters.iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.as_str(), text)
        })
    }
}

/// The members that are wanted, each once: a place in a list is not a member.
fn fields(columns: &[String]) -> String {
    let mut fields: Vec<String> = Vec::new();
    for column in columns {
        let is_member = |name: &&str| !name.bytes().all(|byte| byte.is_ascii_digit());
        let field: Vec<&str> = column.split('.').take_while(is_member).collect();
        let field = field.join(".");
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields.join(",")
}

fn instant(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.f+07:00").to_string()
}
