//! Provinces as equal tiles, laid out roughly as they lie: used where no outlines are given, and
//! for the provinces before the merger. Tiles also keep small provinces from disappearing.

use std::collections::BTreeMap;

/// Where a tile stands, in columns and rows from the north-west.
pub(crate) type Place = (u8, u8);

/// The 34 provinces since 1 July 2025, by code.
const PROVINCES_34: [(&str, Place); 34] = [
    ("11", (0, 0)),
    ("12", (1, 0)),
    ("15", (2, 0)),
    ("08", (3, 0)),
    ("04", (4, 0)),
    ("14", (1, 1)),
    ("25", (2, 1)),
    ("19", (3, 1)),
    ("20", (4, 1)),
    ("01", (2, 2)),
    ("24", (3, 2)),
    ("22", (4, 2)),
    ("37", (2, 3)),
    ("33", (3, 3)),
    ("31", (4, 3)),
    ("38", (2, 4)),
    ("40", (2, 5)),
    ("42", (2, 6)),
    ("44", (3, 7)),
    ("46", (3, 8)),
    ("48", (4, 8)),
    ("51", (4, 9)),
    ("52", (4, 10)),
    ("66", (4, 11)),
    ("80", (1, 12)),
    ("75", (2, 12)),
    ("68", (3, 12)),
    ("56", (4, 12)),
    ("91", (0, 13)),
    ("82", (1, 13)),
    ("79", (2, 13)),
    ("92", (0, 14)),
    ("86", (1, 14)),
    ("96", (0, 15)),
];

/// The 63 provinces from 1 August 2008 to 30 June 2025, by code.
const PROVINCES_63: [(&str, Place); 63] = [
    ("12", (0, 0)),
    ("10", (1, 0)),
    ("02", (2, 0)),
    ("04", (3, 0)),
    ("11", (0, 1)),
    ("15", (1, 1)),
    ("08", (2, 1)),
    ("06", (3, 1)),
    ("20", (4, 1)),
    ("14", (0, 2)),
    ("25", (1, 2)),
    ("26", (2, 2)),
    ("19", (3, 2)),
    ("24", (4, 2)),
    ("22", (5, 2)),
    ("17", (1, 3)),
    ("01", (2, 3)),
    ("27", (3, 3)),
    ("30", (4, 3)),
    ("31", (5, 3)),
    ("35", (2, 4)),
    ("33", (3, 4)),
    ("34", (4, 4)),
    ("37", (2, 5)),
    ("36", (3, 5)),
    ("38", (2, 6)),
    ("40", (2, 7)),
    ("42", (2, 8)),
    ("44", (3, 9)),
    ("45", (3, 10)),
    ("46", (4, 10)),
    ("49", (4, 11)),
    ("48", (5, 11)),
    ("62", (4, 12)),
    ("51", (5, 12)),
    ("64", (4, 13)),
    ("52", (5, 13)),
    ("66", (4, 14)),
    ("54", (5, 14)),
    ("67", (3, 15)),
    ("68", (4, 15)),
    ("56", (5, 15)),
    ("72", (1, 16)),
    ("70", (2, 16)),
    ("75", (3, 16)),
    ("60", (4, 16)),
    ("58", (5, 16)),
    ("80", (1, 17)),
    ("74", (2, 17)),
    ("79", (3, 17)),
    ("77", (4, 17)),
    ("89", (0, 18)),
    ("87", (1, 18)),
    ("82", (2, 18)),
    ("83", (3, 18)),
    ("91", (0, 19)),
    ("92", (1, 19)),
    ("86", (2, 19)),
    ("84", (3, 19)),
    ("93", (1, 20)),
    ("94", (2, 20)),
    ("96", (0, 21)),
    ("95", (1, 21)),
];

/// Columns where no layout is known.
const COLUMNS: usize = 6;

/// The place of every code. A list of provinces that no layout knows stands in rows by code: a
/// wrong neighbourhood is worse than none.
pub(crate) fn layout<'a>(codes: &[&'a str]) -> BTreeMap<&'a str, Place> {
    for known in [&PROVINCES_34[..], &PROVINCES_63[..]] {
        let known: BTreeMap<&str, Place> = known.iter().copied().collect();
        if known.len() == codes.len() && codes.iter().all(|code| known.contains_key(code)) {
            return codes.iter().map(|&code| (code, known[code])).collect();
        }
    }
    let place = |at: usize| (to_u8(at % COLUMNS), to_u8(at / COLUMNS));
    codes.iter().enumerate().map(|(at, &code)| (code, place(at))).collect()
}

fn to_u8(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// A name in at most two lines of about equal length.
pub(crate) fn lines(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let length = |text: &str| text.chars().count();
    if words.len() < 2 || length(name) <= 7 {
        return vec![name.to_owned()];
    }
    let splits = (1..words.len()).map(|at| (words[..at].join(" "), words[at..].join(" ")));
    let best = splits.min_by_key(|(first, second)| length(first).max(length(second)));
    best.map_or_else(Vec::new, |(first, second)| vec![first, second])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_provinces_share_a_tile_and_none_is_missing() {
        for known in [&PROVINCES_34[..], &PROVINCES_63[..]] {
            let codes: BTreeSet<&str> = known.iter().map(|(code, _)| *code).collect();
            let places: BTreeSet<Place> = known.iter().map(|(_, place)| *place).collect();
            assert_eq!(codes.len(), known.len());
            assert_eq!(places.len(), known.len());
        }
    }

    #[test]
    fn the_north_is_above_the_south() {
        let codes: Vec<&str> = PROVINCES_34.iter().map(|(code, _)| *code).collect();
        let layout = layout(&codes);
        assert!(layout["04"].1 < layout["01"].1 && layout["01"].1 < layout["79"].1);
        assert!(layout["79"].1 < layout["96"].1);
    }

    #[test]
    fn an_unknown_list_gets_a_plain_grid() {
        assert_eq!(layout(&["24", "27"])["27"], (1, 0));
    }

    #[test]
    fn long_names_break_evenly() {
        assert_eq!(lines("Hà Nội"), ["Hà Nội"]);
        assert_eq!(lines("Bà Rịa - Vũng Tàu"), ["Bà Rịa -", "Vũng Tàu"]);
        assert_eq!(lines("Thái Nguyên"), ["Thái", "Nguyên"]);
    }
}
