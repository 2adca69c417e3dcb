//! Being let in, or not.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::server::{Database, PASSWORD, Postgres};
use super::{first, request, said};
use crate::postgres::connection::{Access, Patience};
use crate::postgres::{PostgresSource, Server, Tls};
use crate::{Secret, SecretPlace};
use servers::{is_root, owner, succeed};

async fn refusal(database: &Database, server: &Server) -> String {
    said(&PostgresSource::connect(server).await.unwrap_err(), database)
}

#[tokio::test]
async fn the_password_of_a_file_opens_and_another_does_not() {
    let database = Database::new().await;
    database.make("CREATE TABLE t AS SELECT 1 AS x").await;
    let right = Server { password: Some(database.server.secret(PASSWORD)), ..database.declared() };
    let source = PostgresSource::connect(&right).await.unwrap();
    assert_eq!(first(&source, &request("kcb.t", &["x"])).await, ["1"]);
    assert!(!format!("{source:?}").contains(&database.reader), "{source:?}");
    let wrong = Server { password: Some(database.server.secret("sai")), ..right.clone() };
    let told = refusal(&database, &wrong).await;
    assert!(told.contains("refused the log-in") && told.contains("28P01"), "{told}");
    let none = Server { password: None, ..right.clone() };
    let told = refusal(&database, &none).await;
    assert!(told.contains("give a password"), "{told}");
    let nobody = Server { user: "khong_ai".to_owned(), ..right };
    let told = refusal(&database, &nobody).await;
    assert!(told.contains("28P01") && !told.contains("khong_ai"), "{told}");
}

#[tokio::test]
async fn a_database_that_is_not_there_or_closed_is_named() {
    let database = Database::new().await;
    let other = Server { database: "khong_co".to_owned(), ..database.declared() };
    let told = refusal(&database, &other).await;
    assert!(told.contains("`khong_co`") && told.contains("3D000"), "{told}");
    database.run(&format!("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", database.name)).await;
    let told = refusal(&database, &database.declared()).await;
    assert!(told.contains(&format!("GRANT CONNECT ON DATABASE {}", database.name)), "{told}");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_nothing_is_told() {
    let database = Database::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = Server { port, ..database.declared() };
    let mut access = Access::new(&silent).await.unwrap();
    access.patience = Patience { enter: Duration::from_millis(300), ..access.patience };
    let told = said(&PostgresSource::through(access).await.unwrap_err(), &database);
    assert!(told.contains(&format!("127.0.0.1:{port} does not answer")), "{told}");
    drop(listener);
    let told = refusal(&database, &silent).await;
    assert!(told.contains(&format!("127.0.0.1:{port} refuses connections")), "{told}");
    let none = Server { connections: 0, ..database.declared() };
    let told = refusal(&database, &none).await;
    assert!(told.contains("`connections` is not from 1 to 32"), "{told}");
}

#[tokio::test]
async fn an_encrypted_connection_is_verified_and_never_plain() {
    let plain = Database::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let on = |ca_file| Tls::On { ca_file: Some(ca_file) };
    certify(&key, &certificate, folder.path());
    let refused = Server { tls: on(certificate.clone()), ..plain.declared() };
    let told = refusal(&plain, &refused).await;
    assert!(told.contains("gives no encrypted log-in"), "{told}");

    let file = |name: &str, path: &std::path::Path| format!("{name}={}", path.display());
    let settings =
        ["ssl=on".to_owned(), file("ssl_key_file", &key), file("ssl_cert_file", &certificate)];
    let server = Arc::new(Postgres::start(&settings));
    let database = Database::on(server, "").await;
    database.make("CREATE TABLE t AS SELECT ssl FROM pg_stat_ssl WHERE false").await;
    database
        .make("CREATE VIEW v AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .await;
    let host = "localhost".to_owned();
    let trusted = Server { host, tls: on(certificate.clone()), ..database.declared() };
    let source = PostgresSource::connect(&trusted).await.unwrap();
    assert_eq!(first(&source, &request("kcb.v", &["ssl"])).await, ["true"]);

    // Of another's vouching, and for another host.
    let other = folder.path().join("other.pem");
    certify(&folder.path().join("other-key.pem"), &other, folder.path());
    let distrusted = Server { tls: on(other), ..trusted.clone() };
    let told = refusal(&database, &distrusted).await;
    assert!(told.contains("certificate that is not trusted"), "{told}");
    let elsewhere = Server { host: "127.0.0.1".to_owned(), ..trusted.clone() };
    let told = refusal(&database, &elsewhere).await;
    assert!(told.contains("certificate that is not trusted"), "{told}");
    let missing = Server { tls: on(folder.path().join("none.pem")), ..trusted.clone() };
    assert!(refusal(&database, &missing).await.contains("none.pem cannot be read"));
    let no_pem = Server { tls: on(folder.path().join("openssl.cnf")), ..trusted };
    assert!(refusal(&database, &no_pem).await.contains("`ca_file`"));
}

/// A certificate for `localhost` that vouches for itself.
fn certify(key: &std::path::Path, certificate: &std::path::Path, folder: &std::path::Path) {
    let settings = folder.join("openssl.cnf");
    let text = "[req]\ndistinguished_name = name\nx509_extensions = leaf\nprompt = no\n\
                [name]\nCN = localhost\n\
                [leaf]\nsubjectAltName = DNS:localhost\nbasicConstraints = critical, CA:FALSE\n";
    std::fs::write(&settings, text).unwrap();
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-config"])
        .arg(&settings)
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate);
    succeed(&mut openssl);
    if is_root() {
        let (user, group) = owner("postgres");
        std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
        std::os::unix::fs::chown(key, Some(user), Some(group)).unwrap();
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_told() {
    let database = Database::new().await;
    let place = SecretPlace::File("/khong/co".into());
    let told = refusal(&database, &Server { password: Some(place), ..database.declared() }).await;
    assert!(told.contains("/khong/co cannot be read"), "{told}");
    let empty = SecretPlace::Value(Secret::new(String::new()));
    let told = refusal(&database, &Server { password: Some(empty), ..database.declared() }).await;
    assert!(told.contains("refused the log-in"), "{told}");
}
