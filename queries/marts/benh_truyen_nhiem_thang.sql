/* toml
title = { vi = "Bệnh truyền nhiễm theo tháng và tỉnh", en = "Notifiable diseases by month and province" }
description = { vi = "Số mắc, số chết của 28 bệnh truyền nhiễm báo cáo theo tháng, 63 tỉnh, 2011–2017. Tỉnh là khóa đơn vị của danh sách 63; dùng don_vi_tai() để chuyển sang ranh giới khác.", en = "Cases and deaths of 28 notifiable diseases by month in the 63 provinces, 2011–2017. The province is a unit key of the 63-list; don_vi_tai() moves it to other boundaries." }
grain = { vi = "Một bệnh, một tháng, một tỉnh", en = "One disease, month and province" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm, Cục Y tế dự phòng (2011–2017)", en = "Communicable-disease yearbooks, General Department of Preventive Medicine (2011–2017)" }
legal_basis = "Luật Phòng, chống bệnh truyền nhiễm 03/2007/QH12; Nghị định 102/2025/NĐ-CP, Điều 5.1"
caveats = [
    { vi = "Bệnh dại: sổ gốc đếm người tiêm phòng sau phơi nhiễm ở cột số mắc. Ở đây so_mac của bệnh dại là số chết (mỗi ca bệnh dại là một ca tử vong), còn số người tiêm ở so_tiem_phong_dai.", en = "Rabies: the source counts people vaccinated after exposure under cases. Here so_mac of rabies is the deaths (each case is a death), and the people vaccinated are in so_tiem_phong_dai." },
    { vi = "Dòng bại liệt là liệt mềm cấp nghi bại liệt (suy luận, xem danh_muc.benh_truyen_nhiem).", en = "The polio row is acute flaccid paralysis (an inference, see danh_muc.benh_truyen_nhiem)." },
    { vi = "Chín dòng có số chết lớn hơn số mắc được giữ nguyên: người chết có thể mắc từ tháng trước.", en = "Nine rows with more deaths than cases are kept: those who died may have fallen ill a month before." },
    { vi = "14.372 ô của tệp gốc có 1–4 ca: không công bố từng ô.", en = "14,372 cells of the source hold 1–4 cases: not for publication cell by cell." },
]

[[column]]
name = "benh"
label = { vi = "Mã bệnh", en = "Disease code" }

[[column]]
name = "ten_benh"
label = { vi = "Bệnh", en = "Disease" }

[[column]]
name = "thang"
label = { vi = "Tháng", en = "Month" }

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "so_mac"
label = { vi = "Số mắc", en = "Cases" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "so_chet"
label = { vi = "Số chết", en = "Deaths" }
unit = { vi = "ca tử vong", en = "deaths" }

[[column]]
name = "so_tiem_phong_dai"
label = { vi = "Số người tiêm phòng dại", en = "People vaccinated against rabies" }
unit = { vi = "người", en = "persons" }

[[check]]
name = "du_63_tinh"
title = { vi = "Mỗi bệnh, mỗi tháng có đủ 63 tỉnh", en = "Each disease and month has all 63 provinces" }
query = "SELECT benh, thang FROM bang GROUP BY benh, thang HAVING count(DISTINCT don_vi) <> 63"
action = "warn"

[[check]]
name = "khong_am"
title = { vi = "Không có số âm", en = "Nothing is negative" }
row = "so_mac >= 0 AND so_chet >= 0"
action = "refuse"
*/
SELECT
    b.benh,
    d.ten AS ten_benh,
    b.thang,
    b.don_vi,
    CASE WHEN d.mac_la_ca_benh THEN b.so_mac ELSE b.so_chet END AS so_mac,
    b.so_chet,
    CASE WHEN d.mac_la_ca_benh THEN NULL ELSE b.so_mac END AS so_tiem_phong_dai
FROM nguon.giam_sat_benh_thang AS b
JOIN danh_muc.benh_truyen_nhiem AS d ON d.ma = b.benh
