//! Any bytes as a history sync: of each chat no more than is kept.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wafast_core::{
    event::{code, read},
    record::Record,
};

const NOW: i64 = 1_790_000_000;
const KEEP: usize = 3;

fuzz_target!(|history: &[u8]| {
    let mut event = vec![0x0a];
    let mut length = history.len();
    while length > 127 {
        event.push(length as u8 | 128);
        length >>= 7;
    }
    event.push(length as u8);
    event.extend_from_slice(history);
    let records = read(code::HISTORY_SYNC, &event, NOW, KEEP).expect("what is inside is no matter of the event");
    let mut in_row = 0;
    for record in records {
        match record {
            Record::Chat(chat) => {
                assert!((0..=NOW).contains(&chat.pinned_at));
                in_row = 0;
            }
            Record::Message(message) => {
                in_row += 1;
                assert!(in_row <= KEEP && message.is_history && message.timestamp >= NOW - 30 * 86_400);
            }
            _ => {}
        }
    }
});
