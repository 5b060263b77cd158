//! Orders about what people write.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use wafast_protocol::random;
use wafast_schema::e2e::{self, ContextInfo, ExtendedTextMessage};

use crate::{
    address::{self, Phone},
    device::Device,
    group::Group,
    history::{self, Past},
    message_out::{self, Chat, Letter},
    mutation::ChatSettings,
    notification, phone,
    picture::Picture,
    world::{self, World},
};

/// After so many messages other tasks get their turn.
const BURST: usize = 64;

/// Text messages to write.
pub struct Text {
    pub text: String,
    pub quoted: Option<String>,
    pub count: usize,
    pub interval_ms: u64,
}

/// The group with this id.
///
/// # Errors
/// There is none.
pub fn known_group(world: &World, id: Option<String>) -> Result<Option<Arc<Group>>, String> {
    let find = |id: String| {
        let user = id.trim_end_matches("@g.us");
        world.group(user).ok_or_else(|| format!("there is no group {id}: make it with op group"))
    };
    id.map(find).transpose()
}

/// The companions of a line.
///
/// # Errors
/// It has none.
pub fn linked_devices(world: &World, line: Phone) -> Result<Vec<Arc<Device>>, String> {
    let devices = world.devices(line);
    if devices.is_empty() { Err(format!("{line} has no linked device")) } else { Ok(devices) }
}

fn chat(world: &World, line: Phone, contact: Phone, group: Option<String>) -> Result<Chat, String> {
    linked_devices(world, line)?;
    Ok(match known_group(world, group)? {
        None => Chat::Direct(line),
        Some(group) if group.members.contains(&contact) => Chat::Group(group),
        Some(group) => return Err(format!("{contact} is not in group {}", group.id)),
    })
}

/// A contact writes text.
///
/// # Errors
/// The line has no device, the group is unknown or the contact not in it.
pub async fn text(
    world: &World,
    line: Phone,
    contact: Phone,
    group: Option<String>,
    text: Text,
) -> Result<Value, String> {
    let chat = chat(world, line, contact, group)?;
    let mut ids = Vec::with_capacity(text.count);
    for n in 0..text.count {
        let body = if text.count == 1 { text.text.clone() } else { format!("{} {n}", text.text) };
        let (chat, id) = (chat.clone(), world.message_id());
        let letter = match &text.quoted {
            None => Letter::text(contact, chat, id, &body),
            Some(quoted) => Letter::new(contact, chat, id, &quoting(&body, quoted, line)),
        };
        message_out::post(world, &letter).map_err(|error| error.to_string())?;
        ids.push(letter.id);
        if text.interval_ms > 0 && n + 1 < text.count {
            tokio::time::sleep(Duration::from_millis(text.interval_ms)).await;
        } else if n % BURST == BURST - 1 {
            tokio::task::yield_now().await;
        }
    }
    Ok(json!({"ids": ids}))
}

/// An answer to a message of the line.
fn quoting(text: &str, quoted: &str, author: Phone) -> e2e::Message {
    let context = ContextInfo {
        stanza_id: Some(quoted.to_owned()),
        participant: Some(address::pn(author).to_string()),
        quoted_message: Some(Box::default()),
        ..Default::default()
    };
    let text = ExtendedTextMessage {
        text: Some(text.to_owned()),
        context_info: Some(Box::new(context)),
        ..Default::default()
    };
    e2e::Message { extended_text_message: Some(Box::new(text)), ..Default::default() }
}

/// A message of any content.
pub struct Raw {
    /// An encoded `waE2E.Message` in base64.
    pub message: String,
    pub id: Option<String>,
    pub edit: Option<String>,
    /// The line's owner writes it on the phone.
    pub own: bool,
}

/// A contact, or the owner of the line on the phone, sends any content.
///
/// # Errors
/// As [`text`]; or `message` is no base64, or an own message is for a group.
pub fn raw(world: &World, line: Phone, contact: Phone, group: Option<String>, raw: Raw) -> Result<Value, String> {
    let message = STANDARD.decode(raw.message).map_err(|error| format!("message is no base64: {error}"))?;
    let id = raw.id.unwrap_or_else(|| world.message_id());
    let (sender, chat) = match (raw.own, group) {
        (false, group) => (contact, chat(world, line, contact, group)?),
        (true, Some(_)) => return Err("an own message goes to a contact: leave out group".to_owned()),
        (true, None) => linked_devices(world, line).map(|_| (line, Chat::Own(contact)))?,
    };
    let letter = Letter { edit: raw.edit, ..Letter::raw(sender, chat, id, message) };
    message_out::post(world, &letter).map_err(|error| error.to_string())?;
    Ok(json!({"id": letter.id}))
}

/// A contact sends a picture: `data` in base64, or one drawn here.
///
/// # Errors
/// As [`text`]; or `data` is no base64, or the disk is full.
pub fn image(
    world: &World,
    line: Phone,
    contact: Phone,
    group: Option<String>,
    caption: Option<String>,
    data: Option<String>,
) -> Result<Value, String> {
    let chat = chat(world, line, contact, group)?;
    let drawn = Picture::draw(u64::from_be_bytes(random::bytes()));
    let picture = match data {
        None => drawn,
        Some(data) => {
            let file = STANDARD.decode(data).map_err(|error| format!("data is no base64: {error}"))?;
            Picture { file, preview: drawn.preview }
        }
    };
    let (letter, sha256) = picture.letter(world, contact, chat, caption).map_err(|error| error.to_string())?;
    message_out::post(world, &letter).map_err(|error| error.to_string())?;
    Ok(json!({"id": letter.id, "sha256": sha256}))
}

/// The owner of a line writes on the phone itself.
///
/// # Errors
/// The line has no device.
pub fn own(world: &World, line: Phone, contact: Phone, text: &str) -> Result<Value, String> {
    linked_devices(world, line)?;
    let letter = Letter::text(line, Chat::Own(contact), world.message_id(), text);
    message_out::post(world, &letter).map_err(|error| error.to_string())?;
    // the contact may be a line itself
    let direct = Letter::text(line, Chat::Direct(contact), letter.id.clone(), text);
    message_out::post(world, &direct).map_err(|error| error.to_string())?;
    Ok(json!({"id": letter.id}))
}

/// A contact writes what can't be decrypted at first, or never.
///
/// # Errors
/// As [`text`].
pub fn corrupt(
    world: &World,
    line: Phone,
    contact: Phone,
    group: Option<String>,
    text: &str,
    comes_again: bool,
) -> Result<Value, String> {
    let chat = chat(world, line, contact, group)?;
    let letter = Letter { damaged: true, comes_again, ..Letter::text(contact, chat, world.message_id(), text) };
    message_out::post(world, &letter).map_err(|error| error.to_string())?;
    Ok(json!({"id": letter.id}))
}

/// Makes or changes a group; its line is always in it.
pub fn group(world: &World, line: Phone, id: Option<String>, subject: String, mut members: Vec<Phone>) -> Value {
    members.retain(|member| *member != line);
    members.insert(0, line);
    let id = id.map_or_else(|| new_group_id(world), |id| id.trim_end_matches("@g.us").to_owned());
    let before = world.group(&id);
    let created = before.as_ref().map_or_else(world::now, |group| group.created);
    let group = world.put_group(Group { id, subject, members, created });
    notification::group_changed(world, before.as_deref(), &group);
    json!({"group": group.jid().to_string()})
}

/// `120363` and twelve digits, as WhatsApp numbers its groups.
fn new_group_id(world: &World) -> String {
    let digits = format!("{:0>12}", world.stanza_id());
    format!("120363{}", &digits[digits.len() - 12..])
}

/// The owner sets something of a chat on the phone.
///
/// # Errors
/// No chat is named, or the group is unknown.
pub fn settings(
    world: &World,
    line: Phone,
    contact: Option<Phone>,
    group: Option<String>,
    settings: ChatSettings,
) -> Result<(), String> {
    let group = known_group(world, group)?;
    let chat = group.map(|group| group.jid()).or_else(|| contact.map(address::pn));
    let chat = chat.ok_or("settings are of a chat: name its contact or group")?;
    phone::set_of_chat(world, line, &chat, settings).map_err(|error| error.to_string())
}

/// Sends history.
///
/// # Errors
/// The line has no device, or the disk is full.
pub fn history(world: &World, line: Phone, past: &Past) -> Result<Value, String> {
    linked_devices(world, line)?;
    let ids = tokio::task::block_in_place(|| history::send(world, line, past)).map_err(|error| error.to_string())?;
    Ok(json!({"ids": ids}))
}
