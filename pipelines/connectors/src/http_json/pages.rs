//! The pages of one table, one after another, and what shows that they are not of one state.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use reqwest::header::{HeaderValue, LINK};
use sha2::{Digest, Sha256};

use super::answer::{Fault, Found, Plan};
use super::parameters::Question;
use super::settings::{Paging, Settings};
use crate::fill::HEADER;
use crate::service::{Answer, Ask, Client};
use crate::{Request, SourceError};

/// A cursor is part of an address, which is not longer.
const CURSOR_BYTES: usize = 8192;

/// Pages without a row, one after another, before a service is taken for one that never ends.
const EMPTY_PAGES: u32 = 100;

/// The table that is being read.
pub(super) struct Pages {
    client: Arc<Client>,
    authorization: Option<HeaderValue>,
    /// The path, for errors: a query may hold what is nobody's business.
    place: String,
    columns: Vec<String>,
    settings: Settings,
    /// Without page and cursor.
    base: Question,
    /// The next page's; `None` after the last.
    next: Option<Question>,
    /// Pages that were asked for.
    pages: u64,
    rows: u64,
    total: Option<u64>,
    last_page: Option<[u8; 32]>,
    seen: HashSet<[u8; 32]>,
    empty_pages: u32,
    /// `None` only while an answer is parsed on another thread.
    found: Option<Found>,
    gave_any: bool,
    is_over: bool,
    is_simulated: bool,
}

impl Pages {
    /// # Errors
    /// When the token is not to be had.
    pub(super) async fn new(
        client: Arc<Client>,
        request: &Request,
        settings: Settings,
    ) -> Result<Self, SourceError> {
        let authorization = client.authorization().await?;
        let base = Question::of(client.url(&request.place), &settings, request);
        let next = match &settings.paging {
            Paging::Number { param, first } => base.with(param, *first),
            Paging::None | Paging::Cursor { .. } | Paging::Link => base.clone(),
        };
        let plan = Plan::new(&settings, &request.columns);
        let found = Found::new(plan, &request.columns);
        Ok(Self {
            client,
            authorization,
            place: request.place.split('?').next().unwrap_or_default().to_owned(),
            columns: request.columns.clone(),
            settings,
            base,
            next: Some(next),
            pages: 0,
            rows: 0,
            total: None,
            last_page: None,
            seen: HashSet::new(),
            empty_pages: 0,
            found: Some(found),
            gave_any: false,
            is_over: false,
            is_simulated: false,
        })
    }

    /// Asks for the first page and whether it is of the form; reads no more.
    pub(super) async fn look(&mut self) -> Result<(), SourceError> {
        self.page().await.map(|_| ())
    }

    /// Whether an answer said that its rows are made up.
    pub(super) fn is_simulated(&self) -> bool {
        self.is_simulated
    }

    /// The next batch; one without rows where there are none at all.
    pub(super) async fn batch(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        loop {
            let Some(found) = &mut self.found else { return Ok(None) };
            if let Some(batch) = found.full.pop_front() {
                self.gave_any = true;
                return Ok(Some(batch));
            }
            if self.next.is_some() {
                self.read().await?;
                continue;
            }
            if std::mem::replace(&mut self.is_over, true)
                || (self.gave_any && found.text.rows() == 0)
            {
                return Ok(None);
            }
            return Ok(Some(found.text.take()));
        }
    }

    /// Reads the next page. The last one is followed by what can be judged of the whole.
    pub(super) async fn read(&mut self) -> Result<(), SourceError> {
        let Some(answer) = self.page().await? else { return Ok(()) };
        let Some(found) = &self.found else { return Ok(()) };
        let (rows, total) = (found.rows, found.total);
        let sum: [u8; 32] = Sha256::digest(&answer.body).into();
        if self.last_page.replace(sum) == Some(sum) && rows > 0 {
            return Err(self.refused("it gave the same page twice".to_owned()));
        }
        if self.pages > 1 && total != self.total {
            return Err(SourceError::Changed { place: self.place.clone() });
        }
        self.total = total;
        self.rows += rows;
        self.empty_pages = if rows == 0 { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > EMPTY_PAGES {
            return Err(self.refused(format!("it gave {EMPTY_PAGES} pages without a row")));
        }
        self.next = self.following(&answer, rows)?;
        if self.next.is_none() { self.judge() } else { Ok(()) }
    }

    /// Asks for the next page and takes its rows.
    async fn page(&mut self) -> Result<Option<Answer>, SourceError> {
        let (Some(question), Some(mut found)) = (self.next.take(), self.found.take()) else {
            return Ok(None);
        };
        self.pages += 1;
        let authorization = self.authorization.as_ref();
        let url = question.url(self.settings.carry);
        let mut ask = Ask { authorization, ..Ask::get(&url, &self.place, "application/json") };
        question.put(self.settings.carry, &mut ask);
        let mut answer = self.client.whole(&ask).await?;
        self.is_simulated |= answer.headers.contains_key(HEADER);
        let body = std::mem::take(&mut answer.body);
        // Parsing takes a while, and other tables are read on this thread.
        let parse = move || {
            let parsed = found.absorb(&body);
            (found, body, parsed)
        };
        let (found, body, parsed) = match tokio::task::spawn_blocking(parse).await {
            Ok(parsed) => parsed,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        };
        answer.body = body;
        parsed.map_err(|fault| self.told(fault))?;
        if self.settings.total.is_some() && found.total.is_none() {
            return Err(self.told(Fault::Control("total")));
        }
        self.found = Some(found);
        Ok(Some(answer))
    }

    /// What the page after this one is asked with.
    fn following(&mut self, answer: &Answer, rows: u64) -> Result<Option<Question>, SourceError> {
        match &self.settings.paging {
            Paging::None => Ok(None),
            Paging::Number { param, first } => {
                let size = self.settings.size.as_ref().map_or(1, |(_, size)| *size);
                let is_last = match self.total {
                    Some(total) => rows == 0 || self.rows >= total,
                    None => rows < size,
                };
                let number = first.saturating_add(self.pages);
                Ok((!is_last).then(|| self.base.with(param, number)))
            }
            Paging::Cursor { param, .. } => {
                let next = self.found.as_ref().and_then(|found| found.next.clone());
                let Some(next) = next else { return Ok(None) };
                if next.len() > CURSOR_BYTES {
                    return Err(self.refused("its cursor is longer than an address".to_owned()));
                }
                let question = self.base.with(param, next.as_str());
                self.once_only(&next)?;
                Ok(Some(question))
            }
            Paging::Link => {
                let links = answer.headers.get_all(LINK).iter();
                let link = links.filter_map(|link| link.to_str().ok()).find_map(next_link);
                let Some(link) = link else { return Ok(None) };
                let url = answer.url.join(link).ok();
                let Some(url) = url.filter(|url| url.origin() == self.client.url("").origin())
                else {
                    let what = "its link to the next page leads to another server";
                    return Err(self.refused(what.to_owned()));
                };
                self.once_only(url.as_str())?;
                Ok(Some(Question::at(url)))
            }
        }
    }

    /// A cursor or link that was there before leads in a circle.
    fn once_only(&mut self, text: &str) -> Result<(), SourceError> {
        if self.seen.insert(Sha256::digest(text).into()) {
            return Ok(());
        }
        Err(self.refused("it leads back to a page that was read".to_owned()))
    }

    /// Whether all came, and every column was there.
    fn judge(&self) -> Result<(), SourceError> {
        if let Some(total) = self.total.filter(|total| *total != self.rows) {
            return Err(self.refused(format!("it gave {} of {total} rows", self.rows)));
        }
        let missing = self.found.as_ref().and_then(|found| found.seen.iter().position(|one| !one));
        match missing {
            Some(at) if self.rows > 0 => Err(SourceError::MissingColumn {
                place: self.place.clone(),
                column: self.columns[at].clone(),
            }),
            _ => Ok(()),
        }
    }

    fn refused(&self, what: String) -> SourceError {
        SourceError::Refused {
            server: self.client.server(),
            place: self.place.clone(),
            what: format!("{what} (page {})", self.pages),
            remedy: "the source changed while it was read, or the settings of its paging are wrong"
                .to_owned(),
        }
    }

    fn told(&self, fault: Fault) -> SourceError {
        let page = format!("on page {}", self.pages);
        let (at, what) = match fault {
            Fault::TooMany => {
                return SourceError::Bound {
                    place: self.place.clone(),
                    what: "answers with more cells than one answer may hold; ask for smaller pages",
                    bound: "16777216 cells".to_owned(),
                };
            }
            Fault::Syntax { line, column } => (
                format!("{page}, line {line}, column {column}"),
                "it is no JSON, or ends too early".to_owned(),
            ),
            Fault::Nested(column) => {
                let column = &self.columns[column];
                (page, format!("the member `{column}` is an object or array, which is no cell"))
            }
            Fault::Control(setting) => {
                let kind = if setting == "total" { "whole number" } else { "text" };
                (page, format!("the path of the setting `{setting}` leads to no {kind}"))
            }
            Fault::NoRows => (page, "the path of the setting `rows` leads to no array".to_owned()),
            Fault::NoRow => (page, "a row is neither an object nor an array".to_owned()),
            Fault::Doubled => (page, "an object has a member twice".to_owned()),
            Fault::Inexact => (
                page,
                "a number has more digits than are kept; have it sent as a string".to_owned(),
            ),
        };
        SourceError::Malformed { place: self.place.clone(), format: "JSON", at, what }
    }
}

/// The address of the next page in a `Link` header: `<…>; rel="next", <…>; rel="last"`.
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, link) = rest.split_once('<')?;
        let (address, after) = link.split_once('>')?;
        let end = unquoted(after, ',').unwrap_or(after.len());
        let mut parameters = &after[..end];
        while let Some(start) = unquoted(parameters, ';') {
            parameters = &parameters[start + 1..];
            let one = &parameters[..unquoted(parameters, ';').unwrap_or(parameters.len())];
            let (name, value) = one.split_once('=').unwrap_or((one, ""));
            let value = value.trim().trim_matches('"');
            let is_next =
                value.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"));
            if name.trim().eq_ignore_ascii_case("rel") && is_next {
                return Some(address);
            }
        }
        rest = &after[end..];
    }
}

/// The first such sign that is not between quotes.
fn unquoted(text: &str, sign: char) -> Option<usize> {
    let mut is_quoted = false;
    text.find(|one| {
        is_quoted ^= one == '"';
        one == sign && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn the_next_page_is_found_among_links() {
        let next = |header| next_link(header).unwrap_or("none");
        assert_eq!(next("<https://a/2>; rel=\"next\""), "https://a/2");
        assert_eq!(
            next("</1>; rel=prev, </3?a=1,2>; title=\"a, b; c\"; REL=\"last Next\""),
            "/3?a=1,2"
        );
        assert_eq!(next("</1>; title=\"rel=next\"; rel=prev, </2>; rev=next"), "none");
        assert_eq!(next("</2>; rel=next"), "/2");
        assert_eq!(next("nonsense"), "none");
        assert_eq!(next("<unclosed; rel=next"), "none");
    }
}
