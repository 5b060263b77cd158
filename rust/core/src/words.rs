//! The words a person sees in a message: texts at paths of field numbers, joined by newline.

use crate::{
    text::{self, Text},
    wire,
};

/// A path of field numbers, from a member inwards.
pub type Path = &'static [u32];

/// The visible texts at these paths, one a line.
#[must_use]
pub fn at<'a>(bytes: &'a [u8], paths: &[Path]) -> Text<'a> {
    if let [[number]] = paths {
        // Most messages are a text of one field.
        let text = text::clean(wire::bytes_of(bytes, *number));
        return if text::is_visible(&text) { text } else { "".into() };
    }
    let mut found = Vec::new();
    collect(bytes, paths, &mut found);
    found.join("\n").into()
}

/// Adds the visible texts at these paths.
pub fn collect(bytes: &[u8], paths: &[Path], found: &mut Vec<String>) {
    for path in paths {
        walk(bytes, path, found);
    }
}

fn walk(bytes: &[u8], path: &[u32], found: &mut Vec<String>) {
    let Some((number, rest)) = path.split_first() else { return push(&text::clean(bytes), found) };
    for inner in wire::repeated(bytes, *number) {
        walk(inner, rest, found);
    }
}

/// Adds a text if it is visible.
pub fn push(words: &str, found: &mut Vec<String>) {
    if text::is_visible(words) {
        found.push(words.to_owned());
    }
}
