/* toml
title = { vi = "Tỷ suất phát hiện mới nhiễm HIV", en = "New HIV diagnoses per 100,000 people" }
description = { vi = "Người nhiễm HIV mới phát hiện trong năm chia cho dân số trung bình, 2011–2016.", en = "New HIV diagnoses in the year over the average population, 2011–2016." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Thông tư 23/2025/TT-BYT; Luật Thống kê 89/2015/QH13; Luật Phòng, chống HIV/AIDS 64/2006/QH11"
caveats = [
    { vi = "Năm 2012 nguồn có thêm 20 ca không rõ tỉnh (dòng Unidentified, cột bị lệch): không nằm trong tỉnh nào.", en = "In 2012 the source has 20 more cases of unknown province (the shifted Unidentified row): they are in no province." },
    { vi = "Số phát hiện phụ thuộc mức xét nghiệm, không phải số mới nhiễm.", en = "Diagnoses depend on testing; they are not new infections." },
]

[indicator]
unit = { vi = "người/100.000 dân", en = "persons per 100,000 people" }
numerator = { vi = "Người nhiễm HIV mới phát hiện trong năm", en = "New HIV diagnoses in the year" }
denominator = { vi = "Dân số trung bình của năm", en = "Average population of the year" }
factor = 100000
period = "year"
higher_is_better = false
digits = 1
*/
SELECT
    y.don_vi,
    make_date(CAST(y.nam AS INT), 1, 1) AS ky,
    y.hiv_moi AS tu_so,
    p.dan_so AS mau_so
FROM kho.y_te_tinh_nam AS y
JOIN kho.dan_so_trung_binh AS p ON p.don_vi = y.don_vi AND p.nam = y.nam
WHERE y.hiv_moi IS NOT NULL
