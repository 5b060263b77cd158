//! Text as PostgreSQL can hold it: valid UTF-8 without U+0000, repaired visibly and never refused.

use std::borrow::Cow;

use serde_json::Value;
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

/// What JSON says. Where it is cut through a character, which JavaScript writes as half a pair (`\ud83d`), or is no UTF-8,
/// that character is U+FFFD.
#[must_use]
pub fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().or_else(|| serde_json::from_str(&whole_pairs(&clean(bytes))).ok())
}

fn whole_pairs(json: &str) -> String {
    let (mut whole, mut rest) = (String::with_capacity(json.len()), json);
    while let Some((before, _)) = rest.split_once('\\') {
        whole.push_str(before);
        let escape = &rest[before.len()..];
        let length = match (half(escape), escape.get(6..).and_then(half)) {
            (Some(0xd800..0xdc00), Some(0xdc00..)) => 12,
            (Some(_), _) => 6,
            _ => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        whole.push_str(if length == 6 { "\u{fffd}" } else { &escape[..length] });
        rest = &escape[length..];
    }
    whole + rest
}

/// The half of a pair that an escape begins with.
fn half(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
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

    #[test]
    fn json_that_is_cut_through_a_character_is_read() {
        let read = |text: &str| json(text.as_bytes());
        for (told, shown) in [
            (r#""\ud83d\ude00 ya""#, "😀 ya"),
            (r#""ya \ud83d""#, "ya \u{fffd}"),
            (r#""\ude00\ud83d\ud83d\ude00""#, "\u{fffd}\u{fffd}😀"),
            (r#""\\ud83d\n\"\ud83d\"""#, "\\ud83d\n\"\u{fffd}\""),
        ] {
            assert_eq!(read(told), Some(shown.into()), "{told}");
        }
        assert_eq!(json(b"\"a\xff\""), Some("a\u{fffd}".into()));
        assert_eq!((read(r#""\ud83d"#), read("\\"), read("ya")), (None, None, None));
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_none(bytes in r#"["\\\\ud83eé{}:]{0,40}"#) {
            let _ = json(bytes.as_bytes());
        }

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
