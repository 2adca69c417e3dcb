//! What a connection says of itself rather than of the data: settings, transactions, cursors.
//!
//! None of it reaches the engine. Drivers say most of it unasked, so what has no meaning here is
//! answered as if it had been done; what would change the data is not a command, and the door
//! refuses it.

use datafusion::sql::sqlparser::ast::{
    CloseCursor, ContextModifier, DeclareType, DiscardObject, Expr, FetchDirection, Ident, Reset,
    Set, Statement, UnaryOperator, Value, ValueWithSpan,
};

use super::fault::Fault;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Begin(&'static str),
    /// Whether another transaction follows at once.
    Commit(bool),
    Rollback(bool),
    /// A failed part of a transaction is over. There is nothing to undo, and the transaction goes
    /// on.
    RollbackTo,
    /// To its default without a value.
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    /// All of them without a name.
    Reset(Option<String>),
    /// All of them without a name.
    Show(Option<String>),
    Declare {
        name: String,
        binary: bool,
        hold: bool,
    },
    Fetch {
        name: String,
        rows: usize,
        moves: bool,
    },
    /// All of them without a name.
    Close(Option<String>),
    /// All of them without a name.
    Deallocate(Option<String>),
    DiscardAll,
    /// It is answered with this tag, and nothing happens.
    Answered(&'static str),
}

impl Command {
    /// Whether a transaction that has failed hears it.
    pub(super) fn ends_transaction(&self) -> bool {
        matches!(self, Self::Commit(_) | Self::Rollback(_) | Self::RollbackTo)
    }

    /// The command in a statement; `None` when it is for the door.
    pub(super) fn of(statement: &Statement) -> Result<Option<Self>, Fault> {
        Ok(Some(match statement {
            Statement::StartTransaction { begin, .. } => {
                Self::Begin(if *begin { "BEGIN" } else { "START TRANSACTION" })
            }
            Statement::Commit { chain, .. } => Self::Commit(*chain),
            Statement::Rollback { savepoint: Some(_), .. } => Self::RollbackTo,
            Statement::Rollback { chain, savepoint: None } => Self::Rollback(*chain),
            Statement::Savepoint { .. } => Self::Answered("SAVEPOINT"),
            Statement::ReleaseSavepoint { .. } => Self::Answered("RELEASE"),
            Statement::Set(set) => Self::of_set(set),
            Statement::Reset(reset) => match &reset.reset {
                Reset::ALL => Self::Reset(None),
                Reset::ConfigurationParameter(name) => Self::Reset(Some(name.to_string())),
            },
            Statement::ShowVariable { variable } => {
                let words: Vec<_> = variable.iter().map(|word| word.value.as_str()).collect();
                Self::of_show(&words)
            }
            Statement::Declare { stmts } => match stmts.as_slice() {
                [one] if one.declare_type == Some(DeclareType::Cursor) => {
                    let name = one.names.first().map(named);
                    let (binary, hold) = (one.binary == Some(true), one.hold == Some(true));
                    Self::Declare { name: name.unwrap_or_default(), binary, hold }
                }
                _ => return Err(Fault::new("42601", "only cursors can be declared")),
            },
            Statement::Fetch { name, direction, into: None, .. } => {
                let rows = forward(direction)?;
                Self::Fetch { name: named(name), rows, moves: false }
            }
            Statement::Close { cursor: CloseCursor::All } => Self::Close(None),
            Statement::Close { cursor: CloseCursor::Specific { name } } => {
                Self::Close(Some(named(name)))
            }
            Statement::Deallocate { name, .. } => {
                let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
                Self::Deallocate((!all).then(|| named(name)))
            }
            Statement::Discard { object_type: DiscardObject::ALL } => Self::DiscardAll,
            Statement::Discard { object_type } => Self::Answered(match object_type {
                DiscardObject::PLANS => "DISCARD PLANS",
                DiscardObject::SEQUENCES => "DISCARD SEQUENCES",
                _ => "DISCARD TEMP",
            }),
            _ => return Ok(None),
        }))
    }

    fn of_set(set: &Set) -> Self {
        match set {
            Set::SingleAssignment { scope, variable, values, .. } => Self::Set {
                name: variable.to_string().replace('"', ""),
                value: value_of(values),
                local: *scope == Some(ContextModifier::Local),
            },
            Set::SetTimeZone { local, value } => Self::Set {
                name: "TimeZone".to_owned(),
                value: value_of(std::slice::from_ref(value)),
                local: *local,
            },
            _ => Self::Answered("SET"),
        }
    }

    fn of_show(words: &[&str]) -> Self {
        let small: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
        let small: Vec<_> = small.iter().map(String::as_str).collect();
        Self::Show(match small.as_slice() {
            ["all"] => None,
            ["time", "zone"] => Some("TimeZone".to_owned()),
            ["transaction", "isolation", "level"] => Some("transaction_isolation".to_owned()),
            ["authorization"] => Some("session_authorization".to_owned()),
            _ => Some(words.join(".")),
        })
    }
}

/// As PostgreSQL reads a name: in small letters where it is not quoted.
fn named(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// What a setting is set to; `None` for its default.
fn value_of(values: &[Expr]) -> Option<String> {
    match values {
        [Expr::Identifier(word)]
            if word.quote_style.is_none()
                && ["default", "local"].iter().any(|w| word.value.eq_ignore_ascii_case(w)) =>
        {
            None
        }
        values => Some(values.iter().map(text_of).collect::<Vec<_>>().join(", ")),
    }
}

fn text_of(value: &Expr) -> String {
    match value {
        Expr::Value(ValueWithSpan { value: Value::Number(number, _), .. }) => number.to_string(),
        Expr::Value(value) => value.clone().into_string().unwrap_or_else(|| value.to_string()),
        Expr::Identifier(word) => word.value.clone(),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => format!("-{}", text_of(expr)),
        other => other.to_string(),
    }
}

/// How many rows ahead.
fn forward(direction: &FetchDirection) -> Result<usize, Fault> {
    let count = |limit: &ValueWithSpan| match &limit.value {
        Value::Number(number, _) => number.to_string().parse::<usize>().ok(),
        _ => None,
    };
    let rows = match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Some(1),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => {
            count(limit)
        }
        FetchDirection::All | FetchDirection::ForwardAll => Some(usize::MAX),
        _ => None,
    };
    rows.ok_or_else(|| Fault::new("55000", "a cursor can only scan forward"))
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn of(sql: &str) -> Result<Option<Command>, Fault> {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
        Command::of(&parsed[0])
    }

    fn set(name: &str, value: Option<&str>, local: bool) -> Command {
        Command::Set { name: name.to_owned(), value: value.map(str::to_owned), local }
    }

    #[test]
    fn settings_are_read_in_every_writing() {
        for (sql, command) in [
            ("SET statement_timeout = '5s'", set("statement_timeout", Some("5s"), false)),
            ("SET statement_timeout TO 5000", set("statement_timeout", Some("5000"), false)),
            ("SET LOCAL statement_timeout = 1", set("statement_timeout", Some("1"), true)),
            ("SET SESSION DateStyle TO ISO, DMY", set("DateStyle", Some("ISO, DMY"), false)),
            ("SET extra_float_digits = -1", set("extra_float_digits", Some("-1"), false)),
            ("SET search_path TO DEFAULT", set("search_path", None, false)),
            ("SET search_path TO kho, chi_tieu", set("search_path", Some("kho, chi_tieu"), false)),
            ("SET TIME ZONE 'UTC'", set("TimeZone", Some("UTC"), false)),
            ("SET TIME ZONE LOCAL", set("TimeZone", None, false)),
            ("RESET ALL", Command::Reset(None)),
            ("RESET search_path", Command::Reset(Some("search_path".to_owned()))),
            ("SHOW ALL", Command::Show(None)),
            ("SHOW TIME ZONE", Command::Show(Some("TimeZone".to_owned()))),
            ("SHOW server_version", Command::Show(Some("server_version".to_owned()))),
            (
                "SHOW TRANSACTION ISOLATION LEVEL",
                Command::Show(Some("transaction_isolation".to_owned())),
            ),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Command::Answered("SET")),
        ] {
            assert_eq!(of(sql).unwrap(), Some(command), "{sql}");
        }
    }

    #[test]
    fn transactions_and_cursors_are_read() {
        let fetch = |rows| Command::Fetch { name: "c".to_owned(), rows, moves: false };
        let declare = |binary, hold| Command::Declare { name: "c".to_owned(), binary, hold };
        for (sql, command) in [
            ("BEGIN", Command::Begin("BEGIN")),
            ("START TRANSACTION READ ONLY", Command::Begin("START TRANSACTION")),
            ("COMMIT AND CHAIN", Command::Commit(true)),
            ("ROLLBACK", Command::Rollback(false)),
            ("ROLLBACK TO SAVEPOINT a", Command::RollbackTo),
            ("SAVEPOINT a", Command::Answered("SAVEPOINT")),
            ("DECLARE c CURSOR FOR SELECT 1", declare(false, false)),
            ("DECLARE c BINARY CURSOR WITH HOLD FOR SELECT 1", declare(true, true)),
            ("FETCH NEXT FROM c", fetch(1)),
            ("FETCH FORWARD 5 FROM c", fetch(5)),
            ("FETCH 7 IN c", fetch(7)),
            ("FETCH ALL FROM c", fetch(usize::MAX)),
            ("CLOSE ALL", Command::Close(None)),
            ("CLOSE C", Command::Close(Some("c".to_owned()))),
            ("CLOSE \"C\"", Command::Close(Some("C".to_owned()))),
            ("DEALLOCATE PREPARE ALL", Command::Deallocate(None)),
            ("DEALLOCATE a", Command::Deallocate(Some("a".to_owned()))),
            ("DISCARD ALL", Command::DiscardAll),
        ] {
            assert_eq!(of(sql).unwrap(), Some(command), "{sql}");
        }
        for sql in ["FETCH PRIOR FROM c", "FETCH ABSOLUTE 3 FROM c", "FETCH BACKWARD ALL FROM c"] {
            assert_eq!(of(sql).unwrap_err().sqlstate(), "55000", "{sql}");
        }
    }

    #[test]
    fn everything_else_is_for_the_door() {
        for sql in [
            "SELECT 1",
            "DELETE FROM t",
            "LISTEN a",
            "NOTIFY a",
            "SHOW TABLES",
            "PREPARE a AS SELECT 1",
        ] {
            assert_eq!(of(sql).unwrap(), None, "{sql}");
        }
    }
}
