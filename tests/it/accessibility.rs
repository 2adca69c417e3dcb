//! Every page in a real browser, on a phone and on a desk: axe-core finds nothing serious, and no
//! page is wider than its window.

use crate::browser::Browser;
use crate::support::Server;
use crate::web;

const PAGES: [&str; 19] = [
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
    "/sql?q=SELECT+*+FROM+kho.bang_khong_co_trong_kho_du_lieu_nay",
    "/sql?q=SELECT+*+FROM+chi_tieu.ca_nuoc+LIMIT+20",
    "/du-lieu-mo/",
    "/du-lieu-mo/sot_xuat_huyet_tinh_thang/",
    "/du-lieu-mo/sot_xuat_huyet_tinh_thang/en/",
    "/en/du-lieu-mo/khong-co",
    "/khong-co-trang-nay",
];

#[test]
fn pages_pass_axe_on_a_phone_and_on_a_desk() {
    let axe = std::env::var("KHOYTE_AXE").expect("tests/run sets KHOYTE_AXE to axe-core's script");
    let axe = std::fs::read_to_string(axe).unwrap();
    let server = Server::shared();
    let mut browser = Browser::start();
    let mut faults = Vec::new();
    for width in [360_u32, 1440] {
        for page in PAGES {
            browser.open(&format!("{}{page}", server.web), width);
            browser.run(&format!("{axe}; true"));
            let found = browser.run(
                "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)) \
                 .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(', ')))",
            );
            for fault in found.as_array().unwrap() {
                faults.push(format!("{page} at {width}: {fault}"));
            }
            // Not the window's own width: a phone's grows with a page that is too wide.
            let wide = browser.run("document.documentElement.scrollWidth").as_i64().unwrap();
            if wide > i64::from(width) {
                faults.push(format!("{page} at {width}: {wide} px wide"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_page_is_sound_and_every_link_leads_somewhere() {
    let server = Server::shared();
    web::check_site(&server.web);
    web::check_not_found(&server.web);
    web::check_sql_faults(&server.web);
    web::check_open_data_files(&server.web);
}
