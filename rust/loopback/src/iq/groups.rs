//! Groups a companion asks about (whatsmeow `group.go`).

use wafast_protocol::{
    Result,
    node::{Node, NodeBuilder, NodeExt},
};

use crate::{device::Device, reply, world::World};

pub fn answer(world: &World, device: &Device, iq: &Node) -> Result<Node> {
    let me = device.address.phone;
    if iq.child(&["participating"]).is_some() {
        let groups = world.groups(|group| group.members.contains(&me));
        let nodes = groups.iter().map(|group| group.node());
        return Ok(reply::result(iq, [NodeBuilder::new("groups").children(nodes).build()]));
    }
    let id = iq.need_jid("to")?.user;
    Ok(match world.group(&id) {
        None => reply::error(iq, 404, "item-not-found"),
        Some(group) if !group.members.contains(&me) => reply::error(iq, 403, "forbidden"),
        Some(group) if iq.child(&["query"]).is_some() => reply::result(iq, [group.node()]),
        Some(_) => {
            world.stats.unknown("w:g2 change");
            reply::error(iq, 501, "feature-not-implemented")
        }
    })
}
