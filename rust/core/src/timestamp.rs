//! Timestamps are Unix seconds; other units are recognised and nonsense is replaced, here at the boundary.

/// 2009-01-01: WhatsApp's first year. Nothing was sent before.
const EARLIEST: i64 = 1_230_768_000;
/// A day: how far ahead a clock may be.
const AHEAD: i64 = 86_400;

/// A timestamp in seconds, and whether it had to be replaced by the time of receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub seconds: i64,
    pub was_nonsense: bool,
}

/// Seconds of `value`, which may be in seconds, milli-, micro- or nanoseconds; `now` in seconds when it is none of them.
#[must_use]
pub fn repair(value: i64, now: i64) -> Repaired {
    // Seconds of this century have ten digits; each larger unit three more.
    let seconds = match value.checked_ilog10() {
        None | Some(..11) => value,
        Some(11..14) => value / 1_000,
        Some(14..17) => value / 1_000_000,
        Some(17..) => value / 1_000_000_000,
    };
    let was_nonsense = !(EARLIEST..=now + AHEAD).contains(&seconds);
    Repaired { seconds: if was_nonsense { now } else { seconds }, was_nonsense }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_790_000_000;

    proptest! {
        #[test]
        fn every_unit_of_a_sane_time_is_the_same_second(seconds in EARLIEST..NOW + AHEAD) {
            for unit in [1, 1_000, 1_000_000, 1_000_000_000] {
                prop_assert_eq!(repair(seconds * unit, NOW), Repaired { seconds, was_nonsense: false });
            }
        }

        #[test]
        fn the_result_is_always_sane(value: i64) {
            let seconds = repair(value, NOW).seconds;
            prop_assert!((EARLIEST..=NOW + AHEAD).contains(&seconds));
        }
    }

    #[test]
    fn nonsense_becomes_the_time_of_receipt() {
        for value in [0, -5, EARLIEST - 1, NOW + AHEAD + 1, i64::MAX, i64::MIN] {
            assert_eq!(repair(value, NOW), Repaired { seconds: NOW, was_nonsense: true }, "{value}");
        }
    }
}
