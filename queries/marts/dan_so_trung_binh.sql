/* toml
title = { vi = "Dân số trung bình", en = "Average population" }
description = { vi = "Dân số trung bình năm theo tỉnh, mẫu số của các chỉ tiêu: 2004–2016 và 2020. Không phải dân số đăng ký cư trú.", en = "Yearly average population by province, the denominator of indicators: 2004–2016 and 2020. Not the registered residents." }
grain = { vi = "Một đơn vị, một năm", en = "One unit and year" }
owner = { vi = "Cục Thống kê, Bộ Tài chính", en = "National Statistics Office" }
groups = [11]
sensitivity = "open"
source = { vi = "Tổng cục Thống kê: biểu điện tử 1995–2016; dân số trung bình 2020", en = "General Statistics Office: web tables 1995–2016; average population 2020" }
legal_basis = "Luật Thống kê 89/2015/QH13; Nghị định 102/2025/NĐ-CP, Điều 5.11"
caveats = [
    { vi = "Không có 2017–2019 và từ 2021: không nội suy, không dùng năm khác thay.", en = "There is no 2017–2019 nor anything after 2020: nothing is interpolated or borrowed." },
    { vi = "Số 2016 là sơ bộ.", en = "2016 is preliminary." },
    { vi = "Mã đọc theo danh sách ngày 31/12 của năm: đến 2007 Hà Nội và Hà Tây là hai đơn vị, từ 2008 là một. Trước 2004 không có khóa (Đắk Lắk, Cần Thơ, Lai Châu chưa tách).", en = "Codes are read with the list of 31 December of the year: until 2007 Ha Noi and Ha Tay are two units, from 2008 one. There are no keys before 2004 (Dak Lak, Can Tho, Lai Chau were not yet split)." },
    { vi = "Mê Linh (Vĩnh Phúc) và bốn xã của Hòa Bình về Hà Nội năm 2008 mà khóa của hai tỉnh không đổi: chuỗi của ba tỉnh gãy nhẹ ở 2008.", en = "Me Linh (Vinh Phuc) and four communes of Hoa Binh went to Ha Noi in 2008 while the keys of the two provinces stay: the three series have a small break in 2008." },
]

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "nam"
label = { vi = "Năm", en = "Year" }
unit = { vi = "năm", en = "year" }

[[column]]
name = "dan_so"
label = { vi = "Dân số trung bình", en = "Average population" }
unit = { vi = "người, bình quân năm", en = "persons, yearly average" }

[[column]]
name = "dan_so_nam_gioi"
label = { vi = "Trong đó nam giới", en = "Of which male" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dan_so_nu_gioi"
label = { vi = "Trong đó nữ giới", en = "Of which female" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dan_so_thanh_thi"
label = { vi = "Trong đó thành thị", en = "Of which urban" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "dan_so_nong_thon"
label = { vi = "Trong đó nông thôn", en = "Of which rural" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "so_bo"
label = { vi = "Số sơ bộ", en = "Preliminary" }

[[column]]
name = "nguon"
label = { vi = "Nguồn", en = "Source" }

[[check]]
name = "du_don_vi"
title = { vi = "Mỗi năm đủ số đơn vị: 64 đến 2007, 63 từ 2008", en = "Every year has all units: 64 until 2007, 63 from 2008" }
query = """
SELECT nam FROM bang GROUP BY nam HAVING count(*) <> CASE WHEN nam <= 2007 THEN 64 ELSE 63 END
"""
action = "refuse"

[[check]]
name = "nam_nu_cong_du"
title = { vi = "Nam cộng nữ bằng tổng (lệch không quá 0,5%)", en = "Male plus female equals the total (within 0.5%)" }
row = "abs(dan_so_nam_gioi + dan_so_nu_gioi - dan_so) * 200 <= dan_so"
action = "warn"
*/
-- Nguồn ghi nghìn người; ở đây là người.
WITH theo_nam AS (
    SELECT
        CASE
            WHEN dia_ban = 'Ha Tay' THEN don_vi('28', make_date(CAST(nam AS INT), 12, 31))
            ELSE don_vi(ma_don_vi(don_vi), make_date(CAST(nam AS INT), 12, 31))
        END AS don_vi,
        nam, muc, gia_tri * 1000 AS so_nguoi, so_bo
    FROM nguon.gso_y_te_tinh
    WHERE bieu = 'average_population' AND nam >= 2004 AND (cap = 'province' OR dia_ban = 'Ha Tay')
)
SELECT
    don_vi,
    nam,
    CAST(max(CASE WHEN muc = 'Total' THEN so_nguoi END) AS BIGINT) AS dan_so,
    CAST(max(CASE WHEN muc = 'Male' THEN so_nguoi END) AS BIGINT) AS dan_so_nam_gioi,
    CAST(max(CASE WHEN muc = 'Female' THEN so_nguoi END) AS BIGINT) AS dan_so_nu_gioi,
    CAST(max(CASE WHEN muc = 'Urban' THEN so_nguoi END) AS BIGINT) AS dan_so_thanh_thi,
    CAST(max(CASE WHEN muc = 'Rural' THEN so_nguoi END) AS BIGINT) AS dan_so_nong_thon,
    bool_or(so_bo) AS so_bo,
    'gso_bieu_dien_tu' AS nguon
FROM theo_nam
WHERE don_vi IS NOT NULL
GROUP BY don_vi, nam
UNION ALL
SELECT
    don_vi,
    CAST(2020 AS BIGINT),
    dan_so_trung_binh,
    CAST(NULL AS BIGINT),
    CAST(NULL AS BIGINT),
    CAST(NULL AS BIGINT),
    CAST(NULL AS BIGINT),
    false,
    'gso_2020'
FROM danh_muc.dan_so_trung_binh_2020
