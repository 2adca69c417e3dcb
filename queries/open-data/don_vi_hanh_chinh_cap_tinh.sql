/* toml
title = { vi = "Đơn vị hành chính cấp tỉnh theo thời gian từ 2004", en = "Province-level units over time from 2004" }
description = { vi = "64, 63 và 34 đơn vị cấp tỉnh với thời gian hiệu lực: một mã cần có ngày mới chỉ đúng một tỉnh.", en = "The 64, 63 and 34 province-level units with their validity: a code needs a date to name one province." }
grain = { vi = "Một đơn vị trong thời gian ranh giới không đổi", en = "One unit while its borders did not change" }
owner = { vi = "Trung tâm Thông tin y tế Quốc gia", en = "National Health Information Centre" }
groups = [11]
sensitivity = "open"
source = { vi = "Nghị quyết 22/2003/QH11, 15/2008/QH12, 202/2025/QH15; Quyết định 124/2004/QĐ-TTg, 19/2025/QĐ-TTg", en = "Resolutions 22/2003/QH11, 15/2008/QH12, 202/2025/QH15; Decisions 124/2004/QD-TTg, 19/2025/QD-TTg" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Tên và loại là hiện hành: Huế trước 2025 là tỉnh Thừa Thiên Huế, Đồng Nai thành thành phố từ 30/4/2026.", en = "Names and types are current: Hue was Thua Thien Hue province before 2025, Dong Nai is a city from 30 April 2026." },
    { vi = "Điều chỉnh một phần địa bàn năm 2008 (Mê Linh, bốn xã của Hòa Bình) không tạo khóa mới.", en = "Part transfers of 2008 (Me Linh, four communes of Hoa Binh) make no new key." },
]

[[column]]
name = "don_vi"
label = { vi = "Khóa đơn vị (mã@ngày bắt đầu)", en = "Unit key (code@valid from)" }

[[column]]
name = "ma"
label = { vi = "Mã hai chữ số trong thời gian hiệu lực", en = "Two-digit code while in force" }

[[column]]
name = "ten"
label = { vi = "Tỉnh, thành phố", en = "Province" }

[[column]]
name = "ten_en"
label = { vi = "Tên không dấu", en = "Unaccented name" }

[[column]]
name = "loai"
label = { vi = "Loại (tinh, thanh_pho)", en = "Type (tinh province, thanh_pho city)" }

[[column]]
name = "tu_ngay"
label = { vi = "Có hiệu lực từ ngày", en = "In force from" }

[[column]]
name = "den_ngay"
label = { vi = "Đến hết ngày (trống: còn hiệu lực)", en = "Until (empty: in force)" }

[[column]]
name = "can_cu"
label = { vi = "Căn cứ", en = "Legal basis" }

[release]
keywords = [
    { vi = "đơn vị hành chính", en = "administrative units" },
    { vi = "mã tỉnh", en = "province codes" },
    { vi = "sáp nhập", en = "merger" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Bộ Y tế, Đơn vị hành chính cấp tỉnh theo thời gian, Kho dữ liệu y tế", en = "Ministry of Health, Province-level units over time, Health data warehouse" }
frequency = { vi = "Khi có nghị quyết mới", en = "When a new resolution is passed" }
*/
SELECT don_vi, ma, ten, ten_en, loai, tu_ngay, den_ngay, can_cu
FROM danh_muc.don_vi
ORDER BY tu_ngay, ma
