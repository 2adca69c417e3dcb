//! The sign beside each simulated file, by which whoever reads it is told: see
//! [`connectors::files::sign`].

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use connectors::files::{hex, sign};
use sha2::{Digest, Sha256};

/// What is at a place before it is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// A file that a simulation wrote, by its sum.
    Simulated(String),
    Real,
}

impl Before {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let sum = match sum(path) {
            Ok(sum) => sum,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(error) => return Err(error),
        };
        let sign = fs::read_to_string(place(path));
        let is_ours = sign.is_ok_and(|sign| sign::is_about(&sign, &sum));
        Ok(if is_ours { Self::Simulated(sum) } else { Self::Real })
    }
}

/// Signs the bytes of this sum before they are put at `path`. What was simulated there before keeps
/// its sign until then.
pub(super) fn put(path: &Path, before: &Before, sum: &str) -> io::Result<()> {
    let old = match before {
        Before::Simulated(old) if old != sum => Some(old.as_str()),
        _ => None,
    };
    let place = place(path);
    let mut temporary = place.clone().into_os_string();
    temporary.push(".tmp");
    fs::write(&temporary, sign::text(old.into_iter().chain([sum])))?;
    fs::rename(temporary, place)
}

/// Where the sign of a file is.
pub(super) fn place(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(sign::name(&name))
}

/// SHA-256 of a file, in hex.
pub(super) fn sum(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}
