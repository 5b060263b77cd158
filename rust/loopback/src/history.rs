//! History sync: what the phone has said and heard before, sent to its companions in compressed chunks.

use std::io::{self, Write};

use flate2::{Compression, write::ZlibEncoder};
use wafast_protocol::media;
use wafast_schema::{
    common::MessageKey,
    e2e::{self, HistorySyncNotification, ProtocolMessage, protocol_message},
    encode_history_sync,
    history_sync::{
        Conversation, HistorySync, HistorySyncMsg, PhoneNumberToLidMapping, Pushname, history_sync::HistorySyncType,
    },
    web::{WebMessageInfo, web_message_info::Status},
};

use crate::{
    address::{self, Phone},
    message_out::{self, Chat, Letter},
    world::{self, World},
};

/// Messages in one chunk where nobody says so; phones send some thousands at once.
pub const CHUNK: usize = 2_000;
/// Who asks, what about, who answers.
const LINES: [&str; 6] = [
    "Good morning, is the shop open today?",
    "Yes, until 7 pm",
    "How much for two sets?",
    "RM 118 with delivery",
    "Ok, I will take two",
    "Noted, thank you!",
];

/// What the history of a chat, or of several, is to hold.
pub struct Past {
    /// Of the first chat; those of the others follow it.
    pub contact: Phone,
    pub chats: usize,
    /// Messages of each chat.
    pub count: usize,
    /// The text of every message, numbered; without one it is small talk.
    pub text: Option<String>,
    /// How many days back the first message is.
    pub days: f64,
    /// The name of each chat in the phone's address book.
    pub name: Option<String>,
    /// Messages in one chunk.
    pub chunk: usize,
    /// Whether chunks travel inside the message instead of as files.
    pub inline: bool,
}

/// Sends the history of some chats to all companions of `line`. Gives the messages' ids, oldest first in each chat.
///
/// # Errors
/// A file can't be written, or a companion's keys are damaged.
pub fn send(world: &World, line: Phone, past: &Past) -> io::Result<Vec<String>> {
    let chats: Vec<(Phone, Vec<WebMessageInfo>)> = (0..past.chats as Phone)
        .map(|n| past.contact + n)
        .map(|contact| (contact, messages(world, past, contact)))
        .collect();
    let chunks = chunks(&chats, past.chunk.max(1));
    for (order, chunk) in chunks.iter().enumerate() {
        let progress = ((order + 1) * 100 / chunks.len()) as u32;
        let sync = chunk_of(world, past, chunk, order as u32 + 1, progress);
        let notification = pack(world, &sync, past.inline)?;
        let protocol = ProtocolMessage {
            r#type: Some(protocol_message::Type::HistorySyncNotification as i32),
            history_sync_notification: Some(notification),
            ..Default::default()
        };
        let message = e2e::Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
        let letter = Letter::new(line, Chat::Peer, world.message_id(), &message);
        message_out::post(world, &letter).map_err(io::Error::other)?;
    }
    Ok(chats.iter().flat_map(|(_, messages)| messages).map(|message| message.key.id().to_owned()).collect())
}

/// A part of a chat, or all of it, oldest first.
type Piece<'a> = (Phone, &'a [WebMessageInfo]);

/// What goes together, `most` messages at most: of a chat the newest first, as phones do, so that what people look at is
/// there soonest. There is always one, be it empty.
fn chunks(chats: &[(Phone, Vec<WebMessageInfo>)], most: usize) -> Vec<Vec<Piece<'_>>> {
    let (mut chunks, mut room) = (vec![vec![]], most);
    let pieces =
        chats.iter().flat_map(|(contact, messages)| messages.rchunks(most).map(move |piece| (*contact, piece)));
    for piece in pieces {
        if piece.1.len() > room {
            chunks.push(vec![]);
            room = most;
        }
        room -= piece.1.len();
        chunks.last_mut().expect("there is always one").push(piece);
    }
    chunks
}

fn messages(world: &World, past: &Past, contact: Phone) -> Vec<WebMessageInfo> {
    let chat = address::pn(contact).to_string();
    let (now, span) = (world::now(), past.days * 86_400.0);
    let name = name_of(world, past, contact);
    (0..past.count)
        .map(|n| {
            let from_me = n % 2 == 1;
            let age = span * (past.count - n) as f64 / past.count as f64;
            let text = match &past.text {
                Some(text) => format!("{text} {n}"),
                None => LINES[n % LINES.len()].to_owned(),
            };
            WebMessageInfo {
                key: MessageKey {
                    remote_jid: Some(chat.clone()),
                    from_me: Some(from_me),
                    id: Some(world.message_id()),
                    participant: None,
                },
                message: Some(e2e::Message { conversation: Some(text), ..Default::default() }),
                message_timestamp: Some(now.saturating_sub(age as u64)),
                status: Some(if from_me { Status::Read } else { Status::DeliveryAck } as i32),
                push_name: (!from_me).then(|| name.clone()),
                ..Default::default()
            }
        })
        .collect()
}

fn name_of(world: &World, past: &Past, contact: Phone) -> String {
    past.name.clone().unwrap_or_else(|| world.name_of(contact))
}

fn chunk_of(world: &World, past: &Past, pieces: &[Piece<'_>], order: u32, progress: u32) -> HistorySync {
    HistorySync {
        sync_type: HistorySyncType::Recent as i32,
        conversations: pieces.iter().map(|piece| conversation(name_of(world, past, piece.0), piece)).collect(),
        chunk_order: Some(order),
        progress: Some(progress),
        pushnames: pieces
            .iter()
            .map(|(contact, _)| Pushname {
                id: Some(address::pn(*contact).to_string()),
                pushname: Some(name_of(world, past, *contact)),
            })
            .collect(),
        phone_number_to_lid_mappings: pieces
            .iter()
            .map(|(contact, _)| PhoneNumberToLidMapping {
                pn_jid: Some(address::pn(*contact).to_string()),
                lid_jid: Some(address::lid(*contact).to_string()),
            })
            .collect(),
        ..Default::default()
    }
}

fn conversation(name: String, (contact, messages): &Piece<'_>) -> Conversation {
    let newest = messages.last().and_then(|message| message.message_timestamp);
    Conversation {
        id: address::pn(*contact).to_string(),
        // newest first inside a conversation
        messages: messages
            .iter()
            .rev()
            .enumerate()
            .map(|(at, message)| HistorySyncMsg { message: Some(message.clone()), msg_order_id: Some(at as u64) })
            .collect(),
        last_msg_timestamp: newest,
        conversation_timestamp: newest,
        unread_count: Some(0),
        name: Some(name),
        ..Default::default()
    }
}

fn pack(world: &World, sync: &HistorySync, inline: bool) -> io::Result<HistorySyncNotification> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&encode_history_sync(sync))?;
    let packed = encoder.finish()?;
    let mut notification = HistorySyncNotification {
        sync_type: Some(sync.sync_type),
        chunk_order: sync.chunk_order,
        progress: sync.progress,
        ..Default::default()
    };
    if inline {
        notification.initial_hist_bootstrap_inline_payload = Some(packed);
        return Ok(notification);
    }
    let sealed = media::seal(&packed, media::Kind::History);
    notification.direct_path = Some(world.media.put(&sealed.blob)?);
    notification.file_length = Some(packed.len() as u64);
    notification.file_sha256 = Some(sealed.sha256.to_vec());
    notification.file_enc_sha256 = Some(sealed.enc_sha256.to_vec());
    notification.media_key = Some(sealed.media_key.to_vec());
    Ok(notification)
}
