//! DCAT 3 and schema.org as JSON-LD: `metadata.json` of a version and `catalog.jsonld` of all.
//!
//! Without a base address every identifier is relative, so that the folder can be moved or
//! mirrored under any prefix; with one, harvesters get absolute addresses.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use warehouse::names::Text;

use super::{FileEntry, Metadata, PublisherInfo, pretty};

/// Where a document stands, to write the addresses in it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Address of the public folder with a slash at the end, where it is known.
    pub base: Option<&'a str>,
    /// Folder of the document below the public folder, with a slash at the end, or empty.
    pub folder: &'a str,
}

impl Place<'_> {
    /// The address of `path`, which is given below the public folder.
    pub fn url(&self, path: &str) -> String {
        if let Some(base) = self.base {
            return format!("{base}{path}");
        }
        let inside = match path.strip_prefix(self.folder) {
            Some(rest) => rest.to_owned(),
            None => format!("{}{path}", "../".repeat(self.folder.matches('/').count())),
        };
        if inside.is_empty() { "./".to_owned() } else { inside }
    }
}

/// The bytes of a version's `metadata.json`.
///
/// # Errors
/// When the model does not serialise, which its types exclude.
pub fn metadata_json(meta: &Metadata, base: Option<&str>) -> serde_json::Result<Vec<u8>> {
    let folder = meta.folder();
    let place = Place { base, folder: &folder };
    let mut document = dataset(meta, meta.date, &place, &folder);
    document.insert("dct:identifier".into(), version_identifier(meta).into());
    document.insert("@context".into(), context());
    document.insert("@type".into(), json!(["dcat:Dataset", "schema:Dataset"]));
    document.insert("dcat:isVersionOf".into(), id(&place, &format!("{}/", meta.dataset)));
    document.extend(schema_org(meta, &place));
    if let Value::Object(plain) = serde_json::to_value(meta)? {
        document.extend(plain);
    }
    Ok(pretty(&Value::Object(document)))
}

/// A dataset as catalogues list it.
#[derive(Debug, Clone)]
pub struct Listed<'a> {
    /// What is said about its newest version.
    pub meta: &'a Metadata,
    /// The night of its first version.
    pub issued: NaiveDate,
    /// Numbers of all its versions, oldest first.
    pub versions: Vec<u32>,
}

/// The bytes of `catalog.jsonld`: every dataset at its newest version, with all its versions.
pub fn catalog_jsonld(
    datasets: &[Listed<'_>],
    publisher: &PublisherInfo,
    base: Option<&str>,
) -> Vec<u8> {
    let place = Place { base, folder: "" };
    let nodes = datasets.iter().map(|listed| {
        let Listed { meta, issued, versions } = listed;
        let home = format!("{}/", meta.dataset);
        let mut node = dataset(meta, *issued, &place, &home);
        let version = |number: &u32| id(&place, &format!("{home}v{number}/"));
        node.insert("dcat:hasVersion".into(), versions.iter().map(version).collect());
        node.insert("dcat:hasCurrentVersion".into(), version(&meta.version));
        Value::Object(node)
    });
    pretty(&json!({
        "@context": context(),
        "@id": place.url(""),
        "@type": "dcat:Catalog",
        "dct:title": both(&Text::new("Dữ liệu mở về y tế", "Open health data")),
        "dct:description": both(&Text::new(
            "Các bộ dữ liệu mở về y tế được công khai theo Nghị định 102/2025/NĐ-CP, Điều 18.3.",
            "Open health datasets published under Decree 102/2025/NĐ-CP, Article 18.3.",
        )),
        "dct:publisher": agent(publisher),
        "dct:language": languages(),
        "dct:spatial": country(),
        "dcat:themeTaxonomy": {
            "@id": "http://publications.europa.eu/resource/authority/data-theme"
        },
        "foaf:homepage": id(&place, "index.html"),
        "dcat:dataset": nodes.collect::<Value>(),
    }))
}

fn context() -> Value {
    json!({
        "dcat": "http://www.w3.org/ns/dcat#",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "schema": "https://schema.org/",
        "spdx": "http://spdx.org/rdf/terms#",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    })
}

/// A version's own identifier: that of the dataset names all its versions together.
fn version_identifier(meta: &Metadata) -> String {
    format!("{}/v{}", meta.dataset, meta.version)
}

fn dataset(meta: &Metadata, issued: NaiveDate, place: &Place<'_>, iri: &str) -> Map<String, Value> {
    let landing = format!("{}/index.html", meta.dataset);
    let files = meta.files.iter().map(|file| distribution(meta, file, place));
    let legal = meta.legal_basis.join("; ");
    let node = json!({
        "@id": place.url(iri),
        "@type": "dcat:Dataset",
        "dct:identifier": meta.dataset,
        "dct:title": both(&meta.title),
        "dct:description": both(&meta.description),
        "dct:issued": date(issued),
        "dct:modified": date(meta.date),
        "dct:creator": { "@type": "foaf:Agent", "foaf:name": both(&meta.owner) },
        "dct:publisher": agent(&meta.publisher),
        "dct:language": languages(),
        "dct:spatial": country(),
        "dct:accessRights": {
            "@id": "http://publications.europa.eu/resource/authority/access-right/PUBLIC",
            "@type": "dct:RightsStatement",
        },
        "dct:rights": { "@type": "dct:RightsStatement", "rdfs:label": legal },
        "dct:provenance": labelled("dct:ProvenanceStatement", &meta.source),
        "dct:accrualPeriodicity": labelled("dct:Frequency", &meta.frequency),
        "dct:bibliographicCitation": both(&meta.citation),
        "dcat:version": meta.version.to_string(),
        "dcat:keyword": meta.keywords.iter().flat_map(tags).collect::<Vec<_>>(),
        "dcat:theme": {
            "@id": "http://publications.europa.eu/resource/authority/data-theme/HEAL"
        },
        "dcat:landingPage": { "@id": place.url(&landing), "@type": "foaf:Document" },
        "dcat:contactPoint": contact(&meta.publisher),
        "dcat:distribution": files.collect::<Value>(),
    });
    match node {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn distribution(meta: &Metadata, file: &FileEntry, place: &Place<'_>) -> Value {
    let folder = meta.folder();
    let media = format!("https://www.iana.org/assignments/media-types/{}", file.media_type);
    let ty = format!(
        "http://publications.europa.eu/resource/authority/file-type/{}",
        file.format.to_uppercase()
    );
    json!({
        "@id": place.url(&format!("{folder}{}", file.name)),
        "@type": "dcat:Distribution",
        "dct:title": file.name,
        "dct:format": { "@id": ty, "@type": "dct:MediaTypeOrExtent" },
        "dct:license": labelled("dct:LicenseDocument", &meta.licence),
        "dct:issued": date(meta.date),
        "dcat:accessURL": id(place, &format!("{folder}index.html")),
        "dcat:downloadURL": id(place, &format!("{folder}{}", file.name)),
        "dcat:mediaType": { "@id": media, "@type": "dct:MediaType" },
        "dcat:byteSize": {
            "@type": "xsd:nonNegativeInteger", "@value": file.bytes.to_string()
        },
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {
                "@id": "spdx:checksumAlgorithm_sha256", "@type": "spdx:ChecksumAlgorithm"
            },
            "spdx:checksumValue": { "@type": "xsd:hexBinary", "@value": file.sha256 },
        },
    })
}

fn schema_org(meta: &Metadata, place: &Place<'_>) -> Map<String, Value> {
    let folder = meta.folder();
    let downloads = meta.files.iter().map(|file| {
        json!({
            "@type": "schema:DataDownload",
            "schema:name": file.name,
            "schema:contentUrl": id(place, &format!("{folder}{}", file.name)),
            "schema:encodingFormat": file.media_type,
            "schema:contentSize": format!("{} B", file.bytes),
            "schema:sha256": file.sha256,
        })
    });
    let variables = meta.columns.iter().map(|column| {
        json!({
            "@type": "schema:PropertyValue",
            "schema:name": column.name,
            "schema:description": both(&column.label),
            "schema:unitText": column.unit.as_ref().map(both),
        })
    });
    let node = json!({
        "schema:name": both(&meta.title),
        "schema:description": both(&meta.description),
        "schema:identifier": version_identifier(meta),
        "schema:version": meta.version.to_string(),
        "schema:datePublished": meta.date.to_string(),
        "schema:isAccessibleForFree": true,
        "schema:inLanguage": ["vi", "en"],
        "schema:spatialCoverage": "Viet Nam",
        "schema:license": both(&meta.licence),
        "schema:citation": both(&meta.citation),
        "schema:creator": { "@type": "schema:Organization", "schema:name": both(&meta.owner) },
        "schema:publisher": {
            "@type": "schema:Organization", "schema:name": both(&meta.publisher.name)
        },
        "schema:keywords": meta.keywords.iter().flat_map(tags).collect::<Vec<_>>(),
        "schema:variableMeasured": variables.collect::<Value>(),
        "schema:distribution": downloads.collect::<Value>(),
    });
    match node {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn id(place: &Place<'_>, path: &str) -> Value {
    json!({ "@id": place.url(path) })
}

fn date(on: NaiveDate) -> Value {
    json!({ "@type": "xsd:date", "@value": on.to_string() })
}

fn tags(text: &Text) -> [Value; 2] {
    [
        json!({ "@language": "vi", "@value": text.vi }),
        json!({ "@language": "en", "@value": text.en }),
    ]
}

fn both(text: &Text) -> Value {
    Value::Array(tags(text).into())
}

fn labelled(ty: &str, text: &Text) -> Value {
    json!({ "@type": ty, "rdfs:label": both(text) })
}

fn agent(publisher: &PublisherInfo) -> Value {
    let mut node = json!({ "@type": "foaf:Agent", "foaf:name": both(&publisher.name) });
    if let Some(homepage) = &publisher.homepage {
        node["foaf:homepage"] = json!({ "@id": homepage, "@type": "foaf:Document" });
    }
    node
}

fn contact(publisher: &PublisherInfo) -> Value {
    let mut node = json!({
        "@type": ["vcard:Kind", "vcard:Organization"],
        "vcard:fn": publisher.name.vi,
    });
    if let Some(email) = &publisher.email {
        node["vcard:hasEmail"] = json!({ "@id": format!("mailto:{email}") });
    }
    if let Some(homepage) = &publisher.homepage {
        node["vcard:hasURL"] = json!({ "@id": homepage });
    }
    node
}

fn languages() -> Value {
    ["VIE", "ENG"]
        .iter()
        .map(|code| {
            let iri = format!("http://publications.europa.eu/resource/authority/language/{code}");
            json!({ "@id": iri, "@type": "dct:LinguisticSystem" })
        })
        .collect()
}

fn country() -> Value {
    json!({
        "@id": "http://publications.europa.eu/resource/authority/country/VNM",
        "@type": "dct:Location",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_until_a_base_is_known() {
        let inside = Place { base: None, folder: "sot/v1/" };
        assert_eq!(inside.url("sot/v1/sot.csv"), "sot.csv");
        assert_eq!(inside.url("sot/index.html"), "../../sot/index.html");
        assert_eq!(inside.url("sot/v1/"), "./");
        let based = Place { base: Some("https://mo.example.vn/"), folder: "" };
        assert_eq!(based.url("sot/v1/sot.csv"), "https://mo.example.vn/sot/v1/sot.csv");
    }
}
