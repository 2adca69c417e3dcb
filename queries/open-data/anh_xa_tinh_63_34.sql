/* toml
title = { vi = "Ánh xạ 63 tỉnh cũ sang 34 tỉnh mới", en = "Crosswalk of the 63 old provinces to the 34 new" }
description = { vi = "Mỗi tỉnh cũ thuộc trọn một tỉnh mới, nên số liệu cấp tỉnh cộng được; số liệu cấp xã thì không.", en = "Each old province lies wholly in one new one, so province figures add up; commune figures do not." }
grain = { vi = "Một tỉnh cũ", en = "One old province" }
owner = { vi = "Trung tâm Thông tin y tế Quốc gia", en = "National Health Information Centre" }
groups = [11]
sensitivity = "open"
source = { vi = "Nghị quyết 202/2025/QH15; Quyết định 19/2025/QĐ-TTg", en = "Resolution 202/2025/QH15; Decision 19/2025/QD-TTg" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 10.2.c, 18.3, 22.2; Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Quyết định 2038/QĐ-BYT, mục 2.5"
caveats = [
    { vi = "Bảy mã được dùng lại cho tỉnh khác: nối theo khóa, không nối theo mã.", en = "Seven codes were reused for other provinces: join on keys, not on codes." },
]

[[column]]
name = "don_vi_cu"
label = { vi = "Khóa đơn vị trước 01/7/2025", en = "Unit key before 1 July 2025" }

[[column]]
name = "ma_cu"
label = { vi = "Mã cũ", en = "Old code" }

[[column]]
name = "ten_cu"
label = { vi = "Tên cũ", en = "Old name" }

[[column]]
name = "don_vi_moi"
label = { vi = "Khóa đơn vị từ 01/7/2025", en = "Unit key from 1 July 2025" }

[[column]]
name = "ma_moi"
label = { vi = "Mã mới", en = "New code" }

[[column]]
name = "ten_moi"
label = { vi = "Tên mới", en = "New name" }

[[column]]
name = "sap_nhap"
label = { vi = "Có sáp nhập", en = "Merged" }

[[column]]
name = "ma_cu_nay_la_tinh_khac"
label = { vi = "Mã cũ nay chỉ tỉnh khác", en = "Old code now names another province" }

[[column]]
name = "can_cu"
label = { vi = "Căn cứ", en = "Legal basis" }

[[check]]
name = "du_63_dong"
title = { vi = "Đủ 63 dòng", en = "All 63 rows" }
query = "SELECT so FROM (SELECT count(*) AS so FROM bang) AS t WHERE so <> 63"
action = "refuse"

[release]
keywords = [
    { vi = "sáp nhập tỉnh", en = "province merger" },
    { vi = "ánh xạ", en = "crosswalk" },
    { vi = "mã tỉnh", en = "province codes" },
]
licence = { vi = "Dữ liệu mở của cơ quan nhà nước (Luật Giao dịch điện tử 20/2023/QH15, Điều 43; Luật Dữ liệu 60/2024/QH15; Nghị định 102/2025/NĐ-CP, Điều 10.2.c): mọi người được tự do, miễn phí tải về, sao chép, sử dụng lại, kể cả mục đích thương mại; phải ghi nguồn; không được tìm cách xác định lại cá nhân; cung cấp nguyên trạng, cơ quan công bố không chịu trách nhiệm về việc sử dụng.", en = "Open data of state bodies (Law on E-Transactions 20/2023/QH15, article 43; Law on Data 60/2024/QH15; Decree 102/2025/ND-CP, article 10.2.c): free to download, copy and reuse, also commercially; cite the source; do not try to re-identify anyone; provided as is, without liability of the publisher." }
citation = { vi = "Bộ Y tế, Ánh xạ 63 tỉnh sang 34 tỉnh, Kho dữ liệu y tế", en = "Ministry of Health, Crosswalk of 63 provinces to 34, Health data warehouse" }
frequency = { vi = "Khi có nghị quyết mới", en = "When a new resolution is passed" }
*/
SELECT
    cu.don_vi AS don_vi_cu,
    cu.ma AS ma_cu,
    cu.ten AS ten_cu,
    moi.don_vi AS don_vi_moi,
    moi.ma AS ma_moi,
    moi.ten AS ten_moi,
    k.tu_don_vi IS NOT NULL AS sap_nhap,
    a.ma_cu_nay_la_tinh_khac,
    k.can_cu
FROM danh_muc.don_vi AS cu
JOIN danh_muc.don_vi AS moi ON moi.don_vi = don_vi_tai(cu.don_vi, DATE '2025-07-01')
LEFT JOIN danh_muc.don_vi_ke_thua AS k
    ON k.tu_don_vi = cu.don_vi AND k.ngay = DATE '2025-07-01'
LEFT JOIN danh_muc.anh_xa_tinh_63_34 AS a ON a.tu_don_vi = cu.don_vi
WHERE cu.tu_ngay <= DATE '2025-06-30'
  AND (cu.den_ngay IS NULL OR cu.den_ngay >= DATE '2025-06-30')
ORDER BY ma_cu
