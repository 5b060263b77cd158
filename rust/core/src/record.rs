//! What decoding gives: new messages, and changes to messages that are there or will come.

use crate::{jid::Jid, poll::Ballot};

/// `messages.kind`; SQL's `message_kind()` has the same list in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum Kind {
    Text = 0,
    Image,
    Video,
    Audio,
    Voice,
    Document,
    Sticker,
    Location,
    Contact,
    Poll,
    Event,
    Call,
    System,
    Unsupported,
    Deleted,
}

/// The names of [`Kind`], in order.
pub const KINDS: [&str; 15] = [
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "contact",
    "poll",
    "event",
    "call",
    "system",
    "unsupported",
    "deleted",
];

/// `messages.status`; SQL's `message_status()` has the same list. A later one never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum Status {
    Received = 0,
    Pending,
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
}

/// The names of [`Status`], in order.
pub const STATUSES: [&str; 7] = ["received", "pending", "sent", "delivered", "read", "played", "failed"];

/// Bits of `messages.flags`.
pub mod flag {
    pub const FROM_ME: i16 = 1;
    pub const EPHEMERAL: i16 = 2;
    pub const VIEW_ONCE: i16 = 4;
    pub const FORWARDED: i16 = 8;
    pub const PINNED: i16 = 16;
    /// It could not be read; the message itself may still come and takes its place.
    pub const WAITING: i16 = 32;
}

/// `messages.key`: the second it was sent, then 32 bits of its id. Newer messages have larger keys.
#[must_use]
pub fn key(timestamp: i64, message_id: &str) -> i64 {
    timestamp << 32 | i64::from(crc32fast::hash(message_id.as_bytes()))
}

/// What a message shows: the decoded `waE2E.Message`.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    pub kind: Kind,
    pub flags: i16,
    pub body: String,
    pub media: Option<serde_json::Value>,
    pub thumbnail: Option<Vec<u8>>,
    pub quoted: Option<String>,
    /// What votes on it need.
    pub poll: Option<serde_json::Value>,
}

impl Content {
    #[must_use]
    pub fn new(kind: Kind, body: String) -> Self {
        Self { kind, flags: 0, body, media: None, thumbnail: None, quoted: None, poll: None }
    }
}

/// What a message that could not be read shows; WhatsApp's own words.
const WAITING: &str = "Waiting for this message";

impl Content {
    /// In the place of a message that could not be read.
    #[must_use]
    pub fn waiting() -> Self {
        Self { flags: flag::WAITING, ..Self::new(Kind::Unsupported, WAITING.to_owned()) }
    }

    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.flags & flag::WAITING != 0
    }
}

/// A message to store. The chat and sender are as the event names them; the writer replaces LIDs by known numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub chat: Jid,
    pub sender: Option<Jid>,
    pub from_me: bool,
    pub id: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// The timestamp was nonsense: its key is not repeatable, so the message is looked up by id first.
    pub was_repaired: bool,
    pub sender_name: Option<String>,
    pub status: Status,
    /// It is from a history sync: it counts as read unless the phone says otherwise, and never raises `unread`.
    pub is_history: bool,
    pub content: Content,
}

/// What happens to a message that is there or will come.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// `at` is Unix seconds, as everywhere in here.
    Status {
        status: i16,
        at: i64,
    },
    Edit {
        body: String,
        by_me: bool,
        at: i64,
    },
    Delete {
        by_me: bool,
        by_admin: bool,
        at: i64,
    },
    /// An empty emoji takes the reaction back.
    Reaction {
        emoji: String,
        by_me: bool,
        at: i64,
    },
    /// A vote for no option takes it back.
    Vote {
        ballot: Ballot,
        by_me: bool,
        at: i64,
    },
    Pin {
        pinned: bool,
    },
}

/// A change and the message it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub chat: Jid,
    pub message_id: String,
    /// Who did it; None for ourselves in a history sync.
    pub by: Option<Jid>,
    pub change: Change,
}

/// A chat as a history sync describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatInfo {
    pub chat: Jid,
    pub name: Option<String>,
    pub unread: i32,
    pub archived: bool,
    /// Unix seconds; 0 when not pinned.
    pub pinned_at: i64,
    /// Unix seconds; 0 when not muted.
    pub muted_until: i64,
}

/// One thing an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Message(Box<Message>),
    Change(Target),
    /// A message was read that makes no row.
    Rowless {
        chat: Jid,
        message_id: String,
    },
    /// The phone has read the chat up to these messages.
    ReadByUs {
        chat: Jid,
        message_ids: Vec<String>,
    },
    Chat(ChatInfo),
    /// A LID's phone number.
    Lid {
        lid: i64,
        number: i64,
    },
    /// The name of a person (their push name) or a group (its subject).
    Name {
        jid: Jid,
        name: String,
    },
    Typing {
        chat: Jid,
        sender: Jid,
        state: &'static str,
    },
    Presence {
        jid: Jid,
        available: bool,
    },
}
