//! Linked groupings, earlier releases and patterns that only look safe.

use std::collections::BTreeSet;

use disclosure::{Limits, Model, Purpose, Status, Verdict, audit_candidate, protect_candidate};

use super::support::{Files, load, load_audit};

const REGIONS: [(&str, u32); 8] =
    [("A", 2), ("B", 2), ("I", 8), ("J", 8), ("K", 3), ("L", 3), ("M", 3), ("N", 7)];
const COUNTIES: &str = "county,region\nC1,A\nC1,B\nC1,I\nC1,J\nC2,K\nC2,L\nC2,M\nC2,N\n";
const SIZES: &str = "size,region\nS1,L\nS1,M\nS2,A\nS2,B\nS2,I\nS2,J\nS2,K\nS2,N\n";

fn spec(hierarchies: &str, extra: &str) -> String {
    format!(
        "[table]\nmeasure = \"n\"\n[[dimension]]\ncolumn = \"region\"\ntotal = \"T\"\n\
         hierarchies = [{hierarchies}]\n[rule]\nmin_contributors = 4\n\
         protection_percent = 100\n[objective]\nminimise = \"cells\"\n{extra}"
    )
}

/// The regions with the totals of `groups`; regions in `hidden` are suppressed.
fn table(groups: &[(&str, u32)], hidden: &str) -> String {
    let mut text = "region,n,status\n".to_owned();
    for (code, value) in REGIONS {
        if hidden.contains(code) {
            let status = if value <= 3 { "primary" } else { "secondary" };
            text.push_str(&format!("{code},{value},{status}\n"));
        } else {
            text.push_str(&format!("{code},{value},published\n"));
        }
    }
    for (code, value) in groups {
        text.push_str(&format!("{code},{value},published\n"));
    }
    text
}

const BY_COUNTY: [(&str, u32); 3] = [("C1", 20), ("C2", 16), ("T", 36)];
const BY_SIZE: [(&str, u32); 3] = [("S1", 6), ("S2", 30), ("T", 36)];

fn audit(hierarchies: &str, groups: &[(&str, u32)], hidden: &str) -> (Model, Verdict) {
    let files = Files::new();
    files.put("county.csv", COUNTIES);
    files.put("size.csv", SIZES);
    let loaded = load_audit(&spec(hierarchies, ""), &table(groups, hidden), "n", &files);
    let (_, verdict) = audit_candidate(&loaded, Limits::default());
    (loaded.model, verdict)
}

#[test]
fn each_grouping_passes_alone_and_both_name_k() {
    let (_, county) = audit("\"county.csv\"", &BY_COUNTY, "ABKLM");
    assert!(county.audited().is_some(), "{county:?}");
    let (_, size) = audit("\"size.csv\"", &BY_SIZE, "ABKLM");
    assert!(size.audited().is_some(), "{size:?}");
    let both = [BY_COUNTY, BY_SIZE].concat();
    let both: Vec<_> = both.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let (model, joint) = audit("\"county.csv\", \"size.csv\"", &both, "ABKLM");
    let Verdict::Refuse { refusal, coarsening } = joint else { panic!("must be refused") };
    let exposed: Vec<_> = refusal.exposed().map(|f| (model.name(f.cell), f.low, f.high)).collect();
    assert_eq!(exposed, [("region=K".to_owned(), 3, 3)]);
    assert!(coarsening.is_some(), "giving up the regions or a grouping would pass");
    let (_, repaired) = audit("\"county.csv\", \"size.csv\"", &both, "ABKLMN");
    assert!(repaired.audited().is_some(), "{repaired:?}");
}

#[test]
fn one_more_cell_repairs_the_joint_table() {
    let files = Files::new();
    files.put("county.csv", COUNTIES);
    files.put("size.csv", SIZES);
    let both: Vec<_> = [BY_COUNTY, BY_SIZE].concat();
    let both: Vec<_> = both.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let spec = files.put("spec.toml", &spec("\"county.csv\", \"size.csv\"", ""));
    let table = files.put("t.csv", &table(&both, ""));
    let model = load(&spec, &[&table], Purpose::Protect).model;
    let (_, verdict) = protect_candidate(&model, Limits::default());
    let audited = verdict.audited().expect("can be protected");
    let second = (0..model.system().len()).filter(|&c| audited.status(c) == Status::Secondary);
    assert_eq!(second.count(), 1);
}

#[test]
fn a_release_by_size_is_refused_after_one_by_county() {
    let files = Files::new();
    files.put("county.csv", COUNTIES);
    files.put("size.csv", SIZES);
    let past = table(&BY_COUNTY, "ABKLM")
        .lines()
        .map(|line| match line.split(',').collect::<Vec<_>>()[..] {
            [code, _, "primary"] => format!("{code},,suppressed\n"),
            _ => format!("{line}\n"),
        })
        .collect::<String>();
    files.put("past.csv", &past);
    let spec = files.put(
        "spec.toml",
        &spec("\"county.csv\", \"size.csv\"", "[[published]]\nfile = \"past.csv\"\n"),
    );
    let candidate = files.put("t.csv", "region,n\nS1,6\nS2,30\n");
    let model = load(&spec, &[&candidate], Purpose::Protect).model;
    let (_, verdict) = protect_candidate(&model, Limits::default());
    // The sizes may only leave if one of them is hidden too: K must not become computable.
    let audited = verdict.audited().expect("hiding the sizes protects K");
    let (s1, s2) = (model.find(&["S1"]).expect("S1"), model.find(&["S2"]).expect("S2"));
    assert!(audited.is_hidden(s1) && audited.is_hidden(s2));
}

#[test]
fn what_is_out_and_leaks_by_itself_blocks_everything() {
    let files = Files::new();
    files.put("past.csv", "region,n\nA,\nB,5\nT,7\n");
    let spec = files.put("spec.toml", &spec("", "[[published]]\nfile = \"past.csv\"\n"));
    let candidate = files.put("t.csv", "region,n\nB,5\n");
    let model = load(&spec, &[&candidate], Purpose::Protect).model;
    let (_, verdict) = protect_candidate(&model, Limits::default());
    let Verdict::Refuse { refusal, .. } = verdict else { panic!("must be refused") };
    assert!(refusal.past_leaks);
    let exposed: Vec<_> = refusal.exposed().map(|f| (f.low, f.high)).collect();
    assert_eq!(exposed, [(2, 2)]);
}

/// Two suppressed cells in every row and column with suppressions, and one of them still exact:
/// the cell (r2, c2) is tied to its block only through equations that determine it.
#[test]
fn counting_suppressed_cells_per_row_is_not_enough() {
    let files = Files::new();
    let hidden = ["r1c1", "r1c2", "r2c1", "r2c2", "r2c3", "r3c3", "r3c4", "r4c4", "r4c3"];
    let value =
        |r: usize, c: usize| if hidden.contains(&format!("r{r}c{c}").as_str()) { 3 } else { 20 };
    let mut text = "row,col,n,status\n".to_owned();
    let mut put = |r: String, c: String, n: usize, hide: bool| {
        let status = if hide { "primary" } else { "published" };
        text.push_str(&format!("{r},{c},{n},{status}\n"));
    };
    for r in 1..=4 {
        for c in 1..=4 {
            put(
                format!("r{r}"),
                format!("c{c}"),
                value(r, c),
                hidden.contains(&format!("r{r}c{c}").as_str()),
            );
        }
        put(format!("r{r}"), "T".into(), (1..=4).map(|c| value(r, c)).sum(), false);
    }
    for c in 1..=4 {
        put("T".into(), format!("c{c}"), (1..=4).map(|r| value(r, c)).sum(), false);
    }
    put(
        "T".into(),
        "T".into(),
        (1..=4).flat_map(|r| (1..=4).map(move |c| value(r, c))).sum(),
        false,
    );
    let spec = "[table]\nmeasure = \"n\"\n[[dimension]]\ncolumn = \"row\"\ntotal = \"T\"\n\
         [[dimension]]\ncolumn = \"col\"\ntotal = \"T\"\n[rule]\nmin_contributors = 4\n\
         protection_percent = 50\n";
    let loaded = load_audit(spec, &text, "n", &files);
    let (_, verdict) = audit_candidate(&loaded, Limits::default());
    let Verdict::Refuse { refusal, .. } = verdict else { panic!("must be refused") };
    let exact: Vec<_> = refusal
        .exposed()
        .filter(|finding| finding.is_recoverable())
        .map(|finding| loaded.model.name(finding.cell))
        .collect();
    assert_eq!(exact, ["row=r2, col=c3"]);
}
