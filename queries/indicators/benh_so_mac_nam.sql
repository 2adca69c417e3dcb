/* toml
title = { vi = "Số ca mắc bệnh truyền nhiễm theo năm", en = "Notifiable disease cases by year" }
description = { vi = "Số ca mắc trong năm của từng bệnh truyền nhiễm báo cáo, 2011–2017.", en = "Cases of each notifiable disease in the year, 2011–2017." }
grain = { vi = "Một tỉnh, một năm, một bệnh", en = "One province, year and disease" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Luật Phòng, chống bệnh truyền nhiễm 03/2007/QH12; Thông tư 23/2025/TT-BYT, biểu 11"
caveats = [
    { vi = "Tử số có ô 1–4 ca: dùng nội bộ, không công bố từng ô.", en = "Numerators include cells of 1–4 cases: internal, not for publication cell by cell." },
    { vi = "Bệnh dại: số ca là số chết; người tiêm phòng sau phơi nhiễm không tính là ca.", en = "Rabies: cases are the deaths; people vaccinated after exposure are not cases." },
]

[indicator]
unit = { vi = "ca", en = "cases" }
numerator = { vi = "Số mắc của bệnh trong năm", en = "Cases of the disease in the year" }
factor = 1
period = "year"
breakdown = { vi = "Bệnh", en = "Disease" }
higher_is_better = false
digits = 0
*/
SELECT
    don_vi,
    CAST(date_trunc('year', thang) AS DATE) AS ky,
    ten_benh AS phan_to,
    sum(so_mac) AS tu_so
FROM kho.benh_truyen_nhiem_thang
GROUP BY don_vi, date_trunc('year', thang), ten_benh
