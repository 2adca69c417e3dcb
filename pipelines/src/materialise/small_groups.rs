//! Small groups of a mart or an indicator are hidden before anything else sees its rows.
//!
//! The rows are read twice: first who stands behind each and which rows are of one block (those
//! that differ only in columns whose totals readers may know), then the figures, which become null
//! where the gate ([`groups`]) hides them; a mart's note says which. In memory are some hundred
//! bytes a row. What comes out depends on the rows alone, not on their order, and of one block on
//! nothing outside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use disclosure::groups::{self, Group, Total};
use warehouse::spec::{GroupPart, NOTE_COLUMN, Query, QueryKind, SmallestGroup};
use warehouse::stage::{Stage, Staged};

use super::{MaterialiseError, rule};

/// How a note begins; the names of the hidden columns follow, as in open datasets.
const HIDDEN: &str = "đã ẩn: ";

/// The rows with their small groups hidden; as they are where none is declared.
pub(super) fn hide(query: &Query, rows: Staged) -> Result<Staged, MaterialiseError> {
    let Some(declared) = &query.smallest_group else { return Ok(rows) };
    let columns = Columns::of(query, declared, rows.schema())?;
    let failed = |_: ArrowError| rule(query, "its figures cannot be read as numbers");
    let blocks = Blocks::read(&columns, &rows, failed)?;
    let masks = blocks.masks(&columns, u64::from(declared.at_least));
    let with_note = query.kind == QueryKind::Mart;
    let schema = shown_schema(rows.schema(), with_note);
    let mut stage = Stage::new(Arc::clone(&schema))?;
    let mut first = 0;
    for batch in rows.batches()? {
        let batch = batch?;
        let part = first..first + batch.num_rows();
        first = part.end;
        let hidden = |mask: &Vec<bool>| BooleanArray::from(mask[part.clone()].to_vec());
        let masks: Vec<BooleanArray> = masks.iter().map(hidden).collect();
        stage.append(&blanked(&batch, &columns, &masks, &schema).map_err(failed)?)?;
    }
    Ok(stage.finish()?)
}

/// Where the columns of a result stand, and which figures are of which group.
struct Columns {
    /// What a block is about, and what tells its rows apart.
    block: Vec<usize>,
    rows: Vec<usize>,
    persons: usize,
    parts: Vec<Part>,
    /// For each column: the group whose figure it is; 0 is all persons of the row, the first part 1.
    figures: Vec<Option<usize>>,
}

struct Part {
    persons: usize,
    others: Option<usize>,
    figures: Vec<usize>,
    total: Total,
}

impl Columns {
    fn of(
        query: &Query,
        declared: &SmallestGroup,
        schema: &Schema,
    ) -> Result<Self, MaterialiseError> {
        let at = |name: &String| {
            let found = schema.index_of(name);
            found.map_err(|_| rule(query, format!("its SELECT gives no column `{name}`")))
        };
        let by = declared.by.iter().map(at).collect::<Result<Vec<_>, _>>()?;
        let rows = declared.total_over.iter().map(at).collect::<Result<Vec<_>, _>>()?;
        let block = by.iter().copied().filter(|at| !rows.contains(at)).collect();
        let has_total = !rows.is_empty();
        let part = |part: &GroupPart| {
            let (persons, others) = (at(&part.persons)?, part.others.as_ref().map(at).transpose()?);
            let measures = part.measures.iter().map(at).collect::<Result<Vec<_>, _>>()?;
            let figures = [persons].into_iter().chain(others).chain(measures).collect();
            let total = match (has_total, part.total_is_elsewhere) {
                (false, _) => Total::Unknown,
                (true, false) => Total::Known,
                (true, true) => Total::Withheld,
            };
            Ok(Part { persons, others, figures, total })
        };
        let parts =
            declared.parts.iter().map(part).collect::<Result<Vec<_>, MaterialiseError>>()?;
        let group = |column: usize| {
            let part = parts.iter().position(|part| part.figures.contains(&column));
            (!by.contains(&column)).then(|| part.map_or(0, |part| part + 1))
        };
        let figures = (0..schema.fields().len()).map(group).collect();
        Ok(Self { block, rows, persons: at(&declared.persons)?, parts, figures })
    }

    fn total(&self) -> Total {
        if self.rows.is_empty() { Total::Unknown } else { Total::Known }
    }
}

/// Who stands behind each row, and the rows of each block in an order of their own.
struct Blocks {
    /// Of each row: all of its persons, then each part.
    groups: Vec<Vec<Group>>,
    blocks: BTreeMap<Vec<u8>, Vec<(Vec<u8>, usize)>>,
}

impl Blocks {
    fn read(
        columns: &Columns,
        rows: &Staged,
        failed: impl Fn(ArrowError) -> MaterialiseError,
    ) -> Result<Self, MaterialiseError> {
        let schema = Arc::clone(rows.schema());
        let (block, row) = (&columns.block, &columns.rows);
        let block = Keys::new(&schema, block).map_err(&failed)?;
        let row = Keys::new(&schema, row).map_err(&failed)?;
        let mut all = Self { groups: Vec::new(), blocks: BTreeMap::new() };
        for batch in rows.batches()? {
            all.add(columns, (&block, &row), &batch?).map_err(&failed)?;
        }
        all.blocks.values_mut().for_each(|rows| rows.sort_unstable());
        Ok(all)
    }

    fn add(
        &mut self,
        columns: &Columns,
        (block, row): (&Keys, &Keys),
        batch: &RecordBatch,
    ) -> Result<(), ArrowError> {
        let first = self.groups.len();
        let keys = block.of(batch)?.into_iter().zip(row.of(batch)?);
        for (at, (block, row)) in (first..).zip(keys) {
            self.blocks.entry(block).or_default().push((row, at));
        }
        let persons = counts(batch.column(columns.persons))?;
        let whole = |persons: u64| Group { persons, others: None, empty: false, hidden: false };
        self.groups.extend(persons.iter().map(|&persons| vec![whole(persons)]));
        for part in &columns.parts {
            let figures = part.figures.iter().filter(|at| Some(**at) != part.others);
            let figures = figures.map(|&at| cast(batch.column(at), &DataType::Float64));
            let figures = figures.collect::<Result<Vec<ArrayRef>, _>>()?;
            let of = counts(batch.column(part.persons))?;
            let others = part.others.map(|at| counts(batch.column(at))).transpose()?;
            for (at, &count) in of.iter().enumerate() {
                let empty = figures.iter().all(|figure| is_zero(figure, at));
                let left = persons[at].saturating_sub(count);
                let told = others.as_ref().map(|others| others[at]);
                // Of persons who are not told apart there may be others where none are counted.
                let hidden = !empty && told.is_none() && left == 0;
                let others = Some(told.unwrap_or(left));
                self.groups[first + at].push(Group { persons: count, others, empty, hidden });
            }
        }
        Ok(())
    }

    /// Which rows are hidden: of the figures of all persons, and of each part's.
    fn masks(&self, columns: &Columns, least: u64) -> Vec<Vec<bool>> {
        let totals = columns.parts.iter().map(|part| part.total);
        let totals: Vec<Total> = [columns.total()].into_iter().chain(totals).collect();
        let mut masks = vec![vec![false; self.groups.len()]; totals.len()];
        for rows in self.blocks.values() {
            for (group, &total) in totals.iter().enumerate() {
                // Where a row is hidden, its parts are too.
                let of = |&(_, row): &(Vec<u8>, usize)| {
                    let it = self.groups[row][group];
                    Group { hidden: it.hidden || masks[0][row], ..it }
                };
                let mut block: Vec<Group> = rows.iter().map(of).collect();
                groups::hide(&mut block, least, total);
                for (&(_, row), group_of) in rows.iter().zip(block) {
                    masks[group][row] = group_of.hidden;
                }
            }
        }
        masks
    }
}

/// Makes keys of some columns; rows of one key are equal in all of them.
struct Keys {
    converter: RowConverter,
    columns: Vec<usize>,
}

impl Keys {
    fn new(schema: &SchemaRef, columns: &[usize]) -> Result<Self, ArrowError> {
        let fields = columns.iter().map(|&at| schema.field(at).data_type().clone());
        let converter = RowConverter::new(fields.map(SortField::new).collect())?;
        Ok(Self { converter, columns: columns.to_vec() })
    }

    fn of(&self, batch: &RecordBatch) -> Result<Vec<Vec<u8>>, ArrowError> {
        if self.columns.is_empty() {
            return Ok(vec![Vec::new(); batch.num_rows()]);
        }
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|&at| Arc::clone(batch.column(at))).collect();
        let rows = self.converter.convert_columns(&columns)?;
        Ok(rows.iter().map(|row| row.as_ref().to_vec()).collect())
    }
}

/// Counts of persons; nobody where there is no count.
fn counts(column: &ArrayRef) -> Result<Vec<u64>, ArrowError> {
    let numbers = cast(column, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    Ok(numbers.iter().map(|count| u64::try_from(count.unwrap_or(0)).unwrap_or(0)).collect())
}

fn is_zero(figure: &ArrayRef, row: usize) -> bool {
    figure.is_null(row) || figure.as_primitive::<Float64Type>().value(row) == 0.0
}

fn shown_schema(schema: &Schema, with_note: bool) -> SchemaRef {
    let note = with_note.then(|| Arc::new(Field::new(NOTE_COLUMN, DataType::Utf8, true)));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain(note).collect::<Vec<_>>()))
}

/// The rows of a batch, its hidden figures null.
fn blanked(
    batch: &RecordBatch,
    columns: &Columns,
    masks: &[BooleanArray],
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let mut notes = vec![String::new(); batch.num_rows()];
    let mut shown: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (at, group) in columns.figures.iter().enumerate() {
        let column = batch.column(at);
        let Some(group) = group else {
            shown.push(Arc::clone(column));
            continue;
        };
        let mask = &masks[*group];
        for (note, _) in notes.iter_mut().zip(mask.values()).filter(|(_, hidden)| *hidden) {
            note.push_str(if note.is_empty() { HIDDEN } else { "; " });
            note.push_str(batch.schema().field(at).name());
        }
        shown.push(nullif(column, mask)?);
    }
    if schema.fields().len() > shown.len() {
        let notes: StringArray =
            notes.into_iter().map(|note| (!note.is_empty()).then_some(note)).collect();
        shown.push(Arc::new(notes));
    }
    RecordBatch::try_new(Arc::clone(schema), shown)
}

#[cfg(test)]
mod tests;
