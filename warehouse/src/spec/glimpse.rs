//! Whether the files of declarations have changed, by what the file system says of them: cheap
//! enough to look every few seconds, where reading them all is not.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where declarations are, below their root.
const FOLDERS: [&str; 2] = ["pipelines", "queries"];

/// The files of some declarations as they are at one instant: two that are equal show the same
/// files, and that none was written in between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glimpse(BTreeMap<PathBuf, Stamp>);

/// What changes when a file is written or another takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    written_at: (i64, i64),
    changed_at: (i64, i64),
}

/// Looks at the declarations below `root`, and at the files `beside` them. What is not there is
/// seen as not there.
///
/// # Errors
/// When something that is there cannot be looked at.
pub fn glimpse(root: Option<&Path>, beside: &[&Path]) -> io::Result<Glimpse> {
    let mut seen = Glimpse::default();
    let inside = root.into_iter().flat_map(|root| FOLDERS.map(|folder| root.join(folder)));
    for path in inside.chain(beside.iter().map(|path| path.to_path_buf())) {
        seen.look(path)?;
    }
    Ok(seen)
}

impl Glimpse {
    fn look(&mut self, path: PathBuf) -> io::Result<()> {
        let about = match std::fs::metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if about.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                self.look(entry?.path())?;
            }
        } else {
            let stamp = Stamp {
                inode: about.ino(),
                size: about.size(),
                written_at: (about.mtime(), about.mtime_nsec()),
                changed_at: (about.ctime(), about.ctime_nsec()),
            };
            self.0.insert(path, stamp);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_that_are_written_replaced_added_or_removed_look_other() {
        let folder = tempfile::tempdir().unwrap();
        let (marts, beside) =
            (folder.path().join("queries/marts"), folder.path().join("khoyte.toml"));
        fs::create_dir_all(&marts).unwrap();
        let (file, other) = (marts.join("a.sql"), folder.path().join("other"));
        let look = || glimpse(Some(folder.path()), &[&beside]).unwrap();
        let mut seen = vec![look()];
        let mut changes: Vec<Box<dyn Fn()>> = vec![
            Box::new(|| fs::write(&file, "SELECT 1").unwrap()),
            Box::new(|| fs::write(&file, "SELECT 22").unwrap()),
            Box::new(|| fs::rename(&other, &file).unwrap()),
            Box::new(|| fs::write(&beside, "").unwrap()),
            Box::new(|| fs::remove_file(&file).unwrap()),
        ];
        fs::write(&other, "SELECT 33").unwrap();
        assert_eq!(seen[0], look(), "a file that is nowhere in it does not count");
        for change in changes.drain(..) {
            change();
            seen.push(look());
            assert_eq!(seen[seen.len() - 1], look());
        }
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
    }
}
