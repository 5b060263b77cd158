//! A client's stanzas, each to the file that knows it.

use std::sync::Arc;

use wafast_protocol::node::{Node, NodeExt};

use crate::{
    device::Device, iq, link::Link, message_in, presence, queue::Kind, receipt, registration::Registration, reply,
    world::World,
};

/// What a connection is.
pub enum Role {
    /// Not linked yet.
    Registering(Arc<Registration>),
    /// A linked companion.
    Companion(Arc<Device>),
    /// On its way out.
    Refused,
}

/// One live connection.
pub struct Session {
    pub world: Arc<World>,
    pub link: Arc<Link>,
    pub role: Role,
}

impl Session {
    /// A stanza has come.
    pub fn take(&mut self, node: &Node) {
        match &self.role {
            Role::Registering(registration) => self.take_from_stranger(registration, node),
            Role::Companion(device) => self.take_from_companion(&Arc::clone(device), node),
            Role::Refused => {}
        }
    }

    fn take_from_stranger(&self, registration: &Registration, node: &Node) {
        if node.tag == "iq" && !registration.take_iq(&self.world, node) {
            self.link.send(&reply::result(node, []));
        }
    }

    fn take_from_companion(&self, device: &Arc<Device>, node: &Node) {
        let world = &self.world;
        match node.tag.as_ref() {
            "iq" => iq::take(world, &self.link, device, node),
            "message" => message_in::take(world, &self.link, device, node),
            "receipt" => receipt::take(world, &self.link, device, node),
            "ack" => take_ack(world, device, node),
            "presence" | "chatstate" => presence::take(world, device, node),
            "ib" => {}
            other => world.stats.unknown(&format!("<{other}>")),
        }
    }

    /// The connection is over.
    pub fn end(&self) {
        match &self.role {
            Role::Registering(registration) => registration.end(&self.world),
            Role::Companion(device) => device.with(|state| state.disconnected(&self.link)),
            Role::Refused => {}
        }
    }
}

/// Receipts and notifications are acknowledged by `<ack>`. For a message it comes only when the client could not read it:
/// without an error a retry receipt comes too, so the message stays; with one the client will never take it.
fn take_ack(world: &World, device: &Device, ack: &Node) {
    let id = ack.text("id").unwrap_or_default();
    let kind = match ack.text("class").as_deref() {
        Some("receipt") => Kind::Receipt,
        Some("notification") => Kind::Notification,
        Some("message") if ack.text("error").is_some() => {
            world.stats.nacks.add();
            Kind::Message
        }
        _ => return,
    };
    receipt::acknowledged(world, device, kind, &id);
}
