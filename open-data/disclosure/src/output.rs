//! Writing what the gate has passed, and nothing else.
//!
//! A table can be rendered only with an [`Audited`] in hand. Columns that would tell the
//! suppressed figures (contributors, largest contributions) are left out. A file appears whole or
//! not at all: it is written beside its place and renamed.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::audit::Audited;
use super::model::{Model, OutputColumn, OutputRow, OutputTable, Standing};

/// Something could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The folder or file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The proof is about another model: nothing is rendered.
    #[error("the audit is about other tables")]
    NotAudited,
    /// A row is not a CSV record.
    #[error("cannot render the table {name}")]
    Render {
        /// The table.
        name: String,
        /// Why.
        #[source]
        source: csv::Error,
    },
}

/// How much the `status` column tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusDetail {
    /// `published`, `primary`, `secondary`: for the house. Knowing that a cell is primary tells an
    /// attacker that it breaks a rule.
    Full,
    /// `published`, `suppressed`: for the public.
    Public,
}

/// Renders every candidate table, suppressed measures empty, with a `status` column.
///
/// # Errors
///
/// When the proof is about another model, or a row cannot be written as CSV.
pub fn render_tables(
    model: &Model,
    audited: &Audited,
    detail: StatusDetail,
) -> Result<Vec<(String, Vec<u8>)>, OutputError> {
    if !audited.is_of(model) {
        return Err(OutputError::NotAudited);
    }
    model
        .outputs
        .iter()
        .map(|table| {
            let bytes = render_with(model, table, "status", |cell| {
                let status = audited.status(cell);
                let hidden = audited.is_hidden(cell) && model.standing(cell) != Standing::Out;
                let word = match detail {
                    StatusDetail::Public if hidden => "suppressed",
                    _ => status.as_str(),
                };
                let value = model.decimal(model.cells[cell].value);
                (if hidden { String::new() } else { value }, word.to_owned())
            })?;
            Ok((table.name.clone(), bytes))
        })
        .collect()
}

/// Renders a table with what `figure` says of each cell: its measure and a last column.
pub(crate) fn render_with(
    model: &Model,
    table: &OutputTable,
    last: &str,
    figure: impl Fn(usize) -> (String, String),
) -> Result<Vec<u8>, OutputError> {
    let failed = |source| OutputError::Render { name: table.name.clone(), source };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = table.columns.iter().map(|column| match column {
        OutputColumn::Dimension(d) => model.dimensions[*d].column.as_str(),
        OutputColumn::Measure(name) | OutputColumn::Extra(name) => name,
    });
    writer.write_record(names.chain([last])).map_err(failed)?;
    for row in &table.rows {
        let (measure, word) = figure(row.cell);
        let fields = fields(model, table, row, &measure);
        let all = fields.iter().map(String::as_str).chain([word.as_str()]);
        writer.write_record(all).map_err(failed)?;
    }
    writer.into_inner().map_err(|cause| failed(cause.into_error().into()))
}

fn fields(model: &Model, table: &OutputTable, row: &OutputRow, measure: &str) -> Vec<String> {
    let mut extra = row.source.map(|at| table.extra[at].iter()).into_iter().flatten();
    let key = &model.cells[row.cell].key;
    table
        .columns
        .iter()
        .map(|column| match column {
            OutputColumn::Dimension(d) => model.dimensions[*d].codes[key[*d] as usize].clone(),
            OutputColumn::Measure(_) => measure.to_owned(),
            OutputColumn::Extra(_) => extra.next().cloned().unwrap_or_default(),
        })
        .collect()
}

/// Writes a file whole or not at all.
///
/// # Errors
///
/// When the folder cannot be made or the file not be written; the old file then stands unchanged.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_all_whole(&[(path.to_owned(), bytes.to_vec())])
}

/// Writes files that belong together: each whole, and none takes its place before all are written.
///
/// # Errors
///
/// When a folder cannot be made or a file not be written; the old files then stand unchanged.
pub fn write_all_whole(files: &[(PathBuf, Vec<u8>)]) -> Result<(), OutputError> {
    let mut drafts = Drafts(Vec::new());
    for (path, bytes) in files {
        let failed = |source| OutputError::Write { path: path.clone(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        if path.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        let name = path.file_name().map_or_else(Default::default, |name| name.to_string_lossy());
        let draft = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        drafts.0.push(draft.clone());
        std::fs::File::create(&draft)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .map_err(failed)?;
    }
    for ((path, _), draft) in files.iter().zip(&drafts.0) {
        let failed = |source| OutputError::Write { path: path.clone(), source };
        std::fs::rename(draft, path).map_err(failed)?;
    }
    Ok(())
}

/// Drafts that have not taken their places are removed.
struct Drafts(Vec<PathBuf>);

impl Drop for Drafts {
    fn drop(&mut self) {
        for draft in &self.0 {
            // One that is in its place is gone from here, and one that cannot be removed changes
            // nothing about the failure.
            let _ = std::fs::remove_file(draft);
        }
    }
}
