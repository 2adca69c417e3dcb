//! Rows on their way to a client: one batch at a time, as fast as they are taken.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::data::RowDescription;
use datafusion_postgres::pgwire::types::format::FormatOptions;

use super::fault::{Fault, Result};
use super::outgoing::Outgoing;
use crate::query::Answer;

/// How values are written.
pub(super) struct Writing {
    pub(super) formats: Format,
    pub(super) options: Arc<FormatOptions>,
}

impl Writing {
    /// The columns of an answer in the protocol's terms.
    pub(super) fn fields(&self, schema: &Schema) -> std::result::Result<Vec<FieldInfo>, Fault> {
        check_formats(&self.formats, schema.fields().len())?;
        let options = Some(Arc::clone(&self.options));
        arrow_schema_to_pg_fields(schema, &self.formats, options).map_err(Fault::of_encoding)
    }
}

/// Refuses formats that are neither one for all columns nor one for each.
pub(super) fn check_formats(formats: &Format, columns: usize) -> std::result::Result<(), Fault> {
    match formats {
        Format::Individual(each) if each.len() != columns => {
            let text = format!("{} formats are given for {columns} columns", each.len());
            Err(Fault::new("08P01", text))
        }
        _ => Ok(()),
    }
}

/// Says which columns follow.
pub(super) fn described(fields: &[FieldInfo]) -> PgWireBackendMessage {
    let fields = fields.iter().map(Into::into).collect();
    PgWireBackendMessage::RowDescription(RowDescription::new(fields))
}

/// The rows of a query that runs. Dropping it stops the query.
pub(super) struct Rows {
    /// `None` when it has no more.
    answer: Option<Answer>,
    /// What was fetched and not sent.
    left: Option<RecordBatch>,
}

impl Rows {
    pub(super) fn new(answer: Answer) -> Self {
        Self { answer: Some(answer), left: None }
    }

    /// Sends `most` rows, or what is left. Answers how many there were.
    pub(super) async fn send(
        &mut self,
        most: usize,
        writing: &Writing,
        out: &mut Outgoing,
    ) -> Result<usize> {
        let mut sent = 0;
        while sent < most {
            let Some(batch) = self.take(most - sent).await? else { break };
            sent += batch.num_rows();
            let fields = Arc::new(writing.fields(batch.schema_ref())?);
            for row in encode_recordbatch(fields, batch) {
                let row = row.map_err(Fault::of_encoding)?;
                out.feed(PgWireBackendMessage::DataRow(row)).await?;
            }
        }
        Ok(sent)
    }

    /// Leaves out `most` rows, or what is left. Answers how many there were.
    pub(super) async fn skip(&mut self, most: usize) -> Result<usize> {
        let mut skipped = 0;
        while skipped < most {
            let Some(batch) = self.take(most - skipped).await? else { break };
            skipped += batch.num_rows();
        }
        Ok(skipped)
    }

    /// At most `most` rows; `None` at the end.
    async fn take(&mut self, most: usize) -> Result<Option<RecordBatch>> {
        let batch = match (self.left.take(), &mut self.answer) {
            (Some(batch), _) => batch,
            (None, Some(answer)) => match answer.next().await? {
                Some(batch) => batch,
                None => {
                    self.answer = None;
                    return Ok(None);
                }
            },
            (None, None) => return Ok(None),
        };
        let rows = batch.num_rows();
        if rows <= most {
            return Ok(Some(batch));
        }
        self.left = Some(batch.slice(most, rows - most));
        Ok(Some(batch.slice(0, most)))
    }
}
