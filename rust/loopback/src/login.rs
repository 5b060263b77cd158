//! A linked companion logs in.

use std::{sync::Arc, time::Instant};

use wafast_protocol::node::{Node, NodeBuilder};

use crate::{
    account::Refusal,
    address::Address,
    device::Device,
    link::{Ending, Link},
    queue::Counts,
    world::{self, World},
};

/// Lets the companion `address` in, or sends it the reason why not and ends the connection.
pub fn login(world: &World, link: &Arc<Link>, noise_key: &[u8; 32], address: Address) -> Option<Arc<Device>> {
    match admit(world, noise_key, address) {
        Ok(device) => {
            world.stats.logins.add();
            greet(link, &device);
            Some(device)
        }
        Err(refusal) => {
            world.stats.refused_logins.add();
            link.send(&failure(&refusal));
            link.end(Ending::Close);
            None
        }
    }
}

fn admit(world: &World, noise_key: &[u8; 32], address: Address) -> Result<Arc<Device>, Refusal> {
    let logged_out = || Refusal { reason: 401, ban: None };
    let person = world.known_person(address.phone).ok_or_else(logged_out)?;
    let mut state = person.lock();
    let account = state.account.as_mut().ok_or_else(logged_out)?;
    let device = account.devices.get(&address.device).filter(|device| device.noise_key == *noise_key);
    let device = Arc::clone(device.ok_or_else(logged_out)?);
    account.refusal().map_or(Ok(device), Err)
}

/// What a refused login is told (whatsmeow `connectionevents.go`, `handleConnectFailure`).
pub fn failure(refusal: &Refusal) -> Node {
    let node = NodeBuilder::new("failure").attr("reason", refusal.reason).attr("location", "frc");
    match refusal.ban {
        Some((code, until)) => {
            let left = until.saturating_duration_since(Instant::now()).as_secs();
            node.attr("code", code).attr("expire", left.max(1)).build()
        }
        None => node.build(),
    }
}

/// The stream error a second login of the same companion causes.
pub fn replaced() -> Node {
    let conflict = NodeBuilder::new("conflict").attr("type", "replaced").build();
    NodeBuilder::new("stream:error").children([conflict]).build()
}

fn greet(link: &Arc<Link>, device: &Arc<Device>) {
    let (before, counts) = device.with(|state| (state.connect(Arc::clone(link)), state.queue.rewind()));
    if let Some(before) = before {
        before.send(&replaced());
        before.end(Ending::Close);
    }
    let success = NodeBuilder::new("success").attr("t", world::now()).attr("lid", device.address.lid());
    link.send(&success.attr("props", "27").attr("location", "frc").build());
    link.send(&offline_preview(&counts));
}

/// What waits for the device, before it comes.
fn offline_preview(counts: &Counts) -> Node {
    let preview = NodeBuilder::new("offline_preview")
        .attr("count", counts.messages + counts.receipts + counts.notifications)
        .attr("appdata", 0)
        .attr("message", counts.messages)
        .attr("notification", counts.notifications)
        .attr("receipt", counts.receipts);
    NodeBuilder::new("ib").children([preview.build()]).build()
}

/// That all of it has come.
pub fn offline_done(count: usize) -> Node {
    let offline = NodeBuilder::new("offline").attr("count", count).build();
    NodeBuilder::new("ib").children([offline]).build()
}
