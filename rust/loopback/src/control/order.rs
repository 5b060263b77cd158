//! Every order the control port takes. Numbers of phones and contacts are digits; groups are given by the user part of
//! their JID, also digits.

use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    address::{self, Phone},
    media::Downloads,
    presence::Typing,
};

/// A phone number in JSON: a string of digits, or a number.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub Phone);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Digits(u64),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Digits(digits) => digits.to_string(),
        };
        address::parse_phone(&text).map(Self).map_err(D::Error::custom)
    }
}

/// What to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// The phone scans a QR code → `{phone, device}`, once linked.
    Scan { phone: Number, qr: String, name: Option<String> },
    /// The phone's owner types the code a device shows → `{phone, device}`, once linked.
    EnterCode { phone: Number, code: String, name: Option<String> },
    /// Other numbers get a companion with the very keys of the one `phone` has → a list of `{phone, lid, device,
    /// identity}`; `identity` is the public key of the number's own phone in hex.
    Copy { phone: Number, phones: Vec<Number> },
    /// Lines and their companions.
    State { phone: Option<Number> },
    /// A contact writes text to a line, or in a group → `{ids}`.
    Text {
        phone: Number,
        contact: Number,
        text: String,
        group: Option<String>,
        /// The id of a message it answers.
        quoted: Option<String>,
        /// So many messages, numbered from 0 behind the text when more than one.
        count: Option<usize>,
        interval_ms: Option<u64>,
    },
    /// A contact sends a picture → `{id, sha256}`. `data` is JPEG in base64.
    Image { phone: Number, contact: Number, caption: Option<String>, data: Option<String>, group: Option<String> },
    /// A contact sends any content → `{id}`. `message` is an encoded `waE2E.Message` in base64, `edit` the stanza's
    /// attribute of that name; with `own` the line's owner sends it to the contact on the phone itself.
    Raw {
        phone: Number,
        contact: Number,
        message: String,
        group: Option<String>,
        id: Option<String>,
        edit: Option<String>,
        own: Option<bool>,
    },
    /// The owner writes to a contact on the phone itself → `{id}`.
    Own { phone: Number, contact: Number, text: String },
    /// Makes a group of a line and others, or changes it → `{group}`.
    Group { phone: Number, id: Option<String>, subject: String, members: Vec<Number> },
    /// A contact tells it got (`delivered`), read or played messages.
    Receipt { phone: Number, contact: Number, ids: Vec<String>, r#type: String, group: Option<String> },
    /// The owner reads a contact's messages on the phone itself.
    OwnRead { phone: Number, contact: Number, ids: Vec<String>, group: Option<String> },
    /// How contacts react: milliseconds until delivered and read (negative: never), and what they answer.
    Auto {
        phone: Option<Number>,
        contact: Option<Number>,
        deliver_ms: Option<i64>,
        read_ms: Option<i64>,
        reply: Option<String>,
    },
    /// What contacts got from lines, after number `after`; waits for the first.
    Inbox { phone: Option<Number>, contact: Option<Number>, after: Option<u64>, wait_ms: Option<u64> },
    /// What receipts a line's devices sent.
    Receipts { phone: Number, after: Option<u64>, wait_ms: Option<u64> },
    /// What typing and presence a line's devices sent.
    Seen { phone: Number, after: Option<u64>, wait_ms: Option<u64> },
    /// A contact types → whether a device saw it.
    Typing { phone: Number, contact: Number, state: Typing, group: Option<String> },
    /// A contact comes or goes → whether a device saw it.
    Presence { phone: Number, contact: Number, available: bool },
    /// Somebody, line or contact, names themselves.
    PushName { phone: Number, name: String },
    /// On the phone the owner mutes (`mute_until` in Unix seconds, 0: no more, -1: for ever), pins or archives the chat
    /// with a contact or of a group, or names the contact in the address book.
    Settings {
        phone: Number,
        contact: Option<Number>,
        group: Option<String>,
        mute_until: Option<i64>,
        pinned: Option<bool>,
        archived: Option<bool>,
        name: Option<String>,
    },
    /// The history of a chat, or of as many as `chats`, goes to the line's devices → `{ids}`. `contact`: of the first,
    /// those of the others follow it; `count`: messages of each; `chunk`: messages that come together.
    History {
        phone: Number,
        contact: Number,
        chats: Option<usize>,
        count: usize,
        chunk: Option<usize>,
        text: Option<String>,
        days: Option<f64>,
        inline: Option<bool>,
        name: Option<String>,
    },
    /// A contact writes, but the first delivery can't be decrypted → `{id}`. Without `comes_again` it stays the only one.
    Corrupt { phone: Number, contact: Number, text: String, group: Option<String>, comes_again: Option<bool> },
    /// A contact says it could not decrypt this message of the line.
    Retry { phone: Number, contact: Number, id: String, group: Option<String> },
    /// This number has no WhatsApp (or has it again).
    NotOnWhatsapp { contact: Number, on: Option<bool> },
    /// Settings the line's devices and phone have changed, as far as the phone can read them.
    AppState { phone: Number },
    /// Cuts a line's connections, or all.
    Drop { phone: Option<Number> },
    /// Refuses every connection, or takes them again.
    Down { on: bool },
    /// The phone unlinks its companions.
    Logout { phone: Number },
    /// A temporary ban: code 101 to 106, seconds.
    Ban { phone: Number, code: u16, seconds: u64 },
    /// Another place logs in as the line's companions.
    Replaced { phone: Number },
    /// The client is too old, until `clear`.
    Outdated { phone: Number },
    /// `<stream:error code>`, once.
    StreamError { phone: Number, code: u16 },
    /// Logins fail with this reason, until `clear`.
    Failure { phone: Number, reason: u16 },
    /// Sends fail with this code: the next `count`, or all until `clear`.
    RefuseSend { phone: Number, code: u16, count: Option<u32> },
    /// The server is so far away: each step of a connection's making, and every stanza of a client, waits so long.
    Latency { ms: u64 },
    /// Downloads of files go so: `served`, `expired`, `cut`, `wrong` or `held`.
    Downloads { how: Downloads },
    /// Acknowledgements of sends wait until `on` is false.
    HoldAcks { phone: Number, on: bool },
    /// Ends what failure, ban, outdated, refuse_send and hold_acks began.
    Clear { phone: Number },
    /// Contacts that write, answer, send pictures, read and type on their own.
    Live { phone: Number, on: bool, contacts: Option<usize>, per_minute: Option<f64> },
    /// Counters, sessions and memory.
    Stats,
    /// Ends the simulator.
    Quit,
}
