//! Bulk export from a server that the test speaks as: what is asked, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use url::Url;

use super::{FIRST, SECOND};
use crate::fhir::export::Exporter;
use crate::fhir::{Fhir, Place};
use crate::service::{Client, Service};
use crate::testing::server::{Server, json, reply};
use crate::testing::{at, batches, failure, owned, read, request, texts, with};
use crate::{Request, Secret, SecretPlace, Source, SourceError, Span};

const TOKEN: &str = "s3cret-t0ken";

/// What the server says of an export that has one file of two patients.
pub(super) const MANIFEST: &str = r#"{"transactionTime": "2026-07-02T00:00:00+07:00",
    "requiresAccessToken": true, "error": [],
    "output": [{"type": "Patient", "url": "/api/file/1", "count": 2}]}"#;

pub(super) fn source_with(server: &Server, files: Option<Url>) -> Fhir {
    let service = Service {
        address: server.address.clone(),
        token: Some(SecretPlace::Value(Secret::new(TOKEN.to_owned()))),
        client_certificate: None,
        ca_file: None,
        requests_per_second: 1000,
        timeout_secs: 10,
    };
    let mut client = Client::new(&service).unwrap();
    client.pause = Duration::from_millis(1);
    Fhir { place: Place::Server(Arc::new(Exporter { client, files })) }
}

pub(super) fn source(server: &Server) -> Fhir {
    source_with(server, None)
}

pub(super) fn patients(columns: &[&str]) -> Request {
    with(request("fhir/Patient.*.ndjson", columns), &[("resource", "Patient")])
}

/// Method and path of a request.
pub(super) fn asked(head: &str) -> (&str, &str) {
    let mut words = head.split(' ');
    (words.next().unwrap(), words.next().unwrap().split('?').next().unwrap())
}

/// What a server says that has done its export at once, where `own` says nothing else.
pub(super) fn answer(head: &str, own: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<u8> {
    match asked(head) {
        ("DELETE", "/api/status/1") => reply(202, &[], ""),
        (_, path) => own(path).unwrap_or_else(|| match path {
            "/api/$export" => reply(202, &["Content-Location: /api/status/1"], ""),
            "/api/status/1" => json(MANIFEST),
            "/api/file/1" => reply(200, &[], &format!("{FIRST}\n{SECOND}\n")),
            _ => reply(404, &[], ""),
        }),
    }
}

async fn serve(own: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Server {
    Server::speak(move |number, head| answer(head, |path| own(number, path))).await
}

/// Waits until the server was asked to forget its export.
pub(super) async fn forgotten(server: &Server) {
    while !server.asked().iter().any(|head| head.starts_with("DELETE /api/status/1 ")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// What reading says; it tells neither the token nor a cell, and leaves no export behind.
async fn refused(server: &Server, request: &Request) -> String {
    let error = failure(&source(server), request).await.to_string();
    assert!(!error.contains(TOKEN) && !error.contains("Trần"), "{error}");
    error
}

#[tokio::test]
async fn an_export_is_begun_waited_for_read_and_deleted() {
    let server = serve(|number, path| match (number, path) {
        (1 | 2, "/api/status/1") => Some(reply(202, &["Retry-After: 0"], "")),
        (_, "/api/status/1") => Some(json(
            r#"{"requiresAccessToken": true, "output": [
                {"type": "Group", "url": "/api/file/0"},
                {"type": "Patient", "url": "/api/file/1", "count": 2},
                {"type": "Patient", "url": "/api/file/2", "count": 1}]}"#,
        )),
        (_, "/api/file/2") => Some(reply(200, &[], r#"{"resourceType":"Patient","id":"3"}"#)),
        _ => None,
    });
    let server = server.await;
    let rows = read(&source(&server), &patients(&["id", "name.family", "@deleted"])).await;
    assert_eq!(texts(&rows, "id"), owned(&[Some("1"), Some("2"), Some("3")]));
    assert_eq!(texts(&rows, "name.family"), owned(&[Some("Trần"), None, None]));
    assert_eq!(texts(&rows, "@deleted"), owned(&[Some("false"); 3]));
    let heads = server.asked();
    let all: Vec<_> = heads.iter().map(|head| asked(head)).collect();
    let poll = ("GET", "/api/status/1");
    let files = [("GET", "/api/file/1"), ("GET", "/api/file/2"), ("DELETE", "/api/status/1")];
    assert_eq!(all, [&[("GET", "/api/$export"), poll, poll, poll][..], &files].concat());
    let begin = &server.paths()[0];
    assert_eq!(begin, "/api/$export?_type=Patient&_outputFormat=application%2Ffhir%2Bndjson");
    let head = heads[0].to_lowercase();
    assert!(head.contains("prefer: respond-async"), "{head}");
    assert!(head.contains("accept: application/fhir+json"), "{head}");
    for head in heads {
        assert!(head.to_lowercase().contains(&format!("authorization: bearer {TOKEN}")), "{head}");
    }
}

#[tokio::test]
async fn what_was_written_since_is_asked_for_a_second_early() {
    let server = serve(|_, path| match path {
        "/api/Group/tinh-79/$export" => Some(reply(202, &["Content-Location: /api/status/1"], "")),
        _ => None,
    });
    let server = server.await;
    let mut asked = with(patients(&["id"]), &[("export", "Group/tinh-79")]);
    let span = |column: &str| Span {
        column: column.to_owned(),
        from: Some(at("2026-07-01T00:00:00")),
        below: Some(at("2026-07-05T00:00:00")),
    };
    asked.span = Some(span("meta.lastUpdated"));
    read(&source(&server), &asked).await;
    let begun = server.paths()[0].clone();
    assert!(begun.ends_with("&_since=2026-06-30T23%3A59%3A59%2B07%3A00"), "{begun}");
    asked.span = Some(span("birthDate"));
    read(&source(&server), &asked).await;
    assert!(!server.paths()[4].contains("_since"), "{:?}", server.paths());
}

#[tokio::test]
async fn a_busy_server_is_waited_for_and_one_that_fails_is_not() {
    let server = serve(|number, path| match (number, path) {
        (0..=5, _) => Some(reply(429, &["Retry-After: 0"], "")),
        (7, _) => Some(reply(503, &[], "")),
        (8, _) => Some(Vec::new()),
        _ => None,
    });
    let server = server.await;
    assert_eq!(read(&source(&server), &patients(&["id"])).await.num_rows(), 2);
    let failing = serve(|number, _| (number > 0).then(|| reply(503, &[], "")));
    let failing = failing.await;
    let error = refused(&failing, &patients(&["id"])).await;
    assert!(error.contains("HTTP 503"), "{error}");
    forgotten(&failing).await;
}

#[tokio::test]
async fn an_export_that_never_ends_is_given_up_and_cancelled() {
    let slow = |number, path: &str| {
        let pause: &[&str] = if number == 1 { &["Retry-After: 0"] } else { &["Retry-After: 3600"] };
        (path == "/api/status/1").then(|| reply(202, pause, ""))
    };
    let server = serve(slow).await;
    let error = refused(&server, &with(patients(&["id"]), &[("wait_secs", "1")])).await;
    assert!(error.contains("not done in 1 seconds") && error.contains("`wait_secs`"), "{error}");
    forgotten(&server).await;
    // Whoever waits may be stopped as well.
    let server = serve(slow).await;
    let (source, asked) = (source(&server), patients(&["id"]));
    let opening = tokio::spawn(async move { source.open(&asked).await.map(|_| ()) });
    while server.asked().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    opening.abort();
    forgotten(&server).await;
}

#[tokio::test]
async fn an_export_whose_rows_nobody_wants_any_more_is_cancelled() {
    let server = serve(|_, path| {
        // More than is read ahead.
        let many = format!("{FIRST}\n").repeat(400_000);
        match path {
            "/api/file/1" => Some(reply(200, &[], &many)),
            "/api/status/1" => Some(json(&MANIFEST.replace("\"count\": 2", "\"count\": 400000"))),
            _ => None,
        }
    });
    let server = server.await;
    let snapshot = source(&server).open(&patients(&["id"])).await.unwrap().unwrap();
    let mut rows = snapshot.rows;
    assert!(rows.next().await.unwrap().is_ok());
    drop(rows);
    forgotten(&server).await;
}

#[tokio::test]
async fn an_export_that_reports_errors_is_refused_and_one_with_warnings_is_not() {
    let with_errors = |severity: &'static str| {
        serve(move |_, path| match path {
            "/api/status/1" => Some(json(&MANIFEST.replace(
                "\"error\": []",
                "\"error\": [{\"type\": \"OperationOutcome\", \"url\": \"/api/file/e\"}]",
            ))),
            "/api/file/e" => Some(reply(
                200,
                &[],
                &format!(
                    "{{\"resourceType\":\"OperationOutcome\",\"issue\":[{{\"severity\":\
                     \"{severity}\",\"code\":\"exception\",\"diagnostics\":\"Trần\"}}]}}"
                ),
            )),
            _ => None,
        })
    };
    let server = with_errors("error").await;
    let error = refused(&server, &patients(&["id"])).await;
    assert!(error.contains("reports 1 errors (exception)"), "{error}");
    forgotten(&server).await;
    let server = with_errors("warning").await;
    assert_eq!(read(&source(&server), &patients(&["id"])).await.num_rows(), 2);
}

#[tokio::test]
async fn what_is_no_export_is_refused() {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error",
        "code":"not-supported","details":{"text":"Trần"}}]}"#;
    for (answer, told) in [
        (reply(400, &[], outcome), "(HTTP 400) (not-supported)"),
        (reply(401, &[], ""), "check the token"),
        (reply(404, &[], ""), "HTTP 404"),
        (reply(500, &[], outcome), "(HTTP 500) (not-supported)"),
        (reply(200, &[], outcome), "began no export (HTTP 200 (not-supported))"),
        (reply(202, &[], ""), "began no export (HTTP 202)"),
        (reply(202, &["Content-Location: http://127.0.0.2/x"], ""), "on another server"),
    ] {
        let server = serve(move |_, _| Some(answer.clone())).await;
        let error = refused(&server, &patients(&["id"])).await;
        assert!(error.contains(told), "{error}");
        assert_eq!(server.asked().len(), 1);
    }
    for manifest in ["<html>", outcome, "{}", r#"{"output": [{"type": "Patient"}]}"#] {
        let server = serve(move |_, path| (path == "/api/status/1").then(|| json(manifest))).await;
        let error = refused(&server, &patients(&["id"])).await;
        assert!(error.contains("its manifest cannot be used"), "{error}");
        forgotten(&server).await;
    }
}

#[tokio::test]
async fn files_that_are_not_as_they_were_announced_are_refused() {
    for (file, told) in [
        (format!("{FIRST}\n{}", r#"{"resourceType":"Group","id":"2"}"#), "in line 2: it is no Pat"),
        (FIRST.to_owned(), "it holds 1 resources, and 2 were announced"),
        (format!("{FIRST}\n{}", &SECOND[..20]), "in line 2: "),
        ("Trần".to_owned(), "in line 1: "),
    ] {
        let server =
            serve(move |_, path| (path == "/api/file/1").then(|| reply(200, &[], &file))).await;
        let error = refused(&server, &patients(&["id"])).await;
        assert!(error.contains(told) && error.contains("file 1 of the export"), "{error}");
        forgotten(&server).await;
    }
}

#[tokio::test]
async fn what_was_deleted_becomes_rows_or_is_not_passed_over_unsaid() {
    let server = serve(|_, path| match path {
        "/api/status/1" => Some(json(&MANIFEST.replace(
            "\"error\": []",
            "\"deleted\": [{\"type\": \"Bundle\", \"url\": \"/api/file/d\", \"count\": 1}]",
        ))),
        "/api/file/d" => {
            let entry =
                |url| format!("{{\"request\":{{\"method\":\"DELETE\",\"url\":\"{url}\"}}}}");
            let entries = ["Patient/8", "Group/9", "https://h.vn/fhir/Patient/9"].map(entry);
            let entries = entries.join(",");
            let bundle = format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{entries}]}}"
            );
            Some(reply(200, &[], &bundle))
        }
        _ => None,
    });
    let server = server.await;
    let columns = ["id", "@deleted", "name.family", "meta.lastUpdated"];
    let rows = read(&source(&server), &patients(&columns)).await;
    let instant = Some("2026-07-02T00:00:00+07:00");
    assert_eq!(texts(&rows, "id"), owned(&[Some("8"), Some("9"), Some("1"), Some("2")]));
    let deleted = [Some("true"), Some("true"), Some("false"), Some("false")];
    assert_eq!(texts(&rows, "@deleted"), owned(&deleted));
    assert_eq!(texts(&rows, "name.family"), owned(&[None, None, Some("Trần"), None]));
    assert_eq!(texts(&rows, "meta.lastUpdated"), owned(&[instant, instant, None, None]));
    let error = refused(&server, &patients(&["id"])).await;
    assert!(error.contains("was deleted") && error.contains("`@deleted`"), "{error}");
    let ignoring = with(patients(&["id"]), &[("deleted", "ignore")]);
    assert_eq!(read(&source(&server), &ignoring).await.num_rows(), 2);
}

#[tokio::test]
async fn files_elsewhere_are_fetched_where_that_is_declared_and_without_the_token() {
    let store = Server::start(|_, _| reply(200, &[], &format!("{FIRST}\n{SECOND}"))).await;
    let manifest = |needs_token: bool| {
        let file = store.address.join("file/1?signature=s3cret").unwrap();
        MANIFEST
            .replace("/api/file/1", file.as_str())
            .replace("true", if needs_token { "true" } else { "false" })
    };
    let serve =
        |manifest: String| serve(move |_, path| (path == "/api/status/1").then(|| json(&manifest)));
    let server = serve(manifest(false)).await;
    let asked = patients(&["id"]);
    let error = refused(&server, &asked).await;
    assert!(error.contains("`files_address`") && !error.contains("signature"), "{error}");
    let files = Some(store.address.clone());
    let batches = batches(&source_with(&server, files.clone()), &asked).await;
    assert_eq!(batches[0].num_rows(), 2);
    assert!(!store.asked()[0].to_lowercase().contains("authorization"), "{:?}", store.asked());
    let server = serve(manifest(true)).await;
    let error = failure(&source_with(&server, files), &asked).await;
    assert!(matches!(error, SourceError::Refused { .. }), "{error}");
    assert_eq!(store.asked().len(), 1);
}

#[tokio::test]
async fn to_examine_is_to_ask_what_the_server_is() {
    let speaks = |statement: &'static str| serve(move |_, _| Some(json(statement)));
    let asked = patients(&["id"]);
    let r4 = speaks(r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1"}"#).await;
    assert!(source(&r4).examine(&asked).await.unwrap());
    assert_eq!(r4.paths(), ["/api/metadata"]);
    let r5 = speaks(r#"{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0"}"#).await;
    assert!(source(&r5).examine(&asked).await.unwrap_err().to_string().contains("FHIR R4"));
    let page = speaks("<html>").await;
    assert!(source(&page).examine(&asked).await.unwrap_err().to_string().contains("no FHIR"));
    for (setting, value) in
        [("export", "Group/../x"), ("export", "all"), ("wait_secs", "0"), ("deleted", "yes")]
    {
        let asked = with(asked.clone(), &[(setting, value)]);
        let error = source(&r4).open(&asked).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{setting}`")), "{error}");
    }
    assert_eq!(r4.asked().len(), 1);
}
