//! `waE2E.Message` to what a person sees: wrappers opened, the first content found, its text and file read.
//!
//! [`crate::members`] says what becomes of each member; nothing here allocates for what is not kept.

use crate::{
    jid::Jid,
    media::{self, Layout},
    members::{self, Member, Rule},
    record::{Content, Kind, flag},
    text,
    wire::{self, Field},
};

/// Wrappers are opened to this depth; what lies deeper is `unsupported`.
const MAX_DEPTH: usize = 16;
/// `ContextInfo.pairedMediaType`: the high-resolution twin of a video or picture that came by itself.
const TWINS: [u64; 4] = [2, 4, 6, 8];
/// `ProtocolMessage.type`.
const REVOKE: u64 = 0;
const MESSAGE_EDIT: u64 = 14;

/// What a message is.
#[derive(Debug, PartialEq)]
pub enum Decoded<'a> {
    Content(Content),
    Edit {
        key: Key<'a>,
        body: String,
    },
    Delete {
        key: Key<'a>,
    },
    /// An empty emoji takes the reaction back. `at` is as it came: milliseconds.
    Reaction {
        key: Key<'a>,
        emoji: String,
        at: i64,
    },
    Pin {
        key: Key<'a>,
        pinned: bool,
    },
    /// It makes no row.
    Nothing,
}

/// A `MessageKey`: which message is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key<'a>(pub &'a [u8]);

impl Key<'_> {
    #[must_use]
    pub fn id(&self) -> String {
        text::clean(wire::bytes_of(self.0, 3))
    }

    #[must_use]
    pub fn chat(&self) -> Option<Jid> {
        Jid::parse(&text::clean(wire::bytes_of(self.0, 1)))
    }

    #[must_use]
    pub fn is_from_me(&self) -> bool {
        wire::number_of(self.0, 2) != 0
    }

    #[must_use]
    pub fn participant(&self) -> Option<Jid> {
        Jid::parse(&text::clean(wire::bytes_of(self.0, 4)))
    }
}

/// Decodes the bytes of a `waE2E.Message`.
#[must_use]
pub fn decode(message: &[u8]) -> Decoded<'_> {
    open(message, 0, 0)
}

fn open(message: &[u8], flags: i16, depth: usize) -> Decoded<'_> {
    let Some(field) = content_of(message) else { return Decoded::Nothing };
    let Some(member) = members::find(field.number) else {
        return match inner_of_unknown(field) {
            Some(inner) if depth < MAX_DEPTH => open(inner, flags, depth + 1),
            _ => Decoded::Content(unsupported(format!("field_{}", field.number))),
        };
    };
    let bytes = field.bytes();
    match member.rule {
        Rule::Wrapper(_) | Rule::Inside(_) if depth >= MAX_DEPTH => {
            Decoded::Content(unsupported(member.name.to_owned()))
        }
        Rule::Wrapper(more) => open(wire::bytes_of(bytes, 1), flags | more, depth + 1),
        Rule::Inside(number) => open(wire::bytes_of(bytes, number), flags, depth + 1),
        Rule::Nothing => Decoded::Nothing,
        Rule::Protocol => protocol(bytes),
        Rule::Reaction => Decoded::Reaction {
            key: Key(wire::bytes_of(bytes, 1)),
            emoji: text::clean(wire::bytes_of(bytes, 2)),
            at: wire::number_of(bytes, 4).cast_signed(),
        },
        Rule::Pin => Decoded::Pin { key: Key(wire::bytes_of(bytes, 1)), pinned: wire::number_of(bytes, 2) == 1 },
        _ => content(bytes, member, flags),
    }
}

/// The member that counts: the lowest number that is not mere accompaniment, else the accompaniment itself.
fn content_of(message: &[u8]) -> Option<Field<'_>> {
    let accompanies =
        |field: &Field<'_>| members::find(field.number).is_some_and(|member| matches!(member.number, 2 | 15 | 35));
    let first = wire::fields(message).filter(|field| !accompanies(field)).min_by_key(|field| field.number)?;
    // Of a repeated field the last counts.
    wire::find(message, first.number)
}

/// A field nobody knows is a wrapper if it holds only field 1, and that is a message with known content.
fn inner_of_unknown(field: Field<'_>) -> Option<&[u8]> {
    let bytes = field.bytes();
    let holds_only_one =
        !bytes.is_empty() && wire::is_whole(bytes) && wire::fields(bytes).all(|inner| inner.number == 1);
    let inner = wire::bytes_of(bytes, 1);
    let is_known =
        || wire::is_whole(inner) && content_of(inner).is_some_and(|found| members::find(found.number).is_some());
    (holds_only_one && is_known()).then_some(inner)
}

fn protocol(bytes: &[u8]) -> Decoded<'_> {
    let key = Key(wire::bytes_of(bytes, 1));
    match wire::number_of(bytes, 2) {
        REVOKE if !key.0.is_empty() => Decoded::Delete { key },
        MESSAGE_EDIT => match open(wire::bytes_of(bytes, 14), 0, 0) {
            Decoded::Content(content) => Decoded::Edit { key, body: content.body },
            _ => Decoded::Nothing,
        },
        _ => Decoded::Nothing,
    }
}

fn content<'a>(bytes: &'a [u8], member: &Member, flags: i16) -> Decoded<'a> {
    let (mut content, context) = match member.rule {
        Rule::Conversation => (Content::new(Kind::Text, text::clean(bytes)), &[][..]),
        Rule::Words(kind, paths, context) => (Content::new(kind, words(bytes, paths)), media::optional(bytes, context)),
        Rule::Place(paths) => {
            let mut place = Content::new(Kind::Location, words(bytes, paths));
            place.thumbnail = thumbnail(bytes, 16);
            (place, wire::bytes_of(bytes, 17))
        }
        Rule::Media(kind, layout) => file(bytes, kind, layout),
        Rule::Audio => {
            let kind = if wire::number_of(bytes, 6) == 0 { Kind::Audio } else { Kind::Voice };
            file(bytes, kind, &media::AUDIO)
        }
        Rule::Comment => match open(wire::bytes_of(bytes, 1), 0, 1) {
            Decoded::Content(inner) => (Content::new(Kind::Text, inner.body), &[][..]),
            _ => (Content::new(Kind::Text, String::new()), &[][..]),
        },
        Rule::Bare(kind) => (Content::new(kind, String::new()), &[][..]),
        _ => (unsupported(member.name.to_owned()), &[][..]),
    };
    if TWINS.contains(&wire::number_of(context, 59)) {
        return Decoded::Nothing;
    }
    if content.kind == Kind::Text && content.body.trim().is_empty() {
        content = unsupported(member.name.to_owned());
    }
    content.flags |= flags;
    read_context(&mut content, context);
    Decoded::Content(content)
}

fn unsupported(name: String) -> Content {
    Content::new(Kind::Unsupported, name)
}

fn read_context(content: &mut Content, context: &[u8]) {
    if context.is_empty() {
        return;
    }
    if wire::number_of(context, 25) > 0 {
        content.flags |= flag::EPHEMERAL;
    }
    if wire::number_of(context, 22) != 0 {
        content.flags |= flag::FORWARDED;
    }
    let quoted = text::clean(wire::bytes_of(context, 1));
    content.quoted = (!quoted.is_empty()).then_some(quoted);
}

/// The non-empty texts at these paths, one a line.
fn words(bytes: &[u8], paths: &[&[u32]]) -> String {
    let mut found = Vec::new();
    for path in paths {
        collect(bytes, path, &mut found);
    }
    found.join("\n")
}

fn collect(bytes: &[u8], path: &[u32], found: &mut Vec<String>) {
    let Some((number, rest)) = path.split_first() else {
        let text = text::clean(bytes);
        if !text.trim().is_empty() {
            found.push(text);
        }
        return;
    };
    for field in wire::fields(bytes).filter(|field| field.number == *number) {
        collect(field.bytes(), rest, found);
    }
}

fn file<'a>(bytes: &'a [u8], kind: Kind, layout: &Layout) -> (Content, &'a [u8]) {
    let mut content = Content::new(kind, text::clean(media::optional(bytes, layout.caption)));
    if content.body.is_empty() {
        content.body = text::clean(media::optional(bytes, layout.file_name));
    }
    content.media = Some(media::describe(bytes, layout));
    content.thumbnail = thumbnail(bytes, layout.thumbnail);
    if layout.view_once != 0 && wire::number_of(bytes, layout.view_once) != 0 {
        content.flags |= flag::VIEW_ONCE;
    }
    (content, wire::bytes_of(bytes, layout.context))
}

fn thumbnail(bytes: &[u8], number: u32) -> Option<Vec<u8>> {
    let jpeg = media::optional(bytes, number);
    // Previews are a few KiB; anything above 64 KiB is no preview and does not belong into a row.
    (!jpeg.is_empty() && jpeg.len() <= 65_536).then(|| jpeg.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use wafast_schema::e2e;

    use super::*;

    fn text_message(text: &str) -> e2e::Message {
        e2e::Message { conversation: Some(text.to_owned()), ..Default::default() }
    }

    fn of(message: &e2e::Message) -> Decoded<'static> {
        decode(Box::leak(message.encode_to_vec().into_boxed_slice()))
    }

    fn content(message: &e2e::Message) -> Content {
        match of(message) {
            Decoded::Content(content) => content,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wrappers_are_opened_and_leave_their_flags() {
        let mut message = text_message("deep");
        for _ in 0..MAX_DEPTH {
            let inside = e2e::FutureProofMessage { message: Some(Box::new(message)) };
            message = e2e::Message { ephemeral_message: Some(Box::new(inside)), ..Default::default() };
        }
        let found = content(&message);
        assert_eq!((found.kind, found.body.as_str(), found.flags), (Kind::Text, "deep", flag::EPHEMERAL));
        let inside = e2e::FutureProofMessage { message: Some(Box::new(message)) };
        let deeper = e2e::Message { view_once_message: Some(Box::new(inside)), ..Default::default() };
        let found = content(&deeper);
        assert_eq!((found.kind, found.body.as_str()), (Kind::Unsupported, "ephemeralMessage"));
    }

    #[test]
    fn a_quoted_forwarded_text_keeps_both() {
        let context =
            e2e::ContextInfo { stanza_id: Some("ABC".into()), is_forwarded: Some(true), ..Default::default() };
        let extended = e2e::ExtendedTextMessage {
            text: Some("yes".into()),
            context_info: Some(Box::new(context)),
            ..Default::default()
        };
        let found = content(&e2e::Message { extended_text_message: Some(Box::new(extended)), ..Default::default() });
        assert_eq!((found.body.as_str(), found.quoted.as_deref(), found.flags), ("yes", Some("ABC"), flag::FORWARDED));
    }

    #[test]
    fn an_empty_text_and_an_unknown_member_say_what_they_were() {
        assert_eq!(content(&text_message(" ")).body, "conversation");
        // Member 9,999 with field 2 inside: no wrapper.
        let bytes = [0xfa, 0xf0, 0x04, 2, 0x10, 1];
        assert_eq!(decode(&bytes), Decoded::Content(unsupported("field_9999".into())));
        // The same member around a message with text: a wrapper of a kind to come.
        let bytes = [0xfa, 0xf0, 0x04, 6, 0x0a, 4, 0x0a, 2, b'h', b'i'];
        assert_eq!(decode(&bytes), Decoded::Content(Content::new(Kind::Text, "hi".into())));
    }

    #[test]
    fn keys_alone_make_no_row() {
        assert_eq!(decode(&[]), Decoded::Nothing);
        assert_eq!(
            of(&e2e::Message { message_context_info: Some(Default::default()), ..Default::default() }),
            Decoded::Nothing
        );
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(members::MEMBERS.is_sorted_by_key(|member| member.number));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_something(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Decoded::Content(content) = decode(&bytes) {
                prop_assert!(!content.body.contains('\0'));
            }
        }
    }
}
