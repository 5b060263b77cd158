//! Encryption of media files (whatsmeow `upload.go`, `download.go`): AES-256-CBC, then the first 10 bytes of an
//! HMAC-SHA256 over IV and ciphertext.

use aes::Aes256;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};

use crate::{Error, Result, kdf, random};

/// What a file is, which decides the keys derived for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Image,
    Video,
    Audio,
    Document,
    History,
    AppState,
}

impl Kind {
    /// HKDF's info for this kind.
    #[must_use]
    pub fn info(self) -> &'static [u8] {
        match self {
            Self::Image => b"WhatsApp Image Keys",
            Self::Video => b"WhatsApp Video Keys",
            Self::Audio => b"WhatsApp Audio Keys",
            Self::Document => b"WhatsApp Document Keys",
            Self::History => b"WhatsApp History Keys",
            Self::AppState => b"WhatsApp App State Keys",
        }
    }
}

/// An encrypted file and what a message says of it.
pub struct Sealed {
    pub blob: Vec<u8>,
    pub media_key: [u8; 32],
    pub sha256: [u8; 32],
    pub enc_sha256: [u8; 32],
}

struct Keys {
    iv: [u8; 16],
    cipher: [u8; 32],
    mac: [u8; 32],
}

fn keys(media_key: &[u8], kind: Kind) -> Keys {
    let all: [u8; 112] = kdf::hkdf(media_key, &[], kind.info());
    let mut keys = Keys { iv: [0; 16], cipher: [0; 32], mac: [0; 32] };
    keys.iv.copy_from_slice(&all[..16]);
    keys.cipher.copy_from_slice(&all[16..48]);
    keys.mac.copy_from_slice(&all[48..80]);
    keys
}

/// Encrypts `plaintext` under a fresh key.
#[must_use]
pub fn seal(plaintext: &[u8], kind: Kind) -> Sealed {
    let media_key: [u8; 32] = random::bytes();
    let keys = keys(&media_key, kind);
    let mut blob = encrypt_cbc(&keys.cipher, &keys.iv, plaintext);
    let mac = kdf::hmac_sha256(&keys.mac, &[&keys.iv, &blob]);
    blob.extend_from_slice(&mac[..10]);
    Sealed { media_key, sha256: kdf::sha256(&[plaintext]), enc_sha256: kdf::sha256(&[&blob]), blob }
}

/// Decrypts a blob of [`seal`]'s form.
///
/// # Errors
/// The MAC does not match or the padding is wrong.
pub fn open(blob: &[u8], media_key: &[u8], kind: Kind) -> Result<Vec<u8>> {
    let keys = keys(media_key, kind);
    let (ciphertext, mac) =
        blob.split_last_chunk::<10>().ok_or_else(|| Error::malformed("media file", format!("{} bytes", blob.len())))?;
    if !kdf::same(mac, &kdf::hmac_sha256(&keys.mac, &[&keys.iv, ciphertext])[..10]) {
        return Err(Error::NotAuthentic("media file"));
    }
    decrypt_cbc(&keys.cipher, &keys.iv, ciphertext)
}

/// AES-256-CBC with PKCS#7 padding.
#[must_use]
pub fn encrypt_cbc(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// The inverse of [`encrypt_cbc`].
///
/// # Errors
/// The length or padding is wrong.
pub fn decrypt_cbc(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>> {
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map_err(|error| Error::malformed("ciphertext", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_and_a_changed_one_does_not() {
        for length in [0, 1, 15, 16, 17, 100_000] {
            let plaintext = random::vec(length);
            let mut sealed = seal(&plaintext, Kind::Image);
            assert_eq!(open(&sealed.blob, &sealed.media_key, Kind::Image).unwrap(), plaintext);
            assert!(open(&sealed.blob, &sealed.media_key, Kind::Video).is_err());
            let last = sealed.blob.len() - 1;
            sealed.blob[last] ^= 1;
            assert!(open(&sealed.blob, &sealed.media_key, Kind::Image).is_err());
        }
        assert!(open(b"short", &[0; 32], Kind::Image).is_err());
    }
}
