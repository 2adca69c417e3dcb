//! Statements: names that are quoted, and conditions that let only a span of rows out.

use chrono::{NaiveDateTime, Timelike as _};
use sqlx::mysql::MySqlConnection;

use super::kinds::Kind;
use crate::{Request, SourceError, Span};

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// As the contract writes it.
    pub(super) shown: String,
    pub(super) database: String,
    pub(super) name: String,
}

impl Relation {
    /// `relation`, which is in `database`, or `database.relation`.
    pub(super) fn parse(place: &str, database: &str) -> Result<Self, SourceError> {
        let (database, name) = place.split_once('.').unwrap_or((database, place));
        if database.is_empty() || name.is_empty() || place.contains('\0') {
            return Err(SourceError::Setting {
                place: place.to_owned(),
                setting: "place".to_owned(),
                what: "must be `relation` or `database.relation`".to_owned(),
            });
        }
        let (database, name) = (database.to_owned(), name.to_owned());
        Ok(Self { shown: place.to_owned(), database, name })
    }

    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.database), quoted(&self.name))
    }
}

/// A name as an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// What the server's catalogue has as the comment of the relation; `None` where there is no such
/// relation.
pub(super) async fn comment(
    relation: &Relation,
    connection: &mut MySqlConnection,
) -> Result<Option<Option<String>>, sqlx::Error> {
    let comment = sqlx::query_scalar::<_, Option<String>>(
        "SELECT CAST(TABLE_COMMENT AS CHAR) FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
    );
    let comment = comment.bind(relation.database.clone()).bind(relation.name.clone());
    comment.fetch_optional(connection).await
}

/// The columns of the relation, without a condition.
pub(super) fn columns<'a>(
    relation: &Relation,
    columns: impl IntoIterator<Item = &'a str>,
) -> String {
    let columns: Vec<String> = columns.into_iter().map(quoted).collect();
    format!("SELECT {} FROM {}", columns.join(", "), relation.quoted())
}

/// The rows that are asked for. The author's condition stands on lines of its own, so that a
/// comment in it ends.
pub(super) fn rows(relation: &Relation, request: &Request, span: Option<(&Span, Kind)>) -> String {
    let mut conditions = Vec::new();
    if let Some(condition) = request.settings.get("where") {
        conditions.push(format!("(\n{condition}\n)"));
    }
    if let Some((span, kind)) = span {
        conditions.extend(within(span, kind));
    }
    let mut sql = columns(relation, request.columns.iter().map(String::as_str));
    if !conditions.is_empty() {
        sql = format!("{sql} WHERE {}", conditions.join(" AND "));
    }
    if let Some(order) = request.settings.get("order") {
        sql = format!("{sql} ORDER BY\n{order}");
    }
    sql
}

/// Asks whether among the first thousand texts of a column one is no instant of digits. Such a
/// column, compared as text, would silently give wrong rows.
pub(super) fn other_form(relation: &Relation, column: &str) -> String {
    let (column, relation) = (quoted(column), relation.quoted());
    format!(
        "SELECT 1 FROM (SELECT {column} AS c FROM {relation} \
         WHERE {column} IS NOT NULL AND {column} <> '' LIMIT 1000) AS t \
         WHERE c NOT REGEXP '^[0-9]{{8}}([0-9]{{4}}([0-9]{{2}})?)?$' LIMIT 1"
    )
}

/// The bounds of a span as conditions on a column of that kind.
fn within(span: &Span, kind: Kind) -> Vec<String> {
    let column = quoted(&span.column);
    let literal = |at: NaiveDateTime| match kind {
        Kind::Text => format!("'{}'", digits(at)),
        // A day counts as its midnight, and an instant as its time in Viet Nam, which is the time
        // of the session.
        _ => format!("TIMESTAMP'{}'", at.format("%Y-%m-%d %H:%M:%S%.6f")),
    };
    let from = span.from.map(|from| format!("{column} >= {}", literal(from)));
    let below = span.below.map(|below| format!("{column} < {}", literal(below)));
    let mut conditions: Vec<String> = from.into_iter().chain(below).collect();
    if conditions.is_empty() {
        conditions.push(format!("{column} IS NOT NULL"));
    }
    conditions
}

/// The bound that compares as text with instants of 8, 12 or 14 digits as instants compare: what is
/// equal to it begins with it, so zeros at its end are left out. A part of a second is rounded up,
/// for no text has one.
pub(crate) fn digits(at: NaiveDateTime) -> String {
    let whole = at.with_nanosecond(0).unwrap_or(at);
    let at = if whole < at { whole + chrono::TimeDelta::seconds(1) } else { whole };
    let mut text = at.format("%Y%m%d%H%M%S").to_string();
    while text.len() > 8 && text.ends_with("00") {
        text.truncate(text.len() - 2);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn request(settings: &[(&str, &str)]) -> Request {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            place: "kcb.dot".to_owned(),
            columns: vec!["a`b".to_owned(), "ngày".to_owned()],
            span: None,
            settings: settings.iter().map(own).collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn names_cannot_end_their_quotes() {
        let relation = Relation::parse("kcb.d`an", "").unwrap();
        let sql = rows(&relation, &request(&[]), None);
        assert_eq!(sql, "SELECT `a``b`, `ngày` FROM `kcb`.`d``an`");
    }

    #[test]
    fn a_place_names_a_relation() {
        assert_eq!(Relation::parse("dot", "kcb").unwrap().quoted(), "`kcb`.`dot`");
        assert_eq!(Relation::parse("x.dot", "kcb").unwrap().quoted(), "`x`.`dot`");
        for wrong in ["", ".", "x.", ".dot", "d\0ot"] {
            let error = Relation::parse(wrong, "kcb").unwrap_err();
            assert!(matches!(error, SourceError::Setting { .. }), "{wrong}");
        }
    }

    #[test]
    fn a_comment_of_a_condition_does_not_swallow_the_span() {
        let relation = Relation::parse("dot", "kcb").unwrap();
        let from = Some(at("2026-07-01T00:00:00"));
        let span = Span { column: "ngay".to_owned(), from, below: None };
        let settings = request(&[("where", "a = 1 -- only"), ("order", "a -- so")]);
        let sql = rows(&relation, &settings, Some((&span, Kind::Moment)));
        assert!(sql.contains("(\na = 1 -- only\n) AND `ngay` >= TIMESTAMP'2026-07-01 00:00:00"));
        assert!(sql.ends_with(" ORDER BY\na -- so"), "{sql}");
    }

    #[test]
    fn a_bound_compares_with_texts_of_any_length_as_instants_do() {
        let texts = ["20260630", "20260701", "202607010000", "20260701000000", "202607010001"];
        let from = digits(at("2026-07-01T00:00:00"));
        let kept: Vec<&str> = texts.into_iter().filter(|text| **text >= *from).collect();
        assert_eq!(kept, texts[1..]);
        assert_eq!(digits(at("2026-07-01T08:30:00")), "202607010830");
        assert_eq!(digits(at("2026-07-01T08:00:00")), "2026070108");
        assert_eq!(digits(at("2026-07-01T08:00:30.5")), "20260701080031");
    }
}
