//! Workbooks that are written here are read back as they were meant.

use super::*;
use crate::fill::{Cells, Holds};
use crate::xlsx::writer::{Sheet, room, sheet_name, workbook};

fn cells(row: &[&str]) -> Cells {
    row.iter().map(|cell| (*cell != "-").then(|| (*cell).to_owned())).collect()
}

async fn back(sheets: &[Sheet<'_>], asked: &Request) -> Vec<String> {
    let table = try_rows(&[("f.xlsx", workbook(sheets).unwrap())], asked).await.unwrap();
    let shown = |row: &Vec<Option<String>>| {
        row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect::<Vec<_>>().join("|")
    };
    table.iter().map(shown).collect()
}

#[tokio::test]
async fn a_form_with_fixed_cells_and_an_end_comes_back() {
    let asked = request(
        &["@B3", "@H3", "A", "C", "D"],
        &[("range", "A9:E"), ("stop", "Tổng cộng"), ("sheet", "*-BCT")],
    );
    let day = Holds::Day;
    let decimal = Holds::Decimal { precision: 12, scale: 2 };
    let holds = [Holds::Text, day, Holds::Text, decimal, Holds::Truth];
    let rows = [
        cells(&["01", "2026-07-08", "I.1", "12.50", "true"]),
        cells(&["01", "2026-07-08", "007", "-", "false"]),
    ];
    let sheet = |name| Sheet { name, request: &asked, holds: &holds, rows: &rows };
    let read = back(&[sheet("1-BCT"), sheet("2-BCT")], &asked).await;
    let once = ["01|2026-07-08|I.1|12.5|true", "01|2026-07-08|007|-|false"];
    assert_eq!(read, [once, once].concat());
    assert_eq!(sheet_name(&asked, 3).unwrap(), "3-BCT");
}

#[tokio::test]
async fn headers_of_several_rows_and_merged_cells_come_back() {
    let asked = request(
        &["Nhóm", "Số ca / Nam", "Số ca / Nữ", "Lúc"],
        &[("range", "B2:E"), ("header", "2"), ("fill", "down"), ("sheet", "Biểu 1")],
    );
    let holds = [Holds::Text, Holds::Whole, Holds::Whole, Holds::Instant];
    let rows = [
        cells(&["a", "1", "99?", "2026-07-08T07:30:00+07:00"]),
        cells(&["a", "2", "1", "-"]),
        cells(&["-", "3", "12345678901234567890", "-"]),
    ];
    let sheet = Sheet { name: "Biểu 1", request: &asked, holds: &holds, rows: &rows };
    let read = back(&[sheet], &asked).await;
    assert_eq!(read, ["a|1|99?|2026-07-08T07:30:00", "a|2|1|-", "-|3|12345678901234567890|-"]);
}

#[tokio::test]
async fn a_form_of_fixed_cells_alone_is_one_row_even_where_they_are_empty() {
    let asked = request(&["@B3", "@C8"], &[("range", "A8:C8")]);
    let rows = [cells(&["01", "-"])];
    let holds = [Holds::Text, Holds::Whole];
    let sheet = Sheet { name: "x", request: &asked, holds: &holds, rows: &rows };
    assert_eq!(back(&[sheet], &asked).await, ["01|-"]);
    assert!(back(&[Sheet { rows: &[], ..sheet }], &asked).await.is_empty());
}

#[tokio::test]
async fn a_form_has_room_for_the_rows_of_its_range_and_no_more() {
    let asked = request(&["A"], &[("range", "A8:C9")]);
    assert_eq!(room(&asked).unwrap(), Some(2));
    let rows = [cells(&["1"]), cells(&["2"]), cells(&["3"])];
    let sheet = Sheet { name: "x", request: &asked, holds: &[Holds::Whole], rows: &rows };
    assert!(workbook(&[sheet]).unwrap_err().to_string().contains("no room"));
    let sheet = Sheet { rows: &rows[..2], ..sheet };
    assert_eq!(back(&[sheet], &asked).await, ["1", "2"]);
    assert!(workbook(&[sheet]).unwrap() == workbook(&[sheet]).unwrap());
}
