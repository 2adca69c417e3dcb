/* toml
title = { vi = "Tỷ suất chết trẻ dưới 5 tuổi", en = "Under-five mortality rate" }
description = { vi = "Tỷ suất công bố theo tỉnh; khi gộp tỉnh, bình quân theo số trẻ sinh ra.", en = "The published rate by province; merged provinces are averaged by births." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Vụ Kế hoạch - Tài chính", en = "Department of Planning and Finance" }
groups = [12]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Thông tư 23/2025/TT-BYT; Luật Thống kê 89/2015/QH13"
caveats = [
    { vi = "Tử số và mẫu số là ước lượng từ tỷ lệ công bố, để cộng được khi đổi ranh giới: số sinh = tỷ suất sinh thô × dân số trung bình; tử số = tỷ lệ công bố × số sinh. Giá trị của tỉnh gốc đúng bằng số công bố.", en = "Numerator and denominator are derived from published rates so that they can be summed on other boundaries: births = crude birth rate × average population; numerator = published rate × births. The value of an original province equals the published one." },
    { vi = "Có 2010 và 2012–2016.", en = "2010 and 2012–2016." },
    { vi = "Năm 2008 đọc theo danh sách ngày 31/12/2008 (Hà Nội đã gồm Hà Tây).", en = "2008 is read with the list of 31 December 2008 (Ha Noi includes Ha Tay)." },
]

[indicator]
unit = { vi = "‰ trẻ sinh sống", en = "per 1,000 live births" }
numerator = { vi = "Trẻ chết dưới 5 tuổi, ước lượng", en = "Under-five deaths, derived" }
denominator = { vi = "Số trẻ sinh sống ước lượng", en = "Live births, derived" }
factor = 1000
period = "year"
higher_is_better = false
digits = 1
*/
WITH sinh AS (
    SELECT
        y.don_vi,
        y.nam,
        CAST(y.ty_suat_chet_duoi_5_tuoi AS DOUBLE) AS ty_le,
        CAST(y.ty_suat_sinh_tho AS DOUBLE) * CAST(p.dan_so AS DOUBLE) / 1000 AS so_sinh
    FROM kho.y_te_tinh_nam AS y
    JOIN kho.dan_so_trung_binh AS p ON p.don_vi = y.don_vi AND p.nam = y.nam
    WHERE y.ty_suat_chet_duoi_5_tuoi IS NOT NULL AND y.ty_suat_sinh_tho IS NOT NULL
)
SELECT
    don_vi,
    make_date(CAST(nam AS INT), 1, 1) AS ky,
    round(ty_le * so_sinh / 1000, 4) AS tu_so,
    round(so_sinh, 4) AS mau_so
FROM sinh
