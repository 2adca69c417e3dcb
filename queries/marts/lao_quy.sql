/* toml
title = { vi = "Bệnh nhân lao phát hiện theo quý", en = "TB patients notified by quarter" }
description = { vi = "Số bệnh nhân lao phát hiện theo tỉnh, quý và loại, 2010–2015; Hà Tây cũ cộng vào Hà Nội.", en = "TB patients notified by province, quarter and type, 2010–2015; old Ha Tay is added to Ha Noi." }
grain = { vi = "Một tỉnh, một quý, một loại", en = "One province, quarter and type" }
owner = { vi = "Cục Phòng bệnh", en = "Department of Disease Prevention" }
groups = [1]
sensitivity = "internal"
source = { vi = "Chương trình Chống lao Quốc gia (gói dữ liệu ntpvn)", en = "National TB Programme (ntpvn data package)" }
legal_basis = "Nghị định 102/2025/NĐ-CP, Điều 5.1"
caveats = [
    { vi = "Không gồm Bệnh viện Phổi Trung ương: bệnh nhân của bệnh viện không gắn với tỉnh nào.", en = "Without the national TB hospital: its patients belong to no province." },
    { vi = "Tên các loại dịch từ tên cột tiếng Anh của gói dữ liệu; định nghĩa gốc của biểu chưa đối chiếu.", en = "Names of types follow the English columns of the package; the original form was not consulted." },
]

[[column]]
name = "don_vi"
label = { vi = "Đơn vị hành chính", en = "Administrative unit" }

[[column]]
name = "quy"
label = { vi = "Quý", en = "Quarter" }

[[column]]
name = "loai"
label = { vi = "Loại bệnh nhân lao", en = "Type of TB patient" }

[[column]]
name = "so_benh_nhan"
label = { vi = "Số bệnh nhân phát hiện", en = "Patients notified" }
unit = { vi = "bệnh nhân", en = "patients" }

[[check]]
name = "du_63_tinh"
title = { vi = "Mỗi quý, mỗi loại có đủ 63 tỉnh", en = "Each quarter and type has all 63 provinces" }
query = "SELECT quy, loai FROM bang GROUP BY quy, loai HAVING count(*) <> 63"
action = "warn"
*/
-- Hà Tây báo cáo riêng đến 2015 nhưng từ 01/8/2008 thuộc Hà Nội: cộng vào đơn vị kế thừa của nó.
WITH dia_ban AS (
    SELECT
        CASE
            WHEN don_vi_bao_cao = 'Ha Tay' THEN don_vi_tai(
                don_vi('28', DATE '2008-07-31'), make_date(CAST(nam AS INT), 1, 1)
            )
            ELSE don_vi
        END AS don_vi,
        make_date(CAST(nam AS INT), CAST(3 * quy - 2 AS INT), 1) AS quy,
        ngoai_phoi, phoi_am_tinh, am_tinh_ngoai_phoi, duong_tinh_moi,
        duong_tinh_tai_phat, duong_tinh_that_bai, duong_tinh_dieu_tri_lai, duong_tinh_khac
    FROM nguon.lao_quy
),
theo_loai AS (
    SELECT don_vi, quy, 'Lao ngoài phổi' AS loai, ngoai_phoi AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'Lao phổi AFB âm tính' AS loai, phoi_am_tinh AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'AFB âm tính và ngoài phổi (như nguồn ghi)' AS loai, am_tinh_ngoai_phoi AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'Lao phổi AFB dương tính mới' AS loai, duong_tinh_moi AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'AFB dương tính tái phát' AS loai, duong_tinh_tai_phat AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'AFB dương tính thất bại' AS loai, duong_tinh_that_bai AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'AFB dương tính điều trị lại sau bỏ trị' AS loai, duong_tinh_dieu_tri_lai AS so FROM dia_ban
    UNION ALL
    SELECT don_vi, quy, 'AFB dương tính khác' AS loai, duong_tinh_khac AS so FROM dia_ban
)
SELECT don_vi, quy, loai, CAST(sum(so) AS BIGINT) AS so_benh_nhan
FROM theo_loai
WHERE don_vi IS NOT NULL
GROUP BY don_vi, quy, loai
