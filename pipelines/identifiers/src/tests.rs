use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn scan(header: &str, kind: ColumnKind) -> ColumnScan {
    ColumnScan::new(header, kind, &[], &AllowList::default()).unwrap()
}

fn text(cell: &str) -> Option<PatternId> {
    scan("ghi_chu", ColumnKind::Text).cell(cell)
}

fn verdict(header: &str, kind: ColumnKind, cells: impl Iterator<Item = String>) -> Verdict {
    let scan = scan(header, kind);
    let mut counts = Counts::default();
    for cell in cells {
        scan.look(&cell, &mut counts);
    }
    scan.verdict(&counts)
}

#[test]
fn each_pattern_is_found_by_its_shape() {
    for (cell, pattern) in [
        ("001203004567", PatternId::Cccd),
        ("CCCD001203004567", PatternId::Cccd),
        ("số 001 203 004 567 cấp 2021", PatternId::Cccd),
        ("028190001234", PatternId::Cccd),
        ("CMND: 123456789", PatternId::Cmnd),
        ("số BHXH 7912345678", PatternId::Bhxh10),
        ("DN4790012345678", PatternId::BhytCard15),
        ("thẻ DN 4 79 001 234 5678", PatternId::BhytCard15),
        ("DN4790012345678;HT2790012345678", PatternId::BhytCard15),
        ("te1790012345678", PatternId::BhytCard15),
        ("TE199KT12345678", PatternId::TempCard),
        ("goi 0900.123.456", PatternId::Mobile),
        ("+84 900 123 456", PatternId::Mobile),
        ("84900123456", PatternId::Mobile),
        ("(+84) 900-123-456", PatternId::Mobile),
        ("ĐT 09 00 12 34 56", PatternId::Mobile),
        ("024 3826 1234", PatternId::Landline),
        ("gửi a.b@vidu.vn nhé", PatternId::Email),
        ("Hộ chiếu B1234567", PatternId::Passport),
        ("001234/HNO-CCHN", PatternId::Practitioner),
        ("21.028511, 105.804817", PatternId::Gps),
        ("12 ngõ 34 Láng", PatternId::Address),
        ("Thôn Đông, xã X", PatternId::Address),
        ("tổ dân phố 5", PatternId::Address),
        ("so nha 12 ngo 4", PatternId::Address),
    ] {
        assert_eq!(text(cell), Some(pattern), "{cell}");
    }
}

#[test]
fn a_value_that_is_known_again_counts_as_often_as_it_comes() {
    let scan = scan("ghi_chu", ColumnKind::Text);
    let mut counts = Counts::default();
    for _ in 0..3 {
        for (cell, found) in [
            ("Sốt xuất huyết Dengue", None),
            ("BN Nguyễn Văn An, 0912 345 678", Some(PatternId::Mobile)),
            ("khoảng 1.08E+11", None),
        ] {
            assert_eq!(scan.look(cell, &mut counts), found, "{cell}");
        }
    }
    assert_eq!((counts.cells(), counts.hits(PatternId::Mobile)), (9, 3));
}

#[test]
fn names_are_found_however_they_are_spelt() {
    for name in [
        "Nguyễn Văn A",
        "Nguyen Van A",
        "NGUYEN VAN A",
        "NGUYỄN VĂN A",
        "nguyễn văn an",
        "Trần Thị Bích Ngọc",
        "TRAN THI BICH NGOC",
        "Lê Hoàng Phúc",
        "Hồ Văn Hải",
        "Hồ Văn Đông",
        "Trịnh Quốc Bảo",
        "TRỊNH QUỐC BẢO",
        "ĐỖ THỊ HẠNH",
        "DO THI HANH",
        "Giàng A Páo",
        "Tôn Nữ Thanh Hà",
        "Cao Thị Mai",
        "CAO THỊ MAI",
        "HA VAN LAM",
        "Nguyen_Van_An",
        "Lê Lan",
        "Vũ  Đức   Thắng",
    ] {
        assert_eq!(text(name), Some(PatternId::PersonName), "{name}");
        let nfd: String = name.nfd().collect();
        assert_eq!(text(&nfd), Some(PatternId::PersonName), "{name} in NFD");
        let said = format!("bệnh nhân {name}, khám lại");
        assert_eq!(text(&said), Some(PatternId::PersonName), "{said}");
    }
}

#[test]
fn places_diseases_and_ordinary_words_are_no_names() {
    for cell in [
        "Hồ Chí Minh",
        "TP. Hồ Chí Minh",
        "HO CHI MINH",
        "Thành phố Hồ Chí Minh",
        "Ho Chi Minh City",
        "Bà Rịa - Vũng Tàu",
        "Thừa Thiên Huế",
        "Hà Nội",
        "THÁI NGUYÊN",
        "Cao Bằng",
        "Lâm Đồng",
        "Ngộ độc thực phẩm",
        "NGO DOC THUC PHAM",
        "HỞ VAN HAI LÁ",
        "HO VAN HAI LA",
        "VO SINH NAM",
        "HOÀNG ĐẢN SƠ SINH",
        "TRAN DICH MANG PHOI",
        "NGUYEN NHAN KHONG RO",
        "Hồ Sơ Bệnh Án",
        "Dương Tính",
        "Lý Do Vào Viện",
        "LÝ DO VÀO VIỆN",
        "ho ra máu",
        "HO KEO DAI",
        "Viêm gan virus B mạn",
        "Tăng huyết áp vô căn",
        "Đái tháo đường type 2",
        "Amoxicilin 500mg viên nang",
        "Sốt xuất huyết Dengue",
        "LE TE MAT PHAI",
        "PHAN VE DO 2",
        "BỆNH DO TÁC NHÂN NORWALK",
        "DO NGUYÊN NHÂN MẠCH MÁU",
        "VIÊM PHÚC MẠC DO GIANG MAI",
        "BẤT HOÀ VỚI HÀNG XÓM, NGƯỜI THUÊ",
        "Bệnh lý van hai lá do thấp",
        "KHÁNG THỂ HUỲNH QUANG GIÁN TIẾP",
        "TÂM LÝ CÁ NHÂN",
        "VIÊM TĨNH MẠCH NÔNG Ở CHI DƯỚI",
        "SỐ HÓA XÓA NỀN",
        "Bệnh do Rickettsia",
        "Ngõ cụt của ruột",
        "Phường Trần Hưng Đạo",
        "Xã Nguyễn Văn Linh",
        "PHƯỜNG LÊ ĐẠI HÀNH",
        "Chong Kun Dang Pharm Corp.",
        "DANG DIEU TRI NOI TRU",
        "TRINH BAY LAI",
        "Huyện Cù Lao Dung",
        "Cao Huyết Áp",
        "Thái Bình Dương",
    ] {
        assert_eq!(text(cell), None, "{cell}");
    }
}

#[test]
fn the_disease_list_of_the_ministry_holds_no_person() {
    // A few titles of ICD-10 in Vietnamese that are near a pattern.
    for cell in [
        "A91",
        "J18.9",
        "O80.0",
        "B20-B24",
        "Thương hàn và phó thương hàn",
        "Bệnh do Mycobacterium không đặc hiệu ở nơi khác",
        "Hội chứng Guillain-Barre",
        "U lympho Hodgkin, xơ cứng thể nốt",
        "Bệnh Hodgkin, giàu lympho bào",
    ] {
        assert_eq!(text(cell), None, "{cell}");
    }
}

#[test]
fn dates_amounts_and_codes_are_no_identifiers() {
    for cell in [
        "20260715",
        "202607150830",
        "2026-07-15",
        "15/07/2026 08:30",
        "05-03-2023 08",
        "12 05 2023 0830",
        "893110123456",
        "893 110 123 456",
        "VD-12345-12",
        "0.912345678",
        "123456789",
        "1234567890",
        "1.250.000.000",
        "79001",
        "01A23",
        "1,5 mg x 2 lần",
        "2024-01-05 08:30:15",
        "03.0467.0230",
        "300 mg/24h",
    ] {
        assert_eq!(text(cell), None, "{cell}");
    }
}

#[test]
fn a_header_makes_weak_shapes_strong() {
    let by = |header: &str, kind, cell: &str| scan(header, kind).cell(cell);
    use ColumnKind::{Number, Text};
    assert_eq!(by("SO_CCCD", Text, "79203004567"), Some(PatternId::Cccd));
    assert_eq!(by("so_cccd", Number, "79203004567"), Some(PatternId::Cccd));
    assert_eq!(by("so_cccd", Text, "1.08E+11"), Some(PatternId::DamagedNumber));
    assert_eq!(by("so_cccd", Number, "1.08E+11"), Some(PatternId::DamagedNumber));
    assert_eq!(by("cmnd", Text, "123456789"), Some(PatternId::Cmnd));
    assert_eq!(by("ma_so_bhxh", Number, "7912345678"), Some(PatternId::Bhxh10));
    assert_eq!(by("dien_thoai", Number, "900123456"), Some(PatternId::Mobile));
    assert_eq!(by("MA_LK", Text, "123"), Some(PatternId::EpisodeOrRecord));
    assert_eq!(by("ho_ten", Text, "Ksor Hlat"), Some(PatternId::PersonName));
    assert_eq!(by("ngay_sinh", Text, "19700512"), Some(PatternId::BirthDate));
    assert_eq!(by("ngay_sinh", ColumnKind::Date, "1970-05-12"), Some(PatternId::BirthDate));
    assert_eq!(by("ngay_sinh", ColumnKind::Date, "19700000"), None);
    assert_eq!(by("dia_chi", Text, "12 Lê Lợi, Quận 1"), Some(PatternId::Address));
    assert_eq!(by("so_mac", Number, "1.08E+11"), None);
}

#[test]
fn a_number_column_knows_what_no_number_is() {
    let number = scan("so_luot", ColumnKind::Number);
    for (cell, pattern) in [
        ("001203004567", Some(PatternId::Cccd)),
        ("0900123456", Some(PatternId::Mobile)),
        ("+84900123456", Some(PatternId::Mobile)),
        ("000000000123", Some(PatternId::DamagedNumber)),
        ("Nguyễn Văn A", Some(PatternId::PersonName)),
        ("0.912345678", None),
        ("-1234567890.50", None),
        ("84912345678.00", None),
        ("12", None),
    ] {
        assert_eq!(number.cell(cell), pattern, "{cell}");
    }
}

#[test]
fn what_is_allowed_passes_and_a_wrong_word_is_an_error() {
    let words = ["person_name".to_owned()];
    let allowed = AllowList::new(["Nguyễn Tri Phương", "Lê Văn Thịnh"]);
    let by_pattern =
        ColumnScan::new("ten", ColumnKind::Text, &words, &AllowList::default()).unwrap();
    assert_eq!(by_pattern.cell("Nguyễn Văn A"), None);
    assert_eq!(by_pattern.cell("Nguyễn Văn A 0900123456"), Some(PatternId::Mobile));
    let by_phrase = ColumnScan::new("ten", ColumnKind::Text, &[], &allowed).unwrap();
    assert_eq!(by_phrase.cell("Bệnh viện Nguyễn Tri Phương"), None);
    assert_eq!(by_phrase.cell("BENH VIEN LE VAN THINH"), None);
    assert_eq!(by_phrase.cell("Nguyễn Văn A"), Some(PatternId::PersonName));
    let wrong = ["nguoi".to_owned()];
    let error = ColumnScan::new("ten", ColumnKind::Text, &wrong, &allowed).unwrap_err();
    assert_eq!(error, ScanError("nguoi".into()));
}

#[test]
fn a_column_of_identifiers_is_refused_though_no_cell_is() {
    let nine = (0..500_u64).map(|i| (100_000_000 + i * 7_919_993 % 899_999_999).to_string());
    let Verdict::Refuse { pattern, .. } = verdict("ma", ColumnKind::Text, nine) else {
        panic!("nine digits in every cell must be refused");
    };
    assert_eq!(pattern, PatternId::Cmnd);
    let ten = (0..500_u64).map(|i| (1_000_000_007 + i * 7_919_993).to_string());
    assert!(matches!(verdict("so", ColumnKind::Number, ten), Verdict::Refuse { .. }));
    let births = (0..500_u64).map(|i| format!("{}-0{}-1{}", 1930 + i % 90, 1 + i % 9, i % 10));
    let Verdict::Refuse { pattern, .. } = verdict("ngay", ColumnKind::Date, births) else {
        panic!("dates over a life must be refused");
    };
    assert_eq!(pattern, PatternId::BirthDate);
}

#[test]
fn identity_numbers_without_their_zeros_are_seen_among_amounts() {
    let money = |i: u64| (i * i * 137 % 90_000_000 * 100 + 1000).to_string();
    let identity = |i: u64| (79_085_000_000 + i * 1_000_003 % 1_000_000).to_string();
    let cells = |few: u64| (0..5000).map(move |i| if i < few { identity(i) } else { money(i) });
    let Verdict::Refuse { pattern, .. } = verdict("t_bntt", ColumnKind::Number, cells(12)) else {
        panic!("a dozen identity numbers among thousands of amounts must be refused");
    };
    assert_eq!(pattern, PatternId::Cccd);
    assert_eq!(verdict("t_bntt", ColumnKind::Number, cells(0)), Verdict::Clean);
    // Sums so long are of the form one time in five.
    let sums = (0..500_u64).map(|i| (i * 171_717_171 + 13).to_string());
    assert!(!matches!(
        verdict("t_tong", ColumnKind::Number, sums),
        Verdict::Refuse { pattern: PatternId::Cccd, .. }
    ));
}

#[test]
fn a_kept_day_is_a_birth_by_its_header_or_by_its_spread() {
    let day = |header: &str, cell: &str| scan(header, ColumnKind::Date).cell(cell);
    assert_eq!(day("ngay_sinh", "1970-05-12"), Some(PatternId::BirthDate));
    assert_eq!(day("ngay_cap", "1970-05-12"), None);
    assert_eq!(day("ngay_cap", "0912345678"), Some(PatternId::Mobile));
    let visits = (0..3000_u64).map(|i| format!("{}-0{}-1{}", 2015 + i % 12, 1 + i % 9, i % 10));
    assert_eq!(verdict("ngay_vao", ColumnKind::Date, visits), Verdict::Clean);
}

#[test]
fn honest_columns_are_clean() {
    let money = (0..500_u64).map(|i| format!("{}.00", i * i * 137 % 90_000_000 * 100 + 1000));
    assert_eq!(verdict("t_bhtt", ColumnKind::Number, money), Verdict::Clean);
    let visits = (0..500_u64).map(|i| format!("2026070{}08{:02}", 1 + i % 9, i % 60));
    assert_eq!(verdict("ngay_vao", ColumnKind::Date, visits), Verdict::Clean);
    let codes = (0..500_u64).map(|i| format!("79{:03}", i % 90));
    assert_eq!(verdict("ma_cskcb", ColumnKind::Text, codes), Verdict::Clean);
    let icd = (0..500_u64).map(|i| format!("J{:02}.{}", i % 90, i % 9));
    assert_eq!(verdict("ma_benh", ColumnKind::Text, icd), Verdict::Clean);
}

#[test]
fn one_leak_refuses_its_row_and_many_the_batch() {
    let cells = |leaks: usize| {
        (0..1000).map(move |i| if i < leaks { "0900123456".into() } else { "bình thường".into() })
    };
    assert!(matches!(verdict("x", ColumnKind::Text, cells(2)), Verdict::Rows(_)));
    assert!(matches!(verdict("x", ColumnKind::Text, cells(30)), Verdict::Refuse { .. }));
}

fn grouped(digits: &str, at: &[usize], by: char) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if at.contains(&i) {
            out.push(by);
        }
        out.push(digit);
    }
    out
}

fn separator() -> impl Strategy<Value = char> {
    prop::sample::select(vec![' ', '.', '-', '\u{a0}', '\u{2011}'])
}

/// Text around an identifier: words, marks, amounts.
fn around() -> impl Strategy<Value = String> {
    "(bệnh nhân|khám|tại|TYT|ho|sốt|[a-z]{1,8}|[0-9]{1,3}mg|,|;|:|\\(|/| ){0,6}"
}

proptest! {
    #[test]
    fn a_planted_citizen_id_is_found(
        before in around(), after in around(), serial in 0_u32..1_000_000,
        province in prop::sample::select(vec!["001", "028", "079", "096"]),
        (century, year) in prop::sample::select(vec![("0", "50"), ("1", "99"), ("2", "05"), ("3", "24")]),
        grouping in prop::sample::select(vec![vec![], vec![3, 6], vec![3, 6, 9], vec![4, 8], vec![6]]),
        by in separator(),
    ) {
        let id = grouped(&format!("{province}{century}{year}{serial:06}"), &grouping, by);
        let cell = format!("{before} x{id} {after}");
        prop_assert!(text(&cell).is_some(), "{cell}");
    }

    #[test]
    fn a_planted_telephone_is_found(
        before in around(), after in around(), rest in "[0-9]{8}",
        prefix in prop::sample::select(vec!["03", "05", "07", "08", "09"]),
        grouping in prop::sample::select(vec![
            vec![], vec![4, 7], vec![3, 6], vec![4, 6, 8], vec![2, 4, 6, 8], vec![5],
        ]),
        by in separator(),
    ) {
        let phone = grouped(&format!("{prefix}{rest}"), &grouping, by);
        let cell = format!("{before}x {phone}, {after}");
        prop_assert!(text(&cell).is_some(), "{cell}");
    }

    #[test]
    fn a_planted_card_is_found(
        before in around(), after in around(), rest in "[0-9]{10}",
        holder in prop::sample::select(vec!["DN", "ht", "GD", "TE"]),
        grouping in prop::sample::select(vec![vec![], vec![2, 3, 5], vec![3, 5, 8, 11], vec![2, 5, 10]]),
        by in separator(),
    ) {
        let card = grouped(&format!("{holder}479{rest}"), &grouping, by);
        let cell = format!("{before} {card}. {after}");
        prop_assert!(text(&cell).is_some(), "{cell}");
    }

    #[test]
    fn a_planted_name_is_found_in_every_spelling(
        before in around(), after in around(),
        surname in prop::sample::select(vec!["Nguyễn", "Trần", "Lê", "Phạm", "Đặng", "Bùi", "Ngô"]),
        middle in prop::sample::select(vec!["Văn", "Thị", "Đình", "Ngọc", "Quốc", "Hữu"]),
        given in prop::sample::select(vec!["Hùng", "Lan", "Bình", "Thảo", "Khoa", "Tuấn", "Hạnh"]),
        spelling in 0..5,
    ) {
        let name = format!("{surname} {middle} {given}");
        let plain = |name: &str| -> String {
            let words = name.split(' ').map(|word| {
                let mut letters = word.chars().map(|c| char::from(letters::base_letter(c).unwrap()));
                let first = letters.next().unwrap().to_ascii_uppercase();
                std::iter::once(first).chain(letters).collect::<String>()
            });
            words.collect::<Vec<_>>().join(" ")
        };
        use crate::letters;
        let name = match spelling {
            0 => name,
            1 => name.nfd().collect(),
            2 => name.to_uppercase(),
            3 => plain(&name),
            _ => plain(&name).to_uppercase(),
        };
        let cell = format!("{before} {name}; {after}");
        let found = super::tests::text(&cell);
        prop_assert!(found.is_some(), "{cell}");
    }

    #[test]
    fn plain_numbers_below_nine_digits_are_never_flagged(value in 0_u32..100_000_000, cents in 0..100) {
        let number = scan("so_tien", ColumnKind::Number);
        prop_assert_eq!(number.cell(&format!("{value}.{cents:02}")), None);
        prop_assert_eq!(text(&value.to_string()), None);
    }

    #[test]
    fn whole_numbers_written_as_numbers_are_never_flagged(value in -1_000_000_000_000_i64..1_000_000_000_000) {
        prop_assert_eq!(scan("t_tongchi", ColumnKind::Number).cell(&value.to_string()), None);
    }

    #[test]
    fn nothing_panics(cell in "\\PC{0,40}", header in "\\PC{0,12}") {
        for kind in [ColumnKind::Text, ColumnKind::Number, ColumnKind::Date] {
            let _ = scan(&header, kind).look(&cell, &mut Counts::default());
        }
    }
}
