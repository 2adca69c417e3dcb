//! What a web service would answer, for made-up data: pages that [`super::HttpJson`] reads by the
//! settings of the same contract, and the page that an address asks for.
//!
//! Who serves it decides where it listens and who may ask; nothing here opens a connection.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::settings::{Carry, Paging, SIZE, Settings};
use crate::fill::{Cells, Holds};
use crate::{Request, SourceError};

/// Digits of a number that no parser loses.
const DIGITS: usize = 15;

/// The parameter of links to the next page: where it begins.
const FROM: &str = "tu_dong";

/// A table of a service.
#[derive(Debug, Clone)]
pub struct Table {
    settings: Settings,
    /// Rows of a page, where nobody asks for another size.
    size: usize,
    path: String,
    /// Parameters that an address always has.
    fixed: Vec<(String, String)>,
    columns: Vec<(String, Holds)>,
    /// The member by whose instant a span is asked for.
    instant: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// JSON.
    pub body: String,
    /// What a `Link` header calls the next page, relative to the address that was asked for.
    pub next: Option<String>,
}

impl Table {
    /// The table that a request reads; each of its columns has what it holds beside it.
    ///
    /// # Errors
    /// When a setting is not usable, parameters do not stand in the address, or a column leads
    /// through another one.
    pub fn new(
        request: &Request,
        holds: &[Holds],
        instant: Option<&str>,
    ) -> Result<Self, SourceError> {
        let (path, query) = request.place.split_once('?').unwrap_or((&request.place, ""));
        let settings = Settings::of(request)?;
        let refused = |setting: &str, what: &str| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        if settings.carry != Carry::Query {
            return Err(refused(
                "method",
                "is not `get`, which alone is answered for made-up data",
            ));
        }
        let fixed = [parameters(query), settings.fixed.clone()].concat();
        let size = settings.size.as_ref().map(|(_, size)| *size);
        let size = size.or_else(|| SIZE.parse().ok()).unwrap_or(1);
        let columns = request.columns.iter().cloned().zip(holds.iter().copied()).collect();
        let table = Self {
            settings,
            size: usize::try_from(size).unwrap_or(1),
            path: path.to_owned(),
            fixed,
            columns,
            instant: instant.map(str::to_owned),
        };
        match table.row(&vec![Some(String::new()); table.columns.len()]) {
            Some(_) => Ok(table),
            None => Err(refused("from", "of a column leads through another column")),
        }
    }

    /// What a service that is asked for all its rows answers, page after page; one without rows
    /// where there are none.
    pub fn pages(&self, rows: impl Iterator<Item = Cells>) -> Vec<String> {
        let rows: Vec<Value> = rows.filter_map(|row| self.row(&row)).collect();
        let size = if self.settings.paging == Paging::None { rows.len() } else { self.size };
        let count = rows.len().div_ceil(size.max(1)).max(1);
        (0..count).map(|page| self.page(&rows, page * size, size).body).collect()
    }

    /// The rows of such a page; `None` where it is none.
    pub fn rows(&self, page: &str) -> Option<Vec<Value>> {
        let page: Value = serde_json::from_str(page).ok()?;
        match at(&page, &self.settings.rows)? {
            Value::Array(rows) => Some(rows.clone()),
            _ => None,
        }
    }

    /// Whether an address below the service's means this table.
    pub fn is_at(&self, path: &str, query: &str) -> bool {
        let asked = parameters(query);
        path.trim_matches('/') == self.path.trim_matches('/')
            && self.fixed.iter().all(|one| asked.contains(one))
    }

    /// The page of these rows that a query asks for.
    pub fn answer(&self, rows: Vec<Value>, query: &str) -> Answer {
        let asked = parameters(query);
        let said =
            |name: &str| asked.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let number = |name: &str| said(name).and_then(|text| text.parse::<usize>().ok());
        let bound = |name: &Option<String>| name.as_deref().and_then(said).and_then(instant);
        let since = bound(&self.settings.since_param);
        let below = bound(&self.settings.until_param);
        let wanted = |row: &Value| {
            if since.is_none() && below.is_none() {
                return true;
            }
            let own = self.instant.as_deref().and_then(|path| at(row, path)?.as_str());
            own.and_then(instant).is_some_and(|own| {
                since.is_none_or(|since| own >= since) && below.is_none_or(|below| own < below)
            })
        };
        let rows: Vec<Value> = rows.into_iter().filter(wanted).collect();
        let size = self.settings.size.as_ref().and_then(|(name, _)| number(name));
        let size = size.unwrap_or(self.size).max(1);
        match &self.settings.paging {
            Paging::None => self.page(&rows, 0, rows.len()),
            Paging::Number { param, first } => {
                let first = usize::try_from(*first).unwrap_or_default();
                let page = number(param).unwrap_or(first).saturating_sub(first);
                self.page(&rows, page.saturating_mul(size), size)
            }
            Paging::Cursor { param, .. } => self.page(&rows, number(param).unwrap_or(0), size),
            Paging::Link => {
                let from = number(FROM).unwrap_or(0);
                let mut answer = self.page(&rows, from, size);
                if from + size < rows.len() {
                    let mut next = form_urlencoded::Serializer::new(String::new());
                    next.extend_pairs(asked.iter().filter(|(name, _)| name != FROM));
                    next.append_pair(FROM, &(from + size).to_string());
                    answer.next = Some(format!("?{}", next.finish()));
                }
                answer
            }
        }
    }

    /// The rows from one on, with what the settings want beside them.
    fn page(&self, rows: &[Value], from: usize, size: usize) -> Answer {
        let own: Vec<Value> = rows.iter().skip(from).take(size).cloned().collect();
        let mut body = Value::Null;
        put(&mut body, &self.settings.rows, Value::Array(own));
        if let Some(total) = &self.settings.total {
            put(&mut body, total, Value::from(rows.len()));
        }
        if let Paging::Cursor { next, .. } = &self.settings.paging {
            let after = from.saturating_add(size);
            let cursor = (after < rows.len()).then(|| after.to_string());
            put(&mut body, next, cursor.map_or(Value::Null, Value::String));
        }
        Answer { body: body.to_string(), next: None }
    }

    /// A row; `None` where a column leads through another one.
    fn row(&self, cells: &Cells) -> Option<Value> {
        let mut row = Value::Object(Map::new());
        for ((path, holds), cell) in self.columns.iter().zip(cells) {
            put(&mut row, path, value(cell.as_deref(), *holds)).then_some(())?;
        }
        Some(row)
    }
}

fn parameters(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A cell as JSON has it; what is none of its kind is text.
fn value(cell: Option<&str>, holds: Holds) -> Value {
    let Some(text) = cell else { return Value::Null };
    match holds {
        Holds::Truth if matches!(text, "true" | "false") => Value::Bool(text == "true"),
        Holds::Whole | Holds::Decimal { .. } if text.len() <= DIGITS => {
            let number = serde_json::from_str::<Value>(text).ok().filter(Value::is_number);
            number.unwrap_or_else(|| Value::String(text.to_owned()))
        }
        _ => Value::String(text.to_owned()),
    }
}

/// What stands at a path.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    steps.try_fold(value, |value, step| match value {
        Value::Array(all) => all.get(step.parse::<usize>().ok()?),
        _ => value.get(step),
    })
}

/// Puts a value at a path, and makes what is on the way; whether there was a way.
fn put(whole: &mut Value, path: &str, value: Value) -> bool {
    let mut at = whole;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let place = step.parse::<usize>().ok().filter(|place| *place < 1_000);
        if at.is_null() {
            *at =
                if place.is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        }
        at = match (at, place) {
            (Value::Array(all), Some(place)) => {
                if all.len() <= place {
                    all.resize(place + 1, Value::Null);
                }
                &mut all[place]
            }
            (Value::Object(members), _) => members.entry(step).or_insert(Value::Null),
            _ => return false,
        };
    }
    let is_free = at.is_null();
    *at = value;
    is_free
}

/// An instant in the time of Viet Nam: `2026-07-01T00:00:00+07:00`, or a day.
fn instant(text: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return day.and_hms_opt(0, 0, 0);
    }
    if let Ok(at) = DateTime::<FixedOffset>::parse_from_rfc3339(text) {
        return Some(at.naive_utc() + TimeDelta::hours(7));
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(settings: &[(&str, &str)]) -> Table {
        made(settings).unwrap()
    }

    fn made(settings: &[(&str, &str)]) -> Result<Table, SourceError> {
        let own = |text: &str| text.to_owned();
        let request = Request {
            place: "/v1/luot?loai=1".to_owned(),
            columns: ["nguoi.so", "ma.1", "so", "luc"].map(own).to_vec(),
            span: None,
            settings: settings.iter().map(|(name, value)| (own(name), own(value))).collect(),
        };
        let holds = [Holds::Text, Holds::Text, Holds::Whole, Holds::Instant];
        Table::new(&request, &holds, Some("luc"))
    }

    fn rows() -> Vec<Cells> {
        let row = |at: u32| {
            let luc = (at < 4).then(|| format!("2026-07-0{}T08:00:00+07:00", at + 1));
            vec![Some(format!("n{at}")), None, Some(at.to_string()), luc]
        };
        (0..5).map(row).collect()
    }

    fn all(table: &Table) -> Vec<Value> {
        let pages = table.pages(rows().into_iter());
        pages.iter().flat_map(|page| table.rows(page).unwrap()).collect()
    }

    #[test]
    fn members_stand_where_their_paths_lead() {
        let table = table(&[("rows", "data.items"), ("total", "data.total")]);
        let pages = table.pages(rows().into_iter().take(1));
        let expected = serde_json::json!({"data": {"total": 1, "items": [
            {"nguoi": {"so": "n0"}, "ma": [null, null], "so": 0, "luc": "2026-07-01T08:00:00+07:00"}
        ]}});
        assert_eq!(serde_json::from_str::<Value>(&pages[0]).unwrap(), expected);
        assert!(table.is_at("v1/luot", "page=2&loai=1") && !table.is_at("/v1/luot", "loai=2"));
    }

    #[test]
    fn an_address_means_the_table_whose_parameters_it_has() {
        let table = table(&[("param.nam", "2026")]);
        assert!(table.is_at("/v1/luot", "loai=1&nam=2026"));
        assert!(
            !table.is_at("/v1/luot", "loai=1&nam=2025") && !table.is_at("/v1/luot", "nam=2026")
        );
        assert!(made(&[("method", "post_json")]).is_err());
    }

    #[test]
    fn pages_by_number_and_by_cursor_give_every_row_once() {
        let numbered = table(&[("paging", "number"), ("size", "2"), ("first", "0")]);
        let page = |at| numbered.rows(&numbered.answer(all(&numbered), at).body).unwrap().len();
        assert_eq!([page("page=0"), page("page=2&size=2"), page("page=3")], [2, 1, 0]);
        assert_eq!(numbered.pages(rows().into_iter()).len(), 3);

        let settings =
            [("paging", "cursor"), ("cursor_param", "c"), ("next", "tiep"), ("rows", "x")];
        let by_cursor = table(&[&settings[..], &[("size_param", "n"), ("size", "3")]].concat());
        let first = by_cursor.answer(all(&by_cursor), "n=3");
        assert!(first.body.contains(r#""tiep":"3""#), "{}", first.body);
        let last = by_cursor.answer(all(&by_cursor), "n=3&c=3");
        assert!(last.body.contains(r#""tiep":null"#), "{}", last.body);
        assert_eq!(by_cursor.rows(&last.body).unwrap().len(), 2);
    }

    #[test]
    fn a_link_leads_to_the_next_page_and_ends() {
        let table = table(&[("paging", "link"), ("size", "3"), ("size_param", "n")]);
        let first = table.answer(all(&table), "loai=1&n=3");
        let next = first.next.unwrap();
        assert_eq!(next, "?loai=1&n=3&tu_dong=3");
        let last = table.answer(all(&table), &next[1..]);
        assert_eq!((table.rows(&last.body).unwrap().len(), last.next), (2, None));
    }

    #[test]
    fn a_span_gives_the_rows_of_its_instants() {
        let table = table(&[("since_param", "tu"), ("until_param", "den")]);
        let count = |query: &str| table.rows(&table.answer(all(&table), query).body).unwrap().len();
        assert_eq!(count(""), 5);
        assert_eq!(count("tu=2026-07-02T00%3A00%3A00%2B07%3A00"), 3);
        assert_eq!(count("tu=2026-07-02T00:00:00%2B07:00&den=2026-07-03T00:00:00%2B07:00"), 1);
    }
}
