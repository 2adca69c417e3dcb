use super::*;

fn is_read(sql: &str) -> Option<bool> {
    let said = one(utterances(sql, Dialect::Plain).ok()?).ok()?;
    Some(said.is_read())
}

#[test]
fn only_one_read_passes() {
    for sql in [
        "SELECT 1",
        "WITH t AS (SELECT 1 AS a) SELECT a FROM t",
        "EXPLAIN SELECT 1",
        "VALUES (1), (2)",
        "SHOW TABLES",
        "SELECT 1;",
    ] {
        assert_eq!(is_read(sql), Some(true), "{sql}");
    }
    for sql in [
        "CREATE TABLE t (a INT)",
        "CREATE VIEW v AS SELECT 1",
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "DROP TABLE t",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN DELETE FROM t",
        "WITH t AS (SELECT 1) INSERT INTO x SELECT * FROM t",
        "SELECT 1 INTO t",
        "SELECT a FROM (SELECT 1 AS a INTO t) AS x",
        "SELECT a FROM t FOR UPDATE",
        "COPY t TO '/tmp/x.csv'",
    ] {
        assert_eq!(is_read(sql), Some(false), "{sql}");
    }
    let kind = |sql| -> Option<ErrorKind> {
        match utterances(sql, Dialect::Plain).and_then(one) {
            Ok(_) => None,
            Err(error) => Some(error.kind()),
        }
    };
    assert_eq!(kind("SELECT 1; SELECT 2"), Some(ErrorKind::Syntax));
    assert_eq!(kind(""), Some(ErrorKind::Syntax));
}
