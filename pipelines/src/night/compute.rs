//! Making one mart or indicator.

use std::collections::BTreeMap;

use warehouse::names::{Schema, TableName};
use warehouse::spec::{Declarations, Query, QueryKind};
use warehouse::store::{Note, Step, StoreError};

use super::{Night, State, explain};
use crate::ledger::{Outcome, RunResult};
use crate::materialise::{self, Made, MaterialiseError};

/// Marts and indicators in build order.
pub(super) fn order(declarations: &Declarations) -> Vec<&Query> {
    declarations.queries.iter().filter(|query| query.kind != QueryKind::OpenData).collect()
}

/// What is known of a query's inputs before it runs.
enum Inputs {
    /// All current: table → batch.
    Ready(BTreeMap<String, String>, Vec<TableName>),
    /// One failed or is stale.
    Stale(TableName),
    /// None has ever been loaded.
    Absent,
}

impl Night<'_> {
    /// Makes the query's rows if anything that they are made from changed; `None` for a query
    /// that fills no table.
    pub(super) async fn compute(&self, query: &Query, state: &State) -> Option<Outcome> {
        let (table, part) = materialise::target(query)?;
        let outcome = |result, note, reason| Outcome {
            table: table.clone(),
            part: part.clone(),
            step: Step::Tinh,
            result,
            note,
            reason,
        };
        let done = match self.try_compute(query, &table, &part, state).await {
            Ok((result, note, reason)) => outcome(result, note, reason),
            Err(error) => {
                let reason = explain(&error);
                let note = self.warehouse.lake().note(&table, &part).await.ok().flatten();
                outcome(RunResult::Failed, note, Some(reason))
            }
        };
        Some(done)
    }

    async fn try_compute(
        &self,
        query: &Query,
        table: &TableName,
        part: &str,
        state: &State,
    ) -> Result<(RunResult, Option<Note>, Option<String>), MaterialiseError> {
        let lake = self.warehouse.lake();
        let (inputs, absent) = match self.inputs(query, state).await? {
            Inputs::Ready(inputs, absent) => (inputs, absent),
            Inputs::Stale(cause) => {
                let note = lake.note(table, part).await?;
                let result = if note.is_some() { RunResult::Stale } else { RunResult::Waiting };
                return Ok((result, note, Some(format!("chờ {cause}"))));
            }
            Inputs::Absent => {
                let note = lake.note(table, part).await?;
                let reason = "chưa nguồn nào của bảng có dữ liệu".to_owned();
                return Ok((RunResult::Waiting, note, Some(reason)));
            }
        };
        let missing = (!absent.is_empty()).then(|| {
            let names: Vec<String> = absent.iter().map(ToString::to_string).collect();
            format!("thiếu nguồn: {}", names.join(", "))
        });
        if lake.holds(table, part, &materialise::batch_of(query, &inputs)).await? {
            let note = lake.note(table, part).await?;
            let tonight = note.as_ref().is_some_and(|note| note.night == self.date);
            let result = if tonight { RunResult::New } else { RunResult::Unchanged };
            return Ok((result, note, missing));
        }
        match materialise::make(self.warehouse, query, self.date, inputs).await? {
            Made::New(note) => Ok((RunResult::New, Some(note), missing)),
            Made::Refused(_, check) => {
                let before = lake.note(table, part).await?;
                let reason = format!("không đạt phép kiểm tra {check}");
                Ok((RunResult::Refused, before, Some(reason)))
            }
        }
    }

    async fn inputs(&self, query: &Query, state: &State) -> Result<Inputs, StoreError> {
        let mut inputs = BTreeMap::new();
        let mut absent = Vec::new();
        for table in query.reads.iter().filter(|table| table.schema() != Schema::HeThong) {
            let mut known = false;
            for outcome in state.of(table) {
                if !outcome.result.is_current() && outcome.result != RunResult::Waiting {
                    return Ok(Inputs::Stale(table.clone()));
                }
                if let Some(note) = &outcome.note {
                    inputs.insert(outcome.name(), note.batch.clone());
                    known = true;
                }
            }
            if !known {
                // Not part of this night (`--only`): what an earlier one loaded still counts.
                match self.warehouse.lake().note(table, "").await? {
                    Some(note) => {
                        inputs.insert(table.to_string(), note.batch);
                    }
                    None => absent.push(table.clone()),
                }
            }
        }
        if inputs.is_empty() && !absent.is_empty() {
            Ok(Inputs::Absent)
        } else {
            Ok(Inputs::Ready(inputs, absent))
        }
    }
}
