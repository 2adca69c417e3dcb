//! The report on a terminal.

use std::fmt::Write;

use super::Report;

/// How many cells a terminal shows.
const MOST_CELLS: usize = 40;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, r: &Report) -> std::fmt::Result {
    let passed = r.verdict == "passed";
    writeln!(out, "{}", if passed { "ĐẠT · passed" } else { "TỪ CHỐI · refused" })?;
    for table in &r.tables {
        writeln!(out, "  {table}")?;
    }
    let rules: Vec<_> =
        r.rules.in_words().into_iter().map(|(vi, en)| format!("{vi} ({en})")).collect();
    writeln!(out, "Quy tắc · rules: {}", rules.join("; "))?;
    writeln!(
        out,
        "Ô · cells: {} = {} công bố · published + {} nhạy cảm · primary + {} bảo vệ · secondary ({} % ẩn · suppressed)",
        r.cells, r.published, r.primary, r.secondary, r.suppressed_percent
    )?;
    writeln!(out, "Giá trị bảo vệ · secondary value: {} %", r.secondary_value_percent)?;
    if let Some(quality) = &r.quality {
        let proof = match (quality.optimal, quality.gap_percent) {
            (true, _) => "tối ưu · optimal".to_owned(),
            (false, Some(gap)) => format!("cách tối ưu nhiều nhất · gap at most {gap} %"),
            (false, None) => "không có cận · no bound (large table)".to_owned(),
        };
        writeln!(out, "Mục tiêu · minimised: {} — {proof}", quality.minimised)?;
    }
    writeln!(out, "Kiểm chứng · witnesses checked: {}; {} s", r.witnesses, r.elapsed_seconds)?;
    if r.withheld_before > 0 {
        writeln!(out, "Đã ẩn từ trước · withheld before: {}", r.withheld_before)?;
    }
    if !r.narrowed_before.is_empty() {
        let count = r.narrowed_before.len();
        writeln!(out, "Đã bị thu hẹp bởi bản trước · narrowed by earlier releases: {count}")?;
        for cell in r.narrowed_before.iter().take(MOST_CELLS) {
            writeln!(out, "  {cell}")?;
        }
    }
    if !r.already_out.is_empty() {
        let count = r.already_out.len();
        writeln!(out, "Nhạy cảm nhưng đã công bố · sensitive, already out: {count}")?;
        for cell in r.already_out.iter().take(MOST_CELLS) {
            writeln!(out, "  {cell}")?;
        }
    }
    if !passed {
        write_refusal(out, r)?;
    }
    Ok(())
}

fn write_refusal(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.past_leaks {
        writeln!(
            out,
            "Những gì đã công bố tự nó đã lộ; không bản mới nào sửa được.\n\
             What is already out leaks by itself; no new release can repair it."
        )?;
    }
    let exposed: Vec<_> = r.findings.iter().filter(|finding| !finding.protected).collect();
    writeln!(out, "Ô có thể bị suy ra · cells that could be found out: {}", exposed.len())?;
    for finding in exposed.iter().take(MOST_CELLS) {
        let how = match (finding.recoverable, finding.insider) {
            (true, _) => "chính xác · exactly",
            (false, true) => "bởi người trong cuộc · by an insider",
            (false, false) => "quá hẹp · too narrow",
        };
        writeln!(out, "  {}: [{}, {}] {how}", finding.cell, finding.low, finding.high)?;
    }
    if exposed.len() > MOST_CELLS {
        writeln!(out, "  … {} more (--json has all)", exposed.len() - MOST_CELLS)?;
    }
    match &r.coarsening {
        Some(coarsening) => {
            let steps: Vec<_> = coarsening
                .steps
                .iter()
                .map(|step| match step.from_depth {
                    1 => format!("{}: chỉ tổng số · only the total", step.dimension),
                    depth => format!(
                        "{}: bỏ từ cấp {depth} · leave out level {depth} and below",
                        step.dimension
                    ),
                })
                .collect();
            writeln!(
                out,
                "Cách gộp nhỏ nhất sẽ đạt · smallest coarsening that would pass: {} (−{} ô · cells)",
                steps.join("; "),
                coarsening.cells_lost
            )
        }
        None if r.past_leaks => Ok(()),
        None => writeln!(out, "Không tìm được cách gộp · no coarsening found that would pass"),
    }
}
