//! Statements: names that are quoted, and conditions that let only a span of rows out.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::mariadb::digits;
use crate::{Request, SourceError, Span};

/// A table or view.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// As the contract writes it.
    pub(super) shown: String,
    parts: Vec<String>,
}

/// What quotes names: before and behind them. `None` where names stand bare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote(Option<(char, char)>);

/// How the span's column holds its instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpanType {
    Timestamp,
    Date,
    Text,
}

fn setting(request: &Request, name: &str, what: &str) -> SourceError {
    SourceError::Setting {
        place: request.place.clone(),
        setting: name.to_owned(),
        what: what.to_owned(),
    }
}

impl Relation {
    /// `relation`, `schema.relation` or `catalog.schema.relation`.
    pub(super) fn parse(request: &Request) -> Result<Self, SourceError> {
        let parts: Vec<String> = request.place.split('.').map(str::to_owned).collect();
        if parts.len() > 3 || parts.iter().any(String::is_empty) || request.place.contains('\0') {
            let what = "must be `relation`, `schema.relation` or `catalog.schema.relation`";
            return Err(setting(request, "place", what));
        }
        Ok(Self { shown: request.place.clone(), parts })
    }

    /// Its names, quoted.
    pub(super) fn quoted(&self, quote: Quote, request: &Request) -> Result<String, SourceError> {
        let parts = self.parts.iter().map(|name| quote.name(name, request));
        Ok(parts.collect::<Result<Vec<_>, _>>()?.join("."))
    }
}

impl Quote {
    /// The one that the contract names, or else the driver.
    pub(super) fn of(request: &Request, driver: Option<char>) -> Result<Self, SourceError> {
        let chosen = match request.settings.get("quote").map(String::as_str) {
            Some("\"") => Some('"'),
            Some("`") => Some('`'),
            Some("[") => Some('['),
            Some(_) => return Err(setting(request, "quote", "must be `\"`, `` ` `` or `[`")),
            None => driver.filter(|quote| !quote.is_whitespace()),
        };
        Ok(Self(chosen.map(|open| (open, if open == '[' { ']' } else { open }))))
    }

    pub(super) fn name(self, name: &str, request: &Request) -> Result<String, SourceError> {
        if let Some((open, close)) = self.0 {
            let doubled = format!("{close}{close}");
            return Ok(format!("{open}{}{close}", name.replace(close, &doubled)));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(name.to_owned());
        }
        Err(setting(request, "quote", "is needed: the driver names none, and a name needs it"))
    }
}

/// The columns of the relation, and no row.
pub(super) fn columns(
    request: &Request,
    relation: &Relation,
    quote: Quote,
    columns: &[&str],
) -> Result<String, SourceError> {
    Ok(format!("{} WHERE 1=0", select(request, relation, quote, columns)?))
}

/// The rows that are asked for; none of them when only their statement is to be examined. The
/// author's condition stands on lines of its own, so that a comment in it ends.
pub(super) fn rows(
    request: &Request,
    relation: &Relation,
    quote: Quote,
    without_rows: bool,
) -> Result<String, SourceError> {
    let names: Vec<&str> = request.columns.iter().map(String::as_str).collect();
    let mut sql = select(request, relation, quote, &names)?;
    let mut conditions = Vec::new();
    if without_rows {
        conditions.push("1=0".to_owned());
    }
    if let Some(condition) = request.settings.get("where") {
        conditions.push(format!("(\n{condition}\n)"));
    }
    if let Some(span) = &request.span {
        let column = quote.name(&span.column, request)?;
        conditions.extend(within(span, &column, SpanType::of(request)?));
    }
    if !conditions.is_empty() {
        sql = format!("{sql} WHERE {}", conditions.join(" AND "));
    }
    if let Some(order) = request.settings.get("order") {
        sql = format!("{sql} ORDER BY\n{order}");
    }
    Ok(sql)
}

fn select(
    request: &Request,
    relation: &Relation,
    quote: Quote,
    columns: &[&str],
) -> Result<String, SourceError> {
    let quoted = |name: &str| quote.name(name, request);
    let columns = columns.iter().map(|name| quoted(name)).collect::<Result<Vec<_>, _>>()?;
    let place = relation.quoted(quote, request)?;
    Ok(format!("SELECT {} FROM {place}", columns.join(", ")))
}

impl SpanType {
    fn of(request: &Request) -> Result<Self, SourceError> {
        match request.setting("span_type", "timestamp") {
            "timestamp" => Ok(Self::Timestamp),
            "date" => Ok(Self::Date),
            "text12" => Ok(Self::Text),
            _ => Err(setting(request, "span_type", "must be timestamp, date or text12")),
        }
    }

    fn literal(self, at: NaiveDateTime) -> String {
        match self {
            Self::Timestamp => format!("{{ts '{}'}}", at.format("%Y-%m-%d %H:%M:%S%.f")),
            Self::Date => format!("{{d '{}'}}", first_day(at)),
            Self::Text => format!("'{}'", digits(at)),
        }
    }
}

fn within(span: &Span, column: &str, form: SpanType) -> Vec<String> {
    let from = span.from.map(|from| format!("{column} >= {}", form.literal(from)));
    let below = span.below.map(|below| format!("{column} < {}", form.literal(below)));
    let mut conditions: Vec<String> = from.into_iter().chain(below).collect();
    if conditions.is_empty() {
        conditions.push(format!("{column} IS NOT NULL"));
    }
    conditions
}

/// The first day whose midnight is not before the instant: a day counts as its midnight.
fn first_day(at: NaiveDateTime) -> NaiveDate {
    let day = at.date();
    if at.time() == NaiveTime::MIN { day } else { day.succ_opt().unwrap_or(day) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn request(place: &str, settings: &[(&str, &str)]) -> Request {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            place: place.to_owned(),
            columns: vec!["a".to_owned(), "b]\"`".to_owned()],
            span: None,
            settings: settings.iter().map(own).collect::<BTreeMap<_, _>>(),
        }
    }

    fn select(request: &Request, driver: Option<char>) -> Result<String, SourceError> {
        let relation = Relation::parse(request)?;
        rows(request, &relation, Quote::of(request, driver)?, false)
    }

    #[test]
    fn names_cannot_end_their_quotes() {
        let plain = request("his.dbo.dot", &[]);
        let sql = select(&plain, Some('"')).unwrap();
        assert_eq!(sql, "SELECT \"a\", \"b]\"\"`\" FROM \"his\".\"dbo\".\"dot\"");
        let bracketed = request("dot", &[("quote", "[")]);
        assert_eq!(select(&bracketed, Some('"')).unwrap(), "SELECT [a], [b]]\"`] FROM [dot]");
        let ticked = request("dot", &[("quote", "`")]);
        assert_eq!(select(&ticked, None).unwrap(), "SELECT `a`, `b]\"``` FROM `dot`");
        for driver in [None, Some(' ')] {
            let error = select(&plain, driver).unwrap_err().to_string();
            assert!(error.contains("`quote` is needed"), "{error}");
        }
        assert!(select(&request("dot", &[("quote", "'")]), None).is_err());
    }

    #[test]
    fn a_place_has_three_parts_at_most() {
        for wrong in ["", "a.", "a..b", "a.b.c.d", "a\0b"] {
            assert!(Relation::parse(&request(wrong, &[])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_span_is_written_as_its_column_is() {
        let at = |text: &str| Some(text.parse::<NaiveDateTime>().unwrap());
        let span = |settings: &[(&str, &str)]| {
            let mut request = request("dot", settings);
            request.columns.truncate(1);
            let (from, below) = (at("2026-07-01T00:00:00"), at("2026-08-01T08:30:00.25"));
            request.span = Some(Span { column: "ngay".to_owned(), from, below });
            select(&request, Some('"')).map(|sql| sql.split_once(" WHERE ").unwrap().1.to_owned())
        };
        let (ts, d) = ("{ts '2026-07-01 00:00:00'}", "{d '2026-07-01'}");
        let wanted = format!("\"ngay\" >= {ts} AND \"ngay\" < {{ts '2026-08-01 08:30:00.250'}}");
        assert_eq!(span(&[]).unwrap(), wanted);
        let wanted = format!("\"ngay\" >= {d} AND \"ngay\" < {{d '2026-08-02'}}");
        assert_eq!(span(&[("span_type", "date")]).unwrap(), wanted);
        let wanted = "\"ngay\" >= '20260701' AND \"ngay\" < '20260801083001'";
        assert_eq!(span(&[("span_type", "text12")]).unwrap(), wanted);
        assert!(span(&[("span_type", "so")]).is_err());
        let with_comment = span(&[("where", "a = 1 -- x")]).unwrap();
        assert!(with_comment.starts_with("(\na = 1 -- x\n) AND \"ngay\" >= "), "{with_comment}");
    }
}
