//! What a message says of its file: the `media` column of what has one.

use std::borrow::Cow;

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use crate::{
    text::{self, Text},
    wire,
};

/// Field numbers of one of `waE2E`'s media messages; 0 where it has no such field.
#[derive(Debug, PartialEq)]
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
    pub waveform: u32,
    pub file_name: u32,
    pub title: u32,
    pub thumbnail: u32,
    pub context: u32,
    pub caption: u32,
    pub view_once: u32,
    /// Whether a film is shown as a GIF is.
    pub gif: u32,
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
    waveform: 0,
    file_name: 0,
    title: 0,
    thumbnail: 16,
    context: 17,
    caption: 3,
    view_once: 25,
    gif: 0,
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
    waveform: 0,
    file_name: 0,
    title: 0,
    thumbnail: 16,
    context: 17,
    caption: 7,
    view_once: 20,
    gif: 8,
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
    waveform: 19,
    file_name: 0,
    title: 0,
    thumbnail: 0,
    context: 17,
    caption: 0,
    view_once: 21,
    gif: 0,
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
    waveform: 0,
    file_name: 8,
    title: 3,
    thumbnail: 16,
    context: 17,
    caption: 20,
    view_once: 0,
    gif: 0,
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
    waveform: 0,
    file_name: 0,
    title: 0,
    thumbnail: 16,
    context: 17,
    caption: 0,
    view_once: 0,
    gif: 0,
};

/// The file of a media message, as its bytes tell of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct File<'a> {
    pub message: &'a [u8],
    pub layout: &'static Layout,
}

impl<'a> File<'a> {
    /// The message says where its file lies and how to open it; one to be seen once does not.
    #[must_use]
    pub fn can_be_fetched(&self) -> bool {
        place(self.layout, |number| optional(self.message, number)).is_some()
    }
}

/// Every layout has it.
const URL: u32 = 1;

/// Where a file lies at WhatsApp that can be opened: the path that came, else that of the whole address.
fn place<'a>(layout: &Layout, bytes: impl Fn(u32) -> &'a [u8]) -> Option<Text<'a>> {
    let path = text::some(bytes(layout.direct_path)).or_else(|| path_of(bytes(URL)));
    path.filter(|_| !bytes(layout.media_key).is_empty())
}

/// The path of an address of WhatsApp's.
fn path_of(url: &[u8]) -> Option<Text<'_>> {
    let rest = url.strip_prefix(b"https://")?;
    let (host, path) = rest.split_at(rest.iter().position(|byte| *byte == b'/')?);
    host.ends_with(b".whatsapp.net").then(|| text::clean(path))
}

/// What a message of a file says beside the file itself.
pub struct Read<'a> {
    /// Its caption, else its name.
    pub words: Text<'a>,
    /// A JPEG; empty when there is none.
    pub thumbnail: &'a [u8],
    /// It is to be seen once.
    pub is_once: bool,
    pub context: &'a [u8],
}

/// Reads the message of a file, once.
#[must_use]
pub fn read<'a>(file: File<'a>) -> Read<'a> {
    let layout = file.layout;
    let (mut caption, mut name, mut title, mut thumbnail, mut context) = (&[][..], &[][..], &[][..], &[][..], &[][..]);
    let mut is_once = false;
    // Field numbers that a layout has not are 0 there, and no field has that.
    for field in wire::fields(file.message) {
        match field.number {
            number if number == layout.caption => caption = field.bytes(),
            number if number == layout.file_name => name = field.bytes(),
            number if number == layout.title => title = field.bytes(),
            number if number == layout.thumbnail => thumbnail = field.bytes(),
            number if number == layout.context => context = field.bytes(),
            number if number == layout.view_once => is_once = field.flag(),
            _ => {}
        }
    }
    let words = [caption, name, title].into_iter().find_map(text::visible).unwrap_or_default();
    Read { words, thumbnail, is_once, context }
}

/// The `media` column. Keys and hashes are base64; numbers that are not there are left out. By its `ext` a file has a URL,
/// so one that nobody can fetch has none.
#[derive(Serialize)]
struct Column<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<Cow<'static, str>>,
    mime: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
    #[serde(skip_serializing_if = "Base64::is_empty")]
    waveform: Base64<'a>,
    #[serde(skip_serializing_if = "Base64::is_empty")]
    sha256: Base64<'a>,
    #[serde(skip_serializing_if = "Base64::is_empty")]
    media_key: Base64<'a>,
    #[serde(skip_serializing_if = "Base64::is_empty")]
    enc_sha256: Base64<'a>,
    direct_path: Text<'a>,
    #[serde(skip_serializing_if = "is_not")]
    gif: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: Text<'a>,
}

fn is_not(flag: &bool) -> bool {
    !flag
}

struct Base64<'a>(&'a [u8]);

impl Base64<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

impl Serialize for File<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // No field of a layout has number 0 or one above.
        let fields = wire::table::<26>(self.message);
        let layout = self.layout;
        let bytes = |number: u32| fields.bytes(number as usize);
        let number = |number: u32| fields.find(number as usize).map(|value| (value & i64::MAX as u64).cast_signed());
        let mime = text::clean(bytes(layout.mime));
        let name = [layout.file_name, layout.title].into_iter().find_map(|number| text::visible(bytes(number)));
        let name = name.unwrap_or_default();
        let direct_path = place(layout, bytes);
        let column = Column {
            kind: layout.name,
            ext: direct_path.as_ref().map(|_| extension(&mime, &name)),
            mime,
            size: number(layout.size),
            height: number(layout.height),
            width: number(layout.width),
            seconds: number(layout.seconds),
            waveform: Base64(bytes(layout.waveform)),
            sha256: Base64(bytes(layout.sha256)),
            media_key: Base64(bytes(layout.media_key)),
            enc_sha256: Base64(bytes(layout.enc_sha256)),
            direct_path: direct_path.unwrap_or_default(),
            gif: number(layout.gif).is_some_and(|flag| flag != 0),
            name,
        };
        column.serialize(serializer)
    }
}

/// The bytes of a field that a layout may not have.
#[must_use]
pub fn optional(message: &[u8], number: u32) -> &[u8] {
    if number == 0 { &[] } else { wire::bytes_of(message, number) }
}

/// A file ending for the URL: the file name's own when it is a plain one, else by MIME type.
fn extension(mime: &str, file_name: &str) -> Cow<'static, str> {
    if let Some((_, ending)) = file_name.rsplit_once('.') {
        let ending = ending.to_ascii_lowercase();
        if (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return ending.into();
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
    ending.into()
}
