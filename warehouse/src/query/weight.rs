//! How much work planning a statement will be.
//!
//! A plan holds a common table expression as often as it is named: eighteen that each name the one
//! before twice are a quarter of a million plans. The weight of a statement is the number of
//! expressions and relations that its plan will hold, and it is known before anything is planned.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Query, Select,
    SetExpr, Statement, Visit, Visitor,
};

use super::QueryError;

/// Expressions and relations, as below.
const HEAVIEST: u64 = 6_000;

/// What a relation weighs beside an expression.
const RELATION: u64 = 60;

/// Columns in one list of a `SELECT`; PostgreSQL's own limit.
const MOST_COLUMNS: usize = 1_664;

/// Columns of one `CUBE`: it groups by each of their subsets.
const WIDEST_CUBE: usize = 6;

/// Grouping sets, and columns of one `ROLLUP`.
const MOST_GROUPINGS: usize = 64;

/// Refuses a statement whose plan would be too large.
pub(super) fn check(statement: &Statement) -> Result<(), QueryError> {
    let mut scale = Scale::default();
    match statement.visit(&mut scale) {
        ControlFlow::Break(reason) => Err(QueryError::too_complex(reason)),
        ControlFlow::Continue(()) if scale.own > HEAVIEST => Err(QueryError::too_complex(HEAVY)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

const HEAVY: &str = "it holds too many relations and expressions, counted as often as they are \
                     named";

#[derive(Default)]
struct Scale {
    /// What the query at hand weighs so far.
    own: u64,
    /// What the queries around it weigh so far.
    around: Vec<u64>,
    /// Queries with a name that are not weighed yet, by their place in memory.
    unnamed: HashMap<*const Query, String>,
    /// What a name in a `FROM` stands for.
    named: HashMap<String, u64>,
}

impl Scale {
    fn add(&mut self, weight: u64) -> ControlFlow<&'static str> {
        self.own = self.own.saturating_add(weight);
        if self.own > HEAVIEST { ControlFlow::Break(HEAVY) } else { ControlFlow::Continue(()) }
    }
}

impl Visitor for Scale {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        if let Some(with) = &query.with {
            for table in &with.cte_tables {
                let name = table.alias.name.value.to_lowercase();
                self.unnamed.insert(std::ptr::from_ref(table.query.as_ref()), name);
            }
        }
        self.around.push(std::mem::take(&mut self.own));
        self.add(1)
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        let weight = self.own;
        self.own = self.around.pop().unwrap_or_default();
        match self.unnamed.remove(&std::ptr::from_ref(query)) {
            Some(name) => {
                self.named.insert(name, weight);
                ControlFlow::Continue(())
            }
            None => self.add(weight),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<&'static str> {
        if select.projection.len() > MOST_COLUMNS {
            return ControlFlow::Break("one SELECT lists more than 1,664 columns");
        }
        self.add(1)
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<&'static str> {
        let name = relation.to_string().to_lowercase();
        let weight = self.named.get(&name).copied().unwrap_or_default();
        self.add(weight.saturating_add(RELATION))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<&'static str> {
        match expr {
            // Lists of literals are long and flat; their text is bounded.
            Expr::Value(_) => ControlFlow::Continue(()),
            Expr::Cube(sets) if sets.len() > WIDEST_CUBE => {
                ControlFlow::Break("a CUBE groups by more than 6 columns")
            }
            Expr::Rollup(sets) | Expr::GroupingSets(sets) if sets.len() > MOST_GROUPINGS => {
                ControlFlow::Break("it groups by more than 64 sets of columns")
            }
            Expr::Function(function) if !is_small_digest(function) => {
                ControlFlow::Break("the digest of a percentile has at most 10,000 points")
            }
            _ => self.add(1),
        }
    }
}

/// Whether what an approximate percentile keeps is small: its last argument is reserved at once.
fn is_small_digest(function: &Function) -> bool {
    let name = function.name.to_string().to_lowercase();
    if !name.contains("approx_percentile_cont") {
        return true;
    }
    let FunctionArguments::List(list) = &function.args else { return true };
    list.args.iter().all(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => {
            let text = value.value.to_string();
            text.parse::<f64>().map_or(true, |number| number <= 10_000.0)
        }
        // Columns and shares; a number that is worked out is none of them.
        FunctionArg::Unnamed(FunctionArgExpr::Expr(
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Cast { .. },
        )) => true,
        _ => list.args.len() < 3,
    })
}

/// Whether a query only reads: its body, and those that it names, hold no change.
pub(super) fn only_reads(query: &Query) -> bool {
    struct Changes;
    impl Visitor for Changes {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if reads(&query.body) && query.locks.is_empty() && query.for_clause.is_none() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        }

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            if select.into.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    query.visit(&mut Changes).is_continue()
}

fn reads(body: &SetExpr) -> bool {
    match body {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => false,
        // Queries inside are visited on their own.
        SetExpr::SetOperation { left, right, .. } => reads(left) && reads(right),
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::{Dialect, parse};
    use super::*;

    fn refused(sql: &str) -> bool {
        let statements = parse(sql, Dialect::Plain).expect("it parses");
        statements.iter().any(|statement| check(statement).is_err())
    }

    #[test]
    fn expressions_that_double_are_weighed_as_often_as_they_are_named() {
        let doubling = |times: usize| {
            let first = "WITH t0 AS (SELECT 1 AS a)".to_owned();
            let tables = (1..=times).map(|n| {
                let before = n - 1;
                format!(", t{n} AS (SELECT x.a FROM t{before} x, t{before} y)")
            });
            let tables: String = tables.collect();
            format!("{first}{tables} SELECT count(*) FROM t{times}")
        };
        assert!(!refused(&doubling(4)));
        assert!(refused(&doubling(18)));
    }

    #[test]
    fn a_cube_of_many_columns_and_a_thousand_joins_are_refused() {
        let columns: Vec<String> = (0..30).map(|n| format!("c{n}")).collect();
        assert!(refused(&format!("SELECT 1 FROM t GROUP BY CUBE({})", columns.join(","))));
        assert!(refused(&format!("SELECT 1 FROM t{}", ", t".repeat(1_500))));
        let wide: Vec<&str> = std::iter::repeat_n("1", 10_000).collect();
        assert!(refused(&format!("SELECT {}", wide.join(","))));
        assert!(!refused("SELECT a, count(*) FROM t JOIN u USING (a) GROUP BY CUBE (a, b)"));
    }
}
