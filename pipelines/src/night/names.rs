//! What a batch is called: a hash of all that its rows are made from, so that the same input has the
//! same name and is not loaded again.
//!
//! A name is shown (`he_thong.lan_chay`) and kept. Of a small file about few persons the content can
//! be guessed, and a plain hash would tell whether the guess is right. So where a source may tell of
//! persons, the hash is keyed, with a key that is derived from that of the pseudonyms. Of all others
//! the same input has the same name in every installation.
//!
//! After a rotation, batches are named with the newest key. What was named with an earlier one, or
//! with none by an older program, keeps its name and is known by it: nothing is loaded again.

use connectors::files::hex;
use sha2::{Digest, Sha256};
use warehouse::names::Sensitivity;
use warehouse::spec::{Column, SourceTable, Treatment};
use warehouse::store::StoreError;

use super::Night;
use super::visit::Visit;
use crate::deidentify::keys::KeyRing;

/// The names of one batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// As it is called from now on.
    pub(super) new: String,
    /// As it was called with the keys of earlier epochs.
    old: Vec<String>,
    /// As it was called without a key, where it is called with one now.
    plain: Option<String>,
}

impl Names {
    /// The names of a batch of a table that is made from all that `text` tells.
    pub(super) fn of(table: &SourceTable, keys: &KeyRing, text: &str) -> Self {
        let plain = hex(&Sha256::digest(text));
        if !is_guarded(table) {
            return Self { new: plain, old: Vec::new(), plain: None };
        }
        let mut keyed = keys.batch_names(text);
        let new = keyed.next().unwrap_or_default();
        Self { new, old: keyed.collect(), plain: Some(plain) }
    }
}

/// Whether the source of a table may tell of persons: by its class, or by columns that are not kept
/// as they come.
fn is_guarded(table: &SourceTable) -> bool {
    let is_treated = |column: &Column| column.treatment != Treatment::Keep;
    table.sensitivity >= Sensitivity::Personal || table.columns.iter().any(is_treated)
}

impl Night<'_> {
    /// Whether the newest batch of the visit's part is the one of these names.
    pub(super) async fn holds(
        &self,
        table: &SourceTable,
        visit: &Visit,
        names: &Names,
    ) -> Result<bool, StoreError> {
        let (lake, part) = (self.warehouse.lake(), visit.part.as_str());
        for name in std::iter::once(&names.new).chain(&names.old) {
            if lake.holds(&table.name, part, name).await? {
                return Ok(true);
            }
        }
        let Some(plain) = &names.plain else { return Ok(false) };
        if !lake.holds(&table.name, part, plain).await? {
            return Ok(false);
        }
        // A name without a key does not tell whether the tokens are of these keys.
        let note = lake.note(&table.name, part).await?;
        Ok(note.is_none_or(|note| self.keys.epoch_of(note.key.as_deref()).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use warehouse::spec::load_embedded;

    use super::*;

    #[test]
    fn a_name_is_keyed_where_a_source_may_tell_of_persons_and_is_known_after_a_rotation() {
        let declared = load_embedded().declarations;
        let table = |name: &str| declared.source_table(&name.parse().unwrap()).unwrap().1;
        let (one, two) =
            (KeyRing::from_bytes(&[[1; 32]]), KeyRing::from_bytes(&[[1; 32], [2; 32]]));
        let plain = hex(&Sha256::digest("tệp"));
        let before = Names::of(table("nguon.nhan_luc_nhan_vien"), &one, "tệp");
        assert_ne!(before.new, plain);
        let after = Names::of(table("nguon.nhan_luc_nhan_vien"), &two, "tệp");
        assert_ne!(after.new, before.new);
        assert_eq!((after.old, after.plain), (vec![before.new], Some(plain.clone())));
        // Projects, of which a column is dropped, and a series of counts.
        assert_ne!(Names::of(table("nguon.dao_tao_de_tai"), &two, "tệp").new, plain);
        let series = Names::of(table("nguon.lao_quy"), &two, "tệp");
        assert_eq!((series.new, series.plain), (plain, None));
    }
}
