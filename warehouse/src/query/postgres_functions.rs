//! Functions of PostgreSQL that clients call before the first query of their user.

#![expect(clippy::disallowed_types, reason = "functions are put into a session")]

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::prelude::SessionContext;
use datafusion_postgres::pgwire::api::Type;

/// The release of PostgreSQL whose protocol and catalogue clients are shown.
pub(crate) const VERSION: &str = "16.6";

/// The numbers of PostgreSQL's own types lie below this.
const LAST_OWN_OID: u32 = 10_000;

pub(super) fn register(session: &SessionContext) {
    session.register_udf(version());
    session.register_udf(to_regtype());
}

/// `version()` in the form that clients take apart: SQLAlchemy, and with it Superset and pandas,
/// stops at any other.
fn version() -> ScalarUDF {
    let text = format!(
        "PostgreSQL {VERSION} (khoyte {}, Apache DataFusion {})",
        env!("CARGO_PKG_VERSION"),
        datafusion::DATAFUSION_VERSION
    );
    let answer = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::from(&*text)));
    create_udf("version", Vec::new(), DataType::Utf8, Volatility::Immutable, Arc::new(answer))
}

/// `to_regtype(name)`: the number of a type, null where there is none of that name.
fn to_regtype() -> ScalarUDF {
    let answer = |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let names = ColumnarValue::values_to_arrays(arguments)?;
        let names = cast(&names[0], &DataType::Utf8)?;
        let oids = names.as_string::<i32>().iter().map(|name| oid_of(name?));
        Ok(ColumnarValue::Array(Arc::new(oids.collect::<Int32Array>()) as ArrayRef))
    };
    let (arguments, result) = (vec![DataType::Utf8], DataType::Int32);
    create_udf("to_regtype", arguments, result, Volatility::Immutable, Arc::new(answer))
}

fn oid_of(name: &str) -> Option<i32> {
    let mut own = (1..LAST_OWN_OID).filter_map(Type::from_oid);
    let found = own.find(|known| known.name() == name)?;
    i32::try_from(found.oid()).ok()
}
