//! One source: who answers for it, which everyone may know, and for those who may see them its
//! tables, what the newest night checked and refused.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::spec::Contract;

use crate::app::App;
use crate::error::PageError;
use crate::freshness::{self, CheckResult, Refusal};
use crate::pages::notes::Freshness;
use crate::request::{Named, Reader};
use crate::shell::{Part, Shell, Shown, page};
use crate::simulated::simulated;
use crate::text::catalogue::{Words, words};
use crate::text::{count, fill};

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage<'a> {
    shell: Shell,
    w: &'static Words,
    contract: &'a Contract,
    class_words: String,
    groups: Vec<(u8, String)>,
    tables: Vec<TableView>,
    no_tables: &'static str,
    /// Said in place of counts to whom they say nothing.
    counts_hidden: Option<&'static str>,
    checks: Vec<CheckView>,
    refusals: Option<Vec<RefusalView>>,
}

struct TableView {
    name: String,
    title: String,
    grain: String,
    freshness: Option<Freshness>,
    quarantined: Shown,
    mark: Option<&'static str>,
}

/// One result of a check, in words.
pub(crate) struct CheckView {
    pub(crate) table: String,
    pub(crate) title: String,
    pub(crate) action: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) result: String,
}

/// Refused rows of one column for one reason.
pub(crate) struct RefusalView {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) reason: String,
    pub(crate) rows: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Named(id): Named,
    reader: Reader,
) -> Result<Response, PageError> {
    let mut contracts = app.declarations().contracts.iter();
    let contract = contracts.find(|contract| contract.id == id).ok_or(PageError::NotFound)?;
    let whole = reader.reads_whole(contract.sensitivity);
    let sight = app.sight(&reader)?;
    let tables = contract.tables.iter().filter(|table| sight.contains_key(&table.name));
    let names: Vec<String> = tables.clone().map(|table| table.name.to_string()).collect();
    let wanted = |table: &str| names.iter().any(|name| name == table);
    let lang = reader.lang;
    let (nights, simulated, checks, refusals) = tokio::try_join!(
        freshness::nights(&app, &reader),
        simulated(&app, &reader),
        freshness::checks(&app, &reader, wanted),
        freshness::refusals(&app, &reader, wanted),
    )?;
    let (w, groups) = (words(lang), contract.groups.iter());
    let tables = tables.map(|table| {
        let latest = nights.of(&table.name);
        TableView {
            name: table.name.to_string(),
            title: table.title.get(lang).to_owned(),
            grain: table.grain.get(lang).to_owned(),
            freshness: whole.then(|| Freshness::of(latest, lang)),
            quarantined: Shown::text(
                whole.then(|| count(latest.map_or(0, |latest| latest.quarantined), lang)),
                lang,
            ),
            mark: simulated.mark_of_table(&table.name, lang),
        }
    });
    let refusals = refusals.map(|all| all.iter().map(|r| RefusalView::new(r, &reader)).collect());
    let template = SourcePage {
        shell: Shell::new(&reader, Some(Part::Catalogue), contract.title.get(lang)),
        w,
        class_words: contract.sensitivity.title().get(lang).to_owned(),
        groups: groups.map(|group| (group.number(), group.title().get(lang).to_owned())).collect(),
        tables: tables.collect(),
        no_tables: if whole { w.no_tables } else { w.tables_hidden },
        counts_hidden: (!whole).then_some(w.counts_hidden),
        checks: checks.iter().map(|check| CheckView::new(check, &reader)).collect(),
        refusals,
        contract,
    };
    page(&template)
}

impl CheckView {
    pub(crate) fn new(check: &CheckResult, reader: &Reader) -> Self {
        let w = words(reader.lang);
        let action = match check.action.as_str() {
            "quarantine" | "cach_ly" => w.action_quarantine,
            "refuse" | "tu_choi" => w.action_refuse,
            _ => w.action_warn,
        };
        let (tone, result) = if check.passed {
            ("good", w.passed.to_owned())
        } else {
            ("bad", fill(w.failed, &[&count(check.faults, reader.lang)]))
        };
        let title = if check.title.is_empty() { &check.name } else { &check.title };
        Self { table: check.table.clone(), title: title.clone(), action, tone, result }
    }
}

impl RefusalView {
    pub(crate) fn new(refusal: &Refusal, reader: &Reader) -> Self {
        Self {
            table: refusal.table.clone(),
            column: refusal.column.clone(),
            reason: reason(&refusal.reason, reader.lang),
            rows: count(refusal.rows, reader.lang),
        }
    }
}

/// A reason in words; a reason that the pages do not know is shown as it was written.
fn reason(code: &str, lang: warehouse::names::Lang) -> String {
    let w = words(lang);
    if code.starts_with("ro_ri:") {
        return w.reason_identifier.to_owned();
    }
    let known = match code {
        "don_vi_khong_xac_dinh" => w.reason_unit,
        "ngoai_danh_muc" => w.reason_list,
        "ngoai_khoang" => w.reason_range,
        "khong_co_ngay_nay" | "sai_kieu" | "thieu_ngay" | "thieu_thang" => w.reason_type,
        "sai_mau" => w.reason_pattern,
        "thieu_gia_tri" => w.reason_missing,
        "trung_khoa" => w.reason_key,
        other => other,
    };
    known.to_owned()
}
