//! What can go wrong with a line, on demand.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use wafast_protocol::node::{Node, NodeBuilder};

use crate::{
    account::{Account, Refusal, SendRefusal},
    address::Phone,
    link::Ending,
    login, phone,
    world::World,
};

/// Cuts the connections of a line's companions; gives how many there were.
pub fn drop_line(world: &World, line: Phone) -> usize {
    let devices = world.devices(line);
    devices.iter().filter_map(|device| device.link()).map(|link| link.end(Ending::Cut)).count()
}

/// Refuses every connection, or takes them again.
pub fn set_down(world: &World, down: bool) {
    world.down.store(down, Relaxed);
    if down {
        world.cut_all();
    }
}

/// The phone unlinks all its companions.
pub fn logout(world: &World, line: Phone) -> usize {
    phone::unlink_all(world, line)
}

/// Another place logs in as the line's companions.
pub fn replace(world: &World, line: Phone) -> usize {
    say_and_close(world, line, &login::replaced())
}

/// `<stream:error code>`, then the connection closes.
pub fn stream_error(world: &World, line: Phone, code: u16) -> usize {
    say_and_close(world, line, &NodeBuilder::new("stream:error").attr("code", code).build())
}

/// Refuses the line's logins with `reason` until [`clear`]; companions online are told at once.
pub fn refuse_logins(world: &World, line: Phone, reason: u16, ban: Option<(u16, Duration)>) -> usize {
    let refusal = Refusal { reason, ban: ban.map(|(code, length)| (code, Instant::now() + length)) };
    with_account(world, line, |account| account.faults.refusal = Some(refusal.clone()));
    say_and_close(world, line, &login::failure(&refusal))
}

/// Refuses the line's sends with `code`: the next `count`, or all until [`clear`].
pub fn refuse_sends(world: &World, line: Phone, code: u16, count: Option<u32>) {
    with_account(world, line, |account| account.faults.send_refusal = Some(SendRefusal { code, left: count }));
}

/// Holds the acknowledgements of the line's sends back, or lets all of them go.
pub fn hold_acks(world: &World, line: Phone, on: bool) -> usize {
    let held = with_account(world, line, |account| {
        account.faults.hold_acks = on;
        if on { Vec::new() } else { std::mem::take(&mut account.faults.held) }
    });
    held.iter().filter_map(|(link, ack)| Some((link.upgrade()?, ack))).map(|(link, ack)| link.send(ack)).count()
}

/// Everything about the line is well again.
pub fn clear(world: &World, line: Phone) {
    hold_acks(world, line, false);
    with_account(world, line, |account| account.faults = Default::default());
}

fn with_account<T>(world: &World, line: Phone, action: impl FnOnce(&mut Account) -> T) -> T {
    action(world.person(line).lock().account.get_or_insert_default())
}

fn say_and_close(world: &World, line: Phone, node: &Node) -> usize {
    let links = world.devices(line).into_iter().filter_map(|device| device.link());
    links
        .map(|link| {
            link.send(node);
            link.end(Ending::Close);
        })
        .count()
}
