//! Files that nobody should send: each is refused with its place, and none of its cells is told.

use std::error::Error;

use proptest::prelude::*;

use super::*;

const COLUMNS: [&str; 3] = ["MA_LK", "HO_TEN", "NGAY_RA"];

/// What is told of a refusal, with all that lies behind it.
fn told(error: &SourceError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(" {error} {error:?}");
        source = error.source();
    }
    assert!(!text.contains("BIMAT"), "a cell is told: {text}");
    text
}

/// Reads and says why not.
fn refusal(bytes: impl AsRef<[u8]>, limits: Limits) -> String {
    let outcome = read_within(bytes, 1, &COLUMNS, limits);
    told(&outcome.expect_err("the file is refused"))
}

fn refuses(bytes: impl AsRef<[u8]>, what: &str) {
    let text = refusal(bytes, Limits::default());
    assert!(text.contains(what), "{what}: {text}");
}

/// A document of table 1 within an envelope, the second of three `HOSO`.
fn within(document: &str) -> String {
    let good = encoded(1, "<TONG_HOP><MA_LK>BIMAT</MA_LK><HO_TEN/><NGAY_RA/></TONG_HOP>");
    envelope(&[&good, &encoded(1, document), &good])
}

#[test]
fn a_document_that_is_not_well_formed_is_refused_with_its_place() {
    for (document, what) in [
        ("<TONG_HOP>\n<MA_LK>BIMAT</HO_TEN></TONG_HOP>", "end tag of another"),
        ("<TONG_HOP><MA_LK>BIMAT</MA_LK>", "cut short"),
        ("<TONG_HOP><MA_LK>BIMAT", "cut short"),
        ("<TONG_HOP><MA_LK", "does not end"),
        ("<TONG_HOP><!-- BIMAT", "does not end"),
        ("<TONG_HOP><MA_LK><![CDATA[BIMAT", "does not end"),
        ("<TONG_HOP/></TONG_HOP>", "closes nothing"),
        ("<TONG_HOP><MA_LK>BIMAT</MA_LK></TONG_HOP><TONG_HOP/>", "follows"),
        ("<TONG_HOP></TONG_HOP>BIMAT", "outside"),
        ("BIMAT", "outside"),
        ("<!-- BIMAT -->", "empty"),
        ("<TONG_HOP><MA_LK>BIMAT & co</MA_LK></TONG_HOP>", "&amp;"),
        ("<TONG_HOP><MA_LK>&bimat;</MA_LK></TONG_HOP>", "none is expanded"),
        ("<TONG_HOP><X>&nbsp;</X></TONG_HOP>", "none is expanded"),
        ("<TONG_HOP><MA_LK>&#0;</MA_LK></TONG_HOP>", "names no character"),
        ("<TONG_HOP><MA_LK>&#xD800;</MA_LK></TONG_HOP>", "names no character"),
        ("<TONG_HOP><MA_LK>&#x1;</MA_LK></TONG_HOP>", "control character"),
        ("<TONG_HOP><MA_LK>\u{1}</MA_LK></TONG_HOP>", "control character"),
        ("<!DOCTYPE TONG_HOP><TONG_HOP/>", "document type"),
        ("<!ENTITY a 'BIMAT'><TONG_HOP/>", "is none"),
        ("<?xml version='1.0' encoding='utf-16'?><TONG_HOP/>", "another encoding"),
        ("<?xml version='1.0' encoding='windows-1258'?><TONG_HOP/>", "another encoding"),
        ("<TONG_HOP><MA_LK><B>BIMAT</B></MA_LK></TONG_HOP>", "holds an element"),
        (
            "<TONG_HOP><MA_LK>1</MA_LK><B><HO_TEN>BIMAT</HO_TEN></B></TONG_HOP>",
            "in another element",
        ),
        ("<TONG_HOP><MA_LK>1</MA_LK>BIMAT</TONG_HOP>", "between the fields"),
        ("<A><MA>BIMAT</MA></A>", "in no record"),
        ("<CHI_TIEU_GIAYHEN_KHAMLAI><MA_LK>1</MA_LK></CHI_TIEU_GIAYHEN_KHAMLAI>", "another table"),
        ("<TONG_HOP a='1' a='BIMAT'/>", "attributes"),
        ("<TONG_HOP a=BIMAT/>", "attributes"),
        ("<TONG_HOP>< BIMAT></TONG_HOP>", "has no name"),
        ("<TONG_HOP><></></TONG_HOP>", "has no name"),
    ] {
        let text = refusal(within(document), Limits::default());
        assert!(text.contains(what), "{document}: {text}");
        assert!(text.contains("in HOSO 2, table 1, line "), "{document}: {text}");
    }
    let text = refusal(within("<TONG_HOP>\n\n<MA_LK/>\n</X></TONG_HOP>"), Limits::default());
    assert!(text.contains("line 4:"), "{text}");
}

#[test]
fn a_field_that_is_there_twice_is_named() {
    let error =
        read(within("<TONG_HOP><MA_LK>1</MA_LK><MA_LK/></TONG_HOP>"), 1, &COLUMNS).unwrap_err();
    let SourceError::DoubledColumn { column, place } = &error else { panic!("{error}") };
    assert_eq!((column.as_str(), place.as_str()), ("MA_LK", "1.xml in HOSO 2, table 1, line 1"));
}

#[test]
fn an_envelope_that_is_not_well_formed_is_refused() {
    let good = within("<TONG_HOP/>");
    let swap = |from: &str, to: &str| good.replacen(from, to, 1);
    for (file, what) in [
        (String::new(), "empty"),
        (" \n".to_owned(), "empty"),
        ("BIMAT".to_owned(), "text where"),
        ("<HSCHUNGTU/>".to_owned(), "another standard"),
        ("<giamdinhhs/>".to_owned(), "another standard"),
        ("<GIAMDINHHS/>".to_owned(), "no DANHSACHHOSO"),
        (good.clone() + "<GIAMDINHHS/>", "follows"),
        (format!("<!DOCTYPE a>{good}"), "document type"),
        (format!("<?xml version='1.0' encoding='utf-16'?>{good}"), "another encoding"),
        (swap("<SOLUONGHOSO>3", "<SOLUONGHOSO>4"), "announces 4 HOSO in SOLUONGHOSO and holds 3"),
        (swap("<SOLUONGHOSO>3", "<SOLUONGHOSO>BIMAT"), "not a number"),
        (swap("<SOLUONGHOSO>3", "<SOLUONGHOSO>3</SOLUONGHOSO><SOLUONGHOSO>3"), "more than one"),
        (swap("XML1", "BIMAT"), "not XML with"),
        (swap("<LOAIHOSO>XML1</LOAIHOSO>", ""), "no LOAIHOSO"),
        (swap("</LOAIHOSO>", "</LOAIHOSO><LOAIHOSO>XML1</LOAIHOSO>"), "more than one LOAIHOSO"),
        (swap("</NOIDUNGFILE>", "</NOIDUNGFILE><NOIDUNGFILE/>"), "more than one NOIDUNGFILE"),
        (envelope(&["<FILEHOSO><LOAIHOSO>XML1</LOAIHOSO></FILEHOSO>"]), "no NOIDUNGFILE"),
        (swap("<HOSO>", "<HOSO>BIMAT"), "where the standard has elements"),
        (swap("79001", "<A>BIMAT</A>"), "where the standard has text"),
        (swap("79001", "&bimat;"), "none is expanded"),
        (swap("79001", &"BIMAT".repeat(1000)), "longer text"),
        (swap("</DANHSACHHOSO>", "</HOSO>"), "end tag of another"),
        (swap("<MACSKCB>", "<MACSKCB a='1>"), "is"),
        (swap("79001", "\u{8}"), "control character"),
    ] {
        refuses(file, what);
    }
}

#[test]
fn content_that_is_no_document_is_refused() {
    let base64 = STANDARD.encode("<TONG_HOP/>");
    for (content, what) in [
        ("BIMAT1§".to_owned(), "neither base64 nor"),
        (base64[..base64.len() - 2].to_owned(), "cut short"),
        (base64.replace('=', ""), "cut short"),
        (format!("{base64}{base64}"), "neither base64 nor"),
        (format!("{base64}<TONG_HOP/>"), "more than one document"),
        (format!("<TONG_HOP/>{base64}"), "more than one document"),
        ("<TONG_HOP/><TONG_HOP/>".to_owned(), "more than one document"),
        ("&lt;TONG_HOP/&gt;".to_owned(), "neither base64 nor"),
        ("<![CDATA[<TONG_HOP>]]>".to_owned(), "cut short"),
        ("<!DOCTYPE a []>".to_owned(), "document type"),
        ("PFRPTkdfSE9Q!!!!".to_owned(), "neither base64 nor"),
        ("/v8AAA==".to_owned(), "not UTF-8"),
    ] {
        refuses(envelope(&[&file_part(1, &content)]), what);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_where_they_are() {
    let mut file = within("<TONG_HOP/>").into_bytes();
    let at = file.windows(5).position(|bytes| bytes == b"79001").unwrap();
    file[at] = 0xFF;
    refuses(&file, &format!("at byte {at}: it is not UTF-8"));
    let text = within("<TONG_HOP/>");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refuses([&[0xFF, 0xFE], &utf16[..]].concat(), "not UTF-8");
    refuses([text.as_bytes(), &[0xE1, 0xBB]].concat(), "not UTF-8");
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let whole = written();
    for length in (0..whole.len() - 1).step_by(97).chain(whole.len() - 20..whole.len() - 1) {
        refusal(&whole[..length], Limits::default());
    }
    let bare = "<TONG_HOP><MA_LK>BIMAT</MA_LK><HO_TEN>B</HO_TEN><NGAY_RA>1</NGAY_RA></TONG_HOP>";
    for length in 0..bare.len() {
        refusal(&bare[..length], Limits::default());
    }
    assert_eq!(read(bare, 1, &COLUMNS).unwrap().len(), 1);
}

#[test]
fn what_passes_a_bound_is_refused() {
    let limits =
        Limits { file_bytes: 1 << 20, part_bytes: 100_000, depth: 8, cell_bytes: 1000, cells: 50 };
    let bound = |file: &str, what: &str| {
        let text = refusal(file, limits);
        assert!(text.contains(what) && text.contains("the bound is"), "{what}: {text}");
    };
    let long = |count: usize| "x".repeat(count);
    let record = |fields: &str| format!("<TONG_HOP><MA_LK>1</MA_LK>{fields}</TONG_HOP>");
    let cell = record(&format!("<HO_TEN>{}</HO_TEN>", long(1001)));
    let pieces =
        record(&format!("<HO_TEN>{}</HO_TEN>", (long(100) + "&amp;<![CDATA[]]>").repeat(10)));
    let deep = "<A>".repeat(9) + &"</A>".repeat(9);
    let many = record(&"<A/>".repeat(60));
    let tag = format!("<TONG_HOP a='{}'/>", long(5000));
    let attributes: String = (0..70).map(|number| format!(" a{number}=''")).collect();
    for (document, what) in [
        (&cell, "cell longer"),
        (&pieces, "cell longer"),
        (&record(&deep), "more elements in one another"),
        (&many, "more elements than"),
        (&tag, "tag longer"),
        (&format!("<TONG_HOP{attributes}/>"), "more attributes"),
    ] {
        bound(&within(document), what);
        bound(&envelope(&[&file_part(1, document)]), what);
        bound(document, what);
    }
    bound(&within(&record(&format!("<X>{}</X>", long(100_000)))), "document longer");
    bound(&record(&format!("<X>{}</X>", long(100_000))), "text, tag or comment longer");
    bound(&format!("<!-- {} --><GIAMDINHHS/>", long(100_000)), "text, tag or comment longer");
    bound(&format!("<GIAMDINHHS {}>", "a='' ".repeat(20_000)), "text, tag or comment longer");
    bound(&format!("<GIAMDINHHS>{deep}</GIAMDINHHS>"), "more elements in one another");
    bound(&envelope(&[&file_part(2, &deep)]), "more elements in one another");
    bound(&envelope(&[&file_part(1, &format!("<![CDATA[{}]]>", long(500_000)))]), "longer");
    bound(&envelope(&[&file_part(2, &long(2 << 20))]), "larger than it may be");
    // Below the bounds all is read.
    let fine = record(&format!("<HO_TEN>{}</HO_TEN><NGAY_RA/>{}", long(1000), "<A/>".repeat(40)));
    assert_eq!(read_within(within(&fine), 1, &COLUMNS, limits).unwrap().len(), 3);
}

#[test]
fn a_bomb_of_entities_is_refused_before_it_goes_off() {
    let mut bomb = "<!DOCTYPE TONG_HOP [<!ENTITY a0 'BIMAT'>".to_owned();
    for level in 1..20 {
        let entity = format!("&a{};", level - 1).repeat(10);
        bomb += &format!("<!ENTITY a{level} '{entity}'>");
    }
    bomb += "]><TONG_HOP><MA_LK>&a19;</MA_LK></TONG_HOP>";
    refuses(within(&bomb), "document type");
    refuses(&bomb, "document type");
    refuses("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><TONG_HOP/>", "document type");
}

#[test]
fn a_byte_that_is_another_never_panics_and_never_tells_a_cell() {
    let whole = written();
    for at in (0..whole.len()).step_by(13) {
        for byte in [0x00, b'<', b'>', b'&', b'"', b'=', b'/', 0x80, 0xFF, whole[at] ^ 1] {
            let mut file = whole.clone();
            file[at] = byte;
            if let Err(error) = read(&file, 1, &COLUMNS) {
                told(&error);
            }
        }
    }
}

/// Tokens that mean something to the reader.
const TOKENS: [&str; 24] = [
    "<GIAMDINHHS>",
    "</GIAMDINHHS>",
    "<THONGTINHOSO>",
    "<DANHSACHHOSO>",
    "<HOSO>",
    "</HOSO>",
    "<FILEHOSO>",
    "<LOAIHOSO>XML1</LOAIHOSO>",
    "<NOIDUNGFILE>",
    "</NOIDUNGFILE>",
    "<TONG_HOP>",
    "</TONG_HOP>",
    "<MA_LK>",
    "</MA_LK>",
    "<MA_LK/>",
    "BIMAT",
    "&amp;",
    "&",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "PFRPTkdfSE9QLz4=",
    "<!DOCTYPE",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_tokens_are_read_or_refused(picks in proptest::collection::vec(0..TOKENS.len(), 0..40)) {
        let file: String = picks.iter().map(|pick| TOKENS[*pick]).collect();
        if let Err(error) = read(file, 1, &["MA_LK"]) {
            told(&error);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        at in 0_usize..400,
        cut in 0_usize..60,
    ) {
        let mut file = within("<TONG_HOP><MA_LK>BIMAT</MA_LK><HO_TEN/><NGAY_RA/></TONG_HOP>").into_bytes();
        file.splice(at..at + cut, bytes.iter().copied());
        if let Err(error) = read(&file, 1, &COLUMNS) {
            told(&error);
        }
        // As a document, too.
        let document = [b"<TONG_HOP><MA_LK>".as_slice(), &bytes, b"</MA_LK></TONG_HOP>"].concat();
        let file = envelope(&[&file_part(1, &STANDARD.encode(document))]);
        if let Err(error) = read(&file, 1, &["MA_LK"]) {
            told(&error);
        }
    }
}
