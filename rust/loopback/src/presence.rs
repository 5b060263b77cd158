//! Typing and presence in both directions (whatsmeow `presence.go`). Neither is kept for a device that is away.

use wafast_protocol::node::{Node, NodeBuilder, NodeExt, Server};

use crate::{
    address::{self, Address, Phone},
    device::Device,
    group::Group,
    observed::Seen,
    world::{self, World},
};

/// What somebody does in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Typing {
    Composing,
    Recording,
    Paused,
}

/// Takes a companion's `<presence>` or `<chatstate>`.
pub fn take(world: &World, device: &Device, stanza: &Node) {
    let to = stanza.jid("to");
    let state = if stanza.tag == "presence" {
        stanza.text("type").unwrap_or_else(|| "available".to_owned())
    } else {
        chat_state(stanza)
    };
    let shown = to.as_ref().map(|jid| Address::of(jid).map_or_else(|| jid.user.to_string(), |to| to.phone.to_string()));
    world.seen.add(|seq| Seen::new(seq, device.address, state, shown, stanza.text("name")));
    if let Some(to) = to.filter(|_| stanza.tag == "chatstate") {
        pass_on(world, device.address, &to, stanza);
    }
}

fn chat_state(stanza: &Node) -> String {
    let Some(child) = stanza.nodes().first() else {
        return String::new();
    };
    if child.text("media").as_deref() == Some("audio") { "recording".to_owned() } else { child.tag.to_string() }
}

/// Lines among the readers see it.
fn pass_on(world: &World, from: Address, to: &wafast_protocol::node::Jid, stanza: &Node) {
    let group = (to.server == Server::Group).then(|| world.group(&to.user)).flatten();
    let readers = match &group {
        Some(group) => group.members.clone(),
        None => Address::of(to).map(|to| to.phone).into_iter().collect(),
    };
    let node = source(NodeBuilder::new("chatstate"), from.phone, group.as_deref());
    let node = node.children(stanza.nodes().iter().cloned()).build();
    for device in readers.iter().filter(|reader| **reader != from.phone).flat_map(|reader| world.devices(*reader)) {
        device.send_now(&node);
    }
}

fn source(node: NodeBuilder, from: Phone, group: Option<&Group>) -> NodeBuilder {
    match group {
        Some(group) => node.attr("from", group.jid()).attr("participant", address::lid(from)),
        None => node.attr("from", address::lid(from)),
    }
}

/// A contact types to a line; gives whether a companion is there to see it.
pub fn type_to(world: &World, line: Phone, contact: Phone, typing: Typing, group: Option<&Group>) -> bool {
    let child = match typing {
        Typing::Composing => NodeBuilder::new("composing"),
        Typing::Recording => NodeBuilder::new("composing").attr("media", "audio"),
        Typing::Paused => NodeBuilder::new("paused"),
    };
    let node = source(NodeBuilder::new("chatstate"), contact, group).children([child.build()]).build();
    world.devices(line).iter().filter(|device| device.send_now(&node)).count() > 0
}

/// A contact comes or goes; gives whether a companion is there to see it.
pub fn show(world: &World, line: Phone, contact: Phone, available: bool) -> bool {
    let node = NodeBuilder::new("presence").attr("from", address::lid(contact));
    let node = if available { node } else { node.attr("type", "unavailable").attr("last", world::now()) };
    let node = node.build();
    world.devices(line).iter().filter(|device| device.send_now(&node)).count() > 0
}
