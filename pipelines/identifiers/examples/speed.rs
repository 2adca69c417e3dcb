//! Cells that the scan looks at in a second, by what they hold, on one core.
//!
//! `cargo run --release -p identifiers --example speed [text]`: all of them, or those whose line
//! holds the text.

#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use identifiers::{AllowList, ColumnKind, ColumnScan, Counts};

/// How long each kind of cell is looked at.
const LENGTH: Duration = Duration::from_millis(500);

const TITLES: [&str; 8] = [
    "Bệnh tả do Vibrio cholerae 01, typ sinh học cholerae",
    "Lao phổi, xác nhận bằng soi đờm có cấy hoặc không cấy đờm",
    "Viêm phổi do Haemophilus influenzae",
    "Bệnh tim do tăng huyết áp có suy tim (sung huyết)",
    "Đái tháo đường không phụ thuộc insuline, có biến chứng thận",
    "Gãy xương đùi, phần không xác định",
    "Nhiễm khuẩn đường tiết niệu, vị trí không xác định",
    "Chăm sóc mẹ vì những bất thường khác của thai",
];
const DRUGS: [&str; 8] = [
    "Amoxicilin 500mg",
    "Paracetamol 650 mg vien nen",
    "Metformin hydroclorid 850mg",
    "Losartan kali 50mg",
    "Cefuroxim 250mg/5ml",
    "Insulin glargine 100 IU/ml",
    "Natri clorid 0,9% 500ml",
    "Omeprazol 20 mg vien nang",
];
const SENTENCES: [&str; 8] = [
    "Người bệnh vào viện vì sốt cao 39 độ, ho đờm 3 ngày nay, đã dùng thuốc hạ sốt ở nhà không đỡ",
    "Khám: tỉnh, da niêm mạc hồng, tim đều 84 lần/phút, phổi thông khí rõ, bụng mềm, gan lách không to",
    "Hẹn khám lại sau 7 ngày, mang theo kết quả xét nghiệm 12/06/2026; huyết áp 130/80 mmHg",
    "Chuyển tuyến trên theo yêu cầu của người bệnh, tình trạng ổn định lúc chuyển",
    "Đã tư vấn chế độ ăn giảm muối, tập thể dục 30 phút mỗi ngày, uống thuốc đều theo đơn",
    "Xét nghiệm: HC 4,5 T/l, BC 9,8 G/l, TC 250 G/l; CRP 12 mg/l; đường huyết 6,1 mmol/l",
    "Không đủ thuốc Cefixim 200mg tại kho lẻ, đề nghị cấp bổ sung 500 viên theo phiếu dự trù",
    "Cơ sở báo cáo chậm 2 ngày do mất điện; số liệu tháng 5 đã được đối chiếu với trạm y tế",
];

fn main() {
    let only = std::env::args().nth(1);
    let amount = |i: u64| format!("{}.00", i * i * 137 % 90_000_000 * 100 + 1000);
    let time = |i: u64| format!("202606{:02}08{:02}", 1 + i % 28, i % 60);
    let day = |i: u64| format!("2026-{:02}-{:02}", 1 + i % 12, 1 + i % 28);
    let code = |i: u64| format!("J{:02}.{}", i % 90, i % 9);
    let registration = |i: u64| format!("VD-{:05}-{:02}", i * 7919 % 100_000, 10 + i % 15);
    let made = |one: &dyn Fn(u64) -> String| (0..1024).map(one).collect::<Vec<_>>();
    let given = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
    println!("{:<28}{:>14}", "cells", "a second");
    for (what, kind, cells) in [
        ("codes (5 characters)", ColumnKind::Text, made(&code)),
        ("registration numbers", ColumnKind::Text, made(&registration)),
        ("times of 12 digits, text", ColumnKind::Text, made(&time)),
        ("times of 12 digits, date", ColumnKind::Date, made(&time)),
        ("days, date", ColumnKind::Date, made(&day)),
        ("amounts", ColumnKind::Number, made(&amount)),
        ("drug names", ColumnKind::Text, given(&DRUGS)),
        ("titles of diseases", ColumnKind::Text, given(&TITLES)),
        ("free text", ColumnKind::Text, given(&SENTENCES)),
    ] {
        if only.as_ref().is_none_or(|only| what.contains(only.as_str())) {
            println!("{what:<28}{:>14.0}", speed(kind, &cells));
        }
    }
}

/// Cells a second.
fn speed(kind: ColumnKind, cells: &[String]) -> f64 {
    let scan = ColumnScan::new("noi_dung", kind, &[], &AllowList::default())
        .expect("no pattern is named that could be wrong");
    let mut counts = Counts::default();
    let mut looked = 0_u32;
    let start = Instant::now();
    while start.elapsed() < LENGTH {
        for cell in cells {
            black_box(scan.look(black_box(cell), &mut counts));
            looked += 1;
        }
    }
    f64::from(looked) / start.elapsed().as_secs_f64()
}
