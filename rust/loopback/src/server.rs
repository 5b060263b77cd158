//! The whole simulator from start to end.

use std::{fs, io, sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use crate::{arguments::Arguments, control, front, listener, live, profile, tls, world::World};

/// How often what has changed is written. An unclean stop loses at most this of the world.
const SAVE_EVERY: Duration = Duration::from_secs(3);

/// Runs until SIGINT, SIGTERM or the control command `quit`.
///
/// # Errors
/// The folder can't be used, or a port is taken.
pub async fn run(arguments: &Arguments) -> io::Result<()> {
    let folder = &arguments.folder;
    fs::create_dir_all(folder)?;
    raise_descriptor_limit()?;
    let tls = tls::prepare(folder)?;
    let world = Arc::new(World::open(folder, arguments.seed)?);
    // from here on the file lacks the mark of a clean stop
    world.journal.rewrite(&world)?;
    let proxy = listener::bind(arguments.proxy_port).await?;
    let control = listener::bind(arguments.control_port).await?;
    profile::write(folder, &world, proxy.local_addr()?, control.local_addr()?)?;
    println!(
        "wafast loopback is ready: proxy http://{}, control {}, profile {}",
        proxy.local_addr()?,
        control.local_addr()?,
        folder.join("loopback.json").display()
    );
    live::resume(&world);
    let front = tokio::spawn(front::accept(Arc::clone(&world), proxy, tls));
    let control = tokio::spawn(control::accept(Arc::clone(&world), control));
    until_told(&world).await?;
    front.abort();
    control.abort();
    world.cut_all();
    tokio::task::block_in_place(|| world.journal.close(&world))
}

/// Every session is a socket, and most systems begin at 1,024.
fn raise_descriptor_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}

async fn until_told(world: &Arc<World>) -> io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut tick = interval(SAVE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            () = world.quit.notified() => return Ok(()),
            _ = tick.tick() => {
                let world = Arc::clone(world);
                let saved = tokio::task::spawn_blocking(move || world.journal.save(&world)).await;
                if let Ok(Err(error)) = saved {
                    eprintln!("wafast loopback: the world could not be saved: {error}");
                }
            }
        }
    }
}
