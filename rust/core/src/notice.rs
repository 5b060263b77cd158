//! What happened to a group: the `media` column of `system` messages, and in English their text.

use serde::Serialize;

use crate::jid::{Jid, Server};

/// The column. Whoever shows it words it in their own language.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "notice")]
pub struct Notice {
    /// Who did it, where the text names them by this JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Jid>,
    pub happened: Vec<Happened>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happened {
    did: Did,
    /// To whom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<Jid>,
    /// A name, or a description.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
}

/// What it was; the page has a sentence for each in every language (`web/src/i18n`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    Created,
    CreatedNamed,
    Renamed,
    Described,
    DescriptionChanged,
    DescriptionRemoved,
    PictureChanged,
    PictureRemoved,
    LinkReset,
    InfoByAdmins,
    InfoByAll,
    InfoRights,
    MessagesByAdmins,
    MessagesByAll,
    MessagesRights,
    AddingRights,
    LinkRights,
    ApprovalRights,
    Deleted,
    Linked,
    Unlinked,
    UnlinkedByWhatsapp,
    Added,
    Removed,
    Joined,
    Left,
    Promoted,
    Demoted,
    AskedToJoin,
    AskedToAdd,
    NumberChanged,
    AddedUs,
    WeJoined,
    WeWereAdded,
    CommunityCreated,
    CommunityRenamed,
    CommunityDescribed,
    CommunityDeleted,
    Changed,
}

impl Notice {
    /// Its text: a line for each thing. `who` did it.
    #[must_use]
    pub fn text(&self, who: &str) -> String {
        self.happened.iter().map(|one| one.text(who)).collect::<Vec<_>>().join("\n")
    }

    /// Somebody is named by a LID, whose number may be known.
    #[must_use]
    pub fn names_by_lid(&self) -> bool {
        let people = self.happened.iter().flat_map(|one| &one.people);
        self.who.iter().chain(people).any(Jid::is_lid)
    }
}

impl Happened {
    #[must_use]
    pub fn new(did: Did) -> Self {
        Self { did, people: Vec::new(), words: String::new() }
    }

    #[must_use]
    pub fn to(did: Did, people: Vec<Jid>) -> Self {
        Self { people, ..Self::new(did) }
    }

    #[must_use]
    pub fn named(did: Did, words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::new(did) }
    }

    fn text(&self, who: &str) -> String {
        let names = self.people.iter().map(person).collect::<Vec<_>>().join(", ");
        let (them, they) = if names.is_empty() { ("somebody", who) } else { (names.as_str(), names.as_str()) };
        let words = &self.words;
        match self.did {
            Did::Created => format!("{who} created this group"),
            Did::CreatedNamed => format!("{who} created the group “{words}”"),
            Did::Renamed => format!("{who} changed the group name to “{words}”"),
            Did::Described => format!("{who} changed the group description to “{words}”"),
            Did::DescriptionChanged => format!("{who} changed the group description"),
            Did::DescriptionRemoved => format!("{who} removed the group description"),
            Did::PictureChanged => format!("{who} changed the group's picture"),
            Did::PictureRemoved => format!("{who} removed the group's picture"),
            Did::LinkReset => format!("{who} reset the invite link"),
            Did::InfoByAdmins => format!("{who} allowed only admins to edit the group info"),
            Did::InfoByAll => format!("{who} allowed everybody to edit the group info"),
            Did::InfoRights => format!("{who} changed who can edit the group info"),
            Did::MessagesByAdmins => format!("{who} allowed only admins to send messages"),
            Did::MessagesByAll => format!("{who} allowed everybody to send messages"),
            Did::MessagesRights => format!("{who} changed who can send messages"),
            Did::AddingRights => format!("{who} changed who can add people"),
            Did::LinkRights => format!("{who} changed who can share the invite link"),
            Did::ApprovalRights => format!("{who} changed who has to ask to join"),
            Did::Deleted => format!("{who} deleted the group"),
            Did::Linked => format!("{who} linked this group with another"),
            Did::Unlinked => format!("{who} unlinked this group from another"),
            Did::UnlinkedByWhatsapp => "WhatsApp unlinked this group from another".into(),
            Did::Added => format!("{who} added {them}"),
            Did::Removed => format!("{who} removed {them}"),
            Did::Joined => format!("{they} joined"),
            Did::Left => format!("{they} left"),
            Did::Promoted => format!("{they} is now an admin"),
            Did::Demoted => format!("{they} is no longer an admin"),
            Did::AskedToJoin => format!("{who} asked to join"),
            Did::AskedToAdd => format!("{who} asked to add {them}"),
            Did::NumberChanged => format!("{who} has another phone number now"),
            Did::AddedUs => format!("{who} added you"),
            Did::WeJoined => "You joined".into(),
            Did::WeWereAdded => "You were added".into(),
            Did::CommunityCreated => format!("{who} created the community “{words}”"),
            Did::CommunityRenamed => format!("{who} changed the name of the community to “{words}”"),
            Did::CommunityDescribed => format!("{who} changed the description of the community"),
            Did::CommunityDeleted => format!("{who} deleted the community of this group"),
            Did::Changed => format!("{who} changed this group"),
        }
    }
}

/// A person as one reads them.
fn person(jid: &Jid) -> String {
    match jid.server {
        Server::Phone => format!("+{}", jid.user),
        _ => jid.user.to_string(),
    }
}

/// Who did something as the text names them, and their JID where it is that.
#[must_use]
pub fn doer(name: Option<&str>, sender: Option<&Jid>) -> (String, Option<Jid>) {
    match (name, sender) {
        (Some(name), _) => (name.to_owned(), None),
        (None, Some(sender)) => (person(sender), Some(sender.clone())),
        (None, None) => ("Somebody".into(), None),
    }
}
