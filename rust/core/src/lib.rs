//! The way of a message from neonize's callback to a committed row, without Python.
//!
//! ```text
//! event bytes ─► spool ─► buffer (per device) ─► batch ─► writer: decode, copy, merge, commit ─► announce
//! ```
//!
//! One concept a module; [`pipeline`] connects them.

#[macro_use]
mod tell;

pub mod announce;
pub mod answer;
pub mod batch;
pub mod buffer;
pub mod call;
pub mod card;
pub mod connection;
pub mod control;
pub mod copy;
pub mod decode;
pub mod event;
pub mod group;
pub mod header;
pub mod heard;
pub mod history;
pub mod jid;
pub mod link;
pub mod media;
pub mod members;
pub mod notice;
pub mod pieces;
pub mod pipeline;
pub mod place;
pub mod poll;
pub mod quote;
pub mod record;
pub mod shown;
pub mod spool;
pub mod stats;
pub mod text;
pub mod timestamp;
pub mod wire;
pub mod words;
pub mod writer;
