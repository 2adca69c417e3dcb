//! The catalogue of databases: all 24 groups of Điều 5 with their databases, which everyone may
//! know (Điều 18.3), and with the tables and indicators that the reader may see.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::names::{Group, Schema, TableName};
use warehouse::spec::{Contract, Query, QueryKind};

use crate::app::App;
use crate::error::PageError;
use crate::freshness::{self, Nights};
use crate::pages::notes::Freshness;
use crate::request::Reader;
use crate::shell::{Part, Shell, page};
use crate::simulated::{Simulated, simulated};
use crate::tables::{self, TableInfo};
use crate::text::catalogue::{Words, words};
use crate::text::{fill, size};

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    shell: Shell,
    w: &'static Words,
    summary: String,
    groups: Vec<GroupView>,
    reference: Vec<SourceView>,
    schemas: Vec<SchemaView>,
}

struct GroupView {
    number: u8,
    title: String,
    caption: String,
    sources: Vec<SourceView>,
    /// Address and title.
    indicators: Vec<(String, String)>,
    marts: Vec<(String, String)>,
}

struct SourceView {
    id: String,
    title: String,
    owner: String,
    class: &'static str,
    class_words: String,
    tables: String,
    freshness: Option<Freshness>,
}

struct SchemaView {
    name: &'static str,
    title: &'static str,
    caption: String,
    tables: Vec<TableView>,
}

struct TableView {
    name: String,
    title: String,
    grain: String,
    class: &'static str,
    class_words: String,
    freshness: Option<Freshness>,
    mark: Option<&'static str>,
}

pub(crate) async fn show(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let (nights, simulated) =
        tokio::try_join!(freshness::nights(&app, &reader), simulated(&app, &reader))?;
    let lang = reader.lang;
    let w = words(lang);
    let declarations = app.declarations();
    let sight = app.sight(&reader)?;
    let (nights, simulated) = (&nights, &simulated);
    let looking = Looking { reader: &reader, sight: &sight, nights, simulated };
    let groups: Vec<GroupView> =
        Group::all().map(|group| group_view(&app, &looking, group)).collect();
    let contracts = &declarations.contracts;
    let covered = groups.iter().filter(|group| !group.sources.is_empty()).count();
    let seen = |contract: &&Contract| seen(&sight, contract) > 0;
    let readable = contracts.iter().filter(seen).count();
    let numbers = [covered, contracts.len(), readable].map(|number| size(number, lang));
    let without_group = contracts.iter().filter(|contract| contract.groups.is_empty());
    let visible = tables::visible(&app, &reader)?;
    let template = CataloguePage {
        shell: Shell::new(&reader, Some(Part::Catalogue), w.title),
        w,
        summary: fill(w.summary, &numbers.each_ref().map(String::as_str)),
        groups,
        reference: without_group.map(|contract| source_view(&looking, contract)).collect(),
        schemas: Schema::ALL
            .into_iter()
            .filter_map(|schema| schema_view(&looking, schema, &visible))
            .collect(),
    };
    page(&template)
}

/// Who looks, and what there is for them.
struct Looking<'a> {
    reader: &'a Reader,
    sight: &'a BTreeMap<TableName, SchemaRef>,
    nights: &'a Nights,
    simulated: &'a Simulated,
}

fn group_view(app: &App, looking: &Looking<'_>, group: Group) -> GroupView {
    let (lang, w) = (looking.reader.lang, words(looking.reader.lang));
    let declarations = app.declarations();
    let contracts = declarations.contracts.iter();
    let sources = contracts.filter(|contract| contract.groups.contains(&group));
    let queries =
        |kind| declarations.of_kind(kind).filter(move |query| query.groups.contains(&group));
    let is_there =
        |mart: &&Query| mart.table().is_some_and(|name| looking.sight.contains_key(&name));
    let number = group.number().to_string();
    GroupView {
        number: group.number(),
        title: fill(w.group, &[&number, group.title().get(lang)]),
        caption: fill(w.databases_of, &[&number]),
        sources: sources.map(|contract| source_view(looking, contract)).collect(),
        indicators: queries(QueryKind::Indicator)
            .filter(|query| looking.reader.may_read(query.sensitivity))
            .map(|query| (format!("/chi-tieu/{}", query.id), query.title.get(lang).to_owned()))
            .collect(),
        marts: queries(QueryKind::Mart)
            .filter(is_there)
            .map(|query| (format!("/bang/kho.{}", query.id), query.title.get(lang).to_owned()))
            .collect(),
    }
}

/// How many tables of a source are there for the reader.
fn seen(sight: &BTreeMap<TableName, SchemaRef>, contract: &Contract) -> usize {
    contract.tables.iter().filter(|table| sight.contains_key(&table.name)).count()
}

/// A source as everyone may know it, and how its tables are for those who may see them.
fn source_view(looking: &Looking<'_>, contract: &Contract) -> SourceView {
    let lang = looking.reader.lang;
    let whole = looking.reader.reads_whole(contract.sensitivity);
    let seen = seen(looking.sight, contract);
    let latest = contract.tables.iter().map(|table| looking.nights.of(&table.name));
    SourceView {
        id: contract.id.clone(),
        title: contract.title.get(lang).to_owned(),
        owner: contract.owner.get(lang).to_owned(),
        class: contract.sensitivity.as_str(),
        class_words: contract.sensitivity.title().get(lang).to_owned(),
        // None seen is not none there, for whom some may be hidden.
        tables: if whole || seen > 0 { size(seen, lang) } else { String::new() },
        freshness: whole.then(|| Freshness::worst(latest, lang)),
    }
}

/// That of a table whose nights the reader may know about.
fn freshness_of(looking: &Looking<'_>, table: &TableInfo<'_>) -> Option<Freshness> {
    let told = !table.is_system() && looking.reader.reads_whole(table.class);
    told.then(|| Freshness::of(looking.nights.of(&table.name), looking.reader.lang))
}

fn schema_view(
    looking: &Looking<'_>,
    schema: Schema,
    visible: &[TableInfo<'_>],
) -> Option<SchemaView> {
    let (lang, w) = (looking.reader.lang, words(looking.reader.lang));
    let inside = visible.iter().filter(|table| table.name.schema() == schema);
    let tables: Vec<TableView> = inside
        .map(|table| TableView {
            name: table.name.to_string(),
            title: table.title.get(lang).to_owned(),
            grain: table.grain.get(lang).to_owned(),
            class: table.class.as_str(),
            class_words: table.class.title().get(lang).to_owned(),
            freshness: freshness_of(looking, table),
            mark: looking.simulated.mark_of_table(&table.name, lang),
        })
        .collect();
    let title = match schema {
        Schema::Nguon => w.schema_nguon,
        Schema::HanChe => w.schema_han_che,
        Schema::DanhMuc => w.schema_danh_muc,
        Schema::Kho => w.schema_kho,
        Schema::ChiTieu => w.schema_chi_tieu,
        Schema::Mo => w.schema_mo,
        Schema::HeThong => w.schema_he_thong,
    };
    let caption = fill(w.tables_in, &[schema.as_str()]);
    let view = SchemaView { name: schema.as_str(), title, caption, tables };
    (!view.tables.is_empty()).then_some(view)
}
