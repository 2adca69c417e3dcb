//! A night that is killed at any instant and run again is the night that was never killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::{self, khoyte, succeed};

const INSTANTS: usize = 20;

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
    let steps = steps_of(&mut start(&whole)).count();
    let expected = support::contents(&support::open(&whole));
    assert!(expected["kho.lao_quy"].len() > 1000 && !expected["he_thong.lan_chay"].is_empty());

    for instant in 0..INSTANTS {
        let dir = folder.path().join(format!("killed-{instant}"));
        prepare(&dir, &config);
        // Spread over the steps, and over the time inside a step.
        let step = (2 * instant + 1) * steps / (2 * INSTANTS);
        let later = Duration::from_millis(instant as u64 * 13 % 100);
        kill(&dir, step, later);
        succeed(khoyte(&dir).args(["night", "--date", support::NIGHT]));
        let found = support::contents(&support::open(&dir));
        for (table, lines) in &expected {
            assert_eq!(
                found.get(table),
                Some(lines),
                "{table}, killed {later:?} after step {step}"
            );
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

fn prepare(dir: &Path, config: &str) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("khoyte.toml"), config).unwrap();
}

fn start(dir: &Path) -> Child {
    let mut command = khoyte(dir);
    command.args(["night", "--date", support::NIGHT]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The lines that a night prints, one a step.
fn steps_of(night: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(night.stderr.take().unwrap()).lines().map_while(Result::ok);
    lines.filter(|line| line.starts_with("  "))
}

/// Starts a night and kills it some time after its `step`th step.
fn kill(dir: &Path, step: usize, later: Duration) {
    let mut night = start(dir);
    let printed = steps_of(&mut night).take(step).count();
    assert_eq!(printed, step, "the night was over before it could be killed");
    // The instant itself is what is tested; there is no condition to wait for.
    std::thread::sleep(later);
    night.kill().unwrap();
    night.wait().unwrap();
}
