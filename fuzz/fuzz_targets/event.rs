//! Any bytes as an event of each code that is read in Rust. The first byte is the code.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use wafast_core::{
    event::{is_data, read},
    jid::Jid,
    record::{Change, Other, Records},
};

const NOW: i64 = 1_790_000_000;

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((first, event)) = data.split_first() else { return Corpus::Reject };
    let (code, mut records) = (i32::from(*first), Records::default());
    if !is_data(code) {
        return Corpus::Reject;
    }
    if read(code, event, NOW, 20, &mut records).is_err() {
        assert_eq!(records, Records::default());
        return Corpus::Keep;
    }
    for message in records.messages {
        assert!(!message.id.is_empty() && !message.id.contains('\0'));
        let chat = message.chat.to_string();
        assert!(!chat.contains('\0') && !message.content.body.contains('\0'));
        assert_eq!(Jid::parse(&chat), Some(message.chat), "the table gives the chat back");
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
    Corpus::Keep
});
