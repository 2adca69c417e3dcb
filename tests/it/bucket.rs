//! The same lake in a bucket: an S3-compatible server of the test's own, with signed requests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hyper::header::IF_NONE_MATCH;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use warehouse::store::Location;

use crate::support::{self, khoyte, succeed};

const BUCKET: &str = "y-te";
const PREFIX: &str = "kho/thu-nghiem";
const SECRET: &str = "a secret of this test only";

/// A server over a folder; it ends with the test process.
struct Bucket {
    folder: TempDir,
    address: String,
    /// Paths of commits that were written without asking that they be new.
    careless: Arc<Mutex<Vec<String>>>,
    /// Paths of commits written.
    commits: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("khoyte", SECRET));
        let (careless, commits) = (Arc::default(), Arc::default());
        let listener = support::wait(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let bucket = Self { folder, address, careless, commits };
        bucket.listen(listener, service.build());
        bucket
    }

    fn listen(&self, listener: TcpListener, service: S3Service) {
        let (careless, commits) = (Arc::clone(&self.careless), Arc::clone(&self.commits));
        support::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (service, careless, commits) =
                    (service.clone(), Arc::clone(&careless), Arc::clone(&commits));
                let watched = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let path = request.uri().path().to_owned();
                    if request.method() == hyper::Method::PUT && is_commit(&path) {
                        if request.headers().get(IF_NONE_MATCH).is_none_or(|asked| asked != "*") {
                            careless.lock().unwrap().push(path.clone());
                        }
                        commits.lock().unwrap().push(path);
                    }
                    Service::call(&service, request)
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(socket), watched);
                // A client that hangs up is no fault of the test.
                tokio::spawn(async move { connection.await.is_ok() });
            }
        });
    }

    fn options(&self, secret: &str) -> [(&'static str, String); 5] {
        [
            ("aws_endpoint", self.address.clone()),
            ("aws_region", "vn-1".to_owned()),
            ("aws_allow_http", "true".to_owned()),
            ("aws_access_key_id", "khoyte".to_owned()),
            ("aws_secret_access_key", secret.to_owned()),
        ]
    }

    /// Writes a configuration whose lake is this bucket.
    fn configure(&self, dir: &Path, secret: &str) {
        let options = self.options(secret).map(|(name, value)| format!("{name} = {value:?}\n"));
        let text = format!(
            "[lake.s3]\nbucket = {BUCKET:?}\nprefix = {PREFIX:?}\n[lake.s3.options]\n{}",
            options.concat()
        );
        std::fs::write(dir.join("khoyte.toml"), text).unwrap();
    }

    fn location(&self) -> Location {
        let options = self.options(SECRET).map(|(name, value)| (name.to_owned(), value));
        let (bucket, prefix) = (BUCKET.to_owned(), PREFIX.to_owned());
        Location::S3 { bucket, prefix, options: options.into() }
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join(BUCKET).join(PREFIX)
    }
}

fn is_commit(path: &str) -> bool {
    path.contains("/_delta_log/") && path.ends_with(".json")
}

#[test]
fn a_night_into_a_bucket_is_the_night_into_a_folder() {
    let bucket = Bucket::start();
    let data = tempfile::tempdir().unwrap();
    support::link_data(data.path(), &["notifiable", "vn_admin", "icd10", "procedures"]);
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    support::demo(here.path(), data.path());
    bucket.configure(there.path(), SECRET);
    support::demo(there.path(), data.path());

    let expected = support::contents(&support::open(here.path()));
    let found = support::contents(&support::open_at(&bucket.location()));
    assert!(expected["kho.lao_quy"].len() > 1000);
    for (table, lines) in &expected {
        assert_eq!(found.get(table), Some(lines), "{table}");
    }
    assert!(!there.path().join("lake").exists(), "nothing of the lake is on this machine");
    let public = |dir: &Path| support::files(&dir.join("public"));
    let differing = support::differing(&public(here.path()), &public(there.path()));
    assert_eq!(differing, Vec::<String>::new());

    assert!(bucket.commits.lock().unwrap().len() > 20);
    assert_eq!(*bucket.careless.lock().unwrap(), Vec::<String>::new());

    let before = support::files(&bucket.objects());
    succeed(khoyte(there.path()).args(["night", "--date", support::NIGHT]));
    let after = support::files(&bucket.objects());
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
}

#[test]
fn a_bucket_that_refuses_is_told_by_name_and_without_its_secret() {
    let bucket = Bucket::start();
    let folder = tempfile::tempdir().unwrap();
    bucket.configure(folder.path(), "not the secret");
    let asked = khoyte(folder.path()).args(["sql", "SELECT * FROM kho.lao_quy"]).output().unwrap();
    assert!(!asked.status.success());
    let text = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(text.contains("kho.lao_quy") && text.contains("cannot be read"), "{text}");
    assert!(!text.contains("not the secret"), "{text}");
}
