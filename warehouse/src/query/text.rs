//! From text to statements, within bounds.
//!
//! A tree that is too deep or too wide brings a process down wherever it is walked, copied or
//! dropped, so it must not come into being: the tokens of a text are counted before a parser sees
//! them. Tokens stand in a flat list; nothing here recurses.

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;

use super::QueryError;

/// Bytes of one text.
pub const LONGEST_TEXT: usize = 256 << 10;

/// Bytes of a text whose trees may be deep: a sign and a term make one level more.
const LONG_TEXT: usize = 1 << 10;

/// Words, numbers, literals and signs in one text.
const MOST_TOKENS: usize = 80_000;

/// Brackets and `CASE`s inside one another.
const DEEPEST_NESTING: usize = 48;

/// Signs and words that join terms, between two commas of one pair of brackets: each may make a
/// tree one level deeper.
const LONGEST_CHAIN: usize = 1_000;

/// `UNION`, `INTERSECT` and `EXCEPT`, which plans nest in one another.
const MOST_SET_OPERATIONS: usize = 100;

/// Statements in one text.
const MOST_STATEMENTS: usize = 100;

/// Who wrote the text: a person, or a client that speaks to PostgreSQL's catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Plain,
    /// With what clients of PostgreSQL ask of its catalogue rewritten into what is there.
    PostgresClient,
}

/// Parses a text that may hold several statements.
pub(super) fn parse(sql: &str, dialect: Dialect) -> Result<Vec<Statement>, QueryError> {
    check(sql)?;
    let statements = match dialect {
        Dialect::Plain => Parser::new(&PostgreSqlDialect {})
            .try_with_sql(sql)
            .and_then(|mut parser| parser.parse_statements()),
        Dialect::PostgresClient => compatible().parse(sql),
    };
    statements.map_err(|error| match error {
        ParserError::RecursionLimitExceeded => QueryError::too_complex("it nests too deep"),
        error => QueryError::syntax(error),
    })
}

fn compatible() -> &'static PostgresCompatibilityParser {
    static PARSER: std::sync::LazyLock<PostgresCompatibilityParser> =
        std::sync::LazyLock::new(PostgresCompatibilityParser::new);
    &PARSER
}

/// Whether trees made of a text may be so deep that they need a stack of their own.
pub(super) fn is_long(sql: &str) -> bool {
    sql.len() > LONG_TEXT
}

/// Refuses a text that is too long to be looked at.
pub(super) fn check_length(sql: &str) -> Result<(), QueryError> {
    if sql.len() <= LONGEST_TEXT {
        return Ok(());
    }
    let reason = format!("its text is longer than {LONGEST_TEXT} bytes");
    Err(QueryError::too_complex(&reason))
}

/// Refuses what would make too large a tree.
fn check(sql: &str) -> Result<(), QueryError> {
    check_length(sql)?;
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize()
        .map_err(|error| QueryError::syntax(error.into()))?;
    if tokens.len() > MOST_TOKENS {
        let reason = format!("it has more than {MOST_TOKENS} words and signs");
        return Err(QueryError::too_complex(&reason));
    }
    Shape::default().follow(&tokens)
}

/// What is counted while tokens pass.
#[derive(Default)]
struct Shape {
    /// Links of the chain at hand, one for each bracket that is open.
    open: Vec<usize>,
    chain: usize,
    set_operations: usize,
    statements: usize,
}

impl Shape {
    fn follow(mut self, tokens: &[Token]) -> Result<(), QueryError> {
        for token in tokens {
            match token {
                Token::LParen | Token::LBracket | Token::LBrace => self.nest()?,
                Token::RParen | Token::RBracket | Token::RBrace => self.leave(),
                Token::Comma => self.chain = 0,
                Token::SemiColon => self.next_statement()?,
                Token::Word(word) if word.quote_style.is_none() => self.word(word.keyword)?,
                token if joins(token) => self.link()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn word(&mut self, keyword: Keyword) -> Result<(), QueryError> {
        match keyword {
            Keyword::CASE => self.nest(),
            // Of a `CASE`; elsewhere there is nothing to leave.
            Keyword::END => {
                self.leave();
                Ok(())
            }
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::MINUS => {
                self.set_operations += 1;
                if self.set_operations > MOST_SET_OPERATIONS {
                    let reason = format!("it joins more than {MOST_SET_OPERATIONS} queries");
                    return Err(QueryError::too_complex(&reason));
                }
                self.chain = 0;
                Ok(())
            }
            Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::HAVING => {
                self.chain = 0;
                Ok(())
            }
            Keyword::NoKeyword => Ok(()),
            _ => self.link(),
        }
    }

    fn nest(&mut self) -> Result<(), QueryError> {
        self.link()?;
        if self.open.len() >= DEEPEST_NESTING {
            let reason = format!("it nests more than {DEEPEST_NESTING} brackets");
            return Err(QueryError::too_complex(&reason));
        }
        self.open.push(std::mem::take(&mut self.chain));
        Ok(())
    }

    fn leave(&mut self) {
        self.chain = self.open.pop().unwrap_or(self.chain);
    }

    fn link(&mut self) -> Result<(), QueryError> {
        self.chain += 1;
        if self.chain > LONGEST_CHAIN {
            let reason = format!("it joins more than {LONGEST_CHAIN} terms in a row");
            return Err(QueryError::too_complex(&reason));
        }
        Ok(())
    }

    fn next_statement(&mut self) -> Result<(), QueryError> {
        self.statements += 1;
        if self.statements > MOST_STATEMENTS {
            let reason = format!("the text holds more than {MOST_STATEMENTS} statements");
            return Err(QueryError::too_complex(&reason));
        }
        (self.chain, self.set_operations) = (0, 0);
        self.open.clear();
        Ok(())
    }
}

/// Whether a sign joins terms; literals, numbers and spaces do not.
fn joins(token: &Token) -> bool {
    !matches!(
        token,
        Token::EOF
            | Token::Word(_)
            | Token::Number(..)
            | Token::Whitespace(_)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::Placeholder(_)
    )
}

#[cfg(test)]
mod tests {
    use super::super::ErrorKind;
    use super::*;

    fn kind(sql: &str) -> Option<ErrorKind> {
        parse(sql, Dialect::Plain).err().map(|error| error.kind())
    }

    #[test]
    fn what_people_and_tools_write_is_within_the_bounds() {
        let list: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
        let conditions: Vec<String> = (0..200).map(|n| format!("a = {n}")).collect();
        for sql in [
            format!("SELECT a FROM t WHERE a IN ({})", list.join(", ")),
            format!("SELECT a FROM t WHERE {}", conditions.join(" OR ")),
            "SELECT CASE WHEN a > 1 THEN (SELECT max(b) FROM u) ELSE -1 END FROM t".to_owned(),
        ] {
            assert_eq!(kind(&sql), None, "{sql}");
        }
    }

    #[test]
    fn deep_and_long_texts_are_refused_before_they_are_parsed() {
        let many = |text: &str, times: usize| text.repeat(times);
        for sql in [
            format!("SELECT 1{}", many("+1", 3_000)),
            format!("SELECT true{}", many(" OR true", 5_000)),
            format!("SELECT 'a'{}", many("||'a'", 20_000)),
            format!("SELECT 1{}", many("::int", 20_000)),
            format!("SELECT 1{}", many(" UNION ALL SELECT 1", 3_000)),
            format!("SELECT {}", many("ARRAY[", 30_000)),
            format!("SELECT {}1", many("(", 5_000)),
            format!("SELECT {}true", many("NOT ", 5_000)),
            format!("SELECT {}1", many("- ", 5_000)),
            format!("SELECT {}", many("CASE WHEN true THEN ", 5_000)),
            format!("SELECT a{} FROM t", many("[1]", 5_000)),
            format!("SELECT '{}'", many("x", 300_000)),
            many(";", 10_000),
        ] {
            assert_eq!(kind(&sql), Some(ErrorKind::TooComplex), "{}", &sql[..40.min(sql.len())]);
        }
    }
}
