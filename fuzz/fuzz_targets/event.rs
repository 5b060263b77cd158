//! Any bytes as an event of each code that is read in Rust. The first byte chooses the code.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wafast_core::{
    event::{code, read},
    record::{Change, Other, Records},
};

const NOW: i64 = 1_790_000_000;
const CODES: [i32; 9] = [
    code::MESSAGE,
    code::UNDECRYPTABLE,
    code::RECEIPT,
    code::HISTORY_SYNC,
    code::GROUP_INFO,
    code::JOINED_GROUP,
    code::CALL_TERMINATE,
    code::CHAT_PRESENCE,
    code::PRESENCE,
];

fuzz_target!(|data: &[u8]| {
    let Some((first, event)) = data.split_first() else { return };
    let mut records = Records::default();
    if read(CODES[usize::from(*first) % CODES.len()], event, NOW, 20, &mut records).is_err() {
        return assert_eq!(records, Records::default());
    }
    for message in records.messages {
        assert!(!message.id.is_empty() && !message.id.contains('\0'));
        assert!(!message.chat.to_string().contains('\0') && !message.content.body.contains('\0'));
        assert!(message.sender_name.is_none_or(|name| !name.contains('\0')));
        assert!((1..=NOW + 86_400).contains(&message.timestamp));
    }
    for other in records.others {
        match other {
            Other::Change(target) => {
                assert!(!target.message_id.is_empty() && !target.message_id.contains('\0'));
                if let Change::Edit { body: text, .. } | Change::Reaction { emoji: text, .. } = target.change {
                    assert!(!text.contains('\0'));
                }
            }
            Other::Name { name, .. } => assert!(!name.contains('\0')),
            _ => {}
        }
    }
});
