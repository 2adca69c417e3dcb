//! Checking a public folder, a mirror of it or one downloaded version against its sums, offline.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::assemble::hex;
use super::shelf::Version;

const SUMS: &str = "SHA256SUMS";

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Versions checked: folders with a `SHA256SUMS`.
    pub versions: u64,
    /// Files whose sum was computed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What does not agree, sorted by path.
    pub faults: Vec<VerifyFault>,
}

impl VerifyReport {
    /// Whether there was something to check and all of it agrees.
    pub fn is_sound(&self) -> bool {
        self.versions > 0 && self.faults.is_empty()
    }
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifyFault {
    /// The file or folder, relative to the folder checked.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: VerifyProblem,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum VerifyProblem {
    /// It is listed and not there.
    #[error("is missing")]
    Missing,
    /// Its bytes are not those that were released.
    #[error("was changed")]
    Changed,
    /// It stands in a version's folder and is not listed.
    #[error("is not listed")]
    Unlisted,
    /// The list itself cannot be read.
    #[error("cannot be read as a list")]
    Unreadable,
}

/// A check that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", .path.display())]
pub struct VerifyError {
    /// What could not be read.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> VerifyError {
    let path = path.to_owned();
    move |source| VerifyError { path, source }
}

/// Recomputes every sum below `folder`: a public folder, one dataset or one version.
///
/// # Errors
/// When `folder` or something in it cannot be read.
pub fn verify(folder: &Path) -> Result<VerifyReport, VerifyError> {
    let mut report = VerifyReport::default();
    let files = files_below(folder)?;
    for file in &files {
        match file.file_name().and_then(|name| name.to_str()) {
            Some(SUMS) => check_version(folder, file, &files, &mut report)?,
            Some("versions.json") => check_list(folder, file, &mut report)?,
            _ => {}
        }
    }
    report.faults.sort();
    Ok(report)
}

/// All files, relative to `folder`, sorted; a release's work area is not part of it.
fn files_below(folder: &Path) -> Result<BTreeSet<PathBuf>, VerifyError> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(inside) = waiting.pop() {
        let path = folder.join(&inside);
        for entry in fs::read_dir(&path).map_err(unreadable(&path))? {
            let entry = entry.map_err(unreadable(&path))?;
            let relative = inside.join(entry.file_name());
            if entry.file_type().map_err(unreadable(&entry.path()))?.is_dir() {
                if !entry.file_name().to_string_lossy().starts_with(".staging-") {
                    waiting.push(relative);
                }
            } else {
                found.insert(relative);
            }
        }
    }
    Ok(found)
}

fn check_version(
    root: &Path,
    sums: &Path,
    files: &BTreeSet<PathBuf>,
    report: &mut VerifyReport,
) -> Result<(), VerifyError> {
    report.versions += 1;
    let folder = sums.parent().unwrap_or(Path::new(""));
    let path = root.join(sums);
    let bytes = fs::read(&path).map_err(unreadable(&path))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut listed = BTreeSet::from([sums.to_owned()]);
    let mut fault = |path: &Path, problem| {
        report.faults.push(VerifyFault { path: path.to_owned(), problem });
    };
    for line in text.lines() {
        let Some((sum, name)) = line.split_once("  ").filter(|(_, name)| is_inside(name)) else {
            fault(sums, VerifyProblem::Unreadable);
            continue;
        };
        let file = folder.join(name);
        if !files.contains(&file) {
            fault(&file, VerifyProblem::Missing);
        } else {
            let path = root.join(&file);
            let (actual, size) = sum_of(&path).map_err(unreadable(&path))?;
            report.files += 1;
            report.bytes += size;
            if actual != sum {
                fault(&file, VerifyProblem::Changed);
            }
        }
        listed.insert(file);
    }
    for file in files.iter().filter(|file| file.starts_with(folder) && !listed.contains(*file)) {
        fault(file, VerifyProblem::Unlisted);
    }
    Ok(())
}

/// A list of sums may only speak of what is beside or below it.
fn is_inside(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn sum_of(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), size));
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
}

/// Every version that a dataset lists must be there.
fn check_list(root: &Path, list: &Path, report: &mut VerifyReport) -> Result<(), VerifyError> {
    let path = root.join(list);
    let bytes = fs::read(&path).map_err(unreadable(&path))?;
    let Ok(versions) = serde_json::from_slice::<Vec<Version>>(&bytes) else {
        let path = list.to_owned();
        report.faults.push(VerifyFault { path, problem: VerifyProblem::Unreadable });
        return Ok(());
    };
    for version in versions {
        let folder = list.with_file_name(format!("v{}", version.version));
        if !root.join(&folder).join(SUMS).is_file() {
            report.faults.push(VerifyFault { path: folder, problem: VerifyProblem::Missing });
        }
    }
    Ok(())
}
