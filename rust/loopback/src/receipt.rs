//! Receipts in both directions (whatsmeow `receipt.go`).

use std::sync::Arc;

use wafast_protocol::node::{self, Node, NodeBuilder, NodeExt, Server};

use crate::{
    address::{self, Address, Phone},
    device::Device,
    group::Group,
    link::Link,
    observed::Receipt,
    queue::{Entry, Kind, Origin},
    reply, retry,
    world::{self, World},
};

/// Takes a companion's `<receipt>`: it acknowledges what the server keeps, and tells the sender.
pub fn take(world: &Arc<World>, link: &Link, device: &Arc<Device>, stanza: &Node) {
    world.stats.receipts_in.add();
    link.send(&reply::ack(stanza, None));
    let kind = stanza.text("type");
    if kind.as_deref() == Some("retry") {
        retry::take(world, device, stanza);
        return;
    }
    let ids = ids(stanza);
    for id in &ids {
        acknowledged(world, device, Kind::Message, id);
    }
    let Some(to) = stanza.jid("to") else {
        return;
    };
    note(world, device.address, stanza, &kind, &ids, &to);
    if matches!(kind.as_deref(), None | Some("inactive" | "read" | "played")) {
        let author = stanza.jid("participant").unwrap_or(to.clone());
        tell_author(world, device.address, &author, &to, &ids, kind.as_deref());
        tell_own_companions(world, device.address, &to, stanza, &ids, kind.as_deref());
    }
}

fn ids(stanza: &Node) -> Vec<String> {
    let more = stanza.child(&["list"]).map_or(&[][..], NodeExt::nodes).iter().filter_map(|item| item.text("id"));
    stanza.text("id").into_iter().chain(more).collect()
}

fn note(world: &World, from: Address, stanza: &Node, kind: &Option<String>, ids: &[String], to: &node::Jid) {
    world.receipts.add(|seq| Receipt {
        seq,
        phone: from.phone,
        device: from.device,
        r#type: kind.clone().unwrap_or_else(|| "delivered".to_owned()),
        ids: ids.to_vec(),
        to: Address::of(to).map_or_else(|| to.user.to_string(), |address| address.phone.to_string()),
        participant: stanza.jid("participant").and_then(|jid| Address::of(&jid)).map(|who| who.phone.to_string()),
        at: world::now_millis(),
    });
}

/// A companion has acknowledged an entry of its queue.
pub fn acknowledged(world: &World, device: &Device, kind: Kind, id: &str) {
    let taken = device.with(|state| {
        let taken = state.queue.acknowledge(kind, id);
        state.wake();
        taken
    });
    if taken.is_some() {
        world.journal.touch(device.address.phone);
    }
}

/// The companions of whoever wrote the messages learn of it.
fn tell_author(world: &World, from: Address, author: &node::Jid, to: &node::Jid, ids: &[String], kind: Option<&str>) {
    let Some(author) = Address::of(author).filter(|author| author.phone != from.phone) else {
        return;
    };
    let group = (to.server == Server::Group).then(|| world.group(&to.user)).flatten();
    for device in world.devices(author.phone) {
        queue(&device, ids, |node| addressed(node, from, group.as_deref()), kind);
    }
}

/// What was read on one companion is read on the others.
fn tell_own_companions(
    world: &World,
    from: Address,
    to: &node::Jid,
    stanza: &Node,
    ids: &[String],
    kind: Option<&str>,
) {
    if kind != Some("read") {
        return;
    }
    for device in world.devices(from.phone).iter().filter(|device| device.address != from) {
        read_elsewhere(device, to, stanza.jid("participant").as_ref(), ids);
    }
}

/// The line's owner has read what `participant` wrote in a group, or what came from `chat`, on another device.
fn read_elsewhere(device: &Device, chat: &node::Jid, participant: Option<&node::Jid>, ids: &[String]) {
    let whose = |node: NodeBuilder| match participant {
        Some(participant) => node.attr("from", chat.clone()).attr("participant", participant.clone()),
        None => node.attr("from", address::lid(device.address.phone)).attr("recipient", chat.clone()),
    };
    queue(device, ids, whose, Some("read-self"));
}

/// A line's owner reads a contact's messages on the phone.
pub fn from_owner(world: &World, line: Phone, contact: Phone, ids: &[String], group: Option<&Group>) {
    let writer = address::lid(contact);
    for device in world.devices(line) {
        match group {
            Some(group) => read_elsewhere(&device, &group.jid(), Some(&writer), ids),
            None => read_elsewhere(&device, &writer, None, ids),
        }
    }
    world.journal.touch(line);
}

/// A contact tells a line that it got (`None`), read or played messages.
pub fn from_contact(
    world: &World,
    line: Phone,
    contact: Phone,
    ids: &[String],
    kind: Option<&str>,
    group: Option<&Group>,
) {
    let from = Address { phone: contact, device: 0 };
    for device in world.devices(line) {
        queue(&device, ids, |node| addressed(node, from, group), kind);
    }
    world.journal.touch(line);
}

/// Who it is from, in a group or not.
pub fn addressed(node: NodeBuilder, from: Address, group: Option<&Group>) -> NodeBuilder {
    match group {
        Some(group) => node
            .attr("from", group.jid())
            .attr("participant", from.lid())
            .attr("participant_pn", address::pn(from.phone)),
        None => node.attr("from", from.lid()),
    }
}

fn queue(device: &Device, ids: &[String], address: impl Fn(NodeBuilder) -> NodeBuilder, kind: Option<&str>) {
    let Some((first, more)) = ids.split_first() else {
        return;
    };
    let mut node = address(NodeBuilder::new("receipt")).attr("id", first.as_str()).attr("t", world::now());
    if let Some(kind) = kind {
        node = node.attr("type", kind);
    }
    if !more.is_empty() {
        let items = more.iter().map(|id| NodeBuilder::new("item").attr("id", id.as_str()).build());
        node = node.children([NodeBuilder::new("list").children(items).build()]);
    }
    enqueue(device, &node.build());
}

/// Puts a receipt into a companion's queue; it comes again until acknowledged.
pub fn enqueue(device: &Device, receipt: &Node) {
    let Ok(stanza) = node::encode(receipt) else {
        return;
    };
    let id = receipt.text("id").unwrap_or_default();
    device.enqueue(Entry { kind: Kind::Receipt, id, stanza, origin: Origin::Server, resends: 0 });
}
