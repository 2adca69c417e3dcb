//! Tokens in quarantine: the cells of a refused row are kept as JSON, where the class of its source
//! allows it, and pseudonyms may be among them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use warehouse::query::Warehouse;
use warehouse::spec::{Declarations, Treatment};
use warehouse::stage::Stage;
use warehouse::store::{Note, Replace};
use warehouse::system;

use super::RotationError;
use crate::deidentify::keys::KeyRing;
use crate::deidentify::pseudonym::Pseudonymiser;

/// What renews a column of a table.
type Tokens = HashMap<String, HashMap<String, Pseudonymiser>>;

/// Takes the tokens in quarantine to the newest epoch. Where there are none of an earlier one, nothing
/// is written.
pub(super) async fn renew(warehouse: &Warehouse, keys: &KeyRing) -> Result<(), RotationError> {
    let (lake, table) = (warehouse.lake(), system::quarantine());
    let Some(note) = lake.last_note(&table.name).await? else { return Ok(()) };
    let unread = |source| RotationError::Read { table: table.name.clone(), source };
    let begun = Renewing {
        tokens: tokens(warehouse.declarations(), keys)?,
        stage: Stage::new(Arc::clone(&table.schema))?,
        is_changed: false,
        failed: None,
        table: table.clone(),
    };
    let sql = format!("SELECT * FROM {}", table.name);
    let take = |renewing: &mut Renewing, rows: &RecordBatch| {
        if renewing.failed.is_none() {
            renewing.failed = renewing.take(rows).err();
        }
    };
    let renewed = warehouse.workshop([]).map_err(unread)?.fold(&sql, begun, take).await;
    let Renewing { stage, is_changed, failed, .. } = renewed.map_err(unread)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if is_changed {
        let note = Note { key: Some(keys.fingerprint()), ..note };
        lake.write(&table.name, stage.finish()?, Replace::All { by: None }, &note).await?;
    }
    Ok(())
}

fn tokens(declared: &Declarations, keys: &KeyRing) -> Result<Tokens, RotationError> {
    let mut all = Tokens::new();
    for table in declared.contracts.iter().flat_map(|contract| &contract.tables) {
        for column in &table.columns {
            if let Treatment::Pseudonymise { domain } = &column.treatment {
                let tokens = Pseudonymiser::new(&keys.domain(domain)?);
                let of_table = all.entry(table.name.to_string()).or_default();
                of_table.insert(column.name.clone(), tokens);
            }
        }
    }
    Ok(all)
}

struct Renewing {
    table: system::SystemTable,
    tokens: Tokens,
    stage: Stage,
    is_changed: bool,
    failed: Option<RotationError>,
}

impl Renewing {
    fn take(&mut self, rows: &RecordBatch) -> Result<(), RotationError> {
        let misshapen = |source| RotationError::Shape { table: self.table.name.clone(), source };
        let fields = self.table.schema.fields();
        let columns = rows.columns().iter().zip(fields);
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        let mut columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>().map_err(misshapen)?;
        let text = |name: &str| {
            let (at, _) = fields.find(name)?;
            cast(&columns[at], &DataType::Utf8).ok().map(|cells| (at, cells))
        };
        if let (Some((_, tables)), Some((at, contents))) = (text("bang"), text("noi_dung")) {
            let both = tables.as_string::<i32>().iter().zip(contents.as_string::<i32>());
            let renewed: StringArray = both
                .map(|(table, content)| {
                    let content = content?;
                    let tokens = table.and_then(|table| self.tokens.get(table));
                    Some(tokens.map_or_else(|| content.to_owned(), |t| renewed(content, t)))
                })
                .collect();
            self.is_changed |= renewed != *contents.as_string::<i32>();
            columns[at] = Arc::new(renewed);
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.table.schema), columns);
        self.stage.append(&rows.map_err(misshapen)?)?;
        Ok(())
    }
}

/// The content of a row with its tokens renewed, and otherwise byte by byte as it was.
fn renewed(content: &str, tokens: &HashMap<String, Pseudonymiser>) -> String {
    let cells: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(content).unwrap_or_default();
    let mut text = content.to_owned();
    for (column, cell) in &cells {
        let (Some(tokens), Some(cell)) = (tokens.get(column), cell.as_str()) else { continue };
        // Neither a column's name nor a token holds what JSON would write otherwise.
        if let Some(token) = tokens.renew(cell) {
            text = text
                .replace(&format!("\"{column}\":\"{cell}\""), &format!("\"{column}\":\"{token}\""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_of_a_refused_row_are_renewed_and_nothing_else() {
        let tokens = |masters: &[[u8; 32]]| {
            let keys = KeyRing::from_bytes(masters);
            Pseudonymiser::new(&keys.domain("ma_so_thue").unwrap())
        };
        let (one, two) = (tokens(&[[1; 32]]), tokens(&[[1; 32], [2; 32]]));
        let row = |token: &str| format!("{{\"ma\":\"{token}\",\"loai\":\"v1:\",\"so\":3}}");
        let old = one.token("0101234567").unwrap();
        let new = two.token("0101234567").unwrap();
        let by_column = HashMap::from([("ma".to_owned(), two)]);
        assert_eq!(renewed(&row(&old), &by_column), row(&new));
        assert_eq!(renewed(&row(&new), &by_column), row(&new));
        for other in ["", "no JSON", "{\"so\":3}"] {
            assert_eq!(renewed(other, &by_column), other);
        }
    }
}
