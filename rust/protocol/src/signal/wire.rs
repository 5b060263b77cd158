//! Signal's messages on the wire. Each starts with version byte 0x33; public keys carry the type byte 5 in front.

use prost::Message;

use crate::{Error, Result};

pub(super) const VERSION: u8 = 0x33;

#[derive(Clone, PartialEq, Message)]
pub(super) struct SignalMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    pub counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub ciphertext: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PreKeySignalMessage {
    #[prost(uint32, optional, tag = "1")]
    pub pre_key_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub base_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub identity_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub message: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "5")]
    pub registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub signed_pre_key_id: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DistributionMessage {
    #[prost(uint32, optional, tag = "1")]
    pub id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pub iteration: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub chain_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub signing_key: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SenderKeyMessage {
    #[prost(uint32, optional, tag = "1")]
    pub id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pub iteration: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub ciphertext: Option<Vec<u8>>,
}

/// A `pkmsg`: a first message with what its receiver needs to build the session.
pub struct PreKeyMessage {
    /// Which one-time prekey it used, if any.
    pub pre_key_id: Option<u32>,
    pub signed_pre_key_id: u32,
    pub base_key: [u8; 32],
    pub identity: [u8; 32],
    pub registration_id: u32,
    /// The `msg` inside.
    pub message: Vec<u8>,
}

impl PreKeyMessage {
    /// Reads a `pkmsg`.
    ///
    /// # Errors
    /// The bytes are not one.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let message: PreKeySignalMessage = decode(bytes, "pkmsg")?;
        Ok(Self {
            pre_key_id: message.pre_key_id,
            signed_pre_key_id: message.signed_pre_key_id(),
            base_key: public_key(message.base_key(), "base key")?,
            identity: public_key(message.identity_key(), "identity key")?,
            registration_id: message.registration_id(),
            message: message.message.unwrap_or_default(),
        })
    }
}

pub(super) fn encode(message: &impl Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + message.encoded_len());
    bytes.push(VERSION);
    message.encode(&mut bytes).expect("a Vec takes any number of bytes");
    bytes
}

pub(super) fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M> {
    match bytes.split_first() {
        Some((version, rest)) if version >> 4 == 3 => M::decode(rest).map_err(|error| Error::malformed(what, error)),
        Some((version, _)) => Err(Error::malformed(what, format!("version byte {version:#04x}"))),
        None => Err(Error::malformed(what, "no bytes")),
    }
}

/// The 33 bytes of a public key on the wire.
pub(super) fn typed(key: &[u8; 32]) -> Vec<u8> {
    [&[5], key.as_slice()].concat()
}

pub(super) fn public_key(bytes: &[u8], what: &'static str) -> Result<[u8; 32]> {
    match bytes {
        [5, key @ ..] if key.len() == 32 => Ok(key.try_into().expect("32 bytes")),
        _ => Err(Error::malformed(what, format!("{} bytes instead of 05 and 32", bytes.len()))),
    }
}
