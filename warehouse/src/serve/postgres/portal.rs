//! What a connection keeps: prepared statements, portals and cursors, within bounds.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::ParamValues;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion_postgres::pgwire::api::portal::Format;

use super::WireLimits;
use super::command::Command;
use super::fault::{Fault, Result};
use super::parameters::Parameters;
use super::rows::Rows;
use crate::query::Statement;

/// A read, planned.
pub(super) struct Read {
    pub(super) statement: Statement,
    pub(super) parameters: Parameters,
    /// An estimate of the memory that its plan takes.
    bytes: usize,
}

impl Read {
    pub(super) fn new(statement: Statement, parameters: Parameters) -> Self {
        let bytes = weight(statement.logical_plan());
        Self { statement, parameters, bytes }
    }
}

/// What a plan takes, at least in proportion.
fn weight(plan: &LogicalPlan) -> usize {
    let mut bytes = 0;
    // The closures do not fail.
    let _ = plan.apply_with_subqueries(|node| {
        let names = node.schema().fields().iter().map(|field| 100 + field.name().len());
        bytes += 500 + names.sum::<usize>();
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                bytes += match part {
                    // As it was said, as it was planned, and once more for the first run.
                    Expr::Literal(literal, _) => 200 + 3 * literal.size(),
                    _ => 200,
                };
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    bytes
}

/// One statement of a connection.
#[derive(Clone)]
pub(super) enum Prepared {
    /// There was no statement in the text.
    Nothing,
    Read(Arc<Read>),
    /// With the query of a cursor, if it declares one.
    Command(Command, Option<Arc<Read>>),
}

impl Prepared {
    pub(super) fn read(&self) -> Option<&Arc<Read>> {
        match self {
            Self::Nothing => None,
            Self::Read(read) => Some(read),
            Self::Command(_, read) => read.as_ref(),
        }
    }

    fn bytes(&self) -> usize {
        200 + self.read().map_or(0, |read| read.bytes)
    }
}

/// A statement with its parameters, on its way through its rows; a cursor is one too.
pub(super) struct Portal {
    pub(super) prepared: Prepared,
    pub(super) values: ParamValues,
    /// Of the answer's columns.
    pub(super) formats: Format,
    /// `None` until the first rows are asked for.
    pub(super) rows: Option<Rows>,
    /// `DECLARE`d, and there until it is closed or its transaction ends.
    pub(super) cursor: bool,
    /// There after the end of its transaction.
    pub(super) held: bool,
    /// What its parameters take.
    pub(super) value_bytes: usize,
}

/// All that a connection keeps, by name; what has no name is replaced by the next of its kind.
pub(super) struct Store {
    statements: HashMap<String, Prepared>,
    portals: HashMap<String, Portal>,
    /// What everything with a name takes.
    bytes: usize,
    most_statements: usize,
    most_portals: usize,
    most_bytes: usize,
}

impl Store {
    pub(super) fn new(limits: &WireLimits) -> Self {
        Self {
            statements: HashMap::new(),
            portals: HashMap::new(),
            bytes: 0,
            most_statements: limits.statements,
            most_portals: limits.portals,
            most_bytes: limits.kept_bytes,
        }
    }

    /// Whether a statement of that name can be made.
    pub(super) fn has_room_for(&mut self, name: &str) -> Result<()> {
        if name.is_empty() {
            self.statements.remove(name);
        } else if self.statements.contains_key(name) {
            let text = format!("there is a prepared statement \"{name}\" already");
            return Err(Fault::new("42P05", text).into());
        }
        Ok(())
    }

    pub(super) fn keep_statement(&mut self, name: String, prepared: Prepared) -> Result<()> {
        let bytes = cost(&name, prepared.bytes());
        self.bytes +=
            self.room("prepared statements", self.statements.len(), self.most_statements, bytes)?;
        self.statements.insert(name, prepared);
        Ok(())
    }

    pub(super) fn statement(&self, name: &str) -> Result<Prepared> {
        let found = self.statements.get(name).cloned();
        let missing = || Fault::new("26000", format!("there is no prepared statement \"{name}\""));
        Ok(found.ok_or_else(missing)?)
    }

    /// Whether there was one.
    pub(super) fn close_statement(&mut self, name: &str) -> bool {
        let closed = self.statements.remove(name);
        self.bytes -= closed.as_ref().map_or(0, |closed| cost(name, closed.bytes()));
        closed.is_some()
    }

    pub(super) fn close_statements(&mut self) {
        let names: Vec<_> = self.statements.keys().cloned().collect();
        for name in names {
            self.close_statement(&name);
        }
    }

    /// Keeps a new portal; an unnamed one takes the place of the last.
    pub(super) fn keep_portal(&mut self, name: String, portal: Portal) -> Result<()> {
        if name.is_empty() {
            self.close_portal(&name);
        } else if self.portals.contains_key(&name) {
            return Err(Fault::new("42P03", format!("there is a cursor \"{name}\" already")).into());
        }
        let bytes = cost(&name, portal.bytes());
        self.bytes += self.room("cursors", self.portals.len(), self.most_portals, bytes)?;
        self.portals.insert(name, portal);
        Ok(())
    }

    pub(super) fn portal(&self, name: &str) -> Option<&Portal> {
        self.portals.get(name)
    }

    /// Takes a portal out, to be put back with [`Self::put_back`] when all went well: one that
    /// failed, or was stopped, is gone.
    pub(super) fn take_portal(&mut self, name: &str) -> Result<Portal> {
        let taken = self.portals.remove(name);
        self.bytes -= taken.as_ref().map_or(0, |taken| cost(name, taken.bytes()));
        let missing = || Fault::new("34000", format!("there is no cursor \"{name}\""));
        Ok(taken.ok_or_else(missing)?)
    }

    pub(super) fn put_back(&mut self, name: String, portal: Portal) {
        self.bytes += cost(&name, portal.bytes());
        self.portals.insert(name, portal);
    }

    /// Whether there was one.
    pub(super) fn close_portal(&mut self, name: &str) -> bool {
        self.take_portal(name).is_ok()
    }

    pub(super) fn close_portals(&mut self) {
        self.keep_portals(|_| false);
    }

    /// What ends with a transaction.
    pub(super) fn end_transaction(&mut self) {
        self.keep_portals(|portal| portal.held);
    }

    /// What ends with a statement outside of one.
    pub(super) fn end_statement(&mut self) {
        self.keep_portals(|portal| portal.cursor);
    }

    fn keep_portals(&mut self, stays: impl Fn(&Portal) -> bool) {
        let gone = self.portals.iter().filter(|(_, portal)| !stays(portal));
        let gone: Vec<_> = gone.map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.close_portal(&name);
        }
    }

    /// What is unnamed ends where a text without parameters begins.
    pub(super) fn forget_unnamed(&mut self) {
        self.close_statement("");
        self.close_portal("");
    }

    fn room(&self, what: &str, count: usize, most: usize, bytes: usize) -> Result<usize> {
        if count >= most || self.bytes + bytes > self.most_bytes {
            let text = format!("the connection keeps too many {what}; close some");
            return Err(Fault::new("54000", text).into());
        }
        Ok(bytes)
    }
}

/// What something kept under this name counts for; there is only one of each that has none.
fn cost(name: &str, bytes: usize) -> usize {
    if name.is_empty() { 0 } else { name.len() + bytes }
}

impl Portal {
    fn bytes(&self) -> usize {
        self.value_bytes + self.prepared.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Trouble;
    use super::*;

    fn store() -> Store {
        let limits =
            WireLimits { statements: 2, portals: 2, kept_bytes: 1_000, ..WireLimits::default() };
        Store::new(&limits)
    }

    fn portal(cursor: bool, held: bool, value_bytes: usize) -> Portal {
        let (values, formats) = (ParamValues::List(Vec::new()), Format::UnifiedText);
        let prepared = Prepared::Nothing;
        Portal { prepared, values, formats, rows: None, cursor, held, value_bytes }
    }

    fn code(result: Result<()>) -> String {
        match result {
            Err(Trouble::Fault(fault)) => fault.sqlstate().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_and_bytes_are_bounded_and_given_back() {
        let mut store = store();
        for name in ["a", "b"] {
            store.has_room_for(name).unwrap();
            store.keep_statement(name.to_owned(), Prepared::Nothing).unwrap();
        }
        assert_eq!(code(store.has_room_for("a")), "42P05");
        assert_eq!(code(store.keep_statement("c".to_owned(), Prepared::Nothing)), "54000");
        assert!(store.close_statement("a") && !store.close_statement("a"));
        store.keep_portal("p".to_owned(), portal(true, false, 100)).unwrap();
        assert_eq!(code(store.keep_portal("p".to_owned(), portal(true, false, 0))), "42P03");
        assert_eq!(code(store.keep_portal("q".to_owned(), portal(true, false, 400))), "54000");
        store.close_statements();
        store.close_portals();
        assert_eq!(store.bytes, 0);
    }

    #[test]
    fn portals_end_when_they_should() {
        let mut store = store();
        store.keep_portal(String::new(), portal(false, false, 0)).unwrap();
        store.keep_portal("c".to_owned(), portal(true, false, 0)).unwrap();
        store.end_statement();
        assert!(store.portal("").is_none() && store.portal("c").is_some());
        store.keep_portal("h".to_owned(), portal(true, true, 0)).unwrap();
        store.end_transaction();
        assert!(store.portal("c").is_none() && store.portal("h").is_some());
        let taken = store.take_portal("h").unwrap();
        assert_eq!(store.bytes, 0);
        store.put_back("h".to_owned(), taken);
        assert!(store.close_portal("h"));
    }
}
