//! What an answer brings of the message it answers: the `quote` column. It is all there is to show where that one is not
//! kept any more, or never was.

use serde::{Serialize, Serializer};

use crate::{
    decode::{self, Around, Decoded},
    jid::Jid,
    record::{KINDS, Kind},
    text, wire,
};

/// Characters of the words; a bubble shows two lines of them.
const MAX_WORDS: usize = 200;
/// Bytes; what is longer is no JID.
const MAX_JID: usize = 64;
const STATUS: &str = "status@broadcast";

/// The `ContextInfo` of an answer, which brings the message answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote<'a> {
    context: &'a [u8],
}

/// The column. What is not said is left out.
#[derive(Serialize)]
struct Column<'a> {
    kind: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// A group, or [`STATUS`], where it was said if that was not between two people.
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<String>,
}

impl<'a> Quote<'a> {
    /// None when nothing of that message came with the answer.
    #[must_use]
    pub fn of(context: &'a [u8]) -> Option<Self> {
        decode::has_content(wire::bytes_of(context, 3)).then_some(Self { context })
    }

    fn jid(&self, number: u32) -> Option<Jid> {
        let bytes = wire::bytes_of(self.context, number);
        if bytes.len() <= MAX_JID { Jid::parse(&text::clean(bytes)) } else { None }
    }
}

impl Serialize for Quote<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, words) = match decode::open(wire::bytes_of(self.context, 3), Around::default()) {
            Decoded::Content(content) => (content.kind, content.body),
            // What makes no row is nothing to answer, but some do: an album's announcement.
            _ => (Kind::Unsupported, "".into()),
        };
        let is_elsewhere = |chat: &Jid| chat.is_group() || chat.to_string() == STATUS;
        let column = Column {
            kind: KINDS[kind as usize],
            text: text::preview(&words, MAX_WORDS),
            sender: self.jid(2).map(|sender| sender.to_string()),
            chat: self.jid(4).filter(is_elsewhere).map(|chat| chat.to_string()),
        };
        column.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_short_quote_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let context = [&[0x1a, bytes.len().min(127) as u8][..], &bytes].concat();
            let Some(quote) = Quote::of(&context) else { return Ok(()) };
            let column = serde_json::to_value(quote).unwrap();
            prop_assert!(column["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind)));
            for field in column.as_object().unwrap().values().filter_map(Value::as_str) {
                prop_assert!(field.chars().count() <= MAX_WORDS && !field.contains('\0'));
            }
        }
    }
}
