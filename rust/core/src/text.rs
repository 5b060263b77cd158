//! Text as PostgreSQL can hold it: valid UTF-8 without U+0000, repaired visibly and never refused.

use std::borrow::Cow;

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
