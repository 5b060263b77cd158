//! Any bytes as a history sync: of each chat no more than is kept, and in pieces it can be read as well.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wafast_core::{
    event::{code, read},
    pieces,
    record::{Other, Records},
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
    pieces::cut(&event, 100, |piece| {
        read(code::HISTORY_SYNC, piece, NOW, KEEP, &mut Records::default()).expect("a piece is an event");
    });
    let mut records = Records::default();
    read(code::HISTORY_SYNC, &event, NOW, KEEP, &mut records).expect("what is inside is no matter of the event");
    for other in &records.others {
        if let Other::Chat(chat) = other {
            assert!(chat.pinned_at.is_none_or(|at| (0..=NOW).contains(&at)));
        }
    }
    let chats = records.others.iter().filter(|other| matches!(other, Other::Chat(_))).count();
    assert!(records.messages.len() <= KEEP * chats);
    for message in &records.messages {
        assert!(message.is_history && message.timestamp >= NOW - 30 * 86_400);
    }
});
