//! Insured visits, as the first table of a claim (XML1 of Decisions 130, 4750 and 3176/QĐ-BYT)
//! gives them: one row a visit.
//!
//! The arithmetic of the standard holds to the hundredth of a đồng in every row without a planted
//! fault: `t_bntt = t_tongchi_bv − t_tongchi_bh`, `t_bhtt = t_tongchi_bh × muc_huong / 100`,
//! `t_bncct = t_tongchi_bh − t_bhtt`; days of treatment follow the type of care.

use chrono::{Datelike, Days, NaiveDate};

use super::calendar;
use super::care::{Care, Counted};
use super::diagnoses::{self, Whose};
use super::facilities::{Facility, Need};
use super::patients::Patients;
use super::people::Person;
use super::population::running;
use super::random::Random;
use super::{Options, Run, SimulateError, VISITS_PER_DAY};

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

/// Share of stays in bed that are a newborn's; assumed.
const NEWBORNS: f64 = 0.03;

/// Share of visits that are of the chronically ill for their drugs: the weight of type 05.
const CHRONIC: f64 = 0.19;

/// One visit before it is written.
struct Visit {
    episode: String,
    person: Person,
    facility: Facility,
    arrived: NaiveDate,
    left: NaiveDate,
    care: &'static Care,
    diagnosis: &'static str,
    outcome: &'static str,
    treatment_days: u64,
    /// Hundredths of a đồng.
    bill: Bill,
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
    fn of(random: &mut Random, total: u64, benefit: u8) -> Self {
        // One bill in four has something outside the scope of insurance.
        let outside = if random.chance(0.25) { random.unit() * 0.3 } else { 0.0 };
        let insured = total - (total as f64 * outside) as u64;
        let fund = (insured * u64::from(benefit) + 50) / 100;
        Self { total, insured, fund, shared: insured - fund, own: total - insured, benefit }
    }
}

pub(super) fn write(run: &mut Run<'_>) -> Result<(), SimulateError> {
    let days = f64::from(run.options.days);
    let visits = run.scaled(VISITS_PER_DAY * days, 1);
    let calendar = Calendar::of(run.options);
    let patients = Patients {
        seed: run.options.seed,
        places: run.places,
        // Everyone is born before the first day, so that no one is treated before birth.
        today: calendar.first,
        // About three visits a year and person.
        people: (visits * 2 / 3).max(1),
        chronic: (visits as f64 / days * CHRONIC).round() as u64,
    };
    run.file("mo_phong/bhyt/ho_so.csv", &COLUMNS, visits, |at, run| {
        let visit = visit(patients, &calendar, at, visits);
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

/// The days of the visits, the busy ones with more of them.
struct Calendar {
    first: NaiveDate,
    /// Running sum of how busy each day is.
    busy: Vec<f64>,
}

impl Calendar {
    fn of(options: Options) -> Self {
        let first = options.end - Days::new(u64::from(options.days) - 1);
        let days = first.iter_days().take(options.days as usize);
        Self { first, busy: running(days.map(calendar::weight)) }
    }

    /// The day on which a visit ends; visits are in the order of their days.
    fn day(&self, at: u64, visits: u64) -> NaiveDate {
        let whole = self.busy.last().copied().unwrap_or(1.0);
        let reached = whole * (at as f64 + 0.5) / visits as f64;
        let day = self.busy.partition_point(|&sum| sum <= reached).min(self.busy.len() - 1);
        self.first + Days::new(day as u64)
    }
}

fn visit(patients: Patients<'_>, calendar: &Calendar, at: u64, visits: u64) -> Visit {
    let places = patients.places;
    let mut random = Random::of(patients.seed, &[21, at]);
    let left = calendar.day(at, visits);
    let care = Care::draw(&mut random, left, |_| true);
    let is_newborn = care.code == "03" && random.chance(NEWBORNS);
    let (someone, chronic) = if care.counted == Counted::Drugs {
        let (person, disease) = patients.chronic(&mut random, left);
        (person, Some(disease))
    } else {
        (patients.anyone(&mut random), None)
    };
    // Nine of ten are treated in their own province.
    let home = if random.chance(0.9) { someone.province } else { random.weighted(&places.weights) };
    let need = if care.code == "03" { Need::Bed } else { Need::Visit };
    let facility = Facility::of(&mut random, home, places, need);
    let stay = care.stay(&mut random, facility);
    let (person, arrived) = if is_newborn {
        let arrived = left - Days::new(stay);
        (patients.newborn(&mut random, at, arrived), arrived)
    } else {
        let arrived = (left - Days::new(stay)).max(someone.born);
        (someone, arrived)
    };
    let stay = u64::try_from((left - arrived).num_days()).unwrap_or_default();
    let treatment_days = care.days(&mut random, stay);
    let inpatient = care.is_inpatient();
    let age = person.age_on(left);
    let whose =
        Whose { female: person.female, age: u64::try_from(age).unwrap_or_default(), on: left };
    let diagnosis = match chronic {
        Some(disease) => disease,
        None if is_newborn => diagnoses::newborn(&mut random),
        None => diagnoses::draw(&mut random, whose, inpatient),
    };
    let outcome = outcome(&mut random, inpatient, age);
    let total = care.cost(&mut random, facility, treatment_days);
    let bill = Bill::of(&mut random, total, person.benefit);
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
    let changed = visit.care.code == "03" && random.chance(0.05);
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
        visit.care.code.to_owned(),
        visit.diagnosis.to_owned(),
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
