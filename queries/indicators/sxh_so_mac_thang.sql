/* toml
title = { vi = "Số ca sốt xuất huyết Dengue theo tháng", en = "Dengue cases by month" }
description = { vi = "Số ca sốt xuất huyết Dengue báo cáo trong tháng, 2011–2017.", en = "Dengue cases reported in the month, 2011–2017." }
grain = { vi = "Một tỉnh, một tháng", en = "One province and month" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Luật Phòng, chống bệnh truyền nhiễm 03/2007/QH12; Thông tư 23/2025/TT-BYT, biểu 11"
caveats = [
    { vi = "Tử số có ô 1–4 ca: dùng nội bộ, không công bố từng ô.", en = "Numerators include cells of 1–4 cases: internal, not for publication cell by cell." },
]

[indicator]
unit = { vi = "ca", en = "cases" }
numerator = { vi = "Số mắc sốt xuất huyết Dengue trong tháng", en = "Dengue cases in the month" }
factor = 1
period = "month"
higher_is_better = false
digits = 0
*/
SELECT don_vi, thang AS ky, so_mac AS tu_so
FROM kho.benh_truyen_nhiem_thang
WHERE benh = 'dengue'
