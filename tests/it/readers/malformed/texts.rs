//! Delimited text: quotes, rows and columns that do not fit, and bytes of another encoding.

use super::super::Asked;
use super::super::corpus::{self, CSV, TCVN3, TSV, UTF_16, VNI, WINDOWS_1258, utf_16, with_name};
use super::{Case, case};
use crate::kinds::files;

/// Two columns, so that a case fits on a line.
const TWO: Asked = Asked { columns: &["a", "b"], ..CSV };

pub(super) fn cases() -> Vec<Case> {
    let mut all = rows();
    all.extend(columns());
    all.extend(encodings());
    all
}

fn rows() -> Vec<Case> {
    let endless = format!("a,b\n1,\"{}", "BIMAT,\n".repeat(1 << 20));
    let whole = files::delimited(&corpus::table(), ",");
    let cut = whole.len() - "BIMAT Khac,48151.25\n".len();
    let mut all: Vec<Case> = [
        ("", "without a header"),
        ("\n\r\n", "without a header"),
        ("\u{feff}", "without a header"),
        ("a,b\n1,BIMAT,3\n", "in row 1: the row has more fields"),
        ("a,b\n1,2\n\nBIMAT\n", "in row 2: the row has fewer fields"),
        ("a,b\n1,2\n3", "in row 2: the row has fewer fields"),
        ("a,b\n1,2\n,,,,,,,\n", "in row 2: the row has more fields"),
        ("a,b\nBIMAT;2\n", "in row 1: the row has fewer fields"),
        ("a,b\n1,\"BIMAT\n3,4\n", "never ends"),
        ("a,b\n1,2\n\"BIMAT", "in row 2: a quoted field never ends"),
        ("a,\"b\n1,2\n", "never ends"),
        ("a,b\n1,\"BIMAT \"x\" y\"\n", "text follows a quoted field"),
        ("a,b\n\"BIMAT\"1,2\n", "text follows a quoted field"),
        ("a,b\n1,BIMAT\0\n", "in row 1: there is a NUL byte"),
        ("a,b\0\n1,BIMAT\n", "in the header: there is a NUL byte"),
        ("\0\0\0\0", "there is a NUL byte"),
    ]
    .into_iter()
    .map(|(text, says)| case(TWO, text, says))
    .collect();
    all.push(case(TWO, endless, "the row is longer than 4 MiB"));
    all.push(case(TWO, format!("a,b\n1,{}\n", "x".repeat(5 << 20)), "longer than 4 MiB"));
    all.push(case(CSV, &whole[..cut], "in row 4: the row has fewer fields"));
    all.push(case(TSV, whole.as_str(), "has no column `so_thu_tu`"));
    all
}

fn columns() -> Vec<Case> {
    let whole = files::delimited(&corpus::table(), ",");
    let many = (0..5_000).map(|number| format!("c{number},")).collect::<String>();
    vec![
        case(TWO, "a,c\n1,BIMAT\n", "has no column `b`"),
        case(TWO, "A,b\n1,BIMAT\n", "has no column `a`"),
        case(TWO, "a;b\n1;BIMAT\n", "has no column `a`"),
        case(TWO, "a,b,a\n1,2,BIMAT\n", "has the column `a` more than once"),
        case(TWO, "a,b,b\n", "has the column `b` more than once"),
        case(TWO, "BIMAT\n", "has no column `a`"),
        case(TWO, many + "\n", "more columns than 4096"),
        case(CSV, whole.replacen("ho_ten", "hoten", 1), "has no column `ho_ten`"),
        // Rows are watched before the header is looked at.
        case(CSV, whole.replacen("loai,", "", 1), "in row 1: the row has more fields"),
        case(CSV, whole.replacen("loai,", "loai,,", 1), "in row 1: the row has fewer fields"),
        // A table of the web, and a workbook, called what they are not.
        case(CSV, "<html><td>BIMAT</td></html>\n", "has no column"),
        case(CSV, files::workbook(&corpus::table()), ""),
    ]
}

fn encodings() -> Vec<Case> {
    let whole = files::delimited(&corpus::table(), ",");
    let wide = utf_16(&whole);
    let mut half = wide.clone();
    // Half of a pair in the place of a letter of a row.
    let at = wide.len() - 20;
    half[at..at + 2].copy_from_slice(&[0x00, 0xd8]);
    vec![
        case(
            CSV,
            with_name(&whole, b"Ph\xe9m"),
            "in row 1: a byte is not of the declared encoding",
        ),
        case(
            CSV,
            with_name(&whole, b"Ph\xb9m"),
            "in row 1: a byte is not of the declared encoding",
        ),
        case(CSV, wide.clone(), ""),
        case(CSV, "a,t\u{e9}n\n".chars().map(|c| c as u8).collect::<Vec<u8>>(), "in the header"),
        case(CSV, [whole.as_bytes(), b"1,2,3,4,5,6,\xe1\xbb"].concat(), "declared encoding"),
        case(TCVN3, with_name(&whole, b"Ph\x93m"), "declared encoding"),
        case(TCVN3, with_name(&whole, b"Ph\xb0m"), "declared encoding"),
        case(VNI, with_name(&whole, b"Phm\xf9m"), "declared encoding"),
        case(WINDOWS_1258, with_name(&whole, b"Ph\x90m"), "declared encoding"),
        case(UTF_16, half, "declared encoding"),
        case(UTF_16, &wide[..wide.len() - 1], "declared encoding"),
        // Two letters of one byte each are read as one of two, and no column is called so.
        case(UTF_16, whole, ""),
    ]
}
