//! Calls: one row each, by the call's own id, whether we heard it end or the phone tells of it.

use crate::{
    event::{is_stored, pair},
    history::MAX_AGE,
    jid::Jid,
    record::{Content, Kind, Message, Records, Status, flag},
    text::{self, Text},
    timestamp::{self, Repaired},
    wire,
};

/// `CallLogRecord.callResult` of one that has not begun.
const UPCOMING: u64 = 7;
/// Seconds between what a chat and the log say of when a call began.
const SAME_CALL: u64 = 5;

/// Reasons of an end that say that somebody has answered or refused it on another device of ours.
const ELSEWHERE: [&[u8]; 2] = [b"accepted_elsewhere", b"rejected_elsewhere"];

/// Records a call that has ended, of who began it.
pub(crate) fn ended<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let meta = wire::bytes_of(bytes, 1);
    let jid = |number| Jid::from_event(wire::bytes_of(meta, number));
    let (chat, creator) = (jid(1), jid(3));
    let Some(chat) = chat.or_else(|| creator.clone()).filter(is_stored) else { return };
    let id = text::clean(wire::bytes_of(meta, 5));
    if id.is_empty() {
        return;
    }
    pair(creator.as_ref(), jid(4).as_ref(), records);
    let at = timestamp::repair(wire::number_of(meta, 2).cast_signed(), now);
    let sender = creator.or_else(|| Some(chat.clone()));
    let mut call = row(chat, sender, id, at);
    if ELSEWHERE.contains(&wire::bytes_of(bytes, 2)) {
        call.content.flags |= flag::CAME_READ;
    }
    records.messages.push(call);
}

/// Where and when messages tell of calls.
pub(crate) fn times(messages: &[Message<'_>]) -> Vec<(Jid, i64)> {
    let calls = messages.iter().filter(|message| message.content.kind == Kind::Call);
    calls.map(|call| (call.chat.clone(), call.timestamp)).collect()
}

/// The call of a history's `CallLogRecord`; None of one that `told` has, which may be under another id there.
pub(crate) fn logged<'a>(bytes: &'a [u8], now: i64, told: &[(Jid, i64)]) -> Option<Message<'a>> {
    let jid = |bytes, number| Jid::parse(&text::clean(wire::bytes_of(bytes, number)));
    let (creator, id) = (jid(bytes, 12), text::clean(wire::bytes_of(bytes, 11)));
    let from_me = wire::find(bytes, 6).is_some_and(|is_incoming| !is_incoming.flag());
    let called = wire::repeated(bytes, 14).filter_map(|one| jid(one, 1)).find(|one| Some(one) != creator.as_ref());
    let chat = jid(bytes, 13).or(if from_me { called } else { creator.clone() }).filter(is_stored)?;
    let at = timestamp::repair(wire::number_of(bytes, 5).cast_signed(), now);
    let is_it = |(there, then): &(Jid, i64)| *there == chat && then.abs_diff(at.seconds) <= SAME_CALL;
    let is_over = wire::number_of(bytes, 1) != UPCOMING;
    if !is_over || id.is_empty() || at.seconds < now - MAX_AGE || told.iter().any(is_it) {
        return None;
    }
    let (sender, status) = if from_me { (None, Status::Sent) } else { (creator, Status::Received) };
    Some(Message { from_me, status, is_history: true, ..row(chat, sender, id, at) })
}

fn row<'a>(chat: Jid, sender: Option<Jid>, id: Text<'a>, at: Repaired) -> Message<'a> {
    Message::received(chat, sender, id, at, Content::new(Kind::Call, ""))
}
