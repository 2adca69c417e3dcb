/* toml
title = { vi = "Số lượt khám, chữa bệnh bảo hiểm y tế", en = "Insured visits" }
description = { vi = "Lượt khám và đợt điều trị ra trong tháng, theo tỉnh của cơ sở.", en = "Visits and stays that ended in the month, by province of the facility." }
grain = { vi = "Một tỉnh, một tháng", en = "One province and month" }
owner = { vi = "Vụ Bảo hiểm y tế", en = "Department of Health Insurance" }
groups = [13, 3]
sensitivity = "internal"
source = { vi = "Hồ sơ thanh toán bảo hiểm y tế (XML1)", en = "Insurance claims (XML1)" }
legal_basis = "Thông tư 23/2025/TT-BYT, biểu 9"

[indicator]
unit = { vi = "lượt", en = "visits" }
numerator = { vi = "Lượt khám, chữa bệnh trong tháng", en = "Visits in the month" }
factor = 1
period = "month"
digits = 0
*/
SELECT don_vi, thang AS ky, sum(so_luot) AS tu_so
FROM kho.luot_kham_thang
GROUP BY don_vi, thang
