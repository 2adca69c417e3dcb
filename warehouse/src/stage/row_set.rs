//! A set of row numbers, a bit for each row.

/// See the module. Its memory grows with the largest number in it: a megabyte for eight million.
#[derive(Debug, Clone, Default)]
pub struct RowSet {
    words: Vec<u64>,
    count: u64,
}

impl RowSet {
    /// Adds a number; false where it was there already.
    pub fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = place(number);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(new);
        new
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// The numbers in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.words.iter().zip(0_u64..).flat_map(|(&bits, word)| {
            (0..64).filter(move |at| bits & (1 << at) != 0).map(move |at| word * 64 + at)
        })
    }

    /// How many numbers are in it.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

fn place(number: u64) -> (usize, u64) {
    (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
}

impl FromIterator<u64> for RowSet {
    fn from_iter<T: IntoIterator<Item = u64>>(numbers: T) -> Self {
        let mut set = Self::default();
        set.extend(numbers);
        set
    }
}

impl Extend<u64> for RowSet {
    fn extend<T: IntoIterator<Item = u64>>(&mut self, numbers: T) {
        numbers.into_iter().for_each(|number| {
            self.insert(number);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in_once() {
        let mut set: RowSet = [0, 63, 64, 1_000_000].into_iter().collect();
        assert!(!set.insert(64) && set.insert(65));
        assert_eq!(set.len(), 5);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 65, 1_000_000]);
        assert!([0, 63, 64, 65, 1_000_000].iter().all(|number| set.contains(*number)));
        assert!(
            ![1, 62, 66, 999_999, u64::from(u32::MAX)].iter().any(|number| set.contains(*number))
        );
    }
}
