//! Tables of characters that stand for others: digits of all scripts, letters that look alike, signs.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The zero of each set of decimal digits in Unicode; the nine others follow it. Those that NFKC
/// makes ASCII digits of are here too.
const ZEROS: [u32; 75] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// Runs of digits that are no decimal digits to Unicode, from their one: circled, Ethiopic,
/// Brahmi, dice, Suzhou.
const ONES: [(u32, u32); 11] = [
    (0x2460, 9),
    (0x24f5, 9),
    (0x2776, 9),
    (0x2780, 9),
    (0x278a, 9),
    (0x1369, 9),
    (0x11052, 9),
    (0x10e60, 9),
    (0x2680, 6),
    (0x3021, 9),
    (0x1d360, 9),
];

/// Digits that stand in no row.
const DIGITS: [(&str, &str); 5] = [
    ("〇零一二三四五六七八九", "00123456789"),
    ("壹贰叁肆伍陆柒捌玖", "123456789"),
    ("貳參陸", "236"),
    ("⓪⓿\u{1f10b}\u{1f10c}", "0000"),
    ("⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊", "0123456789"),
];

/// Letters of other scripts, small capitals and the like, by the Latin letter that they look like.
const ALIKE: [(&str, &str); 8] = [
    ("АВЕКМНОРСТУХЅІЈԚԜҮҺӀЗаеосрухѕіјԛԝүһв", "ABEKMHOPCTYXSIJQWYHI3aeocpyxsijqwyhb"),
    ("бгкмнптѵ", "6rkmhntv"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC"),
    ("αβεηικμνορτυχγωϲ", "abenikuvoptuxywc"),
    ("ԱՕՍԼհոսօզ", "UOULhnuoq"),
    ("ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᏒᏚᎢᏙᎳᏃ", "ABCDEHJKLMPRSTVWZ"),
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡıⅼ", "abcdefghijklmnoprstuvwyzagil"),
    ("€ⱣɃꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ePBABCDEFGHIJKLMNOPRSTUVWXYZ"),
];

/// Signs that look or serve alike.
const SIGNS: [(&str, char); 5] = [
    (
        "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{2043}\u{2e3a}\u{2e3b}\u{2500}\u{301c}\u{58a}\u{1806}\u{2d7}ー",
        '-',
    ),
    ("·•‧∙⋅・･。．․●◦▪", '.'),
    ("’‘ʼʻ`´′ʹꞌ", '\''),
    ("⁄∕⧸", '/'),
    ("¦│┃ǀ｜", '|'),
];

static TABLE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    let pairs = ALIKE.iter().chain(&DIGITS);
    for (from, to) in pairs {
        table.extend(from.chars().zip(to.chars()));
    }
    for (from, to) in SIGNS {
        table.extend(from.chars().map(|c| (c, to)));
    }
    table
});

/// The ASCII character that `c` stands for.
pub(super) fn stands_for(c: char) -> Option<char> {
    let code = u32::from(c);
    let at = ZEROS.partition_point(|zero| *zero <= code);
    if at > 0 && code - ZEROS[at - 1] < 10 {
        return char::from_digit(code - ZEROS[at - 1], 10);
    }
    if let Some((one, _)) = ONES.iter().find(|(one, many)| (*one..one + many).contains(&code)) {
        return char::from_digit(code - one + 1, 10);
    }
    let letter = |first: u32| u8::try_from(code - first).ok().map(|at| char::from(b'A' + at));
    match code {
        // White letters on black discs and squares, and the letters that flags are made of.
        0x1f150..=0x1f169 => letter(0x1f150),
        0x1f170..=0x1f189 => letter(0x1f170),
        0x1f1e6..=0x1f1ff => letter(0x1f1e6),
        // The invisible twins of ASCII.
        0xe0020..=0xe007e => char::from_u32(code - 0xe0000),
        _ => TABLE.get(&c).copied(),
    }
}

/// Whether the character is not seen, or only changes how others are shown.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{ad}'
        | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{283c}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e001f}' | '\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_digit_of_unicode_is_known_by_its_value() {
        let digit = regex::Regex::new(r"^\p{Nd}$").unwrap();
        let mut buffer = [0; 4];
        let mut run = 0;
        for c in ('\u{80}'..=char::MAX).filter(|c| !matches!(u32::from(*c), 0xe0000..)) {
            if !digit.is_match(c.encode_utf8(&mut buffer)) {
                assert_eq!(run % 10, 0, "{c:?}");
                run = 0;
                continue;
            }
            assert_eq!(stands_for(c), char::from_digit(run % 10, 10), "{c:?}");
            run += 1;
        }
    }

    #[test]
    fn tables_pair_each_character_with_one() {
        for (from, to) in ALIKE.iter().chain(&DIGITS) {
            assert_eq!(from.chars().count(), to.chars().count(), "{from}");
        }
        assert!(ZEROS.is_sorted());
    }
}
