//! What a line's own phone does for its companions.

use std::sync::Arc;

use wafast_protocol::{
    Result,
    node::{Jid, NodeBuilder},
};

use crate::{
    address::{Address, Phone},
    device::Device,
    link::Ending,
    message_out::{self, Chat, Letter},
    mutation::{ChatSettings, Mutation},
    notification,
    world::{self, World},
};

/// A companion is ready. The first time, the phone shares its app-state key, and with it its push name: without one
/// whatsmeow can't send presence.
pub fn companion_is_active(world: &World, device: &Arc<Device>) {
    if device.with(|state| std::mem::replace(&mut state.greeted, true)) {
        return;
    }
    let phone = device.address.phone;
    let named = world.person(phone).lock().account.as_ref().is_some_and(|account| account.app_state.has_push_name());
    if !named && set(world, phone, Mutation::push_name(&world.name_of(phone))).is_err() {
        world.stats.protocol_errors.add();
    }
    share_app_state_key(world, device);
}

/// Sends a companion the key of the app state; it fetches every collection then.
pub fn share_app_state_key(world: &World, device: &Arc<Device>) {
    let phone = device.address.phone;
    let message = world.person(phone).lock().account.get_or_insert_default().app_state.key_share(world::now());
    let letter = Letter::new(phone, Chat::Peer, world.message_id(), &message);
    if message_out::post_to(world, &letter, std::slice::from_ref(device)).is_err() {
        world.stats.protocol_errors.add();
    }
}

/// Somebody names themselves; a line's companions are told.
///
/// # Errors
/// The line's app state is damaged.
pub fn set_push_name(world: &World, phone: Phone, name: &str) -> Result<()> {
    world.person(phone).lock().name = Some(name.to_owned());
    world.journal.touch(phone);
    if world.devices(phone).is_empty() { Ok(()) } else { set_and_tell(world, phone, Mutation::push_name(name)) }
}

/// The owner sets something of a chat; companions are told, and one linked later fetches it.
///
/// # Errors
/// The line's app state is damaged.
pub fn set_of_chat(world: &World, phone: Phone, chat: &Jid, settings: ChatSettings) -> Result<()> {
    settings.mutations(chat).into_iter().try_for_each(|mutation| set_and_tell(world, phone, mutation))
}

fn set_and_tell(world: &World, phone: Phone, mutation: Mutation) -> Result<()> {
    let collection = mutation.collection;
    let version = set(world, phone, mutation)?;
    if world.devices(phone).iter().any(|device| device.with(|state| state.greeted)) {
        notification::app_state_changed(world, phone, None, collection, version);
    }
    Ok(())
}

fn set(world: &World, phone: Phone, mutation: Mutation) -> Result<u64> {
    let version = world.person(phone).lock().account.get_or_insert_default().app_state.set(mutation, world::now())?;
    world.journal.touch(phone);
    Ok(version)
}

/// The phone unlinks every companion; those online are told, the others learn it when they log in.
pub fn unlink_all(world: &World, phone: Phone) -> usize {
    let devices = world.devices(phone);
    for device in &devices {
        if let Some(link) = device.link() {
            let conflict = NodeBuilder::new("conflict").attr("type", "device_removed").build();
            link.send(&NodeBuilder::new("stream:error").attr("code", "401").children([conflict]).build());
            link.end(Ending::Close);
        }
        forget_companion(world, device.address);
    }
    devices.len()
}

/// A companion is linked no longer.
pub fn forget_companion(world: &World, address: Address) {
    let person = world.person(address.phone);
    let mut state = person.lock();
    state.forget_device(address);
    if let Some(account) = &mut state.account {
        account.devices.remove(&address.device);
    }
    drop(state);
    world.journal.touch(address.phone);
    notification::devices_changed(world, address);
}
