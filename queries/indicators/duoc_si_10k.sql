/* toml
title = { vi = "Số dược sĩ đại học trên 10.000 dân", en = "University pharmacists per 10,000 people" }
description = { vi = "Dược sĩ đại học trở lên chia cho dân số trung bình cùng năm.", en = "Pharmacists with a university degree over the average population of the same year." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Vụ Kế hoạch - Tài chính", en = "Department of Planning and Finance" }
groups = [20]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Thông tư 23/2025/TT-BYT; Luật Thống kê 89/2015/QH13"
caveats = [
    { vi = "Chỉ cơ sở do sở y tế quản lý (không gồm tuyến trung ương, ngành khác, phần lớn tư nhân): thấp hơn số của niên giám Bộ Y tế.", en = "Establishments of provincial health departments only (no central, other-sector and most private ones): below the ministry yearbook." },
    { vi = "Không có năm 2012: nguồn đổi phạm vi năm đó (dấu **).", en = "There is no 2012: the source changed the scope in that year (marked **)." },
    { vi = "Năm 2008 đọc theo danh sách ngày 31/12/2008 (Hà Nội đã gồm Hà Tây).", en = "2008 is read with the list of 31 December 2008 (Ha Noi includes Ha Tay)." },
]

[indicator]
unit = { vi = "dược sĩ/10.000 dân", en = "pharmacists per 10,000 people" }
numerator = { vi = "Dược sĩ đại học trở lên", en = "Pharmacists with a university degree" }
denominator = { vi = "Dân số trung bình của năm", en = "Average population of the year" }
factor = 10000
period = "year"
higher_is_better = true
digits = 2
*/
SELECT
    y.don_vi,
    make_date(CAST(y.nam AS INT), 1, 1) AS ky,
    y.duoc_si_dai_hoc AS tu_so,
    p.dan_so AS mau_so
FROM kho.y_te_tinh_nam AS y
JOIN kho.dan_so_trung_binh AS p ON p.don_vi = y.don_vi AND p.nam = y.nam
WHERE y.duoc_si_dai_hoc IS NOT NULL
