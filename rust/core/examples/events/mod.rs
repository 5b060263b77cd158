//! The file of events that benches write: each with four bytes of length, little endian, before it.

/// The events of a file.
pub fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut events = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (event, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        events.push(event);
        bytes = rest;
    }
    events
}
