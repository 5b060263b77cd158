//! Orders about linked devices themselves: a companion logs out.

use std::sync::Arc;

use wafast_protocol::{
    Result,
    node::{Node, NodeExt},
};

use crate::{device::Device, phone, reply, world::World};

pub fn answer(world: &World, device: &Arc<Device>, iq: &Node) -> Result<Node> {
    if iq.child(&["remove-companion-device"]).is_some() {
        // the device ends the connection itself after the answer (`client.go`, `Logout`)
        phone::forget_companion(world, device.address);
    } else {
        world.stats.unknown("md");
    }
    Ok(reply::result(iq, []))
}
