/* toml
title = { vi = "Bệnh truyền nhiễm theo tỉnh và năm, 2011–2017", en = "Notifiable diseases by province and year, 2011–2017" }
description = { vi = "Số mắc và số chết của 27 bệnh truyền nhiễm báo cáo, theo 34 tỉnh, thành phố. Sốt xuất huyết Dengue có bộ riêng theo tháng.", en = "Cases and deaths of 27 notifiable diseases in the 34 provinces. Dengue has its own monthly dataset." }
grain = { vi = "Một tỉnh theo ranh giới 01/7/2025, một năm, một bệnh", en = "One province on the boundaries of 1 July 2025, year and disease" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "open"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Ô từ 1 đến 4 ca bị ẩn và để trống; ô 0 là 0 thật. Ô trống không phải 0.", en = "Cells of 1 to 4 are hidden and empty; 0 is a true zero. An empty cell is not 0." },
    { vi = "Theo ranh giới 34 tỉnh từ 01/7/2025, cộng từ 63 tỉnh cũ; không công bố song song bản 63 tỉnh, vì lấy tỉnh mới trừ các tỉnh cũ sẽ lộ ô bị ẩn.", en = "On the 34-province boundaries of 1 July 2025, summed from the 63; the 63-province version is not published beside it, because a new province less its old ones would reveal hidden cells." },
    { vi = "Bệnh dại: số mắc là số chết; người tiêm phòng sau phơi nhiễm không được đếm là ca. Dòng bại liệt là liệt mềm cấp nghi bại liệt.", en = "Rabies: cases are the deaths; people vaccinated after exposure are not counted. The polio row is acute flaccid paralysis." },
    { vi = "Sốt xuất huyết không lặp lại ở đây: tổng năm cùng với số tháng sẽ lộ tháng bị ẩn.", en = "Dengue is not repeated here: a yearly total beside the months would reveal a hidden month." },
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
name = "benh"
label = { vi = "Mã bệnh", en = "Disease code" }

[[column]]
name = "ten_benh"
label = { vi = "Bệnh", en = "Disease" }

[[column]]
name = "ten_benh_en"
label = { vi = "Bệnh (tiếng Anh)", en = "Disease (English)" }

[[column]]
name = "so_mac"
label = { vi = "Số mắc", en = "Cases" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "so_chet"
label = { vi = "Số chết", en = "Deaths" }
unit = { vi = "ca tử vong", en = "deaths" }

[[check]]
name = "du_34_tinh"
title = { vi = "Mỗi bệnh, mỗi năm có đủ 34 tỉnh", en = "Each disease and year has all 34 provinces" }
query = "SELECT nam, benh FROM bang GROUP BY nam, benh HAVING count(*) <> 34"
action = "refuse"

[release]
keywords = [
    { vi = "bệnh truyền nhiễm", en = "communicable diseases" },
    { vi = "giám sát bệnh", en = "disease surveillance" },
    { vi = "số mắc", en = "cases" },
    { vi = "tỉnh", en = "province" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Bộ Y tế, Bệnh truyền nhiễm theo tỉnh và năm 2011–2017 (34 tỉnh), Kho dữ liệu y tế", en = "Ministry of Health, Notifiable diseases by province and year 2011–2017 (34 provinces), Health data warehouse" }
frequency = { vi = "Chuỗi lịch sử, rà soát sáu tháng một lần", en = "Historical series, reviewed every six months" }
suppress = ["so_mac", "so_chet"]
minimum_cell = 5
*/
WITH theo_nam AS (
    SELECT
        don_vi_tai(don_vi, DATE '2025-07-01') AS don_vi,
        CAST(date_part('year', thang) AS BIGINT) AS nam,
        benh,
        sum(so_mac) AS so_mac,
        sum(so_chet) AS so_chet
    FROM kho.benh_truyen_nhiem_thang
    WHERE benh <> 'dengue'
    GROUP BY don_vi_tai(don_vi, DATE '2025-07-01'), date_part('year', thang), benh
)
SELECT
    t.don_vi,
    ma_don_vi(t.don_vi) AS ma,
    ten_don_vi(t.don_vi) AS ten,
    t.nam,
    t.benh,
    d.ten AS ten_benh,
    d.ten_en AS ten_benh_en,
    t.so_mac,
    t.so_chet
FROM theo_nam AS t
JOIN danh_muc.benh_truyen_nhiem AS d ON d.ma = t.benh
ORDER BY t.nam, t.benh, ma
