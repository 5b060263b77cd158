//! Messages that could not be decrypted: one side asks with a retry receipt, the other encrypts again with a new session
//! (whatsmeow `retry.go`).

use std::sync::Arc;

use wafast_protocol::{
    Result,
    node::{self, Node, NodeBuilder, NodeContent, NodeExt, Server},
};

use crate::{
    address::{Address, Phone},
    device::Device,
    group::Group,
    iq::pre_keys,
    message_out,
    queue::{Kind, MAX_RESENDS, Origin},
    receipt,
    world::{self, World},
};

/// A companion could not decrypt a message and asks for it again.
pub fn take(world: &Arc<World>, device: &Arc<Device>, stanza: &Node) {
    world.stats.retries_in.add();
    let id = stanza.text("id").unwrap_or_default();
    let found = device.with(|state| {
        let entry = state.queue.unacknowledged(Kind::Message, &id)?;
        entry.resends += 1;
        Some((entry.origin.clone(), entry.stanza.clone(), entry.resends))
    });
    let Some((origin, sent, resends)) = found else {
        return;
    };
    if resends > MAX_RESENDS {
        receipt::acknowledged(world, device, Kind::Message, &id);
        return;
    }
    let done = match origin {
        Origin::Person { sender, plaintext } => resend(world, device, stanza, &sent, sender, plaintext, resends),
        Origin::Companion(author) => {
            pass_on(world, device, author, stanza);
            Ok(())
        }
        Origin::Server => Ok(()),
    };
    if done.is_err() {
        world.stats.protocol_errors.add();
    }
}

/// The contact starts over with the companion and sends the message as `pkmsg`.
fn resend(
    world: &World,
    device: &Arc<Device>,
    request: &Node,
    sent: &[u8],
    sender: Phone,
    plaintext: Vec<u8>,
    count: u8,
) -> Result<()> {
    let bundle = match (request.child(&["registration"]), request.child(&["keys"])) {
        (Some(registration), Some(keys)) => pre_keys::read_bundle(registration, keys)?,
        _ => pre_keys::take_device_bundle(world, device),
    };
    let mut stanza = node::decode(sent)?;
    let media = stanza.nodes().iter().find_map(|enc| enc.text("mediatype"));
    let group = stanza.jid("from").filter(|jid| jid.server == Server::Group).and_then(|jid| world.group(&jid.user));
    let person = world.person(sender);
    let mut state = person.lock();
    state.start_session(device.address, &bundle)?;
    let plaintext = match &group {
        None => plaintext,
        Some(group) => message_out::with_distribution(&plaintext, group, state.distribution(&group.id)),
    };
    let ciphertext = state.encrypt_for(device, plaintext)?;
    drop(state);
    let mut enc = NodeBuilder::new("enc").attr("v", "2").attr("type", ciphertext.kind).attr("count", count);
    if let Some(media) = media {
        enc = enc.attr("mediatype", media);
    }
    stanza.content = Some(NodeContent::Nodes(vec![enc.bytes(ciphertext.bytes).build()]));
    let stanza = node::encode(&stanza)?;
    world.journal.touch(sender);
    let id = request.text("id").unwrap_or_default();
    if let Some(link) = device.link() {
        link.send_encoded(stanza.clone());
    }
    device.with(|state| {
        if let Some(entry) = state.queue.unacknowledged(Kind::Message, &id) {
            entry.stanza = stanza;
        }
    });
    Ok(())
}

/// Only the companion that encrypted it can do so again.
fn pass_on(world: &World, asking: &Device, author: Address, request: &Node) {
    let Some(author) = world.device(author) else {
        return;
    };
    let group = request.jid("to").filter(|jid| jid.server == Server::Group).and_then(|jid| world.group(&jid.user));
    let node = receipt::addressed(NodeBuilder::new("receipt"), asking.address, group.as_deref())
        .attr("id", request.text("id").unwrap_or_default())
        .attr("t", world::now())
        .attr("type", "retry")
        .children(request.nodes().iter().cloned());
    receipt::enqueue(&author, &node.build());
}

/// A contact could not decrypt (or is told to say so) and asks a companion, with its keys for a new session.
pub fn ask(world: &World, device: &Device, contact: Phone, id: &str, group: Option<&Group>, count: u32) {
    if count > u32::from(MAX_RESENDS) {
        return;
    }
    world.stats.retries_out.add();
    let bundle = world.person(contact).lock().keys.bundle();
    world.journal.touch(contact);
    let mut keys = pre_keys::bundle_nodes(&bundle);
    let registration = keys.remove(0);
    let retry = NodeBuilder::new("retry").attr("count", count).attr("id", id).attr("t", world::now()).attr("v", 1);
    let from = Address { phone: contact, device: 0 };
    let node = receipt::addressed(NodeBuilder::new("receipt"), from, group)
        .attr("id", id)
        .attr("t", world::now())
        .attr("type", "retry")
        .children([retry.build(), registration, NodeBuilder::new("keys").children(keys).build()]);
    receipt::enqueue(device, &node.build());
}
