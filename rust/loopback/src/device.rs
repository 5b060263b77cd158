//! A linked companion: what the server knows of it, and what waits for it.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use wafast_protocol::{node::Node, signal::Bundle};

use crate::{
    address::Address,
    link::Link,
    queue::{Entry, Queue},
};

/// A companion uploads 812 one-time prekeys at first. Each contact's first message takes one; keeping 29 KB of them for
/// every session would be most of its memory, so the server keeps this many and asks for more when they run out.
const PRE_KEYS_KEPT: usize = 128;
/// Below this many whatsmeow uploads 50 more when it is told (`prekeys.go`).
pub const PRE_KEYS_LOW: usize = 5;

/// A companion's public keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    pub registration_id: u32,
    pub identity: [u8; 32],
    pub signed_pre_key_id: u32,
    pub signed_pre_key: [u8; 32],
    /// 64 bytes; serde's arrays end at 32.
    pub signature: Vec<u8>,
}

/// What changes while a companion lives.
#[derive(Serialize, Deserialize)]
pub struct State {
    pub keys: Keys,
    pre_keys: VecDeque<(u32, [u8; 32])>,
    pub queue: Queue,
    /// Whether the phone has shared its app-state key and name with it.
    pub greeted: bool,
    #[serde(skip)]
    link: Option<Arc<Link>>,
    /// Whether it has said it is active, so that the queue may be written.
    #[serde(skip)]
    active: bool,
}

/// A linked companion. The connection's task and everyone who writes to it share it.
pub struct Device {
    pub address: Address,
    /// The Noise key it paired with, which is its password.
    pub noise_key: [u8; 32],
    state: Mutex<State>,
}

impl Device {
    /// A companion that has just been paired.
    pub fn new(address: Address, noise_key: [u8; 32], keys: Keys) -> Self {
        let queue = Queue::default();
        let state = State { keys, pre_keys: VecDeque::new(), queue, greeted: false, link: None, active: false };
        Self::restore(address, noise_key, state)
    }

    /// A companion as it was saved.
    pub fn restore(address: Address, noise_key: [u8; 32], state: State) -> Self {
        Self { address, noise_key, state: Mutex::new(state) }
    }

    /// The same companion under another address: its keys, not its connection nor what waits for it.
    #[must_use]
    pub fn copied(&self, address: Address) -> Self {
        let state = self.state.lock();
        let (keys, pre_keys, greeted) = (state.keys.clone(), state.pre_keys.clone(), state.greeted);
        let copy = State { keys, pre_keys, queue: Queue::default(), greeted, link: None, active: false };
        Self::restore(address, self.noise_key, copy)
    }

    /// Reads or changes the state; nothing else of the world may be locked inside.
    pub fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock())
    }

    /// Puts an entry into the queue, and on the wire when the device listens and its window allows.
    pub fn enqueue(&self, entry: Entry) {
        let mut state = self.state.lock();
        state.queue.push(entry);
        state.wake();
    }

    /// Sends a stanza that is not worth keeping: dropped when the device is not connected.
    pub fn send_now(&self, node: &Node) -> bool {
        let state = self.state.lock();
        let Some(link) = state.link.as_ref().filter(|_| state.active) else {
            return false;
        };
        link.send(node);
        true
    }

    /// The connection this device has, if any.
    pub fn link(&self) -> Option<Arc<Link>> {
        self.state.lock().link.clone()
    }
}

impl State {
    /// A new connection takes over; the one before is returned.
    pub fn connect(&mut self, link: Arc<Link>) -> Option<Arc<Link>> {
        self.active = false;
        self.link.replace(link)
    }

    /// `link` has ended; it may have been replaced before.
    pub fn disconnected(&mut self, link: &Arc<Link>) {
        if self.is_connected_by(link) {
            (self.link, self.active) = (None, false);
        }
    }

    /// Whether `link` is the connection of now.
    pub fn is_connected_by(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
    }

    /// Whether it is connected and has said it is active.
    pub fn is_online(&self) -> bool {
        self.link.is_some() && self.active
    }

    /// It is ready for what waits.
    pub fn activate(&mut self) {
        self.active = true;
        self.wake();
    }

    /// Makes the connection look at the queue.
    pub fn wake(&self) {
        if let Some(link) = self.link.as_ref().filter(|_| self.active) {
            link.wake();
        }
    }

    /// Adds uploaded one-time prekeys, as many as are kept.
    pub fn add_pre_keys(&mut self, keys: impl IntoIterator<Item = (u32, [u8; 32])>) {
        let room = PRE_KEYS_KEPT.saturating_sub(self.pre_keys.len());
        self.pre_keys.extend(keys.into_iter().take(room));
        self.pre_keys.shrink_to_fit();
    }

    /// How many one-time prekeys are left.
    pub fn pre_key_count(&self) -> usize {
        self.pre_keys.len()
    }

    /// Forgets the one-time prekeys: after an unclean stop nobody knows which were used.
    pub fn forget_pre_keys(&mut self) {
        self.pre_keys.clear();
    }

    /// What someone needs to write to it first. Takes a one-time prekey when there is one.
    pub fn take_bundle(&mut self) -> Bundle {
        let pre_key = self.pre_keys.pop_front();
        self.bundle(pre_key)
    }

    fn bundle(&self, pre_key: Option<(u32, [u8; 32])>) -> Bundle {
        let mut signature = [0; 64];
        signature.iter_mut().zip(&self.keys.signature).for_each(|(to, from)| *to = *from);
        Bundle {
            registration_id: self.keys.registration_id,
            identity: self.keys.identity,
            signed_pre_key_id: self.keys.signed_pre_key_id,
            signed_pre_key: self.keys.signed_pre_key,
            signature,
            pre_key,
        }
    }
}
