//! Reading a real server of the test's own, and the bytes that no server would send.

mod decoding;
mod entering;
mod filling;
mod losses;
mod reading;
mod refusals;
mod server;
mod spans;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;

use self::server::Database;
use super::PostgresSource;
use crate::{Request, Source, SourceError};

fn request(place: &str, columns: &[&str]) -> Request {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    Request { place: place.to_owned(), columns, span: None, settings: Default::default() }
}

fn set(mut request: Request, name: &str, value: &str) -> Request {
    request.settings.insert(name.to_owned(), value.to_owned());
    request
}

/// All rows, as one batch.
async fn read(source: &PostgresSource, request: &Request) -> Result<RecordBatch, SourceError> {
    let batches: Vec<_> = source.open(request).await?.unwrap().rows.try_collect().await?;
    Ok(concat_batches(&batches[0].schema(), &batches).unwrap())
}

/// The cells of each row, null as `∅`.
fn cells(rows: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("∅");
    let columns = rows.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let columns: Vec<_> = columns.map(Result::unwrap).collect();
    (0..rows.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect())
        .collect()
}

/// The cells of the first column.
async fn first(source: &PostgresSource, request: &Request) -> Vec<String> {
    let rows = read(source, request).await.unwrap();
    cells(&rows).into_iter().map(|mut row| row.remove(0)).collect()
}

/// All that an error says in whatever way, of which nothing may be secret.
fn said(error: &SourceError, database: &Database) -> String {
    let mut said = format!("{error}\n{error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said = format!("{said}\n{error}\n{error:?}");
        cause = error.source();
    }
    for secret in [server::PASSWORD, &database.reader, "nguyễn văn an"] {
        assert!(!said.contains(secret), "{said}");
    }
    said
}
