//! Nights in bad weather: a bucket whose server fails, two nights at once, a disk that is full, and
//! a month of nights one after another. Each lake ends as one that nobody disturbed.

mod disk;
mod month;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::bucket::{Bucket, Fault, SECRET, Weather};
use crate::readers::random::Random;
use crate::support::{self, khoyte, succeed};

/// Where the generator of faults begins.
const SEED: u64 = 0x6b68_6f79_7465;

/// One call in so many goes wrong.
const ONE_IN: usize = 20;

/// How often a night is run again.
const AGAIN: usize = 5;

/// How often it is asked whether a lease that was never given back has lapsed: for ten minutes at
/// least, five times as long as one lasts.
const ASKED: usize = 120;

/// What differs between lakes that hold the same: when a night ran, and how many commits it needed.
const HIDDEN: [&str; 3] = ["bat_dau", "ket_thuc", "phien_ban"];

type Contents = BTreeMap<String, Vec<String>>;

/// A night that nobody disturbed, its sources and its keys.
struct Calm {
    data: TempDir,
    dir: TempDir,
    contents: Contents,
}

static CALM: LazyLock<Calm> = LazyLock::new(|| {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    support::link_data(
        data.path(),
        &["notifiable", "gso_health", "vn_admin", "icd10", "procedures"],
    );
    let sources = sources(data.path());
    std::fs::write(dir.path().join("khoyte.toml"), sources).unwrap();
    succeed(&mut night(dir.path()));
    let contents = support::contents_without(&support::open(dir.path()), &HIDDEN);
    assert!(contents["kho.lao_quy"].len() > 1000 && !contents["he_thong.lan_chay"].is_empty());
    Calm { data, dir, contents }
});

fn sources(data: &Path) -> String {
    format!("sources_folder = {:?}\n", data.display().to_string())
}

fn night(dir: &Path) -> Command {
    let mut command = khoyte(dir);
    command.args(["night", "--date", support::NIGHT]);
    command
}

/// An installation with the same sources and keys, whose lake is a bucket at this address.
fn installation(address: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = sources(CALM.data.path()) + &Bucket::config(address, SECRET);
    std::fs::write(dir.path().join("khoyte.toml"), config).unwrap();
    succeed(Command::new("cp").arg("-a").arg(CALM.dir.path().join("keys")).arg(dir.path()));
    dir
}

fn compare(bucket: &Bucket) {
    let found = support::contents_without(&support::open_at(&bucket.location()), &HIDDEN);
    for (table, lines) in &CALM.contents {
        assert_eq!(found.get(table), Some(lines), "{table}");
    }
}

/// Faults at random, and how many there were.
fn storm(seed: u64) -> (Weather, Arc<AtomicUsize>) {
    let (random, count) = (Mutex::new(Random::new(seed)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    let weather: Weather = Arc::new(move || {
        let mut random = random.lock().unwrap();
        if random.below(ONE_IN) > 0 {
            return None;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        let kinds = [Fault::Status(500), Fault::Status(503), Fault::Dropped, Fault::AnswerLost];
        Some(kinds[random.below(kinds.len())])
    });
    (weather, count)
}

/// Runs a night; one that finds the lease of a night that could not give it back waits until that
/// has lapsed.
fn night_when_free(dir: &Path) -> (Option<i32>, String) {
    for _ in 0..ASKED {
        let output = night(dir).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !said.contains("another night is running") {
            return (output.status.code(), said);
        }
        // The condition is asked for again, not waited out.
        std::thread::sleep(Duration::from_secs(5));
    }
    panic!("the lease of a night that is over never lapsed");
}

#[test]
fn a_bucket_that_fails_one_call_in_twenty_ends_with_the_lake_of_a_calm_one() {
    let bucket = Bucket::start();
    let (weather, faults) = storm(SEED);
    let dir = installation(&bucket.door(weather));
    let mut told = Vec::new();
    for number in 1..=AGAIN {
        let (code, said) = night_when_free(dir.path());
        told.push(said);
        if code == Some(0) {
            println!("{} faults, night {number} was whole", faults.load(Ordering::SeqCst));
            break;
        }
        assert_eq!(code, Some(1), "{told:?}");
        assert!(number < AGAIN, "no night of {AGAIN} was whole, seed {SEED:#x}: {told:?}");
    }
    assert!(faults.load(Ordering::SeqCst) >= 5, "{faults:?}");
    assert!(told.iter().all(|said| !said.contains(SECRET)), "{told:?}");
    compare(&bucket);
}

#[test]
fn of_two_nights_at_once_one_works_and_the_other_says_who_does() {
    let bucket = Bucket::start();
    let dirs = [installation(&bucket.address), installation(&bucket.address)];
    let running = dirs.each_ref().map(|dir| {
        let mut command = night(dir.path());
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let ids = running.each_ref().map(std::process::Child::id);
    let outputs = running.map(|child| child.wait_with_output().unwrap());
    let said = outputs.each_ref().map(|output| String::from_utf8_lossy(&output.stderr));
    let codes = outputs.each_ref().map(|output| output.status.code());
    let (winner, loser) = match codes {
        [Some(0), Some(1)] => (0, 1),
        [Some(1), Some(0)] => (1, 0),
        _ => panic!("{codes:?}: {said:?}"),
    };
    let lost = &said[loser];
    assert!(lost.contains("another night is running"), "{lost}");
    assert!(lost.contains(&format!(":{} has held the lake at ", ids[winner])), "{lost}");
    // It did nothing: not a table was begun.
    assert!(!lost.lines().any(|line| line.starts_with("  ")), "{lost}");
    compare(&bucket);

    // The lake was given back, and nothing is left to do.
    let output = succeed(&mut night(dirs[loser].path()));
    let again = String::from_utf8_lossy(&output.stderr);
    assert!(!again.contains("  failed "), "{again}");
    compare(&bucket);
}
