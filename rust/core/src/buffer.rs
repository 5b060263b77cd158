//! A device's buffer: so many of its messages are in memory on their way to the database; what comes beyond waits on disk.
//!
//! One device's flood, its history of 200,000 messages, or one slow commit therefore neither grows memory nor holds any
//! other device up. An event that is more work than the buffer has room for goes alone.

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
    /// The weight of all events that are under way.
    under_way: usize,
    waiting: VecDeque<Entry>,
    closed: bool,
}

impl State {
    fn has_room(&self, weight: usize, limit: usize) -> bool {
        self.under_way == 0 || self.under_way + weight <= limit
    }
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
        if state.waiting.is_empty() && state.has_room(entry.weight(), self.limit) {
            state.under_way += entry.weight();
            return Some(entry);
        }
        entry.place.rest();
        state.waiting.push_back(entry);
        None
    }

    /// Takes a place for an event that is not on disk; without a free one it is let fall.
    pub fn admit_fleeting(&self, entry: &Entry) -> bool {
        let mut state = self.state.lock();
        let is_free = state.has_room(entry.weight(), self.limit);
        state.under_way += if is_free { entry.weight() } else { 0 };
        is_free
    }

    /// An event of this weight is through. When it was the last that was under way, gives those that go now: had any of
    /// them gone earlier, it could overtake what came before it.
    pub fn release(&self, weight: usize) -> Vec<Entry> {
        let mut state = self.state.lock();
        state.under_way -= weight;
        let mut next = Vec::new();
        if state.under_way == 0 {
            while let Some(weight) = state.waiting.front().map(Entry::weight)
                && state.has_room(weight, self.limit)
            {
                state.under_way += weight;
                next.extend(state.waiting.pop_front());
            }
        }
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

    fn entry(code: i32, bytes: usize) -> Entry {
        let place = Place::Fleeting(vec![0; bytes].into());
        Entry { device_no: 1, code, received_at: 0, is_replay: false, place }
    }

    fn codes(entries: Vec<Entry>) -> Vec<i32> {
        entries.iter().map(|entry| entry.code).collect()
    }

    #[test]
    fn what_waits_goes_in_order_and_never_past_what_is_under_way() {
        let buffer = Buffer::new(2);
        assert!([1, 2].into_iter().all(|code| buffer.admit(entry(code, 10)).is_some()));
        assert!((3..=5).all(|code| buffer.admit(entry(code, 10)).is_none()));
        assert!(buffer.release(1).is_empty(), "2 is still under way");
        assert_eq!(codes(buffer.release(1)), [3, 4]);
        assert!(buffer.admit(entry(6, 10)).is_none(), "5 waits before it");
        assert_eq!([codes(buffer.release(1)), codes(buffer.release(1))], [vec![], vec![5, 6]]);
    }

    #[test]
    fn what_is_not_on_disk_gives_back_the_room_it_took() {
        let (buffer, large) = (Buffer::new(2), entry(1, 9000));
        assert!(buffer.admit_fleeting(&large) && !buffer.admit_fleeting(&entry(2, 10)));
        buffer.release(large.weight());
        assert!(buffer.admit(entry(3, 10)).is_some() && buffer.admit_fleeting(&entry(4, 10)));
    }

    #[test]
    fn a_history_goes_alone_however_large_it_is() {
        let (buffer, history) = (Buffer::new(100), 1 << 20);
        assert!(buffer.admit(entry(1, history)).is_some());
        assert!(buffer.admit(entry(2, history)).is_none() && buffer.admit(entry(3, 10)).is_none());
        let weight = entry(1, history).weight();
        assert_eq!(codes(buffer.release(weight)), [2]);
        assert_eq!(codes(buffer.release(weight)), [3]);
    }
}
