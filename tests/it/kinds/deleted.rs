//! Rows that a server deletes for good, of which no later row tells: the night compares its keys with
//! those of the lake.

use super::mariadb::{self, Maria};
use crate::growth::{House, ROWS, contract, day, server};
use crate::identifiers::Hay;
use crate::support::{self, khoyte, succeed};

/// Compared each night, and a source that loses many.
const EACH_NIGHT: &str = "partition = \"thang\"\ngrowth = { kind = \"upsert\", watermark = \
                          \"cap_nhat\", again_days = 1, deleted = \"by_keys\", keys_every_days = 1, \
                          max_deleted_percent = 40 }";

/// As often, and as many, as where nothing is said.
const USUAL: &str =
    "growth = { kind = \"upsert\", watermark = \"cap_nhat\", deleted = \"by_keys\" }";

fn visits(growth: &str) -> String {
    contract("system = \"postgresql\"", "relation = \"kcb.luot_kham\"", growth)
}

/// How the table fared in a night, and how many rows went.
fn fared(house: &House, night: &str) -> String {
    let sql = format!(
        "SELECT ket_qua, so_dong_xoa FROM he_thong.lan_chay WHERE dem = DATE '{night}' \
         AND bang = 'nguon.kcb_luot_kham'"
    );
    house.lines(&sql).concat()
}

#[test]
fn five_nights_of_deletions_that_no_row_tells_of_are_one_load_of_the_end() {
    let (server, config) = server();
    let contract = visits(EACH_NIGHT);
    let house = House::new(&contract, &config);
    for date in 2..=6 {
        day(&server, date);
        let before = date - 1;
        server.ask("kcb", &format!("DELETE FROM kcb.luot_kham WHERE ma_luot LIKE 'L{before}-2%'"));
        let night = format!("2026-07-{date:02}");
        house.night(&night);
        // The same night again finds nothing to do.
        let before = support::files(&house.path().join("lake/nguon"));
        house.night(&night);
        let after = support::files(&house.path().join("lake/nguon"));
        assert_eq!(support::differing(&before, &after), Vec::<String>::new());
    }
    let fresh = House::new(&contract, &config).with_keys_of(&house);
    fresh.night("2026-07-06");
    let (grown, whole) = (house.lines(ROWS), fresh.lines(ROWS));
    assert_eq!(whole.len(), 5 * 40 - 4 * 11);
    assert_eq!(grown, whole);
    assert_eq!(fared(&house, "2026-07-06"), "moi|11");

    // A list without most of the keys takes nothing away, until a person says that it is so.
    server.ask("kcb", "DELETE FROM kcb.luot_kham WHERE ma_luot NOT LIKE 'L6-%'");
    let output = khoyte(house.path()).args(["night", "--date", "2026-07-07"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(fared(&house, "2026-07-07").starts_with("tu_choi"));
    assert_eq!(house.lines(ROWS), whole);
    let again = ["night", "--date", "2026-07-07", "--again", "nguon.kcb_luot_kham"];
    succeed(khoyte(house.path()).args(again));
    assert_eq!(house.lines(ROWS).len(), 40);
}

#[test]
fn keys_are_compared_once_a_week_and_a_source_without_changes_stays_unchanged() {
    let (server, config) = server();
    let house = House::new(&visits(USUAL), &config);
    day(&server, 1);
    day(&server, 2);
    house.night("2026-07-02");
    // It was written too long ago to be among what is asked for from now on.
    server.ask("kcb", "DELETE FROM kcb.luot_kham WHERE ma_luot = 'L1-8'");
    for (night, expected, rows) in [
        ("2026-07-03", "moi|0", 80),
        ("2026-07-04", "khong_doi|", 80),
        ("2026-07-09", "moi|1", 79),
        ("2026-07-10", "khong_doi|", 79),
        ("2026-07-16", "khong_doi|", 79),
    ] {
        house.night(night);
        let fared = fared(&house, night);
        assert!(fared.starts_with(expected), "{night}: {fared}");
        assert_eq!(house.lines(ROWS).len(), rows, "{night}");
    }
}

#[test]
fn keys_of_persons_are_compared_by_their_tokens() {
    let maria = Maria::start();
    let numbers: Vec<String> = (0..40).map(|number| format!("0010990{number:05}")).collect();
    let row =
        |number: &String| format!("('{number}', '2026-07-01', 1000, '1', '2026-07-01 20:00')");
    let rows: Vec<String> = numbers.iter().map(row).collect();
    maria.ask(&format!(
        "CREATE TABLE kinds.luot_kham (ma_luot varchar(20), ngay_kham date, tien decimal(18,2), \
         trang_thai varchar(1), cap_nhat_luc datetime); INSERT INTO kinds.luot_kham VALUES {}",
        rows.join(", ")
    ));
    let config = format!(
        "[servers.kcb]\naddress = \"mariadb://127.0.0.1:{}/kinds\"\nuser = \"doc\"\n\
         secret_command = [\"echo\", {:?}]\nplain = true\n",
        maria.port,
        mariadb::PASSWORD
    );
    let contract = contract("system = \"mariadb\"", "relation = \"kinds.luot_kham\"", EACH_NIGHT);
    let house = House::new(&contract, &config);
    let hay = Hay::new(numbers.clone());
    for date in 1..=5 {
        let gone = &numbers[date * 3];
        maria.ask(&format!("DELETE FROM kinds.luot_kham WHERE ma_luot = '{gone}'"));
        let night = format!("2026-07-{date:02}");
        let temporary = tempfile::tempdir().unwrap();
        let mut command = khoyte(house.path());
        command.env("KHOYTE_LOG", "trace").env("TMPDIR", temporary.path());
        let output = succeed(command.args(["night", "--date", &night]));
        hay.search("standard error", &output.stderr);
        let left = std::fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0, "{night}");
        assert_eq!(house.lines(ROWS).len(), 40 - date, "{night}");
    }
    hay.search_folder(&house.path().join("lake"), &mut 0);
    let fresh = House::new(&contract, &config).with_keys_of(&house);
    fresh.night("2026-07-05");
    assert_eq!(house.lines(ROWS), fresh.lines(ROWS));
}
