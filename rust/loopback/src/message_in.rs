//! Companions write: the server acknowledges, simulated phones decrypt, and other companions get theirs passed on.

use std::sync::Arc;

use wafast_protocol::{
    Result,
    node::{self, Node, NodeBuilder, NodeExt, Server},
};
use wafast_schema::{decode_e2e, e2e};

use crate::{
    address::{self, Address, Phone},
    contact,
    device::Device,
    group::Group,
    link::Link,
    queue::{Entry, Kind, Origin},
    reply, retry,
    world::{self, World},
};

/// A companion's message as the server sees it.
pub struct Incoming<'a> {
    pub from: Address,
    pub id: String,
    pub group: Option<Arc<Group>>,
    stanza: &'a Node,
}

/// One device's ciphertext.
struct Part<'a> {
    to: Address,
    enc: &'a Node,
}

/// Takes a `<message>`.
pub fn take(world: &Arc<World>, link: &Arc<Link>, device: &Arc<Device>, stanza: &Node) {
    world.stats.messages_in.add();
    let refused = with_faults(world, device, |faults| faults.refuse_send()).flatten();
    if refused.is_some() {
        link.send(&reply::ack(stanza, refused));
        return;
    }
    let group = stanza.jid("to").filter(|jid| jid.server == Server::Group).and_then(|jid| world.group(&jid.user));
    let id = stanza.text("id").unwrap_or_default();
    let incoming = Incoming { from: device.address, id, group, stanza };
    let parts = incoming.parts();
    acknowledge(world, link, device, stanza, incoming.is_complete(world, &parts));
    for part in &parts {
        if part.to.device == 0 {
            phone_gets(world, device, &incoming, part);
        } else {
            pass_on(world, &incoming, part);
        }
    }
    if let Some(shared) = incoming.shared() {
        members_get(world, device, &incoming, shared);
    }
    world.journal.touch(device.address.phone);
}

fn with_faults<T>(world: &World, device: &Device, action: impl FnOnce(&mut crate::account::Faults) -> T) -> Option<T> {
    let person = world.known_person(device.address.phone)?;
    let mut state = person.lock();
    state.account.as_mut().map(|account| action(&mut account.faults))
}

fn acknowledge(world: &World, link: &Arc<Link>, device: &Device, stanza: &Node, complete: bool) {
    let mut ack = reply::ack(stanza, None);
    if !complete {
        // whatsmeow compares it with its own and drops its device lists when they differ (`send.go`)
        ack.attrs.insert("phash", "2:outdated");
    }
    let held = with_faults(world, device, |faults| {
        if faults.hold_acks {
            faults.held.push((Arc::downgrade(link), ack.clone()));
        }
        faults.hold_acks
    });
    if held != Some(true) {
        link.send(&ack);
    }
}

impl Incoming<'_> {
    fn parts(&self) -> Vec<Part<'_>> {
        let fanned = self.stanza.child(&["participants"]).map_or(&[][..], NodeExt::nodes);
        let fanned = fanned.iter().filter_map(|to| Some((to.jid("jid")?, to.child(&["enc"])?)));
        // a resend, or a word to one's own phone, is for one device and stands alone
        let alone = self.stanza.nodes().iter().filter(|node| is_own_ciphertext(node));
        let alone =
            alone.filter_map(|enc| Some((self.stanza.jid("participant").or_else(|| self.stanza.jid("to"))?, enc)));
        let part = |(jid, enc)| Some(Part { to: Address::of(&jid)?, enc });
        fanned.chain(alone).filter_map(part).collect()
    }

    /// The ciphertext all members of a group share.
    fn shared(&self) -> Option<&Node> {
        self.stanza.nodes().iter().find(|node| node.tag == "enc" && node.text("type").as_deref() == Some("skmsg"))
    }

    /// Whether every companion it should be for is among its parts.
    fn is_complete(&self, world: &World, parts: &[Part]) -> bool {
        if self.stanza.child(&["participants"]).is_none() {
            return true;
        }
        let direct = || self.stanza.jid("to").and_then(|jid| Address::of(&jid)).map(|address| address.phone);
        let people: Vec<Phone> = match &self.group {
            Some(group) => group.members.clone(),
            None => direct().into_iter().chain([self.from.phone]).collect(),
        };
        let mut devices = people.iter().flat_map(|phone| world.devices(*phone));
        devices.all(|device| device.address == self.from || parts.iter().any(|part| part.to == device.address))
    }

    /// Which time the sender encrypts this.
    fn retry_count(&self, enc: &Node) -> u32 {
        enc.text("count").and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

fn is_own_ciphertext(node: &Node) -> bool {
    node.tag == "enc" && matches!(node.text("type").as_deref(), Some("msg" | "pkmsg"))
}

fn phone_gets(world: &Arc<World>, device: &Arc<Device>, incoming: &Incoming, part: &Part) {
    let person = world.person(part.to.phone);
    let kind = part.enc.text("type").unwrap_or_default();
    let count = incoming.retry_count(part.enc);
    let decrypted = person.lock().decrypt_from(incoming.from, &kind, part.enc.bytes());
    world.journal.touch(part.to.phone);
    match decrypted.and_then(|bytes| read(&bytes)) {
        Ok(message) => {
            learn_sender_key(world, incoming, part.to.phone, &message);
            contact::got(world, device, part.to.phone, incoming, message, count);
        }
        Err(_) => {
            world.stats.undecryptable.add();
            retry::ask(world, device, part.to.phone, &incoming.id, incoming.group.as_deref(), count + 1);
        }
    }
}

fn learn_sender_key(world: &World, incoming: &Incoming, phone: Phone, message: &e2e::Message) {
    if let (Some(group), Some(key)) = (&incoming.group, &message.sender_key_distribution_message) {
        let bytes = key.axolotl_sender_key_distribution_message();
        if world.person(phone).lock().learn_sender_key(&group.id, incoming.from, bytes).is_err() {
            world.stats.protocol_errors.add();
        }
    }
}

/// Every member's phone decrypts the shared ciphertext with the key it was sent.
fn members_get(world: &Arc<World>, device: &Arc<Device>, incoming: &Incoming, shared: &Node) {
    let Some(group) = incoming.group.clone() else {
        return;
    };
    for member in &group.members {
        let decrypted = world.person(*member).lock().decrypt_group(&group.id, incoming.from, shared.bytes());
        match decrypted.and_then(|bytes| read(&bytes)) {
            Ok(message) => contact::got(world, device, *member, incoming, message, 0),
            Err(_) => {
                world.stats.undecryptable.add();
                retry::ask(world, device, *member, &incoming.id, Some(&group), 1);
            }
        }
    }
}

fn read(bytes: &[u8]) -> Result<e2e::Message> {
    decode_e2e(bytes).map_err(|error| wafast_protocol::Error::Malformed { what: "message", detail: error.to_string() })
}

/// A companion's ciphertext for another companion: the server can't read it and hands it on.
fn pass_on(world: &World, incoming: &Incoming, part: &Part) {
    let Some(target) = world.device(part.to) else {
        return;
    };
    let (from, to) = (incoming.from, part.to);
    let kind = incoming.stanza.text("type").unwrap_or_else(|| "text".to_owned());
    let mut node = NodeBuilder::new("message")
        .attr("id", incoming.id.as_str())
        .attr("t", world::now())
        .attr("type", kind)
        .attr("addressing_mode", "lid")
        .attr("notify", world.name_of(from.phone));
    node = match (&incoming.group, incoming.stanza.jid("to").and_then(|jid| Address::of(&jid))) {
        (Some(group), _) => {
            node.attr("from", group.jid()).attr("participant", from.lid()).attr("participant_pn", from.pn())
        }
        (None, Some(chat)) if from.phone == to.phone => node
            .attr("from", from.lid())
            .attr("recipient", address::lid(chat.phone))
            .attr("peer_recipient_pn", address::pn(chat.phone)),
        _ => node.attr("from", from.lid()).attr("sender_pn", from.pn()),
    };
    let mut children = vec![part.enc.clone()];
    children.extend(incoming.shared().cloned());
    children.extend(incoming.stanza.child(&["device-identity"]).cloned());
    let Ok(stanza) = node::encode(&node.children(children).build()) else {
        return;
    };
    let origin = Origin::Companion(from);
    target.enqueue(Entry { kind: Kind::Message, id: incoming.id.clone(), stanza, origin, resends: 0 });
    world.journal.touch(to.phone);
}
