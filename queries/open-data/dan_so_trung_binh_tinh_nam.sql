/* toml
title = { vi = "Dân số trung bình theo tỉnh và năm, 2004–2016", en = "Average population by province and year, 2004–2016" }
description = { vi = "Dân số trung bình (người), chia theo giới và thành thị, nông thôn: mẫu số dùng trong các chỉ tiêu y tế.", en = "Average population (persons) by sex and urban or rural: the denominator of health indicators." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Cục Thống kê, Bộ Tài chính", en = "National Statistics Office" }
groups = [11]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Không phải dân số đăng ký cư trú (112,1 triệu năm 2025): hai con số không thay nhau làm mẫu số.", en = "Not the registered residents (112.1 million in 2025): the two cannot replace each other as denominators." },
    { vi = "Theo tỉnh của từng năm: 64 đơn vị đến 2007, 63 từ 2008. Mã hai chữ số chỉ đúng trong thời gian của khóa: năm 2025 bảy mã đã chuyển sang tỉnh khác.", en = "By the provinces of each year: 64 units until 2007, 63 from 2008. A two-digit code holds only while its key does: in 2025 seven codes passed to other provinces." },
    { vi = "Năm 2020 có trong kho nhưng chưa công bố ở đây: kho dẫn lại không ghi giấy phép.", en = "2020 is in the warehouse but not published here: its carrier states no licence." },
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
name = "dan_so"
label = { vi = "Dân số trung bình", en = "Average population" }
unit = { vi = "người, bình quân năm", en = "persons, yearly average" }

[[column]]
name = "dan_so_nam_gioi"
label = { vi = "Nam", en = "Male" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dan_so_nu_gioi"
label = { vi = "Nữ", en = "Female" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dan_so_thanh_thi"
label = { vi = "Thành thị", en = "Urban" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dan_so_nong_thon"
label = { vi = "Nông thôn", en = "Rural" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_bo"
label = { vi = "Số sơ bộ", en = "Preliminary" }

[[check]]
name = "du_don_vi"
title = { vi = "Mỗi năm đủ số đơn vị", en = "Every year has all units" }
query = """
SELECT nam FROM bang GROUP BY nam HAVING count(*) <> CASE WHEN nam <= 2007 THEN 64 ELSE 63 END
"""
action = "refuse"

[release]
keywords = [
    { vi = "dân số", en = "population" },
    { vi = "mẫu số", en = "denominator" },
    { vi = "tỉnh", en = "province" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Tổng cục Thống kê, Dân số trung bình theo tỉnh 2004–2016, Kho dữ liệu y tế", en = "General Statistics Office, Average population by province 2004–2016, Health data warehouse" }
frequency = { vi = "Chuỗi lịch sử, rà soát sáu tháng một lần", en = "Historical series, reviewed every six months" }
*/
SELECT
    don_vi,
    ma_don_vi(don_vi) AS ma,
    ten_don_vi(don_vi) AS ten,
    nam,
    dan_so,
    dan_so_nam_gioi,
    dan_so_nu_gioi,
    dan_so_thanh_thi,
    dan_so_nong_thon,
    so_bo
FROM kho.dan_so_trung_binh
WHERE nguon = 'gso_bieu_dien_tu'
ORDER BY nam, ma, don_vi
