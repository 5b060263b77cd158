//! The sending end of one live connection: anyone may put stanzas in, the connection's task writes them.

use parking_lot::Mutex;
use tokio::sync::Notify;
use wafast_protocol::node::{self, Node};

/// How a connection is to end once what was put in is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A WebSocket close frame first.
    Close,
    /// The TCP connection is simply gone.
    Cut,
}

#[derive(Default)]
struct Mail {
    stanzas: Vec<Vec<u8>>,
    ending: Option<Ending>,
}

/// Shared by the connection's task and whoever writes to it.
#[derive(Default)]
pub struct Link {
    mail: Mutex<Mail>,
    wake: Notify,
}

impl Link {
    /// Puts a stanza in; it is dropped with the connection if that ends first.
    pub fn send(&self, node: &Node) {
        match node::encode(node) {
            Ok(bytes) => self.send_encoded(bytes),
            Err(error) => debug_assert!(false, "a stanza of ours does not encode: {error}"),
        }
    }

    /// Puts in a stanza that is encoded already.
    pub fn send_encoded(&self, stanza: Vec<u8>) {
        self.mail.lock().stanzas.push(stanza);
        self.wake.notify_one();
    }

    /// Ends the connection after what was put in before.
    pub fn end(&self, ending: Ending) {
        self.mail.lock().ending.get_or_insert(ending);
        self.wake.notify_one();
    }

    /// Makes the task look at the device's queue.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there may be something to do.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Takes everything out.
    pub fn take(&self) -> (Vec<Vec<u8>>, Option<Ending>) {
        let mut mail = self.mail.lock();
        (std::mem::take(&mut mail.stanzas), mail.ending)
    }
}
