//! Every page in a real browser, on a phone and on a desk: axe-core finds nothing serious, and no
//! page is wider than its window.

use crate::browser::Browser;
use crate::support::Server;
use crate::web;

/// As a planner sees them.
const PAGES: [&str; 16] = [
    "/",
    "/en/",
    "/danh-muc",
    "/danh-muc/giam_sat",
    "/bang/kho.benh_truyen_nhiem_thang",
    "/chi-tieu",
    "/chi-tieu/giuong_benh_10k",
    "/chi-tieu/benh_so_mac_nam",
    "/bang-dieu-khien",
    "/bang-dieu-khien?ranh_gioi=truoc-2025",
    "/en/bang-dieu-khien",
    "/sql",
    "/du-lieu-mo/",
    "/du-lieu-mo/sot_xuat_huyet_tinh_thang/",
    "/du-lieu-mo/sot_xuat_huyet_tinh_thang/en/",
    "/khong-co-trang-nay",
];

/// As someone sees them who has not logged in.
const STRANGERS: [&str; 10] = [
    "/",
    "/en/",
    "/dang-nhap?ve=/bang-dieu-khien",
    "/en/dang-nhap",
    "/danh-muc",
    "/danh-muc/giam_sat",
    "/chi-tieu",
    "/bang-dieu-khien",
    "/bang/kho.benh_truyen_nhiem_thang",
    "/en/du-lieu-mo/khong-co",
];

/// Queries whose answers are looked at.
const QUERIES: [&str; 2] = [
    "SELECT * FROM kho.bang_khong_co_trong_kho_du_lieu_nay",
    "SELECT * FROM chi_tieu.ca_nuoc LIMIT 20",
];

#[test]
fn pages_pass_axe_on_a_phone_and_on_a_desk() {
    let axe = std::env::var("KHOYTE_AXE").expect("tests/run sets KHOYTE_AXE to axe-core's script");
    let axe = std::fs::read_to_string(axe).unwrap();
    let server = Server::shared();
    let mut browser = Browser::start();
    let mut faults = Vec::new();
    let widths = [360_u32, 1440];
    for width in widths {
        for page in STRANGERS {
            browser.open(&format!("{}{page}", server.web), width);
            faults.extend(faults_of(&mut browser, &axe, page, width));
        }
        browser.open(&format!("{}/dang-nhap", server.web), width);
        browser.leave(
            "document.getElementById('ten').value = 'a'; \
                       document.getElementById('mat_khau').value = 'b'; \
                       document.querySelector('main form').submit()",
        );
        faults.extend(faults_of(&mut browser, &axe, "a refused log-in", width));
    }
    browser.set_cookie(&server.web, &server.log_in());
    for width in widths {
        for page in PAGES {
            browser.open(&format!("{}{page}", server.web), width);
            faults.extend(faults_of(&mut browser, &axe, page, width));
        }
        for query in QUERIES {
            browser.open(&format!("{}/sql", server.web), width);
            browser.leave(&format!(
                "document.getElementById('q').value = '{query}'; \
                 document.querySelector('main form').submit()"
            ));
            faults.extend(faults_of(&mut browser, &axe, query, width));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with the page that the browser shows.
fn faults_of(browser: &mut Browser, axe: &str, page: &str, width: u32) -> Vec<String> {
    browser.run(&format!("{axe}; true"));
    let found = browser.run(
        "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)) \
         .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(', ')))",
    );
    let found = found.as_array().unwrap().iter();
    let mut faults: Vec<String> =
        found.map(|fault| format!("{page} at {width}: {fault}")).collect();
    // Not the window's own width: a phone's grows with a page that is too wide.
    let wide = browser.run("document.documentElement.scrollWidth").as_i64().unwrap();
    if wide > i64::from(width) {
        faults.push(format!("{page} at {width}: {wide} px wide"));
    }
    faults
}

#[test]
fn every_page_is_sound_and_every_link_leads_somewhere() {
    let server = Server::shared();
    web::check_site(&server.web, "");
    web::check_site(&server.web, &server.log_in());
    web::check_not_found(&server.web);
    web::check_sql_faults(&server.web);
    web::check_sql_is_sent(&server.web);
    web::check_open_data_files(&server.web);
}
