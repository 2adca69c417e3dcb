//! Figures that are in no file and can be computed from what is: through totals nobody printed,
//! through overlapping groups, from one release to the next.

use disclosure::{
    Faults, Inputs, Limits, Model, Purpose, StatusDetail, Verdict, audit_candidate,
    protect_candidate, render_tables,
};

use super::support::{Files, load, load_audit, try_load};

fn spec(dimensions: &[(&str, &str)], rules: &str) -> String {
    let mut text = "[table]\nmeasure = \"n\"\n".to_owned();
    for (column, hierarchies) in dimensions {
        text.push_str(&format!(
            "[[dimension]]\ncolumn = \"{column}\"\ntotal = \"T\"\nhierarchies = [{hierarchies}]\n"
        ));
    }
    format!("{text}[rule]\nmin_contributors = 5\n{rules}")
}

/// Which of the named cells are hidden once everything is safe.
fn hidden(model: &Model, cells: &[&[&str]]) -> Vec<bool> {
    let (_, verdict) = protect_candidate(model, Limits::default());
    let audited = verdict.audited().unwrap_or_else(|| panic!("refused: {verdict:?}"));
    let find = |codes: &&[&str]| audited.is_hidden(model.find(codes).expect("a cell"));
    cells.iter().map(find).collect()
}

#[test]
fn two_tables_that_share_only_a_total_nobody_printed_are_subtracted() {
    let files = Files::new();
    let spec = files.put("spec.toml", &spec(&[("a", ""), ("b", ""), ("c", "")], ""));
    let first = files.put("t1.csv", "a,b,n\na1,b1,3\na1,b2,20\na2,b1,30\na2,b2,40\n");
    let second = files.put("t2.csv", "c,n\nc1,50\nc2,43\n");
    let model = load(&spec, &[&first, &second], Purpose::Protect).model;
    // 93 − 90 = 3, unless another cell goes with it.
    let cells: [&[&str]; 6] = [
        &["a1", "b1", "T"],
        &["a1", "b2", "T"],
        &["a2", "b1", "T"],
        &["a2", "b2", "T"],
        &["T", "T", "c1"],
        &["T", "T", "c2"],
    ];
    let hidden = hidden(&model, &cells);
    assert!(hidden[0] && hidden[1..].iter().any(|&hidden| hidden), "{hidden:?}");
}

#[test]
fn what_overlapping_groups_have_in_common_is_not_left_over() {
    let files = Files::new();
    files.put("old.csv", "old,e\nold1,a\nold1,b\nold1,c\nold2,d\nold2,e\n");
    files.put("new.csv", "new,e\nnew1,a\nnew1,b\nnew2,c\nnew2,d\nnew2,e\n");
    files.put("past.csv", "region,n\nold1,20\nold2,30\n");
    let declared = spec(&[("region", "\"old.csv\", \"new.csv\"")], "");
    let out = "[[published]]\nfile = \"past.csv\"\n";
    let spec = files.put("spec.toml", &format!("{declared}{out}"));
    let table = files.put("t.csv", "region,n\nnew1,18\nnew2,32\n");
    let model = load(&spec, &[&table], Purpose::Protect).model;
    // old1 − new1 = c = 2.
    assert_eq!(hidden(&model, &[&["new1"], &["new2"]]), [true, true]);
}

#[test]
fn a_part_left_out_is_not_what_is_left_of_the_total() {
    let files = Files::new();
    files.put("h.csv", "group,part\nC1,i\nC1,j\nC2,k\nC2,l\n");
    let spec = files.put("spec.toml", &spec(&[("code", "\"h.csv\"")], ""));
    let table = files.put("t.csv", "code,n\nT,100\nC1,97\nk,1\nl,2\n");
    let faults = try_load(&spec, &[&table], Purpose::Protect);
    let model = faults.unwrap_or_else(|faults| panic!("{faults}")).model;
    // C2 = 100 − 97 = 3 has no row.
    let hidden = hidden(&model, &[&["T"], &["C1"]]);
    assert!(hidden.contains(&true), "{hidden:?}");
}

#[test]
fn an_audited_table_that_shows_what_was_withheld_is_refused() {
    let files = Files::new();
    files.put("past.csv", "region,n\na,\nb,\nT,10\n");
    let declared = spec(&[("region", "")], "[[published]]\nfile = \"past.csv\"\n");
    let table = "region,n,status\na,3,published\nb,7,published\nT,10,published\n";
    let loaded = load_audit(&declared, table, "n", &files);
    let (_, verdict) = audit_candidate(&loaded, Limits::default());
    assert!(verdict.audited().is_none(), "a = 3 is shown");
}

#[test]
fn a_proof_is_not_taken_for_another_table() {
    let files = Files::new();
    let spec = files.put("spec.toml", &spec(&[("region", "")], ""));
    let model = |text: &str| load(&spec, &[&files.put("t.csv", text)], Purpose::Protect).model;
    let safe = model("region,n\na,30\nb,70\nT,100\n");
    let unsafe_one = model("region,n\na,3\nb,97\nT,100\n");
    let (_, verdict) = protect_candidate(&safe, Limits::default());
    let audited = verdict.audited().expect("nothing is sensitive");
    assert!(render_tables(&safe, audited, StatusDetail::Public).is_ok());
    assert!(render_tables(&unsafe_one, audited, StatusDetail::Public).is_err());
}

#[test]
fn small_totals_can_be_protected_by_hiding_them_too() {
    let files = Files::new();
    let spec = files.put("spec.toml", &spec(&[("region", "")], ""));
    let table = files.put("t.csv", "region,n\na,1\nb,2\nT,3\n");
    let model = load(&spec, &[&table], Purpose::Protect).model;
    assert_eq!(hidden(&model, &[&["a"], &["b"], &["T"]]), [true; 3]);
}

const MAGNITUDES: &str = "[table]\nmeasure = \"x\"\ncontributors = \"n\"\n[[dimension]]\n\
    column = \"branch\"\ntotal = \"T\"\n[rule]\nmin_contributors = 3\nprotection_percent = 10\n";

#[test]
fn protection_is_not_cut_short_at_the_largest_cell() {
    // T is 100 and out: A can be at most 100, which is 5.3 % above it and not 10.
    let files = Files::new();
    files.put("past.csv", "branch,x\nT,100\n");
    let out = "[[published]]\nfile = \"past.csv\"\n";
    let spec = files.put("spec.toml", &format!("{MAGNITUDES}{out}"));
    let table = files.put("t.csv", "branch,x,n\nA,95,2\nB,5,5\n");
    let model = load(&spec, &[&table], Purpose::Protect).model;
    let (primaries, verdict) = protect_candidate(&model, Limits::default());
    assert!(verdict.audited().is_some(), "{verdict:?}");
    let narrowed: Vec<_> = primaries.sensitive().iter().filter(|s| s.narrowed).collect();
    assert_eq!(narrowed.len(), 1, "what the release leaves is said");
    assert_eq!((narrowed[0].demand.below, narrowed[0].demand.above), (10, 5));
}

#[test]
fn a_magnitude_without_its_value_is_not_judged() {
    let files = Files::new();
    files.put("past.csv", "branch,x\nA,\nB,\nT,100\n");
    let out = "[[published]]\nfile = \"past.csv\"\n";
    let inputs = Inputs {
        spec: files.put("spec.toml", &format!("{MAGNITUDES}{out}")),
        tables: vec![files.put("t.csv", "branch,x,n\nT,100,9\n")],
        ..Inputs::default()
    };
    let mut faults = Faults::default();
    assert!(inputs.load(Purpose::Protect, &mut faults).is_none());
    assert!(faults.found().iter().all(|fault| fault.code == "truth-needed"), "{faults}");
}

#[test]
fn a_whole_magnitude_is_attacked_in_whole_numbers() {
    let files = Files::new();
    let table = files.put("t.csv", "branch,x,n\nA,4,1\nB,3,1\nC,9,8\nT,16,10\n");
    for (whole, integral) in [("", false), ("whole = true\n", true)] {
        let text = MAGNITUDES.replace("[[dimension]]", &format!("{whole}[[dimension]]"));
        let model = load(&files.put("spec.toml", &text), &[&table], Purpose::Protect).model;
        assert_eq!(model.system().is_integral(), integral);
    }
}

#[test]
fn time_that_is_up_refuses_and_does_not_pass() {
    let files = Files::new();
    let spec = files.put("spec.toml", &spec(&[("a", ""), ("b", "")], ""));
    let table = files.put("t.csv", "a,b,n\na1,b1,3\na1,b2,20\na2,b1,30\na2,b2,40\na1,T,23\na2,T,70\nT,b1,33\nT,b2,60\nT,T,93\n");
    let model = load(&spec, &[&table], Purpose::Protect).model;
    let (_, verdict) = protect_candidate(&model, Limits { time: Some(std::time::Duration::ZERO) });
    assert!(matches!(verdict, Verdict::Refuse { .. }));
}

#[test]
fn a_total_withheld_before_takes_the_value_that_is_computed() {
    let files = Files::new();
    files.put("past.csv", "region,n\na,\nT,\n");
    let declared = spec(&[("region", "")], "[[published]]\nfile = \"past.csv\"\n");
    let declared =
        declared.replace("measure = \"n\"\n", "measure = \"n\"\nmargins = \"compute\"\n");
    let table = files.put("t.csv", "region,n\na,3\nb,40\n");
    let model = load(&files.put("spec.toml", &declared), &[&table], Purpose::Protect).model;
    let total = model.find(&["T"]).expect("a cell");
    assert_eq!(model.system().value(total), 43);
    let (_, verdict) = protect_candidate(&model, Limits::default());
    let audited = verdict.audited().expect("can be protected");
    assert!(audited.is_hidden(total), "what was withheld stays so");
}

#[test]
fn a_limit_is_one() {
    // Four dimensions of six codes, nothing known of what an earlier release withheld.
    let files = Files::new();
    let mut text = "a,b,c,d,n\n".to_owned();
    for at in 0..1296_u32 {
        let code = |power: u32| at / 6_u32.pow(power) % 6;
        let n = at * at % 23;
        text.push_str(&format!("a{},b{},c{},d{},{n}\n", code(0), code(1), code(2), code(3)));
    }
    let declared = spec(&[("a", ""), ("b", ""), ("c", ""), ("d", "")], "");
    let declared =
        declared.replace("measure = \"n\"\n", "measure = \"n\"\nmargins = \"compute\"\n");
    let spec = files.put("spec.toml", &declared);
    let model = load(&spec, &[&files.put("t.csv", &text)], Purpose::Protect).model;
    let started = std::time::Instant::now();
    let limit = std::time::Duration::from_secs(1);
    protect_candidate(&model, Limits { time: Some(limit) });
    assert!(started.elapsed() < 8 * limit, "{:?}", started.elapsed());
}
