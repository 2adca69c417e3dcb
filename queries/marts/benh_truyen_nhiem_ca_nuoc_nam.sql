/* toml
title = { vi = "Bệnh truyền nhiễm cả nước theo năm 1980–2017", en = "Notifiable diseases of the country by year 1980–2017" }
description = { vi = "Tổng cả nước của các địa bàn có báo cáo. Trước 2008 danh sách tỉnh đổi nhiều lần và không có mã, nên chỉ cộng được cả nước.", en = "Sum over the places that reported. Before 2008 the list of provinces changed often and had no codes, so only the country can be added up." }
grain = { vi = "Một bệnh, một năm", en = "One disease and year" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Niên giám thống kê bệnh truyền nhiễm 1980–2017", en = "Communicable-disease yearbooks 1980–2017" }
legal_basis = "Luật Phòng, chống bệnh truyền nhiễm 03/2007/QH12; Nghị định 102/2025/NĐ-CP, Điều 5.1"
caveats = [
    { vi = "Bệnh dại: sổ gốc đếm người tiêm phòng sau phơi nhiễm ở cột số mắc. Ở đây so_mac của bệnh dại là số chết (mỗi ca bệnh dại là một ca tử vong), còn số người tiêm ở so_tiem_phong_dai.", en = "Rabies: the source counts people vaccinated after exposure under cases. Here so_mac of rabies is the deaths (each case is a death), and the people vaccinated are in so_tiem_phong_dai." },
    { vi = "Dòng bại liệt là liệt mềm cấp nghi bại liệt (suy luận, xem danh_muc.benh_truyen_nhiem).", en = "The polio row is acute flaccid paralysis (an inference, see danh_muc.benh_truyen_nhiem)." },
    { vi = "Năm cũ thiếu nhiều báo cáo: xem so_dia_ban và so_o_bao_cao trước khi so sánh.", en = "Early years miss many reports: look at so_dia_ban and so_o_bao_cao before comparing." },
    { vi = "Không mở: lấy tổng cả nước trừ các tỉnh đã công bố sẽ lộ ô dưới 5 ca.", en = "Not open: the country total less the published provinces would reveal cells below 5." },
]

[[column]]
name = "benh"
label = { vi = "Mã bệnh", en = "Disease code" }

[[column]]
name = "ten_benh"
label = { vi = "Bệnh", en = "Disease" }

[[column]]
name = "nam"
label = { vi = "Năm", en = "Year" }
unit = { vi = "năm", en = "year" }

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

[[column]]
name = "so_dia_ban"
label = { vi = "Số địa bàn có báo cáo", en = "Places that reported" }
unit = { vi = "địa bàn", en = "places" }

[[column]]
name = "so_o_bao_cao"
label = { vi = "Số ô tháng - địa bàn có số mắc", en = "Month-place cells with cases given" }
unit = { vi = "ô", en = "cells" }
*/
SELECT
    b.benh,
    d.ten AS ten_benh,
    CAST(date_part('year', b.thang) AS BIGINT) AS nam,
    CAST(sum(CASE WHEN d.mac_la_ca_benh THEN b.so_mac ELSE b.so_chet END) AS BIGINT) AS so_mac,
    CAST(sum(b.so_chet) AS BIGINT) AS so_chet,
    CAST(sum(CASE WHEN d.mac_la_ca_benh THEN NULL ELSE b.so_mac END) AS BIGINT)
        AS so_tiem_phong_dai,
    count(DISTINCT b.dia_ban) AS so_dia_ban,
    count(b.so_mac) AS so_o_bao_cao
FROM nguon.giam_sat_benh_thang_1980_2017 AS b
JOIN danh_muc.benh_truyen_nhiem AS d ON d.ma = b.benh
GROUP BY b.benh, d.ten, date_part('year', b.thang)
