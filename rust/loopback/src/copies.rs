//! The companion of one line again under other numbers, keys and all. A pairing takes 0.3 s of a client's CPU; whoever
//! needs lines by the thousand pairs one, copies it here, and copies the client's session file to match.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    account::Account,
    address::{self, Address, Phone},
    world::World,
};

/// A line as its client has to know it.
#[derive(Serialize)]
pub struct Copied {
    pub phone: String,
    pub lid: String,
    pub device: u16,
    /// The public identity key of its phone, in hex.
    pub identity: String,
}

/// Gives each of `phones` the companion `phone` has, in place of those it had.
///
/// # Errors
/// `phone` has not exactly one companion, or is among `phones`.
pub fn copy(world: &World, phone: Phone, phones: &[Phone]) -> Result<Vec<Copied>, String> {
    let devices = world.devices(phone);
    let [device] = devices.as_slice() else {
        return Err(format!("{phone} has {} linked devices; one with exactly one is copied", devices.len()));
    };
    if phones.contains(&phone) {
        return Err(format!("{phone} can't become a copy of itself"));
    }
    let (number, source) = (device.address.device, world.person(phone));
    let (key_index, app_state) = {
        let state = source.lock();
        let account = state.account.as_ref().ok_or("its account has gone")?;
        (account.key_index, account.app_state.clone())
    };
    let give = |&phone: &Phone| {
        let copied = Arc::new(device.copied(Address { phone, device: number }));
        let account = Account {
            key_index,
            devices: [(number, copied)].into(),
            app_state: app_state.clone(),
            ..Account::default()
        };
        let person = world.person(phone);
        let mut state = person.lock();
        state.account = Some(Box::new(account));
        world.journal.touch(phone);
        let identity = state.keys.identity().public.iter().map(|byte| format!("{byte:02x}")).collect();
        Copied { phone: phone.to_string(), lid: address::lid_of(phone).to_string(), device: number, identity }
    };
    Ok(phones.iter().map(give).collect())
}
