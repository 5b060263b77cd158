//! Contact cards (vCard 2.1 to 4.0), as far as a person needs them: a name, and the numbers to write to.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::{
    text::{self, Text},
    wire,
};

/// A message holds many cards and a card many numbers; more than these nobody reads in a bubble.
const MAX_CARDS: usize = 20;
const MAX_NUMBERS: usize = 10;
/// Characters.
const MAX_NAME: usize = 200;
const MAX_NUMBER: usize = 40;
const MAX_TYPE: usize = 40;
/// Digits of a number on WhatsApp.
const WAID: std::ops::RangeInclusive<usize> = 5..=18;
/// What a number may be said to be that tells a person nothing, and what vCard 2.1 says of the text alone.
const SAYS_NOTHING: [&str; 8] = ["pref", "voice", "msg", "text", "internet", "quoted-printable", "base64", "8bit"];

/// The cards of a message, as its bytes have them: the `media` column of a contact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cards<'a> {
    message: &'a [u8],
    /// The field with the `ContactMessage`s, or 0 where the message is one.
    list: u32,
}

/// The column.
#[derive(Serialize)]
struct Column {
    #[serde(rename = "type")]
    kind: &'static str,
    contacts: Vec<Card>,
}

/// One person's card.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Card {
    name: String,
    numbers: Vec<Number>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
struct Number {
    /// As it is written on the card.
    value: String,
    /// What the card calls it: `cell`, `work`, or words of its owner.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The digits of its WhatsApp account.
    #[serde(skip_serializing_if = "Option::is_none")]
    waid: Option<String>,
}

impl<'a> Cards<'a> {
    /// The cards of a `ContactMessage` (`list` is 0) or of those in this field.
    #[must_use]
    pub fn of(message: &'a [u8], list: u32) -> Self {
        Self { message, list }
    }

    /// The names of all, one a line: what each message shows, else the one in its card.
    #[must_use]
    pub fn names(self) -> Text<'a> {
        let names: Vec<Text<'a>> = self.each().map(shown_name).filter(|name| text::is_visible(name)).collect();
        match names.as_slice() {
            [name] => name.clone(),
            _ => names.join("\n").into(),
        }
    }

    /// Itself, unless there is nothing on its cards.
    #[must_use]
    pub fn some(self) -> Option<Self> {
        self.read().next().is_some().then_some(self)
    }

    fn each(self) -> impl Iterator<Item = &'a [u8]> {
        let one = (self.list == 0).then_some(self.message);
        one.into_iter().chain(wire::repeated(self.message, self.list))
    }

    fn read(self) -> impl Iterator<Item = Card> {
        let cards = self.each().map(|contact| {
            let card = Card::of(contact);
            let name = text::visible(wire::bytes_of(contact, 1)).unwrap_or(card.name.into());
            Card { name: beginning(&name, MAX_NAME), numbers: card.numbers }
        });
        cards.filter(|card| !card.name.is_empty() || !card.numbers.is_empty()).take(MAX_CARDS)
    }
}

impl Serialize for Cards<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Column { kind: "contacts", contacts: self.read().collect() }.serialize(serializer)
    }
}

/// The name a `ContactMessage` shows, else the one in its card.
fn shown_name(contact: &[u8]) -> Text<'_> {
    text::visible(wire::bytes_of(contact, 1)).unwrap_or_else(|| Card::of(contact).name.into())
}

impl Card {
    /// The card of a `ContactMessage`.
    fn of(contact: &[u8]) -> Self {
        Self::read(&text::clean(wire::bytes_of(contact, 16)))
    }

    /// What a card says, whatever is wrong with the rest of it.
    fn read(card: &str) -> Self {
        let (mut full, mut parts, mut numbers, mut labels) = (String::new(), String::new(), Vec::new(), Vec::new());
        for line in unfolded(card).take_while(|line| !line.trim().eq_ignore_ascii_case("END:VCARD")) {
            let Some(property) = Property::read(&line) else { continue };
            match property.name.to_ascii_uppercase().as_str() {
                "FN" if full.is_empty() => full = property.text(),
                "N" if parts.is_empty() => parts = property.name_of_parts(),
                "TEL" if numbers.len() < MAX_NUMBERS => {
                    numbers.extend(property.number().map(|number| (property.group.to_owned(), number)));
                }
                "X-ABLABEL" => labels.push((property.group.to_owned(), property.label())),
                _ => {}
            }
        }
        for (group, number) in &mut numbers {
            // item1.TEL is what item1.X-ABLabel calls it
            let label = labels.iter().find(|(of, label)| !group.is_empty() && of == group && label.is_some());
            number.kind = label.and_then(|(_, label)| label.clone()).or(number.kind.take());
        }
        let name = if full.is_empty() { parts } else { full };
        Self { name, numbers: numbers.into_iter().map(|(_, number)| number).collect() }
    }
}

/// The lines of a card, with those joined that were folded: the next begins with a space, or this one is quoted-printable
/// and ends with `=`.
fn unfolded(card: &str) -> impl Iterator<Item = Cow<'_, str>> {
    // Before 3.0 lines were only broken where a space was.
    let spaces = usize::from(!card.contains("VERSION:2.1"));
    let mut lines = card.lines().peekable();
    std::iter::from_fn(move || {
        let first = lines.next()?;
        let is_quoted = is_quoted_printable(first.split(':').next().unwrap_or_default());
        let mut line = Cow::Borrowed(first);
        loop {
            if let Some(more) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
                line.to_mut().push_str(&more[spaces..]);
            } else if is_quoted && line.ends_with('=') && lines.peek().is_some() {
                line.to_mut().pop();
                line.to_mut().push_str(lines.next().unwrap_or_default());
            } else {
                return Some(line);
            }
        }
    })
}

fn is_quoted_printable(parameters: &str) -> bool {
    parameters.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

/// One line of a card: `group.NAME;parameters:value`.
struct Property<'a> {
    group: &'a str,
    name: &'a str,
    parameters: &'a str,
    value: &'a str,
}

impl<'a> Property<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let head = outside_quotes(line, ':').next()?;
        let value = line.get(head.len() + 1..)?;
        let (path, parameters) = head.split_once(';').unwrap_or((head, ""));
        let (group, name) = path.rsplit_once('.').unwrap_or(("", path));
        Some(Self { group: group.trim(), name: name.trim(), parameters, value })
    }

    /// Names and values; one without a name is a type, as vCard 2.1 writes it.
    fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let each = outside_quotes(self.parameters, ';').filter(|one| !one.is_empty());
        each.map(|one| one.split_once('=').unwrap_or(("TYPE", one)))
            .map(|(name, value)| (name, value.trim_matches('"')))
    }

    /// The value as it lies in the card, quoted-printable undone.
    fn raw(&self) -> Text<'a> {
        if is_quoted_printable(self.parameters) { unquoted(self.value).into() } else { self.value.into() }
    }

    fn text(&self) -> String {
        unescaped(&self.raw()).trim().to_owned()
    }

    /// `family;given;more;before;after`, in the order in which a person reads them.
    fn name_of_parts(&self) -> String {
        let raw = self.raw();
        let parts: Vec<String> = unescaped_split(&raw).map(|part| unescaped(part).trim().to_owned()).collect();
        let ordered = [3, 1, 2, 0, 4].into_iter().filter_map(|at| parts.get(at)).filter(|part| !part.is_empty());
        ordered.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn number(&self) -> Option<Number> {
        let text = self.text();
        let is_uri = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        let written = if is_uri { text[4..].split(';').next().unwrap_or_default() } else { &text };
        let written = beginning(written, MAX_NUMBER);
        let waid = self.parameters().find(|(name, _)| name.eq_ignore_ascii_case("waid")).map(|(_, value)| value);
        let waid = waid.filter(|id| WAID.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()));
        let value = match waid {
            _ if written.contains(|each: char| each.is_ascii_digit()) => written,
            Some(waid) => format!("+{waid}"),
            None => return None,
        };
        Some(Number { value, kind: self.kind(), waid: waid.map(str::to_owned) })
    }

    /// The first of its types that tells a person something.
    fn kind(&self) -> Option<String> {
        let types = self.parameters().filter(|(name, _)| name.eq_ignore_ascii_case("TYPE"));
        let each = types.flat_map(|(_, value)| value.split(',')).map(|kind| kind.trim().to_ascii_lowercase());
        each.map(|kind| beginning(&kind, MAX_TYPE)).find(|kind| !kind.is_empty() && !SAYS_NOTHING.contains(&&**kind))
    }

    /// What its owner calls something; the usual words come as `_$!<Mobile>!$_`.
    fn label(&self) -> Option<String> {
        let text = self.text();
        let label = text.strip_prefix("_$!<").and_then(|rest| rest.strip_suffix(">!$_")).unwrap_or(&text);
        Some(beginning(label, MAX_TYPE)).filter(|label| !label.is_empty())
    }
}

fn beginning(words: &str, limit: usize) -> String {
    text::preview(words.trim(), limit).to_owned()
}

fn outside_quotes(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |each| {
        is_quoted ^= each == '"';
        each == at && !is_quoted
    })
}

fn unescaped_split(text: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |each| {
        let cuts = each == ';' && !is_escaped;
        is_escaped = each == '\\' && !is_escaped;
        cuts
    })
}

/// `\n` is a new line, which is a space in a name; before anything else a backslash only protects it.
fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let next = move || match characters.next()? {
        '\\' => match characters.next() {
            Some('n' | 'N') => Some(' '),
            protected => protected,
        },
        plain => Some(plain),
    };
    std::iter::from_fn(next).collect()
}

/// Quoted-printable undone: `=41` is the byte 0x41.
fn unquoted(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits =
            text.get(at + 1..at + 3).filter(|two| byte == b'=' && two.bytes().all(|one| one.is_ascii_hexdigit()));
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(code) => {
                found.push(code);
                at += 3;
            }
            None => {
                found.push(byte);
                at += 1;
            }
        }
    }
    text::clean(&found).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use serde_json::{Value, json};
    use wafast_schema::e2e;

    use super::*;

    fn read(lines: &[&str]) -> Card {
        Card::read(&lines.join("\r\n"))
    }

    fn number(value: &str, kind: Option<&str>, waid: Option<&str>) -> Number {
        Number { value: value.into(), kind: kind.map(str::to_owned), waid: waid.map(str::to_owned) }
    }

    fn contact(name: &str, card: &str) -> e2e::ContactMessage {
        e2e::ContactMessage { display_name: Some(name.to_owned()), vcard: Some(card.to_owned()), ..Default::default() }
    }

    fn column(contacts: Vec<e2e::ContactMessage>) -> Value {
        let bytes = e2e::ContactsArrayMessage { contacts, ..Default::default() }.encode_to_vec();
        serde_json::to_value(Cards::of(&bytes, 2).some()).unwrap()
    }

    #[test]
    fn a_card_as_whatsapp_writes_it() {
        let card = read(&[
            "BEGIN:VCARD",
            "VERSION:3.0",
            "N:Osman;Aisyah;;Puan;",
            "FN:Aisyah\\, Kedai Kopi",
            "TEL;type=CELL;type=VOICE;waid=60123456789:+60 12-345 6789",
            "item1.TEL;waid=60311112222:+60 3-1111 2222",
            "item1.X-ABLabel:_$!<Work>!$_",
            "item2.TEL:03-3333 4444",
            "item2.X-ABLabel:Gudang",
            "END:VCARD",
            "TEL:999",
        ]);
        assert_eq!(card.name, "Aisyah, Kedai Kopi");
        let wanted = [
            number("+60 12-345 6789", Some("cell"), Some("60123456789")),
            number("+60 3-1111 2222", Some("Work"), Some("60311112222")),
            number("03-3333 4444", Some("Gudang"), None),
        ];
        assert_eq!(card.numbers, wanted);
    }

    #[test]
    fn the_oldest_and_the_newest_kind() {
        let old = read(&[
            "BEGIN:VCARD",
            "VERSION:2.1",
            "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E6=9D=8E;=E5=B0=8F=",
            "=E9=BE=99",
            "TEL;WORK;PREF;VOICE:+60 3-1111",
            "  2222",
            "END:VCARD",
        ]);
        assert_eq!(
            (old.name.as_str(), &old.numbers[..]),
            ("小龙 李", &[number("+60 3-1111  2222", Some("work"), None)][..])
        );
        let new = read(&[
            "begin:vcard",
            "version:4.0",
            "fn:Mei",
            "  Ling",
            "tel;value=uri;type=\"voice,home\":tel:+60-12-345;ext=5",
            "end:vcard",
        ]);
        assert_eq!(
            (new.name.as_str(), &new.numbers[..]),
            ("Mei Ling", &[number("+60-12-345", Some("home"), None)][..])
        );
    }

    #[test]
    fn what_is_no_number_is_none() {
        let card =
            read(&["TEL:call me", "TEL;waid=60123456789:", "TEL;waid=<b>:012", "TEL", "TEL;TYPE=\"cell:012", ":"]);
        assert_eq!(card.numbers, [number("+60123456789", None, Some("60123456789")), number("012", None, None)]);
    }

    #[test]
    fn names_are_those_shown_or_else_on_the_cards() {
        let contacts =
            vec![contact("Aisyah", "FN:other"), contact(" ", "FN;CHARSET=UTF-8:Kedai \0Kopi"), contact("", "")];
        let bytes = e2e::ContactsArrayMessage { contacts: contacts.clone(), ..Default::default() }.encode_to_vec();
        assert_eq!(Cards::of(&bytes, 2).names(), "Aisyah\nKedai Kopi");
        let of = |name: &str| json!({"name": name, "numbers": []});
        assert_eq!(column(contacts), json!({"type": "contacts", "contacts": [of("Aisyah"), of("Kedai Kopi")]}));
        assert_eq!(column(vec![contact("", "BEGIN:VCARD\nEND:VCARD")]), Value::Null);
        let one = contact("", "FN:Mei\nTEL:012").encode_to_vec();
        assert_eq!(Cards::of(&one, 0).names(), "Mei");
    }

    #[test]
    fn however_much_there_is_little_is_kept() {
        let card = format!("FN:{0}\n{1}", "n".repeat(900), format!("TEL;TYPE={0}:{0}\n", "1".repeat(900)).repeat(30));
        let found = column(vec![contact("", &card); 50]);
        let cards = found["contacts"].as_array().unwrap();
        assert_eq!((cards.len(), cards[0]["numbers"].as_array().unwrap().len()), (MAX_CARDS, MAX_NUMBERS));
        assert_eq!(cards[0]["name"].as_str().map(str::len), Some(MAX_NAME));
        assert_eq!(cards[0]["numbers"][0]["value"].as_str().map(str::len), Some(MAX_NUMBER));
        assert_eq!(cards[0]["numbers"][0]["type"].as_str().map(str::len), Some(MAX_TYPE));
    }

    #[test]
    fn a_hostile_card_is_read_once() {
        // Lines that go on and on, and quotes and escapes that never end; each is 64 KiB or more.
        for line in
            ["FN;QUOTED-PRINTABLE:=\n", "FN:\n ", "N:\\;\\", "TEL;TYPE=\"a;", "TEL;waid=1;", "=00=", "\u{1f469}\n\t"]
        {
            Card::read(&line.repeat(65_536));
        }
    }

    fn some_line() -> impl Strategy<Value = String> {
        let head = prop_oneof![
            Just("FN"),
            Just("N"),
            Just("TEL"),
            Just("item1.TEL"),
            Just("item1.X-ABLabel"),
            Just("VERSION"),
            Just("END"),
            Just("TEL;waid=60123456789"),
            Just("TEL;TYPE=cell"),
            Just("FN;ENCODING=QUOTED-PRINTABLE"),
            Just(" "),
            Just(""),
        ];
        (head, "[:;,\\\\=0-9a-fA-F\" \t\u{0}é李.]{0,30}").prop_map(|(head, value)| format!("{head}:{value}"))
    }

    proptest! {
        #[test]
        fn any_card_is_read_and_bounded(lines in proptest::collection::vec(some_line(), 0..30), end in "\n|\r\n") {
            let bytes = contact("", &lines.join(&end)).encode_to_vec();
            let cards = Cards::of(&bytes, 0);
            prop_assert!(!cards.names().contains('\0'));
            for card in cards.read() {
                prop_assert!(!card.name.contains('\0') && card.numbers.len() <= MAX_NUMBERS);
                for number in card.numbers {
                    prop_assert!(number.value.chars().count() <= MAX_NUMBER && !number.value.contains('\0'));
                    prop_assert!(number.value.contains(|each: char| each.is_ascii_digit()));
                    prop_assert!(number.waid.is_none_or(|id| id.bytes().all(|byte| byte.is_ascii_digit())));
                }
            }
        }

        #[test]
        fn any_bytes_are_cards_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for list in [0, 2] {
                let cards = Cards::of(&bytes, list);
                prop_assert!(!cards.names().contains('\0'));
                prop_assert!(!serde_json::to_string(&cards.some()).unwrap().contains("\\u0000"));
            }
        }

        #[test]
        fn a_name_survives_being_written(name in "[a-z李é ,;\\\\]{1,30}") {
            let escaped = name.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
            let quoted: String = escaped.bytes().map(|byte| format!("={byte:02X}")).collect();
            prop_assert_eq!(&read(&[&format!("FN:{escaped}")]).name, name.trim());
            prop_assert_eq!(&read(&[&format!("FN;ENCODING=QUOTED-PRINTABLE:{quoted}")]).name, name.trim());
        }
    }
}
