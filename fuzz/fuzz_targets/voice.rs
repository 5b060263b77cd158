//! Any bytes as a recording that somebody has uploaded: what is made of it is a voice note, and made again the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(made) = wafast_voice::voice(file) else { return };
    assert!(made.seconds > 0 && made.waveform.iter().all(|step| *step <= 100));
    assert!(made.ogg.len() < 4096 + 4 * file.len(), "it is no bomb");
    assert_eq!(wafast_voice::voice(&made.ogg), Ok(made));
});
