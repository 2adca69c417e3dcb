//! What a source no longer has, though no row of it says so: its keys are compared with those of the
//! lake.
//!
//! An answer that is whole holds all keys by itself. A source that is asked for what is new gives the
//! list of them besides, every so many days, and after the rows: what is written there meanwhile is in
//! the list then, where the source has no one instant for both. The list waits on the disk, as the lake
//! holds keys, and is compared by grouping, which the engine can do in as little memory as there is.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use warehouse::query::Pick;
use warehouse::spec::{KeyList, SourceTable, arrow_schema};
use warehouse::stage::Staged;
use warehouse::store::{ComparedKeys, Note};

use super::Night;
use super::grow::{GrowError, THERE};
use super::visit::Visit;
use crate::batch::{self, BatchError, Listed, Tools};
use crate::sources::Wanted;

/// The name under which SQL sees the keys of the source.
const LISTED: &str = "khoa_nguon";

/// Keys of the lake that its source no longer has.
pub(super) struct Missing {
    pub(super) keys: Staged,
    /// Rows that the table has.
    of: u64,
}

impl Missing {
    /// Why the batch is refused for them, if it is: a source that gives half of its keys must not
    /// empty the lake.
    pub(super) fn verdict(&self, table: &SourceTable) -> Option<String> {
        let most = table.key_list()?.max_deleted_percent;
        let (gone, of) = (self.keys.rows(), self.of);
        (gone as f64 * 100.0 > most * of as f64).then(|| {
            format!(
                "nguồn không còn khóa của {gone} trong {of} dòng của kho, quá ngưỡng {most} %; nếu \
                 nguồn đúng là đã xóa, nạp lại cả bảng bằng `khoyte night --again {}`",
                table.name
            )
        })
    }
}

impl Night<'_> {
    /// The keys that the source has, where it is asked for them tonight.
    pub(super) async fn listed(
        &self,
        wanted: Wanted<'_>,
        visit: &Visit,
        tools: Tools<'_>,
        last: Option<&Note>,
    ) -> Result<Option<Listed>, BatchError> {
        let is_due = |list| !visit.is_whole() && visit.is_open() && self.is_due(list, last);
        if !wanted.table.key_list().is_some_and(is_due) {
            return Ok(None);
        }
        match self.sources.keys(wanted).await? {
            Some(keys) => batch::list(wanted.table, tools, keys).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether the last list is old enough. One of this same night is asked for again, so that the
    /// night asks the same question.
    fn is_due(&self, list: KeyList, last: Option<&Note>) -> bool {
        let compared = last.and_then(|note| note.keys.as_ref());
        compared.is_none_or(|compared| {
            let days = (self.date - compared.night).num_days();
            days == 0 || days >= i64::from(list.every_days)
        })
    }

    /// What the note says of the keys that were compared last.
    pub(super) fn compared(
        &self,
        table: &SourceTable,
        listed: Option<&Listed>,
        before: Option<&Note>,
    ) -> Option<ComparedKeys> {
        table.key_list()?;
        match listed {
            Some(listed) => {
                Some(ComparedKeys { night: self.date, content: listed.content.clone() })
            }
            None => before?.keys.clone(),
        }
    }

    /// The keys of the lake that are not among those of the source; `None` where there is nothing to
    /// compare.
    pub(super) async fn missing(
        &self,
        table: &SourceTable,
        listed: Option<&Listed>,
    ) -> Result<Option<Missing>, GrowError> {
        let Some(listed) = listed else { return Ok(None) };
        let version = self.warehouse.lake().newest(&table.name).await?;
        let Some(version) = version.filter(|_| !self.is_anew(table)) else { return Ok(None) };
        let workshop =
            self.warehouse.workshop([(LISTED.to_owned(), listed.rows.clone().into())])?;
        let workshop = workshop.with_places(THERE, &arrow_schema(table), Pick::Counting(version));
        let keys = workshop.stage(&missing_sql(&table.key)).await?;
        let count = workshop.rows(&format!("SELECT count(*) FROM {THERE}")).await?;
        let counted = count
            .iter()
            .flat_map(|rows| rows.column(0).as_primitive::<Int64Type>().values().iter().copied());
        Ok(Some(Missing { keys, of: counted.filter_map(|count| u64::try_from(count).ok()).sum() }))
    }
}

/// What the keys are called by which a batch is named beside its rows. Of what is whole, the rows tell
/// the keys. A night without a list goes by the last one: where nothing changed, its batch is that of
/// the night before.
pub(super) fn named<'a>(
    visit: &Visit,
    listed: Option<&'a Listed>,
    last: Option<&'a Note>,
) -> Option<&'a str> {
    if visit.is_whole() {
        return None;
    }
    let last = || Some(last?.keys.as_ref()?.content.as_str());
    listed.map(|listed| listed.content.as_str()).or_else(last)
}

/// The keys that only the lake has.
fn missing_sql(key: &[String]) -> String {
    let names = key.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT {names} FROM (SELECT {names}, false AS con FROM {THERE} \
         UNION ALL SELECT {names}, true AS con FROM {LISTED}) \
         GROUP BY {names} HAVING NOT bool_or(con)"
    )
}
