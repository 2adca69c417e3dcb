//! Functions whose results can be far larger than what they are given, within bounds.
//!
//! What a function makes is in no operator's account of its memory. So each of these says, before
//! it begins, how much it may make at most, and is refused when that is too much for one batch of
//! rows. The functions themselves are the engine's own.

#![expect(clippy::disallowed_types, reason = "functions are put into a session")]

mod aggregate;
mod amount;
mod pattern;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, exec_err};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::running;

/// Functions of the engine that are not offered: they tell where the lake's files are, what the
/// engine is, or cast to types of any size that no table has.
const HIDDEN: [&str; 7] = [
    "input_file_name",
    "file_row_index",
    "version",
    "arrow_cast",
    "arrow_try_cast",
    "cast_to_type",
    "try_cast_to_type",
];

/// How the result of a function grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// By the number in its second argument.
    Repeated,
    /// To the length in its second argument.
    Padded,
    /// Each find of the second argument becomes the third.
    Replaced,
    /// The same, where the second argument is a pattern.
    Rewritten,
    /// The elements between its arguments.
    Series,
    /// To the sum of its arguments.
    Joined,
    /// The same, with the first argument between all others.
    Separated,
    /// Not; but the work grows with the product of two arrays.
    Crossed,
    /// Not; but the work grows with the product of its arguments.
    Compared,
    /// Not; but each row's pattern is work.
    Matched,
}

const BOUNDED: [(&str, Growth); 29] = [
    ("repeat", Growth::Repeated),
    ("array_repeat", Growth::Repeated),
    ("array_resize", Growth::Repeated),
    ("lpad", Growth::Padded),
    ("rpad", Growth::Padded),
    ("replace", Growth::Replaced),
    ("regexp_replace", Growth::Rewritten),
    ("array_replace", Growth::Joined),
    ("array_replace_n", Growth::Joined),
    ("array_replace_all", Growth::Joined),
    ("range", Growth::Series),
    ("generate_series", Growth::Series),
    ("concat", Growth::Joined),
    ("concat_ws", Growth::Separated),
    ("make_array", Growth::Joined),
    ("named_struct", Growth::Joined),
    ("struct", Growth::Joined),
    ("map", Growth::Joined),
    ("array_concat", Growth::Joined),
    ("array_append", Growth::Joined),
    ("array_prepend", Growth::Joined),
    ("array_union", Growth::Joined),
    ("overlay", Growth::Joined),
    ("array_has_all", Growth::Crossed),
    ("array_has_any", Growth::Crossed),
    ("levenshtein", Growth::Compared),
    ("regexp_like", Growth::Matched),
    ("regexp_match", Growth::Matched),
    ("regexp_count", Growth::Matched),
];

/// Takes the place of the engine's own functions in a session.
pub(super) fn register(session: &SessionContext) -> Result<()> {
    for name in HIDDEN {
        session.deregister_udf(name);
    }
    let register = |name: &str, growth| -> Result<()> {
        if let Ok(found) = session.udf(name) {
            session.register_udf(ScalarUDF::new_from_impl(Bounded::new(found, growth)));
        }
        Ok(())
    };
    for (name, growth) in BOUNDED {
        register(name, growth)?;
    }
    register("regexp_instr", Growth::Matched)?;
    aggregate::register(session);
    let join = Bounded::new(Arc::new(ScalarUDF::new_from_impl(Join::new())), Growth::Joined);
    let join = Arc::new(ScalarUDF::new_from_impl(join));
    let like = session.udf("regexp_like")?;
    let state = session.state_ref();
    state.write().register_expr_planner(Arc::new(Operators { join, like }))
}

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

impl Bounded {
    fn new(inner: Arc<ScalarUDF>, growth: Growth) -> Self {
        Self { inner, growth }
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let updated = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Self::new(Arc::new(updated), self.growth)))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    /// The engine's own simplification may put its unbounded function back.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Original(args))
    }

    fn conditional_arguments<'a>(
        &self,
        args: &'a [Expr],
    ) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn documentation(&self) -> Option<&datafusion::logical_expr::Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        running::go_on()?;
        let (values, rows) = (&args.args, args.number_rows);
        match self.growth {
            Growth::Repeated => running::make(amount::repeated(values, rows)?)?,
            Growth::Padded => running::make(amount::padded(values, rows)?)?,
            Growth::Replaced | Growth::Rewritten => {
                running::make(amount::replaced(values, rows)?)?;
            }
            Growth::Series => running::make(amount::series(values, rows)?)?,
            Growth::Joined => running::make(amount::joined(values, rows))?,
            Growth::Separated => running::make(amount::separated(values, rows))?,
            Growth::Crossed => amount::check_crossed(values, rows)?,
            Growth::Compared => amount::check_compared(values)?,
            Growth::Matched => {}
        }
        if !matches!(self.growth, Growth::Matched | Growth::Rewritten) {
            return self.inner.invoke_with_args(args);
        }
        match values.get(1) {
            Some(ColumnarValue::Array(_)) => in_pieces(&self.inner, &args),
            Some(ColumnarValue::Scalar(scalar)) => {
                if let Some(Some(text)) = scalar.try_as_str() {
                    pattern::check(text)?;
                }
                self.inner.invoke_with_args(args)
            }
            None => self.inner.invoke_with_args(args),
        }
    }
}

/// Rows that are worked on between two looks whether the query is still wanted, where each row has
/// a pattern of its own to be made ready.
const PIECE: usize = 16;

fn in_pieces(function: &ScalarUDF, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let mut made: Vec<ArrayRef> = Vec::new();
    for from in (0..args.number_rows).step_by(PIECE) {
        running::go_on()?;
        let rows = PIECE.min(args.number_rows - from);
        check_patterns(&args.args[1], from, rows)?;
        let piece = args.args.iter().map(|value| match value {
            ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, rows)),
            scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
        });
        let piece = ScalarFunctionArgs {
            args: piece.collect(),
            arg_fields: args.arg_fields.clone(),
            number_rows: rows,
            return_field: Arc::clone(&args.return_field),
            config_options: Arc::clone(&args.config_options),
        };
        made.push(function.invoke_with_args(piece)?.into_array(rows)?);
    }
    if made.is_empty() {
        let none = datafusion::arrow::array::new_empty_array(args.return_field.data_type());
        return Ok(ColumnarValue::Array(none));
    }
    let made: Vec<&dyn Array> = made.iter().map(AsRef::as_ref).collect();
    Ok(ColumnarValue::Array(concat(&made)?))
}

/// The patterns of some rows.
fn check_patterns(patterns: &ColumnarValue, from: usize, rows: usize) -> Result<()> {
    let ColumnarValue::Array(patterns) = patterns else { return Ok(()) };
    let texts = cast(&patterns.slice(from, rows), &DataType::Utf8)?;
    let texts = texts.as_string_opt::<i32>().ok_or_else(pattern::no_text)?;
    pattern::check_each(texts.iter())
}

/// Plans `||` between texts, and `~` with its kin, as functions, so that they have bounds like the
/// others.
#[derive(Debug)]
struct Operators {
    join: Arc<ScalarUDF>,
    like: Arc<ScalarUDF>,
}

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let (folded, negated) = match expr.op {
            BinaryOperator::StringConcat => return Ok(self.joined(expr, schema)),
            BinaryOperator::PGRegexMatch => (false, false),
            BinaryOperator::PGRegexIMatch => (true, false),
            BinaryOperator::PGRegexNotMatch => (false, true),
            BinaryOperator::PGRegexNotIMatch => (true, true),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        // The engine knows more of a pattern that is written out; it is looked at here.
        if let Expr::Literal(literal, _) = &expr.right {
            if let Some(Some(text)) = literal.try_as_str() {
                pattern::check(text)?;
            }
            return Ok(PlannerResult::Original(expr));
        }
        let mut args = vec![expr.left, expr.right];
        if folded {
            args.push(lit("i"));
        }
        let found = call(&self.like, args);
        let found = if negated { Expr::Not(Box::new(found)) } else { found };
        Ok(PlannerResult::Planned(found))
    }
}

impl Operators {
    fn joined(&self, expr: RawBinaryExpr, schema: &DFSchema) -> PlannerResult<RawBinaryExpr> {
        let is_text =
            |side: &Expr| side.get_type(schema).is_ok_and(|ty| !ty.is_nested() && !is_binary(&ty));
        if !is_text(&expr.left) || !is_text(&expr.right) {
            return PlannerResult::Original(expr);
        }
        PlannerResult::Planned(call(&self.join, vec![expr.left, expr.right]))
    }
}

fn call(function: &Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args))
}

fn is_binary(ty: &DataType) -> bool {
    matches!(ty, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// `a || b`: null where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Join {
    signature: Signature,
}

impl Join {
    fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Join {
    fn name(&self) -> &'static str {
        "textcat"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        let [left, right] = args else { return exec_err!("|| joins two texts") };
        Ok(format!("{left} || {right}"))
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [left, right] = args else { return exec_err!("|| joins two texts") };
        Ok(format!("{} || {}", left.schema_name(), right.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![DataType::Utf8; arg_types.len()])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return exec_err!("|| joins two texts");
        };
        if let (
            ColumnarValue::Scalar(ScalarValue::Utf8(left)),
            ColumnarValue::Scalar(ScalarValue::Utf8(right)),
        ) = (left, right)
        {
            let joined = left.as_ref().zip(right.as_ref()).map(|(a, b)| format!("{a}{b}"));
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(joined)));
        }
        let (left, right) = (left.to_array(args.number_rows)?, right.to_array(args.number_rows)?);
        let text = |array: &ArrayRef| {
            let text = array.as_any().downcast_ref::<StringArray>().cloned();
            text.ok_or_else(|| DataFusionError::Internal("|| joins texts".to_owned()))
        };
        let joined = datafusion::arrow::compute::kernels::concat_elements::concat_elements_utf8(
            &text(&left)?,
            &text(&right)?,
        )?;
        Ok(ColumnarValue::Array(Arc::new(joined)))
    }
}
