//! Protobuf types of WhatsApp and of neonize's events, exactly as neonize 0.5.2 carries them.
//!
//! `generated/` is made from the descriptors inside the installed neonize package and checked in. To make it anew:
//!
//! ```text
//! python rust/schema/generate/descriptors.py <site-packages>/neonize/proto descriptors.bin
//! cargo run --manifest-path rust/schema/generate/Cargo.toml -- descriptors.bin rust/schema/src/generated
//! ```
//!
//! What decodes and encodes the large roots is not generic, so that prost's code for them is built once, in this crate:
//! whoever calls it by `Message` builds all of it once more.

#![cfg_attr(clippy, deny(warnings))]

#[allow(clippy::all, clippy::pedantic, rustdoc::all)]
mod generated;

pub use generated::{
    neonize, wa_adv as adv, wa_cert as cert, wa_common as common, wa_companion_reg as companion_reg,
    wa_web_protobuf_sync_action as sync_action, wa_web_protobufs_e2e as e2e,
    wa_web_protobufs_history_sync as history_sync, wa_web_protobufs_server_sync as server_sync,
    wa_web_protobufs_wa6 as wa6, wa_web_protobufs_web as web,
};
pub use prost::{DecodeError, Message};

/// Decodes the message one person sends another (`waE2E.Message`).
///
/// # Errors
/// The bytes are not such a protobuf.
pub fn decode_e2e(bytes: &[u8]) -> Result<e2e::Message, DecodeError> {
    e2e::Message::decode(bytes)
}

/// Decodes a history sync, already inflated (`waHistorySync.HistorySync`).
///
/// # Errors
/// The bytes are not such a protobuf.
pub fn decode_history_sync(bytes: &[u8]) -> Result<history_sync::HistorySync, DecodeError> {
    history_sync::HistorySync::decode(bytes)
}

/// Decodes what neonize hands its event callback for a message (`neonize.Message`).
///
/// # Errors
/// The bytes are not such a protobuf.
pub fn decode_message_event(bytes: &[u8]) -> Result<neonize::Message, DecodeError> {
    neonize::Message::decode(bytes)
}

/// Encodes the message one person sends another (`waE2E.Message`).
#[must_use]
pub fn encode_e2e(message: &e2e::Message) -> Vec<u8> {
    message.encode_to_vec()
}

/// Encodes a history sync, not yet deflated (`waHistorySync.HistorySync`).
#[must_use]
pub fn encode_history_sync(sync: &history_sync::HistorySync) -> Vec<u8> {
    sync.encode_to_vec()
}

/// Decodes what a mutation of the app state holds (`waSyncAction.SyncActionData`).
///
/// # Errors
/// The bytes are not such a protobuf.
pub fn decode_sync_action(bytes: &[u8]) -> Result<sync_action::SyncActionData, DecodeError> {
    sync_action::SyncActionData::decode(bytes)
}

/// Encodes what a mutation of the app state holds (`waSyncAction.SyncActionData`).
#[must_use]
pub fn encode_sync_action(data: &sync_action::SyncActionData) -> Vec<u8> {
    data.encode_to_vec()
}
