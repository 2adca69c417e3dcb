//! Parameters of prepared statements: which types they have, and which values a client sends.
//!
//! The types are those that the plan infers, in the rules of `datafusion_postgres`, which keeps
//! them to itself. Where a client says a type of its own, it is read as that type.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters_with_server_types;
use datafusion_postgres::arrow_pg::datatypes::{
    PG_OID_ALIAS_KEY, into_pg_type, pg_type_for_alias_kind,
};
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::stmt::StoredStatement;
use datafusion_postgres::pgwire::error::PgWireError;
use datafusion_postgres::pgwire::messages::extendedquery::Bind;

use super::fault::Fault;
use crate::query::QueryError;

/// Parameters of one statement, as the protocol counts them.
const MOST: usize = u16::MAX as usize;

/// The parameters of one statement, by position.
pub(super) struct Parameters {
    /// What the client said.
    pub(super) sent: Vec<Option<Type>>,
    /// What the plan infers.
    inferred: Vec<Option<DataType>>,
    /// What is taken where the client says nothing.
    own: Vec<Type>,
}

/// The types that a client says, by their numbers; none where it leaves one open.
pub(super) fn sent(numbers: &[u32]) -> Vec<Option<Type>> {
    let known = numbers.iter().map(|number| Type::from_oid(*number));
    known.map(|known| known.filter(|known| *known != Type::UNKNOWN)).collect()
}

/// Of the types that a client says, the numbers: compared with exact decimals they keep the type
/// that they were sent in, as in PostgreSQL, rather than being refused.
pub(super) fn numbers(sent: &[Option<Type>]) -> Vec<Option<DataType>> {
    let number = |sent: &Type| match *sent {
        Type::INT2 => Some(DataType::Int16),
        Type::INT4 => Some(DataType::Int32),
        Type::INT8 => Some(DataType::Int64),
        Type::FLOAT4 => Some(DataType::Float32),
        Type::FLOAT8 => Some(DataType::Float64),
        _ => None,
    };
    sent.iter().map(|sent| sent.as_ref().and_then(number)).collect()
}

/// What a plan says of one parameter.
#[derive(Default)]
struct Found {
    field: Option<FieldRef>,
    cast: Option<DataType>,
}

impl Found {
    fn data_type(&self) -> Option<&DataType> {
        self.field.as_ref().map(|field| field.data_type()).or(self.cast.as_ref())
    }

    /// Numbers of PostgreSQL's catalogue are kept as plain ones, and sent as what they are.
    fn alias(&self) -> Option<Type> {
        let field = self.field.as_ref().filter(|field| *field.data_type() == DataType::Int32)?;
        pg_type_for_alias_kind(field.metadata().get(PG_OID_ALIAS_KEY)?)
    }
}

impl Parameters {
    /// Those of a plan, with the types that the client said.
    pub(super) fn of(plan: &LogicalPlan, sent: Vec<Option<Type>>) -> Result<Self, Fault> {
        let found = find(plan)?;
        let used = found.keys().next_back().copied().unwrap_or_default();
        let count = used.max(sent.len());
        let (mut inferred, mut own) = (vec![None; count], vec![Type::UNKNOWN; count]);
        for (position, found) in &found {
            let data_type = found.data_type();
            own[position - 1] = match (found.alias(), data_type) {
                (Some(alias), _) => alias,
                (None, Some(data_type)) => into_pg_type(data_type).map_err(Fault::of_encoding)?,
                (None, None) => Type::UNKNOWN,
            };
            inferred[position - 1] = data_type.cloned();
        }
        Ok(Self { sent, inferred, own })
    }

    /// The numbers of their types, as a client is told.
    pub(super) fn described(&self) -> Vec<u32> {
        let said = self.own.iter().enumerate();
        said.map(|(at, own)| self.sent.get(at).and_then(Option::as_ref).unwrap_or(own).oid())
            .collect()
    }

    /// Reads the values that a client sends.
    pub(super) fn read(&self, bind: &Bind) -> Result<ParamValues, Fault> {
        check(bind, self.own.len())?;
        self.check_arrays(bind)?;
        let statement = StoredStatement::new(String::new(), (), self.sent.clone());
        let portal = Portal::try_new(bind, Arc::new(statement)).map_err(malformed)?;
        let inferred: Vec<_> = self.inferred.iter().map(Option::as_ref).collect();
        let own: Vec<_> = self.own.iter().map(Some).collect();
        // What is read there comes from outside, and some of it overflows.
        let read =
            AssertUnwindSafe(|| deserialize_parameters_with_server_types(&portal, &inferred, &own));
        let mut values = match catch_unwind(read) {
            Ok(values) => values.map_err(malformed)?,
            Err(_) => return Err(Fault::new("22P03", "a parameter is beyond its type's range")),
        };
        if let ParamValues::List(values) = &mut values {
            for value in values {
                widen(&mut value.value);
            }
        }
        Ok(values)
    }
}

impl Parameters {
    /// Refuses arrays that claim more elements than they hold: room is made by the claim.
    fn check_arrays(&self, bind: &Bind) -> Result<(), Fault> {
        let formats = &bind.parameter_format_codes;
        for (at, (own, value)) in self.own.iter().zip(&bind.parameters).enumerate() {
            let ty = self.sent.get(at).and_then(Option::as_ref).unwrap_or(own);
            let binary = formats.get(at).or(formats.first().filter(|_| formats.len() == 1));
            let Some(value) = value.as_ref().filter(|_| binary == Some(&1)) else { continue };
            // PostgreSQL names the array of a type with an underscore before it.
            if ty.name().starts_with('_') && !holds_its_claim(value) {
                return Err(Fault::new("22P03", "an array holds fewer elements than it says"));
            }
        }
        Ok(())
    }
}

/// Whether the elements that an array's head counts can stand in what follows: each has a length of
/// four bytes at least.
fn holds_its_claim(array: &[u8]) -> bool {
    let word = |at: usize| -> Option<usize> {
        let bytes = array.get(at * 4..at * 4 + 4)?.try_into().ok()?;
        usize::try_from(i32::from_be_bytes(bytes)).ok()
    };
    // Dimensions, whether there are nulls, the type; then a length and a lower bound for each.
    let Some(dimensions) = word(0).filter(|count| *count <= MOST_DIMENSIONS) else { return false };
    let mut lengths = (0..dimensions).map(|dimension| word(3 + 2 * dimension));
    let claimed = lengths.try_fold(1_usize, |all, length| all.checked_mul(length?));
    let head = 12 + 8 * dimensions;
    match claimed {
        Some(_) if dimensions == 0 => true,
        Some(claimed) => claimed <= array.len().saturating_sub(head) / 4,
        None => false,
    }
}

/// PostgreSQL's own limit.
const MOST_DIMENSIONS: usize = 6;

/// Refuses more or fewer values or formats than there are parameters.
fn check(bind: &Bind, count: usize) -> Result<(), Fault> {
    let given = bind.parameters.len();
    if given != count {
        let text = format!("{given} parameters are given, and the statement has {count}");
        return Err(Fault::new("08P01", text));
    }
    let formats = bind.parameter_format_codes.len();
    if formats > 1 && formats != count {
        let text = format!("{formats} formats are given for {count} parameters");
        return Err(Fault::new("08P01", text));
    }
    Ok(())
}

/// `0.001` comes as one digit of which three stand behind the point, which is no decimal.
fn widen(value: &mut ScalarValue) {
    if let ScalarValue::Decimal128(_, precision, scale) = value {
        *precision = (*precision).max(u8::try_from(*scale).unwrap_or(0)).clamp(1, 38);
    }
}

fn malformed(error: PgWireError) -> Fault {
    match error {
        PgWireError::UserError(info) => Fault::new(&info.code, info.message.clone()),
        PgWireError::FailedToParseParameter(_) => {
            Fault::new("22P02", "a parameter is not written as its type is")
        }
        PgWireError::InvalidRustTypeForParameter(name) => {
            Fault::new("0A000", format!("parameters of type {name} are not taken"))
        }
        _ => Fault::new("22P03", "a parameter is not of its type"),
    }
}

/// The parameters in a plan, by position.
fn find(plan: &LogicalPlan) -> Result<BTreeMap<usize, Found>, Fault> {
    let mut found = BTreeMap::<usize, Found>::new();
    let mut fault = None;
    let mut note = |expr: &Expr| {
        let (id, field, cast) = match expr {
            Expr::Placeholder(one) => (&one.id, one.field.as_ref(), None),
            Expr::Cast(cast) => match cast.expr.as_ref() {
                Expr::Placeholder(one) => (&one.id, None, Some(cast.field.data_type())),
                _ => return,
            },
            _ => return,
        };
        let position = id.trim_start_matches('$').parse::<usize>();
        let Some(position) = position.ok().filter(|position| (1..=MOST).contains(position)) else {
            fault.get_or_insert_with(|| Fault::new("42P02", format!("there is no parameter {id}")));
            return;
        };
        let entry = found.entry(position).or_default();
        if let (Some(before), Some(field)) = (&entry.field, field)
            && before.data_type() != field.data_type()
        {
            let text = format!("parameter {id} is used as two types; cast it to one");
            fault.get_or_insert_with(|| Fault::new("42P08", text));
        }
        entry.field = entry.field.take().or_else(|| field.cloned());
        entry.cast = entry.cast.take().or_else(|| cast.cloned());
    };
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                note(expr);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.map_err(|error| Fault::from(QueryError::engine(error)))?;
    fault.map_or(Ok(found), Err)
}

/// The formats that a message asks for: one for all, or one for each.
pub(super) fn formats(codes: &[i16]) -> Format {
    match codes {
        [] => Format::UnifiedText,
        [all] => Format::from(*all),
        each => Format::Individual(each.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use datafusion::logical_expr::{LogicalPlanBuilder, placeholder};
    use datafusion::prelude::{col, lit};

    use super::*;

    fn of(expr: Vec<Expr>, sent_types: &[u32]) -> Result<Parameters, Fault> {
        let plan = LogicalPlanBuilder::values(vec![vec![lit(1_i32)]]).unwrap();
        let plan = plan.project(expr).unwrap().build().unwrap();
        Parameters::of(&plan, sent(sent_types))
    }

    fn bind(formats: &[i16], values: &[Option<&[u8]>]) -> Bind {
        let values = values.iter().map(|value| value.map(Bytes::copy_from_slice)).collect();
        Bind::new(None, None, formats.to_vec(), values, Vec::new())
    }

    fn read(parameters: &Parameters, bind: &Bind) -> Result<Vec<ScalarValue>, String> {
        match parameters.read(bind) {
            Ok(ParamValues::List(values)) => Ok(values.into_iter().map(|one| one.value).collect()),
            Ok(ParamValues::Map(_)) => panic!("parameters have positions"),
            Err(fault) => Err(fault.sqlstate().to_owned()),
        }
    }

    #[test]
    fn types_are_taken_from_the_client_then_from_casts() {
        let cast = datafusion::prelude::cast(placeholder("$2"), DataType::Date32);
        let parameters = of(vec![placeholder("$1"), cast], &[23]).unwrap();
        assert_eq!(parameters.described(), [23, 1082]);
        let values = read(&parameters, &bind(&[], &[Some(b"7"), Some(b"2017-01-31")])).unwrap();
        assert_eq!(values[0], ScalarValue::Int32(Some(7)));
        assert_eq!(values[1].to_string(), "2017-01-31");
        assert_eq!(numbers(&sent(&[23, 701, 25, 0, 705])).iter().flatten().count(), 2);
    }

    #[test]
    fn positions_that_cannot_be_are_refused() {
        for id in ["$0", "$65536", "$99999999999999999999", "$ten"] {
            let fault = of(vec![placeholder(id)], &[]).err().unwrap();
            assert_eq!(fault.sqlstate(), "42P02", "{id}");
        }
        let parameters = of(vec![placeholder("$3"), col("column1")], &[]).unwrap();
        assert_eq!(parameters.described().len(), 3);
    }

    #[test]
    fn malformed_values_are_errors() {
        let parameters = of(vec![placeholder("$1")], &[Type::INTERVAL.oid()]).unwrap();
        let far = [i64::MAX.to_be_bytes().as_slice(), &[0; 8]].concat();
        assert!(read(&parameters, &bind(&[1], &[Some(&far)])).is_err());
        let one = of(vec![placeholder("$1")], &[Type::INT4.oid()]).unwrap();
        for (given, code) in [
            (bind(&[], &[]), "08P01"),
            (bind(&[], &[None, None]), "08P01"),
            (bind(&[0, 1], &[None]), "08P01"),
            (bind(&[], &[Some(b"seven")]), "22P02"),
            (bind(&[1], &[Some(b"x")]), "22P02"),
        ] {
            assert_eq!(read(&one, &given).unwrap_err(), code);
        }
        for kind in [Type::DATE, Type::TIMESTAMP, Type::NUMERIC, Type::INT4_ARRAY, Type::UUID] {
            let parameters = of(vec![placeholder("$1")], &[kind.oid()]).unwrap();
            for length in 0..24 {
                let _ = read(&parameters, &bind(&[1], &[Some(&vec![0xff; length])]));
                let _ = read(&parameters, &bind(&[1], &[Some(&vec![0x7f; length])]));
            }
        }
    }

    #[test]
    fn an_array_holds_what_it_says() {
        let array =
            |words: &[i32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        assert!(holds_its_claim(&array(&[1, 0, 23, 2, 1, 4, 7, 4, 8])));
        assert!(holds_its_claim(&array(&[0, 0, 23])));
        for words in [
            &[1, 0, 23, i32::MAX, 1][..],
            &[2, 0, 23, i32::MAX, 1, i32::MAX, 1],
            &[1_000_000_000, 0, 23],
            &[-1, 0, 23],
            &[1, 0, 23, -5, 1],
            &[1],
        ] {
            assert!(!holds_its_claim(&array(words)), "{words:?}");
        }
    }

    #[test]
    fn small_decimals_have_room_for_their_digits() {
        let parameters = of(vec![placeholder("$1")], &[Type::NUMERIC.oid()]).unwrap();
        let values = read(&parameters, &bind(&[], &[Some(b"0.001")])).unwrap();
        assert_eq!(values, [ScalarValue::Decimal128(Some(1), 3, 3)]);
    }
}
