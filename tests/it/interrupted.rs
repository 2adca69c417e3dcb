//! A night that is killed at any instant and run again is the night that was never killed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{self, khoyte, succeed};

const INSTANTS: u32 = 20;

#[test]
fn a_night_killed_at_twenty_instants_ends_as_if_undisturbed() {
    let data = tempfile::tempdir().unwrap();
    // Small files only: what matters is how many commits can be hit, not how long each takes.
    support::link_data(
        data.path(),
        &["notifiable", "gso_health", "vn_admin", "icd10", "procedures"],
    );
    let folder = tempfile::tempdir().unwrap();
    let config = format!("sources_folder = {:?}\n", data.path().display().to_string());

    let whole = folder.path().join("whole");
    prepare(&whole, &config);
    let started = Instant::now();
    succeed(khoyte(&whole).args(["night", "--date", support::NIGHT]));
    let duration = started.elapsed();
    let expected = support::contents(&support::open(&whole));
    assert!(expected["kho.lao_quy"].len() > 1000 && !expected["he_thong.lan_chay"].is_empty());

    let mut killed = 0;
    for instant in 0..INSTANTS {
        let dir = folder.path().join(format!("killed-{instant}"));
        prepare(&dir, &config);
        let after = duration.mul_f64((f64::from(instant) + 0.5) / f64::from(INSTANTS));
        killed += u32::from(kill_after(&dir, after));
        succeed(khoyte(&dir).args(["night", "--date", support::NIGHT]));
        let found = support::contents(&support::open(&dir));
        for (table, lines) in &expected {
            assert_eq!(found.get(table), Some(lines), "{table}, killed after {after:?}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
    assert!(killed >= INSTANTS / 2, "only {killed} of {INSTANTS} nights were still running");
}

fn prepare(dir: &std::path::Path, config: &str) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("khoyte.toml"), config).unwrap();
}

/// Starts a night and kills it; false when it was over before.
fn kill_after(dir: &std::path::Path, after: Duration) -> bool {
    let mut child = khoyte(dir)
        .args(["night", "--date", support::NIGHT])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The instant itself is what is tested; there is no condition to wait for.
    std::thread::sleep(after);
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}
