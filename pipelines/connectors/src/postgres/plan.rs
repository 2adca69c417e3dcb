//! What is asked of the server, in SQL.

use super::kinds::Kind;
use super::relation::{Relation, quote};
use super::span;
use crate::{Request, SourceError};

/// A request whose settings go together; nothing of it has been asked of the server.
pub(super) struct Wish<'a> {
    request: &'a Request,
    order: Vec<&'a str>,
    split: Option<&'a str>,
    condition: Option<&'a str>,
}

impl<'a> Wish<'a> {
    /// # Errors
    /// When a setting is unknown or two contradict each other.
    pub(super) fn new(request: &'a Request) -> Result<Self, SourceError> {
        let bad = |setting: &str, what: &str| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        if request.columns.is_empty() {
            return Err(bad("columns", "names none"));
        }
        let known = |name: &&String| !matches!(name.as_str(), "where" | "order" | "split");
        if let Some(unknown) = request.settings.keys().find(known) {
            return Err(bad(unknown, "is none of where, order and split"));
        }
        let set = |name| Some(request.setting(name, "").trim()).filter(|text| !text.is_empty());
        let order = set("order").map(|names| names.split(',').map(str::trim).collect::<Vec<_>>());
        let order = order.unwrap_or_default();
        if order.contains(&"") {
            return Err(bad("order", "has an empty name; it is columns separated by commas"));
        }
        if !order.is_empty() && set("split").is_some() {
            return Err(bad("order", "does not go with `split`, whose ranges take turns"));
        }
        Ok(Self { request, order, split: set("split"), condition: set("where") })
    }
}

/// What is asked, of a relation that has it.
pub(super) struct Plan {
    /// The relation, as it was asked for.
    pub(super) place: String,
    /// Its columns in the order of the request.
    pub(super) columns: Vec<(String, Kind)>,
    /// The column by whose ranges it may be read side by side.
    pub(super) split: Option<(String, Kind)>,
    /// Whether a condition of the contract is among the others.
    pub(super) has_where: bool,
    quoted: String,
    conditions: Vec<String>,
    order: Vec<String>,
}

impl Plan {
    /// # Errors
    /// When the relation lacks a column, or one is not of a type that goes there.
    pub(super) fn new(wish: Wish<'_>, relation: &Relation) -> Result<Self, SourceError> {
        let request = wish.request;
        let missing = |column: &str| SourceError::MissingColumn {
            place: request.place.clone(),
            column: column.to_owned(),
        };
        let kind = |column: &str| relation.kind(column)?.ok_or_else(|| missing(column));
        let mut columns = Vec::with_capacity(request.columns.len());
        for column in &request.columns {
            columns.push((column.clone(), kind(column)?));
        }
        let mut conditions = Vec::new();
        if let Some(span) = &request.span {
            conditions.extend(span::conditions(span, kind(&span.column)?, relation)?);
        }
        // Lines of its own, so that a comment in it ends with it.
        conditions.extend(wish.condition.map(|condition| format!("(\n{condition}\n)")));
        let mut order = Vec::new();
        for column in &wish.order {
            kind(column)?;
            order.push(quote(column));
        }
        let split = match wish.split {
            None => None,
            Some(column) => Some((column.to_owned(), ranged(kind(column)?, relation)?)),
        };
        Ok(Self {
            place: request.place.clone(),
            columns,
            split,
            has_where: wish.condition.is_some(),
            quoted: relation.quoted.clone(),
            conditions,
            order,
        })
    }

    /// The rows of a range, or all.
    pub(super) fn copy(&self, range: Option<&str>) -> String {
        let mut select = format!("{}{}", self.select(), self.filter(range));
        if !self.order.is_empty() {
            select = format!("{select} ORDER BY {}", self.order.join(", "));
        }
        format!("COPY ({select}) TO STDOUT (FORMAT binary)")
    }

    /// The same question, without rows.
    pub(super) fn probe(&self) -> String {
        format!("{}{} LIMIT 0", self.select(), self.filter(None))
    }

    /// Lowest and highest of a column, where `range` holds.
    pub(super) fn ends(&self, column: &str, range: Option<&str>) -> String {
        let (column, filter) = (quote(column), self.filter(range));
        format!(
            "SELECT pg_catalog.min({column}), pg_catalog.max({column}) FROM {}{filter}",
            self.quoted
        )
    }

    fn select(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| quote(name)).collect();
        format!("SELECT {} FROM {}", names.join(", "), self.quoted)
    }

    fn filter(&self, range: Option<&str>) -> String {
        let all: Vec<&str> = self.conditions.iter().map(String::as_str).chain(range).collect();
        if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
    }
}

/// A kind that has ranges.
fn ranged(kind: Kind, relation: &Relation) -> Result<Kind, SourceError> {
    match kind {
        Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Date | Kind::Timestamp | Kind::Timestamptz => {
            Ok(kind)
        }
        _ => Err(SourceError::Setting {
            place: relation.place.clone(),
            setting: "split".to_owned(),
            what: "names a column that is neither a whole number nor a date or timestamp"
                .to_owned(),
        }),
    }
}
