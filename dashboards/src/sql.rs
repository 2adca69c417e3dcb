//! Values written into SQL. Pages check what a request names against what is declared first; this
//! is the second lock, and the only place that writes a literal.

use chrono::NaiveDate;

/// `text` as an SQL literal.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `date` as an SQL literal.
pub(crate) fn date(date: NaiveDate) -> String {
    format!("DATE '{}'", date.format("%Y-%m-%d"))
}

/// The condition that the breakdown in `column` is `value`; the whole is stored as an empty text.
pub(crate) fn is(column: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{column} = {}", text(value)),
        None => format!("({column} IS NULL OR {column} = '')"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_stays_inside_its_literal() {
        assert_eq!(text("a' OR 'b'='b"), "'a'' OR ''b''=''b'");
        assert_eq!(is("phan_to", None), "(phan_to IS NULL OR phan_to = '')");
    }
}
