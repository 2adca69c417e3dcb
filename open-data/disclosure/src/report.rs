//! What the house is told: rules, counts, rates, intervals, time.
//!
//! A report names intervals and therefore is confidential; what the public sees is the table.
//! The same facts are rendered as text, as HTML without script, and as JSON.

mod html;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use super::audit::{Finding, Status};
use super::gate::{Coarsening, Verdict};
use super::input::spec::{Objective, Spec};
use super::model::{Model, Standing};
use super::primary::{Primaries, Reason};

/// Everything a person needs to judge a verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `passed` or `refused`.
    pub verdict: &'static str,
    /// The tables, as they were named.
    pub tables: Vec<String>,
    /// The declared rules.
    pub rules: Rules,
    /// Cells of the candidate.
    pub cells: usize,
    /// Of these, published.
    pub published: usize,
    /// Suppressed because sensitive.
    pub primary: usize,
    /// Suppressed to protect others.
    pub secondary: usize,
    /// Cells of earlier releases that stay suppressed.
    pub withheld_before: usize,
    /// Cells that are sensitive by the rules and public already.
    pub already_out: Vec<String>,
    /// New cells of which earlier releases leave less uncertain than the rules want.
    pub narrowed_before: Vec<String>,
    /// Suppressed cells per hundred.
    pub suppressed_percent: f64,
    /// Value suppressed to protect others, per hundred of the sum of all cells.
    pub secondary_value_percent: f64,
    /// What was kept small, and how near the result is to the best.
    pub quality: Option<QualityReport>,
    /// Suppression by dimension and code.
    pub by_dimension: Vec<DimensionReport>,
    /// Each suppressed or exposed cell with what an attacker is left with.
    pub findings: Vec<FindingReport>,
    /// Whether earlier releases leak by themselves.
    pub past_leaks: bool,
    /// The smallest publication that would pass, after a refusal.
    pub coarsening: Option<Coarsening>,
    /// Witness tables that were checked by addition.
    pub witnesses: usize,
    /// Time of the suppression and the audit, in seconds.
    pub elapsed_seconds: f64,
}

/// The declared rules, for people.
#[derive(Debug, Clone, Serialize)]
pub struct Rules {
    /// Minimum number of contributors.
    pub min_contributors: Option<u64>,
    /// n and k of the dominance rule.
    pub dominance: Option<(u8, f64)>,
    /// p.
    pub p_percent: Option<f64>,
    /// Declared protection.
    pub protection_percent: Option<f64>,
    /// Whether empty cells are sensitive.
    pub zeros: bool,
    /// Whether group disclosure is.
    pub group_disclosure: bool,
    /// Whether insiders were considered.
    pub insiders: bool,
}

/// How good the pattern is.
#[derive(Debug, Clone, Serialize)]
pub struct QualityReport {
    /// `value` or `cells`.
    pub minimised: &'static str,
    /// Whether it is proven to be the cheapest.
    pub optimal: bool,
    /// What a better pattern could save at most, in percent; none where no bound is known.
    pub gap_percent: Option<f64>,
}

/// Suppression within one dimension.
#[derive(Debug, Clone, Serialize)]
pub struct DimensionReport {
    /// The column.
    pub dimension: String,
    /// One per code, in the order of the files.
    pub codes: Vec<CodeReport>,
}

/// Suppression of one code's cells.
#[derive(Debug, Clone, Serialize)]
pub struct CodeReport {
    /// The code.
    pub code: String,
    /// Candidate cells with it.
    pub cells: usize,
    /// Of these, suppressed.
    pub suppressed: usize,
    /// Value suppressed per hundred of the code's own.
    pub value_percent: f64,
}

/// What an attacker learns of one cell.
#[derive(Debug, Clone, Serialize)]
pub struct FindingReport {
    /// The cell's codes.
    pub cell: String,
    /// Why it is sensitive; none for a protecting cell.
    pub reason: Option<Reason>,
    /// Lower end of the interval left.
    pub low: String,
    /// Upper end.
    pub high: String,
    /// Whether the demand is met.
    pub protected: bool,
    /// Whether the exact value can be computed.
    pub recoverable: bool,
    /// Whether an insider was needed to expose it.
    pub insider: bool,
}

impl Report {
    /// Gathers the facts of a verdict.
    pub fn new(spec: &Spec, model: &Model, primaries: &Primaries, verdict: &Verdict) -> Self {
        let (findings, already_out, elapsed, witnesses) = match verdict {
            Verdict::Pass { audited, quality } => {
                let spent = quality.map_or_else(Default::default, |quality| quality.elapsed);
                let all = (audited.findings(), audited.already_out());
                (all.0, all.1, audited.elapsed() + spent, audited.witness_count())
            }
            Verdict::Refuse { refusal, .. } => {
                (&refusal.findings[..], &refusal.already_out[..], refusal.elapsed, 0)
            }
        };
        let statuses = statuses(model, verdict);
        let count = |status| statuses.values().filter(|&&s| s == status).count();
        let (primary, secondary) = (count(Status::Primary), count(Status::Secondary));
        let all_value: f64 = value_of(model, statuses.keys());
        let second = statuses.iter().filter(|(_, status)| **status == Status::Secondary);
        let second_value = value_of(model, second.map(|(cell, _)| cell));
        Self {
            verdict: if verdict.audited().is_some() { "passed" } else { "refused" },
            tables: model.outputs.iter().map(|table| table.name.clone()).collect(),
            rules: Rules::of(spec),
            cells: statuses.len(),
            published: count(Status::Published),
            primary,
            secondary,
            withheld_before: withheld(model),
            already_out: already_out.iter().map(|out| model.name(out.cell)).collect(),
            narrowed_before: narrowed(model, primaries),
            suppressed_percent: percent((primary + secondary) as f64, statuses.len() as f64),
            secondary_value_percent: percent(second_value, all_value),
            quality: quality_of(verdict),
            by_dimension: by_dimension(model, &statuses),
            findings: findings.iter().map(|finding| FindingReport::of(model, finding)).collect(),
            past_leaks: matches!(verdict, Verdict::Refuse { refusal, .. } if refusal.past_leaks),
            coarsening: match verdict {
                Verdict::Refuse { coarsening, .. } => coarsening.clone(),
                Verdict::Pass { .. } => None,
            },
            witnesses,
            elapsed_seconds: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        }
    }

    /// For a terminal.
    pub fn to_text(&self) -> String {
        text::render(self)
    }

    /// For a browser: Vietnamese first, English beside it, no script.
    pub fn to_html(&self) -> String {
        html::render(self)
    }

    /// For a program.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl Rules {
    fn of(spec: &Spec) -> Self {
        let rule = &spec.rule;
        Self {
            min_contributors: rule.min_contributors,
            dominance: rule.dominance.map(|d| (d.n, d.percent.as_f64())),
            p_percent: rule.p_percent.map(|p| p.as_f64()),
            protection_percent: rule.protection_percent.map(|p| p.as_f64()),
            zeros: rule.zeros,
            group_disclosure: rule.group_disclosure,
            insiders: rule.insiders,
        }
    }

    /// Each rule in words, Vietnamese and English.
    pub(crate) fn in_words(&self) -> Vec<(String, String)> {
        let mut words = Vec::new();
        let mut add = |vi: String, en: String| words.push((vi, en));
        if let Some(least) = self.min_contributors {
            add(
                format!("ít nhất {least} đơn vị đóng góp"),
                format!("at least {least} contributors"),
            );
        }
        if let Some((n, k)) = self.dominance {
            let vi = format!("{n} đơn vị lớn nhất không quá {k}%");
            add(vi, format!("the largest {n} at most {k}%"));
        }
        if let Some(p) = self.p_percent {
            add(format!("quy tắc {p}%"), format!("the {p}% rule"));
        }
        if let Some(p) = self.protection_percent {
            add(format!("khoảng bảo vệ ±{p}%"), format!("protection ±{p}%"));
        }
        if self.zeros {
            add("ô bằng 0 là nhạy cảm".into(), "zeros are sensitive".into());
        }
        if self.group_disclosure {
            add("lộ thông tin nhóm".into(), "group disclosure".into());
        }
        if self.insiders {
            add("kẻ tấn công bên trong".into(), "insiders".into());
        }
        words
    }
}

impl FindingReport {
    fn of(model: &Model, finding: &Finding) -> Self {
        Self {
            cell: model.name(finding.cell),
            reason: finding.reason,
            low: model.decimal(finding.low),
            high: model.decimal(finding.high),
            protected: finding.protected,
            recoverable: finding.is_recoverable(),
            insider: !finding.insider.is_empty() && !finding.protected,
        }
    }
}

impl Reason {
    /// In words, Vietnamese and English.
    pub(crate) fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Self::FewContributors => ("quá ít đơn vị", "few contributors"),
            Self::Dominance => ("đơn vị lớn áp đảo", "dominance"),
            Self::PPercent => ("quy tắc p%", "p% rule"),
            Self::Zero => ("ô bằng 0", "zero"),
            Self::GroupDisclosure => ("lộ cả nhóm", "group disclosure"),
            Self::Difference => ("hiệu hoặc tổng", "difference or sum"),
            Self::WithheldBefore => ("đã ẩn từ trước", "withheld before"),
        }
    }
}

fn statuses(model: &Model, verdict: &Verdict) -> BTreeMap<usize, Status> {
    let candidates =
        (0..model.cells.len()).filter(|&cell| model.standing(cell) == Standing::Candidate);
    match verdict {
        Verdict::Pass { audited, .. } => {
            candidates.map(|cell| (cell, audited.status(cell))).collect()
        }
        Verdict::Refuse { refusal, .. } => candidates
            .map(|cell| {
                let found = refusal.findings.binary_search_by_key(&cell, |finding| finding.cell);
                let status = match found.map(|at| refusal.findings[at].reason) {
                    Ok(Some(_)) => Status::Primary,
                    Ok(None) => Status::Secondary,
                    Err(_) => Status::Published,
                };
                (cell, status)
            })
            .collect(),
    }
}

fn narrowed(model: &Model, primaries: &Primaries) -> Vec<String> {
    let narrowed = primaries.sensitive().iter().filter(|sensitive| sensitive.narrowed);
    narrowed.map(|sensitive| model.name(sensitive.cell)).collect()
}

fn withheld(model: &Model) -> usize {
    model.cells.iter().filter(|cell| cell.standing == Standing::Withheld).count()
}

fn value_of<'c>(model: &Model, cells: impl Iterator<Item = &'c usize>) -> f64 {
    cells.map(|&cell| model.cells[cell].value as f64).sum()
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole <= 0.0 || part <= 0.0 { 0.0 } else { (part / whole * 10_000.0).round() / 100.0 }
}

fn quality_of(verdict: &Verdict) -> Option<QualityReport> {
    let Verdict::Pass { quality: Some(quality), .. } = verdict else { return None };
    Some(QualityReport {
        minimised: match quality.objective {
            Objective::Value => "value",
            Objective::Cells => "cells",
        },
        optimal: quality.optimal,
        gap_percent: quality.gap().map(|gap| (gap * 10_000.0).round() / 100.0),
    })
}

fn by_dimension(model: &Model, statuses: &BTreeMap<usize, Status>) -> Vec<DimensionReport> {
    let of = |d: usize| {
        let mut codes = BTreeMap::<u32, (usize, usize, f64, f64)>::new();
        for (&cell, &status) in statuses {
            let value = model.cells[cell].value as f64;
            let entry = codes.entry(model.cells[cell].key[d]).or_default();
            entry.0 += 1;
            entry.2 += value;
            if status != Status::Published {
                entry.1 += 1;
                entry.3 += value;
            }
        }
        let codes =
            codes.into_iter().map(|(code, (cells, suppressed, value, hidden))| CodeReport {
                code: model.dimensions[d].codes[code as usize].clone(),
                cells,
                suppressed,
                value_percent: percent(hidden, value),
            });
        DimensionReport { dimension: model.dimensions[d].column.clone(), codes: codes.collect() }
    };
    (0..model.dimensions.len()).map(of).collect()
}
