mod hostile;
mod workbook;
mod writing;

use arrow::array::AsArray;
use futures::TryStreamExt;

use self::workbook::Workbook;
use super::*;

/// The cells of a form with a header of two rows.
const FORM: &str = r#"
    <row r="1"><c r="A1" t="inlineStr"><is><t>Báo cáo tháng</t></is></c></row>
    <row r="2"><c r="A2" t="inlineStr"><is><t>Tỉnh:</t></is></c>
               <c r="B2" t="inlineStr"><is><t>Cao Bằng</t></is></c></row>
    <row r="4"><c r="B4" t="inlineStr"><is><t>Huyện</t></is></c>
               <c r="C4" t="inlineStr"><is><t>Số ca
                mắc</t></is></c>
               <c r="E4" t="inlineStr"><is><t>Ghi chú</t></is></c></row>
    <row r="5"><c r="C5" t="inlineStr"><is><t>Nam</t></is></c>
               <c r="D5" t="inlineStr"><is><t>Nữ</t></is></c>
               <c r="E5" t="inlineStr"><is><t>Riêng</t></is></c></row>
    <row r="6"><c r="B6" t="inlineStr"><is><t>Bảo Lạc</t></is></c><c r="C6"><v>3</v></c>
               <c r="D6"><v>4.5</v></c></row>
    <row r="8"><c r="B8" t="inlineStr"><is><t>Hà Quảng</t></is></c><c r="D8"><v>0</v></c></row>
    <row r="9"><c r="B9" t="inlineStr"><is><t> Tổng  cộng </t></is></c>
               <c r="C9" t="e"><v>#REF!</v></c></row>
    <row r="11"><c r="B11" t="inlineStr"><is><t>Người lập</t></is></c></row>"#;

const FORM_MERGED: &[&str] = &["A1:E1", "B2:C2", "B4:B5", "C4:D4"];

fn form() -> Workbook {
    Workbook::new().sheet("Tỉnh 1", FORM, FORM_MERGED)
}

fn request(columns: &[&str], settings: &[(&str, &str)]) -> Request {
    let own = |text: &&str| (*text).to_owned();
    Request {
        place: "f.xlsx".to_owned(),
        columns: columns.iter().map(own).collect(),
        span: None,
        settings: settings.iter().map(|(name, value)| (own(name), own(value))).collect(),
    }
}

type Table = Vec<Vec<Option<String>>>;

async fn try_rows(files: &[(&str, Vec<u8>)], request: &Request) -> Result<Table, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let source = Xlsx::new(Some(folder.path().to_owned()));
    let snapshot = source.open(request).await?.expect("the files are there");
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await?;
    let mut table = Table::new();
    for batch in batches {
        let cell = |column: usize, row: usize| {
            let column = batch.column(column).as_string::<i32>();
            column.iter().nth(row).flatten().map(str::to_owned)
        };
        for row in 0..batch.num_rows() {
            table.push((0..batch.num_columns()).map(|column| cell(column, row)).collect());
        }
    }
    Ok(table)
}

/// The rows, a cell as its text and null as a dash.
async fn rows(workbook: &Workbook, columns: &[&str], settings: &[(&str, &str)]) -> Vec<String> {
    let files = [("f.xlsx", workbook.bytes())];
    let table = try_rows(&files, &request(columns, settings)).await.unwrap();
    let shown = |row: &Vec<Option<String>>| {
        row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect::<Vec<_>>().join("|")
    };
    table.iter().map(shown).collect()
}

async fn refusal(bytes: Vec<u8>, columns: &[&str], settings: &[(&str, &str)]) -> String {
    let error = try_rows(&[("f.xlsx", bytes)], &request(columns, settings)).await;
    error.unwrap_err().to_string()
}

#[tokio::test]
async fn a_form_gives_its_rows_under_the_names_of_its_merged_header() {
    let columns = [
        "Huyện",
        "Số ca mắc / Nam",
        "Số ca mắc / Nữ",
        "Ghi chú / Riêng",
        "@B2",
        "@C2",
        "@sheet",
        "@file",
    ];
    let settings = [("range", "B4:E"), ("header", "2"), ("stop", "Tổng cộng")];
    assert_eq!(
        rows(&form(), &columns, &settings).await,
        [
            "Bảo Lạc|3|4.5|-|Cao Bằng|Cao Bằng|Tỉnh 1|f.xlsx",
            "Hà Quảng|-|0|-|Cao Bằng|Cao Bằng|Tỉnh 1|f.xlsx",
        ]
    );
}

#[tokio::test]
async fn columns_are_letters_where_there_is_no_header() {
    let kept = [("range", "B6:D8"), ("skip_empty", "false")];
    assert_eq!(rows(&form(), &["D", "B"], &kept).await, ["4.5|Bảo Lạc", "-|-", "0|Hà Quảng"]);
    assert_eq!(rows(&form(), &["B"], &[("range", "B6:D8")]).await, ["Bảo Lạc", "Hà Quảng"]);
    let below = [("range", "B10:D12"), ("skip_empty", "false")];
    assert_eq!(rows(&form(), &["B"], &below).await, ["-", "Người lập", "-"]);
    // To the last row with anything, from the first.
    let open = [("range", "B10:D"), ("skip_empty", "false")];
    assert_eq!(rows(&form(), &["B"], &open).await, ["-", "Người lập"]);
    assert_eq!(rows(&form(), &["A"], &[]).await.len(), 8);
}

#[tokio::test]
async fn cells_become_text_by_what_they_are() {
    let cells = r#"<row r="1">
        <c r="A1" t="s"><v>1</v></c> <c r="B1"><v>1E3</v></c> <c r="C1" t="b"><v>1</v></c>
        <c r="D1" s="1"><v>46053</v></c> <c r="E1" s="2"><v>46053.3125</v></c>
        <c r="F1" s="3"><v>1.5</v></c> <c r="G1"><f>B1*2</f><v>2000</v></c>
        <c r="H1" t="str"><f>A1</f><v>a &amp; b</v></c> <c r="I1" t="d"><v>2026-01-31T00:00:00</v></c>
        <c r="J1" t="inlineStr"><is><r><t xml:space="preserve">giàu </t></r><r><t>chữ</t></r></is></c>
        <c r="K1" t="inlineStr"><is><t>  </t></is></c> <c r="L1" s="1"/> <c r="M1" t="s"><v>0</v></c>
    </row>"#;
    let workbook = Workbook::new().sheet("S", cells, &[]).shared(&["đầu", "chung &lt;"]);
    let columns = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M"];
    assert_eq!(
        rows(&workbook, &columns, &[]).await,
        [
            "chung <|1000|true|2026-01-31|2026-01-31T07:30:00|36:00:00|2000|a & b|2026-01-31|giàu chữ\
          |-|-|đầu"
        ]
    );
    let since_1904 = workbook.since_1904();
    assert_eq!(rows(&since_1904, &["D"], &[]).await, ["2030-02-01"]);
}

#[tokio::test]
async fn cells_without_a_value_are_refused_where_they_are_wanted() {
    let cells = r#"<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><v>#N/A</v></c>
        <c r="C2"><f>secret(A2)</f></c><c r="D2" s="1"><v>60</v></c>
        <c r="E2"><f t="shared" si="0"/><v/></c></row>"#;
    let workbook = Workbook::new().sheet("S", cells, &[]);
    assert_eq!(rows(&workbook, &["A"], &[]).await, ["1"]);
    let begins = [
        ("B", "cell B2: it holds an error"),
        ("C", "cell C2: the formula was saved without"),
        ("D", "cell D2: it is shown as 29 February 1900"),
        ("E", "cell E2: the formula was saved without"),
        ("@B2", "cell B2: it holds an error"),
    ];
    for (column, begin) in begins {
        let error = refusal(workbook.bytes(), &[column], &[]).await;
        let begin = format!("f.xlsx is not valid XLSX in sheet `S`, {begin}");
        assert!(error.starts_with(&begin) && !error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn sheets_are_the_only_visible_one_or_named_or_those_that_fit() {
    let cells = |text: &str| format!(r#"<row><c t="inlineStr"><is><t>{text}</t></is></c></row>"#);
    let several = Workbook::new()
        .sheet("Tỉnh 1", &cells("một"), &[])
        .sheet("Hướng dẫn", &cells("đọc"), &[])
        .hidden("Tỉnh 2", &cells("ẩn"), &[])
        .sheet("Tỉnh 3", &cells("ba"), &[]);
    let sheet = |name| [("sheet", name)];
    let columns = ["@sheet", "A"];
    assert_eq!(rows(&several, &columns, &sheet("Tỉnh *")).await, ["Tỉnh 1|một", "Tỉnh 3|ba"]);
    assert_eq!(rows(&several, &columns, &sheet("Tỉnh 2")).await, ["Tỉnh 2|ẩn"]);
    let error = refusal(several.bytes(), &columns, &[]).await;
    assert!(error.contains("which of several sheets: `Tỉnh 1`, `Hướng dẫn`, `Tỉnh 3`"), "{error}");
    for none in ["Tỉnh", "Tỉnh 2*", "Xã *"] {
        let error = refusal(several.bytes(), &columns, &sheet(none)).await;
        assert!(error.contains("the setting `sheet` names no sheet"), "{error}");
    }
    let only = Workbook::new().hidden("a", &cells("ẩn"), &[]).sheet("b", &cells("hai"), &[]);
    assert_eq!(rows(&only, &columns, &[]).await, ["b|hai"]);
    let none = Workbook::new().hidden("a", &cells("ẩn"), &[]);
    assert!(refusal(none.bytes(), &columns, &[]).await.contains("no sheet is visible"));
    let twice = Workbook::new().sheet("a", "", &[]).sheet("a", "", &[]);
    assert!(refusal(twice.bytes(), &columns, &sheet("a")).await.contains("two sheets of one name"));
}

#[tokio::test]
async fn several_files_follow_each_other() {
    let files = [("b.xlsx", form().bytes()), ("a.xlsx", form().bytes()), ("c.txt", Vec::new())];
    let mut request = request(&["@file", "B"], &[("range", "B6:D7")]);
    request.place = "*.xlsx".to_owned();
    let table = try_rows(&files, &request).await.unwrap();
    let names: Vec<&str> = table.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(names, ["a.xlsx", "b.xlsx"]);
}

#[tokio::test]
async fn merged_cells_are_filled_where_it_is_asked() {
    let cells = r#"
        <row r="1"><c r="A1" t="inlineStr"><is><t>Vùng 1</t></is></c><c r="C1"><v>1</v></c></row>
        <row r="2"><c r="C2"><v>2</v></c></row>
        <row r="4"><c r="A4" t="inlineStr"><is><t>Vùng 2</t></is></c><c r="C4"><v>4</v></c></row>
        <row r="5"><c r="A5" t="inlineStr"><is><t>Vùng 3</t></is></c><c r="C5"><v>5</v></c></row>"#;
    let workbook = Workbook::new().sheet("S", cells, &["A1:B3", "A4:B4", "F4:G9"]);
    let columns = ["A", "B", "C"];
    assert_eq!(
        rows(&workbook, &columns, &[]).await,
        ["Vùng 1|-|1", "-|-|2", "Vùng 2|-|4", "Vùng 3|-|5"]
    );
    let down = ("fill", "down");
    assert_eq!(
        rows(&workbook, &columns, &[down]).await,
        ["Vùng 1|Vùng 1|1", "Vùng 1|Vùng 1|2", "Vùng 2|Vùng 2|4", "Vùng 3|-|5"]
    );
    let all = rows(&workbook, &columns, &[down, ("skip_empty", "false")]).await;
    assert_eq!(all[2..4], ["Vùng 1|Vùng 1|-", "Vùng 2|Vùng 2|4"]);
    // A region that begins above the range has its value outside the table.
    let below = rows(&workbook, &columns, &[down, ("range", "A2:C3")]).await;
    assert_eq!(below, ["-|-|2"]);
}

#[tokio::test]
async fn a_header_that_is_missing_or_doubled_is_named() {
    let settings = [("range", "B4:E"), ("header", "2"), ("stop", "Tổng cộng")];
    let error = refusal(form().bytes(), &["Số ca mắc / Khác"], &settings).await;
    let missing = "f.xlsx, sheet `Tỉnh 1`, has no column `Số ca mắc / Khác`";
    assert!(error.starts_with(missing), "{error}");
    let twice = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Tên</t></is></c>
        <c r="C1" t="inlineStr"><is><t> Tên</t></is></c></row>"#;
    let workbook = Workbook::new().sheet("S", twice, &[]);
    let error = refusal(workbook.bytes(), &["Tên"], &[("header", "1")]).await;
    assert_eq!(error, "f.xlsx, sheet `S`, has the column `Tên` more than once");
    let empty = Workbook::new().sheet("S", "", &[]);
    let error = refusal(empty.bytes(), &["Tên"], &[("header", "1")]).await;
    assert!(error.contains("has no column `Tên`"), "{error}");
    let overlap = Workbook::new().sheet("S", twice, &["A1:B1", "B1:C1"]);
    let error = refusal(overlap.bytes(), &["Tên"], &[("header", "1")]).await;
    assert!(error.contains("cell B1: two merged regions overlap"), "{error}");
}

#[tokio::test]
async fn a_form_without_its_end_is_refused() {
    let error = refusal(form().bytes(), &["B"], &[("range", "B6:D8"), ("stop", "Tổng cộng")]).await;
    assert!(
        error.starts_with("f.xlsx is not valid XLSX in sheet `Tỉnh 1`: no row begins"),
        "{error}"
    );
}

#[tokio::test]
async fn settings_that_are_not_usable_are_named() {
    let wrong = [
        ("range", "B6"),
        ("header", "many"),
        ("header", "21"),
        ("skip_empty", "yes"),
        ("fill", "up"),
        ("complete", "later"),
    ];
    for (setting, value) in wrong {
        let error = refusal(form().bytes(), &["B"], &[(setting, value)]).await;
        assert!(error.contains(&format!("the setting `{setting}`")), "{error}");
    }
    let error = refusal(form().bytes(), &["B"], &[("range", "B6:D7"), ("header", "2")]).await;
    assert!(error.contains("leaves no row"), "{error}");
    for column in ["Huyện", "E", "@", "@nothing", "@B0", "b"] {
        let error = refusal(form().bytes(), &[column], &[("range", "B6:D7")]).await;
        assert!(error.contains(&format!("the setting `{column}`")), "{error}");
    }
    let nowhere = Xlsx::new(None).open(&request(&["B"], &[])).await.unwrap_err();
    assert!(nowhere.to_string().contains("`sources` is not set"), "{nowhere}");
}

#[tokio::test]
async fn examining_looks_at_headers_and_not_at_rows() {
    let folder = tempfile::tempdir().unwrap();
    let source = Xlsx::new(Some(folder.path().to_owned()));
    let settings = [("range", "B4:E"), ("header", "2")];
    let good = request(&["Huyện"], &settings);
    source.examine(&good).await.unwrap();
    assert!(source.open(&good).await.unwrap().is_none());
    std::fs::write(folder.path().join("f.xlsx"), form().bytes()).unwrap();
    source.examine(&good).await.unwrap();
    let missing = source.examine(&request(&["Xã"], &settings)).await.unwrap_err();
    assert!(matches!(missing, SourceError::MissingColumn { .. }), "{missing}");
    use sha2::Digest as _;
    let sum = crate::files::hex(&sha2::Sha256::digest(form().bytes()));
    assert_eq!(source.open(&good).await.unwrap().unwrap().known, Some(sum));
}

#[tokio::test]
async fn many_rows_come_as_several_batches() {
    let count = crate::BATCH_ROWS + 3;
    let cells: String = (0..count).map(|row| format!("<row><c><v>{row}</v></c></row>")).collect();
    let folder = tempfile::tempdir().unwrap();
    let workbook = Workbook::new().sheet("S", &cells, &[]);
    std::fs::write(folder.path().join("f.xlsx"), workbook.bytes()).unwrap();
    let source = Xlsx::new(Some(folder.path().to_owned()));
    let snapshot = source.open(&request(&["A"], &[])).await.unwrap().unwrap();
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await.unwrap();
    let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [crate::BATCH_ROWS, 3]);
    assert_eq!(batches[1].column(0).as_string::<i32>().value(2), (count - 1).to_string());
}

/// What the rows of these bytes are, or why not; without a runtime.
fn direct(bytes: &[u8], request: &Request) -> Result<usize, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.xlsx"), bytes).unwrap();
    let set = FileSet::find(folder.path(), request)?.expect("the file is there");
    let mut count = 0;
    read(&set, &Plan::new(request)?, &Limits::default(), &mut |batch| {
        count += batch.num_rows();
        true
    })?;
    Ok(count)
}
