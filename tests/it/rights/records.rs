//! The product's own records tell nobody how many rows there are, were refused or failed a check of
//! a table that they may not see whole.

use std::collections::BTreeSet;

use warehouse::access::{Principal, Scope};
use warehouse::names::Sensitivity;
use warehouse::query::Via;
use warehouse::spec::QueryKind;

use crate::support;

/// The class of what a record is about, as the ledger names it.
fn class_of(about: &str) -> Sensitivity {
    let declared = support::declarations();
    if let Some((_, id)) = about.split_once('/') {
        return declared.query(id).unwrap().sensitivity;
    }
    let name = about.parse().unwrap();
    let source = declared.source_table(&name).map(|(_, table)| table.sensitivity);
    let mut marts = declared.of_kind(QueryKind::Mart);
    let mart = marts.find(|query| query.table().as_ref() == Some(&name));
    // What is declared nowhere is the product's own.
    source.or(mart.map(|mart| mart.sensitivity)).unwrap_or(Sensitivity::Open)
}

#[test]
fn records_are_of_what_their_reader_sees_whole() {
    let warehouse = support::open(support::filled());
    let tables = ["lan_chay", "kiem_tra", "cach_ly", "dong_chay"];
    let all = |who: &Principal| {
        let mut told = BTreeSet::new();
        for table in tables {
            let columns =
                if table == "dong_chay" { ["bang", "tu_bang"].as_slice() } else { &["bang"] };
            for column in columns {
                let sql = format!("SELECT DISTINCT {column} FROM he_thong.{table}");
                let answer = support::wait(async {
                    let answer = warehouse.door(who, Via::CommandLine).ask(&sql).await.ok()?;
                    Some(answer.grid(100_000).await.unwrap())
                });
                let Some(grid) = answer else { continue };
                told.extend(grid.rows.iter().filter_map(|row| row[0].as_str().map(str::to_owned)));
            }
        }
        told
    };
    assert!(all(&Principal::system()).iter().any(|about| class_of(about) >= Sensitivity::Personal));
    let planner = Principal::planner("ke_hoach");
    let kept = planner.clone().within(Scope::parse("01@2008-08-01"));
    for who in [Principal::public(), planner, kept] {
        let told = all(&who);
        assert!(!told.is_empty());
        let beyond: Vec<_> =
            told.iter().filter(|about| !who.reads_whole(class_of(about))).collect();
        assert_eq!(beyond, Vec::<&String>::new(), "{}", who.name);
    }
}
