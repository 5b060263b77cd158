//! The card of a link in a text: the `media` column of a text that brings one. Nothing of it is ever fetched.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    record::{Carried, Content},
    text::{self, Text},
};

/// Characters of the title and of the description; a card shows two lines of them.
const MAX_WORDS: usize = 200;
/// Bytes; what is longer is no address anybody opens.
const MAX_URL: usize = 2048;

/// What an `ExtendedTextMessage` says of a link in its words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link<'a> {
    url: &'a [u8],
    title: &'a [u8],
    description: &'a [u8],
}

/// The column. What is not said is left out.
#[derive(Serialize)]
struct Column<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// As it stands in the words.
    url: Text<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

impl<'a> Link<'a> {
    /// None without an address, and where nothing is said of it.
    #[must_use]
    pub fn of(url: &'a [u8], title: &'a [u8], description: &'a [u8]) -> Option<Self> {
        let is_said = || [title, description].into_iter().any(|words| text::is_visible(&text::clean(words)));
        (is_address(url) && is_said()).then_some(Self { url, title, description })
    }
}

/// An address in a text may have no scheme, and then begins with a host; one with another scheme than the web's is none.
fn is_address(url: &[u8]) -> bool {
    let url = text::clean(url);
    let is_web = match url.split_once(':') {
        Some((scheme, rest)) if rest.starts_with("//") => {
            ["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        }
        Some((before, _)) => before.contains('.'),
        None => true,
    };
    let is_one = !url.contains(|each: char| each.is_whitespace() || each.is_control());
    is_web && is_one && url.len() <= MAX_URL && text::is_visible(&url)
}

impl Serialize for Link<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (title, description) = (words(self.title), words(self.description));
        let column = Column {
            kind: "link",
            url: text::clean(self.url),
            title: text::preview(&title, MAX_WORDS),
            description: text::preview(&description, MAX_WORDS),
        };
        column.serialize(serializer)
    }
}

/// The card of an edited text, which may wait for its message: its `media` column and its picture, a JPEG in base64.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub link: Option<serde_json::Value>,
    pub picture: Option<String>,
}

impl Card {
    /// Of a link in the content.
    #[must_use]
    pub fn of(content: &Content<'_>) -> Self {
        let Some(Carried::Link(link)) = content.carried else { return Self::default() };
        let picture = (!content.thumbnail.is_empty()).then(|| STANDARD.encode(content.thumbnail));
        Self { link: serde_json::to_value(link).ok(), picture }
    }
}

/// Words without blanks around them; empty when nothing of them can be seen.
fn words(bytes: &[u8]) -> String {
    let words = text::clean(bytes);
    if text::is_visible(&words) { words.trim().to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn column(url: &str, title: &str, description: &str) -> Option<Value> {
        let link = Link::of(url.as_bytes(), title.as_bytes(), description.as_bytes());
        link.map(|link| serde_json::to_value(link).unwrap())
    }

    #[test]
    fn a_card_says_where_it_leads_and_what_is_there() {
        let found = column("kedai.example/a", " Ke\0dai ", "\u{200b}");
        assert_eq!(found, Some(json!({"type": "link", "url": "kedai.example/a", "title": "Kedai"})));
        assert!(column("kedai.example:8443/a?b=c:d", "Kedai", "").is_some());
        let found = column("HTTPS://kedai.example", "", "Baju");
        assert_eq!(found, Some(json!({"type": "link", "url": "HTTPS://kedai.example", "description": "Baju"})));
    }

    #[test]
    fn what_leads_nowhere_or_says_nothing_is_no_card() {
        let long = format!("https://kedai.example/{}", "a".repeat(MAX_URL));
        for url in
            ["", "\u{200b}", "javascript://x", "javascript:alert(1)", "mailto:a@b.example", "kedai .example", &long]
        {
            assert_eq!(column(url, "Kedai", "Baju"), None, "{url}");
        }
        assert_eq!(column("https://kedai.example", "\u{200b}", " "), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_short_card_or_none(
            url in proptest::collection::vec(any::<u8>(), 0..40),
            title in proptest::collection::vec(any::<u8>(), 0..900),
        ) {
            let Some(link) = Link::of(&url, &title, &title) else { return Ok(()) };
            let column = serde_json::to_value(link).unwrap();
            for field in column.as_object().unwrap().values().filter_map(Value::as_str) {
                prop_assert!(field.chars().count() <= MAX_WORDS && !field.contains('\0'));
            }
        }
    }
}
