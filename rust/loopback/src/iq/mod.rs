//! Questions and orders of a companion (`<iq>`), by namespace.

mod app_state;
mod devices;
mod groups;
mod media_conn;
pub mod pre_keys;
mod privacy;
mod usync;

use std::sync::Arc;

use wafast_protocol::node::{Node, NodeExt};

use crate::{device::Device, link::Link, phone, reply, world::World};

/// Answers an IQ of a companion. Answers to IQs of ours need nothing.
pub fn take(world: &Arc<World>, link: &Link, device: &Arc<Device>, iq: &Node) {
    if !matches!(iq.text("type").as_deref(), Some("get" | "set")) {
        return;
    }
    let namespace = iq.text("xmlns").unwrap_or_default();
    let answer = match namespace.as_str() {
        "encrypt" => pre_keys::answer(world, device, iq),
        "usync" => usync::answer(world, iq),
        "w:g2" => groups::answer(world, device, iq),
        "w:m" => Ok(media_conn::answer(iq)),
        "privacy" => Ok(privacy::answer(iq)),
        "w:sync:app:state" => app_state::answer(world, device, iq),
        "md" => devices::answer(world, device, iq),
        "passive" | "w:p" | "urn:xmpp:ping" => Ok(reply::result(iq, [])),
        "w:profile:picture" => Ok(reply::error(iq, 404, "item-not-found")),
        _ => {
            world.stats.unknown(&namespace);
            Ok(reply::result(iq, []))
        }
    };
    link.send(&answer.unwrap_or_else(|error| {
        world.stats.protocol_errors.add();
        reply::error(iq, 400, &error.to_string())
    }));
    if namespace == "passive" && iq.child(&["active"]).is_some() {
        device.with(|state| state.activate());
        phone::companion_is_active(world, device);
    }
}
