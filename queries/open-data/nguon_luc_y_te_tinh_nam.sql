/* toml
title = { vi = "Nguồn lực y tế theo tỉnh và năm, 2004–2016", en = "Health resources by province and year, 2004–2016" }
description = { vi = "Giường bệnh, cơ sở y tế, nhân lực y và dược của cơ sở do sở y tế quản lý, kèm dân số trung bình để tính tỷ lệ.", en = "Beds, establishments, medical and pharmaceutical staff of provincial health departments, with the average population for rates." }
grain = { vi = "Một tỉnh, một năm", en = "One province and year" }
owner = { vi = "Vụ Kế hoạch - Tài chính", en = "Department of Planning and Finance" }
groups = [10, 20, 24]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Chỉ cơ sở do sở y tế quản lý.", en = "Establishments of provincial health departments only." },
    { vi = "Theo tỉnh của từng năm: 64 đơn vị đến 2007, 63 từ 2008. Mã hai chữ số chỉ đúng trong thời gian của khóa: năm 2025 bảy mã đã chuyển sang tỉnh khác.", en = "By the provinces of each year: 64 units until 2007, 63 from 2008. A two-digit code holds only while its key does: in 2025 seven codes passed to other provinces." },
    { vi = "Nhân lực dược năm 2012 để trống vì nguồn đổi phạm vi.", en = "Pharmaceutical staff of 2012 are empty because the source changed the scope." },
    { vi = "Năm 2016 nguồn đổi chỗ phòng khám khu vực và bệnh viện điều dưỡng; ở đây đã đổi lại.", en = "In 2016 the source swaps polyclinics and sanatoria; they are swapped back here." },
    { vi = "Ô trống là nguồn không có số.", en = "An empty cell: no figure in the source." },
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
unit = { vi = "người", en = "persons" }

[[column]]
name = "giuong_benh"
label = { vi = "Giường bệnh, kể cả trạm y tế", en = "Beds, commune stations included" }
unit = { vi = "giường", en = "beds" }

[[column]]
name = "giuong_tram_y_te"
label = { vi = "Giường trạm y tế", en = "Beds of commune stations" }
unit = { vi = "giường", en = "beds" }

[[column]]
name = "co_so_y_te"
label = { vi = "Cơ sở y tế", en = "Establishments" }
unit = { vi = "cơ sở", en = "establishments" }

[[column]]
name = "co_so_benh_vien"
label = { vi = "Bệnh viện", en = "Hospitals" }
unit = { vi = "cơ sở", en = "establishments" }

[[column]]
name = "co_so_phong_kham_khu_vuc"
label = { vi = "Phòng khám đa khoa khu vực", en = "Regional polyclinics" }
unit = { vi = "cơ sở", en = "establishments" }

[[column]]
name = "co_so_dieu_duong"
label = { vi = "Bệnh viện điều dưỡng, phục hồi chức năng", en = "Sanatoria and rehabilitation hospitals" }
unit = { vi = "cơ sở", en = "establishments" }

[[column]]
name = "co_so_tram_y_te"
label = { vi = "Trạm y tế", en = "Commune stations" }
unit = { vi = "cơ sở", en = "establishments" }

[[column]]
name = "bac_si"
label = { vi = "Bác sĩ", en = "Doctors" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "y_si"
label = { vi = "Y sĩ", en = "Assistant doctors" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dieu_duong"
label = { vi = "Điều dưỡng", en = "Nurses" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "ho_sinh"
label = { vi = "Hộ sinh", en = "Midwives" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "duoc_si_dai_hoc"
label = { vi = "Dược sĩ đại học trở lên", en = "Pharmacists, university degree" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "duoc_si_trung_hoc"
label = { vi = "Dược sĩ trung học", en = "Pharmacists, middle degree" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "duoc_ta"
label = { vi = "Dược tá", en = "Assistant pharmacists" }
unit = { vi = "người", en = "persons" }

[[check]]
name = "du_don_vi"
title = { vi = "Mỗi năm đủ số đơn vị", en = "Every year has all units" }
query = """
SELECT nam FROM bang GROUP BY nam HAVING count(*) <> CASE WHEN nam <= 2007 THEN 64 ELSE 63 END
"""
action = "refuse"

[release]
keywords = [
    { vi = "giường bệnh", en = "hospital beds" },
    { vi = "bác sĩ", en = "doctors" },
    { vi = "nhân lực y tế", en = "health workforce" },
    { vi = "cơ sở y tế", en = "health facilities" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Tổng cục Thống kê; Bộ Y tế, Nguồn lực y tế theo tỉnh và năm 2004–2016, Kho dữ liệu y tế", en = "General Statistics Office; Ministry of Health, Health resources by province and year 2004–2016, Health data warehouse" }
frequency = { vi = "Chuỗi lịch sử, rà soát sáu tháng một lần", en = "Historical series, reviewed every six months" }
*/
SELECT
    y.don_vi,
    ma_don_vi(y.don_vi) AS ma,
    ten_don_vi(y.don_vi) AS ten,
    y.nam,
    p.dan_so,
    y.giuong_benh,
    y.giuong_tram_y_te,
    y.co_so_y_te,
    y.co_so_benh_vien,
    y.co_so_phong_kham_khu_vuc,
    y.co_so_dieu_duong,
    y.co_so_tram_y_te,
    y.bac_si,
    y.y_si,
    y.dieu_duong,
    y.ho_sinh,
    y.duoc_si_dai_hoc,
    y.duoc_si_trung_hoc,
    y.duoc_ta
FROM kho.y_te_tinh_nam AS y
JOIN kho.dan_so_trung_binh AS p ON p.don_vi = y.don_vi AND p.nam = y.nam
ORDER BY y.nam, ma, y.don_vi
