//! What a number of so many digits can be, by its digits alone.

use super::super::pattern::PatternId;

/// Province codes in citizen identity numbers: the list of 63, which the merger of 2025 does not
/// change, with 028 of the former Hà Tây.
const PROVINCES: [bool; 100] = {
    let codes = [
        1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 28, 30, 31, 33, 34, 35,
        36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72,
        74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
    ];
    let mut table = [false; 100];
    let mut at = 0;
    while at < codes.len() {
        table[codes[at]] = true;
        at += 1;
    }
    table
};

/// Whether the twelve digits can be a citizen identity number by now: province of registration,
/// then sex and century, then year of birth (Circular 07/2016/TT-BCA, Điều 7). It has no check
/// digit.
pub(crate) fn citizen_id(digits: &[u8], this_year: i32) -> bool {
    if digits.len() != 12 || digits[0] != b'0' || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let value = |at: usize| i32::from(digits[at] - b'0');
    let born = 1900 + 100 * (value(3) / 2) + 10 * value(4) + value(5);
    let code = usize::from(digits[1] - b'0') * 10 + usize::from(digits[2] - b'0');
    PROVINCES[code] && born <= this_year
}

/// As [`citizen_id`], of a number that has lost the zeros in front.
pub(crate) fn citizen_id_without_zeros(digits: &[u8], this_year: i32) -> bool {
    if !matches!(digits.len(), 10 | 11) {
        return false;
    }
    let mut full = [b'0'; 12];
    full[12 - digits.len()..].copy_from_slice(digits);
    citizen_id(&full, this_year)
}

/// What a whole run of digits is, by its own shape.
pub(crate) fn certain(digits: &[u8], this_year: i32) -> Option<PatternId> {
    match digits {
        _ if citizen_id(digits, this_year) => Some(PatternId::Cccd),
        [b'0', b'3' | b'5' | b'7' | b'8' | b'9', rest @ ..] if rest.len() == 8 => {
            Some(PatternId::Mobile)
        }
        // Before 2018 numbers of mobile telephones had eleven digits.
        [b'0', b'1', b'2' | b'6' | b'8' | b'9', rest @ ..] if rest.len() == 8 => {
            Some(PatternId::Mobile)
        }
        [b'8', b'4', rest @ ..] | [b'0', b'0', b'8', b'4', rest @ ..] => international(rest),
        [b'0', b'2', rest @ ..] if rest.len() == 9 => Some(PatternId::Landline),
        _ if payment_card(digits) => Some(PatternId::PaymentCard),
        _ => None,
    }
}

fn international(national: &[u8]) -> Option<PatternId> {
    // With the zero of the national form left in.
    let national = national.strip_prefix(b"0").unwrap_or(national);
    match (national.first()?, national.len()) {
        (b'3' | b'5' | b'7' | b'8' | b'9', 9) => Some(PatternId::Mobile),
        (b'2', 10) => Some(PatternId::Landline),
        _ => None,
    }
}

/// A number of Napas, Visa, Mastercard or JCB whose last digit fits the others (ISO/IEC 7812-1).
fn payment_card(digits: &[u8]) -> bool {
    let issuer = |length: usize| -> u32 {
        digits[..length].iter().fold(0, |sum, digit| 10 * sum + u32::from(digit - b'0'))
    };
    let known = match digits.len() {
        16 => {
            matches!(issuer(4), 9704 | 4000..=4999 | 5100..=5599 | 2221..=2720 | 3528..=3589)
        }
        19 => issuer(4) == 9704,
        _ => return false,
    };
    known && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, u32::from(digit - b'0')) {
            (0, value) => value,
            (_, value) if value > 4 => 2 * value - 9,
            (_, value) => 2 * value,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the tenth digit is the check digit of a tax code (Circular 105/2020/TT-BTC).
pub(crate) fn tax_code(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];
    let sum: u32 =
        digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    digits.len() >= 10 && !sum.is_multiple_of(11) && 10 - sum % 11 == u32::from(digits[9] - b'0')
}

/// Whether the first digits may be those of an old identity card: a province's police, 01 to 38.
pub(crate) fn may_be_old_card(digits: &[u8]) -> bool {
    let place = 10 * (digits[0] - b'0') + (digits[1] - b'0');
    digits.len() == 9 && (1..=38).contains(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_tell_some_kinds() {
        for (digits, pattern) in [
            ("001203004567", Some(PatternId::Cccd)),
            ("003203004567", None),
            ("001603004567", None),
            ("0912345678", Some(PatternId::Mobile)),
            ("01263456789", Some(PatternId::Mobile)),
            ("84912345678", Some(PatternId::Mobile)),
            ("840912345678", Some(PatternId::Mobile)),
            ("0084912345678", Some(PatternId::Mobile)),
            ("02438261234", Some(PatternId::Landline)),
            ("9704000000000018", Some(PatternId::PaymentCard)),
            ("9704000000000019", None),
            ("4111111111111111", Some(PatternId::PaymentCard)),
            ("893110123456", None),
            ("202607150830", None),
        ] {
            assert_eq!(certain(digits.as_bytes(), 2026), pattern, "{digits}");
        }
        assert!(citizen_id_without_zeros(b"79203004567", 2026));
        assert!(citizen_id_without_zeros(b"1203004567", 2026));
        assert!(tax_code(b"0100109106") && !tax_code(b"0100109107"));
        assert!(may_be_old_card(b"024123456") && !may_be_old_card(b"912345678"));
    }
}
