//! Versions that are made from simulated rows.

use tempfile::TempDir;

use super::{ROWS, query, read, rows, run, run_on, snapshot};

#[test]
fn every_file_of_a_simulated_version_says_so_and_names_no_body_as_its_source() {
    let out = TempDir::new().unwrap();
    let done = run_on(out.path(), 20, &rows(&ROWS, true)).unwrap();
    assert!(done.simulated);
    let publisher = super::PublisherInfo::default().name.vi;
    let bodies = [publisher, query().owner.vi, query().release.unwrap().citation.vi];
    let about = ["SHA256SUMS", "versions.json", ".lock", "style.css"];
    for (path, bytes) in snapshot(out.path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if about.contains(&&*name) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let says = text.contains("dữ liệu mô phỏng") || text.contains("(simulated data)");
        assert!(says, "{path:?}");
        // The catalogue's own publisher is whoever keeps the catalogue.
        if path.components().count() > 2 {
            for body in &bodies {
                assert!(!text.contains(body.as_str()), "{path:?} names {body}");
            }
        }
    }
    let csv = read(out.path(), "sot_xuat_huyet/v1/sot_xuat_huyet.csv");
    assert!(csv.lines().skip(1).all(|line| line.ends_with(",dữ liệu mô phỏng / simulated data")));
    let meta = read(out.path(), "sot_xuat_huyet/v1/metadata.json");
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(meta["title"]["vi"], "Sốt xuất huyết theo tỉnh (dữ liệu mô phỏng)");
    assert_eq!(meta["dct:title"][1]["@value"], "Sốt xuất huyết theo tỉnh (en) (simulated data)");
    for key in ["citation", "caveats"] {
        let said = if key == "caveats" { &meta[key][0] } else { &meta[key] };
        assert!(said["vi"].as_str().unwrap().starts_with("Dữ liệu mô phỏng"), "{said}");
    }
}

#[test]
fn the_same_rows_from_a_real_source_are_a_new_version_without_the_mark() {
    let out = TempDir::new().unwrap();
    run_on(out.path(), 20, &rows(&ROWS, true));
    let done = run(out.path(), 21, &ROWS).unwrap();
    assert_eq!((done.version, done.changed, done.simulated), (2, true, false));
    let files = snapshot(&out.path().join("sot_xuat_huyet/v2"));
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("mô phỏng") && !text.contains("simulated data"), "{path:?}");
    }
    // What is listed beside it still says what the old version was.
    let landing = read(out.path(), "sot_xuat_huyet/index.html");
    assert_eq!(landing.matches("(dữ liệu mô phỏng)").count(), 1);
    assert!(read(out.path(), "sot_xuat_huyet/versions.json").contains("\"simulated\": true"));
    assert!(!run(out.path(), 22, &ROWS).unwrap().changed);
}
