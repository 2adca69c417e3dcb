//! Making one mart or indicator.

use warehouse::names::{Schema, TableName};
use warehouse::spec::{Declarations, Query, QueryKind};
use warehouse::store::{Step, StoreError};

use super::{Event, Night, State, Summary, explain};
use crate::ledger::{self, Fared, LedgerError, Outcome, RunResult};
use crate::materialise::{self, Inputs, Made, MaterialiseError};
use crate::rotation::{self, Reach};

/// Marts and indicators in build order.
pub(super) fn order(declarations: &Declarations) -> Vec<&Query> {
    declarations.queries.iter().filter(|query| query.kind != QueryKind::OpenData).collect()
}

/// What is known of a query's inputs before it runs.
enum Found {
    /// All current, but for those that are absent.
    Ready(Inputs, Vec<TableName>),
    /// One failed or is stale.
    Stale(TableName),
    /// None has ever been loaded.
    Absent,
}

impl Night<'_> {
    /// Makes anew what was made from tokens of an earlier epoch, and accounts for it as part of the
    /// night.
    ///
    /// # Errors
    /// When it cannot be said what that is, or the account cannot be written. What goes wrong with a
    /// table is part of the summary instead.
    pub async fn renew(
        &self,
        progress: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Summary, LedgerError> {
        let old = rotation::made_from_old(self.warehouse, self.keys).await?;
        progress(Event::Started { steps: old.len() });
        let mut outcomes = Vec::new();
        for query in old {
            progress(Event::Begun { name: &query.id });
            if let Some(outcome) = self.compute(query, &State::default()).await {
                progress(Event::Done(&outcome));
                outcomes.push(outcome);
            }
        }
        if !outcomes.is_empty() {
            ledger::write(self.warehouse, self.date, &outcomes).await?;
        }
        Ok(Summary { outcomes })
    }

    /// Makes the query's rows if anything that they are made from changed; `None` for a query
    /// that fills no table.
    pub(super) async fn compute(&self, query: &Query, state: &State) -> Option<Outcome> {
        let (table, part) = materialise::target(query)?;
        let fared = match self.try_compute(query, &table, &part, state).await {
            Ok(fared) => fared,
            Err(error) => {
                let reason = explain(&error);
                let note = self.warehouse.lake().note(&table, &part).await.ok().flatten();
                Fared::new(RunResult::Failed, note, Some(reason))
            }
        };
        Some(fared.outcome(table, part, Step::Tinh))
    }

    async fn try_compute(
        &self,
        query: &Query,
        table: &TableName,
        part: &str,
        state: &State,
    ) -> Result<Fared, MaterialiseError> {
        let lake = self.warehouse.lake();
        let (inputs, absent) = match self.inputs(query, state).await? {
            Found::Ready(inputs, absent) => (inputs, absent),
            Found::Stale(cause) => {
                let note = lake.note(table, part).await?;
                let result = if note.is_some() { RunResult::Stale } else { RunResult::Waiting };
                return Ok(Fared::new(result, note, Some(format!("chờ {cause}"))));
            }
            Found::Absent => {
                let note = lake.note(table, part).await?;
                let reason = "chưa nguồn nào của bảng có dữ liệu".to_owned();
                return Ok(Fared::new(RunResult::Waiting, note, Some(reason)));
            }
        };
        let missing = (!absent.is_empty()).then(|| {
            let names: Vec<String> = absent.iter().map(ToString::to_string).collect();
            format!("thiếu nguồn: {}", names.join(", "))
        });
        let reach = Reach::of(self.warehouse.declarations());
        let keys = reach.is_read_by(query).then_some(self.keys);
        let batch = materialise::batch_of(query, self.warehouse.geography(), &inputs, keys);
        if !self.afresh.contains(table) && lake.holds(table, part, &batch).await? {
            let note = lake.note(table, part).await?;
            let tonight = note.as_ref().is_some_and(|note| note.night == self.date);
            let result = if tonight { RunResult::New } else { RunResult::Unchanged };
            return Ok(Fared::new(result, note, missing));
        }
        // What is made again because its files are lost is made whole.
        let is_lost = self.afresh.contains(table);
        let before = if is_lost { None } else { lake.note(table, part).await? };
        let made =
            materialise::make(self.warehouse, query, self.date, inputs, keys, before.as_ref());
        match made.await? {
            Made::New(note) => Ok(Fared::new(RunResult::New, Some(note), missing)),
            Made::Refused(attempt, check) => {
                let before = lake.note(table, part).await?;
                let reason = format!("không đạt phép kiểm tra {check}");
                Ok(Fared::refused(before, attempt, reason))
            }
        }
    }

    async fn inputs(&self, query: &Query, state: &State) -> Result<Found, StoreError> {
        let mut inputs = Inputs::default();
        let mut absent = Vec::new();
        let reads = || query.reads.iter().filter(|table| table.schema() != Schema::HeThong);
        for table in reads() {
            let mut known = false;
            for outcome in state.of(table) {
                if !outcome.result.is_current() && outcome.result != RunResult::Waiting {
                    return Ok(Found::Stale(table.clone()));
                }
                if let Some(note) = &outcome.note {
                    inputs.batches.insert(outcome.name(), note.batch.clone());
                    inputs.simulated |= note.simulated;
                    known = true;
                }
            }
            if !known {
                // Not part of this night (`--only`): what an earlier one loaded still counts.
                match self.warehouse.lake().last_note(table).await? {
                    Some(note) => {
                        inputs.batches.insert(table.to_string(), note.batch);
                        inputs.simulated |= note.simulated;
                    }
                    None => absent.push(table.clone()),
                }
            }
        }
        // Reference data say nothing by themselves, where they are not all that is asked.
        let tells = |table: &&TableName| table.schema() != Schema::DanhMuc;
        let tellers = reads().filter(tells).count();
        if !absent.is_empty() && absent.iter().filter(tells).count() == tellers {
            Ok(Found::Absent)
        } else {
            Ok(Found::Ready(inputs, absent))
        }
    }
}
