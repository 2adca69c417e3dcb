//! The words that name things across SQL, declarations, logs and pages, as types of their own,
//! so that an indicator's name cannot be handed over where a table's is wanted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language of the product. Vietnamese comes first everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Lang {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// The language's code as HTML and metadata write it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// A text in both languages; neither may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl Text {
    /// A text from its two versions.
    pub fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self { vi: vi.into(), en: en.into() }
    }

    /// The version in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }
}

/// The schemas of the lake; there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Schema {
    /// `nguon`: sources as they came, de-identified.
    Nguon,
    /// `han_che`: sources that a closed list of readers may see, de-identified.
    HanChe,
    /// `danh_muc`: reference data with validity dates.
    DanhMuc,
    /// `kho`: marts.
    Kho,
    /// `chi_tieu`: indicators.
    ChiTieu,
    /// `mo`: what is released as open data.
    Mo,
    /// `he_thong`: what the product knows about itself.
    HeThong,
}

impl Schema {
    /// All schemas, in the order in which the catalogue shows them.
    pub const ALL: [Self; 7] = [
        Self::ChiTieu,
        Self::Kho,
        Self::DanhMuc,
        Self::Nguon,
        Self::HanChe,
        Self::Mo,
        Self::HeThong,
    ];

    /// The name as SQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nguon => "nguon",
            Self::HanChe => "han_che",
            Self::DanhMuc => "danh_muc",
            Self::Kho => "kho",
            Self::ChiTieu => "chi_tieu",
            Self::Mo => "mo",
            Self::HeThong => "he_thong",
        }
    }
}

impl FromStr for Schema {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL
            .into_iter()
            .find(|schema| schema.as_str() == text)
            .ok_or_else(|| NameError::UnknownSchema(text.to_owned()))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text does not name anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not one of the lake's schemas.
    #[error(
        "there is no schema `{0}`; the schemas are nguon, danh_muc, kho, chi_tieu, mo, he_thong"
    )]
    UnknownSchema(String),
    /// Not of the form `schema.table`.
    #[error("`{0}` is not of the form schema.table")]
    NotQualified(String),
    /// Not unaccented snake case.
    #[error("`{0}` is not a name: use a-z, 0-9 and _, beginning with a letter")]
    NotAName(String),
}

/// Whether `text` is unaccented snake case, at most 63 characters (PostgreSQL's limit).
pub fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A table of the lake, always with its schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    schema: Schema,
    name: String,
}

impl TableName {
    /// Names the table `name` of `schema`.
    ///
    /// # Errors
    /// When `name` is not unaccented snake case.
    pub fn new(schema: Schema, name: &str) -> Result<Self, NameError> {
        if !is_name(name) {
            return Err(NameError::NotAName(name.to_owned()));
        }
        Ok(Self { schema, name: name.to_owned() })
    }

    /// Its schema.
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// Its name inside the schema.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for TableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (schema, name) =
            text.split_once('.').ok_or_else(|| NameError::NotQualified(text.to_owned()))?;
        Self::new(schema.parse()?, name)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// One of the 24 groups of health information in Điều 5 of Decree 102/2025/NĐ-CP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(u8);

impl Group {
    /// Group `number` of Điều 5, if there is one.
    pub fn new(number: u8) -> Option<Self> {
        (1..=24).contains(&number).then_some(Self(number))
    }

    /// The item's number in Điều 5.
    pub fn number(self) -> u8 {
        self.0
    }

    /// All groups, in the decree's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=24).map(Self)
    }

    /// What the group is called; the Vietnamese is the decree's own wording.
    pub fn title(self) -> Text {
        let (vi, en) = GROUP_TITLES[usize::from(self.0) - 1];
        Text::new(vi, en)
    }
}

const GROUP_TITLES: [(&str, &str); 24] = [
    ("Y tế dự phòng", "Preventive medicine"),
    ("Bảo vệ môi trường trong lĩnh vực y tế", "Environmental protection in health"),
    ("Khám bệnh, chữa bệnh, phục hồi chức năng", "Examination, treatment, rehabilitation"),
    ("Giám định y khoa, pháp y, pháp y tâm thần", "Medical assessment and forensic medicine"),
    ("Y, dược cổ truyền", "Traditional medicine and pharmacy"),
    ("Dược", "Pharmaceuticals"),
    ("Mỹ phẩm", "Cosmetics"),
    (
        "An toàn thực phẩm thuộc phạm vi quản lý của ngành y tế",
        "Food safety under the health sector",
    ),
    ("Thiết bị y tế", "Medical devices"),
    ("Cơ sở hạ tầng y tế", "Health infrastructure"),
    ("Dân số", "Population"),
    ("Sức khỏe bà mẹ - trẻ em, sức khỏe sinh sản", "Maternal, child and reproductive health"),
    ("Bảo hiểm y tế", "Health insurance"),
    ("Truyền thông, giáo dục sức khỏe", "Health communication and education"),
    ("Khoa học, công nghệ trong lĩnh vực y tế", "Health science and technology"),
    ("Hợp tác quốc tế trong y tế", "International cooperation in health"),
    (
        "Ứng dụng công nghệ thông tin, chuyển đổi số y tế",
        "Information technology and digital health",
    ),
    ("Tài chính y tế", "Health finance"),
    ("Thanh tra y tế", "Health inspection"),
    ("Nhân lực y tế", "Health workforce"),
    ("Đào tạo nhân lực y tế", "Health workforce training"),
    ("Thủ tục hành chính trong ngành y tế", "Administrative procedures in health"),
    (
        "Văn bản pháp quy, văn bản quản lý, điều hành trong ngành y tế",
        "Legal and administrative documents",
    ),
    ("Các cơ sở y tế", "Health facilities"),
];

/// How sensitive a column, table or source is (Điều 9 of the decree), least first: whoever may
/// read one class may read those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Anyone may have it.
    Open,
    /// For the bodies of the health sector.
    Internal,
    /// Business secrets of facilities and firms.
    Business,
    /// About single persons, though pseudonymised.
    Personal,
    /// About families: reproduction, mothers and children.
    Family,
    /// A closed list of readers by law: HIV, infertility.
    Restricted,
}

impl Sensitivity {
    /// All classes, least sensitive first.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Internal,
        Self::Business,
        Self::Personal,
        Self::Family,
        Self::Restricted,
    ];

    /// The word that declarations use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Internal => "internal",
            Self::Business => "business",
            Self::Personal => "personal",
            Self::Family => "family",
            Self::Restricted => "restricted",
        }
    }

    /// What pages call it.
    pub fn title(self) -> Text {
        let (vi, en) = match self {
            Self::Open => ("Mở", "Open"),
            Self::Internal => ("Nội bộ", "Internal"),
            Self::Business => ("Bí mật kinh doanh", "Business secret"),
            Self::Personal => ("Cá nhân", "Personal"),
            Self::Family => ("Gia đình", "Family"),
            Self::Restricted => ("Hạn chế", "Restricted"),
        };
        Text::new(vi, en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_needs_a_known_schema_and_a_plain_name() {
        assert_eq!(
            "kho.sot_xuat_huyet".parse::<TableName>().map(|n| n.to_string()).as_deref(),
            Ok("kho.sot_xuat_huyet")
        );
        assert_eq!("bang".parse::<TableName>(), Err(NameError::NotQualified("bang".into())));
        assert!(matches!("kho.Bảng".parse::<TableName>(), Err(NameError::NotAName(_))));
        assert!(matches!("public.x".parse::<TableName>(), Err(NameError::UnknownSchema(_))));
    }
}
