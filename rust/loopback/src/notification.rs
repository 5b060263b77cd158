//! `<notification>` stanzas: what the server tells a device without being asked.

use std::sync::Arc;

use wafast_protocol::node::{self, Node, NodeBuilder, NodeExt};

use crate::{
    address::{self, Address},
    device::Device,
    group::Group,
    queue::{Entry, Kind, Origin},
    world::{self, World},
};

/// A notification of this type from the server itself.
pub fn from_server(world: &World, kind: &str) -> NodeBuilder {
    NodeBuilder::new("notification")
        .attr("from", node::server_jid())
        .attr("type", kind)
        .attr("id", world.stanza_id())
        .attr("t", world::now())
}

/// Puts a notification into a device's queue; it comes again until acknowledged.
pub fn queue(device: &Arc<Device>, node: &Node) {
    let Ok(stanza) = node::encode(node) else {
        return;
    };
    let id = node.text("id").unwrap_or_default();
    device.enqueue(Entry { kind: Kind::Notification, id, stanza, origin: Origin::Server, resends: 0 });
}

/// The list of companions of `changed`'s line is another: its other companions look it up anew.
pub fn devices_changed(world: &World, changed: Address) {
    for device in world.devices(changed.phone).iter().filter(|device| device.address != changed) {
        // a hash that can't match makes whatsmeow drop its cached list (`notification.go`)
        let devices = NodeBuilder::new("devices").attr("dhash", "2:changed");
        let node = NodeBuilder::new("notification")
            .attr("from", address::pn(changed.phone))
            .attr("type", "account_sync")
            .attr("id", world.stanza_id())
            .attr("t", world::now())
            .children([devices.children([NodeBuilder::new("device").attr("jid", changed.pn()).build()]).build()]);
        queue(device, &node.build());
    }
}

/// A group was made or has changed: everyone who is or was in it learns how.
pub fn group_changed(world: &World, before: Option<&Group>, after: &Group) {
    let gone = before.iter().flat_map(|group| &group.members).filter(|member| !after.members.contains(member));
    let devices: Vec<Arc<Device>> = after.members.iter().chain(gone).flat_map(|phone| world.devices(*phone)).collect();
    for change in after.changes_since(before) {
        for device in &devices {
            let node = NodeBuilder::new("notification")
                .attr("from", after.jid())
                .attr("type", "w:gp2")
                .attr("id", world.stanza_id())
                .attr("participant", address::lid(after.owner()))
                .attr("participant_pn", address::pn(after.owner()))
                .attr("addressing_mode", "lid")
                .attr("t", world::now());
            queue(device, &node.children([change.clone()]).build());
        }
    }
}

/// A collection of app state has changed: the line's companions but `except` fetch it.
pub fn app_state_changed(world: &World, line: address::Phone, except: Option<u16>, collection: &str, version: u64) {
    for device in world.devices(line).iter().filter(|device| Some(device.address.device) != except) {
        let child = NodeBuilder::new("collection").attr("name", collection).attr("version", version).build();
        queue(device, &from_server(world, "server_sync").children([child]).build());
    }
}

/// Only a few one-time prekeys are left: the device uploads more.
pub fn pre_keys_low(world: &World, device: &Arc<Device>, left: usize) {
    let count = NodeBuilder::new("count").attr("value", left).build();
    queue(device, &from_server(world, "encrypt").children([count]).build());
}
