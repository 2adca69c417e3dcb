//! Rows and sums of kept principals over the wire, the pages and the command line, beside those of
//! the same query with the condition written by hand.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;
use warehouse::access::Principal;
use warehouse::names::Sensitivity;
use warehouse::query::{Via, Warehouse};
use warehouse::serve::users::Secret;
use warehouse::spec::QueryKind;

use super::{MERGED, UNTOUCHED, kept_to};
use crate::support::{self, Server, khoyte, succeed};
use crate::web;

const PASSWORD: &str = "mat khau cua so y te";

/// Name, and the unit that they are kept to.
const PEOPLE: [(&str, Option<&str>); 3] =
    [("so_24", Some(MERGED)), ("so_22", Some(UNTOUCHED)), ("ca_nuoc", None)];

/// A server over the filled folder whose users are kept to places.
fn server() -> &'static (TempDir, Server) {
    static SERVER: LazyLock<(TempDir, Server)> = LazyLock::new(|| {
        let folder = support::copied();
        let file = folder.path().join("khoyte.toml");
        let mut text = std::fs::read_to_string(&file).unwrap();
        let secret = Secret::derive(PASSWORD, &[9; 16]).encode();
        for (name, unit) in PEOPLE {
            let provinces = unit.map(|unit| format!("provinces = [\"{unit}\"]\n"));
            let provinces = provinces.unwrap_or_default();
            text += &format!(
                "\n[[user]]\nname = \"{name}\"\nclearance = \"business\"\nsecret = \"{secret}\"\n\
                 {provinces}"
            );
        }
        std::fs::write(&file, text).unwrap();
        let server = Server::start(folder.path());
        (folder, server)
    });
    &SERVER
}

/// Tables above open with a place in each row, and a number to add up.
fn tables(warehouse: &Warehouse) -> Vec<(String, String)> {
    let declarations = warehouse.declarations();
    let internal = |class: Sensitivity| class > Sensitivity::Open && class <= Sensitivity::Business;
    let number = |ty: &arrow::datatypes::DataType| ty.is_numeric();
    let mut all = Vec::new();
    for contract in &declarations.contracts {
        for table in contract.tables.iter().filter(|table| internal(table.sensitivity)) {
            let schema = warehouse::spec::arrow_schema(table);
            let counted = schema.fields().iter().find(|field| number(field.data_type()));
            if schema.field_with_name("don_vi").is_ok() {
                let counted = counted.map_or("1", |field| field.name().as_str());
                all.push((table.name.to_string(), counted.to_owned()));
            }
        }
    }
    for query in declarations.of_kind(QueryKind::Mart).filter(|q| internal(q.sensitivity)) {
        let schema = &query.schema;
        let counted = schema.fields().iter().find(|field| number(field.data_type()));
        if let (Ok(_), Some(name)) = (schema.field_with_name("don_vi"), query.table()) {
            let counted = counted.map_or("1", |field| field.name().as_str());
            all.push((name.to_string(), counted.to_owned()));
        }
    }
    all
}

fn by_hand(warehouse: &Warehouse, unit: Option<&str>) -> String {
    let Some(unit) = unit else { return "true".to_owned() };
    let units = warehouse.geography().within(&[unit.to_owned()].into());
    let units: Vec<String> = units.into_iter().map(|unit| format!("'{unit}'")).collect();
    format!("don_vi IN ({})", units.join(", "))
}

/// One row as `a|b`.
fn expected(warehouse: &Warehouse, sql: &str) -> String {
    let planner = Principal::planner("ca_nuoc");
    let grid = support::wait(async {
        let answer = warehouse.door(&planner, Via::CommandLine).ask(sql).await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error}")).grid(10).await.unwrap()
    });
    let cells = grid.rows[0].iter().map(ToString::to_string);
    cells.map(|cell| cell.trim_end_matches(".0").to_owned()).collect::<Vec<_>>().join("|")
}

fn over_the_wire(server: &Server, name: &str, sql: &str) -> String {
    let connection = format!("host=127.0.0.1 port={} user={name} dbname=khoyte", server.postgres);
    let mut psql = Command::new("psql");
    psql.env("PGPASSWORD", PASSWORD).args([&connection, "-At", "-c", sql]);
    String::from_utf8(succeed(&mut psql).stdout).unwrap().trim().to_owned()
}

fn on_a_page(server: &Server, cookie: &str, sql: &str) -> String {
    let answer = web::post(&server.web, "/sql.csv", &[("q", sql)], cookie);
    assert_eq!(answer.status, 200, "{sql}: {}", answer.text());
    answer.text().lines().nth(1).unwrap_or_default().replace(',', "|")
}

fn at_the_prompt(folder: &Path, name: &str, sql: &str) -> String {
    let output = succeed(khoyte(folder).args(["sql", "--as", name, "--format", "csv", sql]));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().nth(1).unwrap_or_default().replace(',', "|")
}

#[test]
fn every_door_gives_the_rows_of_the_principals_places() {
    let (folder, server) = server();
    let warehouse = support::open(folder.path());
    let tables = tables(&warehouse);
    let mut cases = 0;
    let mut some = 0;
    for (name, unit) in PEOPLE {
        let cookie = web::log_in(&server.web, name, PASSWORD);
        let condition = by_hand(&warehouse, unit);
        for (table, number) in &tables {
            let sum = format!("CAST(COALESCE(sum({number}), 0) AS BIGINT)");
            let plain = format!("SELECT count(*) AS a, {sum} AS b FROM {table}");
            let wanted = expected(&warehouse, &format!("{plain} WHERE {condition}"));
            some += u32::from(!wanted.starts_with("0|"));
            assert_eq!(over_the_wire(server, name, &plain), wanted, "{name}, wire: {plain}");
            assert_eq!(on_a_page(server, &cookie, &plain), wanted, "{name}, page: {plain}");
            cases += 2;
        }
        // The program starts anew for each question: two are enough.
        for (table, _) in tables.iter().take(2) {
            let plain = format!("SELECT count(*) AS a, count(DISTINCT don_vi) AS b FROM {table}");
            let wanted = expected(&warehouse, &format!("{plain} WHERE {condition}"));
            assert_eq!(at_the_prompt(folder.path(), name, &plain), wanted, "{name}: {plain}");
            cases += 1;
        }
    }
    assert!(cases >= 60, "{cases} cases");
    assert!(some >= 10, "only {some} of them have rows");
}

#[test]
fn what_is_open_is_whole_and_figures_of_the_country_stand_beside_own_ones() {
    let warehouse = support::open(support::filled());
    let count = |who: &Principal, sql: &str| {
        support::wait(async {
            let answer = warehouse.door(who, Via::CommandLine).ask(sql).await?;
            let grid = answer.grid(1).await?;
            Ok::<_, warehouse::query::QueryError>(grid.rows[0][0].to_string())
        })
    };
    let (country, kept) = (Principal::planner("a"), kept_to(MERGED));
    for sql in [
        "SELECT count(*) FROM danh_muc.don_vi",
        // An open indicator: ranks and comparisons stand.
        "SELECT count(*) FROM chi_tieu.gia_tri WHERE ma_chi_tieu = 'giuong_benh_10k'",
        "SELECT count(*) FROM chi_tieu_tai(DATE '2017-12-31') WHERE ma_chi_tieu = 'giuong_benh_10k'",
        // The country's figure of one that is not open.
        "SELECT sum(tu_so) FROM chi_tieu.ca_nuoc WHERE ma_chi_tieu = 'sxh_so_mac_thang'",
    ] {
        let (all, own) = (count(&country, sql), count(&kept, sql));
        assert_eq!(all.unwrap(), own.unwrap(), "{sql}");
    }
    // Their own figures of one that is not open, on the boundaries of both times.
    let own = "SELECT sum(tu_so) FROM chi_tieu_tai(DATE '2025-07-01') \
               WHERE ma_chi_tieu = 'sxh_so_mac_thang' AND nam = 2017";
    let wanted = format!("{own} AND ma = '24'");
    assert_eq!(count(&kept, own).unwrap(), count(&country, &wanted).unwrap());
    let before = "SELECT count(DISTINCT don_vi) FROM chi_tieu_tai(DATE '2017-12-31') \
                  WHERE ma_chi_tieu = 'sxh_so_mac_thang'";
    assert_eq!(count(&kept, before).unwrap(), "2", "Bắc Giang and Bắc Ninh");
    // Above open and without a place: nothing is there.
    assert!(count(&kept, "SELECT count(*) FROM he_thong.cach_ly").is_err());
    assert!(count(&kept, "SELECT count(*) FROM kho.benh_truyen_nhiem_ca_nuoc_nam").is_err());
}
