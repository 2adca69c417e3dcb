//! Breaks statements, token by token.

use super::random::Random;
use super::vocabulary::FRAGMENTS;

/// Removes, doubles, swaps and replaces tokens, or goes on as another statement.
pub(super) fn break_tokens(random: &mut Random, statement: &str, other: &str) -> String {
    let mut tokens = tokens(statement);
    let others = self::tokens(other);
    for _ in 0..=random.below(5) {
        if tokens.is_empty() {
            break;
        }
        let (at, to) = (random.below(tokens.len()), random.below(tokens.len()));
        match random.below(7) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[to]),
            2 => tokens.swap(at, to),
            3 => tokens[at] = *random.pick(&FRAGMENTS),
            4 => tokens.insert(at, *random.pick(&FRAGMENTS)),
            5 => tokens.truncate(at),
            _ => {
                let from = random.below(others.len());
                tokens.truncate(at);
                tokens.extend(&others[from..]);
            }
        }
    }
    tokens.concat()
}

/// Words, numbers, and every other letter by itself; blanks are tokens too.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end.max(first.len_utf8()));
        tokens.push(token);
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_make_the_text_again() {
        let text = "SELECT 'đ', a_1 FROM x.y WHERE 1<=2";
        assert_eq!(tokens(text).concat(), text);
        assert_eq!(tokens("a_1<=2"), ["a_1", "<", "=", "2"]);
    }
}
