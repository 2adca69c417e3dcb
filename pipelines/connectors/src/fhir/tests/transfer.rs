//! Files whose connection breaks: what was read is neither read twice nor put beside other bytes.

use super::export::{answer, asked, patients, source};
use super::{FIRST, SECOND};
use crate::SourceError;
use crate::testing::server::{Server, reply};
use crate::testing::{failure, owned, read, texts};

const THIRD: &str = r#"{"resourceType":"Patient","id":"3"}"#;

/// The first byte that is asked for.
fn range(head: &str) -> Option<usize> {
    let head = head.to_lowercase();
    let (_, range) = head.split_once("range: bytes=")?;
    range.split('-').next()?.parse().ok()
}

/// An answer that promises all bytes and gives some.
fn broken(status: u16, headers: &[&str], bytes: &str, given: usize) -> Vec<u8> {
    let mut answer = reply(status, headers, bytes);
    answer.truncate(answer.len() - bytes.len() + given);
    answer
}

/// A server whose n-th answer (from 0) to the file is that of `file`.
async fn serve(file: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Server {
    let count = std::sync::atomic::AtomicUsize::new(0);
    Server::speak(move |_, head| {
        let own = |path: &str| {
            let is_file = path == "/api/file/1";
            is_file.then(|| file(count.fetch_add(1, std::sync::atomic::Ordering::SeqCst), head))
        };
        answer(head, own)
    })
    .await
}

fn requests_of_the_file(server: &Server) -> Vec<String> {
    let mut heads = server.asked();
    heads.retain(|head| asked(head).1 == "/api/file/1");
    heads
}

#[tokio::test]
async fn a_file_is_taken_up_by_its_range_wherever_it_breaks() {
    let file = format!("{FIRST}\n{SECOND}\n");
    for first in [1, FIRST.len(), FIRST.len() + 1, file.len() - 1] {
        let whole = file.clone();
        let server = serve(move |number, head| {
            let tag = "ETag: \"a\"";
            match range(head) {
                None => broken(200, &[tag], &whole, first),
                // A range may break as well.
                Some(from) => {
                    let part = format!("Content-Range: bytes {from}-/{}", whole.len());
                    let given = if number == 1 { 1 } else { whole.len() - from };
                    broken(206, &[tag, &part], &whole[from..], given)
                }
            }
        });
        let server = server.await;
        let rows = read(&source(&server), &patients(&["id", "name.family"])).await;
        assert_eq!(texts(&rows, "id"), owned(&[Some("1"), Some("2")]));
        let heads = requests_of_the_file(&server);
        assert_eq!(range(&heads[1]), Some(first));
        assert!(heads[1].to_lowercase().contains("if-range: \"a\""), "{}", heads[1]);
    }
}

#[tokio::test]
async fn a_file_without_a_name_for_its_bytes_is_begun_again_and_compared() {
    let steady = serve(|number, _| {
        let file = format!("{FIRST}\n{SECOND}\n");
        // Weak names may stand for other bytes.
        broken(200, &["ETag: W/\"a\""], &file, [20, 10, 100, file.len()][number])
    });
    let steady = steady.await;
    let rows = read(&source(&steady), &patients(&["id"])).await;
    assert_eq!(texts(&rows, "id"), owned(&[Some("1"), Some("2")]));
    assert!(requests_of_the_file(&steady).iter().all(|head| range(head).is_none()));
    for other in [format!("{THIRD}\n{SECOND}\n"), FIRST[..20].to_owned()] {
        let changing = serve(move |number, _| match number {
            0 => broken(200, &[], &format!("{FIRST}\n{SECOND}\n"), FIRST.len() + 10),
            _ => reply(200, &[], &other),
        });
        let error = failure(&source(&changing.await), &patients(&["id"])).await;
        assert!(matches!(error, SourceError::Changed { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_range_of_a_file_that_changed_comes_whole_and_is_noticed() {
    let server = serve(|number, _| match number {
        0 => broken(200, &["ETag: \"a\""], &format!("{FIRST}\n{SECOND}\n"), 50),
        _ => reply(200, &["ETag: \"b\""], &format!("{THIRD}\n{SECOND}\n")),
    });
    let error = failure(&source(&server.await), &patients(&["id"])).await;
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
    let wrong = serve(|number, _| match number {
        0 => broken(200, &["ETag: \"a\""], &format!("{FIRST}\n{SECOND}\n"), 50),
        _ => reply(206, &["Content-Range: bytes 0-9/200"], "0123456789"),
    });
    let error = failure(&source(&wrong.await), &patients(&["id"])).await.to_string();
    assert!(error.contains("another part"), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_is_given_up() {
    let server = serve(|number, _| match number {
        0 => broken(200, &["ETag: \"a\""], &format!("{FIRST}\n{SECOND}\n"), FIRST.len() + 3),
        _ => Vec::new(),
    });
    let server = server.await;
    let error = failure(&source(&server), &patients(&["id"])).await;
    assert!(matches!(error, SourceError::Server { .. }), "{error}");
    assert_eq!(requests_of_the_file(&server).len(), 5);
}

#[tokio::test]
async fn the_end_of_a_file_is_told_and_not_guessed() {
    let plain = |head: &str| format!("HTTP/1.1 200 X\r\nConnection: close\r\n{head}\r\n");
    let lines = format!("{FIRST}\n{SECOND}\n");
    let chunked = format!(
        "{}{:x}\r\n{lines}\r\n0\r\n\r\n",
        plain("Transfer-Encoding: chunked\r\n"),
        lines.len()
    );
    let server = serve(move |_, _| chunked.clone().into_bytes()).await;
    assert_eq!(read(&source(&server), &patients(&["id"])).await.num_rows(), 2);
    // The manifest counts two, so that a lost end would show.
    let until_closed = format!("{}{lines}", plain(""));
    let server = serve(move |_, _| until_closed.clone().into_bytes()).await;
    assert_eq!(read(&source(&server), &patients(&["id"])).await.num_rows(), 2);
    let uncounted = Server::speak(move |_, head| {
        answer(head, |path| match path {
            "/api/status/1" => Some(crate::testing::server::json(
                &super::export::MANIFEST.replace(", \"count\": 2", ""),
            )),
            "/api/file/1" => Some(format!("{}{FIRST}\n", plain("")).into_bytes()),
            _ => None,
        })
    });
    let error = failure(&source(&uncounted.await), &patients(&["id"])).await.to_string();
    assert!(error.contains("where the file ends"), "{error}");
    let packed = serve(|_, _| reply(200, &["Content-Encoding: gzip"], "x")).await;
    let error = failure(&source(&packed), &patients(&["id"])).await.to_string();
    assert!(error.contains("packs the file"), "{error}");
}
