//! Calls, as their end and the phone's log tell of them, by the call's own id. Its chat tells of it too, under a message's;
//! that they are one is found where they are stored (`writer/calls.rs`).

use serde::Serialize;

use crate::{
    event::{is_stored, pair},
    history::MAX_AGE,
    jid::{Jid, Server},
    record::{Carried, Content, Kind, Message, Records, Status, flag},
    text::{self, Text},
    timestamp::{self, Repaired},
    wire,
};

/// `CallLogRecord.callResult` of one that has not begun.
const UPCOMING: u64 = 7;
/// Reasons of an end that say that somebody has answered or refused it on another device of ours.
const ELSEWHERE: [&[u8]; 2] = [b"accepted_elsewhere", b"rejected_elsewhere"];

/// The `media` column of a call that is known by its own id; one that only its chat tells of has none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "call")]
pub struct Call {
    pub told: Told,
}

/// Who told of it, and by that what its time is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// When it began.
    Log,
    /// When it was over.
    End,
}

/// Records a call that has ended, of who began it.
pub(crate) fn ended<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let meta = wire::bytes_of(bytes, 1);
    let jid = |number| Jid::from_event(wire::bytes_of(meta, number));
    // One of many people may come from an address of its own, `…@call`, where nobody writes.
    let (chat, creator) = (jid(1).filter(|chat| chat.server != Server::Other), jid(3));
    let Some(chat) = chat.or_else(|| creator.clone()).filter(is_stored) else { return };
    let id = text::clean(wire::bytes_of(meta, 5));
    if id.is_empty() {
        return;
    }
    pair(creator.as_ref(), jid(4).as_ref(), records);
    let at = timestamp::repair(wire::number_of(meta, 2).cast_signed(), now);
    let sender = creator.or_else(|| Some(chat.clone()));
    let mut call = row(chat, sender, id, at, Told::End);
    if ELSEWHERE.contains(&wire::bytes_of(bytes, 2)) {
        call.content.flags |= flag::CAME_READ;
    }
    records.messages.push(call);
}

/// The call of a history's `CallLogRecord`.
pub(crate) fn logged(bytes: &[u8], now: i64) -> Option<Message<'_>> {
    let jid = |bytes, number| Jid::parse(&text::clean(wire::bytes_of(bytes, number)));
    let (creator, id) = (jid(bytes, 12), text::clean(wire::bytes_of(bytes, 11)));
    let from_me = wire::find(bytes, 6).is_some_and(|is_incoming| !is_incoming.flag());
    let called = wire::repeated(bytes, 14).filter_map(|one| jid(one, 1)).find(|one| Some(one) != creator.as_ref());
    let chat = jid(bytes, 13).or(if from_me { called } else { creator.clone() }).filter(is_stored)?;
    let at = timestamp::repair(wire::number_of(bytes, 5).cast_signed(), now);
    let is_over = wire::number_of(bytes, 1) != UPCOMING;
    if !is_over || id.is_empty() || at.seconds < now - MAX_AGE {
        return None;
    }
    let (sender, status) = if from_me { (None, Status::Sent) } else { (creator, Status::Received) };
    Some(Message { from_me, status, is_history: true, ..row(chat, sender, id, at, Told::Log) })
}

fn row<'a>(chat: Jid, sender: Option<Jid>, id: Text<'a>, at: Repaired, told: Told) -> Message<'a> {
    let carried = Some(Carried::Call(Call { told }));
    Message::received(chat, sender, id, at, Content { carried, ..Content::new(Kind::Call, "") })
}
