//! How exposed the persons of a table would be after a batch, measured before its commit.
//!
//! Measured is the table as it would stand: the rows to write, and those of before that stay. Where a
//! quasi-identifier is the partition, whoever knows it looks in that partition alone, and no group
//! reaches beyond it: only partitions whose rows change are counted again, and the others keep the
//! figures that the last commit told. All is counted where nobody told them, or of another question,
//! and where no quasi-identifier parts the table.

use std::collections::BTreeSet;

use warehouse::query::Pick;
use warehouse::spec::{SourceTable, arrow_schema};
use warehouse::store::{Measured, Note};

use super::Night;
use super::grow::{BATCH, Change, GrowError, Place, THERE, among, partitions_of};
use crate::risk;

impl Night<'_> {
    /// What is measured of the table as it would stand after the change; `None` where its contract
    /// does not ask.
    pub(super) async fn exposure(
        &self,
        table: &SourceTable,
        change: &Change<'_>,
        before: Option<&Note>,
    ) -> Result<Option<Measured>, GrowError> {
        let Some(declared) = &table.risk else { return Ok(None) };
        let asked = risk::asked(table, declared);
        let told = before.and_then(|note| note.risk.clone()).filter(|told| told.asked == asked);
        let rows = change.rows.clone().into();
        let mut workshop = self.warehouse.workshop([(BATCH.to_owned(), rows)])?;
        let mut touched: Option<BTreeSet<String>> = None;
        if let (Some(by), Some(_)) = (&asked.by, &told)
            && !matches!(change.place, Place::All)
        {
            let mut some = partitions_of(&workshop, by).await?;
            match &change.place {
                Place::Partitions(_, values) => some.extend(values.iter().cloned()),
                Place::Without(gone) => some.extend(gone.rows.partitions()),
                Place::All | Place::Beside => {}
            }
            touched = Some(some);
        }
        // The condition of rows that are counted.
        let only = asked.by.as_deref().zip(touched.as_ref()).map(|(by, some)| among(by, some));
        let mut relations = vec![(BATCH, None)];
        if let Some((pick, kept)) = self.standing(table, &change.place).await? {
            let both = [kept, only].into_iter().flatten().collect::<Vec<_>>();
            relations.push((THERE, (!both.is_empty()).then(|| both.join(" AND "))));
            workshop = workshop.with_places(THERE, &arrow_schema(table), pick);
        }
        let new = risk::measure(self.warehouse, &workshop, table, declared, &relations).await?;
        let mut measured = match (told, &touched) {
            (Some(told), Some(_)) => told,
            _ => Measured { asked, parts: Default::default() },
        };
        measured.replace(touched.into_iter().flatten(), new);
        Ok(Some(measured))
    }

    /// The rows of before that stay, and the condition that they meet.
    async fn standing(
        &self,
        table: &SourceTable,
        place: &Place,
    ) -> Result<Option<(Pick, Option<String>)>, GrowError> {
        let kept = match place {
            Place::All => return Ok(None),
            Place::Without(gone) => {
                let (files, gone) = (gone.staying(), gone.rows.clone());
                return Ok(Some((Pick::Left { files, gone }, None)));
            }
            Place::Partitions(by, values) => Some(format!("NOT ({})", among(by, values))),
            Place::Beside => None,
        };
        let version = self.warehouse.lake().newest(&table.name).await?;
        Ok(version.map(|version| (Pick::Counting(version), kept)))
    }
}
