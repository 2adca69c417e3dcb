//! The insured visits of the small country as their facilities would send them: claims in XML, with
//! the first table of each (XML1 of Decisions 130, 4750 and 3176/QĐ-BYT), in the folder of the night
//! after the last day.
//!
//! A bundle holds some hundreds of visits of one province, in the name of its first facility: a file
//! for each of the many small facilities would be thousands.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use connectors::claims_xml::writer::{ClaimsWriter, Header, Part};

use super::calendar;
use super::care::Care;
use super::patients::{CHRONIC, Patients};
use super::population::running;
use super::random::Random;
use super::visits::{Visit, money};
use super::{Options, Run, SimulateError, VISITS_PER_DAY};

/// The fields that are written.
pub(super) const FIELDS: [&str; 23] = [
    "MA_LK",
    "MA_BN",
    "HO_TEN",
    "SO_CCCD",
    "NGAY_SINH",
    "GIOI_TINH",
    "DIA_CHI",
    "MATINH_CU_TRU",
    "DIEN_THOAI",
    "MA_THE_BHYT",
    "MA_BENH_CHINH",
    "NGAY_VAO",
    "NGAY_RA",
    "SO_NGAY_DTRI",
    "KET_QUA_DTRI",
    "T_TONGCHI_BV",
    "T_TONGCHI_BH",
    "T_BNTT",
    "T_BNCCT",
    "T_BHTT",
    "MA_LOAI_KCB",
    "MA_CSKCB",
    "MA_HSBA",
];

/// Visits of one bundle.
const BUNDLE: usize = 500;

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
    let night = run.options.end + Days::new(1);
    let mut bundles = Bundles { night, waiting: BTreeMap::new(), written: BTreeMap::new() };
    let folder = format!("bhyt/{night}");
    for at in 0..visits {
        if at % 10_000 == 0 {
            run.progress(&folder, at, visits);
        }
        let visit = visit(&patients, &calendar, at, visits);
        let mut record = record(&visit, at, run);
        let times = damage(&mut record, &visit, run, at, visits);
        for _ in 0..times {
            bundles.add(run, visit.facility.province, record.clone())?;
        }
    }
    bundles.end(run)?;
    run.progress(&folder, visits, visits);
    Ok(())
}

/// Records that wait until their bundle is full, by province.
struct Bundles {
    night: NaiveDate,
    waiting: BTreeMap<usize, Vec<Vec<String>>>,
    /// Bundles of each province so far.
    written: BTreeMap<usize, u32>,
}

impl Bundles {
    fn add(
        &mut self,
        run: &mut Run<'_>,
        province: usize,
        record: Vec<String>,
    ) -> Result<(), SimulateError> {
        let waiting = self.waiting.entry(province).or_default();
        waiting.push(record);
        if waiting.len() < BUNDLE {
            return Ok(());
        }
        let full = std::mem::take(waiting);
        self.put(run, province, &full)
    }

    fn end(mut self, run: &mut Run<'_>) -> Result<(), SimulateError> {
        for (province, records) in std::mem::take(&mut self.waiting) {
            if !records.is_empty() {
                self.put(run, province, &records)?;
            }
        }
        // A run with more visits may have left more bundles.
        for province in 0..run.places.old.len() {
            let mut number = self.written.get(&province).copied().unwrap_or_default() + 1;
            while run.folder.take_away(&self.name(run, province, number))? {
                number += 1;
            }
        }
        Ok(())
    }

    fn name(&self, run: &Run<'_>, province: usize, number: u32) -> String {
        format!("bhyt/{}/{}_mo_phong_{number:03}.xml", self.night, sender(run, province))
    }

    fn put(
        &mut self,
        run: &mut Run<'_>,
        province: usize,
        records: &[Vec<String>],
    ) -> Result<(), SimulateError> {
        let number = self.written.entry(province).or_default();
        *number += 1;
        let number = *number;
        let name = self.name(run, province, number);
        let facility = sender(run, province);
        let made_on = run.options.end.format("%Y%m%d").to_string();
        let count = records.len() as u64;
        let header = Header { facility: &facility, made_on: &made_on, hoso: count };
        let bytes = || -> std::io::Result<Vec<u8>> {
            let mut writer = ClaimsWriter::begin(Vec::new(), header)?;
            for record in records {
                let fields = FIELDS.iter().copied().zip(record.iter().map(String::as_str));
                let fields: Vec<(&str, &str)> = fields.collect();
                writer.hoso(&[Part { table: 1, records: &[fields.as_slice()] }])?;
            }
            writer.end()
        };
        let bytes =
            bytes().map_err(|source| SimulateError::Write { path: name.clone().into(), source })?;
        run.bundle(&name, &bytes, count)
    }
}

/// The first facility of a province.
fn sender(run: &Run<'_>, province: usize) -> String {
    format!("{}001", run.places.old[province].code)
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

fn visit(patients: &Patients<'_>, calendar: &Calendar, at: u64, visits: u64) -> Visit {
    let mut random = Random::of(patients.seed, &[21, at]);
    let left = calendar.day(at, visits);
    let care = Care::draw(&mut random, left, |_| true);
    let whom = patients.whom(&mut random, care, left);
    Visit::of(&mut random, patients, whom, care, (at, left))
}

/// The record of a visit, each identifier in it remembered.
fn record(visit: &Visit, at: u64, run: &mut Run<'_>) -> Vec<String> {
    let mut random = Random::of(run.options.seed, &[22, visit.bill.total, visit.facility.number]);
    let person = &visit.person;
    let minute = |random: &mut Random, from: u64, to: u64| {
        format!("{:02}{:02}", from + random.below(to - from), random.below(60))
    };
    let morning = minute(&mut random, 7, 11);
    let afternoon = minute(&mut random, 12, 17);
    // The month and day of birth of old people are often not known: zeros.
    let born = if person.born.year() < 1965 && random.chance(0.3) {
        format!("{}00000000", person.born.year())
    } else {
        person.born.format("%Y%m%d0000").to_string()
    };
    // Small children have no number yet.
    let no_number = person.age_on(visit.left) < 2 && random.chance(0.6);
    let changed = visit.care.code == "03" && random.chance(0.05);
    let card = if changed {
        format!("{};{}", person.earlier_card, person.card)
    } else {
        person.card.clone()
    };
    let facility = visit.facility.code(run.places);
    let episode = format!("{facility}{}99{at:07}", visit.left.format("%y%m%d"));
    let paper = format!("99{:08}", random.below(100_000_000));
    run.plant(&[
        &episode,
        &person.name,
        &person.citizen_id,
        &person.card,
        &person.phone,
        &person.address,
    ]);
    let bill = &visit.bill;
    vec![
        episode,
        paper.clone(),
        person.name.clone(),
        if no_number { String::new() } else { person.citizen_id.clone() },
        born,
        person.sex().to_owned(),
        person.address.clone(),
        run.places.code_on(person.province, visit.left).to_owned(),
        person.phone.clone(),
        card,
        visit.diagnosis.to_owned(),
        format!("{}{morning}", visit.arrived.format("%Y%m%d")),
        format!("{}{afternoon}", visit.left.format("%Y%m%d")),
        visit.treatment_days.to_string(),
        visit.outcome.to_owned(),
        money(bill.total),
        money(bill.insured),
        money(bill.own),
        money(bill.shared),
        money(bill.fund),
        visit.care.code.to_owned(),
        facility,
        paper,
    ]
}

fn field(name: &str) -> usize {
    FIELDS.iter().position(|field| *field == name).unwrap_or_default()
}

/// Damages some rows as sources do, and says how often the row stands in the file.
fn damage(row: &mut [String], visit: &Visit, run: &mut Run<'_>, at: u64, visits: u64) -> usize {
    // A spreadsheet has eaten the leading zero of one number in a hundred.
    let number = field("SO_CCCD");
    if at % 100 == 50 && row[number].starts_with('0') {
        row[number].remove(0);
        let lost = row[number].clone();
        run.plant(&[&lost]);
        run.summary.fault("bhyt: mất số 0 đầu của số định danh");
    }
    if row[field("MA_THE_BHYT")].contains(';') {
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
            row.swap(field("NGAY_VAO"), field("NGAY_RA"));
            let earlier = visit.arrived - Days::new(40);
            row[field("NGAY_RA")] = format!("{}0900", earlier.format("%Y%m%d"));
            ("bhyt: ra trước khi vào", 1)
        }
        1 => {
            row[field("MA_BENH_CHINH")].clone_from(&visit.person.phone);
            ("bhyt: số điện thoại trong ô mã bệnh", 1)
        }
        2 => {
            row[field("MA_BENH_CHINH")].clone_from(&visit.person.name);
            ("bhyt: họ tên trong ô mã bệnh", 1)
        }
        3 => {
            row[field("T_BHTT")] = money(visit.bill.fund + 1_234_500);
            ("bhyt: các nguồn trả không khớp", 1)
        }
        4 => ("bhyt: mã liên kết lặp", 2),
        5 => {
            row[field("KET_QUA_DTRI")] = "9".to_owned();
            ("bhyt: kết quả ngoài danh mục", 1)
        }
        6 => {
            row[field("NGAY_VAO")] = format!("{}1300", visit.arrived.format("%Y13%d"));
            ("bhyt: ngày không có trong lịch", 1)
        }
        _ => {
            row[field("T_TONGCHI_BV")].clone_from(&visit.person.citizen_id);
            ("bhyt: số định danh trong ô tiền", 1)
        }
    };
    run.summary.fault(name);
    times
}
