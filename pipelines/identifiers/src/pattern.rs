//! The kinds of identifiers, their names and what a hit asks for.

use std::fmt;
use std::str::FromStr;

/// A kind of identifier that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PatternId {
    /// Citizen identity (personal identification) number, 12 digits (Decree 137/2015, Điều 13).
    Cccd,
    /// Old identity card, 9 digits.
    Cmnd,
    /// Passport.
    Passport,
    /// Health-insurance card of 15 characters (Decision 1351/QĐ-BHXH).
    BhytCard15,
    /// Social-insurance number of 10 digits (Decision 1666/QĐ-BHXH).
    Bhxh10,
    /// Temporary card of a newborn.
    TempCard,
    /// Mobile telephone.
    Mobile,
    /// Telephone with an area code.
    Landline,
    /// Electronic mail address.
    Email,
    /// Full date of birth.
    BirthDate,
    /// A person's full name.
    PersonName,
    /// An address below the commune.
    Address,
    /// Number of an episode, a record or a patient.
    EpisodeOrRecord,
    /// Practice certificate of a health worker.
    Practitioner,
    /// A point finer than about 100 metres.
    Gps,
    /// A long number that a spreadsheet has spoilt, or that cannot be a number.
    DamagedNumber,
    /// Driving licence.
    DrivingLicence,
    /// Tax code, 10 or 13 digits (Circular 105/2020/TT-BTC).
    TaxCode,
    /// Bank account.
    BankAccount,
    /// Bank or credit card.
    PaymentCard,
    /// Number of an officer of the army or the police.
    Officer,
    /// Household book or birth certificate.
    CivilPaper,
    /// Number plate of a vehicle.
    Plate,
    /// Name in a social network or a messenger.
    SocialAccount,
}

/// What a hit asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Is counted and shown: facilities have telephones and coordinates too.
    Warn,
    /// The row is refused; many of them refuse the batch.
    Block,
}

impl PatternId {
    /// All patterns, in the order of their numbers.
    pub const ALL: [Self; 24] = [
        Self::Cccd,
        Self::Cmnd,
        Self::Passport,
        Self::BhytCard15,
        Self::Bhxh10,
        Self::TempCard,
        Self::Mobile,
        Self::Landline,
        Self::Email,
        Self::BirthDate,
        Self::PersonName,
        Self::Address,
        Self::EpisodeOrRecord,
        Self::Practitioner,
        Self::Gps,
        Self::DamagedNumber,
        Self::DrivingLicence,
        Self::TaxCode,
        Self::BankAccount,
        Self::PaymentCard,
        Self::Officer,
        Self::CivilPaper,
        Self::Plate,
        Self::SocialAccount,
    ];

    /// The word that `allow_patterns` uses.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// What it is, with its article, for a sentence.
    pub fn noun(self) -> &'static str {
        self.words().1
    }

    /// The same in Vietnamese, for pages.
    pub fn noun_vi(self) -> &'static str {
        self.words().2
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Cccd => ("cccd", "a citizen identity number", "số định danh cá nhân (CCCD)"),
            Self::Cmnd => ("cmnd", "an old identity card number", "số chứng minh nhân dân"),
            Self::Passport => ("passport", "a passport number", "số hộ chiếu"),
            Self::BhytCard15 => {
                ("bhyt_card15", "a health-insurance card number", "mã thẻ bảo hiểm y tế")
            }
            Self::Bhxh10 => ("bhxh10", "a social-insurance number", "mã số bảo hiểm xã hội"),
            Self::TempCard => {
                ("temp_card", "a newborn's temporary card number", "mã thẻ tạm của trẻ sơ sinh")
            }
            Self::Mobile => ("mobile", "a mobile telephone number", "số điện thoại di động"),
            Self::Landline => ("landline", "a telephone number", "số điện thoại"),
            Self::Email => ("email", "an e-mail address", "địa chỉ thư điện tử"),
            Self::BirthDate => ("birth_date", "a full date of birth", "ngày sinh đầy đủ"),
            Self::PersonName => ("person_name", "a person's name", "họ tên người"),
            Self::Address => ("address", "a house-level address", "địa chỉ nơi ở"),
            Self::EpisodeOrRecord => {
                ("episode_or_record", "an episode or record number", "mã đợt điều trị hoặc hồ sơ")
            }
            Self::Practitioner => {
                ("practitioner", "a practice certificate number", "số chứng chỉ hành nghề")
            }
            Self::Gps => ("gps", "a point on the map", "tọa độ"),
            Self::DamagedNumber => (
                "damaged_number",
                "a long number that a spreadsheet has spoilt",
                "số dài bị bảng tính làm hỏng",
            ),
            Self::DrivingLicence => {
                ("driving_licence", "a driving licence number", "số giấy phép lái xe")
            }
            Self::TaxCode => ("tax_code", "a tax code", "mã số thuế"),
            Self::BankAccount => {
                ("bank_account", "a bank account number", "số tài khoản ngân hàng")
            }
            Self::PaymentCard => ("payment_card", "a payment card number", "số thẻ thanh toán"),
            Self::Officer => (
                "officer",
                "a number of an officer of the army or police",
                "số hiệu sĩ quan, công an",
            ),
            Self::CivilPaper => (
                "civil_paper",
                "a number of a household book or birth certificate",
                "số hộ khẩu hoặc giấy khai sinh",
            ),
            Self::Plate => ("plate", "a vehicle's number plate", "biển số xe"),
            Self::SocialAccount => {
                ("social_account", "a name in a social network", "tài khoản mạng xã hội")
            }
        }
    }

    /// What a hit in one cell asks for.
    pub fn severity(self) -> Severity {
        match self {
            Self::Gps => Severity::Warn,
            _ => Severity::Block,
        }
    }

    pub(crate) fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word in `allow_patterns` that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no identifier pattern `{0}`")]
pub struct ScanError(pub String);

impl FromStr for PatternId {
    type Err = ScanError;

    fn from_str(word: &str) -> Result<Self, ScanError> {
        Self::ALL
            .into_iter()
            .find(|pattern| pattern.as_str() == word)
            .ok_or_else(|| ScanError(word.to_owned()))
    }
}
