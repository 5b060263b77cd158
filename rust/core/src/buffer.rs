//! A device's buffer: so many of its events are in memory on their way to the database; what comes beyond waits on disk.
//!
//! One device's flood or one slow commit therefore neither grows memory nor holds any other device up.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::spool::Entry;

/// Entries on disk (48 bytes of memory each) before the device itself has to wait.
const MAX_WAITING: usize = 50_000;

/// One device's.
pub struct Buffer {
    limit: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    under_way: usize,
    waiting: VecDeque<Entry>,
    closed: bool,
}

impl Buffer {
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Lets an event go on its way, or keeps it for later and gives None. Blocks when too many wait already.
    pub fn admit(&self, entry: Entry) -> Option<Entry> {
        let mut state = self.state.lock();
        // What is replayed at the start is on disk anyway and must not hold the start up.
        while state.waiting.len() >= MAX_WAITING && !state.closed && !entry.is_replay {
            self.freed.wait(&mut state);
        }
        if state.under_way < self.limit && state.waiting.is_empty() {
            state.under_way += 1;
            return Some(entry);
        }
        state.waiting.push_back(entry);
        None
    }

    /// Takes a place for an event that is not on disk; without a free one it is let fall.
    pub fn admit_fleeting(&self) -> bool {
        let mut state = self.state.lock();
        let free = state.under_way < self.limit;
        state.under_way += usize::from(free);
        free
    }

    /// One is through. When it was the last that was under way, gives those that go now: had any of them gone earlier, it
    /// could overtake what came before it.
    pub fn release(&self) -> Vec<Entry> {
        let mut state = self.state.lock();
        state.under_way -= 1;
        let count = if state.under_way == 0 { state.waiting.len().min(self.limit) } else { 0 };
        state.under_way += count;
        let next = state.waiting.drain(..count).collect();
        drop(state);
        self.freed.notify_all();
        next
    }

    /// Nobody waits any more; what is on disk stays there.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Place;

    fn entry(code: i32) -> Entry {
        Entry { device_no: 1, code, received_at: 0, is_replay: false, place: Place::Fleeting(Box::default()) }
    }

    #[test]
    fn what_waits_goes_in_order_and_never_past_what_is_under_way() {
        let buffer = Buffer::new(2);
        assert!(buffer.admit(entry(1)).is_some() && buffer.admit(entry(2)).is_some());
        assert!((3..=5).all(|code| buffer.admit(entry(code)).is_none()));
        let codes = |entries: Vec<Entry>| entries.iter().map(|entry| entry.code).collect::<Vec<_>>();
        assert_eq!(codes(buffer.release()), Vec::<i32>::new(), "2 is still under way");
        assert_eq!(codes(buffer.release()), [3, 4]);
        assert!(buffer.admit(entry(6)).is_none(), "5 waits before it");
        assert_eq!([codes(buffer.release()), codes(buffer.release())], [vec![], vec![5, 6]]);
    }
}
