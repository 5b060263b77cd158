//! Sender keys: one ciphertext for a whole group.

use serde::{Deserialize, Serialize};

use super::wire::{self, DistributionMessage, SenderKeyMessage};
use crate::{
    Error, Result,
    curve::{self, KeyPair},
    kdf, media, random,
};

/// How far ahead a group message may be (libsignal: 25,000).
const MAX_AHEAD: u32 = 25_000;
/// How many skipped keys are kept (libsignal: 2,000).
const MAX_SKIPPED: usize = 2_000;

/// The writing side, one per group and sender.
#[derive(Clone, Serialize, Deserialize)]
pub struct SenderKeySender {
    id: u32,
    iteration: u32,
    chain: [u8; 32],
    signing: [u8; 32],
}

impl Default for SenderKeySender {
    fn default() -> Self {
        Self {
            id: u32::from_be_bytes(random::bytes()) >> 1,
            iteration: 0,
            chain: random::bytes(),
            signing: random::bytes(),
        }
    }
}

impl SenderKeySender {
    /// What each member gets, in a 1:1 message, before the first group message.
    #[must_use]
    pub fn distribution(&self) -> Vec<u8> {
        wire::encode(&DistributionMessage {
            id: Some(self.id),
            iteration: Some(self.iteration),
            chain_key: Some(self.chain.to_vec()),
            signing_key: Some(wire::typed(&KeyPair::from_secret(self.signing).public)),
        })
    }

    /// Encrypts an already padded message (`skmsg`).
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (iv, key) = message_keys(&kdf::hmac_sha256(&self.chain, &[&[1]]));
        let mut bytes = wire::encode(&SenderKeyMessage {
            id: Some(self.id),
            iteration: Some(self.iteration),
            ciphertext: Some(media::encrypt_cbc(&key, &iv, plaintext)),
        });
        bytes.extend_from_slice(&KeyPair::from_secret(self.signing).sign(&bytes));
        self.chain = kdf::hmac_sha256(&self.chain, &[&[2]]);
        self.iteration += 1;
        bytes
    }
}

/// The reading side, one per group, sender and member.
#[derive(Clone, Serialize, Deserialize)]
pub struct SenderKeyReceiver {
    id: u32,
    iteration: u32,
    chain: [u8; 32],
    signing: [u8; 32],
    skipped: Vec<(u32, [u8; 32])>,
}

impl SenderKeyReceiver {
    /// From a member's distribution message.
    ///
    /// # Errors
    /// The bytes are not one.
    pub fn new(distribution: &[u8]) -> Result<Self> {
        let message: DistributionMessage = wire::decode(distribution, "sender key distribution")?;
        let chain = message.chain_key();
        Ok(Self {
            id: message.id(),
            iteration: message.iteration(),
            chain: chain
                .try_into()
                .map_err(|_| Error::malformed("sender key distribution", format!("chain of {} bytes", chain.len())))?,
            signing: wire::public_key(message.signing_key(), "signing key")?,
            skipped: Vec::new(),
        })
    }

    /// Decrypts a `skmsg`. Nothing changes when it fails.
    ///
    /// # Errors
    /// It is of another key, not signed by its owner, or was decrypted before.
    pub fn decrypt(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let (body, signature) = bytes
            .split_last_chunk::<64>()
            .ok_or_else(|| Error::malformed("skmsg", format!("{} bytes", bytes.len())))?;
        let message: SenderKeyMessage = wire::decode(body, "skmsg")?;
        if message.id() != self.id {
            return Err(Error::MissingKey { what: "sender key", value: message.id().to_string() });
        }
        if !curve::verify(&self.signing, body, signature) {
            return Err(Error::NotAuthentic("skmsg"));
        }
        let seed = self.seed(message.iteration())?;
        let (iv, key) = message_keys(&seed);
        media::decrypt_cbc(&key, &iv, message.ciphertext())
    }

    fn seed(&mut self, iteration: u32) -> Result<[u8; 32]> {
        if let Some(at) = self.skipped.iter().position(|(n, _)| *n == iteration) {
            return Ok(self.skipped.remove(at).1);
        }
        if iteration < self.iteration {
            return Err(Error::MissingKey { what: "group message key", value: format!("iteration {iteration}, seen") });
        }
        if iteration - self.iteration > MAX_AHEAD {
            return Err(Error::malformed("skmsg", format!("iteration {iteration} is too far ahead")));
        }
        while self.iteration < iteration {
            let skipped = (self.iteration, self.step());
            self.skipped.push(skipped);
        }
        let excess = self.skipped.len().saturating_sub(MAX_SKIPPED);
        self.skipped.drain(..excess);
        Ok(self.step())
    }

    fn step(&mut self) -> [u8; 32] {
        let seed = kdf::hmac_sha256(&self.chain, &[&[1]]);
        self.chain = kdf::hmac_sha256(&self.chain, &[&[2]]);
        self.iteration += 1;
        seed
    }
}

fn message_keys(seed: &[u8; 32]) -> ([u8; 16], [u8; 32]) {
    let all: [u8; 48] = kdf::hkdf(seed, &[0; 32], b"WhisperGroup");
    (all[..16].try_into().expect("16 of 48 bytes"), all[16..].try_into().expect("32 of 48 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_in_any_order_once_from_when_they_joined() {
        let mut sender = SenderKeySender::default();
        let mut early = SenderKeyReceiver::new(&sender.distribution()).unwrap();
        let messages: Vec<_> = (0..6u8).map(|n| sender.encrypt(&[n; 20])).collect();
        for n in [2, 0, 5, 1] {
            assert_eq!(early.decrypt(&messages[n]).unwrap(), [n as u8; 20]);
            assert!(early.decrypt(&messages[n]).is_err());
        }
        let mut late = SenderKeyReceiver::new(&sender.distribution()).unwrap();
        assert!(late.decrypt(&messages[3]).is_err());
        assert_eq!(late.decrypt(&sender.encrypt(b"hello")).unwrap(), b"hello");
    }

    #[test]
    fn nobody_else_can_write() {
        let (mut sender, other) = (SenderKeySender::default(), SenderKeySender::default());
        let mut message = sender.encrypt(b"hello");
        assert!(SenderKeyReceiver::new(&other.distribution()).unwrap().decrypt(&message).is_err());
        message[8] ^= 1;
        assert!(SenderKeyReceiver::new(&sender.distribution()).unwrap().decrypt(&message).is_err());
        assert!(SenderKeyReceiver::new(&[0x33, 0xff]).is_err());
    }
}
