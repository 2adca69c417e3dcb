//! What an operator may get wrong: nothing is made, lost or answered in its place.

use std::path::Path;
use std::process::Output;

use crate::support::{self, khoyte, succeed};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Simulated sources in a folder of an installation's own.
fn simulated(folder: &Path) {
    let sources = folder.join("sources");
    succeed(
        khoyte(folder).args(["simulate", "--scale", "0.0005", "--days", "1", "--to"]).arg(&sources),
    );
    let config = format!("sources_folder = {:?}\n", sources.display().to_string());
    std::fs::write(folder.join("khoyte.toml"), config).unwrap();
}

#[test]
fn a_question_to_a_wrong_folder_is_refused_and_makes_no_lake() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("elsewhere");
    for args in [
        vec!["sql", "SELECT count(*) FROM danh_muc.don_vi"],
        vec!["indicator", "sxh_so_mac_thang", "--on", "2025-07-01"],
    ] {
        let output = khoyte(&wrong).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("there is no lake in"), "{}", said(&output));
    }
    assert!(!wrong.join("lake").exists());
}

#[test]
fn serving_needs_neither_keys_nor_raw_sources_nor_the_secrets_of_sources() {
    // What the unit takes away from the service.
    let unit = include_str!("../../deploy/khoyte.service");
    let taken = unit.lines().find_map(|line| line.strip_prefix("InaccessiblePaths=")).unwrap();
    for path in ["/var/lib/khoyte/keys", "/var/lib/khoyte/sources", "/etc/khoyte/secrets"] {
        assert!(taken.split(' ').any(|one| one == format!("-{path}")), "{path}");
    }
    let folder = support::copied();
    let keys = folder.path().join("keys");
    std::fs::remove_dir_all(&keys).unwrap();
    let config = folder.path().join("khoyte.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let gone = folder.path().join("gone");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("sources_folder"));
    lines.insert(0, format!("sources_folder = {:?}", gone.display().to_string()));
    std::fs::write(&config, lines.join("\n")).unwrap();
    let server = support::Server::start(folder.path());
    let page = crate::web::get_with(&server.web, "/chi-tieu", &server.log_in());
    assert_eq!(page.status, 200);
    drop(server);
    assert!(!keys.exists() && !gone.exists(), "serving makes none of them");
}

#[test]
fn another_key_in_the_place_of_the_one_that_made_the_tokens_stops_the_night() {
    let folder = tempfile::tempdir().unwrap();
    simulated(folder.path());
    let night =
        |date: &str| khoyte(folder.path()).args(["night", "--date", date]).output().unwrap();
    night("2026-07-01");
    let warehouse = support::open(folder.path());
    let tokens = "SELECT count(*) FROM nguon.nhan_luc_nhan_vien";
    assert!(support::rows(&warehouse, tokens).rows[0][0].as_i64() > Some(0));
    let key = folder.path().join("keys/pseudonym-v1.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, [7; 32]).unwrap();
    let before = support::files(&folder.path().join("lake"));
    let refused = night("2026-07-02");
    assert!(!refused.status.success());
    assert!(said(&refused).contains("another key"), "{}", said(&refused));
    let after = support::files(&folder.path().join("lake"));
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
    std::fs::write(&key, right).unwrap();
    assert!(!said(&night("2026-07-02")).contains("another key"));
}

#[test]
fn a_source_that_lost_its_rows_is_refused_and_those_of_before_stand() {
    let folder = tempfile::tempdir().unwrap();
    simulated(folder.path());
    let night =
        |date: &str| khoyte(folder.path()).args(["night", "--date", date]).output().unwrap();
    night("2026-07-01");
    let count = || {
        let warehouse = support::open(folder.path());
        support::rows(&warehouse, "SELECT count(*) FROM nguon.nhan_luc_nhan_vien").rows[0][0]
            .as_i64()
    };
    let before = count();
    let file = "mo_phong/nhan_luc/nhan_vien.csv";
    let path = folder.path().join("sources").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.lines().next().unwrap().to_owned() + "\n").unwrap();
    let output = night("2026-07-02");
    assert_eq!(output.status.code(), Some(1));
    let told = "SELECT ket_qua, ly_do FROM he_thong.lan_chay \
                WHERE bang = 'nguon.nhan_luc_nhan_vien' AND dem = DATE '2026-07-02'";
    let rows = support::rows(&support::open(folder.path()), told).rows;
    assert_eq!(rows[0][0].as_str(), Some("tu_choi"), "{rows:?}");
    assert!(rows[0][1].as_str().is_some_and(|why| why.contains("chỉ còn 0 trong")), "{rows:?}");
    assert_eq!(count(), before);
}
