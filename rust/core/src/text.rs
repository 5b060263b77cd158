//! Text as PostgreSQL can hold it: valid UTF-8 without U+0000, repaired visibly and never refused.

/// The text of `bytes`: invalid UTF-8 becomes U+FFFD as in [`String::from_utf8_lossy`], U+0000 is taken out.
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => text.to_owned(),
        _ => String::from_utf8_lossy(bytes).replace('\0', ""),
    }
}

/// The first `limit` characters, for previews.
#[must_use]
pub fn preview(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.char_indices().nth(limit).map_or(text.len(), |(end, _)| end);
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_refuses_is_repaired() {
        assert_eq!(clean(b"a\0b\xffc"), "ab\u{fffd}c");
        assert_eq!(clean("selamat 你好".as_bytes()), "selamat 你好");
        assert_eq!(preview("你好吗", 2), "你好");
    }
}
