//! The stanzas a server answers with.

use wafast_protocol::node::{self, Node, NodeBuilder, NodeExt, NodeValue};

use crate::world;

/// The `<iq type="result">` to `request`.
pub fn result(request: &Node, children: impl IntoIterator<Item = Node>) -> Node {
    let children: Vec<Node> = children.into_iter().collect();
    let node = iq(request).attr("type", "result");
    if children.is_empty() { node.build() } else { node.children(children).build() }
}

/// The `<iq type="error">` to `request`.
pub fn error(request: &Node, code: u16, text: &str) -> Node {
    let error = NodeBuilder::new("error").attr("code", code).attr("text", text).build();
    iq(request).attr("type", "error").children([error]).build()
}

fn iq(request: &Node) -> NodeBuilder {
    let from = request.attrs.get("to").cloned().unwrap_or_else(|| NodeValue::Jid(node::server_jid()));
    NodeBuilder::new("iq").attr("from", from).attr("id", request.text("id").unwrap_or_default())
}

/// The `<ack>` to a message or receipt; of a message with an error code, when it is refused.
pub fn ack(stanza: &Node, error: Option<u16>) -> Node {
    let mut ack = NodeBuilder::new("ack")
        .attr("class", stanza.tag.as_ref())
        .attr("id", stanza.text("id").unwrap_or_default())
        .attr("t", world::now());
    if let Some(to) = stanza.attrs.get("to") {
        ack = ack.attr("from", to.clone());
    }
    if let Some(participant) = stanza.attrs.get("participant") {
        ack = ack.attr("participant", participant.clone());
    }
    if let Some(kind) = stanza.attrs.get("type").filter(|_| stanza.tag != "message") {
        ack = ack.attr("type", kind.clone());
    }
    if let Some(code) = error {
        ack = ack.attr("error", code);
    }
    ack.build()
}
