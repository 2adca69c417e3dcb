//! The catalogue of databases: all 24 groups of Điều 5, with what is there for each, and every
//! table of the lake.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::names::{Group, Lang, Schema};
use warehouse::spec::{Contract, Declarations, QueryKind};

use crate::app::App;
use crate::error::PageError;
use crate::freshness::{self, Nights};
use crate::pages::notes::Freshness;
use crate::request::Reader;
use crate::shell::{Part, Shell, page};
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
    freshness: Freshness,
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
}

pub(crate) async fn show(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let nights = freshness::nights(&app).await?;
    let lang = reader.lang;
    let w = words(lang);
    let declarations = app.declarations();
    let groups: Vec<GroupView> =
        Group::all().map(|group| group_view(declarations, group, &nights, lang)).collect();
    let contracts = &declarations.contracts;
    let covered = groups.iter().filter(|group| !group.sources.is_empty()).count();
    let connected = contracts.iter().filter(|contract| !contract.tables.is_empty()).count();
    let numbers = [covered, connected, contracts.len()].map(|number| size(number, lang));
    let without_group = contracts.iter().filter(|contract| contract.groups.is_empty());
    let all = tables::all(declarations)?;
    let template = CataloguePage {
        shell: Shell::new(&reader, Some(Part::Catalogue), w.title),
        w,
        summary: fill(w.summary, &numbers.each_ref().map(String::as_str)),
        groups,
        reference: without_group.map(|contract| source_view(contract, &nights, lang)).collect(),
        schemas: Schema::ALL
            .into_iter()
            .filter_map(|schema| schema_view(schema, &all, &nights, lang))
            .collect(),
    };
    page(&template)
}

fn group_view(declarations: &Declarations, group: Group, nights: &Nights, lang: Lang) -> GroupView {
    let w = words(lang);
    let contracts = declarations.contracts.iter();
    let sources = contracts.filter(|contract| contract.groups.contains(&group));
    let queries =
        |kind| declarations.of_kind(kind).filter(move |query| query.groups.contains(&group));
    let number = group.number().to_string();
    GroupView {
        number: group.number(),
        title: fill(w.group, &[&number, group.title().get(lang)]),
        caption: fill(w.databases_of, &[&number]),
        sources: sources.map(|contract| source_view(contract, nights, lang)).collect(),
        indicators: queries(QueryKind::Indicator)
            .map(|query| (format!("/chi-tieu/{}", query.id), query.title.get(lang).to_owned()))
            .collect(),
        marts: queries(QueryKind::Mart)
            .map(|query| (format!("/bang/kho.{}", query.id), query.title.get(lang).to_owned()))
            .collect(),
    }
}

fn source_view(contract: &Contract, nights: &Nights, lang: Lang) -> SourceView {
    let latest = contract.tables.iter().map(|table| nights.of(&table.name));
    SourceView {
        id: contract.id.clone(),
        title: contract.title.get(lang).to_owned(),
        owner: contract.owner.get(lang).to_owned(),
        class: contract.sensitivity.as_str(),
        class_words: contract.sensitivity.title().get(lang).to_owned(),
        tables: size(contract.tables.len(), lang),
        freshness: Freshness::worst(latest, lang),
    }
}

fn schema_view(
    schema: Schema,
    all: &[TableInfo<'_>],
    nights: &Nights,
    lang: Lang,
) -> Option<SchemaView> {
    let w = words(lang);
    let inside = all.iter().filter(|table| table.name.schema() == schema);
    let tables: Vec<TableView> = inside
        .map(|table| TableView {
            name: table.name.to_string(),
            title: table.title.get(lang).to_owned(),
            grain: table.grain.get(lang).to_owned(),
            class: table.class.as_str(),
            class_words: table.class.title().get(lang).to_owned(),
            freshness: (!table.is_system()).then(|| Freshness::of(nights.of(&table.name), lang)),
        })
        .collect();
    let title = match schema {
        Schema::Nguon => w.schema_nguon,
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
