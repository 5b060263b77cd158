//! WebSocket framing, the server's half of RFC 6455: masked frames in, unmasked frames out, no extensions.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// A frame whatsmeow may send is at most 16 MiB and four bytes of its own.
const MAX_MESSAGE: usize = (16 << 20) + 64;

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The answer to a client's `Sec-WebSocket-Key`.
pub fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Payload of a data frame; a message in several frames comes piece by piece, which is all a byte stream needs.
    Data(Vec<u8>),
    Ping(Vec<u8>),
    Close,
}

/// Collects what arrives and gives whole frames. It holds no memory between frames.
#[derive(Default)]
pub struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more arrives.
    ///
    /// # Errors
    /// The bytes are no frame a client may send; the text says why.
    pub fn next_event(&mut self) -> Result<Option<Event>, String> {
        loop {
            let Some((opcode, payload)) = self.next_frame()? else {
                return Ok(None);
            };
            match opcode {
                CONTINUATION | BINARY => return Ok(Some(Event::Data(payload))),
                PING => return Ok(Some(Event::Ping(payload))),
                CLOSE => return Ok(Some(Event::Close)),
                PONG => {}
                other => return Err(format!("WebSocket frame of kind {other}")),
            }
        }
    }

    fn next_frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        let &[first, second, ..] = self.buffer.as_slice() else {
            return Ok(None);
        };
        if second & 0x80 == 0 {
            return Err("a client's WebSocket frame must be masked".to_owned());
        }
        let (width, length) = match second & 0x7f {
            126 => (2, self.number(2)),
            127 => (8, self.number(8)),
            short => (0, Some(usize::from(short))),
        };
        let Some(length) = length else {
            return Ok(None);
        };
        if length > MAX_MESSAGE {
            return Err(format!("a WebSocket frame of {length} bytes"));
        }
        let start = 2 + width + 4;
        if self.buffer.len() < start + length {
            return Ok(None);
        }
        let mask: [u8; 4] = std::array::from_fn(|n| self.buffer[2 + width + n]);
        let mut payload = self.buffer[start..start + length].to_vec();
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        if self.buffer.len() == start + length {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..start + length);
        }
        Ok(Some((first & 0x0f, payload)))
    }

    fn number(&self, width: usize) -> Option<usize> {
        let bytes = self.buffer.get(2..2 + width)?;
        Some(bytes.iter().fold(0usize, |sum, byte| sum.wrapping_shl(8) | usize::from(*byte)))
    }
}

/// Appends `payload` to `out` as one binary message.
pub fn write_binary(out: &mut Vec<u8>, payload: &[u8]) {
    write(out, BINARY, payload);
}

/// Appends the answer to a ping.
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8]) {
    write(out, PONG, payload);
}

/// Appends a close frame, code 1000.
pub fn write_close(out: &mut Vec<u8>) {
    write(out, CLOSE, &1000u16.to_be_bytes());
}

fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(length as u8),
        length @ 126..0x1_0000 => {
            out.push(126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a client would send: the server's form with the mask bit and a mask.
    fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, opcode, payload);
        let head = out.len() - payload.len();
        out[1] |= 0x80;
        let mask = [7, 1, 200, 99];
        out[head..].iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        out.splice(head..head, mask);
        out
    }

    #[test]
    fn the_accept_key_is_the_one_of_the_standard() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frames_of_every_length_survive_any_cutting() {
        let payloads: Vec<Vec<u8>> = [0, 1, 125, 126, 65_535, 65_536].map(|length| vec![42; length]).into();
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| masked(BINARY, payload)).collect();
        for step in [1, 7, 4096, stream.len()] {
            let (mut reader, mut seen) = (Reader::default(), Vec::new());
            for piece in stream.chunks(step) {
                reader.push(piece);
                while let Some(event) = reader.next_event().unwrap() {
                    seen.push(event);
                }
            }
            assert_eq!(seen, payloads.iter().cloned().map(Event::Data).collect::<Vec<_>>());
            assert_eq!(reader.buffer.capacity(), 0, "an idle reader holds no memory");
        }
    }

    #[test]
    fn control_frames_are_told_apart() {
        let mut reader = Reader::default();
        reader.push(&masked(PONG, b""));
        reader.push(&masked(PING, b"hi"));
        reader.push(&masked(CLOSE, &[3, 232]));
        assert_eq!(reader.next_event().unwrap(), Some(Event::Ping(b"hi".to_vec())));
        assert_eq!(reader.next_event().unwrap(), Some(Event::Close));
        reader.push(&[0x82, 0x01, 0x00]);
        assert!(reader.next_event().is_err(), "an unmasked frame is refused");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.next_event() {}
        }
    }
}
