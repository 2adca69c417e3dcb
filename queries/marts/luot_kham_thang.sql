/* toml
title = { vi = "Lượt khám chữa bệnh bảo hiểm y tế theo tháng", en = "Insured visits by month" }
description = { vi = "Lượt, ngày điều trị và chi phí theo tỉnh của cơ sở, tháng ra và loại hình. Không còn dòng của từng người.", en = "Visits, days and cost by province of the facility, month of discharge and type of care. No rows about single people." }
grain = { vi = "Một tỉnh, một tháng, một loại hình", en = "One province, month and type of care" }
owner = { vi = "Vụ Bảo hiểm y tế", en = "Department of Health Insurance" }
groups = [13, 3, 18]
sensitivity = "internal"
source = { vi = "Hồ sơ thanh toán bảo hiểm y tế (XML1)", en = "Insurance claims (XML1)" }
legal_basis = "Quyết định 130/QĐ-BYT, 4750/QĐ-BYT, 3176/QĐ-BYT; Nghị định 102/2025/NĐ-CP, Điều 5.13"
partition = "thang"
caveats = [
    { vi = "Tỉnh theo hai số đầu của mã cơ sở (danh sách 63), chuyển sang ranh giới của tháng ra.", en = "The province is that of the first two digits of the facility's code (list of 63), on the boundaries of the month of discharge." },
    { vi = "Số người cộng qua các tháng hoặc tỉnh sẽ đếm trùng.", en = "Adding so_nguoi over months or provinces counts people twice." },
    { vi = "Một đợt bệnh chuyển viện tính ở từng cơ sở.", en = "An episode with a referral counts at each facility." },
    { vi = "Số của dòng dưới 5 người bị ẩn, cùng một dòng nữa để không tính ngược được từ tổng: xem ghi_chu_an. Người không có số định danh không được đếm vào số người.", en = "Figures of rows of fewer than 5 persons are hidden, and one row more so that the total does not give them away: see ghi_chu_an. People without an identification number are not counted as persons." },
]

[smallest_group]
persons = "so_nguoi"
at_least = 5
by = ["thang", "don_vi", "ma_loai_kcb"]
total_over = ["ma_loai_kcb"]

[[smallest_group.part]]
persons = "so_tu_vong"

[[column]]
name = "thang"
label = { vi = "Tháng ra", en = "Month of discharge" }

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "ma_loai_kcb"
label = { vi = "Mã loại hình khám chữa bệnh", en = "Type of care" }

[[column]]
name = "so_luot"
label = { vi = "Số lượt", en = "Visits" }
unit = { vi = "lượt", en = "visits" }

[[column]]
name = "so_nguoi"
label = { vi = "Số người khác nhau", en = "Different people" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_ngay_dtri"
label = { vi = "Số ngày điều trị", en = "Days of treatment" }
unit = { vi = "ngày", en = "days" }

[[column]]
name = "so_tu_vong"
label = { vi = "Số tử vong tại cơ sở", en = "Deaths in the facility" }
unit = { vi = "ca tử vong", en = "deaths" }

[[column]]
name = "t_tongchi_bv"
label = { vi = "Tổng chi phí", en = "Total cost" }
unit = { vi = "đồng", en = "VND" }

[[column]]
name = "t_tongchi_bh"
label = { vi = "Chi phí trong phạm vi bảo hiểm", en = "Cost within insurance scope" }
unit = { vi = "đồng", en = "VND" }

[[column]]
name = "t_bhtt"
label = { vi = "Quỹ bảo hiểm y tế chi trả", en = "Insurance fund pays" }
unit = { vi = "đồng", en = "VND" }

[[column]]
name = "t_bncct"
label = { vi = "Người bệnh cùng chi trả", en = "Patient co-payment" }
unit = { vi = "đồng", en = "VND" }

[[column]]
name = "t_bntt"
label = { vi = "Người bệnh tự trả", en = "Patient pays outside scope" }
unit = { vi = "đồng", en = "VND" }

[[check]]
name = "so_nguoi_khong_qua_luot"
title = { vi = "Số người không vượt số lượt", en = "People are at most visits" }
row = "so_nguoi <= so_luot"
action = "refuse"
*/
SELECT
    thang_ra AS thang,
    don_vi_tai(don_vi(substr(ma_cskcb, 1, 2), DATE '2025-06-30'), thang_ra) AS don_vi,
    ma_loai_kcb,
    count(*) AS so_luot,
    count(DISTINCT so_cccd) AS so_nguoi,
    CAST(sum(so_ngay_dtri) AS BIGINT) AS so_ngay_dtri,
    count(CASE WHEN ket_qua_dtri = '5' THEN 1 END) AS so_tu_vong,
    CAST(sum(t_tongchi_bv) AS DECIMAL(24, 2)) AS t_tongchi_bv,
    CAST(sum(t_tongchi_bh) AS DECIMAL(24, 2)) AS t_tongchi_bh,
    CAST(sum(t_bhtt) AS DECIMAL(24, 2)) AS t_bhtt,
    CAST(sum(t_bncct) AS DECIMAL(24, 2)) AS t_bncct,
    CAST(sum(t_bntt) AS DECIMAL(24, 2)) AS t_bntt
FROM nguon.bhyt_ho_so
GROUP BY
    thang_ra,
    don_vi_tai(don_vi(substr(ma_cskcb, 1, 2), DATE '2025-06-30'), thang_ra),
    ma_loai_kcb
