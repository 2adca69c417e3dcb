//! Thirty nights on one lake: what a night reads and writes does not grow with what there is
//! already.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use crate::growth::{House, UPSERT, contract, day, server};
use crate::support;

const TABLE: &str = "nguon/kcb_luot_kham";

/// The nights of July that have a day of their own in the source.
const NIGHTS: std::ops::RangeInclusive<u32> = 2..=31;

/// The first night for which the source has four days: from here on each night asks for as much.
const STEADY: u32 = 5;

/// The files that the newest version of the table is made of, by its log.
fn live(house: &House) -> BTreeSet<String> {
    let log = support::files(&house.path().join("lake").join(TABLE).join("_delta_log"));
    let mut files = BTreeSet::new();
    // The names are numbers of one length, so that they come in order.
    for (_, commit) in log.iter().filter(|(name, _)| name.ends_with(".json")) {
        let actions = std::str::from_utf8(commit).unwrap().lines();
        for action in actions.map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            if let Some(path) = action["add"]["path"].as_str() {
                files.insert(path.to_owned());
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                files.remove(path);
            }
        }
    }
    files
}

#[test]
fn the_thirtieth_night_reads_and_writes_no_more_than_the_second() {
    let (server, config) = server();
    let contract = contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", UPSERT);
    let house = House::new(&contract, &config);
    let mut before: BTreeSet<PathBuf> = BTreeSet::new();
    // Of each night: files written, files that the table is made of, seconds.
    let mut nights: Vec<(usize, usize, f64)> = Vec::new();
    for date in NIGHTS {
        day(&server, date);
        let begun = Instant::now();
        house.night(&format!("2026-07-{date:02}"));
        let took = begun.elapsed().as_secs_f64();
        let after: BTreeSet<PathBuf> = house.parquet(TABLE).into_iter().collect();
        let written = after.difference(&before).count();
        nights.push((written, live(&house).len(), took));
        before = after;
    }
    let durations: Vec<String> = nights.iter().map(|(.., took)| format!("{took:.2}")).collect();
    println!("seconds of each night: {}", durations.join(" "));

    assert_eq!(nights.len(), 30);
    let (written, made_of, _) = nights[1];
    assert!(written > 0 && made_of > 0, "{nights:?}");
    for (number, (later_written, later_made_of, _)) in nights.iter().enumerate().skip(1) {
        let night = number + 1;
        assert!(*later_written <= written + 1, "files written by night {night}: {nights:?}");
        assert!(*later_made_of <= made_of + 1, "files after night {night}: {nights:?}");
    }
    let read = format!(
        "SELECT DISTINCT so_dong_doc FROM he_thong.lan_chay WHERE bang = 'nguon.kcb_luot_kham' AND \
         dem >= DATE '2026-07-{STEADY:02}'"
    );
    // Of each of three days 40 visits, and 12 of the day before them that were changed since.
    assert_eq!(house.lines(&read), ["132"]);
    // All that came, less the one visit that is deleted on each day but the first.
    let count = house.lines("SELECT count(*) FROM nguon.kcb_luot_kham");
    assert_eq!(count, [(30 * 40 - 29).to_string()]);
}
