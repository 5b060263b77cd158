//! The answers of an AI: texts, tables, code and formulas, in parts or in the newer form that is one piece.

use serde_json::Value;

use crate::{
    shown::Shown,
    text, wire,
    words::{self, Path},
};

/// Text, picture's words, table, formula and map of one part.
const PART: &[Path] = &[&[3], &[4, 2], &[6, 2], &[6, 1, 1], &[8, 1], &[9, 5, 4], &[9, 5, 5]];

/// An `AIRichResponseMessage`.
#[must_use]
pub fn of_answer(bytes: &[u8]) -> Shown<'_> {
    let mut found = Vec::new();
    for part in wire::repeated(bytes, 2) {
        words::collect(part, PART, &mut found);
        // Code comes cut where its colour changes.
        let code = wire::repeated(wire::bytes_of(part, 5), 2).flat_map(|block| wire::repeated(block, 2));
        words::push(&code.map(text::clean).collect::<String>(), &mut found);
    }
    if found.is_empty() {
        unified(wire::bytes_of(wire::bytes_of(bytes, 3), 1), &mut found);
    }
    Shown { words: found.join("\n"), ..Shown::default() }
}

/// The data of an `AIRichResponseUnifiedResponse`: JSON whose `text`s are what is read, or nothing but a text.
fn unified(data: &[u8], found: &mut Vec<String>) {
    match text::json(data) {
        Some(json @ (Value::Object(_) | Value::Array(_))) => texts(&json, found),
        _ => {
            let is_text = |text: &&str| text.chars().all(|one| !one.is_control() || one.is_whitespace());
            words::push(std::str::from_utf8(data).ok().filter(is_text).unwrap_or_default(), found);
        }
    }
}

/// The parser ends at 128 levels, and so does this.
fn texts(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Array(all) => all.iter().for_each(|one| texts(one, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == "text" => words::push(&text::clean(text.as_bytes()), found),
            Value::String(_) => {}
            value => texts(value, found),
        }),
        _ => {}
    }
}
