//! Landing pages, the catalogue and listings, as they follow the versions.

use serde_json::Value;
use tempfile::TempDir;

use super::{ROWS, Site, night, query, read, rows, run, site};

/// A first version, then a second one a night later.
fn two_versions(out: &TempDir) {
    run(out.path(), 20, &ROWS);
    let mut changed = ROWS;
    changed[2].1 = Some(6);
    run(out.path(), 21, &changed);
}

fn json(out: &TempDir, path: &str) -> Value {
    serde_json::from_str(&read(out.path(), path)).unwrap()
}

#[test]
fn a_dataset_is_as_old_as_its_first_version_and_as_new_as_its_last() {
    let out = TempDir::new().unwrap();
    two_versions(&out);
    let dataset = &json(&out, "catalog.jsonld")["dcat:dataset"][0];
    assert_eq!(dataset["dct:issued"]["@value"], "2026-11-20");
    assert_eq!(dataset["dct:modified"]["@value"], "2026-11-21");
    assert_eq!(dataset["dct:identifier"], "sot_xuat_huyet");
    let version = json(&out, "sot_xuat_huyet/v2/metadata.json");
    assert_eq!(version["dct:identifier"], "sot_xuat_huyet/v2");
    assert_eq!(version["dct:issued"]["@value"], "2026-11-21");
}

#[test]
fn what_can_change_names_the_publisher_of_today() {
    let out = TempDir::new().unwrap();
    run(out.path(), 20, &ROWS);
    let before = read(out.path(), "sot_xuat_huyet/v1/index.html");
    let mut later = site(out.path());
    later.publisher.email = Some("moi@example.vn".into());
    later.draw(&[]).unwrap();
    for path in ["sot_xuat_huyet/index.html", "index.html"] {
        let page = read(out.path(), path);
        assert!(page.contains("moi@example.vn") && !page.contains("du-lieu@example.vn"), "{path}");
    }
    let contact = &json(&out, "catalog.jsonld")["dcat:dataset"][0]["dcat:contactPoint"];
    assert_eq!(contact["vcard:hasEmail"]["@id"], "mailto:moi@example.vn");
    assert_eq!(read(out.path(), "sot_xuat_huyet/v1/index.html"), before);
}

#[test]
fn ckan_listings_are_written_only_with_absolute_addresses() {
    let out = TempDir::new().unwrap();
    let based = Site { base_url: Some("https://mo.example.vn/".into()), ..site(out.path()) };
    based.shelf.prepare().unwrap();
    based.publish(&query(), night(20), &rows(&ROWS, false), Vec::new()).unwrap();
    based.draw(&[]).unwrap();
    let package = &json(&out, "package_search.json")["result"]["results"][0];
    assert_eq!(package["url"], "https://mo.example.vn/sot_xuat_huyet/index.html");
    assert!(read(out.path(), "index.html").contains("package_list.json"));

    site(out.path()).draw(&[]).unwrap();
    assert!(!out.path().join("package_search.json").exists());
    assert!(!out.path().join("package_list.json").exists());
    assert!(!read(out.path(), "index.html").contains("package_list.json"));
}
