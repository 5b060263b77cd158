//! `waE2E.Message` to what a person sees: wrappers opened, the first content found, its text and file read.
//!
//! [`crate::members`] says what becomes of each member; nothing here allocates for what is not kept.

use crate::{
    card::Cards,
    jid::Jid,
    link::Link,
    media::{self, File},
    members::{self, Member, Rule},
    place::Place,
    poll::{Question, Results},
    quote::Quote,
    record::{Carried, Content, Kind, flag},
    shown::Shown,
    text::{self, Text},
    wire::{self, Field, Value},
    words,
};

/// Wrappers are opened to this depth; what lies deeper is `unsupported`.
const MAX_DEPTH: usize = 16;
/// `ContextInfo.pairedMediaType`: the high-resolution twin of a video or picture that came by itself.
const TWINS: [u64; 4] = [2, 4, 6, 8];
/// `MessageAssociation.associationType` of such twins.
const DUAL_UPLOADS: [u64; 4] = [5, 10, 12, 19];
/// Members that accompany content: keys, and `messageContextInfo`.
const KEYS: [u32; 2] = [2, 15];
const CONTEXT_INFO: u32 = 35;
/// `ProtocolMessage.type`.
const REVOKE: u64 = 0;
const MESSAGE_EDIT: u64 = 14;

/// What a message is.
#[derive(Debug, PartialEq)]
pub enum Decoded<'a> {
    Content(Content<'a>),
    /// What the message says now. `at` is as it came: milliseconds, 0 when it does not say.
    Edit {
        key: Key<'a>,
        content: Content<'a>,
        at: i64,
    },
    Delete {
        key: Key<'a>,
    },
    /// An empty emoji takes the reaction back. `at` is as it came: milliseconds.
    Reaction {
        key: Key<'a>,
        emoji: Text<'a>,
        at: i64,
    },
    /// A sealed vote on a poll. `at` is as it came: milliseconds.
    Vote {
        key: Key<'a>,
        payload: &'a [u8],
        nonce: &'a [u8],
        at: i64,
    },
    /// `at` is as it came: milliseconds; `seconds` is how long it stays, 0 when it does not say.
    Pin {
        key: Key<'a>,
        pinned: bool,
        at: i64,
        seconds: u64,
    },
    /// It makes no row.
    Nothing,
}

/// A `MessageKey`: which message is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key<'a>(pub &'a [u8]);

impl<'a> Key<'a> {
    #[must_use]
    pub fn id(&self) -> Text<'a> {
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

/// What is known of a message from outside of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    pub flags: i16,
    /// Wrappers that were opened already.
    pub depth: usize,
    /// The message's secret and its `MessageAssociation`, as the innermost `MessageContextInfo` says that speaks of them.
    pub secret: &'a [u8],
    pub association: &'a [u8],
    /// How long what a message does to another lasts, as it says: 0 when it does not.
    pub seconds: u64,
}

impl<'a> Around<'a> {
    /// One wrapper further in, which gave these flags.
    pub fn deeper(self, flags: i16) -> Self {
        Self { flags: self.flags | flags, depth: self.depth + 1, ..self }
    }

    /// With what a `MessageContextInfo` says.
    fn with(mut self, info: &'a [u8]) -> Self {
        for field in wire::fields(info) {
            match field.number {
                3 if !field.bytes().is_empty() => self.secret = field.bytes(),
                5 => self.seconds = field.number(),
                10 => self.association = field.bytes(),
                _ => {}
            }
        }
        self
    }

    fn is_twin(&self) -> bool {
        DUAL_UPLOADS.contains(&wire::number_of(self.association, 1))
    }
}

/// Decodes the bytes of a `waE2E.Message`.
#[must_use]
pub fn decode(message: &[u8]) -> Decoded<'_> {
    open(message, Around::default())
}

/// Decodes the bytes of a `waE2E.Message` with what is known from outside.
#[must_use]
pub fn open<'a>(message: &'a [u8], mut around: Around<'a>) -> Decoded<'a> {
    let (field, info) = content_of(message);
    let Some(field) = field else { return Decoded::Nothing };
    around = around.with(info);
    let is_deep = around.depth >= MAX_DEPTH;
    let Some(member) = members::find(field.number) else {
        return match inner_of_unknown(field, around.depth) {
            Some(inner) if !is_deep => open(inner, around.deeper(0)),
            _ => unsupported(format!("field_{}", field.number), around),
        };
    };
    let Value::Bytes(bytes) = field.value else { return unsupported(member.name, around) };
    match member.rule {
        Rule::Wrapper(_) | Rule::Inside(_) if is_deep => unsupported(member.name, around),
        Rule::Wrapper(flags) => open(wire::bytes_of(bytes, 1), around.deeper(flags)),
        Rule::Inside(number) => open(wire::bytes_of(bytes, number), around.deeper(0)),
        Rule::Nothing => Decoded::Nothing,
        Rule::Protocol => protocol(bytes, around),
        Rule::Reaction => Decoded::Reaction {
            key: Key(wire::bytes_of(bytes, 1)),
            emoji: text::clean(wire::bytes_of(bytes, 2)),
            at: wire::number_of(bytes, 4).cast_signed(),
        },
        Rule::Vote => {
            let vote = wire::bytes_of(bytes, 2);
            Decoded::Vote {
                key: Key(wire::bytes_of(bytes, 1)),
                payload: wire::bytes_of(vote, 1),
                nonce: wire::bytes_of(vote, 2),
                at: wire::number_of(bytes, 4).cast_signed(),
            }
        }
        Rule::Pin => is_pinned(wire::number_of(bytes, 2)).map_or(Decoded::Nothing, |pinned| Decoded::Pin {
            key: Key(wire::bytes_of(bytes, 1)),
            pinned,
            at: wire::number_of(bytes, 3).cast_signed(),
            seconds: around.seconds,
        }),
        _ => content(bytes, member, around),
    }
}

/// What the `type` of a pin says, `PIN_FOR_ALL` or `UNPIN_FOR_ALL`; a third says nothing that is known.
#[must_use]
pub fn is_pinned(kind: u64) -> Option<bool> {
    match kind {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    }
}

/// The member that counts, and the `messageContextInfo` beside it. The lowest number counts; of a repeated field the last.
fn content_of(message: &[u8]) -> (Option<Field<'_>>, &[u8]) {
    let (mut first, mut info) = (None::<Field<'_>>, &[][..]);
    for field in wire::fields(message) {
        if field.number == CONTEXT_INFO {
            info = field.bytes();
        } else if !KEYS.contains(&field.number) && first.is_none_or(|first| field.number <= first.number) {
            first = Some(field);
        }
    }
    (first, info)
}

/// Whether there is more than keys in a message: a sender's key travels beside the content it is for.
#[must_use]
pub fn has_content(message: &[u8]) -> bool {
    content_of(message).0.is_some()
}

/// A field nobody knows is a wrapper if it holds only field 1, and that is a message with known content.
fn inner_of_unknown(field: Field<'_>, depth: usize) -> Option<&[u8]> {
    let bytes = field.bytes();
    let holds_only_one =
        !bytes.is_empty() && wire::is_whole(bytes) && wire::fields(bytes).all(|inner| inner.number == 1);
    let inner = wire::bytes_of(bytes, 1);
    (holds_only_one && is_known(inner, depth + 1)).then_some(inner)
}

fn is_known(message: &[u8], depth: usize) -> bool {
    let (Some(field), _) = content_of(message) else { return false };
    let Value::Bytes(bytes) = field.value else { return false };
    wire::is_whole(message)
        && match members::find(field.number) {
            Some(member) => matches!(member.rule, Rule::Conversation) || wire::is_whole(bytes),
            None => depth < MAX_DEPTH && inner_of_unknown(field, depth).is_some(),
        }
}

fn protocol<'a>(bytes: &'a [u8], around: Around<'a>) -> Decoded<'a> {
    let key = Key(wire::bytes_of(bytes, 1));
    match wire::number_of(bytes, 2) {
        REVOKE if !key.0.is_empty() => Decoded::Delete { key },
        MESSAGE_EDIT if around.depth < MAX_DEPTH => match open(wire::bytes_of(bytes, 14), around.deeper(0)) {
            // New text that says nothing leaves the message as it was.
            Decoded::Content(content) if content.kind != Kind::Unsupported => {
                Decoded::Edit { key, content, at: wire::number_of(bytes, 15).cast_signed() }
            }
            _ => Decoded::Nothing,
        },
        _ => Decoded::Nothing,
    }
}

fn content<'a>(bytes: &'a [u8], member: &Member, around: Around<'a>) -> Decoded<'a> {
    let (mut content, context) = match member.rule {
        Rule::Conversation => (Content::new(Kind::Text, text::clean(bytes)), &[][..]),
        Rule::Linked => linked(bytes),
        Rule::Words(kind, paths, context) => {
            (Content::new(kind, words::at(bytes, paths)), media::optional(bytes, context))
        }
        Rule::Shown(find, context) => (parts(find(bytes)), media::optional(bytes, context)),
        Rule::Poll => {
            let mut question = Content::new(Kind::Poll, words::at(bytes, &[&[2]]));
            question.poll = Some(Question { message: bytes, secret: around.secret });
            (question, wire::bytes_of(bytes, 5))
        }
        Rule::Results => {
            let question = words::at(bytes, &[&[1]]);
            let carried = Some(Carried::Results(Results { message: bytes }));
            (Content { carried, ..Content::new(Kind::Poll, question) }, wire::bytes_of(bytes, 3))
        }
        Rule::Place(paths, layout) => {
            let place = Content {
                carried: Place::of(bytes, layout).map(Carried::Place),
                thumbnail: thumbnail(wire::bytes_of(bytes, 16)),
                ..Content::new(Kind::Location, words::at(bytes, paths))
            };
            (place, wire::bytes_of(bytes, 17))
        }
        Rule::Cards(list) => {
            let cards = Cards::of(bytes, list);
            let contact =
                Content { carried: cards.some().map(Carried::Cards), ..Content::new(Kind::Contact, cards.names()) };
            (contact, wire::bytes_of(bytes, 17))
        }
        Rule::Media(kind, layout) => file(kind, File { message: bytes, layout }),
        Rule::Audio => {
            let kind = if wire::number_of(bytes, 6) == 0 { Kind::Audio } else { Kind::Voice };
            file(kind, File { message: bytes, layout: &media::AUDIO })
        }
        Rule::Comment => (comment(bytes, around), &[][..]),
        Rule::Bare(kind) => (Content::new(kind, ""), &[][..]),
        _ => (Content::new(Kind::Unsupported, ""), &[][..]),
    };
    if matches!(content.kind, Kind::Text | Kind::Unsupported) && !text::is_visible(&content.body) {
        content.kind = Kind::Unsupported;
        content.body = member.name.into();
    }
    content.flags |= around.flags;
    if read_context(&mut content, context) || around.is_twin() {
        return Decoded::Nothing;
    }
    Decoded::Content(content)
}

/// A text with what it says of a link, and its `contextInfo`.
fn linked(bytes: &[u8]) -> (Content<'_>, &[u8]) {
    let (mut words, mut url, mut description, mut title) = (&[][..], &[][..], &[][..], &[][..]);
    let (mut picture, mut context) = (&[][..], &[][..]);
    for field in wire::fields(bytes) {
        match field.number {
            1 => words = field.bytes(),
            2 => url = field.bytes(),
            5 => description = field.bytes(),
            6 => title = field.bytes(),
            16 => picture = field.bytes(),
            17 => context = field.bytes(),
            _ => {}
        }
    }
    let link = Link::of(url, title, description);
    let content = Content {
        carried: link.map(Carried::Link),
        thumbnail: if link.is_some() { thumbnail(picture) } else { &[] },
        ..Content::new(Kind::Text, text::clean(words))
    };
    (content, context)
}

/// The words of what was said about a message.
fn comment<'a>(bytes: &'a [u8], around: Around<'a>) -> Content<'a> {
    let said =
        if around.depth < MAX_DEPTH { open(wire::bytes_of(bytes, 1), around.deeper(0)) } else { Decoded::Nothing };
    match said {
        Decoded::Content(said) if said.kind != Kind::Unsupported => {
            Content { kind: Kind::Text, carried: None, thumbnail: &[], poll: None, ..said }
        }
        _ => Content::new(Kind::Text, ""),
    }
}

fn unsupported<'a>(name: impl Into<Text<'a>>, around: Around<'_>) -> Decoded<'a> {
    Decoded::Content(Content { flags: around.flags, ..Content::new(Kind::Unsupported, name) })
}

/// Takes in what `ContextInfo` says; gives whether this is the twin of another message.
fn read_context<'a>(content: &mut Content<'a>, context: &'a [u8]) -> bool {
    let mut is_twin = false;
    for field in wire::fields(context) {
        match field.number {
            1 => content.quoted = text::some(field.bytes()),
            3 => content.quote = Quote::of(context),
            22 if field.flag() => content.flags |= flag::FORWARDED,
            25 if field.number() > 0 => content.flags |= flag::EPHEMERAL,
            59 => is_twin = TWINS.contains(&field.number()),
            _ => {}
        }
    }
    if content.quoted.is_none() {
        content.quote = None;
    }
    is_twin
}

/// The message of a file, and its `contextInfo`.
fn file<'a>(kind: Kind, file: File<'a>) -> (Content<'a>, &'a [u8]) {
    let read = media::read(file);
    let content = Content {
        flags: if read.is_once { flag::VIEW_ONCE } else { 0 },
        carried: Some(Carried::File(file)),
        thumbnail: thumbnail(read.thumbnail),
        ..Content::new(kind, read.words)
    };
    (content, read.context)
}

/// What is put together of parts is a text; where there are no words, it is what is on top.
fn parts(shown: Shown<'_>) -> Content<'_> {
    match shown.file {
        Some((kind, on_top)) => {
            let kind = if shown.words.is_empty() { kind } else { Kind::Text };
            Content { body: shown.words.into(), ..file(kind, on_top).0 }
        }
        None => Content { thumbnail: thumbnail(shown.thumbnail), ..Content::new(Kind::Text, shown.words) },
    }
}

fn thumbnail(jpeg: &[u8]) -> &[u8] {
    // Previews are a few KiB; anything above 64 KiB is no preview and does not belong into a row.
    if jpeg.len() <= 65_536 { jpeg } else { &[] }
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

    fn content(message: &e2e::Message) -> Content<'static> {
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
        assert_eq!((found.kind, found.body.as_ref(), found.flags), (Kind::Text, "deep", flag::EPHEMERAL));
        let inside = e2e::FutureProofMessage { message: Some(Box::new(message)) };
        let deeper = e2e::Message { view_once_message: Some(Box::new(inside)), ..Default::default() };
        let found = content(&deeper);
        assert_eq!((found.kind, found.body.as_ref()), (Kind::Unsupported, "ephemeralMessage"));
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
        assert_eq!((found.body.as_ref(), found.quoted.as_deref(), found.flags), ("yes", Some("ABC"), flag::FORWARDED));
    }

    #[test]
    fn an_empty_text_and_an_unknown_member_say_what_they_were() {
        assert_eq!(content(&text_message(" ")).body, "conversation");
        // Member 9,999 with field 2 inside: no wrapper.
        let bytes = [0xfa, 0xf0, 0x04, 2, 0x10, 1];
        assert_eq!(decode(&bytes), unsupported("field_9999", Around::default()));
        // The same member around a message with text: a wrapper of a kind to come.
        let bytes = [0xfa, 0xf0, 0x04, 6, 0x0a, 4, 0x0a, 2, b'h', b'i'];
        assert_eq!(decode(&bytes), Decoded::Content(Content::new(Kind::Text, "hi")));
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
