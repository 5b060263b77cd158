//! Prekeys: companions upload theirs and fetch those of whom they write to (whatsmeow `prekeys.go`).

use std::sync::Arc;

use wafast_protocol::{
    Result,
    node::{Node, NodeBuilder, NodeExt},
    signal::Bundle,
};

use crate::{
    address::Address,
    device::{Device, Keys, PRE_KEYS_LOW},
    notification, reply,
    world::{self, World},
};

pub fn answer(world: &World, device: &Arc<Device>, iq: &Node) -> Result<Node> {
    if iq.child(&["count"]).is_some() {
        let count = device.with(|state| state.pre_key_count());
        return Ok(reply::result(iq, [NodeBuilder::new("count").attr("value", count).build()]));
    }
    if let Some(wanted) = iq.child(&["key"]) {
        let users = wanted.nodes().iter().map(|user| answer_user(world, user)).collect::<Result<Vec<_>>>()?;
        return Ok(reply::result(iq, [NodeBuilder::new("list").children(users).build()]));
    }
    if iq.child(&["list"]).is_some() {
        upload(device, iq)?;
        world.journal.touch(device.address.phone);
    }
    Ok(reply::result(iq, []))
}

fn upload(device: &Device, iq: &Node) -> Result<()> {
    let signed = iq.need_child("skey")?;
    let keys = Keys {
        registration_id: number(iq.need_child("registration")?.bytes()),
        identity: iq.need_child("identity")?.array("identity")?,
        signed_pre_key_id: number(signed.need_child("id")?.bytes()),
        signed_pre_key: signed.need_child("value")?.array("signed prekey")?,
        signature: signed.need_child("signature")?.bytes().to_vec(),
    };
    let list = iq.need_child("list")?.nodes().iter();
    let pre_keys = list.map(read_key).collect::<Result<Vec<_>>>()?;
    device.with(|state| {
        state.keys = keys;
        state.add_pre_keys(pre_keys);
    });
    Ok(())
}

fn read_key(node: &Node) -> Result<(u32, [u8; 32])> {
    Ok((number(node.need_child("id")?.bytes()), node.need_child("value")?.array("prekey")?))
}

fn answer_user(world: &World, user: &Node) -> Result<Node> {
    let jid = user.need_jid("jid")?;
    let answer = NodeBuilder::new("user").attr("jid", jid.clone());
    let bundle = Address::of(&jid).and_then(|address| take_bundle(world, address));
    let Some(bundle) = bundle else {
        let error = NodeBuilder::new("error").attr("code", 404).attr("text", "item-not-found").build();
        return Ok(answer.children([error]).build());
    };
    Ok(answer.attr("t", world::now()).children(bundle_nodes(&bundle)).build())
}

/// The keys to write to a companion or a phone, with one of its one-time prekeys.
pub fn take_bundle(world: &World, address: Address) -> Option<Bundle> {
    if address.device == 0 {
        let person = world.person(address.phone);
        let mut state = person.lock();
        world.journal.touch(address.phone);
        return state.on_whatsapp.then(|| state.keys.bundle());
    }
    let device = world.device(address)?;
    Some(take_device_bundle(world, &device))
}

/// The keys to write to a companion; it is told when few are left.
pub fn take_device_bundle(world: &World, device: &Arc<Device>) -> Bundle {
    let (bundle, left) = device.with(|state| (state.take_bundle(), state.pre_key_count()));
    world.journal.touch(device.address.phone);
    if left == PRE_KEYS_LOW - 1 {
        notification::pre_keys_low(world, device, left);
    }
    bundle
}

/// A bundle as the children of `<user>`, or of `<keys>` in a retry receipt.
pub fn bundle_nodes(bundle: &Bundle) -> Vec<Node> {
    let child = |tag, bytes: &[u8]| NodeBuilder::new(tag).bytes(bytes).build();
    let mut nodes = vec![
        child("registration", &bundle.registration_id.to_be_bytes()),
        child("type", &[5]),
        child("identity", &bundle.identity),
        NodeBuilder::new("skey")
            .children([
                child("id", &bundle.signed_pre_key_id.to_be_bytes()[1..]),
                child("value", &bundle.signed_pre_key),
                child("signature", &bundle.signature),
            ])
            .build(),
    ];
    if let Some((id, key)) = &bundle.pre_key {
        let children = [child("id", &id.to_be_bytes()[1..]), child("value", key)];
        nodes.push(NodeBuilder::new("key").children(children).build());
    }
    nodes
}

/// Reads the keys of a retry receipt.
///
/// # Errors
/// One is missing or has another length.
pub fn read_bundle(registration: &Node, keys: &Node) -> Result<Bundle> {
    let signed = keys.need_child("skey")?;
    Ok(Bundle {
        registration_id: number(registration.bytes()),
        identity: keys.need_child("identity")?.array("identity")?,
        signed_pre_key_id: number(signed.need_child("id")?.bytes()),
        signed_pre_key: signed.need_child("value")?.array("signed prekey")?,
        signature: signed.need_child("signature")?.array("signature")?,
        pre_key: keys.child(&["key"]).map(read_key).transpose()?,
    })
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}
