//! History sync: what the phone has said and heard before, sent to its companions in compressed chunks.

use std::io::{self, Write};

use flate2::{Compression, write::ZlibEncoder};
use wafast_protocol::media;
use wafast_schema::{
    Message as _,
    common::MessageKey,
    e2e::{self, HistorySyncNotification, ProtocolMessage, protocol_message},
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

/// Messages in one chunk; phones send some thousands at once.
const CHUNK: usize = 2_000;
/// Who asks, what about, who answers.
const LINES: [&str; 6] = [
    "Good morning, is the shop open today?",
    "Yes, until 7 pm",
    "How much for two sets?",
    "RM 118 with delivery",
    "Ok, I will take two",
    "Noted, thank you!",
];

/// What a chat's history is to hold.
pub struct Past {
    pub contact: Phone,
    pub count: usize,
    /// The text of every message, numbered; without one it is small talk.
    pub text: Option<String>,
    /// How many days back the first message is.
    pub days: f64,
    /// The chat's name in the phone's address book.
    pub name: Option<String>,
    /// Whether chunks travel inside the message instead of as files.
    pub inline: bool,
}

/// Sends a chat's history to all companions of `line`. Gives the messages' ids, oldest first.
///
/// # Errors
/// A file can't be written, or a companion's keys are damaged.
pub fn send(world: &World, line: Phone, past: &Past) -> io::Result<Vec<String>> {
    let messages = messages(world, past);
    let ids = messages.iter().map(|message| message.key.id().to_owned()).collect();
    let total = messages.len().div_ceil(CHUNK).max(1);
    // newest first, as phones do: the chats people look at are there soonest
    for (order, chunk) in messages.rchunks(CHUNK).enumerate() {
        let progress = ((order + 1) * 100 / total) as u32;
        let sync = chunk_of(world, past, chunk, order as u32 + 1, progress);
        let notification = pack(world, &sync, past.inline)?;
        let protocol = ProtocolMessage {
            r#type: Some(protocol_message::Type::HistorySyncNotification as i32),
            history_sync_notification: Some(notification),
            ..Default::default()
        };
        let message = e2e::Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
        let letter = Letter {
            sender: line,
            chat: Chat::Peer,
            id: world.message_id(),
            message,
            media: None,
            damaged: false,
            comes_again: true,
        };
        message_out::post(world, &letter).map_err(io::Error::other)?;
    }
    Ok(ids)
}

fn messages(world: &World, past: &Past) -> Vec<WebMessageInfo> {
    let chat = address::pn(past.contact).to_string();
    let (now, span) = (world::now(), past.days * 86_400.0);
    let name = past.name.clone().unwrap_or_else(|| world.name_of(past.contact));
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

fn chunk_of(world: &World, past: &Past, messages: &[WebMessageInfo], order: u32, progress: u32) -> HistorySync {
    let name = past.name.clone().unwrap_or_else(|| world.name_of(past.contact));
    let newest = messages.last().and_then(|message| message.message_timestamp);
    let (pn, lid) = (address::pn(past.contact).to_string(), address::lid(past.contact).to_string());
    let conversation = Conversation {
        id: pn.clone(),
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
        name: Some(name.clone()),
        ..Default::default()
    };
    HistorySync {
        sync_type: HistorySyncType::Recent as i32,
        conversations: vec![conversation],
        chunk_order: Some(order),
        progress: Some(progress),
        pushnames: vec![Pushname { id: Some(pn.clone()), pushname: Some(name) }],
        phone_number_to_lid_mappings: vec![PhoneNumberToLidMapping { pn_jid: Some(pn), lid_jid: Some(lid) }],
        ..Default::default()
    }
}

fn pack(world: &World, sync: &HistorySync, inline: bool) -> io::Result<HistorySyncNotification> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&sync.encode_to_vec())?;
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
