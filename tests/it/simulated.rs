//! Sources that are made up from the contracts alone: servers and files that a night loads, night
//! after night, as it would real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use warehouse::spec::{Growth, Origin, SourceKind, SourceTable};

use crate::support::{self, khoyte, succeed};
use crate::users::server::{PASSWORD, Postgres};

const SOURCES: [&str; 5] = ["kcb", "tiem_chung", "nhan_luc", "thiet_bi", "bhyt"];
/// Those whose tables are workbooks, answers of web services, or relations that ODBC reaches.
const OTHERS: [&str; 6] = ["thong_ke", "hiv_bao_cao", "giam_sat", "dvc_duoc", "suc_khoe", "dan_so"];
const SERVICES: [&str; 3] = ["giam_sat", "dvc_duoc", "suc_khoe"];
const NIGHTS: [&str; 3] = ["2026-07-07", "2026-07-08", "2026-07-09"];

/// An installation with the contracts of the product, whose servers are one database.
fn installation(server: &Postgres, database: &str) -> TempDir {
    server.ask("postgres", &format!("CREATE DATABASE {database}"));
    let address = format!("postgresql://127.0.0.1:{}/{database}", server.port());
    let mut config = String::new();
    for id in &SOURCES[..4] {
        config.push_str(&login(id, &address, Some("khoyte"), PASSWORD));
    }
    house(&config)
}

/// The same, whose servers are a database through ODBC and web services at a port.
fn other_installation(server: &Postgres, database: &str, port: u16) -> TempDir {
    server.ask("postgres", &format!("CREATE DATABASE {database}"));
    let address = format!(
        "DRIVER={{PostgreSQL Unicode}};SERVER=127.0.0.1;PORT={};DATABASE={database};\
         SSLMODE=disable;UseDeclareFetch=1;Fetch=1000;BoolsAsChar=0;Protocol=7.4-0",
        server.port()
    );
    let mut config = login("dan_so", &address, Some("khoyte"), PASSWORD);
    for id in SERVICES {
        let address = format!("http://127.0.0.1:{port}/{id}");
        config.push_str(&login(id, &address, None, "the-ra-vao"));
    }
    house(&config)
}

fn login(id: &str, address: &str, user: Option<&str>, secret: &str) -> String {
    let user = user.map(|user| format!("user = {user:?}\n")).unwrap_or_default();
    format!(
        "\n[servers.{id}]\naddress = {address:?}\n{user}secret_command = [\"echo\", {secret:?}]\n\
         plain = true\nrequests_per_second = 1000\n"
    )
}

fn house(servers: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sources", "keys"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::set_permissions(folder.path().join("keys"), PermissionsExt::from_mode(0o700)).unwrap();
    let config = format!("sources_folder = \"sources\"\n{servers}");
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

/// The tables of these sources that are of these kinds, and fit.
fn expected(
    sources: &[&str],
    kinds: &[SourceKind],
    fits: impl Fn(&SourceTable) -> bool,
) -> BTreeSet<String> {
    let declared = support::declarations();
    let contracts = declared.contracts.iter().filter(|one| sources.contains(&one.id.as_str()));
    let tables = contracts.flat_map(|contract| &contract.tables);
    let read = tables
        .filter(|table| matches!(&table.origin, Origin::Read { kind, .. } if kinds.contains(kind)))
        .filter(|table| fits(table));
    read.map(|table| table.name.to_string()).collect()
}

/// The services that were written, until it is dropped.
struct Served(Child);

impl Served {
    fn start(folder: &Path, port: u16) -> Self {
        let mut command = khoyte(folder);
        command.args(["simulate", "--serve", &format!("127.0.0.1:{port}"), "--to"]);
        command.arg(folder.join("sources")).arg("--contracts").args(SERVICES);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "the services are served");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many rows `simulate` says that it wrote, by table.
fn written(said: &str) -> BTreeMap<String, u64> {
    let lines = said.lines().filter_map(|line| line.trim().strip_prefix("simulated"));
    let count = |line: &str| {
        let (table, rest) = line.trim().split_once(", night of ")?;
        let rows = rest.rsplit_once(": ")?.1.strip_suffix(" rows")?;
        Some((table.to_owned(), rows.parse().ok()?))
    };
    lines.filter_map(count).collect()
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
        for table in expected(&SOURCES, &[SourceKind::PostgreSql, SourceKind::ClaimsXml], |_| true)
        {
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

#[test]
fn workbooks_services_and_relations_through_odbc_are_read_back_row_by_row() {
    let server = Postgres::start();
    let port = servers::free_port();
    let house = other_installation(&server, "khac", port);
    let folder = house.path();
    let kinds = [SourceKind::Xlsx, SourceKind::HttpJson, SourceKind::Odbc];
    let mut services = None;
    for (number, night) in NIGHTS[..2].iter().copied().enumerate() {
        let output = succeed(&mut simulate(folder, night, &OTHERS));
        let written = written(&String::from_utf8(output.stderr).unwrap());
        services.get_or_insert_with(|| Served::start(folder, port));
        let mut command = khoyte(folder);
        command.args(["night", "--date", night, "--only"]).args(OTHERS);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let account = format!(
            "SELECT bang, ket_qua, so_dong_doc, ly_do FROM he_thong.lan_chay \
             WHERE dem = DATE '{night}'"
        );
        let account = lines(folder, &account);
        // A span of periods may leave some rows out; so does what was read in the night before.
        let whole = |table: &SourceTable| {
            let is_nightly = table.origin.is_nightly();
            is_nightly || (number == 0 && !matches!(table.growth, Growth::Append { .. }))
        };
        let whole = expected(&OTHERS, &kinds, whole);
        for table in expected(&OTHERS, &kinds, |_| true) {
            let found = account.iter().find(|line| line.starts_with(&format!("{table}|")));
            let rows = if whole.contains(&table) {
                format!("{table}|moi|{}|", written[&table])
            } else {
                format!("{table}|moi|")
            };
            let is_read = found.is_some_and(|line| line.starts_with(&rows));
            assert!(is_read, "night of {night}: {rows}: {found:?}\n{said}");
        }
    }
    // Who shows no token gets nothing.
    assert!(!said_by_service(port).contains("items"));
    let marked = server.ask("khac", "SELECT count(*) FROM khoyte_mo_phong");
    assert_eq!(marked.trim(), "4");
}

/// What the service says to somebody without a token.
fn said_by_service(port: u16) -> String {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = "GET /giam_sat/v1/ca-benh HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    said
}
