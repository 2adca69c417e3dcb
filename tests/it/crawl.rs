//! Every address that links and forms lead to, as a stranger and as a planner: nothing that stands
//! only in what is above open is anywhere among what the stranger reads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use warehouse::grid::{Cell, Grid};
use warehouse::names::{Group, Lang, Sensitivity, TableName, Text};
use warehouse::spec::QueryKind;

use crate::support::{self, Server};
use crate::web::{self, get_with, post};

/// Where the crawl begins, in both languages.
const STARTS: [&str; 6] = ["/", "/bang-dieu-khien", "/chi-tieu", "/danh-muc", "/sql", "/dang-nhap"];

/// Addresses visited at most.
const VISITS: usize = 1500;

/// Queries of anyone who looks around.
const QUERIES: [&str; 16] = [
    "SELECT * FROM he_thong.bang",
    "SELECT * FROM he_thong.cot",
    "SELECT * FROM he_thong.lan_chay",
    "SELECT * FROM he_thong.kiem_tra",
    "SELECT * FROM he_thong.dong_chay",
    "SELECT * FROM he_thong.rui_ro",
    "SELECT * FROM he_thong.phat_hanh",
    "SELECT * FROM he_thong.cach_ly",
    "SELECT * FROM he_thong.mo_phong",
    "SELECT * FROM chi_tieu.dinh_nghia",
    "SELECT * FROM chi_tieu.gia_tri",
    "SELECT * FROM chi_tieu.ca_nuoc",
    "SELECT * FROM chi_tieu_tai(DATE '2025-07-01')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "EXPLAIN SELECT * FROM chi_tieu.gia_tri",
];

/// What each address of these languages and each query answers, as whoever sends `headers`.
fn crawl(base: &str, headers: &str, languages: &[&str]) -> BTreeMap<String, String> {
    let starts = languages.iter().flat_map(|lang| STARTS.map(|path| format!("{lang}{path}")));
    let mut open: VecDeque<String> = starts.collect();
    let mut read = BTreeMap::new();
    while let Some(path) = open.pop_front() {
        // The open-data site is what was released, by decision and through the gate.
        if path.starts_with("/du-lieu-mo") || read.contains_key(&path) {
            continue;
        }
        assert!(read.len() < VISITS, "the crawl does not end");
        let answer = get_with(base, &path, headers);
        let text = answer.text();
        if answer.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            // Every page leads to the log-in, which comes back to it; the board leads to every
            // combination of its choices.
            let many = ["/dang-nhap?", "/bang-dieu-khien?"];
            let links = web::links(&text).into_iter();
            let links = links.filter(|link| !many.iter().any(|part| link.contains(part)));
            let language = |link: &String| if link.starts_with("/en/") { "/en" } else { "" };
            open.extend(links.filter(|link| languages.contains(&language(link))));
            open.extend(offered(&path, &text));
        }
        read.insert(path, text);
    }
    for query in QUERIES {
        for path in ["/sql", "/en/sql", "/sql.csv", "/sql.json"] {
            let answer = post(base, path, &[("q", query)], headers);
            read.insert(format!("{path}: {query}"), answer.text());
        }
    }
    read
}

/// The address of each choice that a form offers, by itself; of the provinces some.
fn offered(path: &str, page: &str) -> Vec<String> {
    let html = scraper::Html::parse_document(page);
    if path.contains('?') {
        return Vec::new();
    }
    let mut provinces = 0;
    let choices = web::all(&html, "form[method=get] select option").into_iter();
    let address = |option: scraper::ElementRef<'_>| {
        let select = option.parent().and_then(scraper::ElementRef::wrap)?;
        let name = select.attr("name").filter(|name| *name != "ky")?;
        provinces += usize::from(name == "tinh");
        if name == "tinh" && provinces > 3 {
            return None;
        }
        let value = option.attr("value").map_or_else(|| web::text(&option), str::to_owned);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        Some(format!("{path}?{}", query.append_pair(name, &value).finish()))
    };
    choices.filter_map(address).collect()
}

/// Names and titles of what is above open, that are not names or titles of what is open too.
fn hidden_words() -> BTreeSet<String> {
    let declarations = support::declarations();
    let (mut open, mut hidden) = (BTreeSet::new(), BTreeSet::new());
    let mut put = |class: Sensitivity, words: Vec<String>| {
        let into = if class == Sensitivity::Open { &mut open } else { &mut hidden };
        into.extend(words);
    };
    for contract in &declarations.contracts {
        for table in &contract.tables {
            let words = both(&table.title).into_iter().chain([table.name.to_string()]);
            put(table.sensitivity, words.collect());
        }
        // Databases are public, with what is said about them (Điều 18.3).
        let about = [&contract.title, &contract.description];
        put(Sensitivity::Open, about.into_iter().flat_map(both).collect());
    }
    for query in &declarations.queries {
        let mut words = Vec::from(both(&query.title));
        match query.kind {
            QueryKind::Indicator => words.push(query.id.clone()),
            _ => words.extend(query.table().map(|table| table.to_string())),
        }
        put(query.sensitivity, words);
    }
    open.extend(Group::all().flat_map(|group| both(&group.title())));
    hidden.retain(|word| !open.iter().any(|other| other.contains(word.as_str())));
    assert!(hidden.len() > 60, "{}", hidden.len());
    hidden
}

fn both(text: &Text) -> [String; 2] {
    [text.vi.clone(), text.en.clone()]
}

/// Figures of indicators above open that stand in nothing open, as pages and files write them.
fn hidden_figures() -> BTreeSet<String> {
    let warehouse = support::open(support::filled());
    let declarations = support::declarations();
    let is_open = |class| class == Sensitivity::Open;
    let figures = |open: bool| {
        let indicators = declarations.of_kind(QueryKind::Indicator);
        let ids = indicators.filter(|query| is_open(query.sensitivity) == open);
        let ids = ids.map(|query| format!("'{}'", query.id)).collect::<Vec<_>>().join(", ");
        let tables = [
            "chi_tieu.ca_nuoc",
            "chi_tieu.gia_tri",
            "chi_tieu_tai(DATE '2025-06-30')",
            "chi_tieu_tai(DATE '2025-07-01')",
        ];
        tables.map(|table| {
            let sql = format!("SELECT tu_so, mau_so, gia_tri FROM {table}");
            support::rows(&warehouse, &format!("{sql} WHERE ma_chi_tieu IN ({ids})"))
        })
    };
    let marts = declarations.of_kind(QueryKind::Mart).filter(|mart| is_open(mart.sensitivity));
    let lists = declarations.contracts.iter().filter(|contract| is_open(contract.sensitivity));
    let tables = lists.flat_map(|contract| contract.tables.iter().map(|table| table.name.clone()));
    let tables = tables.chain(marts.filter_map(warehouse::spec::Query::table));
    let rows = |table: TableName| support::rows(&warehouse, &format!("SELECT * FROM {table}"));
    let open: BTreeSet<String> =
        figures(true).into_iter().chain(tables.map(rows)).flat_map(|grid| written(&grid)).collect();
    let mut hidden: BTreeSet<String> = figures(false).iter().flat_map(telling).collect();
    hidden.retain(|figure| !open.contains(figure));
    assert!(hidden.len() > 1000, "{}", hidden.len());
    hidden
}

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// Numbers in every form that something may show them in.
fn written(grid: &Grid) -> BTreeSet<String> {
    let forms = |cell: &Cell| [cell.to_string(), cell.display(Lang::Vi), cell.display(Lang::En)];
    grid.rows.iter().flatten().filter(|cell| cell.as_f64().is_some()).flat_map(forms).collect()
}

/// Those of them that do not stand somewhere by chance: counts of five digits and more, and rates
/// in full. `13.913` is a count to one reader and a rate to another.
fn telling(grid: &Grid) -> BTreeSet<String> {
    let whole = |cell: &&Cell| cell.as_f64().is_some_and(|value| value.fract() == 0.0);
    let (counts, rates): (Vec<&Cell>, Vec<&Cell>) =
        grid.rows.iter().flatten().filter(|cell| cell.as_f64().is_some()).partition(whole);
    let counts = counts.into_iter().flat_map(|cell| {
        let plain = cell.as_f64().map(|value| format!("{value:.0}"));
        let forms = [plain.unwrap_or_default(), cell.display(Lang::Vi), cell.display(Lang::En)];
        forms.into_iter().filter(|text| digits(text) >= 5)
    });
    let rates = rates.into_iter().map(ToString::to_string).filter(|text| digits(text) >= 8);
    counts.chain(rates).collect()
}

/// The pieces of what an address answers, between tags, quotes and spaces; of a file between commas
/// and colons too, which on a page stand inside numbers: `11.114,2` is no `11.114`.
fn tokens<'a>(path: &str, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
    let between = if path.starts_with("/sql.") { "<>\"'()[]{}|,:" } else { "<>\"'()[]{}|" };
    text.split(move |c: char| c.is_whitespace() || between.contains(c))
        .map(|token| token.trim_matches(['.', ',', ';', ':']))
        .filter(|token| !token.is_empty())
}

#[test]
fn nothing_above_open_is_anywhere_for_a_stranger() {
    let server = Server::shared();
    let stranger = crawl(&server.web, "", &["", "/en"]);
    let planner = crawl(&server.web, &server.log_in(), &[""]);
    assert!(stranger.len() > 150, "{}", stranger.len());
    let (words, figures) = (hidden_words(), hidden_figures());
    let mut faults = Vec::new();
    for (path, text) in &stranger {
        faults.extend(found(text, &words).into_iter().map(|word| format!("{path}: `{word}`")));
        let figures = tokens(path, text).filter(|token| figures.contains(*token));
        faults.extend(figures.map(|figure| format!("{path}: the figure {figure}")));
    }
    // Where only a planner gets to, a stranger reads what is said where there is nothing.
    for path in planner.keys().filter(|path| path.starts_with('/') && !path.contains(": ")) {
        if stranger.contains_key(path) || path.contains("sql") {
            continue;
        }
        let answer = get_with(&server.web, path, "");
        if !matches!(answer.status, 200 | 404) {
            faults.push(format!("{path}: status {}", answer.status));
        }
        let mut words = found(&answer.text(), &words);
        // The address itself is repeated, in the links to the other language and to the log-in.
        words.retain(|word| !path.contains(*word));
        faults.extend(words.into_iter().map(|word| format!("{path}: `{word}`")));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    // The same search finds plenty in what the planner reads.
    let all = || planner.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let seen: BTreeSet<&str> = all()
        .flat_map(|(path, text)| tokens(path, text))
        .filter(|token| figures.contains(*token))
        .collect();
    let known: BTreeSet<&str> = all().flat_map(|(_, text)| found(text, &words)).collect();
    let counts = (known.len(), seen.len());
    assert!(counts.0 > 30 && counts.1 > 500, "{counts:?} words and figures");
}

fn found<'a>(text: &str, words: &'a BTreeSet<String>) -> Vec<&'a str> {
    words.iter().filter(|word| text.contains(word.as_str())).map(String::as_str).collect()
}
