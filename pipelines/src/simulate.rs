//! Simulated sources: fills a folder with files of the layout of the public data folder, so that
//! the same contracts load them.
//!
//! For trying the product without data, and for tests: places come from the declared units, all
//! figures and persons are made up, and faults and identifiers are planted on purpose. The same
//! options give the same bytes.
//!
//! | file | one row is |
//! |---|---|
//! | `vn_admin_units/provinces_63_before_2025-07-01.csv` and two more | a province, its successor |
//! | `gso_population_2020/average_population_2020_by_province_63.csv` | a province |
//! | `vn_notifiable_diseases/notifiable_diseases_2011_2017.csv` | disease × month × province |
//! | `bhyt/NIGHT/*.xml`, of the night after the last day | some hundreds of insured visits: the first table of claims |
//! | `mo_phong/nhan_luc/nhan_vien.csv` | a health worker |
//!
//! [`by_contract`] fills servers and files of every kind instead, from the contracts alone.
//!
//! Beside each lies its sign, so that what is made from it is not taken for real (`sign`).
//!
//! These are *source-side* files. They hold simulated persons with names and numbers, as a source
//! system would, and so do the temporary names under which they are written; the folder belongs
//! outside the lake, and nothing here writes to a lake.
//!
//! The country looks like one. Ages and sexes are those of Viet Nam (`population`), days and months
//! have their rush and their seasons (`calendar`), facilities their classes (`facilities`), types of
//! care their costs and days (`care`), and the chronically ill come again (`patients`). Codes are of
//! the lists of their day: of provinces (`places`), diseases (`diagnoses`) and types of care. Visits
//! put these together (`visits`), for the files here and for [`by_contract`]. What those tables take
//! from elsewhere names its source; all else in them is assumed.
//!
//! Persons are recognisably false: identity and insurance serials begin with 99, telephones with
//! 0900, which no network has, and every street is called Mô Phỏng. All are of valid shape, so that
//! the leak scan has to find them.
//!
//! Nothing is drawn from real persons, and the figures are no estimate of anything.

pub mod by_contract;
mod calendar;
mod care;
mod claims;
mod diagnoses;
mod diseases;
mod facilities;
mod patients;
mod people;
mod places;
mod population;
mod random;
mod sign;
mod visits;
mod workforce;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use self::places::Places;
use self::write::Folder;

/// Insured visits on a day of the whole country, at scale 1.
pub const VISITS_PER_DAY: f64 = 500_000.0;
/// Health workers of the whole country, at scale 1.
const WORKERS: f64 = 450_000.0;
/// Identifiers remembered for tests; a national run plants millions.
const REMEMBERED: usize = 60_000;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// 1 is the whole country: 500,000 visits a day.
    pub scale: f64,
    /// The same seed gives the same files.
    pub seed: u64,
    /// Days of visits, ending with `end`.
    pub days: u32,
    /// The last simulated day.
    pub end: NaiveDate,
}

impl Options {
    /// A small country for a demonstration: about 20,000 visits in 30 days up to `end`.
    pub fn demo(end: NaiveDate) -> Self {
        Self { scale: 20_000.0 / VISITS_PER_DAY / 30.0, seed: 1, days: 30, end }
    }
}

/// The declared places, as CSV text.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// Text of `reference/don_vi.csv`.
    pub units_csv: &'a str,
    /// Text of `reference/ke_thua.csv`.
    pub successors_csv: &'a str,
}

/// How far the work is; reported at the start of each file and about every 10,000 rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file, or the folder of several, relative to the folder.
    pub file: &'a str,
    /// Rows written.
    pub rows: u64,
    /// Rows it will have.
    pub of: u64,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Files with their rows (without the header), in the order written.
    pub files: Vec<(PathBuf, u64)>,
    /// Faults planted, with how many rows have each, by name.
    pub faults: Vec<(&'static str, u64)>,
    /// Identifiers planted, each as it stands in a cell, sorted; at most some tens of thousands,
    /// of the first persons met. Names, numbers, cards, telephones, addresses, episode numbers and
    /// certificates; no birth dates, which other columns may hold by chance.
    pub planted: Vec<String>,
}

impl Summary {
    fn fault(&mut self, name: &'static str) {
        match self.faults.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => *rows += 1,
            None => self.faults.push((name, 1)),
        }
    }
}

/// Why nothing, or not everything, was simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// An option that makes no sense.
    #[error("cannot simulate: {0}")]
    Options(&'static str),
    /// The declared units cannot be read.
    #[error("the declared units cannot be read: {file}: {problem}")]
    Reference {
        /// Which of the two texts.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A server or the network refused.
    #[error(transparent)]
    Server(#[from] connectors::SourceError),
    /// A file of that name is there that no simulation made.
    #[error(
        "{path} is there and was not made by a simulation; nothing was written to it: name an \
         empty folder",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Made-up services cannot be served.
    #[error("cannot serve at this address")]
    Serve {
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file system refused.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// Writes all files below `dir`, each under a temporary name first and then renamed, so that a
/// reader sees a whole file or none. Files that are there are replaced.
///
/// # Errors
/// When the options or the declared units make no sense, or a file cannot be written.
pub fn simulate(
    dir: &Path,
    options: Options,
    reference: Reference<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary, SimulateError> {
    check(options)?;
    let places = Places::read(reference, options.seed)?;
    let mut run = Run {
        options,
        folder: Folder::new(dir),
        places: &places,
        progress,
        summary: Summary::default(),
        planted: BTreeSet::new(),
    };
    places.write(&mut run)?;
    diseases::write(&mut run)?;
    claims::write(&mut run)?;
    workforce::write(&mut run)?;
    let Run { mut summary, planted, .. } = run;
    summary.faults.sort_unstable();
    summary.planted = planted.into_iter().collect();
    Ok(summary)
}

/// The identifiers that [`simulate`] would plant with these options, without writing anything.
///
/// # Errors
/// As [`simulate`].
pub fn planted(options: Options, reference: Reference<'_>) -> Result<Vec<String>, SimulateError> {
    check(options)?;
    let places = Places::read(reference, options.seed)?;
    let mut run = Run {
        options,
        folder: Folder::nowhere(),
        places: &places,
        progress: &mut |_| {},
        summary: Summary::default(),
        planted: BTreeSet::new(),
    };
    claims::write(&mut run)?;
    workforce::write(&mut run)?;
    Ok(run.planted.into_iter().collect())
}

fn check(options: Options) -> Result<(), SimulateError> {
    let wrong = |problem| Err(SimulateError::Options(problem));
    if !(options.scale > 0.0 && options.scale <= 10.0) {
        return wrong("the scale must be above 0 and at most 10");
    }
    if !(1..=3660).contains(&options.days) {
        return wrong("the number of days must be from 1 to 3,660");
    }
    let range = NaiveDate::from_ymd_opt(2010, 1, 1)..=NaiveDate::from_ymd_opt(2099, 12, 31);
    if !range.contains(&Some(options.end)) {
        return wrong("the last day must lie between 2010 and 2099");
    }
    Ok(())
}

/// What the parts of one simulation share.
struct Run<'a> {
    options: Options,
    folder: Folder,
    places: &'a Places,
    progress: &'a mut dyn FnMut(Progress<'_>),
    summary: Summary,
    planted: BTreeSet<String>,
}

impl Run<'_> {
    /// Writes one file of `of` rows; `row` gives each of them to the writer, one or more times.
    fn file(
        &mut self,
        name: &'static str,
        header: &[&str],
        of: u64,
        mut row: impl FnMut(u64, &mut Self) -> Vec<Vec<String>>,
    ) -> Result<(), SimulateError> {
        let mut file = self.folder.create(name)?;
        file.record(header)?;
        let mut rows = 0;
        for index in 0..of {
            if index % 10_000 == 0 {
                self.progress(name, index, of);
            }
            for record in row(index, self) {
                file.record(&record)?;
                rows += 1;
            }
        }
        file.finish()?;
        self.progress(name, of, of);
        self.summary.files.push((PathBuf::from(name), rows));
        Ok(())
    }

    /// Writes a file of `rows` as a source sends it: whole, with the sign that it is complete.
    fn bundle(&mut self, name: &str, bytes: &[u8], rows: u64) -> Result<(), SimulateError> {
        self.folder.put(name, bytes)?;
        self.summary.files.push((PathBuf::from(name), rows));
        Ok(())
    }

    fn progress(&mut self, file: &str, rows: u64, of: u64) {
        (self.progress)(Progress { file, rows, of });
    }

    fn plant(&mut self, identifiers: &[&str]) {
        if self.planted.len() < REMEMBERED {
            let whole = identifiers.iter().filter(|one| !one.is_empty());
            self.planted.extend(whole.map(|one| (*one).to_owned()));
        }
    }

    /// How many of something there are at this scale, at least `least`.
    fn scaled(&self, country: f64, least: u64) -> u64 {
        // At most ten countries over ten years: far below 2^53.
        ((country * self.options.scale).round() as u64).max(least)
    }
}

#[cfg(test)]
mod tests;
