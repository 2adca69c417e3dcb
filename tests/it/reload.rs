//! `khoyte serve` takes other declarations and other users while it serves, whole or not at all.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::night::psql;
use crate::support::{Server, khoyte, succeed};
use crate::web;

/// Until a change that was made must be served.
const SOON: Duration = Duration::from_secs(60);

/// The lines of configuration beside the user's.
const CONFIG: &str = "declarations_folder = \"declared\"\n";

/// Declarations with units and one mart.
fn declare(dir: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let contracts = dir.join("declared/pipelines/contracts");
    fs::create_dir_all(&contracts).unwrap();
    fs::create_dir_all(dir.join("declared/queries/marts")).unwrap();
    let contract = "hanh_chinh.toml";
    fs::copy(root.join("pipelines/contracts").join(contract), contracts.join(contract)).unwrap();
    let lists = dir.join("declared/pipelines/reference");
    succeed(Command::new("cp").arg("-r").arg(root.join("pipelines/reference")).arg(lists));
    mart(dir, "Tháng bắt đầu", "lpad(CAST(date_part('month', tu_ngay) AS VARCHAR), 2, '0')");
}

/// The mart `kho.thang`, with that title and that month.
fn mart(dir: &Path, title: &str, month: &str) {
    let text = format!(
        r#"/* toml
title = {{ vi = "{title}", en = "First months" }}
description = {{ vi = "Tháng bắt đầu của đơn vị", en = "First months of units" }}
grain = {{ vi = "Một đơn vị", en = "One unit" }}
owner = {{ vi = "Cục Thống kê", en = "National Statistics Office" }}
groups = [11]
sensitivity = "open"
source = {{ vi = "Danh sách đơn vị", en = "List of units" }}
legal_basis = "Nghị quyết 202/2025/QH15"

[[column]]
name = "don_vi"
label = {{ vi = "Đơn vị", en = "Unit" }}

[[column]]
name = "thang"
label = {{ vi = "Tháng", en = "Month" }}
*/
SELECT don_vi, {month} AS thang
FROM danh_muc.don_vi
"#
    );
    fs::write(dir.join("declared/queries/marts/thang.sql"), text).unwrap();
}

/// Waits until `is_so`.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let due = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < due, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_digits_that_are_no_codes_are_loaded() {
    let folder = tempfile::tempdir().unwrap();
    declare(folder.path());
    fs::write(folder.path().join("khoyte.toml"), CONFIG).unwrap();
    succeed(khoyte(folder.path()).arg("night"));
    let sql = "SELECT DISTINCT thang FROM kho.thang ORDER BY thang";
    let asked = succeed(khoyte(folder.path()).args(["sql", "--format", "csv", sql]));
    // Each of these is the code of a province too.
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "thang\n01\n07\n08\n");
}

#[test]
fn declarations_and_users_that_change_are_served_and_faulty_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    declare(dir);
    Server::configure(dir, CONFIG);
    let log = dir.join("log");
    let mut program = khoyte(dir);
    program.env("KHOYTE_LOG", "info").arg("--log-json");
    let server = Server::start_as(program, dir, Stdio::from(fs::File::create(&log).unwrap()));
    let logged = || fs::read_to_string(&log).unwrap();
    let title = || {
        let sql = "SELECT tieu_de_vi FROM he_thong.bang WHERE ten = 'kho.thang'";
        let asked = succeed(psql(&server).args(["-Atc", sql]));
        String::from_utf8_lossy(&asked.stdout).trim().to_owned()
    };
    let reload = || {
        succeed(Command::new("kill").arg("-HUP").arg(server.id().to_string()));
    };
    assert_eq!(title(), "Tháng bắt đầu");

    mart(dir, "Tháng hai", "'02'");
    until("the new title is served", || title() == "Tháng hai");
    assert!(web::get(&server.web, "/bang/kho.thang").text().contains("Tháng hai"));

    mart(dir, "Tháng sai", "khong_co");
    until("the fault is told", || logged().contains("have faults"));
    assert_eq!(title(), "Tháng hai");
    reload();
    until("the fault is told to who asks", || logged().matches("have faults").count() == 2);
    let faults: Vec<String> = logged()
        .lines()
        .filter(|line| line.contains("queries/marts/thang.sql:19:"))
        .map(str::to_owned)
        .collect();
    assert_eq!(faults.len(), 2, "each fault once for each time: {faults:?}");
    assert!(faults[0].contains("khong_co") && faults[0].contains("\"help\":"), "{faults:?}");

    mart(dir, "Tháng ba", "'03'");
    reload();
    until("the mended title is served", || title() == "Tháng ba");
    assert_eq!(logged().matches("have faults").count(), 2, "nothing was told again");
    reload();
    until("nothing new is said to be so", || logged().contains("nothing has changed"));

    let before = fs::read_to_string(dir.join("khoyte.toml")).unwrap();
    let other = before.replace("ke_hoach", "minh") + "\n[postgres]\nlisten = \"127.0.0.1:1\"\n";
    fs::write(dir.join("khoyte.toml"), &other).unwrap();
    reload();
    until("the address waits", || logged().contains("counts after a restart"));
    until("who is not listed any more is not let in", || {
        !psql(&server).args(["-Atc", "SELECT 1"]).output().unwrap().status.success()
    });
    let connection = server.connection().replace("ke_hoach", "minh");
    let asked = Command::new("psql")
        .args([&connection, "--no-psqlrc", "-Atc", "SELECT 1"])
        .env("PGPASSWORD", &server.password)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "1\n");
    fs::write(dir.join("khoyte.toml"), other.replace("[postgres]", "[post")).unwrap();
    until("a broken configuration is told", || logged().contains("cannot be taken"));
    assert!(web::get(&server.web, "/bang/kho.thang").text().contains("Tháng ba"));
}
