//! How loud a voice note is over its length, without decoding it: Opus spends its bytes where there is something to hear.

/// As many as WhatsApp draws.
pub const STEPS: usize = 64;
/// Of the loudest step's bytes, what silence takes: comfort noise is no bar.
const SILENCE: f64 = 0.2;

/// Loudness in [`STEPS`] equal parts, from 0 to 100.
pub fn of(packets: &[Vec<u8>]) -> [u8; STEPS] {
    let mut steps = [0.0; STEPS];
    for (step, bytes) in steps.iter_mut().enumerate() {
        let start = step * packets.len() / STEPS;
        let end = ((step + 1) * packets.len() / STEPS).max(start + 1).min(packets.len());
        let part = &packets[start.min(end)..end];
        *bytes = part.iter().map(|packet| packet.len() as f64).sum::<f64>() / part.len().max(1) as f64;
    }
    let loudest = steps.iter().copied().fold(1.0, f64::max);
    steps.map(|bytes| ((bytes / loudest - SILENCE).max(0.0) / (1.0 - SILENCE) * 100.0).round() as u8)
}
