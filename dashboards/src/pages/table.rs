//! One table, for those who may read it: what a row is, its columns, where it comes from, what it
//! is used for, its recent batches and checks, how exposed its persons are, a query to begin with, and its
//! first rows.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::names::{Lang, TableName};
use warehouse::spec::{Contract, Query, QueryKind, SourceTable};

use crate::app::App;
use crate::error::PageError;
use crate::freshness::{self, Batch};
use crate::lang;
use crate::pages::notes::{self, Freshness};
use crate::pages::risk::RiskView;
use crate::pages::source::{CheckView, RefusalView};
use crate::request::{Named, Reader};
use crate::shell::{Part, Rows, Shell, Shown, page};
use crate::simulated::simulated;
use crate::tables::{self, Origin, TableInfo};
use crate::text::catalogue::{Words, words};
use crate::text::{count, date, fill, size};

/// Rows shown at most.
const FIRST_ROWS: usize = 20;

#[derive(Template)]
#[template(path = "table.html")]
struct TablePage<'a> {
    shell: Shell,
    w: &'static Words,
    name: String,
    grain: String,
    class: &'static str,
    class_words: String,
    groups: Vec<(u8, String)>,
    source: Option<(&'a Contract, &'a SourceTable)>,
    mart: Option<&'a Query>,
    /// How many persons its rows stand for at least, in words.
    smallest_group: Option<String>,
    reads: Vec<String>,
    /// Address and title.
    used_by: Vec<(String, String)>,
    freshness: Option<Freshness>,
    mark: Option<&'static str>,
    is_system: bool,
    columns_caption: String,
    columns: Vec<ColumnView>,
    batches_caption: String,
    batches: Vec<BatchView>,
    /// Said in place of counts to whom they say nothing.
    counts_hidden: Option<&'static str>,
    checks: Vec<CheckView>,
    refusals: Option<Vec<RefusalView>>,
    risk: Option<RiskView>,
    sample: String,
    sample_href: String,
    rows: Option<Rows>,
    /// The SQL that makes it, where all that it reads is the reader's to see.
    definition: Option<String>,
}

struct ColumnView {
    name: String,
    label: Shown,
    ty: String,
    unit: String,
    class: &'static str,
    class_words: String,
}

struct BatchView {
    night: String,
    tone: &'static str,
    outcome: &'static str,
    batch: Shown,
    read: Shown,
    written: Shown,
    quarantined: Shown,
    version: Shown,
}

pub(crate) async fn show(
    State(app): State<App>,
    Named(table): Named,
    reader: Reader,
) -> Result<Response, PageError> {
    let name: TableName = table.parse()?;
    let info = tables::find(&app, &reader, &name)?;
    let text = name.to_string();
    let wanted = |table: &str| table == text;
    let (lang, whole) = (reader.lang, reader.reads_whole(info.class));
    let (nights, simulated, batches, checks, refusals, risks, rows) = tokio::try_join!(
        freshness::nights(&app, &reader),
        simulated(&app, &reader),
        freshness::batches(&app, &reader, &name),
        freshness::checks(&app, &reader, wanted),
        freshness::refusals(&app, &reader, wanted),
        freshness::risks(&app, &reader, &name),
        first_rows(&app, &reader, &name),
    )?;
    let w = words(lang);
    let mart = match info.origin {
        Origin::Mart(query) => Some(query),
        _ => None,
    };
    let reads = tables::known(&app, &reader, mart.into_iter().flat_map(|mart| &mart.reads))?;
    let refusals = refusals.map(|all| all.iter().map(|r| RefusalView::new(r, &reader)).collect());
    let template = TablePage {
        shell: Shell::new(&reader, Some(Part::Catalogue), info.title.get(lang)),
        w,
        grain: info.grain.get(lang).to_owned(),
        class: info.class.as_str(),
        class_words: info.class.title().get(lang).to_owned(),
        groups: info
            .groups()
            .iter()
            .map(|group| (group.number(), group.title().get(lang).to_owned()))
            .collect(),
        source: match info.origin {
            Origin::Source(contract, table) => Some((contract, table)),
            _ => None,
        },
        mart,
        smallest_group: mart.and_then(|mart| notes::smallest_group(&app, mart, lang)),
        definition: mart
            .filter(|mart| mart.reads.len() == reads.len())
            .map(|mart| mart.sql.trim().to_owned()),
        reads,
        used_by: used_by(&app, &reader, &name)?,
        freshness: (whole && !info.is_system()).then(|| Freshness::of(nights.of(&name), lang)),
        mark: simulated.mark_of_table(&name, lang),
        is_system: info.is_system(),
        columns_caption: fill(w.columns_caption, &[&text]),
        columns: columns(&info, lang),
        batches_caption: fill(w.batches_caption, &[&text]),
        batches: batches.iter().map(|batch| BatchView::new(batch, whole, lang)).collect(),
        counts_hidden: (!whole).then_some(w.counts_hidden),
        checks: checks.iter().map(|check| CheckView::new(check, &reader)).collect(),
        risk: RiskView::of(&risks, &info, lang),
        refusals,
        sample_href: lang::href_with(lang, "/sql", &[("bang", Some(&text))]),
        sample: sample(&info),
        rows: Some(rows).filter(|rows| !rows.rows.is_empty()),
        name: text,
    };
    page(&template)
}

async fn first_rows(app: &App, reader: &Reader, name: &TableName) -> Result<Rows, PageError> {
    let lang = reader.lang;
    // A parsed table name holds nothing but snake case.
    let sql = format!("SELECT * FROM {name} LIMIT {FIRST_ROWS}");
    let grid = app.rows(reader, &sql).await?;
    let number = size(grid.rows.len(), lang);
    let caption = fill(words(lang).first_rows_caption, &[&number, &name.to_string()]);
    Ok(Rows::new(caption, &grid, lang))
}

/// A query that reads the table as a person would begin.
pub(crate) fn sample(info: &TableInfo<'_>) -> String {
    let columns: Vec<&str> =
        info.columns.iter().take(8).map(|column| column.name.as_str()).collect();
    let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
    format!("SELECT {columns}\nFROM {}\nLIMIT 100", info.name)
}

/// Address and title of what is made from the table and is the reader's to see.
fn used_by(
    app: &App,
    reader: &Reader,
    name: &TableName,
) -> Result<Vec<(String, String)>, PageError> {
    let sight = app.sight(reader)?;
    let reading = app.declarations().queries.iter().filter(|query| query.reads.contains(name));
    let is_there = |query: &&Query| match query.kind {
        QueryKind::Mart => query.table().is_some_and(|name| sight.contains_key(&name)),
        _ => reader.may_read(query.sensitivity),
    };
    let links = reading.filter(is_there).filter_map(|query| {
        let address = match query.kind {
            QueryKind::Mart => format!("/bang/kho.{}", query.id),
            QueryKind::Indicator => format!("/chi-tieu/{}", query.id),
            QueryKind::OpenData => return None,
        };
        Some((address, query.title.get(reader.lang).to_owned()))
    });
    Ok(links.collect())
}

fn columns(info: &TableInfo<'_>, lang: Lang) -> Vec<ColumnView> {
    let view = |column: &tables::ColumnInfo| ColumnView {
        name: column.name.clone(),
        label: Shown::text(column.label.as_ref().map(|text| text.get(lang).to_owned()), lang),
        ty: column.ty.clone(),
        unit: column.unit.as_ref().map_or(String::new(), |unit| unit.get(lang).to_owned()),
        class: column.class.as_str(),
        class_words: column.class.title().get(lang).to_owned(),
    };
    info.columns.iter().map(view).collect()
}

impl BatchView {
    /// Without counts where they are not `whole`.
    fn new(batch: &Batch, whole: bool, lang: Lang) -> Self {
        let number = |number: Option<i64>| {
            Shown::text(number.filter(|_| whole).map(|number| count(number, lang)), lang)
        };
        Self {
            night: date(batch.night, lang),
            tone: batch.outcome.tone(),
            outcome: batch.outcome.words(lang),
            batch: Shown::text(batch.batch.clone(), lang),
            read: number(batch.rows_read),
            written: number(batch.rows_written),
            quarantined: number(batch.rows_quarantined),
            version: Shown::text(batch.version.map(|version| count(version, lang)), lang),
        }
    }
}
