/* toml
title = { vi = "COVID-19 theo tỉnh và ngày", en = "COVID-19 by province and day" }
description = { vi = "Ca mắc mới công bố và tổng trượt 7 ngày, 27/4–25/10/2021.", en = "New cases announced and a 7-day running sum, 27 April – 25 October 2021." }
grain = { vi = "Một tỉnh, một ngày", en = "One province and day" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "open"
source = { vi = "VnExpress, dẫn lại ở letung3105/coviddata", en = "VnExpress, in letung3105/coviddata" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.1"
caveats = [
    { vi = "Cao Bằng không có dòng nào: nguồn không ghi ca nào ở đó.", en = "Cao Bang has no rows: the source records no case there." },
    { vi = "Ngày là ngày công bố, không phải ngày khởi phát; có ngày dồn số.", en = "The day is that of announcement, not of onset; some days carry backlogs." },
]

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "ngay"
label = { vi = "Ngày", en = "Day" }

[[column]]
name = "so_mac_moi"
label = { vi = "Số ca mắc mới", en = "New cases" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "so_mac_moi_7_ngay"
label = { vi = "Số ca mắc mới trong 7 ngày đến hết ngày này", en = "New cases in the 7 days up to this day" }
unit = { vi = "ca", en = "cases" }

[[column]]
name = "so_ngay_cua_so"
label = { vi = "Số ngày có trong cửa sổ", en = "Days in the window" }
unit = { vi = "ngày", en = "days" }
*/
SELECT
    don_vi,
    ngay,
    so_mac_moi,
    CAST(sum(so_mac_moi) OVER cua_so AS BIGINT) AS so_mac_moi_7_ngay,
    count(*) OVER cua_so AS so_ngay_cua_so
FROM nguon.covid_tinh_ngay
WINDOW cua_so AS (PARTITION BY don_vi ORDER BY ngay ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
