//! The real notifiable-disease counts: a year, the next beside it, the same on the new provinces.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use disclosure::{
    Audited, Limits, Model, Purpose, Standing, Status, StatusDetail, protect_candidate,
    render_tables,
};

use super::support::{Files, data, load};

const YEARS: [&str; 2] = ["2011", "2012"];

type Cells = Vec<((String, String, String), u64)>;

/// Per year: cases by disease, old province and month, as they stand; the provinces' mapping.
fn read() -> (Vec<Cells>, BTreeMap<String, String>) {
    let path = data("vn_notifiable_diseases/notifiable_diseases_2011_2017.csv");
    let mut reader = csv::Reader::from_path(path).expect("readable");
    let mut years = vec![Cells::new(); YEARS.len()];
    let mut mapping = BTreeMap::new();
    for record in reader.records() {
        let row = record.expect("a record");
        let [disease, year, month, _, old, new, cases, _] =
            [0, 1, 2, 3, 4, 5, 6, 7].map(|at| row.get(at).unwrap_or_default().to_owned());
        mapping.insert(old.clone(), format!("m{new}"));
        let (Some(at), Ok(cases)) = (YEARS.iter().position(|y| *y == year), cases.parse::<f64>())
        else {
            continue;
        };
        years[at].push(((disease, old, month), cases as u64));
    }
    (years, mapping)
}

fn csv_of(cells: &Cells, year: &str) -> String {
    let mut text = "disease,province,month,year,cases\n".to_owned();
    for ((disease, province, month), cases) in cells {
        let _ = writeln!(text, "{disease},{province},{month},{year},{cases}");
    }
    text
}

fn spec(hierarchy: &str, published: &[(&str, &str)]) -> String {
    let mut text = format!(
        "[table]\nmeasure = \"cases\"\nmargins = \"compute\"\n\
         [[dimension]]\ncolumn = \"disease\"\ntotal = \"all\"\n\
         [[dimension]]\ncolumn = \"province\"\ntotal = \"VN\"\nhierarchies = [{hierarchy}]\n\
         [[dimension]]\ncolumn = \"month\"\ntotal = \"year\"\n\
         [[dimension]]\ncolumn = \"year\"\n[rule]\nmin_contributors = 5\n"
    );
    for (file, truth) in published {
        let _ = writeln!(text, "[[published]]\nfile = \"{file}\"\ntruth = \"{truth}\"");
    }
    text
}

#[expect(clippy::print_stdout, reason = "the rate and the time are what the test is read for")]
/// Protects, prints what was done, and writes the public table beside the others.
fn release(files: &Files, spec: &str, table: &Path, name: &str) -> (Model, Audited) {
    let started = Instant::now();
    let spec = files.put("spec.toml", spec);
    let model = load(&spec, &[table], Purpose::Protect).model;
    let limits = Limits { time: Some(Duration::from_secs(400)) };
    let (primaries, verdict) = protect_candidate(&model, limits);
    let disclosure::Verdict::Pass { audited, .. } = verdict else {
        panic!("{name} is refused: {verdict:?}")
    };
    let rows = (0..model.system().len()).filter(|&c| model.standing(c) == Standing::Candidate);
    let statuses: Vec<Status> = rows.map(|cell| audited.status(cell)).collect();
    let hidden = statuses.iter().filter(|status| **status != Status::Published).count();
    let narrowed = primaries.sensitive().iter().filter(|s| s.narrowed).count();
    println!(
        "{name}: {hidden} of {} suppressed ({:.1} %), {narrowed} narrowed before, {:.1} s",
        statuses.len(),
        100.0 * hidden as f64 / statuses.len() as f64,
        started.elapsed().as_secs_f64()
    );
    let public = render_tables(&model, &audited, StatusDetail::Public).expect("renders");
    files.put(name, std::str::from_utf8(&public[0].1).expect("text"));
    (model, audited)
}

/// Two years on the old provinces and one on the new, all safe together.
#[test]
fn two_years_and_two_geographies_are_jointly_safe() {
    let (years, mapping) = read();
    let files = Files::new();
    let first = files.put("first.csv", &csv_of(&years[0], YEARS[0]));
    let second = files.put("second.csv", &csv_of(&years[1], YEARS[1]));
    let mut merged: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for ((disease, old, month), cases) in &years[1] {
        *merged.entry((disease.clone(), mapping[old].clone(), month.clone())).or_default() += cases;
    }
    let third = files.put("third.csv", &csv_of(&merged.into_iter().collect(), YEARS[1]));
    let pairs = mapping.iter().map(|(old, new)| format!("{new},{old}\n"));
    files.put("merge.csv", &format!("new,old\n{}", pairs.collect::<String>()));

    release(&files, &spec("", &[]), &first, "out1.csv");
    let out1 = ("out1.csv", "first.csv");
    release(&files, &spec("", &[out1]), &second, "out2.csv");
    let published = [out1, ("out2.csv", "second.csv")];
    let (model, audited) = release(&files, &spec("\"merge.csv\"", &published), &third, "out3.csv");
    for cell in 0..model.system().len() {
        if model.standing(cell) == Standing::Out {
            assert!(!audited.is_hidden(cell), "{} was out already", model.name(cell));
        }
    }
}
