//! The chain a server proves its Noise key with: root → intermediate → leaf (whatsmeow `handshake.go`,
//! `verifyServerCert`). The signatures are over the raw `details` bytes.

use prost::Message;
use wafast_schema::cert::{
    CertChain,
    cert_chain::{NoiseCertificate, noise_certificate::Details},
};

use crate::{
    Error, Result,
    curve::{self, KeyPair},
};

/// A chain for `leaf_key`, signed by `root` through `intermediate`, valid from `not_before` to `not_after`
/// (Unix seconds).
#[must_use]
pub fn issue(root: &KeyPair, intermediate: &KeyPair, leaf_key: &[u8; 32], not_before: u64, not_after: u64) -> Vec<u8> {
    let certificate = |signer: &KeyPair, serial, issuer_serial, key: &[u8; 32]| {
        let details = Details {
            serial: Some(serial),
            issuer_serial: Some(issuer_serial),
            key: Some(key.to_vec()),
            not_before: Some(not_before),
            not_after: Some(not_after),
        }
        .encode_to_vec();
        NoiseCertificate { signature: Some(signer.sign(&details).to_vec()), details: Some(details) }
    };
    CertChain {
        intermediate: Some(certificate(root, 7, 0, &intermediate.public)),
        leaf: Some(certificate(intermediate, 9, 7, leaf_key)),
    }
    .encode_to_vec()
}

/// Checks that `chain` leads from `root` to `leaf_key` and is valid at `now` (Unix seconds).
///
/// # Errors
/// A link is missing, not signed by the one above, of another key, or out of its time.
pub fn verify(chain: &[u8], root: &[u8; 32], leaf_key: &[u8; 32], now: u64) -> Result<()> {
    let chain = CertChain::decode(chain).map_err(|error| Error::malformed("certificate chain", error))?;
    let intermediate = open(chain.intermediate, root, now)?;
    if intermediate.issuer_serial() != 0 {
        return Err(Error::malformed("certificate chain", "the intermediate is not issued by the root"));
    }
    let key: [u8; 32] = intermediate
        .key()
        .try_into()
        .map_err(|_| Error::malformed("certificate chain", "the intermediate's key is not 32 bytes"))?;
    let leaf = open(chain.leaf, &key, now)?;
    if leaf.issuer_serial() != intermediate.serial() || leaf.key() != leaf_key {
        return Err(Error::NotAuthentic("leaf certificate"));
    }
    Ok(())
}

fn open(certificate: Option<NoiseCertificate>, signer: &[u8; 32], now: u64) -> Result<Details> {
    let certificate = certificate.unwrap_or_default();
    if !curve::verify(signer, certificate.details(), certificate.signature()) {
        return Err(Error::NotAuthentic("certificate"));
    }
    let details = Details::decode(certificate.details()).map_err(|error| Error::malformed("certificate", error))?;
    if !(details.not_before()..=details.not_after()).contains(&now) {
        return Err(Error::malformed("certificate", format!("not valid at {now}")));
    }
    Ok(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_root_key_and_time_pass() {
        let (root, middle, leaf, other) =
            (KeyPair::generate(), KeyPair::generate(), KeyPair::generate(), KeyPair::generate());
        let chain = issue(&root, &middle, &leaf.public, 100, 200);
        assert!(verify(&chain, &root.public, &leaf.public, 150).is_ok());
        assert!(verify(&chain, &other.public, &leaf.public, 150).is_err());
        assert!(verify(&chain, &root.public, &other.public, 150).is_err());
        assert!(verify(&chain, &root.public, &leaf.public, 99).is_err());
        assert!(verify(&chain, &root.public, &leaf.public, 201).is_err());
        assert!(verify(&[], &root.public, &leaf.public, 150).is_err());
    }
}
