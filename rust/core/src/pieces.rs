//! A long history in pieces: what is read and written at one time stays small, however many messages a phone has.
//!
//! One of 200,000 messages in 10,000 chats took 87 MiB as records; in pieces of this size it takes 2.

use crate::wire::{self, Field, Value};

/// Bytes of a piece, unless one chat alone has more. It is more than a device's buffer holds, so that all but a short last
/// piece still go to the writer of histories.
pub const PIECE: usize = 512 << 10;

/// `HistorySync`'s fields.
const KIND: u32 = 1;
const CONVERSATION: u32 = 2;
const PUSH_NAME: u32 = 7;
const CALL: u32 = 13;

/// Gives a history sync event to `take`, in pieces of about `most` bytes where it has more chats than one: each an event by
/// itself, which together say what it says. What is not of chats is all in the first and the last. One that is damaged
/// stays whole.
pub fn cut(event: &[u8], most: usize, mut take: impl FnMut(&[u8])) {
    let sync = wire::bytes_of(event, 1);
    if event.len() <= most || !wire::is_whole(event) || !wire::is_whole(sync) {
        return take(event);
    }
    let kind = wire::find(sync, KIND);
    let fields = |wanted: fn(u32) -> bool| wire::fields(sync).filter(move |field| wanted(field.number));
    let mut piece: Vec<u8> = Vec::with_capacity(most);
    // Whose number a LID has is said first, names and calls when all chats are there.
    for field in fields(|number| !matches!(number, KIND | CONVERSATION | PUSH_NAME | CALL)) {
        push(&mut piece, field);
    }
    for chat in fields(|number| number == CONVERSATION) {
        if !piece.is_empty() && piece.len() + chat.bytes().len() > most {
            take(&whole(&piece, kind));
            piece.clear();
        }
        push(&mut piece, chat);
    }
    fields(|number| matches!(number, PUSH_NAME | CALL)).for_each(|field| push(&mut piece, field));
    take(&whole(&piece, kind));
}

/// The event of a piece.
fn whole(piece: &[u8], kind: Option<Field<'_>>) -> Vec<u8> {
    let mut sync = Vec::with_capacity(piece.len() + 2);
    kind.into_iter().for_each(|kind| push(&mut sync, kind));
    sync.extend_from_slice(piece);
    let mut event = Vec::with_capacity(sync.len() + 8);
    push(&mut event, Field { number: 1, value: Value::Bytes(&sync) });
    event
}

fn push(to: &mut Vec<u8>, field: Field<'_>) {
    match field.value {
        Value::Number(number) => {
            varint(to, u64::from(field.number) << 3);
            varint(to, number);
        }
        Value::Bytes(bytes) => {
            varint(to, u64::from(field.number) << 3 | 2);
            varint(to, bytes.len() as u64);
            to.extend_from_slice(bytes);
        }
    }
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value > 127 {
        to.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    to.push(value as u8);
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wafast_schema::{common, e2e, history_sync as h, neonize, sync_action, web};

    use super::*;
    use crate::{
        event::{code, read},
        record::Records,
    };

    const NOW: i64 = 1_790_000_000;

    fn message(id: String, at: i64) -> h::HistorySyncMsg {
        let message = web::WebMessageInfo {
            key: common::MessageKey { id: Some(id), from_me: Some(false), ..Default::default() },
            message: Some(e2e::Message { conversation: Some("lama".into()), ..Default::default() }),
            message_timestamp: Some(at.cast_unsigned()),
            ..Default::default()
        };
        h::HistorySyncMsg { message: Some(message), ..Default::default() }
    }

    fn history(chats: usize) -> Vec<u8> {
        let jid = |n: usize| format!("{}@s.whatsapp.net", 60_120_000_000 + n);
        let conversations = (0..chats).map(|n| h::Conversation {
            id: jid(n),
            messages: (0..3).map(|m| message(format!("M{n}-{m}"), NOW - 100 + m)).collect(),
            ..Default::default()
        });
        let call = |n: usize| sync_action::CallLogRecord {
            call_id: Some(format!("C{n}")),
            call_creator_jid: Some(jid(n)),
            is_incoming: Some(true),
            start_time: Some(NOW - 50),
            ..Default::default()
        };
        let name = |n: usize| h::Pushname { id: Some(jid(n)), pushname: Some(format!("Siti {n}")) };
        let pair = h::PhoneNumberToLidMapping { pn_jid: Some(jid(0)), lid_jid: Some("900@lid".into()) };
        let sync = h::HistorySync {
            sync_type: h::history_sync::HistorySyncType::InitialBootstrap as i32,
            conversations: conversations.collect(),
            call_log_records: (0..=chats).map(call).collect(),
            pushnames: (0..chats).map(name).collect(),
            phone_number_to_lid_mappings: vec![pair],
            ..Default::default()
        };
        neonize::HistorySync { data: sync }.encode_to_vec()
    }

    fn said(events: &[Vec<u8>]) -> Vec<String> {
        let mut records = Records::default();
        events.iter().for_each(|event| read(code::HISTORY_SYNC, event, NOW, 2, &mut records).unwrap());
        let messages = records.messages.iter().map(|message| format!("{message:?}"));
        let mut said: Vec<String> = messages.chain(records.others.iter().map(|other| format!("{other:?}"))).collect();
        said.sort();
        said
    }

    fn pieces(event: &[u8], most: usize) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        cut(event, most, |piece| pieces.push(piece.to_vec()));
        pieces
    }

    #[test]
    fn the_pieces_of_a_history_say_what_it_says() {
        let event = history(40);
        let cut = pieces(&event, 500);
        assert!(cut.len() > 5 && cut[..cut.len() - 1].iter().all(|piece| piece.len() < 600), "{}", cut.len());
        assert_eq!(said(&cut), said(&[event]));
        let tells = |piece: &Vec<u8>, what| said(std::slice::from_ref(piece)).iter().any(|one| one.starts_with(what));
        let (last, before) = cut.split_last().unwrap();
        assert!(tells(&cut[0], "Lid") && tells(last, "Name") && !before.iter().any(|piece| tells(piece, "Name")));
    }

    #[test]
    fn what_is_short_or_damaged_stays_whole() {
        let mut event = history(40);
        assert_eq!(pieces(&event, event.len()), [event.clone()]);
        let damaged = Field { number: 1, value: Value::Bytes(&wire::bytes_of(&event, 1)[..event.len() / 2]) };
        let mut around = Vec::new();
        push(&mut around, damaged);
        assert_eq!(pieces(&around, 1000), [around.clone()]);
        event.truncate(event.len() - 1);
        assert_eq!(pieces(&event, 1000), [event]);
    }
}
