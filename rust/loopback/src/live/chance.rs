//! Chance that a seed can repeat.

use wafast_protocol::random;

/// A xorshift generator: quick, and good enough for small talk.
pub struct Chance(u64);

impl Chance {
    /// Always the same for one seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Another every time.
    pub fn from_system() -> Self {
        Self::new(u64::from_be_bytes(random::bytes()))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A whole number from 0 to `end` less 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number between the two.
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.below(1 << 20) as f64 / f64::from(1 << 20))
    }

    /// One of several.
    pub fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_bounds_hold() {
        let numbers = |seed| {
            let mut chance = Chance::new(seed);
            (0..1000).map(|_| chance.below(7)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(5), numbers(5));
        assert_ne!(numbers(5), numbers(6));
        assert!((0..7).all(|n| numbers(5).contains(&n)));
        let mut chance = Chance::new(1);
        assert!((0..1000).all(|_| (2.0..3.0).contains(&chance.between(2.0, 3.0))));
    }
}
