//! What both ends of WhatsApp's multi-device protocol speak: bytes in, bytes out.
//!
//! Nothing here does I/O, reads a clock or keeps a global. The only thing taken from outside is randomness
//! ([`random::bytes`]), for keys, nonces and padding. Sources of the protocol facts are named in each module; they are
//! Signal's published specifications and the behaviour of the public whatsmeow client.

#![cfg_attr(clippy, deny(warnings))]

pub mod app_state;
pub mod certificate;
pub mod curve;
pub mod frame;
pub mod kdf;
pub mod media;
pub mod node;
pub mod noise;
pub mod padding;
pub mod pairing;
pub mod random;
pub mod secret;
pub mod signal;

/// Why bytes from the other side were refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A length, tag or field is not what the protocol says.
    #[error("malformed {what}: {detail}")]
    Malformed { what: &'static str, detail: String },
    /// A MAC, signature or AEAD tag does not match.
    #[error("{0} does not verify")]
    NotAuthentic(&'static str),
    /// A key this message needs is not (or no longer) here.
    #[error("no {what} for {value}")]
    MissingKey { what: &'static str, value: String },
}

impl Error {
    pub(crate) fn malformed(what: &'static str, detail: impl ToString) -> Self {
        Self::Malformed { what, detail: detail.to_string() }
    }
}

pub type Result<T> = std::result::Result<T, Error>;
