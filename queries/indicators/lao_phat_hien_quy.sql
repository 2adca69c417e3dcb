/* toml
title = { vi = "Số bệnh nhân lao phát hiện theo quý", en = "TB patients notified by quarter" }
description = { vi = "Số bệnh nhân lao phát hiện trong quý theo loại, 2010–2015.", en = "TB patients notified in the quarter by type, 2010–2015." }
grain = { vi = "Một tỉnh, một quý, một loại", en = "One province, quarter and type" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Chương trình Chống lao Quốc gia", en = "National TB Programme" }
legal_basis = "Thông tư 23/2025/TT-BYT"
caveats = [
    { vi = "Tử số có ô 1–4 ca: dùng nội bộ, không công bố từng ô.", en = "Numerators include cells of 1–4 cases: internal, not for publication cell by cell." },
]

[indicator]
unit = { vi = "bệnh nhân", en = "patients" }
numerator = { vi = "Bệnh nhân lao của loại đó phát hiện trong quý", en = "TB patients of the type notified in the quarter" }
factor = 1
period = "quarter"
breakdown = { vi = "Loại bệnh nhân lao", en = "Type of TB patient" }
digits = 0
*/
SELECT don_vi, quy AS ky, loai AS phan_to, so_benh_nhan AS tu_so
FROM kho.lao_quy
