//! The SQL functions of time-true geography: `don_vi`, `don_vi_tai`, `ten_don_vi`, `ma_don_vi`.

#![expect(clippy::disallowed_types, reason = "functions are put into a session")]

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;

use super::Geography;

/// Gives a session the functions of this module.
pub fn register(ctx: &SessionContext, geography: Arc<Geography>) {
    for kind in Kind::ALL {
        ctx.register_udf(ScalarUDF::from(UnitFunction::new(kind, Arc::clone(&geography))));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// `don_vi(code, date)`: the key of the unit that the code named on that date.
    Find,
    /// `don_vi_tai(key, date)`: the key of the unit that contains it on that date's boundaries.
    At,
    /// `ten_don_vi(key)`: its Vietnamese name.
    Name,
    /// `ma_don_vi(key)`: its code, for display; it cannot be joined with a key.
    Code,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Find, Self::At, Self::Name, Self::Code];

    fn name(self) -> &'static str {
        match self {
            Self::Find => "don_vi",
            Self::At => "don_vi_tai",
            Self::Name => "ten_don_vi",
            Self::Code => "ma_don_vi",
        }
    }

    fn takes_date(self) -> bool {
        matches!(self, Self::Find | Self::At)
    }
}

struct UnitFunction {
    kind: Kind,
    signature: Signature,
    geography: Arc<Geography>,
}

impl UnitFunction {
    fn new(kind: Kind, geography: Arc<Geography>) -> Self {
        let mut types = vec![DataType::Utf8];
        if kind.takes_date() {
            types.push(DataType::Date32);
        }
        // The declared units do not change while the process runs, so calls may be folded.
        Self { kind, signature: Signature::exact(types, Volatility::Immutable), geography }
    }

    fn apply<'a>(&'a self, text: &str, date: Option<NaiveDate>) -> Option<&'a str> {
        let geography = &self.geography;
        match self.kind {
            Kind::Find => geography.find(text, date?).map(|unit| unit.key.as_str()),
            Kind::At => geography.at(text, date?).map(|unit| unit.key.as_str()),
            Kind::Name => geography.unit(text).map(|unit| unit.name.as_str()),
            Kind::Code => geography.unit(text).map(|unit| unit.code.as_str()),
        }
    }
}

impl fmt::Debug for UnitFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitFunction").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl PartialEq for UnitFunction {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && Arc::ptr_eq(&self.geography, &other.geography)
    }
}

impl Eq for UnitFunction {}

impl Hash for UnitFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for UnitFunction {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let arrays: Vec<ArrayRef> =
            args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let texts = arrays[0].as_string::<i32>();
        let dates = arrays.get(1).map(|dates| dates.as_primitive::<Date32Type>());
        let mut out = StringBuilder::with_capacity(rows, rows * 13);
        for row in 0..rows {
            let date = dates.filter(|d| d.is_valid(row)).and_then(|d| d.value_as_date(row));
            let found = texts.is_valid(row).then(|| self.apply(texts.value(row), date));
            out.append_option(found.flatten());
        }
        let out: ArrayRef = Arc::new(out.finish());
        if scalar {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(
                &out, 0,
            )?));
        }
        Ok(ColumnarValue::Array(out))
    }
}
