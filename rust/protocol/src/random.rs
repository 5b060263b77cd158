//! Randomness from the operating system.

/// `N` random bytes.
///
/// # Panics
/// When the operating system has no randomness to give, which on Linux means a broken kernel.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// `length` random bytes.
#[must_use]
pub fn vec(length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    getrandom::fill(&mut out).expect("the operating system gives random bytes");
    out
}
