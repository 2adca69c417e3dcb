//! The report as one HTML page: no script, no outside resource, readable by a screen reader.

use std::fmt::Write;

use super::{DimensionReport, FindingReport, Report};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a;background:#fff}table{border-collapse:collapse;margin:1rem 0}\
caption{text-align:left;font-weight:600;padding:.4rem 0}th,td{border:1px solid #767676;\
padding:.25rem .6rem;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}\
thead th{background:#eef2f5}.verdict{font-size:1.4rem;padding:.5rem 1rem;border-left:.5rem solid}\
.passed{border-color:#1b6e3c}.refused{border-color:#a3171b}[lang=en]{color:#4a4a4a}\
.note{background:#fff6da;padding:.5rem 1rem}";

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, report);
    out
}

/// A Vietnamese label with its English.
fn both(vi: &str, en: &str) -> String {
    format!("{} <span lang=\"en\">· {}</span>", escape(vi), escape(en))
}

fn write(out: &mut String, r: &Report) -> std::fmt::Result {
    let passed = r.verdict == "passed";
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Kiểm soát tiết lộ thống kê</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{}</h1>\n<p class=\"note\">{}</p>\n",
        both("Kiểm soát tiết lộ thống kê", "Statistical disclosure control"),
        both(
            "Báo cáo nội bộ: các khoảng giá trị bên dưới không được công bố.",
            "Internal report: the intervals below must not be published."
        ),
    )?;
    let verdict = if passed { both("Đạt", "passed") } else { both("Từ chối", "refused") };
    writeln!(out, "<p class=\"verdict {}\"><strong>{verdict}</strong></p>", r.verdict)?;
    write_summary(out, r)?;
    if !passed {
        write_refusal(out, r)?;
    }
    let title = both("Nhạy cảm nhưng đã công bố", "Sensitive, already out");
    write_list(out, &title, &r.already_out)?;
    let title = both("Đã bị thu hẹp bởi bản trước", "Narrowed by earlier releases");
    write_list(out, &title, &r.narrowed_before)?;
    writeln!(out, "<h2>{}</h2>", both("Theo chiều phân tổ", "By dimension"))?;
    for dimension in &r.by_dimension {
        write_dimension(out, dimension)?;
    }
    let shown: Vec<_> = r.findings.iter().filter(|finding| finding.protected).collect();
    if !shown.is_empty() {
        let title = both("Khoảng kẻ tấn công còn lại", "Intervals left to an attacker");
        write_findings(out, &title, &shown)?;
    }
    writeln!(out, "</main>\n</body>\n</html>")
}

fn write_list(out: &mut String, title: &str, cells: &[String]) -> std::fmt::Result {
    if cells.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>{title}</h2>\n<ul>")?;
    for cell in cells {
        writeln!(out, "<li>{}</li>", escape(cell))?;
    }
    writeln!(out, "</ul>")
}

fn write_summary(out: &mut String, r: &Report) -> std::fmt::Result {
    let rules = r.rules.in_words().into_iter().map(|(vi, en)| both(&vi, &en));
    let mut rows = vec![
        (both("Bảng", "Tables"), escape(&r.tables.join(", "))),
        (both("Quy tắc", "Rules"), rules.collect::<Vec<_>>().join("; ")),
        (both("Số ô", "Cells"), r.cells.to_string()),
        (both("Công bố", "Published"), r.published.to_string()),
        (both("Ẩn vì nhạy cảm", "Primary"), r.primary.to_string()),
        (both("Ẩn để bảo vệ", "Secondary"), r.secondary.to_string()),
        (both("Đã ẩn từ trước", "Withheld before"), r.withheld_before.to_string()),
        (both("Tỷ lệ ẩn", "Suppressed"), format!("{} %", r.suppressed_percent)),
        (
            both("Giá trị ẩn để bảo vệ", "Secondary value"),
            format!("{} %", r.secondary_value_percent),
        ),
        (both("Bảng chứng kiểm tra", "Witnesses checked"), r.witnesses.to_string()),
        (both("Thời gian", "Time"), format!("{} s", r.elapsed_seconds)),
    ];
    if let Some(quality) = &r.quality {
        let proof = match (quality.optimal, quality.gap_percent) {
            (true, _) => both("tối ưu", "optimal"),
            (false, Some(gap)) => format!("≤ {gap} %"),
            (false, None) => both("không có cận", "no bound"),
        };
        rows.push((both("Chất lượng", "Quality"), format!("{}: {proof}", quality.minimised)));
    }
    writeln!(out, "<table>\n<caption>{}</caption>\n<tbody>", both("Tóm tắt", "Summary"))?;
    for (label, value) in rows {
        writeln!(out, "<tr><th scope=\"row\">{label}</th><td>{value}</td></tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")
}

fn write_refusal(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.past_leaks {
        let text = both(
            "Những gì đã công bố tự nó đã lộ; không bản mới nào sửa được.",
            "What is already out leaks by itself; no new release can repair it.",
        );
        writeln!(out, "<p class=\"note\">{text}</p>")?;
    }
    let exposed: Vec<_> = r.findings.iter().filter(|finding| !finding.protected).collect();
    write_findings(out, &both("Ô có thể bị suy ra", "Cells that could be found out"), &exposed)?;
    if let Some(coarsening) = &r.coarsening {
        writeln!(
            out,
            "<h2>{}</h2>\n<ul>",
            both("Cách gộp nhỏ nhất sẽ đạt", "Smallest coarsening that would pass")
        )?;
        for step in &coarsening.steps {
            let what = match step.from_depth {
                1 => both("chỉ tổng số", "only the total"),
                depth => both(
                    &format!("bỏ từ cấp {depth}"),
                    &format!("leave out level {depth} and below"),
                ),
            };
            writeln!(out, "<li>{}: {what}</li>", escape(&step.dimension))?;
        }
        writeln!(out, "</ul>\n<p>−{} {}</p>", coarsening.cells_lost, both("ô", "cells"))?;
    }
    Ok(())
}

fn write_dimension(out: &mut String, dimension: &DimensionReport) -> std::fmt::Result {
    writeln!(
        out,
        "<table>\n<caption>{}</caption>\n<thead><tr><th scope=\"col\">{}</th>\
         <th scope=\"col\">{}</th><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead>\n<tbody>",
        escape(&dimension.dimension),
        both("Mã", "Code"),
        both("Số ô", "Cells"),
        both("Ẩn", "Suppressed"),
        both("Giá trị ẩn, %", "Value suppressed, %"),
    )?;
    for code in &dimension.codes {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(&code.code),
            code.cells,
            code.suppressed,
            code.value_percent
        )?;
    }
    writeln!(out, "</tbody>\n</table>")
}

fn write_findings(out: &mut String, title: &str, findings: &[&FindingReport]) -> std::fmt::Result {
    writeln!(
        out,
        "<table>\n<caption>{title}</caption>\n<thead><tr><th scope=\"col\">{}</th>\
         <th scope=\"col\">{}</th><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead>\n<tbody>",
        both("Ô", "Cell"),
        both("Lý do", "Reason"),
        both("Từ", "From"),
        both("Đến", "To"),
    )?;
    for finding in findings {
        let reason = finding.reason.map_or_else(
            || both("bảo vệ ô khác", "protects others"),
            |reason| {
                let (vi, en) = reason.in_words();
                both(vi, en)
            },
        );
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{reason}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(&finding.cell),
            finding.low,
            finding.high
        )?;
    }
    writeln!(out, "</tbody>\n</table>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
