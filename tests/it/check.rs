//! Golden faulty declarations: each folder of `tests/fixtures/check` is a small tree of
//! declarations beside the report that it must give. `UPDATE_EXPECT=1` writes the reports anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use warehouse::diagnostic::{Report, Severity};
use warehouse::spec::{self, Loaded, QueryKind, Treatment};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/check");
    let entries = fs::read_dir(&folder).expect("the fixtures are there");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    cases.sort();
    cases
}

fn load(root: &Path) -> Loaded {
    spec::load(root).expect("the folder can be read")
}

fn report(loaded: &Loaded) -> String {
    Report::new(&loaded.sources, &loaded.diagnostics).to_string()
}

#[test]
fn every_fault_is_reported_at_its_place() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = report(&load(&case));
        let path = case.join("expected.txt");
        if update {
            fs::write(&path, &found).expect("the fixture can be written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            wrong.push(format!("== {}: expected\n{expected}-- found\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_fault_has_a_fixture() {
    let shown: BTreeSet<&str> =
        cases().iter().flat_map(|case| load(case).diagnostics).map(|fault| fault.code).collect();
    let known = BTreeSet::from([
        "bad-indicator-shape",
        "bad-name",
        "bad-partition",
        "bad-pattern",
        "bad-reference-list",
        "bad-risk",
        "bare-unit-code",
        "check-of-persons",
        "check-out-of-reach",
        "check-rule-missing",
        "check-two-rules",
        "column-mismatch",
        "cycle",
        "depends-on-invalid",
        "duplicate-name",
        "free-text-flows",
        "free-text-of-persons",
        "ignored-file",
        "linked-without-purpose",
        "lower-without-reason",
        "misplaced-key",
        "missing-bounds",
        "missing-declared-file",
        "missing-header",
        "missing-key",
        "missing-source-column",
        "missing-translation",
        "missing-unit",
        "no-key-list",
        "not-a-query",
        "not-utf8",
        "open-pattern",
        "open-text",
        "out-of-range",
        "outside-sources",
        "personal-kept",
        "quarantine-on-query",
        "restricted-schema",
        "risk-undeclared",
        "smallest-group-column",
        "smallest-group-missing",
        "smallest-group-totals",
        "sql-plan",
        "sql-syntax",
        "suppress-unknown-column",
        "table-too-open",
        "toml-syntax",
        "unit-code-flows",
        "unknown-column",
        "unknown-group",
        "unknown-key",
        "unknown-reference",
        "unknown-table",
        "unknown-type",
        "unknown-value",
        "unqualified-table",
        "wrong-type",
    ]);
    assert_eq!(shown, known);
}

/// Nothing with an error may be used, by whatever way it came in.
#[test]
fn what_has_a_fault_is_not_among_the_declarations() {
    for case in cases() {
        let loaded = load(&case);
        let faulty: BTreeSet<&str> = loaded
            .diagnostics
            .iter()
            .filter(|fault| fault.severity == Severity::Error || fault.code == "depends-on-invalid")
            .map(|fault| fault.path.as_str())
            .collect();
        let declared = &loaded.declarations;
        let contracts = declared.contracts.iter().map(|contract| contract.path.as_str());
        let queries = declared.queries.iter().map(|query| query.path.as_str());
        for path in contracts.chain(queries) {
            assert!(!faulty.contains(path), "{}: {path} is used", case.display());
        }
    }
}

#[test]
fn sound_declarations_come_in_build_order_with_what_they_read() {
    let loaded = load(&root().join("tests/fixtures/check/sound"));
    let declared = &loaded.declarations;
    let contracts: Vec<&str> = declared.contracts.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(contracts, ["giam_sat", "hanh_chinh"]);
    let made: Vec<(QueryKind, String)> = declared
        .queries
        .iter()
        .map(|query| {
            let reads: Vec<String> = query.reads.iter().map(ToString::to_string).collect();
            (query.kind, format!("{} < {}", query.id, reads.join(" ")))
        })
        .collect();
    let expected = [
        (QueryKind::Mart, "sot_xuat_huyet < nguon.giam_sat_thang"),
        (QueryKind::Indicator, "so_mac_sot_xuat_huyet < kho.sot_xuat_huyet"),
        (QueryKind::OpenData, "sot_xuat_huyet_thang < chi_tieu.gia_tri"),
    ];
    assert_eq!(made, expected.map(|(kind, reads)| (kind, reads.to_owned())));
    let mart = declared.query("sot_xuat_huyet").expect("declared");
    let types: Vec<String> =
        mart.schema.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    assert_eq!(types, ["don_vi Utf8", "thang Date32", "so_mac Int64"]);
    assert!(mart.sql.starts_with("SELECT") && mart.sql.ends_with("thang"), "{}", mart.sql);
}

#[test]
fn no_column_that_is_stored_is_more_open_than_its_table_without_a_reason() {
    let declared = spec::load_embedded().declarations;
    for table in declared.contracts.iter().flat_map(|contract| &contract.tables) {
        for column in &table.columns {
            let is_stored =
                matches!(column.treatment, Treatment::Keep | Treatment::Pseudonymise { .. });
            let is_lower = column.sensitivity < table.sensitivity;
            let has_reason = column.because.is_some();
            assert!(!(is_stored && is_lower) || has_reason, "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn the_declarations_of_this_repository_have_no_fault() {
    for loaded in [load(root()), spec::load_embedded()] {
        assert_eq!(report(&loaded), "");
    }
}
