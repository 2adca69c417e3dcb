//! Indicators on the boundaries of any date.
//!
//! `chi_tieu_tai(DATE '2025-07-01')` moves every figure to the units in force that day by adding
//! numerators and denominators and dividing again; a rate is never averaged. `chi_tieu.ca_nuoc`
//! adds up the country. Where a merged unit lacks the figure of one of its parts, its value is
//! null and the counts of parts say why: a partial sum is not the figure asked for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use datafusion::arrow::array::{Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::functions_aggregate::expr_fn::{count_distinct, sum};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, JoinType, LogicalPlan, LogicalPlanBuilder, cast, col, lit, when,
};

use super::lake_table::viewed;
use crate::geography::Geography;
use crate::grid::days_since_epoch;
use crate::names::{Schema, TableName};

/// The first day on which the declared units are complete; earlier records have no unit.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2004, 1, 1).expect("a calendar day");

/// The name of the view that adds up the country.
pub(super) fn country_name() -> TableName {
    TableName::new(Schema::ChiTieu, "ca_nuoc").expect("a plain name")
}

/// Finds the indicator values that one statement of a principal reads.
type Values = Box<dyn Fn() -> Result<Arc<dyn TableProvider>> + Send + Sync>;

/// `chi_tieu_tai` over `values`, which are looked for where it is called.
pub(super) fn on_boundaries(
    values: Values,
    crosswalks: &Arc<Crosswalks>,
) -> Arc<dyn TableFunctionImpl> {
    Arc::new(OnBoundaries { values, crosswalks: Arc::clone(crosswalks) })
}

/// Dates whose crosswalk is remembered: few are asked for again and again.
const MOST_CROSSWALKS: usize = 64;

/// Crosswalks to the dates that were asked for.
pub(super) struct Crosswalks {
    geography: Arc<Geography>,
    made: Mutex<HashMap<NaiveDate, Arc<dyn TableProvider>>>,
}

impl Crosswalks {
    pub(super) fn new(geography: &Arc<Geography>) -> Arc<Self> {
        Arc::new(Self { geography: Arc::clone(geography), made: Mutex::default() })
    }

    fn to(&self, date: NaiveDate) -> Result<Arc<dyn TableProvider>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.get(&date) {
            return Ok(Arc::clone(made));
        }
        if self.geography.units_on(date).is_empty() {
            return plan_err!("no administrative units are declared for {date}");
        }
        let new = crosswalk(&self.geography, date)?;
        if made.len() >= MOST_CROSSWALKS {
            made.clear();
        }
        made.insert(date, Arc::clone(&new));
        Ok(new)
    }
}

struct OnBoundaries {
    values: Values,
    crosswalks: Arc<Crosswalks>,
}

impl fmt::Debug for OnBoundaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBoundaries").finish_non_exhaustive()
    }
}

impl TableFunctionImpl for OnBoundaries {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [argument] = args.exprs() else {
            return plan_err!("chi_tieu_tai takes one date: chi_tieu_tai(DATE '2025-07-01')");
        };
        let Some(date) = literal_date(argument) else {
            return plan_err!("chi_tieu_tai takes a date written out: DATE '2025-07-01'");
        };
        let plan = boundary_plan((self.values)()?, self.crosswalks.to(date)?)?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

fn literal_date(expr: &Expr) -> Option<NaiveDate> {
    match expr {
        Expr::Literal(ScalarValue::Date32(Some(days)), _) => NaiveDate::from_ymd_opt(1970, 1, 1)?
            .checked_add_signed(chrono::TimeDelta::days(i64::from(*days))),
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => text.parse().ok(),
        Expr::Cast(cast) => literal_date(&cast.expr),
        Expr::TryCast(cast) => literal_date(&cast.expr),
        Expr::Alias(alias) => literal_date(&alias.expr),
        _ => None,
    }
}

/// For every unit that lies wholly in one unit of `date`: that unit, and how many units of the
/// same vintage make it up. The vintage is told by the period: a figure of 2012 needs the
/// provinces of 2012.
fn crosswalk(geography: &Geography, date: NaiveDate) -> Result<Arc<dyn TableProvider>> {
    let (mut from, mut to, mut code, mut name) = (vec![], vec![], vec![], vec![]);
    let (mut valid_from, mut parts) = (vec![], vec![]);
    for source in geography.all() {
        let Some(target) = geography.at(&source.key, date) else { continue };
        from.push(source.key.as_str());
        to.push(target.key.as_str());
        code.push(target.code.as_str());
        name.push(target.name.as_str());
        valid_from.push(days_since_epoch(source.valid_from));
        let vintage = source.valid_to.unwrap_or(target.valid_from).max(FIRST_DAY);
        let needed = geography.parts(&target.key, vintage.max(source.valid_from)).len().max(1);
        parts.push(i64::try_from(needed).unwrap_or(i64::MAX));
    }
    let schema = Arc::new(ArrowSchema::new(vec![
        Field::new("tu_don_vi", DataType::Utf8, false),
        Field::new("den_don_vi", DataType::Utf8, false),
        Field::new("ma", DataType::Utf8, false),
        Field::new("ten", DataType::Utf8, false),
        Field::new("tu_ngay", DataType::Date32, false),
        Field::new("thanh_phan_can", DataType::Int64, false),
    ]));
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(StringArray::from(from)),
            Arc::new(StringArray::from(to)),
            Arc::new(StringArray::from(code)),
            Arc::new(StringArray::from(name)),
            Arc::new(Date32Array::from(valid_from)),
            Arc::new(Int64Array::from(parts)),
        ],
    )?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

fn boundary_plan(
    values: Arc<dyn TableProvider>,
    crosswalk: Arc<dyn TableProvider>,
) -> Result<LogicalPlan> {
    let crosswalk = LogicalPlanBuilder::scan("crosswalk", provider_as_source(crosswalk), None)?;
    let moved = LogicalPlanBuilder::scan("v", provider_as_source(values), None)?.join(
        crosswalk.build()?,
        JoinType::Inner,
        (vec!["v.don_vi"], vec!["crosswalk.tu_don_vi"]),
        None,
    )?;
    let groups = ["ma_chi_tieu", "ky", "loai_ky", "phan_to", "he_so", "phien_ban"]
        .map(|name| col(format!("v.{name}")));
    let groups = groups
        .into_iter()
        .chain(["den_don_vi", "ma", "ten", "thanh_phan_can"].map(|n| col(format!("crosswalk.{n}"))))
        .collect::<Vec<_>>();
    let plan = moved.aggregate(
        groups,
        vec![
            amount(sum_of("tu_so")?).alias("tu_so"),
            amount(sum_of("mau_so")?).alias("mau_so"),
            units_with_figures()?.alias("thanh_phan"),
        ],
    )?;
    let complete = col("thanh_phan").gt_eq(col("thanh_phan_can"));
    plan.project(vec![
        col("ma_chi_tieu"),
        col("den_don_vi").alias("don_vi"),
        col("ma"),
        col("ten"),
        col("ky"),
        year(),
        col("loai_ky"),
        col("phan_to"),
        col("tu_so"),
        col("mau_so"),
        col("he_so"),
        when(complete, value()?).end()?.alias("gia_tri"),
        col("thanh_phan"),
        col("thanh_phan_can"),
        col("phien_ban"),
    ])?
    .build()
}

/// The columns of `chi_tieu.ca_nuoc`.
pub(super) fn country_schema() -> SchemaRef {
    let values = Arc::new(viewed(&crate::system::indicator_values().schema));
    let plan = country_plan(Arc::new(EmptyTable::new(values)));
    // Planned over declared columns alone; a test of this module plans it.
    plan.map_or_else(|_| Arc::new(ArrowSchema::empty()), |plan| Arc::clone(plan.schema().inner()))
}

/// Numerators and denominators of the whole country, added up and divided again.
pub(super) fn country_plan(values: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let groups = ["ma_chi_tieu", "ky", "loai_ky", "phan_to", "he_so", "phien_ban"].map(col);
    LogicalPlanBuilder::scan("v", provider_as_source(values), None)?
        .aggregate(
            groups,
            vec![
                amount(sum_of("tu_so")?).alias("tu_so"),
                amount(sum_of("mau_so")?).alias("mau_so"),
                units_with_figures()?.alias("so_don_vi"),
            ],
        )?
        .project(vec![
            col("ma_chi_tieu"),
            col("ky"),
            year(),
            col("loai_ky"),
            col("phan_to"),
            col("tu_so"),
            col("mau_so"),
            col("he_so"),
            value()?.alias("gia_tri"),
            col("so_don_vi"),
            col("phien_ban"),
        ])?
        .build()
}

/// Whether a row has a figure: numerator and, in a rate, denominator. Both are added from the same
/// rows or not at all.
fn has_figure() -> Expr {
    let whole = col("v.he_so").is_null().or(col("v.mau_so").is_not_null());
    col("v.tu_so").is_not_null().and(whole)
}

fn sum_of(name: &str) -> Result<Expr> {
    sum(col(format!("v.{name}"))).filter(has_figure()).build()
}

/// How many units add to a sum.
fn units_with_figures() -> Result<Expr> {
    count_distinct(col("v.don_vi")).filter(has_figure()).build()
}

fn amount(expr: Expr) -> Expr {
    cast(expr, DataType::Decimal128(24, 4))
}

fn year() -> Expr {
    let part = datafusion::functions::expr_fn::date_part(lit("year"), col("ky"));
    cast(part, DataType::Int64).alias("nam")
}

/// Numerator over denominator times the factor; the numerator itself for plain counts, which are
/// told by having no factor.
fn value() -> Result<Expr> {
    let number = |name| cast(col(name), DataType::Float64);
    let none = lit(ScalarValue::Float64(None));
    let rate = number("tu_so") * col("he_so") / number("mau_so");
    when(col("he_so").is_null(), number("tu_so"))
        .when(col("mau_so").eq(lit(0)), none)
        .otherwise(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_country_has_its_columns() {
        let schema = country_schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert!(names.contains(&"gia_tri") && names.contains(&"nam"), "{names:?}");
    }
}
