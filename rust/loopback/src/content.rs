//! What a message says, as a contact would tell it.

use std::sync::Arc;

use wafast_protocol::{kdf, media};
use wafast_schema::e2e::{self, ContextInfo, Message, protocol_message::Type};

use crate::world::World;

/// A file a message points to.
pub struct File {
    kind: media::Kind,
    direct_path: String,
    media_key: Vec<u8>,
    sha256: Vec<u8>,
}

/// A message in short.
#[derive(Default)]
pub struct Content {
    pub kind: &'static str,
    pub text: String,
    /// The id of the message it answers, changes or reacts to.
    pub refers_to: Option<String>,
    pub file: Option<File>,
}

impl Content {
    /// It does something to a message that is there; nobody answers that.
    pub fn is_change(&self) -> bool {
        matches!(self.kind, "reaction" | "edit" | "revoke")
    }
}

impl File {
    /// Fetches and decrypts it; gives its SHA-256 and whether that is the one promised. A millisecond of CPU and disk.
    pub fn check(&self, world: &Arc<World>) -> (bool, Option<String>) {
        let blob = world.media.get(&self.direct_path);
        let Some(Ok(plaintext)) = blob.map(|blob| media::open(&blob, &self.media_key, self.kind)) else {
            return (false, None);
        };
        let hash = kdf::sha256(&[&plaintext]);
        (hash.as_slice() == self.sha256, Some(hash.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

/// The message inside copies and wrappers.
fn unwrap(mut message: Message) -> Message {
    loop {
        let wrappers = [
            message.ephemeral_message.take(),
            message.view_once_message.take(),
            message.view_once_message_v2.take(),
            message.document_with_caption_message.take(),
            message.edited_message.take(),
        ];
        let copy = message.device_sent_message.take().and_then(|copy| copy.message);
        let inner = wrappers.into_iter().flatten().find_map(|wrapper| wrapper.message).or(copy);
        match inner {
            Some(inner) => message = *inner,
            None => return message,
        }
    }
}

/// What `message` says; `None` when it holds nothing for people (a key distribution alone).
pub fn describe(message: Message) -> Option<Content> {
    let message = unwrap(message);
    if let Some(text) = message.conversation {
        return Some(Content { kind: "text", text, ..Content::default() });
    }
    if let Some(text) = message.extended_text_message {
        let refers_to = quoted(text.context_info.as_deref());
        return Some(Content { kind: "text", text: text.text.unwrap_or_default(), refers_to, ..Content::default() });
    }
    if let Some(reaction) = message.reaction_message {
        let refers_to = reaction.key.and_then(|key| key.id);
        return Some(Content { kind: "reaction", text: reaction.text.unwrap_or_default(), refers_to, file: None });
    }
    if let Some(change) = message.protocol_message {
        return describe_change(*change);
    }
    describe_media(message)
}

fn describe_change(change: e2e::ProtocolMessage) -> Option<Content> {
    let kind = match Type::try_from(change.r#type.unwrap_or_default()).ok()? {
        Type::Revoke => "revoke",
        Type::MessageEdit => "edit",
        _ => return None,
    };
    let refers_to = change.key.and_then(|key| key.id);
    let text = change.edited_message.and_then(|edited| describe(*edited)).map(|content| content.text);
    Some(Content { kind, text: text.unwrap_or_default(), refers_to, file: None })
}

fn describe_media(message: Message) -> Option<Content> {
    macro_rules! file {
        ($kind:expr, $from:expr) => {
            Some(File {
                kind: $kind,
                direct_path: $from.direct_path.unwrap_or_default(),
                media_key: $from.media_key.unwrap_or_default(),
                sha256: $from.file_sha256.unwrap_or_default(),
            })
        };
    }
    let content = |kind, text: Option<String>, context: Option<Box<ContextInfo>>, file| {
        let refers_to = quoted(context.as_deref());
        Some(Content { kind, text: text.unwrap_or_default(), refers_to, file })
    };
    if let Some(image) = message.image_message {
        return content("image", image.caption, image.context_info, file!(media::Kind::Image, image));
    }
    if let Some(video) = message.video_message {
        return content("video", video.caption, video.context_info, file!(media::Kind::Video, video));
    }
    if let Some(audio) = message.audio_message {
        let kind = if audio.ptt() { "voice" } else { "audio" };
        return content(kind, None, audio.context_info, file!(media::Kind::Audio, audio));
    }
    if let Some(document) = message.document_message {
        let text = document.caption.or(document.file_name);
        return content("document", text, document.context_info, file!(media::Kind::Document, document));
    }
    if let Some(sticker) = message.sticker_message {
        return content("sticker", None, sticker.context_info, file!(media::Kind::Image, sticker));
    }
    if let Some(location) = message.location_message {
        return content("location", location.name, location.context_info, None);
    }
    if let Some(card) = message.contact_message {
        return content("contact", card.display_name, card.context_info, None);
    }
    let poll = message.poll_creation_message.or(message.poll_creation_message_v3);
    if let Some(poll) = poll {
        return content("poll", poll.name, poll.context_info, None);
    }
    if message.sender_key_distribution_message.is_some() {
        return None;
    }
    Some(Content { kind: "other", ..Content::default() })
}

fn quoted(context: Option<&ContextInfo>) -> Option<String> {
    context.and_then(|context| context.stanza_id.clone())
}

#[cfg(test)]
mod tests {
    use wafast_schema::e2e::{
        DeviceSentMessage, ExtendedTextMessage, FutureProofMessage, SenderKeyDistributionMessage,
    };

    use super::*;

    #[test]
    fn text_is_found_through_copies_and_wrappers() {
        let context = ContextInfo { stanza_id: Some("Q".to_owned()), ..Default::default() };
        let text = ExtendedTextMessage {
            text: Some("hello".to_owned()),
            context_info: Some(Box::new(context)),
            ..Default::default()
        };
        let text = Message { extended_text_message: Some(Box::new(text)), ..Default::default() };
        let wrapper = FutureProofMessage { message: Some(Box::new(text)) };
        let wrapped = Message { ephemeral_message: Some(Box::new(wrapper)), ..Default::default() };
        let copy = DeviceSentMessage { message: Some(Box::new(wrapped)), ..Default::default() };
        let message = Message { device_sent_message: Some(Box::new(copy)), ..Default::default() };
        let content = describe(message).unwrap();
        assert_eq!((content.kind, content.text.as_str()), ("text", "hello"));
        assert_eq!(content.refers_to.as_deref(), Some("Q"));
    }

    #[test]
    fn a_key_alone_says_nothing() {
        let key = SenderKeyDistributionMessage::default();
        assert!(describe(Message { sender_key_distribution_message: Some(key), ..Default::default() }).is_none());
    }
}
