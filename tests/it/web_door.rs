//! Who is let in on the web, under which host, from which site, and with whose eyes they read.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{self, Server, khoyte, succeed};
use crate::web::{self, Answer, get, get_with, log_in, post, post_from};

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", String::as_str)
}

/// Checks that only the machine's own names are answered for.
fn check_hosts(base: &str) {
    let port = base.rsplit(':').next().unwrap();
    for host in ["localhost", "127.0.0.1:1", "[::1]:9", &format!("LocalHost:{port}")] {
        assert_eq!(get_with(base, "/", &format!("Host: {host}\r\n")).status, 200, "{host}");
    }
    for path in ["/", "/health", "/du-lieu-mo/", "/sql", "/khong-co"] {
        let other = get_with(base, path, "Host: evil.example\r\n");
        assert_eq!(other.status, 421, "{path}");
        assert!(!other.text().contains("evil") && other.text().contains("<h1>"), "{path}");
        assert!(header(&other, "content-security-policy").contains("default-src 'none'"));
    }
    let query = [("q", "SELECT 1")];
    let other = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
    assert_eq!(post_from(base, "/sql", &query, other).status, 421);
    let whole = web::send(base, "GET http://evil.example/", "", "");
    assert_eq!(whole.status, 421, "an address in full names a host too");
    assert_eq!(get_with(base, "/", "Host: localhost\r\nHost: localhost\r\n").status, 400);
}

/// Checks that other sites' pages may lead here and load open data, and nothing else.
fn check_cross_site(base: &str, session: &str) {
    let cross = "Sec-Fetch-Site: cross-site\r\n";
    let visit = format!("{cross}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n");
    let framed = format!("{cross}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n");
    let fetched = "Origin: https://evil.example\r\n".to_owned();
    assert_eq!(get_with(base, "/bang-dieu-khien", &visit).status, 200);
    for headers in [cross, &framed, &fetched] {
        let headers = format!("{headers}{session}");
        let refused = get_with(base, "/bang-dieu-khien", &headers);
        assert_eq!(refused.status, 403, "{headers}");
        assert!(web::page_faults("/bang-dieu-khien", &refused).is_empty());
        assert!(!refused.text().contains("ke_hoach"), "not even the reader's name");
        assert_eq!(get_with(base, "/du-lieu-mo/", &headers).status, 200);
        assert_eq!(get_with(base, "/health", &headers).status, 200);
    }
    let host = base.trim_start_matches("http://");
    let query = [("q", "SELECT 1")];
    for (headers, status) in [
        (String::new(), 403),
        (format!("Origin: http://{host}\r\n"), 200),
        (format!("Origin: https://{host}\r\n"), 200),
        (format!("Referer: http://{host}/sql\r\n"), 200),
        ("Origin: null\r\n".to_owned(), 403),
        ("Origin: http://evil.example\r\n".to_owned(), 403),
        (format!("Origin: http://{host}\r\nSec-Fetch-Site: cross-site\r\n"), 403),
        (format!("Origin: http://{host}.evil.example\r\n"), 403),
    ] {
        let headers = format!("{headers}{session}");
        assert_eq!(post_from(base, "/sql", &query, &headers).status, status, "{headers}");
    }
}

/// Checks the way in and the way out.
fn check_log_in(base: &str, password: &str) {
    let form = get(base, "/en/dang-nhap?ve=%2Fen%2Fchi-tieu");
    assert!(form.text().contains("value=\"/en/chi-tieu\""), "{}", form.text());
    let fields = |name, password, back| [("ten", name), ("mat_khau", password), ("ve", back)];
    let wrong = post(base, "/dang-nhap", &fields("ke_hoach", "sai", "/"), "");
    let unknown = post(base, "/dang-nhap", &fields("khong_ai_ca", "sai", "/"), "");
    assert_eq!((wrong.status, unknown.status), (403, 403));
    assert_eq!(wrong.text().replace("ke_hoach", "khong_ai_ca"), unknown.text());
    assert!(web::page_faults("/dang-nhap", &wrong).is_empty());
    assert!(!wrong.headers.contains_key("set-cookie") && !wrong.text().contains("value=\"sai\""));

    let right = post(base, "/dang-nhap", &fields("ke_hoach", password, "/en/chi-tieu"), "");
    assert_eq!((right.status, header(&right, "location")), (303, "/en/chi-tieu"));
    let cookie = header(&right, "set-cookie");
    for part in ["khoyte_phien=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    for back in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let away = post(base, "/dang-nhap", &fields("ke_hoach", password, back), "");
        assert_eq!(header(&away, "location"), "/", "{back}");
    }

    let first = log_in(base, "ke_hoach", password);
    let home = get_with(base, "/", &first);
    assert!(home.text().contains("ke_hoach"));
    assert_eq!(header(&home, "cache-control"), "private, no-store");
    assert!(header(&home, "vary").contains("cookie"));
    assert!(!get(base, "/").text().contains("ke_hoach"));
    assert_eq!(header(&get(base, "/"), "cache-control"), "no-cache");
    // Logging in again makes another token, and ends the session that it replaces.
    let again = post(base, "/dang-nhap", &fields("ke_hoach", password, "/"), &first);
    assert!(!first.contains(header(&again, "set-cookie").split(';').next().unwrap()));
    assert!(!get_with(base, "/", &first).text().contains("ke_hoach"));

    let second = log_in(base, "ke_hoach", password);
    let out = post(base, "/dang-xuat", &[], &second);
    assert_eq!((out.status, header(&out, "location")), (303, "/"));
    assert!(header(&out, "set-cookie").contains("Max-Age=0"));
    assert!(!get_with(base, "/", &second).text().contains("ke_hoach"), "the token is dead");
    let foreign = post_from(base, "/dang-xuat", &[], "Origin: http://evil.example\r\n");
    assert_eq!(foreign.status, 403);
}

/// Checks that a name is locked after five wrong passwords, and that its owner is told how long.
fn check_lock_out(base: &str, name: &str, right: &str) {
    let send = |password| post(base, "/dang-nhap", &[("ten", name), ("mat_khau", password)], "");
    for attempt in 1..=5 {
        assert_eq!(send("sai").status, 403, "attempt {attempt}");
    }
    let locked = send(right);
    assert_eq!(locked.status, 429);
    let seconds: i64 = header(&locked, "retry-after").parse().unwrap();
    assert!((60..=901).contains(&seconds), "{seconds}");
    let minutes = format!("sau {} phút", (seconds - 1) / 60 + 1);
    assert!(locked.text().contains(&minutes), "{minutes}: {}", locked.text());
    assert!(!locked.headers.contains_key("set-cookie"));
}

/// Checks that what a stranger may not see cannot be told from what is not there.
fn check_hidden_is_not_there(base: &str, hidden: &[String]) {
    for path in hidden {
        let (folder, name) = path.rsplit_once('/').unwrap();
        let (schema, _) = name.split_once('.').map_or(("", name), |(schema, _)| (schema, name));
        let dot = if schema.is_empty() { "" } else { "." };
        let other = format!("{schema}{dot}khong_co_gi_nhu_vay");
        for prefix in ["", "/en"] {
            let there = get(base, &format!("{prefix}{path}"));
            let not = get(base, &format!("{prefix}{folder}/{other}"));
            assert_eq!((there.status, not.status), (404, 404), "{path}");
            assert_eq!(there.text().replace(name, &other), not.text(), "{path}");
            assert!(there.text().contains("/dang-nhap?ve="), "a way to log in");
            let names = |answer: &Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&there), names(&not), "{path}");
        }
    }
}

/// Addresses of tables and indicators above open.
fn hidden() -> Vec<String> {
    let declarations = support::declarations();
    let above = |class| class != warehouse::names::Sensitivity::Open;
    let sources = declarations.contracts.iter().filter(|contract| above(contract.sensitivity));
    let sources = sources.flat_map(|contract| &contract.tables);
    let mut paths: Vec<String> = sources.map(|table| format!("/bang/{}", table.name)).collect();
    for query in declarations.queries.iter().filter(|query| above(query.sensitivity)) {
        match query.kind {
            warehouse::spec::QueryKind::Indicator => paths.push(format!("/chi-tieu/{}", query.id)),
            _ => paths.extend(query.table().map(|table| format!("/bang/{table}"))),
        }
    }
    paths.push("/bang/he_thong.cach_ly".to_owned());
    assert!(paths.len() > 20);
    paths
}

/// Checks that no cell of a CSV file is run by a spreadsheet, and that numbers are left alone.
fn check_formulas(base: &str) {
    let query = "SELECT '=HYPERLINK(\"http://evil.example\")' AS a, '+84' AS b, '@x' AS \"=c\", \
                 -1 AS so, CAST(-2.5 AS DOUBLE) AS ty_le, 'a=b' AS d";
    let expected = "a,b,'=c,so,ty_le,d\n\
                    \"'=HYPERLINK(\"\"http://evil.example\"\")\",'+84,'@x,-1,-2.5,a=b\n";
    assert_eq!(post(base, "/sql.csv", &[("q", query)], "").text(), expected);
    let json = post(base, "/sql.json", &[("q", query)], "").text();
    assert!(json.contains("\"+84\"") && json.contains("\"=c\":\"@x\""), "{json}");
    let page = post(base, "/sql", &[("q", query)], "").text();
    assert!(page.contains("dấu nháy"), "the page says so");
}

#[test]
fn only_hosts_of_ours_and_pages_of_ours_are_answered() {
    let server = Server::shared();
    check_hosts(&server.web);
    check_cross_site(&server.web, "");
    check_cross_site(&server.web, &server.log_in());
}

#[test]
fn a_configured_host_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::bare(folder.path(), "[web]\nhosts = [\"kho.example.vn\"]\n");
    assert_eq!(get_with(&server.web, "/", "Host: kho.example.vn\r\n").status, 200);
    assert_eq!(get_with(&server.web, "/", "Host: khac.example.vn\r\n").status, 421);
    let origin = "Host: kho.example.vn\r\nOrigin: https://kho.example.vn\r\n";
    assert_eq!(post_from(&server.web, "/sql", &[("q", "SELECT 1")], origin).status, 200);
}

#[test]
fn planners_log_in_and_out() {
    let server = Server::shared();
    check_log_in(&server.web, &server.password);
}

#[test]
fn a_name_is_locked_whether_it_is_known_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::bare(folder.path(), "");
    check_lock_out(&server.web, "ke_hoach", &server.password);
    check_lock_out(&server.web, "khong_ai_ca", "sai");
}

#[test]
fn a_cookie_for_tls_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::bare(folder.path(), "[web]\nsecure_cookies = true\n");
    let fields = [("ten", "ke_hoach"), ("mat_khau", server.password.as_str())];
    let answer = post(&server.web, "/dang-nhap", &fields, "");
    let cookie = header(&answer, "set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-khoyte_phien=") && cookie.contains("; Secure"), "{cookie}");
    let plain = cookie.trim_start_matches("__Host-").split(';').next().unwrap().to_owned();
    let shown = |cookie: &str| get_with(&server.web, "/", &format!("Cookie: {cookie}\r\n")).text();
    assert!(!shown(&plain).contains("ke_hoach"));
    assert!(shown(&format!("__Host-{plain}")).contains("ke_hoach"));
}

#[test]
fn an_account_that_is_removed_is_logged_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::bare(folder.path(), "");
    add(folder.path(), "tam_thoi", "mot mat khau", &[]);
    let session = log_in(&server.web, "tam_thoi", "mot mat khau");
    assert!(get_with(&server.web, "/", &session).text().contains("tam_thoi"));
    succeed(khoyte(folder.path()).args(["user", "remove", "tam_thoi"]));
    assert!(!get_with(&server.web, "/", &session).text().contains("tam_thoi"));
}

/// Makes an account with `khoyte user add`.
fn add(dir: &Path, name: &str, password: &str, more: &[&str]) {
    use std::io::Write;
    let mut command = khoyte(dir);
    command.args(["user", "add", name, "--clearance", "business"]).args(more);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_a_stranger_may_not_see_is_not_there() {
    let server = Server::shared();
    check_hidden_is_not_there(&server.web, &hidden());
    let planner = server.log_in();
    for path in ["/bang/kho.benh_truyen_nhiem_thang", "/chi-tieu/sxh_so_mac_thang"] {
        assert_eq!(get_with(&server.web, path, &planner).status, 200, "{path}");
    }
    assert_eq!(get_with(&server.web, "/bang/nguon.bhyt_ho_so", &planner).status, 404);
}

#[test]
fn nothing_in_a_file_is_run_by_a_spreadsheet() {
    check_formulas(&Server::shared().web);
}

#[test]
fn a_cell_that_open_data_hide_is_for_planners_only() {
    // Dengue in Tuyên Quang, December 2017: fewer than five.
    let server = Server::shared();
    let board = "/bang-dieu-khien?ranh_gioi=truoc-2025&tinh=08%402004-01-01\
                 &chi_tieu=sxh_so_mac_thang&ky=2017-12-01";
    let (stranger, planner) =
        (get(&server.web, board).text(), get_with(&server.web, board, &server.log_in()).text());
    assert!(planner.contains("tháng 12/2017") && planner.contains("Tuyên Quang"));
    assert!(!stranger.contains("tháng 12/2017"), "no period of an indicator that is not there");
    let asked =
        [("q", "SELECT count(*) FROM chi_tieu.gia_tri WHERE ma_chi_tieu = 'sxh_so_mac_thang'")];
    assert_eq!(post(&server.web, "/sql.csv", &asked, "").text().lines().nth(1), Some("0"));
}

/// Rows of the table of all provinces on the board.
fn provinces(page: &str) -> BTreeSet<String> {
    let html = scraper::Html::parse_document(page);
    let rows = web::all(&html, "section[aria-labelledby=cac-tinh] tbody th");
    rows.iter().map(web::text).collect()
}

#[test]
fn a_leader_of_one_province_sees_theirs_and_the_country() {
    let server = Server::shared();
    let password = "mot mat khau khac";
    add(support::filled(), "bac_ninh", password, &["--province", "24@2025-07-01"]);
    let session = log_in(&server.web, "bac_ninh", password);
    let board = get_with(&server.web, "/bang-dieu-khien", &session).text();
    assert!(board.contains("<h1>Bắc Ninh"), "the board opens on their province");

    let open = "/bang-dieu-khien?chi_tieu=giuong_benh_10k";
    let open = get_with(&server.web, open, &session).text();
    assert_eq!(provinces(&open).len(), 34, "open figures are compared");
    let own = "/bang-dieu-khien?chi_tieu=sxh_mac_100k";
    let own = get_with(&server.web, own, &session).text();
    assert_eq!(provinces(&own), BTreeSet::from(["Bắc Ninh".to_owned()]));
    let before = "/bang-dieu-khien?chi_tieu=sxh_mac_100k&ranh_gioi=truoc-2025";
    let before = get_with(&server.web, before, &session).text();
    let parts = ["Bắc Giang", "Bắc Ninh"].map(str::to_owned);
    assert_eq!(provinces(&before), BTreeSet::from(parts));

    let other = "/bang-dieu-khien?chi_tieu=sxh_mac_100k&tinh=01";
    let other = get_with(&server.web, other, &session).text();
    assert!(other.contains("ngoài quyền đọc của bạn") && other.contains("Cả nước"), "{other}");
    web::check_site(&server.web, &session);
}
