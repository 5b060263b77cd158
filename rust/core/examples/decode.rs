//! How fast one core decodes: `decode FILE ROUNDS`, where FILE holds events with four bytes of length (little endian)
//! before each. Prints nanoseconds an event. `bench/decode.py` makes the file and the table.

use std::{env, fs, hint::black_box, time::Instant};

use wafast_core::{event, record::Records};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(path), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: decode FILE ROUNDS".into());
    };
    let bytes = fs::read(path)?;
    let mut events = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (event, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        events.push(event);
        rest = after;
    }
    let mut best = f64::MAX;
    for _ in 0..rounds.parse::<usize>()? {
        let begun = Instant::now();
        // As a writer reads a batch.
        for batch in events.chunks(2000) {
            let mut records = Records::default();
            for event in batch {
                event::read(event::code::MESSAGE, black_box(event), 1_790_000_000, 20, &mut records)?;
            }
            black_box(records);
        }
        best = best.min(begun.elapsed().as_secs_f64());
    }
    println!("{}", best * 1e9 / events.len() as f64);
    Ok(())
}
