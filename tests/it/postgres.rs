//! What a planner's psql shows and is refused.

use std::process::Output;

use crate::night::psql;
use crate::support::{Server, succeed};

fn run(sql: &str) -> Output {
    psql(Server::shared()).args(["-v", "VERBOSITY=verbose", "-c", sql]).output().unwrap()
}

#[test]
fn tables_and_columns_are_listed() {
    let listed = succeed(psql(Server::shared()).args(["-c", "\\dt *.*"]));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("benh_truyen_nhiem_thang") && listed.contains("kho"), "{listed}");
    assert!(!listed.contains("bhyt_ho_so"), "person-level tables are not there for a planner");
    let bare = succeed(psql(Server::shared()).args(["-c", "\\dt"]));
    assert!(String::from_utf8_lossy(&bare.stdout).contains("gia_tri"));
    let table = succeed(psql(Server::shared()).args(["-c", "\\d kho.lao_quy"]));
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("don_vi") && table.contains("text"), "{table}");
}

#[test]
fn faults_carry_their_sqlstate() {
    for (sql, code) in [
        ("SELEC 1", "42601"),
        ("SELECT bogus FROM kho.lao_quy", "42703"),
        ("SELECT * FROM kho.khong_co", "42P01"),
        ("SELECT * FROM nguon.bhyt_ho_so", "42P01"),
        ("SELECT khong_co_ham(1)", "42883"),
    ] {
        let output = run(sql);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(&format!("ERROR:  {code}")), "{sql}: {text}");
    }
}

#[test]
fn nothing_can_be_changed_and_no_file_read() {
    for sql in [
        "CREATE TABLE t (a INT)",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "INSERT INTO kho.lao_quy SELECT * FROM kho.lao_quy",
        "UPDATE kho.lao_quy SET so_benh_nhan = 0",
        "DELETE FROM kho.lao_quy",
        "DROP TABLE kho.lao_quy",
        "COPY kho.lao_quy TO '/tmp/khoyte-never.csv'",
        "COPY (SELECT 1) TO STDOUT",
    ] {
        let output = run(sql);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{sql} was not refused");
        let refused = ["25006", "42601", "0A000"].iter().any(|code| text.contains(code));
        assert!(refused, "{sql}: {text}");
    }
    let output = run("SELECT * FROM '/etc/passwd'");
    assert!(!output.status.success());
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_both_refused() {
    let server = Server::shared();
    let wrong = psql(server).env("PGPASSWORD", "wrong").args(["-c", "SELECT 1"]).output().unwrap();
    assert!(!wrong.status.success());
    let connection = format!("host=127.0.0.1 port={} user=ai dbname=khoyte", server.postgres);
    let unknown = std::process::Command::new("psql")
        .args([&connection, "-c", "SELECT 1"])
        .env("PGPASSWORD", &server.password)
        .output()
        .unwrap();
    assert!(!unknown.status.success());
}
