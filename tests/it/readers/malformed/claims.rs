//! Claims: cut short, not well formed, of another form, with bombs in them.

use super::super::corpus::{self, CLAIMS, utf_16};
use super::super::{Asked, Kind};
use super::{Case, case};
use crate::kinds::files;

/// The columns of the documents below.
const ASKED: Asked = Asked {
    kind: Kind::Claims,
    place: "hoso.xml",
    columns: &["MA_LK", "HO_TEN"],
    settings: &[("table", "1")],
};

pub(super) fn cases() -> Vec<Case> {
    let mut all = cut();
    all.extend(documents());
    all.extend(bombs());
    all.extend(contents());
    all.extend(envelopes());
    all.extend(encodings());
    all
}

/// A valid file, cut at several places.
fn cut() -> Vec<Case> {
    let table = corpus::table();
    let whole = files::claims(&table, &table);
    let mut all: Vec<Case> =
        (0..10).map(|tenth| case(CLAIMS, &whole[..whole.len() * tenth / 10], "")).collect();
    all.push(case(CLAIMS, &whole[..whole.len() - 5], "cut short"));
    all
}

/// An envelope with three visits; the content of the second is given.
fn within(content: &str) -> String {
    let visit = |content: &str| {
        format!(
            "<HOSO><FILEHOSO><LOAIHOSO>XML1</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE>\
             </FILEHOSO></HOSO>"
        )
    };
    let good = visit(&record("<HO_TEN>BIMAT</HO_TEN>"));
    format!(
        "<GIAMDINHHS><THONGTINDONVI><MACSKCB>79001</MACSKCB></THONGTINDONVI><THONGTINHOSO>\
         <NGAYLAP>20250131</NGAYLAP><SOLUONGHOSO>3</SOLUONGHOSO><DANHSACHHOSO>{good}{}{good}\
         </DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI/></GIAMDINHHS>",
        visit(content)
    )
}

fn record(fields: &str) -> String {
    format!("<TONG_HOP><MA_LK>BIMAT</MA_LK>{fields}</TONG_HOP>")
}

/// Documents as they are.
fn documents() -> Vec<Case> {
    [
        ("<TONG_HOP>\n<MA_LK>BIMAT</HO_TEN></TONG_HOP>", "end tag of another"),
        ("<TONG_HOP><MA_LK>BIMAT</MA_LK>", "end tag of another"),
        ("<TONG_HOP><MA_LK>BIMAT & co</MA_LK></TONG_HOP>", "&amp;"),
        ("<TONG_HOP><MA_LK>&bimat;</MA_LK></TONG_HOP>", "none is expanded"),
        ("<TONG_HOP><X>&nbsp;</X></TONG_HOP>", "none is expanded"),
        ("<TONG_HOP><MA_LK>&#0;</MA_LK></TONG_HOP>", "names no character"),
        ("<TONG_HOP><MA_LK>&#xD800;</MA_LK></TONG_HOP>", "names no character"),
        ("<TONG_HOP><MA_LK>&#x1;</MA_LK></TONG_HOP>", "control character"),
        ("<TONG_HOP><MA_LK>\u{1}BIMAT</MA_LK></TONG_HOP>", "control character"),
        ("<TONG_HOP><MA_LK>\0BIMAT</MA_LK></TONG_HOP>", "control character"),
        ("<!DOCTYPE TONG_HOP><TONG_HOP/>", "document type"),
        ("<TONG_HOP><MA_LK><B>BIMAT</B></MA_LK></TONG_HOP>", "holds an element"),
        ("<TONG_HOP><MA_LK>1</MA_LK><B><HO_TEN>BIMAT</HO_TEN></B></TONG_HOP>", "another element"),
        ("<TONG_HOP><MA_LK>1</MA_LK>BIMAT</TONG_HOP>", "between the fields"),
        ("<A><MA>BIMAT</MA></A>", "in no record"),
        ("<CHI_TIEU_GIAYHEN_KHAMLAI><MA_LK>1</MA_LK></CHI_TIEU_GIAYHEN_KHAMLAI>", "another table"),
        ("<TONG_HOP a='1' a='BIMAT'/>", "attributes"),
        ("<TONG_HOP a=BIMAT/>", "attributes"),
        ("<TONG_HOP>< BIMAT></TONG_HOP>", "has no name"),
        ("<TONG_HOP/><TONG_HOP/>", "more than one document"),
        ("<TONG_HOP><MA_LK>BIMAT</MA_LK><MA_LK/></TONG_HOP>", "column `MA_LK` more than once"),
        ("<![CDATA[<TONG_HOP>]]>", "cut short"),
        ("<TONG_HOP/>BIMAT", "HOSO 2"),
    ]
    .into_iter()
    .map(|(document, says)| case(ASKED, within(document), says))
    .collect()
}

/// What would take up more than it may.
fn bombs() -> Vec<Case> {
    let mut entities = "<!DOCTYPE TONG_HOP [<!ENTITY a0 'BIMAT'>".to_owned();
    for level in 1..20 {
        let entity = format!("&a{};", level - 1).repeat(10);
        entities += &format!("<!ENTITY a{level} '{entity}'>");
    }
    entities += "]><TONG_HOP><MA_LK>&a19;</MA_LK></TONG_HOP>";
    let deep = |depth: usize| "<A>".repeat(depth) + &"</A>".repeat(depth);
    let attributes: String = (0..70).map(|number| format!(" a{number}=''")).collect();
    let long = "x".repeat(2 << 20);
    vec![
        case(ASKED, within(&entities), "document type"),
        case(ASKED, entities.clone(), "document type"),
        case(ASKED, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><TONG_HOP/>", "document type"),
        case(ASKED, within(&record(&deep(40))), "more elements in one another"),
        case(ASKED, deep(100_000).replace("<A>", "<GIAMDINHHS>"), ""),
        case(ASKED, within(&record(&"<A/>".repeat(5_000))), "more elements than"),
        case(ASKED, within(&record(&format!("<HO_TEN>{long}</HO_TEN>"))), "longer"),
        case(ASKED, within(&record(&format!("<X>{long}</X>"))), "longer"),
        case(ASKED, format!("<!-- {long} --><GIAMDINHHS/>"), "longer"),
        case(ASKED, within(&format!("<TONG_HOP a='{}'/>", "x".repeat(5_000))), "tag longer"),
        case(ASKED, within(&format!("<TONG_HOP{attributes}/>")), "more attributes"),
    ]
}

/// What is no document.
fn contents() -> Vec<Case> {
    let document = "PFRPTkdfSE9QLz4=";
    [
        ("BIMAT1§".to_owned(), "neither base64 nor"),
        ("QUJDQU".to_owned(), "cut short"),
        (document.replace('=', ""), "cut short"),
        (document.repeat(2), "neither base64 nor"),
        ("PFRPTkdfSE9Q!!!!".to_owned(), "neither base64 nor"),
        ("PFRP=TkdfSE9".to_owned(), "neither base64 nor"),
        ("/v8AAA==".to_owned(), "not UTF-8"),
        ("&lt;TONG_HOP/&gt;".to_owned(), "neither base64 nor"),
        (format!("{document}<TONG_HOP/>"), "more than one document"),
        (format!("<TONG_HOP/>{document}"), "more than one document"),
    ]
    .into_iter()
    .map(|(content, says)| case(ASKED, within(&content), says))
    .collect()
}

/// What the envelope is not, and columns that were renamed.
fn envelopes() -> Vec<Case> {
    let good = within(&record("<HO_TEN>BIMAT</HO_TEN>"));
    let swap = |from: &str, to: &str| good.replacen(from, to, 1);
    [
        (String::new(), "empty"),
        (" \n".to_owned(), "empty"),
        ("BIMAT".to_owned(), "text where"),
        ("<HSCHUNGTU/>".to_owned(), "another standard"),
        ("<GIAMDINHHS/>".to_owned(), "no DANHSACHHOSO"),
        (good.clone() + "<GIAMDINHHS/>", "follows"),
        (swap("<SOLUONGHOSO>3", "<SOLUONGHOSO>4"), "announces 4 HOSO in SOLUONGHOSO and holds 3"),
        (swap("<SOLUONGHOSO>3", "<SOLUONGHOSO>BIMAT"), "not a number"),
        (swap("XML1", "BIMAT"), "not XML with"),
        (swap("<LOAIHOSO>XML1</LOAIHOSO>", ""), "no LOAIHOSO"),
        (swap("</NOIDUNGFILE>", "</NOIDUNGFILE><NOIDUNGFILE/>"), "more than one NOIDUNGFILE"),
        (swap("<HOSO>", "<HOSO>BIMAT"), "where the standard has elements"),
        (swap("79001", "<A>BIMAT</A>"), "where the standard has text"),
        (swap("79001", &"BIMAT".repeat(1000)), "longer text"),
        (swap("</DANHSACHHOSO>", "</HOSO>"), "end tag of another"),
        (good.replace("HO_TEN", "HOTEN"), "has no column `HO_TEN`"),
        (good.replace("MA_LK", "MALK"), "has no column `MA_LK`"),
    ]
    .into_iter()
    .map(|(file, says)| case(ASKED, file, says))
    .collect()
}

/// Bytes that are no UTF-8, and a file that says that it is none.
fn encodings() -> Vec<Case> {
    let good = within(&record("<HO_TEN>BIMAT</HO_TEN>"));
    let with = |name: &[u8]| {
        let (before, after) = good.split_once("79001").unwrap();
        [before.as_bytes(), name, after.as_bytes()].concat()
    };
    vec![
        case(ASKED, with(b"\xff"), "not UTF-8"),
        case(ASKED, with(b"Ph\xb9m Th\xde"), "not UTF-8"),
        case(ASKED, with(b"be\xe9"), "not UTF-8"),
        case(ASKED, utf_16(&good), "not UTF-8"),
        case(ASKED, [good.as_bytes(), b"\xe1\xbb"].concat(), "not UTF-8"),
        case(ASKED, format!("<?xml version='1.0' encoding='utf-16'?>{good}"), "another encoding"),
    ]
}
