/* toml
title = { vi = "Số lượt khám, chữa bệnh bảo hiểm y tế", en = "Insured visits" }
description = { vi = "Lượt khám và đợt điều trị ra trong tháng, theo tỉnh của cơ sở.", en = "Visits and stays that ended in the month, by province of the facility." }
grain = { vi = "Một tỉnh, một tháng", en = "One province and month" }
owner = { vi = "Vụ Bảo hiểm y tế", en = "Department of Health Insurance" }
groups = [13, 3]
sensitivity = "internal"
source = { vi = "Hồ sơ thanh toán bảo hiểm y tế (XML1)", en = "Insurance claims (XML1)" }
legal_basis = "Thông tư 23/2025/TT-BYT, biểu 9"
caveats = [
    { vi = "Tỉnh theo hai số đầu của mã cơ sở (danh sách 63), chuyển sang ranh giới của tháng ra.", en = "The province is that of the first two digits of the facility's code (list of 63), on the boundaries of the month of discharge." },
    { vi = "Tỉnh có dưới 5 người khác nhau trong tháng không hiện số.", en = "Provinces with fewer than 5 different persons in the month show no figure." },
]

[smallest_group]
persons = "so_nguoi"
at_least = 5

[indicator]
unit = { vi = "lượt", en = "visits" }
numerator = { vi = "Lượt khám, chữa bệnh trong tháng", en = "Visits in the month" }
factor = 1
period = "month"
digits = 0
*/
-- Từ hồ sơ, không từ kho.luot_kham_thang: ở đó loại hình ít người bị ẩn nên không cộng đủ.
SELECT
    don_vi_tai(don_vi(substr(ma_cskcb, 1, 2), DATE '2025-06-30'), thang_ra) AS don_vi,
    thang_ra AS ky,
    count(*) AS tu_so,
    count(DISTINCT so_cccd) AS so_nguoi
FROM nguon.bhyt_ho_so
GROUP BY don_vi_tai(don_vi(substr(ma_cskcb, 1, 2), DATE '2025-06-30'), thang_ra), thang_ra
