//! The words that the grammar makes statements of, beside tables and functions of the server: kinds
//! of values, literals at the edges, operators, and fragments that break what they are put into.

/// What kind of value an expression has, as far as the grammar cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Day,
    Truth,
    Other,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::Number, Self::Text, Self::Day, Self::Truth, Self::Other];

    /// The kind of a type by the name that the server gives it.
    pub(super) fn of(name: &str) -> Self {
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
        if name.starts_with("Interval") {
            return Self::Other;
        }
        if begins(&["Int", "UInt", "Float", "Decimal"]) {
            Self::Number
        } else if begins(&["String", "Utf8", "LargeUtf8"]) {
            Self::Text
        } else if begins(&["Date", "Timestamp"]) {
            Self::Day
        } else if name == "Boolean" {
            Self::Truth
        } else {
            Self::Other
        }
    }

    pub(super) fn literals(self) -> &'static [&'static str] {
        match self {
            Self::Number => NUMBERS,
            Self::Text => TEXTS,
            Self::Day => DAYS,
            Self::Truth => &["true", "false", "NULL", "'t'::boolean"],
            Self::Other => OTHERS,
        }
    }

    /// Types that a value of any kind may be cast to, to be of this one.
    pub(super) fn types(self) -> &'static [&'static str] {
        match self {
            Self::Number => &[
                "int",
                "bigint",
                "smallint",
                "real",
                "double precision",
                "decimal(38,10)",
                "decimal(5,2)",
                "bigint unsigned",
            ],
            Self::Text => &["text", "varchar(3)", "char(2)"],
            Self::Day => &["date", "timestamp", "timestamptz"],
            Self::Truth => &["boolean"],
            Self::Other => &["time", "interval", "bytea", "int[]", "text[]", "bigint[][]", "json"],
        }
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "7",
    "2016",
    "NULL",
    "1.5",
    "-0.0",
    "1e308",
    "9223372036854775807",
    "-9223372036854775808",
    "2147483648",
    "'NaN'::double precision",
    "'Infinity'::double precision",
    "99999999999999999999999999999999999999::decimal(38,0)",
    "0.00000001::decimal(38,8)",
    "length(repeat('a', 1000))",
];

const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'đ'",
    "NULL",
    "'24@2004-01-01'",
    "'2016'",
    "'2016-02-30'",
    "'%a_'",
    "'[a'",
    "'(a|b)*'",
    "'{\"a\":1}'",
    "E'\\n'",
    "repeat('ab', 1000)",
    "'year'",
    "'hex'",
    "','",
];

const DAYS: &[&str] = &[
    "DATE '2025-07-01'",
    "DATE '9999-12-31'",
    "DATE '0001-01-01'",
    "TIMESTAMP '1969-12-31 23:59:59.999999'",
    "now()",
    "NULL::date",
    "TIMESTAMP '2262-04-11 23:47:16'",
];

const OTHERS: &[&str] = &[
    "NULL",
    "INTERVAL '1 month'",
    "INTERVAL '-1 day'",
    "INTERVAL '2147483647 days'",
    "ARRAY[1,2,NULL]",
    "ARRAY[]",
    "ARRAY['a','']",
    "[1.5]",
    "struct(1,'a')",
    "'\\xDEAD'::bytea",
    "range(0, 1000)",
    "ARRAY[ARRAY[1],ARRAY[2,3]]",
    "TIME '23:59:59'",
];

/// What stands between two numbers.
pub(super) const ARITHMETIC: [&str; 10] = ["+", "-", "*", "/", "%", "&", "|", " # ", "<<", ">>"];

/// What compares two values of a kind.
pub(super) const COMPARISONS: [&str; 8] =
    ["=", "<>", "<", ">", "<=", ">=", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM "];

/// What compares a text with a pattern.
pub(super) const PATTERNS: [&str; 7] =
    [" LIKE ", " ILIKE ", " NOT LIKE ", " SIMILAR TO ", "~", "!~", "~*"];

/// Functions of a window.
pub(super) const WINDOWS: [&str; 10] = [
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "nth_value",
];

/// Fragments that a mutation puts in.
pub(super) const FRAGMENTS: [&str; 26] = [
    "SELECT", "FROM", "WHERE", "(", ")", ",", ";", "'", "\"", "--", "/*", "*/", "$1", "$$", "::",
    ".", "*", "INTO", "NULL", "UNION", "WITH", "OVER (", "CASE", "END", "LATERAL", "N'x'",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_server_have_kinds() {
        let kinds = ["Int64", "Interval(DayTime)", "Decimal(38, 10)", "Utf8View", "Timestamp(s)"];
        let expected = [Kind::Number, Kind::Other, Kind::Number, Kind::Text, Kind::Day];
        assert_eq!(kinds.map(Kind::of), expected);
        assert_eq!((Kind::of("Boolean"), Kind::of("List(Int64)")), (Kind::Truth, Kind::Other));
    }
}
