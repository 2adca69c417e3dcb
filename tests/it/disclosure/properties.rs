//! Random tables against exact attackers, and planted faults against the audit.

use std::collections::BTreeMap;
use std::time::Duration;

use disclosure::system::System;
use disclosure::{
    AuditLimits, Hints, Limits, Model, Primaries, Purpose, Standing, StatusDetail, Verdict, audit,
    protect_candidate, render_tables,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::reader::Reader;
use super::support::{Files, attack, load};

/// How many releases are attacked from their files.
const READERS: usize = 60;

/// Safe at any limit.
const QUICKLY: Limits = Limits { time: Some(Duration::from_millis(400)) };

/// A random release: a table of up to four dimensions, perhaps a second one linked through a
/// shared margin, perhaps an earlier release of part of it.
#[derive(Debug, Clone)]
struct Case {
    sizes: Vec<usize>,
    values: Vec<u8>,
    overlapping: bool,
    linked: bool,
    past: Option<u8>,
    threshold: u64,
    /// Which codes are printed nowhere: 1 the elements of overlapping groups, 2 the second
    /// grouping, 4 and up the total of each dimension.
    dropped: u8,
}

impl Case {
    fn drops(&self, bit: u32) -> bool {
        self.dropped >> bit & 1 == 1
    }
}

fn cases() -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(2_usize..5, 1..5),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(any::<u8>()),
        3_u64..6,
        any::<u8>(),
    )
        .prop_flat_map(|(mut sizes, overlapping, linked, past, threshold, dropped)| {
            if sizes.len() > 2 {
                sizes.iter_mut().for_each(|size| *size = (*size).min(3));
            }
            if overlapping {
                sizes[0] = 4;
            }
            let cells: usize = sizes.iter().product();
            let value = prop_oneof![3 => 0_u8..6, 2 => 5_u8..40];
            prop::collection::vec(value, cells).prop_map(move |values| Case {
                sizes: sizes.clone(),
                values,
                overlapping,
                linked,
                past,
                threshold,
                dropped,
            })
        })
}

/// The codes that are printed.
fn printed(case: &Case, d: usize) -> Vec<(String, Vec<usize>)> {
    let overlaps = d == 0 && case.overlapping;
    let mut codes = codes(case, d);
    codes.retain(|(code, _)| match &code[..1] {
        "e" => !(overlaps && case.drops(0)),
        "h" => !case.drops(1),
        "T" => !case.drops(2 + d as u32),
        _ => true,
    });
    codes
}

/// Codes with what they cover: elements, groups of the first dimension, the total.
fn codes(case: &Case, d: usize) -> Vec<(String, Vec<usize>)> {
    let n = case.sizes[d];
    let mut codes: Vec<(String, Vec<usize>)> = (0..n).map(|i| (format!("e{i}"), vec![i])).collect();
    if d == 0 && case.overlapping {
        codes.extend([
            ("g01".into(), vec![0, 1]),
            ("g23".into(), vec![2, 3]),
            ("h02".into(), vec![0, 2]),
            ("h13".into(), vec![1, 3]),
        ]);
    }
    codes.push(("T".into(), (0..n).collect()));
    codes
}

/// The table over the dimensions of which `with` is true, others summed out.
fn rows(case: &Case, with: &[bool]) -> Vec<(Vec<String>, u64)> {
    let mut rows = vec![(Vec::new(), Vec::<Vec<usize>>::new())];
    for (d, &used) in with.iter().enumerate() {
        let all = codes(case, d);
        let choices = if used { printed(case, d) } else { vec![all[all.len() - 1].clone()] };
        rows = rows
            .into_iter()
            .flat_map(|(names, sets)| {
                choices.iter().map(move |(code, set)| {
                    let mut names: Vec<String> = names.clone();
                    let mut sets = sets.clone();
                    names.push(code.clone());
                    sets.push(set.clone());
                    (names, sets)
                })
            })
            .collect();
    }
    rows.into_iter().map(|(names, sets)| (names, sum(case, &sets))).collect()
}

fn sum(case: &Case, sets: &[Vec<usize>]) -> u64 {
    let mut offsets = vec![0_usize];
    for (d, set) in sets.iter().enumerate() {
        offsets = offsets
            .into_iter()
            .flat_map(|offset| set.iter().map(move |i| offset * case.sizes[d] + i))
            .collect();
    }
    offsets.into_iter().map(|offset| u64::from(case.values[offset])).sum()
}

fn csv_of(case: &Case, with: &[bool], hide: &dyn Fn(usize, u64) -> bool) -> String {
    let used = |d: &usize| with[*d];
    let header: Vec<String> =
        (0..with.len()).filter(used).map(|d| format!("d{d}")).chain(["n".into()]).collect();
    let mut text = header.join(",") + "\n";
    for (at, (names, value)) in rows(case, with).into_iter().enumerate() {
        let names: Vec<String> = (0..with.len()).filter(used).map(|d| names[d].clone()).collect();
        let value = if hide(at, value) { String::new() } else { value.to_string() };
        text.push_str(&format!("{},{value}\n", names.join(",")));
    }
    text
}

fn model_of(case: &Case) -> Model {
    release_of(case).0
}

/// The model, and the file that is out already.
fn release_of(case: &Case) -> (Model, Option<String>) {
    let mut out = None;
    let files = Files::new();
    files.put("g.csv", "g,e\ng01,e0\ng01,e1\ng23,e2\ng23,e3\n");
    files.put("h.csv", "h,e\nh02,e0\nh02,e2\nh13,e1\nh13,e3\n");
    let dimensions = case.sizes.len();
    let linked = case.linked && dimensions >= 3;
    let mut spec = "[table]\nmeasure = \"n\"\n".to_owned();
    for d in 0..dimensions {
        let hierarchies = if d == 0 && case.overlapping { "\"g.csv\", \"h.csv\"" } else { "" };
        spec.push_str(&format!(
            "[[dimension]]\ncolumn = \"d{d}\"\ntotal = \"T\"\nhierarchies = [{hierarchies}]\n"
        ));
    }
    spec.push_str(&format!("[rule]\nmin_contributors = {}\n", case.threshold));
    let whole = vec![true; dimensions];
    let mut tables = Vec::new();
    if linked {
        // Two tables that share all dimensions but one each.
        let mut with = whole.clone();
        with[1] = false;
        tables.push(files.put("a.csv", &csv_of(case, &with, &|_, _| false)));
        with[1] = true;
        with[2] = false;
        tables.push(files.put("b.csv", &csv_of(case, &with, &|_, _| false)));
    } else {
        tables.push(files.put("t.csv", &csv_of(case, &whole, &|_, _| false)));
    }
    if let Some(seed) = case.past {
        // An earlier release of the totals, its small counts and some others suppressed.
        let mut with = vec![false; dimensions];
        with[0] = true;
        let threshold = case.threshold;
        let hide = move |at: usize, value: u64| {
            (value > 0 && value < threshold) || (at * 7 + usize::from(seed)).is_multiple_of(3)
        };
        let past = csv_of(case, &with, &hide);
        files.put("past.csv", &past);
        out = Some(past);
        spec.push_str("[[published]]\nfile = \"past.csv\"\n");
    }
    let spec = files.put("spec.toml", &spec);
    let tables: Vec<_> = tables.iter().map(|table| table.as_path()).collect();
    (load(&spec, &tables, Purpose::Protect).model, out)
}

/// Every combination of codes, printed or not, with its sum.
fn everything(case: &Case) -> Vec<(Vec<String>, u64)> {
    let whole = Case { dropped: 0, ..case.clone() };
    rows(&whole, &vec![true; case.sizes.len()])
}

/// What a reader of all files can narrow down; says whether the gate let the tables leave.
fn reader_stays_outside(case: &Case) -> bool {
    let (model, past) = release_of(case);
    let (primaries, verdict) = protect_candidate(&model, QUICKLY);
    let Verdict::Pass { audited, .. } = verdict else { return false };
    let names = |d: usize| codes(case, d).into_iter().collect();
    let mut reader =
        Reader::new((0..case.sizes.len()).map(|d| (format!("d{d}"), names(d))).collect());
    for (_, bytes) in render_tables(&model, &audited, StatusDetail::Public).expect("csv") {
        reader.read(std::str::from_utf8(&bytes).expect("text"), "n");
    }
    let before = past.map(|past| reader.read(&past, "n")).unwrap_or_default();
    for (codes, value) in everything(case) {
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let covered = reader.covered(&codes);
        let cell = model.find(&codes);
        let is_out = cell.is_some_and(|cell| model.standing(cell) == Standing::Out)
            || primaries.already_out().iter().any(|out| Some(out.cell) == cell);
        if value == 0 || value >= case.threshold || is_out {
            continue;
        }
        let (low, high) = reader.interval(&covered);
        assert!(high - low > 0.9, "{codes:?} is {low} to {high} in {case:?}");
        let sensitive = primaries.sensitive().iter().find(|s| Some(s.cell) == cell);
        let new = cell.is_some_and(|cell| model.standing(cell) == Standing::Candidate);
        if new && !before.contains(&covered) && sensitive.is_some_and(|s| !s.narrowed) {
            assert!(low < 0.2, "{codes:?} is {low} to {high} in {case:?}");
            let enough = (value + case.threshold) as f64 - 0.2;
            assert!(high > enough, "{codes:?} is {low} to {high} in {case:?}");
        }
    }
    true
}

/// Random releases with margins, elements and groupings left out, each attacked from its files
/// alone; most of them must be let through, or nothing was tested.
#[test]
fn a_reader_of_the_files_stays_outside() {
    let mut runner = TestRunner::deterministic();
    let mut passed = 0;
    for _ in 0..READERS {
        let case = cases().new_tree(&mut runner).expect("a case").current();
        passed += usize::from(reader_stays_outside(&case));
    }
    assert!(passed * 10 >= READERS * 6, "{passed} of {READERS} passed");
}

/// What an attacker holds possible of a printed cell.
fn most(model: &Model) -> i128 {
    let printed = (0..model.system().len()).filter(|&c| model.standing(c) != Standing::Implied);
    printed.map(|cell| model.system().upper(cell)).max().unwrap_or(0)
}

/// Every value of `cell` in some whole table that agrees with what is published, or `None` if
/// there are too many tables to try.
fn enumerate(system: &System, hidden: &[usize], cell: usize, most: i128) -> Option<(i128, i128)> {
    struct Walk<'a> {
        system: &'a System,
        hidden: &'a [usize],
        values: BTreeMap<usize, i128>,
        found: (i128, i128),
        cell: usize,
        most: i128,
        left: u64,
    }
    impl Walk<'_> {
        fn possible(&self) -> bool {
            self.system.equations().iter().all(|equation| {
                let value = |c: usize| match self.hidden.binary_search(&c) {
                    Ok(_) => self.values.get(&c).map_or((0, self.most), |&v| (v, v)),
                    Err(_) => (self.system.value(c), self.system.value(c)),
                };
                let total = value(equation.total);
                let parts = equation.parts.iter().map(|&p| value(p));
                let parts = parts.fold((0, 0), |sum, v| (sum.0 + v.0, sum.1 + v.1));
                parts.0 <= total.1 && total.0 <= parts.1
            })
        }
        fn go(&mut self, at: usize) -> bool {
            if self.left == 0 {
                return false;
            }
            self.left -= 1;
            if !self.possible() {
                return true;
            }
            let Some(&next) = self.hidden.get(at) else {
                let value = self.values[&self.cell];
                self.found = (self.found.0.min(value), self.found.1.max(value));
                return true;
            };
            for value in 0..=self.most {
                self.values.insert(next, value);
                if !self.go(at + 1) {
                    return false;
                }
            }
            self.values.remove(&next);
            true
        }
    }
    let mut walk = Walk {
        system,
        hidden,
        values: BTreeMap::new(),
        found: (i128::MAX, i128::MIN),
        cell,
        most,
        left: 300_000,
    };
    walk.go(0).then_some(walk.found)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// No exact attacker gets inside the protection that was demanded.
    #[test]
    fn attackers_stay_outside(case in cases()) {
        let model = model_of(&case);
        let (primaries, verdict) = protect_candidate(&model, QUICKLY);
        let Verdict::Pass { audited, .. } = verdict else { return Ok(()) };
        let system = model.system();
        let largest = most(&model);
        let hidden: Vec<usize> = (0..system.len()).filter(|&c| audited.is_hidden(c)).collect();
        for sensitive in primaries.sensitive() {
            let cell = sensitive.cell;
            let value = system.value(cell);
            let (low, high) = attack(&model, &|c| audited.is_hidden(c), cell, largest as f64);
            let demand = &sensitive.demand;
            // Counts are whole.
            let tolerance = 0.2;
            prop_assert!(low <= (value - demand.below) as f64 + tolerance);
            prop_assert!(high >= (value + demand.above) as f64 - tolerance);
            prop_assert!(high - low >= demand.width as f64 - tolerance);
            // Sums in no table have no largest value to stop at.
            let implied = |&cell: &usize| model.standing(cell) == Standing::Implied;
            if hidden.len() <= 10
                && !hidden.iter().any(implied)
                && let Some((low, high)) = enumerate(system, &hidden, cell, largest)
            {
                prop_assert!(low <= value - demand.below && high >= value + demand.above);
                prop_assert!(high - low >= demand.width);
            }
        }
    }

    /// A suppression that forgets one cell is stopped, unless the cell was not needed: then the
    /// attackers agree that it was not.
    #[test]
    fn a_planted_fault_is_stopped(case in cases(), pick in any::<prop::sample::Index>()) {
        let model = model_of(&case);
        let (primaries, verdict) = protect_candidate(&model, QUICKLY);
        let Verdict::Pass { audited, .. } = verdict else { return Ok(()) };
        let system = model.system();
        let candidates: Vec<usize> = (0..system.len())
            .filter(|&c| audited.is_hidden(c) && model.standing(c) == Standing::Candidate)
            .collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let forgotten = candidates[pick.index(candidates.len())];
        let hidden: Vec<bool> =
            (0..system.len()).map(|c| audited.is_hidden(c) && c != forgotten).collect();
        let judged = audit(&model, &hidden, &primaries, &Hints::default(), AuditLimits::default());
        let largest = most(&model) as f64;
        let exposed = primaries.sensitive().iter().any(|sensitive| {
            let value = system.value(sensitive.cell) as f64;
            let (low, high) = attack(&model, &|c| hidden[c], sensitive.cell, largest);
            let demand = &sensitive.demand;
            low > value - demand.below as f64 + 0.2
                || high < value + demand.above as f64 - 0.2
                || high - low < demand.width as f64 - 0.2
        });
        prop_assert!(!exposed || judged.is_err());
    }
}

#[test]
fn primaries_of_a_model_are_what_the_rule_says() {
    let case = Case {
        sizes: vec![2, 2],
        values: vec![1, 9, 9, 9],
        overlapping: false,
        linked: false,
        past: None,
        threshold: 3,
        dropped: 0,
    };
    let model = model_of(&case);
    let primaries = Primaries::find(&model);
    let names: Vec<_> = primaries.sensitive().iter().map(|s| model.name(s.cell)).collect();
    assert_eq!(names, ["d0=e0, d1=e0"]);
}
