//! Which runs of the program are alive, so that a query whose run was killed is known for
//! interrupted and one that still runs elsewhere is left alone.
//!
//! Each run has a random number and holds a lock on it until it ends, however it ends: on a file
//! beside an SQLite file, by an advisory lock of the writing connection on a server. Whoever can
//! take the lock of a run knows that nobody holds it. Nothing depends on clocks.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::AnyConnection;

use super::error::{StateError, failed};
use super::queries::INTERRUPTED;
use super::room;

/// This run of the program.
pub(super) struct Run {
    pub(super) id: i64,
    /// For an SQLite file: the lock, and where it lies.
    lock: Option<(File, PathBuf)>,
}

impl Run {
    /// A new run; beside an SQLite file it is alive from now on, on a server once a connection
    /// has said so ([`hold`]).
    pub(super) fn begin(file: Option<&Path>) -> Result<Self, StateError> {
        let id = i64::from_be_bytes(room::random()?);
        let Some(file) = file else { return Ok(Self { id, lock: None }) };
        let path = beside(file, &format!("-run-{id:016x}"));
        let lock =
            lock_file(&path).and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| {
                StateError::Open { place: path.display().to_string(), cause: (&error).into() }
            })?;
        Ok(Self { id, lock: Some((lock, path)) })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.lock {
            // What is left behind is removed by the next run that opens the state.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A file that is only locked, never written.
pub(super) fn lock_file(path: &Path) -> std::io::Result<File> {
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The path with `suffix` at its end.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Takes the lock of a run on a server; false where another connection holds it.
pub(super) async fn hold(connection: &mut AnyConnection, run: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(run).fetch_one(connection).await
}

/// Marks the unfinished queries of runs that are over.
pub(super) async fn sweep(
    connection: &mut AnyConnection,
    file: Option<&Path>,
    ours: i64,
) -> Result<(), StateError> {
    let failed = failed("mark the queries of runs that were killed");
    let runs: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT tien_trinh FROM truy_van WHERE ket_qua IS NULL AND tien_trinh <> $1",
    )
    .bind(ours)
    .fetch_all(&mut *connection)
    .await
    .map_err(&failed)?;
    for run in runs {
        let over = match file {
            Some(file) => is_over(&beside(file, &format!("-run-{run:016x}"))),
            None => hold(connection, run).await.map_err(&failed)?,
        };
        if !over {
            continue;
        }
        let marked = sqlx::query(
            "UPDATE truy_van SET ket_qua = $1 WHERE tien_trinh = $2 AND ket_qua IS NULL",
        )
        .bind(INTERRUPTED)
        .bind(run)
        .execute(&mut *connection)
        .await
        .map_err(&failed)?;
        tracing::info!(queries = marked.rows_affected(), "marked as interrupted by a killed run");
        if file.is_none() {
            let release = "SELECT pg_advisory_unlock($1)";
            sqlx::query(release).bind(run).execute(&mut *connection).await.map_err(&failed)?;
        }
    }
    if let Some(file) = file {
        tidy_up(file);
    }
    Ok(())
}

/// Whether nobody holds the lock. What cannot be opened, another user's say, counts as held.
fn is_over(path: &Path) -> bool {
    match std::fs::OpenOptions::new().write(true).open(path) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Removes the lock files of runs that are over. Runs begin under the lock of opening, as this
/// does, so none is between making its file and locking it.
fn tidy_up(file: &Path) {
    let prefix = beside(file, "-run-");
    let (Some(folder), Some(prefix)) = (file.parent(), prefix.file_name()) else { return };
    let prefix = prefix.as_encoded_bytes();
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let left = entry.file_name().as_encoded_bytes().starts_with(prefix);
        if left && is_over(&entry.path()) {
            // Still there at the next opening, if not now.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
