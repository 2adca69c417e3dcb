//! Health workers: one row a person on the report date, the last simulated day.

use chrono::{Datelike, NaiveDate};

use super::facilities::{Facility, Need};
use super::people::Person;
use super::places::Places;
use super::population::{WORKING, running};
use super::random::Random;
use super::{Run, SimulateError, WORKERS};

/// Which certificate a profession needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certificate {
    None,
    /// Of the Law on Medical Examination and Treatment.
    Practice,
    /// Of the Law on Pharmacy.
    Pharmacy,
}

/// Professions, their weights, and the certificate; the weights are assumed.
const PROFESSIONS: [(&str, f64, Certificate); 9] = [
    ("Bác sĩ", 24.0, Certificate::Practice),
    ("Điều dưỡng", 34.0, Certificate::Practice),
    ("Hộ sinh", 7.0, Certificate::Practice),
    ("Kỹ thuật y", 8.0, Certificate::Practice),
    ("Dược sĩ", 8.0, Certificate::Pharmacy),
    ("Y sĩ", 9.0, Certificate::Practice),
    ("Y tế công cộng", 3.0, Certificate::None),
    ("Dinh dưỡng", 1.0, Certificate::None),
    ("Khác", 6.0, Certificate::None),
];

/// Share of workers who work at a second facility too; assumed.
const TWO_PLACES: f64 = 0.03;

/// Where the staff numbers of second places begin.
const SECOND: u64 = 5_000_000;

/// The year from which certificates of practice are licences (GPHN).
const LICENCES: i32 = 2024;

pub(super) fn write(run: &mut Run<'_>) -> Result<(), SimulateError> {
    let workers = run.scaled(WORKERS, 500);
    let professions = running(PROFESSIONS.iter().map(|profession| profession.1));
    run.file(
        "mo_phong/nhan_luc/nhan_vien.csv",
        &[
            "ma_nv",
            "ho_ten",
            "so_cccd",
            "ngay_sinh",
            "gioi_tinh",
            "chuc_danh",
            "so_cchn",
            "ma_cskcb",
            "ma_tinh",
            "ngay_bao_cao",
        ],
        workers,
        |at, run| worker(run, at, &professions),
    )
}

/// The rows of a worker: one for each facility.
fn worker(run: &mut Run<'_>, at: u64, professions: &[f64]) -> Vec<Vec<String>> {
    let (seed, places, end) = (run.options.seed, run.places, run.options.end);
    let mut random = Random::of(seed, &[31, at]);
    let person = Person::of(seed, 30, at, places, end, WORKING);
    let (profession, _, paper) = PROFESSIONS[random.weighted(professions)];
    let facility = Facility::of(&mut random, person.province, places, Need::Work);
    let certificate = certificate(&mut random, paper, (at, &person), places, end);
    let mut title = profession.to_owned();
    if at % 400 == 200 {
        title = format!("{profession} (ĐT {})", person.phone);
        run.plant(&[&person.phone]);
        run.summary.fault("nhan_luc: số điện thoại trong chức danh");
    }
    let mut citizen_id = person.citizen_id.clone();
    if at % 200 == 77 {
        citizen_id.remove(0);
        run.plant(&[&citizen_id]);
        run.summary.fault("nhan_luc: mất số 0 đầu của số định danh");
    }
    let row = |number: u64, title: &str, facility: Facility| {
        vec![
            format!("NV99{number:07}"),
            person.name.clone(),
            citizen_id.clone(),
            person.born.format("%Y%m%d").to_string(),
            person.sex().to_owned(),
            title.to_owned(),
            certificate.clone(),
            facility.code(places),
            places.code_on(facility.province, end).to_owned(),
            end.format("%Y%m%d").to_string(),
        ]
    };
    let mut rows = vec![row(at, &title, facility)];
    if random.chance(TWO_PLACES) {
        let second = Facility::of(&mut random, person.province, places, Need::Work);
        if second != facility {
            rows.push(row(SECOND + at, profession, second));
        }
    }
    for row in &rows {
        run.plant(&[&row[0]]);
    }
    run.plant(&[&person.name, &person.citizen_id, &certificate]);
    rows
}

/// The number of a certificate; empty where the profession needs none.
fn certificate(
    random: &mut Random,
    paper: Certificate,
    (at, person): (u64, &Person),
    places: &Places,
    end: NaiveDate,
) -> String {
    // One in fifty who should have a certificate has none on record.
    if paper == Certificate::None || random.chance(0.02) {
        return String::new();
    }
    let (number, place) = (9_900_000 + at % 100_000, places.old[person.province].abbreviation());
    if paper == Certificate::Pharmacy {
        return format!("{number}/CCHN-D-SYT-{place}");
    }
    // Studies and the time of practice after them end at 24 to 29 years.
    let since = i32::try_from(24 + random.below(6)).unwrap_or_default() + person.born.year();
    let kind = if since.min(end.year()) >= LICENCES { "GPHN" } else { "CCHN" };
    format!("{number}/{place}-{kind}")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::write::Folder;
    use super::super::{Options, Reference, Summary};
    use super::*;

    #[test]
    fn a_few_per_cent_work_at_two_facilities_and_certificates_follow_the_profession() {
        let units_csv = include_str!("../../reference/don_vi.csv");
        let successors_csv = include_str!("../../reference/ke_thua.csv");
        let places = Places::read(Reference { units_csv, successors_csv }, 1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let end = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();
        let mut run = Run {
            options: Options { scale: 0.005, seed: 1, days: 1, end },
            folder: Folder::new(folder.path()),
            places: &places,
            progress: &mut |_| {},
            summary: Summary::default(),
            planted: BTreeSet::new(),
        };
        write(&mut run).unwrap();
        let file = folder.path().join("mo_phong/nhan_luc/nhan_vien.csv");
        let mut people: BTreeMap<String, u32> = BTreeMap::new();
        for record in csv::Reader::from_path(file).unwrap().records().map(Result::unwrap) {
            *people.entry(record[2].to_owned()).or_default() += 1;
            let (title, paper) = (&record[5], &record[6]);
            assert_eq!(paper.contains("CCHN-D"), title.starts_with("Dược") && !paper.is_empty());
            assert!(!title.starts_with("Dinh dưỡng") || paper.is_empty());
        }
        let twice = people.values().filter(|facilities| **facilities > 1).count();
        let share = twice as f64 / people.len() as f64;
        assert!((0.015..0.045).contains(&share), "{share}");
    }
}
