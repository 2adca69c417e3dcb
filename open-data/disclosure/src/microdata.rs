//! Person-level records: how many could be singled out.
//!
//! Person-level tables stay personal data whatever was dropped from them; this report says how
//! exposed they are, it does not make them open. Classes are records with the same declared
//! quasi-identifiers: k-anonymity (Sweeney, 2002) is the smallest class, ℓ-diversity
//! (Machanavajjhala et al., 2007) the fewest different sensitive values in a class, t-closeness
//! (Li et al., 2007) the largest distance between a class's distribution and that of all, with
//! equal distances between values. No record is ever quoted.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use warehouse::diagnostic::Diagnostic;

use super::input::Faults;
use super::input::spec::syntax_fault;
use super::input::table::Table;

/// What is declared about a file of records.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrodataSpec {
    /// Columns by which a person could be recognised.
    pub quasi_identifiers: Vec<String>,
    /// Columns nobody should learn.
    #[serde(default)]
    pub sensitive: Vec<String>,
    /// Smallest class allowed.
    pub k: Option<usize>,
    /// Fewest different sensitive values in a class.
    pub l: Option<usize>,
    /// Largest distance of a class's distribution, 0 to 1.
    pub t: Option<f64>,
    /// Share of the population that the records are, above 0 and up to 1.
    pub sampling_fraction: Option<f64>,
}

#[derive(Deserialize)]
struct Raw {
    microdata: MicrodataSpec,
}

/// How exposed the records are.
#[derive(Debug, Clone, Serialize)]
pub struct MicrodataReport {
    /// Records read.
    pub records: usize,
    /// Different combinations of quasi-identifiers.
    pub classes: usize,
    /// The smallest class: k.
    pub smallest_class: usize,
    /// Records in classes smaller than the declared k.
    pub records_below_k: usize,
    /// Records alone in their class.
    pub sample_uniques: usize,
    /// Of these, how many are estimated to be alone in the population.
    pub population_uniques: Option<f64>,
    /// Per sensitive column.
    pub sensitive: Vec<SensitiveReport>,
    /// Whether everything declared holds.
    pub passed: bool,
}

/// How well one sensitive column is spread.
#[derive(Debug, Clone, Serialize)]
pub struct SensitiveReport {
    /// The column.
    pub column: String,
    /// Fewest different values in a class: ℓ.
    pub fewest_values: usize,
    /// Smallest exponential of a class's entropy (entropy ℓ-diversity).
    pub least_entropy_l: f64,
    /// Largest distance from the distribution of all: t.
    pub largest_distance: f64,
    /// Records in classes with fewer values than the declared ℓ.
    pub records_below_l: usize,
}

/// Reads and judges a file of records; `None` when `faults` holds an error afterwards.
pub fn judge(spec: &Path, records: &Path, faults: &mut Faults) -> Option<MicrodataReport> {
    let (name, text) = faults.read(spec)?;
    let declared = match toml::from_str::<Raw>(&text) {
        Ok(raw) => raw.microdata,
        Err(cause) => {
            faults.push(syntax_fault(name, &cause));
            return None;
        }
    };
    let fraction = declared.sampling_fraction;
    if fraction.is_some_and(|f| !(f > 0.0 && f <= 1.0)) {
        let message = "sampling_fraction must be above 0 and at most 1";
        faults.push(Diagnostic::error(&name, "bad-fraction", message));
    }
    if declared.quasi_identifiers.is_empty() {
        let message = "no quasi-identifier is declared";
        faults.push(Diagnostic::error(&name, "no-dimension", message));
    }
    check_asked(&declared, &name, faults);
    let table = Table::load(records, faults)?;
    let column = |name: &String, faults: &mut Faults| {
        let at = table.column(name);
        if at.is_none() {
            let message = format!("the column `{name}` is missing");
            faults.push(Diagnostic::error(&table.name, "missing-column", message).at(0..0));
        }
        at
    };
    let keys: Vec<usize> =
        declared.quasi_identifiers.iter().filter_map(|name| column(name, faults)).collect();
    let sensitive: Vec<usize> =
        declared.sensitive.iter().filter_map(|name| column(name, faults)).collect();
    (!faults.has_errors()).then(|| report(&declared, &table, &keys, &sensitive))
}

/// Something must be asked for, and be able to fail.
fn check_asked(declared: &MicrodataSpec, name: &str, faults: &mut Faults) {
    let MicrodataSpec { k, l, t, sensitive, .. } = declared;
    let mut fault = |code, message: &str, help: &str| {
        faults.push(Diagnostic::error(name, code, message).help(help));
    };
    if k.is_none() && l.is_none() && t.is_none() {
        fault("nothing-asked", "neither k, l nor t is declared", "k = 5 is usual");
    }
    if (l.is_some() || t.is_some()) && sensitive.is_empty() {
        let help = "name the columns that nobody should learn under `sensitive`";
        fault("nothing-asked", "l and t need a sensitive column", help);
    }
    if k.is_some_and(|k| k < 2) || l.is_some_and(|l| l < 2) {
        fault("bad-threshold", "k and l below 2 protect nobody", "k = 5 and l = 2 are usual");
    }
    if t.is_some_and(|t| !(t > 0.0 && t < 1.0)) {
        fault("bad-threshold", "t must lie between 0 and 1", "every table passes t = 1");
    }
}

fn report(
    declared: &MicrodataSpec,
    table: &Table,
    keys: &[usize],
    sensitive: &[usize],
) -> MicrodataReport {
    let mut classes: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    for (number, row) in table.rows.iter().enumerate() {
        let key = keys.iter().map(|&at| row.fields[at].0.as_str()).collect();
        classes.entry(key).or_default().push(number);
    }
    let sizes = || classes.values().map(Vec::len);
    let k = declared.k.unwrap_or(1);
    let columns: Vec<_> = sensitive
        .iter()
        .zip(&declared.sensitive)
        .map(|(&at, name)| spread(table, &classes, at, name, declared.l.unwrap_or(1)))
        .collect();
    let smallest_class = sizes().min().unwrap_or(0);
    let passed = smallest_class >= k
        && columns.iter().all(|column| {
            column.fewest_values >= declared.l.unwrap_or(0)
                && declared.t.is_none_or(|t| column.largest_distance <= t + 1e-12)
        });
    MicrodataReport {
        records: table.rows.len(),
        classes: classes.len(),
        smallest_class,
        records_below_k: sizes().filter(|&size| size < k).sum(),
        sample_uniques: sizes().filter(|&size| size == 1).count(),
        population_uniques: declared.sampling_fraction.map(|f| population_uniques(sizes(), f)),
        sensitive: columns,
        passed,
    }
}

fn spread(
    table: &Table,
    classes: &BTreeMap<Vec<&str>, Vec<usize>>,
    at: usize,
    name: &str,
    l: usize,
) -> SensitiveReport {
    let count = |rows: &mut dyn Iterator<Item = usize>| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows {
            *counts.entry(table.rows[row].fields[at].0.as_str()).or_default() += 1;
        }
        counts
    };
    let all = count(&mut (0..table.rows.len()));
    let everyone = table.rows.len() as f64;
    let mut report = SensitiveReport {
        column: name.to_owned(),
        fewest_values: usize::MAX,
        least_entropy_l: f64::INFINITY,
        largest_distance: 0.0,
        records_below_l: 0,
    };
    for rows in classes.values() {
        let own = count(&mut rows.iter().copied());
        let size = rows.len() as f64;
        let entropy: f64 =
            own.values().map(|&n| n as f64 / size).map(|share| -share * share.ln()).sum();
        let distance: f64 = all
            .iter()
            .map(|(value, &n)| {
                let share = own.get(value).map_or(0.0, |&n| n as f64 / size);
                (share - n as f64 / everyone).abs() / 2.0
            })
            .sum();
        report.fewest_values = report.fewest_values.min(own.len());
        report.least_entropy_l = report.least_entropy_l.min(entropy.exp());
        report.largest_distance = report.largest_distance.max(distance);
        if own.len() < l {
            report.records_below_l += rows.len();
        }
    }
    report
}

/// Zayatz's estimate (1991): sample uniques times the chance that a unique of the sample is one
/// of the population, the sample's own class sizes standing for the population's.
fn population_uniques(sizes: impl Iterator<Item = usize>, fraction: f64) -> f64 {
    let mut classes: BTreeMap<usize, usize> = BTreeMap::new();
    sizes.for_each(|size| *classes.entry(size).or_default() += 1);
    let uniques = classes.get(&1).copied().unwrap_or(0) as f64;
    let seen_once: f64 = classes
        .iter()
        .map(|(&size, &number)| {
            let size = size as f64;
            number as f64 * size * fraction * (1.0 - fraction).powf(size - 1.0)
        })
        .sum();
    if seen_once <= 0.0 { 0.0 } else { uniques * (uniques * fraction / seen_once).min(1.0) }
}

impl MicrodataReport {
    /// For a terminal.
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            if self.passed { "ĐẠT · passed" } else { "TỪ CHỐI · refused" }.to_owned(),
            format!("Bản ghi · records: {}; lớp · classes: {}", self.records, self.classes),
            format!("k-ẩn danh · k-anonymity: {}", self.smallest_class),
            format!("Bản ghi trong lớp nhỏ hơn k · records below k: {}", self.records_below_k),
            format!("Duy nhất trong mẫu · sample uniques: {}", self.sample_uniques),
        ];
        if let Some(uniques) = self.population_uniques {
            let label = "Ước tính duy nhất trong dân số · estimated population uniques";
            lines.push(format!("{label}: {uniques:.1}"));
        }
        for column in &self.sensitive {
            lines.push(format!(
                "{}: ℓ = {}, entropy ℓ = {:.2}, t = {:.3}",
                column.column,
                column.fewest_values,
                column.least_entropy_l,
                column.largest_distance
            ));
        }
        lines.join("\n") + "\n"
    }

    /// For a program.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned())
    }
}
