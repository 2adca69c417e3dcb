//! Sources that are made up from the contracts alone: servers and files that a night loads, night
//! after night, as it would real ones.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;
use warehouse::spec::{Origin, SourceKind};

use crate::support::{self, khoyte, succeed};
use crate::users::server::{PASSWORD, Postgres};

const SOURCES: [&str; 5] = ["kcb", "tiem_chung", "nhan_luc", "thiet_bi", "bhyt"];
const NIGHTS: [&str; 3] = ["2026-07-07", "2026-07-08", "2026-07-09"];

/// An installation with the contracts of the product, whose servers are one database.
fn installation(server: &Postgres, database: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sources", "keys"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::set_permissions(folder.path().join("keys"), PermissionsExt::from_mode(0o700)).unwrap();
    server.ask("postgres", &format!("CREATE DATABASE {database}"));
    let address = format!("postgresql://127.0.0.1:{}/{database}", server.port());
    let mut config = "sources_folder = \"sources\"\n".to_owned();
    for id in &SOURCES[..4] {
        config.push_str(&format!(
            "\n[servers.{id}]\naddress = {address:?}\nuser = \"khoyte\"\nsecret_command = \
             [\"echo\", {PASSWORD:?}]\nplain = true\n"
        ));
    }
    fs::write(folder.path().join("khoyte.toml"), config).unwrap();
    folder
}

fn simulate(folder: &Path, night: &str, sources: &[&str]) -> std::process::Command {
    let mut command = khoyte(folder);
    command.args(["simulate", "--nights", "3", "--first", NIGHTS[0], "--night", night]);
    command.args(["--rows", "300", "--seed", "7", "--to"]).arg(folder.join("sources"));
    command.arg("--contracts").args(sources);
    command
}

/// The tables of the sources that are relations or claims.
fn expected() -> BTreeSet<String> {
    let declared = support::declarations();
    let contracts = declared.contracts.iter().filter(|one| SOURCES.contains(&one.id.as_str()));
    let tables = contracts.flat_map(|contract| &contract.tables);
    let kinds = [SourceKind::PostgreSql, SourceKind::ClaimsXml];
    let read = tables
        .filter(|table| matches!(&table.origin, Origin::Read { kind, .. } if kinds.contains(kind)));
    read.map(|table| table.name.to_string()).collect()
}

fn lines(folder: &Path, sql: &str) -> Vec<String> {
    let grid = support::rows(&support::open(folder), sql);
    let line = |row: &Vec<warehouse::grid::Cell>| {
        row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
    };
    grid.rows.iter().map(line).collect()
}

#[test]
fn every_table_of_made_up_sources_loads_night_after_night() {
    let server = Postgres::start();
    let house = installation(&server, "mo_phong");
    let folder = house.path();
    let mut before = 0;
    for night in NIGHTS {
        succeed(&mut simulate(folder, night, &SOURCES));
        let mut command = khoyte(folder);
        command.args(["night", "--date", night, "--only"]).args(SOURCES);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let account = format!(
            "SELECT bang, ket_qua, ly_do FROM he_thong.lan_chay WHERE dem = DATE '{night}'"
        );
        let account = lines(folder, &account);
        for table in expected() {
            let found = account.iter().find(|line| line.starts_with(&format!("{table}|")));
            let is_new = found.is_some_and(|line| line.starts_with(&format!("{table}|moi")));
            assert!(is_new, "night of {night}: {table}: {found:?}\n{said}");
        }
        let held = &lines(folder, "SELECT count(*) FROM nguon.kcb_luot_kham")[0];
        let held: usize = held.parse().unwrap();
        assert!(held > before + 200, "night of {night}: {before}, then {held}");
        before = held;
    }
    // What a visit and its claim say of a practitioner leads to the register of licences.
    let joined = "SELECT count(*) FROM nguon.kcb_luot_kham AS l \
                  JOIN nguon.nhan_luc_cchn AS c ON c.so_giay_phep = l.ma_bac_si";
    assert_ne!(lines(folder, joined), ["0"]);
    let gone = server.ask("mo_phong", "SELECT count(*) FROM kcb.luot_kham WHERE trang_thai = '9'");
    assert!(gone.trim().parse::<u32>().unwrap() > 0);
    assert_eq!(
        lines(folder, "SELECT count(*) FROM nguon.kcb_luot_kham WHERE trang_thai = '9'"),
        ["0"]
    );
}

#[test]
fn nothing_is_written_to_a_relation_that_no_simulation_made() {
    let server = Postgres::start();
    let house = installation(&server, "that");
    let real = "CREATE SCHEMA thiet_bi; CREATE TABLE thiet_bi.thiet_bi (ma_thiet_bi text); \
                INSERT INTO thiet_bi.thiet_bi VALUES ('TB1')";
    server.ask("that", real);
    let output = simulate(house.path(), NIGHTS[0], &["thiet_bi"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("was not made by a simulation"), "{said}");
    assert_eq!(server.ask("that", "SELECT * FROM thiet_bi.thiet_bi").trim(), "TB1");
}
