//! What is sealed for those who have a message: votes on a poll and the like (whatsmeow `msgsecret.go`).
//!
//! The key comes from the message's secret, its id, its sender's JID and the JID of who sealed it, both without device;
//! AES-256-GCM then binds the id and the second JID.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};

use crate::kdf;

/// What a vote's key is for.
pub const POLL_VOTE: &str = "Poll Vote";

/// For what, by whom, and about which message something is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    pub name: &'a str,
    pub message_id: &'a str,
    /// JID of who sent the message.
    pub author: &'a str,
    /// JID of who sealed this.
    pub by: &'a str,
}

impl Purpose<'_> {
    fn cipher(&self, secret: &[u8]) -> Aes256Gcm {
        let info = [self.message_id, self.author, self.by, self.name].concat();
        let key: [u8; 32] = kdf::hkdf(secret, &[], info.as_bytes());
        Aes256Gcm::new(&key.into())
    }

    fn bound(&self) -> Vec<u8> {
        [self.message_id.as_bytes(), b"\0", self.by.as_bytes()].concat()
    }

    /// Seals `plaintext` with the message's secret.
    ///
    /// # Panics
    /// Never: AES-GCM takes 64 GiB.
    #[must_use]
    pub fn seal(&self, secret: &[u8], nonce: [u8; 12], plaintext: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plaintext, aad: &self.bound() };
        self.cipher(secret).encrypt(&Nonce::from(nonce), payload).expect("a small plaintext")
    }

    /// Opens what was sealed; None when any of it is another's.
    #[must_use]
    pub fn open(&self, secret: &[u8], nonce: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; 12] = nonce.try_into().ok()?;
        self.cipher(secret).decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: &self.bound() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_purpose_opens_it() {
        let purpose = Purpose { name: POLL_VOTE, message_id: "3EB0", author: "1@s.whatsapp.net", by: "2@lid" };
        let sealed = purpose.seal(&[7; 32], [1; 12], b"yes");
        assert_eq!(purpose.open(&[7; 32], &[1; 12], &sealed).as_deref(), Some(b"yes".as_slice()));
        for other in [Purpose { by: "3@lid", ..purpose }, Purpose { author: "1@lid", ..purpose }] {
            assert_eq!(other.open(&[7; 32], &[1; 12], &sealed), None);
        }
        assert_eq!(purpose.open(&[8; 32], &[1; 12], &sealed), None);
        assert_eq!(purpose.open(&[7; 32], &[1; 11], &sealed), None);
    }
}
