//! neonize's events to records. The codes and fields are those of goneonize 0.5.2 (`Neonize.proto`).

use crate::{
    call,
    decode::{self, Around, Decoded, Key},
    group, history,
    jid::{Jid, Server, User},
    link::Card,
    poll,
    record::{Change, Content, Message, Other, Records, Status, Target, flag},
    text::{self, Text},
    timestamp, wire,
};

/// Events that say something of messages, chats or people; they never reach Python.
pub mod code {
    pub const HISTORY_SYNC: i32 = 13;
    pub const MESSAGE: i32 = 17;
    pub const RECEIPT: i32 = 18;
    pub const CHAT_PRESENCE: i32 = 19;
    pub const PRESENCE: i32 = 20;
    pub const JOINED_GROUP: i32 = 21;
    pub const GROUP_INFO: i32 = 22;
    pub const PICTURE: i32 = 23;
    pub const CALL_TERMINATE: i32 = 42;
    pub const UNDECRYPTABLE: i32 = 44;
}

/// Whether events of this code are for the pipeline; all others are for the worker.
#[must_use]
pub fn is_data(event: i32) -> bool {
    (code::MESSAGE..=code::PICTURE).contains(&event)
        || matches!(event, code::HISTORY_SYNC | code::CALL_TERMINATE | code::UNDECRYPTABLE)
}

/// Whether losing an event of this code loses nothing that is stored.
#[must_use]
pub fn is_fleeting(event: i32) -> bool {
    matches!(event, code::CHAT_PRESENCE | code::PRESENCE)
}

/// The event is damaged: it is no protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is no protobuf")]
pub struct Damaged;

/// Adds what an event says to `records`. `now` is when it arrived, in Unix seconds; `keep` how many messages of a chat a
/// history is worth, all when it is 0.
///
/// # Errors
/// The bytes are no protobuf; nothing is added then.
pub fn read<'a>(event: i32, bytes: &'a [u8], now: i64, keep: usize, records: &mut Records<'a>) -> Result<(), Damaged> {
    if event == code::MESSAGE {
        return message(bytes, now, records);
    }
    if !wire::is_whole(bytes) {
        return Err(Damaged);
    }
    match event {
        code::UNDECRYPTABLE => undecryptable(bytes, now, records),
        code::RECEIPT => receipt(bytes, now, records),
        code::CHAT_PRESENCE => chat_presence(bytes, records),
        code::JOINED_GROUP => {
            let info = wire::bytes_of(bytes, 4);
            name(jid(info, 1), wire::bytes_of(wire::bytes_of(info, 4), 1), now, records);
            group::joined(bytes, now, records);
        }
        code::GROUP_INFO => {
            name(jid(bytes, 1), wire::bytes_of(wire::bytes_of(bytes, 5), 1), now, records);
            group::changed(bytes, now, records);
        }
        code::PICTURE => group::pictured(bytes, now, records),
        code::CALL_TERMINATE => call::ended(bytes, now, records),
        code::HISTORY_SYNC => history::read(wire::bytes_of(bytes, 1), now, keep, records),
        _ => {}
    }
    Ok(())
}

fn jid(bytes: &[u8], number: u32) -> Option<Jid> {
    Jid::from_event(wire::bytes_of(bytes, number))
}

fn name<'a>(jid: Option<Jid>, name: &'a [u8], at: i64, records: &mut Records<'a>) {
    if let (Some(jid), Some(name)) = (jid, text::visible(name)) {
        records.others.push(Other::Name { jid, name, at });
    }
}

/// `MessageSource`: who wrote where.
struct Source {
    chat: Jid,
    sender: Option<Jid>,
    /// The sender's other JID: the number of a LID, or the LID of a number.
    sender_alt: Option<Jid>,
    from_me: bool,
}

impl Source {
    /// None for status broadcasts, newsletters and what names no chat. A LID whose number the event tells is recorded.
    fn read(bytes: &[u8], records: &mut Records<'_>) -> Option<Self> {
        let (mut chat, mut sender, mut from_me, mut sender_alt, mut recipient_alt) =
            (&[][..], &[][..], false, None, None);
        for field in wire::fields(bytes) {
            match field.number {
                1 => chat = field.bytes(),
                2 => sender = field.bytes(),
                3 => from_me = field.flag(),
                6 => sender_alt = Jid::from_event(field.bytes()),
                7 => recipient_alt = Jid::from_event(field.bytes()),
                _ => {}
            }
        }
        // Most chats are with the one who writes.
        let is_one = chat == sender;
        let chat = Jid::from_event(chat).filter(is_stored)?;
        let sender = if is_one { Some(chat.clone()) } else { Jid::from_event(sender) };
        pair(sender.as_ref(), sender_alt.as_ref(), records);
        if !chat.is_group() {
            // The other side: the sender of what came, the recipient of what we wrote.
            let other = if from_me { recipient_alt.as_ref() } else { sender_alt.as_ref() };
            if from_me || !is_one {
                pair(Some(&chat), other, records);
            }
        }
        Some(Self { chat, sender, sender_alt, from_me })
    }
}

/// Statuses and newsletters are no chats.
pub(crate) fn is_stored(chat: &Jid) -> bool {
    let is_status = || matches!(&chat.user, User::Text(user) if **user == *"status");
    chat.server != Server::Newsletter && (chat.server != Server::Broadcast || !is_status())
}

/// Records that two JIDs are one person, if one is a LID and the other a number.
pub(crate) fn pair(one: Option<&Jid>, other: Option<&Jid>, records: &mut Records<'_>) {
    let (Some(one), Some(other)) = (one, other) else { return };
    let (lid, number) = if one.is_lid() { (one, other) } else { (other, one) };
    if let (true, Server::Phone, Some(lid), Some(number)) = (lid.is_lid(), number.server, lid.number(), number.number())
    {
        records.others.push(Other::Lid { lid, number });
    }
}

fn message<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) -> Result<(), Damaged> {
    let (mut info, mut content, mut is_edit) = (&[][..], &[][..], false);
    // whatsmeow has opened the outermost wrappers already and says of most which; `Raw` (14) is what it found inside, again.
    let mut around = Around::default();
    let mut fields = wire::fields(bytes);
    for field in fields.by_ref() {
        match field.number {
            1 => info = field.bytes(),
            2 => content = field.bytes(),
            3 if field.flag() => around = around.deeper(flag::EPHEMERAL),
            // Up to three flags for one wrapper.
            4..=6 if field.flag() && around.flags & flag::VIEW_ONCE == 0 => around = around.deeper(flag::VIEW_ONCE),
            7 | 8 if field.flag() => around = around.deeper(0),
            9 if field.flag() => (around, is_edit) = (around.deeper(0), true),
            _ => {}
        }
    }
    if !fields.is_whole() {
        return Err(Damaged);
    }
    let Some(message) = head(info, is_edit, now, records) else { return Ok(()) };
    let before = records.messages.len();
    message.record(content, around, records);
    if records.messages.len() > before {
        return Ok(());
    }
    // Few: what nothing was found in is looked at again, so that no other needs to be.
    if !wire::is_whole(content) {
        return Err(Damaged);
    }
    if decode::has_content(content) {
        let again = head(info, is_edit, now, &mut Records::default());
        records.others.extend(again.map(|Head { chat, id, .. }| Other::Rowless { chat, message_id: id }));
    }
    Ok(())
}

/// A message that came and could not be read. What is hidden when it can't be read (reactions, edits, deletions) and what
/// the phone tells only its devices is nothing a person waits for.
fn undecryptable<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    const HIDE: u64 = 2;
    let info = wire::bytes_of(bytes, 1);
    if wire::number_of(bytes, 3) == HIDE || wire::bytes_of(info, 7) == b"peer" {
        return;
    }
    if let Some(head) = head(info, false, now, records) {
        let is_unavailable = wire::number_of(bytes, 2) != 0;
        head.message(if is_unavailable { Content::unavailable() } else { Content::waiting() }, records);
    }
}

/// Reads `MessageInfo`; None for what is stored nowhere.
#[inline]
fn head<'a>(info: &'a [u8], is_edit: bool, now: i64, records: &mut Records<'a>) -> Option<Head<'a>> {
    let (mut source, mut id, mut sender_name, mut sent, mut edit) = (&[][..], &[][..], &[][..], 0, &[][..]);
    for field in wire::fields(info) {
        match field.number {
            1 => source = field.bytes(),
            2 => id = field.bytes(),
            5 => sender_name = field.bytes(),
            6 => sent = field.number(),
            10 => edit = field.bytes(),
            _ => {}
        }
    }
    let mut source = Source::read(source, records)?;
    if source.chat.server == Server::Broadcast && !source.from_me {
        // What somebody sends to a list of theirs comes to us as if to us alone.
        source.chat = source.sender.clone()?;
    }
    let sent = timestamp::repair(sent.cast_signed(), now);
    // Where two people talk, nobody is an admin, whatever the stanza says.
    let by_admin = source.chat.is_group() && edit == b"8";
    Some(Head {
        chat: source.chat,
        sender: source.sender,
        sender_alt: source.sender_alt,
        from_me: source.from_me,
        id: text::clean(id),
        at: sent.seconds,
        was_repaired: sent.was_nonsense,
        now,
        by_admin,
        edited_at: is_edit.then_some(sent.seconds),
        sender_name: text::visible(sender_name),
        status: if source.from_me { Status::Sent } else { Status::Received },
        is_history: false,
    })
}

/// Everything about a message but its content.
pub(crate) struct Head<'a> {
    pub chat: Jid,
    pub sender: Option<Jid>,
    pub sender_alt: Option<Jid>,
    pub from_me: bool,
    pub id: Text<'a>,
    pub at: i64,
    pub was_repaired: bool,
    pub now: i64,
    pub by_admin: bool,
    /// The content is an edit, made then.
    pub edited_at: Option<i64>,
    pub sender_name: Option<Text<'a>>,
    pub status: Status,
    pub is_history: bool,
}

impl<'a> Head<'a> {
    /// Records the message or the change that `content` (`waE2E.Message`) is.
    pub fn record(self, content: &'a [u8], around: Around<'a>, records: &mut Records<'a>) {
        match decode::open(content, around) {
            Decoded::Content(content) => self.message(content, records),
            // A history has an edited message as its last edit, and nothing else of it.
            Decoded::Edit { key, content, at } if self.is_history => {
                let (edited_at, named) = (Some(self.second(at)), key.id());
                let id = if named.is_empty() { self.id.clone() } else { named };
                Self { id, edited_at, ..self }.message(content, records);
            }
            change => self.apply(change, records),
        }
    }

    /// A time in milliseconds; the message's own when that is 0.
    fn second(&self, at: i64) -> i64 {
        timestamp::repair(if at == 0 { self.at } else { at }, self.now).seconds
    }

    /// Records what is a change to another message.
    pub fn apply(self, decoded: Decoded<'a>, records: &mut Records<'a>) {
        let (by_me, at) = (self.from_me, |at| self.second(at));
        let (key, change) = match decoded {
            Decoded::Nothing | Decoded::Content(_) => return,
            Decoded::Edit { key, content, .. } => {
                let card = Card::of(&content);
                (key, Change::Edit { body: content.body.into_owned(), by_me, at: self.at, card })
            }
            Decoded::Delete { key } => (key, Change::Delete { by_me, by_admin: self.by_admin, at: self.at }),
            Decoded::Reaction { key, emoji, at: when } => {
                (key, Change::Reaction { emoji: emoji.into_owned(), by_me, at: at(when) })
            }
            Decoded::Vote { key, payload, nonce, at: when } => {
                let ballot = poll::sealed_ballot(payload, nonce, self.authors(key), self.voters());
                (key, Change::Vote { ballot, by_me, at: at(when) })
            }
            Decoded::Pin { key, pinned, at: when, seconds } => (key, Change::pin(pinned, at(when), seconds)),
        };
        self.change(key.id(), change, records);
    }

    /// Records a message.
    pub fn message(self, mut content: Content<'a>, records: &mut Records<'a>) {
        content.flags |= if self.from_me { flag::FROM_ME } else { 0 };
        // An edit that names no message has the id of the one it edits. Where that is not there, this is the message.
        let edit = self.edited_at.map(|at| Target {
            chat: self.chat.clone(),
            message_id: self.id.clone(),
            by: self.sender.clone(),
            change: Change::Edit { body: content.body.to_string(), by_me: self.from_me, at, card: Card::of(&content) },
        });
        let sender_name =
            self.sender_name.or_else(|| (!self.from_me && self.chat.is_whatsapp()).then(|| "WhatsApp".into()));
        records.messages.push(Message {
            chat: self.chat,
            sender: self.sender,
            from_me: self.from_me,
            id: self.id,
            timestamp: self.at,
            was_repaired: self.was_repaired,
            sender_name,
            status: self.status,
            is_history: self.is_history,
            content,
        });
        records.others.extend(edit.map(Other::Change));
    }

    /// Records a change to a message of the chat.
    pub fn change(self, message_id: Text<'a>, change: Change, records: &mut Records<'a>) {
        if !message_id.is_empty() {
            records.others.push(Other::Change(Target { chat: self.chat, message_id, by: self.sender, change }));
        }
    }

    /// JIDs that whoever wrote the message with this key may have had when somebody voted on it.
    fn authors(&self, key: Key<'_>) -> Vec<String> {
        let mut found = Vec::new();
        if key.is_from_me() {
            found.extend(self.voters());
        } else {
            found.extend(key.participant().map(|jid| jid.to_string()));
            found.extend(key.chat().filter(|chat| !chat.is_group()).map(|jid| jid.to_string()));
        }
        found
    }

    fn voters(&self) -> Vec<String> {
        [&self.sender, &self.sender_alt].into_iter().flatten().map(ToString::to_string).collect()
    }
}

/// `Receipt.ReceiptType` to what it makes of our own message.
fn status_of(kind: u64) -> Option<Status> {
    match kind {
        1 => Some(Status::Delivered),
        4 => Some(Status::Read),
        6 => Some(Status::Played),
        _ => None,
    }
}

fn receipt<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    const READ: u64 = 4;
    const READ_SELF: u64 = 5;
    const PLAYED_SELF: u64 = 7;
    let Some(source) = Source::read(wire::bytes_of(bytes, 1), records) else { return };
    let kind = wire::number_of(bytes, 4);
    let at = timestamp::repair(wire::number_of(bytes, 3).cast_signed(), now).seconds;
    let ids = wire::fields(bytes).filter(|field| field.number == 2).map(|field| text::clean(field.bytes()));
    let ids = ids.filter(|id| !id.is_empty());
    let is_by_us = matches!(kind, READ_SELF | PLAYED_SELF) || (source.from_me && kind == READ);
    let change = if is_by_us {
        Change::ReadByUs
    } else {
        let Some(mut status) = status_of(kind).filter(|_| !source.from_me) else { return };
        let is_to_many = source.chat.is_group() || source.chat.server == Server::Broadcast;
        let of_member = is_to_many.then_some(status as i16);
        if is_to_many {
            // One member's receipt does not mean that all have read it.
            status = status.min(Status::Delivered);
        }
        Change::Status { status: status as i16, at, of_member }
    };
    for message_id in ids {
        let (chat, by, change) = (source.chat.clone(), source.sender.clone(), change.clone());
        records.others.push(Other::Change(Target { chat, message_id, by, change }));
    }
}

fn chat_presence(bytes: &[u8], records: &mut Records<'_>) {
    let Some(source) = Source::read(wire::bytes_of(bytes, 1), records) else { return };
    let Some(sender) = source.sender.filter(|_| !source.from_me) else { return };
    let state = match (wire::number_of(bytes, 2), wire::number_of(bytes, 3)) {
        (1, 2) => "recording",
        (1, _) => "composing",
        _ => "paused",
    };
    records.others.push(Other::Typing { chat: source.chat, sender, state });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use wafast_schema::{e2e, neonize};

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn wire_jid(user: &str, server: &str) -> neonize::Jid {
        neonize::Jid { user: user.into(), server: server.into(), ..Default::default() }
    }

    fn event(chat: neonize::Jid, sender: neonize::Jid, alt: Option<neonize::Jid>, content: e2e::Message) -> Vec<u8> {
        let source = neonize::MessageSource { chat, sender, sender_alt: alt.unwrap_or_default(), ..Default::default() };
        let info = neonize::MessageInfo {
            message_source: source,
            id: "A1".into(),
            pushname: "Siti".into(),
            timestamp: NOW * 1000,
            ..Default::default()
        };
        neonize::Message { info, message: Some(content), ..Default::default() }.encode_to_vec()
    }

    fn text(text: &str) -> e2e::Message {
        e2e::Message { conversation: Some(text.into()), ..Default::default() }
    }

    fn of(event: i32, bytes: &[u8]) -> Result<Records<'_>, Damaged> {
        let mut records = Records::default();
        read(event, bytes, NOW, 0, &mut records).map(|()| records)
    }

    #[test]
    fn a_message_by_lid_tells_its_number_too() {
        let (lid, phone) = (wire_jid("900", "lid"), wire_jid("60123456789", "s.whatsapp.net"));
        let bytes = event(lid.clone(), lid, Some(phone), text("hi"));
        let records = of(code::MESSAGE, &bytes).unwrap();
        let [message] = records.messages.as_slice() else { panic!("{records:?}") };
        assert_eq!(records.others, [Other::Lid { lid: 900, number: 60_123_456_789 }]);
        assert_eq!((message.id.as_ref(), message.timestamp, message.content.body.as_ref()), ("A1", NOW, "hi"));
        assert_eq!(message.sender_name.as_deref(), Some("Siti"));
    }

    #[test]
    fn broadcasts_make_nothing() {
        let chat = wire_jid("status", "broadcast");
        let sender = wire_jid("60123456789", "s.whatsapp.net");
        assert_eq!(of(code::MESSAGE, &event(chat, sender, None, text("hi"))), Ok(Records::default()));
    }

    #[test]
    fn what_is_no_protobuf_is_damaged() {
        for code in [code::MESSAGE, code::RECEIPT] {
            assert_eq!(of(code, &[0xff; 9]), Err(Damaged));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            event in prop::sample::select(vec![13, 17, 18, 19, 20, 21, 22, 23, 42, 44]),
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let _ = of(event, &bytes);
        }

        #[test]
        fn a_flipped_byte_never_panics(at in 0usize..60, value: u8) {
            let phone = wire_jid("60123456789", "s.whatsapp.net");
            let mut bytes = event(phone.clone(), phone, None, text("selamat pagi"));
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = of(code::MESSAGE, &bytes);
        }
    }
}
