//! Rows in the place of some others, wherever these lie: a correction writes what is corrected, and
//! the files of before stay as they are. Which of their rows no longer count stands in the log.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::Arc;

use deltalake_core::kernel::transaction::CommitBuilder;
use deltalake_core::kernel::{Action, Add, LogicalFileView};
use deltalake_core::operations::write::writer::{DeltaWriter, WriterConfig};
use deltalake_core::protocol::DeltaOperation;
use deltalake_core::table::config::TablePropertiesExt;
use deltalake_core::{DeltaTable, DeltaTableError};
use roaring::RoaringTreemap;

use super::places::{self, Places};
use super::{Lake, Note, Read, StoreError, commit_properties, write_error, writer_properties};
use crate::names::TableName;
use crate::stage::{StageError, Staged};

/// A file is closed where it has grown to so many bytes.
const FILE_BYTES: NonZero<u64> = NonZero::new(128 << 20).expect("is not zero");

/// The property under which rows may be deleted inside files.
const INSIDE_FILES: &str = "delta.enableDeletionVectors";

/// What is no longer in a table.
#[derive(Debug, Clone)]
pub struct Gone {
    /// Rows that no longer count.
    pub rows: Places,
    /// Files, by their position in the same version, that go with all that is left in them.
    pub files: BTreeSet<usize>,
}

impl Gone {
    /// The files of that version that stay, by their position.
    pub fn staying(&self) -> BTreeSet<usize> {
        (0..self.rows.version().files()).filter(|at| !self.files.contains(at)).collect()
    }

    /// Whether some of the rows lie in files that stay, so that the log has to tell of them.
    fn is_told(&self) -> bool {
        self.rows.files().any(|(file, _)| !self.files.contains(&file))
    }
}

impl Lake {
    /// Adds rows to a table that is there and takes others away, as one commit; returns the table's
    /// new version. Under a lease, only while it stands.
    ///
    /// # Errors
    /// When the rows cannot be stored, what is to go is not there any more, the commit is refused or
    /// the lease is lost; no row is changed then.
    pub async fn amend(
        &self,
        name: &TableName,
        rows: &Staged,
        gone: &Gone,
        note: &Note,
    ) -> Result<u64, StoreError> {
        self.permit(name)?;
        let failed = |source| write_error(name, source);
        if gone.is_told() {
            self.let_rows_go(name).await?;
        }
        let read = self.last_read(name).await?;
        let Some(Read { table, .. }) = read else { return Err(failed(lost())) };
        let note = self.told(name, note).await?;
        let changed = changed(&table, gone).map_err(failed)?;
        let added = self.add(&table, rows).await.map_err(failed)?;
        let actions = added.into_iter().map(Action::Add).chain(changed).collect();
        let commit = async {
            let snapshot = table.snapshot()?.snapshot();
            let operation = DeltaOperation::Update { predicate: None };
            CommitBuilder::from(commit_properties(&note))
                .with_actions(actions)
                .build(Some(snapshot), table.log_store(), operation)
                .await
        };
        match commit.await {
            Ok(commit) => Ok(commit.version()),
            // Where the lease was lost meanwhile, that is what refused the commit.
            Err(source) => Err(self.permit(name).err().unwrap_or_else(|| failed(source))),
        }
    }

    /// Sees to it that the table is one whose rows may be deleted inside its files: every reader is
    /// told so once.
    async fn let_rows_go(&self, name: &TableName) -> Result<(), StoreError> {
        let failed = |source| write_error(name, source);
        let Some(Read { table, .. }) = self.last_read(name).await? else { return Ok(()) };
        let snapshot = table.snapshot().map_err(failed)?.snapshot();
        if snapshot.metadata().configuration().get(INSIDE_FILES).is_some_and(|v| v == "true") {
            return Ok(());
        }
        let properties = HashMap::from([(INSIDE_FILES.to_owned(), "true".to_owned())]);
        let set = table.set_tbl_properties().with_properties(properties);
        set.with_raise_if_not_exists(false).await.map_err(failed)?;
        Ok(())
    }

    /// Writes the rows into files of their own, which nobody sees before they are committed.
    async fn add(&self, table: &DeltaTable, rows: &Staged) -> Result<Vec<Add>, DeltaTableError> {
        if rows.rows() == 0 {
            return Ok(Vec::new());
        }
        let state = table.snapshot()?;
        let by = state.metadata().partition_columns().to_vec();
        let config = WriterConfig::new(
            Arc::clone(rows.schema()),
            by.clone(),
            Some(writer_properties(by.is_empty())),
            Some(FILE_BYTES),
            None,
            state.table_config().num_indexed_cols(),
            None,
        );
        let mut writer = DeltaWriter::new(table.log_store().object_store(None), config);
        match write(&mut writer, rows).await {
            Ok(()) => writer.close().await,
            Err(error) => {
                // What was written is nobody's; the first error is what is told.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }
}

async fn write(writer: &mut DeltaWriter, rows: &Staged) -> Result<(), DeltaTableError> {
    let unread = |error: StageError| DeltaTableError::GenericError { source: Box::new(error) };
    let columns: Vec<usize> = (0..rows.schema().fields().len()).collect();
    for batch in rows.batches().map_err(unread)? {
        writer.write(&batch.map_err(unread)?.project(&columns)?).await?;
    }
    Ok(())
}

/// What the log is told of the files that lose rows.
fn changed(table: &DeltaTable, gone: &Gone) -> Result<Vec<Action>, DeltaTableError> {
    let version = gone.rows.version();
    let of = |file: usize| version.files.get(file).map(|file| file.path.as_str()).ok_or_else(lost);
    let mut wanted: HashMap<&str, Option<&RoaringTreemap>> = HashMap::new();
    for (file, rows) in gone.rows.files() {
        wanted.insert(of(file)?, Some(rows));
    }
    for file in &gone.files {
        wanted.insert(of(*file)?, None);
    }
    let mut actions = Vec::new();
    for file in table.snapshot()?.snapshot().try_log_data()?.iter() {
        let Some(rows) = wanted.remove(file.path().as_ref()) else { continue };
        actions.push(Action::Remove(file.remove_action(true)));
        if let Some(rows) = rows {
            actions.extend(without(&file, rows)?.map(Action::Add));
        }
    }
    if wanted.is_empty() { Ok(actions) } else { Err(lost()) }
}

/// The file without some more of its rows; `None` where none is left.
fn without(file: &LogicalFileView, rows: &RoaringTreemap) -> Result<Option<Add>, DeltaTableError> {
    let before = file.deletion_vector_descriptor().map(|told| places::read(&told)).transpose()?;
    let rows = rows | before.unwrap_or_default();
    if file.num_records().is_some_and(|all| rows.len() >= all as u64) {
        return Ok(None);
    }
    Ok(Some(Add {
        path: file.path().into_owned(),
        partition_values: file.partition_values_map(),
        size: file.size(),
        modification_time: file.modification_time(),
        data_change: true,
        stats: file.stats().map(loose),
        tags: None,
        deletion_vector: Some(places::told(&rows)?),
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }))
}

/// What is known of a file's columns, as bounds that no row may reach any more.
fn loose(stats: String) -> String {
    let Ok(serde_json::Value::Object(mut told)) = serde_json::from_str(&stats) else {
        return stats;
    };
    told.insert("tightBounds".to_owned(), false.into());
    serde_json::Value::Object(told).to_string()
}

/// The lease keeps others from writing; without one, somebody may have.
fn lost() -> DeltaTableError {
    DeltaTableError::generic("somebody else wrote the table meanwhile; do it again")
}
