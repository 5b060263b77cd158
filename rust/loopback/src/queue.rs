//! What waits for a device, and what it has got but not yet acknowledged, in order.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Phone};

/// How many entries may be on the wire unacknowledged. whatsmeow's handler queue holds 2,048 and loses the order
/// beyond; typing, presence and answers to its own requests share it.
const WINDOW: usize = 1_000;
/// whatsmeow itself stops asking after the fifth time (`retry.go`).
pub const MAX_RESENDS: u8 = 5;

/// What kind of stanza an entry is, which decides what acknowledges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Message,
    Receipt,
    Notification,
}

/// Where a message came from, to encrypt it again when the device asks.
#[derive(Clone, Serialize, Deserialize)]
pub enum Origin {
    /// The simulated phone of `sender` wrote `plaintext` (unpadded).
    Person { sender: Phone, plaintext: Vec<u8> },
    /// Another companion encrypted it; only that one can again.
    Companion(Address),
    /// Nothing to encrypt: a receipt or notification.
    Server,
}

/// One stanza on its way to a device.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    pub kind: Kind,
    pub id: String,
    /// The encoded node with its flag byte.
    pub stanza: Vec<u8>,
    pub origin: Origin,
    pub resends: u8,
}

/// Entries in order; the first `written` of them are on the wire of the current connection.
#[derive(Default, Serialize, Deserialize)]
pub struct Queue {
    entries: VecDeque<Entry>,
    #[serde(skip)]
    written: usize,
    /// How many of the entries not yet written were waiting when the device logged in.
    #[serde(skip)]
    backlog: usize,
}

/// How many of each kind wait, for `offline_preview`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: usize,
    pub receipts: usize,
    pub notifications: usize,
}

impl Queue {
    /// Adds an entry at the end.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    /// A device has logged in: everything unacknowledged is to be written again, as offline backlog.
    pub fn rewind(&mut self) -> Counts {
        self.written = 0;
        self.backlog = self.entries.len();
        let count = |kind| self.entries.iter().filter(|entry| entry.kind == kind).count();
        Counts {
            messages: count(Kind::Message),
            receipts: count(Kind::Receipt),
            notifications: count(Kind::Notification),
        }
    }

    /// The next entry to write, and whether it is offline backlog; `None` when nothing waits or the window is full.
    pub fn next_to_write(&mut self) -> Option<(&Entry, bool)> {
        if self.written >= WINDOW {
            return None;
        }
        let entry = self.entries.get(self.written)?;
        self.written += 1;
        let offline = self.backlog > 0;
        self.backlog = self.backlog.saturating_sub(1);
        Some((entry, offline))
    }

    /// Whether the last entry of the backlog has been written.
    pub fn backlog_is_written(&self) -> bool {
        self.backlog == 0
    }

    /// Takes out the written entry of this kind and id.
    pub fn acknowledge(&mut self, kind: Kind, id: &str) -> Option<Entry> {
        let at = self.position(kind, id)?;
        self.written -= 1;
        self.entries.remove(at)
    }

    /// The written entry of this kind and id.
    pub fn unacknowledged(&mut self, kind: Kind, id: &str) -> Option<&mut Entry> {
        let at = self.position(kind, id)?;
        self.entries.get_mut(at)
    }

    /// How many entries are not acknowledged, written or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Acknowledgements come in nearly the order of writing, so the search ends early.
    fn position(&self, kind: Kind, id: &str) -> Option<usize> {
        self.entries.iter().take(self.written).position(|entry| entry.kind == kind && entry.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: usize) -> Entry {
        let kind = if n.is_multiple_of(3) { Kind::Receipt } else { Kind::Message };
        Entry { kind, id: n.to_string(), stanza: vec![0], origin: Origin::Server, resends: 0 }
    }

    fn filled(count: usize) -> Queue {
        let mut queue = Queue::default();
        (0..count).for_each(|n| queue.push(entry(n)));
        queue
    }

    fn write_all(queue: &mut Queue) -> Vec<(String, bool)> {
        std::iter::from_fn(|| queue.next_to_write().map(|(entry, offline)| (entry.id.clone(), offline))).collect()
    }

    #[test]
    fn no_more_than_the_window_is_in_flight_and_acknowledging_opens_it() {
        let mut queue = filled(WINDOW + 5);
        assert_eq!(write_all(&mut queue).len(), WINDOW);
        assert!(queue.acknowledge(Kind::Message, "1").is_some());
        assert_eq!(write_all(&mut queue), [(WINDOW.to_string(), false)]);
    }

    #[test]
    fn what_was_not_acknowledged_comes_again_in_order_and_marked_offline() {
        let mut queue = filled(4);
        write_all(&mut queue);
        queue.acknowledge(Kind::Message, "1");
        assert_eq!(queue.rewind(), Counts { messages: 1, receipts: 2, notifications: 0 });
        queue.push(entry(9));
        let again = write_all(&mut queue);
        let expected = [("0", true), ("2", true), ("3", true), ("9", false)];
        assert_eq!(again, expected.map(|(id, offline)| (id.to_owned(), offline)));
        assert!(queue.backlog_is_written());
    }

    #[test]
    fn only_what_was_written_can_be_acknowledged() {
        let mut queue = filled(2);
        assert!(queue.acknowledge(Kind::Message, "1").is_none());
        write_all(&mut queue);
        assert!(queue.acknowledge(Kind::Receipt, "1").is_none(), "another kind");
        assert!(queue.acknowledge(Kind::Message, "1").is_some());
        assert_eq!(queue.len(), 1);
    }
}
