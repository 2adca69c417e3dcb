//! Ways in which an identifier is hidden, by mistake or on purpose.
//!
//! They are of four classes. A number is parted once ([`PARTED`]) and spelt once ([`SPELT`]); a name
//! is written in one way ([`NAMED`]); what results is put into other characters ([`SHOWN`]) and
//! packed by programs ([`PACKED`]), in any order and as often as one likes.

use unicode_normalization::UnicodeNormalization;

use super::invent::{Dice, plain};

/// A way to hide, by its name.
pub(crate) type Disguise = (&'static str, fn(&str, &mut Dice) -> String);

fn each(text: &str, part: impl Fn(char) -> String) -> String {
    text.chars().map(part).collect()
}

/// Puts text between digits that stand side by side.
fn between(text: &str, mut sign: impl FnMut(usize) -> String) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut run = 0;
    for (at, c) in chars.iter().enumerate() {
        run = if c.is_ascii_digit() { run + 1 } else { 0 };
        out.push(*c);
        if run > 0 && chars.get(at + 1).is_some_and(char::is_ascii_digit) {
            out.push_str(&sign(run));
        }
    }
    out
}

fn every(text: &str, many: usize, sign: &str) -> String {
    between(text, |run| if run % many == 0 { sign.to_owned() } else { String::new() })
}

/// Digits parted by signs.
pub(crate) const PARTED: [Disguise; 24] = [
    ("spaces, digit by digit", |text, _| every(text, 1, " ")),
    ("hyphens, digit by digit", |text, _| every(text, 1, "-")),
    ("points in threes", |text, _| every(text, 3, ".")),
    ("hyphens in fours", |text, _| every(text, 4, "-")),
    ("spaces in threes", |text, _| every(text, 3, " ")),
    ("tabs in fours", |text, _| every(text, 4, "\t")),
    ("commas in threes", |text, _| every(text, 3, ",")),
    ("comma and blank, digit by digit", |text, _| every(text, 1, ", ")),
    ("colons in fours", |text, _| every(text, 4, ":")),
    ("middle dots in threes", |text, _| every(text, 3, "·")),
    ("slashes in threes", |text, _| every(text, 3, "/")),
    ("underscores in fours", |text, _| every(text, 4, "_")),
    ("bullets, digit by digit", |text, _| every(text, 1, "•")),
    ("semicolons in threes", |text, _| every(text, 3, ";")),
    ("asterisks in threes", |text, _| every(text, 3, "*")),
    ("bars in fours", |text, _| every(text, 4, "|")),
    ("line breaks in fours", |text, _| every(text, 4, "\r\n")),
    ("two signs at once", |text, _| every(text, 3, ". ")),
    ("long dashes", |text, _| every(text, 3, " — ")),
    ("brackets", |text, _| every(text, 4, ")(")),
    ("apostrophes in threes", |text, _| every(text, 3, "’")),
    ("no-break spaces, digit by digit", |text, _| every(text, 1, "\u{a0}")),
    ("words between", |text, _| every(text, 4, ", rồi ")),
    ("tildes in threes", |text, _| every(text, 3, "~")),
];

fn said(text: &str, words: [&str; 10]) -> String {
    let spaced = between(text, |_| " ".to_owned());
    each(&spaced, |c| match c.to_digit(10) {
        Some(digit) => words[digit as usize].to_owned(),
        None => c.to_string(),
    })
}

const VIETNAMESE: [&str; 10] =
    ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"];

fn like(text: &str, from: &str, to: &str) -> String {
    each(text, |c| {
        from.chars().zip(to.chars()).find(|(one, _)| *one == c).map_or(c, |(_, to)| to).to_string()
    })
}

/// Digits in words and letters.
pub(crate) const SPELT: [Disguise; 12] = [
    ("Vietnamese words", |text, _| said(text, VIETNAMESE)),
    ("words without accents", |text, _| plain(&said(text, VIETNAMESE))),
    ("words in capitals", |text, _| said(text, VIETNAMESE).to_uppercase()),
    ("other Vietnamese words", |text, _| {
        said(text, ["không", "mốt", "hai", "ba", "tư", "lăm", "sáu", "bẩy", "tám", "chín"])
    }),
    ("English words", |text, _| {
        said(text, ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    }),
    ("French words", |text, _| {
        said(text, ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"])
    }),
    ("words without blanks", |text, _| plain(&said(text, VIETNAMESE)).replace(' ', "")),
    ("O for zero", |text, _| text.replace('0', "O")),
    ("small o for zero", |text, _| text.replace('0', "o")),
    ("l for one", |text, _| text.replace('1', "l")),
    ("I and O", |text, _| like(text, "10", "IO")),
    ("letters of a bad scan", |text, _| like(text, "058", "OSB")),
];

/// Ways to write a name.
pub(crate) const NAMED: [Disguise; 21] = [
    ("lower case", |text, _| text.to_lowercase()),
    ("capitals", |text, _| text.to_uppercase()),
    ("without accents", |text, _| plain(text)),
    ("capitals without accents", |text, _| plain(text).to_uppercase()),
    ("run together", |text, _| plain(text).to_lowercase().replace(' ', "")),
    ("run together with capitals", |text, _| text.replace(' ', "")),
    ("underscores", |text, _| text.replace(' ', "_")),
    ("points", |text, _| text.replace(' ', ".")),
    ("hyphens", |text, _| text.replace(' ', "-")),
    ("commas", |text, _| text.replace(' ', ", ")),
    ("slashes", |text, _| text.replace(' ', "/")),
    ("many blanks", |text, _| text.replace(' ', "   ")),
    ("letter by letter", |text, _| {
        let letters: Vec<String> = text.chars().map(String::from).collect();
        letters.join(" ")
    }),
    ("backwards", |text, _| text.chars().rev().collect()),
    ("given name first", |text, _| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.rotate_right(1);
        words.join(" ")
    }),
    ("digits for letters", |text, _| like(&plain(text), "aeio", "4310")),
    ("on its head", |text, _| {
        let from = "abcdefghijklmnopqrstuvwxyz";
        let turned = "ɐqɔpǝɟƃɥᴉɾʞןɯuodbɹsʇnʌʍxʎz";
        like(&plain(text).to_lowercase(), from, turned).chars().rev().collect()
    }),
    ("initials after a title", |text, _| {
        let first: Vec<String> = text
            .split(' ')
            .filter_map(|word| word.chars().next())
            .map(|c| format!("{c}."))
            .collect();
        format!("BN {}", first.concat())
    }),
    ("initials and given name", |text, _| {
        let words: Vec<&str> = text.split(' ').collect();
        let first = |word: &str| word.chars().next().unwrap();
        format!("{}. {}. {}", first(words[0]), first(words[1]), words[2])
    }),
    ("TCVN3", |text, _| legacy(text)),
    ("VNI by keys", |text, _| {
        let tone = |c: char| match c {
            '\u{301}' => Some('1'),
            '\u{300}' => Some('2'),
            '\u{309}' => Some('3'),
            '\u{303}' => Some('4'),
            '\u{323}' => Some('5'),
            '\u{302}' => Some('6'),
            '\u{31b}' => Some('7'),
            '\u{306}' => Some('8'),
            _ => None,
        };
        let typed: String = text.nfd().map(|c| tone(c).unwrap_or(c)).collect();
        typed.replace('đ', "d9").replace('Đ', "D9")
    }),
];

/// A few letters of TCVN 5712 (VN3), as Windows-1252 shows them.
fn legacy(text: &str) -> String {
    let from = "ăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵĂÂÊÔƠƯĐ";
    let to = "¨©ª«¬\u{ad}®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ¡¢£¤¥¦§";
    like(text, from, to)
}

fn digits_from(text: &str, zero: u32) -> String {
    each(text, |c| match c.to_digit(10) {
        Some(digit) => char::from_u32(zero + digit).unwrap().to_string(),
        None => c.to_string(),
    })
}

fn listed(text: &str, digits: &str) -> String {
    like(text, "0123456789", digits)
}

fn after_each(text: &str, mark: &str) -> String {
    each(text, |c| format!("{c}{mark}"))
}

fn after_digits(text: &str, mark: &str) -> String {
    each(text, |c| if c.is_ascii_digit() { format!("{c}{mark}") } else { c.to_string() })
}

/// Other characters that look or read the same.
pub(crate) const SHOWN: [Disguise; 36] = [
    ("full-width", |text, _| {
        each(text, |c| match c {
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap().to_string(),
            _ => c.to_string(),
        })
    }),
    ("Khmer digits", |text, _| digits_from(text, 0x17e0)),
    ("Thai digits", |text, _| digits_from(text, 0xe50)),
    ("Lao digits", |text, _| digits_from(text, 0xed0)),
    ("Arabic digits", |text, _| digits_from(text, 0x660)),
    ("Persian digits", |text, _| digits_from(text, 0x6f0)),
    ("Devanagari digits", |text, _| digits_from(text, 0x966)),
    ("Myanmar digits", |text, _| digits_from(text, 0x1040)),
    ("Tibetan digits", |text, _| digits_from(text, 0xf20)),
    ("Cham digits", |text, _| digits_from(text, 0xaa50)),
    ("Tai Tham digits", |text, _| digits_from(text, 0x1a80)),
    ("digits of many scripts", |text, dice| {
        let zeros = [0x30, 0xff10, 0x17e0, 0xe50, 0x660, 0x966, 0x1d7ce];
        text.chars()
            .map(|c| match c.to_digit(10) {
                Some(digit) => char::from_u32(zeros[dice.below(7) as usize] + digit).unwrap(),
                None => c,
            })
            .collect()
    }),
    ("mathematical digits", |text, _| digits_from(text, 0x1d7d8)),
    ("segmented digits", |text, _| digits_from(text, 0x1fbf0)),
    ("circled digits", |text, _| listed(text, "⓪①②③④⑤⑥⑦⑧⑨")),
    ("black circles", |text, _| listed(text, "⓿❶❷❸❹❺❻❼❽❾")),
    ("superscripts", |text, _| listed(text, "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    ("subscripts", |text, _| listed(text, "₀₁₂₃₄₅₆₇₈₉")),
    ("Chinese digits", |text, _| listed(text, "〇一二三四五六七八九")),
    ("Braille digits", |text, _| listed(text, "⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊")),
    ("keycaps", |text, _| after_digits(text, "\u{fe0f}\u{20e3}")),
    ("zero-width spaces", |text, _| after_each(text, "\u{200b}")),
    ("soft hyphens", |text, _| after_digits(text, "\u{ad}")),
    ("word joiners", |text, _| after_each(text, "\u{2060}")),
    ("marks of direction", |text, _| format!("\u{202d}{}\u{202c}", after_digits(text, "\u{200e}"))),
    ("struck through", |text, _| after_digits(text, "\u{336}")),
    ("variation selectors", |text, _| after_digits(text, "\u{fe0e}")),
    ("Hangul fillers", |text, _| after_digits(text, "\u{3164}")),
    ("byte order marks", |text, _| after_each(text, "\u{feff}")),
    ("tags of invisible characters", |text, _| {
        each(text, |c| match c {
            '0'..='9' => char::from_u32(0xe0000 + u32::from(c)).unwrap().to_string(),
            _ => c.to_string(),
        })
    }),
    ("Cyrillic letters", |text, _| {
        like(text, "ABCEHIKMOPSTXYaceiopsxy", "АВСЕНІКМОРЅТХУасеіорѕху")
    }),
    ("Greek capitals", |text, _| like(text, "ABEZHIKMNOPTXY", "ΑΒΕΖΗΙΚΜΝΟΡΤΧΥ")),
    ("decomposed", |text, _| text.nfd().collect()),
    ("mathematical letters", |text, _| {
        each(text, |c| match c {
            'A'..='Z' => char::from_u32(0x1d400 + u32::from(c) - 65).unwrap().to_string(),
            'a'..='z' => char::from_u32(0x1d41a + u32::from(c) - 97).unwrap().to_string(),
            _ => c.to_string(),
        })
    }),
    ("nulls between", |text, _| after_each(text, "\0")),
    ("spaces of other kinds", |text, _| text.replace(' ', "\u{2009}")),
];

/// Writing of programs.
pub(crate) const PACKED: [Disguise; 14] = [
    ("decimal entities", |text, _| each(text, |c| format!("&#{};", u32::from(c)))),
    ("hexadecimal entities", |text, _| each(text, |c| format!("&#x{:x};", u32::from(c)))),
    ("entities of digits", |text, _| {
        each(
            text,
            |c| if c.is_ascii_digit() { format!("&#{};", u32::from(c)) } else { c.to_string() },
        )
    }),
    ("percent signs", |text, _| text.bytes().map(|byte| format!("%{byte:02X}")).collect()),
    ("quoted printable", |text, _| text.bytes().map(|byte| format!("={byte:02X}")).collect()),
    ("escapes of JSON", |text, _| {
        text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
    }),
    ("escapes of Rust", |text, _| each(text, |c| format!("\\u{{{:x}}}", u32::from(c)))),
    ("base64", |text, _| base64(text)),
    ("hexadecimal", |text, _| text.bytes().map(|byte| format!("{byte:02x}")).collect()),
    ("tags of HTML", |text, _| {
        let chars: Vec<char> = text.chars().collect();
        let parts =
            chars.chunks(3).map(|part| format!("<b>{}</b>", part.iter().collect::<String>()));
        parts.collect()
    }),
    ("a member of JSON", |text, _| format!("{{\"ghi_chu\": \"{text}\"}}")),
    ("read as Windows-1252", |text, _| {
        let windows: Vec<char> =
            "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ".chars().collect();
        text.bytes()
            .map(|byte| match byte {
                0x80..=0x9f => windows[usize::from(byte) - 0x80],
                _ => char::from(byte),
            })
            .collect()
    }),
    ("in a sentence", |text, _| format!("người nhà cho biết {text}, hẹn tái khám")),
    ("in quotation marks", |text, _| format!("“{text}”")),
];

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let at = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for part in 0..4 {
            if part <= three.len() {
                out.push(char::from(LETTERS[(bits >> (18 - 6 * part) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}
