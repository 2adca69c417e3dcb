/* toml
title = { vi = "Số ngày điều trị nội trú bình quân", en = "Average length of stay" }
description = { vi = "Ngày điều trị chia cho số đợt điều trị nội trú (loại hình 03) ra viện trong tháng; số ngày theo quy tắc SO_NGAY_DTRI của Quyết định 4750.", en = "Days of treatment over inpatient stays (care type 03) that ended in the month; days by the SO_NGAY_DTRI rule of Decision 4750." }
grain = { vi = "Một tỉnh, một tháng", en = "One province and month" }
owner = { vi = "Vụ Bảo hiểm y tế", en = "Department of Health Insurance" }
groups = [13, 3]
sensitivity = "internal"
source = { vi = "Hồ sơ thanh toán bảo hiểm y tế (XML1)", en = "Insurance claims (XML1)" }
legal_basis = "Quyết định 4750/QĐ-BYT; Thông tư 23/2025/TT-BYT"
caveats = [
    { vi = "Tỉnh theo hai số đầu của mã cơ sở (danh sách 63), chuyển sang ranh giới của tháng ra.", en = "The province is that of the first two digits of the facility's code (list of 63), on the boundaries of the month of discharge." },
    { vi = "Chỉ người có thẻ bảo hiểm y tế; không gồm nội trú ban ngày (04) và nội trú dưới 4 giờ (09).", en = "Insured people only; without day treatment (04) and stays under 4 hours (09)." },
    { vi = "Không có số nơi kho.luot_kham_thang ẩn dòng nội trú vì nhóm nhỏ.", en = "There is no figure where kho.luot_kham_thang hides the inpatient row: small group." },
]

[indicator]
unit = { vi = "ngày/đợt", en = "days per stay" }
numerator = { vi = "Ngày điều trị nội trú", en = "Inpatient days" }
denominator = { vi = "Đợt điều trị nội trú", en = "Inpatient stays" }
factor = 1
period = "month"
higher_is_better = false
digits = 1
*/
SELECT don_vi, thang AS ky, so_ngay_dtri AS tu_so, so_luot AS mau_so
FROM kho.luot_kham_thang
WHERE ma_loai_kcb = '03'
