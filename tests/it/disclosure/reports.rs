//! What people are shown: text, HTML without script, JSON; and files whole or not at all.

use disclosure::{
    Limits, Purpose, Report, StatusDetail, protect_candidate, render_tables, write_whole,
};
use scraper::{Html, Selector};

use super::support::{Files, load};

const SPEC: &str = "[table]\nmeasure = \"n\"\nmargins = \"compute\"\n[[dimension]]\ncolumn = \"a\"\n\
                    total = \"T\"\n[[dimension]]\ncolumn = \"b\"\ntotal = \"T\"\n[rule]\n\
                    min_contributors = 5\n";
const TABLE: &str =
    "a,b,n\n<x>,c,2\n<x>,d,30\n<x>,e,9\ny,c,40\ny,d,8\ny,e,20\nz,c,11\nz,d,3\nz,e,50\n";

fn report() -> (Report, String) {
    let files = Files::new();
    let spec = files.put("spec.toml", SPEC);
    let loaded = load(&spec, &[&files.put("t.csv", TABLE)], Purpose::Protect);
    let (primaries, verdict) = protect_candidate(&loaded.model, Limits::default());
    let audited = verdict.audited().expect("can be protected");
    let rendered = render_tables(&loaded.model, audited, StatusDetail::Public).expect("csv");
    let table = String::from_utf8(rendered[0].1.clone()).expect("text");
    (Report::new(&loaded.spec, &loaded.model, &primaries, &verdict), table)
}

#[test]
fn html_is_labelled_and_has_no_script() {
    let (report, _) = report();
    let page = Html::parse_document(&report.to_html());
    let count = |selector: &str| page.select(&Selector::parse(selector).expect("valid")).count();
    assert_eq!(count("script, link, img, iframe"), 0);
    assert_eq!((count("html[lang=vi]"), count("main"), count("h1"), count("title")), (1, 1, 1, 1));
    assert_eq!(count("table"), count("table > caption"));
    assert_eq!(count("th"), count("th[scope]"));
    assert!(count("span[lang=en]") > 10);
    assert!(report.to_html().contains("&lt;x&gt;"), "codes are escaped");
}

#[test]
fn json_and_text_agree_and_the_public_table_tells_no_reason() {
    let (report, table) = report();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("json");
    assert_eq!(json["verdict"], "passed");
    assert_eq!(json["cells"], 16);
    assert_eq!(json["primary"], 2);
    assert!(report.to_text().starts_with("ĐẠT · passed"));
    assert!(table.lines().any(|line| line == "<x>,c,,suppressed"), "{table}");
    assert!(!table.contains("primary") && !table.contains("secondary"));
    let hidden = table.lines().filter(|line| line.ends_with("suppressed")).count();
    assert_eq!(
        hidden as u64,
        json["primary"].as_u64().unwrap_or(0) + json["secondary"].as_u64().unwrap_or(0)
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (first, second) = (report(), report());
    assert_eq!(first.1, second.1);
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_old_one() {
    let files = Files::new();
    let old = files.put("t.csv", "old");
    write_whole(&old, b"new").expect("writable");
    assert_eq!(std::fs::read(&old).expect("there"), b"new");
    let under_a_file = old.join("x.csv");
    assert!(write_whole(&under_a_file, b"never").is_err());
    assert_eq!(std::fs::read_dir(files.0.path()).expect("a folder").count(), 1);
}
