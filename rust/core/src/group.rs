//! What happened to a group, as events and histories tell of it, to `system` messages.

use crate::{
    event::pair,
    jid::Jid,
    notice::{Did, Happened, Notice, doer},
    record::{Carried, Content, Kind, Message, Records},
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
    let did = match &sender {
        Some(_) if is(2, b"new") => Did::Created,
        _ if is(1, b"invite") => Did::WeJoined,
        Some(_) => Did::AddedUs,
        None => Did::WeWereAdded,
    };
    let at = Repaired { seconds: now, was_nonsense: true };
    records.messages.push(row(bytes, chat, sender, None, at, vec![Happened::new(did)]));
}

/// Records a `GroupInfo` event. One without a time only says what the group is called now; a changed timer makes no row.
pub(crate) fn changed<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let (Some(chat), Some(at)) = (jid(bytes, 1), wire::find(bytes, 4)) else { return };
    let at = timestamp::repair(at.number().cast_signed(), now);
    let sender = jid(bytes, 3);
    let happened = changes(bytes, sender.as_ref());
    if !happened.is_empty() {
        records.messages.push(row(bytes, chat, sender, text::visible(wire::bytes_of(bytes, 2)), at, happened));
    }
}

/// Records a `Picture` event of a group; people have pictures too.
pub(crate) fn pictured<'a>(bytes: &'a [u8], now: i64, records: &mut Records<'a>) {
    let Some(chat) = jid(bytes, 1).filter(Jid::is_group) else { return };
    let at = timestamp::repair(wire::number_of(bytes, 3).cast_signed(), now);
    let is_gone = wire::number_of(bytes, 4) != 0;
    let did = if is_gone { Did::PictureRemoved } else { Did::PictureChanged };
    records.messages.push(row(bytes, chat, jid(bytes, 2), None, at, vec![Happened::new(did)]));
}

/// What happened to a group, as a row. The event has no id of its own; the same event again has the same bytes.
fn row<'a>(
    bytes: &[u8],
    chat: Jid,
    sender: Option<Jid>,
    sender_name: Option<Text<'a>>,
    at: Repaired,
    happened: Vec<Happened>,
) -> Message<'a> {
    let id = format!("GROUP{:016X}", digest(bytes)).into();
    let content = content(happened, doer(sender_name.as_deref(), sender.as_ref()));
    Message { sender_name, ..Message::received(chat, sender, id, at, content) }
}

fn content<'a>(happened: Vec<Happened>, (name, who): (String, Option<Jid>)) -> Content<'a> {
    let notice = Notice { who, happened };
    let text = notice.text(&name);
    Content { carried: Some(Carried::Notice(Box::new(notice))), ..Content::new(Kind::System, text) }
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

fn changes(bytes: &[u8], sender: Option<&Jid>) -> Vec<Happened> {
    let mut found: Vec<Happened> = wire::fields(bytes).filter_map(|field| one(field.number, field.bytes())).collect();
    let by_themselves = |people: &[Jid]| sender.is_none_or(|sender| people.contains(sender));
    let joined = people(bytes, 17);
    if !joined.is_empty() {
        let has_joined = by_themselves(&joined) || !wire::bytes_of(bytes, 16).is_empty();
        found.push(Happened::to(if has_joined { Did::Joined } else { Did::Added }, joined));
    }
    let left = people(bytes, 18);
    if !left.is_empty() {
        found.push(Happened::to(if by_themselves(&left) { Did::Left } else { Did::Removed }, left));
    }
    for (number, did) in [(19, Did::Promoted), (20, Did::Demoted)] {
        found.extend(people(bytes, number).into_iter().map(|one| Happened::to(did, vec![one])));
    }
    if found.is_empty() {
        found.extend(wire::repeated(bytes, 21).map(|node| Happened::new(unknown(wire::bytes_of(node, 1)))));
        found.dedup();
    }
    found
}

/// What one field of the event says; people are in [`changes`].
fn one(number: u32, value: &[u8]) -> Option<Happened> {
    let is = |field| wire::number_of(value, field) != 0;
    let words = text::clean(wire::bytes_of(value, 1));
    let did = match number {
        5 => return Some(Happened::named(Did::Renamed, words)),
        6 if is(5) || words.is_empty() => Did::DescriptionRemoved,
        6 => return Some(Happened::named(Did::Described, words)),
        7 if is(1) => Did::InfoByAdmins,
        7 => Did::InfoByAll,
        8 if is(1) => Did::MessagesByAdmins,
        8 => Did::MessagesByAll,
        10 if is(1) => Did::Deleted,
        11 => Did::Linked,
        12 => Did::Unlinked,
        13 => Did::LinkReset,
        _ => return None,
    };
    Some(Happened::new(did))
}

/// What a node says that whatsmeow does not know, by its tag.
fn unknown(tag: &[u8]) -> Did {
    match tag {
        b"member_add_mode" => Did::AddingRights,
        b"member_link_mode" => Did::LinkRights,
        _ => Did::Changed,
    }
}

/// `WebMessageInfo.messageStubType` of a history: what stands in the place of a message. `parameters` are its words; who did
/// it is `doer`.
pub(crate) fn stub<'a>(kind: u64, parameters: &[Text<'_>], doer: (String, Option<Jid>)) -> Option<Content<'a>> {
    let content = match kind {
        // The phone could not read it yet either: a message, or a payment.
        2 | 47 => Content::waiting(),
        3 => Content::new(Kind::Unsupported, "FUTUREPROOF"),
        48 => Content::new(Kind::Unsupported, "PAYMENT_FUTUREPROOF"),
        68 => Content::new(Kind::Unsupported, "OVERSIZED"),
        // Missed calls, by voice and video, alone and in groups, and of people nobody knows.
        40 | 41 | 45 | 46 | 169 | 170 => Content::new(Kind::Call, ""),
        _ => content(vec![stood_for(kind, parameters)?], doer),
    };
    Some(content)
}

/// What such a stub says of a group, of those in it, and of the community it is in.
fn stood_for(kind: u64, parameters: &[Text<'_>]) -> Option<Happened> {
    let people = || parameters.iter().filter_map(|one| Jid::parse(one)).collect();
    let first = parameters.first().map_or("", |first| first.as_ref());
    let by = |admins, all, neither| match first {
        "on" | "true" => admins,
        "off" | "false" => all,
        _ => neither,
    };
    let (named, to) = (|did| Some(Happened::named(did, first)), |did| Some(Happened::to(did, people())));
    let did = match kind {
        20 => return named(Did::CreatedNamed),
        21 => return named(Did::Renamed),
        22 => Did::PictureChanged,
        23 => Did::LinkReset,
        24 => Did::DescriptionChanged,
        25 => by(Did::InfoByAdmins, Did::InfoByAll, Did::InfoRights),
        26 => by(Did::MessagesByAdmins, Did::MessagesByAll, Did::MessagesRights),
        27 | 166 | 168 => return to(Did::Added),
        28 => return to(Did::Removed),
        29 | 147 => return to(Did::Promoted),
        30 | 148 => return to(Did::Demoted),
        31 | 71 | 140 | 141 | 151 => return to(Did::Joined),
        32 => return to(Did::Left),
        33 => Did::NumberChanged,
        43 => Did::Deleted,
        134..=136 => Did::Linked,
        137..=139 => Did::Unlinked,
        142 => return named(Did::CommunityCreated),
        144 => Did::AskedToJoin,
        145 => Did::ApprovalRights,
        146 => Did::UnlinkedByWhatsapp,
        149 => Did::CommunityDeleted,
        158 => return named(Did::CommunityRenamed),
        171 => Did::AddingRights,
        172 => return to(Did::AskedToAdd),
        173 => Did::CommunityDescribed,
        217 => Did::LinkRights,
        _ => return None,
    };
    Some(Happened::new(did))
}
