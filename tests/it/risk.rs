//! How exposed persons are: measured each night, refused above what is declared, shown to those who
//! may see the table.

use disclosure::{Faults, microdata::judge};
use warehouse::serve::users::Secret;

use crate::growth::House;
use crate::support::{self, Server, khoyte};
use crate::web::{self, get_with, log_in, post};

/// Visits of persons; `growth` and `risk` are filled in.
const CONTRACT: &str = r#"id = "thu"
title = { vi = "Khám bệnh", en = "Care" }
description = { vi = "Lượt khám", en = "Visits" }
owner = { vi = "Cục Quản lý Khám, chữa bệnh", en = "Department of Medical Services" }
groups = [3]
sensitivity = "personal"
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.3"

[[table]]
name = "nguon.thu_luot"
title = { vi = "Lượt khám", en = "Visits" }
grain = { vi = "Một lượt", en = "One visit" }
citation = "Cục Quản lý Khám, chữa bệnh"
key = ["ma_luot"]
format = "csv"
GROWTH
[table.risk]
RISK

[[table.column]]
name = "ma_luot"
label = { vi = "Mã lượt", en = "Visit" }
type = "text"
required = true
pattern = "L[0-9]{1,4}"

[[table.column]]
name = "so_cccd"
label = { vi = "Số căn cước", en = "Identity number" }
type = "text"
sensitivity = "personal"
treatment = "pseudonymise"
domain = "nguoi_benh"

[[table.column]]
name = "gioi_tinh"
label = { vi = "Giới tính", en = "Sex" }
type = "text"
values = ["1", "2"]

[[table.column]]
name = "nam_sinh"
from = "ngay_sinh"
label = { vi = "Năm sinh", en = "Year of birth" }
type = "integer"
sensitivity = "personal"
treatment = "generalise"
generalise = "year"

[[table.column]]
name = "thang"
from = "ngay"
label = { vi = "Tháng", en = "Month" }
type = "date"
sensitivity = "personal"
treatment = "generalise"
generalise = "month"
required = true

[[table.column]]
name = "ma_benh"
label = { vi = "Bệnh", en = "Disease" }
type = "text"
pattern = "[A-Z][0-9]{2}"

[[table.column]]
name = "cap_nhat"
label = { vi = "Cập nhật", en = "Updated" }
type = "date"
required = true
"#;

const SNAPSHOT: &str = "file = \"thu/luot.csv\"\n";
const GROWING: &str = "file = \"thu/{night}/luot.csv\"\npartition = \"thang\"\n\
    growth = { kind = \"upsert\", watermark = \"cap_nhat\", again_days = 1, \
    deleted = \"ma_benh = 'Z99'\" }\n";
const WHOM: &str = "person = \"so_cccd\"\nquasi_identifiers = [\"gioi_tinh\", \"nam_sinh\", \"thang\"]\n\
    sensitive = [\"ma_benh\"]\n";

const RISKS: &str = "SELECT phep_do, cot, muc, gia_tri, nguong, so_nguoi, dem_theo \
    FROM he_thong.rui_ro WHERE dem = (SELECT max(dem) FROM he_thong.rui_ro)";

fn house(growth: &str, risk: &str, config: &str) -> House {
    House::new(&CONTRACT.replace("GROWTH\n", growth).replace("RISK\n", risk), config)
}

/// A file of visits: number, person, sex, year of birth, day, disease, day of writing.
fn csv(rows: &[(u32, u32, u32, u32, &str, &str, &str)]) -> String {
    let head = "ma_luot,so_cccd,gioi_tinh,ngay_sinh,ngay,ma_benh,cap_nhat\n".to_owned();
    let line = |(visit, person, sex, born, day, disease, written): &(_, _, _, _, _, _, _)| {
        format!("L{visit},0010990000{person:02},{sex},{born}0000,{day},{disease},{written}\n")
    };
    head + &rows.iter().map(line).collect::<String>()
}

/// Two men born in 1980 and two women born in 1990.
const FOUR: [(u32, u32, u32, u32, &str, &str, &str); 5] = [
    (1, 1, 1, 1980, "2026-06-03", "A90", "2026-07-01"),
    (2, 1, 1, 1980, "2026-06-04", "A91", "2026-07-01"),
    (3, 2, 1, 1980, "2026-06-05", "A90", "2026-07-01"),
    (4, 3, 2, 1990, "2026-06-06", "B20", "2026-07-01"),
    (5, 4, 2, 1990, "2026-06-07", "B20", "2026-07-01"),
];

#[test]
fn a_batch_after_which_a_group_is_too_small_is_refused_and_the_table_stands() {
    let house = house(SNAPSHOT, &format!("{WHOM}smallest_k = 2\n"), "");
    house.write("thu/luot.csv", csv(&FOUR));
    let night = |date: &str| khoyte(house.path()).args(["night", "--date", date]).output().unwrap();
    let first = night("2026-07-01");
    assert!(first.status.success());
    // The bound is met, and nothing is left of it.
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(told.contains("new        nguon.thu_luot") && told.contains("gần ngưỡng"), "{told}");
    let figures = house.lines(RISKS);
    for line in ["k|||2|2|4|nguoi", "mot_minh|||0||4|nguoi", "mot_gia_tri|ma_benh||0.5||4|nguoi"] {
        assert!(figures.contains(&line.to_owned()), "{figures:#?}");
    }
    let before = support::files(&house.path().join("lake/nguon"));

    let alone = (6, 5, 1, 1991, "2026-06-08", "A90", "2026-07-02");
    house.write("thu/luot.csv", csv(&[FOUR.as_slice(), &[alone]].concat()));
    let second = night("2026-07-02");
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("refused    nguon.thu_luot: k = 1"), "{told}");
    let after = support::files(&house.path().join("lake/nguon"));
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
    let run = "SELECT ket_qua, ly_do FROM he_thong.lan_chay WHERE dem = DATE '2026-07-02' \
               AND bang = 'nguon.thu_luot'";
    let [line] = &house.lines(run)[..] else { panic!("one run") };
    for part in ["tu_choi|k = 1, dưới ngưỡng smallest_k = 2", "làm thô hoặc bỏ một cột"]
    {
        assert!(line.contains(part), "{line}");
    }
    // What stands is what was measured before.
    assert_eq!(house.lines(RISKS), figures);
}

#[test]
fn months_that_a_night_does_not_touch_keep_their_figures_and_the_sum_is_that_of_one_load() {
    let grown = house(GROWING, WHOM, "");
    let nights = [
        FOUR.to_vec(),
        // A correction that moves nobody, a new month, and a deletion.
        vec![
            (5, 4, 2, 1990, "2026-06-07", "C34", "2026-07-02"),
            (6, 1, 1, 1980, "2026-07-02", "A90", "2026-07-02"),
            (7, 5, 1, 1981, "2026-07-02", "A90", "2026-07-02"),
            (3, 2, 1, 1980, "2026-06-05", "Z99", "2026-07-02"),
        ],
        // One month alone.
        vec![(8, 6, 1, 1981, "2026-07-03", "A90", "2026-07-03")],
    ];
    for (at, rows) in nights.iter().enumerate() {
        let date = format!("2026-07-{:02}", at + 1);
        grown.write(&format!("thu/{date}/luot.csv"), csv(rows));
        grown.night(&date);
    }
    let whole = house(SNAPSHOT, WHOM, "").with_keys_of(&grown);
    let mut end = vec![FOUR[0], FOUR[1], FOUR[3]];
    end.extend(&nights[1][..3]);
    end.extend(&nights[2]);
    whole.write("thu/luot.csv", csv(&end));
    whole.night("2026-07-03");
    let rows = "SELECT * FROM nguon.thu_luot";
    assert_eq!(grown.lines(rows), whole.lines(rows));
    // What treating the month would bring is told only where it does not part the table.
    let mut expected = whole.lines(RISKS);
    expected.retain(|line| !line.starts_with("con_mot_minh|thang|"));
    assert_eq!(grown.lines(RISKS), expected);
    assert!(expected.contains(&"k|||1||6|nguoi".to_owned()), "{expected:#?}");
}

#[test]
fn a_file_of_records_is_counted_alike_by_the_night_and_by_the_report() {
    let risk = "quasi_identifiers = [\"gioi_tinh\", \"nam_sinh\"]\nsensitive = [\"ma_benh\"]\n";
    let house = house(SNAPSHOT, risk, "");
    let alone = (6, 5, 1, 1991, "2026-06-08", "A90", "2026-07-01");
    house.write("thu/luot.csv", csv(&[FOUR.as_slice(), &[alone]].concat()));
    house.night("2026-07-01");
    let records = house.path().join("records.csv");
    let lines = house.lines("SELECT gioi_tinh, nam_sinh, ma_benh FROM nguon.thu_luot").join("\n");
    let text = format!("gioi_tinh,nam_sinh,ma_benh\n{}\n", lines.replace('|', ","));
    std::fs::write(&records, text).unwrap();
    let spec = house.path().join("spec.toml");
    std::fs::write(&spec, format!("[microdata]\n{risk}k = 5\nl = 2\n")).unwrap();
    let report = judge(&spec, &records, &mut Faults::default()).unwrap();
    let share = |some: usize| some as f64 / report.records as f64;
    let figure = |measure: &str| {
        let sql = format!("SELECT gia_tri FROM he_thong.rui_ro WHERE phep_do = '{measure}'");
        house.lines(&sql)[0].parse::<f64>().unwrap()
    };
    assert_eq!(figure("k"), report.smallest_class as f64);
    assert_eq!(figure("mot_minh"), share(report.sample_uniques));
    assert_eq!(figure("duoi_5"), share(report.records_below_k));
    assert_eq!(figure("l"), report.sensitive[0].fewest_values as f64);
    assert_eq!(figure("mot_gia_tri"), share(report.sensitive[0].records_below_l));
}

#[test]
fn those_who_see_the_table_see_how_exposed_it_is_and_others_do_not() {
    let password = "mat khau cua rieng no";
    let secret = Secret::derive(password, &[7; 16]).encode();
    let user = |name: &str, class: &str| {
        format!("[[user]]\nname = {name:?}\nclearance = {class:?}\nsecret = {secret:?}\n")
    };
    let users = [user("dich_te", "personal"), user("ke_hoach", "business")].concat();
    let house = house(SNAPSHOT, &format!("{WHOM}most_unique = 0.5\n"), &users);
    house.write("thu/luot.csv", csv(&FOUR));
    house.night("2026-07-01");
    std::fs::write(house.path().join("password.txt"), password).unwrap();
    let server = Server::start(house.path());
    let (page, ask) = ("/bang/nguon.thu_luot", "SELECT bang, phep_do FROM he_thong.rui_ro");
    let reader = log_in(&server.web, "dich_te", password);
    for (path, parts) in [
        (page.to_owned(), ["Rủi ro lộ danh tính", "k-ẩn danh", "ngưỡng của hợp đồng 50,0%"]),
        (format!("/en{page}"), ["Disclosure risk", "groups of 10 years", "bound is 50.0%"]),
    ] {
        let answer = get_with(&server.web, &path, &reader);
        assert_eq!(answer.status, 200);
        assert!(web::page_faults(&path, &answer).is_empty());
        for part in parts {
            assert!(answer.text().contains(part), "{path}: {part}");
        }
    }
    let told = post(&server.web, "/sql", &[("q", ask)], &reader).text();
    assert!(told.contains("nguon.thu_luot"), "{told}");
    let planner = log_in(&server.web, "ke_hoach", password);
    assert_eq!(get_with(&server.web, page, &planner).status, 404);
    let told = post(&server.web, "/sql", &[("q", ask)], &planner).text();
    assert!(!told.contains("nguon.thu_luot"), "{told}");
}
