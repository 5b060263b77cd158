//! Privacy settings (whatsmeow `privacysettings.go`): everyone may see everything. Tokens for contacts (`tctoken.go`) are
//! taken and forgotten.

use wafast_protocol::node::{Node, NodeBuilder, NodeExt};

use crate::reply;

const CATEGORIES: [&str; 7] = ["readreceipts", "last", "status", "profile", "groupadd", "online", "calladd"];

pub fn answer(iq: &Node) -> Node {
    if iq.child(&["privacy"]).is_none() {
        return reply::result(iq, []);
    }
    let categories =
        CATEGORIES.map(|name| NodeBuilder::new("category").attr("name", name).attr("value", "all").build());
    reply::result(iq, [NodeBuilder::new("privacy").children(categories).build()])
}
