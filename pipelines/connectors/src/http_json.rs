//! Web services that answer in JSON, page by page.
//!
//! A [`Request`]'s place is a path below the service's address (`/v1/ho-so`), with a fixed query
//! where it needs one (`/v1/ho-so?loai=1`). Its columns are member paths within a row:
//! `nguoi_benh.gioi_tinh`, `ma.0`. The settings:
//!
//! | setting | value |
//! |---|---|
//! | `rows` | path of the array of rows (`data.items`); not set, the answer itself is the array |
//! | `paging` | `none` (the default), `number`, `cursor` or `link` |
//! | `page_param`, `first` | of `number`: the parameter (`page`) and the first page's number (1) |
//! | `size_param`, `size` | the parameter (`size`) and how many rows a page has (1000) |
//! | `cursor_param`, `next` | of `cursor`: the parameter, and the path of the next cursor |
//! | `total` | path of how many rows there are in all |
//! | `since_param`, `until_param` | parameters for the first instant that is wanted, and for the first that is not |
//! | `fields_param` | a parameter for the members that are wanted, with commas between them |
//! | `param.…` | a parameter of that name and its value: `param.trang_thai = "1"` |
//! | `method` | `get` (the default), `post_form` or `post_json` |
//!
//! `number` ends with a page that is empty or short, or with the last of `total` rows; a service
//! that sends fewer rows a page than it is asked for needs `total`, or a `size` that it keeps to.
//! `cursor` ends where the path is missing, null or empty, `link` where no header
//! `Link: <…>; rel="next"` comes (RFC 8288). Both ask for a size only where `size_param` is set.
//! Instants are written `2026-07-01T00:00:00+07:00`.
//!
//! What the service can leave out itself is better not sent at all. `fields_param` names the columns
//! as the contract has them, each once, up to a place in a list: of `nguoi_benh.gioi_tinh` and `ma.0`
//! it makes `nguoi_benh.gioi_tinh,ma`; a service that has other words for them is told by a `param`.
//! `post_form` and `post_json` put all parameters, the page's too, into the body: as a form, or as an
//! object of texts in which the page's number and its size alone are numbers. The query of the place
//! stays in the address. A question that is posted may be asked again as any other.
//!
//! Cells are text: a string as it is, a truth `true` or `false`, a number in the fewest digits that
//! tell it, a whole one without a fraction. A number beyond 2^53 that is no 64-bit integer lost its
//! digits in the parser and is refused; identifiers are better sent as strings. A missing member and
//! `null` are null. An object or array is no cell; a member that no row has is a missing column.
//!
//! What others hold may change while its pages are read, and pages by number then lose rows or give
//! them twice without a sign: set `total` where the service tells it, so that it is noticed. A page
//! or a cursor that comes again is refused.
//!
//! The secret goes to the declared address and nowhere else: a redirect or a link to another origin
//! is refused, and a token is not sent unencrypted but to this machine itself. Members that nobody
//! asked for are not kept for a moment.

mod answer;
mod pages;
mod parameters;
mod settings;
pub mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};

use self::pages::Pages;
use self::settings::Settings;
use crate::service::{Client, Service};
use crate::{Request, Snapshot, Source, SourceError};

/// A service as a source.
#[derive(Debug, Clone)]
pub struct HttpJson {
    client: Arc<Client>,
}

impl HttpJson {
    /// A source of that service; nothing is asked of it yet.
    ///
    /// # Errors
    /// When the address, the certificate or a number is not usable.
    pub fn new(service: &Service) -> Result<Self, SourceError> {
        Ok(Self { client: Arc::new(Client::new(service)?) })
    }
}

#[async_trait]
impl Source for HttpJson {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let settings = Settings::of(request)?;
        let mut pages = Pages::new(Arc::clone(&self.client), request, settings).await?;
        // The first page is read now, so that a refusal is told when the source is opened.
        pages.read().await?;
        let simulated = pages.is_simulated();
        let rows = futures::stream::try_unfold(pages, |mut pages| async move {
            let batch = pages.batch().await?;
            Ok(batch.map(|batch| (batch, pages)))
        });
        Ok(Some(Snapshot { rows: rows.into_stream().boxed(), known: None, simulated }))
    }

    /// Asks for the first page, of one row where the service takes a size. Whether every column is
    /// there cannot be told by it: a row may leave a member out.
    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let settings = Settings::of(request)?.with_one_row();
        let mut pages = Pages::new(Arc::clone(&self.client), request, settings).await?;
        pages.look().await.map(|()| true)
    }
}

#[cfg(test)]
mod tests;
