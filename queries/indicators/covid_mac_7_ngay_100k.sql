/* toml
title = { vi = "Ca COVID-19 mới trong 7 ngày trên 100.000 dân", en = "New COVID-19 cases in 7 days per 100,000 people" }
description = { vi = "Ca mắc mới công bố trong 7 ngày đến hết ngày đó chia cho dân số trung bình 2020, từ 03/5/2021 (đủ cửa sổ) đến 25/10/2021.", en = "New cases announced in the 7 days up to the day over the average population of 2020, from 3 May 2021 (full window) to 25 October 2021." }
grain = { vi = "Một tỉnh, một ngày", en = "One province and day" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "open"
source = { vi = "VnExpress; dân số trung bình 2020 của Tổng cục Thống kê", en = "VnExpress; average population 2020 of the General Statistics Office" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.1"
caveats = [
    { vi = "Mẫu số là dân số 2020 cho năm 2021.", en = "The denominator is the population of 2020 for 2021." },
    { vi = "Cao Bằng không có trong nguồn; mẫu số cả nước ở đây là 62 tỉnh.", en = "Cao Bang is not in the source; the country here is 62 provinces." },
    { vi = "Ngày công bố, không phải ngày mắc.", en = "Day of announcement, not of infection." },
]

[indicator]
unit = { vi = "ca/100.000 dân", en = "cases per 100,000 people" }
numerator = { vi = "Ca mắc mới trong 7 ngày", en = "New cases in 7 days" }
denominator = { vi = "Dân số trung bình năm 2020", en = "Average population of 2020" }
factor = 100000
period = "day"
higher_is_better = false
digits = 1
*/
SELECT
    c.don_vi,
    c.ngay AS ky,
    c.so_mac_moi_7_ngay AS tu_so,
    p.dan_so AS mau_so
FROM kho.covid_ngay AS c
JOIN kho.dan_so_trung_binh AS p ON p.don_vi = c.don_vi AND p.nam = 2020
WHERE c.so_ngay_cua_so = 7
