//! How fast one core decodes: `decode FILE ROUNDS`. Prints nanoseconds of CPU an event, of each round: decoded, and
//! decoded with its row of binary COPY. `bench/decode.py` makes the file of events and the table.

#![cfg_attr(clippy, deny(warnings))]

mod events;

use std::{env, error::Error, fs, hint::black_box, mem};

use wafast_core::{
    copy::Rows,
    event,
    jid::Jid,
    record::{self, Message, Records},
    writer::{COLUMNS, Row, encode},
};

const NOW: i64 = 1_790_000_000;
/// Events of a batch under load: what they say fits the processor's cache, as it would there.
const BATCH: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(path), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: decode FILE ROUNDS".into());
    };
    let bytes = fs::read(path)?;
    let events = events::split(&bytes);
    let mut room = Records::default();
    for _ in 0..rounds.parse::<usize>()? {
        let decoded = time(events.len(), || {
            for batch in events.chunks(BATCH) {
                room = black_box(read(black_box(batch), mem::take(&mut room))).emptied();
            }
        });
        let with_row = time(events.len(), || {
            for batch in events.chunks(BATCH) {
                room = black_box(copy(batch, mem::take(&mut room)));
            }
        });
        println!("{decoded} {with_row}");
    }
    Ok(())
}

/// Nanoseconds of this thread's CPU one of `count` takes: what else the machine does is not counted.
fn time(count: usize, work: impl FnOnce()) -> f64 {
    let begun = cpu();
    work();
    (cpu() - begun) as f64 / count as f64
}

/// Nanoseconds this thread has run.
fn cpu() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a plain call that writes into a place of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// As a writer reads a batch, in the room of the one before.
fn read<'a>(events: &[&'a [u8]], room: Records<'_>) -> Records<'a> {
    let mut records = room.emptied();
    records.messages.reserve(events.len());
    for event in events {
        event::read(event::code::MESSAGE, event, NOW, 20, &mut records).expect("an event of the corpus");
    }
    records
}

fn copy<'a>(events: &[&'a [u8]], room: Records<'a>) -> Records<'a> {
    let records = read(events, room);
    let mut rows = Rows::new(COLUMNS);
    for (place, message) in records.messages.iter().enumerate() {
        encode(&row(place as i64, message), &mut rows);
    }
    black_box(rows.finish());
    records.emptied()
}

/// Of a chat of its own.
fn row<'a>(place: i64, message: &'a Message<'a>) -> Row<'a> {
    Row {
        chat_id: place,
        key: record::key(message.timestamp, &message.id),
        created_at: NOW * 1_000_000 + place,
        sender: message.sender.as_ref().map_or(0, Jid::packed),
        device_no: 1,
        tenant_id: 1,
        event: 0,
        flags: message.content.flags,
        status: message.status,
        is_old: false,
        message,
    }
}
