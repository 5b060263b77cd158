//! What tests look at: messages contacts got, receipts and presence devices sent.

use serde::Serialize;

use crate::address::{Address, Phone};

/// A phone number as the control interface shows it.
fn as_text<S: serde::Serializer>(phone: &Phone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(phone)
}

/// A message a contact got from a line.
#[derive(Clone, Debug, Serialize)]
pub struct InboxMessage {
    pub seq: u64,
    /// The line that wrote, and which of its companions.
    #[serde(serialize_with = "as_text")]
    pub phone: Phone,
    pub device: u16,
    /// Who got it.
    #[serde(serialize_with = "as_text")]
    pub contact: Phone,
    pub group: Option<String>,
    pub id: String,
    /// `text`, `image`, … or the protocol's name of what is inside.
    pub kind: String,
    pub text: String,
    pub quoted: Option<String>,
    /// Of media: whether the file could be fetched and has the hash it should.
    pub media_sha_ok: Option<bool>,
    pub media_sha256: Option<String>,
    /// Which time it was encrypted for this contact: 0 is the first.
    pub retry: u32,
    /// Unix milliseconds.
    pub at: u64,
}

/// A receipt a device sent.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    pub seq: u64,
    #[serde(serialize_with = "as_text")]
    pub phone: Phone,
    pub device: u16,
    /// As on the wire; `delivered` when it has no type.
    pub r#type: String,
    pub ids: Vec<String>,
    /// The contact or group it is for.
    pub to: String,
    pub participant: Option<String>,
    /// Unix milliseconds.
    pub at: u64,
}

/// Typing or presence a device sent.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    pub seq: u64,
    #[serde(serialize_with = "as_text")]
    pub phone: Phone,
    pub device: u16,
    /// `composing`, `recording`, `paused`, `available`, `unavailable` or `subscribe`.
    pub state: String,
    pub to: Option<String>,
    pub name: Option<String>,
}

impl Seen {
    /// What `from` sent.
    pub fn new(seq: u64, from: Address, state: String, to: Option<String>, name: Option<String>) -> Self {
        Self { seq, phone: from.phone, device: from.device, state, to, name }
    }
}
