//! Simulated persons. A person is a function of seed and number: the same in every visit, never
//! stored.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::places::Places;
use super::population::{self, running};
use super::random::Random;

/// Of a hundred newborns about 47 are girls: 111 boys are born to 100 of them (World Bank, 2023).
const GIRLS: f64 = 0.474;

const SURNAMES: &[(&str, f64)] = &[
    ("Nguyễn", 32.0),
    ("Trần", 11.0),
    ("Lê", 10.0),
    ("Phạm", 7.0),
    ("Hoàng", 4.0),
    ("Huỳnh", 3.0),
    ("Phan", 4.5),
    ("Vũ", 3.0),
    ("Võ", 2.5),
    ("Đặng", 2.0),
    ("Bùi", 2.0),
    ("Đỗ", 1.5),
    ("Hồ", 1.5),
    ("Ngô", 1.3),
    ("Dương", 1.0),
    ("Lý", 0.6),
    ("Trịnh", 0.5),
    ("Đinh", 0.5),
];
const MALE_MIDDLE: &[&str] = &["Văn", "Văn", "Hữu", "Đình", "Đức", "Quốc", "Minh", "Ngọc", "Xuân"];
const FEMALE_MIDDLE: &[&str] = &["Thị", "Thị", "Thị", "Ngọc", "Thu", "Minh", "Xuân", "Khánh"];
const MALE_GIVEN: &[&str] = &[
    "Hùng", "Dũng", "Tuấn", "Sơn", "Long", "Khoa", "Bình", "Phúc", "Quang", "Thắng", "Hải",
    "Cường", "Đạt", "Hiếu", "Khánh", "Lâm", "Nam", "Phong", "Tâm", "Toàn", "Trung", "Vinh",
];
const FEMALE_GIVEN: &[&str] = &[
    "Hoa", "Lan", "Hương", "Thảo", "Hạnh", "Ngân", "Trang", "Linh", "Mai", "Nga", "Phương", "Thúy",
    "Yến", "Hằng", "Duyên", "Loan", "Oanh", "Quyên", "Tuyết", "Vân", "Xuân", "Diệp",
];
/// Holders' groups of insurance cards, the benefit digit and the percentage it stands for; the weights
/// are assumed.
const CARDS: &[(&str, u8, u8, f64)] = &[
    ("GD", 4, 80, 40.0),
    ("DN", 4, 80, 20.0),
    ("HS", 4, 80, 18.0),
    ("HT", 3, 95, 6.0),
    ("HN", 1, 100, 5.0),
    ("DT", 2, 100, 4.0),
    ("CN", 3, 95, 3.0),
    ("CC", 1, 100, 0.5),
];

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) female: bool,
    pub(super) born: NaiveDate,
    /// Index in [`Places::old`].
    pub(super) province: usize,
    pub(super) citizen_id: String,
    pub(super) card: String,
    /// An earlier card of the same person, valid in part of a stay.
    pub(super) earlier_card: String,
    /// Percentage that the fund pays.
    pub(super) benefit: u8,
    pub(super) phone: String,
    pub(super) address: String,
}

impl Person {
    /// Person `number`; `role` keeps patients and staff apart, `ages` are inclusive.
    pub(super) fn of(
        seed: u64,
        role: u64,
        number: u64,
        places: &Places,
        today: NaiveDate,
        ages: (u64, u64),
    ) -> Self {
        let mut random = Random::of(seed, &[role, number]);
        let (female, years) = population::draw(&mut random, ages);
        let birthday = today - Months::new(u32::try_from(years * 12).unwrap_or_default());
        let born = birthday - Days::new(random.below(365));
        Self::with(&mut random, places, (female, born), years)
    }

    /// A newborn with the card of a child; `(role, number)` as above.
    pub(super) fn born(
        seed: u64,
        (role, number): (u64, u64),
        places: &Places,
        born: NaiveDate,
    ) -> Self {
        let mut random = Random::of(seed, &[role, number]);
        let female = random.chance(GIRLS);
        Self::with(&mut random, places, (female, born), 0)
    }

    fn with(
        random: &mut Random,
        places: &Places,
        (female, born): (bool, NaiveDate),
        years: u64,
    ) -> Self {
        let province = random.weighted(&places.weights);
        let name = name(random, female);
        let code = &places.old[province].code;
        // Personal identification numbers are given at registration, in the list of 63.
        let century = u64::from(born.year() >= 2000) * 2 + u64::from(female);
        let serial = 990_000 + random.below(10_000);
        let citizen_id = format!("0{code}{century}{:02}{serial:06}", born.year() % 100);
        let weights = running(CARDS.iter().map(|card| card.3));
        let (group, digit, benefit, _) = match years {
            0..6 => ("TE", 1, 100, 0.0),
            _ => CARDS[random.weighted(&weights)],
        };
        let insurance = 9_900_000_000 + random.below(100_000_000);
        let card = format!("{group}{digit}{code}{insurance}");
        let earlier_card = format!("HN2{code}{insurance}");
        let phone = format!("0900{:06}", random.below(1_000_000));
        let (house, lane) = (1 + random.below(300), 1 + random.below(90));
        let place = &places.old[province].name;
        let address = format!("Số nhà {house}, ngõ {lane} đường Mô Phỏng, {place}");
        Self {
            name,
            female,
            born,
            province,
            citizen_id,
            card,
            earlier_card,
            benefit,
            phone,
            address,
        }
    }

    /// `1` for men, `2` for women, as in the claims standard.
    pub(super) fn sex(&self) -> &'static str {
        if self.female { "2" } else { "1" }
    }

    /// Whole years; 0 before the birth.
    pub(super) fn age_on(&self, day: NaiveDate) -> i64 {
        day.years_since(self.born).map_or(0, i64::from)
    }
}

fn name(random: &mut Random, female: bool) -> String {
    let weights = running(SURNAMES.iter().map(|surname| surname.1));
    let surname = SURNAMES[random.weighted(&weights)].0;
    let (middle, given) =
        if female { (FEMALE_MIDDLE, FEMALE_GIVEN) } else { (MALE_MIDDLE, MALE_GIVEN) };
    let middle = random.pick(middle);
    let first = random.pick(given);
    let second = random.pick(given);
    if random.chance(0.2) && first != second {
        format!("{surname} {middle} {first} {second}")
    } else {
        format!("{surname} {middle} {first}")
    }
}
