//! "Did you mean …": the nearest of the words that would have been right.

/// More choices than this are not listed.
const LISTED: usize = 16;

/// What to say about a word that is none of `choices`: the nearest, or else all of them.
pub(super) fn suggestion<'a>(
    word: &str,
    choices: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let choices: Vec<&str> = choices.into_iter().collect();
    did_you_mean(word, choices.iter().copied())
        .or_else(|| list(choices).map(|all| format!("known here: {all}")))
}

/// The nearest of `choices`, if any is near.
pub(super) fn did_you_mean<'a>(
    word: &str,
    choices: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, choices).map(|near| format!("did you mean `{near}`?"))
}

/// All choices, where they are few enough to read.
pub(super) fn list<'a>(choices: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut choices: Vec<&str> = choices.into_iter().collect();
    choices.sort_unstable();
    choices.dedup();
    if choices.is_empty() || choices.len() > LISTED {
        return None;
    }
    Some(choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", "))
}

fn nearest<'a>(word: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = word.chars().count().div_ceil(3);
    choices
        .into_iter()
        .map(|choice| (distance(word, choice), choice))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, choice)| choice)
}

/// Levenshtein's distance, in characters.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_or_lists_all() {
        let keys = ["title", "grain", "owner"];
        assert_eq!(suggestion("titel", keys).as_deref(), Some("did you mean `title`?"));
        let all = "known here: `grain`, `owner`, `title`";
        assert_eq!(suggestion("licence", keys).as_deref(), Some(all));
        assert_eq!(suggestion("x", []), None);
    }

    #[test]
    fn counts_edits() {
        assert_eq!(distance("so_mac", "so_mac"), 0);
        assert_eq!(distance("so_mac", "so_chet"), 4);
        assert_eq!(distance("", "ab"), 2);
    }
}
