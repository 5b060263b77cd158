//! What decoding gives: new messages, and changes to messages that are there or will come. All of it borrows from the
//! event's bytes what it can.

use serde::Serialize;

use crate::{
    call::Call,
    card::Cards,
    jid::Jid,
    link::{Card, Link},
    media::File,
    notice::Notice,
    place::Place,
    poll::{Ballot, Question, Results},
    quote::Quote,
    text::Text,
    timestamp::Repaired,
};

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
    /// It counts as read: it came with a history, is about a group, or is a call answered or refused on the phone.
    pub const CAME_READ: i16 = 64;
    /// It went over another line, whose place this one took. Written by `distribution/replace.sql` only.
    pub const OTHER_LINE: i16 = 128;
}

/// `messages.key`: the second it was sent, then 32 bits of its id. Newer messages have larger keys.
#[must_use]
pub fn key(timestamp: i64, message_id: &str) -> i64 {
    timestamp << 32 | i64::from(crc32fast::hash(message_id.as_bytes()))
}

/// What a message carries beside its words: the `media` column. Only a file has an `ext`, and by that a URL.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Carried<'a> {
    File(File<'a>),
    Place(Place<'a>),
    Cards(Cards<'a>),
    Link(Link<'a>),
    Results(Results<'a>),
    Call(Call),
    Notice(Box<Notice>),
}

impl Carried<'_> {
    /// There is a file, and the message says where it lies.
    #[must_use]
    pub fn can_be_fetched(&self) -> bool {
        matches!(self, Self::File(file) if file.can_be_fetched())
    }
}

/// What a message shows: the decoded `waE2E.Message`.
#[derive(Clone, Debug, PartialEq)]
pub struct Content<'a> {
    pub kind: Kind,
    pub flags: i16,
    pub body: Text<'a>,
    pub carried: Option<Carried<'a>>,
    /// A JPEG; empty when there is none.
    pub thumbnail: &'a [u8],
    /// The id of the message answered, and what came of it.
    pub quoted: Option<Text<'a>>,
    pub quote: Option<Quote<'a>>,
    /// What votes on it need.
    pub poll: Option<Question<'a>>,
}

/// What a message that could not be read shows; WhatsApp's own words.
const WAITING: &str = "Waiting for this message";
/// What one shows that WhatsApp keeps from linked devices, as what may be viewed once.
const UNAVAILABLE: &str = "Open this message on your phone";

impl<'a> Content<'a> {
    #[must_use]
    pub fn new(kind: Kind, body: impl Into<Text<'a>>) -> Self {
        Self { kind, flags: 0, body: body.into(), carried: None, thumbnail: &[], quoted: None, quote: None, poll: None }
    }

    /// In the place of a message that could not be read.
    #[must_use]
    pub fn waiting() -> Self {
        Self { flags: flag::WAITING, ..Self::new(Kind::Unsupported, WAITING) }
    }

    /// In the place of a message that only the phone gets.
    #[must_use]
    pub fn unavailable() -> Self {
        Self { flags: flag::WAITING, ..Self::new(Kind::Unsupported, UNAVAILABLE) }
    }

    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.flags & flag::WAITING != 0
    }
}

/// A message to store. The chat and sender are as the event names them; the writer replaces LIDs by known numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    pub chat: Jid,
    pub sender: Option<Jid>,
    pub from_me: bool,
    pub id: Text<'a>,
    /// Unix seconds.
    pub timestamp: i64,
    /// The timestamp was nonsense: its key is not repeatable, so the message is looked up by id first.
    pub was_repaired: bool,
    pub sender_name: Option<Text<'a>>,
    pub status: Status,
    /// It is from a history sync: it counts as read unless the phone says otherwise, and never raises `unread`.
    pub is_history: bool,
    pub content: Content<'a>,
}

impl<'a> Message<'a> {
    /// One of somebody else, as it came.
    #[must_use]
    pub fn received(chat: Jid, sender: Option<Jid>, id: Text<'a>, at: Repaired, content: Content<'a>) -> Self {
        Self {
            chat,
            sender,
            from_me: false,
            id,
            timestamp: at.seconds,
            was_repaired: at.was_nonsense,
            sender_name: None,
            status: Status::Received,
            is_history: false,
            content,
        }
    }
}

/// What happens to a message that is there or will come.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// `at` is Unix seconds, as everywhere in here.
    Status {
        status: i16,
        at: i64,
        /// In a group or of a list, how far the one got whom it is from; `status` is what that means for the message.
        #[serde(default)]
        of_member: Option<i16>,
    },
    /// We have read the chat up to it, on the phone.
    ReadByUs,
    Edit {
        body: String,
        by_me: bool,
        at: i64,
        /// What waits since an earlier version has none.
        #[serde(default)]
        card: Card,
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
        /// What waits since an earlier version has none.
        #[serde(default)]
        at: i64,
        /// It ends by itself then.
        #[serde(default)]
        until: Option<i64>,
    },
}

impl Change {
    /// A pin that was made or taken back, and how many seconds it stays; 0 is for ever.
    #[must_use]
    pub fn pin(pinned: bool, at: i64, seconds: u64) -> Self {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self::Pin { pinned, at, until: (pinned && seconds > 0).then(|| at + i64::from(seconds)) }
    }
}

/// A change and the message it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Target<'a> {
    pub chat: Jid,
    pub message_id: Text<'a>,
    /// Who did it; None for ourselves in a history sync.
    pub by: Option<Jid>,
    pub change: Change,
}

/// How many messages of a chat the phone says are unread: some, of those up to a second in Unix time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unread {
    pub count: i32,
    pub heard_to: i64,
}

/// A chat as the phone describes it; of what is None it says nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatInfo<'a> {
    pub chat: Jid,
    /// Whether the phone has this chat; else it may only know the person.
    pub is_listed: bool,
    pub name: Option<Text<'a>>,
    /// When that was told, in Unix seconds.
    pub at: i64,
    pub unread: Option<Unread>,
    pub archived: Option<bool>,
    /// Unix seconds; 0 when not pinned.
    pub pinned_at: Option<i64>,
    /// Unix seconds; 0 when not muted.
    pub muted_until: Option<i64>,
}

impl<'a> ChatInfo<'a> {
    /// Takes in what is said of the same chat later, or by the person's other JID.
    pub fn add(&mut self, later: &Self) {
        self.name = later.name.clone().or(self.name.take());
        self.at = self.at.max(later.at);
        // It counts once: the first that says of some is right.
        self.unread = self.unread.or(later.unread);
        self.archived = later.archived.or(self.archived);
        self.pinned_at = later.pinned_at.or(self.pinned_at);
        self.muted_until = later.muted_until.or(self.muted_until);
    }
}

/// One thing an event says beside new messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Other<'a> {
    Change(Target<'a>),
    /// A message was read that makes no row.
    Rowless {
        chat: Jid,
        message_id: Text<'a>,
    },
    Chat(ChatInfo<'a>),
    /// A LID's phone number.
    Lid {
        lid: i64,
        number: i64,
    },
    /// The name of a person (their push name) or a group (its subject), as told at an instant in Unix seconds.
    Name {
        jid: Jid,
        name: Text<'a>,
        at: i64,
    },
    Typing {
        chat: Jid,
        sender: Jid,
        state: &'static str,
    },
}

/// What events say, in order: nearly all is messages, and most steps of storing need not look at anything else.
#[derive(Debug, Default, PartialEq)]
pub struct Records<'a> {
    pub messages: Vec<Message<'a>>,
    pub others: Vec<Other<'a>>,
}

impl Records<'_> {
    /// Nothing, with the room of what these held. A batch of thousands is megabytes that the system would give and take
    /// back page by page each time: a fifth of what decoding costs.
    #[must_use]
    pub fn emptied<'b>(self) -> Records<'b> {
        Records { messages: emptied(self.messages), others: emptied(self.others) }
    }
}

/// The room of a vector for elements of the same size. Collecting in place is what keeps it.
fn emptied<A, B>(mut full: Vec<A>) -> Vec<B> {
    full.clear();
    full.into_iter().filter_map(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emptied_records_keep_their_room_and_nothing_else() {
        let mut records = Records::default();
        records.others.extend((0..1000).map(|lid| Other::Lid { lid, number: 1 }));
        let (room, place) = (records.others.capacity(), records.others.as_ptr() as usize);
        let emptied = records.emptied();
        assert!(emptied.others.is_empty() && emptied.others.capacity() == room);
        assert_eq!(emptied.others.as_ptr() as usize, place);
    }
}
