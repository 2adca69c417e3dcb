//! The keys of the pseudonyms: rotated, stolen, lost, kept; a small lake with two tables that join by
//! token, a third of another domain, and a mart that carries tokens on.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::growth::House;
use crate::support::{self, khoyte, succeed};

const CONTRACT: &str = r#"id = "kcb"
title = { vi = "Khám bệnh", en = "Care" }
description = { vi = "Lượt khám", en = "Visits" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "personal"
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"

[[table]]
name = "nguon.kcb_luot"
title = { vi = "Lượt khám", en = "Visits" }
grain = { vi = "Một lượt khám", en = "One visit" }
file = "kcb/luot.csv"
format = "csv"
citation = "Cục Quản lý Khám, chữa bệnh"
key = ["ma_luot"]
partition = "thang"
growth = { kind = "upsert", watermark = "cap_nhat", again_days = 1 }

[table.risk]
because = { vi = "Dòng của bài kiểm tra", en = "Rows of a test" }

[[table.column]]
name = "ma_luot"
label = { vi = "Mã lượt", en = "Visit" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "luot"
required = true

[[table.column]]
name = "so_cccd"
label = { vi = "Số định danh", en = "Person" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "nguoi_benh"

[[table.column]]
name = "thang"
from = "ngay_kham"
label = { vi = "Tháng khám", en = "Month" }
type = "date"
sensitivity = "personal"
treatment = "generalise"
generalise = "month"
required = true

[[table.column]]
name = "tien"
label = { vi = "Tiền", en = "Cost" }
type = "integer"
unit = { vi = "đồng", en = "VND" }
min = 0
max = 100000000

[[table.column]]
name = "cap_nhat"
from = "cap_nhat_luc"
label = { vi = "Cập nhật", en = "Updated" }
type = "date"
required = true

[[table]]
name = "nguon.kcb_nguoi"
title = { vi = "Người bệnh", en = "Patients" }
grain = { vi = "Một người", en = "One person" }
file = "kcb/nguoi.csv"
format = "csv"
citation = "Cục Quản lý Khám, chữa bệnh"
key = ["so_cccd"]

[table.risk]
because = { vi = "Dòng của bài kiểm tra", en = "Rows of a test" }

[[table.column]]
name = "so_cccd"
label = { vi = "Số định danh", en = "Person" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "nguoi_benh"
required = true

[[table]]
name = "nguon.kcb_nhan_vien"
title = { vi = "Nhân viên", en = "Staff" }
grain = { vi = "Một người", en = "One person" }
file = "kcb/nhan_vien.csv"
format = "csv"
citation = "Cục Quản lý Khám, chữa bệnh"
key = ["so_cccd"]

[table.risk]
because = { vi = "Dòng của bài kiểm tra", en = "Rows of a test" }

[[table.column]]
name = "so_cccd"
label = { vi = "Số định danh", en = "Person" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "nhan_vien"
required = true
"#;

const MART: &str = r#"/* toml
title = { vi = "Lượt khám theo người", en = "Visits by person" }
description = { vi = "Số lượt của mỗi người.", en = "Visits of each person." }
grain = { vi = "Một người", en = "One person" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "personal"
source = { vi = "Lượt khám", en = "Visits" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"

[[column]]
name = "so_cccd"
label = { vi = "Số định danh", en = "Person" }

[[column]]
name = "so_luot"
label = { vi = "Số lượt", en = "Visits" }
unit = { vi = "lượt", en = "visits" }
*/
SELECT so_cccd, count(*) AS so_luot FROM nguon.kcb_luot GROUP BY so_cccd
"#;

const PEOPLE: u64 = 20;
const VISITS: u64 = 60;

fn person(number: u64) -> String {
    format!("0012030{:05}", number % PEOPLE)
}

fn house() -> House {
    let house = House::new(CONTRACT, "");
    let marts = house.path().join("declared/queries/marts");
    std::fs::create_dir_all(&marts).unwrap();
    std::fs::write(marts.join("luot_theo_nguoi.sql"), MART).unwrap();
    write_visits(&house, 0);
    let people: String = (0..PEOPLE).map(|n| person(n) + "\n").collect();
    house.write("kcb/nguoi.csv", format!("so_cccd\n{people}"));
    house.write("kcb/nhan_vien.csv", format!("so_cccd\n{people}"));
    house
}

/// The visits; of a later day, the first costs more.
fn write_visits(house: &House, day: u64) {
    let line = |n: u64| {
        let (cost, written) = if n == 0 { (n + day, 2 + day) } else { (n, 2) };
        format!("L{n},{},2026-0{}-01,{cost},2026-07-{written:02}\n", person(n), 1 + n % 6)
    };
    let lines: String = (0..VISITS).map(line).collect();
    house.write("kcb/luot.csv", format!("ma_luot,so_cccd,ngay_kham,tien,cap_nhat_luc\n{lines}"));
}

fn keys(house: &House, args: &[&str]) -> Output {
    khoyte(house.path()).arg("keys").args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    said(output)
}

/// All tokens of the lake by the domain that they are of.
fn tokens(house: &House) -> [BTreeSet<String>; 3] {
    let all = |sql: &str| house.lines(sql).into_iter().collect();
    [
        all("SELECT so_cccd FROM nguon.kcb_luot UNION ALL SELECT so_cccd FROM nguon.kcb_nguoi \
             UNION ALL SELECT so_cccd FROM kho.luot_theo_nguoi"),
        all("SELECT ma_luot FROM nguon.kcb_luot"),
        all("SELECT so_cccd FROM nguon.kcb_nhan_vien"),
    ]
}

/// What does not depend on the keys.
fn facts(house: &House) -> Vec<String> {
    let mut facts = house.lines(
        "SELECT l.thang, l.tien, m.so_luot FROM nguon.kcb_luot l \
         JOIN nguon.kcb_nguoi n ON n.so_cccd = l.so_cccd \
         JOIN kho.luot_theo_nguoi m ON m.so_cccd = l.so_cccd",
    );
    facts.extend(house.lines("SELECT count(*) FROM nguon.kcb_nhan_vien"));
    facts
}

/// The part of tokens that a key makes.
fn digits(tokens: &[BTreeSet<String>; 3]) -> BTreeSet<String> {
    let digits = |token: &String| token.split_once(':').unwrap().1.to_owned();
    tokens.iter().flatten().map(digits).collect()
}

fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").arg("-a").arg(from).arg(to));
}

#[test]
fn a_rotation_changes_all_tokens_and_no_fact_and_its_thief_recognises_nobody() {
    let house = house();
    house.night("2026-07-02");
    let (facts_before, before) = (facts(&house), tokens(&house));
    assert_eq!(facts_before.len() as u64, VISITS + 1);
    let old_files = [house.parquet("nguon/kcb_luot"), house.parquet("kho/luot_theo_nguoi")];
    let stolen = tempfile::tempdir().unwrap();
    copy(&house.path().join("keys"), stolen.path());

    let told = done(&keys(&house, &["rotate"]));
    assert!(told.contains("3 tables renewed to epoch 2") && told.contains("no backup"), "{told}");
    let after = tokens(&house);
    assert_eq!(facts(&house), facts_before);
    assert_eq!(after.each_ref().map(BTreeSet::len), [20, 60, 20]);
    assert!(after.iter().flatten().all(|token| token.starts_with("v2:")));
    assert!(digits(&after).is_disjoint(&digits(&before)));
    assert!(after[0].is_disjoint(&after[2]), "domains stay apart");

    // The thief knows everybody's numbers, and has the keys of before.
    let thief = self::house();
    std::fs::remove_dir_all(thief.path().join("keys")).unwrap();
    copy(&stolen.path().join("keys"), thief.path());
    thief.night("2026-07-02");
    assert_eq!(tokens(&thief), before);
    assert!(digits(&tokens(&thief)).is_disjoint(&digits(&after)));

    // The next night knows what it has, and finds its rows by their renewed keys.
    house.night("2026-07-03");
    let loaded = "SELECT DISTINCT ket_qua FROM he_thong.lan_chay WHERE dem = DATE '2026-07-03'";
    assert_eq!(house.lines(loaded), ["khong_doi"]);
    write_visits(&house, 7);
    house.night("2026-07-04");
    assert_eq!(tokens(&house), after);
    let cost = "SELECT count(*), sum(tien) FROM nguon.kcb_luot";
    assert_eq!(house.lines(cost), [format!("60|{}", VISITS * (VISITS - 1) / 2 + 7)]);

    // Files of before go when somebody says so, and the log tells no token of theirs.
    let asked = keys(&house, &["forget-old-files"]);
    assert_eq!(asked.status.code(), Some(2), "{}", said(&asked));
    done(&keys(&house, &["forget-old-files", "--yes"]));
    let left = [house.parquet("nguon/kcb_luot"), house.parquet("kho/luot_theo_nguoi")];
    for (left, old) in left.iter().zip(&old_files) {
        assert!(!old.is_empty() && old.iter().all(|file| !left.contains(file)), "{left:?}");
    }
    for (name, bytes) in support::files(&house.path().join("lake")) {
        let is_plain = name.ends_with(".json");
        assert!(!is_plain || !String::from_utf8_lossy(&bytes).contains("v1:"), "{name}");
    }
    assert_eq!(tokens(&house), after);
    let doctor = khoyte(house.path()).arg("doctor").output().unwrap();
    let told = done(&doctor);
    assert!(told.contains("none is known of epoch 2") && !told.contains("old files"), "{told}");
    write_visits(&house, 9);
    house.night("2026-07-05");
    assert_eq!(house.lines(cost), [format!("60|{}", VISITS * (VISITS - 1) / 2 + 9)]);
}

#[test]
fn a_rotation_killed_at_any_instant_and_ended_is_the_one_that_was_not() {
    const INSTANTS: u64 = 8;
    let whole = house();
    whole.night("2026-07-02");
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before");
    copy(whole.path(), &before);
    done(&keys(&whole, &["rotate"]));
    let expected = (tokens(&whole), facts(&whole));
    // With the same new key, the same tokens.
    std::fs::remove_dir_all(before.join("keys")).unwrap();
    copy(&whole.path().join("keys"), &before);

    for instant in 0..INSTANTS {
        let house = house();
        for name in ["lake", "keys"] {
            let there = house.path().join(name);
            // A new house has no lake yet.
            let _ = std::fs::remove_dir_all(&there);
            copy(&before.join(name), house.path());
        }
        let mut rotating = khoyte(house.path());
        rotating.args(["keys", "rotate"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut rotating = rotating.spawn().unwrap();
        let lines = BufReader::new(rotating.stderr.take().unwrap()).lines().map_while(Result::ok);
        let table = usize::try_from(instant % 4).unwrap();
        lines.filter(|line| line.starts_with("  ")).take(table).for_each(drop);
        // The instant itself is what is tested; there is no condition to wait for.
        std::thread::sleep(Duration::from_millis(instant * 17 % 50));
        // Where it was quicker, there is nothing left to do.
        let _ = rotating.kill();
        rotating.wait().unwrap();
        if instant % 2 == 0 {
            house.night("2026-07-03");
        } else if keys(&house, &["status"]).status.code() == Some(1) {
            done(&keys(&house, &["rotate"]));
        } else {
            house.night("2026-07-03");
        }
        assert_eq!((tokens(&house), facts(&house)), expected, "killed at instant {instant}");
        assert!(done(&keys(&house, &["status"])).contains("of the newest"));
        assert!(!house.path().join("keys/pseudonym-v3.key").exists());
    }
}

#[test]
fn a_lost_key_stops_the_night_and_comes_back_from_its_backup() {
    let house = house();
    let first = khoyte(house.path()).args(["night", "--date", "2026-07-02"]).output().unwrap();
    assert!(done(&first).contains("khoyte keys backup --to"));
    let second = khoyte(house.path()).args(["night", "--date", "2026-07-03"]).output().unwrap();
    assert!(!done(&second).contains("khoyte keys backup --to"));

    // A backup lies nowhere near the lake, and takes nobody's place.
    let safe = tempfile::tempdir().unwrap();
    let backup = safe.path().join("keys.json");
    let (file, data) = (backup.to_str().unwrap(), house.path());
    for place in ["lake/keys.json", "keys.json", "keys/keys.json", "sources/keys.json"] {
        let place = data.join(place);
        let refused = keys(&house, &["backup", "--to", place.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(!place.exists());
    }
    done(&keys(&house, &["backup", "--to", file]));
    assert_eq!(keys(&house, &["backup", "--to", file]).status.code(), Some(1));
    let doctor = khoyte(data).arg("doctor").output().unwrap();
    assert!(!done(&doctor).contains("keys    backup"), "{}", said(&doctor));

    let (before, kept) = (tokens(&house), support::files(&data.join("lake")));
    std::fs::remove_dir_all(data.join("keys")).unwrap();
    let night = khoyte(data).args(["night", "--date", "2026-07-04"]).output().unwrap();
    assert_eq!(night.status.code(), Some(1));
    let told = said(&night);
    assert!(told.contains("keys restore") && told.contains("keys begin-anew"), "{told}");
    let differing = support::differing(&kept, &support::files(&data.join("lake")));
    assert_eq!(differing, Vec::<String>::new());
    assert_eq!(khoyte(data).arg("doctor").output().unwrap().status.code(), Some(1));

    done(&keys(&house, &["restore", "--from", file]));
    house.night("2026-07-04");
    assert_eq!(tokens(&house), before);

    // After a rotation the backup of before is not enough, and says so.
    done(&keys(&house, &["rotate", "--forget-old-files"]));
    std::fs::remove_dir_all(data.join("keys")).unwrap();
    let refused = keys(&house, &["restore", "--from", file]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(said(&refused).contains("older than the last rotation"));
}

#[test]
fn a_key_that_is_lost_for_good_is_given_up_by_declaration_and_all_is_loaded_afresh() {
    let house = house();
    house.night("2026-07-02");
    let (facts_before, before) = (facts(&house), tokens(&house));
    let refused = keys(&house, &["begin-anew", "--yes"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    std::fs::remove_dir_all(house.path().join("keys")).unwrap();

    let lake = house.path().join("lake");
    let kept = support::files(&lake);
    let asked = keys(&house, &["begin-anew"]);
    assert_eq!(asked.status.code(), Some(2), "{}", said(&asked));
    assert!(said(&asked).contains("nguon.kcb_nguoi"), "{}", said(&asked));
    assert_eq!(support::differing(&kept, &support::files(&lake)), Vec::<String>::new());

    done(&keys(&house, &["begin-anew", "--yes"]));
    assert_eq!(house.lines("SELECT count(*) FROM nguon.kcb_luot"), ["0"]);
    house.night("2026-07-03");
    assert_eq!(facts(&house), facts_before);
    assert!(digits(&tokens(&house)).is_disjoint(&digits(&before)));
    assert!(done(&keys(&house, &["status"])).contains("of the newest"));
}

#[test]
fn the_name_of_a_batch_of_persons_is_keyed() {
    let names = |house: &House| {
        let sql = "SELECT bang, ma_lo FROM he_thong.lan_chay WHERE buoc = 'nap'";
        house.lines(sql)
    };
    let (one, other) = (house(), house());
    one.night("2026-07-02");
    other.night("2026-07-02");
    assert_eq!(names(&one).len(), 3);
    assert!(names(&one).iter().all(|name| !names(&other).contains(name)));
    let same = house().with_keys_of(&one);
    same.night("2026-07-02");
    assert_eq!(names(&same), names(&one));
}
