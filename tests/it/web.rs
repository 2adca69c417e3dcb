//! Pages read as HTML: what must hold on every page in both languages. The functions take the
//! address of a running server, whichever way it was started.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::TcpStream;

use scraper::{ElementRef, Html, Selector};

/// Pages of one language that are always there.
const PAGES: [&str; 7] =
    ["/", "/bang-dieu-khien", "/chi-tieu", "/danh-muc", "/sql", "/sql?vi_du=1", "/dang-nhap"];

/// Where forms are sent to; all others only ask.
const FORMS: [&str; 5] = ["/sql", "/sql.csv", "/sql.json", "/dang-nhap", "/dang-xuat"];

/// Addresses where there is no page, in both languages; `%FF` is no text.
const NOT_THERE: [&str; 12] = [
    "/khong-co",
    "/en/khong-co",
    "/bang/nguon",
    "/bang/x.y",
    "/bang/%FF",
    "/chi-tieu/khong_co",
    "/chi-tieu/%FF",
    "/en/danh-muc/%FF",
    "/du-lieu-mo/khong-co/",
    "/du-lieu-mo/en/khong-co/",
    "/du-lieu-mo/sot_xuat_huyet_tinh_thang/en/khong-co",
    "/du-lieu-mo/khong-co/v1/khong-co.csv",
];

/// Addresses visited at most while links are followed.
const VISITS: usize = 400;

/// Of the board, which leads to every combination of its choices, some.
const BOARDS: usize = 30;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn is_page(&self) -> bool {
        self.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    }
}

/// `GET path` from `base` (`http://127.0.0.1:8080`).
pub(crate) fn get(base: &str, path: &str) -> Answer {
    get_with(base, path, "")
}

/// As [`get`], with more headers, each with its line end.
pub(crate) fn get_with(base: &str, path: &str, headers: &str) -> Answer {
    send(base, &format!("GET {path}"), headers, "")
}

/// Sends a form as one of our own pages would, with more headers, each with its line end.
pub(crate) fn post(base: &str, path: &str, fields: &[(&str, &str)], headers: &str) -> Answer {
    let origin = format!("Origin: {}\r\n", base.trim_end_matches('/'));
    post_from(base, path, fields, &format!("{origin}{headers}"))
}

/// Sends a form with no other headers than these.
pub(crate) fn post_from(base: &str, path: &str, fields: &[(&str, &str)], headers: &str) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let headers = format!("{kind}Content-Length: {}\r\n{headers}", body.len());
    send(base, &format!("POST {path}"), &headers, &body)
}

/// Sends a request. HTTP/1.0, so that the body ends where the connection does.
pub(crate) fn send(base: &str, request: &str, headers: &str, body: &str) -> Answer {
    let host = base.strip_prefix("http://").expect("an http address").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).expect("the server answers");
    let named = headers.split("\r\n").any(|header| header.to_lowercase().starts_with("host:"));
    let host = if named { String::new() } else { format!("Host: {host}\r\n") };
    write!(stream, "{request} HTTP/1.0\r\n{host}Connection: close\r\n{headers}\r\n{body}")
        .expect("the request is sent");
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).expect("the answer is read");
    answer(&raw)
}

/// Logs in and gives the header that says so, with its line end.
pub(crate) fn log_in(base: &str, name: &str, password: &str) -> String {
    let fields = [("ten", name), ("mat_khau", password), ("ve", "/")];
    let answer = post(base, "/dang-nhap", &fields, "");
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.headers.get("set-cookie").expect("a session");
    let cookie = cookie.split(';').next().expect("a cookie");
    format!("Cookie: {cookie}\r\n")
}

/// Takes a raw answer apart.
pub(crate) fn answer(raw: &[u8]) -> Answer {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("headers end");
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|code| code.parse().ok()).expect("a status line");
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        // A name may stand twice, as `Vary` does; its values are one list.
        let values = headers.entry(name.to_lowercase()).or_default();
        let comma = if values.is_empty() { "" } else { ", " };
        *values = format!("{values}{comma}{}", value.trim());
    }
    Answer { status, headers, body: raw[end + 4..].to_vec() }
}

/// Checks the site from its known pages through every link on them, as whoever sends `headers`.
pub(crate) fn check_site(base: &str, headers: &str) {
    assert_eq!(get(base, "/health").status, 200);
    let mut faults = Vec::new();
    let mut open: VecDeque<(String, String)> = PAGES
        .iter()
        .flat_map(|path| [(*path).to_owned(), format!("/en{path}")])
        .map(|path| (path, "(start)".to_owned()))
        .collect();
    let (mut seen, mut boards) = (BTreeSet::new(), 0);
    while let Some((path, from)) = open.pop_front() {
        boards += usize::from(path.contains("/bang-dieu-khien?"));
        if path.contains("/bang-dieu-khien?") && boards > BOARDS {
            continue;
        }
        if seen.len() >= VISITS || !seen.insert(path.clone()) {
            continue;
        }
        let answer = get_with(base, &path, headers);
        if answer.status != 200 && !(300..400).contains(&answer.status) {
            faults.push(format!("{path}: status {} (linked from {from})", answer.status));
            continue;
        }
        if path.starts_with("/du-lieu-mo") || !answer.is_page() {
            continue;
        }
        faults.extend(page_faults(&path, &answer).into_iter().map(|f| format!("{path}: {f}")));
        let links = links(&answer.text()).into_iter();
        // The way to log in leads to the same page from everywhere.
        let links = links.filter(|link| !link.contains("/dang-nhap?"));
        open.extend(links.map(|link| (link, path.clone())));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Checks the page that says that there is no page.
pub(crate) fn check_not_found(base: &str) {
    for path in NOT_THERE {
        let answer = get(base, path);
        assert_eq!(answer.status, 404, "{path}");
        let faults = page_faults(path, &answer);
        assert!(faults.is_empty(), "{path}: {faults:?}");
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
    }
}

/// Checks how the files of the open-data site are served: their types, for how long they may be
/// kept, and Parquet as it is, so that its readers may ask for ranges.
pub(crate) fn check_open_data_files(base: &str) {
    let folder = "/du-lieu-mo/sot_xuat_huyet_tinh_thang/v1";
    let header = |answer: &Answer, name: &str| answer.headers.get(name).cloned();
    let sums = get(base, &format!("{folder}/SHA256SUMS"));
    assert_eq!(header(&sums, "content-type").as_deref(), Some("text/plain; charset=utf-8"));
    let kept = header(&sums, "cache-control").unwrap_or_default();
    assert!(kept.contains("immutable"), "{kept}");
    let landing = get(base, "/du-lieu-mo/sot_xuat_huyet_tinh_thang/");
    assert_eq!(header(&landing, "cache-control").as_deref(), Some("no-cache"));
    let parquet = format!("{folder}/sot_xuat_huyet_tinh_thang.parquet");
    let parquet = get_with(base, &parquet, "Accept-Encoding: gzip\r\n");
    assert_eq!(header(&parquet, "content-encoding"), None);
    let length = header(&parquet, "content-length");
    assert_eq!(length, Some(parquet.body.len().to_string()));
    let robots = get(base, "/robots.txt").text();
    assert!(robots.contains("Allow: /du-lieu-mo/\n") && robots.contains("Disallow: /\n"));
}

/// Checks that the SQL page explains faults and refuses to change anything.
pub(crate) fn check_sql_faults(base: &str) {
    for (query, code) in [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nguon.khong_co", "42P01"),
        ("DELETE FROM chi_tieu.gia_tri", "25006"),
        ("SELECT 1;SELECT 2", "42601"),
    ] {
        let answer = post(base, "/sql", &[("q", query)], "");
        assert_eq!(answer.status, 400, "{query}");
        let faults = page_faults("/sql", &answer);
        assert!(faults.is_empty(), "{query}: {faults:?}");
        let html = Html::parse_document(&answer.text());
        let alert = all(&html, "[role=alert]").first().map(text).unwrap_or_default();
        assert!(alert.contains(code), "{query}: {alert}");
        assert_eq!(post(base, "/sql.csv", &[("q", query)], "").status, 400, "{query}");
    }
}

/// Checks that a query runs only when it is sent in a form, and that its rows are kept nowhere.
pub(crate) fn check_sql_is_sent(base: &str) {
    let query = "SELECT 6 * 7 AS cau_tra_loi";
    let ran = post(base, "/sql", &[("q", query)], "");
    assert_eq!(ran.status, 200);
    assert!(ran.text().contains("<td class=\"n\">42</td>"));
    assert_eq!(ran.headers.get("cache-control").map(String::as_str), Some("no-store"));
    assert!(page_faults("/sql", &ran).is_empty(), "{:?}", page_faults("/sql", &ran));
    let addressed = get(base, "/sql?q=SELECT+6+*+7+AS+cau_tra_loi");
    assert_eq!(addressed.status, 200);
    assert!(!addressed.text().contains("cau_tra_loi"), "a query in an address is ignored");
    assert_eq!(get(base, "/sql.csv?q=SELECT+1").status, 405);
    let file = post(base, "/sql.csv", &[("q", query)], "");
    assert_eq!(file.text(), "cau_tra_loi\n42\n");
    assert_eq!(file.headers.get("cache-control").map(String::as_str), Some("no-store"));
    let offered = get(base, "/sql?vi_du=1").text();
    let html = Html::parse_document(&offered);
    let text = all(&html, "textarea#q").first().map(text).unwrap_or_default();
    assert!(text.starts_with("SELECT"), "{text}");
}

/// What a page lacks.
pub(crate) fn page_faults(path: &str, answer: &Answer) -> Vec<String> {
    let html = Html::parse_document(&answer.text());
    let mut faults = Vec::new();
    let mut require = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let language = if path.split('/').any(|part| part == "en") { "en" } else { "vi" };
    let root = html.root_element();
    require(root.attr("lang") == Some(language), "the language of the document");
    require(all(&html, "h1").len() == 1, "exactly one h1");
    require(all(&html, "main").len() == 1, "exactly one main");
    require(all(&html, "header, nav, footer").len() >= 3, "landmarks");
    require(
        all(&html, "[style], style, script, [onclick]").is_empty(),
        "no inline style or script",
    );
    require(!all(&html, "a.skip[href='#noi-dung']").is_empty(), "a link past the menu");
    require(all(&html, "title").iter().any(|title| !text(title).trim().is_empty()), "a title");
    let policy = answer.headers.get("content-security-policy").map(String::as_str);
    let strict = |policy: &str| policy.contains("default-src 'none'") && !policy.contains("unsafe");
    require(policy.is_some_and(strict), "a strict content policy");
    let sniffing = answer.headers.get("x-content-type-options").map(String::as_str);
    require(sniffing == Some("nosniff"), "nosniff");
    faults.extend(heading_faults(&html));
    faults.extend(reference_faults(&html));
    faults.extend(table_faults(&html));
    faults.extend(chart_faults(&html));
    faults.extend(form_faults(&html));
    faults
}

/// Headings go down one level at a time.
fn heading_faults(html: &Html) -> Vec<String> {
    let levels = all(html, "main h1, main h2, main h3, main h4");
    let levels = levels.iter().map(|heading| {
        let level = heading.value().name()[1..].parse::<u8>().unwrap_or_default();
        (level, text(heading))
    });
    let mut before = 0;
    let mut faults = Vec::new();
    for (level, words) in levels {
        if level > before + 1 {
            faults.push(format!("heading `{words}` of level {level} after level {before}"));
        }
        before = level;
    }
    faults
}

/// Ids are unique, and what refers to one finds it.
fn reference_faults(html: &Html) -> Vec<String> {
    let mut ids = BTreeSet::new();
    let mut faults = Vec::new();
    for element in all(html, "[id]") {
        let id = element.attr("id").unwrap_or_default();
        if !ids.insert(id.to_owned()) {
            faults.push(format!("the id `{id}` twice"));
        }
    }
    for name in ["aria-labelledby", "aria-describedby", "for"] {
        for element in all(html, &format!("[{name}]")) {
            for id in element.attr(name).unwrap_or_default().split_whitespace() {
                if !ids.contains(id) {
                    faults.push(format!("{name} names `{id}`, which is not there"));
                }
            }
        }
    }
    for link in all(html, "a[href^='#']") {
        let id = link.attr("href").unwrap_or_default().trim_start_matches('#');
        if !ids.contains(id) {
            faults.push(format!("a link to `#{id}`, which is not there"));
        }
    }
    faults
}

/// Tables have captions and scopes, and scroll in regions that the keyboard reaches.
fn table_faults(html: &Html) -> Vec<String> {
    let mut faults = Vec::new();
    for table in all(html, "table") {
        let caption = inside(&table, "caption").first().map(text).unwrap_or_default();
        if caption.trim().is_empty() {
            faults.push("a table without a caption".to_owned());
        }
        if inside(&table, "th").iter().any(|th| th.attr("scope").is_none()) {
            faults.push(format!("a heading without a scope in `{caption}`"));
        }
        let region = table.ancestors().filter_map(ElementRef::wrap).any(|element| {
            element.attr("role") == Some("region")
                && element.attr("tabindex") == Some("0")
                && element.attr("aria-label").is_some_and(|label| !label.is_empty())
        });
        if !region {
            faults.push(format!("the table `{caption}` is not in a region of its own"));
        }
    }
    faults
}

/// Every picture has a name and a table beside it, or is decoration.
fn chart_faults(html: &Html) -> Vec<String> {
    let mut faults = Vec::new();
    for svg in all(html, "svg") {
        if svg.attr("aria-hidden") == Some("true") {
            continue;
        }
        if svg.attr("role") != Some("img") || svg.attr("aria-labelledby").is_none() {
            faults.push("a picture without a name".to_owned());
        }
        let beside = svg.ancestors().filter_map(ElementRef::wrap).any(|element| {
            element.attr("class") == Some("beside") && !inside(&element, "table").is_empty()
        });
        if !beside {
            faults.push("a picture without a table beside it".to_owned());
        }
    }
    faults
}

/// Every field has a label; forms only ask, or are sent to where forms are taken.
fn form_faults(html: &Html) -> Vec<String> {
    let labelled: BTreeSet<&str> =
        all(html, "label[for]").iter().filter_map(|label| label.attr("for")).collect();
    let mut faults = Vec::new();
    for field in all(html, "input, select, textarea") {
        if field.attr("type") == Some("hidden") {
            continue;
        }
        let id = field.attr("id").unwrap_or_default();
        if !labelled.contains(id) {
            faults.push(format!("the field `{id}` without a label"));
        }
    }
    for form in all(html, "form") {
        let to = form.attr("action").unwrap_or_default();
        let to = to.strip_prefix("/en").unwrap_or(to);
        let sent = form.attr("method") == Some("post") && FORMS.contains(&to);
        if form.attr("method") != Some("get") && !sent {
            faults.push(format!("a form that is sent to `{to}`"));
        }
    }
    faults
}

/// Addresses on this site, without fragments.
pub(crate) fn links(page: &str) -> Vec<String> {
    let html = Html::parse_document(page);
    let hrefs = all(&html, "a[href], link[rel=stylesheet]");
    let hrefs = hrefs.iter().filter_map(|link| link.attr("href"));
    let local = hrefs.filter(|href| href.starts_with('/') && !href.starts_with("//"));
    local.map(|href| href.split('#').next().unwrap_or(href).to_owned()).collect()
}

pub(crate) fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    html.select(&selector).collect()
}

fn inside<'a>(element: &ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    element.select(&selector).collect()
}

pub(crate) fn text(element: &ElementRef<'_>) -> String {
    element.text().collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}
