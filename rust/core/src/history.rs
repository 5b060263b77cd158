//! A history sync to records: the chats as the phone has them, and their messages of the last thirty days.

use crate::{
    call,
    decode::{self, Around, Key},
    event::{self, Head, pair},
    group,
    jid::Jid,
    notice, poll,
    record::{Change, ChatInfo, Content, Kind, Other, Records, Status, Target, Unread},
    text::{self, Text},
    timestamp::{self, Repaired},
    wire,
};

/// Older messages and calls are not imported.
pub(crate) const MAX_AGE: i64 = 30 * 86_400;
/// `HistorySync.syncType` of an answer: of its chats it tells what was asked for, and what it leaves out stays.
const ON_DEMAND: u64 = 6;
/// `WebMessageInfo.messageStubType`.
const REVOKED: u64 = 1;
const REVOKED_BY_ADMIN: u64 = 132;

/// Reads a `waHistorySync.HistorySync`. Of each chat the newest `keep` messages become records, all when it is 0: what
/// would be trimmed at once is not even built, so that a phone's 200,000 messages are 20 a chat.
pub(crate) fn read<'a>(sync: &'a [u8], now: i64, keep: usize, records: &mut Records<'a>) {
    let is_listing = wire::number_of(sync, 1) != ON_DEMAND;
    for field in wire::fields(sync) {
        match field.number {
            2 => conversation(field.bytes(), is_listing, now, keep, records),
            7 => push_name(field.bytes(), now, records),
            13 => records.messages.extend(call::logged(field.bytes(), now)),
            15 => pair(jid(field.bytes(), 1).as_ref(), jid(field.bytes(), 2).as_ref(), records),
            _ => {}
        }
    }
}

fn jid(bytes: &[u8], number: u32) -> Option<Jid> {
    Jid::parse(&text::clean(wire::bytes_of(bytes, number)))
}

fn push_name<'a>(bytes: &'a [u8], at: i64, records: &mut Records<'a>) {
    if let (Some(jid), Some(name)) = (jid(bytes, 1), text::visible(wire::bytes_of(bytes, 2))) {
        records.others.push(Other::Name { jid, name, at });
    }
}

/// Of what it leaves out it says nothing: later parts of a history bring more messages of chats that were told of before.
fn conversation<'a>(bytes: &'a [u8], is_listing: bool, now: i64, keep: usize, records: &mut Records<'a>) {
    let Some(chat) = jid(bytes, 1).filter(event::is_stored) else { return };
    pair(Some(&chat), jid(bytes, 39).as_ref(), records);
    pair(Some(&chat), jid(bytes, 42).as_ref(), records);
    let said = |number| wire::find(bytes, number).map(|field| field.number());
    let seconds = |number| said(number).map(u64::cast_signed);
    let name = [13, 38].into_iter().find_map(|number| text::visible(wire::bytes_of(bytes, number)));
    let messages = in_order(bytes, now);
    records.others.push(Other::Chat(ChatInfo {
        chat: chat.clone(),
        is_listed: is_listing,
        name,
        at: now,
        unread: unread(bytes, &messages, now),
        archived: said(16).map(|flag| flag != 0),
        pinned_at: seconds(24).map(|at| at.clamp(0, now)),
        // Forever is -1 or a far year; PostgreSQL ends in the year 294276.
        muted_until: seconds(25).map(|end| if end < 0 { MUTED_FOREVER } else { in_seconds(end).min(MUTED_FOREVER) }),
    }));
    for bytes in &messages[first_kept(&messages, &chat, now, keep)..] {
        message(bytes, &chat, now, records);
    }
}

/// What the phone says is unread. What is too old counts as read: nothing is left of that in a chat that rests since then,
/// and where its messages reach back so far, no more than have come since.
fn unread(conversation: &[u8], messages: &[&[u8]], now: i64) -> Option<Unread> {
    let told = told_unread(conversation);
    let second = |number| Some(wire::number_of(conversation, number).cast_signed()).filter(|at| *at != 0);
    let last_active = [5, 12].into_iter().filter_map(second).map(|at| timestamp::repair(at, now).seconds).max();
    let heard_to = last_active.max(messages.last().map(|newest| sent(newest, now).seconds));
    let is_old = |at: i64| at < now - MAX_AGE;
    let has_come =
        |message: &&&[u8]| !is_old(sent(message, now).seconds) && !Key(wire::bytes_of(message, 1)).is_from_me();
    let most = match messages.first() {
        Some(oldest) if is_old(sent(oldest, now).seconds) => messages.iter().filter(has_come).count(),
        None if heard_to.is_some_and(is_old) => 0,
        _ => told,
    };
    let count = i32::try_from(told.min(most).min(MOST_UNREAD)).ok().filter(|count| *count > 0)?;
    Some(Unread { count, heard_to: heard_to.unwrap_or(i64::MAX) })
}

/// Somebody may have marked a chat as unread in which nothing is: it says so, or has -1 unread.
fn told_unread(conversation: &[u8]) -> usize {
    let told = (wire::number_of(conversation, 6) as u32).cast_signed();
    let is_marked = told < 0 || wire::number_of(conversation, 19) != 0;
    usize::try_from(told).unwrap_or(0).max(usize::from(is_marked))
}

/// When a `WebMessageInfo` was sent.
fn sent(message: &[u8], now: i64) -> Repaired {
    timestamp::repair(wire::number_of(message, 3).cast_signed(), now)
}

/// Where the newest messages begin that make `keep` rows.
fn first_kept(messages: &[&[u8]], chat: &Jid, now: i64, keep: usize) -> usize {
    let mut rows = Records::default();
    for (index, bytes) in messages.iter().enumerate().rev().filter(|_| keep > 0) {
        message(bytes, chat, now, &mut rows);
        if rows.messages.len() >= keep {
            return index;
        }
    }
    0
}

/// A conversation's `WebMessageInfo`s, oldest first: by the second they were sent, within one by the number the phone gives
/// each, and where that is the same too, as the phone sends them, newest first unless the first is older than the last.
fn in_order(conversation: &[u8], now: i64) -> Vec<&[u8]> {
    let mut messages: Vec<((i64, u64), &[u8])> = wire::repeated(conversation, 2)
        .map(|told| {
            let bytes = wire::bytes_of(told, 1);
            ((sent(bytes, now).seconds, wire::number_of(told, 2)), bytes)
        })
        .collect();
    if messages.first().zip(messages.last()).is_some_and(|(first, last)| first.0 >= last.0) {
        messages.reverse();
    }
    messages.sort_by_key(|(place, _)| *place);
    messages.into_iter().map(|(_, bytes)| bytes).collect()
}

/// New messages are added to it, for which the column must have room.
const MOST_UNREAD: usize = 1_000_000;
/// 2100-01-01.
const MUTED_FOREVER: i64 = 4_102_444_800;

/// Mute ends come in milliseconds or seconds.
fn in_seconds(value: i64) -> i64 {
    if value > 100_000_000_000 { value / 1000 } else { value }
}

/// A `WebMessageInfo`.
fn message<'a>(bytes: &'a [u8], chat: &Jid, now: i64, records: &mut Records<'a>) {
    let key = Key(wire::bytes_of(bytes, 1));
    let id = key.id();
    let sent = sent(bytes, now);
    if id.is_empty() || sent.seconds < now - MAX_AGE {
        return;
    }
    let from_me = key.is_from_me();
    let participant = key.participant().or_else(|| jid(bytes, 5));
    let sender = if from_me { None } else { participant.or_else(|| (!chat.is_group()).then(|| chat.clone())) };
    let head = || Head {
        chat: chat.clone(),
        sender: sender.clone(),
        sender_alt: None,
        from_me,
        id: id.clone(),
        at: sent.seconds,
        was_repaired: sent.was_nonsense,
        now,
        by_admin: false,
        edited_at: None,
        sender_name: text::visible(wire::bytes_of(bytes, 19)),
        status: if from_me { status(wire::find(bytes, 4)) } else { Status::Received },
        is_history: true,
    };
    let around = Around { secret: wire::bytes_of(bytes, 49), ..Around::default() };
    let before = records.messages.len();
    head().record(wire::bytes_of(bytes, 2), around, records);
    let stub = wire::number_of(bytes, 24);
    if matches!(stub, REVOKED | REVOKED_BY_ADMIN) {
        deleted(bytes, head(), records);
    } else if stub != 0 && records.messages.len() == before {
        stands_for_a_message(stub, bytes, head(), records);
    }
    for field in wire::fields(bytes) {
        match field.number {
            41 => reaction(field.bytes(), chat, id.clone(), now, records),
            45 => vote(field.bytes(), chat, id.clone(), now, records),
            54 => pin(field.bytes(), head(), records),
            68 => add_on(field.bytes(), head(), records),
            _ => {}
        }
    }
}

/// `PinInChat`: when the phone told of it, if it does not say when that was. It may name another message than the one it
/// stands beside.
fn pin<'a>(bytes: &'a [u8], holder: Head<'a>, records: &mut Records<'a>) {
    let at = timestamp::repair(wire::number_of(bytes, 3).cast_signed(), holder.now).seconds;
    let Some(pinned) = decode::is_pinned(wire::number_of(bytes, 1)) else { return };
    let change = Change::pin(pinned, at, wire::number_of(wire::bytes_of(bytes, 5), 1));
    let named = Some(Key(wire::bytes_of(bytes, 2)).id()).filter(|id| !id.is_empty());
    let message_id = named.unwrap_or_else(|| holder.id.clone());
    holder.change(message_id, change, records);
}

/// A `MessageAddOn` tells a reaction, a vote or a pin as the message that it is, a vote also as the phone has opened it.
fn add_on<'a>(bytes: &'a [u8], holder: Head<'a>, records: &mut Records<'a>) {
    let (by_me, by) = author(Key(wire::bytes_of(bytes, 7)), &holder.chat);
    let told = [3, 4].into_iter().map(|number| wire::number_of(bytes, number).cast_signed()).find(|at| *at != 0);
    let at = told.map_or(holder.at, |at| timestamp::repair(at, holder.now).seconds);
    let head = Head { sender: by, from_me: by_me, at, ..holder };
    // One that was taken back is there and holds nothing.
    if let Some(vote) = wire::find(wire::bytes_of(bytes, 8), 2) {
        let (message_id, ballot) = (head.id.clone(), poll::open_ballot(vote.bytes()));
        head.change(message_id, Change::Vote { ballot, by_me, at }, records);
    } else {
        let around = Around { seconds: wire::number_of(wire::bytes_of(bytes, 6), 1), ..Around::default() };
        head.apply(decode::open(wire::bytes_of(bytes, 2), around), records);
    }
}

/// What was deleted for everyone.
fn deleted<'a>(bytes: &'a [u8], head: Head<'a>, records: &mut Records<'a>) {
    let at = match wire::number_of(bytes, 52).cast_signed() {
        0 => head.at,
        at => timestamp::repair(at, head.now).seconds,
    };
    let (chat, message_id, by) = (head.chat.clone(), head.id.clone(), head.sender.clone());
    let change = Change::Delete { by_me: head.from_me, by_admin: true, at };
    head.message(Content::new(Kind::Deleted, ""), records);
    records.others.push(Other::Change(Target { chat, message_id, by, change }));
}

/// What has no content but says what happened: a group's change, a missed call, a message that the phone can't read.
fn stands_for_a_message<'a>(kind: u64, bytes: &'a [u8], head: Head<'a>, records: &mut Records<'a>) {
    let parameters: Vec<Text<'_>> = wire::repeated(bytes, 26).map(text::clean).collect();
    let name = if head.from_me { Some("You") } else { head.sender_name.as_deref() };
    let doer = notice::doer(name, head.sender.as_ref());
    if let Some(content) = group::stub(kind, &parameters, doer) {
        head.message(content, records);
    }
}

/// `WebMessageInfo.Status` of our own message; one without was sent, or it would be no history.
fn status(field: Option<wire::Field<'_>>) -> Status {
    match field.map(|field| field.number()) {
        Some(0) => Status::Failed,
        Some(1) => Status::Pending,
        Some(3) => Status::Delivered,
        Some(4) => Status::Read,
        Some(5) => Status::Played,
        _ => Status::Sent,
    }
}

fn reaction<'a>(bytes: &'a [u8], chat: &Jid, message_id: Text<'a>, now: i64, records: &mut Records<'a>) {
    let (by_me, by) = author(Key(wire::bytes_of(bytes, 1)), chat);
    let at = timestamp::repair(wire::number_of(bytes, 4).cast_signed(), now).seconds;
    let change = Change::Reaction { emoji: text::clean(wire::bytes_of(bytes, 2)).into_owned(), by_me, at };
    records.others.push(Other::Change(Target { chat: chat.clone(), message_id, by, change }));
}

/// A vote in a history was opened by the phone; one for nothing is there and holds nothing.
fn vote<'a>(bytes: &'a [u8], chat: &Jid, message_id: Text<'a>, now: i64, records: &mut Records<'a>) {
    let Some(vote) = wire::find(bytes, 2) else { return };
    let (by_me, by) = author(Key(wire::bytes_of(bytes, 1)), chat);
    let at = timestamp::repair(wire::number_of(bytes, 3).cast_signed(), now).seconds;
    let change = Change::Vote { ballot: poll::open_ballot(vote.bytes()), by_me, at };
    records.others.push(Other::Change(Target { chat: chat.clone(), message_id, by, change }));
}

/// Whether we sent what has this key, and who did else.
fn author(key: Key<'_>, chat: &Jid) -> (bool, Option<Jid>) {
    let by_me = key.is_from_me();
    let by = if by_me { None } else { key.participant().or_else(|| (!chat.is_group()).then(|| chat.clone())) };
    (by_me, by)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wafast_schema::{e2e, history_sync as h, web};

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn old(id: &str, age: i64) -> h::HistorySyncMsg {
        let key = wafast_schema::common::MessageKey { id: Some(id.into()), from_me: Some(false), ..Default::default() };
        let message = web::WebMessageInfo {
            key,
            message: Some(e2e::Message { conversation: Some("lama".into()), ..Default::default() }),
            message_timestamp: Some((NOW - age).cast_unsigned()),
            ..Default::default()
        };
        h::HistorySyncMsg { message: Some(message), ..Default::default() }
    }

    #[test]
    fn a_month_is_imported_with_its_chat() {
        let conversation = h::Conversation {
            id: "60123456789@s.whatsapp.net".into(),
            messages: vec![old("NEW", 60), old("OLD", MAX_AGE + 60)],
            unread_count: Some(1),
            name: Some("Aunty".into()),
            ..Default::default()
        };
        let sync = h::HistorySync { conversations: vec![conversation], ..Default::default() };
        let (bytes, mut records) = (sync.encode_to_vec(), Records::default());
        read(&bytes, NOW, 0, &mut records);
        let [Other::Chat(chat)] = records.others.as_slice() else { panic!("{records:?}") };
        let [message] = records.messages.as_slice() else { panic!("{records:?}") };
        assert_eq!((chat.name.as_deref(), chat.unread.map(|unread| unread.count)), (Some("Aunty"), Some(1)));
        assert!(message.is_history && message.id == "NEW" && message.sender.as_ref() == Some(&chat.chat));
    }
}
