//! The same lake in a bucket: an S3-compatible server of the test's own, with signed requests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hyper::body::Incoming;
use hyper::header::IF_NONE_MATCH;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use warehouse::store::Location;

use crate::support::{self, khoyte, succeed};

const BUCKET: &str = "y-te";
const PREFIX: &str = "kho/thu-nghiem";
pub(crate) const SECRET: &str = "a secret of this test only";

/// A server over a folder; it ends with the test process.
pub(crate) struct Bucket {
    folder: TempDir,
    service: S3Service,
    watch: Watch,
    /// Where calls are carried out as they come.
    pub(crate) address: String,
}

/// What is noted of the calls, whichever door they come in by.
#[derive(Clone, Default)]
struct Watch {
    /// Paths of commits that were written without asking that they be new.
    careless: Arc<Mutex<Vec<String>>>,
    /// Paths of commits written.
    commits: Arc<Mutex<Vec<String>>>,
    /// One conditional call at a time: the server looks and then writes, and a real one does both
    /// in one step.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What may go wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered with this status and not carried out.
    Status(u16),
    /// The connection is closed and it is not carried out.
    Dropped,
    /// It is carried out, and the connection is closed before its answer.
    AnswerLost,
}

/// Says of each call in turn what goes wrong with it.
pub(crate) type Weather = Arc<dyn Fn() -> Option<Fault> + Send + Sync>;

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Bucket {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("khoyte", SECRET));
        let (service, watch) = (service.build(), Watch::default());
        let mut bucket = Self { folder, service, watch, address: String::new() };
        bucket.address = bucket.door(Arc::new(|| None));
        bucket
    }

    /// Another address of the same bucket, where calls fare as the weather says.
    pub(crate) fn door(&self, weather: Weather) -> String {
        let listener = support::wait(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (service, watch) = (self.service.clone(), self.watch.clone());
        support::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                serve(socket, service.clone(), watch.clone(), Arc::clone(&weather));
            }
        });
        address
    }

    /// The part of a configuration that makes this bucket the lake.
    pub(crate) fn config(address: &str, secret: &str) -> String {
        let options = options(address, secret).map(|(name, value)| format!("{name} = {value:?}\n"));
        format!(
            "[lake.s3]\nbucket = {BUCKET:?}\nprefix = {PREFIX:?}\n[lake.s3.options]\n{}",
            options.concat()
        )
    }

    /// Writes a configuration whose lake is this bucket.
    fn configure(&self, dir: &Path, secret: &str) {
        std::fs::write(dir.join("khoyte.toml"), Self::config(&self.address, secret)).unwrap();
    }

    pub(crate) fn location(&self) -> Location {
        let options = options(&self.address, SECRET).map(|(name, value)| (name.to_owned(), value));
        let (bucket, prefix) = (BUCKET.to_owned(), PREFIX.to_owned());
        Location::S3 { bucket, prefix, options: options.into() }
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join(BUCKET).join(PREFIX)
    }
}

/// Options of the store.
fn options(address: &str, secret: &str) -> [(&'static str, String); 5] {
    [
        ("aws_endpoint", address.to_owned()),
        ("aws_region", "vn-1".to_owned()),
        ("aws_allow_http", "true".to_owned()),
        ("aws_access_key_id", "khoyte".to_owned()),
        ("aws_secret_access_key", secret.to_owned()),
    ]
}

/// Serves one connection.
fn serve(socket: TcpStream, service: S3Service, watch: Watch, weather: Weather) {
    let watched = service_fn(move |request: Request<Incoming>| {
        answer(request, service.clone(), watch.clone(), weather())
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), watched);
    // A client that hangs up is no fault of the test.
    tokio::spawn(async move { connection.await.is_ok() });
}

/// What makes the server close a connection.
fn gone() -> Failure {
    Box::new(std::io::Error::other("the connection is closed"))
}

async fn answer(
    request: Request<Incoming>,
    service: S3Service,
    watch: Watch,
    fault: Option<Fault>,
) -> Result<HttpResponse, Failure> {
    match fault {
        Some(Fault::Status(status)) => {
            let mut answer = HttpResponse::new(Body::empty());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            return Ok(answer);
        }
        Some(Fault::Dropped) => return Err(gone()),
        Some(Fault::AnswerLost) | None => {}
    }
    let path = request.uri().path().to_owned();
    let condition = request.headers().get(IF_NONE_MATCH).cloned();
    if *request.method() == Method::PUT && is_commit(&path) {
        if condition.as_ref().is_none_or(|asked| asked != "*") {
            watch.careless.lock().unwrap().push(path.clone());
        }
        watch.commits.lock().unwrap().push(path);
    }
    let turn = match condition {
        Some(_) => Some(watch.turn.lock().await),
        None => None,
    };
    let answer = Service::call(&service, request).await?;
    drop(turn);
    if fault == Some(Fault::AnswerLost) { Err(gone()) } else { Ok(answer) }
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

    assert!(bucket.watch.commits.lock().unwrap().len() > 20);
    assert_eq!(*bucket.watch.careless.lock().unwrap(), Vec::<String>::new());

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
