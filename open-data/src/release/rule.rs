//! The small-cell rule: counts from 1 to N−1 are not shown, nor what was computed from them.
//!
//! This is the first line only. It looks at one cell at a time and does not prevent that a hidden
//! cell is recovered from a total; its limits are printed wherever it is applied. A hidden value
//! is null, never zero, and a text column names what was hidden in each row, so that hidden and
//! missing stay apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use warehouse::names::Text;
use warehouse::spec::Release;

use super::table::TableError;
use crate::metadata::RuleApplied;

/// The column that names what was hidden in a row.
pub(crate) const NOTE_COLUMN: &str = "ghi_chu_an";
/// How its values begin; the names of the columns follow, separated by `; `.
pub(crate) const HIDDEN: &str = "đã ẩn: ";

/// Rows after the rule.
pub(super) struct Hidden {
    pub(super) batch: RecordBatch,
    /// Small cells hidden.
    pub(super) small: u64,
    /// Cells hidden because of them.
    pub(super) derived: u64,
}

/// Whether the declaration hides anything.
pub(super) fn applies(release: &Release) -> bool {
    release.minimum_cell > 1 && !release.suppress.is_empty()
}

/// The rule in words, for pages and metadata.
pub(super) fn described(release: &Release) -> Option<RuleApplied> {
    if !applies(release) {
        return None;
    }
    let minimum = release.minimum_cell;
    let (columns, with) = (release.suppress.join(", "), release.suppress_with.join(", "));
    let mut statement = Text::new(
        format!(
            "Trong các cột {columns}, giá trị từ 1 đến {} (dưới {minimum}) không được hiển thị: ô \
             để trống và cột {NOTE_COLUMN} ghi “đã ẩn” kèm tên cột. Số 0 và các giá trị từ \
             {minimum} trở lên giữ nguyên. Ô trống không được ghi trong cột {NOTE_COLUMN} là ô \
             không có số liệu, không phải ô bị ẩn; ô bị ẩn không phải là số 0.",
            minimum - 1
        ),
        format!(
            "In the columns {columns}, values from 1 to {} (under {minimum}) are not shown: the \
             cell is empty and the column {NOTE_COLUMN} says “đã ẩn” (hidden) with the name of \
             the column. Zero and values of {minimum} or more are unchanged. An empty cell that \
             {NOTE_COLUMN} does not name has no figure and was not hidden; a hidden cell is not \
             zero.",
            minimum - 1
        ),
    );
    if !with.is_empty() {
        statement.vi +=
            &format!(" Trong cùng dòng, các cột suy ra được giá trị đó cũng để trống: {with}.");
        statement.en += &format!(
            " In the same row, columns that would give the value away are empty too: {with}."
        );
    }
    let limits = Text::new(
        "Giới hạn: quy tắc này chỉ xét từng ô riêng lẻ. Một mình nó không ngăn được việc tính ra \
         ô đã ẩn bằng cách lấy tổng đã công bố trừ đi các ô còn lại, hoặc so với nguồn khác. Bước \
         kiểm soát đầy đủ (ẩn bổ sung, thử tấn công trước khi phát hành) chưa được áp dụng cho \
         phiên bản này.",
        "Limits: this rule looks at single cells only. Alone it does not prevent that a hidden \
         cell is recovered by subtracting the other cells from a published total, or by comparison \
         with another source. The full control (complementary suppression, an attack before \
         release) has not been applied to this version.",
    );
    Some(RuleApplied {
        minimum_cell: minimum,
        columns: release.suppress.clone(),
        columns_with: release.suppress_with.clone(),
        note_column: NOTE_COLUMN.to_owned(),
        statement,
        limits,
    })
}

/// Applies the rule and adds the note column; without a rule the rows stay as they are.
pub(super) fn apply(batch: &RecordBatch, release: &Release) -> Result<Hidden, TableError> {
    if !applies(release) {
        return Ok(Hidden { batch: batch.clone(), small: 0, derived: 0 });
    }
    let schema = batch.schema();
    if schema.column_with_name(NOTE_COLUMN).is_some() {
        return Err(TableError::Column(NOTE_COLUMN.to_owned()));
    }
    let at = |name: &String| {
        let found = schema.column_with_name(name).map(|(at, _)| at);
        found.ok_or_else(|| TableError::Column(name.clone()))
    };
    let mut masks: Vec<Option<Vec<bool>>> = vec![None; batch.num_columns()];
    let mut rows_hit = vec![false; batch.num_rows()];
    for name in &release.suppress {
        let position = at(name)?;
        let mask = small_cells(batch.column(position), release.minimum_cell, name)?;
        rows_hit.iter_mut().zip(&mask).for_each(|(hit, small)| *hit |= small);
        masks[position] = Some(mask);
    }
    let small = masks.iter().flatten().map(|mask| count(mask)).sum();
    for name in &release.suppress_with {
        let position = at(name)?;
        let column = batch.column(position);
        let mask = masks[position].get_or_insert_with(|| vec![false; batch.num_rows()]);
        for (row, hidden) in mask.iter_mut().enumerate() {
            *hidden |= rows_hit[row] && column.is_valid(row);
        }
    }
    let all: u64 = masks.iter().flatten().map(|mask| count(mask)).sum();
    Ok(Hidden { batch: blanked(batch, &masks)?, small, derived: all - small })
}

fn count(mask: &[bool]) -> u64 {
    mask.iter().filter(|hidden| **hidden).count() as u64
}

fn small_cells(column: &ArrayRef, minimum: u32, name: &str) -> Result<Vec<bool>, TableError> {
    if !column.data_type().is_numeric() {
        return Err(TableError::Column(name.to_owned()));
    }
    let numbers = cast(column, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>();
    let minimum = f64::from(minimum);
    Ok(numbers.iter().map(|value| value.is_some_and(|v| v > 0.0 && v < minimum)).collect())
}

fn blanked(batch: &RecordBatch, masks: &[Option<Vec<bool>>]) -> Result<RecordBatch, TableError> {
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(masks.len() + 1);
    let mut notes = vec![String::new(); batch.num_rows()];
    for ((column, field), mask) in batch.columns().iter().zip(schema.fields()).zip(masks) {
        let Some(mask) = mask else {
            columns.push(Arc::clone(column));
            continue;
        };
        for (note, _) in notes.iter_mut().zip(mask).filter(|(_, hidden)| **hidden) {
            note.push_str(if note.is_empty() { HIDDEN } else { "; " });
            note.push_str(field.name());
        }
        columns.push(nullif(column, &BooleanArray::from(mask.clone()))?);
    }
    let notes: StringArray =
        notes.into_iter().map(|note| (!note.is_empty()).then_some(note)).collect();
    columns.push(Arc::new(notes));
    let mut fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true))
        .collect();
    fields.push(Field::new(NOTE_COLUMN, DataType::Utf8, true));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
