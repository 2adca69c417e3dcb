//! Provinces before and after 1 July 2025, with made-up populations.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::random::Random;
use super::{Reference, Run, SimulateError};

/// The day of Resolution 202/2025/QH15.
pub(super) const MERGER: (i32, u32, u32) = (2025, 7, 1);

/// A province of the list of 63, and the one that covers it since the merger.
#[derive(Debug, Clone)]
pub(super) struct Province {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) name_en: String,
    /// Index in [`Places::new`].
    pub(super) successor: usize,
    /// Persons, made up.
    pub(super) population: u64,
}

impl Province {
    /// Initials without accents, as practice certificates use: `HN` for Hà Nội, `HUE`.
    pub(super) fn abbreviation(&self) -> String {
        let initials: String = self.name_en.chars().filter(char::is_ascii_uppercase).collect();
        match initials.len() {
            0 | 1 => self.name_en.chars().take(3).collect::<String>().to_uppercase(),
            _ => initials,
        }
    }
}

/// A province of the list of 34.
#[derive(Debug, Clone)]
pub(super) struct NewProvince {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) name_en: String,
}

/// All provinces of both lists, by code.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) old: Vec<Province>,
    pub(super) new: Vec<NewProvince>,
    /// Running sum of the populations of `old`.
    pub(super) weights: Vec<f64>,
}

/// One row of the declared units.
struct Unit {
    key: String,
    code: String,
    name: String,
    name_en: String,
    city: bool,
    from: NaiveDate,
    to: Option<NaiveDate>,
}

impl Unit {
    fn holds_on(&self, day: NaiveDate) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    fn full_name(&self) -> String {
        format!("{} {}", if self.city { "Thành phố" } else { "Tỉnh" }, self.name)
    }
}

impl Places {
    pub(super) fn read(reference: Reference<'_>, seed: u64) -> Result<Self, SimulateError> {
        let units = units(reference.units_csv)?;
        let merger = merger();
        let eve = merger.pred_opt().unwrap_or(merger);
        let successors = successors(reference.successors_csv, merger)?;
        let mut after: Vec<&Unit> = units.iter().filter(|unit| unit.holds_on(merger)).collect();
        let mut before: Vec<&Unit> = units.iter().filter(|unit| unit.holds_on(eve)).collect();
        after.sort_by(|a, b| a.code.cmp(&b.code));
        before.sort_by(|a, b| a.code.cmp(&b.code));
        if before.is_empty() {
            return Err(fault(UNITS, "no unit was in force before the merger"));
        }
        let mut old = Vec::with_capacity(before.len());
        for unit in before {
            let key = successors.get(&unit.key).unwrap_or(&unit.key);
            let successor = after.iter().position(|unit| unit.key == *key).ok_or_else(|| {
                fault(SUCCESSORS, format!("{} has no unit that covers it afterwards", unit.key))
            })?;
            old.push(Province {
                code: unit.code.clone(),
                name: unit.name.clone(),
                full_name: unit.full_name(),
                name_en: unit.name_en.clone(),
                successor,
                population: population(unit, seed),
            });
        }
        let new = after.iter().map(|unit| NewProvince {
            code: unit.code.clone(),
            name: unit.name.clone(),
            full_name: unit.full_name(),
            name_en: unit.name_en.clone(),
        });
        let mut sum = 0.0;
        let weights = old.iter().map(|province| {
            sum += province.population as f64;
            sum
        });
        Ok(Self { weights: weights.collect(), new: new.collect(), old })
    }

    /// The code of the province on a day: the new list's from the merger on.
    pub(super) fn code_on(&self, province: usize, day: NaiveDate) -> &str {
        let old = &self.old[province];
        if day < merger() { &old.code } else { &self.new[old.successor].code }
    }

    pub(super) fn write(&self, run: &mut Run<'_>) -> Result<(), SimulateError> {
        let text = |fields: &[&str]| vec![fields.iter().map(|&field| field.to_owned()).collect()];
        run.file(
            "vn_admin_units/provinces_63_before_2025-07-01.csv",
            &["code", "name", "full_name", "name_en"],
            self.old.len() as u64,
            |at, _| {
                let one = &self.old[at as usize];
                text(&[&one.code, &one.name, &one.full_name, &one.name_en])
            },
        )?;
        run.file(
            "vn_admin_units/provinces_34_from_2025-07-01.csv",
            &[
                "code",
                "name",
                "full_name_2025",
                "full_name_from_2026-04-30",
                "name_en",
                "area_km2",
                "population_2025",
                "communes_total",
                "wards_2025",
                "rural_communes_2025",
                "special_zones",
                "wards_2026",
                "rural_communes_2026",
                "merged_from_count",
                "merged_from_codes",
            ],
            self.new.len() as u64,
            |at, run| vec![self.new_row(at as usize, run.options.seed)],
        )?;
        run.file(
            "vn_admin_units/province_mapping_63_to_34.csv",
            &[
                "old_code",
                "old_name",
                "old_full_name",
                "new_code",
                "new_name",
                "new_full_name",
                "status",
                "code_kept",
                "old_code_now_names_a_different_province",
                "name_kept",
            ],
            self.old.len() as u64,
            |at, _| vec![self.mapping_row(at as usize)],
        )?;
        run.file(
            "gso_population_2020/average_population_2020_by_province_63.csv",
            &[
                "old_province_code",
                "old_province_name",
                "new_province_code",
                "new_province_name",
                "average_population_2020",
            ],
            self.old.len() as u64,
            |at, _| {
                let old = &self.old[at as usize];
                let new = &self.new[old.successor];
                let population = old.population.to_string();
                text(&[&old.code, &old.name, &new.code, &new.name, &population])
            },
        )
    }

    fn parts(&self, new: usize) -> impl Iterator<Item = &Province> {
        self.old.iter().filter(move |old| old.successor == new)
    }

    fn new_row(&self, at: usize, seed: u64) -> Vec<String> {
        let new = &self.new[at];
        let mut random = Random::of(seed, &[2, at as u64]);
        let residents: u64 = self.parts(at).map(|part| part.population * 115 / 100).sum();
        let area = 2500 + random.below(14_000);
        let (wards, rural) = (5 + random.below(40), 40 + random.below(90));
        // Resolution 30/2026/QH16: Đồng Nai is a city from 30 April 2026.
        let later = if new.code == "75" {
            format!("Thành phố {}", new.name)
        } else {
            new.full_name.clone()
        };
        let parts: Vec<&str> = self.parts(at).map(|part| part.code.as_str()).collect();
        let (wards, rural, total) = (wards.to_string(), rural.to_string(), wards + rural);
        vec![
            new.code.clone(),
            new.name.clone(),
            new.full_name.clone(),
            later,
            new.name_en.clone(),
            format!("{area}.{:02}", random.below(100)),
            residents.to_string(),
            total.to_string(),
            wards.clone(),
            rural.clone(),
            "0".to_owned(),
            wards,
            rural,
            parts.len().to_string(),
            parts.join(";"),
        ]
    }

    fn mapping_row(&self, at: usize) -> Vec<String> {
        let old = &self.old[at];
        let new = &self.new[old.successor];
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let merged = self.parts(old.successor).count() > 1;
        let reused = self.new.iter().any(|one| one.code == old.code && one.name != old.name);
        vec![
            old.code.clone(),
            old.name.clone(),
            old.full_name.clone(),
            new.code.clone(),
            new.name.clone(),
            new.full_name.clone(),
            if merged { "merged" } else { "unchanged" }.to_owned(),
            yes(old.code == new.code),
            yes(reused),
            yes(old.name == new.name),
        ]
    }
}

pub(super) fn merger() -> NaiveDate {
    let (year, month, day) = MERGER;
    NaiveDate::from_ymd_opt(year, month, day).expect("1 July 2025 is a day")
}

/// Made up, of a plausible size: the two great cities above eight millions, others between
/// 0.3 and 3.5 millions, in whole hundreds.
fn population(unit: &Unit, seed: u64) -> u64 {
    let mut random = Random::of(seed, &[1, unit.code.parse().unwrap_or(0)]);
    let persons = match unit.code.as_str() {
        "01" => 8_000_000 + random.below(500_000),
        "79" => 8_800_000 + random.below(600_000),
        _ => (1_150_000.0 * (0.55 * random.normal()).exp()).clamp(3e5, 3.5e6) as u64,
    };
    persons / 100 * 100
}

const UNITS: &str = "don_vi.csv";
const SUCCESSORS: &str = "ke_thua.csv";

fn units(text: &str) -> Result<Vec<Unit>, SimulateError> {
    rows(UNITS, text, &["don_vi", "ma", "ten", "ten_en", "loai", "tu_ngay", "den_ngay"])?
        .into_iter()
        .map(|row| {
            let [key, code, name, name_en, kind, from, to] = row.try_into().unwrap_or_default();
            let to = if to.is_empty() { None } else { Some(day(UNITS, &to)?) };
            let city = kind == "thanh_pho";
            Ok(Unit { from: day(UNITS, &from)?, key, code, name, name_en, city, to })
        })
        .collect()
}

/// Old unit → successor, of the changes on that day.
fn successors(text: &str, on: NaiveDate) -> Result<BTreeMap<String, String>, SimulateError> {
    let mut found = BTreeMap::new();
    for row in rows(SUCCESSORS, text, &["tu_don_vi", "den_don_vi", "ngay"])? {
        let [from, to, date]: [String; 3] = row.try_into().unwrap_or_default();
        if day(SUCCESSORS, &date)? == on {
            found.insert(from, to);
        }
    }
    Ok(found)
}

/// The named columns of a CSV text, in that order.
fn rows(
    file: &'static str,
    text: &str,
    columns: &[&str],
) -> Result<Vec<Vec<String>>, SimulateError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| fault(file, error.to_string()))?.clone();
    let places = columns.iter().map(|column| {
        let at = header.iter().position(|name| name == *column);
        at.ok_or_else(|| fault(file, format!("there is no column {column}")))
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let record = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| fault(file, error.to_string()))?;
        Ok(places.iter().map(|&at| record.get(at).unwrap_or_default().to_owned()).collect())
    };
    reader.records().map(record).collect()
}

fn day(file: &'static str, text: &str) -> Result<NaiveDate, SimulateError> {
    text.parse().map_err(|_| fault(file, format!("`{text}` is not a date")))
}

fn fault(file: &'static str, problem: impl Into<String>) -> SimulateError {
    SimulateError::Reference { file, problem: problem.into() }
}
