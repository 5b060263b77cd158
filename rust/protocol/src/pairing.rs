//! Linking a companion to a phone, both sides (whatsmeow `pair.go`, `pair-code.go`).

use aes::Aes256;
use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead};
use ctr::cipher::{KeyIvInit, StreamCipher};
use prost::Message;
use sha2::Sha256;
use wafast_schema::adv::{AdvDeviceIdentity, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac};

use crate::{
    Error, Result,
    curve::{self, KeyPair},
    kdf, random,
};

/// What the QR code of a companion says.
#[derive(Debug, PartialEq, Eq)]
pub struct QrCode {
    /// One of the refs the server gave this connection.
    pub reference: String,
    pub noise_public: [u8; 32],
    pub identity_public: [u8; 32],
    pub adv_secret: [u8; 32],
}

impl QrCode {
    /// Reads `https://wa.me/settings/linked_devices#REF,NOISE,IDENTITY,SECRET,…` or the part behind the `#`.
    ///
    /// # Errors
    /// There are too few fields or a key is not 32 bytes of base64.
    pub fn parse(text: &str) -> Result<Self> {
        let fields: Vec<&str> = text.rsplit('#').next().unwrap_or_default().split(',').collect();
        let [reference, noise, identity, secret, ..] = fields.as_slice() else {
            return Err(Error::malformed("QR text", format!("{} fields, at least 4 are needed", fields.len())));
        };
        Ok(Self {
            reference: (*reference).to_owned(),
            noise_public: base64_key(noise)?,
            identity_public: base64_key(identity)?,
            adv_secret: base64_key(secret)?,
        })
    }
}

fn base64_key(text: &str) -> Result<[u8; 32]> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(text).map_err(|error| Error::malformed("QR text", error))?;
    bytes.try_into().map_err(|_| Error::malformed("QR text", format!("{text} is not a 32-byte key")))
}

/// The phone vouches for a companion: the content of `<device-identity>` in `pair-success`.
///
/// `key_index` counts the companions this phone has linked; `timestamp` is Unix seconds.
#[must_use]
pub fn vouch(
    phone: &KeyPair,
    companion_identity: &[u8; 32],
    adv_secret: &[u8; 32],
    key_index: u32,
    timestamp: u64,
) -> Vec<u8> {
    let details = AdvDeviceIdentity {
        raw_id: Some(u32::from_be_bytes(random::bytes()) >> 1),
        timestamp: Some(timestamp),
        key_index: Some(key_index),
        account_type: Some(0),
        device_type: Some(0),
    }
    .encode_to_vec();
    let signature = phone.sign(&[&[6, 0], details.as_slice(), companion_identity].concat());
    let signed = AdvSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(phone.public.to_vec()),
        account_signature: Some(signature.to_vec()),
        device_signature: None,
    }
    .encode_to_vec();
    AdvSignedDeviceIdentityHmac {
        hmac: Some(kdf::hmac_sha256(adv_secret, &[&signed]).to_vec()),
        details: Some(signed),
        account_type: Some(0),
    }
    .encode_to_vec()
}

/// Checks the companion's answer in `pair-device-sign`: its own signature under what the phone vouched for.
///
/// # Errors
/// The bytes are no identity or the signature is not the companion's.
pub fn check_companion(answer: &[u8], phone_public: &[u8; 32], companion_identity: &[u8; 32]) -> Result<()> {
    let signed = AdvSignedDeviceIdentity::decode(answer).map_err(|error| Error::malformed("device identity", error))?;
    let message = [&[6, 1], signed.details(), companion_identity, phone_public].concat();
    if !curve::verify(companion_identity, &message, signed.device_signature()) {
        return Err(Error::NotAuthentic("device signature"));
    }
    Ok(())
}

/// The eight-character code, as typed by a person: dashes, spaces and case do not matter.
#[must_use]
pub fn normalise_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// PBKDF2 with 131,072 rounds: about 20 ms of CPU, so keep it off an event loop.
fn code_key(code: &str, salt: &[u8]) -> [u8; 32] {
    pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(code.as_bytes(), salt, 2 << 16)
}

fn apply_ctr(key: &[u8; 32], iv: &[u8; 16], data: &mut [u8]) {
    ctr::Ctr128BE::<Aes256>::new(key.into(), iv.into()).apply_keystream(data);
}

/// Wraps an ephemeral public key under the code: salt, IV and ciphertext, 80 bytes.
#[must_use]
pub fn wrap_ephemeral(code: &str, public: &[u8; 32]) -> Vec<u8> {
    let (salt, iv): ([u8; 32], [u8; 16]) = (random::bytes(), random::bytes());
    let mut sealed = *public;
    apply_ctr(&code_key(code, &salt), &iv, &mut sealed);
    [salt.as_slice(), &iv, &sealed].concat()
}

/// The inverse of [`wrap_ephemeral`]. A wrong code gives a wrong key, which shows later.
///
/// # Errors
/// `wrapped` is not 80 bytes.
pub fn unwrap_ephemeral(code: &str, wrapped: &[u8]) -> Result<[u8; 32]> {
    let wrapped: &[u8; 80] = wrapped
        .try_into()
        .map_err(|_| Error::malformed("wrapped key", format!("{} bytes instead of 80", wrapped.len())))?;
    let iv: [u8; 16] = wrapped[32..48].try_into().expect("16 of 80 bytes");
    let mut public: [u8; 32] = wrapped[48..].try_into().expect("32 of 80 bytes");
    apply_ctr(&code_key(code, &wrapped[..32]), &iv, &mut public);
    Ok(public)
}

const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";

/// The companion's key bundle (stage `companion_finish`), and the ADV secret both sides now know.
#[must_use]
pub fn seal_bundle(
    ephemeral: &KeyPair,
    identity: &KeyPair,
    phone_ephemeral: &[u8; 32],
    phone_identity: &[u8; 32],
) -> (Vec<u8>, [u8; 32]) {
    let (salt, nonce, random): ([u8; 32], [u8; 12], [u8; 32]) = (random::bytes(), random::bytes(), random::bytes());
    let shared = ephemeral.agree(phone_ephemeral);
    let key: [u8; 32] = kdf::hkdf(&shared, &salt, BUNDLE_INFO);
    let plaintext = [identity.public, *phone_identity, random].concat();
    let sealed = Aes256Gcm::new(&key.into()).encrypt(&nonce.into(), plaintext.as_slice()).expect("96 bytes fit");
    let secret = kdf::hkdf(&[shared, identity.agree(phone_identity), random].concat(), &[], b"adv_secret");
    ([salt.as_slice(), &nonce, &sealed].concat(), secret)
}

/// The phone reads the bundle and gets the ADV secret.
///
/// # Errors
/// The code was wrong, or the bundle is for another phone or companion.
pub fn open_bundle(
    bundle: &[u8],
    phone_ephemeral: &KeyPair,
    phone: &KeyPair,
    companion_ephemeral: &[u8; 32],
    companion_identity: &[u8; 32],
) -> Result<[u8; 32]> {
    if bundle.len() < 44 {
        return Err(Error::malformed("key bundle", format!("{} bytes", bundle.len())));
    }
    let shared = phone_ephemeral.agree(companion_ephemeral);
    let key: [u8; 32] = kdf::hkdf(&shared, &bundle[..32], BUNDLE_INFO);
    let nonce: [u8; 12] = bundle[32..44].try_into().expect("12 bytes");
    let plaintext = Aes256Gcm::new(&key.into())
        .decrypt(&nonce.into(), &bundle[44..])
        .map_err(|_| Error::NotAuthentic("key bundle (is the code right?)"))?;
    if plaintext.len() != 96 || plaintext[..32] != *companion_identity || plaintext[32..64] != phone.public {
        return Err(Error::NotAuthentic("key bundle"));
    }
    let secret = [shared.as_slice(), &phone.agree(companion_identity), &plaintext[64..]].concat();
    Ok(kdf::hkdf(&secret, &[], b"adv_secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_brings_both_sides_to_one_secret() {
        let (phone, companion) = (KeyPair::generate(), KeyPair::generate());
        let (phone_ephemeral, companion_ephemeral) = (KeyPair::generate(), KeyPair::generate());
        let code = normalise_code("abcd-2345");
        let seen = unwrap_ephemeral(&code, &wrap_ephemeral("ABCD2345", &companion_ephemeral.public)).unwrap();
        assert_eq!(seen, companion_ephemeral.public);
        let (bundle, secret) = seal_bundle(&companion_ephemeral, &companion, &phone_ephemeral.public, &phone.public);
        assert_eq!(open_bundle(&bundle, &phone_ephemeral, &phone, &seen, &companion.public).unwrap(), secret);
        let wrong = unwrap_ephemeral("ABCD2346", &wrap_ephemeral("ABCD2345", &companion_ephemeral.public)).unwrap();
        assert!(open_bundle(&bundle, &phone_ephemeral, &phone, &wrong, &companion.public).is_err());
    }

    #[test]
    fn the_phone_vouches_for_one_companion() {
        let (phone, companion) = (KeyPair::generate(), KeyPair::generate());
        let wrapped =
            AdvSignedDeviceIdentityHmac::decode(vouch(&phone, &companion.public, &[9; 32], 1, 5).as_slice()).unwrap();
        assert_eq!(wrapped.hmac(), kdf::hmac_sha256(&[9; 32], &[wrapped.details()]));
        let mut signed = AdvSignedDeviceIdentity::decode(wrapped.details()).unwrap();
        let message = [&[6, 0], signed.details(), &companion.public].concat();
        assert!(curve::verify(&phone.public, &message, signed.account_signature()));
        let answer = [&[6, 1], signed.details(), &companion.public, &phone.public].concat();
        signed.device_signature = Some(companion.sign(&answer).to_vec());
        assert!(check_companion(&signed.encode_to_vec(), &phone.public, &companion.public).is_ok());
        assert!(check_companion(&signed.encode_to_vec(), &companion.public, &phone.public).is_err());
    }

    #[test]
    fn a_qr_text_gives_its_keys() {
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let text = format!("https://wa.me/settings/linked_devices#2@ref,{key},{key},{key},1");
        let code = QrCode::parse(&text).unwrap();
        assert_eq!((code.reference.as_str(), code.adv_secret), ("2@ref", [1; 32]));
        assert!(QrCode::parse("2@ref,xx").is_err());
        assert!(QrCode::parse("2@ref,AQ==,AQ==,AQ==").is_err());
    }
}
