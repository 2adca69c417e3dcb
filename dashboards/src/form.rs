//! What a reader sends: short forms, within a time.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use futures::StreamExt;
use url::form_urlencoded;

use crate::error::PageError;

/// What a form may be long. The door's own bound on a query is lower.
const LARGEST: usize = 1 << 20;

/// What is read and thrown away of one that is longer, so that whoever sends it reads the answer
/// rather than finding the connection gone.
const READ_AT_MOST: usize = 4 * LARGEST;

/// From the end of the headers to the end of the form.
const DEADLINE: Duration = Duration::from_secs(30);

/// The fields of a form.
#[derive(Debug)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first value of that name as it was sent; nothing sent is an empty text.
    pub(crate) fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    fn parse(bytes: &[u8]) -> Self {
        Self { fields: form_urlencoded::parse(bytes).into_owned().collect() }
    }

    async fn within(deadline: Duration, body: Body) -> Result<Self, PageError> {
        let read = tokio::time::timeout(deadline, read(body));
        Ok(Self::parse(&read.await.map_err(|_| PageError::TooSlow)??))
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, _: &S) -> Result<Self, PageError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(PageError::NotAForm);
        }
        Self::within(DEADLINE, request.into_body()).await
    }
}

async fn read(body: Body) -> Result<Vec<u8>, PageError> {
    let mut pieces = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        // The connection is gone, or never spoke HTTP.
        let piece = piece.map_err(|_| PageError::NotAForm)?;
        length += piece.len();
        if length <= LARGEST {
            bytes.extend_from_slice(&piece);
        } else {
            bytes = Vec::new();
        }
        if length > READ_AT_MOST {
            break;
        }
    }
    if length > LARGEST { Err(PageError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_kept_as_sent() {
        let form = Form::parse("q=SELECT+1%3B%0A&mat_khau=%20b%C3%AD&q=2".as_bytes());
        assert_eq!(form.field("q"), "SELECT 1;\n");
        assert_eq!(form.field("mat_khau"), " bí");
        assert_eq!(form.field("ten"), "");
    }

    #[tokio::test]
    async fn a_form_of_a_megabyte_is_read_and_a_longer_one_is_not() {
        assert!(read(Body::from(vec![b'a'; LARGEST])).await.is_ok());
        let longer = read(Body::from(vec![b'a'; LARGEST + 1])).await;
        assert!(matches!(longer, Err(PageError::TooLarge)));
    }

    #[tokio::test]
    async fn a_form_that_does_not_end_is_given_up() {
        let endless = futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
        let form = Form::within(Duration::from_millis(20), Body::from_stream(endless)).await;
        assert!(matches!(form, Err(PageError::TooSlow)));
    }
}
