//! Exact decimals: from the server's digits of base 10 000 to text.

use super::columns::{Bad, put};

/// Digits of base 10 000 before or behind the point: what is longer is no number of this field, and
/// ten bytes could ask for a hundred thousand.
const MOST_GROUPS: i32 = 250;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITE: u16 = 0xD000;
const MINUS_INFINITE: u16 = 0xF000;

/// Writes the number as text without idle zeros: `-12.5`, `0`, `NaN`, `Infinity`.
pub(super) fn write(field: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let Some((head, digits)) = field.split_first_chunk::<8>() else { return Err(Bad::WIDTH) };
    let short = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    // The digits that the declared scale shows, at 6, say nothing of the number.
    let (count, sign) = (usize::from(short(0)), short(4));
    let weight = i32::from(i16::from_be_bytes([head[2], head[3]]));
    if digits.len() != count * 2 {
        return Err(Bad::WIDTH);
    }
    match sign {
        POSITIVE | NEGATIVE => {}
        NOT_A_NUMBER => return put(b"NaN", out),
        INFINITE => return put(b"Infinity", out),
        MINUS_INFINITE => return put(b"-Infinity", out),
        _ => return Err(Bad::Bytes("a number's sign is unknown")),
    }
    let (digits, weight) = bare(digits, weight);
    if digits.is_empty() {
        return put(b"0", out);
    }
    let groups = digits.len() as i32;
    if weight >= MOST_GROUPS || groups - 1 - weight > MOST_GROUPS {
        return Err(Bad::Value("a number of more than 1000 digits"));
    }
    if sign == NEGATIVE {
        out.push(b'-');
    }
    let group = |at: i32| {
        let digit = usize::try_from(at).ok().and_then(|at| digits.get(at));
        digit.map_or(0, |digit| u16::from_be_bytes(*digit))
    };
    if digits.iter().any(|digit| u16::from_be_bytes(*digit) > 9_999) {
        return Err(Bad::Bytes("a number's digit is none"));
    }
    whole(weight, group, out);
    fraction(weight, groups, group, out);
    Ok(())
}

/// The digits without groups of zeros at both ends, and the weight of the first.
fn bare(digits: &[u8], mut weight: i32) -> (&[[u8; 2]], i32) {
    let (mut digits, _) = digits.as_chunks::<2>();
    while let [[0, 0], rest @ ..] = digits {
        digits = rest;
        weight -= 1;
    }
    while let [rest @ .., [0, 0]] = digits {
        digits = rest;
    }
    (digits, weight)
}

/// What is before the point.
fn whole(weight: i32, group: impl Fn(i32) -> u16, out: &mut Vec<u8>) {
    if weight < 0 {
        return out.push(b'0');
    }
    let first = four(group(0));
    let idle = first.iter().take(3).take_while(|digit| **digit == b'0').count();
    out.extend_from_slice(&first[idle..]);
    for at in 1..=weight {
        out.extend_from_slice(&four(group(at)));
    }
}

/// The point and what is behind it, where anything is.
fn fraction(weight: i32, groups: i32, group: impl Fn(i32) -> u16, out: &mut Vec<u8>) {
    if groups <= weight + 1 {
        return;
    }
    out.push(b'.');
    for at in weight + 1..groups {
        out.extend_from_slice(&four(group(at)));
    }
    // The last group is not zero: this ends behind the point.
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

fn four(group: u16) -> [u8; 4] {
    let digit = |of: u16| b'0' + (group / of % 10) as u8;
    [digit(1000), digit(100), digit(10), digit(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(weight: i16, sign: u16, digits: &[u16]) -> Result<String, Bad> {
        let mut field = Vec::new();
        field.extend((digits.len() as u16).to_be_bytes());
        field.extend(weight.to_be_bytes());
        field.extend(sign.to_be_bytes());
        field.extend([0, 0]);
        digits.iter().for_each(|digit| field.extend(digit.to_be_bytes()));
        let mut out = Vec::new();
        write(&field, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_number_is_written_without_idle_zeros() {
        assert_eq!(text(0, POSITIVE, &[]).unwrap(), "0");
        assert_eq!(text(0, NEGATIVE, &[0, 0]).unwrap(), "0");
        assert_eq!(text(0, NEGATIVE, &[12, 5000]).unwrap(), "-12.5");
        assert_eq!(text(1, POSITIVE, &[7]).unwrap(), "70000");
        assert_eq!(text(1, POSITIVE, &[0, 12, 0]).unwrap(), "12");
        assert_eq!(text(-2, POSITIVE, &[100]).unwrap(), "0.000001");
        assert_eq!(text(2, POSITIVE, &[1, 0, 3]).unwrap(), "100000003");
        assert_eq!(text(0, NOT_A_NUMBER, &[]).unwrap(), "NaN");
        assert_eq!(text(0, MINUS_INFINITE, &[]).unwrap(), "-Infinity");
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        assert!(matches!(text(0, 0x1234, &[1]), Err(Bad::Bytes(_))));
        assert!(matches!(text(0, POSITIVE, &[10_000]), Err(Bad::Bytes(_))));
        assert!(matches!(text(32_767, POSITIVE, &[1]), Err(Bad::Value(_))));
        assert!(matches!(text(-32_768, POSITIVE, &[1]), Err(Bad::Value(_))));
        assert!(write(&[0, 1, 0, 0, 0, 0, 0], &mut Vec::new()).is_err());
        assert!(write(&[0, 1, 0, 0, 0, 0, 0, 0, 1], &mut Vec::new()).is_err());
    }
}
