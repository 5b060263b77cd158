//! How long an Opus packet plays: its first byte says so (RFC 6716, 3.1).

/// The longest packet there is: 120 ms.
const LONGEST: u64 = 5_760;

/// Samples at 48 kHz; 0 for a packet that says nothing.
pub fn samples(packet: &[u8]) -> u64 {
    let Some(&first) = packet.first() else { return 0 };
    let config = usize::from(first >> 3);
    let frame = match config {
        0..12 => [480, 960, 1_920, 2_880][config & 3],
        12..16 => [480, 960][config & 1],
        _ => [120, 240, 480, 960][config & 3],
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => packet.get(1).map_or(0, |count| u64::from(count & 0x3f)),
    };
    (frame * frames).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_says_how_long_it_plays() {
        assert_eq!(samples(&[0xf8, 0]), 960, "CELT, one frame of 20 ms");
        assert_eq!(samples(&[0x19, 0]), 5_760, "SILK, two frames of 60 ms");
        assert_eq!(samples(&[0x63, 3]), 1_440, "hybrid, three frames of 10 ms");
        assert_eq!(samples(&[]), 0);
    }
}
