//! A group: who is in it. Members change by making it anew with the same id.

use serde::{Deserialize, Serialize};
use wafast_protocol::node::{Jid, Node, NodeBuilder};

use crate::{
    address::{self, Phone},
    world,
};

/// A group chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// The user part of its JID, digits.
    pub id: String,
    pub subject: String,
    /// The first is its owner.
    pub members: Vec<Phone>,
    /// Unix seconds.
    pub created: u64,
}

impl Group {
    /// Its JID.
    #[must_use]
    pub fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    /// Who made it.
    #[must_use]
    pub fn owner(&self) -> Phone {
        self.members.first().copied().unwrap_or_default()
    }

    /// What members are told when `before` has become this, one notification each (whatsmeow `group.go`,
    /// `parseGroupChange`).
    #[must_use]
    pub fn changes_since(&self, before: Option<&Self>) -> Vec<Node> {
        let Some(before) = before else {
            return vec![NodeBuilder::new("create").attr("type", "new").children([self.node()]).build()];
        };
        let mut changes = Vec::new();
        if before.subject != self.subject {
            let subject = NodeBuilder::new("subject").attr("subject", self.subject.as_str());
            let set = subject.attr("s_t", world::now()).attr("s_o", address::lid(self.owner()));
            changes.push(set.attr("s_o_pn", address::pn(self.owner())).build());
        }
        for (tag, members, others) in
            [("add", &self.members, &before.members), ("remove", &before.members, &self.members)]
        {
            let moved: Vec<Node> = members
                .iter()
                .filter(|member| !others.contains(member))
                .map(|phone| participant(*phone).build())
                .collect();
            if !moved.is_empty() {
                changes.push(NodeBuilder::new(tag).children(moved).build());
            }
        }
        changes
    }

    /// What `w:g2` queries get (whatsmeow `group.go`, `parseGroupNode`).
    #[must_use]
    pub fn node(&self) -> Node {
        let owner = self.owner();
        let participant = |(at, phone): (usize, &Phone)| {
            let node = participant(*phone);
            if at == 0 { node.attr("type", "superadmin").build() } else { node.build() }
        };
        NodeBuilder::new("group")
            .attr("id", self.id.as_str())
            .attr("subject", self.subject.as_str())
            .attr("creation", self.created)
            .attr("creator", address::lid(owner))
            .attr("creator_pn", address::pn(owner))
            .attr("s_t", self.created)
            .attr("s_o", address::lid(owner))
            .attr("addressing_mode", "lid")
            .attr("size", self.members.len())
            .children(self.members.iter().enumerate().map(participant))
            .build()
    }
}

fn participant(phone: Phone) -> NodeBuilder {
    NodeBuilder::new("participant").attr("jid", address::lid(phone)).attr("phone_number", address::pn(phone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_exactly_what_changed() {
        let group = |subject: &str, members: &[Phone]| Group {
            id: "1".to_owned(),
            subject: subject.to_owned(),
            members: members.to_vec(),
            created: 0,
        };
        let tags = |before: Option<&Group>, after: &Group| {
            after.changes_since(before).iter().map(|node| node.tag.to_string()).collect::<Vec<_>>()
        };
        let (old, same) = (group("a", &[1, 2]), group("a", &[1, 2]));
        assert_eq!(tags(None, &old), ["create"]);
        assert_eq!(tags(Some(&old), &same), [""; 0]);
        assert_eq!(tags(Some(&old), &group("b", &[1, 3])), ["subject", "add", "remove"]);
    }
}
