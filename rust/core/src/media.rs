//! What a message says of its file: the `media` column.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{text, wire};

/// Field numbers of one of `waE2E`'s media messages; 0 where it has no such field.
pub struct Layout {
    pub name: &'static str,
    pub mime: u32,
    pub sha256: u32,
    pub size: u32,
    pub media_key: u32,
    pub enc_sha256: u32,
    pub direct_path: u32,
    pub height: u32,
    pub width: u32,
    pub seconds: u32,
    pub file_name: u32,
    pub thumbnail: u32,
    pub context: u32,
    pub caption: u32,
    pub view_once: u32,
}

pub const IMAGE: Layout = Layout {
    name: "image",
    mime: 2,
    sha256: 4,
    size: 5,
    media_key: 8,
    enc_sha256: 9,
    direct_path: 11,
    height: 6,
    width: 7,
    seconds: 0,
    file_name: 0,
    thumbnail: 16,
    context: 17,
    caption: 3,
    view_once: 25,
};
pub const VIDEO: Layout = Layout {
    name: "video",
    mime: 2,
    sha256: 3,
    size: 4,
    media_key: 6,
    enc_sha256: 11,
    direct_path: 13,
    height: 9,
    width: 10,
    seconds: 5,
    file_name: 0,
    thumbnail: 16,
    context: 17,
    caption: 7,
    view_once: 20,
};
pub const AUDIO: Layout = Layout {
    name: "audio",
    mime: 2,
    sha256: 3,
    size: 4,
    media_key: 7,
    enc_sha256: 8,
    direct_path: 9,
    height: 0,
    width: 0,
    seconds: 5,
    file_name: 0,
    thumbnail: 0,
    context: 17,
    caption: 0,
    view_once: 21,
};
pub const DOCUMENT: Layout = Layout {
    name: "document",
    mime: 2,
    sha256: 4,
    size: 5,
    media_key: 7,
    enc_sha256: 9,
    direct_path: 10,
    height: 0,
    width: 0,
    seconds: 0,
    file_name: 8,
    thumbnail: 16,
    context: 17,
    caption: 20,
    view_once: 0,
};
pub const STICKER: Layout = Layout {
    name: "sticker",
    mime: 5,
    sha256: 2,
    size: 9,
    media_key: 4,
    enc_sha256: 3,
    direct_path: 8,
    height: 6,
    width: 7,
    seconds: 0,
    file_name: 0,
    thumbnail: 16,
    context: 17,
    caption: 0,
    view_once: 0,
};

/// The `media` column of a media message. Keys and hashes are base64.
#[must_use]
pub fn describe(message: &[u8], layout: &Layout) -> Value {
    let mut media = Map::new();
    // No field of a layout has number 0 or one above.
    let fields = wire::table::<26>(message);
    let bytes = |number: u32| fields.bytes(number as usize);
    let (mime, file_name) = (text::clean(bytes(layout.mime)), text::clean(bytes(layout.file_name)));
    media.insert("type".into(), layout.name.into());
    media.insert("ext".into(), extension(&mime, &file_name).into());
    media.insert("mime".into(), mime.into());
    for (name, number) in
        [("size", layout.size), ("height", layout.height), ("width", layout.width), ("seconds", layout.seconds)]
    {
        if number != 0
            && let Some(field) = wire::find(message, number)
        {
            media.insert(name.into(), (field.number() & i64::MAX as u64).into());
        }
    }
    let binary = [("sha256", layout.sha256), ("media_key", layout.media_key), ("enc_sha256", layout.enc_sha256)];
    for (name, number) in binary {
        let bytes = bytes(number);
        if !bytes.is_empty() {
            media.insert(name.into(), STANDARD.encode(bytes).into());
        }
    }
    media.insert("direct_path".into(), text::clean(bytes(layout.direct_path)).into());
    if !file_name.is_empty() {
        media.insert("name".into(), file_name.into());
    }
    Value::Object(media)
}

/// The bytes of a field that a layout may not have.
#[must_use]
pub fn optional(message: &[u8], number: u32) -> &[u8] {
    if number == 0 { &[] } else { wire::bytes_of(message, number) }
}

/// A file ending for the URL: the file name's own when it is a plain one, else by MIME type.
fn extension(mime: &str, file_name: &str) -> String {
    if let Some((_, ending)) = file_name.rsplit_once('.') {
        let ending = ending.to_ascii_lowercase();
        if (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return ending;
        }
    }
    let ending = match mime.split(';').next().unwrap_or_default().trim() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "video/mp4" => "mp4",
        "video/3gpp" => "3gp",
        "audio/ogg" => "ogg",
        "audio/mpeg" => "mp3",
        "audio/mp4" | "audio/aac" => "m4a",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        _ => "bin",
    };
    ending.to_owned()
}
