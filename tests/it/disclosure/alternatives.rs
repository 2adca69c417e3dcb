//! Rounding and cell-key noise: totals, persistence, bounds under attack.

use disclosure::{
    AlternativeError, AuditedFigures, Limits, Model, Purpose, perturb_table, round_table,
};

use super::support::{Files, attack_within, load};

const SPEC: &str = "[table]\nmeasure = \"n\"\nmargins = \"compute\"\n[[dimension]]\ncolumn = \"a\"\n\
                    total = \"T\"\n[[dimension]]\ncolumn = \"b\"\ntotal = \"T\"\n[rule]\n\
                    min_contributors = 5\n";
const CELL_KEY: &str = "[cell_key]\nseed = \"0123456789abcdef-test\"\nmax_noise = 5\n\
                        min_published = 3\nvariance = 2.5\n";

/// A table of counts with every remainder of the base.
fn table(rows: usize, columns: usize) -> String {
    let mut text = "a,b,n\n".to_owned();
    for row in 0..rows {
        for column in 0..columns {
            let count = (row * row * 7 + column * 13 + row * column) % 23;
            text.push_str(&format!("r{row},c{column},{count}\n"));
        }
    }
    text
}

fn additive(model: &Model, figure: &dyn Fn(usize) -> i128) -> bool {
    model
        .system()
        .equations()
        .iter()
        .all(|e| figure(e.total) == e.parts.iter().map(|&part| figure(part)).sum::<i128>())
}

#[test]
fn rounded_figures_are_multiples_that_add_up_and_hide_small_counts() {
    let files = Files::new();
    let spec = files.put("spec.toml", &format!("{SPEC}[rounding]\nbase = 5\n"));
    let loaded = load(&spec, &[&files.put("t.csv", &table(8, 6))], Purpose::Protect);
    let model = &loaded.model;
    let rounded = round_table(&loaded.spec, model, Limits::default()).expect("can be rounded");
    assert!(additive(model, &|cell| rounded.figure(cell)));
    let mut elements = 0;
    for cell in 0..model.system().len() {
        let (figure, truth) = (rounded.figure(cell), model.system().value(cell));
        assert_eq!(figure % 5, 0);
        if !model.system().equations().iter().any(|equation| equation.total == cell) {
            elements += 1;
            assert!((figure - truth).abs() < 5, "{}", model.name(cell));
        }
    }
    assert_eq!(elements, 48);
    assert!(rounded.remaining().iter().all(|left| left.low < left.high));
    assert!(rounded.largest_error() < 10, "{}", rounded.largest_error());
    let again = round_table(&loaded.spec, model, Limits::default()).expect("again");
    assert_eq!(again.render(model).expect("csv"), rounded.render(model).expect("csv"));
}

#[test]
fn a_cell_keeps_its_noise_in_other_tables_and_versions() {
    let files = Files::new();
    let spec = files.put("spec.toml", &format!("{SPEC}{CELL_KEY}"));
    let small = load(&spec, &[&files.put("s.csv", &table(4, 6))], Purpose::Protect);
    let large = load(&spec, &[&files.put("l.csv", &table(9, 6))], Purpose::Protect);
    let (of_small, _) =
        perturb_table(&small.spec, &small.model, Limits::default()).expect("counts");
    let (of_large, noise) =
        perturb_table(&large.spec, &large.model, Limits::default()).expect("counts");
    let mut same = 0;
    for cell in 0..small.model.system().len() {
        let codes = small.model.codes(cell);
        if codes[0] == "T" {
            continue;
        }
        let other = large.model.find(&codes).expect("the larger table holds it");
        assert_eq!(of_small.figure(cell), of_large.figure(other), "{codes:?}");
        same += 1;
    }
    assert_eq!(same, 4 * 7);
    for cell in 0..large.model.system().len() {
        let (figure, truth) = (of_large.figure(cell), large.model.system().value(cell));
        assert!((figure - truth).abs() <= 5 && figure >= 0);
        assert!(figure == 0 || figure >= 3, "{figure}");
    }
    assert!(of_large.remaining().iter().all(|left| left.low < left.high));
    for row in &noise.rows {
        assert_eq!(row.values().sum::<u64>(), 1 << 32);
    }
    let last = noise.rows.last().expect("rows");
    let mean: f64 = last.iter().map(|(&v, &share)| v as f64 * share as f64).sum();
    let spread: f64 = last.iter().map(|(&v, &share)| (v * v) as f64 * share as f64).sum();
    assert!((mean / f64::from(1_u32 << 31)).abs() < 1e-6);
    assert!((spread / (1_u64 << 32) as f64 - 2.5).abs() < 1e-6);
}

/// What is said to be left of each sensitive cell is left to an attacker with another solver, who
/// knows how far a figure can be from its cell and that true counts add up.
fn stated_intervals_hold(model: &Model, figures: &AuditedFigures, reach: f64) {
    let system = model.system();
    let is_total = |cell: usize| system.equations().iter().any(|e| e.total == cell);
    let range = |cell: usize| {
        let figure = figures.figure(cell) as f64;
        if is_total(cell) {
            (0.0, f64::INFINITY)
        } else {
            ((figure - reach).max(0.0), figure + reach)
        }
    };
    assert!(!figures.remaining().is_empty());
    for left in figures.remaining() {
        let (low, high) = attack_within(model, &|_| true, &range, left.cell);
        let name = model.name(left.cell);
        assert!(low <= left.low as f64 + 1e-2, "{name}: {low} > {}", left.low);
        assert!(high >= left.high as f64 - 1e-2, "{name}: {high} < {}", left.high);
    }
}

#[test]
fn what_is_said_to_be_left_withstands_attack() {
    let files = Files::new();
    let table = files.put("t.csv", &table(8, 6));
    let spec = files.put("round.toml", &format!("{SPEC}[rounding]\nbase = 5\n"));
    let loaded = load(&spec, &[&table], Purpose::Protect);
    let rounded = round_table(&loaded.spec, &loaded.model, Limits::default()).expect("rounds");
    stated_intervals_hold(&loaded.model, &rounded, 4.0);
    let spec = files.put("noise.toml", &format!("{SPEC}{CELL_KEY}"));
    let loaded = load(&spec, &[&table], Purpose::Protect);
    let (noisy, _) = perturb_table(&loaded.spec, &loaded.model, Limits::default()).expect("counts");
    stated_intervals_hold(&loaded.model, &noisy, 5.0);
}

#[test]
fn a_province_renamed_by_the_merger_keeps_its_figure() {
    let files = Files::new();
    files.put("merge.csv", "new,old\nm1,o1\nm23,o2\nm23,o3\n");
    let text = format!(
        "[table]\nmeasure = \"n\"\nmargins = \"compute\"\n[[dimension]]\ncolumn = \"p\"\n\
         total = \"T\"\nhierarchies = [\"merge.csv\"]\n[rule]\nmin_contributors = 5\n{CELL_KEY}"
    );
    let spec = files.put("spec.toml", &text);
    let loaded = load(&spec, &[&files.put("t.csv", "p,n\no1,17\no2,8\no3,40\n")], Purpose::Protect);
    let (figures, _) =
        perturb_table(&loaded.spec, &loaded.model, Limits::default()).expect("counts");
    let figure = |code| figures.figure(loaded.model.find(&[code]).expect("a code"));
    assert_eq!(figure("m1"), figure("o1"));
}

#[test]
fn a_base_that_leaves_too_few_values_is_refused() {
    let files = Files::new();
    let round = |base: u32| {
        let spec = files.put("spec.toml", &format!("{SPEC}[rounding]\nbase = {base}\n"));
        let loaded = load(&spec, &[&files.put("t.csv", &table(8, 6))], Purpose::Protect);
        round_table(&loaded.spec, &loaded.model, Limits::default())
    };
    assert!(matches!(round(2), Err(AlternativeError::Exposed { least: 5, .. })));
    let rounded = round(5).expect("five values are left of each");
    assert!(rounded.remaining().iter().all(|left| left.high - left.low >= 4));
}

#[test]
fn a_magnitude_is_not_rounded() {
    let files = Files::new();
    let text = "[table]\nmeasure = \"x\"\ncontributors = \"n\"\n[[dimension]]\ncolumn = \"a\"\n\
                total = \"T\"\n[rule]\nmin_contributors = 3\n[rounding]\nbase = 5\n";
    let table = files.put("t.csv", "a,x,n\nA,1000000,1\nB,7,9\nT,1000007,10\n");
    let loaded = load(&files.put("spec.toml", text), &[&table], Purpose::Protect);
    let refused = round_table(&loaded.spec, &loaded.model, Limits::default());
    assert!(matches!(refused, Err(AlternativeError::NotACount)));
}

#[test]
fn noise_is_refused_where_part_is_out_exactly() {
    let files = Files::new();
    files.put("past.csv", "a,b,n\nr0,c0,20\n");
    let text = format!("{SPEC}{CELL_KEY}[[published]]\nfile = \"past.csv\"\n");
    let spec = files.put("spec.toml", &text);
    let loaded =
        load(&spec, &[&files.put("t.csv", "a,b,n\nr0,c0,20\nr0,c1,9\n")], Purpose::Protect);
    let refused = perturb_table(&loaded.spec, &loaded.model, Limits::default());
    assert!(matches!(refused, Err(AlternativeError::AlreadyOut { cells: 1 })));
}
