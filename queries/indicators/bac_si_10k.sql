/* toml
title = { vi = "Số bác sĩ trên 10.000 dân", en = "Doctors per 10,000 people" }
description = { vi = "Bác sĩ chia cho dân số trung bình cùng năm.", en = "Doctors over the average population of the same year." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Vụ Kế hoạch - Tài chính", en = "Department of Planning and Finance" }
groups = [20]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Thông tư 23/2025/TT-BYT; Luật Thống kê 89/2015/QH13"
caveats = [
    { vi = "Chỉ cơ sở do sở y tế quản lý (không gồm tuyến trung ương, ngành khác, phần lớn tư nhân): thấp hơn số của niên giám Bộ Y tế.", en = "Establishments of provincial health departments only (no central, other-sector and most private ones): below the ministry yearbook." },
    { vi = "Năm 2008 đọc theo danh sách ngày 31/12/2008 (Hà Nội đã gồm Hà Tây).", en = "2008 is read with the list of 31 December 2008 (Ha Noi includes Ha Tay)." },
]

[indicator]
unit = { vi = "bác sĩ/10.000 dân", en = "doctors per 10,000 people" }
numerator = { vi = "Bác sĩ", en = "Doctors" }
denominator = { vi = "Dân số trung bình của năm", en = "Average population of the year" }
factor = 10000
period = "year"
higher_is_better = true
digits = 1
*/
SELECT
    y.don_vi,
    make_date(CAST(y.nam AS INT), 1, 1) AS ky,
    y.bac_si AS tu_so,
    p.dan_so AS mau_so
FROM kho.y_te_tinh_nam AS y
JOIN kho.dan_so_trung_binh AS p ON p.don_vi = y.don_vi AND p.nam = y.nam
WHERE y.bac_si IS NOT NULL
