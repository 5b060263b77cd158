//! The words a person sees in a message: texts at paths of field numbers, joined by newline.

use crate::{
    text::{self, Text},
    wire,
};

/// A path of field numbers, from a member inwards.
pub type Path = &'static [u32];

/// What hydrated templates show: title, content and footer, and a button of theirs, whichever of three kinds it is.
const TEMPLATE: &[Path] = &[&[2], &[6], &[7]];
const TEMPLATE_BUTTON: &[Path] = &[&[1, 1], &[2, 1], &[3, 1]];
/// Header, body and footer of an interactive message, or of a card in one.
const INTERACTIVE: &[Path] = &[&[1, 1], &[1, 2], &[2, 1], &[3, 1]];
/// Text, picture's words, table, formula and map of one part of an AI's answer.
const PART: &[Path] = &[&[3], &[4, 2], &[6, 2], &[6, 1, 1], &[8, 1], &[9, 5, 4], &[9, 5, 5]];

/// The non-empty texts at these paths, one a line.
#[must_use]
pub fn at<'a>(bytes: &'a [u8], paths: &[Path]) -> Text<'a> {
    if let [[number]] = paths {
        // Most messages are a text of one field.
        let text = text::clean(wire::bytes_of(bytes, *number));
        return if text.trim().is_empty() { "".into() } else { text };
    }
    let mut found = Vec::new();
    collect_all(bytes, paths, &mut found);
    found.join("\n").into()
}

/// A `TemplateMessage` carries the same words in several forms: the first form that has some counts.
#[must_use]
pub fn of_template(bytes: &[u8]) -> String {
    let hydrated = [4, 2].into_iter().map(|form| of_hydrated(wire::bytes_of(bytes, form)));
    hydrated.chain([of_interactive(wire::bytes_of(bytes, 5))]).find(|words| !words.is_empty()).unwrap_or_default()
}

fn of_hydrated(bytes: &[u8]) -> String {
    let mut found = Vec::new();
    collect_all(bytes, TEMPLATE, &mut found);
    for button in wire::repeated(bytes, 8) {
        collect_all(button, TEMPLATE_BUTTON, &mut found);
    }
    found.join("\n")
}

/// A `HighlyStructuredMessage` is a template by name; its words came with it, or its parameters are all there is.
#[must_use]
pub fn of_structured(bytes: &[u8]) -> String {
    let words = of_template(wire::bytes_of(bytes, 9));
    if words.is_empty() { at(bytes, &[&[3]]).into_owned() } else { words }
}

/// An `InteractiveMessage`: its header, body, footer, cards and buttons.
#[must_use]
pub fn of_interactive(bytes: &[u8]) -> String {
    let mut found = Vec::new();
    one_interactive(bytes, &mut found);
    for card in wire::repeated(wire::bytes_of(bytes, 7), 1) {
        one_interactive(card, &mut found);
    }
    found.join("\n")
}

fn one_interactive(bytes: &[u8], found: &mut Vec<String>) {
    collect_all(bytes, INTERACTIVE, found);
    for button in wire::repeated(wire::bytes_of(bytes, 6), 1) {
        let shown = serde_json::from_slice::<serde_json::Value>(wire::bytes_of(button, 2)).ok();
        let label = shown.as_ref().and_then(|shown| shown.get("display_text")?.as_str());
        push(&text::clean(label.unwrap_or_default().as_bytes()), found);
    }
}

/// An `AIRichResponseMessage`, part by part.
#[must_use]
pub fn of_answer(bytes: &[u8]) -> String {
    let mut found = Vec::new();
    for part in wire::repeated(bytes, 2) {
        collect_all(part, PART, &mut found);
        // Code comes cut where its colour changes.
        let code = wire::repeated(wire::bytes_of(part, 5), 2).flat_map(|block| wire::repeated(block, 2));
        push(&code.map(text::clean).collect::<String>(), &mut found);
    }
    found.join("\n")
}

fn collect_all(bytes: &[u8], paths: &[Path], found: &mut Vec<String>) {
    for path in paths {
        collect(bytes, path, found);
    }
}

fn collect(bytes: &[u8], path: &[u32], found: &mut Vec<String>) {
    let Some((number, rest)) = path.split_first() else { return push(&text::clean(bytes), found) };
    for inner in wire::repeated(bytes, *number) {
        collect(inner, rest, found);
    }
}

fn push(words: &str, found: &mut Vec<String>) {
    if !words.trim().is_empty() {
        found.push(words.to_owned());
    }
}
