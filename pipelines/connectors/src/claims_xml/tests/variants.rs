//! The forms that senders use, and what is asked of the files.

use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;

use super::*;
use crate::claims_xml::fault::Told;
use crate::claims_xml::reading::{Scratch, read as read_file};
use crate::claims_xml::records::Records;

const TWO: &str = "<CHI_TIET_THUOC><MA_LK>a</MA_LK><STT>1</STT></CHI_TIET_THUOC>\
                   <CHI_TIET_THUOC><MA_LK>a</MA_LK><STT>2</STT></CHI_TIET_THUOC>";

/// Reads a drugs document that lies in a `NOIDUNGFILE` in that form.
fn drugs_within(content: &str) -> Rows {
    read(envelope(&[&file_part(2, content)]), 2, &["MA_LK", "STT"]).unwrap()
}

#[test]
fn a_document_is_base64_with_or_without_line_ends() {
    let both = rows(&[&["a", "1"], &["a", "2"]]);
    let base64 = STANDARD.encode(drugs(TWO));
    assert_eq!(drugs_within(&base64), both);
    assert_eq!(drugs_within(&format!("\n  {base64}\t\r\n")), both);
    for (width, end) in [(76, "\r\n"), (7, "\n"), (64, "&#13;\n"), (1, " "), (4, "<!-- -->")] {
        let lines = base64.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap());
        assert_eq!(drugs_within(&lines.collect::<Vec<_>>().join(end)), both, "{width}");
    }
    assert_eq!(drugs_within(&format!("<![CDATA[{base64}]]>")), both);
}

#[test]
fn a_document_may_lie_in_the_envelope_as_it_is() {
    let both = rows(&[&["a", "1"], &["a", "2"]]);
    assert_eq!(drugs_within(&drugs(TWO)), both);
    assert_eq!(drugs_within(&format!("\n<!-- --> {}\n", drugs(TWO))), both);
    assert_eq!(drugs_within(&format!("<![CDATA[ {}]]>", drugs(TWO))), both);
}

#[test]
fn a_document_may_have_a_mark_and_a_declaration() {
    let document = format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", drugs(TWO));
    let file = format!(
        "\u{feff}<?xml version='1.0' encoding='utf-8'?>{}",
        envelope(&[&encoded(2, &document)])
    );
    assert_eq!(read(file, 2, &["STT"]).unwrap(), rows(&[&["1"], &["2"]]));
}

#[test]
fn a_document_may_come_without_an_envelope() {
    let all = ["MA_LK", "@HOSO", "@NGAYLAP", "@MACSKCB"];
    let two = rows(&[&["a", "1", "-", "-"], &["a", "1", "-", "-"]]);
    assert_eq!(read(drugs(TWO), 2, &all).unwrap(), two);
    assert_eq!(read(drugs(TWO), 1, &all).unwrap(), Rows::new());
    let check_in = "<CHI_TIEU_TRANG_THAI_KCB><DSACH_TRANG_THAI_KCB><TRANG_THAI_KCB><MA_LK>x</MA_LK>\
                    </TRANG_THAI_KCB></DSACH_TRANG_THAI_KCB><CHUKYDONVI><Signature><MA_LK>s</MA_LK>\
                    </Signature>s</CHUKYDONVI></CHI_TIEU_TRANG_THAI_KCB>";
    assert_eq!(read(check_in, 0, &["MA_LK"]).unwrap(), rows(&[&["x"]]));
}

#[test]
fn records_are_found_in_other_wrappings() {
    let both = rows(&[&["a", "1"], &["a", "2"]]);
    for (begin, end) in [
        ("<DSACH_CHI_TIET_THUOC>", "</DSACH_CHI_TIET_THUOC>"),
        ("<THUOC><A><B>", "</B></A></THUOC>"),
        ("<CHI_TIET_THUOC>", "</CHI_TIET_THUOC>"),
    ] {
        assert_eq!(drugs_within(&STANDARD.encode(format!("{begin}{TWO}{end}"))), both, "{begin}");
    }
    let renamed = TWO.replace("CHI_TIET_THUOC", "THUOC_CHI_TIET");
    assert_eq!(drugs_within(&STANDARD.encode(drugs(&renamed))), both);
    let single = "<TONG_HOP><THONG_TIN><STT>1</STT><MA_LK>a</MA_LK></THONG_TIN></TONG_HOP>";
    assert_eq!(read(single, 1, &["MA_LK"]).unwrap(), rows(&[&["a"]]));
}

#[test]
fn no_record_is_lost_in_a_wrapping_that_is_not_known() {
    let lost = TWO.replace("MA_LK", "MALK").replace("CHI_TIET_THUOC", "THUOC");
    let error = read(envelope(&[&encoded(2, &drugs(&lost))]), 2, &["TEN_THUOC"]).unwrap_err();
    assert!(error.to_string().contains("text lies in no record"), "{error}");
    let moved = envelope(&["<X></X>"]).replace("X>", "HOSO>");
    let error = read(moved, 2, &["STT"]).unwrap_err();
    assert!(error.to_string().contains("not where the standard puts it"), "{error}");
}

#[test]
fn an_empty_list_has_no_rows() {
    for content in ["", " \n", "<DSACH_CHI_TIET_THUOC/>", &STANDARD.encode("<A><B> </B></A>")] {
        assert_eq!(drugs_within(content), Rows::new(), "{content}");
    }
    assert_eq!(drugs_within(&drugs("<CHI_TIET_THUOC/>")), Rows::new());
    let empty = envelope(&["<FILEHOSO><LOAIHOSO>XML2</LOAIHOSO><NOIDUNGFILE/></FILEHOSO>"]);
    assert_eq!(read(empty, 2, &["STT"]).unwrap(), Rows::new());
}

#[test]
fn a_field_that_is_absent_or_empty_is_null() {
    let document = drugs(
        "<CHI_TIET_THUOC><STT>1</STT><A/><B>b<C>c</C></B></CHI_TIET_THUOC>\
         <CHI_TIET_THUOC><A></A><MA_LK>x</MA_LK></CHI_TIET_THUOC>\
         <CHI_TIET_THUOC><A><![CDATA[]]></A><STT> </STT></CHI_TIET_THUOC>\
         <CHI_TIET_THUOC><D/></CHI_TIET_THUOC>",
    );
    let read = read(envelope(&[&encoded(2, &document)]), 2, &["A", "STT", "MA_LK"]).unwrap();
    assert_eq!(
        read,
        rows(&[&["-", "1", "-"], &["-", "-", "x"], &["-", " ", "-"], &["-", "-", "-"]])
    );
}

#[test]
fn characters_are_decoded_and_line_ends_are_one() {
    let document = drugs(
        "<CHI_TIET_THUOC><MA_LK>a&amp;b&lt;&gt;&quot;&apos;&#7885;&#x1ecd;</MA_LK>\
         <TEN>1\r\n2\r3&#13;<![CDATA[<&amp;>\r\n]]><!-- x -->4<?p?>5</TEN></CHI_TIET_THUOC>",
    );
    let read = read(envelope(&[&encoded(2, &document)]), 2, &["MA_LK", "TEN"]).unwrap();
    assert_eq!(read, rows(&[&["a&b<>\"'ọọ", "1\n2\n3\r<&amp;>\n45"]]));
}

#[test]
fn the_envelope_says_where_a_row_is_from() {
    let file = envelope(&[
        &encoded(2, &drugs(TWO)),
        &encoded(1, "<TONG_HOP><MA_LK>b</MA_LK></TONG_HOP>"),
        &(encoded(7, "<X/>") + &encoded(2, &drugs(TWO))),
    ]);
    let columns = ["@MACSKCB", "STT", "@HOSO", "@NGAYLAP"];
    let row = |stt, hoso| ["79001", stt, hoso, "20250131"];
    let all = [row("1", "1"), row("2", "1"), row("1", "3"), row("2", "3")];
    assert_eq!(read(&file, 2, &columns).unwrap(), rows(&[&all[0], &all[1], &all[2], &all[3]]));
    assert_eq!(read(&file, 1, &["@HOSO"]).unwrap(), rows(&[&["2"]]));
    let late = file
        .replace("<NGAYLAP>20250131</NGAYLAP>", "")
        .replace("</THONGTINHOSO>", "<NGAYLAP>20250131</NGAYLAP></THONGTINHOSO>");
    assert_eq!(read(&late, 1, &["@HOSO"]).unwrap(), rows(&[&["2"]]));
    let error = read(&late, 2, &columns).unwrap_err();
    assert!(error.to_string().contains("comes behind a HOSO"), "{error}");
}

#[test]
fn documents_of_other_tables_are_not_looked_at() {
    let other = file_part(1, "§ no base64 §") + &file_part(16, "<A>?</A>") + &file_part(3, "");
    let file = envelope(&[&(other + &encoded(2, &drugs(TWO)))]);
    assert_eq!(read(&file, 2, &["STT"]).unwrap().len(), 2);
    assert!(read(&file, 1, &["STT"]).is_err());
}

#[test]
fn a_column_that_no_record_has_is_missing() {
    let column = |error: SourceError| match error {
        SourceError::MissingColumn { column, .. } => column,
        other => panic!("{other}"),
    };
    assert_eq!(column(read(drugs(TWO), 2, &["MA_LK", "NGAY_YL"]).unwrap_err()), "NGAY_YL");
    assert_eq!(column(read(drugs(TWO), 2, &["ma_lk"]).unwrap_err()), "ma_lk");
    assert_eq!(column(read(drugs(TWO), 2, &["@ABC"]).unwrap_err()), "@ABC");
    assert_eq!(read(drugs(""), 2, &["NGAY_YL"]).unwrap(), Rows::new());
}

#[test]
fn a_column_may_be_in_one_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("1.xml", &drugs("<CHI_TIET_THUOC><STT>1</STT></CHI_TIET_THUOC>"));
    write("2.xml", &drugs("<CHI_TIET_THUOC><STT>2</STT><LIEU>3</LIEU></CHI_TIET_THUOC>"));
    write("3.csv", "no claims");
    let request = request("*.xml", 2, &["STT", "LIEU"]);
    let read = extract(folder.path(), &request, Limits::default()).unwrap();
    assert_eq!(read, rows(&[&["1", "-"], &["2", "3"]]));
}

#[test]
fn many_files_come_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..700 {
        let text = drugs(&format!("<CHI_TIET_THUOC><STT>{number}</STT></CHI_TIET_THUOC>"));
        std::fs::write(folder.path().join(format!("{number:03}.xml")), text).unwrap();
    }
    let request = request("", 2, &["STT"]);
    let read = extract(folder.path(), &request, Limits::default()).unwrap();
    let all: Vec<String> = read.into_iter().map(|mut row| row.remove(0).unwrap()).collect();
    assert_eq!(all, (0..700).map(|number| number.to_string()).collect::<Vec<_>>());
    std::fs::write(folder.path().join("350.xml"), "<").unwrap();
    let error = extract(folder.path(), &request, Limits::default()).unwrap_err();
    assert!(error.to_string().contains("350.xml"), "{error}");
}

#[test]
fn a_reader_that_goes_away_ends_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        std::fs::write(folder.path().join(format!("{number}.xml")), written()).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let source = ClaimsXml::new(Some(folder.path().to_owned()));
    let opened = runtime.block_on(source.open(&request("", 1, &["MA_LK"]))).unwrap();
    drop(opened);
    // Waits for the blocking thread, which would hang if the threads below it did.
    drop(runtime);
}

#[test]
fn nothing_there_is_no_snapshot() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for source in [ClaimsXml::new(None), ClaimsXml::new(Some(folder.path().to_owned()))] {
        let request = request("claims/", 1, &["MA_LK"]);
        assert!(runtime.block_on(source.open(&request)).unwrap().is_none());
        runtime.block_on(source.examine(&request)).unwrap();
    }
}

#[test]
fn a_snapshot_is_called_by_the_sum_of_its_file() {
    use sha2::Digest;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.xml"), written()).unwrap();
    let source = ClaimsXml::new(Some(folder.path().to_owned()));
    let opened = runtime.block_on(source.open(&request("1.xml", 1, &["MA_LK"]))).unwrap().unwrap();
    assert_eq!(opened.known, Some(crate::files::hex(&sha2::Sha256::digest(written()))));
}

#[test]
fn a_setting_that_is_not_usable_is_refused() {
    let setting = |request: Request| match Plan::of(&request).unwrap_err() {
        SourceError::Setting { setting, .. } => setting,
        other => panic!("{other}"),
    };
    assert_eq!(setting(request("", 16, &["MA_LK"])), "table");
    assert_eq!(setting(Request { settings: BTreeMap::new(), ..request("", 1, &["A"]) }), "table");
    assert_eq!(setting(request("", 1, &[])), "columns");
    assert_eq!(setting(request("", 1, &["A", "A"])), "columns");
}

#[test]
fn an_examination_reads_the_first_record() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let examine = |text: &str| {
        std::fs::write(folder.path().join("1.xml"), text).unwrap();
        let source = ClaimsXml::new(Some(folder.path().to_owned()));
        runtime.block_on(source.examine(&request("1.xml", 2, &["STT", "NGAY_YL"])))
    };
    let file = envelope(&[&encoded(2, &drugs(TWO)), "broken"]);
    examine(&file).unwrap();
    assert!(read(&file, 2, &["STT"]).is_err());
    examine(&envelope(&[])).unwrap();
    assert!(examine(&file[..60]).is_err());
    assert!(examine("<A/>").is_err());
}

#[test]
fn a_file_that_changes_is_no_malformed_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.xml");
    std::fs::write(&path, written()).unwrap();
    let request = request("1.xml", 1, &["MA_LK"]);
    let set = FileSet::find(folder.path(), &request).unwrap().unwrap();
    let (plan, limits) = (Plan::of(&request).unwrap(), Limits::default());
    let longer = [written(), b"\n".to_vec()].concat();
    for bytes in [longer, written()[..300].to_vec(), b"<A/>".to_vec()] {
        std::fs::write(&path, bytes).unwrap();
        let mut sink = |_| true;
        let mut records = Records::new(&plan, &limits, &mut sink);
        let told = read_file(
            &set.files()[0],
            &Shelf::default(),
            &mut records,
            &mut Scratch::default(),
            &limits,
        );
        assert!(matches!(told, Err(Told::Failed(SourceError::Changed { .. }))), "{told:?}");
    }
}

#[tokio::test]
async fn an_object_that_changes_is_no_malformed_file() {
    let path = object_store::path::Path::from("1.xml");
    let longer = [written(), b"\n".to_vec()].concat();
    for bytes in [longer, written()[..300].to_vec(), b"<A/>".to_vec()] {
        let store = Arc::new(InMemory::new());
        store.put(&path, written().into()).await.unwrap();
        let root = Root::Bucket(Bucket::over(Arc::<InMemory>::clone(&store), ""));
        let request = request("1.xml", 1, &["MA_LK"]);
        let plan = Plan::of(&request).unwrap();
        let found = tokio::task::spawn_blocking(move || FileSet::find(&root, &request)).await;
        let set = found.unwrap().unwrap().unwrap();
        store.put(&path, bytes.into()).await.unwrap();
        let read = move || {
            let (limits, mut sink) = (Limits::default(), |_| true);
            let mut records = Records::new(&plan, &limits, &mut sink);
            let (file, mut scratch) = (&set.files()[0], Scratch::default());
            read_file(file, &Shelf::default(), &mut records, &mut scratch, &limits)
        };
        let told = tokio::task::spawn_blocking(read).await.unwrap();
        assert!(matches!(told, Err(Told::Failed(SourceError::Changed { .. }))), "{told:?}");
    }
}
