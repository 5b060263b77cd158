//! Prekeys: what the other side needs to write first.

use serde::{Deserialize, Serialize};

use crate::{
    curve::{self, KeyPair},
    random,
};

/// Public keys of someone to write to.
#[derive(Clone)]
pub struct Bundle {
    pub registration_id: u32,
    pub identity: [u8; 32],
    pub signed_pre_key_id: u32,
    pub signed_pre_key: [u8; 32],
    pub signature: [u8; 64],
    pub pre_key: Option<(u32, [u8; 32])>,
}

impl Bundle {
    /// Whether the signed prekey is by the identity.
    #[must_use]
    pub fn is_authentic(&self) -> bool {
        curve::verify(&self.identity, &[&[5], self.signed_pre_key.as_slice()].concat(), &self.signature)
    }
}

/// The secret side of bundles: an identity that can be written to.
///
/// One-time prekeys are derived from a seed by their id, so that a person with thousands of them costs 100 bytes.
#[derive(Clone, Serialize, Deserialize)]
pub struct PreKeys {
    pub identity: [u8; 32],
    pub registration_id: u32,
    signed: [u8; 32],
    seed: [u8; 32],
    next: u32,
}

impl PreKeys {
    /// Fresh keys around `identity`.
    #[must_use]
    pub fn new(identity: &KeyPair) -> Self {
        Self {
            identity: identity.secret,
            registration_id: u32::from(u16::from_be_bytes(random::bytes()) & 0x3fff) | 1,
            signed: random::bytes(),
            seed: random::bytes(),
            next: 1,
        }
    }

    /// The identity key pair.
    #[must_use]
    pub fn identity(&self) -> KeyPair {
        KeyPair::from_secret(self.identity)
    }

    /// The signed prekey; its id is always 1.
    #[must_use]
    pub fn signed(&self) -> KeyPair {
        KeyPair::from_secret(self.signed)
    }

    /// The one-time prekey with this id.
    #[must_use]
    pub fn one_time(&self, id: u32) -> KeyPair {
        KeyPair::from_secret(crate::kdf::hmac_sha256(&self.seed, &[&id.to_be_bytes()]))
    }

    /// A bundle with the next one-time prekey.
    pub fn bundle(&mut self) -> Bundle {
        let (identity, signed, id) = (self.identity(), self.signed(), self.next);
        self.next = self.next % 0x00ff_ffff + 1;
        Bundle {
            registration_id: self.registration_id,
            identity: identity.public,
            signed_pre_key_id: 1,
            signed_pre_key: signed.public,
            signature: identity.sign(&[&[5], signed.public.as_slice()].concat()),
            pre_key: Some((id, self.one_time(id).public)),
        }
    }
}
