//! Health workers: one row a person on the report date, the last simulated day.

use super::claims::Facility;
use super::people::{Person, running};
use super::random::Random;
use super::{Run, SimulateError, WORKERS};

/// Professions, their weights, and whether they need a practice certificate.
const PROFESSIONS: [(&str, f64, bool); 9] = [
    ("Bác sĩ", 24.0, true),
    ("Điều dưỡng", 34.0, true),
    ("Hộ sinh", 7.0, true),
    ("Kỹ thuật y", 8.0, true),
    ("Dược sĩ", 8.0, true),
    ("Y sĩ", 9.0, true),
    ("Y tế công cộng", 3.0, false),
    ("Dinh dưỡng", 1.0, false),
    ("Nhân viên khác", 6.0, false),
];

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
        |at, run| vec![worker(run, at, &professions)],
    )
}

fn worker(run: &mut Run<'_>, at: u64, professions: &[f64]) -> Vec<String> {
    let (seed, places, end) = (run.options.seed, run.places, run.options.end);
    let mut random = Random::of(seed, &[31, at]);
    let person = Person::of(seed, 30, at, places, end, (23, 61));
    let (profession, _, certified) = PROFESSIONS[random.weighted(professions)];
    let facility = Facility::of(&mut random, person.province, places);
    let number = format!("NV99{at:07}");
    // One in fifty who should have a certificate has none on record.
    let certificate = if certified && !random.chance(0.02) {
        format!("{:06}/{}-CCHN", 990_000 + at % 10_000, places.old[person.province].abbreviation())
    } else {
        String::new()
    };
    let mut profession = profession.to_owned();
    if at % 400 == 200 {
        profession = format!("{profession} (ĐT {})", person.phone);
        run.plant(&[&person.phone]);
        run.summary.fault("nhan_luc: số điện thoại trong chức danh");
    }
    let mut citizen_id = person.citizen_id.clone();
    if at % 200 == 77 {
        citizen_id.remove(0);
        run.plant(&[&citizen_id]);
        run.summary.fault("nhan_luc: mất số 0 đầu của số định danh");
    }
    run.plant(&[&number, &person.name, &person.citizen_id, &certificate]);
    vec![
        number,
        person.name.clone(),
        citizen_id,
        person.born.format("%Y%m%d").to_string(),
        person.sex().to_owned(),
        profession,
        certificate,
        facility.code(places),
        places.code_on(facility.province, end).to_owned(),
        end.format("%Y%m%d").to_string(),
    ]
}
