//! Frames on the socket: three bytes of big-endian length, then the payload (whatsmeow `socket/framesocket.go`).
//!
//! A server must send a frame whole in one WebSocket message: whatsmeow misplaces the rest of a split one by three bytes.

use crate::{Error, Result};

/// What a client sends once before its first frame: `WA`, protocol 6, dictionary 3.
pub const INTRO: [u8; 4] = [b'W', b'A', 6, 3];

/// The largest payload, 16 MiB less a byte.
pub const MAX_LENGTH: usize = (1 << 24) - 1;

/// `payload` as one frame.
///
/// # Errors
/// It is longer than [`MAX_LENGTH`].
pub fn encode(payload: &[u8]) -> Result<Vec<u8>> {
    if payload.len() > MAX_LENGTH {
        return Err(Error::malformed("frame", format!("{} bytes, at most {MAX_LENGTH} fit", payload.len())));
    }
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = Vec::with_capacity(3 + payload.len());
    frame.extend_from_slice(&length[1..]);
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Collects what arrives and gives whole frames. It holds no memory while nothing is under way.
#[derive(Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    taken: usize,
}

impl Splitter {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the intro off the start of the stream; `None` until four bytes are there.
    ///
    /// # Errors
    /// The stream begins otherwise.
    pub fn intro(&mut self) -> Result<Option<[u8; 4]>> {
        let Some(intro) = self.buffer[self.taken..].first_chunk::<4>().copied() else {
            return Ok(None);
        };
        if intro[..2] != INTRO[..2] {
            return Err(Error::malformed("stream intro", format!("{intro:02x?}")));
        }
        self.advance(4);
        Ok(Some(intro))
    }

    /// The next whole frame's payload, or `None` until more arrives.
    pub fn next_frame(&mut self) -> Option<Vec<u8>> {
        let rest = &self.buffer[self.taken..];
        let &[a, b, c] = rest.first_chunk::<3>()?;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let payload = rest.get(3..3 + length)?.to_vec();
        self.advance(3 + length);
        Some(payload)
    }

    fn advance(&mut self, count: usize) {
        self.taken += count;
        if self.taken == self.buffer.len() {
            (self.buffer, self.taken) = (Vec::new(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cutting() {
        let mut stream = INTRO.to_vec();
        let payloads: Vec<Vec<u8>> = (0..40).map(|n| vec![n as u8; n * 37]).collect();
        payloads.iter().for_each(|payload| stream.extend(encode(payload).unwrap()));
        for step in [1, 2, 3, 5, 64, 4096, stream.len()] {
            let (mut splitter, mut seen, mut intro) = (Splitter::default(), Vec::new(), None);
            for piece in stream.chunks(step) {
                splitter.push(piece);
                if intro.is_none() {
                    intro = splitter.intro().unwrap();
                }
                while intro.is_some()
                    && let Some(frame) = splitter.next_frame()
                {
                    seen.push(frame);
                }
            }
            assert_eq!(seen, payloads, "cut every {step} bytes");
            assert_eq!(splitter.buffer.capacity(), 0);
        }
    }

    #[test]
    fn another_intro_is_refused() {
        let mut splitter = Splitter::default();
        splitter.push(b"GET /");
        assert!(splitter.intro().is_err());
    }
}
