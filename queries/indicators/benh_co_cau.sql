/* toml
title = { vi = "Cơ cấu ca bệnh truyền nhiễm theo bệnh", en = "Share of notifiable cases by disease" }
description = { vi = "Phần của mỗi bệnh trong tổng số ca mắc các bệnh truyền nhiễm báo cáo của tỉnh trong năm.", en = "Share of each disease in all notifiable cases of the province in the year." }
grain = { vi = "Một tỉnh, một năm, một bệnh", en = "One province, year and disease" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Luật Phòng, chống bệnh truyền nhiễm 03/2007/QH12; Thông tư 23/2025/TT-BYT, biểu 11"
caveats = [
    { vi = "Tử số có ô 1–4 ca: dùng nội bộ, không công bố từng ô.", en = "Numerators include cells of 1–4 cases: internal, not for publication cell by cell." },
    { vi = "Bệnh dại: số ca là số chết; người tiêm phòng sau phơi nhiễm không tính là ca.", en = "Rabies: cases are the deaths; people vaccinated after exposure are not cases." },
    { vi = "Hội chứng cúm và tiêu chảy chiếm phần lớn: cơ cấu nói về báo cáo hơn là gánh nặng bệnh.", en = "Influenza-like illness and diarrhoea dominate: the shares speak of reporting more than of burden." },
]

[indicator]
unit = { vi = "%", en = "%" }
numerator = { vi = "Số mắc của bệnh trong năm", en = "Cases of the disease in the year" }
denominator = { vi = "Tổng số mắc của 28 bệnh trong năm", en = "Cases of all 28 diseases in the year" }
factor = 100
period = "year"
breakdown = { vi = "Bệnh", en = "Disease" }
digits = 1
*/
WITH theo_benh AS (
    SELECT
        don_vi,
        CAST(date_trunc('year', thang) AS DATE) AS ky,
        ten_benh,
        sum(so_mac) AS so_mac
    FROM kho.benh_truyen_nhiem_thang
    GROUP BY don_vi, date_trunc('year', thang), ten_benh
)
SELECT
    don_vi,
    ky,
    ten_benh AS phan_to,
    so_mac AS tu_so,
    sum(so_mac) OVER (PARTITION BY don_vi, ky) AS mau_so
FROM theo_benh
