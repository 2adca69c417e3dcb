//! The tables of the standard: which elements of a document hold their records.
//!
//! The names are those of Decisions 130 and 4750. Senders of the older 4210 leave out the outermost
//! element; that and other wrappings are tolerated, see [`super::records`].

/// One table of the standard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Its number; `LOAIHOSO` is `XML` and this.
    pub(super) number: u8,
    /// From the outermost element of its document to the record.
    pub(super) path: &'static [&'static str],
}

impl Table {
    /// The element that is a record.
    pub(super) fn record(&self) -> &'static str {
        self.path.last().copied().unwrap_or_default()
    }

    /// Whether a document holds one record at most, which is its outermost element.
    pub(super) fn is_single(&self) -> bool {
        self.path.len() == 1
    }

    /// The table of that number.
    pub(super) fn numbered(number: u8) -> Option<&'static Self> {
        TABLES.get(usize::from(number))
    }

    /// The table whose document begins with that element.
    pub(super) fn beginning(root: &[u8]) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.path.iter().any(|name| name.as_bytes() == root))
    }
}

/// By number.
static TABLES: [Table; 16] = [
    Table {
        number: 0,
        path: &["CHI_TIEU_TRANG_THAI_KCB", "DSACH_TRANG_THAI_KCB", "TRANG_THAI_KCB"],
    },
    Table { number: 1, path: &["TONG_HOP"] },
    Table { number: 2, path: &["CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", "CHI_TIET_THUOC"] },
    Table {
        number: 3,
        path: &["CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", "CHI_TIET_DVKT"],
    },
    Table {
        number: 4,
        path: &["CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", "CHI_TIET_CLS"],
    },
    Table {
        number: 5,
        path: &[
            "CHITIEU_CHITIET_DIENBIENLAMSANG",
            "DSACH_CHI_TIET_DIEN_BIEN_BENH",
            "CHI_TIET_DIEN_BIEN_BENH",
        ],
    },
    Table {
        number: 6,
        path: &[
            "CHI_TIEU_HO_SO_BENH_AN_CHAM_SOC_VA_DIEU_TRI_HIV_AIDS",
            "DSACH_HO_SO_BENH_AN_CHAM_SOC_VA_DIEU_TRI_HIV_AIDS",
            "HO_SO_BENH_AN_CHAM_SOC_VA_DIEU_TRI_HIV_AIDS",
        ],
    },
    Table { number: 7, path: &["CHI_TIEU_DU_LIEU_GIAY_RA_VIEN"] },
    Table { number: 8, path: &["CHI_TIEU_DU_LIEU_TOM_TAT_HO_SO_BENH_AN"] },
    Table {
        number: 9,
        path: &[
            "CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH",
            "DSACH_GIAYCHUNGSINH",
            "DU_LIEU_GIAY_CHUNG_SINH",
        ],
    },
    Table { number: 10, path: &["CHI_TIEU_DU_LIEU_GIAY_NGHI_DUONG_THAI"] },
    Table {
        number: 11,
        path: &["CHI_TIEU_DU_LIEU_GIAY_CHUNG_NHAN_NGHI_VIEC_HUONG_BAO_HIEM_XA_HOI"],
    },
    // Typed into the portal by medical-assessment councils; files of it are rare.
    Table {
        number: 12,
        path: &["CHI_TIEU_DU_LIEU_GIAM_DINH_Y_KHOA", "DSACH_GIAM_DINH_Y_KHOA", "GIAM_DINH_Y_KHOA"],
    },
    Table { number: 13, path: &["CHI_TIEU_GIAYCHUYENTUYEN"] },
    Table { number: 14, path: &["CHI_TIEU_GIAYHEN_KHAMLAI"] },
    Table {
        number: 15,
        path: &[
            "CHI_TIEU_DIEUTRI_BENHLAO",
            "DSACH_CHITIET_DIEUTRI_BENHLAO",
            "CHITIET_DIEUTRI_BENHLAO",
        ],
    },
];
