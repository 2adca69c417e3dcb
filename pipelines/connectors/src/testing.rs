//! What the tests of several connectors ask and compare.

pub(crate) mod server;

use std::collections::BTreeMap;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use chrono::NaiveDateTime;
use futures::TryStreamExt as _;

use crate::{Request, Source, SourceError};

pub(crate) fn request(place: &str, columns: &[&str]) -> Request {
    Request {
        place: place.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        span: None,
        settings: BTreeMap::new(),
    }
}

pub(crate) fn with(mut request: Request, settings: &[(&str, &str)]) -> Request {
    for (name, value) in settings {
        request.settings.insert((*name).to_owned(), (*value).to_owned());
    }
    request
}

pub(crate) async fn batches(source: &impl Source, request: &Request) -> Vec<RecordBatch> {
    source.open(request).await.unwrap().unwrap().rows.try_collect().await.unwrap()
}

pub(crate) async fn read(source: &impl Source, request: &Request) -> RecordBatch {
    let batches = batches(source, request).await;
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// The error of reading, wherever it comes.
pub(crate) async fn failure(source: &impl Source, request: &Request) -> SourceError {
    match source.open(request).await {
        Err(error) => error,
        Ok(snapshot) => {
            let rows: Result<Vec<_>, _> = snapshot.unwrap().rows.try_collect().await;
            rows.unwrap_err()
        }
    }
}

pub(crate) fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let cells = batch.column_by_name(column).unwrap().as_string::<i32>();
    cells.iter().map(|cell| cell.map(str::to_owned)).collect()
}

pub(crate) fn owned(cells: &[Option<&str>]) -> Vec<Option<String>> {
    cells.iter().map(|cell| cell.map(str::to_owned)).collect()
}

pub(crate) fn at(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

pub(crate) fn micros(text: &str) -> i64 {
    at(text).and_utc().timestamp_micros()
}
