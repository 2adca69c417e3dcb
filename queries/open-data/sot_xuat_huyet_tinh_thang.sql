/* toml
title = { vi = "Sốt xuất huyết Dengue theo tỉnh và tháng, 2011–2017", en = "Dengue by province and month, 2011–2017" }
description = { vi = "Số mắc và số chết sốt xuất huyết Dengue theo tháng, 34 tỉnh, thành phố.", en = "Dengue cases and deaths by month in the 34 provinces." }
grain = { vi = "Một tỉnh theo ranh giới 01/7/2025, một tháng", en = "One province on the boundaries of 1 July 2025 and month" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "open"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Ô từ 1 đến 4 ca bị ẩn và để trống; ô 0 là 0 thật. Ô trống không phải 0.", en = "Cells of 1 to 4 are hidden and empty; 0 is a true zero. An empty cell is not 0." },
    { vi = "Theo ranh giới 34 tỉnh từ 01/7/2025, cộng từ 63 tỉnh cũ; không công bố song song bản 63 tỉnh, vì lấy tỉnh mới trừ các tỉnh cũ sẽ lộ ô bị ẩn.", en = "On the 34-province boundaries of 1 July 2025, summed from the 63; the 63-province version is not published beside it, because a new province less its old ones would reveal hidden cells." },
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
name = "thang"
label = { vi = "Tháng (ngày đầu tháng)", en = "Month (first day)" }

[[column]]
name = "so_mac"
label = { vi = "Số mắc sốt xuất huyết Dengue", en = "Dengue cases" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "so_chet"
label = { vi = "Số chết", en = "Deaths" }
unit = { vi = "ca tử vong", en = "deaths" }

[[check]]
name = "du_34_tinh"
title = { vi = "Mỗi tháng có đủ 34 tỉnh", en = "Each month has all 34 provinces" }
query = "SELECT thang FROM bang GROUP BY thang HAVING count(*) <> 34"
action = "refuse"

[release]
keywords = [
    { vi = "sốt xuất huyết", en = "dengue" },
    { vi = "theo tháng", en = "monthly" },
    { vi = "dịch bệnh", en = "epidemic" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Bộ Y tế, Sốt xuất huyết Dengue theo tỉnh và tháng 2011–2017 (34 tỉnh), Kho dữ liệu y tế", en = "Ministry of Health, Dengue by province and month 2011–2017 (34 provinces), Health data warehouse" }
frequency = { vi = "Chuỗi lịch sử, rà soát sáu tháng một lần", en = "Historical series, reviewed every six months" }
suppress = ["so_mac", "so_chet"]
minimum_cell = 5
*/
WITH theo_thang AS (
    SELECT
        don_vi_tai(don_vi, DATE '2025-07-01') AS don_vi,
        thang,
        sum(so_mac) AS so_mac,
        sum(so_chet) AS so_chet
    FROM kho.benh_truyen_nhiem_thang
    WHERE benh = 'dengue'
    GROUP BY don_vi_tai(don_vi, DATE '2025-07-01'), thang
)
SELECT
    don_vi,
    ma_don_vi(don_vi) AS ma,
    ten_don_vi(don_vi) AS ten,
    thang,
    so_mac,
    so_chet
FROM theo_thang
ORDER BY thang, ma
