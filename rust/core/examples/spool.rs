//! The spool by itself; `bench/spool.py` makes the file of events and the table.
//!
//! `spool time FOLDER FILE COUNT` prints for the spool, for a file that is appended to, and for one with `fsync` after
//! each (a hundredth of COUNT): messages, then p50, p99 and mean in nanoseconds.
//!
//! `spool feed FOLDER FILE ACKNOWLEDGED` gives a pipeline without a database events without end, and after each one adds
//! to the eight bytes of the file ACKNOWLEDGED, which outlive it as they are shared memory.
//!
//! `spool replay FOLDER FILE` takes over what such a process left: prints how many events came back as they were and in
//! order, and nanoseconds an event to read and decode them.

#![cfg_attr(clippy, deny(warnings))]

mod events;

use std::{
    collections::VecDeque,
    env,
    error::Error,
    fs::{self, File, OpenOptions},
    hint::black_box,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use memmap2::MmapRaw;
use wafast_core::{
    event,
    pipeline::{self, Options, Pipeline},
    record::Records,
    spool::{Place, Spool},
};

/// Events that are not committed yet, as when a batch is being written.
const OPEN: usize = 10_000;
/// Nobody listens there.
const AWAY: &str = "postgresql://nobody@127.0.0.1:1/nothing";
const DEVICES: usize = 3000;
/// Events of a batch.
const BATCH: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["time", folder, file, count] => time(Path::new(folder), &events::split(&fs::read(file)?), count.parse()?),
        ["feed", folder, file, acknowledged] => {
            feed(Path::new(folder), &events::split(&fs::read(file)?), Path::new(acknowledged))
        }
        ["replay", folder, file] => replay(Path::new(folder), &events::split(&fs::read(file)?)),
        _ => Err("usage: spool time FOLDER FILE COUNT | feed FOLDER FILE ACKNOWLEDGED | replay FOLDER FILE".into()),
    }
}

fn time(folder: &Path, events: &[&[u8]], count: usize) -> Result<(), Box<dyn Error>> {
    show("clock", measure(events, count, |_| Ok(()), drop)?);
    let spool = Spool::open(&folder.join("spool"), "time")?;
    let append = |event: &[u8]| Ok(spool.append(1, event::code::MESSAGE, 0, event)?.place);
    show("spool", measure(events, count, append, Place::commit)?);
    let mut file = File::create(folder.join("appended"))?;
    show("append", measure(events, count, |event| file.write_all(event), drop)?);
    let mut file = File::create(folder.join("synced"))?;
    let append = |event: &[u8]| file.write_all(event).and_then(|()| file.sync_data());
    show("fsync", measure(events, count / 100, append, drop)?);
    Ok(())
}

/// Nanoseconds of each `append`; what it gives is settled when `OPEN` came after it, outside the measured time.
fn measure<T>(
    events: &[&[u8]],
    count: usize,
    mut append: impl FnMut(&[u8]) -> io::Result<T>,
    settle: impl Fn(T),
) -> io::Result<Vec<u64>> {
    let mut open = VecDeque::with_capacity(OPEN + 1);
    let mut took = Vec::with_capacity(count);
    for event in events.iter().cycle().take(count) {
        let begun = Instant::now();
        let made = append(black_box(event))?;
        took.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        open.push_back(made);
        if open.len() > OPEN {
            open.pop_front().map(&settle);
        }
    }
    open.into_iter().for_each(settle);
    Ok(took)
}

fn show(name: &str, mut took: Vec<u64>) {
    took.sort_unstable();
    let mean = took.iter().sum::<u64>() as f64 / took.len() as f64;
    println!("{name} {} {} {} {mean}", took.len(), took[took.len() / 2], took[took.len() * 99 / 100]);
}

fn feed(folder: &Path, events: &[&[u8]], acknowledged: &Path) -> Result<(), Box<dyn Error>> {
    let options = Options {
        uri: AWAY.into(),
        owner: "feed".into(),
        spool_dir: folder.to_owned(),
        messages_per_chat: 20,
        chat_storage: true,
        eager_media: false,
        buffer: 100,
        batch_rows: 10_000,
        batch_window: Duration::from_millis(5),
        writers: 2,
    };
    let file = OpenOptions::new().read(true).write(true).open(acknowledged)?;
    let map = MmapRaw::map_raw(&file)?;
    // SAFETY: the map is page-aligned, eight bytes long at least, and lives until the end.
    let counter = unsafe { AtomicU64::from_ptr(map.as_mut_ptr().cast()) };
    let pipeline = Pipeline::start(options)?;
    for (event, device) in events.iter().cycle().zip((1..=DEVICES).cycle()) {
        pipeline.receive(i32::try_from(device)?, event::code::MESSAGE, event, pipeline::now());
        counter.fetch_add(1, Ordering::Release);
    }
    Ok(())
}

fn replay(folder: &Path, events: &[&[u8]]) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let entries = Spool::open(folder, "replay")?.adopt()?;
    for batch in entries.chunks(BATCH) {
        let mut records = Records::default();
        for entry in batch {
            event::read(entry.code, entry.place.bytes(), entry.received_at, 20, &mut records)?;
        }
        black_box(records);
    }
    let nanoseconds = begun.elapsed().as_secs_f64() * 1e9 / entries.len().max(1) as f64;
    let whole = entries.iter().zip(events.iter().cycle()).take_while(|(entry, event)| entry.place.bytes() == **event);
    println!("{} {nanoseconds}", whole.count());
    Ok(())
}
