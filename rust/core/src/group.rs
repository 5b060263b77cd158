//! What happened to a group, as a sentence: the text of `system` messages.

use crate::{
    event::pair,
    jid::{Jid, Server},
    record::{Content, Kind, Message, Records},
    text::{self, Text},
    timestamp::{self, Repaired},
    wire,
};

/// Records a `JoinedGroup` event, which has no time: we are in a group now.
pub(crate) fn joined<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let Some(chat) = jid(wire::bytes_of(bytes, 4), 1) else { return };
    let (lid, number) = (jid(bytes, 5), jid(bytes, 6));
    pair(lid.as_ref(), number.as_ref(), records);
    let sender = number.or(lid);
    let is = |number, word: &[u8]| wire::bytes_of(bytes, number) == word;
    let sentence = match &sender {
        Some(sender) if is(2, b"new") => format!("{} created this group", person(sender)),
        _ if is(1, b"invite") => "You joined".into(),
        Some(sender) => format!("{} added you", person(sender)),
        None => "You were added".into(),
    };
    let at = Repaired { seconds: now, was_nonsense: true };
    records.messages.push(notice(bytes, chat, sender, at, sentence));
}

/// What happened to a group, as a row. The event has no id of its own; the same event again has the same bytes.
fn notice<'a>(bytes: &[u8], chat: Jid, sender: Option<Jid>, at: Repaired, sentence: String) -> Message<'a> {
    let id = format!("GROUP{:016X}", digest(bytes)).into();
    Message::received(chat, sender, id, at, Content::new(Kind::System, sentence))
}

/// Records a `GroupInfo` event. One without a time only says what the group is called now; a changed timer makes no row.
pub(crate) fn changed<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let (Some(chat), Some(at)) = (jid(bytes, 1), wire::find(bytes, 4)) else { return };
    let at = timestamp::repair(at.number().cast_signed(), now);
    let sender = jid(bytes, 3);
    let sender_name = text::some(wire::bytes_of(bytes, 2));
    let who = sender_name.clone().or_else(|| sender.as_ref().map(|jid| person(jid).into()));
    let who = who.unwrap_or_else(|| "Somebody".into());
    let sentences = sentences(bytes, sender.as_ref(), &who);
    if sentences.is_empty() {
        return;
    }
    records.messages.push(Message { sender_name, ..notice(bytes, chat, sender, at, sentences.join("\n")) });
}

/// Records a `Picture` event of a group; people have pictures too.
pub(crate) fn pictured<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let Some(chat) = jid(bytes, 1).filter(Jid::is_group) else { return };
    let at = timestamp::repair(wire::number_of(bytes, 3).cast_signed(), now);
    let sender = jid(bytes, 2);
    let who = sender.as_ref().map_or_else(|| "Somebody".into(), person);
    let is_gone = wire::number_of(bytes, 4) != 0;
    let what = if is_gone { "removed" } else { "changed" };
    records.messages.push(notice(bytes, chat, sender, at, format!("{who} {what} the group's picture")));
}

fn digest(bytes: &[u8]) -> u64 {
    let hash = wafast_protocol::kdf::sha256(&[bytes]);
    u64::from_be_bytes(hash[..8].try_into().expect("8 of 32 bytes"))
}

fn jid(bytes: &[u8], number: u32) -> Option<Jid> {
    Jid::from_event(wire::bytes_of(bytes, number))
}

fn people(bytes: &[u8], number: u32) -> Vec<Jid> {
    let found = wire::fields(bytes).filter(|field| field.number == number);
    found.filter_map(|field| Jid::from_event(field.bytes())).collect()
}

/// A person as one reads them.
pub(crate) fn person(jid: &Jid) -> String {
    match jid.server {
        Server::Phone => format!("+{}", jid.user),
        _ => jid.user.to_string(),
    }
}

fn names(people: &[Jid]) -> String {
    people.iter().map(person).collect::<Vec<_>>().join(", ")
}

fn sentences(bytes: &[u8], sender: Option<&Jid>, who: &str) -> Vec<String> {
    let mut found: Vec<String> =
        wire::fields(bytes).filter_map(|field| one(field.number, field.bytes(), who)).collect();
    let joined = people(bytes, 17);
    let by_themselves = |people: &[Jid]| sender.is_none_or(|sender| people.contains(sender));
    if !joined.is_empty() {
        let has_joined = by_themselves(&joined) || !wire::bytes_of(bytes, 16).is_empty();
        let names = names(&joined);
        found.push(if has_joined { format!("{names} joined") } else { format!("{who} added {names}") });
    }
    let left = people(bytes, 18);
    if !left.is_empty() {
        let names = names(&left);
        found.push(if by_themselves(&left) { format!("{names} left") } else { format!("{who} removed {names}") });
    }
    for (number, now) in [(19, "is now an admin"), (20, "is no longer an admin")] {
        found.extend(people(bytes, number).iter().map(|one| format!("{} {now}", person(one))));
    }
    if found.is_empty() && wire::find(bytes, 21).is_some() {
        found.push(format!("{who} changed this group"));
    }
    found
}

/// The sentence of one field of the event; people have theirs in [`sentences`].
fn one(number: u32, value: &[u8], who: &str) -> Option<String> {
    let is = |field| wire::number_of(value, field) != 0;
    let words = text::clean(wire::bytes_of(value, 1));
    let sentence = match number {
        5 => format!("{who} changed the group name to “{words}”"),
        6 if is(5) || words.is_empty() => format!("{who} removed the group description"),
        6 => format!("{who} changed the group description to “{words}”"),
        7 if is(1) => format!("{who} allowed only admins to edit the group info"),
        7 => format!("{who} allowed everybody to edit the group info"),
        8 if is(1) => format!("{who} allowed only admins to send messages"),
        8 => format!("{who} allowed everybody to send messages"),
        10 if is(1) => format!("{who} deleted the group"),
        11 => format!("{who} linked this group with another"),
        12 => format!("{who} unlinked this group from another"),
        13 => format!("{who} reset the invite link"),
        _ => return None,
    };
    Some(sentence)
}

/// `WebMessageInfo.messageStubType` of a history: what stands in the place of a message. `parameters` are its words.
pub(crate) fn stub(kind: u64, parameters: &[Text<'_>], who: &str) -> Option<Content<'static>> {
    let content = match kind {
        // The phone could not read it yet either: a message, or a payment.
        2 | 47 => Content::waiting(),
        3 => Content::new(Kind::Unsupported, "FUTUREPROOF"),
        48 => Content::new(Kind::Unsupported, "PAYMENT_FUTUREPROOF"),
        68 => Content::new(Kind::Unsupported, "OVERSIZED"),
        // Missed calls, by voice and video, alone and in groups, and of people nobody knows.
        40 | 41 | 45 | 46 | 169 | 170 => Content::new(Kind::Call, ""),
        _ => Content::new(Kind::System, stub_sentence(kind, parameters, who)?),
    };
    Some(content)
}

/// What such a stub says of a group, of those in it, and of the community it is in.
fn stub_sentence(kind: u64, parameters: &[Text<'_>], who: &str) -> Option<String> {
    let people: Vec<Jid> = parameters.iter().filter_map(|one| Jid::parse(one)).collect();
    let them = if people.is_empty() { "somebody".into() } else { names(&people) };
    let they = if people.is_empty() { who } else { &them };
    let first = parameters.first().map_or("", |first| first.as_ref());
    let sentence = match kind {
        20 => format!("{who} created the group “{first}”"),
        21 => format!("{who} changed the group name to “{first}”"),
        22 => format!("{who} changed the group's picture"),
        23 => format!("{who} reset the invite link"),
        24 => format!("{who} changed the group description"),
        25 => format!("{who} changed who can edit the group info"),
        26 => format!("{who} changed who can send messages"),
        27 | 166 | 168 => format!("{who} added {them}"),
        28 => format!("{who} removed {them}"),
        29 | 147 => format!("{they} is now an admin"),
        30 | 148 => format!("{they} is no longer an admin"),
        31 | 71 | 140 | 141 | 151 => format!("{they} joined"),
        32 => format!("{they} left"),
        33 => format!("{who} has another phone number now"),
        43 => format!("{who} deleted the group"),
        134..=136 => format!("{who} linked this group with another"),
        137..=139 => format!("{who} unlinked this group from another"),
        142 => format!("{who} created the community “{first}”"),
        144 => format!("{who} asked to join"),
        145 => format!("{who} changed who has to ask to join"),
        146 => "WhatsApp unlinked this group from another".into(),
        149 => format!("{who} deleted the community of this group"),
        158 => format!("{who} changed the name of the community to “{first}”"),
        171 => format!("{who} changed who can add people"),
        172 => format!("{who} asked to add {them}"),
        173 => format!("{who} changed the description of the community"),
        217 => format!("{who} changed who can share the invite link"),
        _ => return None,
    };
    Some(sentence)
}
