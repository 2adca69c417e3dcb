/* toml
title = { vi = "Sinh, tử vong trẻ em và tiêm chủng theo tỉnh và năm", en = "Births, child mortality and immunisation by province and year" }
description = { vi = "Tỷ suất sinh, chết, tử vong trẻ em và tỷ lệ tiêm chủng đầy đủ như cơ quan thống kê công bố, 2005–2016.", en = "Birth, death and child mortality rates and full immunisation as published by the statistics office, 2005–2016." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Cục Bà mẹ và Trẻ em", en = "Department of Maternal and Child Health" }
groups = [12, 11, 1]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Theo tỉnh của từng năm: 64 đơn vị đến 2007, 63 từ 2008. Mã hai chữ số chỉ đúng trong thời gian của khóa: năm 2025 bảy mã đã chuyển sang tỉnh khác.", en = "By the provinces of each year: 64 units until 2007, 63 from 2008. A two-digit code holds only while its key does: in 2025 seven codes passed to other provinces." },
    { vi = "Năm 2016 là số sơ bộ; không có 2006; tiêm chủng chỉ có 2010, 2013–2016; chết dưới 5 tuổi có 2010, 2012–2016.", en = "2016 is preliminary; there is no 2006; immunisation only 2010 and 2013–2016; under-five mortality 2010 and 2012–2016." },
    { vi = "Tỷ suất không cộng được giữa các tỉnh: cần bình quân theo số sinh hoặc dân số.", en = "Rates cannot be added over provinces: weight them by births or population." },
    { vi = "Số liệu lấy qua gói R của bên thứ ba (giấy phép GPL-3 cho gói); con số là của niên giám, biểu thống kê nhà nước.", en = "Figures were taken through third-party R packages (GPL-3 for the package); the numbers are those of state yearbooks and tables." },
]

[[column]]
name = "don_vi"
label = { vi = "Khóa đơn vị (mã@ngày bắt đầu)", en = "Unit key (code@valid from)" }

[[column]]
name = "ma"
label = { vi = "Mã tỉnh theo ranh giới của bộ dữ liệu", en = "Province code on the boundaries of the dataset" }

[[column]]
name = "ten"
label = { vi = "Tỉnh, thành phố", en = "Province" }

[[column]]
name = "nam"
label = { vi = "Năm", en = "Year" }
unit = { vi = "năm", en = "year" }

[[column]]
name = "ty_suat_sinh_tho"
label = { vi = "Tỷ suất sinh thô", en = "Crude birth rate" }
unit = { vi = "‰", en = "per 1,000" }

[[column]]
name = "ty_suat_chet_tho"
label = { vi = "Tỷ suất chết thô", en = "Crude death rate" }
unit = { vi = "‰", en = "per 1,000" }

[[column]]
name = "tong_ty_suat_sinh"
label = { vi = "Tổng tỷ suất sinh", en = "Total fertility rate" }
unit = { vi = "con/phụ nữ", en = "children per woman" }

[[column]]
name = "ty_suat_chet_duoi_1_tuoi"
label = { vi = "Tỷ suất chết trẻ dưới 1 tuổi", en = "Infant mortality rate" }
unit = { vi = "‰ trẻ sinh sống", en = "per 1,000 live births" }

[[column]]
name = "ty_suat_chet_duoi_5_tuoi"
label = { vi = "Tỷ suất chết trẻ dưới 5 tuổi", en = "Under-five mortality rate" }
unit = { vi = "‰ trẻ sinh sống", en = "per 1,000 live births" }

[[column]]
name = "ty_le_tiem_chung_day_du"
label = { vi = "Tỷ lệ trẻ dưới 1 tuổi tiêm chủng đầy đủ", en = "Full immunisation under 1" }
unit = { vi = "%", en = "%" }

[release]
keywords = [
    { vi = "tử vong trẻ em", en = "child mortality" },
    { vi = "tiêm chủng", en = "immunisation" },
    { vi = "mức sinh", en = "fertility" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Tổng cục Thống kê; Bộ Y tế, Sinh, tử vong trẻ em và tiêm chủng theo tỉnh và năm, Kho dữ liệu y tế", en = "General Statistics Office; Ministry of Health, Births, child mortality and immunisation by province and year, Health data warehouse" }
frequency = { vi = "Chuỗi lịch sử, rà soát sáu tháng một lần", en = "Historical series, reviewed every six months" }
*/
SELECT
    don_vi,
    ma_don_vi(don_vi) AS ma,
    ten_don_vi(don_vi) AS ten,
    nam,
    ty_suat_sinh_tho,
    ty_suat_chet_tho,
    tong_ty_suat_sinh,
    ty_suat_chet_duoi_1_tuoi,
    ty_suat_chet_duoi_5_tuoi,
    ty_le_tiem_chung_day_du
FROM kho.y_te_tinh_nam
WHERE ty_suat_sinh_tho IS NOT NULL
   OR ty_suat_chet_duoi_5_tuoi IS NOT NULL
   OR ty_le_tiem_chung_day_du IS NOT NULL
ORDER BY nam, ma, don_vi
