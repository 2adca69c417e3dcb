//! A small generator of numbers: the same seed, the same numbers.

/// xorshift64*, see Vigna, "An experimental exploration of Marsaglia's xorshift generators,
/// scrambled", 2016.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Begins at a seed; 0 would stay 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // The upper bits are the better ones. The remainder is below a usize.
        ((self.draw() >> 16) % bound as u64) as usize
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> u8 {
        (self.draw() >> 32).to_le_bytes()[0]
    }
}
