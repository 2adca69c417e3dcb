//! Random numbers that are the same on every machine and in every version.

/// SplitMix64 (Steele, Lea, Flood 2014): one addition and two multiplications a number, passes
/// BigCrush. Not for keys.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of one thing: of one person, one visit. Streams of other `path`s are unrelated,
    /// so a thing stays the same whatever is simulated before it.
    pub(super) fn of(seed: u64, path: &[u64]) -> Self {
        let mut random = Self(seed ^ 0x6b68_6f79_7465_2031);
        for &step in path {
            random = Self(random.next() ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `below` − 1, all alike; `below` must not be 0.
    pub(super) fn below(&mut self, below: u64) -> u64 {
        // The high half of a 128-bit product; its bias is below 2^-40 for the sizes used here.
        ((u128::from(self.next()) * u128::from(below)) >> 64) as u64
    }

    /// From 0 up to 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// An index by weights, as a running sum.
    pub(super) fn weighted(&mut self, running: &[f64]) -> usize {
        let at = self.unit() * running.last().copied().unwrap_or(1.0);
        running.partition_point(|&sum| sum <= at).min(running.len() - 1)
    }

    /// About normal, mean 0, deviation 1: the sum of twelve.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// A count with this mean.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The published test vector for seed 1234567.
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn counts_have_their_mean() {
        for mean in [0.3, 5.0, 200.0] {
            let mut random = Random::of(1, &[2]);
            let sum: u64 = (0..4000).map(|_| random.poisson(mean)).sum();
            let found = sum as f64 / 4000.0;
            assert!((found - mean).abs() < 0.1 * mean, "{mean} {found}");
        }
    }
}
