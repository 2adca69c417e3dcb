//! Takes the rows out of an answer as it is parsed: only members that are wanted become text, so an
//! answer takes little more memory than its bytes, however it is nested.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use serde_core::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::settings::{Paging, Settings};
use crate::TextRows;

/// Cells of one answer at most: rows without members take bytes here and hardly any there.
const MOST_CELLS: u64 = 1 << 24;

/// Whole numbers are exact below 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Rows,
    Next,
    Total,
    /// The column of that number.
    Cell(usize),
}

/// The paths that are wanted, as a tree of their members.
#[derive(Debug, Default)]
struct Node {
    members: BTreeMap<String, Node>,
    mark: Option<Mark>,
}

impl Node {
    fn add(&mut self, path: &str, mark: Mark) {
        let names = path.split('.').filter(|_| !path.is_empty());
        let node = names.fold(self, |node, name| node.members.entry(name.to_owned()).or_default());
        node.mark = Some(mark);
    }

    /// The columns here and below.
    fn columns(&self, found: &mut impl FnMut(usize)) {
        if let Some(Mark::Cell(column)) = self.mark {
            found(column);
        }
        self.members.values().for_each(|node| node.columns(found));
    }
}

/// Which paths lead to what.
#[derive(Debug)]
pub(super) struct Plan {
    answer: Node,
    row: Node,
    columns: usize,
}

impl Plan {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        let (mut answer, mut row) = (Node::default(), Node::default());
        if let Paging::Cursor { next, .. } = &settings.paging {
            answer.add(next, Mark::Next);
        }
        if let Some(total) = &settings.total {
            answer.add(total, Mark::Total);
        }
        answer.add(&settings.rows, Mark::Rows);
        for (at, column) in columns.iter().enumerate() {
            row.add(column, Mark::Cell(at));
        }
        Self { answer, row, columns: columns.len() }
    }
}

/// Why an answer is refused, though it is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The cell of a column is an object or array.
    Nested(usize),
    /// What shall be a cursor or a total is something else.
    Control(&'static str),
    /// There is something else where the rows shall be.
    NoRows,
    /// A row is neither object nor array.
    NoRow,
    /// A wanted member is there twice.
    Doubled,
    /// A number that is not kept exactly.
    Inexact,
    /// More cells than there may be.
    TooMany,
    /// It is no JSON.
    Syntax { line: usize, column: usize },
}

/// What the answers held.
pub(super) struct Found {
    plan: Arc<Plan>,
    /// Of the last answer: its rows, the next cursor, how many rows there are in all.
    pub(super) rows: u64,
    pub(super) next: Option<String>,
    pub(super) total: Option<u64>,
    /// Of all: which columns any row had, and batches that are full.
    pub(super) seen: Vec<bool>,
    pub(super) full: VecDeque<RecordBatch>,
    pub(super) text: TextRows,
    has_rows: bool,
    cells: Vec<Option<String>>,
    is_set: Vec<bool>,
    fault: Option<Fault>,
}

impl Found {
    pub(super) fn new(plan: Plan, columns: &[String]) -> Self {
        Self {
            rows: 0,
            next: None,
            total: None,
            seen: vec![false; plan.columns],
            full: VecDeque::new(),
            text: TextRows::new(columns),
            has_rows: false,
            cells: vec![None; plan.columns],
            is_set: vec![false; plan.columns],
            fault: None,
            plan: Arc::new(plan),
        }
    }

    /// Takes the rows of a whole answer.
    ///
    /// # Errors
    /// When it is not as the contract says.
    pub(super) fn absorb(&mut self, body: &[u8]) -> Result<(), Fault> {
        (self.rows, self.next, self.total, self.has_rows) = (0, None, None, false);
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let plan = Arc::clone(&self.plan);
        let mut parser = serde_json::Deserializer::from_slice(body);
        let walk = Walk { node: &plan.answer, found: self, is_row: false };
        let parsed = walk.deserialize(&mut parser).and_then(|()| parser.end());
        match (parsed, self.fault.take()) {
            (Ok(()), None) if self.has_rows => Ok(()),
            (Ok(()), None) => Err(Fault::NoRows),
            (_, Some(fault)) => Err(fault),
            // What the parser says is not kept: it may quote a cell.
            (Err(error), None) => Err(Fault::Syntax { line: error.line(), column: error.column() }),
        }
    }

    fn fails<E: Error>(&mut self, fault: Fault) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    fn begin_row(&mut self) {
        self.cells.fill(None);
        self.is_set.fill(false);
    }

    fn end_row<E: Error>(&mut self) -> Result<(), E> {
        self.rows += 1;
        if self.rows * (self.cells.len().max(1) as u64) > MOST_CELLS {
            return Err(self.fails(Fault::TooMany));
        }
        self.text.push(self.cells.iter().map(Option::as_deref));
        if self.text.is_full() {
            self.full.push_back(self.text.take());
        }
        Ok(())
    }

    fn put<E: Error>(&mut self, mark: Mark, text: Option<String>) -> Result<(), E> {
        match mark {
            Mark::Rows if text.is_some() => return Err(self.fails(Fault::NoRows)),
            // Some services write null for no rows.
            Mark::Rows => self.has_rows = true,
            Mark::Next => self.next = text.filter(|text| !text.is_empty()),
            Mark::Total => match text.map(|text| text.parse()) {
                None => self.total = None,
                Some(Ok(total)) => self.total = Some(total),
                Some(Err(_)) => return Err(self.fails(Fault::Control("total"))),
            },
            Mark::Cell(column) => {
                if std::mem::replace(&mut self.is_set[column], true) {
                    return Err(self.fails(Fault::Doubled));
                }
                self.seen[column] = true;
                self.cells[column] = text;
            }
        }
        Ok(())
    }

    fn nested<E: Error>(&mut self, mark: Mark) -> E {
        self.fails(match mark {
            Mark::Cell(column) => Fault::Nested(column),
            Mark::Next => Fault::Control("next"),
            Mark::Total => Fault::Control("total"),
            Mark::Rows => Fault::NoRows,
        })
    }
}

/// A value whose members may be wanted.
struct Walk<'a> {
    node: &'a Node,
    found: &'a mut Found,
    is_row: bool,
}

impl Walk<'_> {
    fn scalar<E: Error>(self, text: impl FnOnce() -> String) -> Result<(), E> {
        if self.is_row {
            return Err(self.found.fails(Fault::NoRow));
        }
        match self.node.mark {
            Some(mark) => self.found.put(mark, Some(text())),
            None => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    /// Where null stands for an object, its members are known to be null.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.is_row {
            return Err(self.found.fails(Fault::NoRow));
        }
        self.node.columns(&mut |column| self.found.seen[column] = true);
        match self.node.mark {
            Some(mark) => self.found.put(mark, None),
            None => Ok(()),
        }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(|| value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(|| value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(|| value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if self.node.mark.is_some() && value.abs() >= EXACT {
            return Err(self.found.fails(Fault::Inexact));
        }
        // Adding zero makes a zero of a negative one.
        self.scalar(|| (value + 0.0).to_string())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(|| value.to_owned())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if let Some(mark) = self.node.mark {
            return Err(self.found.nested(mark));
        }
        while let Some(member) = map.next_key_seed(Name(self.node))? {
            match member {
                Some(node) => {
                    map.next_value_seed(Walk { node, found: self.found, is_row: false })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        match self.node.mark {
            Some(Mark::Rows) => return rows(self.found, seq),
            Some(mark) => return Err(self.found.nested(mark)),
            None => {}
        }
        // An array may be shorter than a path reaches: then there is no such element, and no fault.
        for (name, node) in &self.node.members {
            if name.bytes().all(|byte| byte.is_ascii_digit()) {
                node.columns(&mut |column| self.found.seen[column] = true);
            }
        }
        for at in 0_usize.. {
            let member = match self.node.members.is_empty() {
                true => None,
                false => self.node.members.get(&at.to_string()),
            };
            let more = match member {
                Some(node) => {
                    let walk = Walk { node, found: self.found, is_row: false };
                    seq.next_element_seed(walk)?.is_some()
                }
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

fn rows<'de, A: SeqAccess<'de>>(found: &mut Found, mut seq: A) -> Result<(), A::Error> {
    if std::mem::replace(&mut found.has_rows, true) {
        return Err(found.fails(Fault::Doubled));
    }
    let plan = Arc::clone(&found.plan);
    loop {
        found.begin_row();
        let row = Walk { node: &plan.row, found, is_row: true };
        if seq.next_element_seed(row)?.is_none() {
            return Ok(());
        }
        found.end_row()?;
    }
}

/// The name of a member: the node that it leads to, where there is one.
struct Name<'a>(&'a Node);

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<&'a Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<&'a Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.members.get(name))
    }
}
