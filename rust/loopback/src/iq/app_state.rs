//! App state: collections are fetched, and patches made by companions accepted (whatsmeow `appstate.go`).

use wafast_protocol::{
    Result,
    node::{Node, NodeBuilder, NodeExt},
};

use crate::{
    app_state::{Accepted, AppState},
    device::Device,
    notification, reply,
    world::World,
};

pub fn answer(world: &World, device: &Device, iq: &Node) -> Result<Node> {
    let me = device.address;
    let person = world.person(me.phone);
    let (mut answers, mut changed) = (Vec::new(), Vec::new());
    {
        let mut state = person.lock();
        let app_state = &mut state.account.get_or_insert_default().app_state;
        for collection in iq.need_child("sync")?.nodes() {
            let name = collection.need_text("name")?;
            answers.push(match collection.child(&["patch"]) {
                None => fetched(app_state, collection, &name),
                Some(patch) => {
                    let version = asked_version(collection);
                    match app_state.accept(&name, version, patch.bytes())? {
                        Accepted::Version(version) => {
                            changed.push((name.clone(), version));
                            node(&name, version).build()
                        }
                        Accepted::Conflict => conflict(app_state, &name, version),
                    }
                }
            });
        }
    }
    for (name, version) in changed {
        world.journal.touch(me.phone);
        notification::app_state_changed(world, me.phone, Some(me.device), &name, version);
    }
    Ok(reply::result(iq, [NodeBuilder::new("sync").children(answers).build()]))
}

fn node(name: &str, version: u64) -> NodeBuilder {
    NodeBuilder::new("collection").attr("name", name).attr("version", version)
}

fn asked_version(collection: &Node) -> u64 {
    collection.text("version").and_then(|version| version.parse().ok()).unwrap_or(0)
}

fn fetched(app_state: &AppState, collection: &Node, name: &str) -> Node {
    let (version, patches) = app_state.since(name, asked_version(collection));
    let answer = node(name, version);
    if patches.is_empty() { answer.build() } else { answer.children([patch_nodes(patches)]).build() }
}

/// The patches the companion did not know when it made its own; it applies them and tries again.
fn conflict(app_state: &AppState, name: &str, version: u64) -> Node {
    let (current, patches) = app_state.since(name, version);
    let error = NodeBuilder::new("error").attr("code", 409).attr("text", "conflict").build();
    node(name, current).attr("type", "error").children([error, patch_nodes(patches)]).build()
}

fn patch_nodes(patches: &[Vec<u8>]) -> Node {
    let nodes = patches.iter().map(|patch| NodeBuilder::new("patch").bytes(patch.as_slice()).build());
    NodeBuilder::new("patches").children(nodes).build()
}
