/* toml
title = { vi = "Cơ cấu bệnh tật bảo hiểm y tế theo chương ICD-10", en = "Insured morbidity by ICD-10 chapter" }
description = { vi = "Lượt khám theo chương của bệnh chính, theo mẫu cơ cấu bệnh tật của Thông tư 23/2025/TT-BYT (chỉ người có thẻ).", en = "Visits by chapter of the principal diagnosis, after the morbidity form of Circular 23/2025/TT-BYT (insured only)." }
grain = { vi = "Một tỉnh, một tháng, một chương", en = "One province, month and chapter" }
owner = { vi = "Vụ Bảo hiểm y tế", en = "Department of Health Insurance" }
groups = [13, 3]
sensitivity = "internal"
source = { vi = "Hồ sơ thanh toán bảo hiểm y tế (XML1)", en = "Insurance claims (XML1)" }
legal_basis = "Thông tư 23/2025/TT-BYT; Quyết định 4469/QĐ-BYT"
partition = "thang"
caveats = [
    { vi = "Danh mục ICD-10 dùng đến 30/6/2026; mã của danh mục mới rơi vào dòng ?.", en = "The ICD-10 list ends on 30 June 2026; codes of the new list fall into the row ?." },
]

[[column]]
name = "thang"
label = { vi = "Tháng ra", en = "Month of discharge" }

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "chuong"
label = { vi = "Chương ICD-10", en = "ICD-10 chapter" }

[[column]]
name = "ten_chuong"
label = { vi = "Tên chương", en = "Chapter" }

[[column]]
name = "so_luot"
label = { vi = "Số lượt", en = "Visits" }
unit = { vi = "lượt", en = "visits" }

[[column]]
name = "so_luot_noi_tru"
label = { vi = "Trong đó nội trú", en = "Of which inpatient" }
unit = { vi = "lượt", en = "visits" }

[[column]]
name = "t_tongchi_bv"
label = { vi = "Tổng chi phí", en = "Total cost" }
unit = { vi = "đồng", en = "VND" }
*/
SELECT
    h.thang_ra AS thang,
    h.don_vi,
    coalesce(i.chuong, '?') AS chuong,
    coalesce(c.ten, 'Mã không có trong danh mục') AS ten_chuong,
    count(*) AS so_luot,
    count(CASE WHEN h.ma_loai_kcb = '03' THEN 1 END) AS so_luot_noi_tru,
    CAST(sum(h.t_tongchi_bv) AS DECIMAL(24, 2)) AS t_tongchi_bv
FROM nguon.bhyt_ho_so AS h
LEFT JOIN danh_muc.icd10 AS i ON replace(i.ma, '.', '') = replace(h.ma_benh_chinh, '.', '')
LEFT JOIN danh_muc.icd10_chuong AS c ON c.chuong = i.chuong
GROUP BY h.thang_ra, h.don_vi, coalesce(i.chuong, '?'), coalesce(c.ten, 'Mã không có trong danh mục')
