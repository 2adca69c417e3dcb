//! What may be released, and what a check must come to.

use std::collections::BTreeSet;

use warehouse::grid::Cell;
use warehouse::names::{Sensitivity, TableName};
use warehouse::spec::{Action, Check, Declarations, Query, QueryKind, Rule};

use super::super::{Refusal, ReleaseError, faults_of, gate};
use super::{query, text};

/// The open dataset of the other tests, reading `reads`, with its small-cell rule or without one.
fn dataset(reads: &str, with_rule: bool) -> Query {
    let mut query = query();
    query.reads.insert(reads.parse().unwrap());
    if let Some(release) = query.release.as_mut().filter(|_| !with_rule) {
        release.suppress.clear();
        release.suppress_with.clear();
        release.minimum_cell = 0;
    }
    query
}

fn declared(kind: QueryKind, id: &str, class: Sensitivity, reads: &str) -> Query {
    let reads: BTreeSet<TableName> = BTreeSet::from([reads.parse().unwrap()]);
    Query { kind, id: id.into(), sensitivity: class, reads, release: None, ..query() }
}

fn declarations(queries: Vec<Query>) -> Declarations {
    Declarations { queries, ..Declarations::default() }
}

fn refused(declarations: &Declarations, query: &Query) -> Option<Refusal> {
    match gate::principal(declarations, query) {
        Err(ReleaseError::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

fn no_rule(table: &str, class: Sensitivity) -> Option<Refusal> {
    let table: TableName = table.parse().unwrap();
    Some(Refusal::NoRule { table, class })
}

#[test]
fn only_what_is_declared_open_passes() {
    let none = Declarations::default();
    assert!(gate::principal(&none, &query()).is_ok_and(|who| who.name == "public"));
    let mut closed = dataset("kho.giam_sat", true);
    assert!(gate::principal(&none, &closed).is_ok_and(|who| who.name == "khoyte"));
    closed.sensitivity = Sensitivity::Internal;
    assert_eq!(refused(&none, &closed), Some(Refusal::NotOpen(Sensitivity::Internal)));
}

#[test]
fn what_is_not_open_needs_a_rule() {
    let mart = declared(QueryKind::Mart, "dot_dich", Sensitivity::Internal, "danh_muc.benh");
    let all = declarations(vec![mart]);
    let expected = no_rule("kho.dot_dich", Sensitivity::Internal);
    assert_eq!(refused(&all, &dataset("kho.dot_dich", false)), expected);
    assert_eq!(refused(&all, &dataset("kho.dot_dich", true)), None);
}

#[test]
fn an_open_mart_does_not_wash_persons_out() {
    let (open, personal) = (Sensitivity::Open, Sensitivity::Personal);
    let all = declarations(vec![
        declared(QueryKind::Mart, "ho_so", personal, "danh_muc.benh"),
        declared(QueryKind::Mart, "luot_kham", open, "kho.ho_so"),
        declared(QueryKind::Mart, "luot_kham_nam", open, "kho.luot_kham"),
        declared(QueryKind::Indicator, "luot_kham_100k", open, "kho.luot_kham_nam"),
    ]);
    for reads in ["kho.luot_kham", "kho.luot_kham_nam", "chi_tieu.gia_tri"] {
        assert_eq!(
            refused(&all, &dataset(reads, false)),
            no_rule("kho.ho_so", personal),
            "{reads}"
        );
        assert_eq!(refused(&all, &dataset(reads, true)), None, "{reads}");
    }
}

#[test]
fn an_open_mart_of_what_bodies_report_needs_no_rule() {
    let all = declarations(vec![
        declared(QueryKind::Mart, "bao_cao", Sensitivity::Internal, "danh_muc.benh"),
        declared(QueryKind::Mart, "nguon_luc", Sensitivity::Open, "kho.bao_cao"),
    ]);
    let query = dataset("kho.nguon_luc", false);
    assert!(gate::principal(&all, &query).is_ok_and(|who| who.name == "public"));
}

#[test]
fn a_check_without_a_number_is_not_passed() {
    let check = Check {
        name: "du_tinh".into(),
        title: text("Đủ tỉnh"),
        rule: Rule::Row("true".into()),
        action: Action::Refuse,
    };
    assert_eq!(faults_of(&check, &Cell::Integer(3)).ok(), Some(3));
    for cell in [Cell::Null, Cell::Integer(-1), Cell::Number(0.0)] {
        let faults = faults_of(&check, &cell);
        assert!(matches!(faults, Err(ReleaseError::Uncounted { .. })), "{cell:?}");
    }
}
