//! One night over sources of every kind: servers that really run, files as they really are, and the
//! program itself. What was planted in them is what is found, no identifier is left anywhere, and
//! neither a killed night nor a server that dies changes what there is in the end.

mod deleted;
pub(crate) mod files;
mod installation;
mod mariadb;
pub(crate) mod rows;
mod web;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use self::installation::{NEXT, NIGHT, Servers};
use self::rows::{PEOPLE, tables};
use crate::growth::House;
use crate::identifiers::Hay;
use crate::support::{self, khoyte, succeed};

/// How often a night is killed.
const KILLS: u32 = 50;

type Contents = BTreeMap<String, Vec<String>>;

fn night(house: &House, date: &str) -> Command {
    let mut command = khoyte(house.path());
    command.args(["night", "--date", date]);
    command
}

#[test]
fn every_planted_fault_is_found_and_nothing_else() {
    let servers = Servers::shared();
    let house = servers.house();
    house.night(NIGHT);

    let mut truth: Vec<String> = tables().iter().flat_map(|table| table.refused()).collect();
    truth.sort();
    let found = house.lines("SELECT bang, dong, cot, ly_do FROM he_thong.cach_ly");
    let missed = without(&truth, &found);
    let invented = without(&found, &truth);
    let share = |bad: &[String], of: &[String]| (of.len() - bad.len()) as f64 / of.len() as f64;
    let (precision, recall) = (share(&invented, &found), share(&missed, &truth));
    println!("{} faults: precision {precision}, recall {recall}", truth.len());
    assert!(truth.len() >= 100, "{} faults are planted", truth.len());
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:?}, invented {invented:?}");
    assert!(precision >= 1.0 && recall >= 1.0);

    for table in tables() {
        let name = table.name;
        let kept = format!("SELECT so_thu_tu, thang, loai, so_luong FROM {name}");
        assert_eq!(house.lines(&kept), table.loaded(), "{name}");
        // A number without its zeros is the same person.
        let people = format!("SELECT count(DISTINCT so_dinh_danh) FROM {name}");
        assert_eq!(house.lines(&people), [PEOPLE.to_string()], "{name}");
    }

    let account = "SELECT bang, ket_qua, so_dong_doc, so_dong_ghi, so_dong_cach_ly \
                   FROM he_thong.lan_chay";
    let expected = tables().iter().map(|table| {
        let (read, refused) = (servers.count(table), table.refused().len());
        let kept = read - refused - table.replaced;
        format!("{}|moi|{read}|{kept}|{refused}", table.name)
    });
    let mut expected: Vec<String> = expected.collect();
    expected.sort();
    assert_eq!(house.lines(account), expected);
}

/// The lines that are not in `others`, as often as they are too many.
fn without(lines: &[String], others: &[String]) -> Vec<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in others {
        *left.entry(line).or_default() += 1;
    }
    let mut alone = Vec::new();
    for line in lines {
        match left.get_mut(line.as_str()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => alone.push(line.clone()),
        }
    }
    alone
}

#[test]
fn identifiers_of_no_kind_of_source_are_written_anywhere() {
    let servers = Servers::shared();
    let house = servers.house();
    let temporary = tempfile::tempdir().unwrap();
    let mut command = night(&house, NIGHT);
    command.env("KHOYTE_LOG", "trace").env("TMPDIR", temporary.path());
    let output = succeed(&mut command);

    // What is searched for can be found where it is.
    let source = fs::read(house.path().join("sources/tram/luot.tsv")).unwrap();
    assert!(HAY.found(&source).len() > 2 * PEOPLE);
    assert!(String::from_utf8_lossy(&output.stderr).contains("new        nguon.xlsx_luot"));
    HAY.search("standard error", &output.stderr);
    HAY.search("standard output", &output.stdout);
    let files = search(&house);
    assert!(files > 40, "{files} files were searched");
    let left: Vec<_> = fs::read_dir(temporary.path()).unwrap().map(Result::unwrap).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Every name, telephone and personal number of every source.
static HAY: LazyLock<Hay> = LazyLock::new(|| Hay::new(rows::identifiers()));

/// Searches all of an installation but the sources; returns how many files there are.
fn search(house: &House) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(house.path()).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "sources" {
            HAY.search_folder(&path, &mut files);
        } else if path.is_file() {
            files += 1;
            HAY.search(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn a_night_over_all_kinds_killed_at_random_instants_ends_as_if_undisturbed() {
    let servers = Servers::shared();
    let reference = servers.house();
    reference.night(NIGHT);
    let expected = support::contents(&reference.open());
    assert_eq!(expected["nguon.maria_luot"].len(), rows::table("nguon.maria_luot").loaded().len());

    // A second one that nobody disturbs tells how long a night takes.
    let second = servers.house().with_keys_of(&reference);
    let begun = Instant::now();
    second.night(NIGHT);
    let whole = begun.elapsed();
    compare(&second, &expected, "not disturbed");

    let mut killed = 0;
    for number in 0..KILLS {
        let house = servers.house().with_keys_of(&reference);
        // What the program says, and its temporary files.
        let around = tempfile::tempdir().unwrap();
        let later = whole.mul_f64(fraction(number));
        killed += u32::from(kill(&house, around.path(), later));
        HAY.search_folder(around.path(), &mut 0);
        search(&house);

        let mut command = night(&house, NIGHT);
        let output = succeed(command.env("TMPDIR", around.path()));
        compare(&house, &expected, &format!("killed after {later:?} of {whole:?}"));
        HAY.search("standard error", &output.stderr);
        HAY.search_folder(around.path(), &mut 0);
        search(&house);
    }
    assert!(killed >= KILLS / 2, "{killed} nights were killed, the others were over before");
}

fn compare(house: &House, expected: &Contents, what: &str) {
    let found = support::contents(&house.open());
    assert_eq!(found.len(), expected.len(), "{what}");
    for (table, lines) in expected {
        assert_eq!(found.get(table), Some(lines), "{table}, {what}");
    }
}

/// Starts a night and kills it after a while; returns whether it was not over yet.
fn kill(house: &House, around: &Path, later: Duration) -> bool {
    let said = File::create(around.join("said")).unwrap();
    let mut command = night(house, NIGHT);
    command.env("TMPDIR", around).stdout(said.try_clone().unwrap()).stderr(said);
    let mut running = command.spawn().unwrap();
    // The instant itself is what is tested; there is no condition to wait for.
    std::thread::sleep(later);
    running.kill().unwrap();
    running.wait().unwrap().signal() == Some(9)
}

/// A number from 0 to 1 that follows from another, evenly spread.
fn fraction(number: u32) -> f64 {
    let mut mixed = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

#[test]
fn a_server_that_dies_in_the_middle_is_said_and_the_next_night_is_whole() {
    let mut servers = Servers::start();
    let reference = servers.house();
    reference.night(NIGHT);
    let expected = support::contents(&reference.open());

    let house = servers.house().with_keys_of(&reference);
    let before = servers.web.asked();
    // The web service comes before what is asked of PostgreSQL, and waits until that is gone.
    let held = servers.web.hold();
    let mut command = night(&house, NIGHT);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while servers.web.asked() == before {
        assert!(running.try_wait().unwrap().is_none(), "the night asks the web service");
        std::thread::sleep(Duration::from_millis(5));
    }
    servers.postgres.stop();
    drop(held);
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");

    let lost = ["nguon.odbc_luot", "nguon.pg_luot"];
    for name in lost {
        assert!(said.contains(&format!("failed     {name}: ")), "{said}");
    }
    let fared = |name: &str| format!("{name}|{}", if lost.contains(&name) { "loi" } else { "moi" });
    let fared: Vec<String> = tables().iter().map(|table| fared(table.name)).collect();
    assert_eq!(house.lines("SELECT bang, ket_qua FROM he_thong.lan_chay"), fared);

    servers.postgres.start_again();
    house.night(NIGHT);
    compare(&house, &expected, "after the server came back");
}

#[test]
fn a_source_that_changes_a_type_between_nights_is_refused_with_its_place() {
    let servers = Servers::start();
    let house = servers.house();
    house.night(NIGHT);
    let rows = "SELECT * FROM nguon.pg_luot";
    let before = house.lines(rows);
    assert!(before.len() > 100);
    let retype = |ty: &str, conversion: &str| {
        let using = format!("USING {conversion}(loai, 'UTF8')");
        let sql = format!("ALTER TABLE his.luot ALTER COLUMN loai TYPE {ty} {using}");
        servers.postgres.ask("kinds", &sql);
    };

    retype("bytea", "convert_to");
    let output = night(&house, NEXT).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let failed = format!(
        "SELECT bang, ly_do FROM he_thong.lan_chay WHERE dem = DATE '{NEXT}' AND ket_qua = 'loi'"
    );
    let failed = house.lines(&failed);
    let [one] = failed.as_slice() else { panic!("{failed:?}") };
    for told in [one, &said] {
        for word in ["nguon.pg_luot", "his.luot", "`loai`", "bytea"] {
            assert!(told.contains(word), "{word}: {told}");
        }
        HAY.search("what is said", told.as_bytes());
    }
    assert_eq!(house.lines(rows), before);

    retype("varchar(100)", "convert_from");
    house.night(NEXT);
    assert_eq!(house.lines(rows), before);
}
