//! Numbers that look random and are the same in every run with the same seed (`SplitMix64`).

/// Seed of all generators, unless the environment names another.
const SEED: u64 = 0x6b68_6f79_7465;

#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of a purpose: what is drawn for one changes nothing for another.
    pub(super) fn new(purpose: u64) -> Self {
        let seed = super::number("KHOYTE_FUZZ_SEED", SEED);
        let mut random = Self(seed.rotate_left(17) ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True once in `times`.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some things, of which there is at least one.
    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Changes a few bytes: flipped, removed, doubled, put in, cut off.
pub(super) fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(16)).min(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff, b'\'', b'\n']),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let count = 1 + random.below(8);
                let more = random.bytes(count);
                bytes.splice(at..at, more);
            }
            5 => bytes.truncate(at),
            _ => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_again_and_another_purpose_another() {
        let draw = |purpose| {
            let mut random = Random::new(purpose);
            (0..5).map(|_| random.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let mut random = Random::new(3);
        assert!((0..1_000).all(|_| random.below(7) < 7));
    }

    #[test]
    fn mutations_change_most_of_what_they_are_given() {
        let mut random = Random::new(4);
        let changed = (0..200).filter(|_| {
            let mut bytes = b"SELECT 1 FROM danh_muc.don_vi".to_vec();
            mutate(&mut random, &mut bytes);
            bytes != b"SELECT 1 FROM danh_muc.don_vi"
        });
        assert!(changed.count() > 150);
        mutate(&mut random, &mut Vec::new());
    }
}
