//! Encrypted services: which authorities are trusted, and who we show ourselves to be.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use url::Url;

use super::{request, service, source};
use crate::service::Service;
use crate::testing::server::json;
use crate::{Source, SourceError};

/// An authority and a certificate for `127.0.0.1` that it signed, good for server and client.
struct Certificates(tempfile::TempDir);

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |arguments: &str| {
            let run = Command::new("openssl")
                .args(arguments.split_ascii_whitespace())
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=ca -days 2"));
        openssl(&format!("req {key} -keyout one.key -out one.csr -subj /CN=one"));
        let names = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
        std::fs::write(folder.path().join("names"), names).unwrap();
        let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names";
        openssl(&format!("x509 -req -in one.csr {signed} -out one.pem"));
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let client = folder.path().join("client.pem");
        std::fs::write(&client, read("one.pem") + &read("one.key")).unwrap();
        std::fs::set_permissions(client, PermissionsExt::from_mode(0o600)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A server that lets in who has a certificate of the authority. Its thread ends with the test's
    /// process.
    fn server(&self) -> Url {
        let certificate = |path: &Path| CertificateDer::from_pem_file(path).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.path("ca.pem"))).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(
                vec![certificate(&self.path("one.pem"))],
                PrivateKeyDer::from_pem_file(self.path("one.key")).unwrap(),
            );
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                    head.extend_from_slice(&byte);
                }
                // Who was not let in gets nothing.
                let _ = stream.write_all(&json("[{\"n\":1}]"));
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        Url::parse(&format!("https://127.0.0.1:{port}")).unwrap()
    }
}

#[tokio::test]
async fn a_service_is_trusted_and_trusts_us_by_certificates() {
    let certificates = Certificates::new();
    let plain = service(&certificates.server());
    let trusting = Service { ca_file: Some(certificates.path("ca.pem")), ..plain.clone() };
    let known =
        Service { client_certificate: Some(certificates.path("client.pem")), ..trusting.clone() };
    let asked = request(&["n"], &[]);
    source(&known).examine(&asked).await.unwrap();
    for stranger in [plain, trusting] {
        let error = source(&stranger).examine(&asked).await.unwrap_err();
        assert!(matches!(error, SourceError::Server { .. }), "{error}");
    }
}
