//! Listings in the form that CKAN's API answers with, as static files: `package_list.json` and
//! `package_search.json`. There is no CKAN here: the files are at addresses of their own, for
//! whoever copies the datasets into one.
//!
//! A package without its site means nothing where a relative address is read against another one,
//! so the listings are written only when the address of the public folder is known.

use serde_json::{Value, json};

use super::dcat::{Listed, Place};
use super::pretty;

/// The bytes of `package_list.json`: the identifiers.
pub fn package_list(datasets: &[Listed<'_>]) -> Vec<u8> {
    let names: Vec<_> = datasets.iter().map(|listed| &listed.meta.dataset).collect();
    pretty(&json!({ "success": true, "result": names }))
}

/// The bytes of `package_search.json`: every dataset at its newest version. `base` is the address
/// of the public folder with a slash at the end.
pub fn package_search(datasets: &[Listed<'_>], base: &str) -> Vec<u8> {
    let place = Place { base: Some(base), folder: "" };
    let packages: Vec<_> = datasets.iter().map(|listed| package(listed, &place)).collect();
    pretty(&json!({
        "success": true,
        "result": { "count": packages.len(), "results": packages },
    }))
}

fn package(listed: &Listed<'_>, place: &Place<'_>) -> Value {
    let meta = listed.meta;
    let folder = meta.folder();
    let resources = meta.files.iter().map(|file| {
        json!({
            "id": format!("{}-v{}-{}", meta.dataset, meta.version, file.format.to_lowercase()),
            "package_id": meta.dataset,
            "name": file.name,
            "format": file.format,
            "mimetype": file.media_type,
            "size": file.bytes,
            "hash": format!("sha256:{}", file.sha256),
            "url": place.url(&format!("{folder}{}", file.name)),
        })
    });
    let extra = |key: &str, value: String| json!({ "key": key, "value": value });
    json!({
        "id": meta.dataset,
        "name": meta.dataset,
        "type": "dataset",
        "state": "active",
        "private": false,
        "isopen": true,
        "title": meta.title.vi,
        "notes": meta.description.vi,
        "author": meta.owner.vi,
        "maintainer": meta.publisher.name.vi,
        "maintainer_email": meta.publisher.email,
        "license_id": "other-open",
        "license_title": meta.licence.vi,
        "version": meta.version.to_string(),
        "url": place.url(&format!("{}/index.html", meta.dataset)),
        "tags": meta.keywords.iter().map(|word| json!({ "name": word.vi })).collect::<Value>(),
        "num_resources": meta.files.len(),
        "resources": resources.collect::<Value>(),
        "extras": [
            extra("title_en", meta.title.en.clone()),
            extra("notes_en", meta.description.en.clone()),
            extra("issued", listed.issued.to_string()),
            extra("modified", meta.date.to_string()),
            extra("frequency", meta.frequency.vi.clone()),
            extra("legal_basis", meta.legal_basis.join("; ")),
            extra("source", meta.source.vi.clone()),
        ],
    })
}
