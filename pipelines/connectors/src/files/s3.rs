//! Opening a bucket of a store that speaks S3.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{Certificate, ClientOptions, RetryConfig};
use url::Url;

use super::Bucket;
use crate::{SecretPlace, SourceError};

/// How long a request is tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// A bucket, and how to get in.
#[derive(Debug, Clone)]
pub struct S3 {
    /// `s3://bucket/prefix`.
    pub address: Url,
    /// `object_store`'s own names: `aws_endpoint`, `aws_region`, …; no secrets.
    pub options: BTreeMap<String, String>,
    /// The id of the access key; without one requests are not signed.
    pub key_id: Option<String>,
    /// The access key itself.
    pub key: Option<SecretPlace>,
    /// Certificates that vouch for the store, where those of the system do not.
    pub ca_file: Option<PathBuf>,
    /// Whether the connection may go unencrypted.
    pub plain: bool,
    /// Seconds that one answer may take; at most some megabytes come in one.
    pub timeout_secs: u64,
}

impl Bucket {
    /// Opens a bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// When the address, an option or the certificates are not usable, or the key is not to be had.
    pub async fn open(place: &S3) -> Result<Self, SourceError> {
        let shown = format!("s3://{}", place.address.host_str().unwrap_or_default());
        let wrong = |setting: &str, what: &str| SourceError::Setting {
            place: shown.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        let Some(name) = place.address.host_str().filter(|_| place.address.scheme() == "s3") else {
            return Err(wrong("address", "is none of the form s3://bucket/prefix"));
        };
        if !place.address.username().is_empty() || place.address.password().is_some() {
            return Err(wrong("address", "holds a user or a password: name them by reference"));
        }
        let mut client = ClientOptions::new().with_timeout(Duration::from_secs(place.timeout_secs));
        if let Some(path) = &place.ca_file {
            let pem = std::fs::read(path).map_err(|source| SourceError::Read {
                place: path.display().to_string(),
                source,
            })?;
            let all = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if all.is_empty() {
                return Err(wrong("ca_file", "names a file without a certificate in PEM"));
            }
            client = all.into_iter().fold(client, ClientOptions::with_root_certificate);
        }
        let retry = RetryConfig { retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_retry(retry)
            .with_client_options(client);
        for (option, value) in &place.options {
            let setting = format!("options.{option}");
            let key = option.parse().ok().filter(is_of_the_place);
            let Some(key) = key else {
                let what =
                    "is none of aws_endpoint, aws_region and aws_virtual_hosted_style_request";
                return Err(wrong(&setting, what));
            };
            if !place.plain && value.starts_with("http://") {
                return Err(wrong(&setting, "is not encrypted: use https, or set `plain`"));
            }
            builder = builder.with_config(key, value);
        }
        builder = match (&place.key_id, &place.key) {
            (Some(id), Some(key)) => {
                let key = key.fetch().await?;
                builder.with_access_key_id(id).with_secret_access_key(key.reveal())
            }
            (None, None) => builder.with_skip_signature(true),
            _ => return Err(wrong("user", "and its secret go together: the id of a key, and it")),
        };
        // Whatever the options say, `plain` alone decides.
        let store = builder.with_allow_http(place.plain).build();
        let store = store.map_err(|_| wrong("options", "do not fit together"))?;
        let prefix = Path::from_url_path(place.address.path());
        let prefix = prefix.map_err(|_| wrong("address", "has a prefix that is none"))?;
        Ok(Self::over(Arc::new(store), prefix.as_ref()))
    }
}

/// Whether an option says where the store is. Others would be secrets, or let a connection be less
/// safe than the rest of the configuration says.
fn is_of_the_place(key: &AmazonS3ConfigKey) -> bool {
    use AmazonS3ConfigKey as Key;
    let endpoint = matches!(key, Key::Endpoint | Key::S3Endpoint | Key::VirtualHostedStyleRequest);
    endpoint || matches!(key, Key::Region | Key::DefaultRegion)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn place() -> S3 {
        S3 {
            address: Url::parse("s3://nguon/bhyt/79").unwrap(),
            options: BTreeMap::from([
                ("aws_endpoint".to_owned(), "https://s3.example.vn".to_owned()),
                ("aws_region".to_owned(), "vn-1".to_owned()),
            ]),
            key_id: Some("khoyte".to_owned()),
            key: Some(SecretPlace::Value(Secret::new("s3cret".to_owned()))),
            ca_file: None,
            plain: false,
            timeout_secs: 60,
        }
    }

    async fn refused(place: S3) -> String {
        let error = Bucket::open(&place).await.unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
        error
    }

    #[tokio::test]
    async fn a_bucket_is_opened_safely_or_not_at_all() {
        Bucket::open(&place()).await.unwrap();
        Bucket::open(&S3 { key_id: None, key: None, ..place() }).await.unwrap();
        let with = |option: &str, value: &str| {
            let mut place = place();
            place.options.insert(option.to_owned(), value.to_owned());
            place
        };
        for option in ["aws_secret_access_key", "aws_allow_http", "allow_invalid_certificates", "x"]
        {
            let error = refused(with(option, "s3cret")).await;
            assert!(error.contains(&format!("`options.{option}` is none of")), "{error}");
        }
        let plain = with("aws_endpoint", "http://10.0.0.1:9000");
        assert!(refused(plain.clone()).await.contains("is not encrypted"));
        Bucket::open(&S3 { plain: true, ..plain }).await.unwrap();
        assert!(refused(S3 { key: None, ..place() }).await.contains("`user`"));
        for address in ["https://nguon/x", "s3:///x", "s3://ai:s3cret@nguon/x"] {
            let address = Url::parse(address).unwrap();
            assert!(refused(S3 { address, ..place() }).await.contains("`address`"));
        }
    }
}
