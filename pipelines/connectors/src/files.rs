//! Which files hold a table, whether they are complete, and reading them so that a file that
//! changes meanwhile is noticed.
//!
//! A [`Request`]'s place names a file (`kcb/luot_kham.csv`), all files of a folder (`bhyt/`), or
//! those of a folder whose name begins and ends as a pattern says (`bhyt/*.xml`). Files whose name
//! begins with a dot, and the signs named below, are never rows.
//!
//! The setting `complete` says how the sender shows that a file is whole:
//!
//! | value | a file counts when |
//! |---|---|
//! | `always` (the default) | it is there |
//! | `marker` | a file of its name with `.done` behind it, or `_SUCCESS`, lies beside it |
//! | `manifest` | `SHA256SUMS` in its folder names it; bytes that are not those are refused |
//! | `stable` | it has not been written to for a minute |
//!
//! What is not complete waits for a later night: it is as if it were not there. A manifest is an
//! account of the whole folder, so a file that it names and that is missing makes all wait.
//!
//! A file is summed once for each state of it, whoever asks how often: see [`sums`]. That it did not
//! change while it was read is seen by the same state of the open file; only where that is another,
//! or too young to stand for anything, the bytes are summed again.
//!
//! A file that a simulation wrote has a sign beside it: see [`sign`].
//!
//! The folder may be a prefix of an object store as well, whose objects have a name for their bytes:
//! see [`Root`] and [`Bucket`].

mod bucket;
mod chunks;
mod root;
mod s3;
pub mod sign;
mod sums;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

pub use self::bucket::Bucket;
pub(crate) use self::chunks::Chunks;
pub use self::root::Root;
use self::root::{At, Found, View};
pub use self::s3::S3;
use self::sums::State;
pub(crate) use self::sums::Sum;
use crate::{Request, SourceError};

/// A file that was written to more recently may still grow.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// What follows a file's name in the name of its marker.
const MARKER: &str = ".done";

/// The marker of a whole folder.
const FOLDER_MARKER: &str = "_SUCCESS";

/// The manifest of a folder, in the form of `sha256sum`.
const MANIFEST: &str = "SHA256SUMS";

/// The complete files of a table, by name.
#[derive(Debug, Clone)]
pub struct FileSet {
    files: Vec<TableFile>,
    is_simulated: bool,
}

/// One file, and the bytes that it held when it was looked at.
#[derive(Debug, Clone)]
pub struct TableFile {
    /// Path below the sources' folder.
    pub place: String,
    at: At,
    sum: Sum,
    /// Stands for the sum of a file of this machine.
    state: Option<State>,
}

impl FileSet {
    /// Finds the files of a table and takes the sum of each; `None` where none is there and
    /// complete.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, or is not what its manifest says.
    pub fn find(root: impl Into<Root>, request: &Request) -> Result<Option<Self>, SourceError> {
        let root = &View::new(root.into());
        let named = named(root, &request.place)?;
        let named = match request.setting("complete", "always") {
            "always" => named,
            "marker" => marked(root, named)?,
            "stable" => stable(root, named)?,
            "manifest" => match listed(root, &request.place, named)? {
                Some(named) => named,
                None => return Ok(None),
            },
            _ => {
                return Err(SourceError::Setting {
                    place: request.place.clone(),
                    setting: "complete".to_owned(),
                    what: "is none of always, marker, manifest and stable".to_owned(),
                });
            }
        };
        let mut files = Vec::with_capacity(named.len());
        let mut is_simulated = false;
        for place in named {
            let found = root.at(&place).and_then(|at| Ok((at.sum()?, at)));
            let ((sum, state), at) = found.map_err(|source| failed(&place, source))?;
            is_simulated |= has_sign(root, &place, &sum)?;
            files.push(TableFile { place, at, sum, state });
        }
        if request.setting("complete", "always") == "manifest" {
            refuse_others(root, &request.place, &files)?;
        }
        Ok(if files.is_empty() { None } else { Some(Self { files, is_simulated }) })
    }

    /// The files, by name.
    pub fn files(&self) -> &[TableFile] {
        &self.files
    }

    /// Whether a simulation wrote one of the files.
    pub fn is_simulated(&self) -> bool {
        self.is_simulated
    }

    /// SHA-256 in hex of what the files hold. Of a single file, whatever it is called, that of its
    /// bytes; of several, of their names and sums.
    pub fn known(&self) -> String {
        match self.files.as_slice() {
            [only] => hex(&only.sum),
            several => {
                let mut text = String::new();
                for file in several {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "{}  {}", hex(&file.sum), file.place);
                }
                hex(&Sha256::digest(text))
            }
        }
    }
}

impl TableFile {
    /// A reader from the beginning, which ends with an error where the bytes are not those of
    /// before: see [`changed`].
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self) -> Result<Unchanged, SourceError> {
        let open = self.chunks(0)?;
        let begun = open.reader().and_then(|reader| Ok((reader, self.stands(&open)?)));
        let (reader, stands) = begun.map_err(|source| read_error(&self.place, source))?;
        let sum = (!stands).then(Sha256::new);
        Ok(Unchanged { reader, open, found: self.clone(), sum, at_end: false })
    }

    /// The open file, for those who jump about in it; they ask [`Self::check_open`] at the end. Of an
    /// object, `kept` blocks stay in memory; who only goes forward needs one.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn chunks(&self, kept: usize) -> Result<Chunks, SourceError> {
        match &self.at {
            At::Path(path) => match File::open(path) {
                Ok(file) => Ok(Chunks::File(Arc::new(file))),
                Err(source) => Err(read_error(&self.place, source)),
            },
            At::Object(object) => Ok(Chunks::of(object.clone(), kept)),
        }
    }

    /// Reads the whole file, where it may be so large.
    ///
    /// # Errors
    /// When it is larger than `most` bytes, cannot be read, or changed.
    pub fn bytes(&self, most: u64) -> Result<Vec<u8>, SourceError> {
        let size = match &self.at {
            At::Path(path) => std::fs::metadata(path).map(|meta| meta.len()),
            At::Object(object) => Ok(object.meta.size),
        };
        if size.map_err(|source| read_error(&self.place, source))? > most {
            return Err(SourceError::Bound {
                place: self.place.clone(),
                what: "is larger than it may be",
                bound: format!("{} MiB", most >> 20),
            });
        }
        let mut bytes = Vec::new();
        let mut reader = self.reader()?;
        reader.read_to_end(&mut bytes).map_err(|error| self.failed(error))?;
        Ok(bytes)
    }

    /// Whether the file holds what it held when it was found.
    ///
    /// # Errors
    /// When it cannot be read, or changed.
    pub fn check(&self) -> Result<(), SourceError> {
        self.check_open(&self.chunks(0)?)
    }

    /// The same of the file that was opened.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) fn check_open(&self, open: &Chunks) -> Result<(), SourceError> {
        match self.holds(open) {
            Ok(true) => Ok(()),
            Ok(false) => Err(SourceError::Changed { place: self.place.clone() }),
            Err(source) => Err(read_error(&self.place, source)),
        }
    }

    fn holds(&self, open: &Chunks) -> io::Result<bool> {
        match open {
            Chunks::File(file) => Ok(self.stands(open)? || sums::digest(file)? == self.sum),
            Chunks::Object(blocks) => blocks.is_same(),
        }
    }

    /// The sum of its bytes, where something stands for it: who reads the file and finds it
    /// unchanged has read these bytes.
    pub(crate) fn settled_sum(&self) -> Option<Sum> {
        match &self.at {
            At::Path(_) => self.state.map(|_| self.sum),
            At::Object(_) => Some(self.sum),
        }
    }

    /// Whether its state says that it holds what it held. What a store gave is summed while it is
    /// read, since that takes longer.
    fn stands(&self, open: &Chunks) -> io::Result<bool> {
        match open {
            Chunks::File(file) => {
                Ok(self.state.is_some() && self.state == Some(State::of(&file.metadata()?)))
            }
            Chunks::Object(_) => Ok(false),
        }
    }

    /// What a failure of [`Self::reader`] means.
    pub fn failed(&self, error: io::Error) -> SourceError {
        failed(&self.place, error)
    }
}

fn failed(place: &str, error: io::Error) -> SourceError {
    if changed(&error) {
        SourceError::Changed { place: place.to_owned() }
    } else {
        read_error(place, error)
    }
}

/// Whether a reader's error says that its file changed.
pub fn changed(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<ChangedFile>())
}

#[derive(Debug, thiserror::Error)]
#[error("the file changed while it was read")]
struct ChangedFile;

/// Reads a file and looks at the end whether it changed. What is read before the end may be of a file
/// that changed: it must not be kept where the end is an error.
pub struct Unchanged {
    reader: Box<dyn Read + Send>,
    open: Chunks,
    found: TableFile,
    /// Of what was read, where no state stood for the sum in the beginning.
    sum: Option<Sha256>,
    at_end: bool,
}

impl Read for Unchanged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Some(sum) = &mut self.sum {
            sum.update(&buffer[..read]);
        }
        if read == 0 && !buffer.is_empty() && !self.at_end {
            self.at_end = true;
            let holds = match self.sum.take() {
                Some(sum) => Sum::from(sum.finalize()) == self.found.sum,
                None => self.found.holds(&self.open)?,
            };
            if !holds {
                return Err(io::Error::other(ChangedFile));
            }
        }
        Ok(read)
    }
}

fn read_error(place: &str, source: io::Error) -> SourceError {
    SourceError::Read { place: place.to_owned(), source }
}

/// The bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Paths below the root.
type Named = Vec<String>;

/// The files that a place names, by name. A folder that may not be read is an error, one that is not
/// there names nothing.
fn named(root: &View, place: &str) -> Result<Named, SourceError> {
    let (folder, last) = split(place);
    let whole_folder = last.is_empty() || last.contains('*');
    if !whole_folder {
        return match root.look(place).map_err(|error| read_error(place, error))? {
            Found::Nothing => Ok(Vec::new()),
            Found::File => Ok(vec![place.to_owned()]),
            Found::Folder => Err(read_error(place, io::ErrorKind::IsADirectory.into())),
        };
    }
    let (begin, end) = last.split_once('*').unwrap_or(("", last));
    let fits = |name: &str| {
        let is_sign = name.starts_with('.')
            || name.ends_with(MARKER)
            || [FOLDER_MARKER, MANIFEST].contains(&name);
        let is_long_enough = name.len() >= begin.len() + end.len();
        is_long_enough && name.starts_with(begin) && name.ends_with(end) && !is_sign
    };
    let names = root.names(folder, fits).map_err(|error| read_error(place, error))?;
    Ok(names.iter().map(|name| join(folder, name)).collect())
}

fn split(place: &str) -> (&str, &str) {
    place.rsplit_once('/').unwrap_or(("", place))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether a sign beside the file says that a simulation wrote these bytes.
fn has_sign(root: &View, place: &str, sum: &Sum) -> Result<bool, SourceError> {
    let (folder, name) = split(place);
    let at = join(folder, &sign::name(name));
    let text = root.text(&at).map_err(|error| failed(&at, error))?;
    Ok(text.is_some_and(|text| sign::is_about(&text, &hex(sum))))
}

fn marked(root: &View, named: Named) -> Result<Named, SourceError> {
    let mut kept = Vec::new();
    for place in named {
        let of_folder = join(split(&place).0, FOLDER_MARKER);
        let own = root.is_there(&format!("{place}{MARKER}"));
        let found = own.and_then(|own| Ok(own || root.is_there(&of_folder)?));
        if found.map_err(|source| read_error(&place, source))? {
            kept.push(place);
        }
    }
    Ok(kept)
}

fn stable(root: &View, named: Named) -> Result<Named, SourceError> {
    let now = SystemTime::now();
    let mut kept = Vec::new();
    for place in named {
        let written = root.written(&place).map_err(|source| read_error(&place, source))?;
        // A time to come is a clock that is wrong; the file is not being written to.
        if now.duration_since(written).map_or(true, |age| age >= STABLE_AFTER) {
            kept.push(place);
        }
    }
    Ok(kept)
}

/// Name → sum, as the manifest of the place's folder says; `None` where there is none.
fn manifest(root: &View, place: &str) -> Result<Option<BTreeMap<String, String>>, SourceError> {
    let shown = join(split(place).0, MANIFEST);
    let text = root.text(&shown).map_err(|error| failed(&shown, error))?;
    let Some(text) = text else { return Ok(None) };
    let mut sums = BTreeMap::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (sum, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = name.trim_start().trim_start_matches('*').trim_start_matches("./");
        if sum.len() != 64 || !sum.bytes().all(|b| b.is_ascii_hexdigit()) || name.is_empty() {
            return Err(SourceError::Malformed {
                place: shown,
                format: "SHA256SUMS",
                at: format!("in line {}", at + 1),
                what: "a line is a sum of 64 hexadecimal digits, two spaces and a name".to_owned(),
            });
        }
        sums.insert(name.to_owned(), sum.to_ascii_lowercase());
    }
    Ok(Some(sums))
}

/// The named files that the manifest lists; `None` while one of those that it lists is missing.
fn listed(root: &View, place: &str, named: Named) -> Result<Option<Named>, SourceError> {
    let Some(sums) = manifest(root, place)? else { return Ok(None) };
    let folder = split(place).0;
    for name in sums.keys() {
        let listed = join(folder, name);
        if !root.is_there(&listed).map_err(|source| read_error(&listed, source))? {
            return Ok(None);
        }
    }
    Ok(Some(named.into_iter().filter(|place| sums.contains_key(split(place).1)).collect()))
}

fn refuse_others(root: &View, place: &str, files: &[TableFile]) -> Result<(), SourceError> {
    let sums = manifest(root, place)?.unwrap_or_default();
    let other = files.iter().find(|file| sums.get(split(&file.place).1) != Some(&hex(&file.sum)));
    match other {
        None => Ok(()),
        Some(file) => Err(SourceError::Malformed {
            place: file.place.clone(),
            format: "file",
            at: "as a whole".to_owned(),
            what: format!("its bytes are not those that {MANIFEST} names; have it sent again"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use super::*;

    fn request(place: &str, complete: &str) -> Request {
        let settings = BTreeMap::from([("complete".to_owned(), complete.to_owned())]);
        Request { place: place.to_owned(), columns: Vec::new(), span: None, settings }
    }

    fn places(root: &Path, place: &str, complete: &str) -> Vec<String> {
        let found = FileSet::find(root, &request(place, complete)).unwrap();
        found.into_iter().flat_map(|set| set.files).map(|file| file.place).collect()
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_place_is_a_file_a_folder_or_a_pattern() {
        let folder = folder(&[("b/2.xml", ""), ("b/1.xml", ""), ("b/x.csv", ""), ("b/.tmp", "")]);
        let root = folder.path();
        assert_eq!(places(root, "b/1.xml", "always"), ["b/1.xml"]);
        assert_eq!(places(root, "b/", "always"), ["b/1.xml", "b/2.xml", "b/x.csv"]);
        assert_eq!(places(root, "b/*.xml", "always"), ["b/1.xml", "b/2.xml"]);
        assert!(places(root, "c/", "always").is_empty());
        assert!(FileSet::find(root, &request("b", "always")).is_err());
        assert!(FileSet::find(root, &request("b/", "later")).is_err());
    }

    #[test]
    fn what_is_not_complete_waits() {
        let folder = folder(&[("b/1.csv", "x"), ("b/2.csv", "y"), ("b/2.csv.done", "")]);
        let root = folder.path();
        assert_eq!(places(root, "b/", "marker"), ["b/2.csv"]);
        assert!(places(root, "b/", "stable").is_empty());
        let old = SystemTime::now() - Duration::from_secs(120);
        File::options().write(true).open(root.join("b/1.csv")).unwrap().set_modified(old).unwrap();
        assert_eq!(places(root, "b/*.csv", "stable"), ["b/1.csv"]);
        std::fs::write(root.join("b/_SUCCESS"), "").unwrap();
        assert_eq!(places(root, "b/", "marker"), ["b/1.csv", "b/2.csv"]);
    }

    #[test]
    fn a_manifest_lists_what_counts_and_its_bytes() {
        let folder = folder(&[("b/1.csv", "x"), ("b/2.csv", "y")]);
        let root = folder.path();
        assert!(places(root, "b/", "manifest").is_empty());
        let line = |text: &str, name: &str| format!("{}  {name}\n", hex(&Sha256::digest(text)));
        let write = |text: String| std::fs::write(root.join("b/SHA256SUMS"), text).unwrap();
        write(line("x", "1.csv"));
        assert_eq!(places(root, "b/", "manifest"), ["b/1.csv"]);
        write(line("x", "1.csv") + &line("z", "3.csv"));
        assert!(places(root, "b/", "manifest").is_empty());
        write(line("other", "1.csv"));
        let error = FileSet::find(root, &request("b/", "manifest")).unwrap_err();
        assert!(error.to_string().contains("SHA256SUMS"), "{error}");
        write("no sum\n".to_owned());
        assert!(FileSet::find(root, &request("b/", "manifest")).is_err());
    }

    #[test]
    fn a_real_file_in_the_place_of_a_simulated_one_is_real() {
        let folder = folder(&[("b/1.csv", "x"), ("b/2.csv", "y")]);
        let is_simulated = |place: &str| {
            let set = FileSet::find(folder.path(), &request(place, "always")).unwrap().unwrap();
            set.is_simulated()
        };
        assert!(!is_simulated("b/1.csv"));
        let sum = hex(&Sha256::digest("x"));
        std::fs::write(folder.path().join("b/.1.csv.mo_phong"), sign::text([&*sum])).unwrap();
        assert!(is_simulated("b/1.csv") && !is_simulated("b/2.csv"));
        assert!(is_simulated("b/"), "one of several is enough");
        std::fs::write(folder.path().join("b/1.csv"), "thật").unwrap();
        assert!(!is_simulated("b/1.csv") && !is_simulated("b/"));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_noticed() {
        let folder = folder(&[("1.csv", "abc")]);
        let set = FileSet::find(folder.path(), &request("1.csv", "always")).unwrap().unwrap();
        let file = &set.files()[0];
        assert_eq!(file.bytes(10).unwrap(), b"abc");
        assert!(file.bytes(2).is_err());
        let mut more = File::options().append(true).open(folder.path().join("1.csv")).unwrap();
        more.write_all(b"d").unwrap();
        let error = file.bytes(10).unwrap_err();
        assert!(matches!(error, SourceError::Changed { .. }), "{error}");
        assert!(matches!(file.check().unwrap_err(), SourceError::Changed { .. }));
    }
}
