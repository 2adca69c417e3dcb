//! Names without blanks: `nguyenvanan`, `NguyenVanAn`, `N g u y ễ n V ă n A n`.

use super::super::letters::parts;
use super::super::lexicon::{GIVEN, MIDDLE, Spelling, TELLING, UNMISTAKABLE, USUAL, look_up};
use super::super::words::{Gap, Word};
use super::Names;

/// The longest syllable, in letters.
const LONGEST: usize = 6;
/// The shortest glued name, in letters: `levanan`.
const SHORTEST: usize = 7;

/// Whether a single word is a whole name.
pub(super) fn holds_glued(names: Names<'_>) -> bool {
    names
        .words
        .iter()
        .filter(|word| {
            word.letters as usize >= SHORTEST && !word.is_syllable() && word.key != 0
                || word.letters == 7
                || word.letters == 8
        })
        .any(|word| is_glued(word.text(names.text)))
}

/// Whether letters that stand apart are a name together.
pub(super) fn spelt_out(text: &str, words: &[Word]) -> bool {
    let mut letters = String::new();
    for word in words {
        let goes_on = word.letters == 1 && (letters.is_empty() || word.gap != Gap::Far);
        if goes_on {
            letters.push_str(word.text(text));
            continue;
        }
        if letters.chars().count() >= SHORTEST && is_glued(&letters) {
            return true;
        }
        letters.clear();
    }
    letters.chars().count() >= SHORTEST && is_glued(&letters)
}

/// Whether the letters are a surname, one or two middle names and a given name, one after the other.
fn is_glued(word: &str) -> bool {
    let bare = word.is_ascii();
    let mut spelling = Spelling::default();
    word.char_indices().take(LONGEST).enumerate().any(|(at, (place, c))| {
        let letter = parts(c);
        spelling.add(letter.base, letter.shape, letter.tone);
        let (exact, any) = look_up(spelling);
        let surname = if bare { any } else { exact };
        at > 0 && surname & USUAL != 0 && {
            let letters: Vec<char> = word[place + c.len_utf8()..].chars().collect();
            let length = at + 1 + letters.len();
            let sure = surname & UNMISTAKABLE != 0 || at > 2 || length > 9;
            letters.len() > 1 && rest_is_name(&letters, bare, sure, 0)
        }
    })
}

fn rest_is_name(letters: &[char], bare: bool, sure: bool, middles: usize) -> bool {
    if middles > 0 && letters.len() <= LONGEST && flags(letters, bare) & GIVEN != 0 {
        return true;
    }
    if middles == 2 {
        return false;
    }
    (1..=LONGEST.min(letters.len().saturating_sub(2))).any(|end| {
        let middle = flags(&letters[..end], bare);
        let wanted = if sure { MIDDLE | TELLING } else { TELLING };
        (middle & wanted != 0 || middles > 0 && middle & MIDDLE != 0)
            && end > 1
            && rest_is_name(&letters[end..], bare, sure || middle & TELLING != 0, middles + 1)
    })
}

fn flags(letters: &[char], bare: bool) -> u32 {
    let mut spelling = Spelling::default();
    for c in letters {
        let letter = parts(*c);
        if letter.base == 0 {
            return 0;
        }
        spelling.add(letter.base, letter.shape, letter.tone);
    }
    let (exact, any) = look_up(spelling);
    if bare { any } else { exact }
}
