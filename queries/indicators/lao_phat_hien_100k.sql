/* toml
title = { vi = "Tỷ suất phát hiện bệnh nhân lao", en = "Tuberculosis notification rate" }
description = { vi = "Bệnh nhân lao mọi loại phát hiện trong bốn quý của năm chia cho dân số trung bình.", en = "TB patients of all types notified in the four quarters of the year over the average population." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "open"
source = { vi = "Chương trình Chống lao Quốc gia; dân số trung bình của Tổng cục Thống kê", en = "National TB Programme; average population of the General Statistics Office" }
legal_basis = "Thông tư 23/2025/TT-BYT"
caveats = [
    { vi = "Cả nước ở đây không gồm Bệnh viện Phổi Trung ương.", en = "The country here is without the national TB hospital." },
    { vi = "Cộng cả tái phát, thất bại, điều trị lại: rộng hơn định nghĩa \"mới và tái phát\" của WHO.", en = "All retreatment types are included: wider than the WHO \"new and relapse\"." },
    { vi = "Tính theo năm; số theo quý là chỉ tiêu khác, chưa mở.", en = "By year; the quarterly counts are another indicator, which is not open." },
]

[indicator]
unit = { vi = "bệnh nhân/100.000 dân", en = "patients per 100,000 people" }
numerator = { vi = "Bệnh nhân lao mọi loại phát hiện trong năm", en = "TB patients of all types notified in the year" }
denominator = { vi = "Dân số trung bình của năm", en = "Average population of the year" }
factor = 100000
period = "year"
digits = 1
*/
SELECT
    l.don_vi,
    make_date(CAST(p.nam AS INT), 1, 1) AS ky,
    sum(l.so_benh_nhan) AS tu_so,
    max(p.dan_so) AS mau_so
FROM kho.lao_quy AS l
JOIN kho.dan_so_trung_binh AS p
    ON p.don_vi = l.don_vi AND p.nam = CAST(date_part('year', l.quy) AS BIGINT)
GROUP BY l.don_vi, p.nam
