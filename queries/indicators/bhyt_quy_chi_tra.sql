/* toml
title = { vi = "Tỷ lệ quỹ bảo hiểm y tế chi trả", en = "Insurer share of cost" }
description = { vi = "T_BHTT chia cho T_TONGCHI_BV của mọi lượt ra viện trong tháng.", en = "T_BHTT over T_TONGCHI_BV of all visits that ended in the month." }
grain = { vi = "Một tỉnh, một tháng", en = "One province and month" }
owner = { vi = "Vụ Bảo hiểm y tế", en = "Department of Health Insurance" }
groups = [13, 18]
sensitivity = "internal"
source = { vi = "Hồ sơ thanh toán bảo hiểm y tế (XML1)", en = "Insurance claims (XML1)" }
legal_basis = "Quyết định 3176/QĐ-BYT; công thức do kho dữ liệu đề xuất"
caveats = [
    { vi = "Tỉnh theo hai số đầu của mã cơ sở (danh sách 63), chuyển sang ranh giới của tháng ra.", en = "The province is that of the first two digits of the facility's code (list of 63), on the boundaries of the month of discharge." },
    { vi = "Số đề nghị của cơ sở, trước giám định.", en = "As claimed by the facility, before review." },
    { vi = "Tỉnh có dưới 5 người khác nhau trong tháng không hiện số.", en = "Provinces with fewer than 5 different persons in the month show no figure." },
]

[smallest_group]
persons = "so_nguoi"
at_least = 5

[indicator]
unit = { vi = "%", en = "%" }
numerator = { vi = "Quỹ bảo hiểm y tế chi trả, đồng", en = "Paid by the fund, VND" }
denominator = { vi = "Tổng chi phí, đồng", en = "Total cost, VND" }
factor = 100
period = "month"
digits = 1
*/
-- Từ hồ sơ, không từ kho.luot_kham_thang: ở đó loại hình ít người bị ẩn nên không cộng đủ.
SELECT
    don_vi_tai(don_vi(substr(ma_cskcb, 1, 2), DATE '2025-06-30'), thang_ra) AS don_vi,
    thang_ra AS ky,
    sum(t_bhtt) AS tu_so,
    sum(t_tongchi_bv) AS mau_so,
    count(DISTINCT so_cccd) AS so_nguoi
FROM nguon.bhyt_ho_so
GROUP BY don_vi_tai(don_vi(substr(ma_cskcb, 1, 2), DATE '2025-06-30'), thang_ra), thang_ra
