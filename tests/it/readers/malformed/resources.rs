//! NDJSON: lines that are no resource, not the one that is meant, or more than one.

use super::super::corpus::{self, RESOURCES};
use super::{Case, case};
use crate::kinds::files;

/// A resource as it should be, then a line.
fn after(line: &str) -> String {
    let good = r#"{"resourceType":"Observation","id":"BIMAT"}"#;
    format!("{good}\n{line}\n")
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = lines();
    all.extend(sizes());
    let whole = files::fhir(&corpus::table());
    for left in [3, 20, 60, 100] {
        all.push(case(RESOURCES, &whole[..whole.len() - left], "in line 4"));
    }
    all.push(case(RESOURCES, corpus::utf_16(&whole), "is not UTF-8"));
    all.push(case(RESOURCES, corpus::with_name(&whole, b"Ph\xb9m"), "in line 1: byte "));
    all.push(case(RESOURCES, whole.replace('\n', " "), "something follows"));
    all.push(case(RESOURCES, whole.replace("Observation", "Condition"), "it is no Observation"));
    all.push(case(RESOURCES, format!("[{}]", whole.trim().replace('\n', ",")), "no Observation"));
    all
}

fn lines() -> Vec<Case> {
    let whole = |members: &str| format!(r#"{{"resourceType":"Observation",{members}}}"#);
    [
        (r#"{"resourceType":"Group","id":"BIMAT"}"#.to_owned(), "it is no Observation"),
        (r#"{"resourceType":["Observation"],"id":"BIMAT"}"#.to_owned(), "it is no Observation"),
        (r#"{"id":"BIMAT"}"#.to_owned(), "it is no Observation"),
        ("[]".to_owned(), "it is no Observation"),
        ("null".to_owned(), "it is no Observation"),
        ("\"BIMAT\"".to_owned(), "it is no Observation"),
        ("BIMAT".to_owned(), "there is no value where one belongs"),
        ("\0".to_owned(), "there is no value where one belongs"),
        (r#"{"resourceType":"Observation"} {"id":"BIMAT"}"#.to_owned(), "something follows"),
        (r#"{"resourceType":"Observation""#.to_owned(), "an object is not closed"),
        (r#"{"resourceType":"Observation","id":"BIM"#.to_owned(), "in line 2: a string"),
        (r#"{resourceType:"Observation"}"#.to_owned(), "a member has no name"),
        (r#"{"resourceType" "Observation"}"#.to_owned(), "a colon is missing"),
        (whole(r#""id":"BIMAT","id":"2""#), "an object has a member twice"),
        (whole(r#""id":"BIMAT","\u0069d":"2""#), "an object has a member twice"),
        (whole(r#""id":"BIMAT\x""#), "an escape that JSON does not know"),
        (whole(r#""id":"BIMAT\ud800""#), "half a character"),
        (whole("\"id\":\"BIMAT\t\""), "a control character"),
        (whole("\"id\":\"BIMAT\0\""), "a control character"),
        (whole(r#""id":01"#), "not written as JSON writes one"),
        (whole(r#""id":1."#), "no digit behind its point"),
        (whole(r#""id":NaN"#), "there is no value where one belongs"),
        (whole(r#""id":["BIMAT","2"]"#), "the path `id` meets a list of several"),
        (whole(r#""id":{"a":"BIMAT"}"#), "the path `id` ends at a list or an object"),
        (whole(r#""subject":"BIMAT""#), "goes on behind a plain value"),
        (whole(r#""effectiveDateTime":"2026-03-05","effectiveInstant":"2""#), "several plain"),
        (whole(r#""effectivePeriod":{"start":"2026-03-05"}"#), "type of several parts"),
    ]
    .into_iter()
    .map(|(line, says)| case(RESOURCES, after(&line), says))
    .collect()
}

/// What would take up more than it may.
fn sizes() -> Vec<Case> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let member = |value: &str| format!(r#"{{"resourceType":"Observation","a":{value}}}"#);
    let wide = format!("[{}0]", "0,".repeat(1_000_000));
    let long = format!("\"{}\"", "x".repeat(9 << 20));
    vec![
        case(RESOURCES, after(&member(&nested(80))), "nests deeper than 64 levels"),
        case(RESOURCES, after(&member(&nested(1_000_000))), "nests deeper than 64 levels"),
        case(RESOURCES, after(&"{\"a\":".repeat(100_000)), "nests deeper than 64 levels"),
        case(RESOURCES, after(&member(&wide)), "more than 1000000 values"),
        case(RESOURCES, after(&member(&long)), "line 2 is a longer line"),
    ]
}
