//! Someone with a phone. A contact is only that; a line has linked companions too ([`Account`]).

use std::collections::{HashMap, HashSet};

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use wafast_protocol::{
    Error, Result,
    curve::KeyPair,
    padding,
    signal::{Bundle, Ciphertext, PreKeyMessage, PreKeys, SenderKeyReceiver, SenderKeySender, Session},
};

use crate::{
    account::Account,
    address::{Address, Phone},
    device::Device,
};

/// Both sides may write first at once: the sessions of the last few such races are kept.
const SESSIONS_KEPT: usize = 3;

/// Keys of one group as one member's phone holds them.
#[derive(Default, Serialize, Deserialize)]
pub struct GroupKeys {
    sender: SenderKeySender,
    told: HashSet<Address>,
    receivers: HashMap<Address, SenderKeyReceiver>,
}

/// What a phone holds.
#[derive(Serialize, Deserialize)]
pub struct State {
    pub keys: PreKeys,
    /// The name it shows to others; without one it gets one of [`crate::names`].
    pub name: Option<String>,
    sessions: HashMap<Address, Vec<Session>>,
    groups: HashMap<String, GroupKeys>,
    pub on_whatsapp: bool,
    /// Saved apart, as its devices are shared.
    #[serde(skip)]
    pub account: Option<Box<Account>>,
}

/// Someone with a phone. Lock one person at a time, and devices only inside.
pub struct Person {
    pub phone: Phone,
    state: Mutex<State>,
}

impl Person {
    /// Someone whose identity is `identity`.
    pub fn new(phone: Phone, identity: &KeyPair) -> Self {
        let state = State {
            keys: PreKeys::new(identity),
            name: None,
            sessions: HashMap::new(),
            groups: HashMap::new(),
            on_whatsapp: true,
            account: None,
        };
        Self::restore(phone, state)
    }

    /// Someone as saved.
    pub fn restore(phone: Phone, state: State) -> Self {
        Self { phone, state: Mutex::new(state) }
    }

    /// Locks the phone.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Encrypts `plaintext` (unpadded) for a companion, with a new session when there is none.
    ///
    /// # Errors
    /// The companion's signed prekey is not signed by it.
    pub fn encrypt_for(&mut self, device: &Device, plaintext: Vec<u8>) -> Result<Ciphertext> {
        if !self.sessions.contains_key(&device.address) {
            let bundle = device.with(|device| device.take_bundle());
            self.start_session(device.address, &bundle)?;
        }
        let sessions = self.sessions.get_mut(&device.address).and_then(|sessions| sessions.first_mut());
        let session = sessions.ok_or_else(|| no_session(device.address))?;
        Ok(session.encrypt(&padding::pad(plaintext)))
    }

    /// Starts over with a companion.
    ///
    /// # Errors
    /// Its signed prekey is not signed by it.
    pub fn start_session(&mut self, address: Address, bundle: &Bundle) -> Result<()> {
        let session = Session::initiate(&self.keys.identity(), self.keys.registration_id, bundle)?;
        self.prefer(address, session);
        Ok(())
    }

    /// Decrypts what a companion sent to this phone: `kind` is `pkmsg` or `msg`.
    ///
    /// # Errors
    /// There is no session for it, or it does not verify.
    pub fn decrypt_from(&mut self, from: Address, kind: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let padded = match kind {
            "pkmsg" => self.decrypt_first(from, bytes)?,
            "msg" => self.decrypt_further(from, bytes)?,
            other => return Err(Error::MissingKey { what: "way to decrypt", value: other.to_owned() }),
        };
        padding::unpad(padded)
    }

    fn decrypt_first(&mut self, from: Address, bytes: &[u8]) -> Result<Vec<u8>> {
        let message = PreKeyMessage::parse(bytes)?;
        let known = self.sessions.entry(from).or_default();
        if let Some(at) = known.iter().position(|session| session.was_built_by(&message)) {
            return known[at].decrypt(&message.message);
        }
        let mut session = Session::respond(&self.keys, &message);
        let plaintext = session.decrypt(&message.message)?;
        self.prefer(from, session);
        Ok(plaintext)
    }

    fn decrypt_further(&mut self, from: Address, bytes: &[u8]) -> Result<Vec<u8>> {
        let sessions = self.sessions.get_mut(&from).ok_or_else(|| no_session(from))?;
        let mut failure = no_session(from);
        for at in 0..sessions.len() {
            match sessions[at].decrypt(bytes) {
                Ok(plaintext) => {
                    sessions[..=at].rotate_right(1);
                    return Ok(plaintext);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn prefer(&mut self, address: Address, session: Session) {
        let sessions = self.sessions.entry(address).or_default();
        sessions.insert(0, session);
        sessions.truncate(SESSIONS_KEPT);
        sessions.shrink_to_fit();
    }

    /// Encrypts for a whole group. Gives the key distribution a device needs to read this message, and the ciphertext.
    pub fn encrypt_for_group(&mut self, group: &str, plaintext: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        let keys = self.group(group);
        (keys.sender.distribution(), keys.sender.encrypt(&padding::pad(plaintext)))
    }

    /// Whether `device` is told this phone's key of `group` for the first time.
    pub fn tell(&mut self, group: &str, device: Address) -> bool {
        self.group(group).told.insert(device)
    }

    /// The key distribution for `group` as it is now.
    pub fn distribution(&mut self, group: &str) -> Vec<u8> {
        self.group(group).sender.distribution()
    }

    /// A companion has sent its key for `group`.
    ///
    /// # Errors
    /// The bytes are no key distribution.
    pub fn learn_sender_key(&mut self, group: &str, from: Address, distribution: &[u8]) -> Result<()> {
        let receiver = SenderKeyReceiver::new(distribution)?;
        self.group(group).receivers.insert(from, receiver);
        Ok(())
    }

    /// Decrypts a group message of a companion.
    ///
    /// # Errors
    /// Its key has not been learnt, or the message does not verify.
    pub fn decrypt_group(&mut self, group: &str, from: Address, bytes: &[u8]) -> Result<Vec<u8>> {
        let receiver = self.group(group).receivers.get_mut(&from);
        let receiver = receiver.ok_or_else(|| Error::MissingKey { what: "sender key", value: format!("{from:?}") })?;
        padding::unpad(receiver.decrypt(bytes)?)
    }

    fn group(&mut self, group: &str) -> &mut GroupKeys {
        self.groups.entry(group.to_owned()).or_default()
    }

    /// Drops every session: after an unclean stop they are older than what companions have, and a message with an old
    /// counter is thrown away silently.
    pub fn forget_sessions(&mut self) {
        self.sessions.clear();
        self.groups.clear();
    }

    /// Drops what it holds for one companion that is gone.
    pub fn forget_device(&mut self, address: Address) {
        self.sessions.remove(&address);
        for keys in self.groups.values_mut() {
            keys.told.remove(&address);
            keys.receivers.remove(&address);
        }
    }
}

fn no_session(address: Address) -> Error {
    Error::MissingKey { what: "session", value: format!("{address:?}") }
}
