//! A double-ratchet session between two devices.

use serde::{Deserialize, Serialize};

use super::{
    bundle::{Bundle, PreKeys},
    wire::{self, PreKeyMessage, PreKeySignalMessage, SignalMessage},
};
use crate::{Error, Result, curve::KeyPair, kdf, media};

/// How far a message may be ahead of the newest one seen in its chain (libsignal's own bound).
const MAX_AHEAD: u32 = 25_000;
/// How many keys of skipped messages a session keeps (libsignal: 2,000).
const MAX_SKIPPED: usize = 2_000;
/// How many receiving chains a session keeps (libsignal: 5).
const MAX_CHAINS: usize = 5;

/// An encrypted message and its `type` attribute.
pub struct Ciphertext {
    /// `pkmsg` until the other side has answered, then `msg`.
    pub kind: &'static str,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Serialize, Deserialize)]
struct ReceivingChain {
    ratchet_key: [u8; 32],
    chain_key: [u8; 32],
    counter: u32,
}

/// What every message says again until the other side has answered.
#[derive(Clone, Serialize, Deserialize)]
struct Pending {
    pre_key_id: Option<u32>,
    signed_pre_key_id: u32,
    base_key: [u8; 32],
    registration_id: u32,
}

/// One side of a session. About 250 bytes when nothing is skipped; the identity secret stays with its owner.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    our_identity: [u8; 32],
    their_identity: [u8; 32],
    root_key: [u8; 32],
    ratchet: [u8; 32],
    sending_chain: [u8; 32],
    sent: u32,
    previous_sent: u32,
    receiving: Vec<ReceivingChain>,
    skipped: Vec<([u8; 32], u32, [u8; 32])>,
    pending: Option<Pending>,
    /// The base key a `pkmsg` built this session with, to know its repetition.
    base_key: Option<[u8; 32]>,
}

impl Session {
    /// The session of whoever writes first, from the receiver's bundle (X3DH, initiator).
    ///
    /// # Errors
    /// The bundle's signature is wrong.
    pub fn initiate(own: &KeyPair, registration_id: u32, bundle: &Bundle) -> Result<Self> {
        if !bundle.is_authentic() {
            return Err(Error::NotAuthentic("signed prekey"));
        }
        let base = KeyPair::generate();
        let mut secret = vec![0xff; 32];
        secret.extend(own.agree(&bundle.signed_pre_key));
        secret.extend(base.agree(&bundle.identity));
        secret.extend(base.agree(&bundle.signed_pre_key));
        if let Some((_, key)) = &bundle.pre_key {
            secret.extend(base.agree(key));
        }
        let (root, chain) = split(&kdf::hkdf(&secret, &[0; 32], b"WhisperText"));
        let ratchet = KeyPair::generate();
        let (root_key, sending_chain) = turn(&root, &ratchet, &bundle.signed_pre_key);
        Ok(Self {
            our_identity: own.public,
            their_identity: bundle.identity,
            root_key,
            ratchet: ratchet.secret,
            sending_chain,
            sent: 0,
            previous_sent: 0,
            receiving: vec![ReceivingChain { ratchet_key: bundle.signed_pre_key, chain_key: chain, counter: 0 }],
            skipped: Vec::new(),
            pending: Some(Pending {
                pre_key_id: bundle.pre_key.map(|(id, _)| id),
                signed_pre_key_id: bundle.signed_pre_key_id,
                base_key: base.public,
                registration_id,
            }),
            base_key: None,
        })
    }

    /// The session of whoever is written to (X3DH, responder).
    #[must_use]
    pub fn respond(own: &PreKeys, message: &PreKeyMessage) -> Self {
        let (identity, signed) = (own.identity(), own.signed());
        let mut secret = vec![0xff; 32];
        secret.extend(signed.agree(&message.identity));
        secret.extend(identity.agree(&message.base_key));
        secret.extend(signed.agree(&message.base_key));
        if let Some(id) = message.pre_key_id {
            secret.extend(own.one_time(id).agree(&message.base_key));
        }
        let (root_key, sending_chain) = split(&kdf::hkdf(&secret, &[0; 32], b"WhisperText"));
        Self {
            our_identity: identity.public,
            their_identity: message.identity,
            root_key,
            ratchet: signed.secret,
            sending_chain,
            sent: 0,
            previous_sent: 0,
            receiving: Vec::new(),
            skipped: Vec::new(),
            pending: None,
            base_key: Some(message.base_key),
        }
    }

    /// Whether this `pkmsg` built this session (a sender repeats it until answered).
    #[must_use]
    pub fn was_built_by(&self, message: &PreKeyMessage) -> bool {
        self.base_key == Some(message.base_key)
    }

    /// The other side's identity key.
    #[must_use]
    pub fn their_identity(&self) -> &[u8; 32] {
        &self.their_identity
    }

    /// Encrypts an already padded message.
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Ciphertext {
        let keys = MessageKeys::derive(&self.sending_chain);
        let ratchet = KeyPair::from_secret(self.ratchet);
        let mut bytes = wire::encode(&SignalMessage {
            ratchet_key: Some(wire::typed(&ratchet.public)),
            counter: Some(self.sent),
            previous_counter: Some(self.previous_sent),
            ciphertext: Some(media::encrypt_cbc(&keys.cipher, &keys.iv, plaintext)),
        });
        bytes.extend_from_slice(&keys.tag(&self.our_identity, &self.their_identity, &bytes));
        self.sending_chain = next_chain(&self.sending_chain);
        self.sent += 1;
        let Some(pending) = &self.pending else {
            return Ciphertext { kind: "msg", bytes };
        };
        let first = PreKeySignalMessage {
            pre_key_id: pending.pre_key_id,
            base_key: Some(wire::typed(&pending.base_key)),
            identity_key: Some(wire::typed(&self.our_identity)),
            message: Some(bytes),
            registration_id: Some(pending.registration_id),
            signed_pre_key_id: Some(pending.signed_pre_key_id),
        };
        Ciphertext { kind: "pkmsg", bytes: wire::encode(&first) }
    }

    /// Decrypts a `msg` (for a `pkmsg`, its inner message). The session is unchanged when it fails.
    ///
    /// # Errors
    /// The message is malformed, not for this session, or was decrypted before.
    pub fn decrypt(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let (body, tag) =
            bytes.split_last_chunk::<8>().ok_or_else(|| Error::malformed("msg", format!("{} bytes", bytes.len())))?;
        let message: SignalMessage = wire::decode(body, "msg")?;
        let ratchet_key = wire::public_key(message.ratchet_key(), "ratchet key")?;
        let mut next = self.clone();
        let seed = next.message_key(&ratchet_key, message.counter())?;
        let keys = MessageKeys::expand(&seed);
        if !kdf::same(tag, &keys.tag(&self.their_identity, &self.our_identity, body)) {
            return Err(Error::NotAuthentic("msg"));
        }
        let plaintext = media::decrypt_cbc(&keys.cipher, &keys.iv, message.ciphertext())?;
        next.pending = None;
        *self = next;
        Ok(plaintext)
    }

    /// The seed of a message's keys, moving the chains as far as it needs.
    fn message_key(&mut self, ratchet_key: &[u8; 32], counter: u32) -> Result<[u8; 32]> {
        if let Some(at) = self.skipped.iter().position(|(key, n, _)| key == ratchet_key && *n == counter) {
            return Ok(self.skipped.remove(at).2);
        }
        if !self.receiving.iter().any(|chain| chain.ratchet_key == *ratchet_key) {
            self.turn_ratchet(ratchet_key);
        }
        let chain = self.receiving.iter_mut().find(|chain| chain.ratchet_key == *ratchet_key);
        let chain = chain.ok_or_else(|| Error::malformed("msg", "no chain"))?;
        if counter < chain.counter {
            return Err(Error::MissingKey { what: "message key", value: format!("counter {counter}, seen before") });
        }
        if counter - chain.counter > MAX_AHEAD {
            return Err(Error::malformed("msg", format!("counter {counter} is {} ahead", counter - chain.counter)));
        }
        while chain.counter < counter {
            self.skipped.push((*ratchet_key, chain.counter, message_seed(&chain.chain_key)));
            chain.chain_key = next_chain(&chain.chain_key);
            chain.counter += 1;
        }
        let seed = message_seed(&chain.chain_key);
        chain.chain_key = next_chain(&chain.chain_key);
        chain.counter += 1;
        let excess = self.skipped.len().saturating_sub(MAX_SKIPPED);
        self.skipped.drain(..excess);
        Ok(seed)
    }

    fn turn_ratchet(&mut self, their_key: &[u8; 32]) {
        let (root, chain_key) = turn(&self.root_key, &KeyPair::from_secret(self.ratchet), their_key);
        self.receiving.push(ReceivingChain { ratchet_key: *their_key, chain_key, counter: 0 });
        if self.receiving.len() > MAX_CHAINS {
            self.receiving.remove(0);
        }
        let ratchet = KeyPair::generate();
        (self.root_key, self.sending_chain) = turn(&root, &ratchet, their_key);
        self.ratchet = ratchet.secret;
        self.previous_sent = self.sent;
        self.sent = 0;
    }
}

fn split(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let half = |part: &[u8]| part.try_into().expect("half of 64 bytes");
    (half(&bytes[..32]), half(&bytes[32..]))
}

/// One step of the root chain: the next root key and a fresh chain.
fn turn(root: &[u8; 32], ours: &KeyPair, theirs: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
    split(&kdf::hkdf(&ours.agree(theirs), root, b"WhisperRatchet"))
}

fn message_seed(chain: &[u8; 32]) -> [u8; 32] {
    kdf::hmac_sha256(chain, &[&[1]])
}

fn next_chain(chain: &[u8; 32]) -> [u8; 32] {
    kdf::hmac_sha256(chain, &[&[2]])
}

struct MessageKeys {
    cipher: [u8; 32],
    mac: [u8; 32],
    iv: [u8; 16],
}

impl MessageKeys {
    fn derive(chain: &[u8; 32]) -> Self {
        Self::expand(&message_seed(chain))
    }

    fn expand(seed: &[u8; 32]) -> Self {
        let all: [u8; 80] = kdf::hkdf(seed, &[0; 32], b"WhisperMessageKeys");
        let mut keys = Self { cipher: [0; 32], mac: [0; 32], iv: [0; 16] };
        keys.cipher.copy_from_slice(&all[..32]);
        keys.mac.copy_from_slice(&all[32..64]);
        keys.iv.copy_from_slice(&all[64..]);
        keys
    }

    fn tag(&self, sender: &[u8; 32], receiver: &[u8; 32], body: &[u8]) -> [u8; 8] {
        let mac = kdf::hmac_sha256(&self.mac, &[&[5], sender, &[5], receiver, body]);
        mac[..8].try_into().expect("8 of 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two people; the first has written to the second once.
    fn pair() -> (Session, Session) {
        let (alice, mut bob) = (KeyPair::generate(), PreKeys::new(&KeyPair::generate()));
        let mut ours = Session::initiate(&alice, 5, &bob.bundle()).unwrap();
        let first = ours.encrypt(b"first");
        assert_eq!(first.kind, "pkmsg");
        let first = PreKeyMessage::parse(&first.bytes).unwrap();
        let mut theirs = Session::respond(&bob, &first);
        assert!(theirs.was_built_by(&first));
        assert_eq!(theirs.decrypt(&first.message).unwrap(), b"first");
        (ours, theirs)
    }

    #[test]
    fn an_answer_ends_the_prekey_messages() {
        let (mut ours, mut theirs) = pair();
        assert_eq!(ours.encrypt(b"again").kind, "pkmsg");
        let answer = theirs.encrypt(b"answer");
        assert_eq!((answer.kind, ours.decrypt(&answer.bytes).unwrap().as_slice()), ("msg", b"answer".as_slice()));
        assert_eq!(ours.encrypt(b"now").kind, "msg");
    }

    #[test]
    fn a_message_is_read_once_and_only_whole() {
        let (mut ours, mut theirs) = pair();
        let mut message = theirs.encrypt(b"once").bytes;
        assert_eq!(ours.decrypt(&message).unwrap(), b"once");
        assert!(ours.decrypt(&message).is_err());
        message[10] ^= 1;
        assert!(ours.decrypt(&message).is_err());
        assert!(ours.decrypt(&[]).is_err());
    }

    #[test]
    fn a_forged_bundle_is_refused() {
        let mut bob = PreKeys::new(&KeyPair::generate());
        let mut bundle = bob.bundle();
        bundle.signature[3] ^= 1;
        assert!(Session::initiate(&KeyPair::generate(), 1, &bundle).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Whoever writes, in whatever order it arrives, lost or repeated: what arrives is read exactly once.
        #[test]
        fn order_loss_and_repetition_do_not_matter(steps in proptest::collection::vec((any::<bool>(), any::<u8>(), any::<u8>()), 1..60)) {
            let (mut a, mut b) = pair();
            let mut wire: Vec<(bool, Vec<u8>, Vec<u8>)> = Vec::new();
            for (n, (from_a, lose, pick)) in steps.into_iter().enumerate() {
                let text = format!("message {n}").into_bytes();
                let sent = if from_a { a.encrypt(&text) } else { b.encrypt(&text) };
                let bytes = if sent.kind == "pkmsg" { PreKeyMessage::parse(&sent.bytes).unwrap().message } else { sent.bytes };
                if lose % 8 != 0 { wire.push((from_a, bytes, text)); }
                if lose % 3 == 0 && !wire.is_empty() {
                    let (to_b, bytes, text) = wire.remove(usize::from(pick) % wire.len());
                    let reader = if to_b { &mut b } else { &mut a };
                    prop_assert_eq!(reader.decrypt(&bytes).unwrap(), text);
                    prop_assert!(reader.decrypt(&bytes).is_err());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (mut a, _) = pair();
            let _ = a.decrypt(&bytes);
            let _ = PreKeyMessage::parse(&bytes);
        }
    }
}
