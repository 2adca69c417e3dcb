//! Person-level records, by hand.

use disclosure::{Faults, microdata::judge};

use super::support::Files;

#[test]
fn a_report_that_could_not_refuse_is_a_fault() {
    let files = Files::new();
    let records = files.put("r.csv", "age,icd\n30,A\n");
    let judged = |asked: &str| {
        let text = format!("[microdata]\nquasi_identifiers = [\"age\"]\n{asked}");
        let mut faults = Faults::default();
        let report = judge(&files.put("spec.toml", &text), &records, &mut faults);
        (report.is_none(), faults.found().first().map(|fault| fault.code))
    };
    assert_eq!(judged(""), (true, Some("nothing-asked")));
    assert_eq!(judged("l = 2\n"), (true, Some("nothing-asked")));
    assert_eq!(judged("k = 0\n"), (true, Some("bad-threshold")));
    assert_eq!(judged("t = 5.0\nsensitive = [\"icd\"]\n"), (true, Some("bad-threshold")));
}

#[test]
fn classes_diversity_and_closeness_of_a_small_file() {
    let files = Files::new();
    let spec = files.put(
        "spec.toml",
        "[microdata]\nquasi_identifiers = [\"age\", \"sex\"]\nsensitive = [\"icd\"]\nk = 2\nl = 2\n\
         t = 0.5\nsampling_fraction = 0.1\n",
    );
    let records = files.put("r.csv", "age,sex,icd\n30,F,A\n30,F,B\n40,M,A\n40,M,A\n50,F,B\n");
    let mut faults = Faults::default();
    let report = judge(&spec, &records, &mut faults).expect("no fault");
    assert_eq!((report.records, report.classes, report.smallest_class), (5, 3, 1));
    assert_eq!((report.sample_uniques, report.records_below_k), (1, 1));
    let icd = &report.sensitive[0];
    assert_eq!((icd.fewest_values, icd.records_below_l), (1, 3));
    // All: A 3/5, B 2/5. The class of one B is 3/5 away.
    assert!((icd.largest_distance - 0.6).abs() < 1e-12);
    assert!(!report.passed);
    // One class of size 1, two of size 2: 1·0.1 of 0.1 + 2·2·0.1·0.9 seen once.
    let expected = 0.1 / (0.1 + 2.0 * 2.0 * 0.1 * 0.9);
    assert!((report.population_uniques.expect("declared") - expected).abs() < 1e-12);
}
