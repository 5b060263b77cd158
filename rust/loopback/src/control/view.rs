//! What the control port shows of lines and the server.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    address::{self, Phone},
    device::Device,
    person::Person,
    world::World,
};

/// All lines, or one: their companions, who is online and what waits.
pub fn lines(world: &World, only: Option<Phone>) -> Value {
    let mut people = world.people();
    people.retain(|person| only.is_none_or(|phone| person.phone == phone));
    people.sort_by_key(|person| person.phone);
    let lines: Vec<Value> = people.iter().filter_map(|person| line(world, person)).collect();
    json!({"accounts": lines})
}

fn line(world: &World, person: &Person) -> Option<Value> {
    let devices = {
        let state = person.lock();
        let account = state.account.as_ref()?;
        account.devices.values().cloned().collect::<Vec<_>>()
    };
    Some(json!({
        "phone": person.phone.to_string(),
        "lid": address::lid_of(person.phone).to_string(),
        "name": world.name_of(person.phone),
        "devices": devices.iter().map(device).collect::<Vec<_>>(),
    }))
}

fn device(device: &Arc<Device>) -> Value {
    let number = device.address.device;
    device.with(|state| {
        json!({
            "device": number,
            "online": state.is_online(),
            "unacked": state.queue.len(),
            "prekeys": state.pre_key_count(),
        })
    })
}

/// Counters, and how many companions there are and are online.
pub fn stats(world: &World) -> Value {
    let people = world.people();
    let devices: Vec<Arc<Device>> = people.iter().flat_map(|person| world.devices(person.phone)).collect();
    let online = devices.iter().filter(|device| device.with(|state| state.is_online())).count();
    let mut stats = world.stats.to_json();
    stats["people"] = json!(people.len());
    stats["devices"] = json!(devices.len());
    stats["sessions"] = json!(online);
    stats
}
