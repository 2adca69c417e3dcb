/* toml
title = { vi = "Nhân lực y tế theo tỉnh và chức danh", en = "Health workforce by province and profession" }
description = { vi = "Số nhân viên y tế theo nơi làm việc. Đếm theo mã nhân viên: người làm ở hai cơ sở được đếm hai lần.", en = "Health workers by workplace, counted by staff number: someone who works in two facilities counts twice." }
grain = { vi = "Một ngày báo cáo, một tỉnh, một chức danh", en = "One report date, province and profession" }
owner = { vi = "Vụ Tổ chức cán bộ", en = "Department of Personnel" }
groups = [20]
sensitivity = "internal"
source = { vi = "Hệ thống quản lý nhân lực ngành y tế", en = "Health workforce system" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.20, 15.2"
caveats = [
    { vi = "Số của nhóm dưới 5 người bị ẩn, kể cả khi những người còn lại của dòng dưới 5 người hoặc không còn ai: xem ghi_chu_an.", en = "Figures of fewer than 5 persons are hidden, also where the others of a row are fewer than 5 or nobody: see ghi_chu_an." },
]

[smallest_group]
persons = "so_nguoi"
at_least = 5
by = ["ngay_bao_cao", "don_vi", "chuc_danh"]

[[smallest_group.part]]
persons = "so_nu"

[[smallest_group.part]]
persons = "so_co_chung_chi"

[[column]]
name = "ngay_bao_cao"
label = { vi = "Ngày báo cáo", en = "Report date" }

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "chuc_danh"
label = { vi = "Chức danh nghề nghiệp", en = "Profession" }

[[column]]
name = "so_nguoi"
label = { vi = "Số nhân viên", en = "Workers" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_nu"
label = { vi = "Trong đó nữ", en = "Of which female" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_co_chung_chi"
label = { vi = "Có chứng chỉ hành nghề", en = "With a practice certificate" }
unit = { vi = "người", en = "persons" }
*/
SELECT
    ngay_bao_cao,
    don_vi,
    chuc_danh,
    count(DISTINCT ma_nv) AS so_nguoi,
    count(DISTINCT CASE WHEN gioi_tinh = '2' THEN ma_nv END) AS so_nu,
    count(DISTINCT CASE WHEN so_cchn IS NOT NULL THEN ma_nv END) AS so_co_chung_chi
FROM nguon.nhan_luc_nhan_vien
GROUP BY ngay_bao_cao, don_vi, chuc_danh
