/* toml
title = { vi = "Tỷ lệ chết trên mắc", en = "Case fatality" }
description = { vi = "Số chết chia cho số mắc của cùng bệnh, cùng năm. Không tính bệnh dại, và bệnh không có ca nào trong năm.", en = "Deaths over cases of the same disease and year. Without rabies, and without diseases that had no case in the year." }
grain = { vi = "Một tỉnh, một năm, một bệnh", en = "One province, year and disease" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Thông tư 23/2025/TT-BYT; công thức do kho dữ liệu đề xuất"
caveats = [
    { vi = "Tử số có ô 1–4 ca: dùng nội bộ, không công bố từng ô.", en = "Numerators include cells of 1–4 cases: internal, not for publication cell by cell." },
    { vi = "Số mắc 0 để mẫu số 0: không có tỷ lệ. Số chết trong năm có thể là ca mắc từ năm trước.", en = "With no cases the denominator is 0 and there is no rate. Deaths may belong to cases of the year before." },
]

[indicator]
unit = { vi = "%", en = "%" }
numerator = { vi = "Số chết vì bệnh trong năm", en = "Deaths from the disease in the year" }
denominator = { vi = "Số mắc bệnh đó trong năm", en = "Cases of the disease in the year" }
factor = 100
period = "year"
breakdown = { vi = "Bệnh", en = "Disease" }
higher_is_better = false
digits = 2
*/
SELECT
    don_vi,
    CAST(date_trunc('year', thang) AS DATE) AS ky,
    ten_benh AS phan_to,
    sum(so_chet) AS tu_so,
    sum(so_mac) AS mau_so
FROM kho.benh_truyen_nhiem_thang
WHERE benh <> 'rabies'
GROUP BY don_vi, date_trunc('year', thang), ten_benh
