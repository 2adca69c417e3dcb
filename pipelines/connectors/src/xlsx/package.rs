//! The archive that a workbook is, checked before anybody unpacks it in earnest.
//!
//! The reader of workbooks knows no bounds: it trusts the archive. So each part is unpacked here
//! first, through a counter, and those that the reader could take in are looked at (see
//! [`super::part`]). The reader then unpacks the same bytes with the same code, so that what was
//! counted is what it gets.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{FORMAT, Limits, part};
use crate::SourceError;

/// How a ZIP archive with something in it begins.
const ZIP: &[u8] = b"PK\x03\x04";

/// How an entry of a ZIP archive's directory begins.
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";

/// How OLE files begin: old workbooks, and new ones within a password's envelope.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Up to this size the ratio says nothing.
const RATIO_FROM: u64 = 1 << 20;

/// Refuses what is no workbook or would unpack to more than it may.
pub(super) fn check(place: &str, bytes: &[u8], limits: &Limits) -> Result<(), SourceError> {
    let package = Package { place, limits };
    package.check_kind(bytes)?;
    // Counted before the directory is read, since reading it takes memory for each of them.
    let entries = bytes.windows(4).filter(|window| *window == DIRECTORY_ENTRY).count();
    if entries > limits.parts {
        return Err(package.bound("has more parts than it may", limits.parts.to_string()));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| {
        package.malformed(
            "its directory cannot be read; it was cut short, or is no workbook; have it sent again",
        )
    })?;
    if archive.has_duplicate_names() {
        return Err(package.malformed("it has two parts of one name; save it again"));
    }
    package.check_directory(&archive)?;
    let mut total = 0;
    for index in 0..archive.len() {
        total += package.unpack(&mut archive, index, total)?;
    }
    Ok(())
}

struct Package<'a> {
    place: &'a str,
    limits: &'a Limits,
}

impl Package<'_> {
    fn check_kind(&self, bytes: &[u8]) -> Result<(), SourceError> {
        if bytes.starts_with(ZIP) {
            return Ok(());
        }
        if !bytes.starts_with(OLE) {
            return Err(self.malformed("it is no workbook; have the .xlsx itself sent"));
        }
        // The name of the envelope's content stands in its directory, as UTF-16.
        let name: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
        if bytes.windows(name.len()).any(|window| window == name) {
            return Err(self.malformed("it is locked with a password; have it sent without one"));
        }
        Err(self.malformed("it is an old .xls; open it and save it as .xlsx"))
    }

    /// What the directory itself says.
    fn check_directory(&self, archive: &ZipArchive<Cursor<&[u8]>>) -> Result<(), SourceError> {
        let mut total = 0u64;
        let mut names = HashSet::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(|error| self.failed(&error))?;
            let Ok(name) = entry.name() else {
                return Err(self.malformed("a part's name is no text; save it again"));
            };
            if leads_out(&name) {
                return Err(
                    self.malformed("a part's name leads out of it; it is no honest workbook")
                );
            }
            if entry.encrypted() {
                return Err(self.malformed("a part is encrypted; have it sent without a password"));
            }
            // The reader finds parts whatever their case and slashes.
            if !names.insert(name.replace('\\', "/").to_ascii_lowercase()) {
                return Err(self.malformed("it has two parts of one name; save it again"));
            }
            total = total.saturating_add(entry.size());
            self.bounds(entry.size(), entry.compressed_size(), total)?;
        }
        Ok(())
    }

    /// Unpacks a part, and says how large it is; `before` is the size of those before it.
    fn unpack(
        &self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
        before: u64,
    ) -> Result<u64, SourceError> {
        let mut entry = archive.by_index(index).map_err(|error| self.failed(&error))?;
        let (declared, packed) = (entry.size(), entry.compressed_size());
        let name = entry.name().map_err(|error| self.failed(&error))?.into_owned();
        // One byte more than it may have shows that it has more.
        let most = self.limits.part_bytes.min(self.limits.total_bytes.saturating_sub(before));
        let mut bounded = (&mut entry).take(most.min(self.by_ratio(packed)).saturating_add(1));
        let mut bytes = Vec::new();
        let is_text = part::is_text(&name);
        let read = if is_text {
            bounded.read_to_end(&mut bytes).map(|read| read as u64)
        } else {
            std::io::copy(&mut bounded, &mut std::io::sink())
        };
        let size = read.map_err(|_| {
            self.malformed("a part of it is damaged; have it sent again, or save it again")
        })?;
        self.bounds(size, packed, before.saturating_add(size))?;
        if size != declared {
            return Err(self.malformed("a part has another size than its directory says"));
        }
        if is_text {
            part::check(&name, &bytes).map_err(|what| self.malformed(what))?;
        }
        Ok(size)
    }

    fn bounds(&self, size: u64, packed: u64, total: u64) -> Result<(), SourceError> {
        let Limits { part_bytes, total_bytes, ratio, .. } = *self.limits;
        if size > part_bytes {
            let bound = format!("{} MiB", part_bytes >> 20);
            return Err(self.bound("has a part that unpacks to more than it may", bound));
        }
        if size > self.by_ratio(packed) {
            let bound = format!("{ratio} times the packed size");
            return Err(self.bound("has a part that unpacks to more than it may", bound));
        }
        if total > total_bytes {
            let bound = format!("{} MiB", total_bytes >> 20);
            return Err(self.bound("unpacks to more than it may", bound));
        }
        Ok(())
    }

    fn by_ratio(&self, packed: u64) -> u64 {
        packed.saturating_mul(self.limits.ratio).max(RATIO_FROM)
    }

    fn failed(&self, error: &ZipError) -> SourceError {
        self.malformed(match error {
            ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
                "a part is packed as no workbook is; save it again with Excel or LibreOffice"
            }
            _ => "a part of it is damaged; have it sent again, or save it again",
        })
    }

    fn malformed(&self, what: &str) -> SourceError {
        SourceError::Malformed {
            place: self.place.to_owned(),
            format: FORMAT,
            at: "as a whole".to_owned(),
            what: what.to_owned(),
        }
    }

    fn bound(&self, what: &'static str, bound: String) -> SourceError {
        SourceError::Bound { place: self.place.to_owned(), what, bound }
    }
}

fn leads_out(name: &str) -> bool {
    let mut steps = name.split(['/', '\\']);
    name.starts_with(['/', '\\']) || name.contains([':', '\0']) || steps.any(|step| step == "..")
}
