//! SQL inside a declaration: parsed, its tables listed, every fault at its place in the file.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::{DataFusionError, SchemaError, Span as SqlSpan, TableReference};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    ObjectName, SetExpr, Statement as SqlStatement, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

use super::nearest::suggestion;
use super::reader::{At, File, Span};

/// A piece of SQL and where it stands in its file.
#[derive(Debug, Clone)]
pub(super) struct SqlText {
    pub(super) sql: String,
    /// Where the text begins in the file; `None` where a TOML string spells it with escapes, so
    /// that only the string as a whole can be pointed at.
    start: Option<usize>,
    whole: Span,
}

impl SqlText {
    /// The SQL that stands in the file at `span`.
    pub(super) fn in_file(file: &File<'_>, span: Span) -> Self {
        let sql = file.text[span.clone()].to_owned();
        Self { sql, start: Some(span.start), whole: span }
    }

    /// The SQL that a TOML string holds.
    pub(super) fn in_string(file: &File<'_>, string: &At<String>) -> Self {
        let written = &file.text[string.span.clone()];
        let start = written.find(&string.value).map(|at| string.span.start + at);
        Self { sql: string.value.clone(), start, whole: string.span.clone() }
    }

    fn place(&self, span: Span) -> Span {
        match self.start {
            Some(start) => start + span.start..start + span.end,
            None => self.whole.clone(),
        }
    }

    /// Where the text begins: its first word.
    pub(super) fn beginning(&self) -> Span {
        let word = self.sql.find(char::is_whitespace).unwrap_or(self.sql.len());
        self.place(0..word)
    }

    fn offset(&self, line: u64, column: u64) -> Option<usize> {
        let skipped = usize::try_from(line.checked_sub(1)?).ok()?;
        let line: usize = self.sql.split_inclusive('\n').take(skipped).map(str::len).sum();
        let column = usize::try_from(column.checked_sub(1)?).ok()?;
        let rest = &self.sql[line..];
        Some(line + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
    }

    fn span_of(&self, span: SqlSpan) -> Option<Span> {
        let start = self.offset(span.start.line, span.start.column)?;
        let end = self.offset(span.end.line, span.end.column)?;
        Some(self.place(start..end.max(start)))
    }

    /// The first place where `name` stands as a word of its own.
    fn word(&self, name: &str) -> Option<Span> {
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
        self.sql
            .match_indices(name)
            .map(|(at, _)| at..at + name.len())
            .find(|span| {
                !self.sql[..span.start].ends_with(part_of_name)
                    && !self.sql[span.end..].starts_with(part_of_name)
            })
            .map(|span| self.place(span))
    }
}

/// The tables that a statement names.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// Tables, in order of appearance, common table expressions left out.
    pub(super) tables: Vec<(TableReference, Span)>,
    /// Functions that stand where a table may, in lower case.
    pub(super) functions: Vec<(String, Span)>,
}

/// Parses exactly one SELECT; reports whatever else it is.
pub(super) fn parse(file: &File<'_>, text: &SqlText) -> Option<(Statement, Mentions)> {
    let parsed = DFParserBuilder::new(text.sql.as_str())
        .with_dialect(&PostgreSqlDialect {})
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let mut statements = match parsed {
        Ok(statements) => statements,
        Err(error) => {
            report(file, text, &error);
            return None;
        }
    };
    let statement = statements.pop_front();
    let Some(statement) = statement.filter(|s| is_select(s) && statements.is_empty()) else {
        let message = "this is not exactly one SELECT";
        let help = "a declaration holds one query, and nothing else".to_owned();
        file.fault(text.beginning(), "not-a-query", message, help);
        return None;
    };
    match mentions(text, &statement) {
        Ok(mentions) => Some((statement, mentions)),
        Err(error) => {
            report(file, text, &error);
            None
        }
    }
}

fn is_select(statement: &Statement) -> bool {
    let Statement::Statement(statement) = statement else { return false };
    let SqlStatement::Query(query) = statement.as_ref() else { return false };
    !matches!(
        query.body.as_ref(),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
    )
}

fn mentions(text: &SqlText, statement: &Statement) -> Result<Mentions, DataFusionError> {
    let (tables, _) = resolve_table_references(statement, true)?;
    let mut collector = Collector::default();
    if let Statement::Statement(statement) = statement {
        let _ = statement.visit(&mut collector);
    }
    let mut mentions = Mentions::default();
    for (names, span, called) in collector.relations {
        let place = span.and_then(|span| text.span_of(span)).unwrap_or_else(|| text.beginning());
        if called {
            mentions.functions.push((names.join("."), place));
            continue;
        }
        let reference = match &names[..] {
            [table] => TableReference::bare(table.as_str()),
            [schema, table] => TableReference::partial(schema.as_str(), table.as_str()),
            [catalog, schema, table] => {
                TableReference::full(catalog.as_str(), schema.as_str(), table.as_str())
            }
            _ => continue,
        };
        if tables.contains(&reference) {
            mentions.tables.push((reference, place));
        }
    }
    Ok(mentions)
}

/// Name parts, where they stand, and whether arguments follow.
type Relation = (Vec<String>, Option<SqlSpan>, bool);

#[derive(Default)]
struct Collector {
    relations: Vec<Relation>,
    /// The next relation is a function's name.
    called: bool,
}

impl Visitor for Collector {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.called = matches!(factor, TableFactor::Table { args: Some(_), .. });
        if let TableFactor::Function { name, .. } = factor {
            self.relations.push((parts(name), span(name), true));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let called = std::mem::take(&mut self.called);
        self.relations.push((parts(name), span(name), called));
        ControlFlow::Continue(())
    }
}

fn parts(name: &ObjectName) -> Vec<String> {
    let idents = name.0.iter().filter_map(|part| part.as_ident());
    idents
        .map(|ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_ascii_lowercase(),
        })
        .collect()
}

fn span(name: &ObjectName) -> Option<SqlSpan> {
    let idents = name.0.iter().filter_map(|part| part.as_ident());
    SqlSpan::union_iter(idents.filter_map(|ident| SqlSpan::try_from_sqlparser_span(ident.span)))
}

/// Puts each error of the planner where it belongs.
pub(super) fn report(file: &File<'_>, text: &SqlText, error: &DataFusionError) {
    for error in error.iter() {
        report_one(file, text, error);
    }
}

fn report_one(file: &File<'_>, text: &SqlText, error: &DataFusionError) {
    let diagnostic = error.diagnostic();
    let pointed = diagnostic.and_then(|found| found.span).and_then(|span| text.span_of(span));
    let root = error.find_root();
    if let DataFusionError::SQL(error, _) = root {
        let (message, place) = syntax(text, &error.to_string());
        file.fault(pointed.unwrap_or(place), "sql-syntax", message, None);
        return;
    }
    if let DataFusionError::SchemaError(error, _) = root
        && let SchemaError::FieldNotFound { field, valid_fields } = error.as_ref()
    {
        let name = field.name();
        let place = pointed.or_else(|| text.word(name)).unwrap_or_else(|| text.beginning());
        let names: BTreeSet<&str> = valid_fields.iter().map(|field| field.name()).collect();
        let help = suggestion(name, names);
        file.fault(
            place,
            "unknown-column",
            format!("there is no column `{}`", field.flat_name()),
            help,
        );
        return;
    }
    let message = match diagnostic {
        Some(diagnostic) => diagnostic.message.clone(),
        None => root.strip_backtrace(),
    };
    let help = diagnostic.and_then(|found| found.helps.first()).map(|help| help.message.clone());
    let place = pointed.unwrap_or_else(|| text.beginning());
    file.fault(place, "sql-plan", first_line(&message), help);
}

/// What the planner puts before its messages, outermost first.
const PREFIXES: [&str; 3] =
    ["Error during planning: ", "This feature is not implemented: ", "Internal error: "];

/// The planner's prefixes and its list of every signature tried say nothing to an author.
fn first_line(message: &str) -> String {
    let mut line = message.lines().next().unwrap_or_default();
    for prefix in PREFIXES {
        line = line.strip_prefix(prefix).unwrap_or(line);
    }
    let line = line.split_once(", errors: ").map_or(line, |(what, _)| what);
    line.trim_end_matches('.').to_owned()
}

/// Splits `… at Line: 3, Column: 14` into the message and its place.
fn syntax(text: &SqlText, message: &str) -> (String, Span) {
    let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
    let end = text.place(text.sql.len()..text.sql.len());
    let Some((message, place)) = message.rsplit_once(" at Line: ") else {
        return (message.to_owned(), end);
    };
    let offset = place.split_once(", Column: ").and_then(|(line, column)| {
        text.offset(line.trim().parse().ok()?, column.trim().parse().ok()?)
    });
    let span = offset.map(|start| {
        let rest = &text.sql[start..];
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        text.place(start..start + word.max(1).min(rest.len()))
    });
    (message.to_owned(), span.unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, tables: &[&str], functions: &[&str]) {
        let file = File::new("a.sql", sql);
        let text = SqlText::in_file(&file, 0..sql.len());
        let (_, found) = parse(&file, &text).expect("one SELECT");
        let names: Vec<String> = found.tables.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, tables);
        let called: Vec<&str> = found.functions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(called, functions);
    }

    #[test]
    fn lists_tables_but_no_common_table_expressions() {
        check("WITH a AS (SELECT * FROM kho.b) SELECT * FROM a", &["kho.b"], &[]);
        check(
            "SELECT (SELECT max(x) FROM KHO.C) FROM chi_tieu_tai(DATE '2025-07-01') t
             JOIN nguon.d USING (don_vi)",
            &["kho.c", "nguon.d"],
            &["chi_tieu_tai"],
        );
    }

    #[test]
    fn points_into_accented_text() {
        let sql = "SELECT 'tỉnh' AS x,,\n 1";
        let file = File::new("a.sql", sql);
        let text = SqlText::in_file(&file, 0..sql.len());
        assert!(parse(&file, &text).is_none());
        let faults = file.into_faults();
        assert_eq!(faults[0].code, "sql-syntax");
        assert_eq!(faults[0].span.clone().map(|span| &sql[span.start..]), Some(",\n 1"));
    }
}
