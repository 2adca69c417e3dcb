//! A disk that is full, as far as a file can meet one without owning a disk: the system lets no file
//! grow beyond a bound, and says so as it says that there is no room.

use std::path::Path;
use std::process::Command;

use crate::growth::{House, contract};
use crate::support::{self, khoyte};

const FIRST: &str = "2026-07-01";
const SECOND: &str = "2026-07-02";

/// Bytes that a file may have. The small table and all accounts stay far below it.
const MOST: u32 = 1 << 20;

/// Rows of the large table: their tokens alone take more than three times the bound, and do not
/// compress.
const MANY: usize = 100_000;

/// Visits in a file.
fn visits(count: usize) -> String {
    let head = "ma_luot,ngay_kham,tien,trang_thai,cap_nhat_luc\n".to_owned();
    let line = |number| format!("L-{number},2026-06-05,{number},1,2026-06-05\n");
    head + &(1..=count).map(line).collect::<String>()
}

/// A house with a small table and one that becomes large.
fn house() -> House {
    let large = contract("", "file = \"kcb.csv\"\nformat = \"csv\"", "");
    let small = large.replace("kcb", "nho").replace("domain = \"luot\"", "domain = \"luot_nho\"");
    let house = House::of(&[large.as_str(), small.as_str()], "");
    house.write("kcb.csv", visits(100));
    house.write("nho.csv", visits(50));
    house
}

/// What the sources send for the second night.
fn send_more(house: &House) {
    house.write("kcb.csv", visits(MANY));
    house.write("nho.csv", visits(60));
}

/// The second night, none of whose files may grow beyond the bound. A write beyond it fails, since
/// the signal that would end the process is not heard.
fn bounded(house: &House, temporary: &Path) -> Command {
    let night = khoyte(house.path());
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", "prlimit", &format!("--fsize={MOST}")])
        .arg(night.get_program())
        .args(night.get_args())
        .args(["night", "--date", SECOND])
        .env("KHOYTE_LOG", "off")
        .env("TMPDIR", temporary);
    command
}

#[test]
fn a_disk_that_is_full_fails_the_tables_that_it_has_no_room_for_and_no_others() {
    let calm = house();
    calm.night(FIRST);
    send_more(&calm);
    calm.night(SECOND);
    let expected = support::contents(&calm.open());
    assert_eq!(expected["nguon.kcb_luot_kham"].len(), MANY);

    let house = house().with_keys_of(&calm);
    house.night(FIRST);
    let large = "SELECT * FROM nguon.kcb_luot_kham";
    let before = house.lines(large);
    assert_eq!(before.len(), 100);
    let files = support::files(&house.path().join("lake/nguon/kcb_luot_kham"));
    send_more(&house);

    let temporary = tempfile::tempdir().unwrap();
    let output = bounded(&house, temporary.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let failed = said.lines().find(|line| line.contains("nguon.kcb_luot_kham")).unwrap_or(&said);
    assert!(failed.starts_with("  failed     nguon.kcb_luot_kham: "), "{said}");
    let folder = temporary.path().display().to_string();
    for word in [folder.as_str(), "TMPDIR", "File too large"] {
        assert!(failed.contains(word), "{word}: {said}");
    }
    assert!(said.contains("  new        nguon.nho_luot_kham: 60 rows"), "{said}");

    // Of the large table nothing was half done: its rows and its files are those of before.
    assert_eq!(house.lines(large), before);
    let after = support::files(&house.path().join("lake/nguon/kcb_luot_kham"));
    assert_eq!(support::differing(&files, &after), Vec::<String>::new());
    assert_eq!(house.lines("SELECT * FROM nguon.nho_luot_kham"), expected["nguon.nho_luot_kham"]);
    let fared = format!(
        "SELECT bang, ket_qua FROM he_thong.lan_chay WHERE dem = DATE '{SECOND}' AND \
         bang LIKE 'nguon.%'"
    );
    assert_eq!(house.lines(&fared), ["nguon.kcb_luot_kham|loi", "nguon.nho_luot_kham|moi"]);
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().map(Result::unwrap).collect();
    assert!(left.is_empty(), "{left:?}");

    // With room again the same night is the one that nobody disturbed.
    house.night(SECOND);
    let found = support::contents(&house.open());
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (table, lines) in &expected {
        assert!(found[table] == *lines, "{table} is another than without a full disk");
    }
}
