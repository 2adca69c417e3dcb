/* toml
title = { vi = "Tỷ suất chết thô", en = "Crude death rate" }
description = { vi = "Tỷ suất công bố theo tỉnh; khi gộp tỉnh, bình quân theo dân số.", en = "The published rate by province; merged provinces are averaged by population." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Cục Dân số", en = "Population Authority" }
groups = [11]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Thông tư 23/2025/TT-BYT; Luật Thống kê 89/2015/QH13"
caveats = [
    { vi = "Tử số là tỷ suất công bố × dân số trung bình, để cộng được khi đổi ranh giới.", en = "The numerator is the published rate × average population, so that it can be summed on other boundaries." },
    { vi = "Không có năm 2006.", en = "There is no 2006." },
    { vi = "Năm 2008 đọc theo danh sách ngày 31/12/2008 (Hà Nội đã gồm Hà Tây).", en = "2008 is read with the list of 31 December 2008 (Ha Noi includes Ha Tay)." },
]

[indicator]
unit = { vi = "‰ dân số", en = "per 1,000 people" }
numerator = { vi = "Số người chết, ước lượng", en = "Deaths, derived" }
denominator = { vi = "Dân số trung bình của năm", en = "Average population of the year" }
factor = 1000
period = "year"
digits = 1
*/
SELECT
    y.don_vi,
    make_date(CAST(y.nam AS INT), 1, 1) AS ky,
    round(CAST(y.ty_suat_chet_tho AS DOUBLE) * CAST(p.dan_so AS DOUBLE) / 1000, 4) AS tu_so,
    p.dan_so AS mau_so
FROM kho.y_te_tinh_nam AS y
JOIN kho.dan_so_trung_binh AS p ON p.don_vi = y.don_vi AND p.nam = y.nam
WHERE y.ty_suat_chet_tho IS NOT NULL
