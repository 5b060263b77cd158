//! Messages that are put together of parts: their words, part by part, and the file on top of them.

use crate::{
    header,
    media::{self, File},
    record::Kind,
    text, wire,
    words::{self, Path},
};

/// What such a message shows.
#[derive(Default)]
pub struct Shown<'a> {
    pub words: String,
    /// The file on top, and what that would be alone.
    pub file: Option<(Kind, File<'a>)>,
    /// The picture on top where there is no file; empty when there is none.
    pub thumbnail: &'a [u8],
}

impl Shown<'_> {
    fn is_nothing(&self) -> bool {
        self.words.is_empty() && self.file.is_none()
    }
}

/// The title and the texts of buttons.
const BUTTONS_TITLE: &[Path] = &[&[1]];
const BUTTONS: &[Path] = &[&[6], &[7], &[9, 2, 1]];
/// What hydrated templates show: title, content and footer, and a button of theirs, whichever of three kinds it is.
const HYDRATED_TITLE: &[Path] = &[&[2]];
const HYDRATED: &[Path] = &[&[6], &[7]];
const HYDRATED_BUTTON: &[Path] = &[&[1, 1], &[2, 1], &[3, 1]];
/// Title and subtitle of an interactive message, or of a card in one; then body and footer.
const INTERACTIVE_TITLE: &[Path] = &[&[1], &[2]];
const INTERACTIVE: &[Path] = &[&[2, 1], &[3, 1]];
/// A product and the catalogue it is of.
const PRODUCT: &[Path] = &[&[1, 3], &[1, 4], &[4, 2], &[4, 3], &[5], &[6]];

/// A `ButtonsMessage`.
#[must_use]
pub fn of_buttons(bytes: &[u8]) -> Shown<'_> {
    let mut found = Vec::new();
    words::collect(bytes, BUTTONS_TITLE, &mut found);
    header::BUTTONS.collect(bytes, wire::bytes_of(bytes, 6), &mut found);
    words::collect(bytes, BUTTONS, &mut found);
    Shown { words: found.join("\n"), file: header::BUTTONS.file(bytes), thumbnail: &[] }
}

/// A `ProductMessage`.
#[must_use]
pub fn of_product(bytes: &[u8]) -> Shown<'_> {
    let picture = |owner| wire::bytes_of(wire::bytes_of(bytes, owner), 1);
    let picture = [1, 4].into_iter().map(picture).find(|picture| !picture.is_empty());
    let file = picture.map(|message| (Kind::Image, File { message, layout: &media::IMAGE }));
    Shown { words: words::at(bytes, PRODUCT).into_owned(), file, thumbnail: &[] }
}

/// A `TemplateMessage` carries the same words in several forms: the first form that shows something counts.
#[must_use]
pub fn of_template(bytes: &[u8]) -> Shown<'_> {
    let filled = of_filled(bytes);
    if filled.is_nothing() { of_parameters(wire::bytes_of(bytes, 1)) } else { filled }
}

/// The forms of it whose words came with it.
fn of_filled(bytes: &[u8]) -> Shown<'_> {
    let form = |number| wire::bytes_of(bytes, number);
    let hydrated = [4, 2].into_iter().map(|number| of_hydrated(form(number)));
    hydrated.chain([of_interactive(form(5))]).find(|shown| !shown.is_nothing()).unwrap_or_default()
}

fn of_hydrated(bytes: &[u8]) -> Shown<'_> {
    let mut found = Vec::new();
    words::collect(bytes, HYDRATED_TITLE, &mut found);
    header::TEMPLATE.collect(bytes, wire::bytes_of(bytes, 6), &mut found);
    words::collect(bytes, HYDRATED, &mut found);
    for button in wire::repeated(bytes, 8) {
        words::collect(button, HYDRATED_BUTTON, &mut found);
    }
    Shown { words: found.join("\n"), file: header::TEMPLATE.file(bytes), thumbnail: &[] }
}

/// A `FourRowTemplate`, whose words are `HighlyStructuredMessage`s.
fn of_parameters(bytes: &[u8]) -> Shown<'_> {
    let mut found = Vec::new();
    let push = |bytes, found: &mut Vec<String>| words::push(&of_structured(bytes).words, found);
    push(wire::bytes_of(bytes, 2), &mut found);
    header::TEMPLATE.collect(bytes, &[], &mut found);
    push(wire::bytes_of(bytes, 6), &mut found);
    push(wire::bytes_of(bytes, 7), &mut found);
    for button in wire::repeated(bytes, 8) {
        (1..=3).for_each(|kind| push(wire::bytes_of(wire::bytes_of(button, kind), 1), &mut found));
    }
    Shown { words: found.join("\n"), file: header::TEMPLATE.file(bytes), thumbnail: &[] }
}

/// A `HighlyStructuredMessage` is a template by name; its words came with it, or its parameters are all there is.
#[must_use]
pub fn of_structured(bytes: &[u8]) -> Shown<'_> {
    let filled = of_filled(wire::bytes_of(bytes, 9));
    let words = if filled.words.is_empty() { words::at(bytes, &[&[3]]).into_owned() } else { filled.words };
    Shown { words, ..filled }
}

/// An `InteractiveMessage`: its header, body, footer, cards and buttons.
#[must_use]
pub fn of_interactive(bytes: &[u8]) -> Shown<'_> {
    let mut found = Vec::new();
    one_interactive(bytes, &mut found);
    for card in wire::repeated(wire::bytes_of(bytes, 7), 1) {
        one_interactive(card, &mut found);
    }
    let header = wire::bytes_of(bytes, 1);
    Shown { words: found.join("\n"), file: header::INTERACTIVE.file(header), thumbnail: wire::bytes_of(header, 6) }
}

fn one_interactive(bytes: &[u8], found: &mut Vec<String>) {
    let header = wire::bytes_of(bytes, 1);
    words::collect(header, INTERACTIVE_TITLE, found);
    header::INTERACTIVE.collect(header, wire::bytes_of(wire::bytes_of(bytes, 2), 1), found);
    words::collect(bytes, INTERACTIVE, found);
    for button in wire::repeated(wire::bytes_of(bytes, 6), 1) {
        let label = label(wire::bytes_of(button, 2));
        words::push(&text::clean(label.unwrap_or_default().as_bytes()), found);
    }
}

/// What is written on a native button: its parameters call it so, or a title where it opens a list.
fn label(parameters: &[u8]) -> Option<String> {
    let shown = text::json(parameters)?;
    let mut labels = ["display_text", "title"].into_iter().filter_map(|name| shown.get(name)?.as_str());
    labels.find(|label| text::is_visible(label)).map(str::to_owned)
}
