//! Telling browsers what was committed: batches of small events by NOTIFY, on a connection of their own.
//!
//! The format is that of `wafast.events.bus`. PostgreSQL takes payloads below 8,000 bytes, and a statement with a hundred
//! of them costs little more than one with one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::Value;

use crate::connection::{self, Connector};

const CHANNEL: &str = "wafast_event";
const NOTIFY: &str = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) payload";
const MAX_PAYLOAD: usize = 7_900;
/// Keys in one event: 200 of 20 characters are half a payload.
const MAX_KEYS: usize = 200;
/// Payloads in one statement.
const MAX_PAYLOADS: usize = 100;

/// What a transaction did, by chat.
#[derive(Default)]
pub struct News {
    /// Keys of new messages.
    pub messages: BTreeMap<Chat, Vec<i64>>,
    /// Keys of changed messages.
    pub changed: BTreeMap<Chat, Vec<i64>>,
    /// Keys of placeholders that are gone.
    pub removed: BTreeMap<Chat, Vec<i64>>,
    /// Chats whose preview or counters changed.
    pub chats: BTreeMap<(i32, i32), BTreeSet<i64>>,
    /// Outbox rows that moved.
    pub outbox: BTreeMap<(i32, i32), Vec<i64>>,
    /// Devices that have new files to fetch; for the worker, not for browsers.
    pub files: BTreeSet<i32>,
    /// Groups in which somebody has read something of ours, by device; for the worker.
    pub groups_read: BTreeMap<i32, Vec<i64>>,
    /// Typing, and chats that became one, ready made.
    pub fleeting: Vec<Value>,
}

/// A chat with its tenant and device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chat {
    pub tenant_id: i32,
    pub device_no: i32,
    pub id: i64,
}

impl News {
    fn events(self) -> Vec<String> {
        // Before the messages: a message ends the typing it came from, also in one batch.
        let mut events: Vec<String> = self.fleeting.iter().map(Value::to_string).collect();
        for (kind, by_chat) in [("message", self.messages), ("status", self.changed), ("removed", self.removed)] {
            for (Chat { tenant_id, device_no, id }, keys) in by_chat {
                let about = format!(r#"{{"k":"{kind}","t":{tenant_id},"d":{device_no},"c":{id},"m":["#);
                events.extend(keys.chunks(MAX_KEYS).map(|keys| listed(&about, keys)));
            }
        }
        let chats = self.chats.into_iter().map(|(device, ids)| (device, ids.into_iter().collect())).collect();
        for (kind, name, by_device) in [("chat", "c", chats), ("outbox", "o", self.outbox)] {
            for ((tenant_id, device_no), ids) in by_device {
                let about = format!(r#"{{"k":"{kind}","t":{tenant_id},"d":{device_no},"{name}":["#);
                events.extend(ids.chunks(MAX_KEYS).map(|ids| listed(&about, ids)));
            }
        }
        events
    }
}

/// An event that ends with a list of numbers: one a chat of every batch, so it is written by hand (a tenth of the cost of
/// a tree of values).
fn listed(about: &str, numbers: &[i64]) -> String {
    // Nineteen digits and a comma each.
    let mut event = String::with_capacity(about.len() + 20 * numbers.len() + 2);
    event.push_str(about);
    for (index, number) in numbers.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(event, "{comma}{number}");
    }
    event.push_str("]}");
    event
}

/// JSON arrays of events, each below the limit.
fn payloads(events: &[String]) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut open = String::new();
    for event in events {
        if !open.is_empty() && open.len() + event.len() + 2 > MAX_PAYLOAD {
            payloads.push(std::mem::take(&mut open) + "]");
        }
        open.push(if open.is_empty() { '[' } else { ',' });
        open.push_str(event);
    }
    if !open.is_empty() {
        payloads.push(open + "]");
    }
    payloads
}

/// The announcing thread.
pub struct Announcer {
    news: Option<Sender<News>>,
    thread: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Starts it.
    ///
    /// # Errors
    /// No thread can be made.
    pub fn start(connector: Arc<Connector>) -> std::io::Result<Self> {
        let (news, inbox) = unbounded();
        let thread =
            thread::Builder::new().name("wafast-announce".into()).spawn(move || announce(&connector, &inbox))?;
        Ok(Self { news: Some(news), thread: Some(thread) })
    }

    /// Where writers put what they committed.
    #[must_use]
    pub fn sender(&self) -> Option<Sender<News>> {
        self.news.clone()
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.news = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn announce(connector: &Connector, inbox: &Receiver<News>) {
    let mut session = match connection::Session::new(connector) {
        Ok(session) => session,
        Err(error) => return tell!("wafast: nothing is announced: {error}"),
    };
    while let Ok(first) = inbox.recv() {
        let mut events = first.events();
        events.extend(inbox.try_iter().flat_map(News::events));
        for payloads in payloads(&events).chunks(MAX_PAYLOADS) {
            let told =
                session.retry(async |database| database.query(NOTIFY, &[&CHANNEL, &payloads]).await.map(drop), || ());
            if let Err(error) = told {
                tell!("wafast: {} announcements are lost: {error}", payloads.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn payloads_are_whole_arrays_below_the_limit() {
        let events: Vec<String> =
            (0..1000).map(|n: i64| json!({"k": "message", "m": vec![n; 20]}).to_string()).collect();
        let payloads = payloads(&events);
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD));
        let count: usize =
            payloads.iter().map(|payload| serde_json::from_str::<Vec<Value>>(payload).unwrap().len()).sum();
        assert_eq!(count, events.len());
    }

    #[test]
    fn many_keys_are_several_events() {
        let mut news = News::default();
        news.messages.insert(Chat { tenant_id: 1, device_no: 2, id: 3 }, (0..450).map(|n| i64::MAX - n).collect());
        let events = news.events();
        assert_eq!(events.len(), 3);
        let last: Value = serde_json::from_str(&events[2]).unwrap();
        let keys: Vec<i64> = (400..450).map(|n| i64::MAX - n).collect();
        assert_eq!(last, json!({"k": "message", "t": 1, "d": 2, "c": 3, "m": keys}));
        assert!(events.iter().all(|event| event.len() < MAX_PAYLOAD));
    }
}
