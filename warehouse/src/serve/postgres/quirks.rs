//! What real clients say in a way that the parser does not know.

use std::borrow::Cow;

/// ADBC compares the name of a type's function with 0, which in PostgreSQL means none.
pub(super) fn mend(sql: &str) -> Cow<'_, str> {
    if !sql.contains("pg_catalog.pg_type") {
        return Cow::Borrowed(sql);
    }
    let named = ["typreceive", "typsend"];
    let mended = named.iter().fold(sql.to_owned(), |sql, name| {
        sql.replace(&format!("{name} != 0"), &format!("{name} != '-'"))
    });
    Cow::Owned(mended)
}

/// `MOVE` is `FETCH` without the rows, and the parser knows the latter only.
pub(super) fn as_fetch(sql: &str) -> Option<String> {
    let sql = sql.trim_start();
    let (word, rest) = sql.split_at_checked(4)?;
    let alone = rest.starts_with(char::is_whitespace);
    (alone && word.eq_ignore_ascii_case("move")).then(|| format!("FETCH{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_meant_is_changed() {
        assert_eq!(mend("SELECT typsend != 0"), "SELECT typsend != 0");
        let asked = "SELECT oid FROM pg_catalog.pg_type WHERE typreceive != 0 AND typsend != 0";
        assert!(!mend(asked).contains("!= 0"));
        assert_eq!(as_fetch(" move FORWARD 5 FROM c").unwrap(), "FETCH FORWARD 5 FROM c");
        for sql in ["MOVED 1 FROM c", "SELECT 1", "mov", "đi đâu"] {
            assert_eq!(as_fetch(sql), None, "{sql}");
        }
    }
}
