//! A device's buffer: so many of its events are in memory on their way to the database; what comes beyond waits on disk.
//!
//! One device's flood or one slow commit therefore neither grows memory nor holds any other device up.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::spool::Entry;

/// Entries on disk (40 bytes of memory each) before the device itself has to wait.
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

    /// One is through; gives the next that waited, which takes its place.
    pub fn release(&self) -> Option<Entry> {
        let mut state = self.state.lock();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.under_way -= 1;
        }
        drop(state);
        self.freed.notify_all();
        next
    }

    /// Events in memory and on disk.
    #[must_use]
    pub fn load(&self) -> usize {
        let state = self.state.lock();
        state.under_way + state.waiting.len()
    }

    /// Nobody waits any more; what is on disk stays there.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.freed.notify_all();
    }
}
