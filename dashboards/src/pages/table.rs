//! One table: what a row is, its columns, where it comes from, what it is used for, its recent
//! batches and checks, a query to begin with, and its first rows where anyone may read them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::names::{Lang, TableName};
use warehouse::spec::{Contract, Declarations, Query, QueryKind, SourceTable};
use warehouse::system;

use crate::app::App;
use crate::error::PageError;
use crate::freshness::{self, Batch};
use crate::pages::notes::Freshness;
use crate::pages::source::{CheckView, RefusalView};
use crate::request::{Named, Reader};
use crate::shell::{Part, Rows, Shell, Shown, page};
use crate::tables::{self, Origin, TableInfo};
use crate::text::catalogue::{Words, words};
use crate::text::{count, date, fill, size};
use crate::{boards, lang, sql};

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
    reads: Vec<String>,
    /// Address and title.
    used_by: Vec<(String, String)>,
    freshness: Option<Freshness>,
    columns_caption: String,
    columns: Vec<ColumnView>,
    batches_caption: String,
    batches: Vec<BatchView>,
    checks: Vec<CheckView>,
    refusals: Vec<RefusalView>,
    sample: String,
    sample_href: String,
    rows: Option<Rows>,
    not_readable: Option<String>,
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
    let info = tables::find(&app, &name)?;
    let text = name.to_string();
    let wanted = |table: &str| table == text;
    let lang = reader.lang;
    let readable = app.is_public(info.class);
    let (nights, batches, checks, refusals, rows) = tokio::try_join!(
        freshness::nights(&app),
        freshness::batches(&app, &name),
        freshness::checks(&app, lang, wanted),
        freshness::refusals(&app, wanted),
        async { if readable { first_rows(&app, &name, lang).await.map(Some) } else { Ok(None) } },
    )?;
    let w = words(lang);
    let sample = sample(&info);
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
        mart: match info.origin {
            Origin::Mart(query) => Some(query),
            _ => None,
        },
        reads: match info.origin {
            Origin::Mart(query) => query.reads.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        },
        used_by: used_by(app.declarations(), &name, lang),
        freshness: (!info.is_system()).then(|| Freshness::of(nights.of(&name), lang)),
        columns_caption: fill(w.columns_caption, &[&text]),
        columns: columns(&info, lang),
        batches_caption: fill(w.batches_caption, &[&text]),
        batches: batches.iter().map(|batch| BatchView::new(batch, lang)).collect(),
        checks: checks.iter().map(|check| CheckView::new(check, &reader)).collect(),
        refusals: refusals.iter().map(|refusal| RefusalView::new(refusal, &reader)).collect(),
        sample_href: lang::href_with(lang, "/sql", &[("q", Some(&sample))]),
        sample,
        rows: rows.filter(|rows| !rows.rows.is_empty()),
        not_readable: (!readable).then(|| fill(w.not_readable, &[info.class.title().get(lang)])),
        name: text,
    };
    page(&template)
}

async fn first_rows(app: &App, name: &TableName, lang: Lang) -> Result<Rows, PageError> {
    // A parsed table name holds nothing but snake case.
    let which =
        if *name == system::indicator_values().name { open_indicators(app) } else { String::new() };
    let grid = app.read(&format!("SELECT * FROM {name} {which} LIMIT {FIRST_ROWS}")).await?;
    let number = size(grid.rows.len(), lang);
    let caption = fill(words(lang).first_rows_caption, &[&number, &name.to_string()]);
    Ok(Rows::new(caption, &grid, lang))
}

/// One table holds all indicators, open or not: the condition that a row is of an open one.
fn open_indicators(app: &App) -> String {
    let open =
        boards::declared(app).into_iter().filter(|(query, _)| app.is_public(query.sensitivity));
    let ids: Vec<String> = open.map(|(query, _)| sql::text(&query.id)).collect();
    if ids.is_empty() {
        return "WHERE false".to_owned();
    }
    format!("WHERE ma_chi_tieu IN ({})", ids.join(", "))
}

/// A query that reads the table as a person would begin.
fn sample(info: &TableInfo<'_>) -> String {
    let columns: Vec<&str> =
        info.columns.iter().take(8).map(|column| column.name.as_str()).collect();
    let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
    format!("SELECT {columns}\nFROM {}\nLIMIT 100", info.name)
}

fn used_by(declarations: &Declarations, name: &TableName, lang: Lang) -> Vec<(String, String)> {
    let reading = declarations.queries.iter().filter(|query| query.reads.contains(name));
    reading
        .filter_map(|query| {
            let address = match query.kind {
                QueryKind::Mart => format!("/bang/kho.{}", query.id),
                QueryKind::Indicator => format!("/chi-tieu/{}", query.id),
                QueryKind::OpenData => return None,
            };
            Some((address, query.title.get(lang).to_owned()))
        })
        .collect()
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
    fn new(batch: &Batch, lang: Lang) -> Self {
        let number =
            |number: Option<i64>| Shown::text(number.map(|number| count(number, lang)), lang);
        Self {
            night: date(batch.night, lang),
            tone: batch.outcome.tone(),
            outcome: batch.outcome.words(lang),
            batch: Shown::text(batch.batch.clone(), lang),
            read: number(batch.rows_read),
            written: number(batch.rows_written),
            quarantined: number(batch.rows_quarantined),
            version: number(batch.version),
        }
    }
}
