//! Literals that are each sent once, and the statements that they are put into.

use super::random::Random;

/// How every text begins.
pub(super) const MARK: &str = "zqxj";

/// How every number begins.
pub(super) const NUMBER: u64 = 918_273;

/// Makes literals that stand nowhere else, and counts them.
pub(super) struct Secrets {
    random: Random,
    count: u64,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { random: Random::new(6), count: 0 }
    }
}

impl Secrets {
    /// A text of letters and digits that begins with [`MARK`], fit to be a name too.
    pub(super) fn text(&mut self) -> String {
        self.count += 1;
        format!("{MARK}{:05x}{:08x}", self.count, self.random.next() as u32)
    }

    /// A number of 16 digits that begins with [`NUMBER`].
    pub(super) fn number(&mut self) -> i64 {
        self.count += 1;
        let rest = self.count * 10_000 + self.random.below(10_000) as u64;
        i64::try_from(NUMBER * 10_000_000_000 + rest).expect("16 digits")
    }

    /// A statement with a text for each `%t` and a number for each `%n`.
    pub(super) fn fill(&mut self, template: &str) -> String {
        let mut pieces = template.split('%');
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            if let Some(rest) = piece.strip_prefix('t') {
                filled += &self.text();
                filled += rest;
            } else if let Some(rest) = piece.strip_prefix('n') {
                filled += &self.number().to_string();
                filled += rest;
            } else {
                filled.push('%');
                filled += piece;
            }
        }
        filled
    }

    /// How many were made.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

/// Statements that hold literals: answered, misunderstood, refused, failing.
pub(super) const TEMPLATES: &[&str] = &[
    "SELECT '%t' AS a, %n AS b",
    "SELECT '%t' AS \"%t\"",
    "SELECT ten FROM danh_muc.don_vi WHERE ten = '%t' OR ma IN ('%t', '%t') OR %n = %n",
    "SELECT count(*) FROM chi_tieu.ca_nuoc WHERE ma_chi_tieu = '%t' AND nam = %n",
    "SELECT ma FROM chi_tieu_tai(DATE '2025-07-01') WHERE ten LIKE '%t%' GROUP BY ma HAVING count(*) > %n",
    "SELECT * FROM chi_tieu_tai('%t')",
    "SELECT don_vi('%t', DATE '2026-01-01'), ten_don_vi('%t')",
    "SELECT '%t'::int",
    "SELECT CAST('%t' AS DATE)",
    "SELECT '%t'::timestamp",
    "SELECT '%t'::decimal(10,2)",
    "SELECT '%t'::boolean",
    "SELECT '%t'::uuid",
    "SELECT ('%t' || ten)::int FROM danh_muc.don_vi",
    "SELECT (ten || '%t')::date FROM danh_muc.don_vi",
    "SELECT INTERVAL '%t'",
    "SELECT DATE '%t'",
    "SELECT TIMESTAMP '%t'",
    "SELECT TIME '%t'",
    "SELECT %t",
    "SELECT %t.%t FROM danh_muc.don_vi",
    "SELECT \"%t\" FROM danh_muc.don_vi WHERE ma = '%t'",
    "SELECT * FROM %t",
    "SELECT * FROM kho.%t",
    "SELECT * FROM \"%t\".\"%t\"",
    "SELECT * FROM '%t'",
    "SELECT %t(1)",
    "SELECT upper('%t', %n)",
    "SELECT abs('%t')",
    "SELEC '%t'",
    "SELECT '%t' FRM danh_muc.don_vi",
    "SELECT '%t",
    "SELECT ('%t'",
    "'%t'",
    "SELECT '%t' '%t' %n %n",
    "SELECT E'\\x%t'",
    "SELECT $a$%t$a$",
    "SELECT U&'\\%t'",
    "-- %t\nSELECT 1 /* %t */",
    "-- %t",
    "SELECT %n / 0",
    "SELECT %n::int",
    "SELECT %n%n%n%n",
    "SELECT %n * %n",
    "SELECT '%t' + 1",
    "SELECT '%t' LIKE 1, NOT '%t'",
    "SELECT to_timestamp('%t')",
    "SELECT to_date('%t', '%Y')",
    "SELECT to_char(now(), '%t')",
    "SELECT date_trunc('%t', now())",
    "SELECT extract(%t FROM now())",
    "SELECT now() AT TIME ZONE '%t'",
    "SELECT arrow_cast(1, '%t')",
    "SELECT 1::%t",
    "SELECT '%t' COLLATE \"%t\"",
    "SELECT '%t' ~ '(%t'",
    "SELECT regexp_replace('%t', '[%t', 'x')",
    "SELECT decode('%t', 'hex')",
    "SELECT encode('%t'::bytea, '%t')",
    "SELECT ARRAY['%t', '%t', %n]",
    "SELECT struct('%t', %n), {'%t': %n}",
    "SELECT CASE '%t' WHEN '%t' THEN %n END",
    "SELECT '%t' UNION SELECT %n",
    "VALUES ('%t'), (%n)",
    "VALUES ('%t', 1), ('%t')",
    "WITH %t AS (SELECT '%t' AS %t) SELECT * FROM %t",
    "WITH w AS (SELECT '%t' AS a) SELECT * FROM w AS x JOIN w AS y ON x.a = y.a || '%t'",
    "SELECT (SELECT ten FROM danh_muc.don_vi WHERE ten <> '%t')",
    "SELECT '%t' FROM danh_muc.don_vi LIMIT %n",
    "SELECT count(*) OVER %t FROM danh_muc.don_vi",
    "SELECT string_agg(ten, '%t' ORDER BY ma) FROM danh_muc.don_vi",
    "EXPLAIN SELECT ten FROM danh_muc.don_vi WHERE ten = '%t' AND %n > 1",
    "EXPLAIN ANALYZE SELECT ten FROM danh_muc.don_vi WHERE ten = '%t' AND ma > '%t'",
    "EXPLAIN VERBOSE SELECT ten FROM danh_muc.don_vi WHERE ten = '%t'",
    "EXPLAIN %t",
    "INSERT INTO danh_muc.don_vi VALUES ('%t', %n)",
    "UPDATE danh_muc.don_vi SET ma = '%t' WHERE ten = '%t'",
    "DELETE FROM kho.%t WHERE a = '%t'",
    "CREATE TABLE %t (a INT DEFAULT %n)",
    "CREATE EXTERNAL TABLE %t STORED AS CSV LOCATION '%t'",
    "COPY (SELECT '%t') TO '%t'",
    "SELECT '%t' INTO %t",
    "SET application_name = '%t'",
    "SET %t = '%t'",
    "SET statement_timeout = '%t'",
    "SET datafusion.%t = '%t'",
    "SHOW %t",
    "RESET %t",
    "PREPARE p AS SELECT '%t'",
    "EXECUTE %t('%t')",
    "DEALLOCATE %t",
    "DECLARE %t CURSOR FOR SELECT '%t'",
    "FETCH 1 FROM %t",
    "CLOSE %t",
    "LISTEN %t; NOTIFY %t, '%t'",
    "SAVEPOINT %t",
    "ROLLBACK TO SAVEPOINT %t",
    "SELECT '%t'; SELECT '%t'",
    "SELECT length(repeat('%t', 1000000000))",
    "SELECT array_length(array_repeat('%t', 1000000000))",
    "SELECT '%t' FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b WHERE a.value + b.value = -%n",
    "SELECT relname FROM pg_catalog.pg_class WHERE relname = '%t'",
    "SELECT pg_catalog.format_type(%n, NULL), current_setting('%t')",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_literal_is_new_and_begins_as_it_should() {
        let mut secrets = Secrets::default();
        let filled = secrets.fill("SELECT '%t', %n, '%Y' LIKE '%t%'");
        assert_eq!(secrets.count(), 3);
        let texts: Vec<&str> = filled.matches(MARK).collect();
        assert!(texts.len() == 2 && filled.contains("'%Y' LIKE") && filled.ends_with("%'"));
        assert!(filled.contains(&NUMBER.to_string()), "{filled}");
        assert_ne!(secrets.text(), secrets.text());
        assert_eq!(secrets.number().to_string().len(), 16);
    }
}
