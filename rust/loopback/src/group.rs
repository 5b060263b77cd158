//! A group: who is in it. Members change by making it anew with the same id.

use serde::{Deserialize, Serialize};
use wafast_protocol::node::{Jid, Node, NodeBuilder};

use crate::address::{self, Phone};

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

    /// What `w:g2` queries get (whatsmeow `group.go`, `parseGroupNode`).
    #[must_use]
    pub fn node(&self) -> Node {
        let owner = self.members.first().copied().unwrap_or_default();
        let participant = |(at, phone): (usize, &Phone)| {
            let node = NodeBuilder::new("participant")
                .attr("jid", address::lid(*phone))
                .attr("phone_number", address::pn(*phone));
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
