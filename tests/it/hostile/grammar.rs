//! Statements out of a grammar: expressions, joins, common tables, set operations, windows, over
//! the tables and functions that the server says it has, with literals at the edges.
//!
//! Values are of the kind that is asked for, mostly: what no engine plans tests its parser only.

use super::broken::break_tokens;
use super::random::Random;
use super::vocabulary::{ARITHMETIC, COMPARISONS, Kind, PATTERNS, WINDOWS};

/// One value in so many is of a kind that was not asked for.
const WILD: usize = 40;

/// One statement in so many is broken.
const BROKEN: usize = 4;

/// A table and its columns.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Kind)>,
}

/// A function with the arguments that it takes in one of its forms.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arguments: Vec<Kind>,
    pub(super) gives: Kind,
}

/// What statements are made of.
#[derive(Debug, Clone)]
pub(super) struct Grammar {
    /// Names of all functions.
    pub(super) names: Vec<String>,
    /// Forms of functions of one row.
    pub(super) functions: Vec<Function>,
    /// Forms of functions of many rows.
    pub(super) aggregates: Vec<Function>,
    pub(super) tables: Vec<Table>,
}

/// A statement being written.
struct Writer<'a> {
    grammar: &'a Grammar,
    random: Random,
    /// Columns that may be named, in the queries that stand open.
    columns: Vec<Vec<(String, Kind)>>,
    names: usize,
}

impl Grammar {
    /// The statement of a number, always the same.
    pub(super) fn statement(&self, number: u64) -> String {
        let mut writer =
            Writer { grammar: self, random: Random::new(number), columns: Vec::new(), names: 0 };
        let statement = writer.statement();
        if writer.random.one_in(BROKEN) {
            let other = writer.statement();
            return break_tokens(&mut writer.random, &statement, &other);
        }
        statement
    }
}

impl Writer<'_> {
    fn statement(&mut self) -> String {
        self.columns.clear();
        let (kind, depth) = (self.kind(), 1 + self.random.below(3));
        let query = self.query(kind, depth);
        match self.random.below(12) {
            0 => format!("EXPLAIN {query}"),
            1 => format!("EXPLAIN ANALYZE {query}"),
            2..6 => query,
            _ => format!("{query} LIMIT {}", self.random.below(50)),
        }
    }

    fn kind(&mut self) -> Kind {
        *self.random.pick(&Kind::ALL)
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// A query whose first column is `x0`, of a kind.
    fn query(&mut self, kind: Kind, depth: usize) -> String {
        if depth > 0 && self.random.one_in(6) {
            let (name, inner) = (self.name("w"), self.kind());
            let inner = self.query(inner, depth - 1);
            let outer = self.query(kind, depth - 1);
            return format!("WITH {name} AS ({inner}) SELECT z.x0 FROM {name}, ({outer}) AS z");
        }
        if depth > 0 && self.random.one_in(12) {
            let (name, step) = (self.name("r"), self.expression(Kind::Number, 1));
            let most = *self.random.pick(&["3", "1000", "9223372036854775807"]);
            return format!(
                "WITH RECURSIVE {name} AS (SELECT 1 AS x0 UNION ALL SELECT x0 + 1 FROM {name} \
                 WHERE x0 < {most}) SELECT x0 + {step} AS x0 FROM {name}"
            );
        }
        if depth > 0 && self.random.one_in(6) {
            let kinds =
                ["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"];
            let how = *self.random.pick(&kinds);
            let value = self.expression(kind, 0);
            let left = self.query(kind, depth - 1);
            return format!("(SELECT x0 FROM ({left}) AS s) {how} (SELECT {value} AS x0)");
        }
        self.select(kind, depth)
    }

    fn select(&mut self, kind: Kind, depth: usize) -> String {
        let (from, columns) = self.from(depth);
        self.columns.push(columns);
        let grouped = self.random.one_in(3);
        let first = match self.random.below(4) {
            0 if grouped => self.aggregate(Some(kind), depth),
            1 if !grouped && kind == Kind::Number => self.window(depth),
            _ => self.expression(kind, depth),
        };
        let mut items = vec![format!("{first} AS x0")];
        while self.random.one_in(2) {
            let other = self.kind();
            let value = match self.random.below(2) {
                _ if grouped => self.aggregate(None, depth),
                0 => self.window(depth),
                _ => self.expression(other, depth),
            };
            items.push(format!("{value} AS x{}", items.len()));
        }
        let distinct = if self.random.one_in(6) { "DISTINCT " } else { "" };
        let mut text = format!("SELECT {distinct}{} FROM {from}", items.join(", "));
        if self.random.one_in(2) {
            text += &format!(" WHERE {}", self.expression(Kind::Truth, depth));
        }
        if grouped {
            let by = self.expression(kind, depth.min(1));
            let forms =
                ["1", "1, {}", "ROLLUP (1, {})", "CUBE (1, {})", "GROUPING SETS ((1), ({}), ())"];
            text += &format!(" GROUP BY {}", self.random.pick(&forms).replace("{}", &by));
            if self.random.one_in(3) {
                text += &format!(" HAVING {} > 1", self.aggregate(Some(Kind::Number), 0));
            }
        }
        if self.random.one_in(3) {
            let order = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST"];
            text += &format!(" ORDER BY x0{}", self.random.pick(&order));
        }
        self.columns.pop();
        text
    }

    fn from(&mut self, depth: usize) -> (String, Vec<(String, Kind)>) {
        let (mut text, mut columns) = self.relation(depth);
        while self.random.one_in(3) && columns.len() < 60 {
            let (right, more) = self.relation(depth.saturating_sub(1));
            let joins = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"];
            let join = *self.random.pick(&joins);
            columns.extend(more);
            self.columns.push(columns.clone());
            let on = self.expression(Kind::Truth, 1);
            self.columns.pop();
            text += &match self.random.below(4) {
                0 => format!(" CROSS JOIN {right}"),
                1 => format!(", LATERAL {right}"),
                _ => format!(" {join} {right} ON {on}"),
            };
        }
        (text, columns)
    }

    fn relation(&mut self, depth: usize) -> (String, Vec<(String, Kind)>) {
        let name = self.name("t");
        let under = |columns: &[(String, Kind)]| {
            columns.iter().map(|(column, kind)| (format!("{name}.{column}"), *kind)).collect()
        };
        match self.random.below(6) {
            0 | 1 if depth > 0 => {
                let kind = self.kind();
                let query = self.query(kind, depth - 1);
                (format!("({query}) AS {name}"), under(&[("x0".to_owned(), kind)]))
            }
            2 => {
                let last = *self.random.pick(&["3", "1000", "10000000"]);
                let series = format!("generate_series(1, {last}) AS {name}");
                (series, under(&[("value".to_owned(), Kind::Number)]))
            }
            3 => {
                let on = *self.random.pick(&["DATE '2025-07-01'", "DATE '2017-12-31'", "NULL"]);
                let text = ["ma", "ten"].map(|column| (column.to_owned(), Kind::Text));
                let number = ["tu_so", "gia_tri", "nam"].map(|c| (c.to_owned(), Kind::Number));
                (format!("chi_tieu_tai({on}) AS {name}"), under(&[&text[..], &number].concat()))
            }
            _ => {
                let table = self.random.pick(&self.grammar.tables);
                (format!("{} AS {name}", table.name), under(&table.columns))
            }
        }
    }

    /// A column or a literal.
    fn leaf(&mut self, kind: Kind) -> String {
        let all = self.columns.iter().flatten().filter(|(_, of)| *of == kind);
        let all: Vec<&String> = all.map(|(name, _)| name).collect();
        if all.is_empty() || self.random.one_in(3) {
            return (*self.random.pick(kind.literals())).to_owned();
        }
        (*self.random.pick(&all)).clone()
    }

    fn expression(&mut self, kind: Kind, depth: usize) -> String {
        let kind = if self.random.one_in(WILD) { self.kind() } else { kind };
        if depth == 0 {
            return self.leaf(kind);
        }
        let less = depth - 1;
        match self.random.below(12) {
            0 | 1 => self.leaf(kind),
            2 => {
                let from = self.kind();
                let (value, to) = (self.expression(from, less), *self.random.pick(kind.types()));
                format!("{}({value} AS {to})", self.random.pick(&["CAST", "TRY_CAST"]))
            }
            3 => {
                let test = self.expression(Kind::Truth, less);
                let (then, otherwise) = (self.expression(kind, less), self.leaf(kind));
                format!("CASE WHEN {test} THEN {then} ELSE {otherwise} END")
            }
            4 => format!("coalesce({}, {})", self.expression(kind, less), self.leaf(kind)),
            5 => format!("(SELECT x0 FROM ({}) AS q LIMIT 1)", self.query(kind, less)),
            6 | 7 => self.call(kind, less),
            _ => self.operation(kind, less),
        }
    }

    fn operation(&mut self, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Number => {
                let operator = *self.random.pick(&ARITHMETIC);
                let (left, right) = (self.expression(kind, depth), self.expression(kind, depth));
                format!("({left}{operator}{right})")
            }
            Kind::Text => {
                let other = self.kind();
                format!("({} || {})", self.expression(kind, depth), self.expression(other, depth))
            }
            Kind::Day => {
                let step =
                    *self.random.pick(&["'1 month'", "'-40 days'", "'9 hours'", "'9999 years'"]);
                format!("({} + INTERVAL {step})", self.expression(kind, depth))
            }
            Kind::Truth => self.test(depth),
            Kind::Other => {
                let of = self.kind();
                format!("ARRAY[{}, {}]", self.expression(of, depth), self.leaf(of))
            }
        }
    }

    fn test(&mut self, depth: usize) -> String {
        let of = self.kind();
        let left = self.expression(of, depth);
        match self.random.below(8) {
            0 => format!("({left} {})", self.random.pick(&["IS NULL", "IS NOT NULL"])),
            1 => format!("({left} IN ({}, {}))", self.leaf(of), self.leaf(of)),
            2 => format!("({left} BETWEEN {} AND {})", self.leaf(of), self.leaf(of)),
            3 => {
                let (text, pattern) = (self.expression(Kind::Text, depth), self.leaf(Kind::Text));
                format!("({text}{}{pattern})", self.random.pick(&PATTERNS))
            }
            4 => format!("{}EXISTS ({})", self.random.pick(&["", "NOT "]), self.query(of, depth)),
            5 => format!("({left} IN (SELECT x0 FROM ({}) AS i))", self.query(of, depth)),
            6 => {
                let (one, two) = (self.leaf(Kind::Truth), self.expression(Kind::Truth, depth));
                format!("({one} {} NOT {two})", self.random.pick(&["AND", "OR", "="]))
            }
            _ => format!("({left}{}{})", self.random.pick(&COMPARISONS), self.leaf(of)),
        }
    }

    /// A call of a function that gives a kind, in one of its forms; now and then in none of them.
    fn call(&mut self, kind: Kind, depth: usize) -> String {
        let fitting = self.grammar.functions.iter().filter(|one| one.gives == kind);
        let fitting: Vec<&Function> = fitting.collect();
        if fitting.is_empty() || self.random.one_in(5) {
            let name = self.random.pick(&self.grammar.names);
            let arguments: Vec<String> = (0..self.random.below(4))
                .map(|_| {
                    let kind = self.kind();
                    self.expression(kind, depth)
                })
                .collect();
            return format!("{name}({})", arguments.join(", "));
        }
        let function = *self.random.pick(&fitting);
        self.call_of(function, depth, "")
    }

    fn call_of(&mut self, function: &Function, depth: usize, before: &str) -> String {
        let arguments = function.arguments.iter().map(|kind| self.expression(*kind, depth));
        let arguments: Vec<String> = arguments.collect();
        format!("{}({before}{})", function.name, arguments.join(", "))
    }

    fn aggregate(&mut self, kind: Option<Kind>, depth: usize) -> String {
        let fitting = self.grammar.aggregates.iter();
        let fitting: Vec<&Function> =
            fitting.filter(|one| kind.is_none_or(|kind| one.gives == kind)).collect();
        if fitting.is_empty() || self.random.one_in(4) {
            return "count(*)".to_owned();
        }
        let function = *self.random.pick(&fitting);
        let before = if self.random.one_in(5) { "DISTINCT " } else { "" };
        let call = self.call_of(function, depth.min(1), before);
        if self.random.one_in(6) {
            return format!("{call} FILTER (WHERE {})", self.expression(Kind::Truth, 1));
        }
        call
    }

    fn window(&mut self, depth: usize) -> String {
        let name = *self.random.pick(&WINDOWS);
        let kind = self.kind();
        let arguments = match name {
            "ntile" => self.leaf(Kind::Number),
            "lag" | "lead" | "nth_value" => {
                format!("{}, {}", self.leaf(kind), self.random.below(5))
            }
            "first_value" => self.expression(kind, depth.min(1)),
            _ => String::new(),
        };
        let frames = [
            "",
            " ROWS BETWEEN 3 PRECEDING AND CURRENT ROW",
            " RANGE UNBOUNDED PRECEDING",
            " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
            " ROWS BETWEEN 9 FOLLOWING AND 1 PRECEDING",
        ];
        let (by, order) = (self.leaf(kind), self.leaf(Kind::Number));
        let frame = self.random.pick(&frames);
        format!("{name}({arguments}) OVER (PARTITION BY {by} ORDER BY {order}{frame})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar() -> Grammar {
        let table =
            Table { name: "danh_muc.don_vi".into(), columns: vec![("ma".into(), Kind::Text)] };
        let form =
            |name: &str, kind| Function { name: name.into(), arguments: vec![kind], gives: kind };
        Grammar {
            names: vec!["khong_co".into()],
            functions: vec![form("abs", Kind::Number), form("upper", Kind::Text)],
            aggregates: vec![form("sum", Kind::Number)],
            tables: vec![table],
        }
    }

    #[test]
    fn a_number_is_always_the_same_statement_and_others_differ() {
        let grammar = grammar();
        let all: std::collections::BTreeSet<String> =
            (0..500).map(|number| grammar.statement(number)).collect();
        assert!(all.len() > 450, "{}", all.len());
        assert!((0..500).all(|number| all.contains(&grammar.statement(number))));
        let holds = |word: &str| all.iter().any(|statement| statement.contains(word));
        for word in
            ["WITH", "UNION", "JOIN", "OVER (", "GROUP BY", "CAST(", "upper(", "sum(", "EXISTS"]
        {
            assert!(holds(word), "{word}");
        }
    }
}
