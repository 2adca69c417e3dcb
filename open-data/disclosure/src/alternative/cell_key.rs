//! Cell-key perturbation: small noise that belongs to a cell for good.
//!
//! The noise of a cell is looked up in a recorded table by the cell's key, a hash of the secret
//! seed and of what the cell *means*: for each dimension the set of elements it covers. The same
//! cell therefore gets the same noise in every table, version and geography while its count is the
//! same — a new province that is one old province keeps its figure — so that asking twice does not
//! average the noise out. Where a count changed between versions, or sums of noisy figures are
//! compared with other noisy figures, more can be learned than the audit of one run says. The
//! table's noise has, as near as its bounds permit, mean 0 and the declared variance; it never
//! turns a count negative or into 1 … `min_published` − 1 (after Thompson, Broadfoot and Elazar,
//! 2013; Giessing, 2016).

use std::collections::BTreeMap;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::{AlternativeError, AuditedFigures, Method, audit_figures, is_a_count, nothing_is_out};
use crate::input::hierarchy::Dimension;
use crate::input::spec::{CellKeySpec, Spec};
use crate::model::Model;
use crate::protect::Limits;
use crate::solver::Deadline;
use crate::system::CellIndex;

/// Probabilities are recorded in these units, so that the record decides, not a float.
const UNITS: u64 = 1 << 32;

/// The recorded table: for each true count (the last row: and above), noise with its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoiseTable {
    /// Rows by count; each is noise → share of 2^32, shares adding up to 2^32.
    pub rows: Vec<BTreeMap<i64, u64>>,
}

impl NoiseTable {
    /// The table of maximum entropy for a declaration.
    pub fn new(declared: &CellKeySpec) -> Self {
        let bound = i64::from(declared.max_noise);
        let least = i64::from(declared.min_published);
        let rows = (0..=bound + least).map(|count| {
            if count == 0 {
                return BTreeMap::from([(0, UNITS)]);
            }
            let allowed = |noise: &i64| {
                let figure = count + noise;
                figure == 0 || figure >= least.max(1)
            };
            let noises: Vec<i64> = (-bound..=bound).filter(allowed).collect();
            shares(&noises, declared.variance)
        });
        Self { rows: rows.collect() }
    }

    /// As CSV: `count,noise,share_of_4294967296`.
    pub fn to_csv(&self) -> String {
        let mut text = "count,noise,share_of_4294967296\n".to_owned();
        for (count, row) in self.rows.iter().enumerate() {
            for (noise, share) in row {
                text.push_str(&format!("{count},{noise},{share}\n"));
            }
        }
        text
    }

    /// The noise of a count whose cell key is `key`.
    pub fn noise(&self, count: i128, key: u32) -> i64 {
        let last = self.rows.len().saturating_sub(1);
        let at = usize::try_from(count).map_or(last, |count| count.min(last));
        let mut left = u64::from(key);
        for (&noise, &share) in self.rows.get(at).into_iter().flatten() {
            if left < share {
                return noise;
            }
            left -= share;
        }
        0
    }
}

/// Perturbs a candidate as declared and audits the result.
///
/// # Errors
///
/// When nothing is declared, the measure is no count, part of it is out, or a sensitive cell
/// keeps too few possible values.
pub fn perturb_table(
    spec: &Spec,
    model: &Model,
    limits: Limits,
) -> Result<(AuditedFigures, NoiseTable), AlternativeError> {
    let missing = AlternativeError::NotDeclared { section: "cell_key" };
    let declared = spec.cell_key.as_ref().ok_or(missing)?;
    is_a_count(model)?;
    nothing_is_out(model)?;
    let (started, deadline) = (Instant::now(), Deadline::after(limits.time));
    let table = NoiseTable::new(declared);
    let meanings = Meanings::new(&model.dimensions);
    let figures: Vec<i128> = (0..model.cells.len())
        .map(|cell| {
            let count = model.system.value(cell);
            let key = meanings.key(&declared.seed, &model.cells[cell].key);
            count + i128::from(table.noise(count, key))
        })
        .collect();
    let ranges = |_: CellIndex, figure: i128| possible_counts(&table, figure, declared);
    let method = Method { name: "perturbed", ranges: &ranges, started, deadline };
    let audited = audit_figures(model, figures, &method)?;
    Ok((audited, table))
}

/// The counts that the recorded table can turn into `figure`.
fn possible_counts(table: &NoiseTable, figure: i128, declared: &CellKeySpec) -> (i128, i128) {
    let bound = i128::from(declared.max_noise);
    let last = table.rows.len() - 1;
    let can = |count: &i128| {
        let at = usize::try_from(*count).map_or(last, |count| count.min(last));
        let noise = i64::try_from(figure - count).unwrap_or(i64::MAX);
        table.rows[at].get(&noise).is_some_and(|&share| share > 0)
    };
    let counts: Vec<i128> = ((figure - bound).max(0)..=figure + bound).filter(can).collect();
    let low = counts.first().copied().unwrap_or(figure);
    (low, counts.last().copied().unwrap_or(figure))
}

/// What each code covers, in words that do not depend on the release.
struct Meanings {
    words: Vec<Vec<String>>,
}

impl Meanings {
    fn new(dimensions: &[Dimension]) -> Self {
        let words = dimensions.iter().map(|dimension| {
            let ancestors = dimension.ancestors();
            let leaves = dimension.leaves();
            (0..dimension.codes.len() as u32)
                .map(|node| {
                    if Some(node) == dimension.total {
                        return format!("{}\u{1f}*", dimension.column);
                    }
                    let below = leaves.iter().filter(|&&l| ancestors[l as usize].contains(&node));
                    let mut codes: Vec<&str> =
                        below.map(|&leaf| dimension.codes[leaf as usize].as_str()).collect();
                    codes.sort_unstable();
                    format!("{}\u{1f}{}", dimension.column, codes.join("\u{1f}"))
                })
                .collect()
        });
        Self { words: words.collect() }
    }

    fn key(&self, seed: &str, codes: &[u32]) -> u32 {
        let mut parts: Vec<&str> =
            codes.iter().zip(&self.words).map(|(&c, words)| words[c as usize].as_str()).collect();
        // A dimension summed over says nothing, so that a table without it has the same cells.
        parts.retain(|part| !part.ends_with("\u{1f}*"));
        parts.sort_unstable();
        let mut hash = Sha256::new();
        hash.update(seed.as_bytes());
        for part in parts {
            hash.update([0x1e]);
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

/// Shares ∝ exp(a·v − b·v²) with mean 0 and, as near as the allowed noise permits, the variance.
fn shares(noises: &[i64], variance: f64) -> BTreeMap<i64, u64> {
    let weights = |a: f64, b: f64| -> Vec<f64> {
        let exponent = |&v: &i64| a * v as f64 - b * (v * v) as f64;
        let top = noises.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let raw: Vec<f64> = noises.iter().map(|v| (exponent(v) - top).exp()).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(|weight| weight / sum).collect()
    };
    let moment = |p: &[f64], power: i32| -> f64 {
        p.iter().zip(noises).map(|(p, &v)| p * (v as f64).powi(power)).sum()
    };
    let centred = |b: f64| {
        let (mut low, mut high) = (-40.0, 40.0);
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            if moment(&weights(middle, b), 1) > 0.0 { high = middle } else { low = middle }
        }
        weights((low + high) / 2.0, b)
    };
    let (mut low, mut high) = (-2.0, 20.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if moment(&centred(middle), 2) > variance { low = middle } else { high = middle }
    }
    let shares = centred((low + high) / 2.0);
    let mut units: Vec<u64> = shares.iter().map(|p| (p * UNITS as f64).round() as u64).collect();
    let sum: u64 = units.iter().sum();
    if let Some(most) = (0..units.len()).max_by_key(|&i| units[i]) {
        units[most] = (units[most] + UNITS).saturating_sub(sum);
    }
    noises.iter().copied().zip(units).collect()
}
