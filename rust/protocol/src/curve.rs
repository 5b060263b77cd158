//! Curve25519: key agreement, and XEdDSA signatures with the same keys (signal.org/docs/specifications/xeddsa).

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};
use sha2::{Digest, Sha512};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::random;

/// A Curve25519 key pair; the secret is clamped.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    pub secret: [u8; 32],
    pub public: [u8; 32],
}

impl KeyPair {
    /// A fresh pair.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_secret(random::bytes())
    }

    /// The pair of these 32 secret bytes, clamped as X25519 wants.
    #[must_use]
    pub fn from_secret(mut secret: [u8; 32]) -> Self {
        secret[0] &= 248;
        secret[31] = (secret[31] & 127) | 64;
        Self { secret, public: PublicKey::from(&StaticSecret::from(secret)).to_bytes() }
    }

    /// The shared secret with the owner of `public`, 32 bytes.
    #[must_use]
    pub fn agree(&self, public: &[u8; 32]) -> [u8; 32] {
        StaticSecret::from(self.secret).diffie_hellman(&PublicKey::from(*public)).to_bytes()
    }

    /// XEdDSA over `message`, 64 bytes. As libsignal does, the sign of the Edwards key rides in the last bit.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let secret = Scalar::from_bytes_mod_order(self.secret);
        let public = EdwardsPoint::mul_base(&secret).compress().to_bytes();
        let mut hash = Sha512::new();
        hash.update([0xfe]);
        hash.update([0xff; 31]);
        hash.update(self.secret);
        hash.update(message);
        hash.update(random::bytes::<64>());
        let nonce = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        let proof = (nonce + challenge(&commitment, &public, message) * secret).to_bytes();
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&commitment);
        signature[32..].copy_from_slice(&proof);
        signature[63] = (signature[63] & 0x7f) | (public[31] & 0x80);
        signature
    }
}

/// Whether `signature` over `message` is by the owner of the Montgomery key `public`.
#[must_use]
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature): Result<&[u8; 64], _> = signature.try_into() else {
        return false;
    };
    let sign = signature[63] >> 7;
    let Some(point) = MontgomeryPoint(*public).to_edwards(sign) else {
        return false;
    };
    let mut proof: [u8; 32] = [0; 32];
    proof.copy_from_slice(&signature[32..]);
    proof[31] &= 0x7f;
    let Some(proof) = Scalar::from_canonical_bytes(proof).into_option() else {
        return false;
    };
    let mut commitment = [0; 32];
    commitment.copy_from_slice(&signature[..32]);
    let challenge = challenge(&commitment, &point.compress().to_bytes(), message);
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-challenge, &point, &proof);
    expected.compress().to_bytes() == commitment
}

fn challenge(commitment: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    let mut hash = Sha512::new();
    hash.update(commitment);
    hash.update(public);
    hash.update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree() {
        let (a, b) = (KeyPair::generate(), KeyPair::generate());
        assert_eq!(a.agree(&b.public), b.agree(&a.public));
    }

    #[test]
    fn a_signature_is_of_one_key_and_one_message() {
        for _ in 0..32 {
            let (a, b) = (KeyPair::generate(), KeyPair::generate());
            let mut signature = a.sign(b"hello");
            assert!(verify(&a.public, b"hello", &signature));
            assert!(!verify(&a.public, b"hellp", &signature));
            assert!(!verify(&b.public, b"hello", &signature));
            signature[7] ^= 1;
            assert!(!verify(&a.public, b"hello", &signature));
            assert!(!verify(&a.public, b"hello", &signature[..63]));
        }
    }
}
