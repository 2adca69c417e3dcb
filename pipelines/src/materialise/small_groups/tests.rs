//! The declared queries over small countries of made-up persons, and somebody who adds and
//! subtracts what they show.

mod attack;
mod country;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::array_value_to_string;
use regex::Regex;
use tempfile::TempDir;
use warehouse::geography::Geography;
use warehouse::query::{Limits, Warehouse};
use warehouse::spec::{Declarations, Query, SmallestGroup, load_embedded};
use warehouse::store::{Lake, Location};

use self::country::Country;

const COUNTRIES: u64 = 200;

const UNITS: &str = include_str!("../../../reference/don_vi.csv");
const SUCCESSORS: &str = include_str!("../../../reference/ke_thua.csv");

/// One row of a query, as it is and as it is shown.
struct Row {
    /// What it is about, by column.
    about: BTreeMap<String, String>,
    block: Vec<String>,
    /// Of each group, all persons first: who they are, and who of the row's persons are not.
    groups: Vec<(BTreeSet<String>, BTreeSet<String>)>,
    figures: Vec<Figure>,
}

struct Figure {
    column: String,
    group: usize,
    /// Whether it counts those of the row who are not of the group.
    of_others: bool,
    value: f64,
    shown: bool,
}

impl Row {
    fn figure(&self, column: &str) -> &Figure {
        self.figures.iter().find(|figure| figure.column == column).unwrap()
    }

    fn is_empty(&self, group: usize) -> bool {
        let mut own = self.figures.iter().filter(|f| f.group == group && !f.of_others);
        own.all(|figure| figure.value == 0.0)
    }

    fn hides(&self, group: usize) -> bool {
        self.figures.iter().any(|figure| figure.group == group && !figure.shown)
    }
}

/// The persons of rows together.
fn together<'a>(sets: impl Iterator<Item = &'a BTreeSet<String>>) -> BTreeSet<String> {
    sets.flatten().cloned().collect()
}

fn guarded(declarations: &Declarations) -> Vec<&Query> {
    declarations.queries.iter().filter(|query| query.smallest_group.is_some()).collect()
}

fn warehouse(folder: &TempDir, declarations: &Arc<Declarations>) -> Warehouse {
    let lake = Lake::open(&Location::Folder(folder.path().join("lake"))).unwrap();
    let geography = Geography::from_declared(UNITS, SUCCESSORS).unwrap();
    let declarations = Arc::clone(declarations);
    Warehouse::new(lake, declarations, Arc::new(geography), Limits::default()).unwrap()
}

/// The rows of a query of a country, before and after, with the persons behind each figure: what it
/// counts is asked for by name instead.
async fn rows_of(warehouse: &Warehouse, query: &Query, country: &Country) -> Vec<Row> {
    let workshop = warehouse.workshop(country.tables()).unwrap();
    let sql = country.sql(&query.sql);
    let before = workshop.stage(&sql).await.unwrap();
    let after = super::hide(query, before.clone()).unwrap();
    let whole = |staged: &super::Staged| {
        let batches: Vec<RecordBatch> = staged.batches().unwrap().map(Result::unwrap).collect();
        let schema = batches.first().map(RecordBatch::schema);
        schema.map(|schema| concat_batches(&schema, &batches).unwrap())
    };
    let (Some(before), Some(after)) = (whole(&before), whole(&after)) else { return Vec::new() };
    let counts = Regex::new(r"count\(DISTINCT (.*?)\) AS").unwrap();
    let names = counts.replace_all(&sql, "string_agg(DISTINCT $1, ';') AS");
    let named = workshop.rows(&names).await.unwrap();
    let named = concat_batches(&named[0].schema(), &named).unwrap();
    let declared = query.smallest_group.as_ref().unwrap();
    let key = |batch: &RecordBatch, row: usize| -> BTreeMap<String, String> {
        let by = declared.by.iter();
        by.map(|column| (column.clone(), text(batch, column, row))).collect()
    };
    let places: BTreeMap<_, _> = (0..named.num_rows()).map(|at| (key(&named, at), at)).collect();
    let row = |at: usize| {
        let about = key(&before, at);
        let block = about.iter().filter(|(name, _)| !declared.total_over.contains(name));
        let block = block.map(|(_, value)| value.clone()).collect();
        let groups = groups(declared, &named, places[&about], &format!("{about:?}"));
        Row { block, groups, figures: figures(declared, (&before, &after), at), about }
    };
    (0..before.num_rows()).map(row).collect()
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> String {
    array_value_to_string(batch.column_by_name(column).unwrap(), row).unwrap()
}

fn groups(
    declared: &SmallestGroup,
    named: &RecordBatch,
    at: usize,
    row: &str,
) -> Vec<(BTreeSet<String>, BTreeSet<String>)> {
    // A column that counts without telling persons apart counts persons of its own.
    let persons = |column: &String| -> Result<BTreeSet<String>, usize> {
        let cell = text(named, column, at);
        if named.column_by_name(column).unwrap().data_type().is_numeric() {
            return Err(cell.parse().unwrap_or(0));
        }
        Ok(cell.split(';').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    };
    let some = |count: usize, what: &str| -> BTreeSet<String> {
        (0..count).map(|at| format!("{row} {what} {at}")).collect()
    };
    let all = persons(&declared.persons).unwrap_or_else(|count| some(count, "all"));
    let part = |part: &warehouse::spec::GroupPart| match persons(&part.persons) {
        Ok(of) => {
            let told = part.others.as_ref().map(|others| persons(others).unwrap());
            let others = told.unwrap_or_else(|| all.difference(&of).cloned().collect());
            (of, others)
        }
        Err(count) => {
            let others = all.len().saturating_sub(count);
            (some(count, &part.persons), some(others, "others"))
        }
    };
    let parts: Vec<_> = declared.parts.iter().map(part).collect();
    [(all.clone(), BTreeSet::new())].into_iter().chain(parts).collect()
}

fn figures(
    declared: &SmallestGroup,
    (before, after): (&RecordBatch, &RecordBatch),
    row: usize,
) -> Vec<Figure> {
    let schema = before.schema();
    let columns = schema.fields().iter().map(|field| field.name().clone());
    let is_figure = |name: &String| name != warehouse::stage::ROW && !declared.by.contains(name);
    let figure = |column: String| {
        let part = declared.parts.iter().position(|part| {
            part.persons == column
                || part.others.as_ref() == Some(&column)
                || part.measures.contains(&column)
        });
        let numbers = cast(before.column_by_name(&column).unwrap(), &DataType::Float64).unwrap();
        let numbers = numbers.as_primitive::<Float64Type>();
        let value = if numbers.is_null(row) { 0.0 } else { numbers.value(row) };
        let shown = after.column_by_name(&column).unwrap().is_valid(row);
        // A sum over nothing is empty as well.
        let shown = shown && numbers.is_valid(row);
        // How many others there are shows when the part is shown.
        let group = part.map_or(0, |part| part + 1);
        let of_others =
            part.is_some_and(|part| declared.parts[part].others.as_ref() == Some(&column));
        Figure { column, group, of_others, value, shown }
    };
    columns.filter(is_figure).map(figure).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_figure_of_any_country_can_be_had_of_fewer_persons_than_declared() {
    let declarations = Arc::new(load_embedded().declarations);
    let queries: Vec<Query> = guarded(&declarations).into_iter().cloned().collect();
    assert!(queries.len() >= 5, "the marts and indicators made of persons");
    let folder = tempfile::tempdir().unwrap();
    let warehouse = warehouse(&folder, &declarations);
    let (mut shown, mut hidden) = (0, 0);
    for seed in 0..COUNTRIES {
        let country = Country::new(seed, &queries, &declarations);
        let mut all = BTreeMap::new();
        for query in &queries {
            let rows = rows_of(&warehouse, query, &country).await;
            let figures = || rows.iter().flat_map(|row| &row.figures);
            shown += figures().filter(|figure| figure.shown).count();
            hidden += figures().filter(|figure| !figure.shown).count();
            attack::rows(query, &rows, seed);
            attack::differences(query, &rows, seed);
            all.insert(query.id.clone(), rows);
        }
        attack::sisters(&all, seed);
    }
    println!(
        "{COUNTRIES} countries, {} queries: {shown} figures shown, {hidden} hidden or empty",
        queries.len()
    );
    assert!(shown > 1000 && hidden > 1000, "{shown} shown, {hidden} hidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_does_not_depend_on_the_order_of_the_rows() {
    let declarations = Arc::new(load_embedded().declarations);
    let queries: Vec<Query> = guarded(&declarations).into_iter().cloned().collect();
    let folder = tempfile::tempdir().unwrap();
    let warehouse = warehouse(&folder, &declarations);
    let country = Country::new(7, &queries, &declarations);
    for query in &queries {
        let mut all = Vec::new();
        for order in ["ASC", "DESC"] {
            let workshop = warehouse.workshop(country.tables()).unwrap();
            let by = query.smallest_group.as_ref().unwrap().by.join(&format!(" {order}, "));
            let sql = format!("{} ORDER BY {by} {order}", country.sql(&query.sql));
            let shown = super::hide(query, workshop.stage(&sql).await.unwrap()).unwrap();
            let mut lines = Vec::new();
            for batch in shown.batches().unwrap().map(Result::unwrap) {
                let columns = batch.num_columns() - 1;
                let line = |row| {
                    let cells = batch.columns()[..columns].iter();
                    let cells = cells.map(|column| array_value_to_string(column, row).unwrap());
                    cells.collect::<Vec<_>>().join("|")
                };
                lines.extend((0..batch.num_rows()).map(line));
            }
            lines.sort();
            all.push(lines);
        }
        assert_eq!(all[0], all[1], "{}", query.id);
    }
}
