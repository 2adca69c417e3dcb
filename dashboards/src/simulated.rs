//! Which figures come from simulated rows (`he_thong.mo_phong`), so that every page that shows some
//! can say so. Whoever may see a figure may know it.

use std::collections::BTreeSet;

use warehouse::names::{Lang, TableName};
use warehouse::system;

use crate::app::App;
use crate::error::PageError;
use crate::request::Reader;
use crate::text::shared;

/// The tables and indicators that hold simulated rows, of those that the reader may see.
#[derive(Debug, Default)]
pub(crate) struct Simulated(BTreeSet<String>);

/// Reads what the newest night said.
pub(crate) async fn simulated(app: &App, reader: &Reader) -> Result<Simulated, PageError> {
    let grid = app.rows(reader, "SELECT bang FROM he_thong.mo_phong").await?;
    let names = (0..grid.rows.len()).filter_map(|row| grid.cell(row, "bang").as_str());
    Ok(Simulated(names.map(str::to_owned).collect()))
}

impl Simulated {
    /// Whether the table holds simulated rows; that of all indicators does where one of them does.
    pub(crate) fn has_table(&self, table: &TableName) -> bool {
        let name = table.to_string();
        let values = system::indicator_values().name;
        self.0.contains(&name)
            || (*table == values && self.0.iter().any(|one| one.starts_with(&format!("{name}/"))))
    }

    /// Whether figures of the indicator come from simulated rows.
    pub(crate) fn has_indicator(&self, id: &str) -> bool {
        self.0.contains(&format!("{}/{id}", system::indicator_values().name))
    }

    /// The mark of the table, where it needs one.
    pub(crate) fn mark_of_table(&self, table: &TableName, lang: Lang) -> Option<&'static str> {
        self.has_table(table).then(|| shared::words(lang).simulated)
    }

    /// The mark of the indicator, where it needs one.
    pub(crate) fn mark_of_indicator(&self, id: &str, lang: Lang) -> Option<&'static str> {
        self.has_indicator(id).then(|| shared::words(lang).simulated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_what_is_named_and_of_the_table_of_all_indicators() {
        let names = ["kho.a", "chi_tieu.gia_tri/b_100k"];
        let simulated = Simulated(names.map(str::to_owned).into());
        let has = |name: &str| simulated.has_table(&name.parse().expect("a name"));
        assert!(has("kho.a") && has("chi_tieu.gia_tri") && !has("kho.b"));
        assert!(simulated.has_indicator("b_100k") && !simulated.has_indicator("a"));
        let none = Simulated::default();
        assert!(!none.has_table(&system::indicator_values().name));
    }
}
