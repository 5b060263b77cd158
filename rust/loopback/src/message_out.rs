//! Simulated people write: encryption for every companion that is to get it, and its place in their queues.

use std::sync::Arc;

use prost::encoding;
use wafast_protocol::{
    Result,
    node::{self, Node, NodeBuilder},
    signal::Ciphertext,
};
use wafast_schema::{
    e2e::{self, SenderKeyDistributionMessage},
    encode_e2e,
};

use crate::{
    address::{self, Phone},
    device::Device,
    group::Group,
    person,
    queue::{Entry, Kind, Origin},
    world::{self, World},
};

/// Where a message belongs.
#[derive(Clone)]
pub enum Chat {
    /// To this line.
    Direct(Phone),
    /// Typed on a line's own phone, to this contact: its companions get a copy.
    Own(Phone),
    /// The phone tells its companions something people don't see.
    Peer,
    Group(Arc<Group>),
}

/// A message on its way.
pub struct Letter {
    /// Whose phone writes it.
    pub sender: Phone,
    pub chat: Chat,
    pub id: String,
    /// An encoded `waE2E.Message`, sent as it is.
    pub message: Vec<u8>,
    /// The `mediatype` of its `<enc>`; `None` for text.
    pub media: Option<&'static str>,
    /// The stanza's `edit`: what kind of change it is.
    pub edit: Option<String>,
    /// Whether the first delivery can't be decrypted.
    pub damaged: bool,
    /// Whether it is encrypted again when a companion asks.
    pub comes_again: bool,
}

impl Letter {
    /// A message of any content.
    pub fn new(sender: Phone, chat: Chat, id: String, message: &e2e::Message) -> Self {
        Self::raw(sender, chat, id, encode_e2e(message))
    }

    /// A message that is encoded already.
    pub fn raw(sender: Phone, chat: Chat, id: String, message: Vec<u8>) -> Self {
        Self { sender, chat, id, message, media: None, edit: None, damaged: false, comes_again: true }
    }

    /// A text message.
    pub fn text(sender: Phone, chat: Chat, id: String, text: &str) -> Self {
        let message = e2e::Message { conversation: Some(text.to_owned()), ..Default::default() };
        Self::new(sender, chat, id, &message)
    }

    fn recipients(&self, world: &World) -> Vec<Arc<Device>> {
        match &self.chat {
            Chat::Direct(line) => world.devices(*line),
            Chat::Own(_) | Chat::Peer => world.devices(self.sender),
            Chat::Group(group) => group.members.iter().flat_map(|member| world.devices(*member)).collect(),
        }
    }

    /// What is encrypted: own messages travel inside a copy that names the chat.
    fn plaintext(&self) -> Vec<u8> {
        let Chat::Own(contact) = self.chat else {
            return self.message.clone();
        };
        let destination = address::lid(contact).to_string();
        let mut copy = Vec::with_capacity(self.message.len() + 48);
        encoding::string::encode(1, &destination, &mut copy);
        encoding::bytes::encode(2, &self.message, &mut copy);
        let mut message = Vec::with_capacity(copy.len() + 8);
        encoding::bytes::encode(31, &copy, &mut message);
        message
    }

    fn stanza(&self, name: &str, encrypted: Vec<Node>) -> Node {
        let kind = if self.media.is_some() { "media" } else { "text" };
        let node = NodeBuilder::new("message").attr("id", self.id.as_str()).attr("t", world::now()).attr("type", kind);
        let node = if let Some(edit) = &self.edit { node.attr("edit", edit.as_str()) } else { node };
        let node = match &self.chat {
            Chat::Direct(_) => node
                .attr("from", address::lid(self.sender))
                .attr("sender_pn", address::pn(self.sender))
                .attr("addressing_mode", "lid")
                .attr("notify", name),
            Chat::Own(contact) => node
                .attr("from", address::lid(self.sender))
                .attr("recipient", address::lid(*contact))
                .attr("peer_recipient_pn", address::pn(*contact))
                .attr("addressing_mode", "lid")
                .attr("notify", name),
            Chat::Peer => node.attr("from", address::pn(self.sender)).attr("category", "peer"),
            Chat::Group(group) => node
                .attr("from", group.jid())
                .attr("participant", address::lid(self.sender))
                .attr("participant_pn", address::pn(self.sender))
                .attr("addressing_mode", "lid")
                .attr("notify", name),
        };
        node.children(encrypted).build()
    }
}

/// Sends a letter to every companion of its chat. Gives how many there are.
///
/// # Errors
/// A companion's keys are damaged.
pub fn post(world: &World, letter: &Letter) -> Result<usize> {
    let devices = letter.recipients(world);
    post_to(world, letter, &devices)?;
    Ok(devices.len())
}

/// Sends a letter to these companions.
///
/// # Errors
/// A companion's keys are damaged.
pub fn post_to(world: &World, letter: &Letter, devices: &[Arc<Device>]) -> Result<()> {
    let name = world.name_of(letter.sender);
    let person = world.person(letter.sender);
    let plaintext = letter.plaintext();
    // locked for the whole letter, so that what one person writes is queued in the order it was written
    let mut state = person.lock();
    let shared = match &letter.chat {
        Chat::Group(group) => Some((group, state.encrypt_for_group(&group.id, plaintext.clone()))),
        _ => None,
    };
    for device in devices {
        let encrypted = match &shared {
            Some((group, shared)) => group_ciphertexts(&mut state, device, group, shared, letter)?,
            None => {
                let ciphertext = state.encrypt_for(device, plaintext.clone())?;
                vec![enc(&ciphertext, letter.media, letter.damaged)]
            }
        };
        let stanza = node::encode(&letter.stanza(&name, encrypted))?;
        let origin = if letter.comes_again {
            Origin::Person { sender: letter.sender, plaintext: plaintext.clone() }
        } else {
            Origin::Server
        };
        device.enqueue(Entry { kind: Kind::Message, id: letter.id.clone(), stanza, origin, resends: 0 });
        world.journal.touch(device.address.phone);
    }
    world.journal.touch(letter.sender);
    Ok(())
}

fn group_ciphertexts(
    state: &mut person::State,
    device: &Device,
    group: &Group,
    (distribution, shared): &(Vec<u8>, Vec<u8>),
    letter: &Letter,
) -> Result<Vec<Node>> {
    let mut nodes = Vec::with_capacity(2);
    if state.tell(&group.id, device.address) {
        let keys = with_distribution(&[], group, distribution.clone());
        nodes.push(enc(&state.encrypt_for(device, keys)?, None, false));
    }
    nodes.push(enc(&Ciphertext { kind: "skmsg", bytes: shared.clone() }, letter.media, letter.damaged));
    Ok(nodes)
}

/// `message`, encoded, that also carries its sender's key for `group`.
pub fn with_distribution(message: &[u8], group: &Group, distribution: Vec<u8>) -> Vec<u8> {
    let key = SenderKeyDistributionMessage {
        group_id: Some(group.jid().to_string()),
        axolotl_sender_key_distribution_message: Some(distribution),
    };
    let mut both = encode_e2e(&e2e::Message { sender_key_distribution_message: Some(key), ..Default::default() });
    both.extend_from_slice(message);
    both
}

fn enc(ciphertext: &Ciphertext, media: Option<&'static str>, damaged: bool) -> Node {
    let mut bytes = ciphertext.bytes.clone();
    // the last byte belongs to a MAC or signature in all three kinds
    if let Some(last) = bytes.last_mut().filter(|_| damaged) {
        *last ^= 0x55;
    }
    let node = NodeBuilder::new("enc").attr("v", "2").attr("type", ciphertext.kind);
    let node = if let Some(media) = media { node.attr("mediatype", media) } else { node };
    node.bytes(bytes).build()
}
