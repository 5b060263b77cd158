//! Counters since the start.

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;
use serde_json::{Value, json};

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Everything counted.
#[derive(Default)]
pub struct Stats {
    /// TCP connections open now.
    pub connections: AtomicI64,
    pub handshakes: Counter,
    pub logins: Counter,
    pub refused_logins: Counter,
    pub pairings: Counter,
    pub messages_in: Counter,
    pub messages_out: Counter,
    pub redelivered: Counter,
    pub receipts_in: Counter,
    pub retries_in: Counter,
    pub retries_out: Counter,
    pub undecryptable: Counter,
    pub nacks: Counter,
    pub uploads: Counter,
    pub downloads: Counter,
    pub protocol_errors: Counter,
    unknown: Mutex<BTreeMap<String, u64>>,
}

impl Stats {
    /// An IQ or stanza nobody here knows; it was answered emptily.
    pub fn unknown(&self, what: &str) {
        let mut unknown = self.unknown.lock();
        if let Some(count) = unknown.get_mut(what) {
            *count += 1;
        } else if unknown.len() < 100 {
            unknown.insert(what.to_owned(), 1);
        }
    }

    /// All of it; `rss` is this process's resident memory in bytes.
    pub fn to_json(&self) -> Value {
        json!({
            "connections": self.connections.load(Relaxed),
            "handshakes": self.handshakes.get(),
            "logins": self.logins.get(),
            "refused_logins": self.refused_logins.get(),
            "pairings": self.pairings.get(),
            "messages_in": self.messages_in.get(),
            "messages_out": self.messages_out.get(),
            "redelivered": self.redelivered.get(),
            "receipts_in": self.receipts_in.get(),
            "retries_in": self.retries_in.get(),
            "retries_out": self.retries_out.get(),
            "undecryptable": self.undecryptable.get(),
            "nacks": self.nacks.get(),
            "uploads": self.uploads.get(),
            "downloads": self.downloads.get(),
            "protocol_errors": self.protocol_errors.get(),
            "unknown": *self.unknown.lock(),
            "rss": resident_bytes(),
        })
    }
}

fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
