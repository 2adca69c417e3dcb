//! Text that was written in an old encoding of Vietnamese and read as if it were Windows-1252, and
//! text typed without its letters.
//!
//! A scan does not have to choose: what may be in an old encoding is read in each of them, beside
//! the text as it stands, and any reading may show an identifier. Digits and plain letters are the
//! same in all; names and the words before a number are not. The tables are facts of TCVN 5712:1993
//! (VN3), of VNI's fonts and of VISCII (RFC 1456), checked against glibc's.

use unicode_normalization::UnicodeNormalization;

use super::letters::parts;

/// VN3 from 0xA0 on; a dot where it has no letter.
const TCVN3: &str = "\u{a0}ĂÂÊÔƠƯĐăâêôơưđ.\
    .....àảãáạ.ằẳẵắ.\
    ......ặầẩẫấậè.ẻẽ\
    éẹềểễếệìỉ...ĩíịò\
    .ỏõóọồổỗốộờởỡớợù\
    .ủũúụừửữứựỳỷỹýỵ.";

/// VISCII from 0x80 on.
const VISCII: &str = "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ\
    ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ";

/// What VNI writes as one character, small; capitals are 0x20 lower.
const VNI_LETTERS: [(char, char); 9] = [
    ('æ', 'ỉ'),
    ('ì', 'ì'),
    ('í', 'í'),
    ('î', 'ỵ'),
    ('ñ', 'đ'),
    ('ò', 'ị'),
    ('ó', 'ĩ'),
    ('ô', 'ơ'),
    ('ö', 'ư'),
];
/// VNI's marks, small, and the combining marks that they are.
const VNI_MARKS: [(char, &str); 17] = [
    ('ù', "\u{301}"),
    ('ø', "\u{300}"),
    ('û', "\u{309}"),
    ('õ', "\u{303}"),
    ('ï', "\u{323}"),
    ('á', "\u{302}\u{301}"),
    ('à', "\u{302}\u{300}"),
    ('å', "\u{302}\u{309}"),
    ('ã', "\u{302}\u{303}"),
    ('ä', "\u{302}\u{323}"),
    ('é', "\u{306}\u{301}"),
    ('è', "\u{306}\u{300}"),
    ('ú', "\u{306}\u{309}"),
    ('ü', "\u{306}\u{303}"),
    ('ë', "\u{306}\u{323}"),
    ('â', "\u{302}"),
    ('ê', "\u{306}"),
];

/// Windows-1252 from 0x80 to 0x9F; a dot where it has nothing.
const WINDOWS: &str = "€.‚ƒ„…†‡ˆ‰Š‹Œ.Ž..‘’“”•–—˜™š›œ.žŸ";

/// The byte of Windows-1252 that shows as `c`.
fn byte_of(c: char) -> Option<u8> {
    if let Some(at) = WINDOWS.chars().position(|one| one == c && c != '.') {
        return u8::try_from(0x80 + at).ok();
    }
    u8::try_from(u32::from(c)).ok()
}

/// The text in every old encoding that it may be in.
pub(crate) fn readings(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut add = |reading: String| {
        if reading != text && !all.contains(&reading) {
            all.push(reading);
        }
    };
    let mixed = is_other(text);
    if mixed || text.chars().any(is_certain_tcvn3) {
        add(by_token(text, |token| shifted(token, 0xa0, TCVN3)));
    }
    if mixed {
        add(by_token(text, vni));
    }
    if text.chars().any(|c| matches!(byte_of(c), Some(0x80..=0x9f))) || text.contains('ð') {
        add(by_token(text, |token| shifted(token, 0x80, VISCII)));
    }
    all
}

/// Signs and letters of Latin-1 that are letters in VN3, and none of Vietnamese in Unicode.
fn is_certain_tcvn3(c: char) -> bool {
    const LETTERS: &str = "\u{ad}¨©ª«¬®µ¶·¸¹»¼½¾ÆÇËÎÏÐÑÖ×ØÜÞßäåæçëîïñö÷øûüþ";
    !c.is_ascii() && LETTERS.contains(c)
}

/// Whether there is a letter, or two together, that no Vietnamese in Unicode has: `ø`, `aù`, `iÕ`.
/// `oà` is in `hoà`.
fn is_other(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        if "øûïåäëüöñæØÛÏÅÄËÜÖÑÆ".contains(c) {
            return true;
        }
        if before.is_lowercase() && c.is_uppercase() && !c.is_ascii() {
            return true;
        }
        let last = before.to_ascii_lowercase();
        let mark = !c.is_ascii() && "ùõáàãéèúâêÙÕÁÀÃÉÈÚÂÊ".contains(c);
        let vowels = match last {
            'a' | 'e' => true,
            'o' => !"áàãéèÁÀÃÉÈ".contains(c),
            'u' => "ùõúÙÕÚ".contains(c),
            'y' => "ùõÙÕ".contains(c),
            'ô' | 'ö' => true,
            _ => false,
        };
        if mark && vowels {
            return true;
        }
        before = c;
    }
    false
}

/// UTF-8 that was read as Windows-1252, wherever there is some.
pub(crate) fn read_twice(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut bytes: Vec<u8> = Vec::new();
    let mut shown: Vec<char> = Vec::new();
    let mut changed = false;
    for c in text.nfc().chain([' ']) {
        if let Some(byte) = byte_of(c).filter(|byte| *byte >= 0x80) {
            bytes.push(byte);
            shown.push(c);
            continue;
        }
        let mut from = 0;
        while from < bytes.len() {
            let length = [2, 3, 4].into_iter().find(|length| {
                let some = bytes.get(from..from + length);
                some.is_some_and(|some| std::str::from_utf8(some).is_ok())
            });
            match length.and_then(|length| std::str::from_utf8(&bytes[from..from + length]).ok()) {
                Some(once) => {
                    out.push_str(once);
                    changed = true;
                    from += once.len();
                }
                None => {
                    out.push(shown[from]);
                    from += 1;
                }
            }
        }
        bytes.clear();
        shown.clear();
        out.push(c);
    }
    out.pop();
    changed.then_some(out)
}

/// Decodes the words that are not Unicode's Vietnamese already.
fn by_token(text: &str, decode: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for token in text.split_inclusive(char::is_whitespace) {
        let certain = |c: char| matches!(c, 'Ă'..='ư' | 'Ạ'..='ỹ');
        if token.is_ascii() || token.chars().any(certain) {
            out.push_str(token);
        } else {
            out.push_str(&decode(token));
        }
    }
    out
}

/// Letters of one byte each. A capital with a tone is written small in VN3: a word that begins with
/// one is given its capital.
fn shifted(token: &str, first: u8, table: &str) -> String {
    let mut out = String::with_capacity(token.len() * 2);
    for c in token.chars() {
        let at = byte_of(c).filter(|byte| *byte >= first && !c.is_ascii());
        let letter = at.and_then(|byte| table.chars().nth(usize::from(byte - first)));
        match letter.filter(|letter| *letter != '.') {
            Some(letter) if out.is_empty() && parts(letter).tone > 0 => {
                out.extend(letter.to_uppercase());
            }
            Some(letter) => out.push(letter),
            None => out.push(c),
        }
    }
    out
}

/// Letters of one byte, or a letter and a mark.
fn vni(token: &str) -> String {
    let mut out = String::with_capacity(token.len() * 2);
    let small = |c: char| c.to_lowercase().next().unwrap_or(c);
    let mut waits = false;
    for c in token.chars() {
        let mark = VNI_MARKS.iter().find(|(sign, _)| *sign == small(c)).filter(|_| waits);
        let letter = VNI_LETTERS.iter().find(|(sign, _)| *sign == small(c));
        if let Some((_, marks)) = mark {
            out.push_str(marks);
            waits = false;
        } else if let Some((_, letter)) = letter {
            let capital = c.is_uppercase();
            out.extend(capital.then(|| letter.to_uppercase()).into_iter().flatten());
            out.extend((!capital).then_some(*letter));
            waits = matches!(letter, 'ơ' | 'ư');
        } else {
            out.push(c);
            waits = matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
        }
    }
    out
}

/// Text typed with signs for the marks, as in VIQR (`Nguye^~n`), or with digits (`Nguye64n`), as its
/// plain letters.
pub(crate) fn without_typed_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let in_word = out.ends_with(|last: char| last.is_ascii_alphabetic());
        let is_mark = matches!(c, '^' | '~' | '`' | '\'' | '?' | '(' | '+' | '*' | '0'..='9');
        let goes_on = chars.peek().is_none_or(|next| !next.is_ascii_whitespace()) || c != '(';
        if !(in_word && is_mark && goes_on) {
            out.push(c);
        }
    }
    out.replace("dd", "d").replace("DD", "D").replace("Dd", "D")
}

/// Text typed by Telex without the program that reads it (`Nguyeenx Vawn`), as its plain letters.
pub(crate) fn without_telex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut vowel_before = false;
    let mut last = ' ';
    for c in text.chars() {
        let small = c.to_ascii_lowercase();
        let doubled = small == last && matches!(small, 'a' | 'e' | 'o' | 'd');
        let toned = vowel_before && matches!(small, 's' | 'f' | 'r' | 'x' | 'j' | 'w');
        if !c.is_ascii_alphabetic() {
            vowel_before = false;
        }
        if !(doubled || toned) {
            out.push(c);
            vowel_before |= matches!(small, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
        }
        last = small;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;

    #[test]
    fn old_encodings_are_read() {
        for written in [
            "Ph¹m ThÞ H\u{ad}êng",
            "Phaïm Thò Höôøng",
            "PhaÌ£m ThiÌ£ HÆ°Æ¡Ì€ng",
            "Pháº¡m Thá»‹ HÆ°á»\u{9d}ng",
        ] {
            let found: Vec<String> =
                readings(written).into_iter().chain(read_twice(written)).collect();
            assert!(found.iter().any(|one| normal(one) == "Phạm Thị Hường"), "{found:?}");
        }
        assert_eq!(without_typed_marks("Pha.m Thi. Hu+o+`ng"), "Pha.m Thi. Huong");
        assert_eq!(without_typed_marks("Nguye64n Va8n An"), "Nguyen Van An");
        assert_eq!(without_telex("Nguyeenx Vawn An"), "Nguyen Van An");
    }
}
