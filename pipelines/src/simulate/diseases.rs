//! Monthly counts of notifiable diseases, 2011–2017, by province of the list of 63.
//!
//! A count is Poisson around population × level × season × year; rabies counts people vaccinated
//! after exposure, as the public series does. Levels, seasons and lethality are of the size known
//! for these diseases and of no real year.

use super::random::Random;
use super::{Run, SimulateError};

struct Disease {
    code: &'static str,
    /// Cases in a province of a million, in a month.
    level: f64,
    /// Month of the peak, from 1.
    peak: f64,
    /// How far the season swings: 0 none, 1 from nothing to double.
    swing: f64,
    /// Deaths among cases.
    lethality: f64,
    /// Whether it comes and goes by the year.
    epidemic: bool,
}

const fn disease(
    code: &'static str,
    level: f64,
    peak: f64,
    swing: f64,
    lethality: f64,
    epidemic: bool,
) -> Disease {
    Disease { code, level, peak, swing, lethality, epidemic }
}

const DISEASES: [Disease; 28] = [
    disease("adenovirus", 38.0, 9.0, 0.8, 0.0, true),
    disease("amoebiasis", 16.0, 6.0, 0.2, 0.0, false),
    disease("anthrax", 0.06, 7.0, 0.8, 0.002, false),
    disease("chickenpox", 31.0, 3.5, 0.6, 0.0, false),
    disease("cholera", 0.001, 7.0, 0.5, 0.0, true),
    disease("dengue", 85.0, 9.0, 0.7, 0.0006, true),
    disease("diarrhea", 520.0, 6.0, 0.1, 0.0, false),
    disease("diphteria", 0.015, 6.0, 0.3, 0.1, true),
    disease("encephalitis", 1.0, 6.5, 0.5, 0.028, false),
    disease("h5n1", 0.001, 2.0, 0.9, 0.6, true),
    disease("hepatitis", 10.0, 7.0, 0.1, 0.0002, false),
    disease("hfmd", 83.0, 9.5, 0.6, 0.0004, true),
    disease("ili", 990.0, 3.0, 0.1, 0.0, false),
    disease("leptospiriosis", 0.011, 8.0, 0.6, 0.01, false),
    disease("malaria", 23.0, 10.0, 0.2, 0.0003, false),
    disease("measles", 6.6, 4.5, 0.9, 0.003, true),
    disease("meningitis", 0.085, 6.5, 0.4, 0.05, false),
    disease("mumps", 26.0, 5.0, 0.4, 0.0, true),
    disease("nntetanus", 0.037, 7.0, 0.3, 0.45, false),
    disease("pertussis", 0.2, 5.5, 0.6, 0.006, true),
    disease("plague", 0.0, 1.0, 0.0, 0.0, false),
    disease("polio", 0.29, 7.0, 0.4, 0.0004, false),
    disease("rabies", 330.0, 7.0, 0.1, 0.00025, false),
    disease("rubella", 5.6, 4.0, 0.9, 0.0, true),
    disease("shigella", 30.0, 7.0, 0.2, 0.0, false),
    disease("ssuis", 0.11, 6.5, 0.5, 0.1, false),
    disease("tetanus", 0.3, 5.0, 0.2, 0.03, false),
    disease("typhoid", 0.65, 7.5, 0.2, 0.0, false),
];

const FIRST_YEAR: u64 = 2011;
const MONTHS: u64 = 84;

/// A season turns on disease, month and province; counts are drawn from their own streams, so one
/// cell's figure depends on no other.
pub(super) fn write(run: &mut Run<'_>) -> Result<(), SimulateError> {
    let provinces = run.places.old.len() as u64;
    let rows = DISEASES.len() as u64 * MONTHS * provinces;
    run.file(
        "vn_notifiable_diseases/notifiable_diseases_2011_2017.csv",
        &[
            "disease",
            "year",
            "month",
            "province_name",
            "old_province_code",
            "new_province_code",
            "cases",
            "deaths",
        ],
        rows,
        |at, run| {
            let month = at / provinces % MONTHS;
            let disease = (at / provinces / MONTHS) as usize;
            let province = (at % provinces) as usize;
            row(run, disease, month, province, at, rows)
        },
    )
}

fn row(
    run: &mut Run<'_>,
    disease: usize,
    month: u64,
    province: usize,
    at: u64,
    rows: u64,
) -> Vec<Vec<String>> {
    let seed = run.options.seed;
    let (cases, deaths) =
        counts(seed, disease, month, province, run.places.old[province].population);
    let (mut cases, mut deaths) = (cases.to_string(), deaths.to_string());
    let old = &run.places.old[province];
    let new = &run.places.new[old.successor];
    let mut code = old.code.clone();
    // Twenty faulty rows in 148,000, spread evenly: as rare as in the public series.
    let step = (rows / 20).max(1);
    let mut times = 1;
    if at % step == step / 2 {
        match at / step % 5 {
            0 | 1 => {
                (cases, deaths) = ("1".to_owned(), "3".to_owned());
                run.summary.fault("benh: chết nhiều hơn mắc");
            }
            2 => {
                cases.clear();
                run.summary.fault("benh: thiếu số mắc");
            }
            3 => {
                times = 2;
                run.summary.fault("benh: dòng lặp");
            }
            _ => {
                code = "99".to_owned();
                run.summary.fault("benh: mã tỉnh không có");
            }
        }
    }
    let record = vec![
        DISEASES[disease].code.to_owned(),
        (FIRST_YEAR + month / 12).to_string(),
        (month % 12 + 1).to_string(),
        old.name_en.clone(),
        code,
        new.code.clone(),
        cases,
        deaths,
    ];
    vec![record; times]
}

fn counts(seed: u64, disease: usize, month: u64, province: usize, population: u64) -> (u64, u64) {
    let what = &DISEASES[disease];
    let key = disease as u64;
    let year = month / 12;
    let of_year =
        if what.epidemic { (0.6 * Random::of(seed, &[11, key, year]).normal()).exp() } else { 1.0 };
    let of_place = (0.7 * Random::of(seed, &[12, key, province as u64]).normal() - 0.25).exp();
    let turn = (((month % 12) as f64 + 1.0 - what.peak) * std::f64::consts::TAU / 12.0).cos();
    let season = (1.0 + what.swing * turn).max(0.0);
    let mut random = Random::of(seed, &[13, key, month, province as u64]);
    let wobble = (0.25 * random.normal()).exp();
    let mean = what.level * population as f64 / 1e6 * of_year * of_place * season * wobble;
    let cases = random.poisson(mean);
    (cases, random.poisson(cases as f64 * what.lethality).min(cases))
}
