//! Insured visits, as the first table of a claim (XML1 of Decisions 130, 4750 and 3176/QĐ-BYT)
//! gives them: one row a visit.
//!
//! The arithmetic of the standard holds to the hundredth of a đồng in every row without a planted
//! fault: `t_bntt = t_tongchi_bv − t_tongchi_bh`, `t_bhtt = t_tongchi_bh × muc_huong / 100`,
//! `t_bncct = t_tongchi_bh − t_bhtt`; days of treatment follow the type of care.

use chrono::{Datelike, Days, NaiveDate};

use super::people::{Person, running};
use super::places::Places;
use super::random::Random;
use super::{Run, SimulateError, VISITS_PER_DAY};

const COLUMNS: [&str; 22] = [
    "ma_lk",
    "ho_ten",
    "so_cccd",
    "ma_the_bhyt",
    "dien_thoai",
    "ngay_sinh",
    "dia_chi",
    "gioi_tinh",
    "ma_tinh",
    "ma_cskcb",
    "ngay_vao",
    "ngay_ra",
    "ma_loai_kcb",
    "ma_benh_chinh",
    "ket_qua_dtri",
    "so_ngay_dtri",
    "t_tongchi_bv",
    "t_tongchi_bh",
    "t_bhtt",
    "t_bncct",
    "t_bntt",
    "muc_huong",
];

/// Who may have a diagnosis.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anyone,
    /// From 20 years.
    Adults,
    /// From 50 years.
    Elders,
    Men,
    /// From 18 to 45 years.
    Mothers,
}

/// ICD-10 codes of Decision 4469/QĐ-BYT that may be a principal diagnosis: weight as outpatient,
/// weight as inpatient.
const DIAGNOSES: [(&str, f64, f64, Who); 66] = [
    ("I10", 16.0, 3.0, Who::Adults),
    ("E11.9", 9.0, 2.5, Who::Adults),
    ("E78.5", 4.0, 0.2, Who::Adults),
    ("J06.9", 6.0, 1.0, Who::Anyone),
    ("J02.9", 5.0, 1.0, Who::Anyone),
    ("J00", 3.0, 0.2, Who::Anyone),
    ("J03.9", 2.0, 1.0, Who::Anyone),
    ("J18.9", 1.0, 7.0, Who::Anyone),
    ("J20.9", 4.0, 5.0, Who::Anyone),
    ("J30.4", 1.5, 0.1, Who::Anyone),
    ("J31.0", 1.0, 0.1, Who::Anyone),
    ("J32.9", 1.5, 0.4, Who::Anyone),
    ("J44.9", 1.5, 3.0, Who::Elders),
    ("J45.9", 1.5, 1.0, Who::Anyone),
    ("A09", 1.5, 4.0, Who::Anyone),
    ("A15.0", 0.2, 0.6, Who::Adults),
    ("A90", 0.3, 1.0, Who::Anyone),
    ("A97.0", 0.6, 2.5, Who::Anyone),
    ("B02.9", 0.3, 0.3, Who::Adults),
    ("B05.9", 0.1, 0.3, Who::Anyone),
    ("B08.4", 0.3, 1.0, Who::Anyone),
    ("B18.1", 1.0, 0.3, Who::Adults),
    ("C16.9", 0.1, 0.7, Who::Elders),
    ("C34.9", 0.1, 1.0, Who::Elders),
    ("C50.9", 0.2, 0.8, Who::Mothers),
    ("D50.9", 0.4, 0.4, Who::Anyone),
    ("E03.9", 0.7, 0.1, Who::Adults),
    ("E04.9", 0.6, 0.3, Who::Adults),
    ("F41.9", 0.7, 0.2, Who::Adults),
    ("G40.9", 0.5, 0.4, Who::Anyone),
    ("G47.0", 1.0, 0.3, Who::Adults),
    ("H10.9", 1.2, 0.1, Who::Anyone),
    ("H25.9", 0.8, 2.0, Who::Elders),
    ("H40.9", 0.2, 0.3, Who::Elders),
    ("H52.1", 0.8, 0.0, Who::Anyone),
    ("H66.9", 0.7, 0.3, Who::Anyone),
    ("I20.9", 0.9, 2.0, Who::Elders),
    ("I25.9", 1.5, 2.0, Who::Elders),
    ("I48", 0.3, 0.6, Who::Elders),
    ("I50.9", 0.6, 1.8, Who::Elders),
    ("I63.9", 0.4, 3.5, Who::Elders),
    ("K02.9", 2.0, 0.0, Who::Anyone),
    ("K04.7", 0.8, 0.1, Who::Anyone),
    ("K05.1", 0.9, 0.0, Who::Anyone),
    ("K21.9", 2.5, 0.6, Who::Adults),
    ("K25.9", 0.8, 0.7, Who::Adults),
    ("K29.7", 3.0, 1.5, Who::Adults),
    ("K35.8", 0.0, 2.0, Who::Anyone),
    ("K59.1", 0.5, 0.4, Who::Anyone),
    ("K80.2", 0.3, 0.9, Who::Adults),
    ("L20.9", 0.8, 0.1, Who::Anyone),
    ("L30.9", 1.0, 0.1, Who::Anyone),
    ("L50.9", 0.6, 0.2, Who::Anyone),
    ("M10.9", 0.8, 0.5, Who::Adults),
    ("M17.9", 2.0, 1.5, Who::Elders),
    ("M47.9", 2.2, 2.0, Who::Adults),
    ("M54.5", 2.0, 1.5, Who::Adults),
    ("M81.9", 0.6, 0.3, Who::Elders),
    ("N18.5", 2.0, 0.8, Who::Adults),
    ("N20.0", 0.6, 1.2, Who::Adults),
    ("N39.0", 0.7, 1.0, Who::Anyone),
    ("N40", 0.6, 0.9, Who::Men),
    ("O80.9", 0.0, 5.0, Who::Mothers),
    ("O82.9", 0.0, 4.0, Who::Mothers),
    ("S52.5", 0.4, 0.9, Who::Anyone),
    ("R10.4", 1.0, 0.6, Who::Anyone),
];

/// Types of care (Decision 1804/QĐ-BYT, 2026) with their weights.
const CARE: [(&str, f64); 8] = [
    ("01", 62.0),
    ("05", 19.0),
    ("02", 3.0),
    ("03", 10.5),
    ("04", 1.0),
    ("06", 1.0),
    ("07", 3.0),
    ("09", 0.5),
];

/// One visit before it is written.
struct Visit {
    episode: String,
    person: Person,
    facility: Facility,
    arrived: NaiveDate,
    left: NaiveDate,
    care: &'static str,
    diagnosis: String,
    outcome: &'static str,
    treatment_days: u64,
    /// Hundredths of a đồng.
    bill: Bill,
}

/// A facility: province and number in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facility {
    pub(super) province: usize,
    pub(super) number: u64,
}

impl Facility {
    /// One of some dozens in the province; about 14,000 in the country are too many for a demo.
    pub(super) fn of(random: &mut Random, province: usize, places: &Places) -> Self {
        let many = 8 + places.old[province].population / 60_000;
        // Small numbers are large hospitals.
        let number = (random.unit().powi(2) * many as f64) as u64;
        Self { province, number }
    }

    /// Five characters: a province of the list of 63, three digits.
    pub(super) fn code(self, places: &Places) -> String {
        format!("{}{:03}", places.old[self.province].code, self.number + 1)
    }
}

/// What a visit cost and who pays, in hundredths of a đồng.
#[derive(Debug, Clone, Copy)]
struct Bill {
    total: u64,
    insured: u64,
    fund: u64,
    shared: u64,
    own: u64,
    benefit: u8,
}

impl Bill {
    fn of(random: &mut Random, inpatient: bool, days: u64, benefit: u8) -> Self {
        let typical = if inpatient { 900_000.0 * (days + 1) as f64 } else { 260_000.0 };
        let total = ((typical * (0.7 * random.normal()).exp()) * 100.0).round() as u64 + 3_000_000;
        // One bill in four has something outside the scope of insurance.
        let outside = if random.chance(0.25) { random.unit() * 0.3 } else { 0.0 };
        let insured = total - (total as f64 * outside) as u64;
        let fund = (insured * u64::from(benefit) + 50) / 100;
        Self { total, insured, fund, shared: insured - fund, own: total - insured, benefit }
    }
}

pub(super) fn write(run: &mut Run<'_>) -> Result<(), SimulateError> {
    let visits = run.scaled(VISITS_PER_DAY * f64::from(run.options.days), 1);
    let care = running(CARE.iter().map(|care| care.1));
    run.file("mo_phong/bhyt/ho_so.csv", &COLUMNS, visits, |at, run| {
        let visit = visit(run, at, visits, &care);
        let person = &visit.person;
        run.plant(&[
            &visit.episode,
            &person.name,
            &person.citizen_id,
            &person.card,
            &person.phone,
            &person.address,
        ]);
        let mut row = record(&visit, run);
        let times = damage(&mut row, &visit, run, at, visits);
        vec![row; times]
    })
}

fn visit(run: &Run<'_>, at: u64, visits: u64, care: &[f64]) -> Visit {
    let (seed, places, end) = (run.options.seed, run.places, run.options.end);
    let mut random = Random::of(seed, &[21, at]);
    // Three visits a year and person; chronic patients come more often.
    let people = (visits * 2 / 3).max(1);
    let number = (random.unit().powf(1.3) * people as f64) as u64;
    // Everyone is born before the first day, so that no one is treated before birth.
    let first_day = end - Days::new(u64::from(run.options.days) - 1);
    let person = Person::of(seed, 20, number, places, first_day, (0, 94));
    let day = u64::from(run.options.days) * at / visits;
    let left = end - Days::new(u64::from(run.options.days) - 1 - day);
    let care = CARE[random.weighted(care)].0;
    let inpatient = matches!(care, "03" | "04" | "06");
    let stay = match care {
        "03" => 1 + random.poisson(5.5),
        "04" | "06" => random.poisson(1.0),
        "02" => random.below(6),
        _ => 0,
    };
    let arrived = (left - Days::new(stay)).max(person.born);
    let stay = u64::try_from((left - arrived).num_days()).unwrap_or(0);
    let treatment_days = match care {
        "02" | "03" | "04" | "06" => stay + 1,
        "05" => 28,
        _ => 0,
    };
    // Nine of ten are treated in their own province.
    let province =
        if random.chance(0.9) { person.province } else { random.weighted(&places.weights) };
    let facility = Facility::of(&mut random, province, places);
    let diagnosis = diagnosis(&mut random, &person, left, inpatient).to_owned();
    let outcome = outcome(&mut random, inpatient, person.age_on(left));
    let bill = Bill::of(&mut random, inpatient, treatment_days, person.benefit);
    let code = facility.code(places);
    let episode = format!("{code}{:02}{:010}", left.year() % 100, 9_900_000_000 + at);
    Visit {
        episode,
        person,
        facility,
        arrived,
        left,
        care,
        diagnosis,
        outcome,
        treatment_days,
        bill,
    }
}

fn diagnosis(random: &mut Random, person: &Person, on: NaiveDate, inpatient: bool) -> &'static str {
    let age = person.age_on(on);
    let fits = |who: Who| match who {
        Who::Anyone => true,
        Who::Adults => age >= 20,
        Who::Elders => age >= 50,
        Who::Men => !person.female && age >= 50,
        Who::Mothers => person.female && (18..=45).contains(&age),
    };
    let weights = running(DIAGNOSES.iter().map(|&(_, out, within, who)| {
        if !fits(who) {
            0.0
        } else if inpatient {
            within
        } else {
            out
        }
    }));
    DIAGNOSES[random.weighted(&weights)].0
}

/// 1 recovered, 2 better, 3 unchanged, 4 worse, 5 died, 6 taken home dying.
fn outcome(random: &mut Random, inpatient: bool, age: i64) -> &'static str {
    if !inpatient {
        return if random.chance(0.3) { "1" } else { "2" };
    }
    let death = if age >= 70 { 0.02 } else { 0.004 };
    match random.unit() {
        at if at < death => "5",
        at if at < death * 1.5 => "6",
        at if at < 0.03 => "4",
        at if at < 0.08 => "3",
        at if at < 0.6 => "2",
        _ => "1",
    }
}

fn record(visit: &Visit, run: &Run<'_>) -> Vec<String> {
    let mut random = Random::of(run.options.seed, &[22, visit.bill.total, visit.facility.number]);
    let person = &visit.person;
    let minute = |random: &mut Random, from: u64, to: u64| {
        format!("{:02}{:02}", from + random.below(to - from), random.below(60))
    };
    let morning = minute(&mut random, 7, 11);
    let afternoon = minute(&mut random, 12, 17);
    // The month and day of birth of old people are often not known: zeros.
    let born = if person.born.year() < 1965 && random.chance(0.3) {
        format!("{}0000", person.born.year())
    } else {
        person.born.format("%Y%m%d").to_string()
    };
    // Small children have no number yet.
    let no_number = person.age_on(visit.left) < 2 && random.chance(0.6);
    let changed = visit.care == "03" && random.chance(0.05);
    let card = if changed {
        format!("{};{}", person.earlier_card, person.card)
    } else {
        person.card.clone()
    };
    let bill = &visit.bill;
    vec![
        visit.episode.clone(),
        person.name.clone(),
        if no_number { String::new() } else { person.citizen_id.clone() },
        card,
        person.phone.clone(),
        born,
        person.address.clone(),
        person.sex().to_owned(),
        run.places.code_on(visit.facility.province, visit.left).to_owned(),
        visit.facility.code(run.places),
        format!("{}{morning}", visit.arrived.format("%Y%m%d")),
        format!("{}{afternoon}", visit.left.format("%Y%m%d")),
        visit.care.to_owned(),
        visit.diagnosis.clone(),
        visit.outcome.to_owned(),
        visit.treatment_days.to_string(),
        money(bill.total),
        money(bill.insured),
        money(bill.fund),
        money(bill.shared),
        money(bill.own),
        bill.benefit.to_string(),
    ]
}

fn money(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn column(name: &str) -> usize {
    COLUMNS.iter().position(|column| *column == name).unwrap_or_default()
}

/// Damages some rows as sources do, and says how often the row stands in the file.
fn damage(row: &mut [String], visit: &Visit, run: &mut Run<'_>, at: u64, visits: u64) -> usize {
    // A spreadsheet has eaten the leading zero of one number in a hundred.
    let number = column("so_cccd");
    if at % 100 == 50 && row[number].starts_with('0') {
        row[number].remove(0);
        let lost = row[number].clone();
        run.plant(&[&lost]);
        run.summary.fault("bhyt: mất số 0 đầu của số định danh");
    }
    if row[column("ma_the_bhyt")].contains(';') {
        let card = visit.person.earlier_card.clone();
        run.plant(&[&card]);
        run.summary.fault("bhyt: nhiều thẻ trong một ô");
    }
    const KINDS: u64 = 8;
    let step = (visits / 40).clamp(2, 500);
    if at % step != step / 2 {
        return 1;
    }
    let (name, times) = match at / step % KINDS {
        0 => {
            row.swap(column("ngay_vao"), column("ngay_ra"));
            let earlier = visit.arrived - Days::new(40);
            row[column("ngay_ra")] = format!("{}0900", earlier.format("%Y%m%d"));
            ("bhyt: ra trước khi vào", 1)
        }
        1 => {
            row[column("ma_benh_chinh")].clone_from(&visit.person.phone);
            ("bhyt: số điện thoại trong ô mã bệnh", 1)
        }
        2 => {
            row[column("ma_benh_chinh")].clone_from(&visit.person.name);
            ("bhyt: họ tên trong ô mã bệnh", 1)
        }
        3 => {
            row[column("t_bhtt")] = money(visit.bill.fund + 1_234_500);
            ("bhyt: các nguồn trả không khớp", 1)
        }
        4 => ("bhyt: mã liên kết lặp", 2),
        5 => {
            row[column("ket_qua_dtri")] = "9".to_owned();
            ("bhyt: kết quả ngoài danh mục", 1)
        }
        6 => {
            row[column("ngay_vao")] = format!("{}1300", visit.arrived.format("%Y13%d"));
            ("bhyt: ngày không có trong lịch", 1)
        }
        _ => {
            row[column("t_tongchi_bv")].clone_from(&visit.person.citizen_id);
            ("bhyt: số định danh trong ô tiền", 1)
        }
    };
    run.summary.fault(name);
    times
}
