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
    { vi = "Tỉnh theo hai số đầu của mã cơ sở (danh sách 63), chuyển sang ranh giới của tháng ra.", en = "The province is that of the first two digits of the facility's code (list of 63), on the boundaries of the month of discharge." },
    { vi = "Danh mục ICD-10 dùng đến 30/6/2026; mã của danh mục mới rơi vào dòng ?.", en = "The ICD-10 list ends on 30 June 2026; codes of the new list fall into the row ?." },
    { vi = "Số của dòng dưới 5 người bị ẩn, cùng một dòng nữa để không tính ngược được từ tổng: xem ghi_chu_an. Người không có số định danh không được đếm vào số người.", en = "Figures of rows of fewer than 5 persons are hidden, and one row more so that the total does not give them away: see ghi_chu_an. People without an identification number are not counted as persons." },
    { vi = "Tổng số lượt nội trú của một tỉnh, một tháng không cộng được từ đây: nó là một dòng của kho.luot_kham_thang.", en = "The inpatient visits of a province and month cannot be added up here: they are a row of kho.luot_kham_thang." },
]

[smallest_group]
persons = "so_nguoi"
at_least = 5
by = ["thang", "don_vi", "chuong", "ten_chuong"]
total_over = ["chuong", "ten_chuong"]

[[smallest_group.part]]
persons = "so_nguoi_noi_tru"
others = "so_nguoi_ngoai_tru"
measures = ["so_luot_noi_tru"]
total_is_elsewhere = true

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
name = "so_nguoi"
label = { vi = "Số người khác nhau", en = "Different people" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_nguoi_noi_tru"
label = { vi = "Số người có lượt nội trú", en = "People with inpatient visits" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_nguoi_ngoai_tru"
label = { vi = "Số người có lượt không nội trú", en = "People with other visits" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "t_tongchi_bv"
label = { vi = "Tổng chi phí", en = "Total cost" }
unit = { vi = "đồng", en = "VND" }
*/
SELECT
    h.thang_ra AS thang,
    don_vi_tai(don_vi(substr(h.ma_cskcb, 1, 2), DATE '2025-06-30'), h.thang_ra) AS don_vi,
    coalesce(i.chuong, '?') AS chuong,
    coalesce(c.ten, 'Mã không có trong danh mục') AS ten_chuong,
    count(*) AS so_luot,
    count(CASE WHEN h.ma_loai_kcb = '03' THEN 1 END) AS so_luot_noi_tru,
    count(DISTINCT h.so_cccd) AS so_nguoi,
    count(DISTINCT CASE WHEN h.ma_loai_kcb = '03' THEN h.so_cccd END) AS so_nguoi_noi_tru,
    count(DISTINCT CASE WHEN h.ma_loai_kcb <> '03' THEN h.so_cccd END) AS so_nguoi_ngoai_tru,
    CAST(sum(h.t_tongchi_bv) AS DECIMAL(24, 2)) AS t_tongchi_bv
FROM nguon.bhyt_ho_so AS h
LEFT JOIN danh_muc.icd10 AS i ON replace(i.ma, '.', '') = replace(h.ma_benh_chinh, '.', '')
LEFT JOIN danh_muc.icd10_chuong AS c ON c.chuong = i.chuong
GROUP BY
    h.thang_ra,
    don_vi_tai(don_vi(substr(h.ma_cskcb, 1, 2), DATE '2025-06-30'), h.thang_ra),
    coalesce(i.chuong, '?'),
    coalesce(c.ten, 'Mã không có trong danh mục')
