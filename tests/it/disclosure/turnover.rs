//! The public magnitude table of the field: 414 cells, 77 sensitive.

use std::time::Duration;

use disclosure::{Limits, Model, Primaries, Protected, Purpose, Status, protect};

use super::support::{Files, attack, data, load};

fn spec(minimise: &str) -> String {
    let hierarchy = data("sdc/activity_hierarchy.csv");
    format!(
        r#"
[table]
measure = "TOT"
contributors = "N_OBS"
largest = "MAX"
[[dimension]]
column = "ACTIVITY"
total = "Total"
hierarchies = ['{}']
[[dimension]]
column = "SIZE"
total = "Total"
[rule]
min_contributors = 3
dominance = {{ n = 1, percent = 85 }}
protection_percent = 10
[objective]
minimise = "{minimise}"
"#,
        hierarchy.display()
    )
}

fn protected(minimise: &str) -> (Model, Primaries, Protected) {
    let table = data("sdc/turnover_act_size.csv");
    let files = Files::new();
    let spec = files.put("spec.toml", &spec(minimise));
    let model = load(&spec, &[&table], Purpose::Protect).model;
    let primaries = Primaries::find(&model);
    assert_eq!((model.candidate_count(), primaries.sensitive().len()), (414, 77));
    let limits = Limits { time: Some(Duration::from_secs(120)) };
    let done = protect(&model, &primaries, limits).expect("can be protected");
    (model, primaries, done)
}

fn secondaries(model: &Model, done: &Protected) -> usize {
    let cells = 0..model.system().len();
    cells.filter(|&cell| done.audited.status(cell) == Status::Secondary).count()
}

/// No sensitive cell is left narrower than ±10 %, by another solver.
fn withstands_attack(model: &Model, primaries: &Primaries, done: &Protected) {
    let system = model.system();
    let largest = (0..system.len()).map(|c| system.value(c)).max().unwrap_or(0) as f64;
    for sensitive in primaries.sensitive() {
        let value = system.value(sensitive.cell) as f64;
        let hidden = |cell: usize| done.audited.is_hidden(cell);
        let (low, high) = attack(model, &hidden, sensitive.cell, largest);
        let slack = 1e-6 * value.max(1.0) + 1e-9 * largest;
        let name = model.name(sensitive.cell);
        assert!(low <= 0.9 * value + slack, "{name}: {low} {value}");
        assert!(high >= 1.1 * value - slack, "{name}: {high} {value}");
    }
}

#[test]
fn least_value_needs_64_cells_and_withstands_attack() {
    let (model, primaries, done) = protected("value");
    assert!(secondaries(&model, &done) <= 64, "{}", secondaries(&model, &done));
    withstands_attack(&model, &primaries, &done);
}

#[test]
fn fewest_cells_is_60_and_withstands_attack() {
    let (model, primaries, done) = protected("cells");
    assert!(secondaries(&model, &done) <= 60, "{}", secondaries(&model, &done));
    withstands_attack(&model, &primaries, &done);
}

#[test]
fn a_second_is_enough_for_a_safe_answer() {
    let table = data("sdc/turnover_act_size.csv");
    let files = Files::new();
    let model = load(&files.put("spec.toml", &spec("value")), &[&table], Purpose::Protect).model;
    let primaries = Primaries::find(&model);
    let limits = Limits { time: Some(Duration::from_secs(1)) };
    let done = protect(&model, &primaries, limits).expect("safe, if dear");
    withstands_attack(&model, &primaries, &done);
}
