//! What is asked of a table's source tonight: which places, and which rows of them.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime};
use connectors::Span;
use warehouse::spec::{Column, Generalisation, Growth, SourceTable, Treatment};
use warehouse::store::{Note, StoreError};

use super::Night;

/// One question to a source.
#[derive(Debug)]
pub(super) struct Visit {
    /// The night whose place is read.
    pub(super) night: NaiveDate,
    /// What the commit is of: see [`Note::part`].
    pub(super) part: String,
    /// Which rows are asked for; all where there is none.
    pub(super) span: Option<Span>,
}

impl Visit {
    /// Whether the answer is all that the source has. A place of one night never is.
    pub(super) fn is_whole(&self) -> bool {
        self.part.is_empty() && self.span.is_none()
    }

    /// Whether it asks for all that is new, and not for days that are read again.
    pub(super) fn is_open(&self) -> bool {
        self.span.as_ref().is_none_or(|span| span.below.is_none())
    }
}

impl Night<'_> {
    /// The questions of tonight, oldest first. Of places that have one for each night, those whose
    /// rows never came are asked for again as far back as the contract says; a night that is resumed
    /// asks for those that came in it as well, and so tells of them.
    pub(super) async fn visits(
        &self,
        source: &str,
        table: &SourceTable,
        last: Option<&Note>,
    ) -> Result<Vec<Visit>, StoreError> {
        if !self.is_nightly(table) {
            let span = self.span(source, table, last);
            return Ok(vec![Visit { night: self.date, part: String::new(), span }]);
        }
        let back = Days::new(u64::from(table.growth.again_days()));
        let (first, end) = self
            .again
            .unwrap_or_else(|| (self.date.checked_sub_days(back).unwrap_or(self.date), self.date));
        let is_resumed = last.is_some_and(|last| last.night == self.date);
        let mut visits = Vec::new();
        for night in first.iter_days().take_while(|night| *night <= end) {
            let part = night.to_string();
            let wanted = self.again.is_some()
                || night == self.date
                || !self.warehouse.lake().knows(&table.name, &part).await?
                || is_resumed && self.tonights(table, &part).await?.is_some();
            if wanted {
                visits.push(Visit { night, part, span: None });
            }
        }
        Ok(visits)
    }

    /// The note of a part that came in this same night.
    pub(super) async fn tonights(
        &self,
        table: &SourceTable,
        part: &str,
    ) -> Result<Option<Note>, StoreError> {
        let note = self.warehouse.lake().note(&table.name, part).await?;
        Ok(note.filter(|note| note.night == self.date))
    }

    /// The rows to ask for, of a source that can tell them apart. A table that was never loaded, or
    /// emptied since, asks for all.
    fn span(&self, source: &str, table: &SourceTable, last: Option<&Note>) -> Option<Span> {
        if !table.sends_spans() && !self.sources.exports_spans(source, table) {
            return None;
        }
        let is_asked = |last: &&Note| !last.batch.is_empty() && !self.is_anew(table);
        let last = last.filter(is_asked)?;
        let column = match &table.growth {
            Growth::Snapshot => return None,
            Growth::Append { period, .. } => table.column(period)?,
            Growth::Upsert { .. } => table.watermark()?,
        };
        let (from, below) = match self.again {
            Some((first, end)) => {
                (midnight(first_of(column, first)), Some(midnight(after(column, end))))
            }
            None => (self.from(table, column, last)?, None),
        };
        Some(Span { column: column.from.clone(), from: Some(from), below })
    }

    fn from(&self, table: &SourceTable, column: &Column, last: &Note) -> Option<NaiveDateTime> {
        let back = Days::new(u64::from(table.growth.again_days()));
        match table.growth {
            Growth::Append { .. } => {
                Some(midnight(first_of(column, self.date.checked_sub_days(back)?)))
            }
            // The same night again asks the same question, so that it gets the same answer.
            _ if last.night == self.date => last.since,
            _ => last.watermark?.checked_sub_days(back),
        }
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(chrono::NaiveTime::MIN)
}

/// The first day of the period that `day` is in.
fn first_of(column: &Column, day: NaiveDate) -> NaiveDate {
    match column.treatment {
        Treatment::Generalise(Generalisation::Month) => day.with_day(1).unwrap_or(day),
        _ => day,
    }
}

/// The first day after the period that `day` is in.
fn after(column: &Column, day: NaiveDate) -> NaiveDate {
    match column.treatment {
        Treatment::Generalise(Generalisation::Month) => {
            first_of(column, day).checked_add_months(chrono::Months::new(1)).unwrap_or(day)
        }
        _ => day.succ_opt().unwrap_or(day),
    }
}
