//! Any bytes as the content of a message: what comes out can be stored.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wafast_core::{
    decode::{Decoded, decode},
    record::Kind,
};

fn is_storable(json: &Value) -> bool {
    match json {
        Value::String(text) => !text.contains('\0'),
        Value::Array(inner) => inner.iter().all(is_storable),
        Value::Object(inner) => inner.values().all(is_storable),
        _ => true,
    }
}

fuzz_target!(|content: &[u8]| match decode(content) {
    Decoded::Content(content) => {
        assert!(!content.body.contains('\0'));
        assert!(content.kind != Kind::Unsupported || !content.body.is_empty());
        assert!(content.quoted.is_none_or(|quoted| !quoted.is_empty() && !quoted.contains('\0')));
        let columns =
            [serde_json::to_value(content.carried), serde_json::to_value(content.poll), serde_json::to_value(content.quote)];
        assert!(columns.iter().all(|column| is_storable(column.as_ref().expect("a column"))));
    }
    Decoded::Reaction { key, emoji, .. } => assert!(!emoji.contains('\0') && !key.id().contains('\0')),
    Decoded::Edit { content, .. } => assert!(!content.body.contains('\0')),
    _ => {}
});
