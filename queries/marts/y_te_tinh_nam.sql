/* toml
title = { vi = "Nguồn lực và kết quả y tế theo tỉnh và năm", en = "Health resources and outcomes by province and year" }
description = { vi = "Giường, cơ sở, nhân lực, HIV/AIDS, tiêm chủng, tử vong trẻ em, sinh và chết theo tỉnh, 2004–2016. Ô trống là nguồn không có số, không phải 0.", en = "Beds, establishments, staff, HIV/AIDS, immunisation, child mortality, births and deaths by province, 2004–2016. An empty cell means no figure in the source, not 0." }
grain = { vi = "Một đơn vị, một năm", en = "One unit and year" }
owner = { vi = "Vụ Kế hoạch - Tài chính", en = "Department of Planning and Finance" }
groups = [10, 20, 24, 1, 12]
sensitivity = "open"
source = { vi = "Biểu điện tử của Tổng cục Thống kê, bản tải 21/9/2018", en = "Web tables of the General Statistics Office, copy of 21 September 2018" }
legal_basis = "Thông tư 23/2025/TT-BYT; Luật Thống kê 89/2015/QH13; Nghị định 102/2025/NĐ-CP, Điều 5.10, 5.20, 5.24"
caveats = [
    { vi = "Nhân lực chỉ gồm cơ sở do sở y tế quản lý.", en = "Staff are those of provincial health departments only." },
    { vi = "Nhân lực dược năm 2012 nguồn đánh dấu ** với phạm vi khác hẳn: để trống.", en = "Pharmaceutical staff of 2012 are marked ** in the source with a quite different scope: left empty." },
    { vi = "Giường 2004 và HIV/AIDS 2012: các tỉnh không cộng ra số cả nước của nguồn.", en = "Beds 2004 and HIV/AIDS 2012: provinces do not add up to the country figure of the source." },
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
name = "giuong_benh"
label = { vi = "Giường bệnh, kể cả trạm y tế", en = "Beds, commune stations included" }
unit = { vi = "giường", en = "beds" }

[[column]]
name = "giuong_tram_y_te"
label = { vi = "Giường trạm y tế", en = "Beds of commune stations" }
unit = { vi = "giường", en = "beds" }

[[column]]
name = "giuong_benh_vien"
label = { vi = "Giường bệnh viện", en = "Hospital beds" }
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
name = "co_so_tram_y_te"
label = { vi = "Trạm y tế", en = "Commune stations" }
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

[[column]]
name = "hiv_moi"
label = { vi = "Người nhiễm HIV mới phát hiện", en = "New HIV diagnoses" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "hiv_con_song"
label = { vi = "Người nhiễm HIV còn sống đến 31/12", en = "People living with HIV on 31 December" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "aids_tu_vong"
label = { vi = "Tử vong do AIDS", en = "AIDS deaths" }
unit = { vi = "người", en = "persons" }

[[column]]
name = "ty_le_tiem_chung_day_du"
label = { vi = "Tỷ lệ trẻ dưới 1 tuổi tiêm chủng đầy đủ", en = "Full immunisation under 1" }
unit = { vi = "%", en = "%" }

[[column]]
name = "ty_suat_chet_duoi_1_tuoi"
label = { vi = "Tỷ suất chết trẻ dưới 1 tuổi", en = "Infant mortality rate" }
unit = { vi = "‰ trẻ sinh sống", en = "per 1,000 live births" }

[[column]]
name = "ty_suat_chet_duoi_5_tuoi"
label = { vi = "Tỷ suất chết trẻ dưới 5 tuổi", en = "Under-five mortality rate" }
unit = { vi = "‰ trẻ sinh sống", en = "per 1,000 live births" }

[[column]]
name = "ty_suat_sinh_tho"
label = { vi = "Tỷ suất sinh thô", en = "Crude birth rate" }
unit = { vi = "‰", en = "per 1,000" }

[[column]]
name = "ty_suat_chet_tho"
label = { vi = "Tỷ suất chết thô", en = "Crude death rate" }
unit = { vi = "‰", en = "per 1,000" }

[[column]]
name = "tong_ty_suat_sinh"
label = { vi = "Tổng tỷ suất sinh", en = "Total fertility rate" }
unit = { vi = "con/phụ nữ", en = "children per woman" }

[[column]]
name = "ty_le_ngheo"
label = { vi = "Tỷ lệ hộ nghèo", en = "Poverty rate" }
unit = { vi = "%", en = "%" }

[[check]]
name = "giuong_tram_khong_qua_tong"
title = { vi = "Giường trạm y tế không vượt tổng số giường", en = "Station beds are at most all beds" }
row = "giuong_tram_y_te <= giuong_benh"
action = "warn"

[[check]]
name = "duoi_5_khong_thap_hon_duoi_1"
title = { vi = "Tỷ suất chết dưới 5 tuổi không thấp hơn dưới 1 tuổi", en = "Under-five mortality is not below infant mortality" }
row = "ty_suat_chet_duoi_5_tuoi >= ty_suat_chet_duoi_1_tuoi"
action = "warn"
*/
-- Năm 2016 nguồn đổi chỗ phòng khám đa khoa khu vực và bệnh viện điều dưỡng: ở đây đổi lại.
WITH theo_nam AS (
    SELECT
        CASE
            WHEN dia_ban = 'Ha Tay' THEN don_vi('28', make_date(CAST(nam AS INT), 12, 31))
            ELSE don_vi(ma_don_vi(don_vi), make_date(CAST(nam AS INT), 12, 31))
        END AS don_vi,
        nam, bieu, muc, gia_tri
    FROM nguon.gso_y_te_tinh
    WHERE bieu <> 'average_population' AND nam >= 2004 AND (cap = 'province' OR dia_ban = 'Ha Tay')
)
SELECT
    don_vi,
    nam,
    CAST(max(CASE WHEN bieu = 'beds' AND muc = 'Total' THEN gia_tri END) AS BIGINT) AS giuong_benh,
    CAST(max(CASE WHEN bieu = 'beds' AND muc = 'Medical service unit' THEN gia_tri END) AS BIGINT) AS giuong_tram_y_te,
    CAST(max(CASE WHEN bieu = 'beds' AND muc = 'Hospital' THEN gia_tri END) AS BIGINT) AS giuong_benh_vien,
    CAST(max(CASE WHEN bieu = 'establishments' AND muc = 'Total' THEN gia_tri END) AS BIGINT) AS co_so_y_te,
    CAST(max(CASE WHEN bieu = 'establishments' AND muc = 'Hospital' THEN gia_tri END) AS BIGINT) AS co_so_benh_vien,
    CAST(max(CASE WHEN bieu = 'establishments' AND muc = 'Medical service unit' THEN gia_tri END) AS BIGINT) AS co_so_tram_y_te,
    CAST(max(CASE
        WHEN bieu = 'establishments' AND nam <> 2016 AND muc = 'Regional polyclinic' THEN gia_tri
        WHEN bieu = 'establishments' AND nam = 2016 AND muc = 'Sanatorium and rehabilitation hospital' THEN gia_tri
    END) AS BIGINT) AS co_so_phong_kham_khu_vuc,
    CAST(max(CASE
        WHEN bieu = 'establishments' AND nam <> 2016 AND muc = 'Sanatorium and rehabilitation hospital' THEN gia_tri
        WHEN bieu = 'establishments' AND nam = 2016 AND muc = 'Regional polyclinic' THEN gia_tri
    END) AS BIGINT) AS co_so_dieu_duong,
    CAST(max(CASE WHEN bieu = 'medical_staff' AND muc = 'Doctor' THEN gia_tri END) AS BIGINT) AS bac_si,
    CAST(max(CASE WHEN bieu = 'medical_staff' AND muc = 'Physician' THEN gia_tri END) AS BIGINT) AS y_si,
    CAST(max(CASE WHEN bieu = 'medical_staff' AND muc = 'Nurse' THEN gia_tri END) AS BIGINT) AS dieu_duong,
    CAST(max(CASE WHEN bieu = 'medical_staff' AND muc = 'Midwife' THEN gia_tri END) AS BIGINT) AS ho_sinh,
    CAST(max(CASE WHEN bieu = 'pharmaceutical_staff' AND muc = 'Pharmacists of high degree' THEN gia_tri END) AS BIGINT) AS duoc_si_dai_hoc,
    CAST(max(CASE WHEN bieu = 'pharmaceutical_staff' AND muc = 'Pharmacists of middle degree' THEN gia_tri END) AS BIGINT) AS duoc_si_trung_hoc,
    CAST(max(CASE WHEN bieu = 'pharmaceutical_staff' AND muc = 'Assistant pharmacists' THEN gia_tri END) AS BIGINT) AS duoc_ta,
    CAST(max(CASE WHEN bieu = 'hiv_aids' AND muc = 'HIV infected people new case' THEN gia_tri END) AS BIGINT) AS hiv_moi,
    CAST(max(CASE WHEN bieu = 'hiv_aids' AND muc = 'HIV infected people alive accumulation as of Dec. 31' THEN gia_tri END) AS BIGINT) AS hiv_con_song,
    CAST(max(CASE WHEN bieu = 'hiv_aids' AND muc = 'Number of AIDS deaths' THEN gia_tri END) AS BIGINT) AS aids_tu_vong,
    max(CASE WHEN bieu = 'full_immunisation_under1_pct' AND muc = 'full_immunisation_under1_pct' THEN gia_tri END) AS ty_le_tiem_chung_day_du,
    max(CASE WHEN bieu = 'infant_mortality_rate' AND muc = 'infant_mortality_rate' THEN gia_tri END) AS ty_suat_chet_duoi_1_tuoi,
    max(CASE WHEN bieu = 'under5_mortality_rate' AND muc = 'under5_mortality_rate' THEN gia_tri END) AS ty_suat_chet_duoi_5_tuoi,
    max(CASE WHEN bieu = 'birth_death_natural_increase' AND muc = 'Crude birth rate' THEN gia_tri END) AS ty_suat_sinh_tho,
    max(CASE WHEN bieu = 'birth_death_natural_increase' AND muc = 'Crude death rate' THEN gia_tri END) AS ty_suat_chet_tho,
    max(CASE WHEN bieu = 'total_fertility_rate' AND muc = 'total_fertility_rate' THEN gia_tri END) AS tong_ty_suat_sinh,
    max(CASE WHEN bieu = 'poverty_rate' AND muc = 'poverty_rate' THEN gia_tri END) AS ty_le_ngheo
FROM theo_nam
WHERE don_vi IS NOT NULL
GROUP BY don_vi, nam
