//! Text as PostgreSQL can hold it: valid UTF-8 without U+0000, repaired visibly and never refused.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A text of an event: as it lies in the bytes, or a repaired copy.
pub type Text<'a> = Cow<'a, str>;

/// The text of `bytes`: invalid UTF-8 becomes U+FFFD as in [`String::from_utf8_lossy`], U+0000 is taken out.
#[must_use]
pub fn clean(bytes: &[u8]) -> Text<'_> {
    // Either all ASCII but U+0000, as ids, numbers and most words are, or the high bit is set somewhere.
    let odd = bytes.iter().fold(0, |odd, byte| odd | byte | byte.wrapping_sub(1));
    if odd & 0x80 == 0 {
        // SAFETY: ASCII is UTF-8.
        return Cow::Borrowed(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => Cow::Borrowed(text),
        _ => Cow::Owned(String::from_utf8_lossy(bytes).replace('\0', "")),
    }
}

/// [`clean`], or None where nothing is left.
#[must_use]
pub fn some(bytes: &[u8]) -> Option<Text<'_>> {
    Some(clean(bytes)).filter(|text| !text.is_empty())
}

/// [`clean`], or None where nothing is left that can be seen: a name or a caption of blanks is none.
#[must_use]
pub fn visible(bytes: &[u8]) -> Option<Text<'_>> {
    Some(clean(bytes)).filter(|text| is_visible(text))
}

/// Letters and signs that are drawn as nothing: fillers of Hangul, and the empty pattern of Braille.
const BLANKS: [char; 5] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{2800}'];

/// Whether at least one character can be seen: none of spaces, controls, formats (zero-width ones among them), and marks,
/// which stand on something. `wafast/visible.py` has the same rule.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_graphic()) || text.chars().any(is_seen)
}

fn is_seen(one: char) -> bool {
    use GeneralCategory as Is;
    let unseen = matches!(
        one.general_category(),
        Is::SpaceSeparator
            | Is::LineSeparator
            | Is::ParagraphSeparator
            | Is::Control
            | Is::Format
            | Is::Surrogate
            | Is::NonspacingMark
            | Is::SpacingMark
            | Is::EnclosingMark
    );
    !unseen && !BLANKS.contains(&one)
}

/// The first `limit` characters, for previews.
#[must_use]
pub fn preview(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = text.char_indices().nth(limit).map_or(text.len(), |(end, _)| end);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_postgresql_refuses_is_repaired() {
        assert_eq!(clean(b"a\0b\xffc"), "ab\u{fffd}c");
        assert_eq!(clean("selamat 你好".as_bytes()), "selamat 你好");
        assert_eq!(preview("你好吗", 2), "你好");
    }

    #[test]
    fn what_is_drawn_as_nothing_is_not_seen() {
        for unseen in ["", " \n\t", "\u{200b}", "\u{2060}\u{feff}", "\u{3164}", "\u{2800} ", "\u{fe0f}", "\u{a0}\u{7f}"]
        {
            assert!(!is_visible(unseen), "{unseen:?}");
        }
        for seen in ["a", "\u{200b}.", "你", "❤\u{fe0f}", "👩‍👧", "कि", "\u{e000}"] {
            assert!(is_visible(seen), "{seen:?}");
        }
    }

    proptest! {
        #[test]
        fn only_what_must_be_is_changed(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(clean(&bytes).into_owned(), String::from_utf8_lossy(&bytes).replace('\0', ""));
        }

        #[test]
        fn text_stays(text in "[^\0]{0,80}") {
            prop_assert!(matches!(clean(text.as_bytes()), Cow::Borrowed(same) if same == text));
        }
    }
}
