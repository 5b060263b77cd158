//! The server's own keys, and the seed everyone's identity comes from: 128 bytes in one file that a restart reads again.

use std::{fs, io, path::Path};

use wafast_protocol::{certificate, curve::KeyPair, kdf, random};

use crate::{address::Phone, world};

/// Ten years: nobody keeps a simulator longer.
const VALIDITY: u64 = 10 * 365 * 86_400;

/// Keys of the server.
pub struct Secrets {
    /// Signs the chain; clients get its public half in place of WhatsApp's own.
    root: KeyPair,
    /// The server's Noise identity.
    pub noise: KeyPair,
    /// The chain that leads to it.
    pub chain: Vec<u8>,
    seed: [u8; 32],
}

impl Secrets {
    /// Reads `server.keys` in `folder`, or makes it: from `seed` when one is given, else at random.
    ///
    /// # Errors
    /// The file can't be read or written, or has another length.
    pub fn open(folder: &Path, seed: Option<u64>) -> io::Result<Self> {
        let file = folder.join("server.keys");
        let bytes: [u8; 128] = if file.exists() {
            let bytes = fs::read(&file)?;
            let length = bytes.len();
            bytes.try_into().map_err(|_| {
                io::Error::other(format!(
                    "{} has {length} bytes instead of 128; delete it to start anew",
                    file.display()
                ))
            })?
        } else {
            let bytes = seed.map_or_else(random::bytes, |seed| kdf::hkdf(&seed.to_be_bytes(), &[], b"loopback keys"));
            fs::write(&file, bytes)?;
            bytes
        };
        let part = |n: usize| std::array::from_fn(|at| bytes[32 * n + at]);
        let [root, intermediate, noise] = [0, 1, 2].map(|n| KeyPair::from_secret(part(n)));
        let now = world::now();
        let chain = certificate::issue(&root, &intermediate, &noise.public, now - 3600, now + VALIDITY);
        Ok(Self { root, noise, chain, seed: part(3) })
    }

    /// What the profile file tells clients to trust.
    pub fn root_public(&self) -> [u8; 32] {
        self.root.public
    }

    /// The identity of a person's phone. Derived, so that no crash can change it.
    pub fn identity_of(&self, phone: Phone) -> KeyPair {
        KeyPair::from_secret(kdf::hmac_sha256(&self.seed, &[b"identity", &phone.to_be_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_and_a_seed_decides_them() {
        let root = std::env::temp_dir().join(format!("wafast-secrets-{}", std::process::id()));
        let folder = |name: &str| {
            let folder = root.join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let first = Secrets::open(&folder("a"), None).unwrap();
        let again = Secrets::open(&folder("a"), None).unwrap();
        assert_eq!(first.root_public(), again.root_public());
        assert!(first.identity_of(60123456789) == again.identity_of(60123456789));
        assert!(first.identity_of(60123456789) != again.identity_of(60123456780));
        let (seeded, same) =
            (Secrets::open(&folder("b"), Some(7)).unwrap(), Secrets::open(&folder("c"), Some(7)).unwrap());
        assert_eq!(seeded.root_public(), same.root_public());
        assert_ne!(seeded.root_public(), first.root_public());
        fs::remove_dir_all(root).unwrap();
    }
}
