//! The 1..=15 bytes that follow every message before encryption, each holding their number (whatsmeow `message.go`).

use crate::{Error, Result, random};

/// `message` with random padding behind it.
#[must_use]
pub fn pad(mut message: Vec<u8>) -> Vec<u8> {
    let count = match random::bytes::<1>()[0] & 15 {
        0 => 15,
        count => count,
    };
    message.resize(message.len() + usize::from(count), count);
    message
}

/// `message` without its padding.
///
/// # Errors
/// The last byte claims more padding than there are bytes.
pub fn unpad(mut message: Vec<u8>) -> Result<Vec<u8>> {
    let count = usize::from(*message.last().ok_or_else(|| Error::malformed("padding", "no bytes"))?);
    if count == 0 || count > message.len() {
        return Err(Error::malformed("padding", format!("{count} of {} bytes", message.len())));
    }
    message.truncate(message.len() - count);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_comes_off_again() {
        for length in 0..64 {
            let message = vec![7; length];
            let padded = pad(message.clone());
            assert!(padded.len() > length && padded.len() <= length + 15);
            assert_eq!(unpad(padded).unwrap(), message);
        }
        assert!(unpad(vec![]).is_err() && unpad(vec![0]).is_err() && unpad(vec![9]).is_err());
    }
}
