mod tls;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use chrono::NaiveDate;
use futures::TryStreamExt;
use url::Url;

use super::*;
use crate::testing::server::{Server, json, reply};
use crate::{Secret, SecretPlace, Span};

const TOKEN: &str = "s3cret-t0ken";

fn service(address: &Url) -> Service {
    Service {
        address: address.clone(),
        token: Some(SecretPlace::Value(Secret::new(TOKEN.to_owned()))),
        client_certificate: None,
        ca_file: None,
        requests_per_second: 1000,
        timeout_secs: 10,
    }
}

fn source(service: &Service) -> HttpJson {
    let mut client = Client::new(service).unwrap();
    client.pause = Duration::from_millis(1);
    HttpJson { client: Arc::new(client) }
}

fn request(columns: &[&str], settings: &[(&str, &str)]) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request {
        place: "/v1/ho-so?loai=1".to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        span: None,
        settings: settings.iter().map(owned).collect::<BTreeMap<_, _>>(),
    }
}

/// The rows, each as its cells joined by `/`; null is `-`.
async fn read(server: &Server, request: &Request) -> Result<Vec<String>, SourceError> {
    let snapshot = source(&service(&server.address)).open(request).await?.unwrap();
    assert_eq!(snapshot.known, None);
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                let texts = column.as_string::<i32>();
                if texts.is_null(row) { "-" } else { texts.value(row) }
            });
            rows.push(cells.collect::<Vec<_>>().join("/"));
        }
    }
    assert!(!batches.is_empty(), "a table without rows still tells its columns");
    Ok(rows)
}

/// What reading says; it never tells the token or a cell.
async fn refused(server: &Server, request: &Request) -> SourceError {
    let error = read(server, request).await.unwrap_err();
    let all = format!("{error} {error:?}");
    assert!(!all.contains(TOKEN) && !all.contains("Hường"), "{all}");
    error
}

async fn refused_body(body: &str, columns: &[&str]) -> String {
    let body = body.to_owned();
    let server = Server::start(move |_, _| json(&body)).await;
    let error = refused(&server, &request(columns, &[])).await;
    assert!(matches!(error, SourceError::Malformed { format: "JSON", .. }), "{error}");
    error.to_string()
}

/// The value of a parameter in a path.
fn parameter(path: &str, name: &str) -> Option<String> {
    let url = Url::parse("http://x").unwrap().join(path).unwrap();
    url.query_pairs().find(|(one, _)| one == name).map(|(_, value)| value.into_owned())
}

/// Seven rows by number.
fn numbered(path: &str, total: impl Fn(u64) -> Option<u64>) -> Vec<u8> {
    let page: u64 = parameter(path, "page").unwrap().parse().unwrap();
    let size: u64 = parameter(path, "size").unwrap().parse().unwrap();
    let from = (page - 1) * size;
    let rows: Vec<String> =
        (from..(from + size).min(7)).map(|n| format!("{{\"n\":{n}}}")).collect();
    let total = total(page).map_or("null".to_owned(), |total| total.to_string());
    json(&format!("{{\"data\":{{\"items\":[{}]}},\"total\":{total}}}", rows.join(",")))
}

const NUMBER: &[(&str, &str)] = &[("rows", "data.items"), ("paging", "number"), ("size", "3")];

#[tokio::test]
async fn members_are_cells_of_text() {
    let body = r#"[
        {"a": "x", "b": {"c": 12, "d": "không hỏi"}, "ma": ["p", "q"], "e": true, "f": null},
        {"b": {"c": -0.5}, "ma": [], "e": 9007199254740993, "f": 12.0},
        {"a": "\u0110\u1ed7", "b": null, "ma": [7], "e": 18446744073709551615, "f": 0.10}
    ]"#;
    let server = Server::start(move |_, _| json(body)).await;
    let read = read(&server, &request(&["b.c", "a", "ma.0", "e", "f"], &[])).await.unwrap();
    assert_eq!(
        read,
        ["12/x/p/true/-", "-0.5/-/-/9007199254740993/12", "-/Đỗ/7/18446744073709551615/0.1"]
    );
    assert_eq!(server.paths(), ["/api/v1/ho-so?loai=1"]);
    let head = server.asked()[0].to_lowercase();
    assert!(head.contains(&format!("authorization: bearer {TOKEN}")), "{head}");
}

#[tokio::test]
async fn pages_by_number_end_with_a_short_one() {
    let server = Server::start(|_, path| numbered(path, |_| None)).await;
    let all = read(&server, &request(&["n"], NUMBER)).await.unwrap();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(server.paths().len(), 3);
    assert_eq!(server.paths()[1], "/api/v1/ho-so?loai=1&size=3&page=2");
}

#[tokio::test]
async fn a_total_ends_pages_and_a_total_that_moves_is_noticed() {
    let asked = request(&["n"], &[NUMBER, &[("total", "total")]].concat());
    let steady = Server::start(|_, path| numbered(path, |_| Some(7))).await;
    assert_eq!(read(&steady, &asked).await.unwrap().len(), 7);
    let moving = Server::start(|_, path| numbered(path, |page| Some(7 + page / 3))).await;
    let error = refused(&moving, &asked).await;
    assert!(matches!(error, SourceError::Changed { .. }), "{error}");
    let short = Server::start(|_, path| numbered(path, |_| Some(9))).await;
    let error = refused(&short, &asked).await.to_string();
    assert!(error.contains("7 of 9 rows"), "{error}");
    let silent = Server::start(|_, path| numbered(path, |_| None)).await;
    let error = refused(&silent, &asked).await.to_string();
    assert!(error.contains("`total`"), "{error}");
}

#[tokio::test]
async fn a_service_that_caps_its_pages_loses_no_row_where_it_tells_a_total() {
    // It is asked for 5 and gives 3.
    let server = Server::start(|_, path| numbered(&path.replace("size=5", "size=3"), |_| Some(7)));
    let server = server.await;
    let settings = [NUMBER, &[("total", "total"), ("size", "5")]].concat();
    assert_eq!(read(&server, &request(&["n"], &settings)).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_page_that_comes_again_is_refused() {
    let server = Server::start(|_, _| json(r#"[{"n":1},{"n":2}]"#)).await;
    let error = refused(&server, &request(&["n"], &[("paging", "number"), ("size", "2")])).await;
    assert!(error.to_string().contains("the same page twice (page 2)"), "{error}");
}

const CURSOR: &[(&str, &str)] =
    &[("rows", "items"), ("paging", "cursor"), ("cursor_param", "after"), ("next", "meta.next")];

#[tokio::test]
async fn cursors_are_followed_until_there_is_none() {
    for last in ["", ",\"meta\":null", ",\"meta\":{\"next\":null}", ",\"meta\":{\"next\":\"\"}"] {
        let server = Server::start(move |_, path| match parameter(path, "after").as_deref() {
            None => json(r#"{"items":[{"n":1}],"meta":{"next":"a+/b"}}"#),
            Some("a+/b") => json(r#"{"meta":{"next":7},"items":[]}"#),
            Some("7") => json(&format!("{{\"items\":[{{\"n\":2}}]{last}}}")),
            Some(_) => reply(400, &[], ""),
        });
        let server = server.await;
        assert_eq!(read(&server, &request(&["n"], CURSOR)).await.unwrap(), ["1", "2"]);
    }
}

#[tokio::test]
async fn a_cursor_that_comes_again_is_refused() {
    let server = Server::start(|number, _| {
        let cursor = ["a", "b", "a"][number];
        json(&format!("{{\"items\":[{{\"n\":{number}}}],\"meta\":{{\"next\":\"{cursor}\"}}}}"))
    });
    let error = refused(&server.await, &request(&["n"], CURSOR)).await;
    assert!(error.to_string().contains("back to a page that was read"), "{error}");
}

#[tokio::test]
async fn links_are_followed_within_the_service_only() {
    let asked = request(&["n"], &[("paging", "link")]);
    let server = Server::start(|number, _| match number {
        0 => reply(200, &["Link: </api/v1/ho-so?tiep=2>; rel=\"next\""], "[{\"n\":1}]"),
        _ => json("[{\"n\":2}]"),
    });
    let server = server.await;
    assert_eq!(read(&server, &asked).await.unwrap(), ["1", "2"]);
    assert_eq!(server.paths()[1], "/api/v1/ho-so?tiep=2");
    let other = Server::start(|_, _| json("[]")).await;
    let link = format!("Link: <{}x>; rel=next", other.address);
    let server = Server::start(move |_, _| reply(200, &[&link], "[{\"n\":1}]")).await;
    let error = refused(&server, &asked).await;
    assert!(error.to_string().contains("another server"), "{error}");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_span_is_sent_as_instants_of_viet_nam() {
    let server = Server::start(|_, _| json("[]")).await;
    let mut asked = request(&["n"], &[("since_param", "tu"), ("until_param", "den")]);
    let day = |day| NaiveDate::from_ymd_opt(2026, 7, day).unwrap().and_hms_opt(0, 0, 0);
    asked.span = Some(Span { column: "n".to_owned(), from: day(1), below: day(2) });
    assert!(read(&server, &asked).await.unwrap().is_empty());
    let path = &server.paths()[0];
    assert_eq!(parameter(path, "tu").as_deref(), Some("2026-07-01T00:00:00+07:00"));
    assert_eq!(parameter(path, "den").as_deref(), Some("2026-07-02T00:00:00+07:00"));
    assert_eq!(parameter(path, "loai").as_deref(), Some("1"));
}

#[tokio::test]
async fn only_what_is_wanted_is_asked_for() {
    let server = Server::start(|_, _| json(r#"[{"a":{"b":1,"c":2},"ma":[3]}]"#)).await;
    let settings =
        [("fields_param", "chon"), ("param.trang_thai", "1"), ("param.tinh", "Đà Nẵng & 79")];
    let asked = request(&["a.b", "a.c", "ma.0", "ma.1"], &settings);
    assert_eq!(read(&server, &asked).await.unwrap(), ["1/2/3/-"]);
    let path = &server.paths()[0];
    assert_eq!(parameter(path, "chon").as_deref(), Some("a.b,a.c,ma"));
    assert_eq!(parameter(path, "trang_thai").as_deref(), Some("1"));
    assert_eq!(parameter(path, "tinh").as_deref(), Some("Đà Nẵng & 79"));
    assert_eq!(parameter(path, "loai").as_deref(), Some("1"));
    for twice in ["param.page", "param.size", "param.chon"] {
        let asked = request(&["a"], &[NUMBER, &settings, &[(twice, "1")]].concat());
        assert!(refused(&server, &asked).await.to_string().contains(&format!("`{twice}`")));
    }
}

#[tokio::test]
async fn parameters_may_go_in_the_body() {
    let two_pages = || {
        Server::speak(|_, asked| {
            let is_last = asked.contains("\"page\":2") || asked.contains("page=2");
            json(&format!(
                "{{\"data\":{{\"items\":[{{\"n\":1}}{}]}}}}",
                if is_last { "" } else { ",{\"n\":2},{\"n\":3}" }
            ))
        })
    };
    for (method, body) in [
        ("post_form", "trang_thai=1&size=3&page=2"),
        ("post_json", r#"{"page":2,"size":3,"trang_thai":"1"}"#),
    ] {
        let server = two_pages().await;
        let settings = [NUMBER, &[("method", method), ("param.trang_thai", "1")]].concat();
        let rows = read(&server, &request(&["n"], &settings)).await.unwrap();
        assert_eq!(rows, ["1", "2", "3", "1"]);
        let asked = &server.asked()[1];
        assert!(asked.starts_with("POST /api/v1/ho-so?loai=1 "), "{asked}");
        assert!(asked.ends_with(body), "{asked}");
    }
    let server = Server::start(|_, _| json("[]")).await;
    for settings in [&[("method", "post_json"), ("paging", "link")][..], &[("method", "put")]] {
        let error = refused(&server, &request(&["n"], settings)).await.to_string();
        assert!(error.contains("`method`"), "{error}");
    }
}

#[tokio::test]
async fn a_page_that_fails_is_asked_again_and_no_other() {
    let server = Server::start(|number, path| match number {
        1 => reply(503, &[], ""),
        2 => reply(429, &["Retry-After: 0"], ""),
        3 => b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{\"data\"".to_vec(),
        4 => Vec::new(),
        _ => numbered(path, |_| Some(7)),
    });
    let server = server.await;
    let all = read(&server, &request(&["n"], NUMBER)).await.unwrap();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6"]);
    let pages: Vec<String> =
        server.paths().iter().map(|path| parameter(path, "page").unwrap()).collect();
    assert_eq!(pages, ["1", "2", "2", "2", "2", "2", "3"]);
}

#[tokio::test]
async fn a_service_that_keeps_failing_or_wants_a_long_pause_is_given_up() {
    let server = Server::start(|_, _| reply(502, &[], "Hường")).await;
    let error = refused(&server, &request(&["n"], &[])).await;
    assert!(error.to_string().contains("HTTP 502"), "{error}");
    assert_eq!(server.asked().len(), 5);
    let server = Server::start(|_, _| reply(429, &["Retry-After: 86400"], "")).await;
    let error = refused(&server, &request(&["n"], &[])).await;
    assert!(error.to_string().contains("requests_per_second"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn what_an_operator_can_mend_is_told_at_once() {
    for (status, told) in [(401, "token"), (403, "right"), (404, "path"), (500, "failed")] {
        let server = Server::start(move |_, _| reply(status, &[], "Hường")).await;
        let error = refused(&server, &request(&["n"], &[])).await;
        assert!(matches!(error, SourceError::Refused { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(told) && text.contains(&format!("HTTP {status}")), "{text}");
        assert!(text.contains("/v1/ho-so") && !text.contains("loai"), "{text}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_made_up_service_says_so() {
    for (headers, expected) in [(&["Khoyte-Mo-Phong: 1"][..], true), (&[], false)] {
        let server = Server::start(move |_, _| reply(200, headers, "[{\"n\":1}]")).await;
        let source = source(&service(&server.address));
        let snapshot = source.open(&request(&["n"], &[])).await.unwrap().unwrap();
        assert_eq!(snapshot.simulated, expected);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_by_host_and_port() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let address = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = source(&service(&address)).open(&request(&["n"], &[])).await.unwrap_err();
    assert!(matches!(error, SourceError::Server { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_given_up() {
    // It takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let address = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let slow = Service { timeout_secs: 1, ..service(&address) };
    let error = source(&slow).open(&request(&["n"], &[])).await.unwrap_err();
    assert!(error.to_string().contains("does not answer in time"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_service_only() {
    let server = Server::start(|_, path| match path {
        "/api/v1/ho-so?loai=1" => reply(307, &["Location: /moi"], ""),
        _ => json("[{\"n\":1}]"),
    });
    assert_eq!(read(&server.await, &request(&["n"], &[])).await.unwrap(), ["1"]);
    let other = Server::start(|_, _| json("[{\"n\":1}]")).await;
    let location = format!("Location: {}", other.address);
    let server = Server::start(move |_, _| reply(302, &[&location], "")).await;
    let error = refused(&server, &request(&["n"], &[])).await;
    assert!(error.to_string().contains("HTTP 302"), "{error}");
    assert!(other.asked().is_empty());
    let circle = Server::start(|_, _| reply(302, &["Location: /x"], "")).await;
    assert!(refused(&circle, &request(&["n"], &[])).await.to_string().contains("too often"));
}

#[tokio::test]
async fn answers_that_are_no_json_are_refused_with_their_page() {
    for body in
        ["<html>Hường</html>", "[{\"n\":\"Hường\"},", "[{\"n\":1}] x", "", "[{\"n\":1e999}]"]
    {
        let error = refused_body(body, &["n"]).await;
        assert!(error.contains("on page 1, line 1"), "{error}");
    }
}

#[tokio::test]
async fn answers_of_another_form_are_refused() {
    let nested = refused_body(r#"[{"n":{"ten":"Hường"}}]"#, &["n"]).await;
    assert!(nested.contains("`n` is an object or array"), "{nested}");
    assert!(refused_body(r#"[{"n":1,"n":2}]"#, &["n"]).await.contains("twice"));
    assert!(refused_body(r#"["Hường"]"#, &["n"]).await.contains("neither an object"));
    assert!(refused_body("[null]", &["n"]).await.contains("neither an object"));
    assert!(refused_body(r#"{"n":1}"#, &["n"]).await.contains("`rows`"));
    assert!(refused_body("7", &["n"]).await.contains("`rows`"));
    let long = refused_body(r#"[{"n":12345678901234567890123}]"#, &["n"]).await;
    assert!(long.contains("more digits"), "{long}");
}

#[tokio::test]
async fn a_column_that_no_row_has_is_named() {
    let server = Server::start(|_, _| json(r#"[{"a":1,"b":{}},{"a":2,"b":{"c":3}}]"#)).await;
    assert_eq!(read(&server, &request(&["a", "b.c"], &[])).await.unwrap(), ["1/-", "2/3"]);
    let error = refused(&server, &request(&["a", "b.d"], &[])).await;
    assert!(matches!(&error, SourceError::MissingColumn { column, .. } if column == "b.d"));
    let nulls = Server::start(|_, _| json(r#"[{"b":null,"ma":[]}]"#)).await;
    assert_eq!(read(&nulls, &request(&["b.d", "ma.0"], &[])).await.unwrap(), ["-/-"]);
    let nothing = Server::start(|_, _| json("[]")).await;
    assert!(read(&nothing, &request(&["a"], &[])).await.unwrap().is_empty());
}

#[tokio::test]
async fn bombs_are_refused_before_they_fill_the_memory() {
    let asked = request(&["n"], &[]);
    let claims =
        Server::start(|_, _| b"HTTP/1.1 200 X\r\nContent-Length: 99999999999\r\n\r\n[".to_vec());
    let error = refused(&claims.await, &asked).await;
    assert!(matches!(error, SourceError::Bound { .. }), "{error}");
    let endless = Server::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 X\r\n\r\n[".to_vec();
        bytes.resize(65 << 20, b' ');
        bytes
    });
    let error = refused(&endless.await, &asked).await;
    assert!(error.to_string().contains("64 MiB"), "{error}");
    // Deep nesting in what nobody asked for is passed over; in what was asked for it is refused.
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let body = format!("[{{\"x\":{deep},\"n\":1}}]");
    let server = Server::start(move |_, _| json(&body)).await;
    assert_eq!(read(&server, &asked).await.unwrap(), ["1"]);
    let error = refused_body(&format!("[{{\"n\":{deep}}}]"), &["n"]).await;
    assert!(error.contains("`n` is an object or array"), "{error}");
    let hollow = format!("[{}{{}}]", "{},".repeat(300_000));
    let server = Server::start(move |_, _| json(&hollow)).await;
    let columns: Vec<String> = (0..64).map(|at| format!("c{at}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let error = refused(&server, &request(&columns, &[])).await;
    assert!(error.to_string().contains("cells"), "{error}");
}

#[tokio::test]
async fn many_rows_are_batches_of_a_bounded_size() {
    let body = format!("[{}{{\"n\":1}}]", "{\"n\":1},".repeat(40_000));
    let server = Server::start(move |_, _| json(&body)).await;
    let snapshot = source(&service(&server.address)).open(&request(&["n"], &[])).await.unwrap();
    let batches: Vec<RecordBatch> = snapshot.unwrap().rows.try_collect().await.unwrap();
    let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [32_768, 7_233]);
}

#[tokio::test]
async fn to_examine_is_to_ask_for_one_row() {
    let server = Server::start(|_, path| numbered(path, |_| Some(7))).await;
    let asked = request(&["n", "optional"], NUMBER);
    source(&service(&server.address)).examine(&asked).await.unwrap();
    assert_eq!(server.paths(), ["/api/v1/ho-so?loai=1&size=1&page=1"]);
    let asked = request(&["n"], &[("paging", "number"), ("rows", "else.where")]);
    let error = source(&service(&server.address)).examine(&asked).await.unwrap_err();
    assert!(error.to_string().contains("`rows`"), "{error}");
}

#[tokio::test]
async fn settings_that_are_not_usable_are_named() {
    let server = Server::start(|_, _| json("[]")).await;
    for (setting, settings) in [
        ("paging", &[("paging", "pages")][..]),
        ("cursor_param", &[("paging", "cursor"), ("next", "n")]),
        ("next", &[("paging", "cursor"), ("cursor_param", "n")]),
        ("size", &[("size", "0")]),
        ("first", &[("paging", "number"), ("first", "x")]),
    ] {
        let error = refused(&server, &request(&["n"], settings)).await.to_string();
        assert!(error.contains(&format!("`{setting}`")), "{error}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn addresses_that_give_the_token_away_are_refused() {
    let setting = |service: &Service| HttpJson::new(service).unwrap_err().to_string();
    let at = |address: &str| service(&Url::parse(address).unwrap());
    assert!(HttpJson::new(&at("https://bhxh.example/api")).is_ok());
    assert!(setting(&at("http://bhxh.example/api")).contains("not encrypted"));
    assert!(HttpJson::new(&Service { token: None, ..at("http://bhxh.example") }).is_ok());
    let error = setting(&at("https://ai:mat-khau@bhxh.example"));
    assert!(error.contains("bhxh.example:443") && !error.contains("mat-khau"), "{error}");
    assert!(setting(&at("ftp://bhxh.example")).contains("https"));
    let none = Service { requests_per_second: 0, ..at("https://bhxh.example") };
    assert!(setting(&none).contains("`requests_per_second`"));
}

#[test]
fn a_certificate_that_lies_open_or_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.pem");
    std::fs::write(&path, "no certificate").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let plain = service(&Url::parse("https://bhxh.example").unwrap());
    let with = Service { client_certificate: Some(path.clone()), ..plain.clone() };
    assert!(HttpJson::new(&with).unwrap_err().to_string().contains("chmod 600"));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(HttpJson::new(&with).unwrap_err().to_string().contains("`client_certificate`"));
    let authority = Service { ca_file: Some(path), ..plain };
    assert!(HttpJson::new(&authority).unwrap_err().to_string().contains("`ca_file`"));
}

#[test]
fn neither_a_service_nor_a_source_shows_its_token() {
    let service = service(&Url::parse("https://bhxh.example").unwrap());
    let shown = format!("{service:?} {:?}", HttpJson::new(&service).unwrap());
    assert!(shown.contains("bhxh.example:443") && !shown.contains(TOKEN), "{shown}");
}
