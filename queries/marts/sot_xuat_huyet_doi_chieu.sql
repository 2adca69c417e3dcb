/* toml
title = { vi = "Đối chiếu sốt xuất huyết: OpenDengue và niên giám", en = "Dengue compared: OpenDengue and the yearbook" }
description = { vi = "Hai nguồn cho cùng tỉnh và tháng, 2008–2010. Chúng trùng nhau ở mọi ô nên là một nguồn, không phải hai bằng chứng.", en = "Two sources for the same province and month, 2008–2010. They agree in every cell, so they are one source and not two pieces of evidence." }
grain = { vi = "Một tỉnh, một tháng có ở cả hai nguồn", en = "One province and month found in both" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "OpenDengue V1.3; niên giám thống kê bệnh truyền nhiễm", en = "OpenDengue V1.3; communicable-disease yearbooks" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 18.4"

[[column]]
name = "thang"
label = { vi = "Tháng", en = "Month" }

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "so_mac_opendengue"
label = { vi = "Số mắc theo OpenDengue", en = "Cases by OpenDengue" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "so_mac_nien_giam"
label = { vi = "Số mắc theo niên giám", en = "Cases by the yearbook" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "chenh_lech"
label = { vi = "Chênh lệch", en = "Difference" }
unit = { vi = "ca", en = "cases" }

[[check]]
name = "hai_nguon_khac_nhau"
title = { vi = "Hai nguồn không cùng một con số (nếu trùng hết, chỉ là một nguồn)", en = "The two sources differ (if all agree they are one source)" }
query = """
SELECT so FROM (SELECT count(*) AS so, sum(abs(chenh_lech)) AS lech FROM bang) AS t WHERE lech = 0
"""
action = "warn"
*/
SELECT
    o.tu_ngay AS thang,
    g.don_vi,
    o.so_mac AS so_mac_opendengue,
    g.so_mac AS so_mac_nien_giam,
    o.so_mac - g.so_mac AS chenh_lech
FROM nguon.sot_xuat_huyet_opendengue_chi_tiet AS o
JOIN nguon.giam_sat_benh_thang_1980_2017 AS g
    ON g.don_vi = o.don_vi AND g.thang = o.tu_ngay
WHERE o.cap = 'Admin1' AND o.tu_ngay >= DATE '2008-01-01' AND g.benh = 'dengue'
