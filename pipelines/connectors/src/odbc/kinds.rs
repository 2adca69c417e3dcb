//! What a column becomes, as the driver describes it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_odbc::odbc_api::{DataType as SqlType, Error as DriverError, ResultSetMetadata};

/// The columns of an answer.
pub(super) struct Columns {
    /// Their names, as they were asked for, and the types that they have here.
    pub(super) schema: SchemaRef,
    /// Which of them are exact decimals, written as text.
    decimals: Vec<bool>,
}

/// Why the columns cannot be told.
pub(super) enum Unfit {
    /// The driver failed.
    Driver(DriverError),
    /// The driver tells another number of columns than were asked for.
    Count,
    /// A column holds what is neither text nor number: its name, and what it holds.
    Column(String, String),
}

impl From<DriverError> for Unfit {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

impl Columns {
    /// What the driver says of an answer to `names`.
    pub(super) fn of(answer: &mut impl ResultSetMetadata, names: &[String]) -> Result<Self, Unfit> {
        if usize::try_from(answer.num_result_cols()?) != Ok(names.len()) {
            return Err(Unfit::Count);
        }
        let (mut fields, mut decimals) = (Vec::new(), Vec::new());
        for (number, name) in (1_u16..).zip(names) {
            let sql_type = answer.col_data_type(number)?;
            let unsigned = sql_type == SqlType::BigInt && answer.column_is_unsigned(number)?;
            let Some(kept) = kept(sql_type, unsigned) else {
                return Err(Unfit::Column(name.clone(), shown(sql_type)));
            };
            fields.push(Field::new(name, kept, true));
            decimals.push(is_decimal(sql_type));
        }
        Ok(Self { schema: Arc::new(Schema::new(fields)), decimals })
    }

    /// Gives each decimal the zero before its point that some drivers leave out.
    pub(super) fn complete(&self, batch: RecordBatch) -> RecordBatch {
        if !self.decimals.contains(&true) {
            return batch;
        }
        let column = |(column, is_decimal): (&ArrayRef, &bool)| {
            if *is_decimal { with_zero(column) } else { Arc::clone(column) }
        };
        let columns = batch.columns().iter().zip(&self.decimals).map(column).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("the columns have kept their types and their rows")
    }
}

fn is_decimal(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::Numeric { .. } | SqlType::Decimal { .. })
}

/// The type that a column has here; `None` of bytes and of what is not known.
fn kept(sql_type: SqlType, unsigned: bool) -> Option<DataType> {
    let kept = match sql_type {
        SqlType::BigInt if unsigned => DataType::Utf8,
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt => {
            DataType::Int64
        }
        SqlType::Real | SqlType::Float { .. } | SqlType::Double => DataType::Float64,
        SqlType::Bit => DataType::Boolean,
        SqlType::Date => DataType::Date32,
        SqlType::Timestamp { .. } => DataType::Timestamp(TimeUnit::Microsecond, None),
        SqlType::Numeric { .. }
        | SqlType::Decimal { .. }
        | SqlType::Time { .. }
        | SqlType::Char { .. }
        | SqlType::WChar { .. }
        | SqlType::Varchar { .. }
        | SqlType::WVarchar { .. }
        | SqlType::LongVarchar { .. }
        | SqlType::WLongVarchar { .. } => DataType::Utf8,
        // A GUID, and of SQL Server XML, a time of day, and a time with its zone.
        SqlType::Other { data_type, .. } if [-11, -152, -154, -155].contains(&data_type.0) => {
            DataType::Utf8
        }
        _ => return None,
    };
    Some(kept)
}

fn shown(sql_type: SqlType) -> String {
    match sql_type {
        SqlType::Binary { .. } => "BINARY".to_owned(),
        SqlType::Varbinary { .. } => "VARBINARY".to_owned(),
        SqlType::LongVarbinary { .. } => "LONG VARBINARY".to_owned(),
        SqlType::Other { data_type, .. } => format!("{} of its driver", data_type.0),
        _ => "that its driver does not know".to_owned(),
    }
}

fn with_zero(column: &ArrayRef) -> ArrayRef {
    let cells = column.as_string::<i32>();
    let is_short = |cell: &str| cell.starts_with('.') || cell.starts_with("-.");
    if !cells.iter().flatten().any(is_short) {
        return Arc::clone(column);
    }
    let whole = |cell: &str| {
        if is_short(cell) { cell.replacen('.', "0.", 1) } else { cell.to_owned() }
    };
    let whole: StringArray = cells.iter().map(|cell| cell.map(whole)).collect();
    Arc::new(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_a_digit_before_its_point() {
        let cells = [Some(".5"), None, Some("-.25"), Some("1.5"), Some("-3"), Some("")];
        let column: ArrayRef = Arc::new(cells.into_iter().collect::<StringArray>());
        let whole = with_zero(&column);
        let wanted = [Some("0.5"), None, Some("-0.25"), Some("1.5"), Some("-3"), Some("")];
        assert_eq!(whole.as_string::<i32>().iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn bytes_are_not_kept() {
        assert_eq!(kept(SqlType::Varbinary { length: None }, false), None);
        assert_eq!(kept(SqlType::Unknown, false), None);
        assert_eq!(kept(SqlType::BigInt, true), Some(DataType::Utf8));
    }
}
