//! What makes a cell sensitive, how far it must be protected, and what insiders know: small tables
//! worked out by hand.

use disclosure::{
    Limits, Model, Primaries, Purpose, Reason, Status, Verdict, audit_candidate, protect_candidate,
};

use super::support::{Files, load, load_audit};

/// Turnover by branch: the columns of contributors, largest and second largest, and the facility
/// where there is only one.
fn magnitudes(rules: &str) -> String {
    format!(
        "[table]\nmeasure = \"x\"\ncontributors = \"n\"\nlargest = \"first\"\n\
         second = \"second\"\nsole = \"facility\"\n\
         [[dimension]]\ncolumn = \"branch\"\ntotal = \"T\"\n[rule]\n{rules}"
    )
}

const HEADER: &str = "branch,x,n,first,second,facility,status\n";

fn model(spec: &str, table: &str) -> Model {
    let files = Files::new();
    let (spec, table) = (files.put("spec.toml", spec), files.put("t.csv", table));
    load(&spec, &[&table], Purpose::Protect).model
}

fn audit(spec: &str, table: &str) -> (Model, Verdict) {
    let files = Files::new();
    let loaded = load_audit(spec, table, "x", &files);
    let (_, verdict) = audit_candidate(&loaded, Limits::default());
    (loaded.model, verdict)
}

/// Name, reason and the distances demanded, of every sensitive cell.
fn sensitive(model: &Model) -> Vec<(String, Reason, i128, i128)> {
    let found = Primaries::find(model);
    let row =
        |s: &disclosure::Sensitive| (model.name(s.cell), s.reason, s.demand.below, s.demand.above);
    found.sensitive().iter().map(row).collect()
}

fn secondaries(model: &Model) -> Vec<String> {
    let (_, verdict) = protect_candidate(model, Limits::default());
    let audited = verdict.audited().expect("can be protected");
    let cells = (0..model.system().len()).filter(|&c| audited.status(c) == Status::Secondary);
    cells.map(|cell| model.name(cell)).collect()
}

#[test]
fn the_second_largest_must_not_estimate_the_largest() {
    // 12 = 20 % of 60. A leaves 100 − 60 − 30 = 10 to others: 2 short. B leaves 15.
    let rows = "A,100,5,60,30,,\nB,100,5,60,25,,\nC,500,9,80,70,,\nT,700,19,80,70,,\n";
    let model = model(&magnitudes("p_percent = 20\n"), &format!("{HEADER}{rows}"));
    assert_eq!(sensitive(&model), [("branch=A".to_owned(), Reason::PPercent, 2, 2)]);
}

#[test]
fn the_two_largest_must_not_dominate() {
    // 90 of 100 is more than 85 %; 90 / 0.85 = 105.9, so 6 more would be enough.
    let rows = "A,100,5,60,30,,\nB,100,5,60,25,,\nC,500,9,80,70,,\nT,700,19,80,70,,\n";
    let rules = "dominance = { n = 2, percent = 85 }\n";
    let model = model(&magnitudes(rules), &format!("{HEADER}{rows}"));
    assert_eq!(sensitive(&model), [("branch=A".to_owned(), Reason::Dominance, 6, 6)]);
}

#[test]
fn of_several_broken_rules_the_most_demanding_counts() {
    // Two contributors: 10 % would do for that. The smaller must not estimate the larger to 50 %:
    // 45 of its 90, and nothing else hides it.
    let rows = "A,100,2,90,10,,\nB,100,5,30,25,,\nC,500,9,80,70,,\nT,700,16,90,80,,\n";
    let model =
        model(&magnitudes("min_contributors = 3\np_percent = 50\n"), &format!("{HEADER}{rows}"));
    let name = "branch=A".to_owned();
    assert_eq!(sensitive(&model)[0], (name, Reason::FewContributors, 45, 45));
}

fn counts(rules: &str) -> String {
    format!(
        "[table]\nmeasure = \"n\"\n[[dimension]]\ncolumn = \"province\"\ntotal = \"T\"\n\
         [[dimension]]\ncolumn = \"sex\"\ntotal = \"T\"\n[rule]\nmin_contributors = 3\n{rules}"
    )
}

const ALL_IN_ONE: &str = "province,sex,n\n01,nam,12\n01,nu,0\n01,T,12\n02,nam,30\n02,nu,40\n\
    02,T,70\n03,nam,50\n03,nu,60\n03,T,110\nT,nam,92\nT,nu,100\nT,T,192\n";

#[test]
fn an_empty_cell_is_sensitive_where_that_is_declared() {
    assert_eq!(sensitive(&model(&counts(""), ALL_IN_ONE)), []);
    let model = model(&counts("zeros = true\n"), ALL_IN_ONE);
    let name = "province=01, sex=nu".to_owned();
    assert_eq!(sensitive(&model), [(name, Reason::Zero, 0, 3)]);
    assert_eq!(secondaries(&model).len(), 3, "a square holds it");
}

#[test]
fn a_zero_that_tells_where_everyone_is_is_sensitive_where_that_is_declared() {
    // All 12 of province 01 are men: it is the 0 women that says so.
    let model = model(&counts("group_disclosure = true\n"), ALL_IN_ONE);
    let name = "province=01, sex=nu".to_owned();
    assert_eq!(sensitive(&model), [(name, Reason::GroupDisclosure, 0, 3)]);
    assert_eq!(secondaries(&model).len(), 3, "a square holds it");
}

/// A and B have one contributor each; hiding both is enough against those outside.
fn two_of_one(facilities: [&str; 2]) -> String {
    format!(
        "{HEADER}A,100,1,100,0,{},primary\nB,50,1,50,0,{},primary\nC,300,10,60,50,,published\n\
         D,400,12,60,50,,published\nT,850,24,100,60,,published\n",
        facilities[0], facilities[1]
    )
}

const INSIDERS: &str = "min_contributors = 3\nprotection_percent = 10\ninsiders = true\n";

#[test]
fn a_contributor_knows_its_own_figure() {
    let outside = magnitudes("min_contributors = 3\nprotection_percent = 10\n");
    let table = two_of_one(["f1", "f2"]);
    assert_eq!(secondaries(&model(&outside, &table)), Vec::<String>::new());
    let (_, verdict) = audit(&outside, &table);
    assert!(verdict.audited().is_some(), "{verdict:?}");

    let (model_within, verdict) = audit(&magnitudes(INSIDERS), &table);
    let Verdict::Refuse { refusal, .. } = verdict else { panic!("f1 computes B, f2 computes A") };
    let exposed: Vec<_> =
        refusal.exposed().map(|f| (model_within.name(f.cell), f.low, f.high)).collect();
    assert_eq!(exposed, [("branch=A".to_owned(), 100, 100), ("branch=B".to_owned(), 50, 50)]);
    assert!(refusal.exposed().all(|finding| finding.insider.len() == 1));
    assert_eq!(secondaries(&model(&magnitudes(INSIDERS), &table)), ["branch=C"]);
}

#[test]
fn the_cells_of_one_facility_are_one_insiders() {
    // Both cells are f1's: there is nothing in them that it does not know.
    let same = two_of_one(["f1", "f1"]);
    assert_eq!(secondaries(&model(&magnitudes(INSIDERS), &same)), Vec::<String>::new());
    // With a third beside them, f1 knows two of three, and so the third.
    let third = same.replace("C,300,10,60,50,,published", "C,300,1,300,0,f2,primary");
    let (model, verdict) = audit(&magnitudes(INSIDERS), &third);
    let Verdict::Refuse { refusal, .. } = verdict else { panic!("f1 computes C") };
    let exposed: Vec<_> = refusal.exposed().map(|f| model.name(f.cell)).collect();
    assert_eq!(exposed, ["branch=C"]);
}

#[test]
fn a_contributor_knows_every_total_that_is_its_own_cell() {
    let files = Files::new();
    files.put("g.csv", "group,branch\nG,A\nG,B\nH,C\nH,D\n");
    let text = magnitudes(INSIDERS);
    let text = text.replace("[rule]", "hierarchies = [\"g.csv\"]\n[rule]");
    // G is A, though only A carries the code.
    let rows = "A,100,1,100,0,f1,\nB,0,0,0,0,,\nG,100,1,100,0,,\nC,50,1,50,0,f2,\n\
                D,400,12,60,50,,\nH,450,13,60,50,,\nT,550,14,100,60,,\n";
    let table = files.put("t.csv", &format!("{HEADER}{rows}"));
    let model = load(&files.put("spec.toml", &text), &[&table], Purpose::Protect).model;
    let cell = |code| model.find(&[code]).expect("a cell");
    let mut own = [cell("A"), cell("G")];
    own.sort_unstable();
    let demands = Primaries::find(&model).demands();
    let of_f1 = demands.iter().find(|d| d.cell == cell("C") && !d.known.is_empty());
    assert_eq!(of_f1.expect("f1 may ask for C").known[..], own);
}
