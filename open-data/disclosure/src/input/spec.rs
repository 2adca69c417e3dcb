//! `SPEC.toml`: what a statistician declares about a table.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use warehouse::diagnostic::Diagnostic;

use super::Faults;

/// A validated declaration; paths are resolved against the file it came from.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The declaration's own file, as the user named it.
    pub path: String,
    /// Which columns hold what.
    pub table: TableSpec,
    /// The dimensions in the order declared.
    pub dimensions: Vec<DimensionSpec>,
    /// What makes a cell sensitive, and how well it must be protected.
    pub rule: Rule,
    /// What complementary suppression keeps small.
    pub objective: Objective,
    /// Tables that are already out.
    pub published: Vec<PublishedSpec>,
    /// Controlled rounding, if declared.
    pub rounding: Option<RoundingSpec>,
    /// Cell-key perturbation, if declared.
    pub cell_key: Option<CellKeySpec>,
}

/// Column names of a table.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// The published figure.
    pub measure: String,
    /// How many persons or facilities stand behind a cell; `None`: the measure itself counts them.
    pub contributors: Option<String>,
    /// The largest contribution.
    pub largest: Option<String>,
    /// The second largest contribution.
    pub second: Option<String>,
    /// The code of the only contributor, where there is just one.
    pub sole: Option<String>,
    /// Whether totals that are missing are to be summed and published too.
    pub compute_margins: bool,
    /// Whether a magnitude is whole by its nature (beds), which readers know.
    pub whole: bool,
    /// Columns that only name the codes of a dimension and are written along.
    pub labels: Vec<String>,
}

/// One dimension of the table.
#[derive(Debug, Clone)]
pub struct DimensionSpec {
    /// Its column.
    pub column: String,
    /// The code that stands for everything; `None` when nothing is ever summed over it (years).
    pub total: Option<String>,
    /// One CSV for each grouping of the same elements.
    pub hierarchies: Vec<PathBuf>,
    pub(crate) span: Range<usize>,
}

/// A share, exact to a ten-thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    parts_per_million: i128,
}

impl Percent {
    /// From a number of percent; `None` unless finite and not negative.
    pub fn new(percent: f64) -> Option<Self> {
        (percent.is_finite() && (0.0..=1e6).contains(&percent))
            .then(|| Self { parts_per_million: (percent * 10_000.0).round() as i128 })
    }

    /// This share of `units`, rounded up.
    pub fn of(self, units: i128) -> i128 {
        (units * self.parts_per_million).div_euclid(1_000_000)
            + i128::from((units * self.parts_per_million).rem_euclid(1_000_000) != 0)
    }

    /// Whether `part` is more than this share of `whole`.
    pub fn exceeded_by(self, part: i128, whole: i128) -> bool {
        part * 1_000_000 > whole * self.parts_per_million
    }

    /// The smallest whole that `part` makes up at most this share of.
    pub(crate) fn whole_of(self, part: i128) -> i128 {
        let share = self.parts_per_million.max(1);
        (part * 1_000_000 + share - 1).div_euclid(share)
    }

    /// In percent, for people.
    pub fn as_f64(self) -> f64 {
        self.parts_per_million as f64 / 10_000.0
    }
}

/// What makes a cell sensitive.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Fewer contributors than this, and more than none.
    pub min_contributors: Option<u64>,
    /// The largest n contributions are more than this share.
    pub dominance: Option<Dominance>,
    /// The second largest could estimate the largest to within this share.
    pub p_percent: Option<Percent>,
    /// What an attacker must stay away from a sensitive value, as a share of it; `None`: what each
    /// rule needs (±`min_contributors` for counts, 10 % for magnitudes without another rule).
    pub protection_percent: Option<Percent>,
    /// Whether an empty cell of a count is sensitive too.
    pub zeros: bool,
    /// Whether a cell that holds everyone of its group is sensitive.
    pub group_disclosure: bool,
    /// Whether a cell of one contributor must be taken as known to that contributor.
    pub insiders: bool,
}

/// The (n, k) rule.
#[derive(Debug, Clone, Copy)]
pub struct Dominance {
    /// 1 or 2.
    pub n: u8,
    /// k.
    pub percent: Percent,
}

/// What complementary suppression keeps small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objective {
    /// The sum of what is hidden.
    #[default]
    Value,
    /// The number of hidden cells.
    Cells,
}

/// A table that is already out.
#[derive(Debug, Clone)]
pub struct PublishedSpec {
    /// The table as published.
    pub file: PathBuf,
    /// The same table with the values that were suppressed, if the house kept it.
    pub truth: Option<PathBuf>,
}

/// Controlled rounding.
#[derive(Debug, Clone, Copy)]
pub struct RoundingSpec {
    /// Every figure becomes a multiple of this, in units of the measure.
    pub base: u32,
}

/// Cell-key perturbation.
#[derive(Clone)]
pub struct CellKeySpec {
    /// Names the noise for good: the same seed and cell always give the same noise.
    pub seed: String,
    /// Largest noise.
    pub max_noise: u32,
    /// Noise for counts below this keeps them out of 1 … this − 1.
    pub min_published: u32,
    /// Variance of the noise.
    pub variance: f64,
}

impl fmt::Debug for CellKeySpec {
    /// Without the seed, which is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CellKeySpec").field("max_noise", &self.max_noise).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpec {
    table: Spanned<RawTable>,
    #[serde(default)]
    dimension: Vec<Spanned<RawDimension>>,
    rule: Spanned<RawRule>,
    #[serde(default)]
    objective: RawObjective,
    #[serde(default)]
    published: Vec<RawPublished>,
    rounding: Option<RawRounding>,
    cell_key: Option<RawCellKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    measure: String,
    contributors: Option<String>,
    largest: Option<Spanned<String>>,
    second: Option<Spanned<String>>,
    sole: Option<String>,
    margins: Option<Spanned<String>>,
    #[serde(default)]
    whole: bool,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDimension {
    column: String,
    total: Option<String>,
    #[serde(default)]
    hierarchies: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    min_contributors: Option<Spanned<u64>>,
    dominance: Option<RawDominance>,
    p_percent: Option<Spanned<f64>>,
    protection_percent: Option<Spanned<f64>>,
    #[serde(default)]
    zeros: bool,
    #[serde(default)]
    group_disclosure: bool,
    #[serde(default)]
    insiders: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDominance {
    n: Spanned<u8>,
    percent: Spanned<f64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawObjective {
    minimise: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPublished {
    file: PathBuf,
    truth: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRounding {
    base: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCellKey {
    seed: Spanned<String>,
    max_noise: Spanned<u32>,
    #[serde(default)]
    min_published: u32,
    variance: Spanned<f64>,
}

impl Spec {
    /// Reads and validates a declaration; faults go to `faults`.
    pub fn load(path: &Path, faults: &mut Faults) -> Option<Self> {
        let (name, text) = faults.read(path)?;
        let raw: RawSpec = match toml::from_str(&text) {
            Ok(raw) => raw,
            Err(cause) => {
                faults.push(syntax_fault(name, &cause));
                return None;
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut check = Check { name: &name, faults };
        check.shape(&raw);
        let rule = check.rule(raw.rule.get_ref());
        let table = check.table(raw.table.get_ref());
        check.columns_of_rules(&raw);
        let objective = check.objective(raw.objective.minimise.as_ref());
        let rounding = raw.rounding.as_ref().and_then(|r| check.rounding(r));
        let cell_key = raw.cell_key.as_ref().and_then(|r| check.cell_key(r));
        let dimensions = raw.dimension.into_iter().map(|d| dimension(d, folder)).collect();
        let published = raw
            .published
            .into_iter()
            .map(|p| PublishedSpec {
                file: folder.join(p.file),
                truth: p.truth.map(|truth| folder.join(truth)),
            })
            .collect();
        let rule = rule?;
        Some(Self { path: name, table, dimensions, rule, objective, published, rounding, cell_key })
    }
}

/// A fault of TOML's own grammar, or a key that does not exist.
pub(crate) fn syntax_fault(name: String, cause: &toml::de::Error) -> Diagnostic {
    // Its other messages quote values, and a value may be the seed.
    let said = cause.message().lines().next().unwrap_or_default();
    let names_a_key = ["unknown field", "missing field", "duplicate"];
    let message = if names_a_key.iter().any(|start| said.starts_with(start)) {
        said.to_owned()
    } else if said.starts_with("invalid type") || said.starts_with("invalid value") {
        "a value of another kind is needed here".to_owned()
    } else {
        "this is not TOML".to_owned()
    };
    let fault = Diagnostic::error(name, "bad-declaration", message);
    match cause.span() {
        Some(span) => fault.at(span),
        None => fault,
    }
}

fn dimension(raw: Spanned<RawDimension>, folder: &Path) -> DimensionSpec {
    let span = raw.span();
    let raw = raw.into_inner();
    DimensionSpec {
        column: raw.column,
        total: raw.total,
        hierarchies: raw.hierarchies.into_iter().map(|file| folder.join(file)).collect(),
        span,
    }
}

struct Check<'a> {
    name: &'a str,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn fault(&mut self, span: Range<usize>, code: &'static str, message: String, help: &str) {
        self.faults.push(Diagnostic::error(self.name, code, message).at(span).help(help));
    }

    fn shape(&mut self, raw: &RawSpec) {
        if raw.dimension.is_empty() {
            let help = "add a [[dimension]] with the column's name for each column of codes";
            self.fault(raw.table.span(), "no-dimension", "no dimension is declared".into(), help);
        }
        let mut seen = std::collections::BTreeSet::new();
        for dimension in &raw.dimension {
            let column = &dimension.get_ref().column;
            if !seen.insert(column) || *column == raw.table.get_ref().measure {
                let message = format!("the column `{column}` is declared twice");
                self.fault(dimension.span(), "column-twice", message, "give each column one role");
            }
        }
    }

    fn percent(&mut self, raw: &Spanned<f64>, most: f64) -> Option<Percent> {
        let value = *raw.get_ref();
        if !(value > 0.0 && value <= most) {
            let message = format!("{value} is not a percentage above 0 and at most {most}");
            self.fault(raw.span(), "bad-percent", message, "write 10 for ten percent");
            return None;
        }
        Percent::new(value)
    }

    fn rule(&mut self, raw: &RawRule) -> Option<Rule> {
        let before = self.faults.has_errors();
        if let Some(least) = raw.min_contributors.as_ref().filter(|least| *least.get_ref() < 2) {
            let message = "min_contributors below 2 protects nobody".to_owned();
            self.fault(least.span(), "bad-threshold", message, "3 and 5 are usual");
        }
        let dominance = raw.dominance.as_ref().and_then(|dominance| {
            let n = *dominance.n.get_ref();
            if !(1..=2).contains(&n) {
                let message = format!("dominance by the largest {n} cannot be judged");
                let help = "n is 1 (needs `largest`) or 2 (needs `largest` and `second`)";
                self.fault(dominance.n.span(), "bad-dominance", message, help);
                return None;
            }
            self.percent(&dominance.percent, 100.0).map(|percent| Dominance { n, percent })
        });
        let rule = Rule {
            min_contributors: raw.min_contributors.as_ref().map(|least| *least.get_ref()),
            dominance,
            p_percent: raw.p_percent.as_ref().and_then(|p| self.percent(p, 100.0)),
            protection_percent: raw
                .protection_percent
                .as_ref()
                .and_then(|p| self.percent(p, 1000.0)),
            zeros: raw.zeros,
            group_disclosure: raw.group_disclosure,
            insiders: raw.insiders,
        };
        (before || !self.faults.has_errors()).then_some(rule)
    }

    fn columns_of_rules(&mut self, raw: &RawSpec) {
        let (table, rule) = (raw.table.get_ref(), raw.rule.get_ref());
        if rule.min_contributors.is_none() && rule.dominance.is_none() && rule.p_percent.is_none() {
            let help = "declare min_contributors, dominance or p_percent";
            self.fault(raw.rule.span(), "no-rule", "no rule is declared".into(), help);
        }
        let needs_largest = rule.dominance.is_some() || rule.p_percent.is_some();
        let two = rule.dominance.as_ref().is_some_and(|d| *d.n.get_ref() == 2);
        let needs_second = two || rule.p_percent.is_some();
        for (needed, column, key) in
            [(needs_largest, &table.largest, "largest"), (needs_second, &table.second, "second")]
        {
            if needed && column.is_none() {
                let message = format!("the rules need the column `{key}` of contributions");
                let help = "name the column under [table], or leave that rule out";
                self.fault(raw.rule.span(), "column-needed", message, help);
            }
        }
        if table.contributors.is_some() && (rule.zeros || rule.group_disclosure) {
            let message = "`zeros` and `group_disclosure` are for counts".to_owned();
            let help = "that nobody contributes to a magnitude is public: leave them out";
            self.fault(raw.rule.span(), "rule-for-counts", message, help);
        }
        if table.contributors.is_none() && needs_largest {
            let message = "magnitudes need the number of contributors".to_owned();
            let help = "name the column `contributors` under [table]";
            self.fault(raw.table.span(), "column-needed", message, help);
        }
    }

    fn table(&mut self, raw: &RawTable) -> TableSpec {
        let compute_margins = match raw.margins.as_ref().map(|m| (m.get_ref().as_str(), m.span())) {
            None | Some(("given", _)) => false,
            Some(("compute", span)) => {
                if raw.contributors.is_some() {
                    let message = "margins of a magnitude cannot be computed".to_owned();
                    let help = "one contributor may stand in several cells: give the totals, with \
                                their contributors";
                    self.fault(span, "bad-margins", message, help);
                }
                true
            }
            Some((other, span)) => {
                let message = format!("margins cannot be `{other}`");
                let help = "\"given\" (the totals are in the file) or \"compute\"";
                self.fault(span, "bad-margins", message, help);
                false
            }
        };
        TableSpec {
            measure: raw.measure.clone(),
            contributors: raw.contributors.clone(),
            largest: raw.largest.as_ref().map(|name| name.get_ref().clone()),
            second: raw.second.as_ref().map(|name| name.get_ref().clone()),
            sole: raw.sole.clone(),
            compute_margins,
            whole: raw.whole,
            labels: raw.labels.clone(),
        }
    }

    fn objective(&mut self, raw: Option<&Spanned<String>>) -> Objective {
        match raw.map(|word| (word.get_ref().as_str(), word.span())) {
            None | Some(("value", _)) => Objective::Value,
            Some(("cells", _)) => Objective::Cells,
            Some((other, span)) => {
                let message = format!("cannot minimise `{other}`");
                self.fault(span, "bad-objective", message, "\"value\" or \"cells\"");
                Objective::Value
            }
        }
    }

    fn rounding(&mut self, raw: &RawRounding) -> Option<RoundingSpec> {
        let base = *raw.base.get_ref();
        if base < 2 {
            let message = format!("rounding to {base} changes nothing");
            self.fault(raw.base.span(), "bad-base", message, "3, 5 and 10 are usual");
            return None;
        }
        Some(RoundingSpec { base })
    }

    fn cell_key(&mut self, raw: &RawCellKey) -> Option<CellKeySpec> {
        let (noise, variance) = (*raw.max_noise.get_ref(), *raw.variance.get_ref());
        if !(1..=50).contains(&noise) {
            let help = "a whole number from 1 to 50; 5 is usual";
            self.fault(raw.max_noise.span(), "bad-noise", "max_noise out of range".into(), help);
            return None;
        }
        let most = f64::from(noise * noise);
        if !(variance > 0.0 && variance < most) {
            let message = format!("the variance must lie between 0 and {most}");
            self.fault(raw.variance.span(), "bad-noise", message, "half of max_noise is usual");
            return None;
        }
        if raw.min_published > noise + 1 {
            let message = format!("min_published can be at most {} here", noise + 1);
            let help = "counts below it could not be moved out of the way; raise max_noise";
            self.fault(raw.max_noise.span(), "bad-noise", message, help);
            return None;
        }
        if raw.seed.get_ref().len() < 16 {
            let message = "the seed is shorter than 16 characters".to_owned();
            let help = "take a random one, keep it secret and never change it";
            self.fault(raw.seed.span(), "weak-seed", message, help);
            return None;
        }
        Some(CellKeySpec {
            seed: raw.seed.get_ref().clone(),
            max_noise: noise,
            min_published: raw.min_published,
            variance,
        })
    }
}
