/* toml
title = { vi = "Tỷ suất mắc tay chân miệng", en = "Hand, foot and mouth disease incidence" }
description = { vi = "Số ca tay chân miệng báo cáo trong năm chia cho dân số trung bình cùng năm.", en = "Reported Hand, foot and mouth disease cases of the year over the average population of the same year." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Luật Phòng, chống bệnh truyền nhiễm 03/2007/QH12; Thông tư 23/2025/TT-BYT, biểu 11"
caveats = [
    { vi = "Chỉ tính đến năm có dân số trung bình (2016): 2017 có số mắc nhưng chưa có mẫu số trong kho.", en = "Only for years with an average population (to 2016): 2017 has cases but no denominator here." },
    { vi = "Tử số có ô 1–4 ca: dùng nội bộ, không công bố từng ô.", en = "Numerators include cells of 1–4 cases: internal, not for publication cell by cell." },
    { vi = "Ca báo cáo, không phải mọi ca mắc: khác nhau giữa các tỉnh có thể do cách phát hiện.", en = "Reported cases, not all cases: provinces may differ in how they look for them." },
]

[indicator]
unit = { vi = "ca/100.000 dân", en = "cases per 100,000 people" }
numerator = { vi = "Số mắc tay chân miệng trong năm", en = "Hand, foot and mouth disease cases in the year" }
denominator = { vi = "Dân số trung bình của năm", en = "Average population of the year" }
factor = 100000
period = "year"
higher_is_better = false
digits = 1
*/
SELECT
    b.don_vi,
    make_date(CAST(p.nam AS INT), 1, 1) AS ky,
    sum(b.so_mac) AS tu_so,
    max(p.dan_so) AS mau_so
FROM kho.benh_truyen_nhiem_thang AS b
JOIN kho.dan_so_trung_binh AS p
    ON p.don_vi = b.don_vi AND p.nam = CAST(date_part('year', b.thang) AS BIGINT)
WHERE b.benh = 'hfmd'
GROUP BY b.don_vi, p.nam
