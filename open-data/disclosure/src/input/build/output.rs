//! Totals that are not given, and what will be written of each table.

use std::collections::{BTreeMap, BTreeSet};

use warehouse::diagnostic::Diagnostic;

use super::{Builder, Draft};
use crate::input::Faults;
use crate::input::hierarchy::Node;
use crate::input::number::Exact;
use crate::input::table::Table;
use crate::model::{OutputColumn, OutputRow, OutputTable, Standing};
use crate::system::CellIndex;

impl Builder<'_> {
    /// Adds the totals that candidate tables do not hold; returns their keys, per table.
    pub(super) fn compute_margins(&mut self) -> Vec<Vec<Vec<Node>>> {
        let mut added = Vec::new();
        for (table, span) in self.row_keys.iter().zip(&self.spans) {
            let mut keys: BTreeSet<Vec<Node>> = table.iter().flatten().cloned().collect();
            let mut new = Vec::new();
            for (d, dimension) in self.dimensions.iter().enumerate().filter(|&(d, _)| span[d]) {
                for group in &dimension.groups {
                    let mut rests = BTreeMap::<Vec<Node>, Vec<Vec<Node>>>::new();
                    for key in keys.iter().filter(|key| group.children.contains(&key[d])) {
                        let mut parent = key.clone();
                        parent[d] = group.parent;
                        rests.entry(parent).or_default().push(key.clone());
                    }
                    for (parent, children) in rests {
                        if !keys.insert(parent.clone()) {
                            continue;
                        }
                        let parts = children.iter().filter_map(|key| self.drafts.get(key));
                        let Some(sum) = sum_of(parts) else { continue };
                        // An earlier release may have hidden the same total.
                        let value = sum.value;
                        let own = self.drafts.entry(parent.clone()).or_insert(sum);
                        own.value = own.value.or(value);
                        new.push(parent);
                    }
                }
            }
            added.push(new);
        }
        added
    }

    pub(super) fn outputs(
        &self,
        tables: &[Table],
        index: &BTreeMap<Vec<Node>, CellIndex>,
        computed: &[Vec<Vec<Node>>],
        faults: &mut Faults,
    ) -> Vec<OutputTable> {
        let mut outputs = Vec::new();
        for (number, (table, keys)) in tables.iter().zip(&self.row_keys).enumerate() {
            let (columns, extra_at) = self.output_columns(table, faults);
            let find = |key: &Vec<Node>| index.get(key).copied();
            let read = keys.iter().enumerate().filter_map(|(at, key)| {
                Some(OutputRow { cell: find(key.as_ref()?)?, source: Some(at) })
            });
            let new = computed.get(number).into_iter().flatten();
            let new = new.filter_map(|key| Some(OutputRow { cell: find(key)?, source: None }));
            let rows = read.chain(new).collect();
            let pick = |row: &crate::input::table::Record| {
                extra_at.iter().map(|&at| row.fields[at].0.clone()).collect()
            };
            let extra = table.rows.iter().map(pick).collect();
            outputs.push(OutputTable { name: table.name.clone(), columns, rows, extra });
        }
        outputs
    }

    /// The columns to write, and where the labels among them stand. A column that is neither a
    /// dimension, a figure nor a declared label could tell what is suppressed: a fault.
    fn output_columns(
        &self,
        table: &Table,
        faults: &mut Faults,
    ) -> (Vec<OutputColumn>, Vec<usize>) {
        let named = &self.spec.table;
        let confidential = [&named.contributors, &named.largest, &named.second, &named.sole];
        let (mut columns, mut extra_at) = (Vec::new(), Vec::new());
        for (at, column) in table.header.iter().enumerate() {
            let dimension = self.dimensions.iter().position(|d| d.column == *column);
            if let Some(dimension) = dimension {
                columns.push(OutputColumn::Dimension(dimension));
            } else if *column == named.measure {
                columns.push(OutputColumn::Measure(column.clone()));
            } else if column == "status"
                || confidential.iter().any(|name| name.as_deref() == Some(column.as_str()))
            {
                continue;
            } else if named.labels.contains(column) && self.is_label(table, at) {
                columns.push(OutputColumn::Extra(column.clone()));
                extra_at.push(at);
            } else {
                let message = format!("the column `{column}` is neither declared nor a label");
                let help = "leave it out: it could tell what is suppressed; or, if it only names \
                            the codes of one dimension, list it in `labels` under [table]";
                let fault = Diagnostic::error(&table.name, "undeclared-column", message);
                faults.push(fault.at(0..0).help(help));
            }
        }
        (columns, extra_at)
    }

    /// Whether some dimension's code says what stands in the column.
    fn is_label(&self, table: &Table, at: usize) -> bool {
        let mut dimensions = self.dimensions.iter().filter_map(|d| table.column(&d.column));
        dimensions.any(|dimension| {
            let mut said: BTreeMap<&str, &str> = BTreeMap::new();
            table.rows.iter().all(|row| {
                let (code, label) = (&row.fields[dimension].0, &row.fields[at].0);
                *said.entry(code).or_insert(label) == label
            })
        })
    }
}

/// A total of a count that was not given, from its parts.
fn sum_of<'d>(mut parts: impl Iterator<Item = &'d Draft>) -> Option<Draft> {
    let mut sum = parts.next()?.clone();
    let mut value = sum.value?;
    for part in parts {
        let other = part.value?;
        let scale = value.scale.max(other.scale);
        value = Exact { mantissa: value.units(scale) + other.units(scale), scale };
    }
    sum.value = Some(value);
    (sum.standing, sum.hidden) = (Standing::Candidate, false);
    Some(sum)
}
