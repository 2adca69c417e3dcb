//! Invented identifiers of valid form: numbers at random, names put together from syllables. None
//! is a real person's.

/// A small generator, the same everywhere for one seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    pub(crate) fn digits(&mut self, many: usize) -> String {
        (0..many).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap())).collect()
    }
}

/// What an identifier is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Digits only.
    Digits,
    /// Letters and digits.
    Code,
    /// A person's name.
    Name,
    /// Other text.
    Text,
}

/// An identifier, and what announces it where its form alone does not.
#[derive(Debug, Clone)]
pub(crate) struct Identifier {
    pub(crate) body: Body,
    /// Text before it; empty where it stands for itself.
    pub(crate) lead: &'static str,
    pub(crate) core: String,
}

pub(crate) const KINDS: [&str; 22] = [
    "cccd",
    "cmnd",
    "bhyt_card15",
    "bhxh10",
    "temp_card",
    "mobile",
    "landline",
    "passport",
    "driving_licence",
    "tax_code",
    "bank_account",
    "payment_card",
    "practitioner",
    "episode_or_record",
    "officer",
    "civil_paper",
    "plate",
    "email",
    "social_account",
    "birth_date",
    "person_name",
    "address",
];

const PROVINCES: [&str; 12] =
    ["001", "004", "019", "027", "034", "038", "048", "066", "075", "079", "092", "096"];
pub(crate) const SURNAMES: [&str; 12] =
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô"];
const MIDDLES: [&str; 9] = ["Văn", "Thị", "Đình", "Ngọc", "Quốc", "Hữu", "Minh", "Xuân", "Đức"];
const GIVENS: [&str; 14] = [
    "Hùng", "Lan", "Bình", "Thảo", "Khoa", "Tuấn", "Hạnh", "Phương", "Dũng", "Yến", "Cường",
    "Trang", "Hiếu", "Oanh",
];
const MINORITY: [&str; 14] = [
    "Y Krăng Êban",
    "H'Blơn Mlô",
    "Ksor Thưn",
    "Siu H'Nhăn",
    "Thào A Chống",
    "Giàng A Páo",
    "Vàng Thị Xây",
    "Quàng Thị Inh",
    "Lường Văn Ún",
    "Cà Văn Pỏm",
    "Thạch Thị Sa Rây",
    "Moong Thị Oi",
    "Chamaléa Thị Nhơm",
    "Voòng A Sáng",
];
const FOREIGN: [&str; 6] =
    ["John Smith", "Robert Johnson", "Kim Min Seo", "Tanaka Hiroshi", "Maria Garcia", "Zhang Wei"];

/// An invented identifier of a kind.
pub(crate) fn invent(kind: &'static str, dice: &mut Dice) -> Identifier {
    let (body, lead, core) = match kind {
        "cccd" => {
            let (century, year) = (dice.below(2), 40 + dice.below(60));
            let serial = dice.digits(6);
            (Body::Digits, "", format!("{}{century}{year}{serial}", dice.pick(&PROVINCES)))
        }
        "cmnd" => {
            let lead = dice.pick(&["CMND ", "số CMT: ", "chứng minh nhân dân số ", "id number "]);
            let core = format!("{:02}{}", 1 + dice.below(38), dice.digits(7));
            (Body::Digits, lead, core)
        }
        "bhyt_card15" => {
            let holder = dice.pick(&["DN", "GD", "HT", "TE", "QN", "CH", "XK", "TG"]);
            let place = dice.pick(&["01", "27", "34", "79", "97", "98"]);
            let core = format!("{holder}{}{place}{}", 1 + dice.below(5), dice.digits(10));
            (Body::Code, "", core)
        }
        "bhxh10" => {
            let lead = dice.pick(&["BHXH ", "mã số BHXH: ", "số BHXH ", "thẻ BHYT "]);
            (Body::Digits, lead, format!("79{}", dice.digits(8)))
        }
        "temp_card" => (Body::Code, "", format!("TE179KT{}", dice.digits(8))),
        "mobile" => {
            let core = match dice.below(5) {
                0 => format!("84{}{}", dice.pick(&["9", "3", "7"]), dice.digits(8)),
                1 => format!("0162{}", dice.digits(7)),
                _ => format!("{}{}", dice.pick(&["03", "05", "07", "08", "09"]), dice.digits(8)),
            };
            (Body::Digits, "", core)
        }
        "landline" => (Body::Digits, "", format!("024{}", dice.digits(8))),
        "passport" => {
            let lead = dice.pick(&["hộ chiếu ", "passport no ", "Hộ chiếu số: "]);
            let letter = dice.pick(&["B", "C", "N", "P", "K"]);
            (Body::Code, lead, format!("{letter}{}", dice.digits(7)))
        }
        "driving_licence" => {
            let lead = dice.pick(&["GPLX ", "bằng lái số ", "giấy phép lái xe "]);
            (Body::Digits, lead, format!("79{}", dice.digits(10)))
        }
        "tax_code" => {
            (Body::Digits, dice.pick(&["MST ", "mã số thuế: ", "tax code "]), with_check(dice))
        }
        "bank_account" => {
            let lead = dice.pick(&["STK ", "số tài khoản ", "chuyển khoản VCB "]);
            (Body::Digits, lead, format!("1{}", dice.digits(11)))
        }
        "payment_card" => (Body::Digits, "", luhn(dice)),
        "practitioner" => {
            let place = dice.pick(&["HCM", "HNO", "BYT", "ĐNAI"]);
            (Body::Code, "", format!("{}/{place}-CCHN", dice.digits(6)))
        }
        "episode_or_record" => {
            let lead = dice.pick(&["mã BN ", "số bệnh án ", "PID: ", "mã y tế "]);
            (Body::Digits, lead, format!("26{}", dice.digits(6)))
        }
        "officer" => {
            (Body::Digits, dice.pick(&["CMSQ ", "số hiệu CAND "]), format!("1{}", dice.digits(7)))
        }
        "civil_paper" => (
            Body::Digits,
            dice.pick(&["sổ hộ khẩu ", "giấy khai sinh số "]),
            format!("1{}", dice.digits(8)),
        ),
        "plate" => {
            let core = format!("{}A-{}.{}", 11 + dice.below(80), dice.digits(3), dice.digits(2));
            (Body::Code, "biển số xe ", core)
        }
        "email" => {
            let host = dice.pick(&["gmail.com", "vidu.vn", "yahoo.com.vn"]);
            (
                Body::Text,
                "",
                format!(
                    "{}{}@{host}",
                    plain(&name(dice)).to_lowercase().replace(' ', ""),
                    dice.digits(2)
                ),
            )
        }
        "social_account" => {
            let lead = dice.pick(&["Zalo: ", "facebook.com/", "FB: ", "nick @"]);
            (
                Body::Text,
                lead,
                format!(
                    "{}{}",
                    plain(&name(dice)).to_lowercase().replace(' ', "."),
                    dice.digits(2)
                ),
            )
        }
        "birth_date" => {
            let lead = dice.pick(&["sinh ngày ", "ngày sinh: ", "DOB ", "sinh: "]);
            let (day, month) = (1 + dice.below(28), 1 + dice.below(12));
            (Body::Text, lead, format!("{day:02}/{month:02}/19{}", 30 + dice.below(70)))
        }
        "person_name" => match dice.below(5) {
            0 => (Body::Text, "", dice.pick(&MINORITY).to_owned()),
            1 => (Body::Text, "", dice.pick(&FOREIGN).to_owned()),
            _ => (Body::Name, "", name(dice)),
        },
        _ => {
            let number = 1 + dice.below(200);
            let core = match dice.below(4) {
                0 => format!("số nhà {number} ngõ {}", 1 + dice.below(90)),
                1 => format!("{number}/{} Lê Lợi, phường Bến Nghé", 1 + dice.below(90)),
                2 => format!("tổ {} khu phố {}", 1 + dice.below(20), 1 + dice.below(9)),
                _ => format!("thôn {}, xã Tân Lập", dice.pick(&["Đông", "Đoài", "Thượng", "Hạ"])),
            };
            (Body::Text, "", core)
        }
    };
    Identifier { body, lead, core }
}

/// An invented full name.
pub(crate) fn name(dice: &mut Dice) -> String {
    format!("{} {} {}", dice.pick(&SURNAMES), dice.pick(&MIDDLES), dice.pick(&GIVENS))
}

/// Without accents.
pub(crate) fn plain(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .map(|c| match c {
            'đ' => 'd',
            'Đ' => 'D',
            _ => c,
        })
        .collect()
}

fn with_check(dice: &mut Dice) -> String {
    const WEIGHTS: [u64; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];
    loop {
        let body = format!("0{}", dice.digits(8));
        let sum: u64 = body.bytes().zip(WEIGHTS).map(|(d, w)| u64::from(d - b'0') * w).sum();
        if !sum.is_multiple_of(11) {
            return format!("{body}{}", 10 - sum % 11);
        }
    }
}

fn luhn(dice: &mut Dice) -> String {
    let body = format!("{}{}", dice.pick(&["9704", "4111", "5231"]), dice.digits(11));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let doubled = u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}
